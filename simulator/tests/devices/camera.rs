//! The adapter of network cameras and a simulated one over real sockets: a photo arrives as from a camera that speaks MQTT, or a
//! completion and a status say why there is none.

use crate::support::camera::{CameraBench, at, credentials, onvif, plain, quick};
use crate::support::lighttpd::{self, Lighttpd};
use adapters::camera::{CameraConfig, Credentials, Source, jpeg};
use oxvif::mock::{DeviceState, MockServer};
use serde_json::json;
use simulator::Power;
use simulator::camera::{CameraFault, MARK, Offer, SERVICE_PATH};

/// P5: a still that was found over ONVIF is published, and then replied with its id; each is a new one. A command that comes
/// again is answered again, and no second photo is taken.
#[tokio::test]
async fn p5_photos_are_taken_as_by_a_native_camera() {
    let mut bench = CameraBench::new().await;
    let mut photos = Vec::new();
    for id in ["1-1-0", "1-2-0", "1-3-0"] {
        let (photo, reply) = bench.capture(id, 30).await;
        let photo = photo.unwrap();
        assert!(photo.windows(MARK.len()).any(|window| window == MARK));
        let read = jpeg::inspect(&photo).unwrap();
        assert_eq!((read.width, read.height, read.len), (160, 120, photo.len()));
        let members: Vec<_> = reply.as_object().unwrap().keys().collect();
        assert_eq!(members, ["blob", "command_id", "completion", "message_id"]);
        assert!(!photos.contains(&photo));
        photos.push(photo);
    }
    let (again, first) = bench.capture("1-3-0", 30).await;
    assert_eq!(again, None);
    assert_eq!(bench.capture("1-3-0", 30).await, (None, first));
}

/// G1: birth once it has given a picture, what it says of itself, figures, goodbye.
#[tokio::test]
async fn g1_a_camera_is_born_and_says_goodbye() {
    let mut bench = CameraBench::without_adapter(vec![Offer::Sha256]).await;
    bench.start_adapter(quick(onvif(bench.address)));
    let desc = bench.says("desc", "vendor", "simulated").await;
    assert_eq!(desc["model"], "drawing camera");
    assert_eq!(desc["commands"], json!(["capture"]));
    bench.state("status", "online").await;
    bench.says("$state", "state", "online").await;
    bench.photo("1-1-0").await;
    bench.property("captures-total", |count| count >= 1.0).await;
    bench.property("clock-ahead", |s| s.abs() <= 1.0).await;
    bench.stop_adapter().await;
    bench.says("$state", "state", "offline").await;
}

/// P5: a camera without ONVIF gives its still behind a URL, however it asks for the password, also after many requests, when it
/// wants another nonce.
#[tokio::test]
async fn p5_stills_behind_a_url_are_fetched_with_any_login() {
    for (offers, allow_basic) in [
        (vec![Offer::Md5], false),
        (vec![Offer::Sha256], false),
        (vec![Offer::Basic, Offer::Md5], false),
        (vec![Offer::Basic], true),
        (vec![], false),
    ] {
        let mut bench = CameraBench::without_adapter(offers).await;
        let mut config = quick(plain(bench.address));
        config.allow_basic = allow_basic;
        // No heartbeat hides here whether a nonce is renewed.
        config.heartbeat_ms = 60_000;
        bench.start_adapter(config);
        bench.state("status", "online").await;
        for at in 0..20 {
            bench.photo(&format!("1-{at}-0")).await;
        }
    }
}

/// G7: a password does not go over the line in the clear unless the configuration says so, and a refused one is not tried again
/// and again.
#[tokio::test]
async fn g7_passwords_are_not_sent_in_the_clear_by_themselves() {
    let mut bench = CameraBench::without_adapter(vec![Offer::Basic]).await;
    bench.start_adapter(quick(plain(bench.address)));
    let state = bench.state("detail", "basic-only").await;
    assert_eq!(state["status"], "user-error");
    let (photo, reply) = bench.capture("1-1-0", 30).await;
    assert_eq!(
        (photo, &reply["completion"]),
        (None, &json!("device-not-ready"))
    );
}

/// G1: a wrong password is named, over ONVIF and at the still; the right one is taken when the camera has it again.
#[tokio::test]
async fn g1_a_wrong_password_is_named() {
    for is_onvif in [true, false] {
        let mut bench = CameraBench::without_adapter(vec![Offer::Md5]).await;
        let source = if is_onvif {
            onvif(bench.address)
        } else {
            plain(bench.address)
        };
        let mut config = quick(source);
        config.credentials = Some(credentials("wrong"));
        bench.start_adapter(config);
        let state = bench.state("detail", "refused").await;
        assert_eq!(state["status"], "user-error");
        let (photo, reply) = bench.capture("1-1-0", 30).await;
        assert_eq!(
            (photo, &reply["completion"]),
            (None, &json!("device-not-ready"))
        );
    }
    let mut bench = CameraBench::new().await;
    bench.faults.set(CameraFault::WrongPassword, 1);
    let (_, reply) = bench.capture("1-1-0", 30).await;
    assert_eq!(reply["completion"], "device-not-ready");
    bench.state("detail", "refused").await;
    bench.faults.clear();
    bench.state("status", "online").await;
    bench.photo("1-2-0").await;
}

