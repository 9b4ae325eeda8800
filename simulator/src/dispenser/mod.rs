//! The simulated card dispenser: a Modbus TCP server with the register map, mechanics that take time, a
//! memory that survives its own restart as metal does, and faults on command.
//!
//! Must never be kinder than a real machine: what the citizen and the operator do by hand has functions
//! of its own, everything else goes through registers.

mod commands;
mod hands;
mod image;
mod machine;
mod memory;
mod server;

pub use machine::{Fault, Machine, Shape};
pub use memory::{CardPlace, Memory, MotionRecord};
pub use server::{Dispenser, DispenserOptions};
