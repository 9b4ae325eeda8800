//! What a device is made to do: the way of every command, through the log first. Where a person is needed, a person is asked.

use schemas::event::commission::ExerciseEnded;
use schemas::words::{CommissionReason as Why, Completion, RefusalReason};

use super::ask;
use super::steps::{Found, Round, spinner};
use crate::admin::Exercised;

impl Round<'_> {
    /// Has something exercised and waits for its end.
    pub(super) fn exercise(&mut self, doing: &str, trial: &str) -> anyhow::Result<Found> {
        if self.blocked {
            return Ok(Found::Failed(Why::MachineBlocked));
        }
        let path = format!("/commission/sessions/{}/{trial}", self.session);
        let exercised: Exercised = {
            let _spinner = spinner(doing);
            self.client.post(&path)?
        };
        match exercised {
            Exercised {
                refused: Some(reason),
                ..
            } => Ok(refused(reason)),
            Exercised {
                ended: Some(ended), ..
            } => Ok(judged(trial, &ended)),
            Exercised { .. } => {
                self.blocked = true;
                Ok(Found::Failed(Why::MachineBlocked))
            }
        }
    }

    pub(super) fn motion(&mut self, doing: &str) -> anyhow::Result<Found> {
        self.if_agreed(
            doing,
            "carry",
            "让一张卡从卡槽移到读卡器再放回? Move a loaded card from its slot to the reader and back?",
        )
    }

    pub(super) fn intake_card(&mut self, doing: &str) -> anyhow::Result<Found> {
        self.if_agreed(
            doing,
            "intake-card",
            "请将一张身份证放到旧证读卡器上. Lay an ID card on the intake's reader now; will you?",
        )
    }

    pub(super) fn finger(&mut self, doing: &str) -> anyhow::Result<Found> {
        self.if_agreed(
            doing,
            "finger",
            "请将手指按在指纹仪上. Lay a finger on the scanner when its light asks; will you?",
        )
    }

    fn if_agreed(&mut self, doing: &str, trial: &str, question: &str) -> anyhow::Result<Found> {
        if ask::agrees(&format!("{doing}: {question}"))? {
            self.exercise(doing, trial)
        } else {
            Ok(Found::Skipped(Why::Declined))
        }
    }
}

fn refused(reason: RefusalReason) -> Found {
    if reason == RefusalReason::CardUnknown {
        Found::Skipped(Why::NoCardLoaded)
    } else if reason == RefusalReason::DeviceOffline {
        Found::Failed(Why::Offline)
    } else if reason == RefusalReason::NoSuchSession {
        Found::Failed(Why::MachineBlocked)
    } else {
        Found::Failed(Why::NotFree)
    }
}

/// What the end of an exercise means.
fn judged(trial: &str, ended: &ExerciseEnded) -> Found {
    match ended.completion {
        Completion::Success => {}
        Completion::UnsupportedCommand => return Found::Skipped(Why::Unsupported),
        Completion::TimeOut | Completion::Canceled => return Found::Failed(Why::TimedOut),
        Completion::DeviceNotReady => return Found::Failed(Why::Offline),
        Completion::HardwareError | Completion::SequenceError => {
            return Found::Failed(Why::DeviceFailed);
        }
    }
    match (trial, ended.inventory, ended.card_fits) {
        ("inventory", Some(found), _)
            if found.matching != found.recorded || found.occupied != found.recorded =>
        {
            Found::Failed(Why::CountDiffers)
        }
        ("carry", _, None) => Found::Failed(Why::CardUnread),
        ("carry", _, Some(false)) => Found::Failed(Why::CardDiffers),
        _ => Found::Passed,
    }
}
