//! Amounts in every currency that ISO 4217 lists.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use iso_currency::{Currency, IntoEnumIterator};
use proptest::prelude::*;
use ticket_wallet::model::{Money, MoneyError, Percentage};

use crate::source::identifiers;

/// Currencies with a minor unit and those whose minor unit is no hundredth (ISO 4217, list one).
const OTHER_EXPONENTS: [(u32, &str); 3] = [
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
];

fn currencies() -> Vec<(&'static str, u32)> {
    let listed = Currency::iter().filter_map(|it| Some((it.code(), u32::from(it.exponent()?))));
    listed.collect()
}

fn money(minor: i64, currency: &str) -> Money {
    Money::new(minor, currency).unwrap()
}

#[test]
fn the_exponents_are_those_of_the_standard() {
    let mut by_exponent: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for (code, exponent) in currencies() {
        assert_eq!(money(0, code).exponent(), Ok(exponent), "{code}");
        by_exponent.entry(exponent).or_default().push(code);
    }
    let hundredths = by_exponent.remove(&2).unwrap();
    assert!(hundredths.len() > 130, "{}", hundredths.len());
    for (exponent, codes) in OTHER_EXPONENTS {
        assert_eq!(by_exponent.remove(&exponent).unwrap().join(" "), codes);
    }
    assert!(by_exponent.is_empty(), "{by_exponent:?}");
}

#[test]
fn amounts_of_every_currency_come_back_from_text_and_json() {
    for (code, exponent) in currencies() {
        for minor in [0, 1, -1, 7, 99, 100, 12_345_678, i64::MAX, i64::MIN] {
            let amount = money(minor, code);
            assert_eq!(amount.to_string().parse(), Ok(amount.clone()));
            assert_eq!(Money::parse(&amount.major(), code), Ok(amount.clone()));
            let decimals = amount.major().split_once('.').map_or(0, |(_, decimals)| decimals.len());
            assert_eq!(decimals, exponent as usize, "{amount}");
            let json = serde_json::to_string(&amount).unwrap();
            assert_eq!(json, format!(r#"{{"minor":{minor},"currency":"{code}"}}"#));
            assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), amount);
        }
    }
}

#[test]
fn a_currency_without_a_minor_unit_is_none_to_pay_with() {
    for code in ["XAU", "XDR", "XTS", "XXX", "ABC", "EU", "EURO", "€", ""] {
        assert_eq!(Money::new(1, code), Err(MoneyError::Currency), "{code}");
        assert_eq!(Money::parse("1", code), Err(MoneyError::Currency), "{code}");
        let json = format!(r#"{{"minor":1,"currency":"{code}"}}"#);
        assert!(serde_json::from_str::<Money>(&json).is_err(), "{code}");
        let unchecked = Money { minor: 6410, currency: code.to_owned() };
        assert_eq!(unchecked.exponent(), Err(MoneyError::Currency));
    }
}

#[test]
fn a_persons_text_is_read_exactly() {
    let cases = [
        ("64.50 EUR", Ok(money(6450, "EUR"))),
        ("  64.5   eur ", Ok(money(6450, "EUR"))),
        ("64.50\tEUR", Ok(money(6450, "EUR"))),
        ("1250 JPY", Ok(money(1250, "JPY"))),
        ("1.234 KWD", Ok(money(1234, "KWD"))),
        ("64.505 EUR", Err(MoneyError::Precision)),
        ("12.5 JPY", Err(MoneyError::Precision)),
        ("64,50 EUR", Err(MoneyError::Number)),
        ("64 50 EUR", Err(MoneyError::Number)),
        ("EUR 64.50", Err(MoneyError::Currency)),
        ("64.50EUR", Err(MoneyError::Currency)),
        ("64.50", Err(MoneyError::Currency)),
        ("EUR", Err(MoneyError::Currency)),
        ("", Err(MoneyError::Currency)),
    ];
    for (text, read) in cases {
        assert_eq!(text.parse::<Money>(), read, "{text:?}");
    }
    for json in [
        r#"{"minor":64.5,"currency":"EUR"}"#,
        r#"{"minor":6450.0,"currency":"EUR"}"#,
        r#"{"minor":"6450","currency":"EUR"}"#,
        r#"{"minor":9223372036854775808,"currency":"EUR"}"#,
        r#"{"minor":6450}"#,
    ] {
        assert!(serde_json::from_str::<Money>(json).is_err(), "{json}");
    }
}

/// The files that amounts and rules are made of.
fn money_files() -> Vec<PathBuf> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let names = ["resale.rs", "model/money.rs", "model/percentage.rs"].map(|name| src.join(name));
    let rules = fs::read_dir(src.join("resale")).unwrap().map(|entry| entry.unwrap().path());
    rules.chain(names).collect()
}

