//! The protocol's types, generated from the files under `proto`.

// Included as it was generated.
#[rustfmt::skip]
#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    unreachable_pub,
    unused_qualifications,
    dead_code,
    reason = "generated"
)]
#[path = "generated/mod.rs"]
mod generated;

pub(crate) use generated::event_store::client as shared;
pub(crate) use generated::event_store::client::{
    gossip, persistent_subscriptions, server_features, streams,
};
pub(crate) use generated::google::rpc;
