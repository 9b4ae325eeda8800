//! G2: the recorder itself. Each test writes through a mounted folder and reads crash images.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crashfs::{Dirs, Mode, Recorder, RecorderError, Seq};
use rustix::fs::{FallocateFlags, OFlags, fallocate};
use tempfile::TempDir;

struct Bench {
    place: TempDir,
    recorder: Option<Recorder>,
    images: u32,
}

impl Bench {
    fn new(before: impl FnOnce(&Path)) -> Self {
        let place = TempDir::new().unwrap();
        let (disk, mounted) = (place.path().join("disk"), place.path().join("mounted"));
        fs::create_dir(&disk).unwrap();
        fs::create_dir(&mounted).unwrap();
        before(&disk);
        let recorder = Recorder::mount(&disk, &mounted).unwrap();
        Self {
            place,
            recorder: Some(recorder),
            images: 0,
        }
    }

    fn with_dirs(mut self, dirs: Dirs) -> Self {
        self.recorder = self.recorder.map(|recorder| recorder.with_dirs(dirs));
        self
    }

    fn recorder(&self) -> &Recorder {
        self.recorder.as_ref().unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.recorder().mountpoint().join(name)
    }

    fn seq(&self) -> Seq {
        self.recorder().seq()
    }

    fn image(&mut self, at: Seq, mode: Mode) -> PathBuf {
        self.images += 1;
        let out = self.place.path().join(format!("image-{}", self.images));
        self.recorder().crash_image(at, mode, &out).unwrap();
        out
    }

    fn strict(&mut self) -> BTreeMap<String, String> {
        let at = self.seq();
        let image = self.image(at, Mode::Strict);
        tree(&image)
    }
}

