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
    /// Who says it: the origin of the server, for example `https://api.example.org`.
    pub source: String,
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
const DRIFT_DIVISOR: u64 = 10_000;
/// 2020 and 2100 begin, Unix seconds. A server that says less or more has no clock.
const PLAUSIBLE_S: std::ops::Range<i64> = 1_577_836_800..4_102_444_800;

/// The anchor that ties server time to the device's clocks. Kept in the store.
///
/// One anchor serves all accounts, so that no server may move it more than it must:
///
/// * A sample that agrees with the anchor takes its place when it is as tight.
/// * One that contradicts it counts only when the same server's next one says the same: a single wrong reply, from one
///   machine of many, moves nothing.
/// * Then it counts when the anchor is that server's own word, which it has taken back.
/// * Against another server's word it is one against one, and the wall clock, which networks set on nearly every
///   device, is the witness: the nearer of the two counts, whichever came first. So a wrong server moves the others'
///   time by less than twice the wall clock's own error; and a wall clock that jumps moves nothing while the servers
///   agree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedTime {
    anchor: Option<Anchor>,
    /// The last sample that contradicted the anchor.
    #[serde(skip)]
    doubt: Option<Anchor>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Anchor {
    #[serde(default)]
    source: String,
    boot_id: String,
    elapsed_ms: i64,
    server_ms: i64,
    error_ms: i64,
    /// Server time minus wall clock at the sample: what a reboot leaves.
    ahead_of_wall_ms: i64,
}

impl TrustedTime {
    /// The time now. A clock that stands before the anchor, in the anchor's own boot, restarted: then nothing stands
    /// behind the time, as after a reboot.
    pub fn now(&self, reading: &ClockReading) -> TrustedNow {
        let anchor = self.anchor.as_ref();
        anchor.and_then(|anchor| anchor.confirmed(reading)).unwrap_or_else(|| {
            let ahead_ms = anchor.map_or(0, |anchor| anchor.ahead_of_wall_ms);
            TrustedNow {
                unix_ms: reading.wall_ms.saturating_add(ahead_ms),
                uncertainty: ClockUncertainty { confirmed: false, error_ms: None, age_ms: None },
            }
        })
    }

    /// Takes in a sample; returns whether the anchor moved. Samples may come in another order than they were taken. One
    /// is passed over when its date is not plausible or the clocks restarted under it.
    pub fn learn(&mut self, sample: &TimeSample) -> bool {
        let Some(new) = Anchor::from_sample(sample) else { return false };
        let moves = match self.anchor.as_ref().filter(|old| old.boot_id == new.boot_id) {
            None => true,
            Some(old) if old.agrees_with(&new) => {
                self.doubt = self.doubt.take().filter(|doubt| doubt.source != new.source);
                new.is_as_tight_as(old)
            }
            Some(old) => {
                let again = self.doubt.as_ref().is_some_and(|doubt| doubt.is_confirmed_by(&new));
                let moves = again && (new.source == old.source || new.is_nearer_to_wall_than(old));
                self.doubt = (!moves).then(|| new.clone());
                moves
            }
        };
        if moves {
            self.anchor = Some(new);
        }
        moves
    }
}

impl Anchor {
    fn from_sample(sample: &TimeSample) -> Option<Self> {
        let TimeSample { source, date_s, sent, received } = sample;
        let round_trip = received.elapsed_ms.checked_sub(sent.elapsed_ms).filter(|trip| *trip >= 0)?;
        if sent.boot_id != received.boot_id || !PLAUSIBLE_S.contains(date_s) {
            return None;
        }
        let (there, back) = (round_trip / 2, round_trip - round_trip / 2);
        let server_ms = date_s * 1000 + DATE_HALF_STEP_MS;
        Some(Self {
            source: source.clone(),
            boot_id: received.boot_id.clone(),
            elapsed_ms: sent.elapsed_ms + there,
            server_ms,
            error_ms: back.saturating_add(DATE_HALF_STEP_MS),
            ahead_of_wall_ms: server_ms.checked_sub(received.wall_ms.checked_sub(back)?)?,
        })
    }

    /// The time at a reading of this anchor's boot that does not stand before it.
    fn confirmed(&self, reading: &ClockReading) -> Option<TrustedNow> {
        let age = reading.elapsed_ms.checked_sub(self.elapsed_ms).filter(|age| *age >= 0)?;
        let unix_ms = self.server_ms.checked_add(age)?;
        (self.boot_id == reading.boot_id).then(|| TrustedNow {
            unix_ms,
            uncertainty: ClockUncertainty {
                confirmed: true,
                error_ms: Some(self.error_at(reading.elapsed_ms)),
                age_ms: Some(age),
            },
        })
    }

