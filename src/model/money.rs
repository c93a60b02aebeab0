//! Amounts of money: whole minor units of an ISO 4217 currency, read from decimal text. No amount is what a float's
//! arithmetic came to.

use std::fmt;
use std::str::FromStr;

use iso_currency::Currency;
use serde::{Deserialize, Serialize};

use super::percentage::Percentage;

/// More than any amount has, with room for an exponent.
const MAX_TEXT: usize = 64;
/// Decimal places by which an amount is written whose currency ISO 4217 does not list: nothing reads it so.
const UNLISTED_PLACES: u32 = 2;

/// An amount. As JSON it is `{"minor":6410,"currency":"EUR"}`, as text `64.10 EUR`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, uniffi::Record)]
#[serde(try_from = "WireMoney")]
pub struct Money {
    /// Minor units: cents of EUR, yen of JPY, fils of KWD.
    pub minor: i64,
    /// ISO 4217 code, three capital letters.
    pub currency: String,
}

/// An amount as JSON has it, not checked yet.
#[derive(Deserialize)]
struct WireMoney {
    minor: i64,
    currency: String,
}

impl TryFrom<WireMoney> for Money {
    type Error = MoneyError;

    fn try_from(wire: WireMoney) -> Result<Self, MoneyError> {
        Self::new(wire.minor, &wire.currency)
    }
}

/// Why a text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The currency is none that ISO 4217 lists with a minor unit.
    #[error("a currency is three letters that ISO 4217 lists with a minor unit")]
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
    /// An amount in minor units. Upper and lower case of the code count alike.
    ///
    /// # Errors
    /// [`MoneyError::Currency`].
    pub fn new(minor: i64, currency: &str) -> Result<Self, MoneyError> {
        let (currency, _) = listed(currency)?;
        Ok(Self { minor, currency })
    }

    /// Reads a decimal number in major units, as JSON writes it (RFC 8259, section 6): `64`, `64.10`, `6.4e1`. Zeros
    /// beyond the minor unit are no digits.
    ///
    /// # Errors
    /// [`MoneyError`], but for `Mixed`.
    pub fn parse(major: &str, currency: &str) -> Result<Self, MoneyError> {
        let (currency, places) = listed(currency)?;
        let minor = decimal(major, places)?;
        Ok(Self { minor, currency })
    }

    /// How many decimal places the currency's minor unit has (ISO 4217).
    ///
    /// # Errors
    /// [`MoneyError::Currency`].
    pub fn exponent(&self) -> Result<u32, MoneyError> {
        listed(&self.currency).map(|(_, places)| places)
    }

    /// The amount in major units, as a decimal number with all digits of the minor unit: `64.10`.
    pub fn major(&self) -> String {
        let places = self.exponent().unwrap_or(UNLISTED_PLACES);
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
        self.with(other, i64::checked_add)
    }

    /// What is left of it without another amount of its currency; less than nothing where that is more.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`], [`MoneyError::Range`].
    pub fn minus(&self, other: &Self) -> Result<Self, MoneyError> {
        self.with(other, i64::checked_sub)
    }

    /// The smaller of two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`].
    pub fn or_less(&self, other: &Self) -> Result<Self, MoneyError> {
        self.with(other, |one, two| Some(one.min(two)))
    }

    /// A percentage of it, rounded down to a whole minor unit.
    ///
    /// # Errors
    /// [`MoneyError::Range`].
    pub fn share(&self, percentage: Percentage) -> Result<Self, MoneyError> {
        let parts = i128::from(self.minor) * i128::from(percentage.ppm);
        let minor = parts.div_euclid(i128::from(Percentage::WHOLE.ppm));
        let minor = i64::try_from(minor).map_err(|_| MoneyError::Range)?;
        Ok(Self { minor, currency: self.currency.clone() })
    }

    fn with(&self, other: &Self, by: impl FnOnce(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Mixed);
        }
        let minor = by(self.minor, other.minor).ok_or(MoneyError::Range)?;
        Ok(Self { minor, currency: self.currency.clone() })
    }
}

/// In major units with the currency: `64.10 EUR`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.major(), self.currency)
    }
}

/// Reads what [`Display`](fmt::Display) writes and people write: a decimal number without an exponent, white space, the code.
impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let (major, currency) = text.trim().rsplit_once(char::is_whitespace).ok_or(MoneyError::Currency)?;
        let read = Self::parse(major, currency)?;
        if major.contains(['e', 'E']) { Err(MoneyError::Number) } else { Ok(read) }
    }
}

/// A currency's code as ISO 4217 writes it, and the decimal places of its minor unit.
fn listed(currency: &str) -> Result<(String, u32), MoneyError> {
    let code = currency.to_ascii_uppercase();
    let places = Currency::from_code(&code).and_then(Currency::exponent);
    places.map(|places| (code, u32::from(places))).ok_or(MoneyError::Currency)
}

/// Reads a decimal number exactly, as so many units of ten to the power of minus `places`.
///
/// # Errors
/// [`MoneyError::Number`], [`MoneyError::Precision`], [`MoneyError::Range`].
pub(super) fn decimal(major: &str, places: u32) -> Result<i64, MoneyError> {
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
        fn no_text_panics(text in ".{0,80}", currency in ".{0,4}") {
            let _ = Money::parse(&text, &currency);
            let _ = text.parse::<Money>();
        }
    }
}
