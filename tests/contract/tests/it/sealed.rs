//! G4, G7: what an event seals is what its sealed fields and blobs say. One that is not told would be swept as an orphan, never go to
//! the centre, and outlive an erasure.

use std::collections::BTreeSet;

use contract::examples;
use schemas::event::Event;
use schemas::ids::BlobHash;
use schemas::key::SealingKeyId;
use schemas::sealed::SealedField;
use serde_json::Value;

/// Events that only repeat what earlier ones of their session sealed.
const REPEATING: [&str; 7] = [
    "station.application.accepted.v1",
    "station.application.compensated.v1",
    "station.application.eligibility-asked.v1",
    "station.application.papers-not-handed-out.v1",
    "station.application.sms-asked.v1",
    "station.application.window-ticket-issued.v1",
    "station.notice.asked.v1",
];

#[derive(Debug, Default, PartialEq, Eq)]
struct Named {
    blobs: BTreeSet<BlobHash>,
    keys: BTreeSet<SealingKeyId>,
}

/// What stands in an event's JSON, wherever it stands.
fn found(value: &Value, named: &mut Named) {
    match value {
        Value::String(text) => {
            let field = SealedField::new(text.as_str()).ok();
            named.keys.extend(field.and_then(|field| field.key()));
        }
        Value::Object(fields) => {
            if let (Some(blob), Some(key)) = (fields.get("blob"), fields.get("key")) {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                named.blobs.insert(BlobHash::new(text(blob)).unwrap());
                named.keys.insert(SealingKeyId::new(text(key)).unwrap());
            }
            fields.values().for_each(|value| found(value, named));
        }
        Value::Array(items) => items.iter().for_each(|item| found(item, named)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn g4_g7_events_tell_what_they_seal() {
    let mut repeating = Vec::new();
    for (name, example) in examples::events().unwrap() {
        let event = Event::from_data(&name, &example.to_string());
        let event = event.unwrap().unwrap();
        let mut written = Named::default();
        found(&example, &mut written);
        let told = event.sealed().map_or_else(Named::default, |sealed| Named {
            blobs: sealed.blobs.into_iter().cloned().collect(),
            keys: sealed.keys.into_iter().collect(),
        });
        if told != written {
            assert_eq!(told, Named::default(), "{name}");
            repeating.push(name);
        }
    }
    assert_eq!(repeating, REPEATING);
}
