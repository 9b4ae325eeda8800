//! The real binaries: the gateway, and the simulated devices in a process of their own, so that one
//! can be killed while the other lives on.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::config::Layout;
use crate::load::REPORTERS;
use crate::wait_for;

/// The PIN of the operator of the tests.
pub const PIN: &str = "97531246";

/// The centre of the tests: an X25519 pair, and its private key is public.
pub const CENTRE_PRIVATE: &str = "40b4f80ea25b88e08f3ada1b751a1e5508d5706835f15799b8847f4ac2bf5078";
const CENTRE_PUBLIC: &str = "82b08272fa16689b14fcb6616da10892b23485fc73edcae6f837850d4cabdb00";

/// A binary of this workspace: out of the folder that `STATION_PROGRAMS` names, or built if it is not up to date.
pub fn binary(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let named = || std::env::var_os("STATION_PROGRAMS").map(PathBuf::from);
    FOLDER
        .get_or_init(|| named().unwrap_or_else(built))
        .join(name)
}

/// Builds the binaries where the running test was built.
fn built() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let profile = here.ancestors().find(|p| p.join("deps").is_dir()).unwrap();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--workspace"]);
    cargo.args([
        "--bin",
        "gateway",
        "--bin",
        "simulator",
        "--bin",
        "adapters",
    ]);
    cargo.arg("--target-dir").arg(profile.parent().unwrap());
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap());
    assert!(
        cargo.status().unwrap().success(),
        "the binaries do not build"
    );
    profile.to_owned()
}

/// Hash of [`PIN`] as `station.toml` wants it, by the product's own command.
fn pin_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| {
        let mut child = Command::new(binary("gateway"))
            .arg("hash-pin")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(format!("{PIN}\n").as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    })
}

/// A station: the gateway process and where it lives.
#[derive(Debug)]
pub struct Station {
    pub layout: Layout,
    /// Its configuration.
    pub config: PathBuf,
    folders: Option<(PathBuf, PathBuf)>,
    log_filter: Option<&'static str>,
    clock: Option<PathBuf>,
    child: Option<Child>,
}

/// The program `faketime`'s library, which puts another wall clock before a process.
fn faketime() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap();
    let library = |folder: PathBuf| folder.join("faketime/libfaketimeMT.so.1");
    let mut found = folders.map(|entry| library(entry.unwrap().path()));
    let found = found.find(|library| library.exists());
    found.expect("the Debian package libfaketime is installed")
}

impl Station {
    /// Writes the configuration; nothing runs yet.
    pub fn new(layout: Layout) -> Self {
        Self::configured(layout, |text| text)
    }

    /// The same with changes to `station.toml`.
    pub fn configured(layout: Layout, change: impl Fn(String) -> String) -> Self {
        let key = layout.root.join("centre-seal-key.hex");
        std::fs::write(&key, CENTRE_PUBLIC).unwrap();
        let config = layout.write(|text| {
            // Each operator gets the PIN of the tests: those of the demonstration are refused with real devices.
            let own = format!("pin_hash = {:?}", pin_hash());
            let lines = text.lines().map(|line| {
                let is_pin = line.starts_with("pin_hash");
                if is_pin { own.clone() } else { line.to_owned() }
            });
            let text = lines
                .collect::<Vec<_>>()
                .join("\n")
                .replace("simulated_devices = true", "simulated_devices = false");
            let line = text
                .lines()
                .find(|l| l.contains("seal_key"))
                .unwrap()
                .to_owned();
            let text = text.replace(&line, &format!("seal_key = {:?}", key.to_str().unwrap()));
            let kiosks = REPORTERS
                .map(|kiosk| format!("\n\n[[kiosk]]\nid = {kiosk:?}\nmachine = \"machine-1\"\n"));
            change(text + &kiosks.concat())
        });
        std::fs::create_dir_all(layout.inbox()).unwrap();
        Self {
            layout,
            config,
            folders: None,
            log_filter: None,
            clock: None,
            child: None,
        }
    }

