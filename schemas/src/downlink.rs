//! What the centre tells a station: signed in the form of an event (COSE_Sign1 around a CloudEvent), under an origin of its own
//! and a number that counts up. The number is under the signature, so nothing can be told twice; a revision of the stream is not,
//! since others may have written into it.

pub mod application;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::chain::Check;
use crate::envelope::{EnvelopeError, KeyId, Origin, Signed, Unsigned};
use crate::event::centre::{CentreKeyChanged, InstructionRefusal};
use crate::ids::{BlobHash, SessionId, StationId};
use crate::key::SigningKeyId;
use crate::time::rfc3339;
use crate::uplink::Record;

/// Longest instruction, in bytes: a manifest of 240 cards.
pub const INSTRUCTION_LEN_MAX: usize = 256 * 1024;

const SPEC_VERSION: &str = "1.0";
const CONTENT_TYPE: &str = "application/json";

/// The name under which the centre signs for a station: `centre.<province>/station/<id>`.
pub fn origin(province: &str, station: &StationId) -> Result<Origin, crate::text::Invalid> {
    Origin::new(format!("centre.{province}/station/{station}"))
}

/// What the centre has of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Acknowledged {
    /// The log.
    pub origin: Origin,
    /// So many events, from 0, without a gap.
    pub size: u64,
    /// Root of the tree over them (RFC 6962, section 2.1): 64 hexadecimal digits.
    pub root: String,
}

/// A policy that replaces the station's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyIssued {
    /// Counts up; an older one than the station has is refused.
    pub version: u32,
    /// The text of `policy.toml`.
    pub policy: String,
}

/// The centre destroyed its keys of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErasureDone {
    /// The session.
    pub session: SessionId,
}

/// The centre was told of blobs that it does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BlobsMissing {
    /// Their hashes.
    pub blobs: Vec<BlobHash>,
}

/// The next key of the centre; the instruction that carries it is signed by the key before it.
pub type CentreKeyRotated = CentreKeyChanged;

/// What the next key signs, so that whoever announces it holds it.
pub fn possession_text(origin: &Origin, old: &[u8; 32], new: &[u8; 32]) -> Vec<u8> {
    let origin = origin.as_str().as_bytes();
    [b"station-gateway centre key v1\0", origin, b"\0", old, new].concat()
}

/// Whether a change of the centre's key is genuine; its instruction's own signature the caller has checked.
pub fn is_held(
    change: &CentreKeyRotated,
    origin: &Origin,
    old: &[u8; 32],
    check: Check<'_>,
) -> bool {
    let new = change.public_key.to_raw();
    change.old_key == SigningKeyId::of(old)
        && new != *old
        && check(
            &new,
            &possession_text(origin, old, &new),
            &change.possession.to_raw(),
        )
}

macro_rules! instructions {
    ($($variant:ident($body:ty) = $name:ident: $type:literal;)+) => {
        /// Any instruction.
        #[derive(Clone)]
        pub enum Instruction { $(#[doc = concat!("`", $type, "`")] $variant($body)),+ }

        $(#[doc = concat!("`", $type, "`")] pub const $name: &str = $type;)+

        /// The CloudEvents `type` of every instruction.
        pub const INSTRUCTION_TYPES: &[&str] = &[$($name),+];

        impl Instruction {
            /// The CloudEvents attribute `type`.
            pub const fn type_name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name),+ }
            }

            fn to_data(&self) -> Result<Box<RawValue>, serde_json::Error> {
                match self { $(Self::$variant(body) => serde_json::value::to_raw_value(body)),+ }
            }

            fn from_data(type_name: &str, data: &str) -> Option<Result<Self, serde_json::Error>> {
                match type_name {
                    $($name => Some(serde_json::from_str(data).map(Self::$variant)),)+
                    _ => None,
                }
            }
        }
    };
}

impl core::fmt::Debug for Instruction {
    // A manifest names people.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Instruction")
            .field(&self.type_name())
            .finish()
    }
}

instructions! {
    ManifestIssued(Box<RawValue>) = MANIFEST_ISSUED: "centre.custody.manifest-issued.v1";
    Acknowledged(Acknowledged) = ACKNOWLEDGED: "centre.log.acknowledged.v1";
    PolicyIssued(PolicyIssued) = POLICY_ISSUED: "centre.policy.issued.v1";
    KeyRotated(CentreKeyRotated) = KEY_ROTATED: "centre.key.rotated.v1";
    ErasureDone(ErasureDone) = ERASURE_DONE: "centre.erasure.done.v1";
    BlobsMissing(BlobsMissing) = BLOBS_MISSING: "centre.blobs.missing.v1";
    GrantIssued(application::GrantIssued) = GRANT_ISSUED: "centre.grant.issued.v1";
    EligibilityAnswered(application::EligibilityAnswered) = ELIGIBILITY_ANSWERED: "centre.application.eligibility-answered.v1";
    SmsCodeSent(application::SmsCodeSent) = SMS_CODE_SENT: "centre.application.sms-code-sent.v1";
    ApplicationDecided(application::ApplicationDecided) = APPLICATION_DECIDED: "centre.application.decided.v1";
    WindowOutcome(application::WindowOutcome) = WINDOW_OUTCOME: "centre.application.window-outcome.v1";
    PaymentCodeIssued(application::PaymentCodeIssued) = PAYMENT_CODE_ISSUED: "centre.payment.code-issued.v1";
    PaymentConfirmed(application::PaymentConfirmed) = PAYMENT_CONFIRMED: "centre.payment.confirmed.v1";
    PaymentRefunded(application::PaymentRefunded) = PAYMENT_REFUNDED: "centre.payment.refunded.v1";
}

