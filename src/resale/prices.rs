//! What a ticket may be sold for, and what that comes to. The server's rules decide; checking them here spares a person a
//! refusal.

use super::barcode::BarcodePolicy;
use super::breakdown::{Breakdown, BreakdownError};
use crate::model::{Money, MoneyError, Percentage};

/// What a percentage of the cap is a percentage of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum PriceBasis {
    /// What is printed on the ticket.
    FaceValue,
    /// What the seller paid for it, with fees.
    TotalPaid,
    /// Anything else, as the server wrote it.
    Other {
        /// The server's text.
        text: String,
    },
}

open_enum!(PriceBasis { FaceValue = "face_value", TotalPaid = "total_paid" });

/// What a market takes from one side of a sale: a percentage of the seller's price, rounded down, and a fixed amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, uniffi::Record)]
pub struct Fee {
    /// Percentage of the seller's price.
    pub percent: Percentage,
    /// Fixed part, minor units of the price's currency.
    pub fixed_minor: i64,
}

/// The rules by which a ticket may be sold.
#[derive(Debug, Clone, PartialEq, Eq, Hash, uniffi::Record)]
pub struct PriceRules {
    /// Whether it may be sold at all.
    pub allowed: bool,
    /// Why not, in the server's words or this library's.
    pub reason: Option<String>,
    /// The one currency in which it may be sold.
    pub currency: String,
    /// What is printed on the ticket.
    pub face_value: Option<Money>,
    /// What the seller paid for it, with fees.
    pub total_paid: Option<Money>,
    /// What `cap_percent` is a percentage of.
    pub basis: PriceBasis,
    /// The highest price as a percentage of the basis: 100 is the basis itself, 110 a tenth more.
    pub cap_percent: Option<Percentage>,
    /// The highest price, minor units. Where both caps are given, the lower counts.
    pub cap_minor: Option<i64>,
    /// The lowest price, minor units.
    pub min_minor: Option<i64>,
    /// What is taken from the seller.
    pub seller_fee: Fee,
    /// What is taken from the buyer.
    pub buyer_fee: Fee,
    /// Whether the barcode is shown while the ticket is listed.
    pub barcode_while_listed: BarcodePolicy,
    /// When resale and transfer close for the event, Unix seconds.
    pub closes_at: Option<i64>,
}

/// The highest price.
#[derive(Debug, Clone, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum PriceCap {
    /// There is none.
    None,
    /// This.
    At {
        /// The highest price that is allowed.
        amount: Money,
    },
    /// There is one, and what it is a percentage of is not known here: the server says.
    Unknown,
}

/// Why a price is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// The ticket may not be sold.
    #[error("the ticket may not be sold{}", .reason.as_ref().map(|it| format!(": {it}")).unwrap_or_default())]
    NotAllowed {
        /// Why.
        reason: Option<String>,
    },
    /// Resale has closed for the event.
    #[error("resale has closed for the event")]
    Closed,
    /// It is more than the cap.
    #[error("the price is more than {cap}")]
    TooHigh {
        /// The highest price that is allowed.
        cap: Money,
    },
    /// It is less than the lowest price, or less than nothing.
    #[error("the price is less than {minimum}")]
    TooLow {
        /// The lowest price that is allowed.
        minimum: Money,
    },
    /// It is in another currency than the market's.
    #[error("the price must be in {currency}")]
    WrongCurrency {
        /// The market's.
        currency: String,
    },
    /// What is printed on the ticket is not known, and a breakdown has it.
    #[error("the ticket's face value is not known")]
    NoFaceValue,
    /// The amounts do not add up, or are out of range.
    #[error(transparent)]
    Amounts(#[from] BreakdownError),
}

impl From<MoneyError> for PriceError {
    fn from(error: MoneyError) -> Self {
        Self::Amounts(BreakdownError::Money(error))
    }
}

impl PriceError {
    /// The code by which servers refuse the same; `None` for what only a server can judge.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::NotAllowed { .. } => Some("resale-not-allowed"),
            Self::Closed => Some("resale-closed"),
            Self::TooHigh { .. } => Some("price-over-cap"),
            Self::TooLow { .. } => Some("price-too-low"),
            Self::WrongCurrency { .. } => Some("wrong-currency"),
            Self::NoFaceValue | Self::Amounts(_) => None,
        }
    }
}

impl Fee {
    /// The fee on a price.
    ///
    /// # Errors
    /// [`MoneyError::Range`].
    pub fn on(&self, price: &Money) -> Result<Money, MoneyError> {
        let fixed = Money { minor: self.fixed_minor, currency: price.currency.clone() };
        price.share(self.percent)?.plus(&fixed)
    }
}

impl PriceRules {
    /// The highest price that is allowed, rounded down.
    ///
    /// # Errors
    /// [`MoneyError`] for a basis of another currency than the market's, and for a cap out of range.
    pub fn cap(&self) -> Result<PriceCap, MoneyError> {
        let amount = self.cap_minor.map(|minor| self.money(minor));
        let Some(percent) = self.cap_percent else {
            return Ok(amount.map_or(PriceCap::None, |amount| PriceCap::At { amount }));
        };
        let basis = match &self.basis {
            PriceBasis::FaceValue => self.face_value.as_ref(),
            PriceBasis::TotalPaid => self.total_paid.as_ref(),
            PriceBasis::Other { .. } => None,
        };
        let Some(basis) = basis else { return Ok(PriceCap::Unknown) };
        // Adding nothing of the market's currency refuses another one.
        let by_percent = basis.share(percent)?.plus(&self.money(0))?;
        let amount = amount.map_or(Ok(by_percent.clone()), |amount| amount.or_less(&by_percent))?;
        Ok(PriceCap::At { amount })
    }

    /// Whether a ticket may be sold at a price at `now`, Unix seconds. What is not known here is left to the server.
    ///
    /// # Errors
    /// [`PriceError`].
    pub fn check(&self, price: &Money, now: i64) -> Result<(), PriceError> {
        if !self.allowed {
            return Err(PriceError::NotAllowed { reason: self.reason.clone() });
        }
        if self.closes_at.is_some_and(|at| at <= now) {
            return Err(PriceError::Closed);
        }
        if price.currency != self.currency {
            return Err(PriceError::WrongCurrency { currency: self.currency.clone() });
        }
        let minimum = self.min_minor.unwrap_or(0).max(0);
        if price.minor < minimum {
            return Err(PriceError::TooLow { minimum: self.money(minimum) });
        }
        match self.cap()? {
            PriceCap::At { amount } if price.minor > amount.minor => Err(PriceError::TooHigh { cap: amount }),
            _ => Ok(()),
        }
    }

    /// What a price comes to for either side.
    ///
    /// # Errors
    /// [`PriceError`].
    pub fn preview(&self, price: &Money, now: i64) -> Result<Breakdown, PriceError> {
        self.check(price, now)?;
        let face_value = self.face_value.clone().ok_or(PriceError::NoFaceValue)?;
        let (buyer_fee, seller_fee) = (self.buyer_fee.on(price)?, self.seller_fee.on(price)?);
        Ok(Breakdown::of(face_value, price.clone(), buyer_fee, seller_fee)?)
    }

    fn money(&self, minor: i64) -> Money {
        Money { minor, currency: self.currency.clone() }
    }
}
