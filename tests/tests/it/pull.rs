//! G3 on the real binaries: the whole log can be pulled as c2sp.org/tlog-tiles says, by who is named, and by nobody else.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use schemas::proof::{Checkpoint, Frontier, Hash, SignedNote};
use serde_json::json;
use station_tests::certificates::{certificates, openssl};
use station_tests::config::Layout;
use station_tests::raw::{Hello, Raw};
use station_tests::station::Station;
use station_tests::{new_id, wait_for};

const STEP: Duration = Duration::from_secs(20);

/// What came back: status, head in lower case, body.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

/// One request over a connection of its own; none where nothing comes back.
fn ask(addr: SocketAddr, method: &str, path: &str) -> Option<Answer> {
    let mut stream = TcpStream::connect(addr).ok()?;
    stream.set_read_timeout(Some(STEP)).ok()?;
    let request = format!("{method} {path} HTTP/1.1\r\nHost: station\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    let split = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..split].to_vec())
        .ok()?
        .to_lowercase();
    Some(Answer {
        status: head.split(' ').nth(1)?.parse().ok()?,
        head,
        body: bytes[split + 4..].to_vec(),
    })
}

fn get(addr: SocketAddr, path: &str) -> Answer {
    ask(addr, "GET", &format!("/v1/log/1/{path}")).unwrap()
}

/// The resource must be there, of this type, to be kept for ever.
fn tile(addr: SocketAddr, path: &str) -> Vec<u8> {
    let answer = get(addr, &format!("tile/{path}"));
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    for line in [
        "content-type: application/octet-stream",
        "cache-control: max-age=31536000, immutable",
    ] {
        assert!(answer.head.contains(line), "{path}: {}", answer.head);
    }
    answer.body
}

fn checkpoint(addr: SocketAddr) -> Checkpoint {
    let answer = get(addr, "checkpoint");
    assert_eq!(answer.status, 200, "{answer:?}");
    for line in [
        "content-type: text/plain; charset=utf-8",
        "cache-control: no-cache",
    ] {
        assert!(answer.head.contains(line), "{}", answer.head);
    }
    let note = String::from_utf8(answer.body).unwrap();
    Checkpoint::parse_body(SignedNote::parse(&note).unwrap().text()).unwrap()
}

/// Has `count` reports of a device recorded.
fn record(station: &Station, count: usize) {
    let mut device = Raw::connect(station.layout.mqtt, &Hello::v5("kiosk-9")).unwrap();
    for _ in 0..count {
        let payload = json!({"message_id": new_id()}).to_string();
        let topic = "station/v1/demo/kiosk-9/event/test";
        device.publish(topic, payload.as_bytes()).unwrap();
        while device.read().unwrap().kind() != 4 {}
    }
}

/// The entries of a bundle: each after its length, nothing left over.
fn entries(mut bundle: &[u8]) -> Vec<Vec<u8>> {
    let mut entries = Vec::new();
    while let Some((len, rest)) = bundle.split_first_chunk() {
        let (entry, rest) = rest.split_at(usize::from(u16::from_be_bytes(*len)));
        entries.push(entry.to_vec());
        bundle = rest;
    }
    assert!(bundle.is_empty());
    entries
}

fn full_or_partial(kind: &str, width: u64) -> String {
    if width == 256 {
        format!("{kind}/000")
    } else {
        format!("{kind}/000.p/{width}")
    }
}

/// G3, V3: entries, hashes and checkpoint fit each other and are the log that is exported; what the checkpoint does not cover is not
/// there; an earlier checkpoint's partial tiles stay.
#[test]
fn g3_the_whole_log_is_pulled_as_tiles() {
    let root = tempfile::tempdir().unwrap();
    let mut station = Station::new(Layout::new(root.path()));
    station.start();
    let addr = station.layout.pull;
    record(&station, 20);
    let early = wait_for("a checkpoint covers them", STEP, || {
        Some(checkpoint(addr)).filter(|head| head.size > 20)
    });
    assert!(early.size < 256, "{}", early.size);
    let early_tile = tile(addr, &full_or_partial("0", early.size));
    let early_entries = tile(addr, &full_or_partial("entries", early.size));
    not_there(addr, early.size);

    record(&station, 300);
    let late = wait_for("a checkpoint covers them", STEP, || {
        Some(checkpoint(addr)).filter(|head| head.size > 320)
    });
    let (full, rest) = (tile(addr, "entries/000"), late.size - 256);
    let mut all = entries(&full);
    all.extend(entries(&tile(addr, &format!("entries/001.p/{rest}"))));
    let mut hashes = tile(addr, "0/000");
    hashes.extend(tile(addr, &format!("0/001.p/{rest}")));
    assert_eq!(u64::try_from(all.len()), Ok(late.size));
    let leaves: Vec<u8> = all.iter().flat_map(|entry| Hash::leaf(entry).0).collect();
    assert!(hashes == leaves, "the hashes are not those of the entries");
    let (mut tree, mut first) = (Frontier::new(), Frontier::new());
    for (at, entry) in (0..).zip(&all) {
        tree.append(entry);
        if at < 256 {
            first.append(entry);
        }
    }
    assert_eq!(tree.root(), late.root);
    assert_eq!(tile(addr, "1/000.p/1"), first.root().0);
    assert!(hashes.starts_with(&early_tile) && full.starts_with(&early_entries));
    assert_eq!(tile(addr, &full_or_partial("0", early.size)), early_tile);
    let exported = station.tool(&["export", "cose", "-"], "").stdout;
    assert!(
        exported.starts_with(&all.concat()),
        "another log is exported"
    );
    assert!(
        station
            .metric("station_pull_requests_total{result=\"served\"}")
            .unwrap()
            > 8.0
    );
    assert!(
        station
            .metric("station_pull_requests_total{result=\"not-found\"}")
            .unwrap()
            > 8.0
    );
    assert_eq!(
        station.metric("station_pull_requests_total{result=\"failed\"}"),
        None
    );
    assert!(station.stop().success());
    assert!(ask(addr, "GET", "/v1/log/1/checkpoint").is_none());
}

/// What must not be found in a log of `size` events, fewer than 255, and must not be kept as not found.
fn not_there(addr: SocketAddr, size: u64) {
    let beyond = size + 1;
    for path in [
        format!("tile/0/000.p/{beyond}"),
        format!("tile/entries/000.p/{beyond}"),
        "tile/0/000".to_owned(),
        "tile/entries/000".to_owned(),
        "tile/0/001.p/1".to_owned(),
        "tile/1/000.p/1".to_owned(),
        "tile/0/000.p/0".to_owned(),
        "tile/0/x000/000.p/1".to_owned(),
        "tile/8/0/000.p/1".to_owned(),
        "tile/../checkpoint".to_owned(),
        "tile/".to_owned(),
        "../2/checkpoint".to_owned(),
        String::new(),
    ] {
        let answer = get(addr, &path);
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        assert!(answer.head.contains("cache-control: no-store"), "{path}");
    }
    assert_eq!(
        ask(addr, "GET", "/v1/log/2/checkpoint").unwrap().status,
        404
    );
    assert_eq!(
        ask(addr, "POST", "/v1/log/1/checkpoint").unwrap().status,
        405
    );
    assert!(
        ask(addr, "HEAD", "/v1/log/1/checkpoint")
            .unwrap()
            .body
            .is_empty()
    );
    // The pages and the admin socket are elsewhere.
    for path in ["/metrics", "/events", "/station"] {
        assert_eq!(ask(addr, "GET", path).unwrap().status, 404, "{path}");
    }
}

/// What curl gets with a certificate: the status, or why there is none.
fn curl(
    folder: &Path,
    addr: SocketAddr,
    client: Option<&str>,
    more: &[&str],
) -> Result<u16, String> {
    let mut command = Command::new("curl");
    command
        .args(["--silent", "--show-error", "--cacert", "ca.pem"])
        .args(["--output", "answer", "--write-out", "%{http_code}"])
        .args(more)
        .arg(format!(
            "https://localhost:{}/v1/log/1/checkpoint",
            addr.port()
        ))
        .current_dir(folder);
    if let Some(name) = client {
        let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
        command.args(["--cert", &certificate, "--key", &key]);
    }
    let output = command
        .output()
        .expect("curl is needed: apt-get install curl");
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap().parse().unwrap())
    } else {
        Err(String::from_utf8(output.stderr).unwrap())
    }
}

