//! What the centre does about applications, over the store: events in the form of the contract go up, instructions come down.

use schemas::downlink::Instruction;
use schemas::downlink::application::GrantIssued;
use schemas::event::application::{Decision, PaymentTerm};
use schemas::event::payment::{PaymentConfirmed, PaymentWitness, RefundAsked};
use schemas::ids::{DeviceId, OrderId};
use schemas::message::manifest::Manifest;
use schemas::message::peripheral::Fen;
use schemas::words::application::{
    ApplicationKind, EligibilityVerdict, PaymentWay, RefundCause, RejectionReason,
};
use schemas::words::{Residence, ResidenceGround};
use simulator::centre::{Asked, CaseStanding, GrantTerms, OfficeFaults, Running};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::house::{House, until};
use crate::station::{NOON_MS, Station};
use crate::town::{FEE, NUMBER, OTHER, Session, Town, until_cases, until_said};

pub(crate) fn order() -> OrderId {
    OrderId::new("110105001i1e3").unwrap()
}

pub(crate) async fn faults(centre: &Running, faults: OfficeFaults) {
    centre.ask(Asked::Faults(faults)).await.unwrap();
}

/// A17: two stations without a link accepted the same person. The centre keeps the one whose person it can open first, and rejects the other; a
/// restart says nothing twice. Somebody else is not concerned.
#[tokio::test]
async fn a17_of_two_acceptances_of_one_person_the_first_is_kept() {
    let mut town = Town::new().await;
    let mut stations = [town.station("s1", 1), town.station("s2", 2)];
    let mut centre = town.centre().await;
    let people = [(1, NUMBER), (0, NUMBER), (0, OTHER)];
    for (at, number) in people {
        let session = Session::next(&stations[at]);
        let holder = town.holder(&session, number);
        let order = Some(OrderId::new("110105001i1e999").unwrap());
        stations[at].push(session.accepted(holder, ApplicationKind::Lost, order));
        town.send(&mut centre, &stations[at]).await;
    }
    until_cases(
        &mut centre,
        &[
            CaseStanding::Confirmed,
            CaseStanding::Rejected,
            CaseStanding::Confirmed,
        ],
    )
    .await;
    centre.shutdown().await;
    let mut centre = town.centre().await;
    stations[0].fill(1);
    town.send(&mut centre, &stations[0]).await;
    let mut outcomes = Vec::new();
    for station in &stations {
        for told in town.told(&centre, station).await {
            match told {
                Instruction::ApplicationDecided(decided) => outcomes.push(match decided.outcome {
                    Decision::Confirmed { .. } => None,
                    Decision::Rejected { reason } => Some(reason),
                }),
                other => panic!("{other:?}"),
            }
        }
    }
    let elsewhere = Some(RejectionReason::AlreadyAppliedElsewhere);
    assert_eq!(outcomes, [elsewhere, None, None]);
    centre.shutdown().await;
}

/// A17: the first by the centre's own order is the first whose person it can open: a station that was cut off sends keys behind its events,
/// and until one is there it holds up neither the same person's application elsewhere nor anybody else's.
#[tokio::test]
async fn a17_whose_key_comes_late_comes_behind() {
    let mut town = Town::new().await;
    let mut stations = [town.station("s1", 1), town.station("s2", 2)];
    let mut centre = town.centre().await;
    let late = Session::next(&stations[0]);
    let held = town.holder(&late, NUMBER);
    town.hold_key(&late, &held, false);
    stations[0].push(late.accepted(held.clone(), ApplicationKind::Lost, None));
    town.send(&mut centre, &stations[0]).await;
    for number in [NUMBER, OTHER] {
        let session = Session::next(&stations[1]);
        let holder = town.holder(&session, number);
        stations[1].push(session.accepted(holder, ApplicationKind::Lost, None));
    }
    town.send(&mut centre, &stations[1]).await;
    let made = CaseStanding::Made;
    until_cases(&mut centre, &[CaseStanding::Arrived, made, made]).await;
    town.hold_key(&late, &held, true);
    until_cases(&mut centre, &[CaseStanding::Rejected, made, made]).await;
    let told = town.told(&centre, &stations[0]).await;
    let [Instruction::ApplicationDecided(decided)] = &told[..] else {
        panic!("{told:?}")
    };
    let reason = RejectionReason::AlreadyAppliedElsewhere;
    assert_eq!(decided.session, late.id);
    assert_eq!(decided.outcome, Decision::Rejected { reason });
    centre.shutdown().await;
}

