//! The brand's own interfaces, for a person's browser. Each must be switched on in Unidy's settings.

use url::Url;

use super::Unidy;
use crate::error::Error;
use crate::remote::address::join;

/// Addresses of a brand's interfaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnidyUi {
    /// The person's own tickets: `{brand}/tickets`.
    pub tickets: Url,
    /// The organiser's desk: `{brand}/dashboard/tickets`.
    pub dashboard_tickets: Url,
    /// The description of the brand's own API: `{brand}/api-docs`.
    pub api_docs: Url,
}

impl Unidy {
    /// The addresses of the brand's interfaces.
    ///
    /// # Errors
    /// [`Error::Input`] when nothing can be appended to the brand's address.
    pub fn ui(&self) -> Result<UnidyUi, Error> {
        Ok(UnidyUi {
            tickets: join(&self.brand, "tickets")?,
            dashboard_tickets: join(&self.brand, "dashboard/tickets")?,
            api_docs: join(&self.brand, "api-docs")?,
        })
    }
}
