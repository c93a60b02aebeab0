//! Times as Unidy writes them: ISO 8601 with milliseconds and the offset of the tenant's time zone.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

/// A moment in Unix milliseconds as text.
pub(crate) fn stamp(unix_ms: i64, zone: Tz) -> String {
    let time = DateTime::from_timestamp_millis(unix_ms).unwrap_or_default();
    time.with_timezone(&zone).format("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

/// The moment that a text names, in Unix milliseconds.
pub(crate) fn moment_ms(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_millis())
}

/// The date that a moment has in a zone.
pub(crate) fn date(unix_ms: i64, zone: Tz) -> NaiveDate {
    DateTime::from_timestamp_millis(unix_ms).unwrap_or_default().with_timezone(&zone).date_naive()
}

/// The first moment of a date in a zone, in Unix milliseconds. Where clocks go forward at midnight, the day starts later.
pub(crate) fn midnight_ms(date: NaiveDate, zone: Tz) -> i64 {
    local_ms(date.and_time(NaiveTime::MIN), zone, false)
}

/// The first moment of the day after a moment's own day in a zone.
pub(crate) fn next_midnight_ms(unix_ms: i64, zone: Tz) -> i64 {
    let day = date(unix_ms, zone);
    midnight_ms(day.checked_add_days(Days::new(1)).unwrap_or(day), zone)
}

/// A wall clock's time in Unix milliseconds. An hour that comes twice is the first or, for `later`, the second; one that
/// never comes is moved on to the next that does.
pub(crate) fn local_ms(time: NaiveDateTime, zone: Tz, later: bool) -> i64 {
    let step = TimeDelta::minutes(15);
    let tries = std::iter::successors(Some(time), |time| time.checked_add_signed(step)).take(24 * 4);
    let found = tries.map(|time| zone.from_local_datetime(&time)).find(|found| found.earliest().is_some());
    let moment = found.and_then(|found| if later { found.latest() } else { found.earliest() });
    moment.map_or(0, |moment| moment.timestamp_millis())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn texts_carry_the_offset_of_their_moment() {
        let berlin = chrono_tz::Europe::Berlin;
        let text = "2024-08-10T20:30:00.000+02:00";
        assert_eq!(stamp(moment_ms(text).unwrap(), berlin), text);
        assert_eq!(stamp(1_800_000_000_000, berlin), "2027-01-15T09:00:00.000+01:00");
        assert_eq!(moment_ms("2024-08-10"), None);
    }

    #[test]
    fn days_start_where_the_zone_has_them_start() {
        let ms = |text| moment_ms(text).unwrap();
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let berlin = chrono_tz::Europe::Berlin;
        assert_eq!(next_midnight_ms(ms("2027-03-28T00:30:00+01:00"), berlin), ms("2027-03-28T22:00:00Z"));
        assert_eq!(next_midnight_ms(ms("2027-10-31T23:59:59+01:00"), berlin), ms("2027-10-31T23:00:00Z"));
        let cairo = chrono_tz::Africa::Cairo;
        assert_eq!(
            midnight_ms(day("2026-04-24"), cairo),
            ms("2026-04-23T22:00:00Z"),
            "00:00 was 01:00 there"
        );
    }

    #[test]
    fn hours_that_come_twice_or_never_are_found() {
        let berlin = chrono_tz::Europe::Berlin;
        let at = |text: &str| text.parse::<NaiveDateTime>().unwrap();
        let twice = at("2027-10-31T02:30:00");
        let hour = local_ms(twice, berlin, true) - local_ms(twice, berlin, false);
        assert_eq!(hour, 3_600_000);
        assert_eq!(
            local_ms(at("2027-03-28T02:30:00"), berlin, false),
            moment_ms("2027-03-28T01:00:00Z").unwrap()
        );
    }
}
