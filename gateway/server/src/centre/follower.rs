//! Does what the centre says. Whatever has to be done outside the log (a manifest in the inbox, a policy's file) is durable before the
//! event that says so; doing it twice changes nothing.

use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use edge_config::Station;
use gateway_core::{Answer, Decided, Input, Instructed, Rules, Told};
use gateway_sync::{Follow, Fork, Stored};
use schemas::downlink::application::GrantIssued;
use schemas::downlink::{self, Genuine, Instruction};
use schemas::envelope::Origin;
use schemas::event::centre::{Contradiction, InstructionRefusal};
use schemas::ids::BlobHash;
use schemas::time::ClockTrust;
use schemas::uplink::signed_bytes;
use tokio::sync::{oneshot, watch};

use super::acknowledged::{self, Acknowledgement};
use super::blobs::Again;
use super::{LinkParts, grant, policy, verifying};

/// How often the loop is told that the stream was read to its end: what waits for that waits for hours.
const HEARD_EVERY: Duration = Duration::from_mins(10);

/// Follows instructions.
#[derive(Debug)]
pub(super) struct Follower {
    parts: LinkParts,
    origin: Origin,
    key: Option<[u8; 32]>,
    /// The last number that was followed.
    number: Option<u64>,
    /// So many events are acknowledged.
    acknowledged: watch::Sender<u64>,
    /// What goes up again.
    again: Again,
    /// When the loop was last told that the stream was read to its end.
    heard: Option<Instant>,
    /// Hears of an acknowledgement that contradicts this log, once.
    contradicts: Option<oneshot::Sender<Fork>>,
}

/// What has to be recorded of an instruction.
struct Recording {
    told: Result<(u64, Told), InstructionRefusal>,
    rules: Option<Rules>,
}

impl Follower {
    /// The key is the configured one, until the centre changed it.
    pub(super) fn new(
        parts: LinkParts,
        again: Again,
        contradicts: oneshot::Sender<Fork>,
    ) -> anyhow::Result<Self> {
        let changed = parts.told.key.as_ref();
        let acknowledged = acknowledged::acknowledgement(&parts.log)?;
        Ok(Self {
            number: parts.told.number,
            acknowledged: watch::Sender::new(acknowledged.map_or(0, |told| told.size)),
            origin: downlink::origin(&parts.station.province.to_string(), &parts.station.id)?,
            key: changed
                .map(schemas::key::PublicKey::to_raw)
                .or(parts.verify_key),
            again,
            heard: None,
            contradicts: Some(contradicts),
            parts,
        })
    }

    /// So many events are acknowledged, durably.
    pub(super) fn acknowledged(&self) -> watch::Receiver<u64> {
        self.acknowledged.subscribe()
    }

    /// The instruction, if it is the centre's.
    fn open(&self, stored: &Stored) -> (String, Result<Genuine, InstructionRefusal>) {
        let Ok((signed, _)) = signed_bytes(&stored.data, &stored.metadata) else {
            return (sha256(&stored.data), Err(InstructionRefusal::Malformed));
        };
        let opened = match &self.key {
            Some(key) => downlink::open(&signed, &self.origin, key, &verifying::check),
            None => Err(InstructionRefusal::NotGenuine),
        };
        (sha256(&signed), opened)
    }

