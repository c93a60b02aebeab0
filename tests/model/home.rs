//! Whose accounts the wallet has, and where: an account's own id depends on the sandbox's port, its home does not.

use ticket_wallet::model::{Account, SignIn, TicketSystem};

use crate::brands::sign_in_to;
use crate::phone::sign_in;
use crate::world::World;

/// A person at a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Home {
    /// The brand of Unidy, `None` for B.A.M.
    pub(crate) brand: Option<&'static str>,
    /// The place among the sandbox's users.
    pub(crate) user: usize,
}

const fn at(brand: Option<&'static str>, user: usize) -> Home {
    Home { brand, user }
}

/// The wallet's accounts at B.A.M, whose tickets are of several tenants.
pub(crate) const BAM: [Home; 2] = [at(None, 0), at(None, 1)];
/// Its accounts at Unidy: two of one brand, so that tickets go from one to the other, and one of another.
pub(crate) const UNIDY: [Home; 3] = [at(Some("nord"), 0), at(Some("nord"), 1), at(Some("west"), 0)];
/// Who is at a brand without this wallet.
pub(crate) const OUTSIDER: Home = at(Some("west"), 1);

/// All of the wallet's.
pub(crate) fn homes() -> impl Iterator<Item = Home> {
    BAM.into_iter().chain(UNIDY)
}

impl World {
    pub(super) fn sign_in_at(&self, home: Home) -> SignIn {
        match home.brand {
            None => sign_in(&self.sandbox, home.user),
            Some(brand) => sign_in_to(&self.sandbox, brand, home.user),
        }
    }

    fn is_at(&self, account: &Account, home: Home) -> bool {
        let same_system = match home.brand {
            None => account.system == TicketSystem::Bam,
            Some(brand) => {
                account.system == TicketSystem::Unidy && account.url.ends_with(&format!("/{brand}"))
            }
        };
        same_system && account.user_name == self.sandbox.users()[home.user].name
    }

    /// The account there, while the wallet has it.
    pub(super) fn account_at(&self, home: Home) -> Option<Account> {
        let accounts = self.phone().wallet.accounts().unwrap();
        accounts.into_iter().find(|account| self.is_at(account, home))
    }

    pub(super) fn home_of(&self, account: &str) -> Option<Home> {
        self.homes.get(account).copied()
    }

    /// The id of the account that has this number among those that there are.
    pub(super) fn numbered(&self, number: usize) -> Option<String> {
        homes().filter_map(|home| self.account_at(home)).nth(number).map(|account| account.id)
    }
}
