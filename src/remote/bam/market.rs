//! The secondary market: an organiser's rules for it (`account/v1/market-control`), what is signed to sell a ticket or to
//! hand it over (`POST event/v1/ticket/transfer`), and `DELETE orderbook/v1/offer/:id`.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::ledger::LedgerTicket;
use super::office::id_value;
use super::raw::record;
use super::wire::{Decimal, Unambiguous, expected, lenient};
use super::{Bam, BamRuleset, BamTicketConfig, TicketPlace, path_id};
use crate::error::Error;
use crate::model::{Money, Percentage};
use crate::remote::{Request, Session};
use crate::resale::{BarcodePolicy, Fee, PriceBasis, PriceRules};

const RULESET: &str = "GET account/v1/market-control/:id";
const TRANSFER: &str = "POST event/v1/ticket/transfer";
const DELETE: &str = "DELETE orderbook/v1/offer/:id";

/// What the server made to be signed for a transfer, checked to hand over what was asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct TransferPayload(pub(super) String);

opaque_debug!(TransferPayload);

#[derive(Deserialize)]
struct WireTransfers {
    data: Vec<WireTransfer>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireTransfer {
    #[serde(deserialize_with = "lenient")]
    seq_num: Option<i64>,
    #[serde(deserialize_with = "lenient")]
    ticket_config: Option<BamTicketConfig>,
    #[serde(deserialize_with = "lenient")]
    new_owner_id: Option<String>,
}

impl BamRuleset {
    /// Whether its rules are in force: a draft's are not.
    fn counts(&self) -> bool {
        !self.status.as_deref().is_some_and(|status| status.eq_ignore_ascii_case("draft"))
    }

    /// Whether the organiser lets tickets be handed over.
    pub fn allows_transfer(&self) -> bool {
        self.counts() && self.transfer_enabled != Some(false)
    }

    /// What a ticket of a configuration may be sold for.
    ///
    /// # Errors
    /// [`Error::Reply`] naming the member that is no amount, no percentage or missing.
    pub fn price_rules(&self, config: &BamTicketConfig) -> Result<PriceRules, Error> {
        let currency = config.currency.clone().ok_or_else(|| unreadable("ticket_config.currency"))?;
        let face_value = config.face_value.as_ref().map(|value| amount(value, &currency, "face_value"));
        let face_value = face_value.transpose()?;
        let over = self.price_limit_percentage.as_ref();
        let over = over.map(|over| percentage(over, "price_limit_percentage")).transpose()?;
        let fixed = self.price_limit_fixed.as_ref();
        let fixed = fixed.map(|fixed| amount(fixed, &currency, "price_limit_fixed")).transpose()?;
        // A limit of nothing beside another one is not set.
        let both = over.is_some_and(|over| over.ppm > 0) && fixed.as_ref().is_some_and(|it| it.minor == 0);
        let fixed = fixed.filter(|_| !both);
        let over = over.filter(|over| over.ppm > 0 || fixed.as_ref().is_none_or(|fixed| fixed.minor == 0));
        let out_of_range = || unreadable("price_limit_percentage");
        let cap_percent =
            over.map(|over| Percentage::WHOLE.ppm.checked_add(over.ppm).ok_or_else(out_of_range));
        let cap_minor = match (&face_value, fixed) {
            (Some(face), Some(fixed)) => {
                Some(face.plus(&fixed).map_err(|_| unreadable("price_limit_fixed"))?.minor)
            }
            _ => None,
        };
        let fee_percent = self.fee_percentage.as_ref().map(|fee| percentage(fee, "fee_percentage"));
        let fee_fixed = self.fee_fixed.as_ref().map(|fee| amount(fee, &currency, "fee_fixed"));
        let allowed = self.resale_enabled == Some(true) && self.counts();
        Ok(PriceRules {
            allowed,
            reason: (!allowed).then(|| "the organiser has not opened resale".to_owned()),
            currency: face_value.as_ref().map_or(currency, |face| face.currency.clone()),
            face_value,
            total_paid: None,
            basis: PriceBasis::FaceValue,
            cap_percent: cap_percent.transpose()?.map(|ppm| Percentage { ppm }),
            cap_minor,
            min_minor: None,
            seller_fee: Fee {
                percent: fee_percent.transpose()?.unwrap_or_default(),
                fixed_minor: fee_fixed.transpose()?.map_or(0, |fee| fee.minor),
            },
            buyer_fee: Fee::default(),
            barcode_while_listed: BarcodePolicy::Shown,
            closes_at: None,
        })
    }
}

fn amount(value: &Decimal, currency: &str, field: &str) -> Result<Money, Error> {
    Money::parse(value.as_str(), currency).map_err(|_| unreadable(field))
}

fn percentage(value: &Decimal, field: &str) -> Result<Percentage, Error> {
    value.as_str().parse().map_err(|_| unreadable(field))
}

fn unreadable(field: &str) -> Error {
    Error::Reply { endpoint: RULESET.to_owned(), field: format!("data.{field}") }
}

impl Bam {
    /// An organiser's rules for the secondary market.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`]; [`Error::Input`] naming `id`.
    pub async fn ruleset(&self, session: &Session, id: &str) -> Result<BamRuleset, Error> {
        let url = self.global(&format!("account/v1/market-control/{}", path_id(id)?))?;
        let reply = session.send(&self.http, self, || Request::get(url.clone(), RULESET)).await?;
        BamRuleset::read(record(&reply)?.get()).ok_or_else(|| reply.unreadable("data"))
    }

