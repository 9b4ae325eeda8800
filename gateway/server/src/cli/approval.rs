//! One operator says so, or two approve: their PINs are read from standard input, a line each, and compared with the configuration.

use std::io::BufRead as _;

use anyhow::Context as _;
use edge_config::{Operator, Station};
use schemas::ids::OperatorId;
use schemas::message::Pin;
use zeroize::Zeroizing;

use super::complain;
use crate::operators;

/// Two of them, and not one twice.
pub(super) fn two(approvers: Vec<OperatorId>) -> anyhow::Result<[OperatorId; 2]> {
    let approvers = <[OperatorId; 2]>::try_from(approvers).map_err(|_other_number| {
        anyhow::anyhow!("two operators approve: write --approver twice")
    })?;
    let [one, other] = &approvers;
    anyhow::ensure!(one != other, "two different operators approve");
    Ok(approvers)
}

/// Refuses whoever is not in the configuration, before anything is looked at.
pub(super) fn known(station: &Station, approvers: &[OperatorId; 2]) -> anyhow::Result<()> {
    approvers
        .iter()
        .try_for_each(|approver| find(station, approver).map(drop))
}

fn find<'a>(station: &'a Station, approver: &OperatorId) -> anyhow::Result<&'a Operator> {
    let mut operators = station.operators.iter();
    operators
        .find(|operator| operator.id == *approver)
        .with_context(|| format!("there is no operator {approver} in the configuration"))
}

/// Asks each for the PIN.
pub(super) fn ask(station: &Station, approvers: &[OperatorId; 2]) -> anyhow::Result<()> {
    approvers
        .iter()
        .try_for_each(|approver| one(station, approver))
}

/// Asks one for the PIN.
pub(super) fn one(station: &Station, approver: &OperatorId) -> anyhow::Result<()> {
    let operator = find(station, approver)?;
    complain(&format!(
        "{approver}: type your PIN (it is shown), then Enter"
    ));
    let mut line = Zeroizing::new(String::new());
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .context("the PIN cannot be read")?;
    let pin = Pin::new(line.trim_end_matches(['\r', '\n']))?;
    anyhow::ensure!(
        operators::fits(&operator.pin_hash, &pin),
        "this is not the PIN of {approver}; nothing was changed"
    );
    Ok(())
}
