//! Whatever happens to a write's request or reply, the server applies it once.

use ticket_wallet::model::{NoBarcodeReason, WriteState};
use ticket_wallet_sandbox::Fault;

use crate::desk::{Desk, answers, rule, small};

/// Half of the sandbox's lease and a bit: leases are due.
const TO_RENEWAL_S: i64 = 24 * 3600 + 1;

/// A write that is accepted and not sent yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    HolderCreate,
    HolderUpdate,
    Transfer,
    Cancel,
    Surrender,
    Bind,
    Move,
    Renew,
}

const KINDS: [Kind; 8] = [
    Kind::HolderCreate,
    Kind::HolderUpdate,
    Kind::Transfer,
    Kind::Cancel,
    Kind::Surrender,
    Kind::Bind,
    Kind::Move,
    Kind::Renew,
];

fn faults() -> [Fault; 6] {
    [
        Fault::LostReply,
        Fault::Reset,
        Fault::TruncatedJson,
        Fault::ServerError,
        Fault::Unavailable { retry_after: "1".to_owned() },
        Fault::TooMany { retry_after: "1".to_owned() },
    ]
}

impl Kind {
    /// Its name in the server's journal, and its request.
    fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::HolderCreate => ("ticket_holder.create", "POST", "/ticket_holder"),
            Self::HolderUpdate => ("ticket_holder.update", "PATCH", "/ticket_holder"),
            Self::Transfer => ("transfer.create", "POST", "/transfers"),
            Self::Cancel => ("transfer.cancel", "POST", "/cancel"),
            Self::Surrender => ("credential.surrender", "POST", "/surrender"),
            Self::Bind => ("credential.bind", "POST", "/credentials"),
            Self::Move => ("credential.move", "POST", "/credentials"),
            Self::Renew => ("credential.renew", "POST", "/credentials/renew"),
        }
    }

    /// Has the write accepted; returns the ticket, where the wallet knows of one already.
    async fn accept(self, desk: &mut Desk) -> Option<String> {
        if self == Self::Bind {
            return None;
        }
        desk.sync().await.unwrap();
        let ticket = desk.shown().swap_remove(0);
        match self {
            Self::HolderCreate => drop(desk.answer(&ticket, "soup")),
            Self::HolderUpdate => {
                desk.answer(&ticket, "soup");
                desk.sync().await.unwrap();
                desk.answer(&ticket, "cake");
            }
            Self::Transfer => {
                desk.phone.wallet.transfer(ticket.clone(), "zoe@example.org".to_owned()).unwrap();
            }
            Self::Cancel => {
                desk.phone.wallet.transfer(ticket.clone(), "zoe@example.org".to_owned()).unwrap();
                desk.sync().await.unwrap();
                desk.phone.wallet.cancel_transfer(ticket.clone()).unwrap().unwrap();
            }
            Self::Surrender => drop(desk.phone.wallet.surrender(ticket.clone()).unwrap()),
            Self::Move => {
                desk.phone = desk.other_phone().await;
                desk.phone.wallet.move_here(ticket.clone()).unwrap();
            }
            Self::Renew => desk.phone.clock.pass_s(TO_RENEWAL_S),
            Self::Bind => {}
        }
        Some(ticket)
    }
}

async fn disturbed(kind: Kind, fault: &Fault, times: u32) {
    let mut desk = Desk::signed_in(small()).await;
    let ticket = kind.accept(&mut desk).await;
    let (applied, method, path) = kind.names();
    desk.sandbox.fault(rule(method, path, times, fault.clone()));
    let mut failed = 0;
    for _ in 0..times + 3 {
        desk.phone.clock.pass_s(2);
        failed += u32::from(desk.sync().await.is_err());
        if let (Kind::Transfer | Kind::Surrender, Some(ticket)) = (kind, &ticket) {
            let sent = desk.outbox_states().contains(&WriteState::Sent);
            assert!(!sent || desk.hidden(ticket) == Some(NoBarcodeReason::HandedOver), "{kind:?} {fault:?}");
        }
    }
    assert!(desk.outbox().is_empty(), "{kind:?} {fault:?}: {:?}", desk.outbox_states());
    assert!(failed > 0, "the fault was met: {kind:?} {fault:?}");
    let tickets = ticket.map_or_else(|| desk.shown(), |ticket| vec![ticket]);
    assert!(!tickets.is_empty(), "{kind:?} {fault:?}");
    for ticket in tickets {
        let entries = desk.entries(&ticket);
        let times = entries.iter().filter(|entry| entry.kind == applied).count();
        assert_eq!(times, 1, "{kind:?} {fault:?}: {entries:?}");
    }
}

#[tokio::test]
async fn each_kind_of_write_survives_each_fault_once() {
    for kind in KINDS {
        for fault in faults() {
            disturbed(kind, &fault, 1).await;
        }
    }
}

#[tokio::test]
async fn each_kind_of_write_survives_two_lost_answers() {
    for kind in KINDS {
        // Of a holder's answers the second is never sent: they are found at the server.
        let times = if matches!(kind, Kind::HolderCreate | Kind::HolderUpdate) { 1 } else { 2 };
        disturbed(kind, &Fault::LostReply, times).await;
    }
}

#[tokio::test]
async fn a_write_made_offline_is_there_after_a_restart_and_sent_by_the_next_sync() {
    let desk = Desk::new().await;
    let ticket = desk.shown().swap_remove(0);
    desk.sandbox.fault(rule("GET", "", 100, Fault::Reset));
    let id = desk.answer(&ticket, "soup");
    assert!(desk.sync().await.is_err());
    desk.sandbox.clear_faults();
    let desk = desk.restart();
    let kept = desk.the_only_write();
    assert_eq!((kept.id, kept.state, kept.content.unwrap()), (id, WriteState::Waiting, answers("soup")));
    assert!(desk.applied(&ticket).is_empty());
    assert_eq!(desk.sync().await.unwrap().sent, 1);
    assert!(desk.outbox().is_empty());
    assert_eq!(desk.applied(&ticket), ["ticket_holder.create"]);
    assert_eq!(desk.record(&ticket)["ticket_holder"]["response"]["dish"], "soup");
    desk.sync().await.unwrap();
    assert_eq!(desk.applied(&ticket).len(), 1);
}
