//! Erasure of what is personal of a session, and the change of lookup keys.

use schemas::event::evidence::{ErasureAsked, ErasureDone, LookupKeyChanged, LookupKeyRetired};
use schemas::ids::SessionId;
use schemas::key::{LookupKeyId, SealingKeyId};
use schemas::words::RefusalReason;

use super::Outcome;
use super::draft::Draft;

/// Only a session that has ended can be erased: one that goes on would seal under a new key at once. Asked again while it
/// is under way, here or at the centre, or when it is over, it is no new fact: nobody is asked twice. But a key that lies here again, out
/// of a backup, is to be destroyed again. A refusal is no fact either: nobody but the asker at the machine is concerned.
pub(super) fn erase(
    draft: &mut Draft<'_>,
    session: &SessionId,
    known: bool,
    has_keys: bool,
) -> Outcome {
    let state = draft.state();
    if state.session(session).is_some() || state.application(session).is_some() {
        return Outcome::Refused(RefusalReason::SessionOpen);
    }
    if !known {
        return Outcome::Refused(RefusalReason::NoSuchSession);
    }
    let is_over = draft.base.erasure(session).is_some() && !has_keys;
    if !is_over && !draft.base.erasures.contains(session) {
        draft.push(ErasureAsked {
            session: session.clone(),
        });
    }
    Outcome::Accepted(Some(session.clone()))
}

pub(super) fn erased(
    draft: &mut Draft<'_>,
    session: &SessionId,
    keys: &[SealingKeyId],
    centre_asked: bool,
) {
    if draft.base.erasures.contains(session) {
        draft.push(ErasureDone {
            session: session.clone(),
            keys: keys.to_vec(),
            centre_asked,
        });
    }
}

pub(super) fn lookup_key_made(draft: &mut Draft<'_>, key: &LookupKeyId, before: &LookupKeyId) {
    if key != before && !draft.base.lookup.superseded.contains_key(before) {
        draft.push(LookupKeyChanged {
            key: key.clone(),
            before: before.clone(),
        });
    }
}

pub(super) fn lookup_key_destroyed(draft: &mut Draft<'_>, key: &LookupKeyId) {
    if draft.base.lookup.superseded.contains_key(key) {
        draft.push(LookupKeyRetired { key: key.clone() });
    }
}
