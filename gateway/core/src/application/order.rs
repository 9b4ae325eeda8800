//! The order of an application's steps: what comes next, where back leads to, which device a step needs.

use schemas::event::application::{ApplicationDevices, ApplicationStep as Step};
use schemas::ids::DeviceId;
use schemas::message::application::StepName as Name;
use schemas::words::Hand;
use schemas::words::application::{ApplicationKind, FingerPosition, PaymentWay};

use super::{Application, Sms};

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// This step.
    Step(Step),
    /// Everything is there.
    Submit,
}

/// What the application needs next.
pub(crate) fn next(a: &Application) -> Next {
    let step = about_person(a)
        .or_else(|| about_face(a))
        .or_else(|| about_phone(a))
        .or_else(|| about_fingers(a))
        .or_else(|| about_closing(a));
    step.map_or(Next::Submit, Next::Step)
}

fn about_person(a: &Application) -> Option<Step> {
    let Some(kind) = a.entered.kind else {
        return Some(Step::ChooseKind);
    };
    if a.entered.residence.is_none() {
        return Some(Step::ChooseResidence);
    }
    if a.person.is_none() {
        return Some(match kind {
            ApplicationKind::Renewal => Step::ReadCard { attempt: 1 },
            ApplicationKind::Lost
            | ApplicationKind::Damaged
            | ApplicationKind::FirstIssue
            | ApplicationKind::Temporary => Step::KeyNumber {
                attempt: next_attempt(a.failed.number),
            },
        });
    }
    // Who keyed a number is shown the name that the centre has for it (A4), so the centre is asked first.
    if a.eligibility.is_none() {
        return Some(Step::AwaitEligibility);
    }
    (!a.confirmed).then_some(Step::ConfirmIdentity)
}

fn about_face(a: &Application) -> Option<Step> {
    if a.entered.portrait.is_none() {
        let attempt = next_attempt(a.failed.portrait);
        return Some(Step::GivePortrait { attempt });
    }
    if a.portrait_compared.is_none() {
        return Some(Step::ComparePortrait);
    }
    if a.entered.live.is_none() {
        let attempt = next_attempt(a.failed.live);
        return Some(Step::TakeLivePhoto { attempt });
    }
    let attempt = a.live_attempt;
    (a.live_compared.is_none()).then_some(Step::CompareLive { attempt })
}

fn about_phone(a: &Application) -> Option<Step> {
    if a.entered.phone.is_none() {
        let attempt = next_attempt(a.failed.phone);
        return Some(Step::GivePhone { attempt });
    }
    match a.sms {
        Sms::Open | Sms::Asked(_) => Some(Step::AwaitSms),
        Sms::Sent { .. } => Some(Step::KeySmsCode { attempt: 1 }),
        Sms::Confirmed | Sms::Skipped(_) => None,
    }
}

fn about_fingers(a: &Application) -> Option<Step> {
    let missing = |hand: &&Hand| !a.entered.fingers.iter().any(|f| f.hand == **hand);
    let hand = *Hand::ALL.iter().find(missing)?;
    Some(finger(a, hand, next_attempt(a.failed.finger(hand))))
}

const fn next_attempt(failed: u16) -> u16 {
    failed.saturating_add(1)
}

/// The capture of a finger: the one on the card, where it holds that hand's; else thumb, index, middle finger in turn.
pub(crate) fn finger(a: &Application, hand: Hand, attempt: u16) -> Step {
    let on_card = a.person.as_ref().is_some_and(|p| p.hands.contains(&hand));
    let position = (!on_card).then(|| FingerPosition::asked(hand, attempt));
    Step::CaptureFinger {
        hand,
        attempt,
        position,
    }
}

fn about_closing(a: &Application) -> Option<Step> {
    if !a.documents_done {
        return Some(Step::AttachDocuments);
    }
    if a.entered.signature.is_none() {
        return Some(Step::Sign);
    }
    a.fee()?;
    match a.way {
        _ if a.paid => None,
        None => Some(Step::ChoosePayment),
        Some(PaymentWay::CashAtWindow) => None,
        Some(_) => Some(Step::AwaitPayment),
    }
}

