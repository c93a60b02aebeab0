//! TEXPO: how it is reached, and its catalogue of tickets to buy.

use super::money::Money;

/// How an account of TEXPO is signed in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum TexpoSignIn {
    /// At the adminserver, `POST /auth/login`: network managers, and others whom it knows.
    #[default]
    Adminserver,
    /// At the user API, `POST /api/v1/auth/signin`: ticket holders alone.
    UserApi,
}

/// How times are written in requests. Replies are read in each of these ways.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum TexpoTimestamps {
    /// A number of seconds since 1970: `1795219200`.
    #[default]
    UnixSeconds,
    /// A number of milliseconds since 1970: `1795219200000`.
    UnixMilliseconds,
    /// A text in UTC (RFC 3339): `"2026-11-21T00:00:00Z"`.
    Iso,
}

/// What TEXPO's documents leave open.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, uniffi::Record)]
#[serde(default)]
pub struct TexpoConfig {
    /// The network to act in; the network header is left out without it.
    #[uniffi(default = None)]
    pub network_id: Option<String>,
    /// The header that names the network; `X-Network-Id` without it. Signing in at the user API takes `X-Network`,
    /// whatever stands here.
    #[uniffi(default = None)]
    pub network_header: Option<String>,
    /// Where the account is signed in.
    pub sign_in: TexpoSignIn,
    /// How times are written.
    pub timestamps: TexpoTimestamps,
    /// Path of the adminserver's methods; `jsonRpc` without it.
    #[uniffi(default = None)]
    pub rpc_prefix: Option<String>,
    /// Path of the adminserver's sign-in; `auth` without it.
    #[uniffi(default = None)]
    pub auth_prefix: Option<String>,
    /// Address of the holders' API, `https://api.example.org`; the adminserver's own without it.
    #[uniffi(default = None)]
    pub holder_url: Option<String>,
    /// Path of the holders' API; `api/v0` without it.
    #[uniffi(default = None)]
    pub holder_prefix: Option<String>,
    /// Path of the user API's sign-in; `api/v1/auth` without it.
    #[uniffi(default = None)]
    pub user_auth_prefix: Option<String>,
    /// Whether purchased tickets are asked for by `POST rpc/ticket.getPurchasedTickets`. The documents have this method over
    /// a websocket only; without it a sync brings no tickets of the account.
    #[uniffi(default = true)]
    pub purchased_tickets: bool,
    /// Whether `error.status` of a reply is `true` for a success instead of for a failure. A code other than 0 is a failure
    /// either way.
    #[uniffi(default = false)]
    pub status_true_is_success: bool,
    /// Error codes by which the server refuses a missing permission, beside 403.
    #[uniffi(default = [])]
    pub permission_codes: Vec<i64>,
    /// Whether a list without its member `tickets` says that the catalogue is empty. Otherwise it says nothing: an entry
    /// is then neither made, for it might replace another, nor is a lost answer found out by it.
    #[uniffi(default = false)]
    pub no_list_is_empty: bool,
}

impl Default for TexpoConfig {
    fn default() -> Self {
        Self {
            network_id: None,
            network_header: None,
            sign_in: TexpoSignIn::default(),
            timestamps: TexpoTimestamps::default(),
            rpc_prefix: None,
            auth_prefix: None,
            holder_url: None,
            holder_prefix: None,
            user_auth_prefix: None,
            purchased_tickets: true,
            status_true_is_success: false,
            permission_codes: Vec::new(),
            no_list_is_empty: false,
        }
    }
}

/// For which days of an event a ticket is. What is written in another way is kept as its text.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum ProductType {
    /// `single`.
    Single,
    /// `days:1of3`. The documents do not say whether the first number counts days or names one.
    Days {
        /// The first number, 1 at least.
        day: u32,
        /// How many days there are in all, no fewer than the first number.
        of: u32,
    },
    /// Anything else, as the server wrote it.
    Other {
        /// The server's text.
        text: String,
    },
}

