//! The security module, pure: what it answers in which state. Find, select, read; after a completed read
//! the card is not found again until it was lifted, and goes on answering reads.

use adapters::reader::SamId;
use adapters::reader::reply::{Reply, SamResult};
use adapters::reader::request::Request;

use super::chip;
use super::faults::{ReaderFault, ReaderFaults};
use crate::people::Card;

/// How far the host has come with the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Not found yet.
    Unknown,
    Found,
    Selected,
    /// Selected, and read.
    Read,
}

#[derive(Debug)]
pub(super) struct Sam {
    id: SamId,
    faults: ReaderFaults,
    card: Option<Card>,
    stage: Stage,
}

impl Sam {
    pub(super) const fn new(id: SamId, faults: ReaderFaults) -> Self {
        Self {
            id,
            faults,
            card: None,
            stage: Stage::Unknown,
        }
    }

    /// It has power again, and remembers nothing: a card that lies there is found.
    pub(super) const fn power_on(&mut self) {
        self.stage = Stage::Unknown;
    }

    /// What lies on it now. Another card, or none, has to be found anew.
    pub(super) fn see(&mut self, card: Option<Card>) {
        let serial = |card: &Option<Card>| card.as_ref().map(|card| card.serial.clone());
        if serial(&self.card) != serial(&card) {
            self.stage = Stage::Unknown;
        }
        self.card = card;
    }

    pub(super) fn answer(&mut self, request: Request) -> Reply {
        let done = |data: &[u8]| Reply::new(SamResult::Success, data);
        match request {
            Request::ResetSam => {
                self.stage = Stage::Unknown;
                done(&[])
            }
            Request::SamStatus | Request::SetRadioBytes(_) | Request::SetBaud(_) => done(&[]),
            Request::SamId => done(&self.id.encode()),
            Request::FindCard => self.find(),
            Request::SelectCard => self.select(),
            Request::ReadBase
            | Request::ReadExtra
            | Request::ReadNewAddress
            | Request::ReadManagementNumber
            | Request::ReadWithFingerprint => self
                .read(request)
                .unwrap_or_else(|result| Reply::new(result, &[])),
        }
    }

    fn find(&mut self) -> Reply {
        let is_there = self.card.is_some() && self.stage != Stage::Read;
        if is_there && !self.faults.take(ReaderFault::NoCard) {
            self.stage = Stage::Found;
            Reply::new(SamResult::MediaFound, &[0; 4])
        } else {
            Reply::new(SamResult::NoMedia, &[])
        }
    }

    fn select(&mut self) -> Reply {
        if self.stage == Stage::Found {
            self.stage = Stage::Selected;
            Reply::new(SamResult::Success, &[0; 8])
        } else {
            Reply::new(SamResult::SelectFailed, &[])
        }
    }

    fn read(&mut self, request: Request) -> Result<Reply, SamResult> {
        let Some(card) = &self.card else {
            return Err(SamResult::ReadFailed);
        };
        if !matches!(self.stage, Stage::Selected | Stage::Read) {
            return Err(SamResult::SequenceError);
        }
        if request == Request::ReadManagementNumber {
            let number = chip::management_number(card).ok_or(SamResult::ReadFailed)?;
            return Ok(Reply::new(SamResult::Success, &number.encode()));
        }
        let fingers = request == Request::ReadWithFingerprint;
        if !fingers && request != Request::ReadBase {
            // Nobody has moved, and there are no further items.
            return Err(SamResult::ItemEmpty);
        }
        let data = chip::content(card, fingers).map_err(|_too_long| SamResult::ReadFailed)?;
        for (fault, result) in [
            (ReaderFault::Unreadable, SamResult::ReadFailed),
            (ReaderFault::WrongChip, SamResult::SamRejectsMedia),
        ] {
            if self.faults.take(fault) {
                self.stage = Stage::Unknown;
                return Err(result);
            }
        }
        self.stage = Stage::Read;
        Ok(Reply::new(SamResult::Success, &data))
    }
}

#[cfg(test)]
#[path = "sam_tests.rs"]
mod tests;
