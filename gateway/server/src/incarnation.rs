//! A new log for a station whose old one is lost, set back, cloned, or whose key is: `gateway incarnate`.
//!
//! The old log is never continued, changed or removed: its folders are put aside whole. The new log has another origin and other
//! keys; its first event names the old origin and the last checkpoints known of it, and what the centre told and the custody records
//! follow, as far as the old log can still be read and proves itself. Every step may be cut off and done again: until the last one the station does
//! not start.

mod old_log;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use edge_config::Station;
use gateway_core::{Carried, State, carry_over};
use gateway_log::{Group, Limits, Log, OpenOptions, RoomOptions, StoppedLog};
use schemas::chain::KeyChain;
use schemas::envelope::{KeyId, Meta, Origin, Source, seal};
use schemas::event::Event;
use schemas::event::centre::PolicyChanged;
use schemas::event::evidence::LogIncarnated;
use schemas::ids::OperatorId;
use schemas::proof::{Checkpoint, NoteKey};
use schemas::words::IncarnationReason;

use crate::centre::{issued_policy, keep_policy};
use crate::clock::Clock;
use crate::keys::{self, Incarnating, KeyRing, KeysLock};
use old_log::{check_name, checkpoint_by, known_keys};

/// Events of one append of the new log; with their length far below what an append may have.
const GROUP_LEN: usize = 16;
/// Content of the first event, in bytes; with its envelope still below the longest event.
const FIRST_LEN_MAX: usize = 5 * 1024;

/// What was found of the old log. Nothing has been changed by looking.
#[derive(Debug)]
pub struct Survey {
    /// The old log.
    pub old_origin: Origin,
    /// Its number.
    pub old: u32,
    /// The first event that is there; a snapshot stands for those before it.
    pub first: u64,
    /// Up to here the events could be read and proved themselves, from the first one that is there on.
    pub events: u64,
    /// Why there are no more; none where the log simply ends.
    pub ended: Option<String>,
    /// The largest checkpoint of it that was found here.
    pub checkpoint: Option<(Checkpoint, String)>,
    /// What is carried over.
    pub carried: Carried,
    /// The policy that the centre issued, with its text; why it is not carried over, where its text is not there.
    pub policy: Option<Result<(PolicyChanged, String), String>>,
    /// Up to where the centre's stream was recorded.
    downlink_revision: Option<u64>,
    /// The number of the last of the centre's commands that was followed.
    downlink_number: Option<u64>,
    /// Keys that are known to have signed it.
    keys: Vec<NoteKey>,
    /// Which key signs what, as far as the log could be read to its end.
    proven: Option<(KeyChain, u64)>,
}

/// Who wants it, and why.
#[derive(Debug)]
pub struct Wish {
    /// Why.
    pub reason: IncarnationReason,
    /// The two who approve; their PINs have been compared.
    pub approvers: [OperatorId; 2],
    /// The last checkpoint that the centre holds, checked by [`Survey::check_centre`].
    pub centre_checkpoint: Option<String>,
}

/// Where the data of an old log lies.
pub fn data_aside(data: &Path, old: u32) -> PathBuf {
    let mut name = data.as_os_str().to_owned();
    name.push(format!(".incarnation-{old}"));
    PathBuf::from(name)
}

