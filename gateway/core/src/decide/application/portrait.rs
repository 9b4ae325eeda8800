//! The portrait (A6): four ways, one standard. Each failed check is named, so that the shot can be repeated.

use schemas::event::application::{
    ApplicationPortraitRejected, ApplicationPortraitSubmitted, ApplicationStep as Step, Portrait,
    PortraitChecked, SealedBlob,
};
use schemas::ids::DeviceId;
use schemas::sealed::SealedField;
use schemas::words::RefusalReason;
use schemas::words::application::{PortraitCheck, PortraitWay, WindowReason};

use super::super::draft::Draft;
use super::{at, go_on, put, window};

/// A portrait as it was given.
pub(super) struct Given {
    pub(super) way: PortraitWay,
    pub(super) picture: Option<SealedBlob>,
    pub(super) receipt: Option<SealedField>,
    pub(super) checks: Vec<PortraitChecked>,
}

/// A picture that nobody checked does not pass; one that the centre has was checked where it was taken.
pub(super) fn submit(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    attempt: u16,
    given: Given,
) -> Result<(), RefusalReason> {
    let a = at(draft, kiosk).ok_or(RefusalReason::NoSuchSession)?;
    let session = a.id.clone();
    let has_image = given.way.has_image();
    if has_image && given.picture.is_none() {
        return Err(RefusalReason::BlobMissing);
    }
    if given.way == PortraitWay::Receipt && given.receipt.is_none() {
        return Err(RefusalReason::NotAChoice);
    }
    let required = has_image.then_some(&a.policy.portrait_checks);
    let failed = failed_checks(&given.checks, required.map_or(&[], Vec::as_slice));
    let passes = failed.is_empty() && (!has_image || !given.checks.is_empty());
    draft.push(ApplicationPortraitSubmitted {
        session,
        attempt,
        portrait: Portrait {
            way: given.way,
            picture: given.picture.filter(|_| has_image),
            receipt: given.receipt.filter(|_| given.way == PortraitWay::Receipt),
        },
        checks: given.checks,
    });
    if passes {
        go_on(draft, kiosk);
    } else {
        reject(draft, kiosk, attempt, failed);
    }
    Ok(())
}

/// The checks that failed, then those that the policy requires and nobody made.
fn failed_checks(made: &[PortraitChecked], required: &[PortraitCheck]) -> Vec<PortraitCheck> {
    let failed = made.iter().filter(|c| !c.passed).map(|c| c.check);
    let is_made = |check: &PortraitCheck| made.iter().any(|c| c.check == *check);
    let missing = required.iter().copied().filter(|check| !is_made(check));
    failed.chain(missing).collect()
}

/// Another attempt, if there is one left.
pub(super) fn reject(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    attempt: u16,
    failed: Vec<PortraitCheck>,
) {
    let Some(a) = at(draft, kiosk) else { return };
    let (session, max) = (a.id.clone(), a.policy.portrait_attempts_max);
    draft.push(ApplicationPortraitRejected {
        session,
        attempt,
        failed,
    });
    if attempt < max {
        let attempt = attempt + 1;
        put(draft, kiosk, Step::GivePortrait { attempt });
    } else {
        window::send(draft, kiosk, WindowReason::PortraitFailed);
    }
}
