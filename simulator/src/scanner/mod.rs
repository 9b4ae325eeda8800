//! The scanner: a ZFM module that speaks its own protocol on a line, as real ones do. What its image shows is the
//! visitor's finger. Where a station shall have a scanner that speaks MQTT itself, it does that.

mod drawing;
mod module;
pub(crate) mod mqtt;
mod pty;
mod server;
mod start;

pub use drawing::{draw, read};
pub use pty::PseudoTerminal;
pub use server::{ScannerOptions, ZfmScanner};
pub use start::{ScannerLine, ScannerProtocol};
pub(crate) use start::{link_to, start};

use serde::{Deserialize, Serialize};

/// A fault of a scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScannerFault {
    /// It does not notice a finger.
    NoFinger,
    /// It is at work on something else: says so, and takes no instruction.
    Busy,
    /// Its glass is dirty: the image is too messy.
    Messy,
    /// The image has too few points.
    FewPoints,
    /// The image is grey all over, and the module does not notice.
    Smeared,
    /// The finger covers a third of the glass, and the module does not notice.
    Partial,
    /// An image stops in the middle of a packet.
    HalfPacket,
    /// The connection breaks in the middle of an image.
    Disconnect,
    /// The sum of one packet of an image does not fit.
    BadSum,
    /// An image comes at 9,600 bit/s.
    Slow,
    /// It takes another password.
    WrongPassword,
}
