//! Whole-system tests: the real programs, real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise"
)]

mod adapters;
mod application;
mod application_canary;
mod application_images;
mod application_kill;
mod blobs;
mod canary;
mod checkpoints;
mod clock;
mod commission;
mod devices;
mod disk_full;
mod door;
mod epochs;
mod erase;
mod erase_command;
mod evidence;
mod external;
mod incarnate;
mod incarnate_lost;
mod kill;
mod motions;
mod mutations;
mod panics;
mod papers;
mod papers_kill;
mod pickup;
mod power_cut;
mod pull;
mod quarantine;
mod queue;
mod registry;
mod stopped_log;
mod sync;
mod tls;
mod two_stations;
mod whole_way;
mod window;
mod witness;
