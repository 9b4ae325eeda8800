//! G3: tools that were not written here read and check what we write. The judges are Python packages (pycose,
//! cryptography, cbor2, cloudevents, jsonschema) in the environment that `ops/test` makes.

use std::path::PathBuf;
use std::process::Command;

fn judge(script: &str) {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let python = root.join("target/judges/bin/python");
    assert!(
        python.exists(),
        "the judges are not installed ({} is missing); run: ops/test --judges",
        python.display()
    );
    let run = Command::new(&python)
        .arg(root.join("tests/judges/python").join(script))
        .output()
        .unwrap();
    assert!(
        run.status.success(),
        "{script} says no; if a package is missing run: ops/test --judges\n{}{}",
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr)
    );
}

#[test]
fn events_are_cose_and_cloudevents_to_others() {
    judge("check_events.py");
}

#[test]
fn schemas_are_json_schema_to_others() {
    judge("check_schemas.py");
}
