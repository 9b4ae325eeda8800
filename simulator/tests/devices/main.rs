//! The simulated devices, over real sockets and lines.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod camera;
mod dispenser;
mod dispenser_lines;
mod face_matcher;
mod finger_capture;
mod judge;
mod judge_lines;
mod link;
mod reader;
mod reader_serial;
mod scanner;
mod scanner_serial;
mod sequences;
mod simulation;
mod support;
