//! What becomes of answers to offers at Unidy, what a brand's account can do, and what its tickets say.

use reqwest::redirect::Policy;
use ring::digest::{SHA256, digest};
use ticket_wallet::model::{
    Capability, OfficeWriteKind, OfficeWriteState, TransferAnswer, UnidyGrant, UnidyTicketQuery,
};
use ticket_wallet_sandbox::{Consent, Fault, FaultRule, Sandbox, SandboxConfig, UnidyChoices};

use crate::brands::{partner, sign_in_to};
use crate::phone::{Phone, TestClock, sandbox};

const BRAND: &str = "nord";

/// Two people at one brand, of whom the first has offered the second a ticket.
struct Offered {
    sandbox: Sandbox,
    to: Phone,
    account: String,
    token: String,
}

impl Offered {
    async fn new(unidy: UnidyChoices) -> Self {
        let clock = TestClock::new();
        let sandbox = sandbox(&clock, SandboxConfig { unidy, ..SandboxConfig::default() }).await;
        let [from, to] = [Phone::new(&clock), Phone::new(&clock)];
        for (user, phone) in [&from, &to].into_iter().enumerate() {
            phone.wallet.sign_in(sign_in_to(&sandbox, BRAND, user)).await.unwrap();
            phone.wallet.sync(None).await.unwrap();
        }
        let valid = from.tickets().into_iter().find(|one| one.effective_status.admits()).unwrap();
        from.wallet.transfer(valid.id, sandbox.users()[1].name.clone()).unwrap();
        from.wallet.sync(None).await.unwrap();
        let account = to.wallet.accounts().unwrap()[0].id.clone();
        let token = to.wallet.incoming_transfers(account.clone()).await.unwrap()[0].token.clone();
        Self { sandbox, to, account, token }
    }

    fn fault(&self, method: &str, path: &str, skip: u32, fault: Fault) {
        let (method, path_contains) = (Some(method.to_owned()), path.to_owned());
        self.sandbox.fault(FaultRule { method, path_contains, skip, times: 9, fault });
    }

    async fn answer(&self, accept: bool) -> TransferAnswer {
        let (account, token) = (self.account.clone(), self.token.clone());
        let answer = match accept {
            true => self.to.wallet.accept_transfer(account, token).await,
            false => self.to.wallet.decline_transfer(account, token).await,
        };
        answer.unwrap()
    }

    /// How the one write of the answer stands that was kept before it was sent.
    fn kept(&self) -> (OfficeWriteKind, OfficeWriteState) {
        let writes = self.to.wallet.writes(self.account.clone(), 10).unwrap();
        let [write] = &writes[..] else { panic!("{} writes", writes.len()) };
        (write.kind, write.state)
    }

    /// How the offer stands at the brand, and how often it was answered.
    fn stands(&self) -> (String, usize) {
        let asked = self.sandbox.requests();
        let answers = asked.iter().filter(|one| one.ends_with("/accept") || one.ends_with("/decline"));
        let offers = self.sandbox.unidy_offers(BRAND).unwrap();
        (offers.into_iter().find(|one| one.token == self.token).unwrap().status, answers.count())
    }
}

fn kind(accept: bool) -> OfficeWriteKind {
    if accept { OfficeWriteKind::AcceptTransfer } else { OfficeWriteKind::DeclineTransfer }
}

fn stood(status: &str) -> (String, usize) {
    (status.to_owned(), 1)
}

#[tokio::test]
async fn a_lost_answer_to_an_offer_is_read_back_and_never_repeated() {
    for (accept, ended_transfers, answer, status) in [
        (true, false, TransferAnswer::Accepted, "accepted"),
        (true, true, TransferAnswer::Accepted, "accepted"),
        (false, true, TransferAnswer::Declined, "declined"),
        // A list of open offers alone does not tell who ended one.
        (false, false, TransferAnswer::Over, "declined"),
    ] {
        let offered = Offered::new(UnidyChoices { ended_transfers, ..UnidyChoices::default() }).await;
        offered.fault("POST", "/ticket_transfers/", 0, Fault::LostReply);
        assert_eq!(offered.answer(accept).await, answer, "{accept} {ended_transfers}");
        assert_eq!(offered.stands(), stood(status));
        assert_eq!(offered.kept(), (kind(accept), OfficeWriteState::Done));
    }
}

