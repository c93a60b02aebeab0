//! A ticket that goes from one account of a wallet to another account of the same wallet.

use ticket_wallet::model::TransferState;
use ticket_wallet_sandbox::{Fault, FaultRule, Sandbox, SandboxConfig};

use crate::brands::sign_in_to;
use crate::phone::{Phone, TestClock, sandbox};

const BRAND: &str = "nord";

struct Within {
    sandbox: Sandbox,
    phone: Phone,
    from: String,
    to: String,
    /// The ticket's id in the wallet and at the brand.
    ticket: String,
    remote: String,
}

impl Within {
    /// A wallet of two accounts, one of which has accepted a ticket of the other's; neither was synced since.
    async fn new() -> Self {
        let clock = TestClock::new();
        let sandbox = sandbox(&clock, SandboxConfig::default()).await;
        let phone = Phone::new(&clock);
        let from = phone.wallet.sign_in(sign_in_to(&sandbox, BRAND, 0)).await.unwrap().id;
        let to = phone.wallet.sign_in(sign_in_to(&sandbox, BRAND, 1)).await.unwrap().id;
        phone.wallet.sync(None).await.unwrap();
        let shows = |id: &str| phone.wallet.present(id.to_owned(), None).is_ok();
        let mine = phone.tickets().into_iter().filter(|ticket| ticket.account_id == from);
        let ticket = mine.map(|ticket| ticket.id).find(|id| shows(id)).unwrap();
        let remote = phone.wallet.ticket(ticket.clone()).unwrap().remote_id;
        phone.wallet.transfer(ticket.clone(), sandbox.users()[1].name.clone()).unwrap();
        phone.wallet.sync(Some(from.clone())).await.unwrap();
        let offered = phone.wallet.incoming_transfers(to.clone()).await.unwrap();
        phone.wallet.accept_transfer(to.clone(), offered[0].token.clone()).await.unwrap();
        Self { sandbox, phone, from, to, ticket, remote }
    }

    /// Whose the ticket is in the wallet's list.
    fn listed(&self) -> Option<String> {
        let found = self.phone.tickets().into_iter().find(|ticket| ticket.id == self.ticket);
        found.map(|ticket| ticket.account_id)
    }
}

#[tokio::test]
async fn it_stays_listed_when_its_old_account_is_told_late_that_it_is_gone() {
    let within = Within::new().await;
    within.sandbox.fault(FaultRule {
        method: Some("GET".to_owned()),
        path_contains: format!("/tickets/{}", within.remote),
        skip: 0,
        times: 1,
        fault: Fault::LatencyMs(300),
    });
    let report = within.phone.wallet.sync(None).await.unwrap();
    assert_eq!((within.listed().as_ref(), report.removed), (Some(&within.to), 0));
}

#[tokio::test]
async fn its_new_account_shows_its_code_whatever_the_old_one_knows() {
    let within = Within::new().await;
    assert!(within.phone.wallet.present(within.ticket.clone(), None).is_err(), "it is on its way");
    within.phone.wallet.sync(Some(within.to.clone())).await.unwrap();
    assert_eq!(within.listed().as_ref(), Some(&within.to));
    assert!(within.phone.wallet.present(within.ticket.clone(), None).is_ok());
}

#[tokio::test]
async fn its_transfer_ends_for_the_old_account_when_the_new_one_is_gone() {
    let within = Within::new().await;
    let wallet = &within.phone.wallet;
    wallet.sync(Some(within.to.clone())).await.unwrap();
    wallet.sign_out(within.to.clone(), false).await.unwrap();
    assert_eq!(wallet.transfers(None).unwrap()[0].state, TransferState::Pending);
    wallet.sync(Some(within.from.clone())).await.unwrap();
    assert_eq!(wallet.transfers(None).unwrap()[0].state, TransferState::Accepted);
}
