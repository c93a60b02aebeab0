//! Whether two pieces of JSON say the same.

use super::raw::{self, Members};

/// Whether `held` is what was `asked` for: objects of the same members in any order, arrays item by item, texts by their
/// characters, numbers by their exact value (`1.10` is `1.1`), of any length. A number is no text: `1.1` is not `"1.1"`.
pub fn is_same_json(asked: &str, held: &str) -> bool {
    let (asked, held) = (asked.trim(), held.trim());
    if asked == held {
        return true;
    }
    if let (Some(asked), Some(held)) = (Members::read(asked), Members::read(held)) {
        let same = |(name, value)| held.written(name).is_some_and(|held| is_same_json(value, held));
        return asked.all().count() == held.all().count() && asked.all().all(same);
    }
    if let (Some(asked), Some(held)) = (raw::items(asked), raw::items(held)) {
        return asked.len() == held.len() && asked.iter().zip(held).all(|(a, b)| is_same_json(a, b));
    }
    if let (Some(asked), Some(held)) = (raw::text(asked), raw::text(held)) {
        return asked == held;
    }
    decimal(asked).is_some_and(|asked| decimal(held) == Some(asked))
}

/// A JSON number's sign, its digits without zeros at their ends, and the power of ten of the last one.
fn decimal(json: &str) -> Option<(bool, String, i64)> {
    let (negative, number) = json.strip_prefix('-').map_or((false, json), |rest| (true, rest));
    let (mantissa, power) = match number.split_once(['e', 'E']) {
        Some((mantissa, power)) => (mantissa, power.parse::<i64>().ok()?),
        None => (number, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() || !format!("{whole}{fraction}").bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some((false, String::new(), 0));
    }
    let places = i64::try_from(fraction.len()).ok()?;
    let zeros = i64::try_from(digits.len() - significant.len()).ok()?;
    Some((negative, significant.to_owned(), power.checked_sub(places)?.checked_add(zeros)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_to_the_last_digit() {
        for (a, b) in [
            ("1.10", "1.1"),
            ("110e-2", "1.1"),
            ("0", "-0.00e7"),
            ("100", "1E2"),
            (" 12345678901234567890.1230 ", "12345678901234567890.123"),
        ] {
            assert!(is_same_json(a, b) && is_same_json(b, a), "{a} {b}");
        }
        for (a, b) in [
            ("1.1", "\"1.1\""),
            ("12345678901234567890.123", "12345678901234567890.124"),
            ("1", "-1"),
            ("1e99999999999999999999", "1e99999999999999999998"),
            ("1", "true"),
            ("null", "0"),
            ("1", ""),
        ] {
            assert!(!is_same_json(a, b) && !is_same_json(b, a), "{a} {b}");
        }
    }

    #[test]
    fn structure_counts_and_writing_does_not() {
        for (a, b) in [
            (r#"{"a": 1.0, "b": ["x", null]}"#, r#"{"b":["\u0078",null],"a":1}"#),
            ("[]", "[ ]"),
            ("true", "true"),
        ] {
            assert!(is_same_json(a, b), "{a} {b}");
        }
        for (a, b) in [
            (r#"{"a": 1}"#, r#"{"a": 1, "b": 2}"#),
            (r#"{"a": 1}"#, r#"{"b": 1}"#),
            ("[1, 2]", "[2, 1]"),
            ("[1]", "[1, 1]"),
            ("\"a\"", "\"A\""),
            ("{}", "[]"),
        ] {
            assert!(!is_same_json(a, b) && !is_same_json(b, a), "{a} {b}");
        }
    }
}