    /// Server time at a moment of this boot, before or after the anchor.
    fn server_at(&self, elapsed_ms: i64) -> i64 {
        self.server_ms.saturating_add(elapsed_ms.saturating_sub(self.elapsed_ms))
    }

    fn error_at(&self, elapsed_ms: i64) -> i64 {
        let drift = elapsed_ms.abs_diff(self.elapsed_ms).div_ceil(DRIFT_DIVISOR);
        self.error_ms.saturating_add_unsigned(drift)
    }

    fn agrees_with(&self, other: &Self) -> bool {
        let apart = self.server_at(other.elapsed_ms).abs_diff(other.server_ms);
        apart <= self.error_at(other.elapsed_ms).saturating_add(other.error_ms).unsigned_abs()
    }

    fn is_confirmed_by(&self, other: &Self) -> bool {
        self.boot_id == other.boot_id && self.source == other.source && self.agrees_with(other)
    }

    /// Compared to the last part of a millisecond, so that it holds at any later time too. Of two that are equal, the later
    /// counts.
    fn is_as_tight_as(&self, other: &Self) -> bool {
        let error =
            |one: &Self| i128::from(one.error_ms) * i128::from(DRIFT_DIVISOR) - i128::from(one.elapsed_ms);
        (error(self), other.elapsed_ms) <= (error(other), self.elapsed_ms)
    }

