//! What a station says of its days (A12), beside what the payment networks told the centre.

use std::time::{SystemTime, UNIX_EPOCH};

use schemas::civil::CivilDate;
use schemas::downlink::Instruction;
use schemas::downlink::application::PaymentConfirmed as Told;
use schemas::event::payment::{
    PaymentConfirmed, PaymentNoted, PaymentWitness, PaymentsReconciled, RefundAsked,
};
use schemas::ids::{DeviceId, OrderId, TransactionId};
use schemas::message::peripheral::Fen;
use schemas::words::application::{PaymentOddity, RefundCause};
use simulator::centre::{Asked, Day, GrantTerms, OfficeFaults, Running, Sums};

use crate::house::until;
use crate::office::faults;
use crate::pages::get;
use crate::town::{FEE, Session, Town, until_said};

const FEN: u64 = 2_000;
const DAY_MS: u64 = 86_400_000;

fn order(at: u32) -> OrderId {
    OrderId::new(format!("110105001i1e{at}")).unwrap()
}

fn fee() -> Fen {
    Fen::new(FEE).unwrap()
}

/// So many days from now on.
fn day(later: u64) -> CivilDate {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    CivilDate::in_china(u64::try_from(now.as_millis()).unwrap() + later * DAY_MS)
}

/// So many payments came in.
fn reconciled(day: CivilDate, paid: u32) -> PaymentsReconciled {
    PaymentsReconciled {
        day,
        ordered: 0,
        paid,
        refunded: 0,
        paid_fen: u64::from(paid) * FEN,
        refunded_fen: 0,
        ways: Vec::new(),
        open: None,
    }
}

fn confirmed(order: OrderId, witness: PaymentWitness) -> PaymentConfirmed {
    PaymentConfirmed {
        order,
        amount_fen: fee(),
        witness,
        way: None,
        paid_ms: None,
    }
}

fn network(transaction: &TransactionId) -> PaymentWitness {
    PaymentWitness::Centre {
        transaction: transaction.clone(),
    }
}

fn sums(count: u64) -> Sums {
    Sums {
        count,
        fen: count * FEN,
    }
}

/// Somebody pays an order: the network's transaction.
async fn pays(centre: &Running, order: OrderId) -> TransactionId {
    let amount_fen = None;
    let paid = centre.ask(Asked::Pay { order, amount_fen }).await.unwrap();
    serde_json::from_value(paid["transactions"][0].clone()).unwrap()
}

/// The payments that the station was told of.
fn payments(told: &[Instruction]) -> Vec<&Told> {
    let paid = told.iter().filter_map(|told| match told {
        Instruction::PaymentConfirmed(body) => Some(body),
        _ => None,
    });
    paid.collect()
}

/// The station's days, once there are so many.
async fn days(centre: &mut Running, count: usize) -> Vec<Day> {
    until(centre, |view| {
        view.applications.as_ref().unwrap().days.len() == count
    })
    .await;
    let view = centre.view();
    view.applications.as_ref().unwrap().days.clone()
}

/// A12: a payment of which the station never heard is found by the sums of its day, and told again, as it was. When the station has it, it
/// counts to the day on which it heard of it: the days together agree. Page and figures say so.
#[tokio::test]
async fn a12_the_days_sums_find_a_payment_that_a_station_never_heard_of() {
    let mut town = Town::new().await;
    let mut station = town.station("s1", 1);
    let mut config = town.config(GrantTerms::default());
    config.listen = Some("127.0.0.1:0".parse().unwrap());
    let mut centre = Running::start(config).await.unwrap();
    station.push(Session::next(&station).orders(&order(1)));
    town.send(&mut centre, &station).await;
    let lose_payments = true;
    let lossy = OfficeFaults {
        lose_payments,
        ..OfficeFaults::default()
    };
    faults(&centre, lossy).await;
    let transaction = pays(&centre, order(1)).await;
    faults(&centre, OfficeFaults::default()).await;
    until_said(&mut centre).await;
    assert!(payments(&town.told(&centre, &station).await).is_empty());
    station.push(reconciled(day(0), 0));
    town.send(&mut centre, &station).await;
    let told = town.told_so_many(&centre, &station, 1).await;
    let [told] = payments(&told)[..] else {
        panic!("{told:?}")
    };
    assert_eq!((&told.transaction, &told.order), (&transaction, &order(1)));
    assert!(told.amount_fen == fee() && told.paid_ms.is_some() && told.way.is_some());
    let first = days(&mut centre, 1).await.remove(0);
    assert_eq!((first.station_has, first.centre_has), (sums(0), sums(1)));
    assert_eq!((first.difference_fen(), first.told_again), (2_000, 1));
    let page = get(&centre, "/").await;
    assert!(
        page.contains("缴费对账") && page.contains("s1 20.00"),
        "{page}"
    );
    let figures = get(&centre, "/metrics").await;
    let figure = "centre_payments_difference_fen{station=\"s1\"}";
    assert!(figures.contains(&format!("{figure} 2000\n")), "{figures}");
    station.push(confirmed(order(1), network(&transaction)));
    station.push(reconciled(day(1), 1));
    town.send(&mut centre, &station).await;
    let second = days(&mut centre, 2).await.remove(1);
    assert_eq!((second.difference_fen(), second.told_again), (-2_000, 0));
    let figures = get(&centre, "/metrics").await;
    assert!(figures.contains(&format!("{figure} 0\n")), "{figures}");
    assert_eq!(
        payments(&town.told(&centre, &station).await).len(),
        1,
        "told again once"
    );
    centre.shutdown().await;
}

