//! What is there at the start: accounts, events, tokens and tickets.

use super::world::{Account, Event, Key, Section, Ticket, World, code};
use crate::seeded;
use crate::users::{OrganizerUser, User};

/// The event and the sections of the document's examples.
const EVENT: u64 = 16_993_717_817_996;
const SECTION: u64 = 16_993_964_783_416;
/// The id of the document's token.
const FIRST_ID: u64 = 17_370_490_770_235;
const EVENTS: [(&str, &str, [&str; 2]); 3] = [
    ("Hafenfest Nordhafen", "Alter Hafen", ["Pier", "Kaimauer"]),
    ("Carnival Night", "Darkwood Beach", ["General", "VIP"]),
    ("Sommernacht – Orchester", "Freilichtbühne", ["Parkett", "Rang"]),
];
const DAY_S: i64 = 86_400;

/// Fills the world for these users; each ticket's status follows from its number.
pub(crate) fn fill(
    users: &[User],
    hosts: &[OrganizerUser],
    seed: u64,
    tickets_per_user: usize,
    now: i64,
) -> std::io::Result<World> {
    let mut world = World { next_id: FIRST_ID, ..World::default() };
    for user in users {
        world.accounts.push(account(seed, &user.name, &user.password, false));
    }
    for host in hosts {
        world.accounts.push(account(seed, &host.name, &host.password, true));
    }
    let key = hex::encode(&seeded::bytes(seed, "ticketing integration key")[..16]);
    world.keys.insert(key, Key::Integration);
    for (number, (title, venue, names)) in (0_u64..).zip(EVENTS) {
        let section = |(index, name): (u64, &str)| Section {
            id: SECTION + number * 1_000 + index,
            name: name.to_owned(),
            price: 4_500,
            capacity: 500,
        };
        let start =
            now - now.rem_euclid(DAY_S) + 20 * 3_600 + DAY_S * (2 + 7 * i64::try_from(number).unwrap_or(0));
        let event = Event {
            id: EVENT + number * 1_000,
            title: title.to_owned(),
            venue: venue.to_owned(),
            start,
            end: start + 4 * 3_600,
            sections: (0_u64..).zip(names).map(section).collect(),
        };
        let sections = event.sections.iter().map(|section| section.id).collect();
        world.events.push(event);
        world.add_token(EVENT + number * 1_000, sections, true)?;
    }
    for owner in 0..users.len() {
        for number in 0..tickets_per_user {
            let ticket = ticket(&mut world, seed, owner, number, now);
            world.tickets.push(ticket);
        }
    }
    Ok(world)
}

fn account(seed: u64, name: &str, password: &str, is_host: bool) -> Account {
    let bytes = seeded::bytes(seed, &format!("ticketing account {name}"));
    let number = format!("{}-{}", if is_host { "HO" } else { "CU" }, code::<8>(&bytes));
    Account { number, name: name.to_owned(), password: password.to_owned(), is_host }
}

fn ticket(world: &mut World, seed: u64, owner: usize, number: usize, now: i64) -> Ticket {
    let id = world.new_id();
    let event = &world.events[number % world.events.len()];
    let section = &event.sections[number / world.events.len() % event.sections.len()];
    let bytes = seeded::bytes(seed, &format!("ticketing ticket {owner} {number}"));
    let issued = now - 30 * DAY_S + i64::try_from(number).unwrap_or(0) * 60;
    let redeemed = (number % 8 == 7).then_some(now - DAY_S);
    let status = match number % 8 {
        5 => "Held",
        7 => "Redeemed",
        _ => "Issued",
    };
    Ticket {
        id,
        serial: format!("{}-{}", code::<6>(&bytes), code::<12>(&bytes[6..])),
        event: event.id,
        section: section.id,
        owner,
        status,
        issued,
        redeemed,
        modified: redeemed.unwrap_or(issued),
    }
}
