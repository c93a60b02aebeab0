//! When a ticket's time is over, computed here: a server's own sweep comes some minutes later, and a wallet that is
//! offline hears nothing of it.
//!
//! Unidy documents the sweep: every 15 minutes for tickets with an end, and at 00:00 of the day after the start for those
//! without one; both set `active` to `inactive`. Neither the zone of that 00:00 nor the fate of `passive` is documented:
//! both come in as arguments.

use chrono::{DateTime, Days, LocalResult, NaiveDateTime, NaiveTime, TimeZone as _};
use chrono_tz::Tz;

use super::ticket::TicketStatus;

/// How often the sweep runs, in seconds: a server may call a ticket active for so long after its end.
pub const SWEEP_INTERVAL_S: i64 = 15 * 60;

/// A transition is searched within so many seconds of the time that it skips: no zone ever skipped more than a day.
const LONGEST_GAP_S: i64 = 3 * 86_400;

/// A time zone of the IANA database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Zone(Tz);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// The zone of a name such as `Europe/Berlin`; `None` when there is none.
    pub fn named(name: &str) -> Option<Self> {
        name.parse().ok().map(Self)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The instant at which clocks there show this time, Unix seconds: the first of two, and where clocks skip it, the
    /// instant at which they do. `None` beyond the calendar.
    pub fn instant(self, local: NaiveDateTime) -> Option<i64> {
        match self.0.from_local_datetime(&local) {
            LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => Some(time.timestamp()),
            LocalResult::None => end_of_gap(local, self),
        }
    }

    /// What clocks there show at an instant, Unix seconds; `None` beyond the calendar.
    pub fn local(self, instant: i64) -> Option<NaiveDateTime> {
        Some(DateTime::from_timestamp(instant, 0)?.with_timezone(&self.0).naive_local())
    }
}

/// When a ticket expires, Unix seconds: at its end; without one, at the first instant of the local day after its start.
/// `None` when it has neither, or the time is beyond the calendar (the years ±262,000).
pub fn expires_at(starts_at: Option<i64>, ends_at: Option<i64>, zone: Zone) -> Option<i64> {
    ends_at.or_else(|| day_after(starts_at?, zone))
}

/// Where a ticket stands at `now`, Unix seconds: an active ticket that has expired is inactive, and a passive one too if
/// `passive_expires`. Every other state is the server's.
pub fn effective_state(
    state: &TicketStatus,
    expires_at: Option<i64>,
    now: i64,
    passive_expires: bool,
) -> TicketStatus {
    let expires = *state != TicketStatus::Passive || passive_expires;
    state.at(expires_at.filter(|_| expires), now)
}

/// The first instant of the local day after the one of `instant`: 00:00, of two the first that is still to come, and where
/// clocks skip it, the instant at which they do.
fn day_after(instant: i64, zone: Zone) -> Option<i64> {
    let local = DateTime::from_timestamp(instant, 0)?.with_timezone(&zone.0);
    let day = local.date_naive().checked_add_days(Days::new(1))?;
    let midnight = day.and_time(NaiveTime::MIN);
    match zone.0.from_local_datetime(&midnight) {
        LocalResult::Ambiguous(first, _) if first.timestamp() > instant => Some(first.timestamp()),
        LocalResult::Single(time) | LocalResult::Ambiguous(_, time) => Some(time.timestamp()),
        LocalResult::None => end_of_gap(midnight, zone),
    }
}

/// The first instant at which clocks show no less than a time that they skip.
fn end_of_gap(skipped: NaiveDateTime, zone: Zone) -> Option<i64> {
    let shows_less = |instant: i64| {
        DateTime::from_timestamp(instant, 0).map(|time| time.with_timezone(&zone.0).naive_local() < skipped)
    };
    let middle = skipped.and_utc().timestamp();
    let (mut before, mut after) = (middle - LONGEST_GAP_S, middle + LONGEST_GAP_S);
    while after - before > 1 {
        let between = before + (after - before) / 2;
        if shows_less(between)? { before = between } else { after = between }
    }
    Some(after)
}