    /// Does what must be done before it is recorded.
    async fn prepare(&mut self, number: u64, instruction: Instruction) -> Recording {
        let (told, rules) = match instruction {
            Instruction::ManifestIssued(manifest) => {
                let inbox = self.parts.inbox.clone();
                let taken = blocking(move || inbox.take_in(manifest.get().as_bytes())).await;
                (taken.map(Told::Manifest), None)
            }
            Instruction::PolicyIssued(issued) => match self.policy(issued).await {
                Ok((told, rules)) => (Ok(told), Some(rules)),
                Err(refusal) => (Err(refusal), None),
            },
            Instruction::KeyRotated(change) => {
                let held = self.key.is_some_and(|old| {
                    downlink::is_held(&change, &self.origin, &old, &verifying::check)
                });
                let told = held.then_some(Told::Key(change));
                (told.ok_or(InstructionRefusal::NotGenuine), None)
            }
            Instruction::ErasureDone(done) => (Ok(Told::ErasureDone(done.session)), None),
            Instruction::BlobsMissing(missing) => (self.mark(missing.blobs).await, None),
            Instruction::EligibilityAnswered(told) => (Ok(answer(Answer::Eligibility(told))), None),
            Instruction::SmsCodeSent(told) => (Ok(answer(Answer::SmsSent(told))), None),
            Instruction::ApplicationDecided(told) => {
                let printed = None;
                (Ok(answer(Answer::Decided(Decided { told, printed }))), None)
            }
            Instruction::WindowOutcome(told) => (Ok(answer(Answer::Window(told))), None),
            Instruction::PaymentCodeIssued(told) => (Ok(answer(Answer::PaymentCode(told))), None),
            Instruction::PaymentConfirmed(told) => (Ok(answer(Answer::Paid(told))), None),
            Instruction::PaymentRefunded(told) => (Ok(answer(Answer::Refunded(told))), None),
            Instruction::GrantIssued(issued) => (self.grant(issued).await, None),
            Instruction::Acknowledged(_) => (Err(InstructionRefusal::Unusable), None),
        };
        Recording {
            told: told.map(|told| (number, told)),
            rules,
        }
    }

    /// Blobs that the centre lacks go up again. Those that are not here are passed over: nobody has them.
    async fn mark(&self, blobs: Vec<BlobHash>) -> Result<Told, InstructionRefusal> {
        if self.parts.blob_store.is_none() {
            tracing::warn!("the centre asks for blobs, and centre.blob_store is not set");
            return Err(InstructionRefusal::Unusable);
        }
        let asked = blobs.len();
        match self.again.ask(blobs).await {
            Ok(here) => {
                tracing::info!(asked, here, "the centre asks for blobs");
                Ok(Told::BlobsMissing)
            }
            Err(error) => {
                tracing::error!(%error, "blobs that the centre asks for cannot be marked");
                Err(InstructionRefusal::Unusable)
            }
        }
    }

    /// The list is kept before the rules are told that there is one.
    async fn grant(&self, issued: GrantIssued) -> Result<Told, InstructionRefusal> {
        let data = self.parts.station.storage.data_folder.clone();
        blocking(move || {
            let version = issued.version;
            let kept = grant::keep(&data, &issued).map_err(|error| {
                tracing::warn!(version, %error, "a grant of the centre is not taken");
                InstructionRefusal::Unusable
            })?;
            Ok(answer(Answer::Grant(kept)))
        })
        .await
    }

    async fn policy(
        &self,
        issued: downlink::PolicyIssued,
    ) -> Result<(Told, Rules), InstructionRefusal> {
        let parsed = policy::parse(&issued.policy).map_err(|errors| {
            tracing::warn!(version = issued.version, %errors, "a policy of the centre is not usable");
            InstructionRefusal::Unusable
        })?;
        let sha256 = sha256(issued.policy.as_bytes());
        let data = self.parts.station.storage.data_folder.clone();
        let (name, text) = (sha256.clone(), issued.policy);
        blocking(move || {
            policy::keep_policy(&data, &name, &text).map_err(|error| {
                tracing::error!(%error, "a policy of the centre cannot be kept");
                InstructionRefusal::Unusable
            })
        })
        .await?;
        let station = Station {
            policy: parsed,
            ..self.parts.station.clone()
        };
        let version = issued.version;
        Ok((
            Told::Policy { version, sha256 },
            crate::run::rules(&station),
        ))
    }