/// Looks at what there is. `old` is the number of the old log, where its keys are lost with it. `progress` hears of bytes
/// copied.
pub fn survey(
    station: &Station,
    old: Option<u32>,
    scratch: &Path,
    progress: impl FnMut(u64, u64),
) -> anyhow::Result<Survey> {
    let (data, folder) = (&station.storage.data_folder, &station.storage.keys_folder);
    let begun = keys::incarnating(folder).context("the keys cannot be read")?;
    let old = old_number(folder, begun, old)?;
    let old_origin = station.origin(&old.to_string())?;
    let (data_there, keys_there) = (data_aside(data, old), keys::keys_aside(folder, old));
    // Where things are follows from how far an attempt that was cut off had come.
    let (data, folder) = match begun {
        None => {
            for path in [&data_there, &keys_there] {
                anyhow::ensure!(
                    !path.exists(),
                    "{} is there already: log {old} was put aside before, so the number of the present log is wrong",
                    path.display()
                );
            }
            (data, folder)
        }
        Some(Incarnating::PuttingAside(_)) => {
            let moved = |there: &PathBuf| there.exists();
            (
                if moved(&data_there) {
                    &data_there
                } else {
                    data
                },
                if moved(&keys_there.join("first-key")) {
                    &keys_there
                } else {
                    folder
                },
            )
        }
        Some(Incarnating::Beginning(_)) => (&data_there, &keys_there),
    };
    let first = keys::first_public(folder).ok();
    if first.is_none() {
        check_name(data, &old_origin)?;
    }
    let mut chain = first.map(|first| KeyChain::new(old_origin.clone(), first));
    let (mut state, mut from) = (State::default(), 0);
    let read = StoppedLog::copy(data, scratch, progress);
    let (head, (events, ended)) = match (read, &mut chain) {
        // A station that runs is not an old one.
        (Err(error @ gateway_log::OpenError::Locked { .. }), _) => return Err(error.into()),
        (Err(error), _) => (None, (0, Some(error.to_string()))),
        (Ok(_), None) => (
            None,
            (
                0,
                Some("its first key is not here, so nothing of it can be proven".to_owned()),
            ),
        ),
        (Ok(log), Some(chain)) => {
            let head = log.head().to_owned();
            from = old_log::restore(&log, data, chain, &mut state);
            (Some(head), old_log::replay(log, from, chain, &mut state))
        }
    };
    let proven = chain
        .clone()
        .filter(|_| ended.is_none())
        .map(|chain| (chain, events));
    let mut keys = chain.as_ref().map(known_keys).unwrap_or_default();
    // Where the log is lost its rotations are too, but the key that signed last may still be here.
    let held = keys::held_publics(folder);
    keys.extend(
        held.into_iter()
            .filter_map(|key| NoteKey::new(old_origin.as_str(), key).ok()),
    );
    let witness = std::fs::read_to_string(keys::witness_path(folder)).ok();
    let genuine = |note: String| {
        checkpoint_by(proven.as_ref(), &keys, &old_origin, &note)
            .map(|checkpoint| (checkpoint, note))
    };
    let checkpoint = [head, witness]
        .into_iter()
        .flatten()
        .filter_map(genuine)
        .max_by_key(|(c, _)| c.size);
    let carried = carry_over(&state);
    let policy = carried.policy.clone();
    Ok(Survey {
        policy: policy.map(|policy| with_text(data, policy)),
        old_origin,
        old,
        first: from,
        events,
        ended,
        checkpoint,
        carried,
        downlink_revision: state.centre().revision,
        downlink_number: state.centre().number,
        keys,
        proven,
    })
}

fn with_text(data: &Path, policy: PolicyChanged) -> Result<(PolicyChanged, String), String> {
    match issued_policy(data, policy.version, &policy.sha256) {
        Ok(text) => Ok((policy, text)),
        Err(error) => Err(format!("{error:#}")),
    }
}

/// The number of the log that is left.
fn old_number(folder: &Path, begun: Option<Incarnating>, old: Option<u32>) -> anyhow::Result<u32> {
    match (begun, old) {
        (Some(begun), _) => Ok(begun.old()),
        (None, Some(old)) if !folder.join("incarnation").exists() => Ok(old),
        (None, Some(_)) => anyhow::bail!("the number of the old log is known: leave out --old"),
        (None, None) => keys::present_incarnation(folder).context(
            "the number of the old log cannot be read; if the keys are lost, name it with --old (the centre knows it)",
        ),
    }
}

impl Survey {
    /// The policy that is carried over.
    fn policy(&self) -> Option<&(PolicyChanged, String)> {
        self.policy.as_ref()?.as_ref().ok()
    }

    /// Whether this is a checkpoint of the old log.
    pub fn check_centre(&self, note: &str) -> anyhow::Result<Checkpoint> {
        checkpoint_by(self.proven.as_ref(), &self.keys, &self.old_origin, note).with_context(|| {
            format!(
                "this is not a checkpoint of {} signed by one of its keys",
                self.old_origin
            )
        })
    }
}

