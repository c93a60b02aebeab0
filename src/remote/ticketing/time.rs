//! Times as TickeTing writes them: with an offset, without one, and none.

use chrono::{DateTime, NaiveDateTime, SecondsFormat};

use crate::model::TicketingDates;
use crate::model::expiry::Zone;

/// Forms without an offset.
const LOCAL: [&str; 4] = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];

/// Reads a time as Unix seconds: `2026-11-21T00:00:00+00:00`, or `2026-11-21 00:00:00` in a zone. `N/A`, an hour zero
/// (`0000-00-00T00:00:00`) and everything else is none.
pub fn read_time(text: &str, zone: Zone) -> Option<i64> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp());
    }
    LOCAL.iter().find_map(|form| zone.instant(NaiveDateTime::parse_from_str(text, form).ok()?))
}

/// Writes Unix seconds; `None` beyond the calendar.
pub(super) fn write_time(at: i64, form: TicketingDates, zone: Zone) -> Option<String> {
    match form {
        TicketingDates::Iso => {
            let time = DateTime::from_timestamp(at, 0)?;
            Some(time.to_rfc3339_opts(SecondsFormat::Secs, false))
        }
        TicketingDates::Plain => Some(zone.local(at)?.format("%Y-%m-%d %H:%M:%S").to_string()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_forms_are_read_and_never_is_none() {
        let antigua = Zone::named("America/Antigua").unwrap();
        for (text, utc, there) in [
            ("2026-11-21T00:00:00+00:00", Some(1_795_219_200), Some(1_795_219_200)),
            ("2026-11-20T20:00:00-04:00", Some(1_795_219_200), Some(1_795_219_200)),
            (" 2026-11-21 00:00:00 ", Some(1_795_219_200), Some(1_795_233_600)),
            ("2026-11-21T00:00:00", Some(1_795_219_200), Some(1_795_233_600)),
            ("2026-11-21T00:00:00.250", Some(1_795_219_200), Some(1_795_233_600)),
            ("2026-11-21T00:00", Some(1_795_219_200), Some(1_795_233_600)),
            ("N/A", None, None),
            ("", None, None),
            ("0000-00-00T00:00:00", None, None),
            ("2026-13-21 00:00:00", None, None),
            ("1795219200", None, None),
        ] {
            assert_eq!((read_time(text, Zone::UTC), read_time(text, antigua)), (utc, there), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(at in -60_000_000_000_i64..250_000_000_000) {
            for zone in [Zone::UTC, Zone::named("America/Antigua").unwrap()] {
                for form in [TicketingDates::Iso, TicketingDates::Plain] {
                    let written = write_time(at, form, zone).unwrap();
                    prop_assert_eq!(read_time(&written, zone), Some(at), "{}", written);
                }
            }
        }

        #[test]
        fn any_text_is_read_or_none(text in any::<String>()) {
            let read = read_time(&text, Zone::UTC);
            prop_assert!(read.is_none() || text.contains('-'));
        }
    }
}
