//! G7: no message prints what is personal in it: citizen numbers, vouchers, names, templates, PINs.

use contract::catalogue::MESSAGES;
use contract::examples;
use serde_json::Value;

/// The names under which messages carry personal data. A masked name (`**明`) may be shown.
const PERSONAL: [&str; 17] = [
    "number",
    "citizen_number",
    "voucher",
    "name",
    "template",
    "pin",
    "content",
    "templates",
    "bytes",
    "first",
    "second",
    "sms_code",
    "receipt",
    "acceptance_number",
    "address",
    "issuer",
    "pdf",
];

fn personal(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let text = value.as_str().filter(|text| !text.starts_with('*'));
                match text.filter(|_| PERSONAL.contains(&name.as_str())) {
                    Some(text) => found.push(text.to_owned()),
                    None if PERSONAL.contains(&name.as_str()) && value.is_array() => {
                        let items = value.as_array().into_iter().flatten();
                        found.extend(items.filter_map(Value::as_str).map(str::to_owned));
                    }
                    None => personal(value, found),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                personal(item, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn g7_no_message_prints_what_is_personal_in_it() {
    let examples = examples::messages().unwrap();
    let mut carriers = Vec::new();
    for message in MESSAGES {
        for example in examples.get(message.name).unwrap() {
            let mut planted = Vec::new();
            personal(example, &mut planted);
            let printed = (message.prints)(&example.to_string()).unwrap();
            let is_carrier = !planted.is_empty();
            if is_carrier {
                carriers.push(message.name);
                for planted in planted {
                    assert!(!printed.contains(&planted), "{}: {printed}", message.name);
                }
            }
        }
    }
    carriers.dedup();
    assert_eq!(
        carriers,
        [
            "read-reply",
            "match-command",
            "compare-faces-command",
            "capture-finger-command",
            "start-pickup",
            "application-input",
            "receive-batch",
            "scan-card",
            "close-batch",
            "load-card",
            "unload-card",
            "stock-take",
            "place-card",
            "resolve-machine",
            "set-maintenance",
            "scan",
            "prompt",
            "paper",
            "manifest",
        ],
        "the messages that carry personal data"
    );
}
