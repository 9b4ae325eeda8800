//! The simulated card dispenser: a Modbus server with the register map of a profile, mechanics that take time, a
//! memory that survives its own restart as metal does, and faults on command.
//!
//! Must never be kinder than a real machine: what the citizen and the operator do by hand has functions
//! of its own, everything else goes through registers.

mod commands;
mod hands;
mod image;
mod line;
mod machine;
mod memory;
mod result;
pub mod rtu;
mod server;

pub use line::DispenserLine;
pub use machine::{Fault, Machine, Shape};
pub use memory::{CardPlace, Memory, MotionRecord};
pub use rtu::LineFault;
pub use server::{Dispenser, DispenserOptions};
