//! What a session runs under: its devices, the policy, the steps there are, the time to pay.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fee::FeeTable;
use crate::ids::DeviceId;
use crate::words::application::{FingerPosition, PaymentWay, PortraitCheck};
use crate::words::{Hand, Residence};

/// The devices that serve a kiosk's applications, as configured when one began. Two kiosks may share one: it serves one step at a
/// time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationDevices {
    /// Reads the present card.
    pub reader: DeviceId,
    /// Captures fingerprints.
    pub scanner: DeviceId,
    /// Takes the live photo.
    pub camera: DeviceId,
    /// Compares faces.
    pub face_matcher: DeviceId,
}

/// The values of the policy that an application runs under. Later changes of policy do not touch it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationPolicy {
    /// Residences that are accepted (A2).
    pub residences: Vec<Residence>,
    /// Months before the card's expiry from which it is renewed (A3).
    pub renewal_months_before: u16,
    /// Months after it until which it is renewed (A3).
    pub renewal_months_after: u16,
    /// Completed years from which one may apply (A5).
    pub age_min: u16,
    /// Similarity of portrait and historical portrait, 0 to 100 (A7).
    pub portrait_score_min: u16,
    /// Similarity of live photo and historical portrait, 0 to 100 (A7).
    pub live_score_min: u16,
    /// Quality of a fingerprint, 0 to 100 (A9).
    pub finger_quality_min: u16,
    /// Similarity of a finger with the old card's, 0 to 100 (A9).
    pub finger_score_min: u16,
    /// Checks that a portrait must have passed, so that one that was not made counts as failed (A6). Empty: any one, as it was before
    /// this was written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub portrait_checks: Vec<PortraitCheck>,
    /// Attempts to key the number.
    pub number_attempts_max: u16,
    /// Attempts at a portrait.
    pub portrait_attempts_max: u16,
    /// Attempts at the live photo.
    pub live_attempts_max: u16,
    /// Attempts to give the phone number.
    pub phone_attempts_max: u16,
    /// Attempts to key the code of the SMS.
    pub sms_attempts_max: u16,
    /// Attempts per hand.
    pub finger_attempts_max: u16,
    /// Documents that can be attached.
    pub documents_max: u16,
    /// Whether the phone number is confirmed by a code (A8).
    pub sms: bool,
    /// How long the citizen may take for a step, in s.
    pub step_timeout_s: u16,
    /// How long a device may take for a command, in s.
    pub command_timeout_s: u16,
    /// How long the centre may take to say whether somebody is eligible, in s.
    pub centre_wait_s: u16,
    /// How long the centre may take to send an SMS, in s.
    pub sms_wait_s: u16,
    /// How long a payment is waited for at the kiosk, in s.
    pub payment_wait_s: u16,
    /// How long an order can be paid, in hours.
    pub order_hours: u16,
    /// Provisional acceptances under one grant; the grant may allow fewer (A17).
    pub provisional_max: u32,
    /// Ways to pay (A12).
    pub payments: Vec<PaymentWay>,
    /// Fees (A12).
    pub fees: FeeTable,
}

/// What the session does next. Each event that names one carries a number that counts up, and an input names it, so that one
/// that is meant for another step changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "step", deny_unknown_fields)]
pub enum ApplicationStep {
    /// The citizen chooses what to apply for (A1).
    ChooseKind,
    /// The citizen says where they are registered (A2).
    ChooseResidence,
    /// The reader waits for the present card (A3).
    ReadCard {
        /// Which attempt, from 1.
        attempt: u16,
    },
    /// The citizen keys the number (A3).
    KeyNumber {
        /// Which attempt, from 1.
        attempt: u16,
    },
    /// The centre is asked whether they may apply here, and who they are (A2, A4, A5).
    AwaitEligibility,
    /// The citizen says that it is they (A4).
    ConfirmIdentity,
    /// The citizen gives a portrait (A6).
    GivePortrait {
        /// Which attempt, from 1.
        attempt: u16,
    },
    /// The portrait is compared (A7).
    ComparePortrait,
    /// The camera takes the live photo (A7).
    TakeLivePhoto {
        /// Which attempt, from 1.
        attempt: u16,
    },
    /// The citizen reads what is wrong with the live photo, and says when the next one is to be taken (A7).
    RetakeLivePhoto {
        /// Which attempt the next one is, from 2.
        attempt: u16,
    },
    /// The live photo is compared (A7).
    CompareLive {
        /// Which attempt at the live photo it belongs to, from 1.
        attempt: u16,
    },
    /// The citizen enters the phone number twice (A8).
    GivePhone {
        /// Which attempt, from 1.
        attempt: u16,
    },
    /// The centre is asked to send a code (A8).
    AwaitSms,
    /// The citizen keys the code (A8).
    KeySmsCode {
        /// Which attempt, from 1.
        attempt: u16,
    },
    /// The scanner captures a finger (A9).
    CaptureFinger {
        /// Which hand.
        hand: Hand,
        /// Which attempt, from 1.
        attempt: u16,
        /// Which finger; none: the one whose print the old card holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        position: Option<FingerPosition>,
    },
    /// The citizen attaches documents (A10).
    AttachDocuments,
    /// The citizen signs (A11).
    Sign,
    /// The citizen chooses how to pay (A12).
    ChoosePayment,
    /// The payment is waited for (A12).
    AwaitPayment,
}

/// Within what time an acceptance has to be paid (A12). It counts from the acceptance, or from when the centre confirms one that is
/// provisional, by a clock that is believed, and ends with a day in China.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentTerm {
    /// Days after the day that it begins on; the last one is included.
    pub due_days: u16,
    /// How many days before its end the citizen is told once more; 0: not at all.
    pub notice_days: u16,
}
