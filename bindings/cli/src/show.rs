//! `show`: a ticket's rotating barcode, live on a terminal, once for scripts and files.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use ticket_wallet::barcode::{to_png, to_svg, to_terminal};
use ticket_wallet::{Presentation, Wallet};

use crate::args::holder::ShowOptions;
use crate::failure::Failure;
use crate::output::Output;

/// Pixels a module: 57 modules and the quiet zone make 520 pixels.
const PNG_SCALE: u32 = 8;
const OTHER_SCREEN: &str = "\x1b[?1049h\x1b[?25l";
const OWN_SCREEN: &str = "\x1b[?25h\x1b[?1049l";
const TOP: &str = "\x1b[H\x1b[J";

pub(crate) async fn run(wallet: &Wallet, options: ShowOptions, output: &Output) -> Result<(), Failure> {
    let frame = || Ok(wallet.present(options.id.clone(), options.nonce.map(|nonce| nonce.to_vec()))?);
    let first = frame()?;
    if let Some(path) = &options.out {
        write_picture(path, &first)?;
        return output.either(&presentation_json(&first), || format!("Wrote {}", path.display()));
    }
    if !output.is_terminal() {
        return output.either(&presentation_json(&first), || picture(&first));
    }
    output.text(OTHER_SCREEN)?;
    let result = tokio::select! {
        result = redraw(first, frame, output) => result,
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    output.text(OWN_SCREEN)?;
    result
}

async fn redraw(
    mut shown: Presentation,
    frame: impl Fn() -> Result<Presentation, Failure>,
    output: &Output,
) -> Result<(), Failure> {
    loop {
        output.text(&format!("{TOP}{}Ctrl-C ends. {}\n", picture(&shown), clock_note(&shown)))?;
        tokio::time::sleep(Duration::from_millis(shown.next_redraw_in_ms)).await;
        shown = frame()?;
    }
}

/// The frame as half blocks.
pub(crate) fn picture(shown: &Presentation) -> String {
    to_terminal(&shown.matrix)
}

fn clock_note(shown: &Presentation) -> &'static str {
    if shown.clock_uncertainty.confirmed {
        "The time is confirmed by a server."
    } else {
        "The time is this device's own: sync to confirm it."
    }
}

/// `{text, issuer_key, presented_at, valid_until, next_redraw_at}`.
fn presentation_json(shown: &Presentation) -> Value {
    json!({
        "text": shown.text,
        "issuer_key": hex::encode(&shown.issuer_key),
        "presented_at": shown.presented_at,
        "valid_until": shown.valid_until,
        "next_redraw_at": shown.next_redraw_at,
        "clock": { "confirmed": shown.clock_uncertainty.confirmed, "error_ms": shown.clock_uncertainty.error_ms },
    })
}

fn write_picture(path: &Path, shown: &Presentation) -> Result<(), Failure> {
    let bytes = match path.extension().and_then(|ending| ending.to_str()) {
        Some("svg") => to_svg(&shown.matrix).into_bytes(),
        Some("png") => to_png(&shown.matrix, PNG_SCALE)
            .map_err(|e| Failure::system("the picture cannot be made", std::io::Error::other(e)))?,
        _ => return Err(Failure::Usage("--out: the file's name must end in .svg or .png".to_owned())),
    };
    fs::write(path, bytes).map_err(|e| Failure::system(format!("{} cannot be written", path.display()), e))
}
