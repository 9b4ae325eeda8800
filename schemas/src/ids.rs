//! Names of the things a station has: checked once, trusted inside.

use crate::proof::Hash;
use crate::text::{has_long_number, is_slug, text_newtype};

text_newtype!(
    /// A station: the third level of every topic and part of the log's origin.
    StationId, "station id", "^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$",
    "1 to 32 lower-case letters, digits or inner hyphens", |t| is_slug(t, 32)
);
text_newtype!(
    /// A device: kiosk, dispenser, reader, scanner, camera, or a kiosk's peripheral. Also its MQTT client id.
    DeviceId, "device id", "^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$",
    "1 to 32 lower-case letters, digits or inner hyphens", |t| is_slug(t, 32)
);
text_newtype!(
    /// A pickup machine: one dispenser with its reader, scanner and camera.
    MachineId, "machine id", "^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$",
    "1 to 32 lower-case letters, digits or inner hyphens", |t| is_slug(t, 32)
);
text_newtype!(
    /// A member of the staff who may load cards and take stock.
    OperatorId, "operator id", "^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$",
    "1 to 32 lower-case letters, digits or inner hyphens", |t| is_slug(t, 32)
);
text_newtype!(
    /// A batch of cards from the maker: the name of its manifest.
    BatchId, "batch id", "^[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?$",
    "1 to 48 lower-case letters, digits or inner hyphens", |t| is_slug(t, 48)
);
text_newtype!(
    /// One citizen at one machine, or one act of an operator at it. Derived from the index of the
    /// event that opened it, so it is unique within the log.
    SessionId, "session id", "^s-[0-9]{1,20}$",
    "s- and the index of the event that opened it",
    |t| t.strip_prefix("s-").is_some_and(|n| (1..=20).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()))
);
text_newtype!(
    /// The id a sender gives its message: a UUID (RFC 9562), lower case with hyphens. Unique within
    /// the sender; the same id again is the same message again.
    MessageId, "message id",
    "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    "a UUID in lower case with hyphens (RFC 9562, section 4)", is_uuid
);
text_newtype!(
    /// The id a device gives a blob it publishes: a UUID (RFC 9562).
    BlobId, "blob id",
    "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    "a UUID in lower case with hyphens (RFC 9562, section 4)", is_uuid
);
text_newtype!(
    /// The id of one life of a device or of the gateway's machine: a UUID drawn at start.
    BootId, "boot id",
    "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    "a UUID in lower case with hyphens (RFC 9562, section 4)", is_uuid
);
text_newtype!(
    /// What a recorder calls the footage of a camera: an ONVIF recording token, or the recorder and its channel.
    RecorderReference, "recorder reference", "^[A-Za-z0-9._:/@+-]{1,64}$",
    "1 to 64 letters, digits or . _ : / @ + -",
    |t| (1..=64).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:/@+-".contains(&b))
);
text_newtype!(
    /// The serial of a card's chip, as printed on the manifest and read from the chip.
    CardSerial, "card serial", "^[A-Z0-9]{8,16}$",
    "8 to 16 upper-case letters and digits",
    |t| (8..=16).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
);
text_newtype!(
    /// The serial number that a device says it has. It is logged, so no citizen number can hide in it.
    DeviceSerial, "device serial", "^(?!.*[0-9]{15})[A-Za-z0-9._:-]{1,48}$",
    "1 to 48 letters, digits, points, colons, hyphens or underscores, never 15 digits or more in a row",
    |t| (1..=48).contains(&t.len())
        && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b))
        && !has_long_number(t)
);
text_newtype!(
    /// A job that a peripheral was given: a print, a signature. Whoever gives it chooses the id.
    JobId, "job id", "^(?!.*[0-9]{15})[A-Za-z0-9-]{1,40}$",
    "1 to 40 letters, digits or hyphens, never 15 digits or more in a row",
    |t| is_code(t, 40)
);
text_newtype!(
    /// A payment order of the station. Never a number of a card or an account.
    OrderId, "order id", "^(?!.*[0-9]{15})[A-Za-z0-9-]{1,40}$",
    "1 to 40 letters, digits or hyphens, never 15 digits or more in a row",
    |t| is_code(t, 40)
);
text_newtype!(
    /// A payment network's own number of a transaction. Never a number of a card, an account or a person: 12 to 19 digits in a row
    /// are refused, which the networks' numbers of 21 and more are not.
    TransactionId, "transaction id", "^(?!.*(^|[^0-9])[0-9]{12,19}($|[^0-9]))[A-Za-z0-9-]{1,64}$",
    "1 to 64 letters, digits or hyphens, never 12 to 19 digits in a row",
    |t| (1..=64).contains(&t.len())
        && t.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !t.split(|c: char| !c.is_ascii_digit()).any(|digits| (12..=19).contains(&digits.len()))
);
text_newtype!(
    /// A ticket to the window: the log's incarnation, and a number that counts up in it.
    TicketNumber, "ticket number", "^W[0-9]{1,10}-[0-9]{1,10}$",
    "W, incarnation of the log and a number, with a hyphen between",
    |t| t.strip_prefix('W').and_then(|t| t.split_once('-')).is_some_and(|(incarnation, number)| {
        [incarnation, number].iter().all(|n| (1..=10).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()))
    })
);
text_newtype!(
    /// SHA-256 of a blob's ciphertext: the blob's file name, and how events refer to it.
    BlobHash, "blob hash", "^[0-9a-f]{64}$", "64 lower-case hexadecimal digits",
    |t| is_sha256(t)
);

text_newtype!(
    /// SHA-256 of a paper's file, as the log records it: by it a paper can be checked later.
    PaperHash, "paper hash", "^[0-9a-f]{64}$", "64 lower-case hexadecimal digits",
    |t| is_sha256(t)
);
text_newtype!(
    /// SHA-256 of a snapshot of the station's state: the snapshot's file name, and how events refer to it.
    SnapshotHash, "snapshot hash", "^[0-9a-f]{64}$", "64 lower-case hexadecimal digits",
    |t| is_sha256(t)
);
text_newtype!(
    /// The root of the log's Merkle tree at some size (RFC 6962).
    TreeRoot, "tree root", "^[0-9a-f]{64}$", "64 lower-case hexadecimal digits",
    |t| is_sha256(t)
);

impl TreeRoot {
    /// From the raw root.
    pub fn of(root: &Hash) -> Self {
        Self(root.to_string())
    }
}

fn is_code(text: &str, len_max: usize) -> bool {
    (1..=len_max).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !has_long_number(text)
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

impl SessionId {
    /// The session that the event at `index` opens.
    pub fn from_index(index: u64) -> Self {
        Self(format!("s-{index}"))
    }
}

impl PaperHash {
    /// Of a file.
    pub fn of(file: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(hex::encode(sha2::Sha256::digest(file)))
    }
}

impl TicketNumber {
    /// The `number`-th ticket (from 1) of the log `incarnation`.
    pub fn of(incarnation: u32, number: u32) -> Self {
        Self(format!("W{incarnation}-{number}"))
    }

    /// The log's incarnation and the number in it; none where they are larger than any log counts.
    pub fn place(&self) -> Option<(u32, u32)> {
        let (incarnation, number) = self.as_str().strip_prefix('W')?.split_once('-')?;
        Some((incarnation.parse().ok()?, number.parse().ok()?))
    }
}