    /// An acknowledgement changes no state; one that does not agree with this log ends the service. False: the log or the loop ended.
    async fn acknowledge(&mut self, revision: u64, told: &downlink::Acknowledged) -> bool {
        let log = &self.parts.log;
        // One of an earlier log, or told again: it says nothing new.
        if told.origin.as_str() != log.origin() || told.size <= *self.acknowledged.borrow() {
            return acknowledged::keep(log, revision, None).await.is_ok();
        }
        let own = if told.size > log.size() {
            None
        } else {
            let (log, size) = (log.clone(), told.size);
            let root = panics::off_runtime(move || log.root_at(size)).await;
            match root {
                Ok(Ok(root)) => Some(hex::encode(root.0)),
                // Not counted as read, so that it is judged at the next start; what comes behind it is followed.
                Ok(Err(error)) => {
                    tracing::error!(size = told.size, %error, "an acknowledgement of the centre cannot be checked now");
                    return true;
                }
                // The runtime ends.
                Err(_cancelled) => return false,
            }
        };
        if own.as_ref() != Some(&told.root) {
            let contradiction = match own {
                None => Contradiction::CentreAhead,
                Some(_) => Contradiction::OtherRoot,
            };
            if let Some(contradicts) = self.contradicts.take() {
                let fork = Fork {
                    contradiction,
                    at: told.size,
                    centre: told.root.clone(),
                    own,
                };
                // Whoever waits for it records it, and sends nothing any more. It is not counted as read: at the next start it is
                // judged again.
                contradicts.send(fork).ok();
            }
            return true;
        }
        let now = self.parts.clock.now();
        let acknowledgement = Acknowledgement {
            size: told.size,
            wall_ms: now.wall_ms,
            clock_trusted: now.trust == ClockTrust::Synchronised,
        };
        self.parts.metrics.acknowledged(told.size);
        let kept = acknowledged::keep(log, revision, Some(&acknowledgement)).await;
        if kept.is_ok() {
            self.acknowledged.send_replace(told.size);
        }
        kept.is_ok()
    }

    async fn record(&mut self, revision: u64, sha256: String, recording: Recording) -> bool {
        let key = match &recording.told {
            Ok((_, Told::Key(change))) => Some(change.public_key.to_raw()),
            Ok(_) | Err(_) => None,
        };
        let number = recording.told.as_ref().ok().map(|(number, _)| *number);
        if let Err(reason) = &recording.told {
            tracing::warn!(
                revision,
                ?reason,
                "an instruction of the centre was not followed"
            );
        }
        let input = Input::Instructed(Instructed {
            revision,
            sha256,
            told: recording.told,
        });
        let recorded = self.parts.acts.record(input, recording.rules).await;
        if recorded.is_ok() {
            self.key = key.or(self.key);
            self.number = number.or(self.number);
        }
        recorded.is_ok()
    }
}

impl Follow for Follower {
    async fn follow(&mut self, stored: Stored) -> bool {
        let revision = stored.revision;
        let (sha256, opened) = self.open(&stored);
        let recording = match opened {
            Ok(Genuine {
                instruction: Instruction::Acknowledged(told),
                ..
            }) => return self.acknowledge(revision, &told).await,
            // Nothing is done for what was told before.
            Ok(Genuine { number, .. }) if self.number.is_some_and(|last| number <= last) => {
                Recording {
                    told: Err(InstructionRefusal::Repeated),
                    rules: None,
                }
            }
            Ok(Genuine {
                number,
                instruction,
            }) => self.prepare(number, instruction).await,
            Err(refusal) => Recording {
                told: Err(refusal),
                rules: None,
            },
        };
        self.record(revision, sha256, recording).await
    }

    async fn read_to_end(&mut self, began: Instant) -> bool {
        let is_recent = |heard: Instant| began.saturating_duration_since(heard) < HEARD_EVERY;
        // Who cannot tell the centre's word from another's has not heard it.
        if self.key.is_none() || self.heard.is_some_and(is_recent) {
            return true;
        }
        self.heard = Some(began);
        let since_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let read_ms = self.parts.clock.now().wall_ms.saturating_sub(since_ms);
        let input = Input::CentreHeard { read_ms };
        self.parts.acts.record(input, None).await.is_ok()
    }
}

/// What the rules judge.
fn answer(answer: Answer) -> Told {
    Told::Answer(Box::new(answer))
}

/// Runs what touches files beside the runtime's own threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, InstructionRefusal> + Send + 'static,
) -> Result<T, InstructionRefusal> {
    let done = panics::off_runtime(work).await;
    done.unwrap_or(Err(InstructionRefusal::Unusable))
}

/// 64 hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}
