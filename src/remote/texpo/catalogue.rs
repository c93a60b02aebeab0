//! The adminserver's four methods.

use super::Texpo;
use super::envelope::Content;
use super::fields::{agrees, changes, check, shows};
use super::object::{self, Object};
use super::record::read_product;
use super::{fields, input};
use crate::error::Error;
use crate::model::{Product, ProductFields};
use crate::remote::unidy::raw;
use crate::remote::{Request, Session};

const CREATE: (&str, &str) =
    ("ticket.createPurchasableTicket", "POST /jsonRpc/ticket.createPurchasableTicket");
const UPDATE: (&str, &str) =
    ("ticket.updatePurchasableTicket", "POST /jsonRpc/ticket.updatePurchasableTicket");
const DELETE: (&str, &str) =
    ("ticket.deletePurchasableTicket", "POST /jsonRpc/ticket.deletePurchasableTicket");
const LIST: (&str, &str) = ("ticket.getPurchasableTickets", "POST /jsonRpc/ticket.getPurchasableTickets");

impl Texpo {
    /// The whole catalogue: the documents know no pages. A reply without a list is an empty one here.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Permission`], [`Error::Answer`], [`Error::Status`], [`Error::Reply`].
    pub async fn products(&self, session: &Session) -> Result<Vec<Product>, Error> {
        let content = self.manage(session, LIST, "{}").await?;
        products(&content, LIST.1)
    }

    /// An entry of the catalogue, which is listed for it; `None` when the list has none of this id.
    ///
    /// # Errors
    /// As [`Texpo::products`]; [`Error::Reply`] naming `data.tickets` for a reply without a list, which tells nothing of an
    /// entry, unless the configuration has it stand for an empty catalogue.
    pub async fn product(&self, session: &Session, product_id: &str) -> Result<Option<Product>, Error> {
        let content = self.manage(session, LIST, "{}").await?;
        let Some(list) = content.member("tickets") else {
            return if self.config.no_list_is_empty {
                Ok(None)
            } else {
                Err(unreadable(LIST.1, "data.tickets"))
            };
        };
        let mut found = None;
        each(&list, LIST.1, |product| {
            if found.is_none() && product.product_id == product_id {
                found = Some(product);
            }
        })?;
        Ok(found)
    }

    /// What a new entry would be sent as, before anything is sent.
    ///
    /// # Errors
    /// [`Error::Input`] naming `product_id` or a field.
    pub fn new_product(&self, product_id: &str, fields: &ProductFields) -> Result<Product, Error> {
        let asked = changes(fields, self.config.timestamps)?;
        let mut object = Object::default();
        object.set("productId", object::text(product_id));
        object.take(&asked);
        self.to_send(product_id, &asked, &object)
    }

    /// What an entry would be sent as with these changes: all that it has, members included that are not known here.
    ///
    /// # Errors
    /// As [`Texpo::new_product`].
    pub fn changed_product(&self, held: &Product, fields: &ProductFields) -> Result<Product, Error> {
        let asked = changes(fields, self.config.timestamps)?;
        let mut object = Object::read(&held.body_json).unwrap_or_default();
        object.take(&asked);
        self.to_send(&held.product_id, &asked, &object)
    }

    fn to_send(&self, product_id: &str, asked: &Object, object: &Object) -> Result<Product, Error> {
        let product = read_product(&object.to_string());
        let product = product.ok_or_else(|| input("product_id", "must not be empty"))?;
        check(product_id, asked, &product)?;
        Ok(product)
    }

    /// The members that a change names, as a JSON object.
    ///
    /// # Errors
    /// As [`Texpo::new_product`].
    pub fn changed_members(&self, fields: &ProductFields) -> Result<String, Error> {
        fields::changed_members(fields, self.config.timestamps)
    }

    /// Makes an entry out of [`Texpo::new_product`]'s, and gives it as the server has it. When the server refuses it, the
    /// catalogue is listed: an entry that is there and as asked for was made before, by this request's first sending or
    /// another. A success that does not show the entry as it was asked for counts where the catalogue has it so.
    ///
    /// # Errors
    /// As [`Texpo::products`], the server's refusal when another entry has the id; [`Error::Reply`] naming `data.ticket`
    /// for a success of which nothing shows the entry. A server may overwrite an entry instead of refusing: whoever wants
    /// it kept lists the catalogue first.
    pub async fn create_product(&self, session: &Session, product: &Product) -> Result<Product, Error> {
        let refused = match self.write(session, CREATE, product).await {
            Err(error) if is_about_the_entry(&error) => error,
            Ok(Some(told)) if shows(&product.body_json, &told.body_json) => return Ok(told),
            Ok(_) => return self.verified(session, CREATE.1, product).await,
            Err(other) => return Err(other),
        };
        match self.product(session, &product.product_id).await {
            Ok(Some(held)) if agrees(&product.body_json, &held.body_json) => Ok(held),
            _ => Err(refused),
        }
    }

