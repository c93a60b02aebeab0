//! What the wallet shows, and whose tickets an action may have changed there.

use std::collections::BTreeMap;

use ticket_wallet::model::BarcodeProfile;

use crate::phone::Phone;

/// A ticket as the wallet shows it, but for what time alone changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Id of the account in the wallet.
    pub(crate) account: String,
    pub(crate) remote_id: String,
    pub(crate) title: String,
    pub(crate) status: String,
    /// Unix seconds, both.
    pub(crate) starts_at: Option<i64>,
    pub(crate) ends_at: Option<i64>,
    pub(crate) venue: Option<String>,
    pub(crate) section: Option<String>,
    pub(crate) seat: Option<String>,
    pub(crate) profile: BarcodeProfile,
    /// Of the credential; Unidy's tickets have none.
    pub(crate) generation: Option<u16>,
    /// The system's record, byte for byte.
    pub(crate) record: String,
}

/// By the tickets' ids in the wallet.
pub(crate) type View = BTreeMap<String, Shown>;

pub(crate) fn view(phone: &Phone) -> View {
    let shown = phone.tickets().into_iter().map(|ticket| {
        let detail = phone.wallet.ticket(ticket.id.clone()).unwrap();
        let shown = Shown {
            account: ticket.account_id,
            remote_id: detail.remote_id,
            title: ticket.title,
            status: format!("{:?}", ticket.status),
            starts_at: ticket.starts_at,
            ends_at: ticket.ends_at,
            venue: ticket.venue,
            section: ticket.section,
            seat: ticket.seat,
            profile: ticket.profile,
            generation: detail.generation,
            record: detail.body_json,
        };
        (ticket.id, shown)
    });
    shown.collect()
}

/// Whose tickets an action may change in the wallet.
#[derive(Debug, Clone)]
pub(crate) enum Reach {
    Nobody,
    /// Of the account with this id.
    One(String),
    Everybody,
}

impl Reach {
    fn has(&self, account: &str) -> bool {
        match self {
            Self::Nobody => false,
            Self::One(one) => one == account,
            Self::Everybody => true,
        }
    }
}

/// That an action changed nothing beyond its reach: what is new or differs is of an account that it was for, and what
/// is gone was.
pub(crate) fn check_reach(before: &View, after: &View, reach: &Reach) -> Result<(), String> {
    for (id, was) in before {
        match after.get(id) {
            Some(now) if now == was || reach.has(&now.account) => {}
            None if reach.has(&was.account) => {}
            now => return Err(format!("{reach:?} changed another's ticket: {was:#?}\nis now {now:#?}")),
        }
    }
    let new = after.iter().find(|(id, now)| !before.contains_key(*id) && !reach.has(&now.account));
    new.map_or(Ok(()), |(_, now)| Err(format!("{reach:?} brought another's ticket: {now:#?}")))
}