impl ProductType {
    /// Reads the server's text; [`ProductType::to_text`] gives the same one back.
    pub fn from_text(text: &str) -> Self {
        let days = || {
            let (day, of) = text.strip_prefix("days:")?.split_once("of")?;
            let days = Self::Days { day: day.parse().ok()?, of: of.parse().ok()? };
            Some(days).filter(|days| days.is_possible() && days.to_text() == text)
        };
        match text {
            "single" => Self::Single,
            _ => days().unwrap_or_else(|| Self::Other { text: text.to_owned() }),
        }
    }

    /// The server's text.
    pub fn to_text(&self) -> String {
        match self {
            Self::Single => "single".to_owned(),
            Self::Days { day, of } => format!("days:{day}of{of}"),
            Self::Other { text } => text.clone(),
        }
    }

    /// Whether it can be sent: day 4 of 3 cannot, and neither can nothing.
    pub fn is_possible(&self) -> bool {
        match self {
            Self::Single => true,
            Self::Days { day, of } => (1..=*of).contains(day),
            Self::Other { text } => !text.is_empty(),
        }
    }
}

/// What kind of reward a ticket grants.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum GrantKind {
    /// A role of the buyer's: `userRole`.
    UserRole,
    /// Anything else, as the server wrote it.
    Other {
        /// The server's text.
        text: String,
    },
}

impl GrantKind {
    /// Reads the server's text.
    pub fn from_text(text: &str) -> Self {
        match text {
            "userRole" => Self::UserRole,
            other => Self::Other { text: other.to_owned() },
        }
    }

    /// The server's text.
    pub fn as_text(&self) -> &str {
        match self {
            Self::UserRole => "userRole",
            Self::Other { text } => text,
        }
    }
}

/// What a ticket grants its buyer.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ProductGrant {
    /// Of which kind.
    pub kind: GrantKind,
    /// The role's id: what stands before the first colon of the grant's target, or all of it.
    pub role_id: String,
    /// Where the role counts: what stands after that colon; `None` without one.
    #[uniffi(default = None)]
    pub role_target: Option<String>,
}

impl ProductGrant {
    /// Reads a kind and a target, `roleId:roleTarget`; [`ProductGrant::target`] gives the same one back.
    pub fn from_texts(kind: &str, target: &str) -> Self {
        let (role_id, role_target) = match target.split_once(':') {
            Some((role_id, role_target)) => (role_id, Some(role_target.to_owned())),
            None => (target, None),
        };
        Self { kind: GrantKind::from_text(kind), role_id: role_id.to_owned(), role_target }
    }

    /// The target as the server writes it.
    pub fn target(&self) -> String {
        match &self.role_target {
            Some(role_target) => format!("{}:{role_target}", self.role_id),
            None => self.role_id.clone(),
        }
    }
}

/// An entry of a catalogue: a ticket that can be bought. A member of an unexpected type counts as absent; the record has it
/// all the same.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct Product {
    /// Unique in the catalogue; chosen by who made it.
    pub product_id: String,
    /// The event's name.
    pub event_name: Option<String>,
    /// The event's start, Unix seconds.
    pub starts_at: Option<i64>,
    /// The event's end, Unix seconds.
    pub ends_at: Option<i64>,
    /// For which days it is.
    pub ticket_type: Option<ProductType>,
    /// The ticket's name, for buyers.
    pub ticket_name: Option<String>,
    /// What the ticket is, for buyers.
    pub ticket_description: Option<String>,
    /// Price in US dollars; `None` where it is not told, or is no exact amount.
    pub price: Option<Money>,
    /// The picture's resource id.
    pub thumbnail_id: Option<String>,
    /// A text for buyers, which changes no price.
    pub discount: Option<String>,
    /// What buyers get.
    pub grants: Vec<ProductGrant>,
    /// The system's whole record as JSON.
    pub body_json: String,
}

