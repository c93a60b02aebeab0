//! A breakdown that a server sends is read only if it adds up.

use proptest::prelude::*;
use serde_json::{Value, json};
use ticket_wallet::model::{Money, MoneyError};
use ticket_wallet::resale::{Breakdown, BreakdownError};

fn eur(minor: i64) -> Value {
    json!({ "minor": minor, "currency": "EUR" })
}

fn whole() -> Value {
    json!({
        "face_value": eur(6400),
        "fees": { "buyer": eur(583), "seller": eur(372) },
        "seller_price": eur(6450),
        "buyer_total": eur(7033),
        "seller_proceeds": eur(6078),
    })
}

fn read(json: &Value) -> Result<Breakdown, String> {
    serde_json::from_str(&json.to_string()).map_err(|error| error.to_string())
}

#[test]
fn one_that_adds_up_is_read_and_written_as_it_was() {
    let breakdown = read(&whole()).unwrap();
    assert_eq!(breakdown.buyer_total, Money { minor: 7033, currency: "EUR".to_owned() });
    assert_eq!(serde_json::to_value(&breakdown).unwrap(), whole());
}

#[test]
fn one_that_does_not_names_what_is_wrong() {
    let cases = [
        ("/buyer_total", eur(7032), "buyer_total: "),
        ("/fees/buyer", eur(584), "buyer_total: "),
        ("/seller_proceeds", eur(6079), "seller_proceeds: "),
        ("/fees/seller", eur(0), "seller_proceeds: "),
        ("/seller_price", eur(6451), "buyer_total: "),
        ("/face_value", eur(-1), "face_value: "),
        ("/face_value", json!({ "minor": 6400, "currency": "USD" }), "fees: "),
        ("/fees/buyer", json!({ "minor": 583, "currency": "USD" }), "fees: "),
        ("/buyer_total", json!({ "minor": 70.33, "currency": "EUR" }), "invalid type: floating point"),
        ("/buyer_total", json!("70.33 EUR"), "invalid type: string"),
        ("/fees", json!(null), "invalid type: null"),
    ];
    for (at, value, said) in cases {
        let mut wrong = whole();
        *wrong.pointer_mut(at).unwrap() = value;
        let error = read(&wrong).unwrap_err();
        assert!(error.starts_with(said), "{at}: {error}");
    }
}

#[test]
fn amounts_out_of_range_are_an_error() {
    let mut huge = whole();
    for at in ["/seller_price", "/buyer_total"] {
        *huge.pointer_mut(at).unwrap() = eur(i64::MAX);
    }
    assert!(read(&huge).unwrap_err().starts_with("fees: the amount is out of range"));
    let money = |minor| Money { minor, currency: "EUR".to_owned() };
    let made = Breakdown::of(money(1), money(i64::MAX), money(1), money(0));
    assert_eq!(made, Err(BreakdownError::Money(MoneyError::Range)));
}

proptest! {
    #[test]
    fn no_amount_can_be_changed_alone(
        price in 1_i64..1_000_000, buyer in 0_i64..10_000, seller_part in 0_i64..100, which in 0_usize..5,
        by in prop_oneof![-1_000_i64..0, 1_i64..1_000]
    ) {
        let money = |minor| Money { minor, currency: "EUR".to_owned() };
        let seller = price * seller_part / 100;
        let right = Breakdown::of(money(6400), money(price), money(buyer), money(seller)).unwrap();
        prop_assert_eq!(read(&serde_json::to_value(&right).unwrap()), Ok(right.clone()));
        let mut wrong = right;
        let amounts = [
            &mut wrong.seller_price, &mut wrong.buyer_fee, &mut wrong.seller_fee, &mut wrong.buyer_total,
            &mut wrong.seller_proceeds,
        ];
        amounts.into_iter().nth(which).unwrap().minor += by;
        prop_assert!(wrong.check().is_err());
        prop_assert!(read(&serde_json::to_value(&wrong).unwrap()).is_err());
    }
}
