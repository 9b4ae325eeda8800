//! Events of sessions, for tests.

use gateway_log::{Group, Log};
use schemas::envelope::{self, KeyId, Meta, Origin, Source};
use schemas::event::Event;
use schemas::event::pickup::{PhotoArchived, PickupEnded, PickupPolicy, PickupStarted};
use schemas::ids::{BlobHash, BootId, CardSerial, MachineId, SessionId};
use schemas::key::SealingKeyId;
use schemas::slot::SlotAddress;
use schemas::time::{ClockTrust, Now};
use schemas::words::{LookupBy, PhotoView, PickupOutcome};

use crate::sealing::desk_tests::{devices, id};
use crate::testing;

pub(super) fn started(session: &str) -> PickupStarted {
    PickupStarted {
        session: SessionId::new(session).unwrap(),
        kiosk: id("kiosk-1"),
        machine: MachineId::new("machine-1").unwrap(),
        devices: devices(),
        card: CardSerial::new("ABCD0001").unwrap(),
        slot: SlotAddress::new(0, 0).unwrap(),
        by: LookupBy::Voucher,
        old_card_due: false,
        policy: PickupPolicy {
            hold_s: 30,
            finger_attempts_max: 3,
            finger_score_min: 60,
            old_card_attempts_max: 3,
            step_timeout_s: 60,
            command_timeout_s: 30,
        },
    }
}

pub(super) fn photo(session: &str, blob: &BlobHash, key: &SealingKeyId) -> PhotoArchived {
    PhotoArchived {
        session: SessionId::new(session).unwrap(),
        view: PhotoView::Frontal,
        blob: blob.clone(),
        key: key.clone(),
        len: 5,
    }
}

pub(super) fn ended(session: &str) -> PickupEnded {
    PickupEnded {
        session: SessionId::new(session).unwrap(),
        kiosk: id("kiosk-1"),
        outcome: PickupOutcome::Collected,
    }
}

/// Durable when this resolves. Nobody looks at the signatures here.
pub(super) async fn append(log: &Log, events: &[Event]) {
    for part in events.chunks(64) {
        let first = log.next_index();
        let signed = part.iter().zip(first..).map(|(event, index)| {
            let (origin, key) = (Origin::new(testing::ORIGIN).unwrap(), KeyId::of(&[0; 32]));
            envelope::seal(&origin, index, &meta(), event, key, |_| [0; 64]).unwrap()
        });
        let group = Group::new(first, ()).batch(signed.collect()).sealed();
        drop(log.append(group).await.unwrap());
    }
}

fn meta() -> Meta {
    Meta {
        source: Source::Gateway,
        now: Now {
            wall_ms: 1_700_000_000_000,
            boot: BootId::new(testing::id(1)).unwrap(),
            mono_ms: 0,
            trust: ClockTrust::Synchronised,
        },
        cause: None,
    }
}