/// An instruction whose signature fits.
#[derive(Debug, Clone)]
pub struct Genuine {
    /// Counts up.
    pub number: u64,
    /// What is to be done.
    pub instruction: Instruction,
}

#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    specversion: &'a str,
    id: &'a str,
    source: &'a str,
    #[serde(rename = "type")]
    event_type: &'a str,
    time: &'a str,
    datacontenttype: &'a str,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// An instruction, ready to be signed by the centre's key.
pub fn unsigned(
    origin: &Origin,
    number: u64,
    instruction: &Instruction,
    wall_ms: u64,
    key: &[u8; 32],
) -> Result<Unsigned, EnvelopeError> {
    let data = instruction.to_data().map_err(EnvelopeError::CloudEvent)?;
    let wire = Wire {
        specversion: SPEC_VERSION,
        id: &number.to_string(),
        source: origin.as_str(),
        event_type: instruction.type_name(),
        time: &rfc3339(wall_ms),
        datacontenttype: CONTENT_TYPE,
        data: &data,
    };
    let payload = serde_json::to_vec(&wire).map_err(EnvelopeError::CloudEvent)?;
    Unsigned::up_to(
        origin,
        number,
        &payload,
        KeyId::of(key),
        INSTRUCTION_LEN_MAX,
    )
}

/// How a signed instruction stands in the stream: as an event of a log does, and its index is its number.
pub fn record(signed: &[u8]) -> Result<Record, EnvelopeError> {
    Record::up_to(signed, None, INSTRUCTION_LEN_MAX)
}

/// Reads what stands in the stream and checks it under the centre's key: the number under the signature, where there is one, and the
/// instruction or why it is refused.
pub fn open(
    signed: &[u8],
    origin: &Origin,
    key: &[u8; 32],
    check: Check<'_>,
) -> Result<Genuine, InstructionRefusal> {
    let signed = Signed::read_up_to(signed, INSTRUCTION_LEN_MAX)
        .map_err(|_malformed| InstructionRefusal::Malformed)?;
    if signed.origin() != origin {
        return Err(InstructionRefusal::NotForThisStation);
    }
    let genuine = signed.key_id() == KeyId::of(key)
        && signed.is_genuine(|message, signature| check(key, message, signature));
    if !genuine {
        return Err(InstructionRefusal::NotGenuine);
    }
    let wire: Wire<'_> = serde_json::from_slice(signed.payload())
        .map_err(|_malformed| InstructionRefusal::Malformed)?;
    let number = signed.index();
    if wire.specversion != SPEC_VERSION || wire.id != number.to_string() {
        return Err(InstructionRefusal::Malformed);
    }
    match Instruction::from_data(wire.event_type, wire.data.get()) {
        Some(Ok(instruction)) => Ok(Genuine {
            number,
            instruction,
        }),
        Some(Err(_malformed)) => Err(InstructionRefusal::Malformed),
        None => Err(InstructionRefusal::Unknown),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;
    use crate::uplink;

    /// G5: an instruction longer than an event of a log goes through the stream and comes out as it was signed.
    #[test]
    fn a_long_instruction_stands_in_the_stream_as_it_was_signed() {
        let station = StationId::new("s1").unwrap();
        let origin = origin("test", &station).unwrap();
        let policy = "x".repeat(100_000);
        let instruction = Instruction::PolicyIssued(PolicyIssued { version: 2, policy });
        let key = [7; 32];
        let signed = unsigned(&origin, 41, &instruction, 0, &key).unwrap();
        let signed = signed.signed(|_| [9; 64]);
        let record = record(&signed).unwrap();
        let (again, metadata) = uplink::signed_bytes(&record.data, &record.metadata).unwrap();
        assert_eq!((&again, metadata.index), (&signed, 41));
        assert_eq!(record.event_type, "centre.policy.issued.v1");
        let genuine = open(&again, &origin, &key, &|_, _, _| true).unwrap();
        assert_eq!(genuine.number, 41);
    }
    /// A7: a score above 100, or of a pair that there is not, is no instruction of the contract.
    #[test]
    fn a7_a_score_that_there_is_not_is_not_read() {
        let told = |pair: &str, score: u8| {
            let data = format!(
                r#"{{"incarnation":1,"session":"s-40","outcome":{{"decision":"rejected","reason":"fingerprints"}},
                "comparisons":[{{"pair":"{pair}","score":{score},"score_min":60,"matched":true}}]}}"#
            );
            Instruction::from_data(APPLICATION_DECIDED, &data).unwrap()
        };
        assert!(told("right-finger", 100).is_ok());
        assert!(told("right-finger", 101).is_err());
        assert!(told("both-feet", 100).is_err());
    }
}
