//! What a ticket may be sold for, and what that comes to.

use proptest::prelude::*;
use ticket_wallet::model::{Money, MoneyError, Percentage};
use ticket_wallet::resale::{
    BarcodePolicy, Breakdown, BreakdownError, Fee, PriceBasis, PriceCap, PriceError, PriceRules,
};

fn eur(minor: i64) -> Money {
    Money { minor, currency: "EUR".to_owned() }
}

fn percent(text: &str) -> Percentage {
    text.parse().unwrap()
}

/// A face value of 64.00 that cost 70.40 with fees, sold for a tenth more than the face value at most.
fn rules() -> PriceRules {
    PriceRules {
        allowed: true,
        reason: None,
        currency: "EUR".to_owned(),
        face_value: Some(eur(6400)),
        total_paid: Some(eur(7040)),
        basis: PriceBasis::FaceValue,
        cap_percent: Some(percent("110")),
        cap_minor: None,
        min_minor: None,
        seller_fee: Fee { percent: percent("5"), fixed_minor: 50 },
        buyer_fee: Fee { percent: percent("7.5"), fixed_minor: 100 },
        barcode_while_listed: BarcodePolicy::Hidden,
        closes_at: Some(1_000),
    }
}

fn cap(rules: &PriceRules) -> PriceCap {
    rules.cap().unwrap()
}

fn at(minor: i64) -> PriceCap {
    PriceCap::At { amount: eur(minor) }
}

#[test]
fn the_cap_is_of_the_basis_or_an_amount_and_the_lower_of_two() {
    let capped = |basis, cap_percent: Option<&str>, cap_minor| {
        cap(&PriceRules { basis, cap_percent: cap_percent.map(percent), cap_minor, ..rules() })
    };
    let (face, paid) = (PriceBasis::FaceValue, PriceBasis::TotalPaid);
    let other = PriceBasis::from_text("phase_of_the_moon");
    assert_eq!(capped(face.clone(), None, None), PriceCap::None);
    assert_eq!(capped(face.clone(), Some("110"), None), at(7040));
    assert_eq!(capped(paid.clone(), Some("110"), None), at(7744));
    assert_eq!(capped(face.clone(), None, Some(6500)), at(6500));
    assert_eq!(capped(face.clone(), Some("110"), Some(6500)), at(6500));
    assert_eq!(capped(face.clone(), Some("100"), Some(6500)), at(6400));
    assert_eq!(capped(face, Some("0"), None), at(0));
    // A percentage of what is not known is not guessed, whatever else is known.
    assert_eq!(capped(other, Some("110"), Some(6500)), PriceCap::Unknown);
    assert_eq!(cap(&PriceRules { total_paid: None, basis: paid, ..rules() }), PriceCap::Unknown);
    assert_eq!(PriceBasis::from_text("phase_of_the_moon").as_text(), "phase_of_the_moon");
}

#[test]
fn caps_round_down() {
    let of = |face, text| {
        cap(&PriceRules { face_value: Some(eur(face)), cap_percent: Some(percent(text)), ..rules() })
    };
    assert_eq!(of(6_399, "110"), at(7_038)); // 7038.9
    assert_eq!(of(1, "199.9999"), at(1));
    assert_eq!(of(333, "33.3333"), at(110)); // 110.999889
}

#[test]
fn a_price_is_checked_against_everything_that_is_known() {
    let check = |rules: PriceRules, minor, now| rules.check(&eur(minor), now);
    assert_eq!(check(rules(), 7040, 999), Ok(()));
    assert_eq!(check(rules(), 0, 0), Ok(()));
    assert_eq!(check(rules(), 7041, 0), Err(PriceError::TooHigh { cap: eur(7040) }));
    assert_eq!(check(rules(), -1, 0), Err(PriceError::TooLow { minimum: eur(0) }));
    assert_eq!(check(rules(), 7040, 1_000), Err(PriceError::Closed));
    let least = PriceRules { min_minor: Some(500), ..rules() };
    assert_eq!(check(least.clone(), 500, 0), Ok(()));
    assert_eq!(check(least, 499, 0), Err(PriceError::TooLow { minimum: eur(500) }));
    let reason = Some("this organiser has no resale".to_owned());
    let barred = PriceRules { allowed: false, reason: reason.clone(), ..rules() };
    let error = check(barred, 1, 0).unwrap_err();
    assert_eq!(error.to_string(), "the ticket may not be sold: this organiser has no resale");
    assert_eq!(error, PriceError::NotAllowed { reason });
    let yen = Money { minor: 1, currency: "JPY".to_owned() };
    assert_eq!(rules().check(&yen, 0), Err(PriceError::WrongCurrency { currency: "EUR".to_owned() }));
    // Where the cap is not known here, and where there is no time, the server says.
    let unknown = PriceRules { total_paid: None, basis: PriceBasis::TotalPaid, ..rules() };
    assert_eq!(check(unknown, 99_999_999, 0), Ok(()));
    assert_eq!(check(PriceRules { closes_at: None, ..rules() }, 1, i64::MAX), Ok(()));
}

