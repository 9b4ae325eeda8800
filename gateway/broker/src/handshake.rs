//! From a fresh socket to an accepted CONNECT, or to a refusal that says why.

use std::hash::{BuildHasher as _, RandomState};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mqtt_protocol_core::mqtt::common::Cursor;
use mqtt_protocol_core::mqtt::connection::{PacketBuilder, RawPacket};
use rustls_pki_types::CertificateDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::connection::{Established, Socket, close_and_linger, frame};
use crate::encode::{self, Accepted, Refusal};
use crate::handler::{Action, ConnectRefusal, DisconnectReason, Event, Hello, Identity, Version};
use crate::lifecycle::{self, Claim};
use crate::session::Link;
use crate::shared::Shared;
use crate::storable;
use crate::topic;
use crate::wire::{self, Connect, WireError};
use crate::writer::settled;

/// A socket that has said nothing yet.
pub(crate) struct Fresh {
    pub(crate) socket: Box<dyn Socket>,
    pub(crate) peer: SocketAddr,
    pub(crate) listener: Arc<str>,
    pub(crate) certificates: Vec<CertificateDer<'static>>,
    /// All places are taken: to be told so, and closed.
    pub(crate) busy: bool,
}

/// Why there is no connection.
enum Failed {
    /// Nothing to answer: not MQTT, or gone.
    Silent(DisconnectReason),
    Refused(Option<Version>, Refusal),
}

impl From<DisconnectReason> for Failed {
    fn from(reason: DisconnectReason) -> Self {
        Self::Silent(reason)
    }
}

/// Reads and answers the CONNECT. `None`: the socket was refused and is closed.
pub(crate) async fn establish(shared: &Arc<Shared>, mut fresh: Fresh) -> Option<Established> {
    let mut frames =
        PacketBuilder::with_maximum_packet_size(shared.limits.connect_packet_bytes_max);
    match accept(shared, &mut fresh, &mut frames).await {
        Ok(accepted) => {
            frames.set_maximum_packet_size(shared.limits.packet_bytes_max);
            Some(accepted.established(fresh.socket, frames, fresh.peer))
        }
        Err(failed) => {
            refuse(shared, fresh, failed).await;
            None
        }
    }
}

async fn refuse(shared: &Shared, mut fresh: Fresh, failed: Failed) {
    shared.counters.refused.add();
    let peer = fresh.peer;
    let mut out = Vec::new();
    match failed {
        Failed::Silent(reason) => {
            shared.handler.observe(Event::Rejected { peer, reason });
            if reason == DisconnectReason::ConnectionLost {
                return;
            }
        }
        Failed::Refused(version, refusal) => {
            shared.handler.observe(match refusal {
                Refusal::Handler(reason) => Event::Refused { peer, reason },
                Refusal::Malformed
                | Refusal::Protocol
                | Refusal::UnsupportedVersion
                | Refusal::BadAuthenticationMethod
                | Refusal::TopicNameInvalid => Event::Rejected {
                    peer,
                    reason: DisconnectReason::ProtocolError,
                },
            });
            encode::refuse(&mut out, version, refusal);
        }
    }
    let linger = async {
        if fresh.socket.write_all(&out).await.is_ok() {
            close_and_linger(&mut fresh.socket).await;
        }
    };
    // A client that does not close its side in time is cut off.
    drop(tokio::time::timeout(Duration::from_millis(shared.limits.linger_ms_max), linger).await);
}

/// An accepted CONNECT.
struct Welcome {
    connect: Connect,
    unread: Vec<u8>,
    out: Vec<u8>,
    identity: Identity,
    key: u64,
    link: Arc<Link>,
    keep_alive_s: u16,
    expiry_s: u32,
    received: std::collections::HashSet<u16>,
    session_present: bool,
}

