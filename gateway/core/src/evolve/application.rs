//! Applications: what the citizen entered, what devices and the centre said of it, how it ended.

use schemas::event::Event;
use schemas::event::application::{
    ApplicationAccepted, ApplicationCardRead, ApplicationCompensated, ApplicationEnded,
    ApplicationFacesCompared, ApplicationNumberKeyed, ApplicationStarted, ApplicationStep,
    ApplicationStepped, Comparison, Entered, WindowTicketIssued,
};
use schemas::ids::SessionId;
use schemas::lookup::LookupTag;
use schemas::message::application::StepName;
use schemas::time::Deadline;
use schemas::words::application::{
    ApplicationOutcome, EligibilityVerdict, FacePair, PageNotice, SmsSkipped, WindowReason,
};

use super::{Recorded, fee, papers, printed};
use crate::application::{
    Acceptance, Application, EndedApplication, Failed, KnownPerson, Notice, OwedPapers, PayCode,
    Sms, Stage, Ticket, Verdict, papers_begin,
};
use crate::state::State;

/// Applies an event of an application; another one changes nothing here.
pub(super) fn apply(state: &mut State, recorded: Recorded<'_>) {
    person(state, recorded.event);
    pictures(state, recorded.event);
    reach(state, recorded);
    closing(state, recorded.event);
    fee::apply(state, recorded);
    session(state, recorded);
}

pub(super) fn of<'a>(state: &'a mut State, session: &SessionId) -> Option<&'a mut Application> {
    let mut open = state.applications.open.values_mut();
    open.find(|application| application.id == *session)
}

fn session(state: &mut State, recorded: Recorded<'_>) {
    let event = recorded.event;
    if let Event::ApplicationStarted(b) = event {
        started(state, recorded, b);
    } else if let Event::ApplicationStepped(b) = event {
        stepped(state, recorded, b);
    } else if let Event::ApplicationLanguageChosen(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.language = b.language;
        }
    } else if let Event::ApplicationSteppedBack(b) = event {
        if let Some(a) = of(state, &b.session) {
            give_up(a, b.to);
            // Why the citizen chooses again is still to be said.
            a.notice = Notice {
                payment: b.payment_fault.or(a.notice.payment),
                ..Notice::default()
            };
        }
    } else if let Event::ApplicationRefused(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.verdict.refusal = Some((b.reason, b.opens, b.closes));
        }
    } else if let Event::WindowTicketIssued(b) = event {
        ticketed(state, recorded, b);
    } else if let Event::ApplicationAccepted(b) = event {
        accepted(state, recorded, b);
    } else if let Event::ApplicationEnded(b) = event {
        ended(state, b);
    } else if let Event::ApplicationConfirmed(b) = event {
        state.acceptances.remove(&b.session);
        if let Some(numbers) = &b.printed {
            printed::renumbered(state, numbers);
        }
    } else if let Event::ApplicationCompensated(b) = event {
        compensated(state, recorded, b);
    } else if let Event::ApplicationLapsed(b) = event {
        lapsed(state, &b.session);
    } else if let Event::WindowTicketClosed(b) = event {
        state.tickets.remove(&b.session);
    } else if let Event::AcceptancesCarriedOver(b) = event {
        state.applications.place = Some(b.place);
        for numbers in &b.printed {
            printed::renumbered(state, numbers);
        }
    }
}

