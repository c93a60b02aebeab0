//! Where a server says that a listing stands, and where it can go from there.

/// Where a listing stands, as its server says.
#[derive(Debug, Clone, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum ListingState {
    /// The organiser or the market looks at it; nobody can buy.
    UnderReview,
    /// For sale.
    Active,
    /// Held back by the market; nobody can buy.
    Paused,
    /// A buyer is paying.
    Reserved,
    /// Paid; the buyer has no credential yet.
    Sold,
    /// The buyer's credential is made: a higher generation than the seller's.
    Reissued,
    /// The seller has the money.
    PaidOut,
    /// Taken back by the seller.
    Withdrawn,
    /// Not sold until it had to end.
    Expired,
    /// Ended by something else.
    Closed {
        /// By what.
        reason: CloseReason,
    },
    /// Anything else, as the server wrote it. Nothing is concluded from it.
    Unknown {
        /// The server's text.
        raw: String,
    },
}

/// What ended a listing that was open.
#[derive(Debug, Clone, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum CloseReason {
    /// The ticket was used at a gate.
    Scanned,
    /// The ticket was revoked.
    Revoked,
    /// The ticket was handed to somebody.
    Transferred,
    /// There is no event to sell a ticket of.
    EventCancelled,
    /// Anything else, as the server wrote it; empty where it gave no reason.
    Other {
        /// The server's text.
        text: String,
    },
}

open_enum!(CloseReason {
    Scanned = "scanned",
    Revoked = "revoked",
    Transferred = "transferred",
    EventCancelled = "event_cancelled",
});

/// What happens to a listing at its server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum ListingEvent {
    /// It is found in order.
    Approved,
    /// The market holds it back.
    Paused,
    /// The market lets it go on.
    Resumed,
    /// A buyer begins to pay.
    Reserved,
    /// The buyer did not pay in time.
    ReservationTimedOut,
    /// The buyer has paid.
    Paid,
    /// The buyer's credential is made.
    Reissued,
    /// The money is with the seller.
    PaidOut,
    /// The seller takes it back.
    Withdrawn,
    /// The time for resale is over.
    CutOff,
    /// Something else ends it.
    Closed {
        /// What.
        reason: CloseReason,
    },
}

/// Why a listing does not take what happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error, uniffi::Enum)]
pub enum ListingRefusal {
    /// It has come to its end; it is sold, taken back, expired or closed.
    #[error("the listing has ended")]
    Ended,
    /// A buyer is paying.
    #[error("a buyer is paying for it")]
    Reserved,
    /// Nobody is paying for it, and nobody has.
    #[error("nobody has reserved it")]
    NotReserved,
    /// It is sold: only the buyer's credential and the money are left to come.
    #[error("the ticket is sold")]
    Sold,
    /// It has not come so far yet: no credential without a payment, no money without a credential.
    #[error("what comes before has not happened")]
    TooEarly,
    /// It is not for sale just now.
    #[error("the listing is not for sale now")]
    NotForSale,
    /// It stands so already.
    #[error("the listing stands so already")]
    Already,
    /// Where it stands is not known.
    #[error("where the listing stands is not known")]
    UnknownState,
}

/// What the server calls the states without a reason.
const NAMES: [(ListingState, &str); 9] = [
    (ListingState::UnderReview, "under_review"),
    (ListingState::Active, "active"),
    (ListingState::Paused, "paused"),
    (ListingState::Reserved, "reserved"),
    (ListingState::Sold, "sold"),
    (ListingState::Reissued, "reissued"),
    (ListingState::PaidOut, "paid_out"),
    (ListingState::Withdrawn, "withdrawn"),
    (ListingState::Expired, "expired"),
];
const CLOSED: &str = "closed";

impl ListingState {
    /// Reads the server's text, and the reason that stands beside `closed`. Upper and lower case count alike; an unknown text
    /// is kept as it came.
    pub fn from_server(text: &str, reason: Option<&str>) -> Self {
        if text.eq_ignore_ascii_case(CLOSED) {
            return Self::Closed { reason: CloseReason::from_text(reason.unwrap_or_default()) };
        }
        let known = NAMES.into_iter().find(|(_, name)| text.eq_ignore_ascii_case(name));
        known.map_or_else(|| Self::Unknown { raw: text.to_owned() }, |(state, _)| state)
    }

    /// The server's text.
    pub fn as_text(&self) -> &str {
        match self {
            Self::Closed { .. } => CLOSED,
            Self::Unknown { raw } => raw,
            state => NAMES.iter().find(|(named, _)| named == state).map_or("", |(_, name)| name),
        }
    }

    /// The text of the reason that stands beside `closed`.
    pub fn reason_text(&self) -> Option<&str> {
        match self {
            Self::Closed { reason } => Some(reason.as_text()).filter(|text| !text.is_empty()),
            _ => None,
        }
    }