/// Path within the image and content of every file; a folder has the content "/".
fn tree(root: &Path) -> BTreeMap<String, String> {
    fn walk(root: &Path, dir: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            if path.is_dir() {
                found.insert(name, "/".to_owned());
                walk(root, &path, found);
            } else {
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(root, root, &mut found);
    found
}

fn files(expected: &[(&str, &str)]) -> BTreeMap<String, String> {
    expected
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect()
}

fn sync_dir(path: &Path) {
    File::open(path).unwrap().sync_all().unwrap();
}

/// G2: the folder works like any other, for reading back, renaming, linking, cutting, removing.
#[test]
fn passes_through() {
    let bench = Bench::new(|disk| fs::write(disk.join("there"), "before").unwrap());
    assert_eq!(fs::read_to_string(bench.path("there")).unwrap(), "before");
    fs::create_dir(bench.path("dir")).unwrap();
    fs::write(bench.path("dir/a"), "one").unwrap();
    fs::rename(bench.path("dir/a"), bench.path("b")).unwrap();
    fs::hard_link(bench.path("b"), bench.path("dir/c")).unwrap();
    assert_eq!(fs::metadata(bench.path("b")).unwrap().nlink(), 2);
    OpenOptions::new()
        .append(true)
        .open(bench.path("dir/c"))
        .unwrap()
        .write_all(b"!")
        .unwrap();
    assert_eq!(fs::read_to_string(bench.path("b")).unwrap(), "one!");
    fs::remove_file(bench.path("b")).unwrap();
    fs::rename(bench.path("dir"), bench.path("moved")).unwrap();
    assert_eq!(fs::read_to_string(bench.path("moved/c")).unwrap(), "one!");
    let held = File::options()
        .read(true)
        .write(true)
        .open(bench.path("moved/c"))
        .unwrap();
    fs::remove_file(bench.path("moved/c")).unwrap();
    held.write_all_at(b"still", 0).unwrap();
    assert_eq!(held.metadata().unwrap().len(), 5);
    held.set_len(2).unwrap();
    assert_eq!(std::io::read_to_string(&held).unwrap(), "st");
    drop(held);
    fs::remove_dir(bench.path("moved")).unwrap();
    assert_eq!(
        tree(bench.recorder().mountpoint()),
        files(&[("there", "before")])
    );
    fs::set_permissions(bench.path("there"), PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(
        fs::metadata(bench.path("there")).unwrap().mode() & 0o777,
        0o600
    );
    let names: Vec<String> = (0..500).map(|n| format!("file-{n:03}")).collect();
    for name in names {
        fs::write(bench.path(&name), &name).unwrap();
    }
    assert_eq!(tree(bench.recorder().mountpoint()).len(), 501);
}

/// G2: strict keeps of a file what it held at its last sync, and nothing of a file without a name.
#[test]
fn strict_keeps_what_was_synced() {
    let mut bench = Bench::new(|disk| fs::write(disk.join("old"), "before").unwrap());
    let mut new = File::create(bench.path("new")).unwrap();
    new.write_all(b"one").unwrap();
    new.sync_data().unwrap();
    assert_eq!(bench.strict(), files(&[("old", "before")]));
    sync_dir(&bench.path(""));
    new.write_all(b"two").unwrap();
    assert_eq!(bench.strict(), files(&[("old", "before"), ("new", "one")]));
    let between = bench.seq();
    new.sync_data().unwrap();
    assert_eq!(
        bench.strict(),
        files(&[("old", "before"), ("new", "onetwo")])
    );
    new.set_len(2).unwrap();
    fs::write(bench.path("old"), "after").unwrap();
    assert_eq!(
        bench.strict(),
        files(&[("old", "before"), ("new", "onetwo")])
    );
    new.sync_all().unwrap();
    assert_eq!(bench.strict(), files(&[("old", "before"), ("new", "on")]));
    let image = bench.image(between, Mode::Strict);
    assert_eq!(tree(&image), files(&[("old", "before"), ("new", "one")]));
}

/// G2: each folder's entries wait for the fsync of that folder.
#[test]
fn strict_keeps_entries_of_synced_folders() {
    let mut bench = Bench::new(|disk| fs::write(disk.join("HEAD"), "1").unwrap());
    fs::create_dir(bench.path("data")).unwrap();
    fs::write(bench.path("data/x"), "x").unwrap();
    File::open(bench.path("data/x"))
        .unwrap()
        .sync_all()
        .unwrap();
    sync_dir(&bench.path("data"));
    assert_eq!(bench.strict(), files(&[("HEAD", "1")]));
    sync_dir(&bench.path(""));
    assert_eq!(
        bench.strict(),
        files(&[("HEAD", "1"), ("data", "/"), ("data/x", "x")])
    );
    fs::write(bench.path("HEAD.new"), "2").unwrap();
    File::open(bench.path("HEAD.new"))
        .unwrap()
        .sync_all()
        .unwrap();
    fs::rename(bench.path("HEAD.new"), bench.path("HEAD")).unwrap();
    fs::remove_file(bench.path("data/x")).unwrap();
    assert_eq!(
        bench.strict(),
        files(&[("HEAD", "1"), ("data", "/"), ("data/x", "x")])
    );
    sync_dir(&bench.path(""));
    assert_eq!(
        bench.strict(),
        files(&[("HEAD", "2"), ("data", "/"), ("data/x", "x")])
    );
    sync_dir(&bench.path("data"));
    assert_eq!(bench.strict(), files(&[("HEAD", "2"), ("data", "/")]));
}

/// G2: the looser rule, where any fsync commits the journal, is there when it is asked for.
#[test]
fn a_file_sync_can_commit_the_journal() {
    let mut bench = Bench::new(|_| ()).with_dirs(Dirs::AnySync);
    let mut file = File::create(bench.path("new")).unwrap();
    file.write_all(b"one").unwrap();
    assert_eq!(bench.strict(), files(&[]));
    file.sync_all().unwrap();
    assert_eq!(bench.strict(), files(&[("new", "one")]));
}

/// G2: sync_file_range and sync make nothing durable; a write with O_DSYNC does.
#[test]
fn only_real_syncs_count() {
    let mut bench = Bench::new(|disk| fs::write(disk.join("file"), "").unwrap());
    let script = "import ctypes, os, sys\n\
        fd = os.open(sys.argv[1], os.O_RDWR)\n\
        os.pwrite(fd, b'ranged', 0)\n\
        libc = ctypes.CDLL(None, use_errno=True)\n\
        libc.sync_file_range.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]\n\
        assert libc.sync_file_range(fd, 0, 6, 7) == 0\n\
        os.sync()\n";
    let status = std::process::Command::new("python3")
        .args(["-c", script])
        .arg(bench.path("file"))
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(bench.strict(), files(&[("file", "")]));
    let flags = i32::try_from(OFlags::DSYNC.bits()).unwrap();
    let mut file = OpenOptions::new()
        .write(true)
        .custom_flags(flags)
        .open(bench.path("file"))
        .unwrap();
    file.write_all(b"synced").unwrap();
    assert_eq!(bench.strict(), files(&[("file", "synced")]));
}

/// G2: reserved room and zeroed ranges are replayed.
#[test]
fn allocations_are_recorded() {
    let mut bench = Bench::new(|disk| fs::write(disk.join("file"), "abcdef").unwrap());
    let file = File::options()
        .write(true)
        .open(bench.path("file"))
        .unwrap();
    fallocate(
        &file,
        FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE,
        1,
        2,
    )
    .unwrap();
    fallocate(&file, FallocateFlags::empty(), 0, 8).unwrap();
    fallocate(&file, FallocateFlags::KEEP_SIZE, 0, 1 << 16).unwrap();
    assert_eq!(bench.strict(), files(&[("file", "abcdef")]));
    file.sync_all().unwrap();
    assert_eq!(bench.strict(), files(&[("file", "a\0\0def\0\0")]));
    assert_eq!(fs::read(bench.path("file")).unwrap(), b"a\0\0def\0\0");
}

/// G2: page images keep names of one moment, and pages of any; the same seed gives the same image.
#[test]
fn page_images_follow_the_journal() {
    let mut bench = Bench::new(|_| ());
    for name in ["1", "2", "3"] {
        fs::write(bench.path(name), name).unwrap();
    }
    fs::rename(bench.path("1"), bench.path("4")).unwrap();
    let at = bench.seq();
    let mut seen: BTreeMap<Vec<String>, u32> = BTreeMap::new();
    for seed in 0..200 {
        let image = bench.image(at, Mode::Page { seed });
        let twin = bench.image(at, Mode::Page { seed });
        let found = tree(&image);
        assert_eq!(found, tree(&twin));
        for (name, text) in &found {
            let written = if name == "4" { "1" } else { name };
            assert!(
                text.is_empty() || text == written || text == "\0",
                "{name}: {text:?}"
            );
        }
        *seen.entry(found.into_keys().collect()).or_default() += 1;
    }
    let prefixes: [&[&str]; 5] = [&[], &["1"], &["1", "2"], &["1", "2", "3"], &["2", "3", "4"]];
    let prefixes = prefixes.map(|names| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    });
    assert_eq!(seen.into_keys().collect::<Vec<Vec<String>>>(), prefixes);
}

/// G2: what cannot be answered is refused.
#[test]
fn refusals_are_clear() {
    let mut bench = Bench::new(|disk| fs::write(disk.join("file"), "1").unwrap());
    let end = bench.seq();
    let out = bench.place.path().join("out");
    let refused = |at| {
        bench
            .recorder()
            .crash_image(at, Mode::Strict, &out)
            .unwrap_err()
    };
    assert!(matches!(refused(end + 1), RecorderError::OutOfRange { .. }));
    assert!(matches!(refused(0), RecorderError::OutOfRange { .. }));
    let full = bench.image(end, Mode::Strict);
    let again = bench
        .recorder()
        .crash_image(end, Mode::Strict, &full)
        .unwrap_err();
    assert!(matches!(again, RecorderError::Image(..)), "{again}");
    assert!(std::os::unix::fs::symlink("file", bench.path("link")).is_err());
    let held = File::open(bench.path("file")).unwrap();
    let busy = bench.recorder.as_mut().unwrap().unmount().unwrap_err();
    assert!(matches!(busy, RecorderError::Unmount(..)), "{busy}");
    drop(held);
    assert_eq!(
        fs::read_to_string(bench.path("file")).unwrap(),
        "1",
        "it stays mounted"
    );
    bench.recorder.as_mut().unwrap().unmount().unwrap();
}
