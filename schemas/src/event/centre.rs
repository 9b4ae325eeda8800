//! Events of the link to the centre: what it told the station, and where it contradicts this log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::station::bodies;
use crate::ids::{BatchId, SessionId};
use crate::key::{PublicKey, Signature, SigningKeyId};
use crate::words::words;

words!(
    /// Why an instruction of the centre was not followed.
    InstructionRefusal {
        /// Not an instruction of this contract.
        Malformed,
        /// It names another station.
        NotForThisStation,
        /// Not signed by the centre's key.
        NotGenuine,
        /// Of a kind that this program does not know.
        Unknown,
        /// Its number was used before.
        Repeated,
        /// Its content is not usable: a manifest without cards, a policy with an impossible value.
        Unusable,
        /// The station has this or a newer one already.
        Outdated,
    }
);
words!(
    /// How the centre's copy contradicts this log.
    Contradiction {
        /// It has more events of this log than there are.
        CentreAhead,
        /// It has another event at an index.
        OtherEvent,
        /// It acknowledged another root than the tree has at that size.
        OtherRoot,
    }
);

bodies! {
    /// The centre told the station something, and it was done.
    InstructionFollowed {
        /// Its revision in the stream from the centre.
        revision: u64,
        /// Its number, under the centre's signature.
        number: u64,
        /// The CloudEvents type of the instruction.
        instruction: String,
        /// SHA-256 of its signed bytes: 64 hexadecimal digits.
        sha256: String,
    }
    /// What stands in the stream from the centre was not followed. It changes nothing, and those behind it are read.
    InstructionRefused {
        /// Its revision in the stream from the centre.
        revision: u64,
        /// Why.
        reason: InstructionRefusal,
        /// SHA-256 of its signed bytes, as far as they can be put together: 64 hexadecimal digits.
        sha256: String,
    }
    /// A manifest came from the centre and lies in the inbox.
    ManifestReceived {
        /// The batch.
        batch: BatchId,
    }
    /// The rules follow another policy from here on.
    PolicyChanged {
        /// The policy's version.
        version: u32,
        /// SHA-256 of its text: 64 hexadecimal digits.
        sha256: String,
    }
    /// The centre signs with another key from the next instruction on.
    CentreKeyChanged {
        /// The key that signed so far.
        old_key: SigningKeyId,
        /// Its public part that signs from now on.
        public_key: PublicKey,
        /// By the new key over `station-gateway centre key v1`, zero byte, origin of the instruction, zero byte, the old and the new public
        /// key: whoever announces it holds it.
        possession: Signature,
    }
    /// The centre destroyed its keys of a session (after [`crate::event::evidence::ErasureDone`] asked it to).
    ErasureConfirmed {
        /// The session.
        session: SessionId,
    }
    /// The centre's copy and this log contradict each other: a disk that was set back, or two machines under one identity. Nothing is
    /// sent or overwritten any more.
    CentreContradicted {
        /// How.
        contradiction: Contradiction,
        /// The index or size at which they differ.
        at: u64,
        /// Events in this log when it was noticed.
        size: u64,
        /// What the centre has there: an event's id in its store, or a root.
        centre: String,
        /// What this log has there; none where it has nothing.
        own: Option<String>,
    }
}