fn started(state: &mut State, recorded: Recorded<'_>, b: &ApplicationStarted) {
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

fn stepped(state: &mut State, recorded: Recorded<'_>, b: &ApplicationStepped) {
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
    // A device that serves somebody else first is waited for as long as a citizen is.
    let (citizen_s, device_s) = if b.awaits.is_some() {
        (0, policy.step_timeout_s)
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
fn give_up(a: &mut Application, to: StepName) {
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

fn person(state: &mut State, event: &Event) {
    if let Event::ApplicationKindChosen(b) = event {
        if let Some(a) = of(state, &b.session) {
            give_up(a, StepName::ChooseKind);
            a.entered.kind = Some(b.kind);
            a.notice = Notice::default();
        }
    } else if let Event::ApplicationResidenceChosen(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.entered.residence = Some(b.residence);
        }
    } else if let Event::ApplicationCardRead(b) = event {
        card_read(state, b);
    } else if let Event::ApplicationNumberKeyed(b) = event {
        number_keyed(state, b);
    } else if let Event::ApplicationCardUnreadable(b) = event {
        if let Some(a) = of(state, &b.session) {
            give_up(a, StepName::ChooseKind);
            a.notice = Notice {
                card_unreadable: true,
                ..Notice::default()
            };
        }
    } else if let Event::ApplicationInputRejected(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.notice.fault = Some(b.fault);
        }
    } else if let Event::ApplicationIdentityConfirmed(b) = event
        && let Some(a) = of(state, &b.session)
    {
        a.confirmed = b.confirmed;
        if !b.confirmed {
            give_up(a, StepName::ChooseKind);
        }
    }
}

/// It was looked up in the list of the grant that was in force.
fn looked_up(state: &State, flagged: Option<bool>) -> Option<(u32, bool)> {
    let version = state.grant.as_ref().map(|grant| grant.version);
    version.zip(flagged)
}

fn tags(newest: &LookupTag, older: &[LookupTag]) -> Vec<LookupTag> {
    std::iter::once(newest).chain(older).cloned().collect()
}

fn card_read(state: &mut State, b: &ApplicationCardRead) {
    let flagged = looked_up(state, b.flagged);
    let Some(a) = of(state, &b.session) else {
        return;
    };
    a.notice = Notice::default();
    a.card_was_read = true;
    a.failed.is_of(&b.number);
    a.entered.number = Some(b.number.clone());
    a.entered.name.clone_from(&b.name);
    a.entered.number_tail = Some(b.number_tail.clone());
    a.entered.holder = Some(b.holder.clone());
    a.person = Some(KnownPerson {
        tags: tags(&b.number, &b.older),
        of_age: b.of_age,
        flagged,
        expiry: b.expiry,
        picture: b.picture,
        hands: b.hands.iter().copied().collect(),
        fingers: b.fingers.clone(),
    });
}

fn number_keyed(state: &mut State, b: &ApplicationNumberKeyed) {
    let flagged = looked_up(state, b.flagged);
    let Some(a) = of(state, &b.session) else {
        return;
    };
    a.notice = Notice::default();
    a.failed.is_keyed(&b.number);
    a.entered.number = Some(b.number.clone());
    a.entered.number_tail = Some(b.number_tail.clone());
    a.entered.holder = Some(b.holder.clone());
    a.person = Some(KnownPerson {
        tags: tags(&b.number, &b.older),
        of_age: b.of_age,
        flagged,
        expiry: None,
        picture: false,
        hands: std::collections::BTreeSet::new(),
        fingers: Vec::new(),
    });
}

fn pictures(state: &mut State, event: &Event) {
    if let Event::ApplicationPortraitSubmitted(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.notice = Notice::default();
            a.portrait_attempt = b.attempt;
            a.entered.portrait = Some(b.portrait.clone());
        }
    } else if let Event::ApplicationPortraitRejected(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.entered.portrait = None;
            a.notice.failed_checks.clone_from(&b.failed);
        }
    } else if let Event::ApplicationLivePhotoArchived(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.notice = Notice::default();
            a.entered.live = Some(b.photo.clone());
            a.live_attempt = b.attempt;
            a.stills.push(b.photo.blob.clone());
        }
    } else if let Event::ApplicationLivePhotoRejected(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.entered.live = None;
            a.notice.failed_checks.clone_from(&b.failed);
        }
    } else if let Event::ApplicationFacesCompared(b) = event {
        faces_compared(state, b);
    } else if let Event::ApplicationFingerCaptured(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.notice = Notice::default();
            a.entered.fingers.retain(|f| f.hand != b.finger.hand);
            a.entered.fingers.push(b.finger.clone());
        }
    } else if let Event::ApplicationFingerFailed(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.notice = Notice::of(PageNotice::FingerAgain);
        }
    } else if let Event::ApplicationFingerCompared(b) = event
        && let Some(a) = of(state, &b.session)
    {
        if differs(&b.comparison) {
            a.notice = Notice::of(PageNotice::FingerDiffers);
            a.entered.fingers.retain(|f| f.hand != b.hand);
        } else {
            a.fingers_compared.insert(b.hand, b.comparison.clone());
        }
    }
}

const fn differs(comparison: &Comparison) -> bool {
    matches!(comparison, Comparison::Compared { matched: false, .. })
}

fn faces_compared(state: &mut State, b: &ApplicationFacesCompared) {
    let Some(a) = of(state, &b.session) else {
        return;
    };
    if differs(&b.comparison) {
        return;
    }
    match b.pair {
        FacePair::PortraitHistorical => a.portrait_compared = Some(b.comparison.clone()),
        FacePair::LiveHistorical => a.live_compared = Some(b.comparison.clone()),
    }
}

/// What needs the centre: eligibility and the phone number.
fn reach(state: &mut State, recorded: Recorded<'_>) {
    let event = recorded.event;
    if let Event::ApplicationEligibilityAsked(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.questions = b.question;
            a.eligibility_asked = Some(b.question);
        }
    } else if let Event::ApplicationEligibilityDecided(b) = event {
        if b.verdict != EligibilityVerdict::Eligible {
            return;
        }
        if let Some(a) = of(state, &b.session) {
            a.eligibility = Some(b.basis);
            a.entered.name = a.entered.name.take().or_else(|| b.name.clone());
        }
    } else if let Event::ApplicationPhoneGiven(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.notice = Notice::default();
            a.entered.phone = Some(b.phone.clone());
            a.phone = Some(b.masked.clone());
        }
    } else if let Event::ApplicationSmsAsked(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.notice = Notice::default();
            a.questions = b.question;
            a.codes_asked = a.codes_asked.saturating_add(1);
            a.sms = Sms::Asked(b.question);
        }
    } else if let Event::ApplicationSmsSent(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.sms = Sms::Sent {
                code: b.code.clone(),
                until: Deadline::after(recorded.now, u64::from(b.valid_s) * 1_000),
            };
        }
    } else if let Event::ApplicationSmsConfirmed(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.notice = Notice::default();
            a.sms = Sms::Confirmed;
        }
    } else if let Event::ApplicationSmsSkipped(b) = event
        && let Some(a) = of(state, &b.session)
    {
        a.notice = match b.reason {
            SmsSkipped::NotSent => Notice::of(PageNotice::SmsUnavailable),
            SmsSkipped::Policy => Notice::default(),
        };
        a.sms = Sms::Skipped(b.reason);
    }
}

