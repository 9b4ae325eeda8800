//! The adapters as a process of their own, which can be killed while the station lives on.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::station::{binary, http_get};
use crate::wait_for;

/// The sections of adapted devices, taken out of the text of a `station.toml`: the rest, and they. What compares faces is then known
/// by its kind alone.
pub fn cut_out(station: &str) -> (String, String) {
    let (before, rest) = station.split_once("[[modbus_dispenser]]").unwrap();
    let (sections, after) = rest.split_once("\n[demo]").unwrap();
    (
        format!(
            "{before}[[device]]\nid = \"face-matcher-1\"\nkind = \"face-matcher\"\n\n[demo]{after}"
        ),
        format!("[[modbus_dispenser]]{sections}"),
    )
}

/// The process.
#[derive(Debug)]
pub struct Adapters {
    config: PathBuf,
    http: SocketAddr,
    child: Option<Child>,
}

impl Adapters {
    /// Of the devices in `sections`, at a broker that `broker` describes. Nothing runs yet.
    pub fn new(root: &Path, broker: &str, sections: &str) -> Self {
        let http = crate::ports::free();
        let config = root.join("adapters.toml");
        let text = format!(
            "[station]\nid = \"demo\"\n\n[broker]\n{broker}\n\n[http]\nlisten = \"{http}\"\n\n{sections}"
        );
        std::fs::write(&config, text).unwrap();
        let child = None;
        Self {
            config,
            http,
            child,
        }
    }

    /// Starts it and waits until every device is there and at the broker.
    pub fn start(&mut self) {
        let output = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.config.with_extension("log"))
            .unwrap();
        let child = self
            .command()
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn();
        self.child = Some(child.unwrap());
        wait_for("the adapters are ready", Duration::from_secs(30), || {
            (http_get(self.http, "/readyz")?.0 == 200).then_some(())
        });
    }

    fn command(&self) -> Command {
        let mut command = Command::new(binary("adapters"));
        command
            .arg("--config")
            .arg(&self.config)
            .current_dir(self.config.parent().unwrap());
        command
    }

    /// Starts it and waits for its end.
    pub fn run(&self) -> Output {
        self.command().output().unwrap()
    }

    /// The text of `/metrics`.
    pub fn metrics(&self) -> String {
        http_get(self.http, "/metrics").unwrap().1
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM, and waits for its end.
    pub fn stop(&mut self) -> ExitStatus {
        let mut child = self.child.take().unwrap();
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        wait_for("the adapters end", Duration::from_secs(15), || {
            child.try_wait().unwrap()
        })
    }
}

impl Drop for Adapters {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}
