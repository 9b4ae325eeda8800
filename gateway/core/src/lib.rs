//! The domain of the station, pure and synchronous: custody, pickup, applications, operators' acts, devices.
//!
//! [`decide`] holds all the rules and changes nothing. [`evolve`] is total and holds no rule.
//! [`pending`] says what the world still owes us, from the state alone, so that after a crash it says
//! the same again. No runtime, clock, random source, file or socket: time is an argument.
#![warn(missing_docs)]

mod application;
mod carry;
mod cases;
mod commission;
mod decide;
mod device;
mod effect;
mod erasure;
mod evolve;
mod grant;
mod input;
mod lookup;
mod payment;
mod registry;
mod rules;
mod state;
mod view;
mod watch;

pub use application::{
    FeeStanding, Named, TicketFee, WindowTicket, papers_left_ms, tickets_left_ms,
};
pub use carry::{Carried, LeftBehind, carry_over};
pub use commission::{DeviceReadiness, MachineStanding, standing};
pub use decide::{Decision, Outcome, decide};
pub use effect::{Effect, Order, asked, maintenance_left_ms, next_deadline, pending};
pub use erasure::{Erasure, ErasureStanding};
pub use evolve::{Recorded, evolve};
pub use input::{
    Announcement, Answer, BirthDate, Captured, CardRead, Contradicted, Decided, Described, Entry,
    FacesReply, FingerReply, Input, Instructed, PeripheralReport, Person, ReadFailure,
    RegistryInput, Reply, Report, Request, Told, Trial, WindowInput,
};
pub use payment::{PaymentTotals, payments_left_ms};
pub use registry::{DeviceStanding, MaintenanceStanding, Registry, registry};
pub use rules::{
    ApplicationRules, DeviceRules, Eligibility, FirmwarePattern, KioskRules, MachineRules,
    RegistryPolicy, Rules,
};
pub use state::{Card, CentreLink, Session, State};
pub use view::{View, views};
pub use watch::{Look, Watch};