/// G3, G7: TLS 1.3 and a certificate of the right authority with a name on the list, or nothing of the log is seen.
#[test]
fn g3_only_who_is_named_pulls() {
    let root = tempfile::tempdir().unwrap();
    certificates(root.path(), &["auditor-1", "kiosk-1"]);
    let stranger = root.path().join("stranger");
    std::fs::create_dir(&stranger).unwrap();
    certificates(&stranger, &["auditor-1"]);
    // Another authority's certificate with a name that is on the list.
    for kind in ["pem", "key"] {
        let from = stranger.join(format!("auditor-1.{kind}"));
        std::fs::copy(from, root.path().join(format!("false-auditor.{kind}"))).unwrap();
    }
    let mut station = Station::configured(Layout::new(root.path()), |text| {
        let tls = "[pull.tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\nclient_ca = \"ca.pem\"\n\
                   clients = [\"centre\", \"auditor-1\"]\n\n[pipeline]";
        text.replace("[pipeline]", tls)
    });
    station.start();
    let (folder, addr) = (root.path(), station.layout.pull);
    assert_eq!(curl(folder, addr, Some("auditor-1"), &[]), Ok(200));
    let note = std::fs::read_to_string(folder.join("answer")).unwrap();
    assert!(note.starts_with("gateway.demo/station/demo/1\n"), "{note}");
    assert_eq!(curl(folder, addr, Some("kiosk-1"), &[]), Ok(403));
    let said = std::fs::read_to_string(folder.join("answer")).unwrap();
    assert!(said.contains("does not name anybody"), "{said}");
    for (client, more) in [
        (None, &[][..]),
        (Some("false-auditor"), &[]),
        (Some("auditor-1"), &["--tls-max", "1.2"]),
    ] {
        let refused = curl(folder, addr, client, more);
        assert!(refused.is_err(), "{client:?} {more:?}: {refused:?}");
    }
    let plain = ask(addr, "GET", "/v1/log/1/checkpoint");
    assert!(plain.is_none(), "{plain:?}");
    let not_allowed = "station_pull_requests_total{result=\"not-allowed\"}";
    assert_eq!(station.metric(not_allowed), Some(1.0));
    let refused = "station_pull_refused_total{reason=\"tls\"}";
    wait_for("all four are counted", STEP, || {
        (station.metric(refused) == Some(4.0)).then_some(())
    });
    assert!(station.stop().success());
}

