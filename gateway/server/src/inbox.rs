//! The inbox: manifests that wait to be received (C1).
//!
//! A manifest holds personal data. It is read, turned into keyed tags and masks at once, and its file is removed when
//! its batch is recorded (after a crash in between, at the next start). Nothing of it is logged.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use gateway_core::Announcement;
use schemas::event::centre::InstructionRefusal;
use schemas::event::custody::{AnnouncedCard, BATCH_CARDS_MAX};
use schemas::ids::BatchId;
use schemas::message::manifest::{Manifest, ManifestCard};
use zeroize::Zeroizing;

use crate::keys::{Domain, LookupKeys};

/// Longest manifest, in bytes.
pub const MANIFEST_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// The folder of manifests. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Inbox {
    folder: PathBuf,
    keys: LookupKeys,
}

impl Inbox {
    /// `folder` need not exist yet.
    pub fn new(folder: &Path, keys: LookupKeys) -> Self {
        Self {
            folder: folder.to_owned(),
            keys,
        }
    }

    /// Reads the manifest of `batch`. None where it is missing, too long, not a manifest, or not this batch's. Why goes to
    /// the program's own log, without a word of the content. Blocks.
    pub fn announcement(&self, batch: &BatchId) -> Option<Announcement> {
        let bytes = match self.read(batch) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::warn!(%batch, %error, "a manifest cannot be read");
                return None;
            }
        };
        match announce(&self.keys, batch, &bytes) {
            Ok(announcement) => Some(announcement),
            Err(reason) => {
                tracing::warn!(%batch, reason, "a manifest was not taken");
                None
            }
        }
    }

    /// Takes a manifest that came from the centre: durable when this returns. The same one may come again. Blocks.
    pub fn take_in(&self, manifest: &[u8]) -> Result<BatchId, InstructionRefusal> {
        let unusable = InstructionRefusal::Unusable;
        let read: Manifest = serde_json::from_slice(manifest).map_err(|_may_quote| unusable)?;
        let batch = read.batch.clone();
        drop(read);
        if let Err(reason) = announce(&self.keys, &batch, manifest) {
            tracing::warn!(%batch, reason, "a manifest of the centre is not usable");
            return Err(unusable);
        }
        gateway_durable::replace_file(&self.path(&batch), manifest, 0o600).map_err(|error| {
            tracing::error!(%batch, %error, "a manifest of the centre cannot be kept");
            unusable
        })?;
        Ok(batch)
    }

    /// Removes the manifest of a batch that is recorded. Blocks.
    pub fn remove(&self, batch: &BatchId) {
        match std::fs::remove_file(self.path(batch)) {
            Ok(()) => tracing::info!(%batch, "the manifest is recorded, its file is removed"),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::error!(%batch, %error, "a recorded manifest could not be removed");
            }
        }
    }

    /// Removes the manifests of batches that are recorded: what a crash left behind. Blocks.
    pub fn remove_known(&self, is_known: impl Fn(&BatchId) -> bool) {
        let Ok(entries) = std::fs::read_dir(&self.folder) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let batch = name
                .to_str()
                .and_then(|name| name.strip_suffix(".json"))
                .map(BatchId::new);
            if let Some(Ok(batch)) = batch
                && is_known(&batch)
            {
                self.remove(&batch);
            }
        }
    }

    fn read(&self, batch: &BatchId) -> std::io::Result<Zeroizing<Vec<u8>>> {
        let file = std::fs::File::open(self.path(batch))?;
        let len = file.metadata()?.len().min(MANIFEST_BYTES_MAX) + 2;
        // Long enough from the beginning: growing would leave a copy behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(len).unwrap_or(0)));
        file.take(MANIFEST_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn path(&self, batch: &BatchId) -> PathBuf {
        // A batch id is a slug, so it cannot lead out of the folder.
        self.folder.join(format!("{batch}.json"))
    }
}

fn announce(
    keys: &LookupKeys,
    batch: &BatchId,
    bytes: &[u8],
) -> Result<Announcement, &'static str> {
    if u64::try_from(bytes.len()).map_or(true, |len| len > MANIFEST_BYTES_MAX) {
        return Err("longer than 2 MiB");
    }
    // The parser's own error could quote what it stumbled over.
    let manifest: Manifest =
        serde_json::from_slice(bytes).map_err(|_may_quote| "not JSON as a manifest asks")?;
    if manifest.batch != *batch {
        return Err("it names another batch than its file");
    }
    if !(1..=BATCH_CARDS_MAX).contains(&manifest.cards.len()) {
        return Err("it has no card, or more than one batch may have");
    }
    let mut serials: Vec<_> = manifest.cards.iter().map(|card| &card.serial).collect();
    serials.sort_unstable();
    if serials.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err("a serial appears twice");
    }
    let cards: Option<Vec<_>> = manifest
        .cards
        .iter()
        .map(|card| announced(keys, card))
        .collect();
    Ok(Announcement {
        manifest_sha256: hex::encode(digest::digest(&digest::SHA256, bytes)),
        cards: cards.ok_or("a tag could not be made")?,
    })
}