    /// Puts an entry out of [`Texpo::changed_product`] in the place of the one with its id, and gives it as the server has
    /// it. A success that shows another entry or none counts where the catalogue has the entry as it was sent.
    ///
    /// # Errors
    /// As [`Texpo::products`]; [`Error::Reply`] naming `data.ticket` for a success of which nothing shows the entry.
    pub async fn update_product(&self, session: &Session, product: &Product) -> Result<Product, Error> {
        match self.write(session, UPDATE, product).await? {
            Some(told) if told.product_id == product.product_id => Ok(told),
            _ => self.verified(session, UPDATE.1, product).await,
        }
    }

    /// Takes an entry out of the catalogue.
    ///
    /// # Errors
    /// As [`Texpo::products`]; [`Error::Input`] naming `product_id` for an empty one.
    pub async fn delete_product(&self, session: &Session, product_id: &str) -> Result<(), Error> {
        if product_id.is_empty() {
            return Err(input("product_id", "must not be empty"));
        }
        let mut asked = Object::default();
        asked.set("productId", object::text(product_id));
        self.manage(session, DELETE, &asked.to_string()).await.map(drop)
    }

    /// Sends an entry; gives the one that the success shows, if it does.
    async fn write(
        &self,
        session: &Session,
        method: (&str, &'static str),
        product: &Product,
    ) -> Result<Option<Product>, Error> {
        let asked = format!("{{\"ticket\":{}}}", product.body_json);
        let content = self.manage(session, method, &asked).await?;
        Ok(content.member("ticket").and_then(|ticket| read_product(&ticket)))
    }

    /// The entry of the catalogue, if it is as it was sent.
    async fn verified(&self, session: &Session, endpoint: &str, product: &Product) -> Result<Product, Error> {
        match self.product(session, &product.product_id).await {
            Ok(Some(held)) if shows(&product.body_json, &held.body_json) => Ok(held),
            _ => Err(unreadable(endpoint, "data.ticket")),
        }
    }

    async fn manage(
        &self,
        session: &Session,
        (method, endpoint): (&str, &'static str),
        parameters: &str,
    ) -> Result<Content, Error> {
        let (url, empty) = (self.rpc_url(method)?, serde_json::Value::Null);
        let request = || Request { json: Some(parameters), ..Request::post(url.clone(), endpoint, &empty) };
        let reply = session.send(&self.http, self, request).await?;
        self.open(&reply).map_err(|error| self.of_manager(error))
    }
}

/// The entries of a list. A reply without one lists nothing.
///
/// # Errors
/// [`Error::Reply`] for what is no list, and for an entry without an id.
pub(super) fn products(content: &Content, endpoint: &str) -> Result<Vec<Product>, Error> {
    let mut all = Vec::new();
    if let Some(list) = content.member("tickets") {
        each(&list, endpoint, |product| all.push(product))?;
    }
    Ok(all)
}

/// Reads the entries of a list one after the other.
fn each(list: &str, endpoint: &str, mut found: impl FnMut(Product)) -> Result<(), Error> {
    let items = raw::items(list).ok_or_else(|| unreadable(endpoint, "data.tickets"))?;
    for (index, item) in items.into_iter().enumerate() {
        let name = || format!("data.tickets[{index}].productId");
        found(read_product(item).ok_or_else(|| unreadable(endpoint, &name()))?);
    }
    Ok(())
}

fn unreadable(endpoint: &str, field: &str) -> Error {
    Error::Reply { endpoint: endpoint.to_owned(), field: field.to_owned() }
}

/// Whether the server may have refused an entry for what is in the catalogue.
fn is_about_the_entry(error: &Error) -> bool {
    match error {
        Error::Answer { .. } => !error.is_uncertain(),
        Error::Status { status, .. } => matches!(status, 400 | 409 | 422),
        _ => false,
    }
}
