//! Between socket and gRPC: listening, TLS, and the faults of the line.

mod listener;
mod pump;
mod socket;
mod tls;

pub(crate) use listener::{bind, listen};
pub(crate) use socket::{Connection, Wire};
pub use tls::TlsError;
pub(crate) use tls::acceptor;
