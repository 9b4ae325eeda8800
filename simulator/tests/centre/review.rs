//! Faces that a station could not compare (A7): the centre compares them at its review, and says with which score it decided.

use std::time::Duration;

use schemas::downlink::Instruction;
use schemas::downlink::application::ApplicationDecided;
use schemas::event::Event;
use schemas::event::application::{
    ApplicationFacesCompared, Comparison, Decision, Portrait, Reviewed, SealedBlob,
};
use schemas::ids::DeviceId;
use schemas::matcher::Score;
use schemas::words::application::{
    ApplicationKind, ComparisonPending, FacePair, PortraitWay, RejectionReason, ReviewedPair,
};
use simulator::centre::CaseStanding as C;
use simulator::centre::{GrantTerms, Running};

use crate::station::Station;
use crate::town::{NUMBER, OTHER, Session, Town, until_cases};

const PORTRAIT: FacePair = FacePair::PortraitHistorical;
const LIVE: FacePair = FacePair::LiveHistorical;

/// A photo of one of the people, by their place in the register.
fn photo_of(person: usize) -> Vec<u8> {
    format!("some picture, simulated face {person:03}, and the rest of it").into_bytes()
}

fn pending(session: &Session, pair: FacePair) -> Event {
    let reason = ComparisonPending::NoReference;
    let comparison = Comparison::Pending { reason };
    compared(session, pair, comparison)
}

fn compared(session: &Session, pair: FacePair, comparison: Comparison) -> Event {
    Event::ApplicationFacesCompared(ApplicationFacesCompared {
        session: session.id.clone(),
        pair,
        comparison,
    })
}

/// The same application with its portrait and live photo.
fn with_pictures(mut accepted: Event, portrait: &SealedBlob, live: &SealedBlob) -> Event {
    if let Event::ApplicationAccepted(b) = &mut accepted {
        b.entered.portrait = Some(Portrait {
            way: PortraitWay::Upload,
            picture: Some(portrait.clone()),
            receipt: None,
        });
        b.entered.live = Some(live.clone());
    }
    accepted
}

/// An application for a lost card, which leaves both comparisons to the centre; its session, portrait and live photo.
fn applies(
    town: &Town,
    station: &mut Station,
    number: &str,
    [portrait, live]: [&[u8]; 2],
) -> (Session, SealedBlob) {
    let session = Session::next(station);
    let holder = town.holder(&session, number);
    let [portrait, live] = [portrait, live].map(|plain| town.picture(&session, plain));
    station.push(pending(&session, PORTRAIT));
    station.push(pending(&session, LIVE));
    let accepted = session.accepted(holder, ApplicationKind::Lost, None);
    station.push(with_pictures(accepted, &portrait, &live));
    (session, portrait)
}

fn reviewed(pair: ReviewedPair, score: u8, score_min: u8) -> Reviewed {
    Reviewed {
        pair,
        score: Score::new(score).unwrap(),
        score_min: Score::new(score_min).unwrap(),
        matched: score >= score_min,
    }
}

/// What the centre decided, in its order.
async fn decided(town: &Town, centre: &Running, station: &Station) -> Vec<ApplicationDecided> {
    let told = town.told(centre, station).await;
    let decided = told.into_iter().filter_map(|told| match told {
        Instruction::ApplicationDecided(body) => Some(body),
        _ => None,
    });
    decided.collect()
}

fn reason(decided: &ApplicationDecided) -> Option<RejectionReason> {
    match decided.outcome {
        Decision::Confirmed { .. } => None,
        Decision::Rejected { reason } => Some(reason),
    }
}

/// A7, A15: what a station left pending is compared with the register's picture; it stands or not by the scores, and they are told.
#[tokio::test]
async fn a7_the_centre_compares_what_a_station_left_pending() {
    let mut town = Town::new().await;
    let mut station = town.station("s1", 1);
    let mut centre = town.centre().await;
    let (own, other) = (photo_of(0), photo_of(1));
    let pictures: [[&[u8]; 2]; 3] = [[&own, &other], [&other, &own], [&own, &own]];
    for pictures in pictures {
        applies(&town, &mut station, NUMBER, pictures);
    }
    town.send(&mut centre, &station).await;
    until_cases(&mut centre, &[C::Rejected, C::Rejected, C::Made]).await;
    let decided = decided(&town, &centre, &station).await;
    let said: Vec<_> = decided.iter().map(reason).collect();
    let (identity, portrait) = (RejectionReason::Identity, RejectionReason::Portrait);
    assert_eq!(said, [Some(identity), Some(portrait), None]);
    for (decided, [portrait, live]) in decided.iter().zip([[97, 12], [12, 97], [97, 97]]) {
        let expected = [
            reviewed(ReviewedPair::PortraitHistorical, portrait, 95),
            reviewed(ReviewedPair::LiveHistorical, live, 60),
        ];
        assert_eq!(decided.comparisons, expected);
    }
    centre.shutdown().await;
}

