//! B.A.M's records as they travel: every documented field and relation, all optional but the ids, because a reply
//! holds what was asked for. A field of an unexpected type counts as absent; the whole record is kept beside it. Ids are
//! texts, whether they came as such or as numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{DeserializeOwned, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::model::Money;

#[derive(Deserialize)]
pub(super) struct Data<T> {
    pub(super) data: T,
}

#[derive(Deserialize)]
pub(super) struct TokenPair {
    pub(super) token: String,
    #[serde(default)]
    pub(super) refresh_token: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Organizer {
    pub(super) organization_name: String,
}

macro_rules! records {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Default, PartialEq, Deserialize)]
            #[serde(default)]
            pub struct $name {
                $($(#[$field_doc])* #[serde(deserialize_with = "lenient")] pub $field: Option<$type>,)*
            }

            opaque_debug!($name);

            impl $name {
                /// Reads a record; `None` when it is no object. Of members with one name the last counts.
                pub fn read(json: &str) -> Option<Self> {
                    expected(json)
                }
            }
        )*
    };
}

records! {
    /// A ticket.
    BamTicket {
        /// Unique within its tenant.
        id: String,
        /// Number within its ticket configuration.
        seq_num: i64,
        /// `draft`, `available`, `reserved`, `confirmed`, `issued`, `activated`, `invalidated`, `unavailable`, …
        status: String,
        /// State of the identity check.
        kyc_status: String,
        /// The owner's enrolment; only with `with_enrollment_id`.
        enrollment_id: String,
        /// Seat.
        seat_id: String,
        /// `PDF`, `SECURE`, `PKPASS`, …
        format: String,
        /// RFC 3339.
        updated_at: String,
        /// Relation `ticket_config`.
        ticket_config: Box<BamTicketConfig>,
        /// Relation `sector`.
        sector: Box<BamSector>,
        /// Relation `timeslot`.
        timeslot: Box<BamTimeslot>,
        /// Relation `ticket_holder`.
        ticket_holder: Box<BamTicketHolder>,
        /// Relation `ticket_discount`.
        ticket_discount: Vec<BamTicketDiscount>,
        /// Relation `ticket_asset`.
        ticket_asset: Box<BamTicketAsset>,
        /// Relation `order_item`, as it came.
        order_item: Value,
    }

    /// What kind of ticket it is, and how it is sold.
    BamTicketConfig {
        /// Id.
        id: String,
        /// Name.
        name: String,
        /// Description.
        description: String,
        /// How many there are.
        quantity: i64,
        /// How many are left.
        available_tickets: i64,
        /// RFC 3339.
        start_sale_at: String,
        /// RFC 3339.
        end_sale_at: String,
        /// RFC 3339.
        tickets_valid_from: String,
        /// RFC 3339.
        tickets_valid_to: String,
        /// Face value in major units, exactly as it came.
        face_value: Decimal,
        /// ISO 4217.
        currency: String,
        /// Tax rate, exactly as it came.
        tax_rate: Decimal,
        /// Whether the face value includes tax.
        tax_included: bool,
        /// Whether the organizer bears the fees.
        absorb_fees: bool,
        /// `paid`, `free`, `donation`.
        pricing_type: String,
        /// How many one user may own.
        tickets_per_user: i64,
        /// Rules of resale.
        secondary_market_ruleset_id: String,
        /// Picture.
        image_uri: String,
        /// Film.
        video_uri: String,
        /// Small picture.
        thumbnail_uri: String,
        /// Questions to the holder.
        questionnaire_id: String,
        /// `draft`, `updated`, `committed`, `published`.
        status: String,
        /// Whether it is offered.
        visible: bool,
        /// Layout of its PDF.
        pdf_template_id: String,
        /// RFC 3339.
        created_at: String,
        /// Relation `ticket_config.event`.
        event: Box<BamEvent>,
        /// Relation `ticket_config.ticket_type`.
        ticket_type: Box<BamTicketType>,
        /// Relation `ticket_config.ticket_discount`.
        ticket_discount: Vec<BamTicketDiscount>,
        /// Relation `ticket_config.promo_section`, as it came.
        promo_section: Value,
        /// Relation `ticket_config.depends_on`, as it came.
        depends_on: Value,
    }

    /// An event.
    BamEvent {
        /// Unique within its tenant.
        id: String,
        /// Name.
        name: String,
        /// Description.
        description: String,
        /// Place.
        location: String,
        /// RFC 3339.
        start_at: String,
        /// RFC 3339.
        end_at: String,
        /// RFC 3339.
        gate_time: String,
        /// Hours before the start in which tickets can be activated.
        ticket_activation_period: Decimal,
        /// Whether a server at the venue validates.
        local_ticket_validation: bool,
        /// That server.
        local_validation_server_url: String,
        /// IANA name.
        timezone_name: String,
        /// Level of the identity check.
        kyc_level_id: String,
        /// `draft`, `committed`, `published`, `updated`, `canceled`.
        status: String,
        /// Whose event it is; leads to the tenant.
        organizer_id: String,
    }

    /// An organiser's rules for the secondary market.
    BamRuleset {
        /// Id.
        id: String,
        /// Name.
        name: String,
        /// How much more than the face value a ticket may cost, in percent of it.
        price_limit_percentage: Decimal,
        /// The same as an amount in major units.
        price_limit_fixed: Decimal,
        /// What is taken from the seller, in major units.
        fee_fixed: Decimal,
        /// The same in percent of the price.
        fee_percentage: Decimal,
        /// Whether tickets may be handed over.
        transfer_enabled: bool,
        /// Whether tickets may be sold.
        resale_enabled: bool,
        /// Whose rules they are.
        organizer_id: String,
        /// `draft`, `published`, `updated`.
        status: String,
    }

    /// A part of the venue.
    BamSector {
        /// Id.
        id: String,
        /// Name.
        name: String,
        /// Places.
        capacity: i64,
        /// Held.
        reserved_tickets: i64,
        /// Left.
        available_tickets: i64,
        /// Relation `sector.ticket_config`.
        ticket_config: Vec<BamTicketConfig>,
    }

    /// A time in which a ticket lets in.
    BamTimeslot {
        /// Id.
        id: String,
        /// Name.
        name: String,
        /// Places.
        capacity: i64,
        /// RFC 3339.
        start_at: String,
        /// RFC 3339.
        end_at: String,
    }

    /// The person on the ticket.
    BamTicketHolder {
        /// Id.
        id: String,
        /// First name.
        first_name: String,
        /// Last name.
        last_name: String,
        /// E-mail address.
        email: String,
        /// Relation `ticket_holder.address`, as it came.
        address: Value,
        /// Answers to the questionnaire, as they came.
        response: Value,
    }

    /// A discount.
    BamTicketDiscount {
        /// Id.
        id: String,
        /// Name.
        name: String,
        /// Amount or rate, exactly as it came.
        value: Decimal,
    }

    /// A type of ticket.
    BamTicketType {
        /// Id.
        id: String,
        /// Name.
        name: String,
    }

    /// A picture or file of a ticket.
    BamTicketAsset {
        /// Id.
        id: String,
        /// Where it is.
        uri: String,
    }
}

