//! Prices of a server whose prices are floats.

use crate::model::{Money, MoneyError};

/// Reads a number as [`Money::parse`] does, and one that a server's double-precision float was written out as:
/// `64.099999999999994` is what the double of 64.10 looks like with 17 digits. Where there are fractions of the smallest
/// unit, the nearest amount counts if both are the same double (IEEE 754 binary64), and none does if not: nothing is
/// rounded that a server could mean.
///
/// # Errors
/// As [`Money::parse`].
pub fn parse(major: &str, currency: &str) -> Result<Money, MoneyError> {
    match Money::parse(major, currency) {
        Err(MoneyError::Precision) => of_same_double(major, currency).ok_or(MoneyError::Precision),
        other => other,
    }
}

fn of_same_double(major: &str, currency: &str) -> Option<Money> {
    /// Beyond this, neighbouring whole numbers are one double.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let places = Money::new(0, currency).and_then(|none| none.exponent()).ok()?;
    let double: f64 = major.trim().parse().ok()?;
    let nearest = (double * 10_f64.powi(i32::try_from(places).ok()?)).round();
    // What comes out is compared below: an error of this multiplication refuses, and changes nothing.
    let minor = (nearest.abs() < EXACT).then_some(nearest as i64)?;
    let money = Money::new(minor, currency).ok()?;
    (money.major().parse() == Ok(double)).then_some(money)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_double_written_out_is_the_amount_it_stands_for() {
        let cases = [
            ("64.10", Ok(6410)),
            ("64.099999999999994", Ok(6410)),
            ("64.0999999999999943156581139192", Ok(6410)),
            ("0.30000000000000004", Err(MoneyError::Precision)),
            ("0.299999999999999988897769753748", Ok(30)),
            ("19.989999999999998", Ok(1999)),
            ("-19.989999999999998", Ok(-1999)),
            ("1.9989999999999998e1", Ok(1999)),
            ("64.101", Err(MoneyError::Precision)),
            ("64.0999984741211", Err(MoneyError::Precision)),
            ("0.001", Err(MoneyError::Precision)),
            ("1e-400", Ok(0)),
            ("90071992547409.9112", Ok(9_007_199_254_740_991)),
            ("9007199254740992.003", Err(MoneyError::Precision)),
            ("NaN", Err(MoneyError::Number)),
        ];
        for (text, minor) in cases {
            assert_eq!(parse(text, "USD").map(|money| money.minor), minor, "{text}");
        }
        assert_eq!(parse("1249.9999999999999", "JPY").map(|money| money.minor), Ok(1250));
    }

    proptest! {
        #[test]
        fn a_double_of_an_amount_is_that_amount_however_it_is_written(minor in -900_000_000_000_i64..900_000_000_000) {
            let money = Money { minor, currency: "USD".to_owned() };
            let double: f64 = money.major().parse().unwrap();
            for text in [format!("{double}"), format!("{double:.20}"), format!("{double:e}"), format!("{double:.17e}")] {
                prop_assert_eq!(parse(&text, "USD"), Ok(money.clone()), "{}", text);
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,80}", currency in ".{0,4}") {
            let _ = parse(&text, &currency);
        }
    }
}