    fn is_nearer_to_wall_than(&self, other: &Self) -> bool {
        let further = other.server_at(self.elapsed_ms).saturating_sub(self.server_ms);
        self.ahead_of_wall_ms.unsigned_abs() < self.ahead_of_wall_ms.saturating_add(further).unsigned_abs()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY_MS: i64 = 86_400_000;
    /// 2027-01-15, Unix seconds.
    const TODAY_S: i64 = 1_800_000_000;

    fn reading(wall_ms: i64, elapsed_ms: i64, boot: &str) -> ClockReading {
        ClockReading { wall_ms, elapsed_ms, boot_id: boot.to_owned() }
    }

    /// A sample of a device whose wall clock stands at 2027-01-15 when it is booted.
    fn said_by(source: &str, date_s: i64, sent: i64, received: i64) -> TimeSample {
        let reading = |elapsed: i64| reading(elapsed.saturating_add(TODAY_S * 1000), elapsed, "a");
        TimeSample { source: source.to_owned(), date_s, sent: reading(sent), received: reading(received) }
    }

    fn sample(date_s: i64, sent: i64, received: i64) -> TimeSample {
        said_by("s", date_s, sent, received)
    }

    fn unix_ms(time: &TrustedTime, elapsed_ms: i64) -> i64 {
        let now = time.now(&reading(0, elapsed_ms, "a"));
        assert!(now.uncertainty.confirmed);
        now.unix_ms
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
        assert!(time.learn(&sample(TODAY_S, 1_000, 1_200)));
        let eight_hours = 8 * 3_600_000;
        for wall in [0, TODAY_S * 1000, -400 * DAY_MS, 9_000 * DAY_MS, i64::MIN, i64::MAX] {
            let now = time.now(&reading(wall, 1_100 + eight_hours, "a"));
            assert_eq!(now.unix_ms, TODAY_S * 1000 + 500 + eight_hours);
            assert_eq!(now.uncertainty.age_ms, Some(eight_hours));
            assert_eq!(now.uncertainty.error_ms, Some(600 + eight_hours / 10_000));
        }
    }

    #[test]
    fn after_a_reboot_the_last_correction_stands_on_the_wall_clock() {
        let mut time = TrustedTime::default();
        let mut behind = sample(TODAY_S, 1_000, 1_200);
        behind.received.wall_ms = (TODAY_S - 1_000) * 1000 + 600; // 1,000 s slow
        time.learn(&behind);
        // The same where the clock restarts within a boot.
        for restarted in
            [reading((TODAY_S - 900) * 1000, 5, "b"), reading((TODAY_S - 900) * 1000, 1_099, "a")]
        {
            let now = time.now(&restarted);
            assert_eq!(now.unix_ms, (TODAY_S + 100) * 1000);
            assert!(!now.uncertainty.confirmed && now.uncertainty.age_ms.is_none());
        }
    }

    #[test]
    fn a_tighter_sample_stays_while_others_agree() {
        let mut time = TrustedTime::default();
        assert!(time.learn(&sample(TODAY_S, 0, 100)));
        assert!(!time.learn(&sample(TODAY_S + 10, 9_000, 11_500)), "wider");
        assert!(time.learn(&sample(TODAY_S + 10, 10_000, 10_050)), "tighter");
        assert!(time.learn(&sample(TODAY_S + 11, 11_000, 11_050)), "as tight, and newer");
        assert!(!time.learn(&sample(TODAY_S + 10, 10_000, 10_050)), "as tight, and older");
        assert!(!time.learn(&sample(TODAY_S, 9, 3)), "time ran backwards under it");
    }

    #[test]
    fn dates_that_are_not_plausible_are_passed_over() {
        let mut time = TrustedTime::default();
        for date_s in [i64::MIN, -1, 0, 1_577_836_799, 4_102_444_800, 253_402_300_799, i64::MAX] {
            assert!(!time.learn(&sample(date_s, 0, 10)), "{date_s}");
        }
        for date_s in [1_577_836_800, 4_102_444_799] {
            assert!(TrustedTime::default().learn(&sample(date_s, 0, 10)), "{date_s}");
        }
    }

    #[test]
    fn a_server_that_was_set_right_is_believed_at_its_second_word() {
        let mut time = TrustedTime::default();
        time.learn(&sample(TODAY_S - 3_600, 0, 100));
        assert!(!time.learn(&sample(TODAY_S + 10, 10_000, 10_100)));
        assert!(time.learn(&sample(TODAY_S + 20, 20_000, 20_100)));
        assert_eq!(unix_ms(&time, 20_050), (TODAY_S + 20) * 1000 + 500);
    }

    #[test]
    fn single_wrong_words_move_nothing() {
        let mut time = TrustedTime::default();
        time.learn(&sample(TODAY_S, 0, 100));
        for round in 1..10 {
            let at = round * 10_000;
            let wrong = sample(TODAY_S + 50_000 + at / 1000, at, at + 100);
            assert!(!time.learn(&wrong), "one of many machines is wrong");
            assert!(time.learn(&sample(TODAY_S + round * 10 + 5, at + 5_000, at + 5_100)));
        }
        // Nor do two servers' single words make two of one.
        assert!(!time.learn(&said_by("t", TODAY_S + 50_000, 98_000, 98_100)));
        assert!(!time.learn(&sample(TODAY_S + 50_001, 99_000, 99_100)));
        // Two wrong words that do not say the same are no agreement.
        assert!(!time.learn(&sample(TODAY_S + 60_000, 100_000, 100_100)));
        assert!(!time.learn(&sample(TODAY_S + 70_000, 101_000, 101_100)));
        assert_eq!(unix_ms(&time, 95_050), (TODAY_S + 95) * 1000 + 500);
    }

    #[test]
    fn of_two_servers_the_one_near_the_wall_clock_counts_whichever_came_first() {
        for liar_first in [true, false] {
            let mut time = TrustedTime::default();
            for turn in 0..6 {
                let at = turn * 60_000;
                let lies = (turn % 2 == 0) == liar_first;
                let (source, off_s) = if lies { ("liar", 7_200) } else { ("honest", 0) };
                for at in [at, at + 1_000, at + 2_000] {
                    time.learn(&said_by(source, TODAY_S + at / 1000 + off_s, at, at + 100));
                }
                if turn > 0 {
                    assert_eq!(
                        unix_ms(&time, at + 2_050) / 1000,
                        TODAY_S + at / 1000 + 2,
                        "{liar_first} {turn}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_clock_that_restarts_within_a_boot_is_anchored_anew() {
        let mut time = TrustedTime::default();
        time.learn(&sample(TODAY_S, 9_000_000, 9_000_100));
        assert!(!time.learn(&sample(TODAY_S + 60, 10, 110)));
        assert!(time.learn(&sample(TODAY_S + 61, 1_010, 1_110)));
        assert_eq!(unix_ms(&time, 1_060), (TODAY_S + 61) * 1000 + 500);
    }

    #[test]
    fn of_two_samples_the_tighter_stays_so_after_days() {
        let (first, second) =
            (sample(TODAY_S + 9_208, 9_207_191, 9_214_334), sample(TODAY_S + 63_577, 63_561_754, 63_579_769));
        let mut time = TrustedTime::default();
        time.learn(&first);
        time.learn(&second);
        let error_ms = |time: &TrustedTime| {
            time.now(&reading(0, DAY_MS + 40_000 + 193_460_762, "a")).uncertainty.error_ms.unwrap()
        };
        let alone = [first, second].map(|sample| {
            let mut alone = TrustedTime::default();
            alone.learn(&sample);
            error_ms(&alone)
        });
        assert_eq!(error_ms(&time), alone[0].min(alone[1]));
    }

    #[derive(Debug, Clone)]
    struct Exchange {
        sent: i64,
        there: i64,
        back: i64,
    }

    fn exchanges() -> impl Strategy<Value = Vec<Exchange>> {
        let exchange = (0..DAY_MS, 0..20_000_i64, 0..20_000_i64);
        let exchange = exchange.prop_map(|(sent, there, back)| Exchange { sent, there, back });
        prop::collection::vec(exchange, 1..12)
    }

    /// The true time, for a crystal that is off by so many parts in a million.
    fn truth_ms(elapsed_ms: i64, drift_ppm: i64) -> i64 {
        TODAY_S * 1000 + elapsed_ms + elapsed_ms * drift_ppm / 1_000_000
    }

    proptest! {
        /// Requests that overlap end in any order: the list's order is theirs.
        #[test]
        fn honest_servers_never_make_it_worse(
            exchanges in exchanges(), drift_ppm in -99_i64..=99, later in 0..30 * DAY_MS,
        ) {
            let end = reading(0, DAY_MS + 40_000 + later, "a");
            let truth = truth_ms(end.elapsed_ms, drift_ppm);
            let (mut time, mut best) = (TrustedTime::default(), i64::MAX);
            let (mut from, mut to) = (i64::MIN, i64::MAX);
            for (index, Exchange { sent, there, back }) in exchanges.into_iter().enumerate() {
                let date_s = truth_ms(sent + there, drift_ppm).div_euclid(1000);
                let sample = said_by(&format!("{}", index % 3), date_s, sent, sent + there + back);
                time.learn(&sample);
                let mut alone = TrustedTime::default();
                alone.learn(&sample);
                let [ours, alone] = [&time, &alone].map(|time| {
                    let now = time.now(&end);
                    (now.unix_ms, now.uncertainty.error_ms.unwrap())
                });
                best = best.min(alone.1);
                (from, to) = (from.max(alone.0 - alone.1), to.min(alone.0 + alone.1));
                prop_assert!(from <= truth && truth <= to, "the model holds the truth");
                prop_assert!(ours.0 - ours.1 <= from && to <= ours.0 + ours.1, "{ours:?} {from} {to}");
                prop_assert_eq!(ours.1, best);
            }
        }

        /// What the type's own text says of a wrong server.
        #[test]
        fn a_wrong_server_moves_time_by_less_than_twice_the_wall_clocks_error(
            wall_off_s in -10_000_i64..10_000, lies in prop::collection::vec(prop::option::of(-50_000_i64..50_000), 0..12),
        ) {
            let mut time = TrustedTime::default();
            let mut at = 0;
            for lie in lies.into_iter().chain([None, None]) {
                at += 5_000;
                let (source, off_s) = lie.map_or(("honest", 0), |off_s| ("liar", off_s));
                let mut sample = said_by(source, TODAY_S + at / 1000 + off_s, at, at);
                sample.received.wall_ms += wall_off_s * 1000;
                time.learn(&sample);
            }
            let off_ms = unix_ms(&time, at) - (TODAY_S * 1000 + at);
            prop_assert!(off_ms.abs() <= 2 * wall_off_s.abs() * 1000 + 3_000, "{off_ms}");
        }

        #[test]
        fn no_clock_is_too_strange(
            samples in prop::collection::vec((any::<bool>(), 0_i64..5_000_000_000, any::<[i64; 4]>(), "[ab]"), 0..6),
            wall in any::<i64>(), elapsed in any::<i64>(),
        ) {
            let mut time = TrustedTime::default();
            for (near, date_s, [a, b, c, d], boot) in samples {
                let (sent, received) = if near { (a.min(b), a.max(b)) } else { (a, b) };
                let sample = TimeSample {
                    source: boot.clone(), date_s, sent: reading(c, sent, &boot), received: reading(d, received, &boot),
                };
                time.learn(&sample);
                for elapsed in [elapsed, sent, received, i64::MIN, i64::MAX] {
                    let ClockUncertainty { confirmed, error_ms, age_ms } =
                        time.now(&reading(wall, elapsed, &boot)).uncertainty;
                    prop_assert_eq!((error_ms.is_some(), age_ms.is_some()), (confirmed, confirmed));
                    prop_assert!(error_ms.is_none_or(|error| error >= DATE_HALF_STEP_MS));
                    prop_assert!(age_ms.is_none_or(|age| age >= 0));
                }
            }
        }
    }
}