/// A2, A5: the centre answers as soon as the key of the question has come; the flagged, the young and those who have applied are not
/// eligible.
#[tokio::test]
async fn a5_a_question_is_answered_when_its_key_has_come() {
    use EligibilityVerdict as V;
    let mut town = Town::new().await;
    let mut station = town.station("s1", 1);
    let terms = GrantTerms {
        flagged: vec![OTHER.to_owned()],
        ..GrantTerms::default()
    };
    let mut centre = Running::start(town.config(terms)).await.unwrap();
    let accepted = Session::next(&station);
    let holder = town.holder(&accepted, "34052419800101001X");
    station.push(accepted.accepted(holder, ApplicationKind::Lost, None));
    let mut late = None;
    // A renewal, a flagged one, a child, and one who has applied above.
    for number in [NUMBER, OTHER, "110101202311012176", "34052419800101001X"] {
        let session = Session::next(&station);
        let holder = town.holder(&session, number);
        station.push(session.asks_who(holder.clone()));
        if number == NUMBER {
            town.hold_key(&session, &holder, false);
            late = Some((session, holder));
        }
    }
    town.send(&mut centre, &station).await;
    until(&mut centre, |view| {
        let office = view.applications.as_ref().unwrap();
        (office.questions, office.letters) == (1, 0)
    })
    .await;
    let (session, holder) = late.unwrap();
    town.hold_key(&session, &holder, true);
    until_said(&mut centre).await;
    let told = town.told(&centre, &station).await;
    let verdicts = told.iter().filter_map(|told| match told {
        Instruction::EligibilityAnswered(body) => {
            // A4: of whom may apply the masked name is told, of nobody else.
            let name = body.name.as_ref().map(ToString::to_string);
            let register = (body.verdict == V::Eligible).then_some("*三");
            assert_eq!(name.as_deref(), register);
            Some((body.session.clone(), body.verdict))
        }
        _ => None,
    });
    let verdicts: Vec<_> = verdicts.collect();
    let said: Vec<_> = verdicts.iter().map(|(_, verdict)| *verdict).collect();
    assert_eq!(
        verdicts.last().map(|(of, _)| of),
        Some(&session.id),
        "the late one is the last"
    );
    assert_eq!(
        said,
        [V::Flagged, V::UnderAge, V::AlreadyApplied, V::Eligible]
    );
    centre.shutdown().await;
}

/// A8: the phone shows the code that the station's hash is of, and nothing else of the centre shows either.
#[tokio::test]
async fn a8_the_phone_shows_the_code_that_fits() {
    let mut town = Town::new().await;
    let mut station = town.station("s1", 1);
    let mut centre = town.centre().await;
    let session = Session::next(&station);
    let phone = town.seal(&session, "application.phone", "13812345678");
    station.push(session.asks_code(phone));
    town.send(&mut centre, &station).await;
    until_said(&mut centre).await;
    let told = town.told(&centre, &station).await;
    let [Instruction::SmsCodeSent(sent)] = told.as_slice() else {
        panic!("{told:?}")
    };
    let look = centre.ask(Asked::Look).await.unwrap();
    assert_eq!(look["phone"][0]["phone"], "13812345678");
    let text = look["phone"][0]["text"].as_str().unwrap();
    let code = text.split_whitespace().last().unwrap();
    assert!(sent.code.is(code), "{text}");
    let shown = serde_json::to_string(&*centre.view()).unwrap();
    assert!(!shown.contains(code) && !shown.contains("13812345678"));
    let page = http(&centre, "GET / HTTP/1.1").await;
    assert!(page.contains(code), "{page}");
    centre.shutdown().await;
}

