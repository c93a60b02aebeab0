//! A ticket as it travels: every documented field, and the whole record as it was written.

use chrono::DateTime;
use url::Url;

use super::raw::{self, Members};
use crate::model::{Money, MoneyError, StaticCode, Symbology, UnidyAmount, UnidyFields};
use crate::remote::bounds;

/// Stands for a currency that neither the ticket nor its category names (Unidy's documents).
pub const DEFAULT_CURRENCY: &str = "EUR";

/// A ticket. A field of an unexpected type counts as absent; the record holds it all the same.
#[derive(Clone, PartialEq, Eq)]
pub struct UnidyTicket {
    /// Opaque: the vendor's own example is no UUID throughout.
    pub id: String,
    /// What it is called.
    pub title: Option<String>,
    /// What it says.
    pub text: Option<String>,
    /// The seller's number; several tickets may share one.
    pub reference: Option<String>,
    /// `active`, `passive`, `inactive`, or what a server adds.
    pub state: Option<String>,
    /// Whether it is paid, in the server's words.
    pub payment_state: Option<String>,
    /// Price in major units, exactly as it was written, without quotes; see [`UnidyTicket::money`].
    pub price: Option<String>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// Where its button leads.
    pub button_cta_url: Option<String>,
    /// A remark.
    pub info_banner: Option<String>,
    /// Seat, where it is a text.
    pub seating: Option<String>,
    /// Place.
    pub venue: Option<String>,
    /// Whether a pass can be made of it; not every server says.
    pub exportable_to_wallet: Option<bool>,
    /// RFC 3339.
    pub starts_at: Option<String>,
    /// RFC 3339.
    pub ends_at: Option<String>,
    /// RFC 3339.
    pub created_at: Option<String>,
    /// RFC 3339.
    pub updated_at: Option<String>,
    /// Whose it is; opaque.
    pub user_id: Option<String>,
    /// Its category; opaque.
    pub ticket_category_id: Option<String>,
    /// Any JSON, as it was written; `None` when the record has no such member.
    pub metadata: Option<String>,
    /// What goes into a pass: any JSON, as it was written; `None` when the record has no such member.
    pub wallet_export: Option<String>,
    record: String,
}

opaque_debug!(UnidyTicket);

impl UnidyTicket {
    /// Reads a record. `None` when it is no object, has no id, or nests deeper than 128 levels.
    pub fn read(record: &str) -> Option<Self> {
        let members = Members::read(record).filter(|_| bounds::check(record.as_bytes()).is_ok())?;
        let (text, written) = (|name| members.text(name), |name| members.written(name).map(str::to_owned));
        Some(Self {
            id: members.label("id").filter(|id| !id.is_empty())?,
            title: text("title"),
            text: text("text"),
            reference: members.label("reference"),
            state: text("state"),
            payment_state: text("payment_state"),
            price: members.raw("price").map(|price| raw::label(price).unwrap_or_else(|| price.to_owned())),
            currency: text("currency"),
            button_cta_url: text("button_cta_url"),
            info_banner: text("info_banner"),
            seating: text("seating"),
            venue: text("venue"),
            exportable_to_wallet: members.flag("exportable_to_wallet"),
            starts_at: text("starts_at"),
            ends_at: text("ends_at"),
            created_at: text("created_at"),
            updated_at: text("updated_at"),
            user_id: members.label("user_id"),
            ticket_category_id: members.label("ticket_category_id"),
            metadata: written("metadata"),
            wallet_export: written("wallet_export"),
            record: record.to_owned(),
        })
    }

    /// The whole record as it was written, unknown members included.
    pub fn record(&self) -> &str {
        &self.record
    }

    /// The price. Its currency is the ticket's, else its category's, else the euro.
    ///
    /// # Errors
    /// [`MoneyError`] when it is no exact amount of that currency.
    pub fn money(&self, category_currency: Option<&str>) -> Result<Option<Money>, MoneyError> {
        let named = |currency: &&str| !currency.is_empty();
        let own = self.currency.as_deref().filter(named);
        let currency = own.or(category_currency.filter(named)).unwrap_or(DEFAULT_CURRENCY);
        self.price.as_deref().map(|price| Money::parse(price, currency)).transpose()
    }

    /// Every amount in the metadata (`{"amount": "100", "currency": "EUR"}`), by its JSON pointer, sorted; those that
    /// cannot be read exactly are left out.
    pub fn amounts(&self) -> Vec<(String, Money)> {
        let mut found = Vec::new();
        if let Some(metadata) = &self.metadata {
            collect_amounts(metadata, "/metadata", &mut found);
        }
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        found
    }

    /// The codes that the ticket carries: `metadata.barcode`, of which nothing tells how it is drawn, then
    /// `wallet_export.qr_code`, where they are texts.
    pub fn static_codes(&self) -> Vec<StaticCode> {
        let code = |json: &Option<String>, name: &str, symbology, source: &str| {
            let text = Members::read(json.as_deref()?)?.text(name).filter(|text| !text.is_empty())?;
            Some(StaticCode { text, symbology, source: source.to_owned() })
        };
        let found = [
            code(&self.metadata, "barcode", Symbology::Undeclared, "metadata.barcode"),
            code(&self.wallet_export, "qr_code", Symbology::Qr, "wallet_export.qr_code"),
        ];
        found.into_iter().flatten().collect()
    }

