//! When to ask again: the back-off after a failure, and the pauses that servers ask for.
//!
//! The arithmetic is pure: random numbers, times and readings come in.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use url::Origin;

use crate::clock::ClockReading;

/// The longest pause that a server gets, in milliseconds: one day. What asks for more is a mistake.
pub const MAX_RETRY_AFTER_MS: u64 = 86_400_000;

/// A wait under way. Dropping it ends it.
pub type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How requests are repeated.
#[derive(Clone)]
pub struct RetryPolicy {
    /// Ceiling of the first back-off, in milliseconds; it doubles with each further one.
    pub base_ms: u64,
    /// Ceiling of every back-off, in milliseconds.
    pub cap_ms: u64,
    /// A longer wait is not waited out but told, in milliseconds.
    pub max_wait_ms: u64,
    /// How often a safe request is sent at most, the first time included.
    pub attempts: u32,
    /// A request that has no whole reply after so many milliseconds is given up.
    pub timeout_ms: u32,
    /// Waits so many milliseconds.
    pub wait: Arc<dyn Fn(u64) -> Waiting + Send + Sync>,
}

opaque_debug!(RetryPolicy);

impl Default for RetryPolicy {
    /// Three attempts of a minute each, back-off from 500 ms up to 5 minutes, and no wait of more than 5 s.
    fn default() -> Self {
        Self {
            base_ms: 500,
            cap_ms: 300_000,
            max_wait_ms: 5_000,
            attempts: 3,
            timeout_ms: 60_000,
            wait: Arc::new(|ms| Box::pin(tokio::time::sleep(Duration::from_millis(ms)))),
        }
    }
}

impl RetryPolicy {
    /// The back-off after `failures` failures in a row, in milliseconds: see [`full_jitter_ms`].
    pub fn backoff_ms(&self, failures: u32, random: u64) -> u64 {
        full_jitter_ms(self.base_ms, self.cap_ms, failures.saturating_sub(1), random)
    }
}

/// Exponential back-off with full jitter, in milliseconds: `random`, of the whole range of `u64`, brought evenly into
/// `0 ..= min(cap_ms, base_ms · 2^attempt)`. The first attempt is 0. (Brooker, "Exponential Backoff And Jitter", AWS
/// Architecture Blog, 2015: of its ways, the one with the least load on the server.)
pub fn full_jitter_ms(base_ms: u64, cap_ms: u64, attempt: u32, random: u64) -> u64 {
    let factor = 1_u64.checked_shl(attempt).unwrap_or(u64::MAX);
    let ceiling = base_ms.saturating_mul(factor).min(cap_ms);
    let scaled = (u128::from(random) * (u128::from(ceiling) + 1)) >> 64;
    u64::try_from(scaled).unwrap_or(ceiling)
}

/// Reads `Retry-After` (RFC 9110, section 10.2.3), seconds or a date, as milliseconds from `now_s`, Unix seconds. What
/// is neither is `None`, as if the header were not there.
///
/// Servers write more than the grammar allows: a fraction is rounded up, less than nothing is nothing, and more than
/// [`MAX_RETRY_AFTER_MS`] is that.
pub fn retry_after_ms(text: &str, now_s: i64) -> Option<u64> {
    let text = text.trim();
    let seconds = match text.strip_prefix('-') {
        Some(number) => whole_seconds(number).map(|_| 0),
        None => whole_seconds(text),
    };
    let seconds = seconds.or_else(|| {
        let wait = http_date_s(text)?.saturating_sub(now_s);
        Some(u64::try_from(wait).unwrap_or(0))
    })?;
    Some(seconds.saturating_mul(1000).min(MAX_RETRY_AFTER_MS))
}

/// Reads an HTTP date in any of its three forms as Unix seconds (RFC 9110, section 5.6.7); none before 1970.
pub fn http_date_s(text: &str) -> Option<i64> {
    let time = httpdate::parse_http_date(text.trim()).ok()?;
    let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

/// Digits, with or without a fraction, rounded up.
fn whole_seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let up = u64::from(fraction.bytes().any(|byte| byte != b'0'));
    // Only a number that is too large fails here.
    Some(whole.parse::<u64>().unwrap_or(u64::MAX).saturating_add(up))
}

/// The pauses that servers asked for, by origin.
#[derive(Debug, Default)]
pub(super) struct Pauses(Mutex<HashMap<Origin, Pause>>);