#[tokio::test]
async fn an_answer_of_which_nothing_can_be_read_is_unknown() {
    for accept in [true, false] {
        // It may still be on its way: the offer is open.
        let offered = Offered::new(UnidyChoices::default()).await;
        offered.fault("POST", "/ticket_transfers/", 0, Fault::Reset);
        assert_eq!(offered.answer(accept).await, TransferAnswer::Unknown);
        assert_eq!(offered.stands(), stood("pending"));
        assert_eq!(offered.kept(), (kind(accept), OfficeWriteState::Unknown));
        // The list is not to be had afterwards.
        let offered = Offered::new(UnidyChoices::default()).await;
        offered.fault("POST", "/ticket_transfers/", 0, Fault::LostReply);
        offered.fault("GET", "/ticket_transfers", 1, Fault::ServerError);
        assert_eq!(offered.answer(accept).await, TransferAnswer::Unknown);
        assert_eq!(offered.stands(), stood(if accept { "accepted" } else { "declined" }));
        assert_eq!(offered.kept(), (kind(accept), OfficeWriteState::Unknown));
        // Once it is to be had, it tells.
        offered.sandbox.clear_faults();
        let id = offered.to.wallet.writes(offered.account.clone(), 1).unwrap()[0].id;
        offered.to.wallet.look_up_write(id).await.unwrap();
        assert_eq!(offered.kept(), (kind(accept), OfficeWriteState::Done));
        // Nor was it before, so that nobody knows of which ticket it was.
        let offered = Offered::new(UnidyChoices::default()).await;
        offered.fault("POST", "/ticket_transfers/", 0, Fault::LostReply);
        offered.fault("GET", "/ticket_transfers", 0, Fault::ServerError);
        assert_eq!(offered.answer(accept).await, TransferAnswer::Unknown);
        assert_eq!(offered.stands().1, 1);
    }
}

#[tokio::test]
async fn answers_that_come_say_what_they_say() {
    for (accept, answer) in [(true, TransferAnswer::Accepted), (false, TransferAnswer::Declined)] {
        let offered = Offered::new(UnidyChoices::default()).await;
        assert_eq!(offered.answer(accept).await, answer);
    }
}

#[tokio::test]
async fn transfers_are_declared_by_what_the_brand_says() {
    let both = [Capability::Transfers, Capability::IncomingTransfers];
    let can = |phone: &Phone| {
        let account = phone.wallet.accounts().unwrap()[0].id.clone();
        let found = phone.wallet.capabilities(account).unwrap();
        assert!(found.contains(&Capability::TicketDocuments));
        both.map(|one| found.contains(&one))
    };
    for transfers in [true, false] {
        for configured in [None, Some(true), Some(false)] {
            let clock = TestClock::new();
            let unidy = UnidyChoices { transfers, ..UnidyChoices::default() };
            let sandbox = sandbox(&clock, SandboxConfig { unidy, ..SandboxConfig::default() }).await;
            let phone = Phone::new(&clock);
            let mut sign_in = sign_in_to(&sandbox, BRAND, 0);
            sign_in.config.unidy.as_mut().unwrap().transfers = configured;
            let account = phone.wallet.sign_in(sign_in).await.unwrap().id;
            assert_eq!(can(&phone), [configured == Some(true); 2], "{transfers} {configured:?}");
            let listed = |sandbox: &Sandbox| {
                sandbox.requests().iter().filter(|one| one.ends_with("/ticket_transfers")).count()
            };
            for _ in 0..2 {
                phone.wallet.sync(None).await.unwrap();
                assert_eq!(can(&phone), [configured.unwrap_or(transfers); 2], "{transfers} {configured:?}");
                assert_eq!(listed(&sandbox), usize::from(configured.is_none()), "once");
            }
            // What the brand says later counts.
            let mut choices = sandbox.unidy_choices();
            choices.transfers = !transfers;
            sandbox.set_unidy_choices(choices);
            assert_eq!(phone.wallet.incoming_transfers(account).await.is_ok(), !transfers);
            assert_eq!(can(&phone), [!transfers; 2]);
            let phone = phone.restart();
            assert_eq!(can(&phone), [!transfers; 2]);
        }
    }
}