    /// Data and keys elsewhere than the configuration says, by the command line.
    #[must_use]
    pub fn in_folders(mut self, data: PathBuf, keys: PathBuf) -> Self {
        self.folders = Some((data, keys));
        self
    }

    /// A card that nobody takes is held at the outlet for the shortest time there is.
    pub fn hurry(&self) {
        self.policy(&[("hold_s = 30", "hold_s = 5")]);
    }

    /// The shipped policy with these of its lines changed.
    pub fn policy(&self, changes: &[(&str, &str)]) {
        let mut policy = include_str!("../../edge-config/policy.toml").to_owned();
        for (from, to) in changes {
            assert!(
                policy.contains(from),
                "the shipped policy.toml has no {from}"
            );
            policy = policy.replace(from, to);
        }
        std::fs::write(self.layout.root.join("policy.toml"), policy).unwrap();
    }

    /// Its wall clock is wrong from its next start on, by so many days; called again it jumps at once. Its monotonic clock goes on.
    pub fn set_clock(&mut self, days: i64) {
        let file = self.layout.root.join("clock");
        let next = self.layout.root.join("clock.next");
        std::fs::write(&next, format!("{days:+}d")).unwrap();
        std::fs::rename(next, &file).unwrap();
        self.clock = Some(file);
    }

    /// Runs a command of the program about this station; `input` is typed into it.
    pub fn tool(&self, args: &[&str], input: &str) -> Output {
        self.begin_tool(args, input).wait_with_output().unwrap()
    }

    /// The same, killed after a while if it has not ended by then.
    pub fn tool_killed(&self, args: &[&str], input: &str, after: Duration) {
        let mut child = self.begin_tool(args, input);
        std::thread::sleep(after);
        drop(child.kill());
        child.wait_with_output().unwrap();
    }

    fn begin_tool(&self, args: &[&str], input: &str) -> Child {
        let mut child = Command::new(binary("gateway"))
            .args(args)
            .arg("--config")
            .arg(&self.config)
            .current_dir(&self.layout.root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads nothing may have ended already.
        drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
        child
    }

    /// The same; it must succeed. What it printed.
    pub fn tool_ok(&self, args: &[&str], input: &str) -> String {
        let output = self.tool(args, input);
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it writes of itself, as `RUST_LOG` says it.
    #[must_use]
    pub const fn logging(mut self, filter: &'static str) -> Self {
        self.log_filter = Some(filter);
        self
    }

    /// The command that starts it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(binary("gateway"));
        command
            .arg("run")
            .arg("--config")
            .arg(&self.config)
            .current_dir(&self.layout.root);
        if let Some((data, keys)) = &self.folders {
            command.arg("--data").arg(data).arg("--keys").arg(keys);
        }
        if let Some(filter) = self.log_filter {
            command.env("RUST_LOG", filter);
        }
        if let Some(clock) = &self.clock {
            command
                .env("LD_PRELOAD", faketime())
                .env("FAKETIME_TIMESTAMP_FILE", clock)
                .env("FAKETIME_NO_CACHE", "1")
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        let policy = self.layout.root.join("policy.toml");
        if policy.exists() {
            command.arg("--policy").arg(policy);
        }
        command
    }

    /// Starts it and waits until it says that it is ready.
    pub fn start(&mut self) {
        self.spawn();
        self.wait_ready();
    }

    /// Starts it without waiting.
    pub fn spawn(&mut self) {
        assert!(self.child.is_none(), "already running");
        let output = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.layout.root.join("gateway.log"))
            .unwrap();
        let mut command = self.command();
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output);
        self.child = Some(command.spawn().unwrap());
    }

    /// Waits until `/readyz` says yes.
    pub fn wait_ready(&mut self) {
        let http = self.layout.http;
        let output = self.layout.root.join("gateway.log");
        wait_for("the gateway is ready", Duration::from_mins(1), || {
            if let Some(status) = self.child.as_mut().unwrap().try_wait().unwrap() {
                panic!(
                    "the gateway ended: {status}\n{}",
                    std::fs::read_to_string(&output).unwrap()
                );
            }
            (http_get(http, "/readyz")?.0 == 200).then_some(())
        });
    }

