//! Fees at the centre (A12): codes that phones scan, and what nobody pays.

use schemas::downlink::Instruction;
use schemas::event::Event;
use schemas::event::application::{ApplicationLapsed, Decision, NoticeAsked};
use schemas::event::payment::{PaymentCodeAsked, PaymentRefunded, RefundAsked};
use schemas::ids::{OrderId, TransactionId};
use schemas::message::peripheral::Fen;
use schemas::order::PaymentCode;
use schemas::words::application::{
    ApplicationKind, NoticeCause, PaymentWay, RefundCause, RejectionReason,
};
use simulator::centre::{Asked, CaseStanding, FeeStanding, GrantTerms, OfficeFaults, Running};

use crate::house::until;
use crate::office::{faults, http, order, paid};
use crate::pages::get;
use crate::town::{FEE, NUMBER, Session, Town, until_cases};

/// A12: a station that asks for a code gets one of the network that was chosen; whoever scans it pays its order, by that code. Another question
/// gets another code.
#[tokio::test]
async fn a12_a_code_is_scanned_and_its_order_is_paid() {
    let mut town = Town::new().await;
    let mut station = town.station("s1", 1);
    let mut centre = town.centre().await;
    let session = Session::next(&station);
    station.push(session.orders(&order()));
    let asked = |question, way| PaymentCodeAsked {
        session: session.id.clone(),
        question,
        order: order(),
        way,
        amount_fen: Fen::new(FEE).unwrap(),
    };
    station.push(asked(3, PaymentWay::Wechat));
    station.push(asked(4, PaymentWay::Alipay));
    town.send(&mut centre, &station).await;
    let told = town.told_so_many(&centre, &station, 2).await;
    let [
        Instruction::PaymentCodeIssued(wechat),
        Instruction::PaymentCodeIssued(alipay),
    ] = told.as_slice()
    else {
        panic!("{told:?}")
    };
    assert_eq!((wechat.question, alipay.question), (3, 4));
    assert!(
        wechat
            .code
            .as_str()
            .starts_with("weixin://wxpay/bizpayurl?pr=")
    );
    assert!(alipay.code.as_str().starts_with("https://qr.alipay.com/"));
    let code = alipay.code.as_str();
    let paid = http(&centre, &format!("POST /scan?code={code} HTTP/1.1")).await;
    assert!(paid.starts_with("HTTP/1.1 200"), "{paid}");
    let told = town.told_so_many(&centre, &station, 3).await;
    assert!(
        matches!(told.last(), Some(Instruction::PaymentConfirmed(b))
            if b.order == order() && b.code == Some(4) && b.way == Some(PaymentWay::Alipay)),
        "{told:?}"
    );
    let code = PaymentCode::new("https://qr.alipay.com/another").unwrap();
    let refused = centre.ask(Asked::Scan { code }).await;
    assert_eq!(refused, Err("nobody knows this code".to_owned()));
    let code_valid_s = Some(0);
    faults(
        &centre,
        OfficeFaults {
            code_valid_s,
            ..OfficeFaults::default()
        },
    )
    .await;
    station.push(asked(5, PaymentWay::Wechat));
    town.send(&mut centre, &station).await;
    let told = town.told_so_many(&centre, &station, 4).await;
    let Some(Instruction::PaymentCodeIssued(short)) = told.last() else {
        panic!("{told:?}")
    };
    let refused = centre
        .ask(Asked::Scan {
            code: short.code.clone(),
        })
        .await;
    assert_eq!(refused, Err("the code has expired".to_owned()));
    centre.shutdown().await;
}