/// V1: a list that revokes a certificate is heeded; without its files the station does not start, and says which.
#[test]
fn g3_a_revoked_auditor_pulls_no_more() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path();
    certificates(folder, &["auditor-1", "auditor-2"]);
    std::fs::write(folder.join("index.txt"), "").unwrap();
    std::fs::write(folder.join("crlnumber"), "01\n").unwrap();
    std::fs::write(
        folder.join("ca.cnf"),
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=crlnumber\ndefault_md=sha256\ndefault_crl_days=30\n",
    )
    .unwrap();
    openssl(
        folder,
        "ca -config ca.cnf -keyfile ca.key -cert ca.pem -revoke auditor-2.pem",
    );
    let mut station = Station::configured(Layout::new(folder), |text| {
        let tls = "[pull.tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\nclient_ca = \"ca.pem\"\ncrl = \"revoked.pem\"\n\
                   clients = [\"auditor-1\", \"auditor-2\"]\n\n[pipeline]";
        text.replace("[pipeline]", tls)
    });
    station.spawn();
    assert_eq!(station.wait_end().code(), Some(1));
    assert!(
        station.output().contains("cannot read revoked.pem"),
        "{}",
        station.output()
    );
    openssl(
        folder,
        "ca -config ca.cnf -keyfile ca.key -cert ca.pem -gencrl -out revoked.pem",
    );
    station.start();
    let addr = station.layout.pull;
    assert_eq!(curl(folder, addr, Some("auditor-1"), &[]), Ok(200));
    assert!(curl(folder, addr, Some("auditor-2"), &[]).is_err());
    assert!(station.stop().success());
}

/// G3: who says nothing, says it slowly, or says too much, holds a place for a limited time and does not keep others out for good.
#[test]
fn g3_nobody_keeps_others_from_pulling() {
    let root = tempfile::tempdir().unwrap();
    let mut station = Station::configured(Layout::new(root.path()), |text| {
        let limits = "connections_max = 2\nrequest_timeout_ms = 6000";
        text.replace("connections_max = 16\n", "")
            .replace("request_timeout_ms = 10000", "")
            .replace("connection_s_max = 600", limits)
    });
    station.start();
    let addr = station.layout.pull;
    let silent = |said: &[u8]| {
        let mut stream = TcpStream::connect(addr).unwrap();
        stream.write_all(said).unwrap();
        stream.set_read_timeout(Some(STEP)).unwrap();
        stream
    };
    let request = b"GET /v1/log/1/checkpoint HTTP/1.1\r\nHost: s\r\n\r\n";
    let begun = Instant::now();
    // One stops in the middle of a request, one after an answer. Their time is long enough for the third one to come meanwhile.
    let mut held = [silent(b"GET /v1/log/1/checkp"), silent(request)];
    let mut first = [0; 12];
    held[1].read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let busy = "station_pull_refused_total{reason=\"busy\"}";
    assert!(ask(addr, "GET", "/v1/log/1/checkpoint").is_none());
    assert_eq!(station.metric(busy), Some(1.0));
    for stream in &mut held {
        // Closed by the station; what came before that does not matter.
        drop(stream.read_to_end(&mut Vec::new()));
    }
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(1) && took < STEP, "{took:?}");
    wait_for("there is a place again", STEP, || {
        ask(addr, "GET", "/v1/log/1/checkpoint").filter(|answer| answer.status == 200)
    });
    let long = format!("/v1/log/1/tile/0/{}", "x001/".repeat(4_000));
    let refused = ask(addr, "GET", &long);
    assert!(refused.is_none_or(|answer| (400..500).contains(&answer.status)));
    assert_eq!(get(addr, "checkpoint").status, 200);
    assert!(station.stop().success());
}