    /// The process id.
    pub fn pid(&self) -> Pid {
        Pid::from_child(self.child.as_ref().unwrap())
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM, and waits for its end.
    pub fn stop(&mut self) -> ExitStatus {
        kill_process(self.pid(), Signal::TERM).unwrap();
        self.wait_end()
    }

    /// Waits until it ends by itself.
    pub fn wait_end(&mut self) -> ExitStatus {
        let mut child = self.child.take().unwrap();
        wait_for("the gateway ends", Duration::from_secs(30), || {
            child.try_wait().unwrap()
        })
    }

    /// Whether it ends by itself within `patience`.
    pub fn has_ended(&mut self, patience: Duration) -> bool {
        let end = std::time::Instant::now() + patience;
        while std::time::Instant::now() < end {
            if self.child.as_mut().unwrap().try_wait().unwrap().is_some() {
                self.child = None;
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    /// What it has written so far.
    pub fn output(&self) -> String {
        std::fs::read_to_string(self.layout.root.join("gateway.log")).unwrap_or_default()
    }

    /// One figure of `/metrics`, by name and labels as printed.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let (_, body) = http_get(self.layout.http, "/metrics")?;
        body.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// The simulated devices of one machine.
#[derive(Debug)]
pub struct Devices {
    layout: Layout,
    child: Child,
}

impl Devices {
    /// Starts them; `args` are added to the command line.
    pub fn start(layout: &Layout, args: &[&str]) -> Self {
        let output = std::fs::File::create(layout.root.join("simulator.log")).unwrap();
        let child = Command::new(binary("simulator"))
            .arg("run")
            .args(["--mqtt", &layout.mqtt.to_string()])
            .args(["--modbus", &layout.modbus.to_string()])
            .args(["--reader", &layout.reader.to_string()])
            .args(["--intake-reader", &layout.intake_reader.to_string()])
            .args(["--scanner", &layout.scanner.to_string()])
            .args(["--matcher", &layout.matcher.to_string()])
            .args(["--camera", &layout.camera.to_string()])
            .args(["--face-matcher", &layout.face_matcher.to_string()])
            .arg("--camera-password-file")
            .arg(layout.camera_password())
            .args(["--control", &layout.control.to_string()])
            .args(["--motion-ms", "20", "--think-ms", "5", "--take-ms", "200"])
            .args(["--columns", "8", "--slots-per-column", "250"])
            .arg("--data")
            .arg(layout.root.join("simulator"))
            .args(args)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let devices = Self {
            layout: layout.clone(),
            child,
        };
        wait_for("the simulated devices run", Duration::from_secs(20), || {
            (http_get(layout.control, "/health")?.0 == 200).then_some(())
        });
        devices
    }

    /// Does something at the machine or to it; it must be possible.
    pub fn post(&self, path: &str) {
        let (status, body) = self.try_post(path);
        assert!((200..300).contains(&status), "{path}: {status} {body}");
    }

    pub fn try_post(&self, path: &str) -> (u16, String) {
        http(self.layout.control, "POST", path).unwrap()
    }

    /// What the dispenser holds and did.
    pub fn dispenser(&self) -> serde_json::Value {
        serde_json::from_str(&http_get(self.layout.control, "/dispenser").unwrap().1).unwrap()
    }
}

impl Drop for Devices {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// GET; `None` where nobody listens.
pub fn http_get(addr: SocketAddr, path: &str) -> Option<(u16, String)> {
    http(addr, "GET", path)
}

/// POST without a body; it must be taken.
pub fn http_post(addr: SocketAddr, path: &str) {
    let (status, body) = http(addr, "POST", path).unwrap();
    assert!((200..300).contains(&status), "{path}: {status} {body}");
}

fn http(addr: SocketAddr, method: &str, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&addr, Duration::from_secs(2)).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .ok()?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {addr}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}
