//! Codes from stdin, as scanners send them, or from pictures: one verdict each.

use std::fs::File;
use std::io::{self, BufRead, IsTerminal as _, Read as _};
use std::path::Path;
use std::process::ExitCode;

use ticket_wallet::WalletError;
use ticket_wallet::barcode::read_png;
use ticket_wallet::ledger::Verdict;
use ticket_wallet::model::GateVerdict;

use super::echo::Silence;
use super::words;
use crate::args::gate::GateScanOptions;
use crate::failure::Failure;
use crate::output::Output;

/// No code is longer. Of a longer line nothing counts, and it is judged as no code.
const MAX_SCANNED: usize = 64 << 10;
/// No picture of a code is longer.
const MAX_PICTURE: u64 = 1 << 20;

/// Has `decide` judge each code; `done` is what staff call somebody who may pass. Ends well when all may.
pub(super) fn run(
    options: GateScanOptions,
    output: &Output,
    done: &'static str,
    decide: impl Fn(Vec<u8>, u16) -> Result<GateVerdict, WalletError>,
) -> Result<ExitCode, Failure> {
    let live = options.image.is_empty() && output.is_terminal() && io::stdin().is_terminal();
    let mut all_pass = true;
    let mut judge = |code: Vec<u8>| -> Result<(), Failure> {
        let said = decide(code, options.persons)?;
        all_pass &= said.verdict == Verdict::Admit;
        output.either(&words::json(&said), || {
            if live { words::screen(&said, done) } else { words::line(&said, done) }
        })
    };
    if options.image.is_empty() {
        let _no_echo = live
            .then(Silence::begin)
            .transpose()
            .map_err(|e| Failure::system("the terminal cannot be set", e))?;
        if live {
            output.text(&words::first_screen())?;
        }
        let mut stdin = io::stdin().lock();
        while let Some(code) =
            next_code(&mut stdin).map_err(|e| Failure::system("stdin cannot be read", e))?
        {
            judge(code)?;
        }
    } else {
        let codes: Result<Vec<_>, _> = options.image.iter().map(|path| read_picture(path)).collect();
        codes?.into_iter().try_for_each(judge)?;
    }
    Ok(if all_pass { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The next line that is not empty, without its end; `None` at the end of the input. A scanner may end lines with CR alone,
/// and is then not kept waiting for what follows.
fn next_code(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let (mut line, mut length) = (Vec::new(), 0);
    loop {
        let available = input.fill_buf()?;
        let ended = available.is_empty();
        let end = available.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let part = available.get(..end.unwrap_or(available.len())).unwrap_or_default();
        if length + part.len() <= MAX_SCANNED {
            line.extend_from_slice(part);
        }
        length += part.len();
        let taken = part.len() + usize::from(end.is_some());
        input.consume(taken);
        if (end.is_some() || ended) && length > 0 {
            if length > MAX_SCANNED {
                line.clear();
            }
            return Ok(Some(line));
        }
        if ended {
            return Ok(None);
        }
    }
}

fn read_picture(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |e| Failure::system(format!("{} cannot be read", path.display()), e);
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(MAX_PICTURE + 1).read_to_end(&mut bytes).map_err(failed)?;
    let text = read_png(&bytes).map_err(|e| Failure::Usage(format!("{}: {e}", path.display())))?;
    Ok(text.into_bytes())
}