    /// Whether the seller can still lose the ticket by it or take it back: it is for sale, or may come to be.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::UnderReview | Self::Active | Self::Paused | Self::Reserved)
    }

    /// Whether the ticket belongs to a buyer.
    pub fn is_sold(&self) -> bool {
        matches!(self, Self::Sold | Self::Reissued | Self::PaidOut)
    }

    /// Whether it ended without a sale.
    pub fn has_ended(&self) -> bool {
        matches!(self, Self::Withdrawn | Self::Expired | Self::Closed { .. })
    }

    /// Where it stands after an event.
    ///
    /// # Errors
    /// [`ListingRefusal`] where the event cannot happen to it.
    pub fn after(&self, event: ListingEvent) -> Result<Self, ListingRefusal> {
        use ListingRefusal as No;
        match self {
            Self::Unknown { .. } => return Err(No::UnknownState),
            Self::PaidOut | Self::Withdrawn | Self::Expired | Self::Closed { .. } => return Err(No::Ended),
            _ => {}
        }
        match event {
            ListingEvent::Approved => self.approved(),
            ListingEvent::Paused => self.switched(&Self::Active, Self::Paused),
            ListingEvent::Resumed => self.switched(&Self::Paused, Self::Active),
            ListingEvent::Reserved => match self {
                Self::Active => Ok(Self::Reserved),
                Self::Reserved => Err(No::Already),
                Self::Sold | Self::Reissued => Err(No::Sold),
                _ => Err(No::NotForSale),
            },
            ListingEvent::ReservationTimedOut => self.reserved_to(Self::Active),
            ListingEvent::Paid => self.reserved_to(Self::Sold),
            ListingEvent::Reissued => match self {
                Self::Sold => Ok(Self::Reissued),
                Self::Reissued => Err(No::Already),
                _ => Err(No::TooEarly),
            },
            ListingEvent::PaidOut => match self {
                Self::Reissued => Ok(Self::PaidOut),
                _ => Err(No::TooEarly),
            },
            ListingEvent::Withdrawn => self.unsold(Self::Withdrawn),
            ListingEvent::CutOff if *self == Self::UnderReview => Err(No::NotForSale),
            ListingEvent::CutOff => self.unsold(Self::Expired),
            ListingEvent::Closed { reason } => match self {
                Self::Sold | Self::Reissued => Err(No::Sold),
                _ => Ok(Self::Closed { reason }),
            },
        }
    }

    fn approved(&self) -> Result<Self, ListingRefusal> {
        match self {
            Self::UnderReview => Ok(Self::Active),
            Self::Reserved => Err(ListingRefusal::Reserved),
            Self::Sold | Self::Reissued => Err(ListingRefusal::Sold),
            _ => Err(ListingRefusal::Already),
        }
    }

    fn switched(&self, from: &Self, to: Self) -> Result<Self, ListingRefusal> {
        match self {
            state if state == from => Ok(to),
            state if *state == to => Err(ListingRefusal::Already),
            Self::Reserved => Err(ListingRefusal::Reserved),
            Self::Sold | Self::Reissued => Err(ListingRefusal::Sold),
            _ => Err(ListingRefusal::NotForSale),
        }
    }

    fn reserved_to(&self, to: Self) -> Result<Self, ListingRefusal> {
        match self {
            Self::Reserved => Ok(to),
            Self::Sold | Self::Reissued => Err(ListingRefusal::Sold),
            _ => Err(ListingRefusal::NotReserved),
        }
    }

    fn unsold(&self, to: Self) -> Result<Self, ListingRefusal> {
        match self {
            Self::Reserved => Err(ListingRefusal::Reserved),
            Self::Sold | Self::Reissued => Err(ListingRefusal::Sold),
            _ => Ok(to),
        }
    }

    /// Whether a listing that stood so may stand as `later` says after any number of events: what a server told between two
    /// looks at it may be missed. What is not known can be anything.
    pub fn may_become(&self, later: &Self) -> bool {
        let rank = |state: &Self| match state {
            Self::UnderReview => Some(0),
            Self::Active | Self::Paused | Self::Reserved => Some(1),
            Self::Sold => Some(2),
            Self::Reissued => Some(3),
            Self::PaidOut => Some(4),
            Self::Withdrawn | Self::Expired | Self::Closed { .. } | Self::Unknown { .. } => None,
        };
        match (self, later) {
            (Self::Unknown { .. }, _) | (_, Self::Unknown { .. }) => true,
            (now, later) if now == later => true,
            (now, later) if later.has_ended() => now.is_open(),
            (now, later) => rank(now).is_some_and(|now| rank(later).is_some_and(|later| now <= later)),
        }
    }
}
