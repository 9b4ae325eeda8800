//! What the centre tells the station, each thing once, and what contradicts this log.

use schemas::downlink;
use schemas::event::centre::{
    CentreContradicted, ErasureConfirmed, InstructionFollowed, InstructionRefusal,
    InstructionRefused, ManifestReceived, PolicyChanged,
};
use schemas::words::ServiceReason;

use super::application;
use super::draft::Draft;
use super::lifecycle::set_reason;
use crate::input::{Contradicted, Instructed, Told};

/// What stands at one revision of the stream from the centre. Those before the last one that is recorded change nothing.
pub(super) fn instructed(draft: &mut Draft<'_>, instructed: &Instructed) {
    // Not of what is copied into a draft; and one decision takes one instruction.
    let link = &draft.base.centre;
    if link
        .revision
        .is_some_and(|last| instructed.revision <= last)
    {
        return;
    }
    let (revision, sha256) = (instructed.revision, instructed.sha256.clone());
    let ruling = match &instructed.told {
        Ok((number, _)) if link.number.is_some_and(|last| *number <= last) => {
            Err(InstructionRefusal::Repeated)
        }
        Ok((number, told)) => follow(draft, told).map(|instruction| (*number, instruction)),
        Err(reason) => Err(*reason),
    };
    match ruling {
        Ok((number, instruction)) => draft.push(InstructionFollowed {
            revision,
            number,
            instruction: instruction.to_owned(),
            sha256,
        }),
        Err(reason) => draft.push(InstructionRefused {
            revision,
            reason,
            sha256,
        }),
    }
}

/// The facts that follow, and the name of the instruction.
fn follow(draft: &mut Draft<'_>, told: &Told) -> Result<&'static str, InstructionRefusal> {
    match told {
        Told::Manifest(batch) => {
            if draft.base.batches.contains_key(batch) {
                return Err(InstructionRefusal::Outdated);
            }
            draft.push(ManifestReceived {
                batch: batch.clone(),
            });
            Ok(downlink::MANIFEST_ISSUED)
        }
        Told::Policy { version, sha256 } => {
            let newest = draft.base.centre.policy.as_ref();
            if newest.is_some_and(|(newest, _)| version <= newest) {
                return Err(InstructionRefusal::Outdated);
            }
            draft.push(PolicyChanged {
                version: *version,
                sha256: sha256.clone(),
            });
            Ok(downlink::POLICY_ISSUED)
        }
        Told::Key(change) => {
            draft.push(change.clone());
            Ok(downlink::KEY_ROTATED)
        }
        Told::ErasureDone(session) => {
            draft.push(ErasureConfirmed {
                session: session.clone(),
            });
            Ok(downlink::ERASURE_DONE)
        }
        Told::BlobsMissing => Ok(downlink::BLOBS_MISSING),
        Told::Answer(answer) => application::answered(draft, answer),
    }
}

/// The centre's copy and this log differ. Motions under way are finished; new sessions wait for a new incarnation of the log.
pub(super) fn contradicted(draft: &mut Draft<'_>, found: &Contradicted) {
    let reason = ServiceReason::LogForked;
    if draft.state().reasons.contains(&reason) {
        return;
    }
    let size = draft.base.next_index;
    draft.push(CentreContradicted {
        contradiction: found.contradiction,
        at: found.at,
        size,
        centre: found.centre.clone(),
        own: found.own.clone(),
    });
    set_reason(draft, reason, true);
}
