//! B.A.M's records as they travel: every documented field and relation, all optional but the ids, because a reply
//! holds what was asked for. A field of an unexpected type counts as absent; the whole record is kept beside it.

use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value};

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

#[derive(Deserialize)]
pub(super) struct TicketList {
    pub(super) data: Vec<Value>,
    #[serde(default)]
    pub(super) paging: Option<Paging>,
}

#[derive(Deserialize)]
pub(super) struct Paging {
    pub(super) total: i64,
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
        )*
    };
}

records! {
    /// A ticket.
    BamTicket {
        /// Unique within its tenant.
        id: i64,
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
        id: i64,
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
        face_value: Number,
        /// ISO 4217.
        currency: String,
        /// Tax rate, exactly as it came.
        tax_rate: Number,
        /// Whether the face value includes tax.
        tax_included: bool,
        /// Whether the organizer bears the fees.
        absorb_fees: bool,
        /// `paid`, `free`, `donation`.
        pricing_type: String,
        /// How many one user may own.
        tickets_per_user: i64,
        /// Rules of resale.
        secondary_market_ruleset_id: i64,
        /// Picture.
        image_uri: String,
        /// Film.
        video_uri: String,
        /// Small picture.
        thumbnail_uri: String,
        /// Questions to the holder.
        questionnaire_id: i64,
        /// `draft`, `updated`, `committed`, `published`.
        status: String,
        /// Whether it is offered.
        visible: bool,
        /// Layout of its PDF.
        pdf_template_id: i64,
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
        id: i64,
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
        ticket_activation_period: Number,
        /// Whether a server at the venue validates.
        local_ticket_validation: bool,
        /// That server.
        local_validation_server_url: String,
        /// IANA name.
        timezone_name: String,
        /// Level of the identity check.
        kyc_level_id: i64,
        /// `draft`, `committed`, `published`, `updated`, `canceled`.
        status: String,
        /// Whose event it is; leads to the tenant.
        organizer_id: i64,
    }

    /// A part of the venue.
    BamSector {
        /// Id.
        id: i64,
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
        id: i64,
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
        id: i64,
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
        id: i64,
        /// Name.
        name: String,
        /// Amount or rate, exactly as it came.
        value: Number,
    }

    /// A type of ticket.
    BamTicketType {
        /// Id.
        id: i64,
        /// Name.
        name: String,
    }

    /// A picture or file of a ticket.
    BamTicketAsset {
        /// Id.
        id: i64,
        /// Where it is.
        uri: String,
    }
}

/// A value of the expected type, or none. Ids and the like come as numbers or as strings of digits.
fn lenient<'de, D: Deserializer<'de>, T: for<'a> Deserialize<'a>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(T::deserialize(&value).ok().or_else(|| match &value {
        Value::String(text) => serde_json::from_str(text).ok(),
        Value::Number(number) => serde_json::from_value(Value::String(number.to_string())).ok(),
        _ => None,
    }))
}
