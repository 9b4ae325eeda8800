//! Where a device on a serial line is.

use core::str::FromStr;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Where a device on a serial line is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineAddress {
    /// `tcp://address:port`: behind a serial-over-TCP adapter.
    Tcp(SocketAddr),
    /// The path of the line's device file.
    Serial(PathBuf),
}

impl FromStr for LineAddress {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(address) = text.strip_prefix("tcp://") {
            let address = address.parse().map(Self::Tcp);
            return address.map_err(|_no_address| "behind tcp:// stand an IP address and a port");
        }
        if text.starts_with('/') {
            return Ok(Self::Serial(text.into()));
        }
        Err("neither tcp://address:port nor the whole path of a serial line")
    }
}
