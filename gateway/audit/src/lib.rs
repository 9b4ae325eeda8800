//! Checks a station's evidence: whole logs, single proofs, the slips that citizens hold.
//!
//! It knows the formats of `schemas` and Ed25519, and nothing of how a station stores or serves its log: events come as an
//! iterator or as a file. It holds no private key and must never repair what it reads. The formats and the steps of every check
//! are written down in `schemas/evidence.md`, so that somebody else can write the same.

mod anchor;
mod bundle;
mod crew;
mod ed25519;
mod leaves;
mod proof_file;
mod report;
mod sequence;
mod slip;
mod verify;

pub use anchor::{Anchor, AnchorError};
pub use bundle::{Bundle, BundleError, CHECKPOINT_FILE, EVENTS_FILE, VKEY_FILE};
pub use ed25519::check;
pub use leaves::Leaves;
pub use proof_file::{Proof, ProofError, Proven};
pub use report::{Fault, Finding, Held, Report};
pub use sequence::{Sequence, SequenceError};
pub use slip::{Slip, SlipError};
pub use verify::Verify;
