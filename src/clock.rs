//! Trusted time: what servers said, carried on by a clock that counts sleep. Pure: readings and samples come in.

use serde::{Deserialize, Serialize};

/// One reading of the device's clocks. `Default` is for tests that care about one field.
#[derive(Debug, Clone, Default, PartialEq, Eq, uniffi::Record)]
pub struct ClockReading {
    /// Wall clock, milliseconds since the Unix epoch; the person can set it.
    pub wall_ms: i64,
    /// Milliseconds since some moment of this boot, sleep included; nobody can set it.
    pub elapsed_ms: i64,
    /// Changes at every boot.
    pub boot_id: String,
}

/// What one reply of a server says about the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeSample {
    /// The reply's `Date` header, Unix seconds (RFC 9110, section 6.6.1).
    pub date_s: i64,
    /// The clocks when the request left.
    pub sent: ClockReading,
    /// The clocks when the reply came.
    pub received: ClockReading,
}

/// How sure a time is.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ClockUncertainty {
    /// Whether a server's time since the last boot stands behind it. If not, it is the wall clock with the last known
    /// correction.
    pub confirmed: bool,
    /// The largest error in milliseconds, drift since the last sample included; `None` when unconfirmed.
    pub error_ms: Option<i64>,
    /// Milliseconds since the last sample; `None` when unconfirmed.
    pub age_ms: Option<i64>,
}

/// A time that the wallet trusts, and how far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedNow {
    /// Milliseconds since the Unix epoch.
    pub unix_ms: i64,
    /// How sure it is.
    pub uncertainty: ClockUncertainty,
}

impl TrustedNow {
    /// Whole Unix seconds.
    pub fn unix_s(&self) -> i64 {
        self.unix_ms.div_euclid(1000)
    }
}

/// `Date` has whole seconds and is cut off: on average the server's clock stood half a second later, and never more
/// than this far from that.
const DATE_HALF_STEP_MS: i64 = 500;
/// A crystal's drift: 100 parts in a million.
const DRIFT_DIVISOR: i64 = 10_000;

/// The anchor that ties server time to the device's clocks. Kept in the store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedTime {
    anchor: Option<Anchor>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Anchor {
    boot_id: String,
    elapsed_ms: i64,
    server_ms: i64,
    error_ms: i64,
    /// Server time minus wall clock at the sample: what a reboot leaves.
    ahead_of_wall_ms: i64,
}

impl TrustedTime {
    /// The time now.
    pub fn now(&self, reading: &ClockReading) -> TrustedNow {
        let unconfirmed = ClockUncertainty { confirmed: false, error_ms: None, age_ms: None };
        match &self.anchor {
            Some(anchor) if anchor.is_of(reading) => {
                let age = reading.elapsed_ms - anchor.elapsed_ms;
                TrustedNow {
                    unix_ms: anchor.server_ms.saturating_add(age),
                    uncertainty: ClockUncertainty {
                        confirmed: true,
                        error_ms: Some(anchor.error_at(age)),
                        age_ms: Some(age),
                    },
                }
            }
            Some(anchor) => TrustedNow {
                unix_ms: reading.wall_ms.saturating_add(anchor.ahead_of_wall_ms),
                uncertainty: unconfirmed,
            },
            None => TrustedNow { unix_ms: reading.wall_ms, uncertainty: unconfirmed },
        }
    }

    /// Takes in a sample; returns whether the anchor moved. A sample is passed over when the clocks restarted under
    /// it, or when what is known is tighter and agrees with it.
    pub fn learn(&mut self, sample: &TimeSample) -> bool {
        let Some(new) = Anchor::from_sample(sample) else { return false };
        if let Some(old) = self.anchor.as_ref().filter(|old| old.is_of(&sample.received)) {
            let age = new.elapsed_ms.saturating_sub(old.elapsed_ms).max(0);
            let old_error = old.error_at(age);
            let apart = old.server_ms.saturating_add(age).abs_diff(new.server_ms);
            if old_error < new.error_ms && apart <= old_error.saturating_add(new.error_ms).unsigned_abs() {
                return false;
            }
        }
        self.anchor = Some(new);
        true
    }
}

