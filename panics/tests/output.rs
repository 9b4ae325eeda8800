//! G7: what a process writes of its panics. The test runs itself again as that process.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise, and panics are what it is about"
)]

use std::hint::black_box;
use std::process::Command;

/// An example of GB 11643, nobody's.
const NUMBER: &str = "11010519491231002X";
const CHILD: &str = "panics_in_every_way";

/// What this process writes on standard error, and on standard output beside it.
fn written(backtrace: &str) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", CHILD, "--ignored", "--nocapture"])
        .env("RUST_BACKTRACE", backtrace)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let bytes = [output.stderr, output.stdout].concat();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn g7_a_panic_names_its_place_and_a_literal_and_nothing_that_was_formatted() {
    let written = written("0");
    assert!(!written.contains(NUMBER), "{written}");
    let lines = written
        .lines()
        .filter(|line| line.contains("panicked at"))
        .collect::<Vec<_>>();
    let [formatted, unwrapped, compared, literal] = lines[..] else {
        panic!("not four lines: {written}");
    };
    for line in &lines {
        assert!(line.contains("panics/tests/output.rs:"), "{line}");
        assert!(line.starts_with("thread '"), "{line}");
    }
    let len = format!("a message of {} bytes", "nobody has ".len() + NUMBER.len());
    assert!(formatted.contains(&len) && formatted.contains("thread 'reader'"));
    for left_out in [formatted, unwrapped, compared] {
        assert!(left_out.contains("left out"), "{left_out}");
    }
    assert!(literal.ends_with("a literal of the code"), "{literal}");
    let is_frame = |line: &str| line.trim_start().starts_with("0: ");
    assert!(!written.contains("stack backtrace") && !written.lines().any(is_frame));
}

/// The calls are there where they are asked for, and do not bring the message back.
#[test]
fn g7_a_backtrace_names_calls_and_no_data() {
    let written = written("1");
    assert!(!written.contains(NUMBER), "{written}");
    assert!(written.contains("output::formatted"), "{written}");
}

fn formatted(number: &str) {
    panic!("nobody has {number}");
}

/// The process that is looked at: four threads that panic one after the other.
#[test]
#[ignore = "the others run it as a process of its own"]
fn panics_in_every_way() {
    panics::hide_data();
    let number: &'static str = black_box(NUMBER);
    let ways: [fn(&'static str); 4] = [
        formatted,
        |number| black_box(Err::<(), _>(number)).unwrap(),
        |number| assert_eq!(number, "another"),
        |_| panic!("a literal of the code"),
    ];
    for way in ways {
        let thread = std::thread::Builder::new().name("reader".to_owned());
        let panicked = thread.spawn(move || way(number)).unwrap().join();
        assert!(panicked.is_err());
    }
}
