//! A sandbox and the wallets of a seller and a buyer, each in a folder that apps come and go in.

use tempfile::TempDir;
use ticket_wallet::Wallet;
use ticket_wallet::model::{
    BarcodeProfile, PurchaseState, SignIn, SystemConfig, TicketFilter, TicketSystem, TransferState,
    WriteState,
};
use ticket_wallet::resale::ListingState;
use ticket_wallet_sandbox::{Sandbox, SandboxConfig};

use crate::app::{Step, open, start};

/// Whose app it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Seller,
    Buyer,
    SellersNewPhone,
}

pub(crate) struct Story {
    sandbox: Sandbox,
    folders: [TempDir; 3],
    ticket: String,
}

impl Story {
    pub(crate) async fn begin() -> Self {
        let config = SandboxConfig { tickets_per_user: 2, ..SandboxConfig::default() };
        let sandbox = Sandbox::start(config).await.unwrap();
        let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
        for (folder, user) in folders.iter().zip([0, 1, 0]) {
            let user = &sandbox.users()[user];
            let wallet = open(folder.path());
            let sign_in = SignIn {
                system: TicketSystem::Bam,
                config: SystemConfig::at(sandbox.url()),
                user_name: user.name.clone(),
                password: user.password.clone(),
            };
            wallet.sign_in(sign_in).await.unwrap();
            wallet.sync(None).await.unwrap();
        }
        let wallet = open(folders[0].path());
        let tickets = wallet.tickets(TicketFilter::default()).unwrap();
        let signed = |id: &String| wallet.present(id.clone(), None).is_ok();
        let mut ids = tickets
            .into_iter()
            .filter(|ticket| ticket.profile == BarcodeProfile::Signed)
            .map(|ticket| ticket.id);
        let ticket = ids.find(signed).unwrap();
        drop(wallet);
        Self { sandbox, folders, ticket }
    }

    fn wallet(&self, who: Who) -> Wallet {
        open(self.folders[who as usize].path())
    }

    /// Has somebody do a step in a process of its own; returns whether that was killed.
    pub(crate) async fn run(&mut self, who: Who, step: Step, point: Option<&str>) -> bool {
        if step == Step::Pay {
            self.pay().await;
            return false;
        }
        let listings = self.wallet(Who::Seller).my_listings(None).unwrap();
        let listing = listings.into_iter().find_map(|listing| listing.remote_id).unwrap_or_default();
        let folder = self.folders[who as usize].path();
        tokio::task::block_in_place(|| start(folder, step, (&self.ticket, &listing), point))
    }

    /// Pays for whatever waits for it.
    async fn pay(&self) {
        for purchase in self.wallet(Who::Buyer).purchases(None).unwrap() {
            if purchase.state == PurchaseState::Reserved {
                let url = purchase.payment_url.unwrap();
                let paid = reqwest::Client::new().post(url).send().await.unwrap();
                assert!(paid.status().is_success());
            }
        }
    }

    /// How often the server did this.
    pub(crate) fn times(&self, kind: &str) -> usize {
        self.sandbox.journal().unwrap().iter().filter(|entry| entry.kind == kind).count()
    }

    pub(crate) async fn online(&self) {
        for _ in 0..2 {
            for who in [Who::Seller, Who::Buyer, Who::SellersNewPhone] {
                self.wallet(who).sync(None).await.unwrap();
            }
        }
    }

    /// Whoever was killed comes online; what was begun is finished or taken back, and everything is in its place.
    pub(crate) async fn ends_well(&mut self, what: &str) {
        self.online().await;
        self.one_code_at_most(what);
        self.pay().await;
        self.online().await;
        self.one_code_at_most(what);
        self.take_back(what);
        self.online().await;
        let kinds: Vec<_> = self.sandbox.journal().unwrap().into_iter().map(|entry| entry.kind).collect();
        let is_buyers = self.times("resale.sell") + self.times("transfer.accept");
        assert!(is_buyers <= 1, "{what}: {kinds:?}");
        let shown = self.shown();
        assert_eq!(shown.len(), 1, "{what}: whoever owns it gets a code by coming online; {kinds:?}");
        assert_eq!(shown[0] == Who::Buyer, is_buyers == 1, "{what}: money and ticket are on matching sides");
        for who in [Who::Seller, Who::Buyer, Who::SellersNewPhone] {
            let outbox = self.wallet(who).outbox(None).unwrap();
            let stuck =
                outbox.iter().find(|item| matches!(item.state, WriteState::Waiting | WriteState::Sent));
            assert!(stuck.is_none(), "{what}: {:?}", stuck.map(|item| (item.kind, item.state)));
        }
        let once = |kind: &str| self.times(kind) <= 1;
        assert!(once("resale.list") && once("transfer.create"), "{what}: {kinds:?}");
    }

    /// What is still open is taken back.
    fn take_back(&self, what: &str) {
        let seller = self.wallet(Who::Seller);
        let listing = seller.ticket(self.ticket.clone()).ok().and_then(|ticket| ticket.listing);
        if listing.and_then(|listing| listing.state).as_ref().is_some_and(ListingState::is_open) {
            seller.withdraw_listing(self.ticket.clone()).unwrap_or_else(|why| panic!("{what}: {why}"));
        }
        let transfers = seller.transfers(None).unwrap();
        if transfers.iter().any(|transfer| transfer.state == TransferState::Pending) {
            seller.cancel_transfer(self.ticket.clone()).unwrap_or_else(|why| panic!("{what}: {why}"));
        }
    }

    /// Who shows a code of the newest generation that anybody shows. An older one is a copy that gates refuse.
    fn shown(&self) -> Vec<Who> {
        let generation = |who| {
            let wallet = self.wallet(who);
            let shows = wallet.present(self.ticket.clone(), None).is_ok();
            shows.then(|| wallet.ticket(self.ticket.clone()).unwrap().generation.unwrap())
        };
        let all = [Who::Seller, Who::Buyer, Who::SellersNewPhone].map(|who| (who, generation(who)));
        let newest = all.iter().filter_map(|(_, generation)| *generation).max();
        all.iter().filter(|(_, one)| one.is_some() && *one == newest).map(|(who, _)| *who).collect()
    }

    fn one_code_at_most(&self, what: &str) {
        assert!(self.shown().len() <= 1, "{what}: two wallets hold a code of one generation");
        let all =
            [Who::Seller, Who::Buyer].map(|who| self.wallet(who).present(self.ticket.clone(), None).is_ok());
        assert!(!(all[0] && all[1]), "{what}: seller and buyer show a code");
    }
}
