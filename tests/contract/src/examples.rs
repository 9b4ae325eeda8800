//! Examples as data: what each message and event looks like, and messages that are refused. Synthetic people only.

use std::collections::BTreeMap;

use serde_json::Value;

/// Messages by name.
///
/// # Errors
/// The file is no JSON of that shape.
pub fn messages() -> serde_json::Result<BTreeMap<String, Vec<Value>>> {
    serde_json::from_str(include_str!("../examples/messages.json"))
}

/// Messages by name that both the type and its schema refuse.
///
/// # Errors
/// The file is no JSON of that shape.
pub fn refused() -> serde_json::Result<BTreeMap<String, Vec<Value>>> {
    serde_json::from_str(include_str!("../examples/refused.json"))
}

/// What is said to matchers and by them, by name: what fits, and what both type and schema refuse.
///
/// # Errors
/// The file is no JSON of that shape.
pub fn matcher() -> serde_json::Result<BTreeMap<String, Judged>> {
    serde_json::from_str(include_str!("../examples/matcher.json"))
}

/// Examples and counter-examples.
#[derive(Debug, serde::Deserialize)]
pub struct Judged {
    /// What fits.
    pub good: Vec<Value>,
    /// What is refused.
    pub refused: Vec<Value>,
}

/// Event bodies by type.
///
/// # Errors
/// The file is no JSON of that shape.
pub fn events() -> serde_json::Result<BTreeMap<String, Value>> {
    serde_json::from_str(include_str!("../examples/events.json"))
}

/// What stands in the centre's store, by name.
///
/// # Errors
/// The file is no JSON of that shape.
pub fn centre() -> serde_json::Result<BTreeMap<String, Value>> {
    serde_json::from_str(include_str!("../examples/centre.json"))
}
