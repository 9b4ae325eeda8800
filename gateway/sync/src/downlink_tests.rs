//! A12, A17: what is said of the end of the centre's stream.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::Mutex;

use schemas::uplink::Record;

use super::*;
use crate::{LinkFault, Tail};

/// A stream of so many events; each connection fails where it is told to, once.
#[derive(Debug)]
struct Centre {
    len: u64,
    fails_at: Arc<Mutex<Option<u64>>>,
}

impl Stores for Centre {
    type Store = Self;

    fn connect(&self) -> Result<Self, StoreError> {
        let fails_at = Arc::clone(&self.fails_at);
        Ok(Self { fails_at, ..*self })
    }

    async fn diagnose(&self) -> Option<LinkFault> {
        None
    }
}

impl Store for Centre {
    async fn tail(&self, _: &str) -> Result<Option<Tail>, StoreError> {
        Ok(None)
    }

    async fn last(&self, _: &str) -> Result<Option<Stored>, StoreError> {
        Ok(None)
    }

    async fn append(
        &self,
        _: &str,
        _: Option<u64>,
        _: Vec<Record>,
        _: Duration,
    ) -> Result<(), StoreError> {
        Ok(())
    }

    async fn read(&self, _: &str, from: u64, count: usize) -> Result<Vec<Stored>, StoreError> {
        if self
            .fails_at
            .lock()
            .unwrap()
            .take_if(|at| *at == from)
            .is_some()
        {
            return Err(StoreError::Overloaded);
        }
        let stored = |revision| Stored {
            revision,
            id: [0; 16],
            event_type: String::new(),
            data: Vec::new(),
            metadata: Vec::new(),
        };
        Ok((from..self.len).take(count).map(stored).collect())
    }
}

/// How much was followed at each end of the stream; the second one is the last.
struct Heard {
    followed: u64,
    ends: Arc<Mutex<Vec<(u64, Instant)>>>,
}

impl Follow for Heard {
    async fn follow(&mut self, _: Stored) -> bool {
        self.followed += 1;
        true
    }

    async fn read_to_end(&mut self, began: Instant) -> bool {
        let mut ends = self.ends.lock().unwrap();
        ends.push((self.followed, began));
        ends.len() < 2
    }
}

/// A12: the end of the stream is told when all before it was followed, at each reading that comes to it, with the time before that reading;
/// not in between, and not where the store fails.
#[tokio::test(start_paused = true)]
async fn a12_the_end_is_told_when_all_was_followed() {
    let ends = Arc::default();
    let heard = Heard {
        followed: 0,
        ends: Arc::clone(&ends),
    };
    let read = u64::try_from(READ_LEN).unwrap();
    let centre = Centre {
        len: 2 * read + 3,
        fails_at: Arc::new(Mutex::new(Some(read))),
    };
    let len = centre.len;
    let before = Instant::now();
    let downlink = Downlink {
        stores: Arc::new(centre),
        stream: "station-s1-in".to_owned(),
        from: 0,
        every: Duration::from_secs(1),
        chance: || 0,
    };
    downlink.run(heard).await;
    let ends = ends.lock().unwrap();
    let [(first, began), (second, again)] = ends.as_slice() else {
        unreachable!("{ends:?}")
    };
    assert_eq!((*first, *second), (len, len));
    assert!(before <= *began && began <= again && *again <= Instant::now());
}
