use std::fs;
use std::io::Write;
use std::sync::{Arc, Mutex};

use super::*;
use crate::store::{SledStore, Store as _, Write as Batch};

/// A small epoch, closed.
fn epoch(data: &Path) -> PathBuf {
    let folder = data.join("log/0");
    let store = SledStore::open(&folder, 1 << 20).unwrap();
    let batch = Batch {
        events: vec![b"one".to_vec(), b"two".to_vec()],
        ..Batch::default()
    };
    store.write(&batch).unwrap();
    drop(store);
    // sled lets go of its lock when its last thread ends, which may be a moment after the store is dropped.
    let db = fs::File::open(folder.join("db")).unwrap();
    db.lock().unwrap();
    folder
}

fn copies(data: &Path) -> usize {
    fs::read_dir(data.join(FOLDER)).map_or(0, Iterator::count)
}

/// What the program says while `work` is done on this thread.
fn told<T>(work: impl FnOnce() -> T) -> (T, String) {
    #[derive(Clone, Default)]
    struct Said(Arc<Mutex<Vec<u8>>>);
    impl Write for Said {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let said = Said::default();
    let writer = said.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let done = tracing::subscriber::with_default(subscriber, work);
    let bytes = said.0.lock().unwrap().clone();
    (done, String::from_utf8(bytes).unwrap())
}

/// G3: where there is room a copy is opened, which goes when it is closed; the epoch stays as it was found.
#[test]
fn a_closed_epoch_is_read_from_a_copy() {
    let data = tempfile::tempdir().unwrap();
    let epoch = epoch(data.path());
    let before = fs::read(epoch.join("db")).unwrap();
    let copies_here = Copies::within(data.path(), 0);
    let (store, said) = told(|| SledStore::open_for_reading(&copies_here, &epoch).unwrap());
    assert_eq!((copies(data.path()), said.as_str()), (1, ""));
    assert_eq!(store.events(0..9).count(), 2);
    drop(store);
    assert_eq!(copies(data.path()), 0);
    assert_eq!(fs::read(epoch.join("db")).unwrap(), before);
}

/// G4: a disk that is nearly full does not keep a station from its log: the epoch itself is opened, and the log of the program says so.
#[test]
fn without_room_for_a_copy_an_epoch_is_opened_in_place_and_that_is_told() {
    let data = tempfile::tempdir().unwrap();
    let epoch = epoch(data.path());
    let no_room = Copies::within(data.path(), u64::MAX);
    let (store, said) = told(|| SledStore::open_for_reading(&no_room, &epoch).unwrap());
    assert_eq!(store.events(0..9).count(), 2);
    assert_eq!(copies(data.path()), 0);
    let names_it = said.contains("WARN") && said.contains(epoch.to_str().unwrap());
    assert!(names_it && said.contains("opened in place"), "{said}");
    drop(store);
    assert!(epoch.join("db").exists(), "it is no copy that would go");
}

/// G4: what a killed process left goes at the next start; that there was never a copy is as good.
#[test]
fn what_a_killed_process_left_is_swept() {
    let data = tempfile::tempdir().unwrap();
    let here = Copies::within(data.path(), 0);
    here.sweep().unwrap();
    let left = data.path().join(FOLDER).join("station-log-copy-1-0");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("db"), "half").unwrap();
    let live = here.make(&epoch(data.path())).unwrap().unwrap();
    assert!(!left.exists());
    fs::create_dir_all(&left).unwrap();
    here.sweep().unwrap();
    assert!(!left.exists() && live.path().join("db").exists());
}
