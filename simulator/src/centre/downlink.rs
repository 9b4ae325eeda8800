//! What the centre says to one station. The stream itself is the memory: the last number, and the key in force, are read from
//! it, so that several programs of the centre may speak in turn.

use std::time::Duration;

use schemas::downlink::{
    CentreKeyRotated, Instruction, open, origin, possession_text, record, unsigned,
};
use schemas::envelope::{EnvelopeError, Origin};
use schemas::key::{PublicKey, Signature, SigningKeyId};
use schemas::uplink::{Record, downlink_stream, signed_bytes};

use super::keys::{CentreKey, CentreKeys};
use super::link::{Appended, Link, LinkError, Page};
use super::log::check;
use super::registration::Registration;
use super::stored::Stored;

/// Events that are read at once while the last number is looked for.
const LOOK_LEN: usize = 32;
/// How often an instruction is tried.
const ATTEMPTS_MAX: u32 = 5;
/// Between attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// The stream to one station, and where it ends.
#[derive(Debug)]
pub(super) struct Downlink {
    stream: String,
    origin: Origin,
    /// The revision of the last event; none: the stream is empty.
    tail: Option<u64>,
    /// The number of the next instruction. The first is 1.
    number: u64,
    /// The key by which the station knows the centre now.
    key: CentreKey,
}

/// Why an instruction was not sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The store.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// It is too long.
    #[error(transparent)]
    Instruction(#[from] EnvelopeError),
    /// The station's name makes no origin.
    #[error(transparent)]
    Origin(#[from] schemas::text::Invalid),
    /// Somebody else wrote into the stream; whoever sends looks at it anew.
    #[error("somebody else writes into the stream {0}")]
    Conflict(String),
    /// The stream is gone.
    #[error("the stream {0} was deleted")]
    Deleted(String),
}

/// An instruction in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Its number, under the signature.
    pub number: u64,
    /// Its revision in the stream.
    pub revision: u64,
}

impl Downlink {
    /// Reads the end of the stream.
    pub(super) async fn open(
        link: &mut Link,
        keys: &CentreKeys,
        registration: &Registration,
    ) -> Result<Self, SendError> {
        let own = registration.centre_key.as_ref();
        let given = own.and_then(|key| keys.find(&key.to_raw()));
        let mut downlink = Self {
            stream: downlink_stream(&registration.station),
            origin: origin(registration.province(), &registration.station)?,
            tail: None,
            number: 1,
            key: given.unwrap_or_else(|| keys.first()).clone(),
        };
        downlink.find_end(link, keys).await?;
        Ok(downlink)
    }

    /// The key by which the station knows the centre now.
    pub(super) fn key(&self) -> &CentreKey {
        &self.key
    }

    /// Signs an instruction and appends it. After an error the stream has to be opened anew.
    pub(super) async fn send(
        &mut self,
        link: &mut Link,
        instruction: &Instruction,
        now_ms: u64,
    ) -> Result<Sent, SendError> {
        let record = self.make(instruction, now_ms)?;
        match link.append(&self.stream, self.tail, &record).await? {
            Appended::Conflict => Err(SendError::Conflict(self.stream.clone())),
            Appended::At(revision) => {
                let number = self.number;
                self.tail = Some(revision);
                self.number = number.saturating_add(1);
                Ok(Sent { number, revision })
            }
        }
    }

    /// Tells the station that the centre signs with this key from now on.
    pub(super) async fn rotate(
        &mut self,
        link: &mut Link,
        next: &CentreKey,
        now_ms: u64,
    ) -> Result<Sent, SendError> {
        let (old, new) = (*self.key.public(), *next.public());
        let possession = next.sign(&possession_text(&self.origin, &old, &new));
        let change = CentreKeyRotated {
            old_key: SigningKeyId::of(&old),
            public_key: PublicKey::of(&new),
            possession: Signature::of(&possession),
        };
        let instruction = Instruction::KeyRotated(change);
        let sent = self.send(link, &instruction, now_ms).await?;
        self.key = next.clone();
        Ok(sent)
    }

    fn make(&self, instruction: &Instruction, now_ms: u64) -> Result<Record, EnvelopeError> {
        let key = self.key.public();
        let unsigned = unsigned(&self.origin, self.number, instruction, now_ms, key)?;
        record(&unsigned.signed(|message| self.key.sign(message)))
    }

