//! What a kiosk is told of a session that is over.

use schemas::ids::{BootId, SessionId};
use schemas::message::application::ApplicationPrompt;
use schemas::time::ClockTrust;
use schemas::words::{MachineReason, PickupOutcome, PromptCode, Service, ServiceReason};

use super::*;

fn at_ms(mono_ms: u64) -> Now {
    Now {
        wall_ms: mono_ms,
        boot: BootId::new("0190b7a2-1f00-7000-8000-000000000001").unwrap(),
        mono_ms,
        trust: ClockTrust::Synchronised,
    }
}

fn ended(services: &[Service]) -> View {
    View {
        session: Some(SessionId::from_index(7)),
        outcome: Some(PickupOutcome::Collected),
        services: services.to_vec(),
        slip: Some(3),
        ..View::bare(PromptCode::Done)
    }
}

/// What is sent when the rules have this view for the kiosk.
fn sent(prompts: &mut Prompts, view: View, now: u64) -> Option<View> {
    let views = BTreeMap::from([(kiosk(), view)]);
    let sent = prompts.changed(views, &at_ms(now)).pop();
    sent.map(|(_, view)| view)
}

fn kiosk() -> DeviceId {
    DeviceId::new("kiosk-1").unwrap()
}

/// P7, A13: how a session ended is told to whoever stands there then, and asked for again for three minutes; to whoever comes later
/// nothing of it, neither when the kiosk asks nor when something else changes.
#[test]
fn the_last_session_is_told_for_three_minutes() {
    let nowhere = Text {
        zh: String::new(),
        en: String::new(),
    };
    let mut prompts = Prompts::new(nowhere);
    let both = [Service::Pickup, Service::Application];
    let first = sent(&mut prompts, ended(&both), 1_000).unwrap();
    assert_eq!((first.code, first.slip), (PromptCode::Done, Some(3)));
    assert_eq!(sent(&mut prompts, ended(&both), 90_000), None);
    let less = sent(&mut prompts, ended(&both[1..]), 180_999).unwrap();
    assert_eq!(less.code, PromptCode::Done);
    let (_, again) = prompts.again(&kiosk(), &at_ms(180_999)).unwrap();
    assert_eq!(again, less);

    let (_, later) = prompts.again(&kiosk(), &at_ms(181_000)).unwrap();
    let waiting = sent(&mut prompts, ended(&both[1..]), 181_001).unwrap();
    assert_eq!(later, waiting);
    assert_eq!(waiting.code, PromptCode::Idle);
    assert_eq!(
        (&waiting.session, waiting.outcome, waiting.slip),
        (&None, None, None)
    );
    assert_eq!(waiting.services, both[1..]);
    let mut suspended = ended(&[]);
    suspended.code = PromptCode::OutOfService;
    suspended.machine_reason = Some(MachineReason::Maintenance);
    let out = sent(&mut prompts, suspended, 500_000).unwrap();
    let said = (out.code, out.session, out.machine_reason);
    let maintained = Some(MachineReason::Maintenance);
    assert_eq!(said, (PromptCode::OutOfService, None, maintained));
    let reasons = vec![ServiceReason::StorageLow];
    let full = View {
        reasons: reasons.clone(),
        code: PromptCode::OutOfService,
        ..ended(&[])
    };
    let full = sent(&mut prompts, full, 510_000).unwrap();
    assert_eq!((full.session, full.reasons), (None, reasons));
    let back = sent(&mut prompts, ended(&both), 520_000).unwrap();
    assert_eq!((back.code, back.session), (PromptCode::Idle, None));
    // A station that takes nobody says so for as long as that is so.
    assert!(sent(&mut prompts, View::bare(PromptCode::OutOfService), 600_000).is_some());
    assert_eq!(
        sent(&mut prompts, View::bare(PromptCode::OutOfService), 900_000),
        None
    );
}

/// A15, ADR 45: a ticket that comes later, since papers did not come, is told for its own three minutes; and the loop wants to be woken when
/// what was told is to be told no more, once.
#[test]
fn a_later_ticket_is_told_anew() {
    let nowhere = Text {
        zh: String::new(),
        en: String::new(),
    };
    let mut prompts = Prompts::new(nowhere);
    let both = [Service::Pickup, Service::Application];
    sent(&mut prompts, ended(&both), 1_000).unwrap();
    assert_eq!(prompts.left_ms(&at_ms(1_000)), Some(180_000));
    sent(&mut prompts, ended(&both), 181_000).unwrap();
    assert_eq!(prompts.left_ms(&at_ms(181_000)), None);
    let ticket = TicketNumber::new("W1-1").unwrap();
    let application = ApplicationPrompt {
        ticket: Some(ticket.clone()),
        ..ApplicationPrompt::default()
    };
    let late = View {
        application: Some(Box::new(application)),
        ..ended(&both)
    };
    let told = sent(&mut prompts, late, 200_000).unwrap();
    assert_eq!(told.application.unwrap().ticket, Some(ticket));
    assert_eq!(prompts.left_ms(&at_ms(200_000)), Some(180_000));
}