#[cfg(test)]
mod tests {
    use chrono::{Duration, Timelike as _};
    use proptest::prelude::*;

    use super::*;

    /// Zones whose clocks changed at midnight, east and west, by whole and by half hours, and by a whole day.
    const ZONES: [&str; 9] = [
        "Europe/Berlin",
        "America/Sao_Paulo",
        "Africa/Cairo",
        "Asia/Beirut",
        "America/Havana",
        "Australia/Lord_Howe",
        "America/St_Johns",
        "Pacific/Apia",
        "UTC",
    ];

    fn zone(name: &str) -> Zone {
        Zone::named(name).unwrap()
    }

    fn unix(rfc3339: &str) -> i64 {
        DateTime::parse_from_rfc3339(rfc3339).unwrap().timestamp()
    }

    #[test]
    fn a_ticket_without_an_end_expires_when_the_next_day_begins() {
        for (name, start, expiry) in [
            // The seed's own ticket, in summer, and one in winter.
            ("Europe/Berlin", "2024-08-10T20:30:00+02:00", "2024-08-11T00:00:00+02:00"),
            ("Europe/Berlin", "2024-12-31T23:59:59+01:00", "2025-01-01T00:00:00+01:00"),
            // The day of the start is the zone's, not the one that the server wrote.
            ("Europe/Berlin", "2024-08-10T23:30:00Z", "2024-08-12T00:00:00+02:00"),
            ("UTC", "2024-08-10T20:30:00-05:00", "2024-08-12T00:00:00Z"),
            // Days of 23 and 25 hours.
            ("Europe/Berlin", "2024-03-31T01:00:00+01:00", "2024-04-01T00:00:00+02:00"),
            ("Europe/Berlin", "2024-10-27T01:00:00+02:00", "2024-10-28T00:00:00+01:00"),
            // Midnight skipped: the day begins at 01:00.
            ("America/Sao_Paulo", "2018-11-03T20:00:00-03:00", "2018-11-04T01:00:00-02:00"),
            ("Africa/Cairo", "2023-04-27T20:00:00+02:00", "2023-04-28T01:00:00+03:00"),
            ("Asia/Beirut", "2024-03-30T20:00:00+02:00", "2024-03-31T01:00:00+03:00"),
            ("America/Havana", "2024-03-09T20:00:00-05:00", "2024-03-10T01:00:00-04:00"),
            // Midnight twice: the first counts.
            ("America/Havana", "2024-11-02T20:00:00-04:00", "2024-11-03T00:00:00-04:00"),
            // The hour before midnight twice: the day begins after the second.
            ("America/Sao_Paulo", "2018-02-17T20:00:00-02:00", "2018-02-18T00:00:00-03:00"),
            ("Africa/Cairo", "2023-10-26T20:00:00+03:00", "2023-10-27T00:00:00+02:00"),
            ("Asia/Beirut", "2024-10-26T20:00:00+03:00", "2024-10-27T00:00:00+02:00"),
            // A whole day skipped.
            ("Pacific/Apia", "2011-12-29T20:00:00-10:00", "2011-12-31T00:00:00+14:00"),
        ] {
            assert_eq!(expires_at(Some(unix(start)), None, zone(name)), Some(unix(expiry)), "{name} {start}");
        }
    }