/// G1: hours between the clocks are no hindrance: tokens are made by the camera's clock. They are told, because the recorder's
/// times are wrong by as much.
#[tokio::test]
async fn g1_a_wrong_clock_is_named_and_does_not_hinder() {
    let mut bench = CameraBench::without_adapter(vec![Offer::Md5]).await;
    bench.faults.set(CameraFault::ClockApart, 1);
    bench.start_adapter(quick(onvif(bench.address)));
    let state = bench.state("detail", "clock-apart").await;
    assert_eq!(state["status"], "online");
    bench.photo("1-1-0").await;
    let ahead = bench.property("clock-ahead", |s| s > 0.0).await;
    assert!((10_799.0..=10_801.0).contains(&ahead), "{ahead}");
    bench.faults.clear();
    bench
        .until("state", |state| state["detail"].is_null())
        .await;
}

/// G1: a camera behind address translation is reached where the station knows it.
#[tokio::test]
async fn g1_a_translated_host_is_replaced() {
    let mut bench = CameraBench::without_adapter(vec![Offer::Md5]).await;
    bench.faults.set(CameraFault::Translated, 1);
    bench.start_adapter(quick(onvif(bench.address)));
    bench.state("status", "online").await;
    bench.photo("1-1-0").await;
}

/// P5: what is no whole picture is never a photo, and a new attempt is made at once.
#[tokio::test]
async fn p5_what_is_no_whole_picture_is_not_published() {
    let mut bench = CameraBench::new().await;
    for (at, fault) in [
        CameraFault::NotAPicture,
        CameraFault::HalfPicture,
        CameraFault::Cut,
        CameraFault::Endless,
        CameraFault::Unavailable,
        CameraFault::Slow,
        CameraFault::SoapFault,
    ]
    .into_iter()
    .enumerate()
    {
        bench.faults.set(fault, 1);
        // The fault of SOAP is met when the camera is found anew after another one.
        bench.faults.set(CameraFault::NotAPicture, 1);
        let photo = bench.photo(&format!("1-{at}-0")).await;
        assert!(jpeg::inspect(&photo).is_some());
        assert!(!bench.faults.take(fault), "{fault:?} was met");
    }
}

/// P5: a fault that stays is named by the status, and by the completion; without it there are photos again, by themselves.
#[tokio::test]
async fn p5_each_fault_is_named() {
    let mut bench = CameraBench::new().await;
    for (at, (fault, detail, completion)) in [
        (CameraFault::NotAPicture, "not-a-picture", "hardware-error"),
        (CameraFault::HalfPicture, "not-a-picture", "hardware-error"),
        (CameraFault::Endless, "too-large", "hardware-error"),
        (CameraFault::Cut, "broken-off", "hardware-error"),
        (CameraFault::Slow, "too-slow", "time-out"),
        (CameraFault::Unavailable, "http-503", "device-not-ready"),
    ]
    .into_iter()
    .enumerate()
    {
        bench.faults.set(fault, u16::MAX);
        let (photo, reply) = bench.capture(&format!("1-{at}-0"), 30).await;
        assert_eq!(
            (photo, &reply["completion"]),
            (None, &json!(completion)),
            "{fault:?}"
        );
        let state = bench.state("detail", detail).await;
        assert_eq!(state["status"], "hardware-error");
        bench.faults.clear();
        bench.state("status", "online").await;
        bench.photo(&format!("2-{at}-0")).await;
    }
}

/// G1: faults of SOAP are named when the camera is looked for.
#[tokio::test]
async fn g1_faults_of_soap_are_named() {
    for (fault, detail, status) in [
        (CameraFault::SoapFault, "soap-fault", "hardware-error"),
        (CameraFault::NoProfile, "no-profile", "user-error"),
    ] {
        let mut bench = CameraBench::without_adapter(vec![Offer::Md5]).await;
        bench.faults.set(fault, u16::MAX);
        bench.start_adapter(quick(onvif(bench.address)));
        let state = bench.state("detail", detail).await;
        assert_eq!(state["status"], status);
        bench.faults.clear();
        bench.state("status", "online").await;
    }
    let mut bench = CameraBench::without_adapter(vec![Offer::Md5]).await;
    for (profile, detail) in [
        ("main", None),
        ("profile-1", None),
        ("other", Some("no-profile")),
    ] {
        bench.start_adapter(quick(Source::Onvif {
            url: at(bench.address, SERVICE_PATH),
            profile: Some(profile.to_owned()),
            still: None,
        }));
        match detail {
            None => drop(bench.state("status", "online").await),
            Some(detail) => drop(bench.state("detail", detail).await),
        }
        bench.stop_adapter().await;
    }
}

