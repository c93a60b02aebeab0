//! What B.A.M holds after a reservation, a release or an issue whose answer was lost.
//!
//! | write | done | rejected | unknown |
//! | --- | --- | --- | --- |
//! | reserve | new reserved tickets of this owner are just those that were asked for | nothing new that could be it, and the list still shows tickets which this box office had reserved for this owner before | everything else: an empty list, a list that cannot be read, an owner that is not told, more or fewer tickets |
//! | free | each ticket is `available` | never | everything else: a ticket that is still `reserved` tells of no refusal |
//! | issue | each ticket is `confirmed`, `issued`, `activated` or `invalidated` | never | everything else: the ledger comes first, so that a ticket stays `reserved` while its issue is under way |
//!
//! What is rejected is so once it cannot be on its way any more; until then it is unknown.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Found, text, told};
use crate::error::Error;
use crate::model::{OfficeTicket, OfficeWrite, OfficeWriteKind, OfficeWriteState, TicketStatus};
use crate::remote::bam::{Bam, ReservedAs};
use crate::sync::desk::Desk;

/// As many of the account's writes are looked through as are kept.
const WRITES: u32 = 1_000;

/// What was asked for: so many tickets of one kind.
#[derive(Debug)]
struct Wanted {
    as_asked: ReservedAs,
    quantity: u64,
}

/// What the new tickets of a list say about a reservation.
#[derive(Debug, PartialEq, Eq)]
enum Match {
    /// These, by their place in the list, are all that was asked for.
    All(Vec<usize>),
    /// None of them can be it.
    None,
    /// It cannot be told.
    Unclear,
}

impl Desk<'_> {
    /// New reserved tickets of this owner, if they are just those that were asked for.
    pub(super) async fn find_reserved(&self, write: &OfficeWrite, asked: &Value) -> Result<Found, Error> {
        let Some(before) = asked["before"].as_array() else { return Ok(Found::Unclear) };
        let before: BTreeSet<_> = before.iter().filter_map(Value::as_str).collect();
        let event_id = asked["event_id"].as_i64().unwrap_or_default();
        let tenant = asked["tenant"].as_str();
        let listed = self.bam()?.reserved_tickets(&self.session, tenant, event_id).await?;
        // What another write was answered with is that one's.
        let answered = self.reserved_by_others(write.id)?;
        let (old, new): (Vec<_>, Vec<_>) = listed
            .into_iter()
            .partition(|one| before.contains(one.remote_id.as_str()) || answered.contains(&one.remote_id));
        let kinds: Vec<_> = new.iter().map(ReservedAs::of).collect();
        Ok(match compare(&wanted(asked), &kinds) {
            Match::All(places) => {
                let found: Vec<OfficeTicket> = places.iter().filter_map(|at| new.get(*at).cloned()).collect();
                Found::Done(told(&found))
            }
            Match::None if shows_own(&old, &answered, text(asked, "owner_id")) => Found::Unchanged,
            Match::None | Match::Unclear => Found::Unclear,
        })
    }

    /// The tickets that the account's other reservations were answered with.
    fn reserved_by_others(&self, except: i64) -> Result<BTreeSet<String>, Error> {
        let writes = self.store().office_writes(&self.account.id, WRITES)?;
        let others = writes.into_iter().filter(|one| {
            one.id != except && (one.kind, one.state) == (OfficeWriteKind::Reserve, OfficeWriteState::Done)
        });
        let answers = others.filter_map(|one| serde_json::from_str::<Value>(&one.answer_json?).ok());
        let ids = |answer: Value| {
            let tickets = answer["tickets"].as_array().cloned().unwrap_or_default();
            tickets.into_iter().filter_map(|ticket| ticket["id"].as_str().map(str::to_owned))
        };
        Ok(answers.flat_map(ids).collect())
    }

    /// Whether tickets stand as a write leaves them.
    pub(super) async fn find_states(
        &self,
        bam: &Bam,
        asked: &Value,
        after: &[TicketStatus],
    ) -> Result<Found, Error> {
        let mut found = Vec::new();
        for id in asked["ids"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            found.push(bam.office_ticket(&self.session, (asked["tenant"].as_str(), id)).await?);
        }
        let as_asked = !found.is_empty() && found.iter().all(|one| after.contains(&one.status));
        Ok(if as_asked { Found::Done(told(&found)) } else { Found::Unclear })
    }
}