#[tokio::test]
async fn the_document_s_ticket_is_typed_offline() {
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, SandboxConfig::default()).await;
    let phone = Phone::new(&clock);
    phone.wallet.sign_in(sign_in_to(&sandbox, BRAND, 0)).await.unwrap();
    phone.wallet.sync(None).await.unwrap();
    sandbox.stop().await;
    let details = phone.tickets().into_iter().map(|one| phone.wallet.ticket(one.id).unwrap());
    let found =
        details.map(|one| one.unidy.unwrap()).find(|one| one.title.as_deref() == Some("24-25 Heimspiel"));
    let ticket = found.unwrap();
    let price = ticket.price.unwrap();
    assert_eq!((price.minor, price.currency.as_str()), (6_400, "EUR"));
    assert_eq!((ticket.price_text.as_deref(), ticket.currency.as_deref()), (Some("64"), Some("EUR")));
    let amounts: Vec<_> = ticket.amounts.iter().map(|one| (one.pointer.as_str(), one.amount.minor)).collect();
    let below = "/metadata/seat/priceCategory";
    let expected = [("isoAmount", 10_000), ("isoNetAmount", 10_000), ("isoVatAmount", 1_000)];
    let expected = expected.map(|(name, minor)| (format!("{below}/{name}"), minor));
    assert_eq!(amounts, expected.each_ref().map(|(pointer, minor)| (pointer.as_str(), *minor)));
    assert_eq!(
        (ticket.reference.as_deref(), ticket.state.as_deref()),
        (Some("1234567890-1"), Some("inactive"))
    );
    assert_eq!((ticket.payment_state, ticket.button_url, ticket.info_banner), (None, None, None));
    assert_eq!((ticket.seating, ticket.venue.as_deref()), (None, Some("Stadion")));
    assert_eq!((ticket.exportable_to_wallet, ticket.wallet_export_json.as_deref()), (None, Some("null")));
    assert_eq!((ticket.starts_at, ticket.ends_at), (Some(1_723_314_600), Some(1_723_325_400)));
    assert_eq!((ticket.created_at, ticket.updated_at), (Some(1_720_710_534), Some(1_720_710_534)));
    assert_eq!(ticket.user_id.as_deref(), Some("bf6e396d-4c5c-5e98-a09b-cab64e45etrz"));
    assert_eq!(ticket.ticket_category_id.as_deref(), Some("ca97bb23-7a90-484a-bc8f-8de7c93d24673"));
    assert!(ticket.metadata_json.unwrap().contains("\"vat\": 0.19"));
}

#[tokio::test]
async fn a_holder_s_list_is_asked_for_by_query() {
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, SandboxConfig { tickets_per_user: 30, ..SandboxConfig::default() }).await;
    let phone = Phone::new(&clock);
    let account = phone.wallet.sign_in(sign_in_to(&sandbox, BRAND, 0)).await.unwrap().id;
    let find =
        async |query: UnidyTicketQuery| phone.wallet.unidy_tickets(account.clone(), query).await.unwrap();
    let first = find(UnidyTicketQuery::default()).await;
    assert!(first.more && first.tickets.len() == 25);
    let rest = find(UnidyTicketQuery { page: Some(2), ..UnidyTicketQuery::default() }).await;
    assert!(!rest.more && !rest.tickets.is_empty());
    let passive = UnidyTicketQuery { state: Some("passive".to_owned()), ..UnidyTicketQuery::default() };
    let passive = find(passive).await;
    assert!(passive.tickets.iter().all(|one| one.status.as_text() == "passive"));
    assert!(passive.tickets.len() < first.tickets.len() + rest.tickets.len());
    // Nothing of it is kept.
    assert!(phone.tickets().is_empty());
}

#[tokio::test]
async fn the_two_apis_of_a_brand_are_two_accounts_of_one_person() {
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, SandboxConfig::default()).await;
    let phone = Phone::new(&clock);
    let sdk = phone.wallet.sign_in(sign_in_to(&sandbox, BRAND, 0)).await.unwrap();
    let mut choices = sandbox.unidy_choices();
    choices.consent = Consent::Approve { user: sandbox.users()[0].name.clone() };
    sandbox.set_unidy_choices(choices);
    let by_browser = async || {
        let config = partner(&sandbox, BRAND, "app", UnidyGrant::AuthorizationCode);
        let begun = phone.wallet.begin_sign_in(config).await.unwrap();
        let browser = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        let reply = browser.get(begun.url).send().await.unwrap();
        let back = reply.headers()["location"].to_str().unwrap().to_owned();
        phone.wallet.complete_sign_in(back).await.unwrap().account
    };
    let other = by_browser().await;
    assert_eq!((&other.user_name, &other.url), (&sdk.user_name, &sdk.url));
    assert_ne!(other.id, sdk.id);
    assert_eq!(by_browser().await.id, other.id, "the same account again");
    assert_eq!(phone.wallet.sign_in(sign_in_to(&sandbox, BRAND, 0)).await.unwrap().id, sdk.id);
    // The end user's keeps the id that it has in older wallets.
    let name = format!("unidy\u{1F}{}\u{1F}{}", sdk.url, sdk.user_name);
    assert_eq!(sdk.id, hex::encode(&digest(&SHA256, name.as_bytes()).as_ref()[..8]));
    assert_eq!(phone.wallet.accounts().unwrap().len(), 2);
    phone.wallet.sync(None).await.unwrap();
    let of = |id: &str| phone.tickets().iter().filter(|one| one.account_id == id).count();
    assert!(of(&sdk.id) + of(&other.id) > 0);
}
