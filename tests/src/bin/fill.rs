//! Fills a station's log with realistic signed events, for measuring memory and cold start.
//!
//! ```text
//! fill <data folder> <keys folder> <events> [pickups [<photo bytes>] | reports]
//! ```
//! Keys and log are made as at a first start, or those that are there are used and the log grows, so that the gateway opens
//! the folders afterwards as its own. No gateway may be running on them. `pickups` (the default) writes the way of one card after
//! another, from its manifest to the citizen's hand: 27 events each, 13 of them with the record of the message that caused them; the
//! last way goes to its end too, because a gateway that finds a session open would not end the epoch. With
//! a number of bytes each photo that an event names lies among the blobs, so long, with random bytes, as sealed ones look.
//! `reports` writes devices' reports, each with such a record: the most that repetitions can cost. The wall clock
//! of the events runs over the last seven days, so that none of their messages may be forgotten. Prints what was written.

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail, ensure};
use gateway_log::{Appending, Group, Log, LogFailed};
use gateway_server::keys::StationKeys;
use schemas::envelope::{self, Cause, CauseOutcome, KeyId, Meta, Origin, Source};
use schemas::event::Event;
use schemas::ids::{BootId, DeviceId, MessageId};
use schemas::time::{ClockTrust, Now};
use sha2::{Digest as _, Sha256};
use station_tests::opened::{self, OpenedLog};

/// Days that the events are spread over, in ms: as long as messages are remembered at least.
const SPREAD_MS: u64 = 7 * 86_400_000;
/// Signed events of one append, in bytes; with the longest event still below what a group may have.
const GROUP_BYTES: usize = 96 * 1024;