/// The step as a kiosk calls it.
pub(crate) const fn name_of(step: Step) -> Name {
    match step {
        Step::ChooseKind => Name::ChooseKind,
        Step::ChooseResidence => Name::ChooseResidence,
        Step::ReadCard { .. } => Name::ReadCard,
        Step::KeyNumber { .. } => Name::KeyNumber,
        Step::AwaitEligibility => Name::AwaitEligibility,
        Step::ConfirmIdentity => Name::ConfirmIdentity,
        Step::GivePortrait { .. } => Name::GivePortrait,
        Step::ComparePortrait => Name::ComparePortrait,
        Step::TakeLivePhoto { .. } => Name::TakeLivePhoto,
        Step::RetakeLivePhoto { .. } => Name::RetakeLivePhoto,
        Step::CompareLive { .. } => Name::CompareLive,
        Step::GivePhone { .. } => Name::GivePhone,
        Step::AwaitSms => Name::AwaitSms,
        Step::KeySmsCode { .. } => Name::KeySmsCode,
        Step::CaptureFinger {
            hand: Hand::Right, ..
        } => Name::RightFinger,
        Step::CaptureFinger {
            hand: Hand::Left, ..
        } => Name::LeftFinger,
        Step::AttachDocuments => Name::AttachDocuments,
        Step::Sign => Name::Sign,
        Step::ChoosePayment => Name::ChoosePayment,
        Step::AwaitPayment => Name::AwaitPayment,
    }
}

/// Where back leads to; none from the first page, and from the last one on which something is ordered.
pub(crate) const fn back_from(a: &Application, step: Step) -> Option<Name> {
    match step {
        Step::ChooseKind => None,
        Step::ChooseResidence => Some(Name::ChooseKind),
        Step::ReadCard { .. } | Step::KeyNumber { .. } => Some(Name::ChooseResidence),
        Step::AwaitEligibility | Step::ConfirmIdentity => match a.entered.kind {
            Some(ApplicationKind::Renewal) => Some(Name::ReadCard),
            Some(_) | None => Some(Name::KeyNumber),
        },
        Step::GivePortrait { .. } => Some(Name::ConfirmIdentity),
        Step::ComparePortrait
        | Step::TakeLivePhoto { .. }
        | Step::RetakeLivePhoto { .. }
        | Step::CompareLive { .. }
        | Step::GivePhone { .. } => Some(Name::GivePortrait),
        Step::AwaitSms
        | Step::KeySmsCode { .. }
        | Step::CaptureFinger {
            hand: Hand::Right, ..
        } => Some(Name::GivePhone),
        Step::CaptureFinger {
            hand: Hand::Left, ..
        }
        | Step::AttachDocuments => Some(Name::RightFinger),
        Step::Sign => Some(Name::AttachDocuments),
        // What an order is for does not change any more.
        Step::ChoosePayment if a.order.is_some() => None,
        Step::ChoosePayment => Some(Name::Sign),
        Step::AwaitPayment => Some(Name::ChoosePayment),
    }
}

/// The device that a step needs.
pub(crate) const fn device_of(devices: &ApplicationDevices, step: Step) -> Option<&DeviceId> {
    match step {
        Step::ReadCard { .. } => Some(&devices.reader),
        Step::TakeLivePhoto { .. } => Some(&devices.camera),
        Step::CaptureFinger { .. } => Some(&devices.scanner),
        Step::ComparePortrait | Step::CompareLive { .. } => Some(&devices.face_matcher),
        Step::ChooseKind
        | Step::ChooseResidence
        | Step::KeyNumber { .. }
        | Step::ConfirmIdentity
        | Step::AwaitEligibility
        | Step::GivePortrait { .. }
        | Step::RetakeLivePhoto { .. }
        | Step::GivePhone { .. }
        | Step::AwaitSms
        | Step::KeySmsCode { .. }
        | Step::AttachDocuments
        | Step::Sign
        | Step::ChoosePayment
        | Step::AwaitPayment => None,
    }
}
