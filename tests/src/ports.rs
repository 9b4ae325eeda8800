//! Ports that a program will listen on later. What the system gives away by itself (port 0) it gives to others as soon as it is released,
//! also to outgoing connections; so these are taken from below its range, and each is locked while this process lives.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::sync::Mutex;

/// Below the system's own range (`net.ipv4.ip_local_port_range`).
const RANGE: std::ops::Range<u16> = 10_000..32_000;

/// Locked until the process ends.
static HELD: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// A free port on loopback that nobody else is given.
pub fn free() -> SocketAddr {
    let folder = std::env::temp_dir().join("station-test-ports");
    std::fs::create_dir_all(&folder).unwrap();
    loop {
        let port = fastrand::u16(RANGE);
        let lock = File::create(folder.join(port.to_string())).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if lock.try_lock().is_ok() && TcpListener::bind(address).is_ok() {
            HELD.lock().unwrap().push(lock);
            return address;
        }
    }
}