#[test]
fn a_basis_of_another_currency_is_refused() {
    let dollars = Some(Money { minor: 6400, currency: "USD".to_owned() });
    let mixed = PriceRules { face_value: dollars, ..rules() };
    assert_eq!(mixed.cap(), Err(MoneyError::Mixed));
    assert_eq!(mixed.check(&eur(1), 0), Err(PriceError::Amounts(BreakdownError::Money(MoneyError::Mixed))));
}

#[test]
fn a_preview_tells_what_either_side_pays_and_gets() {
    let preview = rules().preview(&eur(6450), 0).unwrap();
    let expected = Breakdown {
        face_value: eur(6400),
        seller_price: eur(6450),
        buyer_fee: eur(583),  // 483.75 down, and 1.00
        seller_fee: eur(372), // 322.5 down, and 0.50
        buyer_total: eur(7033),
        seller_proceeds: eur(6078),
    };
    assert_eq!(preview, expected);
    assert_eq!(preview.fees(), Ok(eur(955)));
    let unknown = PriceRules { face_value: None, cap_percent: None, ..rules() };
    assert_eq!(unknown.preview(&eur(6450), 0), Err(PriceError::NoFaceValue));
    assert_eq!(rules().preview(&eur(7041), 0), Err(PriceError::TooHigh { cap: eur(7040) }));
}

#[test]
fn fees_that_leave_nothing_and_amounts_out_of_range_are_refused() {
    let amounts = |error| Err(PriceError::Amounts(error));
    // 0.52 of fees on a price of 0.40.
    assert_eq!(rules().preview(&eur(40), 0), amounts(BreakdownError::Negative("seller_proceeds")));
    let free = PriceRules { cap_percent: None, ..rules() };
    assert_eq!(free.preview(&eur(i64::MAX), 0), amounts(BreakdownError::Money(MoneyError::Range)));
    let paying = PriceRules { buyer_fee: Fee { fixed_minor: -900, ..Fee::default() }, ..rules() };
    assert_eq!(paying.preview(&eur(6450), 0), amounts(BreakdownError::Negative("buyer_fee")));
}

proptest! {
    #[test]
    fn what_the_cap_allows_is_taken_and_one_more_is_not(
        face in 0_i64..1_000_000_000_000, ppm in 0_u32..5_000_000
    ) {
        let rules = PriceRules {
            face_value: Some(eur(face)), cap_percent: Some(Percentage { ppm }), closes_at: None, ..rules()
        };
        let PriceCap::At { amount } = rules.cap().unwrap() else { panic!("a cap") };
        let exact = i128::from(face) * i128::from(ppm);
        prop_assert!(i128::from(amount.minor) * 1_000_000 <= exact);
        prop_assert!((i128::from(amount.minor) + 1) * 1_000_000 > exact);
        prop_assert_eq!(rules.check(&amount, 0), Ok(()));
        let more = eur(amount.minor + 1);
        prop_assert_eq!(rules.check(&more, 0), Err(PriceError::TooHigh { cap: amount }));
    }

    #[test]
    fn every_preview_adds_up(
        price in 0_i64..1_000_000_000, seller_ppm in 0_u32..1_500_000, buyer_ppm in 0_u32..1_500_000,
        seller_minor in 0_i64..10_000, buyer_minor in 0_i64..10_000
    ) {
        let rules = PriceRules {
            cap_percent: None,
            seller_fee: Fee { percent: Percentage { ppm: seller_ppm }, fixed_minor: seller_minor },
            buyer_fee: Fee { percent: Percentage { ppm: buyer_ppm }, fixed_minor: buyer_minor },
            ..rules()
        };
        match rules.preview(&eur(price), 0) {
            Ok(it) => {
                prop_assert_eq!(it.check(), Ok(()));
                prop_assert_eq!(it.buyer_total.minor - it.seller_proceeds.minor, it.fees().unwrap().minor);
                prop_assert_eq!(it.fees(), it.buyer_fee.plus(&it.seller_fee));
                prop_assert!(it.seller_proceeds.minor >= 0 && it.buyer_total.minor >= it.seller_price.minor);
            }
            Err(error) => {
                prop_assert_eq!(error, PriceError::Amounts(BreakdownError::Negative("seller_proceeds")));
                let fee = rules.seller_fee.on(&eur(price)).unwrap();
                prop_assert!(fee.minor > price);
            }
        }
    }
}
