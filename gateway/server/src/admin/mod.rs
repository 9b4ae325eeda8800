//! The admin socket: what station IT may ask of a running station, over HTTP on a Unix socket in the data folder that its
//! owner alone can open (mode 0600). The commands of `gateway` use it; so can `curl --unix-socket`.
//!
//! | request | answer |
//! |---|---|
//! | `GET /station` | JSON: origin, incarnation, events, verifier keys |
//! | `GET /checkpoint` | the newest signed checkpoint |
//! | `GET /events?from=0&to=100` | signed events, a CBOR sequence (RFC 8742); both bounds may be left out |
//! | `GET /proof/41` | the proof of one event, c2sp.org/tlog-proof |
//! | `GET /proofs/41` | JSON: that text, then those of every rotation of the signing key, all over one checkpoint |
//! | `GET /link` | JSON: how the link to the centre stands, and what is still to be sent |
//! | `POST /keys/rotate` | JSON: the event that changed the signing key |
//! | `POST /keys/rotate-lookup` | JSON: the new lookup key's id |
//! | `POST /witness/dismiss?one=a&other=b` | JSON: the two operators who approve that the station goes on |
//! | `POST /maintenance/machine-1/on?operator=a` | JSON: what is taken out of service; `off`: back into it |
//! | `POST /devices/reader-1/accept?operator=a` | JSON: the device that an operator confirms as it is |
//! | `GET /commission/machine-1` | JSON: how the machine and its devices stand |
//! | `POST /commission/machine-1` with JSON operator and pin | JSON: the session of the commissioning, or why not |
//! | `POST /commission/sessions/s-41/{trial}` | JSON: what came of the exercise |
//! | `POST /commission/sessions/s-41/report` with JSON | JSON: the event that records the commissioning |
//! | `GET /window` | JSON: the window tickets that wait for an officer, and whose keys open them here |
//! | `POST /window/W1-7/open` with JSON operator, pin, key | JSON: what was entered, sealed, and what opens it |
//! | `POST /window/W1-7/close` with JSON operator, pin, result | JSON: the ticket |
//! | `GET /blobs/0a1b…` | a sealed file |
//! | `POST /sessions/s-41/erase` | JSON: what was erased |
//!
//! It must never answer with anything personal or secret: events hold ciphertext, and keys their public parts.

mod acts;
mod client;
mod commission;
mod devices;
mod events;
mod link;
mod window;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::extract::{Path as UrlPath, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use gateway_audit::Proof;
use gateway_log::{Log, SignedHead};
use gateway_sync::LinkFigures;
use serde::{Deserialize, Serialize};
use tokio::net::UnixListener;
use tokio::sync::watch;

use crate::blobs::BlobStore;
use crate::keys::KeyRing;
use crate::operators::PinDesk;
use crate::pipeline::Acts;
use crate::sealing::KeyStore;

pub use acts::{Dismissed, Erased, LookupRotated, Rotated};
pub use client::{Client, ClientError};
pub use commission::{Begun, Exercised, Recorded, Report};
pub use devices::{Accepted, Maintained};
pub use link::LinkReport;
pub use window::{ListedTicket, OpenedTicket};

/// How long a proof waits for the checkpoint that covers its event.
const COVER_WAIT: Duration = Duration::from_secs(5);

/// What the socket answers from. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Admin {
    /// The log.
    pub log: Log,
    /// The signing keys.
    pub ring: KeyRing,
    /// The number of the log.
    pub incarnation: u32,
    /// The way into the loop.
    pub acts: Acts,
    /// How the link to the centre stands; none where there is no centre.
    pub link: Option<watch::Receiver<LinkFigures>>,
    /// PINs of operators.
    pub pins: PinDesk,
    /// Sealed blobs.
    pub blobs: BlobStore,
    /// Sealed keys of sessions.
    pub session_keys: KeyStore,
    /// SHA-256 of the configuration's texts.
    pub configuration_sha256: Arc<str>,
}

/// `GET /station`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The log.
    pub origin: String,
    /// Its number.
    pub incarnation: u32,
    /// Durable events.
    pub events: u64,
    /// The first event that is there; those before it were pruned.
    #[serde(default)]
    pub first_event: u64,
    /// Verifier keys, the first one first, the one in force last.
    pub vkeys: Vec<String>,
}

/// What comes before the first event that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beginning {
    /// The tree over it, as a frontier's bytes, in hexadecimal digits.
    pub tree: String,
    /// The signed events in it that change the key, in hexadecimal digits, with their indexes.
    pub rotations: Vec<(u64, String)>,
}

/// Where the socket of a station is.
pub fn socket_path(data_folder: &Path) -> PathBuf {
    data_folder.join("admin.sock")
}