    #[test]
    fn an_end_is_the_expiry_and_no_time_is_none() {
        let berlin = zone("Europe/Berlin");
        assert_eq!(expires_at(Some(5), Some(9), berlin), Some(9));
        assert_eq!(expires_at(None, Some(9), berlin), Some(9));
        assert_eq!(expires_at(Some(9), Some(5), berlin), Some(5), "as the server does");
        assert_eq!(expires_at(None, None, berlin), None);
        for beyond in [i64::MIN, i64::MAX, 9_000_000_000_000] {
            assert_eq!(expires_at(Some(beyond), None, berlin), None);
        }
        assert_eq!(Zone::named("Europe/Berlin").map(Zone::name), Some("Europe/Berlin"));
        for unknown in ["", "Mars/Olympus", "europe/berlin", "+02:00"] {
            assert_eq!(Zone::named(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn only_active_expires_and_passive_where_it_is_so() {
        let (end, other) = (Some(100), TicketStatus::Other { text: "frozen".to_owned() });
        for (state, at_99, at_100, with_passive) in [
            (TicketStatus::Active, TicketStatus::Active, TicketStatus::Inactive, TicketStatus::Inactive),
            (TicketStatus::Passive, TicketStatus::Passive, TicketStatus::Passive, TicketStatus::Inactive),
            (TicketStatus::Inactive, TicketStatus::Inactive, TicketStatus::Inactive, TicketStatus::Inactive),
            (other.clone(), other.clone(), other.clone(), other),
        ] {
            assert_eq!(effective_state(&state, end, 99, true), at_99);
            assert_eq!(effective_state(&state, end, 100, false), at_100);
            assert_eq!(effective_state(&state, end, i64::MAX, true), with_passive);
            assert_eq!(effective_state(&state, None, i64::MAX, true), state);
        }
    }

    /// The same by looking at every quarter of an hour: all transitions since 1970 lie on one in these zones, but for
    /// some at 00:01 in St. John's.
    fn by_looking(start: i64, zone: Zone) -> i64 {
        let at = |instant: i64| DateTime::from_timestamp(instant, 0).unwrap().with_timezone(&zone.0);
        let next = at(start).date_naive() + Duration::days(1);
        let from = start - start.rem_euclid(900);
        let instants = (from..from + 4 * 86_400).step_by(900).map(at).filter(|time| time.timestamp() > start);
        let later: Vec<_> = instants.filter(|time| time.date_naive() >= next).collect();
        let midnight =
            later.iter().find(|time| time.date_naive() == next && time.num_seconds_from_midnight() == 0);
        midnight.or(later.first()).unwrap().timestamp()
    }

    proptest! {
        #[test]
        fn the_day_after_is_the_one_that_a_search_finds(
            name in prop::sample::select(ZONES.as_slice()), start in 0_i64..2_000_000_000,
        ) {
            let expiry = expires_at(Some(start), None, zone(name));
            prop_assert_eq!(expiry, Some(by_looking(start, zone(name))));
        }

        #[test]
        fn days_on_which_clocks_change_are_no_exception(
            name in prop::sample::select(ZONES.as_slice()), year in 1975_i32..2035, second in 0_i64..86_400,
        ) {
            // The day before each transition of the year.
            let zone = zone(name);
            let offset = |day: i64| {
                use chrono::Offset as _;
                DateTime::from_timestamp(day * 86_400, 0).unwrap().with_timezone(&zone.0).offset().fix()
            };
            let first = unix(&format!("{year}-01-01T00:00:00Z")) / 86_400;
            for day in (first..first + 366).filter(|day| offset(*day) != offset(*day + 1)) {
                for start in [day * 86_400 + second, (day - 1) * 86_400 + second] {
                    prop_assert_eq!(expires_at(Some(start), None, zone), Some(by_looking(start, zone)));
                }
            }
        }

        #[test]
        fn an_expiry_lies_within_two_days_after_the_start(
            name in prop::sample::select(ZONES.as_slice()), start in any::<i64>(), now in any::<i64>(),
        ) {
            if let Some(expiry) = expires_at(Some(start), None, zone(name)) {
                prop_assert!(expiry > start && expiry - start <= 50 * 3600);
                let state = effective_state(&TicketStatus::Active, Some(expiry), now, false);
                prop_assert_eq!(state == TicketStatus::Inactive, now >= expiry);
            }
        }
    }
}
