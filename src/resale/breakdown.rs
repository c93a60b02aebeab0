//! What a sale comes to for either side.

use serde::{Deserialize, Serialize};

use crate::model::{Money, MoneyError};

/// What a sale comes to, all in one currency. What the buyer pays is the seller's price and the buyer's fee; what the
/// seller gets is their price without the seller's fee; the difference is the fees.
///
/// As JSON: `{"face_value":…,"fees":{"buyer":…,"seller":…},"seller_price":…,"buyer_total":…,"seller_proceeds":…}`, amounts
/// as of [`Money`]. Reading checks that they add up.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize, uniffi::Record)]
#[serde(try_from = "WireBreakdown")]
pub struct Breakdown {
    /// What is printed on the ticket.
    pub face_value: Money,
    /// What the seller asks for.
    pub seller_price: Money,
    /// What the market takes from the buyer.
    pub buyer_fee: Money,
    /// What the market takes from the seller.
    pub seller_fee: Money,
    /// What the buyer pays.
    pub buyer_total: Money,
    /// What the seller gets.
    pub seller_proceeds: Money,
}

/// What does not add up in a breakdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BreakdownError {
    /// Amounts of several currencies, or out of range.
    #[error("fees: {0}")]
    Money(#[from] MoneyError),
    /// An amount below zero.
    #[error("{0}: an amount is below zero")]
    Negative(&'static str),
    /// The buyer's total is not the seller's price and the buyer's fee.
    #[error("buyer_total: it is not the seller's price and the buyer's fee")]
    BuyerTotal,
    /// The seller's proceeds are not their price without their fee.
    #[error("seller_proceeds: they are not the seller's price without the seller's fee")]
    SellerProceeds,
}

#[derive(Serialize, Deserialize)]
struct WireBreakdown {
    face_value: Money,
    fees: WireFees,
    seller_price: Money,
    buyer_total: Money,
    seller_proceeds: Money,
}

#[derive(Serialize, Deserialize)]
struct WireFees {
    buyer: Money,
    seller: Money,
}

impl TryFrom<WireBreakdown> for Breakdown {
    type Error = BreakdownError;

    fn try_from(wire: WireBreakdown) -> Result<Self, BreakdownError> {
        let read = Self {
            face_value: wire.face_value,
            seller_price: wire.seller_price,
            buyer_fee: wire.fees.buyer,
            seller_fee: wire.fees.seller,
            buyer_total: wire.buyer_total,
            seller_proceeds: wire.seller_proceeds,
        };
        read.check()?;
        Ok(read)
    }
}

impl Serialize for Breakdown {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { face_value, seller_price, buyer_fee, seller_fee, buyer_total, seller_proceeds } =
            self.clone();
        let fees = WireFees { buyer: buyer_fee, seller: seller_fee };
        WireBreakdown { face_value, fees, seller_price, buyer_total, seller_proceeds }.serialize(serializer)
    }
}

impl Breakdown {
    /// What a price comes to with these fees.
    ///
    /// # Errors
    /// [`BreakdownError`], for fees that are more than the price among others.
    pub fn of(
        face_value: Money,
        seller_price: Money,
        buyer_fee: Money,
        seller_fee: Money,
    ) -> Result<Self, BreakdownError> {
        let buyer_total = seller_price.plus(&buyer_fee)?;
        let seller_proceeds = seller_price.minus(&seller_fee)?;
        let made = Self { face_value, seller_price, buyer_fee, seller_fee, buyer_total, seller_proceeds };
        made.check()?;
        Ok(made)
    }

    /// The fees of both sides: what the buyer pays and the seller does not get.
    ///
    /// # Errors
    /// [`MoneyError`] where the amounts are no checked ones.
    pub fn fees(&self) -> Result<Money, MoneyError> {
        self.buyer_total.minus(&self.seller_proceeds)
    }

    /// Whether the amounts add up.
    ///
    /// # Errors
    /// [`BreakdownError`].
    pub fn check(&self) -> Result<(), BreakdownError> {
        let amounts = [
            ("face_value", &self.face_value),
            ("seller_price", &self.seller_price),
            ("buyer_fee", &self.buyer_fee),
            ("seller_fee", &self.seller_fee),
            ("buyer_total", &self.buyer_total),
            ("seller_proceeds", &self.seller_proceeds),
        ];
        for (name, amount) in amounts {
            self.seller_price.plus(&Money { minor: 0, currency: amount.currency.clone() })?;
            if amount.minor < 0 {
                return Err(BreakdownError::Negative(name));
            }
        }
        if self.seller_price.plus(&self.buyer_fee)? != self.buyer_total {
            return Err(BreakdownError::BuyerTotal);
        }
        if self.seller_price.minus(&self.seller_fee)? != self.seller_proceeds {
            return Err(BreakdownError::SellerProceeds);
        }
        Ok(())
    }
}
