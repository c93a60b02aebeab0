//! Amounts of money: whole minor units of an ISO 4217 currency, read from decimal text. No amount is what a float's
//! arithmetic came to.

use std::fmt;

/// Currencies whose minor unit is not a hundredth, by its exponent (ISO 4217, list one).
const EXPONENTS: [(u32, &[&str]); 3] = [
    (
        0,
        &[
            "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV",
            "XAF", "XOF", "XPF",
        ],
    ),
    (3, &["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]),
    (4, &["CLF", "UYW"]),
];
/// More than any amount has, with room for an exponent.
const MAX_TEXT: usize = 64;

/// An amount.
#[derive(Debug, Clone, PartialEq, Eq, Hash, uniffi::Record)]
pub struct Money {
    /// Minor units: cents of EUR, yen of JPY, fils of KWD.
    pub minor: i64,
    /// ISO 4217 code, three capital letters.
    pub currency: String,
}

/// Why a text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The currency is not three letters.
    #[error("a currency is three letters, as ISO 4217 has them")]
    Currency,
    /// The text is no decimal number.
    #[error("an amount is a decimal number")]
    Number,
    /// It has more digits than the currency's minor unit.
    #[error("the amount has fractions of the currency's smallest unit")]
    Precision,
    /// It does not fit in 64 bits of minor units.
    #[error("the amount is out of range")]
    Range,
    /// Two currencies in one sum.
    #[error("amounts of two currencies cannot be added")]
    Mixed,
}

impl Money {
    /// Reads a decimal number in major units, as JSON writes it (RFC 8259, section 6): `64`, `64.10`, `6.4e1`. Zeros
    /// beyond the minor unit are no digits.
    ///
    /// # Errors
    /// [`MoneyError`], but for `Mixed`.
    pub fn parse(major: &str, currency: &str) -> Result<Self, MoneyError> {
        let currency = code(currency)?;
        let minor = minor_units(major, exponent(&currency))?;
        Ok(Self { minor, currency })
    }

    /// Reads a number as [`Money::parse`] does, and one that a server's double-precision float was written out as:
    /// `64.099999999999994` is what the double of 64.10 looks like with 17 digits. Where there are fractions of the smallest
    /// unit, the nearest amount counts if both are the same double (IEEE 754 binary64), and none does if not: nothing is
    /// rounded that a server could mean.
    ///
    /// # Errors
    /// As [`Money::parse`].
    pub fn parse_float(major: &str, currency: &str) -> Result<Self, MoneyError> {
        match Self::parse(major, currency) {
            Err(MoneyError::Precision) => Self::of_same_double(major, currency).ok_or(MoneyError::Precision),
            other => other,
        }
    }

    fn of_same_double(major: &str, currency: &str) -> Option<Self> {
        /// Beyond this, neighbouring whole numbers are one double.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let currency = code(currency).ok()?;
        let double: f64 = major.trim().parse().ok()?;
        let nearest = (double * 10_f64.powi(i32::try_from(exponent(&currency)).ok()?)).round();
        // What comes out is compared below: an error of this multiplication refuses, and changes nothing.
        let minor = (nearest.abs() < EXACT).then_some(nearest as i64)?;
        let money = Self { minor, currency };
        (money.major().parse() == Ok(double)).then_some(money)
    }

    /// The amount in major units, as a decimal number with all digits of the minor unit: `64.10`.
    pub fn major(&self) -> String {
        let places = exponent(&self.currency);
        let unit = 10_u64.pow(places);
        let (sign, amount) = (if self.minor < 0 { "-" } else { "" }, self.minor.unsigned_abs());
        let whole = amount / unit;
        if places == 0 {
            return format!("{sign}{whole}");
        }
        format!("{sign}{whole}.{:0width$}", amount % unit, width = places as usize)
    }

    /// The sum of two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`], [`MoneyError::Range`].
    pub fn plus(&self, other: &Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Mixed);
        }
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Range)?;
        Ok(Self { minor, currency: self.currency.clone() })
    }
}

/// In major units with the currency: `64.10 EUR`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.major(), self.currency)
    }
}

fn code(currency: &str) -> Result<String, MoneyError> {
    let letters = currency.len() == 3 && currency.chars().all(|c| c.is_ascii_alphabetic());
    letters.then(|| currency.to_ascii_uppercase()).ok_or(MoneyError::Currency)
}

/// How many decimal places the minor unit has.
fn exponent(currency: &str) -> u32 {
    let known = EXPONENTS.iter().find(|(_, codes)| codes.contains(&currency));
    known.map_or(2, |(exponent, _)| *exponent)
}

