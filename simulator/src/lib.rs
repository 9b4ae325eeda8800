//! Simulated devices of a pickup machine, and the centre. The devices speak the real protocols over real sockets
//! (Modbus TCP, SAM_V, ZFM, MQTT) and fail as devices fail.
//!
//! Owns a world of synthetic people, one machine and the devices around it. Must never reach into the
//! gateway: whatever it knows of it came over a socket.

pub mod camera;
pub mod centre;
mod citizen;
pub mod control;
mod device;
pub mod dispenser;
mod expiry;
pub mod face_matcher;
pub mod faces;
pub mod faults;
pub mod load;
pub mod made;
pub mod matcher;
pub mod operator;
pub mod people;
mod powered;
pub mod reader;
pub mod scanner;
pub mod simulation;
pub mod world;

pub use citizen::Pace;
pub use device::Power;
pub use simulation::{DeviceIds, Simulation, SimulationConfig, SimulationError};
