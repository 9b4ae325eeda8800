//! The domain of the station, pure and synchronous: custody, pickup, operators' acts, devices.
//!
//! [`decide`] holds all the rules and changes nothing. [`evolve`] is total and holds no rule.
//! [`pending`] says what the world still owes us, from the state alone, so that after a crash it says
//! the same again. No runtime, clock, random source, file or socket: time is an argument.
#![warn(missing_docs)]

mod carry;
mod decide;
mod effect;
mod evolve;
mod input;
mod lookup;
mod rules;
mod state;
mod view;

pub use carry::{Carried, carry_over};
pub use decide::{Decision, Outcome, decide};
pub use effect::{Effect, Order, next_deadline, pending};
pub use evolve::{Recorded, evolve};
pub use input::{
    Announcement, Captured, CardRead, Contradicted, Input, Instructed, ReadFailure, Reply, Report,
    Request, Told,
};
pub use rules::{Eligibility, KioskRules, MachineRules, Rules};
pub use state::{Card, CentreLink, Session, State};
pub use view::{View, views};
