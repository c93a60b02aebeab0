//! Tickets as wallet passes: ZIP files with `pass.json` and its manifest. They have no signature, which takes a certificate
//! of the wallet's maker.

use std::io::{Cursor, Write};

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::json;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::code::blank_picture;
use super::order_file::Printed;

/// Media type, name and bytes: one pass, or a bundle of several.
pub(super) fn file(tickets: &[Printed]) -> std::io::Result<(&'static str, &'static str, Vec<u8>)> {
    if let [ticket] = tickets {
        return Ok(("application/vnd.apple.pkpass", "ticket.pkpass", pass(ticket)?));
    }
    let mut passes = Vec::new();
    for ticket in tickets {
        passes.push((format!("ticket-{}.pkpass", ticket.id), pass(ticket)?));
    }
    Ok(("application/vnd.apple.pkpasses", "tickets.pkpasses", zipped(&passes)?))
}

fn pass(ticket: &Printed) -> std::io::Result<Vec<u8>> {
    let pass = json!({
        "formatVersion": 1,
        "passTypeIdentifier": "pass.example.ticket",
        "teamIdentifier": "SANDBOX",
        "serialNumber": ticket.ledger_id,
        "organizationName": ticket.organizer,
        "description": ticket.config,
        "relevantDate": ticket.starts_at,
        "barcodes": [{
            "format": "PKBarcodeFormatQR",
            "message": ticket.code,
            "messageEncoding": "iso-8859-1",
        }],
        "eventTicket": {
            "primaryFields": [{"key": "event", "label": "Event", "value": ticket.event}],
            "secondaryFields": [{"key": "seat", "label": "Seat", "value": ticket.seat}],
        },
    });
    let (pass, icon) = (pass.to_string().into_bytes(), blank_picture()?);
    let hash = |bytes: &[u8]| hex::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes));
    let manifest = json!({"pass.json": hash(&pass), "icon.png": hash(&icon)}).to_string().into_bytes();
    let files = [("pass.json", pass), ("icon.png", icon), ("manifest.json", manifest)];
    zipped(&files.map(|(name, bytes)| (name.to_owned(), bytes)))
}

fn zipped(files: &[(String, Vec<u8>)]) -> std::io::Result<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(name.as_str(), SimpleFileOptions::default())?;
        writer.write_all(bytes)?;
    }
    Ok(writer.finish()?.into_inner())
}
