//! The catalogue of tickets to buy (TEXPO).

use super::BoxOffice;
use crate::error::WalletError;
use crate::model::{OfficeWrite, Product, ProductFields};

#[uniffi::export(async_runtime = "tokio")]
impl BoxOffice {
    /// The whole catalogue (TEXPO), in the server's order.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] for an account of another system, [`WalletError::PermissionDenied`] naming
    /// `network.manage`, [`WalletError::Refused`], [`WalletError::NeedsSignIn`], [`WalletError::Unreachable`],
    /// [`WalletError::NotFound`], [`WalletError::Storage`].
    pub async fn catalogue(&self, account_id: String) -> Result<Vec<Product>, WalletError> {
        let work = async { self.core.runner.desk(&account_id).await?.catalogue().await };
        Ok(self.core.runner.online(work).await?)
    }

    /// An entry of the catalogue (TEXPO).
    ///
    /// # Errors
    /// As [`BoxOffice::catalogue`]; [`WalletError::NotFound`] for an id that no entry has.
    pub async fn product(&self, account_id: String, product_id: String) -> Result<Product, WalletError> {
        let work = async { self.core.runner.desk(&account_id).await?.product(&product_id).await };
        Ok(self.core.runner.online(work).await?)
    }

    /// Makes an entry of the catalogue (TEXPO) with an id of the caller's choice: the write's `answer_json` has it as
    /// `{"ticket": {…}}`. One that is there already as it is asked for is done. A write of unknown outcome is no error:
    /// look it up later.
    ///
    /// # Errors
    /// As [`BoxOffice::catalogue`]; [`WalletError::InvalidInput`] naming the field, and `product_id` when another entry
    /// has it.
    pub async fn create_product(
        &self,
        account_id: String,
        product_id: String,
        fields: ProductFields,
    ) -> Result<OfficeWrite, WalletError> {
        let work =
            async { self.core.runner.desk(&account_id).await?.create_product(&product_id, &fields).await };
        Ok(self.core.runner.online(work).await?)
    }

    /// Changes those fields of an entry that are given (TEXPO). The server takes whole entries only: the entry is read and
    /// sent back with the changes in it, with all that this library does not know of it, so that what somebody else
    /// changes in this moment is lost.
    ///
    /// # Errors
    /// As [`BoxOffice::create_product`]; [`WalletError::NotFound`] for an id that no entry has.
    pub async fn update_product(
        &self,
        account_id: String,
        product_id: String,
        fields: ProductFields,
    ) -> Result<OfficeWrite, WalletError> {
        let work =
            async { self.core.runner.desk(&account_id).await?.update_product(&product_id, &fields).await };
        Ok(self.core.runner.online(work).await?)
    }

    /// Takes an entry out of the catalogue (TEXPO); it cannot be undone.
    ///
    /// # Errors
    /// As [`BoxOffice::create_product`].
    pub async fn delete_product(
        &self,
        account_id: String,
        product_id: String,
    ) -> Result<OfficeWrite, WalletError> {
        let work = async { self.core.runner.desk(&account_id).await?.delete_product(&product_id).await };
        Ok(self.core.runner.online(work).await?)
    }
}