/// A12: a day on which everything is known differs by nothing: what the centre confirmed, what a terminal took, what came without need and
/// was asked back. A restart counts nothing twice.
#[tokio::test]
async fn a12_a_day_on_which_all_is_known_differs_by_nothing() {
    let mut town = Town::new().await;
    let mut station = town.station("s1", 1);
    let mut centre = town.centre().await;
    for at in [1, 2] {
        station.push(Session::next(&station).orders(&order(at)));
    }
    town.send(&mut centre, &station).await;
    let [first, second] = [pays(&centre, order(1)).await, pays(&centre, order(1)).await];
    station.push(confirmed(order(1), network(&first)));
    station.push(PaymentNoted {
        order: order(1),
        oddity: PaymentOddity::SecondPayment,
        amount_fen: fee(),
        transaction: Some(second.clone()),
    });
    station.push(RefundAsked {
        order: order(1),
        amount_fen: fee(),
        cause: RefundCause::PaidTwice,
        transaction: Some(second),
        way: None,
    });
    let device = DeviceId::new("terminal-1").unwrap();
    station.push(confirmed(order(2), PaymentWitness::Terminal { device }));
    station.push(reconciled(day(0), 3));
    town.send(&mut centre, &station).await;
    let known = days(&mut centre, 1).await.remove(0);
    assert_eq!((known.station_has, known.centre_has), (sums(3), sums(3)));
    assert_eq!(known.told_again, 0);
    centre.shutdown().await;
    let mut centre = town.centre().await;
    station.push(reconciled(day(1), 0));
    town.send(&mut centre, &station).await;
    let next = days(&mut centre, 2).await.remove(1);
    assert_eq!((next.centre_has, next.told_again), (sums(0), 0));
    centre.shutdown().await;
}

/// A12: what a terminal took, and the network told of as well, before or after it, is one payment: the days come back to nothing.
#[tokio::test]
async fn a12_what_terminal_and_network_both_tell_is_one_payment() {
    let mut town = Town::new().await;
    let mut station = town.station("s1", 1);
    let mut centre = town.centre().await;
    for at in [1, 2] {
        station.push(Session::next(&station).orders(&order(at)));
    }
    town.send(&mut centre, &station).await;
    let device = DeviceId::new("terminal-1").unwrap();
    let terminal = PaymentWitness::Terminal { device };
    let repeated = |at, transaction| PaymentNoted {
        order: order(at),
        oddity: PaymentOddity::Repeated,
        amount_fen: fee(),
        transaction: Some(transaction),
    };
    station.push(confirmed(order(1), terminal.clone()));
    town.send(&mut centre, &station).await;
    let late = pays(&centre, order(1)).await;
    let early = pays(&centre, order(2)).await;
    station.push(reconciled(day(0), 1));
    town.send(&mut centre, &station).await;
    let first = days(&mut centre, 1).await.remove(0);
    assert_eq!((first.station_has, first.centre_has), (sums(1), sums(2)));
    station.push(repeated(1, late));
    station.push(confirmed(order(2), terminal));
    station.push(repeated(2, early));
    station.push(reconciled(day(1), 1));
    town.send(&mut centre, &station).await;
    let second = days(&mut centre, 2).await.remove(1);
    assert_eq!((second.station_has, second.centre_has), (sums(1), sums(0)));
    centre.shutdown().await;
}
