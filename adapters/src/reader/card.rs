//! One attempt at a card: find, select, read. Any failure ends the attempt; the next one begins at find.

use schemas::ids::CardSerial;
use thiserror::Error;

use super::content::{CardContent, ContentError, ManagementNumber};
use super::line::{AskError, Line};
use super::reply::SamResult;
use super::request::Request;

/// What came of an attempt.
#[derive(Debug)]
pub(super) enum Attempt {
    /// No card.
    NoMedia,
    /// A card that could not be read.
    Failed(Failure),
    /// A card.
    Read(Box<ReadCard>),
}

/// A card's chip.
#[derive(Debug)]
pub(super) struct ReadCard {
    pub(super) serial: CardSerial,
    pub(super) content: CardContent,
}

/// Why a card could not be read.
#[derive(Debug, Clone, Copy, Error)]
pub(super) enum Failure {
    #[error("the reader says {0:?}")]
    Result(SamResult),
    #[error(transparent)]
    Content(#[from] ContentError),
    #[error("no card management number")]
    ManagementNumber,
}

/// Whether a card that was read lies on the reader, which does not find it again until it is lifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lying {
    /// One may lie there whose content nobody got: the line broke, or this adapter has just begun.
    Unknown,
    /// Its content was passed on.
    Yes,
    No,
}

/// Finds, selects and reads.
pub(super) async fn read(line: &mut Line, lying: &mut Lying) -> Result<Attempt, AskError> {
    let found = line.ask(Request::FindCard).await?.result;
    if found == SamResult::MediaFound {
        let selected = line.ask(Request::SelectCard).await?.result;
        if selected != SamResult::Success {
            return Ok(Attempt::Failed(Failure::Result(selected)));
        }
    } else if found != SamResult::NoMedia {
        return Ok(Attempt::Failed(Failure::Result(found)));
    } else if *lying == Lying::No || !lies(line).await? {
        *lying = Lying::No;
        return Ok(Attempt::NoMedia);
    } else if *lying == Lying::Yes {
        // Whoever asks now wants another card, or this one laid down anew.
        return Ok(Attempt::NoMedia);
    }
    // Found and selected; or lying there selected, which is why it still answers, so it is read as it lies:
    // nobody can lift a card inside the machine.
    read_selected(line, lying).await
}

/// Whether a selected card is still there.
pub(super) async fn lies(line: &mut Line) -> Result<bool, AskError> {
    let result = line.ask(Request::ReadNewAddress).await?.result;
    Ok(matches!(result, SamResult::Success | SamResult::ItemEmpty))
}

async fn read_selected(line: &mut Line, lying: &mut Lying) -> Result<Attempt, AskError> {
    let reply = line.ask(Request::ReadManagementNumber).await?;
    if reply.result != SamResult::Success {
        return Ok(Attempt::Failed(Failure::Result(reply.result)));
    }
    let Some(number) = ManagementNumber::decode(&reply.data) else {
        return Ok(Attempt::Failed(Failure::ManagementNumber));
    };
    // From here on the reader may count the card as read, whatever becomes of the answer.
    *lying = Lying::Unknown;
    let reply = line.ask_card(Request::ReadWithFingerprint).await?;
    if reply.result != SamResult::Success {
        return Ok(Attempt::Failed(Failure::Result(reply.result)));
    }
    let content = match CardContent::decode_with_fingerprint(&reply.data) {
        Ok(content) => content,
        Err(error) => return Ok(Attempt::Failed(error.into())),
    };
    *lying = Lying::Yes;
    Ok(Attempt::Read(Box::new(ReadCard {
        serial: number.card_serial(),
        content,
    })))
}
