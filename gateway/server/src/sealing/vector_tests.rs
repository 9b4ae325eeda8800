//! The product opens the vectors of `schemas/vectors`, which were sealed by none of its code.

use std::path::PathBuf;

use schemas::sealed::SealedField;
use serde_json::Value;

use super::{PrivateKey, SessionKey};
use crate::blobs;

fn vectors() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../schemas/vectors"
    ))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap()
}

/// The key in a form, opened by whom it is sealed to; what lies in the data folder is the same form.
fn opened(session: &Value, form: &str, extension: &str, holder: &str) -> SessionKey {
    let content = text(session.get(form).unwrap(), "content");
    let folder = vectors().join("sealed");
    let file = format!(
        "session-keys/{}.{extension}",
        text(session, "session_key_id")
    );
    assert_eq!(
        std::fs::read_to_string(folder.join(file)).unwrap(),
        content,
        "{form}"
    );
    let private = std::fs::read_to_string(folder.join(holder)).unwrap();
    let key = PrivateKey::from_text(&private)
        .unwrap()
        .open(content.as_bytes());
    let key = key.unwrap();
    assert_eq!(key.session().as_str(), text(session, "session"));
    key
}

fn field_opens(key: &SessionKey, field: &Value) {
    let (name, sealed) = (
        text(field, "name"),
        SealedField::new(text(field, "text")).unwrap(),
    );
    let plain = key.open_field(name, &sealed).unwrap();
    assert_eq!(plain.as_slice(), text(field, "plaintext").as_bytes());
    assert!(key.open_field("application.other", &sealed).is_none());
}

fn blob_opens(key: &SessionKey, blob: &Value) {
    let file = hex::decode(text(blob, "file")).unwrap();
    let plain = blobs::open(key, &file).unwrap();
    assert_eq!(hex::encode(plain.as_slice()), text(blob, "plaintext"));
}

/// A15, G7: session keys, fields and blobs of a pickup and of an application, as the centre opens them and as an officer at the window.
#[test]
fn the_vectors_open() {
    let file = std::fs::read(vectors().join("sealing.json")).unwrap();
    let pickup: Value = serde_json::from_slice(&file).unwrap();
    let key = opened(&pickup, "key_file", "json", "centre.key");
    field_opens(&key, pickup.get("field").unwrap());
    blob_opens(&key, pickup.get("blob").unwrap());
    let application = pickup.get("application").unwrap();
    for (form, extension, holder) in [
        ("key_file", "json", "centre.key"),
        ("window_form", "window", "officer.key"),
    ] {
        let key = opened(application, form, extension, holder);
        let fields = application.get("fields").and_then(Value::as_array).unwrap();
        let names: Vec<_> = fields.iter().map(|field| text(field, "name")).collect();
        let all = [
            super::field::APPLICATION_HOLDER,
            super::field::APPLICATION_PHONE,
            super::field::APPLICATION_RECEIPT,
        ];
        assert_eq!(names, all);
        for field in fields {
            field_opens(&key, field);
        }
        blob_opens(&key, application.get("blob").unwrap());
    }
}
