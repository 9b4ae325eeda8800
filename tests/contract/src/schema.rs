//! JSON Schema (draft 2020-12) of messages and event bodies, with a `$id` of the contract.

use schemars::Schema;

use crate::catalogue::Message;

/// The schema file of a message.
///
/// # Errors
/// It cannot be written as JSON.
pub fn message(message: &Message) -> anyhow::Result<String> {
    text(
        &format!("urn:station-gateway:schema:message:{}", message.name),
        (message.schema)(),
    )
}

/// The schema file of what is said to a matcher or by it.
///
/// # Errors
/// It cannot be written as JSON.
pub fn matcher(part: &Message) -> anyhow::Result<String> {
    text(
        &format!("urn:station-gateway:schema:matcher:{}", part.name),
        (part.schema)(),
    )
}

/// The schema file of what stands in the centre's store.
///
/// # Errors
/// It cannot be written as JSON.
pub fn centre(part: &Message) -> anyhow::Result<String> {
    text(
        &format!("urn:station-gateway:schema:centre:{}", part.name),
        (part.schema)(),
    )
}

/// The schema file of an event's body; its id is the event's CloudEvents attribute `dataschema`.
///
/// # Errors
/// It cannot be written as JSON.
pub fn event(type_name: &str, body: Schema) -> anyhow::Result<String> {
    text(
        &format!("urn:station-gateway:schema:event:{type_name}"),
        body,
    )
}

fn text(id: &str, mut schema: Schema) -> anyhow::Result<String> {
    schema.insert("$id".to_owned(), id.into());
    Ok(format!("{}\n", serde_json::to_string_pretty(&schema)?))
}
