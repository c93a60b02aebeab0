//! Controls: what the model compares differs when it should, so that a sequence that passes says something.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ticket_wallet_sandbox::JournalEntry;

use crate::home::{Home, UNIDY};
use crate::shown::{Reach, check_reach};
use crate::unidy::action::{CHANGES, UnidyAction};
use crate::unidy::mirror::difference;
use crate::world::World;

impl World {
    /// What one of the brands' accounts shows otherwise than its brand has it.
    fn first_difference(&mut self) -> Option<String> {
        self.look(Reach::Everybody);
        UNIDY.into_iter().find_map(|home| self.difference_at(home))
    }

    fn difference_at(&self, home: Home) -> Option<String> {
        difference(&self.sandbox, &self.view, home, &self.account_at(home)?.id)
    }

    async fn noticed(&mut self, what: &str) {
        assert!(self.first_difference().is_some(), "{what} is not noticed");
        self.sync(None).await.unwrap();
        assert_eq!(self.first_difference(), None, "{what}");
    }
}

#[tokio::test]
async fn every_change_at_a_brand_is_noticed_until_a_sync_brings_it() {
    let mut world = World::new().await;
    assert_eq!(world.first_difference(), None);
    for (number, change) in CHANGES.into_iter().enumerate() {
        // A state may be what the ticket has already: its last change tells all the same.
        world.sandbox.set_clock_offset_s(i64::try_from(number).unwrap() + 1);
        world.at_unidy(&UnidyAction::Change { ticket: number, change }).await;
        world.noticed(&format!("{change:?}")).await;
    }
    for home in UNIDY {
        world.appear(home);
        world.noticed("a new ticket").await;
    }
    for number in [0, 7, 11] {
        world.disappear(number);
        world.noticed("a ticket that is gone").await;
    }
}

#[tokio::test]
async fn a_ticket_in_another_account_is_noticed() {
    let mut world = World::new().await;
    let own = world.account_at(UNIDY[0]).unwrap().id;
    let id = world.view.iter().find(|(_, shown)| shown.account == own).unwrap().0.clone();
    let owned = |world: &World| world.mirror.check_owners(&world.sandbox, &world.view, &world.homes);
    assert_eq!(owned(&world), Ok(()));
    let right = world.view.clone();
    for other in crate::home::homes().filter(|home| *home != UNIDY[0]) {
        let other = world.account_at(other).unwrap().id;
        world.view.get_mut(&id).unwrap().account.clone_from(&other);
        assert!(owned(&world).is_err() || world.home_of(&other).unwrap().brand.is_none());
        assert!(UNIDY.into_iter().any(|home| world.difference_at(home).is_some()));
        for reach in [Reach::Nobody, Reach::One(own.clone())] {
            assert!(check_reach(&right, &world.view, &reach).is_err(), "{reach:?}");
        }
        world.view.clone_from(&right);
    }
    let mut text = world.view.get_mut(&id).unwrap().record.clone();
    text.push(' ');
    world.view.get_mut(&id).unwrap().record = text;
    assert!(owned(&world).is_err(), "a record that no brand wrote");
    world.view.remove(&id);
    let other = world.account_at(UNIDY[1]).unwrap().id;
    assert!(check_reach(&right, &world.view, &Reach::One(other)).is_err());
    assert_eq!(check_reach(&right, &world.view, &Reach::One(own)), Ok(()));
}

#[tokio::test]
async fn a_transfer_that_is_lost_or_made_twice_is_noticed() {
    let mut world = World::new().await;
    world.at_unidy(&UnidyAction::Transfer { ticket: 0, within: false }).await;
    world.sync(None).await.unwrap();
    let (outbox, journal, offers) = (world.outbox(), world.journal(), world.offers());
    let is_transfer = |entry: &JournalEntry| entry.kind == "unidy.transfer.create";
    assert_eq!((outbox.len(), journal.iter().filter(|entry| is_transfer(entry)).count()), (0, 1));
    world.book.check(&outbox, &journal, &offers);
    let twice = journal.iter().filter(|entry| is_transfer(entry)).chain(&journal).cloned().collect();
    let never = journal.iter().filter(|entry| !is_transfer(entry)).cloned().collect();
    let journals: [Vec<_>; 2] = [twice, never];
    for journal in journals {
        let check = || world.book.check(&outbox, &journal, &offers);
        assert!(catch_unwind(AssertUnwindSafe(check)).is_err());
    }
    world.book.check(&outbox, &journal, &offers);
}
