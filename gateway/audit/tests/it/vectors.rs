//! G3: the vectors of `schemas/vectors`, which were made by hand and not by this product: what they say is genuine is accepted, and
//! every one of the fully signed logs that break one rule is refused.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gateway_audit::{Anchor, Bundle, Proof, Sequence, Verify};
use serde_json::Value;

fn vectors() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../schemas/vectors"
    ))
}

fn read(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(vectors().join(name)).unwrap()).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn the_bundles_are_whole_with_every_earlier_checkpoint() {
    for (name, earlier) in [("bundle", true), ("other", false)] {
        let bundle = Bundle::open(&vectors().join(name)).unwrap();
        let mut verify = Verify::new(&bundle.anchor)
            .checkpoint("own", &bundle.checkpoint)
            .closed();
        if earlier {
            for file in std::fs::read_dir(vectors().join("earlier")).unwrap() {
                let path = file.unwrap().path();
                let note = std::fs::read_to_string(&path).unwrap();
                verify = verify.checkpoint(path.display().to_string(), note);
            }
        }
        let report = verify.run(bundle.events().unwrap(), |_| {});
        assert!(report.is_whole(), "{name}: {:?}", report.findings);
    }
}

#[test]
fn every_log_that_breaks_a_rule_is_refused() {
    let file = read("refused.json");
    let anchor = Anchor::from_vkey(text(&file["vkey"])).unwrap();
    let refused = file["refused"].as_array().unwrap();
    assert!(refused.len() > 50);
    let mut accepted = Vec::new();
    for case in refused {
        let events = STANDARD.decode(text(&case["events"])).unwrap();
        let verify = Verify::new(&anchor)
            .checkpoint("own", text(&case["checkpoint"]))
            .closed();
        let report = verify.run(Sequence::new(events.as_slice()), |_| {});
        if report.is_whole() {
            accepted.push(format!("{}: {}", case["name"], case["reason"]));
        }
    }
    assert!(accepted.is_empty(), "accepted: {accepted:#?}");
}

#[test]
fn the_proof_files_hold() {
    let bundle = Bundle::open(&vectors().join("bundle")).unwrap();
    let proof = |name: &str| {
        let text = std::fs::read_to_string(vectors().join("proofs").join(name)).unwrap();
        Proof::parse(&text).unwrap()
    };
    let rotation = proof("rotation.tlog-proof");
    for name in [
        "new-event.tlog-proof",
        "before-the-rotation.tlog-proof",
        "rotation.tlog-proof",
    ] {
        let own = proof(name);
        let alone = own.check(&bundle.anchor, &[]);
        let beside = own.check(&bundle.anchor, std::slice::from_ref(&rotation));
        assert!(
            alone.is_ok() || beside.is_ok(),
            "{name}: {alone:?} {beside:?}"
        );
    }
}
