//! What nearly every test of the hall speaks of.

pub use gateway_core::{Entry, Outcome};
pub use schemas::acceptance::{AcceptanceSite, DailyPlace};
pub use schemas::event::Event;
pub use schemas::event::application::Decision;
pub use schemas::ids::SessionId;
pub use schemas::message::application::StepName as S;
pub use schemas::message::peripheral::{PaymentMethod, PaymentState};
pub use schemas::words::application::{
    ApplicationKind as Kind, ApplicationOutcome, PaymentWay, RejectionReason,
};
pub use schemas::words::{RefusalReason, Residence};

pub use super::citizen::{Card, Case, Clock, Fault, GOOD, Link, finish, up_to};
pub use super::{Hall, device};
