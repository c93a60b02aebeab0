//! What needs the network now: files, orders, offers, certificates, and tickets that others hand over.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};
use ticket_wallet::model::{Certificate, Document, IncomingTransfer, MailRequest};
use ticket_wallet::{Wallet, WalletError};

use crate::args::holder::{AtTenant, DocumentsCommand, OrdersCommand};
use crate::args::unidy::QueryOptions;
use crate::box_office;
use crate::exchange;
use crate::failure::Failure;
use crate::holder::one_of;
use crate::output::{Output, titled};
use crate::record;

/// The account that was named, or the only one there is.
pub(crate) fn account(wallet: &Wallet, named: Option<String>) -> Result<String, Failure> {
    one_of(wallet.accounts()?, named, "")
}

/// What is not found may well be there at a tenant that was not named.
fn at_which(tenant: Option<String>, error: WalletError) -> WalletError {
    match error {
        WalletError::Refused { reason, status: 404, server_code } if tenant.is_none() => {
            let reason = format!("{reason}; where tenants are apart, say --tenant NAME");
            WalletError::Refused { reason, status: 404, server_code }
        }
        other => other,
    }
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
        let header = ["KEY", "QUESTION", "NEEDED", "ANSWER"];
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
        titled(header, rows)
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
    let mut wrote = String::new();
    for (folder, document) in out.iter().flat_map(|folder| found.iter().map(move |one| (folder, one))) {
        let name = format!("{}.{}", document.subject.replace('/', "-"), ending(&document.media_type));
        let path = folder.join(name);
        write(&path, &wallet.document(document.id)?)?;
        wrote += &format!("Wrote {}\n", path.display());
    }
    listed(&found, output, || {
        if found.is_empty() {
            "No files are kept; --fetch asks the server for them.".to_owned()
        } else {
            wrote
        }
    })
}

/// The files that are kept of an account.
pub(crate) fn kept(wallet: &Wallet, command: DocumentsCommand, output: &Output) -> Result<(), Failure> {
    match command {
        DocumentsCommand::List { account: named } => {
            let found = wallet.documents(account(wallet, named)?, None)?;
            listed(&found, output, || {
                if found.is_empty() { "No files are kept.".to_owned() } else { String::new() }
            })
        }
        DocumentsCommand::Save { id, out } => {
            let bytes = wallet.document(id)?;
            write(&out, &bytes)?;
            output.either(&json!({ "file": id, "size": bytes.len() }), || format!("Wrote {}", out.display()))
        }
    }
}

/// The files, and a word on them.
fn listed(found: &[Document], output: &Output, word: impl FnOnce() -> String) -> Result<(), Failure> {
    output.either(&found.iter().map(document_json).collect(), || {
        if found.is_empty() {
            return word();
        }
        let header = ["FILE", "OF", "KIND", "BYTES"];
        let rows = found.iter().map(|document| {
            let (subject, media_type) = (document.subject.clone(), document.media_type.clone());
            vec![document.id.to_string(), subject, media_type, document.size.to_string()]
        });
        titled(header, rows) + &word()
    })
}

/// One page of what a brand's server lists now.
pub(crate) async fn find(
    wallet: &Wallet,
    named: Option<String>,
    query: QueryOptions,
    output: &Output,
) -> Result<(), Failure> {
    let page = query.page;
    let found = wallet.unidy_tickets(account(wallet, named)?, query.query()).await?;
    box_office::unidy_page(&found, page, output)
}

pub(crate) async fn ledger(
    wallet: &Wallet,
    place: AtTenant,
    id: String,
    output: &Output,
) -> Result<(), Failure> {
    let AtTenant { account: named, tenant } = place;
    let record = wallet.ticket_by_ledger_id(account(wallet, named)?, tenant.clone(), id).await;
    let record = record.map_err(|error| at_which(tenant, error))?;
    let record = record::shown(&record);
    output.either(&record, || record::written(&format!("{record:#}")))
}