/// Counted by the clock that nobody can set; a reboot ends it.
#[derive(Debug, Clone)]
pub(crate) struct Pause {
    boot_id: String,
    from_ms: i64,
    length_ms: u64,
}

impl Pause {
    /// A pause that begins now.
    pub(crate) fn beginning(now: &ClockReading, length_ms: u64) -> Self {
        Self { boot_id: now.boot_id.clone(), from_ms: now.elapsed_ms, length_ms }
    }

    /// A clock that stands before the pause began restarted, and the pause has ended with it.
    pub(crate) fn left_ms(&self, now: &ClockReading) -> u64 {
        let passed = now.elapsed_ms.checked_sub(self.from_ms).and_then(|passed| u64::try_from(passed).ok());
        match passed {
            Some(passed) if self.boot_id == now.boot_id => self.length_ms.saturating_sub(passed),
            _ => 0,
        }
    }
}

impl Pauses {
    /// Notes a pause that begins now. Of two, the one that ends later counts.
    pub(super) fn ask(&self, origin: Origin, length_ms: u64, now: &ClockReading) {
        let mut pauses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pauses.retain(|_, pause| pause.left_ms(now) > 0);
        if pauses.get(&origin).map_or(0, |pause| pause.left_ms(now)) < length_ms {
            pauses.insert(origin, Pause::beginning(now, length_ms));
        }
    }