/// A12, T2: what nobody paid has lapsed by the station's log: its person may apply again, is told so, and no card is made of a payment that
/// comes after it. The centre may give one up itself, unless it is paid.
#[tokio::test]
async fn a12_what_nobody_paid_lapses_at_the_centre_too() {
    let mut town = Town::new().await;
    let mut station = town.station("s1", 1);
    let mut centre = town.centre().await;
    let session = Session::next(&station);
    let holder = town.holder(&session, NUMBER);
    let phone = town.seal(&session, "application.phone", "13812345678");
    station.push(session.accepted(holder, ApplicationKind::Lost, Some(order())));
    station.push(session.orders(&order()));
    town.send(&mut centre, &station).await;
    until_cases(&mut centre, &[CaseStanding::Confirmed]).await;
    station.push(ApplicationLapsed {
        session: session.id.clone(),
        order: order(),
    });
    station.push(NoticeAsked {
        session: session.id.clone(),
        cause: NoticeCause::Lapsed,
        by: None,
        phone,
    });
    station.push(paid(&order()));
    station.push(RefundAsked {
        order: order(),
        amount_fen: Fen::new(FEE).unwrap(),
        cause: RefundCause::Lapsed,
        transaction: None,
        way: None,
    });
    station.push(NoticeAsked {
        session: session.id.clone(),
        cause: NoticeCause::Refund,
        by: None,
        phone: town.seal(&session, "application.phone", "13812345678"),
    });
    let again = Session::next(&station);
    let holder = town.holder(&again, NUMBER);
    let second = OrderId::new("110105001i1e99").unwrap();
    station.push(again.asks_who(holder.clone()));
    station.push(again.accepted(holder, ApplicationKind::Lost, Some(second.clone())));
    station.push(again.orders(&second));
    town.send(&mut centre, &station).await;
    until_cases(
        &mut centre,
        &[CaseStanding::Lapsed, CaseStanding::Confirmed],
    )
    .await;
    let look = centre.ask(Asked::Look).await.unwrap();
    let told = look["phone"].as_array().unwrap();
    assert_eq!(told.len(), 2, "each once");
    for word in ["has lapsed", "the way it was paid"] {
        let says = |message: &serde_json::Value| message["text"].as_str().unwrap().contains(word);
        assert_eq!(
            told.iter().filter(|message| says(message)).count(),
            1,
            "{word}"
        );
    }
    let page = http(&centre, &format!("POST /give-up?order={second} HTTP/1.1")).await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    until_cases(&mut centre, &[CaseStanding::Lapsed, CaseStanding::Rejected]).await;
    let told = town.told(&centre, &station).await;
    let gave_up = Decision::Rejected {
        reason: RejectionReason::NotPaid,
    };
    assert!(
        matches!(told.last(), Some(Instruction::ApplicationDecided(b)) if b.session == again.id && b.outcome == gave_up),
        "{told:?}"
    );
    // The log says that a payment was first.
    station.push(paid(&second));
    town.send(&mut centre, &station).await;
    until_cases(&mut centre, &[CaseStanding::Lapsed, CaseStanding::Made]).await;
    let order = second;
    let refused = centre.ask(Asked::GiveUp { order }).await;
    assert_eq!(refused, Err("it is paid".to_owned()));
    centre.shutdown().await;
}

/// A12: a citizen had a code on the page, and paid at the terminal while somebody scanned the code. What was paid by the void code is given
/// back; the terminal's payment is kept, and the card is made.
#[tokio::test]
async fn a12_a_void_codes_refund_leaves_the_order_paid() {
    let mut town = Town::new().await;
    let mut station = town.station("s1", 1);
    let mut centre = town.centre().await;
    let session = Session::next(&station);
    let holder = town.holder(&session, NUMBER);
    station.push(session.accepted(holder, ApplicationKind::Lost, Some(order())));
    station.push(session.orders(&order()));
    station.push(PaymentCodeAsked {
        session: session.id.clone(),
        question: 3,
        order: order(),
        way: PaymentWay::Wechat,
        amount_fen: Fen::new(FEE).unwrap(),
    });
    town.send(&mut centre, &station).await;
    let told = town.told_so_many(&centre, &station, 2).await;
    let code = told.iter().find_map(|told| match told {
        Instruction::PaymentCodeIssued(b) => Some(b.code.clone()),
        _ => None,
    });
    let code = code.unwrap();
    centre.ask(Asked::Scan { code }).await.unwrap();
    let told = town.told_so_many(&centre, &station, 3).await;
    let Some(Instruction::PaymentConfirmed(scanned)) = told.last() else {
        panic!("{told:?}")
    };
    station.push(paid(&order()));
    station.push(RefundAsked {
        order: order(),
        amount_fen: Fen::new(FEE).unwrap(),
        cause: RefundCause::VoidCode,
        transaction: Some(scanned.transaction.clone()),
        way: None,
    });
    town.send(&mut centre, &station).await;
    until_cases(&mut centre, &[CaseStanding::Made]).await;
    centre.shutdown().await;
}