/// What an entry of a catalogue shall have: of a new one all that it has, of one that is there only what shall change.
#[derive(Clone, Default, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct ProductFields {
    /// The event's name.
    #[uniffi(default = None)]
    pub event_name: Option<String>,
    /// The event's start, Unix seconds.
    #[uniffi(default = None)]
    pub starts_at: Option<i64>,
    /// The event's end, Unix seconds; not before its start.
    #[uniffi(default = None)]
    pub ends_at: Option<i64>,
    /// For which days it is.
    #[uniffi(default = None)]
    pub ticket_type: Option<ProductType>,
    /// The ticket's name, for buyers.
    #[uniffi(default = None)]
    pub ticket_name: Option<String>,
    /// What the ticket is, for buyers.
    #[uniffi(default = None)]
    pub ticket_description: Option<String>,
    /// Price in US dollars, 0 at least.
    #[uniffi(default = None)]
    pub price: Option<Money>,
    /// The picture's resource id.
    #[uniffi(default = None)]
    pub thumbnail_id: Option<String>,
    /// A text for buyers, which changes no price.
    #[uniffi(default = None)]
    pub discount: Option<String>,
    /// What buyers get, all of it.
    #[uniffi(default = None)]
    pub grants: Option<Vec<ProductGrant>>,
    /// Members besides these, as a JSON object; they come last, replace those of the same name, and are sent as they are
    /// written here. It cannot name another `productId`.
    #[uniffi(default = None)]
    pub more_json: Option<String>,
}

opaque_debug!(Product, ProductFields);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ticket_types_are_read_and_everything_else_is_kept() {
        let days = |day, of| ProductType::Days { day, of };
        for (text, read) in [
            ("single", ProductType::Single),
            ("days:1of3", days(1, 3)),
            ("days:2of3", days(2, 3)),
            ("days:3of3", days(3, 3)),
            ("days:365of4294967295", days(365, u32::MAX)),
        ] {
            assert_eq!(ProductType::from_text(text), read);
        }
        for other in [
            "",
            "Single",
            "days:",
            "days:1",
            "days:0of3",
            "days:4of3",
            "days:01of3",
            "days:+1of3",
            "days:1of4294967296",
            "days:1of3 ",
            "week",
        ] {
            assert_eq!(ProductType::from_text(other), ProductType::Other { text: other.to_owned() });
        }
        assert!(!days(4, 3).is_possible() && !days(0, 0).is_possible());
        assert!(!ProductType::Other { text: String::new() }.is_possible());
    }

    #[test]
    fn grants_are_split_at_their_first_colon() {
        for (target, role_id, role_target) in [
            ("vip:hall-7", "vip", Some("hall-7")),
            ("vip", "vip", None),
            ("vip:", "vip", Some("")),
            (":hall-7", "", Some("hall-7")),
            ("vip:hall:7", "vip", Some("hall:7")),
            ("", "", None),
        ] {
            let grant = ProductGrant::from_texts("userRole", target);
            assert_eq!((grant.role_id.as_str(), grant.role_target.as_deref()), (role_id, role_target));
            assert_eq!((grant.kind.clone(), grant.target().as_str()), (GrantKind::UserRole, target));
        }
        let other = GrantKind::Other { text: "UserRole".to_owned() };
        assert_eq!(GrantKind::from_text("UserRole"), other);
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in "(days:[0-9]{0,11}of[0-9]{0,11}|.{0,20})", kind in ".{0,12}") {
            prop_assert_eq!(ProductType::from_text(&text).to_text(), text.clone());
            let grant = ProductGrant::from_texts(&kind, &text);
            prop_assert_eq!((grant.kind.as_text(), grant.target()), (kind.as_str(), text));
        }

        #[test]
        fn every_possible_number_of_days_comes_back(day in 1_u32.., more: u32) {
            let days = ProductType::Days { day, of: day.saturating_add(more) };
            prop_assert_eq!(ProductType::from_text(&days.to_text()), days);
        }
    }
}
