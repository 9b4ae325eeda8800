//! What a person is asked on the terminal. Without one, answers are lines of standard input; at its end everything is declined.

use std::io::{BufRead as _, IsTerminal as _};

use anyhow::Context as _;
use console::Term;
use zeroize::Zeroizing;

use super::super::complain;

/// One line.
pub(super) fn line(prompt: &str) -> anyhow::Result<String> {
    complain(prompt);
    read()
}

/// A line that is not shown while it is typed.
pub(in crate::cli) fn secret(prompt: &str) -> anyhow::Result<Zeroizing<String>> {
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
