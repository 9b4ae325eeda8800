//! Events of an application (自助受理), A1 to A17.
//!
//! Nothing in them names a person in the clear: a name and a number are masked, a phone number is masked, what the centre needs
//! is sealed, pictures are blobs. A sealed field keeps the name it was sealed under wherever it is copied to:
//! `application.holder`, `application.phone`, `application.receipt`.

mod closing;
mod decided;
mod entered;
mod phone;
mod steps;
mod terms;

pub use closing::*;
pub use decided::*;
pub use entered::*;
pub use phone::*;
pub use steps::*;
pub use terms::*;
