//! V1: each bad file of `tests/refused` has, beside it, the exact words that it is refused with: file, line,
//! column and what to write instead. `UPDATE_EXPECTED=1` writes them, to be read before they are kept.

use std::fs;
use std::path::Path;

use edge_config::{
    ConfigErrors, DEFAULT_STATION, Policy, parse_adapters, parse_policy, parse_station,
};

fn refusal(name: &str, text: &str) -> ConfigErrors {
    let read = if name.starts_with("policy-") {
        parse_policy(text, name).map(|_| ())
    } else if name.starts_with("adapters-") {
        parse_adapters(text, name).map(|_| ())
    } else {
        parse_station(text, name, Policy::default()).map(|_| ())
    };
    match read {
        Ok(()) => panic!("{name} is accepted"),
        Err(errors) => errors,
    }
}

#[test]
fn bad_files_are_refused_in_these_words() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refused");
    let mut seen = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        seen += 1;
        let name = path.file_name().unwrap().to_str().unwrap();
        let said = format!("{}\n", refusal(name, &fs::read_to_string(&path).unwrap()));
        let expected = path.with_extension("expected");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&expected, &said).unwrap();
        }
        let wanted = fs::read_to_string(&expected).unwrap_or_default();
        assert_eq!(
            said,
            wanted,
            "{name}: the words differ from {}",
            expected.display()
        );
    }
    assert!(seen >= 15, "only {seen} bad files were found");
}

/// G4: an event that must still answer a repetition of its message is not pruned.
#[test]
fn the_audit_period_covers_the_days_that_messages_are_remembered() {
    let remembering = |days| {
        let mut policy = Policy::default();
        policy.custody.dedupe_days = days;
        parse_station(DEFAULT_STATION, "station.toml", policy)
    };
    assert!(remembering(190).is_ok());
    let refused = remembering(191).unwrap_err().to_string();
    let words = "log.audit_days: 190 is shorter than policy custody.dedupe_days = 191; write audit_days = 191";
    assert!(refused.contains(words), "{refused}");
}
