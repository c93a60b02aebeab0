//! Long lists: page by page, with what has come so far told at a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget};
use ticket_wallet::WalletError;
use ticket_wallet::model::{Admission, AdmissionToken, OfficeTicket};

use crate::failure::Failure;
use crate::output::Output;

/// No list goes on after so many pages, whatever the server says.
const MOST_PAGES: u32 = 2_000;

/// No list is held beyond so many bytes of the systems' records; it then says how to go on.
const MOST_BYTES: usize = 64 << 20;

/// What a list holds a record of.
pub(crate) trait Recorded {
    /// How long the record is.
    fn bytes(&self) -> usize;
}

impl Recorded for AdmissionToken {
    fn bytes(&self) -> usize {
        self.body_json.len()
    }
}

impl Recorded for Admission {
    fn bytes(&self) -> usize {
        self.body_json.len()
    }
}

impl Recorded for OfficeTicket {
    fn bytes(&self) -> usize {
        self.body_json.len()
    }
}

/// A page, or several in one.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) entries: Vec<T>,
    /// How many there are in all, where the server says.
    pub(crate) total: Option<u64>,
    pub(crate) more: bool,
    /// The page to go on with.
    pub(crate) next: u32,
}

impl<T> Page<T> {
    /// `12 of 5,000 tokens.`, and how to go on.
    pub(crate) fn footer(&self, what: &str) -> String {
        let of = self.total.map(|total| format!(" of {total}")).unwrap_or_default();
        let more = if self.more { format!(" More: --page {}", self.next) } else { String::new() };
        format!("{}{of} {what}.{more}\n", self.entries.len())
    }
}

/// The page that was asked for, or all of them.
pub(crate) async fn pages<T: Recorded>(
    asked: Option<u32>,
    what: &str,
    output: &Output,
    fetch: impl AsyncFn(u32) -> Result<Page<T>, WalletError>,
) -> Result<Page<T>, Failure> {
    if let Some(page) = asked {
        return Ok(Page { next: page.saturating_add(1), ..fetch(page).await? });
    }
    let bar = spinner(output);
    let mut all = Page { entries: Vec::new(), total: None, more: true, next: 1 };
    let mut bytes = 0;
    while all.more && all.next <= MOST_PAGES && bytes < MOST_BYTES {
        bar.set_message(format!("Page {}: {}", all.next, all.footer(what).trim_end()));
        let page = fetch(all.next).await?;
        bytes += page.entries.iter().map(Recorded::bytes).sum::<usize>();
        all.entries.extend(page.entries);
        all.total = page.total.or(all.total);
        (all.more, all.next) = (page.more, all.next + 1);
    }
    bar.finish_and_clear();
    Ok(all)
}

/// Waits for what has no pages, and says so at a terminal.
pub(crate) async fn waiting<T>(
    what: &'static str,
    output: &Output,
    work: impl Future<Output = Result<T, WalletError>>,
) -> Result<T, Failure> {
    let bar = spinner(output);
    bar.set_message(what);
    let result = work.await;
    bar.finish_and_clear();
    Ok(result?)
}

/// What turns on stderr while something takes long; nothing where nobody looks.
pub(crate) fn spinner(output: &Output) -> ProgressBar {
    if !output.is_terminal() {
        return ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    }
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