/// P5: the same picture again is not a new photo. A camera that makes a new one now and then is waited for; one that never does is
/// named.
#[tokio::test]
async fn p5_the_same_picture_is_not_published_twice() {
    let mut bench = CameraBench::new().await;
    let first = bench.photo("1-1-0").await;
    bench.faults.set(CameraFault::SamePicture, 7);
    assert_ne!(bench.photo("1-2-0").await, first);
    bench.faults.set(CameraFault::SamePicture, u16::MAX);
    let (photo, reply) = bench.capture("1-3-0", 10).await;
    assert_eq!(
        (photo, &reply["completion"]),
        (None, &json!("hardware-error"))
    );
    bench.state("detail", "same-picture").await;
    bench
        .property("same-pictures-total", |count| count >= 8.0)
        .await;
    bench.faults.clear();
    bench.state("status", "online").await;
}

/// G1: a camera without power is gone, after a while; a silent one too. It comes back by itself.
#[tokio::test]
async fn g1_a_camera_that_is_away_is_lost_and_comes_back() {
    let mut bench = CameraBench::new().await;
    for (id, power, detail) in [
        ("1-1-0", Power::Off, "unreachable"),
        ("1-2-0", Power::Silent, "too-slow"),
    ] {
        bench.power.send(power).unwrap();
        let state = bench.state("detail", detail).await;
        assert_eq!(state["status"], "hardware-error");
        bench.says("$state", "state", "lost").await;
        let (photo, reply) = bench.capture(id, 1).await;
        assert_eq!(photo, None);
        assert_ne!(reply["completion"], "success");
        bench.power.send(Power::On).unwrap();
        bench.state("status", "online").await;
        bench.says("$state", "state", "online").await;
    }
}

/// For a server of other people: it may take its time to refuse, lighttpd a second for a wrong password.
fn patient(source: Source, user: &str, password: &str) -> CameraConfig {
    CameraConfig {
        credentials: Some(Credentials::new(
            user.to_owned(),
            password.to_owned().into(),
        )),
        still_bytes_max: 1 << 22,
        request_timeout_ms: 10_000,
        ..quick(source)
    }
}

/// P5, with a server of other people: lighttpd takes our digests, and what it shows is published byte for byte.
#[tokio::test]
async fn p5_lighttpd_takes_our_digests() {
    for algorithms in ["MD5", "SHA-256", "MD5|SHA-256"] {
        let server = Lighttpd::start(algorithms);
        let source = Source::Still(server.still());
        let mut bench = CameraBench::without_adapter(Vec::new()).await;
        bench.start_adapter(patient(source, lighttpd::USER, lighttpd::PASSWORD));
        bench.state("status", "online").await;
        for moment in 1..4 {
            let picture = server.shows(moment);
            assert_eq!(bench.photo(&format!("1-{moment}-0")).await, picture);
        }
    }
}

/// G1, with a server of other people: lighttpd refuses a digest of another password, and that is named.
#[tokio::test]
async fn g1_lighttpd_refuses_another_password() {
    let server = Lighttpd::start("MD5");
    let source = Source::Still(server.still());
    let mut bench = CameraBench::without_adapter(Vec::new()).await;
    bench.start_adapter(patient(source, lighttpd::USER, "Circle of Life"));
    let state = bench.state("detail", "refused").await;
    assert_eq!(state["status"], "user-error");
}

/// An ONVIF device of other people, which knows one user: the one that lighttpd knows too.
async fn device_of_others() -> MockServer {
    let mut known = DeviceState::default();
    known.users.truncate(1);
    lighttpd::USER.clone_into(&mut known.users[0].username);
    lighttpd::PASSWORD.clone_into(&mut known.users[0].password);
    let device = MockServer::builder()
        .initial_state(known)
        .enforce_auth(true);
    device.start().await.unwrap()
}

/// G1, with an ONVIF device of other people: it is found and its names are taken. Its still is a bitmap and not taken for a photo;
/// the still that the configuration names is.
#[tokio::test]
async fn g1_an_onvif_device_of_others_is_understood() {
    let device = device_of_others().await;
    let server = Lighttpd::start("SHA-256");
    for (still, field, value) in [
        (None, "detail", "not-a-picture"),
        (Some(server.still()), "status", "online"),
    ] {
        let url = device.device_url().parse().unwrap();
        let source = Source::Onvif {
            url,
            profile: None,
            still,
        };
        let mut bench = CameraBench::without_adapter(Vec::new()).await;
        bench.start_adapter(patient(source, lighttpd::USER, lighttpd::PASSWORD));
        bench.says("desc", "vendor", "oxvif-mock").await;
        bench.state(field, value).await;
        if value == "online" {
            let picture = server.shows(1);
            assert_eq!(bench.photo("1-1-0").await, picture);
        }
        bench.stop_adapter().await;
    }
}

/// G1, with an ONVIF device of other people: its refusal of a token is named.
#[tokio::test]
async fn g1_an_onvif_device_of_others_refuses_another_password() {
    let device = device_of_others().await;
    let source = Source::Onvif {
        url: device.device_url().parse().unwrap(),
        profile: None,
        still: None,
    };
    let mut bench = CameraBench::without_adapter(Vec::new()).await;
    bench.start_adapter(patient(source, lighttpd::USER, "Circle of Life"));
    let state = bench.state("detail", "refused").await;
    assert_eq!(state["status"], "user-error");
}
