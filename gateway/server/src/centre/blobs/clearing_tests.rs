//! Which blobs of pruned events go.

use std::path::PathBuf;
use std::sync::Arc;

use gateway_log::{Limits, Log};
use gateway_sync::Pace;
use schemas::ids::{BlobHash, StationId};
use tokio::sync::mpsc;

use super::again::Again;
use super::clearing::{Cleared, Clearing, ClearingParts};
use super::place::Place;
use crate::blobs::BlobStore;
use crate::pipeline::{Acts, Job};
use crate::testing;

/// Blobs here, the centre's folder, and what removes them.
struct Bench {
    place: tempfile::TempDir,
    blobs: BlobStore,
    again: Again,
    clearing: Clearing,
}

impl Bench {
    /// Blobs with this content, which all belong to pruned events.
    fn with(contents: &[&str]) -> (Self, Vec<BlobHash>) {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        let keys = crate::keys::open(&at("keys"), place.path(), &at("marker")).unwrap();
        let ring = testing::ring(&keys);
        let identity = ring.identity().unwrap();
        let log = Log::in_memory(identity, Box::new(ring), Limits::default()).unwrap();
        let blobs = BlobStore::open(&at("blobs")).unwrap();
        let again = Again::open(log, blobs.clone()).unwrap();
        std::fs::create_dir_all(at("centre/demo/blobs")).unwrap();
        let write = |content: &&str| blobs.write(content.as_bytes()).unwrap();
        let names: Vec<BlobHash> = contents.iter().map(write).collect();
        let clearing = Clearing::new(ClearingParts {
            acts: answering(names.clone()),
            blobs: blobs.clone(),
            again: again.clone(),
            place: Place::folder(&at("centre"), &StationId::new("demo").unwrap()),
            pace: Pace::default(),
            rest_ms: Arc::new(|| None),
        });
        let bench = Self {
            place,
            blobs,
            again,
            clearing,
        };
        (bench, names)
    }

    fn centre(&self) -> PathBuf {
        self.place.path().join("centre")
    }

    /// The centre has this under the blob's name.
    fn centre_has(&self, name: &BlobHash, content: &str) {
        let path = self.centre().join("demo/blobs").join(name.as_str());
        std::fs::write(path, content).unwrap();
    }
}

/// A loop that says that these blobs may go.
fn answering(names: Vec<BlobHash>) -> Acts {
    let (jobs, mut queue) = mpsc::channel(1);
    tokio::spawn(async move {
        while let Some(Job::PrunedBlobs { done }) = queue.recv().await {
            done.send(names.clone()).unwrap();
        }
    });
    Acts::new(jobs)
}

/// G4, G7: a blob goes only if the centre has it in its full length and does not ask for it; one that it lacks goes up again and stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_blob_goes_only_if_the_centre_has_it() {
    let (bench, names) = Bench::with(&["there", "cut", "lacking", "asked for"]);
    let [there, cut, lacking, asked] = names.try_into().unwrap();
    bench.centre_has(&there, "there");
    bench.centre_has(&cut, "cu");
    bench.centre_has(&asked, "asked for");
    bench.again.ask(vec![asked.clone()]).await.unwrap();
    let cleared = bench.clearing.try_clear().await.unwrap();
    let expected = Cleared {
        gone: 1,
        lacking: 3,
    };
    assert_eq!(cleared, expected);
    assert!(!bench.blobs.holds(&there));
    for name in [&cut, &lacking, &asked] {
        assert!(bench.blobs.holds(name) && bench.again.wants(name));
    }

    // They have gone up meanwhile.
    bench.centre_has(&cut, "cut");
    bench.centre_has(&lacking, "lacking");
    for name in [&cut, &lacking, &asked] {
        bench.again.done(name).await.unwrap();
    }
    let cleared = bench.clearing.try_clear().await.unwrap();
    let expected = Cleared {
        gone: 3,
        lacking: 0,
    };
    assert_eq!(cleared, expected, "the first one is gone already");
    assert!(bench.blobs.names().unwrap().is_empty());
}

/// G4: where the centre's store is away nothing goes, and nothing is asked for again.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_while_the_store_is_away() {
    let (bench, names) = Bench::with(&["there"]);
    let [name] = names.try_into().unwrap();
    bench.centre_has(&name, "there");
    let aside = bench.place.path().join("unmounted");
    std::fs::rename(bench.centre(), &aside).unwrap();
    assert!(bench.clearing.try_clear().await.is_err());
    assert!(bench.blobs.holds(&name) && !bench.again.wants(&name));
    std::fs::rename(&aside, bench.centre()).unwrap();
    assert_eq!(bench.clearing.try_clear().await.unwrap().gone, 1);
}