/// A12: the centre gave up what it had not decided yet, and the station had heard of a payment before it. It is decided as any other, and
/// its card is made.
#[tokio::test]
async fn a12_what_was_given_up_undecided_is_decided_once_it_is_paid() {
    let mut town = Town::new().await;
    let mut station = town.station("s1", 1);
    let mut centre = town.centre().await;
    let session = Session::next(&station);
    let holder = town.holder(&session, NUMBER);
    town.hold_key(&session, &holder, false);
    station.push(session.accepted(holder.clone(), ApplicationKind::Lost, Some(order())));
    station.push(session.orders(&order()));
    town.send(&mut centre, &station).await;
    until_cases(&mut centre, &[CaseStanding::Arrived]).await;
    let order = order();
    let given_up = centre.ask(Asked::GiveUp {
        order: order.clone(),
    });
    given_up.await.unwrap();
    until_cases(&mut centre, &[CaseStanding::Rejected]).await;
    station.push(paid(&order));
    town.send(&mut centre, &station).await;
    until_cases(&mut centre, &[CaseStanding::Arrived]).await;
    town.hold_key(&session, &holder, true);
    until_cases(&mut centre, &[CaseStanding::Made]).await;
    let told = town.told(&centre, &station).await;
    let decided = told.iter().filter_map(|told| match told {
        Instruction::ApplicationDecided(b) => Some(matches!(b.outcome, Decision::Confirmed { .. })),
        _ => None,
    });
    assert_eq!(decided.collect::<Vec<_>>(), [false, true]);
    centre.shutdown().await;
}

/// A12: the page says of a fee whether it is due, paid, to be given back, or given back.
#[tokio::test]
async fn a12_the_page_says_how_a_fee_stands() {
    let mut town = Town::new().await;
    let mut station = town.station("s1", 1);
    let mut config = town.config(GrantTerms::default());
    config.listen = Some("127.0.0.1:0".parse().unwrap());
    let mut centre = Running::start(config).await.unwrap();
    let session = Session::next(&station);
    let holder = town.holder(&session, NUMBER);
    station.push(session.accepted(holder, ApplicationKind::Lost, Some(order())));
    let amount_fen = Fen::new(FEE).unwrap();
    let steps: [(Event, FeeStanding, &str); 4] = [
        (session.orders(&order()), FeeStanding::Open, "未缴 open"),
        (paid(&order()).into(), FeeStanding::Paid, "已缴 paid"),
        (
            RefundAsked {
                order: order(),
                amount_fen,
                cause: RefundCause::Rejected,
                transaction: None,
                way: None,
            }
            .into(),
            FeeStanding::Refunding,
            "退款中 to be given back",
        ),
        (
            PaymentRefunded {
                order: order(),
                amount_fen,
                transaction: TransactionId::new("5030001").unwrap(),
            }
            .into(),
            FeeStanding::Refunded,
            "已退 given back",
        ),
    ];
    for (event, standing, said) in steps {
        station.push(event);
        town.send(&mut centre, &station).await;
        until(&mut centre, |view| {
            view.applications.as_ref().unwrap().cases[0].fee == standing
        })
        .await;
        let page = get(&centre, "/").await;
        assert!(page.contains(said), "{said}: {page}");
    }
    let page = get(&centre, "/").await;
    assert!(page.contains("退款 refunds: 1，已退 done: 1"), "{page}");
    centre.shutdown().await;
}