impl Welcome {
    fn established(
        self,
        socket: Box<dyn Socket>,
        frames: PacketBuilder,
        peer: SocketAddr,
    ) -> Established {
        Established {
            socket,
            frames,
            unread: self.unread,
            out: self.out,
            version: self.connect.version,
            identity: self.identity,
            key: self.key,
            link: self.link,
            keep_alive_s: self.keep_alive_s,
            expiry_s: self.expiry_s,
            receive_max: self.connect.receive_max,
            packet_bytes_max: self.connect.packet_bytes_max,
            topic_alias_max: self.connect.topic_alias_max,
            received: self.received,
            peer,
            session_present: self.session_present,
        }
    }
}

async fn accept(
    shared: &Arc<Shared>,
    fresh: &mut Fresh,
    frames: &mut PacketBuilder,
) -> Result<Welcome, Failed> {
    let limit = Duration::from_millis(shared.limits.connect_timeout_ms);
    let read = tokio::time::timeout(limit, read_connect(&mut fresh.socket, frames)).await;
    let (raw, unread) = read.map_err(|_late| DisconnectReason::KeepAliveTimeout)??;
    let version = wire::connect_version(&raw);
    let connect = wire::connect(&raw).map_err(|error| {
        if error == WireError::Panicked {
            shared.counters.panics.add();
            shared.handler.observe(Event::PanicCaught);
        }
        wire_failed(error, version)
    })?;
    let refused = |refusal| Failed::Refused(Some(connect.version), refusal);
    if fresh.busy {
        return Err(refused(Refusal::Handler(ConnectRefusal::ServerBusy)));
    }
    let identity = identify(shared, fresh, &connect).map_err(refused)?;
    check_will(shared, &identity, &connect).map_err(refused)?;
    welcome(shared, connect, identity, unread).await
}

async fn read_connect(
    socket: &mut Box<dyn Socket>,
    frames: &mut PacketBuilder,
) -> Result<(RawPacket, Vec<u8>), DisconnectReason> {
    let mut buffer = vec![0; 1_024];
    loop {
        let read = socket
            .read(&mut buffer)
            .await
            .map_err(|_lost| DisconnectReason::ConnectionLost)?;
        let bytes = buffer.get(..read).filter(|bytes| !bytes.is_empty());
        let mut cursor = Cursor::new(bytes.ok_or(DisconnectReason::ConnectionLost)?);
        while !cursor.remaining_slice().is_empty() {
            if let Some(raw) = frame(frames, &mut cursor)? {
                return Ok((raw, cursor.remaining_slice().to_vec()));
            }
        }
    }
}

fn wire_failed(error: WireError, version: Option<Version>) -> Failed {
    let refusal = match error {
        WireError::Malformed | WireError::Panicked => Refusal::Malformed,
        WireError::Protocol => Refusal::Protocol,
        WireError::UnsupportedVersion => Refusal::UnsupportedVersion,
        WireError::ClientIdentifier => Refusal::Handler(ConnectRefusal::ClientIdentifierNotValid),
    };
    Failed::Refused(version, refusal)
}

fn identify(shared: &Shared, fresh: &Fresh, connect: &Connect) -> Result<Identity, Refusal> {
    let not_valid = Refusal::Handler(ConnectRefusal::ClientIdentifierNotValid);
    if connect.authentication_method {
        return Err(Refusal::BadAuthenticationMethod);
    }
    let given = !connect.client_id.is_empty();
    // MQTT 3.1.1, section 3.1.3.1: without an id there is nothing a session could be kept under.
    if !given && connect.version == Version::V311 && !connect.clean_start {
        return Err(not_valid);
    }
    let made_up = if given {
        String::new()
    } else {
        made_up_client_id()
    };
    let hello = Hello {
        peer: fresh.peer,
        listener: &fresh.listener,
        certificates: &fresh.certificates,
        client_id: if given { &connect.client_id } else { &made_up },
        client_id_given: given,
        username: connect.username.as_deref(),
        password: connect.password.as_deref(),
        version: connect.version,
        clean_start: connect.clean_start,
    };
    let identity = shared.handler.connect(&hello).map_err(Refusal::Handler)?;
    let id = &identity.client_id;
    let fits = !id.is_empty()
        && id.len() <= shared.limits.topic_bytes_max
        && !id.contains('\0')
        && storable::client_id(&shared.limits, id);
    if fits { Ok(identity) } else { Err(not_valid) }
}