/// Puts the old log aside and begins the new one. The new log's origin. `_alone`: nobody else uses these keys meanwhile.
pub fn perform(
    station: &Station,
    survey: &Survey,
    wish: Wish,
    _alone: &KeysLock,
) -> anyhow::Result<Origin> {
    let storage = &station.storage;
    let (data, folder) = (&storage.data_folder, &storage.keys_folder);
    // Whatever can fail by itself is tried before anything is moved.
    let clock = Clock::new(station.clock.trust)?;
    let events = opening(survey, wish)?;
    match keys::incarnating(folder).context("the keys cannot be read")? {
        None => {
            can_be_renamed(data)?;
            keys::begin_incarnation(folder, survey.old).context("the keys cannot be prepared")?;
            put_aside(data, folder, survey.old)?;
        }
        Some(Incarnating::PuttingAside(old)) => put_aside(data, folder, old)?,
        Some(Incarnating::Beginning(_)) => {
            keys::remove_begun(folder).context("the keys that were begun cannot be removed")?;
            remove_all(data).context("the log that was begun cannot be removed")?;
        }
    }
    let marker = keys::marker_path(folder);
    let keys = keys::open(folder, data, &marker).context("the new keys cannot be made")?;
    let origin = station.origin(&keys.incarnation.to_string())?;
    let ring = KeyRing::new(folder, origin.clone(), keys.signing);
    let options = OpenOptions {
        identity: ring.identity()?,
        marker,
        witness: keys::witness_path(folder),
        signer: Box::new(ring.clone()),
        limits: Limits::default(),
        room: RoomOptions::default(),
    };
    let (log, _) = Log::open(data, options).context("the new log cannot be begun")?;
    // Before the event that says that it holds.
    if let Some((policy, text)) = survey.policy() {
        keep_policy(data, &policy.sha256, text).context("the centre's policy cannot be kept")?;
    }
    append(&log, &ring, &clock, events)?;
    log.close()?;
    keys::end_incarnation(folder).context("the new log is begun, but not marked so")?;
    Ok(origin)
}

/// Data first, so that the keys say how far it has come.
fn put_aside(data: &Path, folder: &Path, old: u32) -> anyhow::Result<()> {
    let aside = data_aside(data, old);
    match (data.exists(), aside.exists()) {
        (true, true) => anyhow::bail!(
            "both {} and {} are there: somebody made one of them meanwhile; put that one elsewhere",
            data.display(),
            aside.display()
        ),
        (true, false) => {
            let renamed = std::fs::rename(data, &aside)
                .and_then(|()| gateway_durable::sync_folder(parent(data)));
            renamed.context("the old log cannot be put aside")?;
        }
        (false, _) => {}
    }
    keys::put_aside(folder, old).context("the old keys cannot be put aside")
}

/// A mount point cannot be renamed, and this must not be found out half-way.
fn can_be_renamed(data: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(own), Ok(above)) = (data.metadata(), parent(data).metadata()) else {
        return Ok(());
    };
    anyhow::ensure!(
        own.dev() == above.dev(),
        "{} is a mount point and cannot be put aside by renaming: configure a folder inside it as data_folder, and move its content there",
        data.display()
    );
    Ok(())
}

fn parent(path: &Path) -> &Path {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or_else(|| Path::new("."))
}

fn remove_all(folder: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The first event, then what is carried over.
fn opening(survey: &Survey, wish: Wish) -> anyhow::Result<Vec<Event>> {
    let Wish {
        reason,
        approvers,
        centre_checkpoint,
    } = wish;
    let first = LogIncarnated {
        incarnation: survey.old.saturating_add(1),
        old_origin: survey.old_origin.to_string(),
        old_checkpoint: survey.checkpoint.as_ref().map(|(_, note)| note.clone()),
        centre_checkpoint,
        downlink_revision: survey.downlink_revision,
        downlink_number: survey.downlink_number,
        reason,
        approvers,
        cards: survey.carried.cards,
    };
    let first = Event::from(first);
    let len = first.to_data()?.get().len();
    anyhow::ensure!(
        len <= FIRST_LEN_MAX,
        "the checkpoints make a first event of {len} bytes, {FIRST_LEN_MAX} fit: leave signatures of others out of the centre's"
    );
    let policy = survey.policy().map(|(policy, _)| policy.clone());
    Ok(std::iter::once(first)
        .chain(policy.map(Event::from))
        .chain(survey.carried.events.iter().cloned())
        .collect())
}

fn append(log: &Log, ring: &KeyRing, clock: &Clock, events: Vec<Event>) -> anyhow::Result<()> {
    let key = ring.current().context("the new key is not held")?;
    let chain = ring.chain();
    let (origin, key_id) = (chain.origin(), KeyId::of(&key.public_key()));
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    for part in events.chunks(GROUP_LEN) {
        let first = log.next_index();
        let mut group = Group::new(first, ());
        for (index, event) in (first..).zip(part) {
            let meta = Meta {
                source: Source::Gateway,
                now: clock.now(),
                cause: None,
            };
            let signed = seal(origin, index, &meta, event, key_id, |bytes| key.sign(bytes))?;
            group = group.batch(vec![signed]);
        }
        runtime.block_on(log.append(group))?.into_inner();
    }
    Ok(())
}
