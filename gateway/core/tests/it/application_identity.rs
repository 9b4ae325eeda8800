//! Who applies (A4): whose card it is, the card says; whose number was keyed, the centre says, masked, and for few numbers only.

use crate::hall::REGISTERED;
use crate::hall::citizen::on_to;
use crate::hall::prelude::*;
use schemas::citizen::MaskedName;
use schemas::words::application::{EligibilityVerdict, WindowReason};

/// The name of everybody's card.
const CARD: &str = "**明";

const ASKED: &str = "station.application.eligibility-asked.v1";
const REJECTED: Decision = Decision::Rejected {
    reason: RejectionReason::Other,
};

const LOST: Case = Case {
    kind: Kind::Lost,
    ..GOOD
};
const GRANTED: Case = Case {
    link: Link::Granted,
    ..LOST
};

/// The step, and whose name the page shows.
fn page(hall: &Hall) -> (Option<S>, Option<String>) {
    let name = hall.view("kiosk-1").name;
    let step = hall.prompt("kiosk-1").unwrap().1.step;
    (step, name.map(|name| name.to_string()))
}

/// The names that decisions of the centre hold in the log, and the one in the acceptance.
fn recorded(hall: &Hall) -> (Vec<Option<MaskedName>>, Option<MaskedName>) {
    let (mut told, mut accepted) = (Vec::new(), None);
    for (_, event) in &hall.log {
        match event {
            Event::ApplicationEligibilityDecided(b) => told.push(b.name.clone()),
            Event::ApplicationAccepted(b) => accepted.clone_from(&b.entered.name),
            _ => {}
        }
    }
    (told, accepted)
}

fn masked(name: &str) -> Option<MaskedName> {
    MaskedName::new(name).ok()
}

/// A4: the page on which identity is confirmed shows the name, whether a card was read or a number was keyed; so does the acceptance.
#[test]
fn a4_identity_is_confirmed_by_a_masked_name() {
    for (kind, shown, told) in [
        (Kind::Renewal, CARD, None),
        (Kind::Lost, REGISTERED, masked(REGISTERED)),
        (Kind::Damaged, REGISTERED, masked(REGISTERED)),
    ] {
        let case = Case { kind, ..GOOD };
        let mut hall = Hall::new();
        let session = up_to(&mut hall, &case, "kiosk-1", S::ConfirmIdentity);
        assert_eq!(page(&hall).1.as_deref(), Some(shown), "{kind:?}");
        finish(&mut hall, &case, "kiosk-1", &session);
        assert_eq!(recorded(&hall), (vec![told], masked(shown)), "{kind:?}");
        assert_eq!(hall.state, hall.replay());
    }
}

/// A4, A5: of whom may not apply the log and the page have no name.
#[test]
fn a4_nobody_is_named_who_may_not_apply() {
    for verdict in EligibilityVerdict::ALL {
        let mut hall = Hall::new();
        let session = up_to(&mut hall, &LOST, "kiosk-1", S::AwaitEligibility);
        assert!(hall.answer(&session, *verdict));
        let is_named = *verdict == EligibilityVerdict::Eligible;
        let (told, _) = recorded(&hall);
        assert_eq!(
            told,
            [masked(REGISTERED).filter(|_| is_named)],
            "{verdict:?}"
        );
        assert_eq!(page(&hall).1.is_some(), is_named, "{verdict:?}");
    }
}

/// A4, A17: without the centre the number alone is confirmed. Its late answer still names the citizen: on the page that asks, or on paper.
#[test]
fn a4_a17_a_late_answer_still_names_the_citizen() {
    for step in [S::ConfirmIdentity, S::GivePortrait, S::Sign] {
        let mut hall = Hall::new();
        hall.granted(1, 10);
        let session = up_to(&mut hall, &GRANTED, "kiosk-1", step);
        assert_eq!(page(&hall), (Some(step), None));
        assert!(hall.judged(&session, 1, EligibilityVerdict::Eligible));
        assert_eq!(page(&hall), (Some(step), Some(REGISTERED.to_owned())));
        finish(&mut hall, &GRANTED, "kiosk-1", &session);
        assert_eq!(recorded(&hall).1, masked(REGISTERED), "{step:?}");
    }
}

/// A4: who says that it is not them, and who goes back, leaves nobody's name behind.
#[test]
fn a4_a_denied_name_is_gone() {
    for (entry, step) in [
        (Entry::ConfirmIdentity(false), S::ChooseKind),
        (Entry::Back, S::KeyNumber),
    ] {
        let mut hall = Hall::new();
        up_to(&mut hall, &LOST, "kiosk-1", S::ConfirmIdentity);
        hall.enter("kiosk-1", entry);
        assert_eq!(page(&hall), (Some(step), None));
    }
}

/// A4, G7: a session asks for the names of few numbers. The same one again is no other, and whoever goes on with it is not stopped.
#[test]
fn g7_a_session_asks_for_few_names() {
    let mut hall = Hall::new();
    let rules = hall.rules.application.as_ref().unwrap();
    let max = u8::try_from(rules.policy.number_attempts_max).unwrap();
    for (last, outcome) in [
        (max, ApplicationOutcome::Provisional),
        (max + 1, ApplicationOutcome::Window),
    ] {
        let session = hall.begin("kiosk-1");
        let before = hall.count(ASKED);
        for who in (1..=max).flat_map(|who| [who, who]) {
            let case = Case { who, ..LOST };
            on_to(&mut hall, &case, "kiosk-1", &session, S::ConfirmIdentity);
            hall.enter("kiosk-1", Entry::Back);
        }
        let asked = hall.count(ASKED) - before;
        let case = Case { who: last, ..LOST };
        let found = finish(&mut hall, &case, "kiosk-1", &session);
        assert_eq!(found, outcome);
        let (_, ended) = hall.prompt("kiosk-1").unwrap();
        if outcome == ApplicationOutcome::Window {
            assert_eq!(ended.window_reason, Some(WindowReason::TooManyNumbers));
            assert_eq!(hall.count(ASKED), before + asked, "nobody is asked about");
        } else {
            let accepted = hall.prompt("kiosk-1").unwrap().0;
            assert!(hall.decided(&accepted, REJECTED));
        }
    }
}