/// Whether a list shows this owner's tickets that this box office reserved: one that does would show new ones too.
fn shows_own(old: &[OfficeTicket], answered: &BTreeSet<String>, owner: &str) -> bool {
    old.iter().any(|one| answered.contains(&one.remote_id) && one.enrollment_id.as_deref() == Some(owner))
}

fn wanted(asked: &Value) -> Vec<Wanted> {
    let items = asked["items"].as_array().into_iter().flatten();
    let wanted = items.map(|item| Wanted {
        as_asked: ReservedAs {
            ticket_config_id: item["ticket_config_id"].as_i64(),
            owner: asked["owner_id"].as_str().map(str::to_owned),
            format: asked["format"].as_str().map(str::to_owned),
            sector_id: item["sector_id"].as_i64(),
            timeslot_id: item["timeslot_id"].as_i64(),
        },
        quantity: item["quantity"].as_u64().unwrap_or_default(),
    });
    wanted.collect()
}

/// Compares new tickets with what was asked for. A ticket that contradicts it in anything is somebody else's; one that does
/// not, but leaves owner or configuration open, may be anybody's.
fn compare(wanted: &[Wanted], new: &[ReservedAs]) -> Match {
    let possible: Vec<_> =
        (0..new.len()).filter(|at| wanted.iter().any(|one| may_be(&one.as_asked, &new[*at]))).collect();
    if possible.is_empty() {
        return Match::None;
    }
    let named = possible.iter().all(|at| new[*at].owner.is_some() && new[*at].ticket_config_id.is_some());
    let count = wanted.iter().map(|one| one.quantity).sum::<u64>();
    if !named || possible.len() as u64 != count || !all_find_a_place(wanted, new, &possible) {
        return Match::Unclear;
    }
    Match::All(possible)
}

/// Whether nothing that is told of a ticket contradicts what was asked for.
fn may_be(asked: &ReservedAs, told: &ReservedAs) -> bool {
    fn agrees<T>(asked: Option<&T>, told: Option<&T>, same: impl Fn(&T, &T) -> bool) -> bool {
        asked.zip(told).is_none_or(|(asked, told)| same(asked, told))
    }
    agrees(asked.ticket_config_id.as_ref(), told.ticket_config_id.as_ref(), i64::eq)
        && agrees(asked.owner.as_ref(), told.owner.as_ref(), String::eq)
        && agrees(asked.format.as_ref(), told.format.as_ref(), |a, b| a.eq_ignore_ascii_case(b))
        && agrees(asked.sector_id.as_ref(), told.sector_id.as_ref(), i64::eq)
        && agrees(asked.timeslot_id.as_ref(), told.timeslot_id.as_ref(), i64::eq)
}

/// Whether the tickets can be dealt out over what was asked for, each where it may be.
fn all_find_a_place(wanted: &[Wanted], new: &[ReservedAs], possible: &[usize]) -> bool {
    let mut taken: Vec<Vec<usize>> = wanted.iter().map(|_| Vec::new()).collect();
    possible.iter().all(|at| place(*at, wanted, new, &mut taken, &mut vec![false; wanted.len()]))
}