    /// What is left of an origin's pause, in milliseconds.
    pub(super) fn left_ms(&self, origin: &Origin, now: &ClockReading) -> u64 {
        let pauses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pauses.get(origin).map_or(0, |pause| pause.left_ms(now))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    /// 1994-11-06 08:49:37, the date of RFC 9110's examples.
    const EXAMPLE_S: i64 = 784_111_777;
    const DAY: Option<u64> = Some(MAX_RETRY_AFTER_MS);

    #[test]
    fn the_ceiling_doubles_up_to_the_cap() {
        let ceilings = [500, 1_000, 2_000, 4_000];
        for (attempt, ceiling) in (0..).zip(ceilings) {
            assert_eq!(full_jitter_ms(500, 300_000, attempt, u64::MAX), ceiling);
            assert_eq!(full_jitter_ms(500, 300_000, attempt, u64::MAX / 2), ceiling / 2);
            assert_eq!(full_jitter_ms(500, 300_000, attempt, 0), 0);
        }
        for attempt in [10, 63, 64, u32::MAX] {
            assert_eq!(full_jitter_ms(500, 300_000, attempt, u64::MAX), 300_000);
        }
        let policy = RetryPolicy::default();
        assert_eq!([0, 1, 2].map(|failures| policy.backoff_ms(failures, u64::MAX)), [500, 500, 1_000]);
    }

    #[test]
    fn retry_after_is_seconds() {
        for (text, wait) in [
            ("0", Some(0)),
            ("7", Some(7_000)),
            (" 7\t", Some(7_000)),
            ("007", Some(7_000)),
            ("1.4", Some(2_000)),
            ("1.0", Some(1_000)),
            ("0.001", Some(1_000)),
            ("-1", Some(0)),
            ("-0.5", Some(0)),
            ("86400", DAY),
            ("86401", DAY),
            ("4294967296", DAY),
            ("18446744073709551615.9", DAY),
            ("99999999999999999999999999", DAY),
        ] {
            assert_eq!(retry_after_ms(text, EXAMPLE_S), wait, "{text}");
        }
        for text in [
            "", " ", "inf", "-inf", "NaN", "soon", "1e3", "+1", "0x10", "1,5", "1.", ".5", "-", "--1", "٣",
            "1 2",
        ] {
            assert_eq!(retry_after_ms(text, EXAMPLE_S), None, "{text}");
        }
    }

    #[test]
    fn retry_after_is_a_date() {
        let fixed = "Sun, 06 Nov 1994 08:49:37 GMT";
        for date in [fixed, "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(retry_after_ms(date, EXAMPLE_S - 90), Some(90_000), "{date}");
        }
        assert_eq!(retry_after_ms(fixed, EXAMPLE_S + 1), Some(0), "past");
        assert_eq!(retry_after_ms(fixed, i64::MIN), DAY);
        assert_eq!(retry_after_ms(fixed, i64::MAX), Some(0));
        assert_eq!(retry_after_ms("Fri, 31 Dec 9999 23:59:59 GMT", EXAMPLE_S), DAY);
        for date in [
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 99999 08:49:37 GMT",
            "Thu, 01 Jan 0000 00:00:00 GMT",
            "Wed, 31 Dec 1969 23:59:59 GMT",
            "Sun, 36 Nov 1994 08:49:37 GMT",
            "1994-11-06T08:49:37Z",
        ] {
            assert_eq!(retry_after_ms(date, EXAMPLE_S), None, "{date}");
        }
    }

    fn origin(url: &str) -> Origin {
        Url::parse(url).unwrap().origin()
    }

    fn at(elapsed_ms: i64, boot_id: &str) -> ClockReading {
        ClockReading { wall_ms: 0, elapsed_ms, boot_id: boot_id.to_owned() }
    }

    #[test]
    fn a_pause_is_of_one_origin_and_one_boot() {
        let (pauses, here) = (Pauses::default(), origin("https://a.example/x"));
        pauses.ask(here.clone(), 7_000, &at(1_000, "a"));
        assert_eq!(pauses.left_ms(&origin("https://a.example/y?z"), &at(1_000, "a")), 7_000);
        for other in ["https://a.example:444", "http://a.example", "https://b.example"] {
            assert_eq!(pauses.left_ms(&origin(other), &at(1_000, "a")), 0, "{other}");
        }
        for (now, left) in [
            (at(7_999, "a"), 1),
            (at(8_000, "a"), 0),
            (at(i64::MAX, "a"), 0),
            (at(999, "a"), 0),
            (at(i64::MIN, "a"), 0),
            (at(1_000, "b"), 0),
        ] {
            assert_eq!(pauses.left_ms(&here, &now), left, "{now:?}");
        }
        pauses.ask(here.clone(), 2_000, &at(2_000, "a"));
        assert_eq!(pauses.left_ms(&here, &at(2_000, "a")), 6_000, "a shorter one ends no longer one");
        pauses.ask(here.clone(), 60_000, &at(2_000, "a"));
        assert_eq!(pauses.left_ms(&here, &at(2_000, "a")), 60_000);
        pauses.ask(here.clone(), 1, &at(5, "b"));
        assert_eq!(pauses.left_ms(&here, &at(5, "b")), 1);
    }

    proptest! {
        #[test]
        fn jitter_stays_under_its_ceiling_and_grows_with_the_random_number(
            base in any::<u64>(), cap in any::<u64>(), attempt in 0_u32..80, random in any::<[u64; 2]>(),
        ) {
            let ceiling = u128::from(base).saturating_mul(1 << attempt).min(u128::from(cap));
            let [low, high] = [random[0].min(random[1]), random[0].max(random[1])];
            let [less, more] = [low, high].map(|random| full_jitter_ms(base, cap, attempt, random));
            prop_assert!(less <= more && u128::from(more) <= ceiling);
            prop_assert_eq!(u128::from(full_jitter_ms(base, cap, attempt, u64::MAX)), ceiling);
        }

        #[test]
        fn jitter_is_even(base in 1_u64..1_000, tenths in 0_u64..10) {
            let wait = full_jitter_ms(base, u64::MAX, 0, u64::MAX / 10 * tenths);
            prop_assert!(wait.abs_diff(base * tenths / 10) <= 1);
        }

        #[test]
        fn any_header_gives_at_most_a_day(text in any::<String>(), now in any::<i64>()) {
            prop_assert!(retry_after_ms(&text, now).is_none_or(|wait| wait <= MAX_RETRY_AFTER_MS));
        }

        #[test]
        fn any_number_of_seconds_is_read(whole in any::<u64>(), fraction in "[0-9]{0,30}") {
            let text = if fraction.is_empty() { whole.to_string() } else { format!("{whole}.{fraction}") };
            let up = u64::from(fraction.contains(|c| c != '0'));
            let expected = whole.saturating_add(up).saturating_mul(1000).min(MAX_RETRY_AFTER_MS);
            prop_assert_eq!(retry_after_ms(&text, 0), Some(expected));
            prop_assert_eq!(retry_after_ms(&format!("-{text}"), 0), Some(0));
        }

        #[test]
        fn any_date_is_read(now in 0_i64..4_000_000_000, ahead in -200_000_i64..200_000) {
            let date = (now + ahead).clamp(0, 4_000_000_000);
            let written = httpdate::fmt_http_date(
                std::time::UNIX_EPOCH + Duration::from_secs(u64::try_from(date).unwrap()),
            );
            let expected = u64::try_from((date - now).clamp(0, 86_400)).unwrap() * 1000;
            prop_assert_eq!(retry_after_ms(&written, now), Some(expected));
        }
    }
}