/// A17, T2: whoever was accepted provisionally and then rejected is told so, with the ticket that the counter knows; whoever is confirmed
/// too. Each is told once, when the phone number can be opened, and a restart or an event that comes again tells nobody twice.
#[tokio::test]
async fn t2_a_decision_is_told_once() {
    let mut town = Town::new().await;
    let mut station = town.station("s1", 1);
    let mut centre = town.centre().await;
    let rejected = Session::next(&station);
    let phone = town.seal(&rejected, "application.phone", "13812345678");
    town.hold_key(&rejected, &phone, false);
    station.push(rejected.compensated("W1-17", phone.clone()));
    town.send(&mut centre, &station).await;
    let notices = |sent: u64, waiting: usize| {
        move |view: &simulator::centre::View| {
            let office = view.applications.as_ref().unwrap();
            (office.notices, office.notices_waiting) == (sent, waiting)
        }
    };
    until(&mut centre, notices(0, 1)).await;
    town.hold_key(&rejected, &phone, true);
    until(&mut centre, notices(1, 0)).await;

    let confirmed = Session::next(&station);
    let phone = town.seal(&confirmed, "application.phone", "13912345678");
    station.push(confirmed.accepted_with_phone(town.holder(&confirmed, OTHER), phone));
    station.push(confirmed.confirmed());
    town.send(&mut centre, &station).await;
    until(&mut centre, notices(2, 0)).await;
    centre.shutdown().await;
    let mut centre = town.centre().await;
    station.fill(1);
    town.send(&mut centre, &station).await;
    until(&mut centre, notices(2, 0)).await;

    let look = centre.ask(Asked::Look).await.unwrap();
    let phone = look["phone"].as_array().unwrap();
    let told = |at: usize, number: &str, words: &str| {
        let text = phone[at]["text"].as_str().unwrap();
        assert!(
            phone[at]["phone"] == number && text.contains(words),
            "{look}"
        );
    };
    assert_eq!(phone.len(), 2);
    told(0, "13812345678", "W1-17");
    told(1, "13912345678", "通过核查");
    let shown = serde_json::to_string(&*centre.view()).unwrap();
    assert!(!shown.contains("13812345678"), "G7");
    let seen_to = http(
        &centre,
        "POST /window?ticket=W1-17&result=accepted HTTP/1.1",
    )
    .await;
    assert!(seen_to.starts_with("HTTP/1.1 200"), "{seen_to}");
    centre.shutdown().await;
}

/// A12, T2: whoever is confirmed and has not paid is told that no card is made before, and until when that is: fifteen days from the
/// confirmation. Where the log says no term, no day is told; whoever has paid is told that it stands.
#[tokio::test]
async fn a12_whoever_is_confirmed_is_told_what_is_due() {
    let mut town = Town::new().await;
    let mut station = town.station("s1", 1);
    let mut centre = town.centre().await;
    let mut confirm = |order: &OrderId, term, is_paid| {
        let session = Session::next(&station);
        let phone = town.seal(&session, "application.phone", "13812345678");
        station.push(session.orders(order));
        let holder = town.holder(&session, OTHER);
        station.push(session.accepted_owing(holder, phone, order, term));
        if is_paid {
            station.push(paid(order));
        }
        station.push(session.confirmed());
    };
    let term = Some(PaymentTerm {
        due_days: 15,
        notice_days: 3,
    });
    let of = |n: u32| OrderId::new(format!("110105001i1e{n}")).unwrap();
    confirm(&of(3), term, false);
    confirm(&of(6), None, false);
    confirm(&of(9), term, true);
    town.send(&mut centre, &station).await;
    let told = |view: &simulator::centre::View| view.applications.as_ref().unwrap().notices == 3;
    until(&mut centre, told).await;
    let look = centre.ask(Asked::Look).await.unwrap();
    let text = |at: usize| look["phone"][at]["text"].as_str().unwrap();
    let day = schemas::civil::CivilDate::in_china(NOON_MS + 15 * 86_400_000);
    for said in [
        format!("请于 {day} 前（含当日）"),
        format!("by {day} with the payment notice"),
    ] {
        assert!(text(0).contains(&said), "{}", text(0));
    }
    for at in [0, 1] {
        for said in [
            "已通过核查",
            "尚未缴纳",
            "逾期未缴的，申请作废",
            "The fee is still due",
        ] {
            assert!(text(at).contains(said), "{}", text(at));
        }
    }
    assert!(!text(1).contains("含当日"), "{}", text(1));
    assert!(
        text(2).contains("已通过核查") && !text(2).contains("缴"),
        "{}",
        text(2)
    );
    centre.shutdown().await;
}

