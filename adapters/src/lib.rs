//! Devices that do not speak MQTT, brought to MQTT.
//!
//! Owns [`link`], the MQTT side of any device, and one module for each protocol of the other side.
//! Never decides anything about a citizen or a card: it carries commands out and says what the
//! sensors say. Never repeats a motion by itself.

pub mod camera;
pub mod configured;
pub mod dispenser;
mod drive;
pub mod face;
mod kept;
pub mod link;
mod matcher;
mod port;
pub mod reader;
pub mod scanner;
