//! TEXPO's catalogue: its entries are named by who makes them, so that the list tells what became of every write.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Found;
use crate::error::Error;
use crate::model::{OfficeWrite, OfficeWriteKind, OfficeWriteState, Product, ProductFields};
use crate::remote::texpo::agrees;
use crate::sync::desk::Desk;

/// A write as it is kept.
#[derive(Deserialize)]
struct Asked<'a> {
    product_id: String,
    /// The whole entry.
    #[serde(borrow)]
    ticket: Option<&'a RawValue>,
    /// What of it is changed.
    #[serde(borrow)]
    changes: Option<&'a RawValue>,
    /// What it was.
    #[serde(borrow)]
    before: Option<&'a RawValue>,
}

impl Desk<'_> {
    /// The catalogue.
    ///
    /// # Errors
    /// [`Error::Input`] where the system has none, as [`crate::remote::Session::send`], [`Error::Permission`],
    /// [`Error::Answer`], [`Error::Status`], [`Error::Reply`].
    pub async fn catalogue(&self) -> Result<Vec<Product>, Error> {
        self.texpo()?.products(&self.session).await
    }

    /// An entry of the catalogue.
    ///
    /// # Errors
    /// As [`Desk::catalogue`]; [`Error::NotFound`].
    pub async fn product(&self, product_id: &str) -> Result<Product, Error> {
        let found = self.texpo()?.product(&self.session, product_id).await?;
        found.ok_or(Error::NotFound { what: "product" })
    }

    /// Makes an entry. The catalogue is looked at first, for a server may put the new entry in the place of one with the
    /// same id: an entry that is there as it is asked for is done, and nothing is sent.
    ///
    /// # Errors
    /// As [`Desk::catalogue`]; [`Error::Input`] naming a field, and `product_id` when another entry has it;
    /// [`Error::Database`]. A lost answer is no error but a write of unknown outcome, unless the list tells.
    pub async fn create_product(
        &self,
        product_id: &str,
        fields: &ProductFields,
    ) -> Result<OfficeWrite, Error> {
        let texpo = self.texpo()?;
        let product = texpo.new_product(product_id, fields)?;
        let held = texpo.product(&self.session, product_id).await?;
        if held.as_ref().is_some_and(|held| !agrees(&product.body_json, &held.body_json)) {
            let reason = "another entry of the catalogue has it".to_owned();
            return Err(Error::Input { field: "product_id", reason });
        }
        let asked = [("ticket", product.body_json.as_str())];
        let id = self.begin_product(OfficeWriteKind::CreateProduct, product_id, &asked)?;
        let answer = match held {
            Some(held) => Ok(held),
            None => texpo.create_product(&self.session, &product).await,
        };
        self.settle_product(id, answer).await
    }

    /// Changes an entry: it is read, and sent back whole with the changes in it.
    ///
    /// # Errors
    /// As [`Desk::create_product`]; [`Error::NotFound`].
    pub async fn update_product(
        &self,
        product_id: &str,
        fields: &ProductFields,
    ) -> Result<OfficeWrite, Error> {
        let texpo = self.texpo()?;
        let changes = texpo.changed_members(fields)?;
        let held = self.product(product_id).await?;
        let product = texpo.changed_product(&held, fields)?;
        let asked = [
            ("changes", changes.as_str()),
            ("before", held.body_json.as_str()),
            ("ticket", product.body_json.as_str()),
        ];
        let id = self.begin_product(OfficeWriteKind::UpdateProduct, product_id, &asked)?;
        let answer = texpo.update_product(&self.session, &product).await;
        self.settle_product(id, answer).await
    }

    /// Takes an entry out of the catalogue.
    ///
    /// # Errors
    /// As [`Desk::create_product`].
    pub async fn delete_product(&self, product_id: &str) -> Result<OfficeWrite, Error> {
        let texpo = self.texpo()?;
        let id = self.begin_product(OfficeWriteKind::DeleteProduct, product_id, &[])?;
        match texpo.delete_product(&self.session, product_id).await {
            Ok(()) => self.keep_text(id, OfficeWriteState::Done, Some("{}".to_owned())),
            Err(error) => self.settle(id, Err(error)).await,
        }
    }

    /// What the catalogue tells of a write.
    pub(super) async fn find_product(&self, write: &OfficeWrite) -> Result<Found, Error> {
        let Ok(asked) = serde_json::from_str::<Asked<'_>>(&write.request_json) else {
            return Ok(Found::Unclear);
        };
        let held = self.texpo()?.product(&self.session, &asked.product_id).await?;
        let is_so = |wanted: Option<&RawValue>| {
            wanted.zip(held.as_ref()).is_some_and(|(wanted, held)| agrees(wanted.get(), &held.body_json))
        };
        let done = || Found::Told(told(held.as_ref()));
        Ok(match (write.kind, &held) {
            (OfficeWriteKind::DeleteProduct, None) => done(),
            (OfficeWriteKind::DeleteProduct, Some(_)) | (OfficeWriteKind::CreateProduct, None) => {
                Found::Unchanged
            }
            (OfficeWriteKind::CreateProduct, _) if is_so(asked.ticket) => done(),
            (OfficeWriteKind::UpdateProduct, _) if is_so(asked.changes) => done(),
            (OfficeWriteKind::UpdateProduct, _) if is_so(asked.before) => Found::Unchanged,
            _ => Found::Unclear,
        })
    }

    /// The members are JSON, which is kept as it is written.
    fn begin_product(
        &self,
        kind: OfficeWriteKind,
        product_id: &str,
        members: &[(&str, &str)],
    ) -> Result<i64, Error> {
        let mut payload = format!("{{\"product_id\":{}", serde_json::Value::from(product_id));
        members.iter().for_each(|(name, json)| payload.push_str(&format!(",\"{name}\":{json}")));
        payload.push('}');
        self.begin_text(kind, &payload)
    }

    async fn settle_product(&self, id: i64, answer: Result<Product, Error>) -> Result<OfficeWrite, Error> {
        match answer {
            Ok(product) => self.keep_text(id, OfficeWriteState::Done, Some(told(Some(&product)))),
            Err(error) => self.settle(id, Err(error)).await,
        }
    }
}

/// An entry as it is kept with a write.
fn told(product: Option<&Product>) -> String {
    product.map_or_else(|| "{}".to_owned(), |product| format!("{{\"ticket\":{}}}", product.body_json))
}
