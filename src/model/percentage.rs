//! Percentages: whole millionths, read from decimal text.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::money::{MoneyError, decimal};

/// Decimal places of a percentage: a ten-thousandth of a percent is a millionth.
const PLACES: u32 = 4;

/// A percentage, none below zero. As text and JSON it is a decimal number of percents: `7.5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, uniffi::Record)]
pub struct Percentage {
    /// Millionths: 75,000 are 7.5 %.
    pub ppm: u32,
}

impl Percentage {
    /// 100 %.
    pub const WHOLE: Self = Self { ppm: 1_000_000 };
}

impl FromStr for Percentage {
    type Err = MoneyError;

    /// Reads a decimal number of percents as JSON writes it (RFC 8259, section 6), with four decimal places at most.
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let ppm = decimal(text, PLACES)?;
        u32::try_from(ppm).map(|ppm| Self { ppm }).map_err(|_| MoneyError::Range)
    }
}

/// In percents, without zeros at the end: `7.5`.
impl fmt::Display for Percentage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10_u32.pow(PLACES);
        let fraction = format!("{:04}", self.ppm % unit);
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{}", self.ppm / unit),
            fraction => write!(f, "{}.{fraction}", self.ppm / unit),
        }
    }
}

/// From a JSON number or a text of one, through no float. JSON is read from its text: a `serde_json::Value` has lost it.
impl<'de> Deserialize<'de> for Percentage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = serde_json::from_str::<String>(raw.get()).unwrap_or_else(|_| raw.get().to_owned());
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Percentage {
    /// As the text, which every reader of JSON keeps exactly.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn percents_are_read_exactly() {
        let cases = [
            ("0", Ok(0)),
            ("7.5", Ok(75_000)),
            ("110", Ok(1_100_000)),
            ("0.0001", Ok(1)),
            ("1e1", Ok(100_000)),
            ("429496.7295", Ok(u32::MAX)),
            ("429496.7296", Err(MoneyError::Range)),
            ("-1", Err(MoneyError::Range)),
            ("0.00001", Err(MoneyError::Precision)),
            ("7,5", Err(MoneyError::Number)),
            ("", Err(MoneyError::Number)),
        ];
        for (text, ppm) in cases {
            assert_eq!(text.parse::<Percentage>().map(|it| it.ppm), ppm, "{text}");
        }
        let json = |json: &str| serde_json::from_str::<Percentage>(json).ok().map(|it| it.ppm);
        assert_eq!((json("7.5"), json("\"7.5\"")), (Some(75_000), Some(75_000)));
        assert_eq!((json("null"), json("[7]"), json("-7")), (None, None, None));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_what_was_read(ppm: u32) {
            let percentage = Percentage { ppm };
            prop_assert_eq!(percentage.to_string().parse(), Ok(percentage));
        }
    }
}