/// Whether a source names a type of floats, or writes one of their numbers.
fn has_float(source: &str) -> bool {
    let names =
        identifiers(source).into_iter().any(|name| matches!(name.as_str(), "f16" | "f32" | "f64" | "f128"));
    let code: String = source.lines().filter_map(|line| line.split("//").next()).collect();
    let code = code.split("#[cfg(test)]").next().unwrap();
    let outside_texts: Vec<_> = code.split('"').step_by(2).collect();
    let parts: Vec<_> = outside_texts
        .iter()
        .flat_map(|text| text.split(|c: char| !(c.is_alphanumeric() || "._".contains(c))))
        .collect();
    let is_literal = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_digit())
            && (part.split_once('.').is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()))
                || part.ends_with("f32")
                || part.ends_with("f64"))
    };
    names || parts.into_iter().any(is_literal)
}

#[test]
fn no_amount_and_no_rule_is_a_float() {
    let files = money_files();
    assert!(files.len() > 8, "{files:?}");
    for file in files {
        assert!(!has_float(&fs::read_to_string(&file).unwrap()), "{}", file.display());
    }
    for float in ["x: f64", "let x = a as f32;", "let x = 0.5;", "1f64", "g(1.25)", "Vec<f64>"] {
        assert!(has_float(float), "{float}");
    }
    for none in ["// f64 is none", "\"0.5 f64\"", "a.0.b", "1..2", "x.0", "/// 7.5"] {
        assert!(!has_float(none), "{none}");
    }
}

fn any_currency() -> impl Strategy<Value = (&'static str, u32)> {
    prop::sample::select(currencies())
}

proptest! {
    #[test]
    fn any_amount_comes_back(minor: i64, (code, _) in any_currency()) {
        let amount = money(minor, code);
        prop_assert_eq!(amount.to_string().parse(), Ok(amount.clone()));
        let json = serde_json::to_string(&amount).unwrap();
        prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), amount);
    }

    #[test]
    fn one_decimal_more_than_the_currency_has_is_refused(
        whole in 0_u32..1_000_000, digit in 1_u8..10, (code, exponent) in any_currency()
    ) {
        let text = format!("{whole}.{}{digit} {code}", "0".repeat(exponent as usize));
        prop_assert_eq!(text.parse::<Money>(), Err(MoneyError::Precision));
        let zero = format!("{whole}.{}0 {code}", "0".repeat(exponent as usize));
        prop_assert_eq!(zero.parse(), Ok(money(i64::from(whole) * 10_i64.pow(exponent), code)));
    }

    #[test]
    fn sums_are_exact_or_an_error(one: i64, two: i64, (code, _) in any_currency()) {
        let (a, b) = (money(one, code), money(two, code));
        let fits = |wide: i128| i64::try_from(wide).map(|minor| money(minor, code)).map_err(|_| MoneyError::Range);
        prop_assert_eq!(a.plus(&b), fits(i128::from(one) + i128::from(two)));
        prop_assert_eq!(a.minus(&b), fits(i128::from(one) - i128::from(two)));
        prop_assert_eq!(a.or_less(&b), Ok(money(one.min(two), code)));
    }

    #[test]
    fn two_currencies_are_never_mixed(one: i64, two: i64, (a, _) in any_currency(), (b, _) in any_currency()) {
        prop_assume!(a != b);
        let (one, two) = (money(one, a), money(two, b));
        prop_assert_eq!(one.plus(&two), Err(MoneyError::Mixed));
        prop_assert_eq!(one.minus(&two), Err(MoneyError::Mixed));
        prop_assert_eq!(one.or_less(&two), Err(MoneyError::Mixed));
    }

    #[test]
    fn a_share_is_the_exact_one_rounded_down(minor: i64, ppm: u32, (code, _) in any_currency()) {
        let exact = i128::from(minor) * i128::from(ppm);
        match money(minor, code).share(Percentage { ppm }) {
            Ok(share) => {
                let scaled = i128::from(share.minor) * 1_000_000;
                prop_assert!(scaled <= exact && exact < scaled + 1_000_000);
            }
            Err(error) => {
                prop_assert_eq!(error, MoneyError::Range);
                let whole = exact.div_euclid(1_000_000);
                prop_assert!(i64::try_from(whole).is_err());
            }
        }
    }
}
