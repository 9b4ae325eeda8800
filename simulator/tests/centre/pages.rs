//! The pages of the centre.

use schemas::event::station::{DeviceReported, ServiceChanged};
use schemas::uplink::{Record, alert_stream};
use schemas::words::ServiceReason;
use simulator::centre::Running;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::house::{House, until, until_acknowledged};
use crate::station::Station;

pub(crate) async fn get(centre: &Running, path: &str) -> String {
    let mut socket = TcpStream::connect(centre.address().unwrap()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: centre\r\nconnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer
}

async fn centre(house: &House) -> Running {
    let mut config = house.config();
    config.listen = Some("127.0.0.1:0".parse().unwrap());
    Running::start(config).await.unwrap()
}

/// G6: page, JSON and figures say what was verified; alerts of the station are shown ahead of its log, and a false one as not
/// verified.
#[tokio::test]
async fn the_pages_say_what_was_verified() {
    let house = House::new().await;
    let mut station = Station::of_len("s1", 1, 10);
    station.push(ServiceChanged {
        in_service: false,
        reasons: vec![ServiceReason::StorageLow],
    });
    let report = DeviceReported {
        device: "dispenser-1".parse().unwrap(),
        report: "tamper".to_owned(),
        detail: None,
    };
    house.register(station.registration());
    house.append(&station.stream(), 0, &station.records()).await;
    let ahead = station.sign(40, &report.clone().into(), &station.keys[0]);
    let forged = station.sign(41, &report.into(), &crate::station::Key::new(9));
    let alerts = [ahead, forged].map(|signed| Record::of(&signed, None).unwrap());
    house.append(&alert_stream(&station.id), 0, &alerts).await;
    let mut centre = centre(&house).await;
    until_acknowledged(&mut centre, &station).await;
    until(&mut centre, |view| {
        view.alerts
            .get("s1")
            .is_some_and(|alerts| alerts.len() == 2)
    })
    .await;
    let genuine: Vec<bool> = centre.view().alerts["s1"]
        .iter()
        .map(|alert| alert.genuine)
        .collect();
    assert_eq!(genuine, [true, false]);

    let page = get(&centre, "/").await;
    for text in [
        "站点",
        "s1",
        "暂停服务",
        "存储不足",
        "已领取 collected",
        "station.device.reported.v1",
        "未能核实",
        "2026-11-21 12:00:00",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
    assert!(
        !page.contains("http://") && !page.contains("https://"),
        "loads from elsewhere"
    );
    let json = get(&centre, "/stations").await;
    let (_, body) = json.split_once("\r\n\r\n").unwrap();
    let json: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(json["logs"]["station-s1-1"]["size"], 11);
    assert_eq!(json["logs"]["station-s1-1"]["custody"]["handed-over"], 2);
    let figures = get(&centre, "/metrics").await;
    for line in [
        "centre_store_up 1",
        "centre_verified_events{stream=\"station-s1-1\"} 11",
        "centre_acknowledged_events{stream=\"station-s1-1\"} 11",
        "centre_in_service{stream=\"station-s1-1\"} 0",
        "centre_pickups{outcome=\"collected\",stream=\"station-s1-1\"} 2",
        "centre_alerts{station=\"s1\"} 1",
    ] {
        assert!(figures.contains(line), "{line} in {figures}");
    }
    get(&centre, "/healthz").await;
    centre.shutdown().await;
}

/// G4: an alert comes ahead of its log; where its key comes later in the log, it is verified then.
#[tokio::test]
async fn an_alert_under_a_later_key_is_verified_when_the_key_has_come() {
    let house = House::new().await;
    let mut station = Station::of_len("s1", 1, 10);
    house.register(station.registration());
    let before = station.records();
    station.rotate();
    let report = DeviceReported {
        device: "dispenser-1".parse().unwrap(),
        report: "fire".to_owned(),
        detail: None,
    };
    let ahead = station.sign(40, &report.into(), station.keys.last().unwrap());
    let alert = Record::of(&ahead, None).unwrap();
    house.append(&station.stream(), 0, &before).await;
    house.append(&alert_stream(&station.id), 0, &[alert]).await;
    let mut centre = centre(&house).await;
    let shown = |genuine: bool| {
        move |view: &simulator::centre::View| {
            let alerts = view.alerts.get("s1").map(Vec::as_slice).unwrap_or_default();
            matches!(alerts, [alert] if alert.genuine == genuine)
        }
    };
    until(&mut centre, shown(false)).await;
    house
        .append(&station.stream(), 10, &station.records()[10..])
        .await;
    until(&mut centre, shown(true)).await;
    centre.shutdown().await;
}

/// Whoever can write into the store cannot write into the page.
#[tokio::test]
async fn names_from_the_store_are_shown_as_text() {
    let house = House::new().await;
    let record = Record {
        id: [1; 16],
        event_type: "t".to_owned(),
        data: b"{}".to_vec(),
        metadata: Vec::new(),
    };
    let stream = "station-<script>alert(1)</script>";
    house.append(stream, 0, &[record]).await;
    let mut centre = centre(&house).await;
    until(&mut centre, |view| view.unknown.contains_key(stream)).await;
    let page = get(&centre, "/").await;
    assert!(page.contains("station-&lt;script&gt;"), "{page}");
    assert!(!page.contains("<script"), "{page}");
    centre.shutdown().await;
}
