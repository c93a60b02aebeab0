//! Unidy: the SDK API for ticket holders, OAuth, and the partner API, for two brands under `/unidy/{brand}`.
//!
//! **Documented**: the ticket's members and one ticket word for word, states and the maintenance job, both kinds of
//! credentials, the SDK API's calls, parameters and errors, and OAuth with its four flows.
//!
//! **Open, and a switch** in [`UnidyChoices`]: the paths and replies of the partner API, the time zone of 00:00, whether
//! passive tickets expire, how prices and errors are written, refresh without a secret, and how long things last.
//!
//! **Assumed**: statuses of errors that the documents only name (422 for what a ticket or transfer does not allow, 403
//! for who may not, 401 for wrong proofs, 404 for what is not there), the order of lists without `order_by` (the newest
//! first), the members of ticket categories, and that a category belongs to a service.
//!
//! Not served: subscriptions, transactions, profiles, passkeys, webhooks, and the wallet extension.

mod access;
mod body;
mod brand;
mod caller;
mod choices;
mod control;
mod error;
mod export;
pub(crate) mod files;
mod id_token;
mod keys;
mod list;
mod local_time;
mod maintenance;
mod oauth;
mod pages;
mod partner;
mod plan;
pub(crate) mod record;
mod sign_in;
mod ticket;
mod transfer;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

pub use access::{UnidyAccess, UnidyAccount, UnidyBrand};
pub use brand::UnidyMail;
pub(crate) use brand::{BRANDS, Unidy};
pub use choices::{
    Consent, CreatedForm, ErrorForm, IdTokenAlgorithm, ListForm, PriceForm, TokenBody, UnidyChoices,
    UpdateVerb,
};
pub(crate) use error::{UnidyError, in_form};
pub use oauth::client::{NewUnidyClient, UnidyClient};
pub(crate) use oauth::revoke_access;
pub(crate) use plan::{Season, fill};
pub use transfer::UnidyOffer;

use crate::app::App;

/// The tables.
pub(crate) const SCHEMA: &str = include_str!("unidy/schema.sql");

/// The routes.
pub(crate) fn routes() -> Router<Arc<App>> {
    let sdk = Router::new()
        .route("/sign_ins", post(sign_in::create))
        .route("/sign_ins/{sid}/send_magic_code", post(sign_in::send_magic_code))
        .route("/sign_ins/{sid}/authenticate", post(sign_in::authenticate))
        .route("/sign_ins/{sid}/refresh_token", post(sign_in::refresh_token))
        .route("/sign_ins/{sid}/sign_out", post(sign_in::sign_out))
        .route("/tickets", get(list::tickets))
        .route("/tickets/{id}", get(ticket::by_id))
        .route("/tickets/{id}/export_link", post(export::link))
        .route("/tickets/{id}/transfer", post(transfer::create))
        .route("/ticket_transfers", get(transfer::list))
        .route("/ticket_transfers/{token}/accept", post(transfer::accept))
        .route("/ticket_transfers/{token}/decline", post(transfer::decline))
        .route("/ticket_transfers/{token}/cancel", post(transfer::cancel));
    let brand = Router::new().merge(oauth::routes()).nest("/api/sdk/v1", sdk).fallback(partner::dispatch);
    Router::new()
        .merge(control::routes())
        .route("/unidy-files/{name}", get(export::file))
        .nest("/unidy/{brand}", brand)
}

/// Whether a path is Unidy's, so that its errors are.
pub(crate) fn serves(path: &str) -> bool {
    path.starts_with("/unidy/")
}

/// Registers every secret that clients know from the start.
pub(crate) fn give_out_secrets(app: &App) -> rusqlite::Result<()> {
    for brand in access::access(app)?.brands {
        app.give_out(&brand.sdk_key);
        brand
            .clients
            .iter()
            .filter_map(|client| client.client_secret.as_deref())
            .for_each(|it| app.give_out(it));
    }
    app.unidy.brands.iter().flat_map(|brand| brand.keys.secrets()).for_each(|key| app.give_out(&key));
    plan::give_out_codes(app)
}

/// Base64url without padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}
