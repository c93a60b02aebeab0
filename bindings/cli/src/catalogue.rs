//! `catalogue`: a network's tickets to buy at TEXPO.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Map, Value, json};
use ticket_wallet::model::{Product, ProductFields, TicketSystem};

use crate::args::texpo::{CatalogueCommand, ProductOptions};
use crate::box_office::{account_of, open, or_stdin, written};
use crate::confirm::confirm;
use crate::failure::Failure;
use crate::holder::utc;
use crate::online;
use crate::output::{Output, titled};
use crate::paging::waiting;
use crate::record;

pub(crate) async fn run(
    folder: Option<PathBuf>,
    command: CatalogueCommand,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let office = open(folder)?;
    let account = |named| account_of(&office, named, TicketSystem::Texpo);
    let write = match command {
        CatalogueCommand::List { account: named } => {
            let work = office.catalogue(account(named)?);
            list(&waiting("Fetching the catalogue", output, work).await?, output)?;
            return Ok(ExitCode::SUCCESS);
        }
        CatalogueCommand::Show { account: named, product, out } => {
            let found = office.product(account(named)?, product).await?;
            show(&found, out.as_deref(), output)?;
            return Ok(ExitCode::SUCCESS);
        }
        CatalogueCommand::Create { account: named, product, fields } => {
            let account = account(named)?;
            let (fields, of_file) = fields_of(*fields)?;
            let product = product.or(of_file).ok_or_else(|| {
                Failure::Usage("say a productId, or --file with an object that has one".to_owned())
            })?;
            office.create_product(account, product, fields).await?
        }
        CatalogueCommand::Update { account: named, product, fields } => {
            let account = account(named)?;
            office.update_product(account, product, fields_of(*fields)?.0).await?
        }
        CatalogueCommand::Delete { account: named, product, yes } => {
            let account = account(named)?;
            confirm(yes, &format!("Delete {product} from the catalogue"), output)?;
            office.delete_product(account, product).await?
        }
    };
    written(&write, output)
}

/// What was asked for, and the file's `productId`.
fn fields_of(options: ProductOptions) -> Result<(ProductFields, Option<String>), Failure> {
    let more_json = options.file.as_deref().map(read).transpose()?;
    let members: Map<String, Value> = match more_json.as_deref() {
        None => Map::new(),
        Some(text) => serde_json::from_str(text)
            .map_err(|error| Failure::Usage(format!("--file: a JSON object is expected: {error}")))?,
    };
    only_once(&options, &members)?;
    let product = members.get("productId").and_then(Value::as_str).map(str::to_owned);
    let fields = ProductFields {
        event_name: options.event_name,
        starts_at: options.starts_at,
        ends_at: options.ends_at,
        ticket_type: options.ticket_type,
        ticket_name: options.name,
        ticket_description: options.description,
        price: options.price,
        thumbnail_id: options.thumbnail,
        discount: options.discount,
        grants: (!options.grant.is_empty()).then_some(options.grant),
        more_json,
    };
    Ok((fields, product))
}

fn read(path: &Path) -> Result<String, Failure> {
    if path == Path::new("-") {
        return or_stdin("-".to_owned());
    }
    fs::read_to_string(path).map_err(|e| Failure::system(format!("{} cannot be read", path.display()), e))
}

/// What stands in the file and in an option too would be sent as the file has it, without a word.
fn only_once(options: &ProductOptions, members: &Map<String, Value>) -> Result<(), Failure> {
    let given = [
        ("--event-name", "eventName", options.event_name.is_some()),
        ("--starts-at", "eventStartDate", options.starts_at.is_some()),
        ("--ends-at", "eventEndDate", options.ends_at.is_some()),
        ("--ticket-type", "ticketType", options.ticket_type.is_some()),
        ("--name", "ticketName", options.name.is_some()),
        ("--description", "ticketDescription", options.description.is_some()),
        ("--price", "price", options.price.is_some()),
        ("--thumbnail", "thumbnailId", options.thumbnail.is_some()),
        ("--discount", "discount", options.discount.is_some()),
        ("--grant", "grants", !options.grant.is_empty()),
    ];
    let twice = given.iter().find(|(_, member, given)| *given && members.contains_key(*member));
    twice.map_or(Ok(()), |(option, member, _)| {
        Err(Failure::Usage(format!("{option}: the file has {member} too; leave one of them out")))
    })
}

fn list(found: &[Product], output: &Output) -> Result<(), Failure> {
    output.either(&found.iter().map(product_json).collect(), || {
        let count = match found.len() {
            0 => return "No entries.".to_owned(),
            1 => "1 entry.\n".to_owned(),
            count => format!("{count} entries.\n"),
        };
        let header = ["PRODUCT", "EVENT", "START (UTC)", "TYPE", "TICKET", "PRICE"];
        let rows = found.iter().map(|product| {
            vec![
                product.product_id.clone(),
                product.event_name.clone().unwrap_or_default(),
                product.starts_at.map(utc).unwrap_or_default(),
                product.ticket_type.as_ref().map(|kind| kind.to_text()).unwrap_or_default(),
                product.ticket_name.clone().unwrap_or_default(),
                product.price.as_ref().map(ToString::to_string).unwrap_or_default(),
            ]
        });
        titled(header, rows) + &count
    })
}

fn show(product: &Product, out: Option<&Path>, output: &Output) -> Result<(), Failure> {
    let Some(path) = out else {
        let value = product_json(product);
        return output.either(&value, || record::written(&format!("{:#}", value["record"])));
    };
    online::write(path, format!("{}\n", product.body_json).as_bytes())?;
    let value = json!({ "product_id": product.product_id, "file": path.display().to_string() });
    output.either(&value, || format!("Wrote {}", path.display()))
}

fn product_json(product: &Product) -> Value {
    let grants =
        product.grants.iter().map(|grant| json!({ "kind": grant.kind.as_text(), "target": grant.target() }));
    json!({
        "product_id": product.product_id, "event_name": product.event_name, "starts_at": product.starts_at,
        "ends_at": product.ends_at, "ticket_type": product.ticket_type.as_ref().map(|kind| kind.to_text()),
        "ticket_name": product.ticket_name, "ticket_description": product.ticket_description,
        "price": product.price.as_ref().map(|price| json!({ "minor": price.minor, "currency": price.currency })),
        "thumbnail_id": product.thumbnail_id, "discount": product.discount, "grants": grants.collect::<Vec<_>>(),
        "record": record::shown(&product.body_json),
    })
}
