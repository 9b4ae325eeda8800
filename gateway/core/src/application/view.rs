//! What a kiosk shows of an application.

use schemas::acceptance::AcceptanceNumber;
use schemas::event::application::ApplicationStep as Step;
use schemas::message::application::ApplicationPrompt;
use schemas::words::PromptCode;
use schemas::words::application::{
    ApplicationKind, ApplicationOutcome, InputName as Input, PageNotice, PaymentWay,
};

use super::{Application, EndedApplication, Stage, Verdict, back_from, name_of};
use crate::view::{View, end_code};

/// Of one under way.
pub(crate) fn open(a: &Application) -> View {
    let mut prompt = ApplicationPrompt {
        language: Some(a.language),
        kind: a.entered.kind,
        residence: a.entered.residence,
        documents: a.entered.documents.iter().map(|scan| scan.kind).collect(),
        expiry: a.person.as_ref().and_then(|p| p.expiry),
        phone: a.phone.clone(),
        fee_fen: a.fee(),
        order: a.order.clone(),
        payment: a.way,
        payment_code: a.code.shown().cloned(),
        payment_fault: a.notice.payment,
        paid: a.order.as_ref().map(|_| a.paid),
        fault: a.notice.fault,
        failed_checks: a.notice.failed_checks.clone(),
        card_unreadable: a.notice.card_unreadable.then_some(true),
        ..ApplicationPrompt::default()
    };
    let mut view = View {
        session: Some(a.id.clone()),
        name: a.entered.name.clone(),
        number_tail: a.entered.number_tail.clone(),
        ..View::bare(PromptCode::Application)
    };
    if let Some(stage) = &a.stage {
        asked(a, stage, &mut prompt);
        let shown = stage.citizen.as_ref().unwrap_or(&stage.deadline);
        view.deadline = Some(shown.clone());
        view.attempt = attempt(stage.step);
    }
    view.application = Some(Box::new(prompt));
    view
}

/// The step, and what there is to choose from.
fn asked(a: &Application, stage: &Stage, prompt: &mut ApplicationPrompt) {
    prompt.number = Some(a.number);
    prompt.step = Some(name_of(stage.step));
    prompt.awaits.clone_from(&stage.awaits);
    prompt.attempts_left = attempts_max(a, stage.step)
        .zip(attempt(stage.step))
        .map(|(max, attempt)| (max + 1).saturating_sub(attempt));
    prompt.notice = notice(a, stage.step);
    prompt.inputs = own_inputs(stage.step).to_vec();
    if stage.step == Step::AttachDocuments && a.are_documents_full() {
        prompt.inputs.retain(|input| *input != Input::Document);
    }
    if matches!(stage.step, Step::KeySmsCode { .. }) && !a.are_codes_used_up() {
        prompt.inputs.push(Input::Retry);
    }
    let pays = matches!(stage.step, Step::ChoosePayment | Step::AwaitPayment);
    if pays && a.is_payable_later() {
        prompt.inputs.push(Input::PayLater);
    }
    if back_from(a, stage.step).is_some() {
        prompt.inputs.push(Input::Back);
    }
    prompt.inputs.push(Input::Language);
    if stage.step == Step::ChooseKind {
        prompt.kinds = ApplicationKind::ALL.to_vec();
    } else if stage.step == Step::ChooseResidence {
        prompt.residences.clone_from(&a.policy.residences);
    } else if stage.step == Step::ChoosePayment {
        prompt.payments.clone_from(&a.policy.payments);
    } else if let Step::CaptureFinger { hand, position, .. } = stage.step {
        prompt.position = position.or_else(|| a.position_on_card(hand));
    }
}

/// What happened before, or follows from it for this step.
fn notice(a: &Application, step: Step) -> Option<PageNotice> {
    let of_step = match step {
        Step::ReadCard { .. } if a.card_was_read => Some(PageNotice::LiftCard),
        Step::TakeLivePhoto { attempt } if attempt > 1 => Some(PageNotice::LiveAgain),
        Step::GivePhone { .. } if a.are_codes_used_up() => Some(PageNotice::NoCodeLeft),
        Step::KeySmsCode { .. } if a.are_codes_used_up() => Some(PageNotice::LastCode),
        Step::ChooseKind
        | Step::ChooseResidence
        | Step::ReadCard { .. }
        | Step::KeyNumber { .. }
        | Step::ConfirmIdentity
        | Step::AwaitEligibility
        | Step::GivePortrait { .. }
        | Step::ComparePortrait
        | Step::TakeLivePhoto { .. }
        | Step::RetakeLivePhoto { .. }
        | Step::CompareLive { .. }
        | Step::GivePhone { .. }
        | Step::AwaitSms
        | Step::KeySmsCode { .. }
        | Step::CaptureFinger { .. }
        | Step::AttachDocuments
        | Step::Sign
        | Step::ChoosePayment
        | Step::AwaitPayment => None,
    };
    of_step.or(a.notice.happened)
}

