//! What a person is asked on the terminal. Without one, answers are lines of standard input; at its end everything is declined.

use std::io::{BufRead as _, IsTerminal as _};

use anyhow::Context as _;
use console::Term;
use schemas::ids::OperatorId;
use schemas::message::Pin;
use zeroize::Zeroizing;

use super::super::complain;

/// One line.
pub(super) fn line(prompt: &str) -> anyhow::Result<String> {
    complain(prompt);
    read()
}

/// An operator's PIN, which is not shown while it is typed. What cannot be one never comes to the station.
pub(in crate::cli) fn pin(operator: &OperatorId) -> anyhow::Result<Zeroizing<String>> {
    let typed = secret(&format!("{operator} PIN"))?;
    Pin::new(&typed).context("the station was not asked, and nothing was changed")?;
    Ok(typed)
}

fn secret(prompt: &str) -> anyhow::Result<Zeroizing<String>> {
    complain(prompt);
    if std::io::stdin().is_terminal() {
        let typed = Term::stderr().read_secure_line();
        return typed.map(Zeroizing::new).context("the PIN cannot be read");
    }
    read().map(Zeroizing::new)
}

/// Whether the operator agrees.
pub(super) fn agrees(question: &str) -> anyhow::Result<bool> {
    complain(&format!("{question} [y/N]"));
    Ok(matches!(read()?.as_str(), "y" | "Y" | "yes" | "是"))
}

fn read() -> anyhow::Result<String> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.context("standard input cannot be read")?;
    Ok(line.trim().to_owned())
}
