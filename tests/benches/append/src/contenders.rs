//! The stores, each as its documents ask for durable commits.

use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;

use gateway_log::{Group, Log};

use crate::EVENT_BYTES;
use crate::gathered::{self, Gathered};
use crate::group::Grouped;
use crate::station;

/// The first two are what the others are shares of.
pub const NAMES: [&str; 7] = [
    "raw, growing",
    "raw, written before",
    "log (flushes of 128 KiB)",
    "log (flushes of 512 KiB)",
    "SQLite WAL FULL",
    "redb",
    "fjall",
];
/// Room of the file that is written before: larger than any group, small enough to be made quickly.
const WRITTEN_BEFORE_BYTES: usize = 16 * 1024 * 1024;

#[derive(Clone)]
pub enum Contender {
    Log(Log),
    Gathered(Gathered),
    Grouped(Grouped),
}

impl Contender {
    pub fn open(name: &str, folder: &Path) -> Self {
        match name {
            "log (flushes of 128 KiB)" => Self::Log(station::log(folder, 128 * 1024)),
            "log (flushes of 512 KiB)" => Self::Log(station::log(folder, 512 * 1024)),
            "gathered" | "gathered, signed" | "gathered by 64" | "gathered by 64, signed" => {
                Self::Gathered(gathered(name, folder))
            }
            "raw, growing" => Self::Grouped(raw_growing(folder)),
            "raw, written before" => Self::Grouped(raw_written_before(folder)),
            "SQLite WAL FULL" => Self::Grouped(sqlite(folder)),
            "redb" => Self::Grouped(redb(folder)),
            "fjall" => Self::Grouped(fjall(folder)),
            other => panic!("no contender {other}"),
        }
    }

    pub async fn append(&self, event: Vec<u8>) {
        match self {
            Self::Log(log) => {
                let made = log.append_with(|index| Group::new(index, ()).batch(vec![event]));
                drop(made.await.expect("an append"));
            }
            Self::Gathered(gathered) => gathered.append(event).await,
            Self::Grouped(grouped) => grouped.append(event).await,
        }
    }
}

/// The station's way: its groups and flushes, or flushes of one group of 64.
fn gathered(name: &str, folder: &Path) -> Gathered {
    let (group_len_max, flush_bytes_max) = if name.contains("by 64") {
        (64, 65 * EVENT_BYTES)
    } else {
        (gathered::GROUP_LEN_MAX, 512 * 1024)
    };
    let key = name
        .ends_with("signed")
        .then(|| station::signing_key(folder));
    Gathered::over(station::log(folder, flush_bytes_max), key, group_len_max)
}

/// A file that grows with each append: the sync carries its new length too.
fn raw_growing(folder: &Path) -> Grouped {
    let mut file = std::fs::File::create(folder.join("raw")).expect("a file");
    Grouped::over(move |_, events| {
        let bytes: Vec<u8> = events.concat();
        file.write_all(&bytes).expect("a write");
        file.sync_data().expect("a sync");
    })
}

/// A file whose blocks are there already, written over and over from its start: the sync carries data alone. This is the least
/// that a disk can be asked for.
fn raw_written_before(folder: &Path) -> Grouped {
    let mut file = std::fs::File::create(folder.join("raw")).expect("a file");
    file.write_all(&vec![0; WRITTEN_BEFORE_BYTES])
        .expect("a write");
    file.sync_all().expect("a sync");
    let mut at = 0;
    Grouped::over(move |_, events| {
        let bytes: Vec<u8> = events.concat();
        if at + bytes.len() > WRITTEN_BEFORE_BYTES {
            at = 0;
        }
        file.write_all_at(&bytes, at as u64).expect("a write");
        at += bytes.len();
        file.sync_data().expect("a sync");
    })
}

fn sqlite(folder: &Path) -> Grouped {
    let mut db = rusqlite::Connection::open(folder.join("sqlite")).expect("SQLite");
    db.pragma_update(None, "journal_mode", "WAL").expect("WAL");
    db.pragma_update(None, "synchronous", "FULL").expect("FULL");
    db.execute(
        "CREATE TABLE log (i INTEGER PRIMARY KEY, event BLOB NOT NULL)",
        [],
    )
    .expect("a table");
    Grouped::over(move |first, events| {
        let transaction = db.transaction().expect("a transaction");
        {
            let mut insert = transaction
                .prepare_cached("INSERT INTO log VALUES (?, ?)")
                .expect("a statement");
            for (index, event) in (first..).zip(events) {
                insert
                    .execute(rusqlite::params![index as i64, event])
                    .expect("an insert");
            }
        }
        transaction.commit().expect("a commit");
    })
}

fn redb(folder: &Path) -> Grouped {
    const LOG: redb::TableDefinition<u64, &[u8]> = redb::TableDefinition::new("log");
    let db = redb::Database::create(folder.join("redb")).expect("redb");
    Grouped::over(move |first, events| {
        let transaction = db.begin_write().expect("a transaction");
        {
            let mut table = transaction.open_table(LOG).expect("a table");
            for (index, event) in (first..).zip(events) {
                table.insert(index, event.as_slice()).expect("an insert");
            }
        }
        transaction.commit().expect("a commit");
    })
}

fn fjall(folder: &Path) -> Grouped {
    let db = fjall::Database::builder(folder.join("fjall"))
        .open()
        .expect("fjall");
    let log = db
        .keyspace("log", fjall::KeyspaceCreateOptions::default)
        .expect("a keyspace");
    Grouped::over(move |first, events| {
        let mut batch = db.batch().durability(Some(fjall::PersistMode::SyncData));
        for (index, event) in (first..).zip(events) {
            batch.insert(&log, index.to_be_bytes(), event.as_slice());
        }
        batch.commit().expect("a commit");
    })
}
