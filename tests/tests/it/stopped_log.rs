//! G3 on the real program: what `verify` says of a stopped station's folders, in what is damaged, missing or of another time; and that the
//! copy it reads is left nowhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use station_tests::config::Layout;
use station_tests::left::copy_all;
use station_tests::station::{Station, binary};
use station_tests::wait_for;

const PATIENCE: Duration = Duration::from_secs(20);
const WHOLE: i32 = 0;
const NOT_CHECKED: i32 = 1;
const DAMAGED: i32 = 3;

/// A station that recorded something and was stopped.
fn stopped(root: &Path) -> Station {
    let mut station = Station::new(Layout::new(root));
    station.start();
    let vkey = station.tool_ok(&["keys", "vkey"], "");
    fs::write(root.join("vkey"), vkey).unwrap();
    assert!(station.stop().success());
    station
}

/// Its folders once more, to be damaged.
struct Copy(PathBuf);

impl Copy {
    fn of(station: &Station, name: &str) -> Self {
        let copy = Self(station.layout.root.join(name));
        copy_all(&station.layout.data(), &copy.data());
        copy_all(&station.layout.keys(), &copy.keys());
        copy
    }

    fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    fn verdict(&self, station: &Station, args: &[&str]) -> (i32, String) {
        let (data, keys) = (self.data(), self.keys());
        let place = ["verify", "--data", data.to_str().unwrap(), "--keys"];
        let all = [&place, [keys.to_str().unwrap()].as_slice(), args].concat();
        let output = station.tool(&all, "");
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.code().unwrap(),
            String::from_utf8(text).unwrap(),
        )
    }
}

/// What is done to a copy, under which name, and the exit code and the words that follow.
type Case<'a> = (&'a str, &'a dyn Fn(&Copy), i32, &'a str);

/// G3: each fault of the folders has its own words, and only a fault of the log is called damage.
#[test]
fn g3_each_fault_of_the_folders_is_told_as_what_it_is() {
    let root = tempfile::tempdir().unwrap();
    let mut station = stopped(root.path());
    let earlier = fs::read(station.layout.data().join("HEAD")).unwrap();
    station.start();
    assert!(station.stop().success());
    let damage: [Case<'_>; 7] = [
        ("untouched", &|_| {}, WHOLE, "whole: every event"),
        (
            "head-cut",
            &|copy| fs::write(copy.data().join("HEAD"), &earlier[..40]).unwrap(),
            DAMAGED,
            "HEAD: the checkpoint is not a signed note",
        ),
        (
            "head-empty",
            &|copy| fs::write(copy.data().join("HEAD"), "").unwrap(),
            DAMAGED,
            "HEAD: the checkpoint is not a signed note",
        ),
        (
            "head-older",
            &|copy| fs::write(copy.data().join("HEAD"), &earlier).unwrap(),
            DAMAGED,
            "the data folder was set back",
        ),
        (
            "no-witness",
            &|copy| fs::remove_file(copy.keys().join("witness")).unwrap(),
            DAMAGED,
            "the witness beside the keys is missing",
        ),
        (
            "no-db",
            &|copy| fs::remove_file(copy.data().join("log/0/db")).unwrap(),
            DAMAGED,
            "cannot be read",
        ),
        (
            "no-keys",
            &|copy| fs::remove_dir_all(copy.keys()).unwrap(),
            WHOLE,
            "witness     none was compared",
        ),
    ];
    for (name, change, code, words) in damage {
        let copy = Copy::of(&station, name);
        change(&copy);
        let (ended, said) = copy.verdict(&station, &["--vkey", "vkey"]);
        assert!(ended == code && said.contains(words), "{name}: {said}");
        let last = said.lines().last().unwrap_or_default();
        assert_eq!(last.starts_with("DAMAGED: "), code == DAMAGED, "{said}");
        let set_back = said.contains("set back to an earlier state");
        assert_eq!(set_back, name == "head-older", "{name}: {said}");
    }
}

