//! Listings and transfers that the server's lists have no more: nobody need keep what has ended. Each is asked for by itself,
//! and a clear word that it is gone ends it here too. Whether its ticket may be bound again is then the server's to say.

use super::engine::Run;
use super::market::stored;
use crate::error::Error;
use crate::model::TransferState;
use crate::remote::extension::Extension;
use crate::resale::{CloseReason, ListingState};
use crate::store::{StoredListing, StoredTransfer};

/// So many of one tenant are asked for in a sync.
const MAX_SINGLE: usize = 50;

impl Run<'_> {
    /// How those listings at a tenant stand that its list lacks.
    pub(super) async fn unlisted_listings(
        &mut self,
        extension: &Extension,
        tenant: Option<&str>,
        listed: &[StoredListing],
    ) -> Result<Vec<StoredListing>, Error> {
        let mut going = self.engine.store.going_listings(&self.account.id, tenant)?;
        going.retain(|known| listed.iter().all(|one| !is_same_listing(one, known)));
        let mut found = Vec::new();
        for known in going.into_iter().take(MAX_SINGLE) {
            let told = told(extension.listing(&self.asker(), &known.remote_id).await);
            let Some(told) = self.forgive(told)? else { continue };
            found.push(match told {
                Some(now) => stored(now, known.ticket, known.policy),
                None => ended(known),
            });
        }
        Ok(found)
    }

    /// How those transfers at a tenant stand that its list lacks.
    pub(super) async fn unlisted_transfers(
        &mut self,
        extension: &Extension,
        tenant: Option<&str>,
        listed: &[StoredTransfer],
    ) -> Result<Vec<StoredTransfer>, Error> {
        let mut going = self.engine.store.going_transfers(&self.account.id, tenant)?;
        going.retain(|known| listed.iter().all(|one| !is_same_transfer(one, known)));
        let mut found = Vec::new();
        for known in going.into_iter().take(MAX_SINGLE) {
            let (http, system) = (self.system.http(), &self.system);
            let told = told(extension.transfer(http, &self.session, system, &known.remote_id).await);
            let Some(told) = self.forgive(told)? else { continue };
            let state = told.map_or(TransferState::Ended, |now| now.state);
            found.push(StoredTransfer { state, ..known });
        }
        Ok(found)
    }
}

/// A listing of which its server knows nothing any more.
pub(super) fn ended(listing: StoredListing) -> StoredListing {
    let reason = CloseReason::Other { text: String::new() };
    StoredListing { state: ListingState::Closed { reason }, ..listing }
}

/// What a server says of one thing; `None` where it says that there is none.
pub(super) fn told<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Err(Error::Status { status: 404 | 410, .. }) => Ok(None),
        other => other.map(Some),
    }
}

fn is_same_listing(one: &StoredListing, other: &StoredListing) -> bool {
    one.ticket == other.ticket && one.remote_id == other.remote_id
}

fn is_same_transfer(one: &StoredTransfer, other: &StoredTransfer) -> bool {
    one.ticket == other.ticket && one.remote_id == other.remote_id
}