/// Gives a ticket a place, moving others to other places where need be.
fn place(
    at: usize,
    wanted: &[Wanted],
    new: &[ReservedAs],
    taken: &mut [Vec<usize>],
    tried: &mut [bool],
) -> bool {
    for (item, one) in wanted.iter().enumerate() {
        if tried[item] || !may_be(&one.as_asked, &new[at]) {
            continue;
        }
        tried[item] = true;
        if (taken[item].len() as u64) < one.quantity {
            taken[item].push(at);
            return true;
        }
        for slot in 0..taken[item].len() {
            if place(taken[item][slot], wanted, new, taken, tried) {
                taken[item][slot] = at;
                return true;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ticket(config: i64, sector: Option<i64>, slot: Option<i64>) -> ReservedAs {
        ReservedAs {
            ticket_config_id: Some(config),
            owner: Some("e-1".to_owned()),
            format: Some("SECURE".to_owned()),
            sector_id: sector,
            timeslot_id: slot,
        }
    }

    fn asked(items: &[(i64, u64, Option<i64>, Option<i64>)]) -> Vec<Wanted> {
        let item = |(config, quantity, sector, slot): &(i64, u64, Option<i64>, Option<i64>)| json!({ "ticket_config_id": config, "quantity": quantity, "sector_id": sector, "timeslot_id": slot });
        let items: Vec<_> = items.iter().map(item).collect();
        wanted(&json!({ "owner_id": "e-1", "format": "SECURE", "items": items }))
    }

    #[test]
    fn what_contradicts_is_not_ours_and_what_is_left_open_may_be() {
        let wanted = asked(&[(1, 1, Some(4), Some(3))]);
        let ours = ticket(1, Some(4), Some(3));
        assert_eq!(compare(&wanted, &[]), Match::None);
        assert_eq!(compare(&wanted, std::slice::from_ref(&ours)), Match::All(vec![0]));
        for other in [
            ticket(2, Some(4), Some(3)),
            ticket(1, Some(5), Some(3)),
            ticket(1, Some(4), Some(2)),
            ReservedAs { format: Some("PDF".to_owned()), ..ours.clone() },
            ReservedAs { owner: Some("e-2".to_owned()), ..ours.clone() },
        ] {
            assert_eq!(compare(&wanted, std::slice::from_ref(&other)), Match::None, "{other:?}");
            assert_eq!(compare(&wanted, &[other.clone(), ours.clone()]), Match::All(vec![1]), "{other:?}");
        }
        let untold = ReservedAs { format: None, ..ticket(1, None, None) };
        assert_eq!(compare(&wanted, &[untold]), Match::All(vec![0]));
        for open in [
            ReservedAs { owner: None, ..ours.clone() },
            ReservedAs { ticket_config_id: None, ..ours.clone() },
            ReservedAs::default(),
        ] {
            assert_eq!(compare(&wanted, std::slice::from_ref(&open)), Match::Unclear, "{open:?}");
            assert_eq!(compare(&wanted, &[ours.clone(), open.clone()]), Match::Unclear, "{open:?}");
        }
        assert_eq!(compare(&wanted, &[ours.clone(), ours]), Match::Unclear, "two where one was asked for");
    }

    #[test]
    fn tickets_are_dealt_out_over_all_items() {
        let wanted = asked(&[(1, 2, None, None), (1, 1, Some(4), None), (2, 1, None, None)]);
        let (four, five) = (ticket(1, Some(4), None), ticket(1, Some(5), None));
        let two = ticket(2, None, None);
        let all = [four.clone(), four.clone(), five.clone(), two.clone()];
        assert_eq!(compare(&wanted, &all), Match::All(vec![0, 1, 2, 3]));
        let all = [four.clone(), five.clone(), five.clone(), two.clone()];
        assert_eq!(compare(&wanted, &all), Match::All(vec![0, 1, 2, 3]));
        let none_in_four = [five.clone(), five.clone(), five, two.clone()];
        assert_eq!(compare(&wanted, &none_in_four), Match::Unclear);
        assert_eq!(compare(&wanted, &[four.clone(), four.clone(), two.clone(), two]), Match::Unclear);
        assert_eq!(compare(&wanted, &[four]), Match::Unclear, "fewer than were asked for");
    }
}
