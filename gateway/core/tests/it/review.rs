//! What the centre compared at its review (A7, A9): with its decision it stands in the log, and nothing absurd does.

use schemas::event::application::{Comparison, Reviewed};
use schemas::event::centre::InstructionRefusal;
use schemas::matcher::Score;
use schemas::words::application::ReviewedPair;

use crate::hall::prelude::*;

const PORTRAIT: RejectionReason = RejectionReason::Portrait;

fn reviewed(pair: ReviewedPair, score: u8, score_min: u8) -> Reviewed {
    Reviewed {
        pair,
        score: Score::new(score).unwrap(),
        score_min: Score::new(score_min).unwrap(),
        matched: score >= score_min,
    }
}

/// A lost card: nothing could be compared here. The session, and the decision that it stands.
fn accepted(hall: &mut Hall) -> (SessionId, Decision) {
    let case = Case {
        kind: Kind::Lost,
        ..GOOD
    };
    let session = hall.begin("kiosk-1");
    let outcome = finish(hall, &case, "kiosk-1", &session);
    assert_eq!(outcome, ApplicationOutcome::Provisional);
    let mut events = hall.log.iter().map(|(_, event)| event);
    let pending = |event: &&Event| matches!(event, Event::ApplicationFacesCompared(b) if matches!(b.comparison, Comparison::Pending { .. }));
    assert_eq!(events.clone().filter(pending).count(), 2);
    let confirmed = events.find_map(|event| match event {
        Event::ApplicationAccepted(b) => Some(Decision::Confirmed {
            site: b.site.clone(),
            place: b.place,
        }),
        _ => None,
    });
    (session, confirmed.unwrap())
}

/// The comparisons that the last decision in the log names.
fn recorded(hall: &Hall) -> Option<&[Reviewed]> {
    let events = hall.log.iter().rev().map(|(_, event)| event);
    let mut decided = events.filter_map(|event| match event {
        Event::ApplicationConfirmed(b) => Some(&*b.comparisons),
        Event::ApplicationCompensated(b) => Some(&*b.comparisons),
        _ => None,
    });
    decided.next()
}

fn refused(hall: &Hall) -> Option<InstructionRefusal> {
    match hall.log.last() {
        Some((_, Event::InstructionRefused(b))) => Some(b.reason),
        _ => None,
    }
}

/// A7, A17: whether it stands or not, the log says what the centre compared and with which score; what is told later changes nothing.
#[test]
fn a7_the_log_says_with_which_score_the_centre_decided() {
    for stands in [true, false] {
        let mut hall = Hall::new();
        let (session, confirmed) = accepted(&mut hall);
        let score = if stands { 97 } else { 12 };
        let compared = vec![
            reviewed(ReviewedPair::PortraitHistorical, score, 95),
            reviewed(ReviewedPair::LeftFinger, 81, 60),
        ];
        let outcome = if stands {
            confirmed.clone()
        } else {
            Decision::Rejected { reason: PORTRAIT }
        };
        assert!(hall.reviewed(&session, outcome, compared.clone()));
        assert_eq!(recorded(&hall), Some(&*compared));
        let late = vec![reviewed(ReviewedPair::LiveHistorical, 70, 60)];
        assert!(!hall.reviewed(&session, confirmed, late));
        assert_eq!(refused(&hall), Some(InstructionRefusal::Outdated));
        assert_eq!(recorded(&hall), Some(&*compared));
        assert_eq!(hall.state, hall.replay());
    }
}

/// A7: a pair that is named twice, or a result that is not that of its score, is refused and decides nothing; the next word counts.
#[test]
fn a7_absurd_comparisons_decide_nothing() {
    let live = reviewed(ReviewedPair::LiveHistorical, 61, 60);
    let twice = vec![live, reviewed(ReviewedPair::LiveHistorical, 99, 60)];
    let other_result = vec![Reviewed {
        matched: false,
        ..live
    }];
    let mut hall = Hall::new();
    let (session, confirmed) = accepted(&mut hall);
    for absurd in [twice, other_result] {
        assert!(!hall.reviewed(&session, confirmed.clone(), absurd));
        assert_eq!(refused(&hall), Some(InstructionRefusal::Unusable));
    }
    assert_eq!(recorded(&hall), None);
    assert!(hall.reviewed(&session, confirmed, vec![live]));
    assert_eq!(recorded(&hall), Some(&[live][..]));
    assert_eq!(hall.state, hall.replay());
}