/// Unique for all practical purposes: the hasher's keys are random.
fn made_up_client_id() -> String {
    let random = || RandomState::new().hash_one(0u8);
    format!("auto-{:016x}{:016x}", random(), random())
}

fn check_will(shared: &Shared, identity: &Identity, connect: &Connect) -> Result<(), Refusal> {
    let Some((will, _)) = &connect.will else {
        return Ok(());
    };
    if !topic::name_is_valid(&will.topic, &shared.limits) {
        return Err(Refusal::TopicNameInvalid);
    }
    let handler = &*shared.handler;
    if !handler.authorise(identity, Action::Will, &will.topic) {
        return Err(Refusal::Handler(ConnectRefusal::NotAuthorised));
    }
    if storable::will(&shared.limits, handler, &identity.principal, will) {
        Ok(())
    } else {
        Err(Refusal::Handler(ConnectRefusal::QuotaExceeded))
    }
}

async fn welcome(
    shared: &Arc<Shared>,
    connect: Connect,
    identity: Identity,
    unread: Vec<u8>,
) -> Result<Welcome, Failed> {
    let version = connect.version;
    let refused = |refusal| Failed::Refused(Some(version), Refusal::Handler(refusal));
    let limits = &shared.limits;
    let wish_s = match version {
        Version::V5 => connect.expiry_s.unwrap_or(0),
        Version::V311 if connect.clean_start => 0,
        Version::V311 => limits.session_expiry_s_max,
    };
    let expiry_s = wish_s.min(limits.session_expiry_s_max);
    let keep_alive_s = keep_alive(&connect, limits.keep_alive_s_max);
    let link = Arc::new(Link::default());
    let claim = Claim {
        identity: identity.clone(),
        clean_start: connect.clean_start,
        expiry_s,
        will: connect.will.clone(),
    };
    let claimed = lifecycle::claim(shared, &claim, &link)
        .await
        .map_err(refused)?;
    // From here on the session is this connection's: whatever fails must let it go again.
    let key = claimed.key;
    let mut out = Vec::new();
    let accepted = Accepted {
        session_present: claimed.session_present,
        receive_max: limits.receive_max,
        packet_bytes_max: limits.packet_bytes_max,
        topic_alias_max: limits.topic_alias_max,
        expiry_s: (expiry_s != wish_s).then_some(expiry_s),
        keep_alive_s: (keep_alive_s != connect.keep_alive_s).then_some(keep_alive_s),
        client_id: (*connect.client_id != *identity.client_id).then_some(&*identity.client_id),
    };
    let stored = settled(claimed.written).await.is_ok();
    if !stored || encode::connack(&mut out, version, &accepted).is_err() {
        lifecycle::release(shared, key, DisconnectReason::ClientDisconnect, expiry_s);
        return Err(refused(ConnectRefusal::ServerUnavailable));
    }
    let received = shared
        .state()
        .sessions
        .get(&key)
        .map(|s| s.inbound.clone())
        .unwrap_or_default();
    Ok(Welcome {
        connect,
        unread,
        out,
        identity,
        key,
        link,
        keep_alive_s,
        expiry_s,
        received,
        session_present: claimed.session_present,
    })
}

/// The keep alive in force. Only MQTT 5 can be told another than it asked for.
fn keep_alive(connect: &Connect, max_s: u16) -> u16 {
    let wish = connect.keep_alive_s;
    if connect.version == Version::V311 || max_s == 0 {
        wish
    } else if wish == 0 {
        max_s
    } else {
        wish.min(max_s)
    }
}
