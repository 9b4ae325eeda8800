//! The words that messages and events share. Terms follow CEN XFS4IoT where it has one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::MachineId;
use crate::slot::SlotAddress;

pub mod application;
pub mod paper;

/// Declares a closed set of words, written in kebab-case on the wire.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$word_doc])* $word),+ }

        impl $name {
            /// Every word of the set, in order.
            pub const ALL: &'static [Self] = &[$(Self::$word),+];
        }
    };
}
pub(crate) use words;

words!(
    /// What a device is.
    DeviceKind {
        /// A citizen's or operator's screen.
        Kiosk,
        /// The card store with its transport and outlet.
        Dispenser,
        /// A reader of resident ID cards (GA 450).
        Reader,
        /// A fingerprint scanner (GA/T 1011).
        Scanner,
        /// A camera.
        Camera,
        /// A kiosk's barcode scanner.
        BarcodeScanner,
        /// A kiosk's printer of receipts and forms.
        Printer,
        /// A kiosk's pad for handwritten signatures.
        SignaturePad,
        /// A kiosk's payment terminal.
        PaymentTerminal,
        /// A service that compares faces (A7).
        FaceMatcher,
    }
);
words!(
    /// The status of a device (XFS4IoT, common device status).
    DeviceStatus {
        /// Ready for commands.
        Online,
        /// Reachable, and closed by its own will.
        Offline,
        /// Without power.
        PowerOff,
        /// Needs a technician.
        HardwareError,
        /// Needs an operator: door open, bin full, hopper empty.
        UserError,
        /// At work; ready again by itself.
        DeviceBusy,
        /// Somebody tampers with it.
        FraudAttempt,
        /// Not ready yet.
        Starting,
    }
);
words!(
    /// How a command ended (XFS4IoT completion codes).
    Completion {
        /// Done.
        Success,
        /// Nobody came, or the mechanism did not answer in time.
        TimeOut,
        /// The device is not ready for this.
        DeviceNotReady,
        /// The mechanism failed.
        HardwareError,
        /// Not possible in this state; nothing moved.
        SequenceError,
        /// Stopped on request.
        Canceled,
        /// The device cannot do this, whatever its state.
        UnsupportedCommand,
    }
);
words!(
    /// A hand.
    Hand {
        /// 右手
        Right,
        /// 左手
        Left,
    }
);
words!(
    /// What a photo shows (P4, P5).
    PhotoView {
        /// The claimant's face.
        Frontal,
        /// The claimant and the surroundings.
        Panoramic,
        /// The claimant while the right hand is on the scanner.
        RightHand,
        /// The claimant while the left hand is on the scanner.
        LeftHand,
    }
);
words!(
    /// Where a card is within the machine's transport (register map, input 18).
    CarriagePosition {
        /// No card in the transport.
        None,
        /// In the inner reader.
        InReader,
        /// In the transfer car.
        Car,
        /// In the outer reader.
        OutReader,
        /// At the outlet, within reach of the citizen.
        Outlet,
    }
);
words!(
    /// Registered residence of a card's owner, seen from this station (P8).
    Residence {
        /// Registered here (本市户籍).
        Local,
        /// Elsewhere in the province (省内异地).
        Province,
        /// Another province (跨省异地).
        OtherProvince,
    }
);
words!(
    /// Why somebody registered elsewhere may collect here, if policy takes it (P8).
    ResidenceGround {
        /// Works in the city.
        Work,
        /// Studies in the city.
        Study,
        /// Holds a residence permit of the city.
        ResidencePermit,
    }
);
words!(
    /// How a pickup was begun (P1).
    LookupBy {
        /// The barcode of the collection voucher.
        Voucher,
        /// The citizen number, keyed in.
        CitizenNumber,
    }
);
words!(
    /// How a session of pickup ended.
    PickupOutcome {
        /// The citizen took the card.
        Collected,
        /// The card was presented, not taken, and taken back (P7).
        NotTaken,
        /// The citizen cancelled.
        Cancelled,
        /// The citizen did not go on in time.
        TimedOut,
        /// The fingerprints did not match; to the window (P4).
        IdentityFailed,
        /// The card in the slot is not the card of the record; quarantined (P3).
        CardMismatch,
        /// The chip could not be read; quarantined (P3).
        CardUnreadable,
        /// The chip holds no fingerprints to compare with; to the window (P4).
        NoFingerprints,
        /// No card was found in its slot.
        CardMissing,
        /// No old card was handed in (P6).
        OldCardMissing,
        /// A photo could not be taken, so the card was not presented (P5).
        NoPhoto,
        /// A device failed or went away.
        DeviceFailed,
        /// The gateway was restarted in the middle.
        Interrupted,
    }
);
words!(
    /// How an operator's act at a machine ended.
    ActOutcome {
        /// Done.
        Done,
        /// The mechanism did not do it; the card is where the record says.
        Failed,
        /// The card at the outlet was not taken and is back in its slot.
        NotTaken,
        /// The gateway was restarted in the middle.
        Interrupted,
    }
);
words!(
    /// A step of a commissioning (V2).
    CommissionStepName {
        /// The broker's listeners take connections.
        Broker,
        /// A kiosk of the machine is there.
        Kiosk,
        /// The dispenser is there and says what it did last.
        Dispenser,
        /// The dispenser counts its slots.
        Inventory,
        /// A card goes from its slot to the reader and back, and its chip is read.
        Motion,
        /// The reader inside the machine is there.
        Reader,
        /// The intake's reader is there.
        IntakeReader,
        /// The intake's reader reads a card that a person lays on it.
        IntakeCard,
        /// The scanner is there.
        Scanner,
        /// The scanner sees a person's finger.
        Finger,
        /// What compares fingers answers.
        Matcher,
        /// The camera is there and takes a still.
        Camera,
        /// The way to the centre.
        Centre,
        /// The wall clock is synchronised.
        Clock,
        /// Room on the disk.
        Disk,
        /// The station signs with the key it names, and seals to the centre's.
        Keys,
    }
);
words!(
    /// How a step of a commissioning ended.
    CommissionResult {
        /// As it should.
        Passed,
        /// Not as it should.
        Failed,
        /// Not tried.
        Skipped,
    }
);
words!(
    /// Why a step of a commissioning was not passed.
    CommissionReason {
        /// The operator declined.
        Declined,
        /// The operator left it out from the beginning.
        LeftOut,
        /// The configuration has nothing of the kind.
        NotConfigured,
        /// The device cannot do it.
        Unsupported,
        /// No card lies in a slot.
        NoCardLoaded,
        /// The device is not online.
        Offline,
        /// The device is online, but says that something is wrong with it.
        NotUsable,
        /// No answer, or no person acted, in time.
        TimedOut,
        /// The device says that it failed.
        DeviceFailed,
        /// Slots and records differ.
        CountDiffers,
        /// The chip could not be read.
        CardUnread,
        /// The chip is another than the record says.
        CardDiffers,
        /// The machine had to be blocked: an operator has to look.
        MachineBlocked,
        /// What was connected to did not answer.
        Unreachable,
        /// The clock is not synchronised.
        NotTrusted,
        /// There is too little room.
        TooLittle,
        /// A key is missing, or is not the one that is named.
        WrongKey,
        /// The machine was not free for it.
        NotFree,
    }
);
words!(
    /// Why a card is held back from pickup.
    HoldReason {
        /// The maker's manifest says so.
        Manifest,
        /// Not found in its slot.
        NotInSlot,
        /// Arrived without being on a manifest.
        Surplus,
        /// Chip and record differ.
        Mismatch,
        /// The chip could not be read.
        Unreadable,
    }
);
words!(
    /// Why a machine takes no new session.
    BlockReason {
        /// A card is in the transport and the outcome of its last motion is unknown or bad.
        CardInTransport,
    }
);
words!(
    /// Why a station's log begins anew (`gateway incarnate`).
    IncarnationReason {
        /// The disk with the log is lost or damaged.
        DiskLost,
        /// The log was set back to an earlier state.
        RolledBack,
        /// A second machine ran under the same origin.
        Cloned,
        /// The signing key is lost, or may be in other hands.
        KeyLost,
    }
);
words!(
    /// Why the whole station takes no new session.
    ServiceReason {
        /// The disk is nearly full.
        StorageLow,
        /// A device holds a receipt that this log does not know: disk lost or rolled back.
        LogBehindWitness,
        /// The centre's copy contradicts this log: disk set back, or two machines under one identity.
        LogForked,
    }
);
words!(
    /// Why a machine, or a kiosk's way to it, takes no new session although nothing at it is known to be broken.
    MachineReason {
        /// An operator took it, or a device of it, out of service.
        Maintenance,
        /// A device of it says what cannot be: another identity, or counts that run backwards.
        DeviceContradicted,
    }
);
words!(
    /// Why a device is not up.
    DownReason {
        /// It has not announced itself in this life of the gateway.
        NotSeen,
        /// It said goodbye.
        Offline,
        /// Its connection broke.
        Lost,
        /// It came and went too often, and has not been quiet long enough since.
        Flapping,
        /// An operator took it out of service.
        Maintenance,
        /// What it says of itself cannot be: an operator has to confirm it.
        Contradicted,
        /// It is there, and says that it takes no commands.
        NotReady,
    }
);
words!(
    /// What a citizen can begin at a kiosk.
    Service {
        /// Collecting a card (P1).
        Pickup,
        /// Applying for one (A1).
        Application,
    }
);
words!(
    /// Why a request was refused by the rules. The kiosk shows the text that goes with it.
    RefusalReason {
        /// The sender is not a kiosk of this station.
        NotAKiosk,
        /// The request's deadline had passed when it was looked at.
        Expired,
        /// The station takes no new sessions now.
        OutOfService,
        /// The machine takes no new sessions until an operator has seen to it.
        MachineBlocked,
        /// Another session has the machine.
        MachineBusy,
        /// This kiosk takes no applications.
        NoApplications,
        /// The input is for another step than the present one; it changes nothing.
        OutOfStep,
        /// Not a citizen number: a digit or the check character is wrong (A3).
        NumberInvalid,
        /// Not a mobile number (A8).
        PhoneInvalid,
        /// The two phone numbers differ (A8).
        PhonesDiffer,
        /// Not the code that was sent (A8).
        CodeWrong,
        /// The code's time is over (A8).
        CodeExpired,
        /// The picture or scan that is named did not come, or came for another session.
        BlobMissing,
        /// It is neither JPEG nor PNG (A6, A10, A11), or a portrait of more than 524,288 bytes.
        PictureUnusable,
        /// The portrait or signature cannot be decoded to its end, or has more than 2,000 pixels a side (A6, A11).
        PictureDamaged,
        /// Not one of the choices there are.
        NotAChoice,
        /// The page does not offer this now.
        NotOffered,
        /// As many documents as can be attached are.
        DocumentsFull,
        /// A device of the machine is not online.
        DeviceOffline,
        /// No card is recorded for this number or voucher (P2).
        NoRecord,
        /// The card is announced, or at the station, but not in a machine yet (P2).
        NotYetArrived,
        /// The card is held back (P2).
        Held,
        /// The card has been collected (P2).
        AlreadyCollected,
        /// The card is in another machine of the station.
        OtherMachine,
        /// Registered elsewhere, without a ground that this station takes (P8).
        NotEligible,
        /// There is no such session, or it is another kiosk's.
        NoSuchSession,
        /// The papers of the session are not held any more, or there are none.
        PapersGone,
        /// The session is still open.
        SessionOpen,
        /// The device serves no session, so nothing of it is kept.
        NotServing,
        /// Too late: the card is already on its way out.
        TooLate,
        /// Operator or PIN unknown.
        OperatorUnknown,
        /// Too many wrong PINs; wait.
        OperatorLocked,
        /// The manifest is not there or cannot be read.
        ManifestUnreadable,
        /// The batch has been announced before.
        BatchKnown,
        /// There is no such batch, or it is closed.
        BatchUnknown,
        /// There is no such card.
        CardUnknown,
        /// The card is not where this act needs it.
        CardElsewhere,
        /// The slot is taken, or the machine has no such slot.
        SlotUnusable,
        /// There is nothing to resolve at this machine.
        NothingToResolve,
        /// The machine, a device of it or the kiosk is in maintenance.
        Maintenance,
        /// A device of the machine, or the kiosk, says what cannot be; an operator has to confirm it.
        DeviceContradicted,
        /// There is no such machine or device.
        TargetUnknown,
        /// It is so already.
        AlreadySo,
        /// The device says nothing that would have to be confirmed.
        NothingToAccept,
        /// What the device says is not what the configuration says: that has to be changed first.
        NotAsConfigured,
        /// There is no such window ticket.
        TicketUnknown,
        /// The window ticket is closed already.
        TicketClosed,
        /// The same message id came before with other content.
        MessageIdReused,
        /// Not readable as what the topic asks.
        Unreadable,
        /// The device knows no such command or report.
        Unknown,
    }
);
words!(
    /// What a kiosk shows at a moment of a session.
    PromptCode {
        /// Nobody is being served.
        Idle,
        /// The machine fetches and checks the card.
        Fetching,
        /// Put the right hand's finger on the scanner.
        RightFinger,
        /// Put the left hand's finger on the scanner.
        LeftFinger,
        /// Look into the camera.
        LookAtCamera,
        /// Put the old card on the reader (P6).
        OldCard,
        /// The old card is taken in.
        OldCardTaken,
        /// The card is on its way to the outlet.
        Presenting,
        /// Take the card.
        TakeCard,
        /// The card goes back.
        TakingBack,
        /// An operator's act is under way.
        OperatorAct,
        /// An application is under way: see what the prompt says of it (A1 to A13).
        Application,
        /// Done: the card was taken, a receipt may be printed.
        Done,
        /// Ended without the card; see the outcome.
        Ended,
        /// The station or the machine is out of service; see the reason.
        OutOfService,
    }
);

