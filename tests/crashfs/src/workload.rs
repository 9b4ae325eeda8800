//! A program under test: how to run it, how to read its acknowledgements, how to ask what it kept.
//!
//! Owns: the child process and the moment at which each acknowledgement counts. The order is the
//! whole point: a line is read first, the recorder's position is taken after that. So the sync that
//! the child waited for lies at or before the position of its acknowledgement, and an image of that
//! position or a later one must contain what was acknowledged. Never the other way round.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::record::Seq;
use crate::recorder::Recorder;

/// One thing that was promised to be durable, or that was found again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ack {
    /// An entry that stays: which (an index, a message id) and what (a hash).
    Entry {
        /// Unique within the workload.
        key: String,
        /// What must be found again under the key, once.
        value: String,
    },
    /// A value that replaces the one before; `None` removes it. What was under way at a crash may be
    /// there or not, so a program with such values must end by itself, with everything acknowledged:
    /// one that is killed leaves the harness in doubt about what was under way.
    Latest {
        /// Unique within the workload, and different from the keys of entries.
        key: String,
        /// The new value.
        value: Option<String>,
    },
}

/// An acknowledgement and the position of the record when the harness had received it.
#[derive(Clone, Debug)]
pub struct Witnessed {
    /// What was promised.
    pub ack: Ack,
    /// Images of this position and of all later ones must contain it.
    pub seq: Seq,
}

/// Acknowledgements in the order in which they were received.
#[derive(Debug, Default)]
pub struct AckLog {
    entries: Mutex<Vec<Witnessed>>,
}

impl AckLog {
    /// Notes an acknowledgement that the caller *has already received*, and returns how many there
    /// are now.
    pub fn note(&self, recorder: &Recorder, ack: Ack) -> usize {
        let seq = recorder.seq();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.push(Witnessed { ack, seq });
        entries.len()
    }

    /// All that was noted.
    pub fn into_entries(self) -> Vec<Witnessed> {
        self.entries
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// When a running workload is killed.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Killed after this many acknowledgements.
    pub acks_max: usize,
    /// Killed after this time, whatever it has acknowledged.
    pub time_max: Duration,
}

/// Which run this is.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// 0 on an empty folder, n on a folder that has been through n crashes.
    pub generation: usize,
    /// Another one for each run, for a program that draws its load from a seed.
    pub seed: u64,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) acks: Vec<Witnessed>,
    /// True if the harness killed it, as planned, after its acknowledgements.
    pub(crate) stopped: bool,
    pub(crate) status: ExitStatus,
    pub(crate) stderr: String,
}

impl Run {
    /// Whether it acknowledged values that replace others.
    pub(crate) fn replaces(&self) -> bool {
        self.acks
            .iter()
            .any(|witnessed| matches!(witnessed.ack, Ack::Latest { .. }))
    }
}

/// Makes the command that works in a data folder.
pub type CommandFor = Box<dyn Fn(&Path, Turn) -> Command + Send + Sync>;
/// Makes the command that verifies a data folder.
pub type VerifierFor = Box<dyn Fn(&Path) -> Command + Send + Sync>;
/// Reads one line of standard output.
pub type LineParser = Box<dyn Fn(&str) -> Option<Ack> + Send + Sync>;

/// A program that writes into a folder and says what is durable.
pub struct Workload {
    /// For the printed lines.
    pub name: String,
    /// The data folder's name within the mounted one; the program makes it, so that the entry in the
    /// parent folder is part of the test. Empty for the mounted folder itself.
    pub folder: String,
    /// Opens the folder, new or left by a crash, appends, and acknowledges on standard output, line
    /// by line, unbuffered. It is killed with its process group.
    pub command: CommandFor,
    /// Opens the folder and prints everything it holds, in lines that `parse` reads. A refusal to
    /// open is an exit status other than 0.
    pub verify: VerifierFor,
    /// Reads an acknowledgement, or a kept entry; other lines are `None`.
    pub parse: LineParser,
}

impl fmt::Debug for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workload")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Workload {
    /// Runs the program in the recorder's folder until it ends or reaches a limit.
    pub(crate) fn run(&self, recorder: &Recorder, turn: Turn, limits: Limits) -> Result<Run> {
        let folder = recorder.mountpoint().join(&self.folder);
        let mut child = (self.command)(&folder, turn)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start the workload {}", self.name))?;
        let group = pid(&child)?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (Some(stdout), Some(stderr)) = (stdout, stderr) else {
            bail!("no pipes to the child")
        };
        let acks = AckLog::default();
        let (finished, watched) = mpsc::channel::<()>();
        let mut stopped = false;
        let ended = thread::scope(|scope| -> Result<String> {
            scope.spawn(move || {
                if watched.recv_timeout(limits.time_max) == Err(RecvTimeoutError::Timeout) {
                    kill(group);
                }
            });
            let errors = scope.spawn(move || read_lossy(stderr));
            let read = BufReader::new(stdout)
                .lines()
                .try_for_each(|line| -> io::Result<()> {
                    let Some(ack) = (self.parse)(&line?) else {
                        return Ok(());
                    };
                    if acks.note(recorder, ack) == limits.acks_max {
                        stopped = true;
                        kill(group);
                    }
                    Ok(())
                });
            if read.is_err() {
                kill(group);
            }
            // Not reaped yet, so the process id still means this child to the watchdog.
            waitid(
                WaitId::Pid(group),
                WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
            )?;
            drop(finished);
            kill(group);
            read.context("unreadable standard output")?;
            Ok(errors.join().unwrap_or_default())
        });
        let status = child.wait()?;
        let stderr = ended?;
        Ok(Run {
            acks: acks.into_entries(),
            stopped,
            status,
            stderr,
        })
    }

    /// What the program finds in a folder that a crash left; the inner error is its refusal.
    pub(crate) fn kept(
        &self,
        image: &Path,
    ) -> Result<Result<BTreeMap<String, Vec<String>>, String>> {
        let folder = image.join(&self.folder);
        let output = (self.verify)(&folder)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot start the verifier of {}", self.name))?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            return Ok(Err(format!("{}: {}", output.status, last_lines(&stderr))));
        }
        let mut kept: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for ack in String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(&self.parse)
        {
            match ack {
                Ack::Entry { key, value }
                | Ack::Latest {
                    key,
                    value: Some(value),
                } => {
                    kept.entry(key).or_default().push(value);
                }
                Ack::Latest { value: None, .. } => {}
            }
        }
        Ok(Ok(kept))
    }
}

/// The end of a program's complaint, on one line.
pub(crate) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let skipped = lines.len().saturating_sub(6);
    lines
        .into_iter()
        .skip(skipped)
        .collect::<Vec<_>>()
        .join(" | ")
}

fn pid(child: &Child) -> Result<Pid> {
    let raw = i32::try_from(child.id()).context("a process id out of range")?;
    Pid::from_raw(raw).context("a process id of 0")
}

/// A group that has ended already is as good as killed.
fn kill(group: Pid) {
    if let Err(error) = kill_process_group(group, Signal::KILL)
        && error != rustix::io::Errno::SRCH
    {
        eprintln!("crashfs: cannot kill the workload: {error}");
    }
}

fn read_lossy(mut from: impl Read) -> String {
    let mut bytes = Vec::new();
    match from.read_to_end(&mut bytes) {
        Ok(_) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => io::Error::other(error).to_string(),
    }
}
