//! A face matcher: a service that says how alike the faces of two pictures are (A7). Local HTTP, specified in
//! `ops/docs/face-matcher.md`. What travels is personal: it does not print and is wiped.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::matcher::Score;
use crate::message::face::{ComparedPicture, FaceRefusal, Picture};

/// Where two pictures are compared. Whether it is ready a face matcher says at [`crate::matcher::HEALTH_PATH`].
pub const COMPARE_PATH: &str = "/v1/compare";

/// Body of `POST /v1/compare`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompareRequest {
    /// The historical portrait.
    pub reference: Picture,
    /// What is compared with it.
    pub probe: Picture,
}

/// Body of the answer: a score or a refusal, never both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum CompareAnswer {
    /// They were compared.
    Scored(Scored),
    /// The comparison makes no sense.
    Refused(Refused),
}

/// How alike two faces are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scored {
    /// Similarity of the two faces.
    pub score: Score,
}

/// Why two faces are not compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// Why.
    pub refusal: FaceRefusal,
    /// Which picture it is about; none: the matcher does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub which: Option<ComparedPicture>,
}
