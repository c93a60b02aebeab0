//! What needs the network now: files, orders, offers, certificates, and tickets that others hand over.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use ticket_wallet::Wallet;
use ticket_wallet::model::{Document, IncomingTransfer};

use crate::args::{AtTenant, OrdersCommand};
use crate::failure::Failure;
use crate::holder::only;
use crate::output::{Output, table};

/// The account that was named, or the only one there is.
pub(crate) fn account(wallet: &Wallet, named: Option<String>) -> Result<String, Failure> {
    named.map_or_else(|| only(wallet.accounts()?), Ok)
}

pub(crate) async fn questions(wallet: &Wallet, id: String, output: &Output) -> Result<(), Failure> {
    let found = wallet.holder_questions(id).await?;
    let Some(form) = found else { return output.either(&Value::Null, || "No questions.".to_owned()) };
    let answers = form.response_json.as_deref().and_then(|json| serde_json::from_str::<Value>(json).ok());
    let answers = answers.unwrap_or_default();
    let value = form.questions.iter().map(|question| {
        json!({
            "key": question.key, "question": question.content, "kind": question.kind, "required": question.required,
            "answer": answers[question.key.as_str()],
        })
    });
    output.either(&value.collect(), || {
        let header = ["KEY", "QUESTION", "NEEDED", "ANSWER"].map(str::to_owned).to_vec();
        let rows = form.questions.iter().map(|question| {
            let answer = match &answers[question.key.as_str()] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let needed = if question.required { "yes" } else { "" };
            vec![
                question.key.clone(),
                question.content.clone().unwrap_or_default(),
                needed.to_owned(),
                answer,
            ]
        });
        table(&std::iter::once(header).chain(rows).collect::<Vec<_>>())
    })
}

pub(crate) async fn documents(
    wallet: &Wallet,
    id: String,
    fetch: bool,
    out: Option<PathBuf>,
    output: &Output,
) -> Result<(), Failure> {
    let found = if fetch {
        wallet.fetch_documents(id).await?
    } else {
        let account = wallet.ticket(id.clone())?.summary.account_id;
        wallet.documents(account, Some(format!("ticket/{id}")))?
    };
    for document in out.iter().flat_map(|_| &found) {
        let name = format!("{}.{}", document.subject.replace('/', "-"), ending(&document.media_type));
        let path = out.as_deref().unwrap_or(Path::new(".")).join(name);
        write(&path, &wallet.document(document.id)?)?;
    }
    output.either(&found.iter().map(document_json).collect(), || {
        if found.is_empty() {
            return "No files are kept; --fetch asks the server for them.".to_owned();
        }
        let header = ["FILE", "KIND", "BYTES"].map(str::to_owned).to_vec();
        let rows = found.iter().map(|document| {
            vec![document.id.to_string(), document.media_type.clone(), document.size.to_string()]
        });
        table(&std::iter::once(header).chain(rows).collect::<Vec<_>>())
    })
}

pub(crate) async fn ledger(
    wallet: &Wallet,
    place: AtTenant,
    id: String,
    output: &Output,
) -> Result<(), Failure> {
    let record = wallet.ticket_by_ledger_id(account(wallet, place.account)?, place.tenant, id).await?;
    let record: Value = serde_json::from_str(&record).unwrap_or_default();
    output.either(&record, || format!("{record:#}"))
}

pub(crate) async fn orders(wallet: &Wallet, command: OrdersCommand, output: &Output) -> Result<(), Failure> {
    match command {
        OrdersCommand::List(place) => {
            let found = wallet.orders(account(wallet, place.account)?, place.tenant).await?;
            let value = found.iter().map(|order| {
                let record: Value = serde_json::from_str(&order.body_json).unwrap_or_default();
                json!({ "order": order.remote_id, "tenant": order.tenant, "status": order.status.as_text(),
                    "total": order.total.as_ref().map(ToString::to_string), "record": record })
            });
            output.either(&value.collect(), || {
                let header = ["ORDER", "STATUS", "TOTAL"].map(str::to_owned).to_vec();
                let rows = found.iter().map(|order| {
                    let total = order.total.as_ref().map(ToString::to_string).unwrap_or_default();
                    vec![order.remote_id.clone(), order.status.as_text().to_owned(), total]
                });
                table(&std::iter::once(header).chain(rows).collect::<Vec<_>>())
            })
        }
        OrdersCommand::Download { place, order, out } => {
            let account = account(wallet, place.account)?;
            let document = wallet.fetch_order_document(account, place.tenant, order).await?;
            write(&out, &wallet.document(document.id)?)?;
            output.either(&document_json(&document), || format!("Wrote {}", out.display()))
        }
        OrdersCommand::Email { place, order } => {
            wallet.email_order(account(wallet, place.account)?, place.tenant, order).await?;
            output.either(&json!({ "sent": true }), || "The server sends them by e-mail.".to_owned())
        }
    }
}

pub(crate) async fn offers(wallet: &Wallet, place: AtTenant, output: &Output) -> Result<(), Failure> {
    let found = wallet.own_offers(account(wallet, place.account)?, place.tenant).await?;
    let value = found.iter().map(|offer| {
        let record: Value = serde_json::from_str(&offer.body_json).unwrap_or_default();
        json!({ "offer": offer.remote_id, "kind": offer.kind,
            "price": offer.price.as_ref().map(ToString::to_string), "record": record })
    });
    output.either(&value.collect(), || {
        if found.is_empty() {
            return "No offers.".to_owned();
        }
        let header = ["OFFER", "KIND"].map(str::to_owned).to_vec();
        let rows =
            found.iter().map(|offer| vec![offer.remote_id.clone(), offer.kind.clone().unwrap_or_default()]);
        table(&std::iter::once(header).chain(rows).collect::<Vec<_>>())
    })
}

pub(crate) async fn enroll(wallet: &Wallet, named: Option<String>, output: &Output) -> Result<(), Failure> {
    let certificate = wallet.enroll(account(wallet, named)?).await?;
    let value =
        json!({ "enrollment_id": certificate.enrollment_id, "certificate_pem": certificate.certificate_pem });
    output.either(&value, || format!("{}\n{}", certificate.enrollment_id, certificate.certificate_pem))
}

pub(crate) async fn incoming(wallet: &Wallet, named: Option<String>, output: &Output) -> Result<(), Failure> {
    let found = wallet.incoming_transfers(account(wallet, named)?).await?;
    let value = |one: &IncomingTransfer| {
        json!({
            "token": one.token, "sender": one.sender, "title": one.title, "state": one.state.as_text(),
            "expires_at": one.expires_at,
        })
    };
    output.either(&found.iter().map(value).collect(), || {
        if found.is_empty() {
            return "Nobody hands a ticket over.".to_owned();
        }
        let header = ["FROM", "TICKET", "TOKEN"].map(str::to_owned).to_vec();
        let rows = found.iter().map(|one| {
            vec![
                one.sender.clone().unwrap_or_default(),
                one.title.clone().unwrap_or_default(),
                one.token.clone(),
            ]
        });
        table(&std::iter::once(header).chain(rows).collect::<Vec<_>>())
    })
}

fn document_json(document: &Document) -> Value {
    json!({
        "file": document.id, "subject": document.subject, "media_type": document.media_type,
        "fetched_at": document.fetched_at, "size": document.size,
    })
}

fn ending(media_type: &str) -> &'static str {
    match media_type {
        "application/pdf" => "pdf",
        "application/vnd.apple.pkpass" => "pkpass",
        "application/zip" => "zip",
        _ => "bin",
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(|e| Failure::system(format!("{} cannot be written", path.display()), e))
}
