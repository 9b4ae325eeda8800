//! TLS and credentials, and the commands over HTTP.

use std::net::SocketAddr;

use crate::common::{House, append, client_of, contents, events, within};
use eventstore::{Error, StreamState};
use serde_json::{Value, json};
use simulated_eventstore::{Server, ServerConfig, StartError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[tokio::test]
async fn only_who_has_the_password_is_let_in_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (chain, key) = (
        folder.path().join("chain.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let mut config = ServerConfig::new(folder.path().join("data"));
    config.tls = Some((chain.clone(), key));
    config.credentials = Some(("admin".to_owned(), "changeit".to_owned()));
    let house = House::with(folder, config).await;
    let port = house.server.address().port();
    let client = |user: &str| {
        let chain = chain.display();
        client_of(&format!(
            "esdb://{user}localhost:{port}?tls=true&tlsCaFile={chain}"
        ))
    };
    let right = client("admin:changeit@");
    append(&right, "s", StreamState::NoStream, events(&["0"]))
        .await
        .unwrap();
    assert_eq!(contents(&right, "s").await.unwrap(), ["0"]);
    for user in ["admin:wrong@", ""] {
        let refused = append(&client(user), "s", StreamState::Any, events(&["x"])).await;
        assert!(
            matches!(refused, Err(Error::AccessDenied)),
            "{user}: {refused:?}"
        );
    }
    let plain = client_of(&format!("esdb://admin:changeit@localhost:{port}?tls=false"));
    assert!(
        append(&plain, "s", StreamState::Any, events(&["x"]))
            .await
            .is_err()
    );
}

/// Status and body of a command.
async fn command(address: SocketAddr, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    within(socket.read_to_string(&mut answer)).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

#[tokio::test]
async fn faults_are_commanded_over_http() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = ServerConfig::new(folder.path());
    config.nodes.push(config.nodes[0]);
    config.control = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    let house = House::with(folder, config).await;
    let control = house.server.control_address().unwrap();
    let faults = r#"{"latency_ms": 5, "overloaded": "timeout", "wrong_expected_version": 2}"#;
    let (status, body) = command(control, "POST", "/nodes/1/faults", faults).await;
    let state: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (status, &state["node"], &state["leader"]),
        (200, &json!(1), &json!(false))
    );
    assert_eq!(
        state["faults"],
        json!({
            "latency_ms": 5, "bytes_per_s": 0, "black_hole": false, "refuse": false,
            "overloaded": "timeout", "access_denied": false, "wrong_expected_version": 2,
            "lose_answer": 0, "empty_answer": 0,
        })
    );
    for (path, body, wanted) in [
        ("/nodes/1/faults", r#"{"refuse": true, "slow": 3}"#, 422),
        ("/nodes/2/clear", "", 400),
        ("/nodes/0/cut/gently", "", 400),
        ("/leader/2", "", 400),
        ("/nodes/0/cut/reset", "", 200),
        ("/leader/1", "", 200),
        ("/nodes/1/clear", "", 200),
        ("/nodes/0/faults", r#"{"refuse": true}"#, 200),
    ] {
        assert_eq!(
            command(control, "POST", path, body).await.0,
            wanted,
            "{path} {body}"
        );
    }
    assert!(TcpStream::connect(house.server.address()).await.is_err());
    let (_, body) = command(control, "GET", "/nodes", "").await;
    let nodes: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (&nodes[0]["leader"], &nodes[1]["leader"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(nodes[1]["faults"]["overloaded"], "no");
}

#[tokio::test]
async fn commands_are_taken_from_this_machine_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = ServerConfig::new(folder.path());
    config.control = Some(SocketAddr::from(([0, 0, 0, 0], 0)));
    let refused = Server::start(config).await;
    assert!(
        matches!(refused, Err(StartError::NotLoopback(_))),
        "{refused:?}"
    );
}
