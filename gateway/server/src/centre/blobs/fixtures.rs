//! Events of sessions, for tests.

use gateway_log::{Group, Log};
use schemas::acceptance::AcceptanceSite;
use schemas::envelope::{self, KeyId, Meta, Origin, Source};
use schemas::event::Event;
use schemas::event::application::{
    ApplicationDevices, ApplicationEligibilityAsked, ApplicationEnded, ApplicationNumberKeyed,
    ApplicationSigned, ApplicationStarted, SealedBlob,
};
use schemas::event::pickup::{PhotoArchived, PickupEnded, PickupPolicy, PickupStarted};
use schemas::ids::{BlobHash, BootId, CardSerial, MachineId, SessionId};
use schemas::key::SealingKeyId;
use schemas::lookup::LookupTag;
use schemas::sealed::SealedField;
use schemas::slot::SlotAddress;
use schemas::time::{ClockTrust, Now};
use schemas::words::application::{ApplicationKind, ApplicationOutcome, Language};
use schemas::words::{LookupBy, PhotoView, PickupOutcome, Residence};

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

/// An application began at `kiosk-1`.
pub(super) fn applied(session: &str) -> Event {
    let devices = ApplicationDevices {
        reader: id("reader-2"),
        scanner: id("scanner-1"),
        camera: id("camera-1"),
        face_matcher: id("face-matcher-1"),
    };
    Event::ApplicationStarted(ApplicationStarted {
        session: SessionId::new(session).unwrap(),
        kiosk: id("kiosk-1"),
        devices,
        site: AcceptanceSite::new("110105001").unwrap(),
        language: Language::ZhCn,
        policy: Box::new(testing::station().policy.application.session),
    })
}

fn holder(key: &SealingKeyId) -> SealedField {
    SealedField::new(format!("v1.{key}.{}", "A".repeat(40))).unwrap()
}

fn number() -> LookupTag {
    LookupTag::new(format!("00000001.{}", "a".repeat(22))).unwrap()
}

/// Its citizen keyed a number.
pub(super) fn keyed(session: &str, key: &SealingKeyId) -> Event {
    Event::ApplicationNumberKeyed(ApplicationNumberKeyed {
        session: SessionId::new(session).unwrap(),
        number: number(),
        older: Vec::new(),
        number_tail: "002X".parse().unwrap(),
        holder: holder(key),
        of_age: None,
        flagged: None,
    })
}

/// The centre is asked whether they may apply here.
pub(super) fn asked(session: &str, key: &SealingKeyId) -> Event {
    Event::ApplicationEligibilityAsked(ApplicationEligibilityAsked {
        session: SessionId::new(session).unwrap(),
        question: 1,
        kind: ApplicationKind::Lost,
        residence: Residence::Local,
        number: number(),
        holder: holder(key),
    })
}

/// They signed.
pub(super) fn signed(session: &str, blob: &BlobHash, key: &SealingKeyId) -> Event {
    Event::ApplicationSigned(ApplicationSigned {
        session: SessionId::new(session).unwrap(),
        signature: SealedBlob {
            blob: blob.clone(),
            key: key.clone(),
            len: 5,
        },
    })
}

/// The application ended.
pub(super) fn given_up(session: &str) -> Event {
    Event::ApplicationEnded(ApplicationEnded {
        session: SessionId::new(session).unwrap(),
        kiosk: id("kiosk-1"),
        outcome: ApplicationOutcome::Cancelled,
    })
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