/// A7: a picture that bears no mark of the simulation cannot be compared, and what a station has compared itself need not be: no score is
/// made up for either.
#[tokio::test]
async fn a7_what_cannot_be_compared_has_no_score() {
    let mut town = Town::new().await;
    let mut station = town.station("s1", 1);
    let mut centre = town.centre().await;
    let unmarked: [&[u8]; 2] = [b"a picture", b"another one"];
    applies(&town, &mut station, NUMBER, unmarked);
    let session = Session::next(&station);
    let holder = town.holder(&session, OTHER);
    let [portrait, live] = [0, 0].map(|person| town.picture(&session, &photo_of(person)));
    let comparison = Comparison::Compared {
        device: DeviceId::new("faces-1").unwrap(),
        score: 96,
        score_min: 95,
        matched: true,
    };
    station.push(pending(&session, PORTRAIT));
    station.push(compared(&session, PORTRAIT, comparison));
    let accepted = session.accepted(holder, ApplicationKind::Renewal, None);
    station.push(with_pictures(accepted, &portrait, &live));
    town.send(&mut centre, &station).await;
    until_cases(&mut centre, &[C::Made; 2]).await;
    let decided = decided(&town, &centre, &station).await;
    assert!(decided.iter().all(|d| d.comparisons.is_empty()));
    centre.shutdown().await;
}

/// A7, A17: a picture that comes behind its event is waited for. Its application keeps its place before the same person's next one, and
/// holds up nobody else's.
#[tokio::test]
async fn a7_a_late_picture_is_waited_for() {
    let mut town = Town::new().await;
    let mut station = town.station("s1", 1);
    let mut centre = town.centre().await;
    let (first, second) = (photo_of(0), photo_of(1));
    let (session, portrait) = applies(&town, &mut station, NUMBER, [&first, &first]);
    town.hold_picture(&session, &portrait, false);
    applies(&town, &mut station, NUMBER, [&first, &first]);
    applies(&town, &mut station, OTHER, [&second, &second]);
    town.send(&mut centre, &station).await;
    until_cases(&mut centre, &[C::Arrived, C::Arrived, C::Made]).await;
    town.hold_picture(&session, &portrait, true);
    until_cases(&mut centre, &[C::Made, C::Rejected, C::Made]).await;
    let decided = decided(&town, &centre, &station).await;
    let said: Vec<_> = decided
        .iter()
        .map(|d| (reason(d), d.comparisons.len()))
        .collect();
    let elsewhere = Some(RejectionReason::AlreadyAppliedElsewhere);
    assert_eq!(said, [(None, 2), (None, 2), (elsewhere, 0)]);
    centre.shutdown().await;
}

/// A7: a picture that never comes is not waited for without end: it is decided by what there is, and no score is made up for it.
#[tokio::test]
async fn a7_a_picture_is_not_waited_for_without_end() {
    let mut town = Town::new().await;
    let mut station = town.station("s1", 1);
    let mut config = town.config(GrantTerms::default());
    if let Some(office) = &mut config.office {
        office.picture_wait = Duration::from_millis(300);
    }
    let mut centre = Running::start(config).await.unwrap();
    let own = photo_of(0);
    let (session, portrait) = applies(&town, &mut station, NUMBER, [&own, &own]);
    town.hold_picture(&session, &portrait, false);
    town.send(&mut centre, &station).await;
    until_cases(&mut centre, &[C::Made]).await;
    let decided = decided(&town, &centre, &station).await;
    let live = reviewed(ReviewedPair::LiveHistorical, 97, 60);
    assert_eq!(decided[0].comparisons, [live]);
    centre.shutdown().await;
}