/// Where a card is: exactly one place at any moment (C3).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "snake_case",
    tag = "place",
    deny_unknown_fields
)]
pub enum Place {
    /// On its way from the maker.
    MakerTransit,
    /// In the station's safe.
    Safe,
    /// In a slot of a machine.
    Slot {
        /// The machine.
        machine: MachineId,
        /// The slot.
        slot: SlotAddress,
    },
    /// In the transport of a machine, its reader included.
    Transport {
        /// The machine.
        machine: MachineId,
    },
    /// At the outlet of a machine, within reach.
    Exit {
        /// The machine.
        machine: MachineId,
    },
    /// In the retract bin of a machine.
    RetractBin {
        /// The machine.
        machine: MachineId,
    },
    /// Set aside, in the hands of the staff or unaccounted for in a machine.
    Quarantine,
    /// Handed over to its owner.
    HandedOver,
    /// With the courier.
    Courier,
    /// Returned to the maker or the issuing authority.
    Returned,
}

/// A motion of the dispenser (register map, holding 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "motion", deny_unknown_fields)]
pub enum Motion {
    /// Hopper to slot (command 2).
    Load {
        /// Where to.
        slot: SlotAddress,
    },
    /// Slot to outlet (command 3), for an operator who unloads.
    Dispense {
        /// Where from.
        slot: SlotAddress,
        /// How long the card may stay at the outlet, in s.
        hold_s: u16,
    },
    /// Slot to inner reader (command 5).
    ToReader {
        /// Where from.
        slot: SlotAddress,
    },
    /// Inner reader to outlet (command 11).
    Present {
        /// How long the card may stay at the outlet, in s.
        hold_s: u16,
    },
    /// Outlet back to inner reader (command 13).
    Retract,
    /// Inner reader to slot (command 12).
    ToSlot {
        /// Where to.
        slot: SlotAddress,
    },
    /// Inner reader to reject bin (command 6).
    Reject,
    /// Take in the old card at the intake (command 7).
    TakeOldCard,
    /// Count the slots (command 8).
    Inventory,
}

/// What the dispenser's sensors say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Where the transport holds a card.
    pub position: CarriagePosition,
    /// Whether the outlet's sensor sees a card.
    pub outlet_present: bool,
    /// Whether the slot that the command named is occupied, where it named one; null in the reply to a move
    /// that the device did not take.
    pub slot_occupied: Option<bool>,
    /// Old cards taken in since the counter was made.
    pub recycle_count: u16,
}

/// What came of a motion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "result", deny_unknown_fields)]
pub enum MotionResult {
    /// The mechanism finished it.
    Done,
    /// The mechanism failed; what moved is in the evidence.
    Failed {
        /// The device's error code (register map, input 9).
        detail: u16,
    },
    /// The device would not begin; nothing moved.
    Rejected {
        /// The device's error code (register map, input 9).
        detail: u16,
    },
}
