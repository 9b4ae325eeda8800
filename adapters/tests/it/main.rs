//! The codecs of the devices. Those under random bytes measure their process's memory and are programs of their own.
#![allow(
    clippy::unwrap_used,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod jpeg_properties;
mod sam_v_properties;
mod sam_v_vectors;
mod zfm_properties;
mod zfm_vectors;
