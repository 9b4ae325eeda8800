//! The centre: who may open what is sealed, where the log and the blobs go, and how much of the link they may take.

use std::path::PathBuf;

use crate::hours::Hours;
use crate::reader::Section;

/// Further keys that a session's key is sealed to.
const SEAL_KEYS_MAX: usize = 8;

/// The centre.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Centre {
    /// File with the centre's X25519 public key, to which the key of each session's personal data is sealed: 64
    /// hexadecimal digits or PEM. None only with simulated devices: then a pair is made.
    pub seal_key: Option<PathBuf>,
    /// Files with public keys of others who may open all of it too: an auditor. At most 8.
    pub more_seal_keys: Vec<PathBuf>,
    /// Where the log goes; none: nowhere, or in a demonstration to a centre of its own.
    pub store: Option<CentreStore>,
    /// Where sealed blobs and session keys go; none: nowhere, or in a demonstration to its centre's folder.
    pub blob_store: Option<BlobPlace>,
    /// File with the settings and credentials of a blob store in S3, `NAME=value` lines; none: those of the environment.
    pub blob_store_file: Option<PathBuf>,
    /// File with the key that the centre's instructions are signed by: a C2SP vkey named `centre.<province>`, one line.
    pub verify_key: Option<PathBuf>,
    /// The centre lost events for good that it had acknowledged: the log goes up again from where its stream ends now. Otherwise such a
    /// stream is waited for.
    pub send_again: bool,
    /// What the uplink may take of the link, in KiB/s; none: what there is.
    pub uplink_kib_per_s: Option<u32>,
    /// When the uplink may be used, in China's time; none: always.
    pub uplink_hours: Option<Hours>,
}

/// The centre's event store (EventStoreDB, KurrentDB).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CentreStore {
    /// A connection string without credentials.
    Address(String),
    /// The file that holds the connection string, with credentials.
    File(PathBuf),
}

/// The centre's blob store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlobPlace {
    /// A folder that is there, for example of a mounted share.
    Folder(PathBuf),
    /// A bucket of S3, or of what speaks like it.
    S3 {
        /// Its name.
        bucket: String,
        /// What the names of the objects begin with, without slashes at its ends; empty: nothing.
        prefix: String,
    },
}

pub(super) fn read(s: &mut Section<'_>) -> Centre {
    Centre {
        seal_key: s.path("seal_key"),
        more_seal_keys: s.paths("more_seal_keys", SEAL_KEYS_MAX).unwrap_or_default(),
        store: centre_store(s),
        blob_store: blob_store(s),
        blob_store_file: s.path("blob_store_file"),
        verify_key: s.path("verify_key"),
        send_again: s.flag("send_again", false),
        uplink_kib_per_s: s.optional_number("uplink_kib_per_s", 1..=1_000_000),
        uplink_hours: s.optional("uplink_hours", "\"22:00-06:00\""),
    }
}

/// Where the log goes. Credentials are not for a file that many can read.
fn centre_store(s: &mut Section<'_>) -> Option<CentreStore> {
    let address = s.optional::<String>("store", "\"esdb://centre.example:2113?tls=true\"");
    let file = s.path("store_file");
    if let Some(address) = &address {
        let scheme = [
            "esdb://",
            "esdb+discover://",
            "kurrentdb://",
            "kurrentdb+discover://",
        ];
        if !scheme.iter().any(|scheme| address.starts_with(scheme)) {
            s.refuse("store", "is not a connection string; write for example store = \"esdb://centre.example:2113?tls=true\"");
        } else if address.contains('@') {
            s.refuse("store", "holds a password, and this file is not for passwords; put the whole connection string into a file of mode 0600 and write store_file = \"centre-store\"");
        } else if file.is_some() {
            s.refuse("store_file", "stands beside store; leave one of them out");
        }
    }
    file.map(CentreStore::File)
        .or_else(|| address.map(CentreStore::Address))
}

/// Where blobs go. Whoever writes a scheme means no folder.
fn blob_store(s: &mut Section<'_>) -> Option<BlobPlace> {
    let path = s.path("blob_store")?;
    let text = path.to_str().unwrap_or_default();
    let Some(name) = text.strip_prefix("s3://") else {
        if text.contains("://") {
            s.refuse("blob_store", "is neither a folder nor a bucket; write for example blob_store = \"s3://bucket/prefix\"");
        }
        return Some(BlobPlace::Folder(path));
    };
    let (bucket, prefix) = name.split_once('/').unwrap_or((name, ""));
    if bucket.is_empty() || bucket.contains(['@', ':', '?']) {
        s.refuse("blob_store", "names no bucket; write for example blob_store = \"s3://bucket/prefix\", and what else the bucket needs into blob_store_file");
    }
    Some(BlobPlace::S3 {
        bucket: bucket.to_owned(),
        prefix: prefix.trim_matches('/').to_owned(),
    })
}