const fn own_inputs(step: Step) -> &'static [Input] {
    match step {
        Step::ChooseKind => &[Input::Kind],
        Step::ChooseResidence => &[Input::Residence],
        Step::KeyNumber { .. } => &[Input::Number],
        Step::ConfirmIdentity => &[Input::ConfirmIdentity],
        Step::GivePortrait { .. } => &[Input::Portrait],
        Step::RetakeLivePhoto { .. } => &[Input::Retry],
        Step::GivePhone { .. } => &[Input::Phone],
        Step::KeySmsCode { .. } => &[Input::SmsCode],
        Step::AttachDocuments => &[Input::Document, Input::DocumentsDone],
        Step::Sign => &[Input::Signature],
        Step::ChoosePayment => &[Input::PaymentMethod],
        Step::ReadCard { .. }
        | Step::AwaitEligibility
        | Step::ComparePortrait
        | Step::TakeLivePhoto { .. }
        | Step::CompareLive { .. }
        | Step::AwaitSms
        | Step::CaptureFinger { .. }
        | Step::AwaitPayment => &[],
    }
}

const fn attempt(step: Step) -> Option<u16> {
    match step {
        Step::ReadCard { attempt }
        | Step::KeyNumber { attempt }
        | Step::GivePortrait { attempt }
        | Step::TakeLivePhoto { attempt }
        | Step::RetakeLivePhoto { attempt }
        | Step::CompareLive { attempt }
        | Step::GivePhone { attempt }
        | Step::KeySmsCode { attempt }
        | Step::CaptureFinger { attempt, .. } => Some(attempt),
        Step::ChooseKind
        | Step::ChooseResidence
        | Step::ConfirmIdentity
        | Step::AwaitEligibility
        | Step::ComparePortrait
        | Step::AwaitSms
        | Step::AttachDocuments
        | Step::Sign
        | Step::ChoosePayment
        | Step::AwaitPayment => None,
    }
}

const fn attempts_max(a: &Application, step: Step) -> Option<u16> {
    match step {
        Step::KeyNumber { .. } => Some(a.policy.number_attempts_max),
        Step::GivePortrait { .. } => Some(a.policy.portrait_attempts_max),
        Step::TakeLivePhoto { .. } | Step::RetakeLivePhoto { .. } | Step::CompareLive { .. } => {
            Some(a.policy.live_attempts_max)
        }
        Step::GivePhone { .. } => Some(a.policy.phone_attempts_max),
        Step::KeySmsCode { .. } => Some(a.policy.sms_attempts_max),
        Step::CaptureFinger { .. } => Some(a.policy.finger_attempts_max),
        Step::ChooseKind
        | Step::ChooseResidence
        | Step::ReadCard { .. }
        | Step::ConfirmIdentity
        | Step::AwaitEligibility
        | Step::ComparePortrait
        | Step::AwaitSms
        | Step::AttachDocuments
        | Step::Sign
        | Step::ChoosePayment
        | Step::AwaitPayment => None,
    }
}

/// Of one that ended, until the kiosk's next session begins.
pub(crate) fn ended(a: &EndedApplication) -> View {
    let Verdict {
        refusal,
        ticket,
        accepted,
    } = &a.verdict;
    let done = matches!(
        a.outcome,
        ApplicationOutcome::Accepted | ApplicationOutcome::Provisional
    );
    let number = accepted.as_ref().map(|(place, _)| place);
    let prompt = ApplicationPrompt {
        language: Some(a.language),
        outcome: Some(a.outcome),
        kind: a.kind,
        fee_fen: a.fee.filter(|_| done),
        refusal: refusal.as_ref().map(|(reason, ..)| *reason),
        opens: refusal.as_ref().and_then(|(_, opens, _)| *opens),
        closes: refusal.as_ref().and_then(|(.., closes)| *closes),
        acceptance_number: number.map(|place| AcceptanceNumber::of(&a.site, *place)),
        provisional: accepted.as_ref().map(|(_, causes)| !causes.is_empty()),
        ticket: ticket.as_ref().map(|(ticket, _)| ticket.clone()),
        window_reason: ticket.as_ref().map(|(_, reason)| *reason),
        order: a.order.clone().filter(|_| done),
        payment: a.way.filter(|_: &PaymentWay| done),
        paid: a.order.as_ref().filter(|_| done).map(|_| a.paid),
        papers: a.papers,
        failed_checks: a.failed_checks.clone(),
        ..ApplicationPrompt::default()
    };
    View {
        session: Some(a.session.clone()),
        application: Some(Box::new(prompt)),
        ..View::bare(end_code(done))
    }
}
