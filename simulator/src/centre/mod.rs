//! The centre, as far as stations can tell: it reads their logs from the event store, verifies every event, keeps what it has
//! found, and answers on their downlinks; and it opens what they have sealed.
//!
//! It is a client of the store and nothing else: a real EventStoreDB or KurrentDB takes the place of the simulated one by
//! another connection string. Written from the contract alone, as another house would write it; it shares no code with the
//! station. It must never be part of one.

mod answering;
mod checkpoints;
mod desk;
mod downlink;
mod fault;
mod figures;
mod folder;
mod followed;
mod follower;
mod house;
mod http;
mod keys;
mod link;
mod log;
mod metrics;
mod office;
mod opener;
mod page;
mod page_office;
mod reading;
mod received;
mod registration;
mod running;
mod seen;
mod stored;
mod texts;
mod view;

pub use desk::{Desk, DeskError};
pub use downlink::{SendError, Sent};
pub use fault::{Fault, Located};
pub use figures::Whereabouts;
pub use house::House;
pub use link::LinkError;
pub use office::{
    Asked, CaseShown, CaseStanding, Day, FeeStanding, GrantTerms, OfficeFaults, OfficeShown, Sums,
};
pub use opener::{Centre, OpenError, SessionKey};
pub use registration::{Registration, RegistrationError};
pub use running::{CentreConfig, OfficeConfig, PICTURE_WAIT, Running, StartError, run};
pub use seen::{Alert, Unknown};
pub use view::{LogView, UnknownView, View};
