//! What becomes of an offer at Unidy whose answer was lost: nothing is offered twice by itself.

use ticket_wallet::model::{TransferState, WriteState};
use ticket_wallet_sandbox::{Fault, FaultRule, Sandbox, SandboxConfig, UnidyChoices};

use crate::brands::sign_in_to;
use crate::phone::{Phone, TestClock, sandbox};

const BRAND: &str = "nord";

/// Two people at one brand, of whom the first offers the second a ticket.
struct Two {
    sandbox: Sandbox,
    from: Phone,
    to: Phone,
    ticket: String,
}

impl Two {
    async fn new(ended_transfers: bool) -> Self {
        let clock = TestClock::new();
        let unidy = UnidyChoices { ended_transfers, ..UnidyChoices::default() };
        let sandbox = sandbox(&clock, SandboxConfig { unidy, ..SandboxConfig::default() }).await;
        let [from, to] = [Phone::new(&clock), Phone::new(&clock)];
        for (user, phone) in [&from, &to].into_iter().enumerate() {
            phone.wallet.sign_in(sign_in_to(&sandbox, BRAND, user)).await.unwrap();
            phone.wallet.sync(None).await.unwrap();
        }
        let shown = |id: &String| from.wallet.present(id.clone(), None).is_ok();
        let ticket = from.tickets().into_iter().map(|ticket| ticket.id).find(shown).unwrap();
        Self { sandbox, from, to, ticket }
    }

    fn offer(&self) {
        self.from.wallet.transfer(self.ticket.clone(), self.sandbox.users()[1].name.clone()).unwrap();
    }

    /// Offers it; of the request this becomes, and the list is not to be had at once.
    async fn offer_and_lose(&self, fault: Fault) {
        let rule = |method: &str, path: &str, fault| {
            let (method, path_contains) = (Some(method.to_owned()), path.to_owned());
            self.sandbox.fault(FaultRule { method, path_contains, skip: 0, times: 9, fault });
        };
        self.offer();
        rule("POST", "/transfer", fault);
        rule("GET", "/ticket_transfers", Fault::ServerError);
        assert!(self.from.wallet.sync(None).await.is_err());
        self.sandbox.clear_faults();
        self.from.clock.pass_s(60);
    }

    /// The recipient answers the one offer that there is.
    async fn answer(&self, accept: bool) {
        let account = self.to.wallet.accounts().unwrap()[0].id.clone();
        let incoming = self.to.wallet.incoming_transfers(account.clone()).await.unwrap();
        let [offer] = &incoming[..] else { panic!("{} offers", incoming.len()) };
        match accept {
            true => self.to.wallet.accept_transfer(account, offer.token.clone()).await.unwrap(),
            false => self.to.wallet.decline_transfer(account, offer.token.clone()).await.unwrap(),
        };
    }

    /// Syncs twice; how the offers stand at the brand, and the writes in the outbox.
    async fn later(&self) -> (Vec<String>, Vec<WriteState>) {
        for _ in 0..2 {
            let _ = self.from.wallet.sync(None).await;
        }
        let offers = self.sandbox.unidy_offers(BRAND).unwrap();
        let outbox = self.from.wallet.outbox(None).unwrap();
        (
            offers.into_iter().map(|offer| offer.status).collect(),
            outbox.iter().map(|item| item.state).collect(),
        )
    }

    /// How the transfers stand that the wallet knows.
    fn known(&self) -> Vec<TransferState> {
        self.from.wallet.transfers(None).unwrap().into_iter().map(|one| one.state).collect()
    }
}

#[tokio::test]
async fn an_offer_whose_answer_was_lost_is_made_once_whatever_the_recipient_does() {
    // Lists with ended transfers tell how it went on; those of the pending ones alone tell nothing of an ended one.
    for (ended_transfers, accept, stands, known, outbox) in [
        (true, None, "pending", &[TransferState::Pending][..], &[][..]),
        (false, None, "pending", &[TransferState::Pending], &[]),
        (true, Some(false), "declined", &[TransferState::Declined], &[]),
        (false, Some(false), "declined", &[], &[WriteState::Unknown]),
        (true, Some(true), "accepted", &[TransferState::Accepted], &[]),
        (false, Some(true), "accepted", &[], &[WriteState::Unknown]),
    ] {
        let two = Two::new(ended_transfers).await;
        two.offer_and_lose(Fault::LostReply).await;
        if let Some(accept) = accept {
            two.answer(accept).await;
        }
        assert_eq!(
            two.later().await,
            (vec![stands.to_owned()], outbox.to_vec()),
            "{ended_transfers} {accept:?}"
        );
        assert_eq!(two.known(), known, "{ended_transfers} {accept:?}");
    }
}

#[tokio::test]
async fn an_offer_that_may_not_have_arrived_is_made_again_when_the_person_says_so() {
    for ended_transfers in [true, false] {
        let two = Two::new(ended_transfers).await;
        // One that ended earlier is not taken for it.
        two.offer();
        two.from.wallet.sync(None).await.unwrap();
        two.answer(false).await;
        two.from.clock.pass_s(60);
        two.from.wallet.sync(None).await.unwrap();
        two.offer_and_lose(Fault::Reset).await;
        assert_eq!(two.later().await, (vec!["declined".to_owned()], vec![WriteState::Unknown]));
        let id = two.from.wallet.outbox(None).unwrap()[0].id;
        two.from.wallet.retry_write(id).unwrap();
        let mut stand = two.later().await;
        stand.0.sort();
        assert_eq!(stand, (vec!["declined".to_owned(), "pending".to_owned()], Vec::new()));
    }
}
