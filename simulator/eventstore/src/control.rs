//! Commands over HTTP, on a loopback address. Answers and bodies are JSON.
//!
//! ```text
//! GET  /health                    "ok"
//! GET  /nodes                     [{"node": 0, "address": "127.0.0.1:2113", "leader": true, "faults": {…}}]
//! POST /nodes/{n}/faults          any of the faults below; what is not named stays as it is
//! POST /nodes/{n}/cut/{how}       all connections end now: reset, close or half-close
//! POST /nodes/{n}/clear           no fault lasts any more, and the node listens
//! POST /leader/{n}                node n leads
//!
//! latency_ms, bytes_per_s (0: no limit), black_hole, refuse, overloaded (no, too-busy, timeout or
//! resource-exhausted), access_denied, wrong_expected_version and lose_answer, empty_answer (for the next n appends)
//! ```
//! A POST answers with the node's state, or with 400 and what is wrong.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::faults::{Cut, FaultState, Overload};
use crate::node::Cluster;
use crate::server::NodeHandle;

#[derive(Debug, Clone)]
struct Control {
    nodes: Arc<[NodeHandle]>,
    cluster: Arc<Cluster>,
}

#[derive(Debug, Serialize)]
struct NodeState {
    node: usize,
    address: String,
    leader: bool,
    faults: FaultState,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    latency_ms: Option<u64>,
    bytes_per_s: Option<u32>,
    black_hole: Option<bool>,
    refuse: Option<bool>,
    overloaded: Option<Overload>,
    access_denied: Option<bool>,
    wrong_expected_version: Option<u32>,
    lose_answer: Option<u32>,
    empty_answer: Option<u32>,
}

type Answer = Result<Json<NodeState>, (StatusCode, String)>;

pub(crate) fn router(nodes: Vec<NodeHandle>, cluster: Arc<Cluster>) -> Router {
    Router::new()
        .route("/health", get(|| async { "ok\n" }))
        .route("/nodes", get(all))
        .route("/nodes/{node}/faults", post(change))
        .route("/nodes/{node}/cut/{how}", post(cut))
        .route("/nodes/{node}/clear", post(clear))
        .route("/leader/{node}", post(lead))
        .with_state(Control {
            nodes: nodes.into(),
            cluster,
        })
}

pub(crate) async fn serve(listener: TcpListener, router: Router) {
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(%error, "the control interface stopped");
    }
}

impl Control {
    fn node(&self, number: usize) -> Result<&NodeHandle, (StatusCode, String)> {
        let node = self.nodes.get(number);
        node.ok_or_else(|| bad(format!("there are {} nodes", self.nodes.len())))
    }

    fn state(&self, number: usize) -> Answer {
        let node = self.node(number)?;
        Ok(Json(NodeState {
            node: number,
            address: node.address().to_string(),
            leader: self.cluster.leader() == number,
            faults: node.faults().state(),
        }))
    }
}

fn bad(why: String) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, why + "\n")
}

async fn all(State(control): State<Control>) -> Result<Json<Vec<NodeState>>, (StatusCode, String)> {
    let states =
        (0..control.nodes.len()).map(|number| control.state(number).map(|Json(state)| state));
    states.collect::<Result<_, _>>().map(Json)
}

async fn change(
    State(control): State<Control>,
    Path(number): Path<usize>,
    Json(change): Json<Change>,
) -> Answer {
    let faults = control.node(number)?.faults();
    if let Some(latency_ms) = change.latency_ms {
        faults.latency(Duration::from_millis(latency_ms));
    }
    if let Some(bytes_per_s) = change.bytes_per_s {
        faults.slow(NonZeroU32::new(bytes_per_s));
    }
    if let Some(on) = change.black_hole {
        faults.black_hole(on);
    }
    if let Some(how) = change.overloaded {
        faults.overload(how);
    }
    if let Some(on) = change.access_denied {
        faults.deny_access(on);
    }
    if let Some(appends) = change.wrong_expected_version {
        faults.wrong_expected_version(appends);
    }
    if let Some(appends) = change.lose_answer {
        faults.lose_answer(appends);
    }
    if let Some(appends) = change.empty_answer {
        faults.empty_answer(appends);
    }
    if let Some(on) = change.refuse {
        faults.refuse(on).await.map_err(bad)?;
    }
    control.state(number)
}

async fn cut(State(control): State<Control>, Path((number, how)): Path<(usize, Cut)>) -> Answer {
    control.node(number)?.faults().cut(how);
    control.state(number)
}

async fn clear(State(control): State<Control>, Path(number): Path<usize>) -> Answer {
    control.node(number)?.faults().clear().await.map_err(bad)?;
    control.state(number)
}

async fn lead(State(control): State<Control>, Path(number): Path<usize>) -> Answer {
    control.node(number)?;
    control.cluster.set_leader(number);
    control.state(number)
}