    /// What is to be signed to hand one ticket over to an enrolment. Nothing is handed over by it. What the server makes is
    /// taken only if it hands over this ticket, to this enrolment, and every reader reads that in it.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`]; [`Error::Untrusted`] for a transfer of anything else.
    pub async fn transfer_payload(
        &self,
        session: &Session,
        (tenant, id): TicketPlace<'_>,
        ticket: &LedgerTicket,
        new_owner: &str,
    ) -> Result<TransferPayload, Error> {
        let url = self.tenant_url(tenant, "event/v1/ticket/transfer")?;
        let body: Value = json!({ "ids": [id_value(id)], "new_owner_id": new_owner });
        let reply = session.send(&self.http, self, || Request::post(url.clone(), TRANSFER, &body)).await?;
        let payload = record(&reply)?;
        let transfers = read_transfers(&payload).ok_or_else(|| reply.unreadable("data"))?;
        match transfers.as_slice() {
            [one] if one.is_of(ticket, new_owner) && Unambiguous::is(&payload) => {
                Ok(TransferPayload(payload.get().to_owned()))
            }
            _ => Err(Error::Untrusted {
                what: "the server gave another transfer to be signed than was asked for",
            }),
        }
    }

    /// Takes an offer back.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], with 404 for an offer that is not there any more; [`Error::Input`] naming `id`.
    pub async fn delete_offer(&self, session: &Session, (tenant, id): TicketPlace<'_>) -> Result<(), Error> {
        let url = self.tenant_url(tenant, &format!("orderbook/v1/offer/{}", path_id(id)?))?;
        let reply = session.send(&self.http, self, || Request::delete(url.clone(), DELETE)).await?;
        if reply.is_success() { Ok(()) } else { Err(reply.error()) }
    }
}

/// The transfers of a payload, be they a list or a list in `data`.
fn read_transfers(payload: &RawValue) -> Option<Vec<WireTransfer>> {
    let wrapped = serde_json::from_str::<WireTransfers>(payload.get()).ok().map(|wrapped| wrapped.data);
    wrapped.or_else(|| expected(payload.get()))
}

impl WireTransfer {
    fn is_of(&self, ticket: &LedgerTicket, new_owner: &str) -> bool {
        let config = self.ticket_config.as_ref();
        let event = config.and_then(|config| config.event.as_ref()?.id.as_deref());
        self.seq_num == Some(ticket.seq_num)
            && config.and_then(|config| config.id.as_deref()) == Some(&ticket.ticket_config_id)
            && event == Some(&ticket.event_id)
            && self.new_owner_id.as_deref() == Some(new_owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resale::{PriceCap, PriceError};

    fn config() -> BamTicketConfig {
        BamTicketConfig::read(r#"{"id":7,"face_value":64.00,"currency":"EUR"}"#).unwrap()
    }

    fn rules(json: &str) -> Result<PriceRules, Error> {
        BamRuleset::read(json).unwrap().price_rules(&config())
    }

    fn eur(minor: i64) -> Money {
        Money { minor, currency: "EUR".to_owned() }
    }

    #[test]
    fn limits_are_over_the_face_value_and_the_lower_one_counts() {
        let cap = |limits: &str| match rules(&format!(r#"{{"resale_enabled":true,{limits}}}"#)).unwrap().cap()
        {
            Ok(PriceCap::At { amount }) => amount.minor,
            Ok(PriceCap::None) => -1,
            other => panic!("{other:?}"),
        };
        assert_eq!(cap(r#""price_limit_percentage":10"#), 7040);
        assert_eq!(cap(r#""price_limit_percentage":"7.5","price_limit_fixed":null"#), 6880);
        assert_eq!(cap(r#""price_limit_fixed":5.50"#), 6950);
        assert_eq!(cap(r#""price_limit_percentage":10,"price_limit_fixed":5.5"#), 6950);
        assert_eq!(cap(r#""price_limit_percentage":5,"price_limit_fixed":5.5"#), 6720);
        assert_eq!(cap(r#""price_limit_percentage":10,"price_limit_fixed":0"#), 7040);
        assert_eq!(cap(r#""price_limit_percentage":0,"price_limit_fixed":5.5"#), 6950);
        assert_eq!(cap(r#""price_limit_percentage":0,"price_limit_fixed":0"#), 6400);
        assert_eq!(cap(r#""price_limit_percentage":0"#), 6400);
        assert_eq!(cap(r#""fee_fixed":1"#), -1);
    }

    #[test]
    fn fees_are_the_sellers() {
        let rules =
            rules(r#"{"resale_enabled":true,"fee_percentage":2.5,"fee_fixed":"0.50","status":"published"}"#);
        let preview = rules.unwrap().preview(&eur(6450), 0).unwrap();
        assert_eq!((preview.buyer_total, preview.seller_proceeds), (eur(6450), eur(6450 - 161 - 50)));
    }

    #[test]
    fn what_is_not_opened_is_not_allowed() {
        for closed in [
            "{}",
            r#"{"resale_enabled":false}"#,
            r#"{"resale_enabled":true,"status":"draft"}"#,
            r#"{"resale_enabled":"perhaps"}"#,
        ] {
            let error = rules(closed).unwrap().check(&eur(1), 0).unwrap_err();
            assert!(matches!(error, PriceError::NotAllowed { reason: Some(_) }), "{closed}");
        }
        let transfer = |json: &str| BamRuleset::read(json).unwrap().allows_transfer();
        assert!(transfer("{}") && transfer(r#"{"transfer_enabled":true,"status":"updated"}"#));
        assert!(!transfer(r#"{"transfer_enabled":false}"#));
        assert!(!transfer(r#"{"transfer_enabled":true,"status":"Draft"}"#));
    }

    #[test]
    fn what_is_no_amount_is_named() {
        for (json, field) in [
            (r#"{"price_limit_fixed":5.505}"#, "data.price_limit_fixed"),
            (r#"{"price_limit_percentage":-1}"#, "data.price_limit_percentage"),
            (r#"{"price_limit_percentage":429496}"#, "data.price_limit_percentage"),
            (r#"{"fee_percentage":0.12345}"#, "data.fee_percentage"),
            (r#"{"fee_fixed":1e300}"#, "data.fee_fixed"),
        ] {
            let Err(Error::Reply { field: named, .. }) = rules(json) else { panic!("{json}") };
            assert_eq!(named, field);
        }
        let unpriced = BamTicketConfig::read(r#"{"id":7,"face_value":64}"#).unwrap();
        let refused = BamRuleset::default().price_rules(&unpriced).unwrap_err();
        assert_eq!(refused, unreadable("ticket_config.currency"));
    }

    #[test]
    fn only_the_transfer_that_was_asked_for_is_taken() {
        let ticket = LedgerTicket { event_id: "9".to_owned(), ticket_config_id: "7".to_owned(), seq_num: 3 };
        let one = r#"{"seq_num":3,"ticket_config":{"id":7,"event":{"id":9}},"new_owner_id":"e-2"}"#;
        let is_it = |json: &str| {
            let payload: Box<RawValue> = serde_json::from_str(json).unwrap();
            read_transfers(&payload).is_some_and(|all| matches!(&all[..], [it] if it.is_of(&ticket, "e-2")))
        };
        assert!(is_it(&format!(r#"{{"data":[{one}]}}"#)) && is_it(&format!("[{one}]")));
        for other in [
            format!(r#"{{"data":[{one},{one}]}}"#),
            r#"{"data":[]}"#.to_owned(),
            "{}".to_owned(),
            "7".to_owned(),
            format!("[{}]", one.replace("\"seq_num\":3", "\"seq_num\":4")),
            format!("[{}]", one.replace("{\"id\":9}", "{\"id\":8}")),
            format!("[{}]", one.replace("\"id\":7", "\"id\":6")),
            format!("[{}]", one.replace("e-2", "e-3")),
            format!("[{}]", one.replace("seq_num", "seqNum")),
        ] {
            assert!(!is_it(&other), "{other}");
        }
    }
}
