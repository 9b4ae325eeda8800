//! A session begins, goes on, and goes back.

use schemas::event::application::{
    ApplicationStarted, ApplicationStep, ApplicationStepped, Entered,
};
use schemas::message::application::StepName;
use schemas::time::Deadline;

use super::super::Recorded;
use super::of;
use crate::application::{Application, Failed, Notice, PayCode, Sms, Stage, Verdict};
use crate::state::State;

/// A device that serves others first is waited for as long as so many of their steps may take.
const TURNS_WAITED: u16 = 4;

pub(super) fn started(state: &mut State, recorded: Recorded<'_>, b: &ApplicationStarted) {
    state.last.remove(&b.kiosk);
    state.applications.last.remove(&b.kiosk);
    let application = Application {
        id: b.session.clone(),
        devices: b.devices.clone(),
        site: b.site.clone(),
        policy: (*b.policy).clone(),
        language: b.language,
        began_ms: recorded.now.wall_ms,
        number: 0,
        stage: None,
        entered: Entered::default(),
        person: None,
        confirmed: false,
        questions: 0,
        eligibility_asked: None,
        eligibility: None,
        portrait_attempt: 1,
        portrait_compared: None,
        live_attempt: 1,
        live_compared: None,
        phone: None,
        sms: Sms::Open,
        codes_asked: 0,
        failed: Failed::default(),
        fingers_compared: std::collections::BTreeMap::new(),
        documents_done: false,
        order: None,
        way: None,
        code: PayCode::None,
        paid: false,
        stills: Vec::new(),
        card_was_read: false,
        notice: Notice::default(),
        verdict: Verdict::default(),
    };
    let open = &mut state.applications.open;
    open.insert(b.kiosk.clone(), application);
}

pub(super) fn stepped(state: &mut State, recorded: Recorded<'_>, b: &ApplicationStepped) {
    use ApplicationStep as S;
    let Some(a) = of(state, &b.session) else {
        return;
    };
    let policy = &a.policy;
    let (citizen_s, device_s) = match b.step {
        S::ReadCard { .. } | S::CaptureFinger { .. } => {
            (policy.step_timeout_s, policy.command_timeout_s)
        }
        S::TakeLivePhoto { .. } | S::ComparePortrait | S::CompareLive { .. } => {
            (0, policy.command_timeout_s)
        }
        S::AwaitEligibility => (0, policy.centre_wait_s),
        S::AwaitSms => (0, policy.sms_wait_s),
        // Until there is a code nobody can pay by it.
        S::AwaitPayment if matches!(a.code, PayCode::Asked(_)) => (0, policy.sms_wait_s),
        S::AwaitPayment => (policy.payment_wait_s, 0),
        S::ChooseKind
        | S::ChooseResidence
        | S::KeyNumber { .. }
        | S::ConfirmIdentity
        | S::GivePortrait { .. }
        | S::RetakeLivePhoto { .. }
        | S::GivePhone { .. }
        | S::KeySmsCode { .. }
        | S::AttachDocuments
        | S::Sign
        | S::ChoosePayment => (policy.step_timeout_s, 0),
    };
    let (citizen_s, device_s) = if b.awaits.is_some() {
        let turn_s = policy
            .step_timeout_s
            .saturating_add(policy.command_timeout_s);
        (0, turn_s.saturating_mul(TURNS_WAITED))
    } else {
        (citizen_s, device_s)
    };
    let after = |s: u16| Deadline::after(recorded.now, u64::from(s) * 1_000);
    a.failed.before(b.step);
    a.number = b.number;
    a.stage = Some(Stage {
        step: b.step,
        index: recorded.index,
        deadline: after(citizen_s.saturating_add(device_s)),
        citizen: (citizen_s > 0 && device_s > 0).then(|| after(citizen_s)),
        awaits: b.awaits.clone(),
    });
}

/// What was entered at `to` and after it.
pub(super) fn give_up(a: &mut Application, to: StepName) {
    if to <= StepName::ChooseKind {
        a.entered.kind = None;
    }
    if to <= StepName::ChooseResidence {
        a.entered.residence = None;
    }
    if to <= StepName::KeyNumber {
        a.person = None;
        a.entered.number = None;
        a.entered.name = None;
        a.entered.number_tail = None;
        a.entered.holder = None;
    }
    if to <= StepName::AwaitEligibility {
        a.eligibility_asked = None;
        a.eligibility = None;
    }
    if to <= StepName::ConfirmIdentity {
        a.confirmed = false;
    }
    if to <= StepName::CompareLive {
        a.entered.portrait = None;
        a.portrait_compared = None;
        a.entered.live = None;
        a.live_compared = None;
    }
    if to <= StepName::KeySmsCode {
        a.entered.phone = None;
        a.phone = None;
        a.sms = Sms::Open;
    }
    if to <= StepName::LeftFinger {
        a.entered.fingers.clear();
        a.fingers_compared.clear();
    }
    if to <= StepName::AttachDocuments {
        a.entered.documents.clear();
        a.documents_done = false;
    }
    if to <= StepName::Sign {
        a.entered.signature = None;
    }
    // The order stays: it is paid in another way, or not at all.
    a.way = None;
    a.code = PayCode::None;
}