fn announced(keys: &LookupKeys, card: &ManifestCard) -> Option<AnnouncedCard> {
    let mut vouchers = keys
        .tags(Domain::Voucher, card.voucher.expose())
        .into_iter();
    Some(AnnouncedCard {
        serial: card.serial.clone(),
        number: keys.tag(Domain::Number, card.number.expose())?,
        voucher: vouchers.next()?,
        name: card.name.masked(),
        number_tail: card.number.tail(),
        residence: card.residence,
        ground: card.ground,
        old_card_due: card.old_card_due,
        held: card.held,
        older: vouchers.collect(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
pub(crate) mod tests {
    use super::*;

    fn card(serial: &str) -> serde_json::Value {
        serde_json::json!({
            "serial": serial, "number": "11010519491231002X", "name": "李小明",
            "voucher": "1101050012026110100001", "residence": "local", "old_card_due": true
        })
    }

    fn inbox(batch: &str, text: &str) -> (tempfile::TempDir, Inbox) {
        let place = tempfile::tempdir().unwrap();
        let keys = crate::keys::open(
            &place.path().join("keys"),
            place.path(),
            &place.path().join("marker"),
        );
        let inbox = Inbox::new(&place.path().join("inbox"), keys.unwrap().lookup);
        std::fs::create_dir_all(place.path().join("inbox")).unwrap();
        std::fs::write(place.path().join(format!("inbox/{batch}.json")), text).unwrap();
        (place, inbox)
    }

    /// C1, G7: a manifest becomes tags and masks; nothing of a person is left in it.
    #[test]
    fn a_manifest_becomes_tags_and_masks() {
        let text = serde_json::json!({ "batch": "batch-1", "cards": [card("CARD0001"), card("CARD0002")] });
        let (_place, inbox) = inbox("batch-1", &text.to_string());
        let batch = BatchId::new("batch-1").unwrap();
        let announcement = inbox.announcement(&batch).unwrap();
        let first = announcement.cards.first().unwrap();
        assert_eq!(
            (first.name.as_str(), first.number_tail.as_str()),
            ("**明", "002X")
        );
        assert!(first.old_card_due && !first.held);
        let printed = format!("{announcement:?}");
        assert!(
            !printed.contains("李")
                && !printed.contains("19491231")
                && !printed.contains("2026110100001")
        );
        inbox.remove(&batch);
        assert_eq!(inbox.announcement(&batch), None);
        inbox.remove(&batch);
    }

    /// C1, G5: the centre's manifest is taken in as it came, as often as it comes, readable by nobody else; what is none leaves nothing.
    #[test]
    fn a_manifest_of_the_centre_is_taken_in() {
        use std::os::unix::fs::PermissionsExt as _;
        let (place, inbox) = inbox("batch-1", "an older one");
        let text = serde_json::json!({ "batch": "batch-1", "cards": [card("CARD0001")] });
        let text = text.to_string();
        let path = place.path().join("inbox/batch-1.json");
        for _ in 0..2 {
            let batch = inbox.take_in(text.as_bytes()).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            assert_eq!(inbox.announcement(&batch).unwrap().cards.len(), 1);
        }
        let twice = serde_json::json!({ "batch": "batch-2", "cards": [card("CARD0001"), card("CARD0001")] });
        for refused in ["", "{}", &twice.to_string()] {
            let taken = inbox.take_in(refused.as_bytes());
            assert_eq!(taken, Err(InstructionRefusal::Unusable), "{refused}");
        }
        let left = std::fs::read_dir(place.path().join("inbox")).unwrap();
        assert_eq!(left.count(), 1);
    }

    /// C1: what is not a manifest of this batch is not taken.
    #[test]
    fn bad_manifests_are_not_taken() {
        let many: Vec<_> = (0..=BATCH_CARDS_MAX)
            .map(|n| card(&format!("CARD{n:04}")))
            .collect();
        let mut unknown = card("CARD0001");
        unknown
            .as_object_mut()
            .unwrap()
            .insert("phone".into(), "1".into());
        let mut wrong_number = card("CARD0001");
        wrong_number
            .as_object_mut()
            .unwrap()
            .insert("number".into(), "110105194912310021".into());
        for (what, cards, batch) in [
            ("none", vec![], "batch-1"),
            ("too many", many, "batch-1"),
            ("twice", vec![card("CARD0001"), card("CARD0001")], "batch-1"),
            ("another batch", vec![card("CARD0001")], "batch-2"),
            ("unknown field", vec![unknown], "batch-1"),
            ("checksum", vec![wrong_number], "batch-1"),
        ] {
            let text = serde_json::json!({ "batch": batch, "cards": cards }).to_string();
            let (_place, inbox) = inbox("batch-1", &text);
            assert_eq!(
                inbox.announcement(&BatchId::new("batch-1").unwrap()),
                None,
                "{what}"
            );
        }
        let (_place, inbox) = inbox("batch-1", &" ".repeat(3 << 20));
        assert_eq!(inbox.announcement(&BatchId::new("batch-1").unwrap()), None);
    }
}
