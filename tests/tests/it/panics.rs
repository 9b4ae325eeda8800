//! G7: the programs that handle what is personal say of a panic where it was, never what was formatted into it. A real one: in too little
//! memory for a thread, the runtime panics with the words of the system.

use std::path::Path;
use std::process::{Command, Output};

use station_tests::station::binary;

/// What `timeout` ends with when it had to kill.
const KILLED: i32 = 128 + 9;
/// For one that ends by itself, however slow the machine, in s.
const PATIENCE: u32 = 120;

/// A program within so much memory, killed after so many seconds: one that cannot begin its threads may not end either.
fn within(kib: u32, seconds: u32, program: &Path, arguments: &[&str]) -> Output {
    Command::new("timeout")
        .args(["--signal=KILL", &seconds.to_string(), "sh", "-c"])
        .arg(r#"ulimit -v "$0"; exec "$@""#)
        .arg(kib.to_string())
        .arg(program)
        .args(arguments)
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap()
}

/// Just enough for the program without a thread, in KiB.
fn enough(program: &Path) -> u32 {
    let (mut little, mut enough) = (1 << 10, 1 << 22);
    while enough - little > 64 {
        let middle = u32::midpoint(little, enough);
        let ended = within(middle, PATIENCE, program, &["--version"]);
        // That says nothing about memory.
        assert_ne!(ended.status.code(), Some(KILLED), "{middle} KiB");
        if ended.status.success() {
            enough = middle;
        } else {
            little = middle;
        }
    }
    enough
}

/// What the program says of the panic. A stack takes 2 MiB, so a step cannot pass over it.
fn panicked(program: &str, arguments: &[&str]) -> String {
    let program = binary(program);
    let least = enough(&program);
    let steps = (0..64).map(|step| least + 512 * step);
    for kib in steps {
        // Most end at once or never; what is slow gets its time.
        for seconds in [5, 30] {
            let ended = within(kib, seconds, &program, arguments);
            let said = String::from_utf8(ended.stderr).unwrap();
            if said.contains("panicked at") {
                return said;
            }
            if ended.status.code() != Some(KILLED) {
                break;
            }
        }
    }
    panic!("{} does not panic", program.display())
}

#[test]
fn g7_no_program_says_what_was_formatted_into_a_panic() {
    let root = tempfile::tempdir().unwrap();
    let place = root.path().to_str().unwrap();
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../edge-config/adapters.toml");
    let begun: [(&str, &[&str]); 3] = [
        (
            "gateway",
            &["--data", place, "--keys", place, "--inbox", place],
        ),
        ("adapters", &["--config", shipped]),
        ("simulator", &["manifest", place]),
    ];
    for (program, arguments) in begun {
        let said = panicked(program, arguments);
        assert!(
            said.contains("left out because it may quote data"),
            "{said}"
        );
        assert!(!said.contains("Resource temporarily unavailable"), "{said}");
    }
}