/// G3: what says nothing about the log is no damage.
#[test]
fn g3_a_wrong_file_or_place_says_nothing_about_the_log() {
    let root = tempfile::tempdir().unwrap();
    let station = stopped(root.path());
    let copy = Copy::of(&station, "copy");
    let (code, said) = copy.verdict(&station, &["--old-checkpoint", "/etc/passwd"]);
    assert!(
        code == NOT_CHECKED && said.contains("/etc/passwd is not a checkpoint"),
        "{said}"
    );
    let (code, said) = Copy(root.path().join("nowhere")).verdict(&station, &[]);
    assert!(
        code == NOT_CHECKED && said.contains("there is no station here"),
        "{said}"
    );
}

/// A command that has made its copy and waits for a vkey that never comes.
fn waiting(station: &Station, scratch: &Path) -> Child {
    let vkey = station.layout.root.join("never");
    let child = Command::new(binary("gateway"))
        .arg("verify")
        .arg("--config")
        .arg(&station.config)
        .arg("--scratch")
        .arg(scratch)
        .arg("--vkey")
        .arg(&vkey)
        .current_dir(&station.layout.root)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for("the copy", PATIENCE, || (count(scratch) > 0).then_some(()));
    child
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

fn end(mut child: Child, signal: Signal) -> Option<i32> {
    let id = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(id, signal).unwrap();
    child.wait().unwrap().code()
}

/// G3: an interrupted command takes its copy with it, and the next one that of a command that was killed.
#[test]
fn g3_no_copy_of_a_log_is_left_behind() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let root = tempfile::tempdir().unwrap();
    let station = stopped(root.path());
    let scratch = root.path().join("scratch");
    fs::create_dir(&scratch).unwrap();
    let vkey = root.path().join("never");
    mknodat(CWD, &vkey, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let child = waiting(&station, &scratch);
        assert_eq!(end(child, signal), Some(128 + signal.as_raw()));
        assert_eq!(count(&scratch), 0, "{signal:?} left a copy");
    }
    assert_eq!(end(waiting(&station, &scratch), Signal::KILL), None);
    assert_eq!(count(&scratch), 1, "nobody was there to remove it");
    let said = station.tool_ok(&["verify", "--scratch", scratch.to_str().unwrap()], "");
    assert!(said.contains("whole"), "{said}");
    assert_eq!(count(&scratch), 0, "a dead command's copy is still there");
}

/// G3: an export that a signal ends leaves no part of itself, so that the next one can have the name.
#[test]
fn g3_an_export_that_is_ended_leaves_no_part() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let root = tempfile::tempdir().unwrap();
    let station = stopped(root.path());
    station.tool_ok(&["export", "bundle", "whole"], "");
    let slow = root.path().join("slow");
    copy_all(&root.path().join("whole"), &slow);
    let events = slow.join("events.cose");
    fs::remove_file(&events).unwrap();
    mknodat(CWD, &events, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let export = |form, from| {
        let mut gateway = Command::new(binary("gateway"));
        let args = ["export", form, "out", "--bundle", from];
        let silent = gateway.stdout(Stdio::null()).stderr(Stdio::null());
        let begun = silent.args(args).current_dir(root.path()).spawn();
        begun.unwrap()
    };
    for form in ["json", "bundle"] {
        for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
            let child = export(form, "slow");
            // It waits for events as long as this is open.
            let held = fs::OpenOptions::new().read(true).write(true).open(&events);
            let part = root.path().join("out.part");
            wait_for("the export begins", PATIENCE, || {
                part.exists().then_some(())
            });
            assert_eq!(end(child, signal), Some(128 + signal.as_raw()));
            assert!(!part.exists(), "{form}, {signal:?}");
            drop(held.unwrap());
        }
        assert!(export(form, "whole").wait().unwrap().success());
        let out = root.path().join("out");
        assert!(out.exists());
        fs::rename(out, root.path().join(form)).unwrap();
    }
}