pub(crate) async fn orders(
    wallet: &Wallet,
    command: OrdersCommand,
    output: &Output,
) -> Result<ExitCode, Failure> {
    match command {
        OrdersCommand::Sections { command } => return exchange::ordered(wallet, command, output).await,
        OrdersCommand::List(place) => {
            let AtTenant { account: named, tenant } = place;
            let found = wallet.orders(account(wallet, named)?, tenant.clone()).await;
            let found = found.map_err(|error| at_which(tenant, error))?;
            let value = found.iter().map(|order| {
                let record = record::shown(&order.body_json);
                json!({ "order": order.remote_id, "tenant": order.tenant, "status": order.status.as_text(),
                    "total": order.total.as_ref().map(ToString::to_string), "record": record })
            });
            output.either(&value.collect(), || {
                if found.is_empty() {
                    return "No orders.".to_owned();
                }
                let header = ["ORDER", "STATUS", "TOTAL"];
                let rows = found.iter().map(|order| {
                    let total = order.total.as_ref().map(ToString::to_string).unwrap_or_default();
                    vec![order.remote_id.clone(), order.status.as_text().to_owned(), total]
                });
                titled(header, rows)
            })
        }
        OrdersCommand::Download { place, order, out } => {
            let AtTenant { account: named, tenant } = place;
            let fetched = wallet.fetch_order_document(account(wallet, named)?, tenant.clone(), order).await;
            let document = fetched.map_err(|error| at_which(tenant, error))?;
            write(&out, &wallet.document(document.id)?)?;
            output.either(&document_json(&document), || format!("Wrote {}", out.display()))
        }
        OrdersCommand::Email { place, order } => {
            let AtTenant { account: named, tenant } = place;
            let sent = wallet.email_order(account(wallet, named)?, tenant.clone(), order).await;
            let taken = sent.map_err(|error| at_which(tenant, error))? == MailRequest::Taken;
            output.either(&json!({ "sent": taken.then_some(true) }), || {
                let said = if taken {
                    "The server sends them by e-mail."
                } else {
                    "The answer was lost: whether they are sent is not known. Look for the e-mail before you repeat it."
                };
                said.to_owned()
            })
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn offers(wallet: &Wallet, place: AtTenant, output: &Output) -> Result<(), Failure> {
    let AtTenant { account: named, tenant } = place;
    let found = wallet.own_offers(account(wallet, named)?, tenant.clone()).await;
    let found = found.map_err(|error| at_which(tenant, error))?;
    let value = found.iter().map(|offer| {
        let record = record::shown(&offer.body_json);
        json!({ "offer": offer.remote_id, "kind": offer.kind,
            "price": offer.price.as_ref().map(ToString::to_string), "record": record })
    });
    output.either(&value.collect(), || {
        if found.is_empty() {
            return "No offers.".to_owned();
        }
        let header = ["OFFER", "KIND", "PRICE"];
        let rows = found.iter().map(|offer| {
            let price = offer.price.as_ref().map(ToString::to_string).unwrap_or_default();
            vec![offer.remote_id.clone(), offer.kind.clone().unwrap_or_default(), price]
        });
        titled(header, rows)
    })
}

pub(crate) async fn enroll(wallet: &Wallet, named: Option<String>, output: &Output) -> Result<(), Failure> {
    certified(&wallet.enroll(account(wallet, named)?).await?, output)
}

/// The certificate that is held.
pub(crate) fn certificate(wallet: &Wallet, named: Option<String>, output: &Output) -> Result<(), Failure> {
    match wallet.certificate(account(wallet, named)?)? {
        Some(held) => certified(&held, output),
        None => output.either(&Value::Null, || {
            "No certificate is held; `ticket-wallet enroll` gets one (B.A.M).".to_owned()
        }),
    }
}

fn certified(certificate: &Certificate, output: &Output) -> Result<(), Failure> {
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
        let header = ["FROM", "TICKET", "TOKEN"];
        let rows = found.iter().map(|one| {
            vec![
                one.sender.clone().unwrap_or_default(),
                one.title.clone().unwrap_or_default(),
                one.token.clone(),
            ]
        });
        titled(header, rows)
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

pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(|e| Failure::system(format!("{} cannot be written", path.display()), e))
}