/// A number exactly as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal(String);

impl Decimal {
    /// The number as JSON writes it (RFC 8259, section 6).
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Box::<RawValue>::deserialize(deserializer)?;
        let number = value.get().starts_with(|c: char| c == '-' || c.is_ascii_digit());
        if number { Ok(Self(value.get().to_owned())) } else { Err(serde::de::Error::custom("not a number")) }
    }
}

impl BamTicketConfig {
    /// The face value; `None` where it or its currency is absent, or it has fractions of the currency's smallest unit.
    pub fn price(&self) -> Option<Money> {
        Money::parse(self.face_value.as_ref()?.as_str(), self.currency.as_deref()?).ok()
    }
}

/// JSON in which no object has two members whose names differ in case at most: readers disagree on which of them counts.
pub(super) struct Unambiguous;

impl Unambiguous {
    pub(super) fn is(json: &RawValue) -> bool {
        serde_json::from_str::<Self>(json.get()).is_ok()
    }
}

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Unambiguous {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("names of which no two differ in case at most")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if !names.insert(name.to_lowercase()) {
                return Err(serde::de::Error::invalid_value(Unexpected::Str(&name), &self));
            }
            members.next_value::<Self>()?;
        }
        Ok(self)
    }
}

/// A value of the expected type, or none. Ids and the like come as numbers or as strings of digits.
pub(super) fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value = Box::<RawValue>::deserialize(deserializer)?;
    Ok(expected(value.get()))
}

pub(super) fn expected<T: DeserializeOwned>(json: &str) -> Option<T> {
    let as_it_is = || serde_json::from_str(json).ok().or_else(|| last_of_each_name(json));
    match json.as_bytes().first()? {
        b'"' => as_it_is().or_else(|| serde_json::from_str(&serde_json::from_str::<String>(json).ok()?).ok()),
        b'-' | b'0'..=b'9' => as_it_is().or_else(|| T::deserialize(Value::String(json.to_owned())).ok()),
        b'n' => None,
        b'[' if is_record::<T>() => None,
        _ => as_it_is(),
    }
}

/// Of members with one name the last counts, which serde leaves undecided.
fn last_of_each_name<T: DeserializeOwned>(json: &str) -> Option<T> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(json).ok()?;
    serde_json::from_str(&serde_json::to_string(&members).ok()?).ok()
}

/// Whether a type has members that all may be absent: serde would read one from a list as well, by position.
fn is_record<T: DeserializeOwned>() -> bool {
    serde_json::from_str::<T>("{}").is_ok() && serde_json::from_str::<T>("7").is_err()
}