fn minor_units(major: &str, places: u32) -> Result<i64, MoneyError> {
    let text = major.trim();
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, power) = match text.split_once(['e', 'E']) {
        Some((mantissa, power)) => (mantissa, power.parse::<i32>().map_err(|_| MoneyError::Number)?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() > MAX_TEXT || !all_digits(whole) || !all_digits(fraction) {
        return Err(MoneyError::Number);
    }
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Ok(0);
    }
    // The number is `digits` times ten to this power of minor units.
    let fraction_len = i64::try_from(fraction.len()).unwrap_or(i64::MAX);
    let trimmed = i64::try_from(digits.len() - significant.len()).unwrap_or(i64::MAX);
    let shift = i64::from(power) - fraction_len + trimmed + i64::from(places);
    let shift = u32::try_from(shift).map_err(|_| MoneyError::Precision)?;
    let scale = 10_i128.checked_pow(shift).ok_or(MoneyError::Range)?;
    let amount = significant.parse::<i128>().ok().and_then(|digits| digits.checked_mul(scale));
    let amount = amount.ok_or(MoneyError::Range)?;
    i64::try_from(if negative { -amount } else { amount }).map_err(|_| MoneyError::Range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_are_read_exactly() {
        let cases = [
            ("64", "EUR", 6400),
            ("64.1", "eur", 6410),
            ("0.07", "EUR", 7),
            ("-0.50", "EUR", -50),
            ("6.4e1", "EUR", 6400),
            ("640E-1", "EUR", 6400),
            ("64.1000", "EUR", 6410),
            ("1250", "JPY", 1250),
            ("1250.00", "JPY", 1250),
            ("1.234", "KWD", 1234),
            ("92233720368547758.07", "EUR", i64::MAX),
            ("-92233720368547758.08", "EUR", i64::MIN),
            ("0e99", "EUR", 0),
        ];
        for (text, currency, minor) in cases {
            assert_eq!(Money::parse(text, currency).map(|money| money.minor), Ok(minor), "{text} {currency}");
        }
    }

    #[test]
    fn what_is_no_amount_says_why() {
        let cases = [
            ("64.101", "EUR", MoneyError::Precision),
            ("0.5", "JPY", MoneyError::Precision),
            ("1e-9", "EUR", MoneyError::Precision),
            ("92233720368547758.08", "EUR", MoneyError::Range),
            ("1e300", "EUR", MoneyError::Range),
            ("1e99999999999", "EUR", MoneyError::Number),
            ("", "EUR", MoneyError::Number),
            (".5", "EUR", MoneyError::Number),
            ("5.", "EUR", MoneyError::Number),
            ("1,50", "EUR", MoneyError::Number),
            ("NaN", "EUR", MoneyError::Number),
            ("64", "EURO", MoneyError::Currency),
            ("64", "€", MoneyError::Currency),
        ];
        for (text, currency, error) in cases {
            assert_eq!(Money::parse(text, currency), Err(error), "{text} {currency}");
        }
    }

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
            assert_eq!(Money::parse_float(text, "USD").map(|money| money.minor), minor, "{text}");
        }
        assert_eq!(Money::parse_float("1249.9999999999999", "JPY").map(|money| money.minor), Ok(1250));
    }

    #[test]
    fn sums_keep_to_one_currency() {
        let money = |minor, currency: &str| Money { minor, currency: currency.to_owned() };
        assert_eq!(money(5, "EUR").plus(&money(7, "EUR")), Ok(money(12, "EUR")));
        assert_eq!(money(5, "EUR").plus(&money(7, "USD")), Err(MoneyError::Mixed));
        assert_eq!(money(i64::MAX, "EUR").plus(&money(1, "EUR")), Err(MoneyError::Range));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_what_was_read(minor: i64, currency in "(EUR|JPY|KWD|CLF)") {
            let money = Money { minor, currency: currency.clone() };
            let shown = money.to_string();
            let (amount, _) = shown.split_once(' ').unwrap();
            prop_assert_eq!(Money::parse(amount, &currency), Ok(money));
        }

        #[test]
        fn a_double_of_an_amount_is_that_amount_however_it_is_written(minor in -900_000_000_000_i64..900_000_000_000) {
            let money = Money { minor, currency: "USD".to_owned() };
            let double: f64 = money.major().parse().unwrap();
            for text in [format!("{double}"), format!("{double:.20}"), format!("{double:e}"), format!("{double:.17e}")] {
                prop_assert_eq!(Money::parse_float(&text, "USD"), Ok(money.clone()), "{}", text);
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,80}", currency in ".{0,4}") {
            let _ = Money::parse(&text, &currency);
            let _ = Money::parse_float(&text, &currency);
        }
    }
}