/// A12: what a citizen pays is confirmed; with the fault twice, as two transactions; what the station asks back is given back once.
#[tokio::test]
async fn a12_payments_are_confirmed_and_given_back() {
    let mut town = Town::new().await;
    let mut station = town.station("s1", 1);
    let mut centre = town.centre().await;
    let session = Session::next(&station);
    station.push(session.orders(&order()));
    town.send(&mut centre, &station).await;
    let unknown = OrderId::new("110105001i1e4").unwrap();
    let amount_fen = None;
    let refused = centre
        .ask(Asked::Pay {
            order: unknown,
            amount_fen,
        })
        .await;
    assert_eq!(refused, Err("no such order".to_owned()));
    faults(
        &centre,
        OfficeFaults {
            double_payment: true,
            ..OfficeFaults::default()
        },
    )
    .await;
    let paid = http(&centre, &format!("POST /pay?order={} HTTP/1.1", order())).await;
    assert!(paid.starts_with("HTTP/1.1 200"), "{paid}");
    let told = town.told_so_many(&centre, &station, 2).await;
    let transactions: Vec<_> = told
        .iter()
        .map(|told| match told {
            Instruction::PaymentConfirmed(body) => {
                assert_eq!((&body.order, body.amount_fen.get()), (&order(), FEE));
                assert!(body.way == Some(PaymentWay::Wechat) && body.paid_ms.is_some());
                body.transaction.clone()
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(transactions.len() == 2 && transactions[0] != transactions[1]);
    station.push(RefundAsked {
        order: order(),
        amount_fen: Fen::new(FEE).unwrap(),
        cause: RefundCause::PaidTwice,
        transaction: Some(transactions[1].clone()),
        way: None,
    });
    town.send(&mut centre, &station).await;
    until_said(&mut centre).await;
    centre.shutdown().await;
    let mut centre = town.centre().await;
    station.fill(1);
    town.send(&mut centre, &station).await;
    let told = town.told(&centre, &station).await;
    assert!(
        matches!(told.as_slice(), [_, _, Instruction::PaymentRefunded(b)] if b.order == order())
    );
    centre.shutdown().await;
}

/// A terminal's payment, as a station records it.
pub(crate) fn paid(order: &OrderId) -> PaymentConfirmed {
    PaymentConfirmed {
        order: order.clone(),
        amount_fen: Fen::new(FEE).unwrap(),
        witness: PaymentWitness::Terminal {
            device: DeviceId::new("terminal-1").unwrap(),
        },
        way: None,
        paid_ms: None,
    }
}

/// C1, P1, P6, P8, A12: once an application stands and is paid, its card is made, once, and announced with the acceptance number as its
/// voucher; a renewal has an old card to hand in, and whoever is registered elsewhere a ground to collect it here. From there it goes
/// the way of every card.
#[tokio::test]
async fn c1_a_card_is_made_when_the_application_stands_and_is_paid() {
    let mut town = Town::new().await;
    let mut station = town.station("s1", 1);
    let mut centre = town.centre().await;
    let session = Session {
        residence: Residence::OtherProvince,
        ..Session::next(&station)
    };
    let holder = town.holder(&session, NUMBER);
    station.push(session.accepted(holder, ApplicationKind::Renewal, Some(order())));
    station.push(session.orders(&order()));
    town.send(&mut centre, &station).await;
    until_cases(&mut centre, &[CaseStanding::Confirmed]).await;
    station.push(paid(&order()));
    town.send(&mut centre, &station).await;
    until_cases(&mut centre, &[CaseStanding::Made]).await;
    centre.shutdown().await;
    let mut centre = town.centre().await;
    station.fill(1);
    town.send(&mut centre, &station).await;
    let told = town.told(&centre, &station).await;
    let [
        Instruction::ApplicationDecided(_),
        Instruction::ManifestIssued(text),
    ] = told.as_slice()
    else {
        panic!("{told:?}")
    };
    let manifest: Manifest = serde_json::from_str(text.get()).unwrap();
    let card = &manifest.cards[0];
    assert_eq!(
        (card.number.expose(), card.voucher.expose()),
        (NUMBER, "1101050012026112100007")
    );
    assert_eq!(
        (card.residence, card.ground),
        (
            Residence::OtherProvince,
            Some(ResidenceGround::ResidencePermit)
        )
    );
    // The register's name: the number was keyed, and no card told it.
    assert_eq!((card.name.expose(), card.old_card_due), ("张三", true));
    let chip = town
        .house
        .folder
        .path()
        .join(format!("made/{}.json", card.serial));
    let chip: serde_json::Value = serde_json::from_slice(&std::fs::read(chip).unwrap()).unwrap();
    assert_eq!(
        (&chip["number"], chip["fingers"].as_array().unwrap().len()),
        (&NUMBER.into(), 2)
    );
    centre.shutdown().await;
}

/// A17: every station is granted, once as long as that holds; the list flags by the hash that stations make; another list is another
/// version.
#[tokio::test]
async fn a17_every_station_has_a_grant() {
    let mut town = Town::new().await;
    let mut station = town.station("s1", 1);
    let terms = |flagged: &[&str]| GrantTerms {
        flagged: flagged.iter().map(|number| (*number).to_owned()).collect(),
        ..GrantTerms::default()
    };
    let mut versions = Vec::new();
    for (flagged, issued) in [(&[NUMBER][..], 1), (&[NUMBER], 1), (&[NUMBER, OTHER], 2)] {
        let mut centre = Running::start(town.config(terms(flagged))).await.unwrap();
        station.fill(1);
        town.send(&mut centre, &station).await;
        until_said(&mut centre).await;
        let grants = grants(&town, &centre, &station).await;
        assert_eq!(grants.len(), issued);
        let newest = grants.last().unwrap();
        assert_eq!(newest.flagged.len(), flagged.len());
        assert!(
            newest
                .flagged
                .iter()
                .any(|hash| hash.as_str() == hashed(newest, NUMBER))
        );
        versions.push(newest.version);
        centre.shutdown().await;
    }
    assert!(
        versions[0] == versions[1] && versions[1] < versions[2],
        "{versions:?}"
    );
}

/// A17: while the office is silent nothing is answered; then it is, late. Rejecting, it lets nobody in.
#[tokio::test]
async fn a17_a_silent_office_answers_late() {
    let mut town = Town::new().await;
    let mut station = town.station("s1", 1);
    let mut centre = town.centre().await;
    let (silent, reject) = (true, true);
    faults(
        &centre,
        OfficeFaults {
            silent,
            reject,
            ..OfficeFaults::default()
        },
    )
    .await;
    let session = Session::next(&station);
    let holder = town.holder(&session, NUMBER);
    station.push(session.asks_who(holder.clone()));
    station.push(session.accepted(holder, ApplicationKind::Lost, None));
    town.send(&mut centre, &station).await;
    until(&mut centre, |view| {
        view.applications.as_ref().unwrap().letters == 2
    })
    .await;
    assert!(town.told(&centre, &station).await.is_empty());
    faults(&centre, OfficeFaults::default()).await;
    until_said(&mut centre).await;
    let told = town.told(&centre, &station).await;
    assert!(
        matches!(
            told.as_slice(),
            [Instruction::ApplicationDecided(b), Instruction::EligibilityAnswered(a)]
                if a.verdict == EligibilityVerdict::NotInScope
                    && b.outcome == (Decision::Rejected { reason: RejectionReason::Other })
        ),
        "{told:?}"
    );
    centre.shutdown().await;
}

async fn grants(town: &Town, centre: &Running, station: &Station) -> Vec<GrantIssued> {
    let key = House::shown_key(&centre.view());
    let told = town.house.told(&station.id, &[key]).await.into_iter();
    told.filter_map(|genuine| match genuine.instruction {
        Instruction::GrantIssued(grant) => Some(grant),
        _ => None,
    })
    .collect()
}

/// As link.md, section 6, says.
fn hashed(grant: &GrantIssued, number: &str) -> String {
    use argon2::{Algorithm, Argon2, Params, Version};
    let params = Params::new(19_456, 2, 1, Some(16)).unwrap();
    let salt = hex::decode(grant.salt.as_str()).unwrap();
    let mut hash = [0; 16];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(number.as_bytes(), &salt, &mut hash)
        .unwrap();
    hex::encode(hash)
}

pub(crate) async fn http(centre: &Running, line: &str) -> String {
    let mut socket = TcpStream::connect(centre.counter().unwrap()).await.unwrap();
    let request =
        format!("{line}\r\nhost: counter\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    answer
}

/// T2: a key that cannot be read holds up one notice, and loses none: those behind it are sent, and it is sent when its key can be read.
#[tokio::test]
async fn t2_a_key_that_cannot_be_read_loses_no_notice() {
    let mut town = Town::new().await;
    let mut station = town.station("s1", 1);
    let mut centre = town.centre().await;
    let unreadable = Session::next(&station);
    let phone = town.seal(&unreadable, "application.phone", "13812345678");
    town.hold_key(&unreadable, &phone, false);
    // A folder of the key's name: reading it fails otherwise than where nothing is.
    let keys = town.received.path().join("s1/session-keys");
    let in_the_way = keys.join(format!("{}.json", phone.key().unwrap()));
    std::fs::create_dir(&in_the_way).unwrap();
    station.push(unreadable.compensated("W1-17", phone.clone()));
    let other = Session::next(&station);
    let second = town.seal(&other, "application.phone", "13912345678");
    station.push(other.compensated("W1-18", second));
    town.send(&mut centre, &station).await;
    let notices = |sent: u64, waiting: usize| {
        move |view: &simulator::centre::View| {
            let office = view.applications.as_ref().unwrap();
            (office.notices, office.notices_waiting) == (sent, waiting)
        }
    };
    until(&mut centre, notices(1, 1)).await;
    std::fs::remove_dir(in_the_way).unwrap();
    town.hold_key(&unreadable, &phone, true);
    until(&mut centre, notices(2, 0)).await;
    centre.shutdown().await;
}

/// A15: a ticket for papers that becomes one of a rejection stands at the counter once, and is gone when it was seen to.
#[tokio::test]
async fn a15_a_ticket_stands_once_at_the_counter() {
    let mut town = Town::new().await;
    let mut station = town.station("s1", 1);
    let mut centre = town.centre().await;
    let session = Session::next(&station);
    let phone = town.seal(&session, "application.phone", "13812345678");
    station.push(session.papers_missed("W1-17"));
    station.push(session.compensated("W1-17", phone));
    town.send(&mut centre, &station).await;
    let tickets = |count: usize| {
        move |view: &simulator::centre::View| view.applications.as_ref().unwrap().tickets == count
    };
    until(&mut centre, tickets(1)).await;
    let seen_to = http(
        &centre,
        "POST /window?ticket=W1-17&result=accepted HTTP/1.1",
    )
    .await;
    assert!(seen_to.starts_with("HTTP/1.1 200"), "{seen_to}");
    until(&mut centre, tickets(0)).await;
    centre.shutdown().await;
}