fn closing(state: &mut State, event: &Event) {
    if let Event::ApplicationDocumentAttached(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.entered.documents.push(b.document.clone());
        }
    } else if let Event::ApplicationDocumentsDone(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.documents_done = true;
        }
    } else if let Event::ApplicationSigned(b) = event
        && let Some(a) = of(state, &b.session)
    {
        a.entered.signature = Some(b.signature.clone());
    }
}

fn ticketed(state: &mut State, recorded: Recorded<'_>, b: &WindowTicketIssued) {
    let ticket = Ticket::new(b.ticket.clone(), b.reason, recorded.now).held(b.held_h);
    let ticket = Ticket {
        kind: b.entered.kind,
        entered: Some(recorded.index),
        ..ticket
    };
    issued(state, &b.session, ticket);
    if let Some(a) = of(state, &b.session) {
        a.verdict.ticket = Some((b.ticket.clone(), b.reason));
    }
}

/// Who has a ticket keeps its number when it is issued for another reason.
pub(super) fn issued(state: &mut State, session: &SessionId, ticket: Ticket) {
    let count = &mut state.applications.tickets;
    let held = state.tickets.get(session);
    if held.is_none_or(|held| held.number != ticket.number) {
        *count = count.saturating_add(1);
    }
    state.tickets.insert(session.clone(), ticket);
}

fn accepted(state: &mut State, recorded: Recorded<'_>, b: &ApplicationAccepted) {
    state.applications.place = Some(b.place);
    let mut tags = Vec::new();
    if let Some(a) = of(state, &b.session) {
        a.verdict.accepted = Some((b.place, b.provisional.clone()));
        tags = a.person.as_ref().map_or(tags, |p| p.tags.clone());
    }
    let acceptance = Acceptance {
        index: Some(recorded.index),
        kind: b.entered.kind,
        tags,
        kiosk: b.kiosk.clone(),
        site: b.site.clone(),
        place: b.place,
        phone: b.entered.phone.clone(),
        order: b.order.clone(),
        papers: b.papers.clone(),
    };
    state.acceptances.insert(b.session.clone(), acceptance);
}

fn ended(state: &mut State, b: &ApplicationEnded) {
    let applications = &mut state.applications;
    let Some(a) = applications.open.remove(&b.kiosk) else {
        return;
    };
    // The checks of a portrait are of interest where there was no other attempt.
    let is_of_portrait = matches!(a.verdict.ticket, Some((_, WindowReason::PortraitFailed)));
    let failed_checks = is_of_portrait.then(|| a.notice.failed_checks.clone());
    // Whoever did not choose again pays as they chose last.
    let ordered = a.order.as_ref();
    let ordered = ordered.and_then(|order| state.payments.orders.get(order));
    let way = a.way.or_else(|| ordered.map(|order| order.way));
    let ended = EndedApplication {
        failed_checks: failed_checks.unwrap_or_default(),
        fee: a.fee(),
        papers: papers_begin(b.outcome),
        handed_out: None,
        handed_out_since: None,
        kind: a.entered.kind,
        session: a.id,
        outcome: b.outcome,
        language: a.language,
        site: a.site,
        verdict: a.verdict,
        order: a.order,
        way,
        paid: a.paid,
    };
    let acceptance = state.acceptances.get(&b.session);
    if let Some(owed) = acceptance.and_then(OwedPapers::of) {
        applications.owed.insert(b.session.clone(), owed);
    }
    applications.last.insert(b.kiosk.clone(), ended);
}

/// Nothing of it is open any more. Its kiosk says so, if nobody was there since.
fn lapsed(state: &mut State, session: &SessionId) {
    state.acceptances.remove(session);
    papers::withdrawn(state, session);
    let mut last = state.applications.last.values_mut();
    if let Some(ended) = last.find(|ended| ended.session == *session) {
        ended.outcome = ApplicationOutcome::NotPaid;
        ended.papers = None;
    }
}

fn compensated(state: &mut State, recorded: Recorded<'_>, b: &ApplicationCompensated) {
    let acceptance = state.acceptances.remove(&b.session);
    papers::withdrawn(state, &b.session);
    let reason = WindowReason::ReviewRejected;
    let ticket = Ticket::new(b.ticket.clone(), reason, recorded.now).held(b.held_h);
    let ticket = Ticket {
        kind: acceptance.as_ref().and_then(|a| a.kind),
        entered: acceptance.and_then(|a| a.index),
        ..ticket
    };
    issued(state, &b.session, ticket);
}
