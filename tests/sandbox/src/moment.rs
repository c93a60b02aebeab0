//! Times as B.A.M writes them.

use chrono::{DateTime, TimeDelta, Utc};

/// UTC with milliseconds.
pub(crate) fn timestamp(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The same of Unix seconds.
pub(crate) fn timestamp_s(unix_s: i64) -> String {
    timestamp(DateTime::from_timestamp(unix_s, 0).unwrap_or_default())
}

/// The time of a change: now, yet always later than the change before.
pub(crate) fn later_than(before: &str, now_s: i64) -> String {
    let now = DateTime::from_timestamp(now_s, 0).unwrap_or_default();
    let next = DateTime::parse_from_rfc3339(before).map(|time| time.to_utc() + TimeDelta::milliseconds(1));
    timestamp(next.map_or(now, |next| next.max(now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_move_time_on() {
        assert_eq!(later_than("1970-01-01T00:00:00.000Z", 60), "1970-01-01T00:01:00.000Z");
        assert_eq!(later_than("1970-01-01T00:01:00.000Z", 60), "1970-01-01T00:01:00.001Z");
        assert_eq!(later_than("never", 60), "1970-01-01T00:01:00.000Z");
    }
}
