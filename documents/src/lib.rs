//! What is printed for a citizen, as PDF: the collection certificate, the registration form, payment notices, receipts and tickets to
//! the window (A11 to A13, A15).
//!
//! Pure: what a document says and the fonts go in, the bytes of a file come out, the same for the same. No clock, no file, no random id.
//! The words are those of the crate `texts`. A page is built from the top ([`sheet`]) as a list of marks ([`page`]), and then written
//! ([`pdf`]).
//!
//! Receipts, notices and the certificate name a person masked. The registration form names everything; its bytes, like those of
//! all documents, are erased when they are dropped.

mod code128;
mod embedding;
mod error;
mod fonts;
mod line;
mod page;
mod papers;
mod pdf;
mod picture;
mod sheet;
mod table;
mod values;

pub use crate::error::{Error, PictureFault};
pub use crate::fonts::Fonts;
pub use crate::papers::certificate::{Certificate, certificate};
pub use crate::papers::form::{CapturedFinger, Finger, RegistrationForm, registration_form};
pub use crate::papers::notice::{PaymentNotice, Standing, WayToPay, payment_notice};
pub use crate::papers::receipt::{Receipt, receipt};
pub use crate::papers::ticket::{WindowTicket, window_ticket};
pub use crate::papers::{Holder, Station};
pub use crate::pdf::Pdf;
pub use crate::picture::{BYTES_MAX, Picture, SIDE_MAX};