/// Opens the socket; the future serves it. Called while the log's lock is held, so a socket that is there was left behind.
pub fn open(
    admin: Admin,
    path: &Path,
) -> anyhow::Result<impl Future<Output = std::io::Result<()>> + use<>> {
    let listener = bind(path).with_context(|| {
        format!(
            "cannot open the admin socket {} (a path may have 100 characters)",
            path.display()
        )
    })?;
    let router = Router::new()
        .route("/station", get(station))
        .route("/beginning", get(beginning))
        .route("/checkpoint", get(checkpoint))
        .route("/events", get(events::events))
        .route("/proof/{index}", get(proof))
        .route("/proofs/{index}", get(proofs))
        .route("/link", get(link::link))
        .route("/keys/rotate", post(acts::rotate))
        .route("/keys/rotate-lookup", post(acts::rotate_lookup))
        .route("/witness/dismiss", post(acts::dismiss_witness))
        .route("/maintenance/{name}/{switch}", post(devices::maintain))
        .route("/devices/{device}/accept", post(devices::accept))
        .route(
            "/commission/{machine}",
            get(commission::stands).post(commission::begin),
        )
        .route(
            "/commission/sessions/{session}/report",
            post(commission::report),
        )
        .route(
            "/commission/sessions/{session}/{trial}",
            post(commission::exercise),
        )
        .route("/window", get(window::list))
        .route("/window/{ticket}/open", post(window::open))
        .route("/window/{ticket}/close", post(window::close))
        .route("/blobs/{name}", get(window::blob))
        .route("/sessions/{session}/erase", post(acts::erase))
        .with_state(admin);
    Ok(async move { axum::serve(listener, router).await })
}

/// Nobody else can open it at any moment: it gets its name only after its mode.
fn bind(path: &Path) -> std::io::Result<UnixListener> {
    let fresh = path.with_extension("new");
    for old in [&fresh, path] {
        match std::fs::remove_file(old) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    let listener = UnixListener::bind(&fresh)?;
    std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(&fresh, path)?;
    Ok(listener)
}

/// What is answered when it is not what was asked for: one line of text.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) StatusCode, pub(crate) String);

impl axum::response::IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, format!("{}\n", self.1)).into_response()
    }
}

async fn station(State(admin): State<Admin>) -> Json<Standing> {
    Json(Standing {
        origin: admin.log.origin().to_owned(),
        incarnation: admin.incarnation,
        events: admin.log.size(),
        first_event: admin.log.first_index(),
        vkeys: admin.ring.vkeys(),
    })
}

async fn beginning(State(admin): State<Admin>) -> Result<Json<Beginning>, Refused> {
    let (log, ring) = (admin.log, admin.ring);
    let read = panics::off_runtime(move || log.beginning()).await;
    let tree = read
        .map_err(|error| internal(&error.to_string()))?
        .map_err(|error| internal(&error.to_string()))?;
    let rotations = ring.rotations().into_iter();
    let before = rotations.filter(|(index, _)| *index < tree.size());
    Ok(Json(Beginning {
        rotations: before
            .map(|(index, signed)| (index, hex::encode(signed)))
            .collect(),
        tree: hex::encode(tree.to_bytes()),
    }))
}

async fn checkpoint(State(admin): State<Admin>) -> Response {
    text(admin.log.head().note)
}

async fn proof(
    State(admin): State<Admin>,
    UrlPath(index): UrlPath<u64>,
) -> Result<Response, Refused> {
    let proofs = proofs_of(admin, index).await?;
    Ok(text(proofs.into_iter().next().unwrap_or_default()))
}

async fn proofs(
    State(admin): State<Admin>,
    UrlPath(index): UrlPath<u64>,
) -> Result<Json<Vec<String>>, Refused> {
    proofs_of(admin, index).await.map(Json)
}

/// The event's proof, then those of the rotations, all over one checkpoint.
async fn proofs_of(admin: Admin, index: u64) -> Result<Vec<String>, Refused> {
    if index >= admin.log.size() {
        let why = format!(
            "there is no event {index}: the log holds {}",
            admin.log.size()
        );
        return Err(Refused(StatusCode::NOT_FOUND, why));
    }
    let first = admin.log.first_index();
    if index < first {
        let why = format!(
            "event {index} was pruned: the events that are here begin with {first}; the centre holds it"
        );
        return Err(Refused(StatusCode::GONE, why));
    }
    let mut heads = admin.log.heads();
    let covered = heads.wait_for(|head| head.checkpoint.size > index);
    let Ok(Ok(head)) = tokio::time::timeout(COVER_WAIT, covered)
        .await
        .map(|head| head.map(|head| head.clone()))
    else {
        let why = format!("no checkpoint covers event {index} yet: try again in a moment");
        return Err(Refused(StatusCode::SERVICE_UNAVAILABLE, why));
    };
    let made = panics::off_runtime(move || {
        let size = head.checkpoint.size;
        let rotations = admin.ring.rotations().into_iter();
        let rotations = rotations.filter(|(at, _)| *at < size && *at != index);
        let own = event_at(&admin.log, index)?;
        std::iter::once((index, own))
            .chain(rotations)
            .map(|(index, event)| make_proof(&admin.log, index, event, &head))
            .collect()
    });
    let made: anyhow::Result<Vec<String>> =
        made.await.map_err(|error| internal(&error.to_string()))?;
    made.map_err(|error| internal(&format!("{error:#}")))
}

fn internal(why: &str) -> Refused {
    Refused(StatusCode::INTERNAL_SERVER_ERROR, why.to_owned())
}

fn event_at(log: &Log, index: u64) -> anyhow::Result<Vec<u8>> {
    let stored = log.read(index..index + 1).next();
    let (_, event) = stored.context("the event cannot be read")??;
    Ok(event)
}

/// The proof of an event under `head`. Reads the disk.
fn make_proof(log: &Log, index: u64, event: Vec<u8>, head: &SignedHead) -> anyhow::Result<String> {
    let inclusion = log.inclusion_in(index, head.checkpoint.size)?;
    let proof = Proof {
        event,
        index,
        path: inclusion.path,
        checkpoint: head.note.clone(),
    };
    Ok(proof.to_string())
}

fn text(body: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
}
