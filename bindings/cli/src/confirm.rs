//! Asking before what cannot be undone.

use std::io::{self, IsTerminal as _};

use crate::failure::Failure;
use crate::output::Output;

/// Asks the person at the terminal; a script says `--yes` beforehand.
pub(crate) fn confirm(yes: bool, what: &str, output: &Output) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(format!("{what}: it cannot be undone; say --yes")));
    }
    asked(&format!("{what}? It cannot be undone. [y/N] "), output)
}

/// The same for what costs money: the person sees what it comes to first.
pub(crate) fn agree(told: &str, what: &str, output: &Output) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(format!("{what}: nobody is there to ask; say --yes")));
    }
    asked(&format!("{told}{what}? [y/N] "), output)
}

fn asked(question: &str, output: &Output) -> Result<(), Failure> {
    output.prompt(question)?;
    let mut answer = String::new();
    let failed = |e| Failure::system("the answer cannot be read", e);
    io::stdin().read_line(&mut answer).map_err(failed)?;
    let agreed = matches!(answer.trim(), "y" | "Y" | "yes");
    if agreed { Ok(()) } else { Err(Failure::Usage("nothing was done".to_owned())) }
}