/// One step: the event's type, its body, and the device whose message caused it (`-`: none did).
/// `S` stands for the session, `C` for the card's serial, `T` for the rest of a tag, `B` for a blob's hash,
/// `K` for a sealing key's id.
type Step = (&'static str, &'static str, &'static str);

const PICKUP: &[Step] = &[
    (
        "station.custody.cards-announced.v1",
        "kiosk-1",
        r#"{"batch":"batch-1","cards":[{"serial":"C","number":"0a1b2c3d.NT","voucher":"0a1b2c3d.VT","name":"**明","number_tail":"002X","residence":"local","ground":null,"old_card_due":false,"held":false}]}"#,
    ),
    (
        "station.custody.card-arrived.v1",
        "kiosk-1",
        r#"{"batch":"batch-1","card":"C","operator":"operator-1"}"#,
    ),
    (
        "station.custody.card-moved.v1",
        "-",
        r#"{"card":"C","from":{"place":"safe"},"to":{"place":"slot","machine":"machine-1","slot":{"column":3,"slot":17}},"session":"S"}"#,
    ),
    (
        "station.pickup.started.v1",
        "-",
        r#"{"session":"S","kiosk":"kiosk-1","machine":"machine-1","devices":{"dispenser":"dispenser-1","reader":"reader-1","intake_reader":"reader-2","scanner":"scanner-1","camera":"camera-1"},"card":"C","slot":{"column":3,"slot":17},"by":"voucher","old_card_due":false,"policy":{"hold_s":30,"finger_attempts_max":3,"finger_score_min":60,"old_card_attempts_max":3,"step_timeout_s":60,"command_timeout_s":20}}"#,
    ),
    (
        "station.motion.intended.v1",
        "kiosk-1",
        r#"{"dispenser":"dispenser-1","machine":"machine-1","session":"S","sequence":7,"motion":{"motion":"to-reader","slot":{"column":3,"slot":17}},"timeout_s":20}"#,
    ),
    (
        "station.motion.completed.v1",
        "-",
        r#"{"dispenser":"dispenser-1","machine":"machine-1","sequence":7,"outcome":{"result":"done"},"evidence":{"position":"in-reader","outlet_present":false,"slot_occupied":false,"recycle_count":12}}"#,
    ),
    (
        "station.custody.card-moved.v1",
        "-",
        r#"{"card":"C","from":{"place":"slot","machine":"machine-1","slot":{"column":3,"slot":17}},"to":{"place":"transport","machine":"machine-1"},"session":"S"}"#,
    ),
    (
        "station.pickup.step.v1",
        "dispenser-1",
        r#"{"session":"S","step":{"step":"read-chip"}}"#,
    ),
    (
        "station.pickup.card-verified.v1",
        "-",
        r#"{"session":"S","card":"C","hands":["right","left"],"holder":"v1.K.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#,
    ),
    (
        "station.pickup.step.v1",
        "reader-1",
        r#"{"session":"S","step":{"step":"compare-finger","hand":"right","attempt":1}}"#,
    ),
    (
        "station.pickup.finger-present.v1",
        "scanner-1",
        r#"{"session":"S","hand":"right"}"#,
    ),
    (
        "station.pickup.photo-archived.v1",
        "camera-1",
        r#"{"session":"S","view":"right-hand","blob":"B","key":"K","len":182311}"#,
    ),
    (
        "station.pickup.finger-compared.v1",
        "-",
        r#"{"session":"S","hand":"right","attempt":1,"score":91,"score_min":60,"matched":true}"#,
    ),
    (
        "station.pickup.step.v1",
        "scanner-1",
        r#"{"session":"S","step":{"step":"compare-finger","hand":"left","attempt":1}}"#,
    ),
    (
        "station.pickup.finger-present.v1",
        "scanner-1",
        r#"{"session":"S","hand":"left"}"#,
    ),
    (
        "station.pickup.photo-archived.v1",
        "camera-1",
        r#"{"session":"S","view":"left-hand","blob":"B","key":"K","len":181027}"#,
    ),
    (
        "station.pickup.finger-compared.v1",
        "-",
        r#"{"session":"S","hand":"left","attempt":1,"score":88,"score_min":60,"matched":true}"#,
    ),
    (
        "station.pickup.step.v1",
        "scanner-1",
        r#"{"session":"S","step":{"step":"take-photo","view":"frontal"}}"#,
    ),
    (
        "station.pickup.photo-archived.v1",
        "camera-1",
        r#"{"session":"S","view":"frontal","blob":"B","key":"K","len":203114}"#,
    ),
    (
        "station.motion.intended.v1",
        "-",
        r#"{"dispenser":"dispenser-1","machine":"machine-1","session":"S","sequence":8,"motion":{"motion":"present","hold_s":30},"timeout_s":20}"#,
    ),
    (
        "station.motion.completed.v1",
        "-",
        r#"{"dispenser":"dispenser-1","machine":"machine-1","sequence":8,"outcome":{"result":"done"},"evidence":{"position":"outlet","outlet_present":true,"slot_occupied":false,"recycle_count":12}}"#,
    ),
    (
        "station.custody.card-moved.v1",
        "-",
        r#"{"card":"C","from":{"place":"transport","machine":"machine-1"},"to":{"place":"exit","machine":"machine-1"},"session":"S"}"#,
    ),
    (
        "station.pickup.card-presented.v1",
        "dispenser-1",
        r#"{"session":"S","card":"C"}"#,
    ),
    (
        "station.custody.card-moved.v1",
        "-",
        r#"{"card":"C","from":{"place":"exit","machine":"machine-1"},"to":{"place":"handed-over"},"session":"S"}"#,
    ),
    (
        "station.pickup.card-taken.v1",
        "-",
        r#"{"session":"S","card":"C"}"#,
    ),
    (
        "station.pickup.ending.v1",
        "-",
        r#"{"session":"S","outcome":"collected"}"#,
    ),
    (
        "station.pickup.ended.v1",
        "dispenser-1",
        r#"{"session":"S","kiosk":"kiosk-1","outcome":"collected"}"#,
    ),
];

const REPORTS: &[Step] = &[(
    "station.device.reported.v1",
    "kiosk-1",
    r#"{"device":"kiosk-1","report":"door-open","detail":null}"#,
)];

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (data, keys, events, steps, photo) = match words.as_slice() {
        [data, keys, events] | [data, keys, events, "pickups"] => (data, keys, events, PICKUP, "0"),
        [data, keys, events, "pickups", photo] => (data, keys, events, PICKUP, *photo),
        [data, keys, events, "reports"] => (data, keys, events, REPORTS, "0"),
        _ => bail!(
            "usage: fill <data folder> <keys folder> <events> [pickups [<photo bytes>] | reports]"
        ),
    };
    let events: u64 = events.parse().context("<events> must be a number")?;
    let events = events.next_multiple_of(u64::try_from(steps.len())?);
    let photo_len = photo.parse().context("<photo bytes> must be a number")?;
    let begun = Instant::now();
    let (log, mut filler) = open(Path::new(data), Path::new(keys), events, steps)?;
    filler.photos = Photos::new(Path::new(data), photo_len)?;
    let first = log.next_index();
    let bytes = filler.fill(&log, first)?;
    log.close()?;
    let (size, seconds) = (log.size(), begun.elapsed().as_secs_f64());
    println!("events={events} bytes={bytes} size={size} seconds={seconds:.1}");
    Ok(())
}

struct Filler {
    keys: StationKeys,
    origin: Origin,
    events: u64,
    steps: &'static [Step],
    boot: BootId,
    begin_ms: u64,
    photos: Option<Photos>,
}

