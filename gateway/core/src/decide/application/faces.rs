//! Two faces are compared (A7). Where nothing can be compared here the centre does it at its review: a score is never made up.

use schemas::event::application::{
    ApplicationFacesCompared, ApplicationLivePhotoArchived, ApplicationLivePhotoRejected,
    ApplicationStep as Step, Comparison, SealedBlob,
};
use schemas::ids::DeviceId;
use schemas::message::face::{ComparedPicture, FaceRefusal};
use schemas::words::Completion;
use schemas::words::application::{ComparisonPending, FacePair, PortraitCheck, WindowReason};

use super::super::draft::Draft;
use super::{at, devices, go_on, portrait, put, window};
use crate::application::Application;
use crate::input::{Captured, FacesReply};

/// The comparison, if there are two pictures and somebody to compare them.
pub(super) fn ask(draft: &mut Draft<'_>, kiosk: &DeviceId, step: Step) {
    let Some(a) = at(draft, kiosk) else { return };
    let missing = missing(draft, a, step);
    match missing {
        Some(reason) => pending(draft, kiosk, pair_of(step), reason),
        None => put(draft, kiosk, step),
    }
}

const fn pair_of(step: Step) -> FacePair {
    if matches!(step, Step::ComparePortrait) {
        FacePair::PortraitHistorical
    } else {
        FacePair::LiveHistorical
    }
}

fn missing(draft: &Draft<'_>, a: &Application, step: Step) -> Option<ComparisonPending> {
    let portrait = a.entered.portrait.as_ref();
    if !a.person.as_ref().is_some_and(|person| person.picture) {
        Some(ComparisonPending::NoReference)
    } else if step == Step::ComparePortrait && portrait.is_none_or(|p| p.picture.is_none()) {
        Some(ComparisonPending::NoImage)
    } else if !draft.state().is_available(&a.devices.face_matcher) {
        Some(ComparisonPending::MatcherAway)
    } else {
        None
    }
}

/// The centre compares at its review. Faces that were found to differ are for the window: nobody gets past a score by a matcher that fails.
pub(super) fn pending(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    pair: FacePair,
    reason: ComparisonPending,
) {
    record(draft, kiosk, pair, Comparison::Pending { reason });
    if at(draft, kiosk).is_some_and(|a| a.failed.do_faces_differ(pair)) {
        window::send(draft, kiosk, differ(pair));
    } else {
        go_on(draft, kiosk);
    }
}

const fn differ(pair: FacePair) -> WindowReason {
    match pair {
        FacePair::PortraitHistorical => WindowReason::PortraitDiffers,
        FacePair::LiveHistorical => WindowReason::LiveDiffers,
    }
}

/// The matcher that has this step failed, or went away.
pub(super) fn no_answer(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    step: Step,
    reason: ComparisonPending,
) {
    pending(draft, kiosk, pair_of(step), reason);
}

fn record(draft: &mut Draft<'_>, kiosk: &DeviceId, pair: FacePair, comparison: Comparison) {
    if let Some(a) = at(draft, kiosk) {
        let session = a.id.clone();
        draft.push(ApplicationFacesCompared {
            session,
            pair,
            comparison,
        });
    }
}

/// What the matcher says.
pub(super) fn compared(draft: &mut Draft<'_>, kiosk: &DeviceId, step: Step, reply: FacesReply) {
    let score = reply.score.filter(|score| *score <= 100);
    match (reply.completion, reply.refusal, score) {
        (Completion::Success, None, Some(score)) => scored(draft, kiosk, step, score),
        (Completion::Success, Some(refusal), _) => {
            refused(draft, kiosk, step, refusal, reply.which);
        }
        (Completion::UnsupportedCommand, ..) => {
            pending(draft, kiosk, pair_of(step), ComparisonPending::Unsupported);
        }
        (Completion::DeviceNotReady, ..) => {
            pending(draft, kiosk, pair_of(step), ComparisonPending::MatcherAway);
        }
        (
            Completion::Success
            | Completion::TimeOut
            | Completion::HardwareError
            | Completion::SequenceError
            | Completion::Canceled,
            ..,
        ) => {
            pending(
                draft,
                kiosk,
                pair_of(step),
                ComparisonPending::MatcherFailed,
            );
        }
    }
}

