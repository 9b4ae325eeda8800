//! A configuration of its own for each test: ports of its own, folders of its own.

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::ports::free;

/// Where one station lives.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The station's name.
    pub station: &'static str,
    pub root: PathBuf,
    pub mqtt: SocketAddr,
    pub websocket: SocketAddr,
    pub http: SocketAddr,
    pub modbus: SocketAddr,
    pub reader: SocketAddr,
    pub intake_reader: SocketAddr,
    pub scanner: SocketAddr,
    pub matcher: SocketAddr,
    pub camera: SocketAddr,
    pub face_matcher: SocketAddr,
    pub control: SocketAddr,
    pub pull: SocketAddr,
}

impl Layout {
    /// Free ports on loopback and a folder for everything.
    pub fn new(root: &Path) -> Self {
        Self {
            station: "demo",
            root: root.to_owned(),
            mqtt: free(),
            websocket: free(),
            http: free(),
            modbus: free(),
            reader: free(),
            intake_reader: free(),
            scanner: free(),
            matcher: free(),
            camera: free(),
            face_matcher: free(),
            control: free(),
            pull: free(),
        }
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// The folder of the keys.
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// The inbox of manifests.
    pub fn inbox(&self) -> PathBuf {
        self.root.join("inbox")
    }

    /// The file with the camera's password; written with the configuration.
    pub fn camera_password(&self) -> PathBuf {
        self.root.join("camera.password")
    }

    /// Writes `station.toml` from the shipped default: each changed value is one that the default has.
    pub fn write(&self, change: impl Fn(String) -> String) -> PathBuf {
        let shipped = include_str!("../../edge-config/station.toml");
        let path = |path: PathBuf| path.to_str().unwrap().to_owned();
        let mut text = shipped.to_owned();
        for (from, to) in [
            ("id = \"demo\"", format!("id = {:?}", self.station)),
            ("\"station-data\"", format!("{:?}", path(self.data()))),
            ("\"station-keys\"", format!("{:?}", path(self.keys()))),
            ("\"station-inbox\"", format!("{:?}", path(self.inbox()))),
            ("127.0.0.1:1883", self.mqtt.to_string()),
            ("127.0.0.1:8083", self.websocket.to_string()),
            ("127.0.0.1:9464", self.http.to_string()),
            ("127.0.0.1:5020", self.modbus.to_string()),
            ("127.0.0.1:5021", self.reader.to_string()),
            ("127.0.0.1:5022", self.intake_reader.to_string()),
            ("127.0.0.1:5023", self.scanner.to_string()),
            ("127.0.0.1:5024", self.matcher.to_string()),
            ("127.0.0.1:5025", self.camera.to_string()),
            ("127.0.0.1:5026", self.face_matcher.to_string()),
            ("127.0.0.1:9465", self.control.to_string()),
            ("127.0.0.1:9466", self.pull.to_string()),
            (
                "recorder = \"nvr-1/channel-1\"",
                format!(
                    "user = \"station\"\npassword_file = {:?}\nrecorder = \"nvr-1/channel-1\"",
                    path(self.camera_password())
                ),
            ),
            ("room_low_mib = 512", "room_low_mib = 64".to_owned()),
            ("reserve_mib = 64", "reserve_mib = 8".to_owned()),
        ] {
            assert!(
                text.contains(from),
                "the shipped station.toml has no {from}"
            );
            text = text.replace(from, &to);
        }
        let password = self.camera_password();
        std::fs::write(&password, "of the tests\n").unwrap();
        std::fs::set_permissions(&password, Permissions::from_mode(0o600)).unwrap();
        let file = self.root.join("station.toml");
        std::fs::write(&file, change(text)).unwrap();
        file
    }
}