    /// Goes back to the last instruction that is the centre's own: others may have written behind it.
    async fn find_end(&mut self, link: &mut Link, keys: &CentreKeys) -> Result<(), SendError> {
        let mut before = None;
        loop {
            let events = match link.read_back(&self.stream, before, LOOK_LEN).await? {
                Page::Events(events) => events,
                Page::None => return Ok(()),
                Page::Deleted => return Err(SendError::Deleted(self.stream.clone())),
            };
            for stored in &events {
                self.tail = self.tail.or(Some(stored.revision));
                if let Some((number, key)) = self.own(stored, keys) {
                    self.number = number.saturating_add(1);
                    self.key = key;
                    return Ok(());
                }
            }
            before = events.last().map(|stored| stored.revision);
            if events.len() < LOOK_LEN {
                return Ok(());
            }
        }
    }

    /// The number of an instruction of the centre's own, and the key that is in force behind it.
    fn own(&self, stored: &Stored, keys: &CentreKeys) -> Option<(u64, CentreKey)> {
        let (signed, _) = signed_bytes(&stored.data, &stored.metadata).ok()?;
        let opened = |key: &CentreKey| {
            let genuine = open(&signed, &self.origin, key.public(), &check).ok()?;
            Some((key.clone(), genuine))
        };
        let (key, genuine) = keys.all().find_map(opened)?;
        let key = match &genuine.instruction {
            Instruction::KeyRotated(change) => keys.find(&change.public_key.to_raw())?.clone(),
            Instruction::ManifestIssued(_)
            | Instruction::Acknowledged(_)
            | Instruction::PolicyIssued(_)
            | Instruction::ErasureDone(_)
            | Instruction::BlobsMissing(_)
            | Instruction::GrantIssued(_)
            | Instruction::EligibilityAnswered(_)
            | Instruction::SmsCodeSent(_)
            | Instruction::ApplicationDecided(_)
            | Instruction::WindowOutcome(_)
            | Instruction::PaymentConfirmed(_)
            | Instruction::PaymentCodeIssued(_)
            | Instruction::PaymentRefunded(_) => key,
        };
        Some((genuine.number, key))
    }

    /// Whether an event with this id stands behind a revision; where.
    async fn find(
        &self,
        link: &mut Link,
        id: [u8; 16],
        behind: Option<u64>,
    ) -> Result<Option<u64>, SendError> {
        let from = behind.map_or(0, |revision| revision.saturating_add(1));
        match link.read(&self.stream, from, LOOK_LEN).await? {
            Page::Events(events) => {
                let found = events.iter().find(|stored| stored.id == id);
                Ok(found.map(|stored| stored.revision))
            }
            Page::None | Page::Deleted => Ok(None),
        }
    }
}

/// Sends one instruction for good: where an answer is lost, it looks whether the instruction is in the stream before it sends
/// it again.
pub(super) async fn deliver(
    link: &mut Link,
    keys: &CentreKeys,
    registration: &Registration,
    instruction: &Instruction,
    now_ms: u64,
) -> Result<Sent, SendError> {
    let mut attempt = 1;
    let mut tried = None;
    loop {
        match deliver_once(link, keys, registration, instruction, now_ms, &mut tried).await {
            Err(SendError::Link(_) | SendError::Conflict(_)) if attempt < ATTEMPTS_MAX => {
                attempt += 1;
                tokio::time::sleep(PAUSE).await;
            }
            outcome => return outcome,
        }
    }
}

/// An attempt whose outcome may be unknown.
#[derive(Debug, Clone, Copy)]
struct Tried {
    id: [u8; 16],
    behind: Option<u64>,
    number: u64,
}

async fn deliver_once(
    link: &mut Link,
    keys: &CentreKeys,
    registration: &Registration,
    instruction: &Instruction,
    now_ms: u64,
    tried: &mut Option<Tried>,
) -> Result<Sent, SendError> {
    let mut downlink = Downlink::open(link, keys, registration).await?;
    if let Some(before) = *tried
        && let Some(revision) = downlink.find(link, before.id, before.behind).await?
    {
        let number = before.number;
        return Ok(Sent { number, revision });
    }
    *tried = Some(Tried {
        id: downlink.make(instruction, now_ms)?.id,
        behind: downlink.tail,
        number: downlink.number,
    });
    downlink.send(link, instruction, now_ms).await
}