    /// The seat: `seating`, else `metadata.seat` where that is a text, else its row and seat (`rowLabel` or `row`, `seatLabel`
    /// or `seat`) with a slash between them.
    pub fn seat(&self) -> Option<String> {
        if let Some(seating) = self.seating.as_ref().filter(|seating| !seating.trim().is_empty()) {
            return Some(seating.clone());
        }
        let metadata = Members::read(self.metadata.as_deref()?)?;
        if let Some(seat) = metadata.label("seat") {
            return Some(seat).filter(|seat| !seat.is_empty());
        }
        let seat = metadata.object("seat")?;
        let labels = [first_label(&seat, &["rowLabel", "row"]), first_label(&seat, &["seatLabel", "seat"])];
        let labels: Vec<_> = labels.into_iter().flatten().collect();
        Some(labels.join("/")).filter(|seat| !seat.is_empty())
    }

    /// The part of the venue: `areaLabel` or `block` of the metadata, or of its `seat`.
    pub fn section(&self) -> Option<String> {
        let names = ["areaLabel", "block"];
        let metadata = Members::read(self.metadata.as_deref()?)?;
        first_label(&metadata, &names).or_else(|| first_label(&metadata.object("seat")?, &names))
    }

    /// Where the ticket's button leads: its own address, else its category's; none but an `https` one, for what a server
    /// writes there is opened in a browser.
    pub fn button_url(&self, category_url: Option<&str>) -> Option<Url> {
        let own = self.button_cta_url.as_deref().filter(|url| !url.is_empty());
        let url = Url::parse(own.or(category_url)?).ok()?;
        Some(url).filter(|url| url.scheme() == "https")
    }

    /// All that is typed, as apps see it.
    pub fn fields(&self) -> UnidyFields {
        let time = |text: &Option<String>| unix_seconds(text.as_deref()?);
        let named = self.currency.as_ref().is_some_and(|currency| !currency.is_empty());
        let amounts = self.amounts().into_iter().map(|(pointer, amount)| UnidyAmount { pointer, amount });
        UnidyFields {
            title: self.title.clone(),
            text: self.text.clone(),
            reference: self.reference.clone(),
            state: self.state.clone(),
            payment_state: self.payment_state.clone(),
            price: self.money(None).ok().flatten().filter(|_| named),
            price_text: self.price.clone(),
            currency: self.currency.clone(),
            amounts: amounts.collect(),
            button_url: self.button_url(None).map(String::from),
            info_banner: self.info_banner.clone(),
            seating: self.seating.clone(),
            venue: self.venue.clone(),
            exportable_to_wallet: self.exportable_to_wallet,
            starts_at: self.starts_at_s(),
            ends_at: self.ends_at_s(),
            created_at: time(&self.created_at),
            updated_at: time(&self.updated_at),
            user_id: self.user_id.clone(),
            ticket_category_id: self.ticket_category_id.clone(),
            metadata_json: self.metadata.clone(),
            wallet_export_json: self.wallet_export.clone(),
        }
    }

    /// Start, Unix seconds.
    pub fn starts_at_s(&self) -> Option<i64> {
        unix_seconds(self.starts_at.as_deref()?)
    }

    /// End, Unix seconds.
    pub fn ends_at_s(&self) -> Option<i64> {
        unix_seconds(self.ends_at.as_deref()?)
    }
}

/// Reads an amount such as `{"amount": "100", "currency": "EUR"}`, text or number, exactly.
///
/// # Errors
/// [`MoneyError`].
pub fn iso_amount(json: &str) -> Result<Money, MoneyError> {
    let members = Members::read(json).ok_or(MoneyError::Number)?;
    let currency = members.text("currency").ok_or(MoneyError::Currency)?;
    Money::parse(&members.label("amount").ok_or(MoneyError::Number)?, &currency)
}

fn first_label(members: &Members<'_>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| members.label(name).filter(|label| !label.is_empty()))
}

fn collect_amounts(json: &str, pointer: &str, found: &mut Vec<(String, Money)>) {
    if let Ok(money) = iso_amount(json) {
        found.push((pointer.to_owned(), money));
    } else if let Some(members) = Members::read(json) {
        for (name, value) in members.all() {
            let name = name.replace('~', "~0").replace('/', "~1");
            collect_amounts(value, &format!("{pointer}/{name}"), found);
        }
    } else if let Some(items) = raw::items(json) {
        for (index, item) in items.into_iter().enumerate() {
            collect_amounts(item, &format!("{pointer}/{index}"), found);
        }
    }
}

pub(super) fn unix_seconds(rfc3339: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(rfc3339).ok().map(|time| time.timestamp())
}
