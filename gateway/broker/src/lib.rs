//! An MQTT broker that acknowledges when it is told to.
//!
//! PUBACK and PUBREC are sent only after the future that [`Handler::publish`] returned has resolved,
//! pipelined and in order. The broker owns connections, sessions, subscriptions, queues, retained
//! messages and wills; it knows nothing of what the messages mean, and must never decide on its own
//! that a message is safe.
//!
//! MQTT 3.1.1 and 5.0 over TCP, TLS 1.3 and WebSocket. Packets are parsed and built by
//! `mqtt-protocol-core`; the protocol's state is kept here, because the acknowledgement is the
//! product.

mod broker;
mod codec;
mod config;
mod connection;
mod counters;
mod encode;
mod handler;
mod handshake;
mod lifecycle;
mod listener;
mod message;
mod outbox;
mod packets;
mod pipeline;
mod replies;
mod restore;
mod retained;
mod session;
mod shared;
mod state;
mod storable;
mod store;
mod tls;
mod topic;
mod trie;
mod websocket;
mod wire;
mod writer;

pub use broker::{Broker, PublishError, StartError, Stats};
pub use config::{Config, ConfigError, Limits, Listener, Transport};
pub use futures_util::future::BoxFuture;
pub use handler::{
    Action, ConnectRefusal, DisconnectReason, Event, Handler, Hello, Identity, Legacy, Medium,
    PublishOutcome, PublishRefusal, Storage, Version,
};
pub use message::{Message, Origin, Properties, Qos};
pub use rustls_pki_types::CertificateDer;
pub use store::{Entry, MemoryStore, Store, StoreError, StoreOp};
pub use tls::{TlsConfig, TlsError};