/// Files such as sealed photos are.
struct Photos {
    folder: PathBuf,
    len: usize,
}

impl Photos {
    /// None: none are wanted.
    fn new(data: &Path, len: usize) -> anyhow::Result<Option<Self>> {
        let folder = data.join("blobs");
        if len == 0 {
            return Ok(None);
        }
        std::fs::create_dir_all(&folder)?;
        Ok(Some(Self { folder, len }))
    }

    /// Makes one; its name.
    fn make(&self) -> anyhow::Result<String> {
        let bytes: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..))
            .take(self.len)
            .collect();
        let name = hex::encode(Sha256::digest(&bytes));
        std::fs::write(self.folder.join(&name), bytes)?;
        Ok(name)
    }
}

fn open(
    data: &Path,
    keys_folder: &Path,
    events: u64,
    steps: &'static [Step],
) -> anyhow::Result<(Log, Filler)> {
    let OpenedLog { log, keys, origin } = opened::open(data, keys_folder)?;
    let wall = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let begin_ms = u64::try_from(wall.as_millis())?.saturating_sub(SPREAD_MS);
    let boot = BootId::new(uuid::Uuid::new_v4().to_string())?;
    Ok((
        log,
        Filler {
            keys,
            origin,
            events,
            steps,
            boot,
            begin_ms,
            photos: None,
        },
    ))
}

impl Filler {
    /// Signs one group while the disk takes the one before. Answers the bytes of all signed events.
    fn fill(&self, log: &Log, first: u64) -> anyhow::Result<usize> {
        let (mut index, end, mut total) = (first, first + self.events, 0);
        let mut before: Option<Appending<()>> = None;
        while index < end {
            let (mut group, mut bytes) = (Group::new(index, ()), 0);
            while index < end && bytes < GROUP_BYTES {
                let signed = self.signed(index, index - first)?;
                (index, bytes) = (index + 1, bytes + signed.len());
                group = group.batch(vec![signed]);
            }
            total += bytes;
            let next = log.append(group);
            if let Some(before) = before.replace(next) {
                wait(before)?;
            }
        }
        before.map_or(Ok(()), wait)?;
        ensure!(log.next_index() == end, "another wrote to the log");
        Ok(total)
    }

    /// The hash of the photo that this body names, if it names one.
    fn photo(&self, index: u64, body: &str) -> anyhow::Result<String> {
        match &self.photos {
            Some(photos) if body.contains("\"B\"") => photos.make(),
            Some(_) | None => Ok(format!("{index:064x}")),
        }
    }

    fn signed(&self, index: u64, nth: u64) -> anyhow::Result<Vec<u8>> {
        let len = u64::try_from(self.steps.len())?;
        let step = usize::try_from(nth % len)?;
        let (name, sender, body) = self.steps.get(step).context("a step")?;
        let first = index - nth % len;
        let body = body
            .replace("\"S\"", &format!("\"s-{first}\""))
            .replace("\"C\"", &format!("\"AB{first:012}\""))
            .replace("NT\"", &format!("N{first:021}\""))
            .replace("VT\"", &format!("V{first:021}\""))
            .replace("\"K\"", &format!("\"{index:032x}\""))
            .replace("v1.K.", &format!("v1.{index:032x}."))
            .replace("\"B\"", &format!("\"{}\"", self.photo(index, body)?));
        let event = Event::from_data(name, &body).with_context(|| format!("no event {name}"))??;
        let elapsed_ms = SPREAD_MS / self.events.max(1) * nth;
        let now = Now {
            wall_ms: self.begin_ms + elapsed_ms,
            boot: self.boot.clone(),
            mono_ms: elapsed_ms,
            trust: ClockTrust::Synchronised,
        };
        let (source, cause) = match *sender {
            "-" => (Source::Gateway, None),
            device => {
                let cause = Cause {
                    sender: DeviceId::new(device)?,
                    message_id: MessageId::new(uuid::Uuid::new_v4().to_string())?,
                    digest: [0xa5; 16],
                    outcome: CauseOutcome::Accepted,
                    session: None,
                };
                (Source::Device(DeviceId::new(device)?), Some(cause))
            }
        };
        let meta = Meta { source, now, cause };
        let sign = |bytes: &[u8]| self.keys.signing.current.sign(bytes);
        Ok(envelope::seal(
            &self.origin,
            index,
            &meta,
            &event,
            KeyId::of(&self.keys.signing.current.public_key()),
            sign,
        )?)
    }
}

/// Waits on the spot: the log's own thread does the work.
fn wait(appending: Appending<()>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let durable = runtime.block_on(appending)?;
    ensure!(!durable.indexes().is_empty(), LogFailed::Closed);
    Ok(())
}
