//! The ticketing systems, one folder each, over one HTTP client. Nothing here knows the store.

mod address;
pub mod bam;
pub(crate) mod bounds;
mod checks;
mod connector;
mod echo;
pub mod extension;
mod http;
mod pins;
pub mod retry;
mod session;
pub mod texpo;
pub mod ticketing;
mod transport;
pub mod unidy;

pub use address::{api_url, tenant_template, with_tenant};
pub use connector::{Connector, PulledPage};
pub use http::{Http, Reply, Request, TrustedClock};
pub use retry::RetryPolicy;
pub use session::{Refresh, Session, SessionKeeper};