impl Anchor {
    fn from_sample(sample: &TimeSample) -> Option<Self> {
        let TimeSample { date_s, sent, received } = sample;
        let round_trip = received.elapsed_ms.checked_sub(sent.elapsed_ms).filter(|trip| *trip >= 0)?;
        if sent.boot_id != received.boot_id {
            return None;
        }
        let server_ms = date_s.checked_mul(1000)?.checked_add(DATE_HALF_STEP_MS)?;
        Some(Self {
            boot_id: received.boot_id.clone(),
            elapsed_ms: sent.elapsed_ms + round_trip / 2,
            server_ms,
            error_ms: round_trip / 2 + DATE_HALF_STEP_MS,
            ahead_of_wall_ms: server_ms.checked_sub(received.wall_ms.checked_sub(round_trip / 2)?)?,
        })
    }

    /// Whether this anchor was set in the boot of the reading. A clock that stands before the anchor restarted.
    fn is_of(&self, reading: &ClockReading) -> bool {
        self.boot_id == reading.boot_id && reading.elapsed_ms >= self.elapsed_ms
    }

    fn error_at(&self, age_ms: i64) -> i64 {
        self.error_ms.saturating_add(age_ms / DRIFT_DIVISOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 86_400_000;

    fn reading(wall_ms: i64, elapsed_ms: i64, boot: &str) -> ClockReading {
        ClockReading { wall_ms, elapsed_ms, boot_id: boot.to_owned() }
    }

    fn sample(date_s: i64, sent: i64, received: i64) -> TimeSample {
        TimeSample { date_s, sent: reading(sent, sent, "a"), received: reading(received, received, "a") }
    }

    #[test]
    fn without_a_sample_it_is_the_wall_clock_unconfirmed() {
        let now = TrustedTime::default().now(&reading(5_000, 1, "a"));
        assert_eq!(now.unix_ms, 5_000);
        assert!(!now.uncertainty.confirmed && now.uncertainty.error_ms.is_none());
    }

    #[test]
    fn sleep_counts_and_the_wall_clock_does_not() {
        let mut time = TrustedTime::default();
        assert!(time.learn(&sample(1_800_000_000, 1_000, 1_200)));
        let eight_hours = 8 * 3_600_000;
        for wall in [0, 1_800_000_000_000, -400 * DAY_MS, 9_000 * DAY_MS] {
            let now = time.now(&reading(wall, 1_100 + eight_hours, "a"));
            assert_eq!(now.unix_ms, 1_800_000_000_500 + eight_hours);
            assert_eq!(now.uncertainty.age_ms, Some(eight_hours));
            assert_eq!(now.uncertainty.error_ms, Some(600 + eight_hours / 10_000));
        }
    }

    #[test]
    fn after_a_reboot_the_last_correction_stands_on_the_wall_clock() {
        let mut time = TrustedTime::default();
        let mut behind = sample(1_800_000_000, 1_000, 1_200);
        behind.received.wall_ms = 1_799_999_000_600; // 1,000 s slow
        time.learn(&behind);
        let now = time.now(&reading(1_799_999_100_000, 5, "b"));
        assert_eq!(now.unix_ms, 1_800_000_100_000);
        assert!(!now.uncertainty.confirmed);
    }

    #[test]
    fn a_tighter_sample_stays_until_another_contradicts_it() {
        let mut time = TrustedTime::default();
        assert!(time.learn(&sample(1_000, 0, 100)));
        assert!(!time.learn(&sample(1_010, 9_000, 11_500)), "wider and in agreement");
        assert!(time.learn(&sample(1_010, 10_000, 10_050)), "tighter");
        assert!(time.learn(&sample(5_000, 20_000, 24_000)), "the server was set right");
        assert!(!time.learn(&sample(1, 9, 3)), "time ran backwards under it");
        assert!(!time.learn(&sample(i64::MAX, 0, 3)), "no such date");
    }
}
