//! What will happen when, drawn from the seed before anything does.

use std::collections::BTreeMap;

use ticket_wallet::ledger::RecordId;

use crate::device::BEGIN_MS;
use crate::dice::Dice;
use crate::network::Message;
use crate::options::Options;
use crate::tickets::Frame;

/// Somebody shows a ticket at a door.
#[derive(Clone)]
pub(crate) struct Showing {
    pub(crate) ticket: u32,
    pub(crate) generation: u16,
    pub(crate) door: usize,
    /// A frame of before, such as a picture of the screen; else the phone shows a new one.
    pub(crate) frame: Option<Frame>,
    /// Where the same ticket is shown after this, and how many milliseconds later; `true` is with the same frame.
    pub(crate) then: Option<(usize, i64, bool)>,
}

pub(crate) enum Event {
    Show(Showing),
    /// A scanner asks another.
    Exchange(usize),
    Deliver(Box<Message>),
    TakeBack {
        door: usize,
        life: usize,
        ticket: u32,
        record: RecordId,
    },
    Lie(usize),
    SwitchOff(usize),
    SwitchOn(usize),
    Lose(usize),
    Wipe(usize),
    SignInAnew(usize),
    /// A manifest is published.
    Publish(u32),
    Fetch(usize),
}

/// Events by time.
#[derive(Default)]
pub(crate) struct Queue {
    events: BTreeMap<(i64, u64), Event>,
    count: u64,
}

impl Queue {
    pub(crate) fn add(&mut self, at_ms: i64, event: Event) {
        self.events.insert((at_ms, self.count), event);
        self.count += 1;
    }

    pub(crate) fn next(&mut self) -> Option<(i64, Event)> {
        self.events.pop_first().map(|((at_ms, _), event)| (at_ms, event))
    }
}

/// Who gets into which trouble.
pub(crate) struct Roles {
    pub(crate) rogues: Vec<usize>,
    pub(crate) deaf: Vec<usize>,
}

pub(crate) struct Plan {
    pub(crate) queue: Queue,
    pub(crate) roles: Roles,
    /// Tickets that are sold on, and when, Unix milliseconds.
    pub(crate) resold: BTreeMap<u32, i64>,
    pub(crate) revoked: Vec<u32>,
}

impl Plan {
    pub(crate) fn draw(options: &Options, dice: &mut Dice) -> Self {
        let mut queue = Queue::default();
        let length = i64::from(options.minutes) * 60_000;
        let roles = trouble(options, dice, &mut queue, length);
        let (mut resold, mut revoked) = (BTreeMap::new(), Vec::new());
        let doors = options.scanners as usize;
        for ticket in 0..options.tickets {
            let at = BEGIN_MS + crowd(dice, length);
            let then = dice.percent(options.again).then(|| {
                let same = dice.percent(40);
                let limit = if same { i64::from(options.window_s) * 1000 } else { 600_000 };
                (dice.below(doors), dice.time(limit), same)
            });
            let mut generation = 1;
            if dice.percent(options.resold) {
                let sold = BEGIN_MS + dice.time((at - BEGIN_MS).max(1));
                resold.insert(ticket, sold);
                let seller = BEGIN_MS + dice.time(length);
                let (door, frame, then) = (dice.below(doors), None, None);
                queue.add(seller, Event::Show(Showing { ticket, generation: 1, door, frame, then }));
                generation = 2;
            } else if dice.percent(options.revoked) {
                revoked.push(ticket);
            }
            let door = dice.below(doors);
            queue.add(at, Event::Show(Showing { ticket, generation, door, frame: None, then }));
        }
        queue.add(BEGIN_MS + length / 3, Event::Publish(2));
        if options.revoke_rogues && options.rogues > 0 {
            queue.add(BEGIN_MS + length * 3 / 4, Event::Publish(3));
        }
        Self { queue, roles, resold, revoked }
    }
}

/// When somebody comes: most in the middle.
fn crowd(dice: &mut Dice, length: i64) -> i64 {
    (dice.time(length) + dice.time(length)) / 2
}

fn trouble(options: &Options, dice: &mut Dice, queue: &mut Queue, length: i64) -> Roles {
    let mut left: Vec<usize> = (0..options.scanners as usize).collect();
    let mut draw = |count: u32, dice: &mut Dice| -> Vec<usize> {
        (0..count)
            .map_while(|_| (!left.is_empty()).then(|| left.swap_remove(dice.below(left.len()))))
            .collect()
    };
    let (rogues, deaf) = (draw(options.rogues, dice), draw(options.deaf, dice));
    for door in draw(options.lost, dice) {
        queue.add(BEGIN_MS + dice.time(length), Event::Lose(door));
    }
    for door in draw(options.wiped, dice) {
        let at = BEGIN_MS + dice.time(length);
        queue.add(at, Event::Wipe(door));
        queue.add(at + dice.time(300_000), Event::SignInAnew(door));
    }
    for door in draw(options.restarted, dice) {
        let at = BEGIN_MS + dice.time(length);
        queue.add(at, Event::SwitchOff(door));
        queue.add(at + dice.time(300_000), Event::SwitchOn(door));
    }
    let every = i64::from(options.exchange_s) * 1000;
    for door in 0..options.scanners as usize {
        queue.add(BEGIN_MS + dice.time(every), Event::Exchange(door));
    }
    for door in &rogues {
        let lies = i64::from(options.lies) * i64::from(options.minutes);
        (0..lies).for_each(|_| queue.add(BEGIN_MS + dice.time(length), Event::Lie(*door)));
    }
    Roles { rogues, deaf }
}
