//! The rules of the station, as a hall that takes applications and a world of machines and cards meet them.
#![allow(
    clippy::unwrap_used,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::items_after_statements,
    clippy::match_same_arms,
    clippy::panic,
    clippy::string_slice,
    clippy::trivially_copy_pass_by_ref,
    clippy::wildcard_enum_match_arm,
    unreachable_pub,
    reason = "a test stops at the first surprise; nothing here is for other crates"
)]

mod application;
mod application_codes;
mod application_doubts;
mod application_flows;
mod application_identity;
mod application_limits;
mod application_pages;
mod application_payments;
mod application_properties;
mod application_shared;
mod centre;
mod commission;
mod erasure;
mod flows;
mod hall;
mod papers;
mod printed;
mod properties;
mod registry;
mod review;
mod slots;
mod snapshot;
mod station;
mod window;
mod world;
