//! What a citizen entered: pictures, documents, and all of it together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::citizen::{MaskedName, NumberTail};
use crate::ids::BlobHash;
use crate::key::SealingKeyId;
use crate::lookup::LookupTag;
use crate::sealed::SealedField;
use crate::words::application::{
    ApplicationKind, DocumentKind, FingerPosition, PortraitCheck, PortraitWay,
};
use crate::words::{Hand, Residence};

/// A picture that is sealed on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SealedBlob {
    /// SHA-256 of the sealed file.
    pub blob: BlobHash,
    /// The key it is sealed under.
    pub key: SealingKeyId,
    /// Length before sealing, in bytes.
    pub len: u32,
}

/// A check of a portrait, as the capture module reports it (A6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PortraitChecked {
    /// What was checked.
    pub check: PortraitCheck,
    /// Whether it passed.
    pub passed: bool,
    /// What was measured, in the unit of the check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<i32>,
}

/// A portrait that passed its checks (A6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Portrait {
    /// How it came.
    pub way: PortraitWay,
    /// The picture, where it is at the station.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<SealedBlob>,
    /// The barcode of the photo receipt, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<SealedField>,
}

/// A fingerprint that was captured (A9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// Which hand.
    pub hand: Hand,
    /// Which finger; none: the one whose print the old card holds, which does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<FingerPosition>,
    /// Quality, 0 to 100.
    pub quality: u16,
    /// The image.
    pub image: SealedBlob,
}

/// A document that was scanned (A10).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// What it is.
    pub kind: DocumentKind,
    /// The scan.
    pub scan: SealedBlob,
}

/// What a citizen has entered: all that the centre, or an officer at the window, needs so that nothing is entered twice (A15).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entered {
    /// What is applied for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ApplicationKind>,
    /// Registered residence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residence: Option<Residence>,
    /// Tag of the citizen number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<LookupTag>,
    /// The name, masked, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<MaskedName>,
    /// The last four characters of the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number_tail: Option<NumberTail>,
    /// The person, sealed: JSON with `number` and what else the card held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<SealedField>,
    /// The portrait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portrait: Option<Portrait>,
    /// The live photo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<SealedBlob>,
    /// The phone number, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<SealedField>,
    /// The fingerprints, at most one a hand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fingers: Vec<Fingerprint>,
    /// The documents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<Document>,
    /// The signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<SealedBlob>,
}
