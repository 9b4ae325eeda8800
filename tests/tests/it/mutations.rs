//! G3: one random change to one file of a stopped station's data: `gateway verify` finds it, or every event is what it was. Never a
//! shorter log that is called whole, never a panic.
//! `CHANGES=500` for a long run, `SEED=…` to repeat one.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use station_tests::Random;
use station_tests::left::copy_all;
use station_tests::station::{Station, binary};
use station_tests::stock::Stocked;

const WHOLE: i32 = 0;
const REFUSED: i32 = 1;
const DAMAGED: i32 = 3;

/// What a station left behind, and a place for changed copies of it.
struct Left {
    station: Station,
    root: PathBuf,
}

impl Left {
    /// The data of the station as it is.
    fn copy(&self) -> PathBuf {
        let data = self.root.join("changed");
        if data.exists() {
            std::fs::remove_dir_all(&data).unwrap();
        }
        copy_all(&self.station.layout.data(), &data);
        data
    }

    fn tool(&self, args: &[&str], data: &Path) -> Output {
        let output = Command::new(binary("gateway"))
            .args(args)
            .arg("--data")
            .arg(data)
            .arg("--keys")
            .arg(self.station.layout.keys())
            .arg("--config")
            .arg(&self.station.config)
            .current_dir(&self.root)
            .output();
        output.unwrap()
    }

    /// Every signed event, as `export` reads them.
    fn events(&self, data: &Path) -> Vec<u8> {
        let exported = self.tool(&["export", "cose", "-"], data);
        assert!(exported.status.success(), "{exported:?}");
        exported.stdout
    }
}

/// All files below a folder that hold something, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let of = |path: PathBuf| {
        if path.is_dir() {
            files(&path)
        } else {
            vec![path]
        }
    };
    let found = paths.into_iter().flat_map(of);
    found.filter(|path| path.is_file()).collect()
}

/// Changes one file, and says how.
fn change(data: &Path, random: &mut Random) -> String {
    let files = files(data);
    let path = &files[random.below(files.len() as u64) as usize];
    let mut bytes = std::fs::read(path).unwrap();
    // A random byte of a preallocated file would say nothing.
    let used: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
    let what = match random.below(5) {
        0 | 1 if !used.is_empty() => {
            let at = used[random.below(used.len() as u64) as usize];
            bytes[at] ^= 1 << random.below(8);
            format!("bit flipped in byte {at}")
        }
        2 if !used.is_empty() => {
            let (first, last) = (used[0], used[used.len() - 1]);
            bytes.truncate(first + random.below((last - first) as u64 + 1) as usize);
            format!("cut to {} bytes", bytes.len())
        }
        3 => {
            let other = &files[random.below(files.len() as u64) as usize];
            bytes = std::fs::read(other).unwrap();
            format!("overwritten with {}", other.display())
        }
        _ => {
            std::fs::remove_file(path).unwrap();
            return format!("{}: deleted", path.display());
        }
    };
    std::fs::write(path, bytes).unwrap();
    format!("{}: {what}", path.display())
}

#[test]
fn g3_verify_finds_a_changed_file_or_the_log_is_what_it_was() {
    let changes: u64 = std::env::var("CHANGES").map_or(40, |count| count.parse().unwrap());
    let mut random = Random::seeded("mutations");
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::start(root.path(), 1);
    stocked.station.tool_ok(&["keys", "rotate"], "");
    assert_eq!(stocked.start_pickup(0)["outcome"], "accepted");
    stocked
        .kiosk
        .prompt("done", std::time::Duration::from_secs(20));
    assert!(stocked.station.stop().success());
    let Stocked { station, .. } = stocked;
    let left = Left {
        station,
        root: root.path().to_owned(),
    };
    let data = left.copy();
    assert_eq!(left.tool(&["verify"], &data).status.code(), Some(WHOLE));
    let events = left.events(&data);
    let mut found = 0;
    for case in 0..changes {
        let data = left.copy();
        let change = change(&data, &mut random);
        println!("case {case}, {change}");
        let verified = left.tool(&["verify"], &data);
        match verified.status.code() {
            Some(WHOLE) => assert!(left.events(&data) == events, "{change}: {verified:?}"),
            Some(REFUSED | DAMAGED) => found += 1,
            _ => panic!("{change}: {verified:?}"),
        }
    }
    println!("{found} of {changes} were found");
    // One in five of such changes is to what is in use.
    assert!(changes < 40 || found > 0);
}