fn scored(draft: &mut Draft<'_>, kiosk: &DeviceId, step: Step, score: u16) {
    let Some(a) = at(draft, kiosk) else { return };
    let (device, pair) = (a.devices.face_matcher.clone(), pair_of(step));
    let score_min = match pair {
        FacePair::PortraitHistorical => a.policy.portrait_score_min,
        FacePair::LiveHistorical => a.policy.live_score_min,
    };
    let matched = score >= score_min;
    let comparison = Comparison::Compared {
        device,
        score,
        score_min,
        matched,
    };
    record(draft, kiosk, pair, comparison);
    if matched {
        go_on(draft, kiosk);
    } else if let Step::CompareLive { attempt } = step {
        again(draft, kiosk, attempt, differ(pair));
    } else {
        window::send(draft, kiosk, differ(pair));
    }
}

/// It cannot compare these two. Another picture of the citizen may do; of the historical portrait there is no other.
fn refused(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    step: Step,
    refusal: FaceRefusal,
    which: Option<ComparedPicture>,
) {
    let check = match refusal {
        FaceRefusal::NoFace | FaceRefusal::SeveralFaces => Some(PortraitCheck::OneFace),
        FaceRefusal::TooPoor => Some(PortraitCheck::Sharpness),
        FaceRefusal::PoorLight => Some(PortraitCheck::Lighting),
        FaceRefusal::Unsupported => None,
    };
    match check.filter(|_| which != Some(ComparedPicture::Reference)) {
        Some(check) => unusable(draft, kiosk, step, check),
        None => pending(draft, kiosk, pair_of(step), ComparisonPending::Unsupported),
    }
}

/// The citizen's picture does not do, for what this check is about.
fn unusable(draft: &mut Draft<'_>, kiosk: &DeviceId, step: Step, check: PortraitCheck) {
    if let Step::CompareLive { attempt } = step {
        retake(draft, kiosk, attempt, check);
    } else {
        let attempt = portrait_attempt(draft, kiosk);
        portrait::reject(draft, kiosk, attempt, vec![check]);
    }
}

/// What is wrong with the live photo is named. The next one waits for the citizen: the camera would be faster than they read.
fn retake(draft: &mut Draft<'_>, kiosk: &DeviceId, attempt: u16, check: PortraitCheck) {
    let Some(a) = at(draft, kiosk) else { return };
    let (session, max) = (a.id.clone(), a.policy.live_attempts_max);
    draft.push(ApplicationLivePhotoRejected {
        session,
        attempt,
        failed: vec![check],
    });
    if attempt < max {
        let attempt = attempt + 1;
        put(draft, kiosk, Step::RetakeLivePhoto { attempt });
    } else {
        window::send(draft, kiosk, WindowReason::NoLivePhoto);
    }
}

/// A portrait that no face was found in is the attempt it was given at.
fn portrait_attempt(draft: &Draft<'_>, kiosk: &DeviceId) -> u16 {
    at(draft, kiosk).map_or(u16::MAX, |a| a.portrait_attempt)
}

/// Another live photo, if there is an attempt left.
pub(super) fn again(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    attempt: u16,
    otherwise: WindowReason,
) {
    let max = at(draft, kiosk).map_or(0, |a| a.policy.live_attempts_max);
    if attempt < max {
        let attempt = attempt + 1;
        devices::ask(draft, kiosk, Step::TakeLivePhoto { attempt });
    } else {
        window::send(draft, kiosk, otherwise);
    }
}

/// A7: the live photo is sealed on disk, or could not be taken.
pub(super) fn photographed(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    attempt: u16,
    result: &Result<Captured, Completion>,
) {
    let Some(a) = at(draft, kiosk) else { return };
    let session = a.id.clone();
    let Ok(Captured { blob, key, len }) = result.clone() else {
        return again(draft, kiosk, attempt, WindowReason::NoLivePhoto);
    };
    draft.push(ApplicationLivePhotoArchived {
        session,
        attempt,
        photo: SealedBlob { blob, key, len },
    });
    ask(draft, kiosk, Step::CompareLive { attempt });
}
