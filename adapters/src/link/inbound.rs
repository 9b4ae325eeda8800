//! What comes to a device, read once and typed.

use schemas::message::command::{
    CaptureCommand, CommandId, MatchCommand, MatchOnSensorCommand, MoveCommand, QueryCommand,
    ReadCommand,
};
use schemas::message::face::{CaptureFingerCommand, CompareFacesCommand};
use schemas::message::kiosk::{Prompt, Receipt};

/// A command, as its topic and payload say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `cmd/move`.
    Move(MoveCommand),
    /// `cmd/query`.
    Query(QueryCommand),
    /// `cmd/read`.
    Read(ReadCommand),
    /// `cmd/match`.
    Match(MatchCommand),
    /// `cmd/match-on-sensor`.
    MatchOnSensor(MatchOnSensorCommand),
    /// `cmd/capture`.
    Capture(CaptureCommand),
    /// `cmd/capture-finger`.
    CaptureFinger(CaptureFingerCommand),
    /// `cmd/compare-faces`.
    CompareFaces(CompareFacesCommand),
}

impl Command {
    /// The command's id.
    pub const fn id(&self) -> &CommandId {
        match self {
            Self::Move(command) => &command.command_id,
            Self::Query(command) => &command.command_id,
            Self::Read(command) => &command.command_id,
            Self::Match(command) => &command.command_id,
            Self::MatchOnSensor(command) => &command.command_id,
            Self::Capture(command) => &command.command_id,
            Self::CaptureFinger(command) => &command.command_id,
            Self::CompareFaces(command) => &command.command_id,
        }
    }
}

/// What the link hands to the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inbound {
    /// A command, each id once.
    Command(Command),
    /// What became of a message.
    Receipt(Receipt),
    /// What a kiosk shall show.
    Prompt(Prompt),
    /// The broker has accepted a connection.
    Connected,
}

/// Reads what follows `station/v1/{station}/{device}/`. The error never quotes the payload.
pub(super) fn parse(channel: &str, payload: &[u8]) -> Result<Inbound, String> {
    fn read<'a, T: serde::Deserialize<'a>>(payload: &'a [u8]) -> Result<T, String> {
        // The text of the error may quote a value, its place may not.
        serde_json::from_slice(payload).map_err(|error| {
            format!(
                "not readable at line {}, column {}",
                error.line(),
                error.column()
            )
        })
    }
    let command = match channel {
        "session" => return read(payload).map(Inbound::Prompt),
        "cmd/move" => Command::Move(read(payload)?),
        "cmd/query" => Command::Query(read(payload)?),
        "cmd/read" => Command::Read(read(payload)?),
        "cmd/match" => Command::Match(read(payload)?),
        "cmd/match-on-sensor" => Command::MatchOnSensor(read(payload)?),
        "cmd/capture" => Command::Capture(read(payload)?),
        "cmd/capture-finger" => Command::CaptureFinger(read(payload)?),
        "cmd/compare-faces" => Command::CompareFaces(read(payload)?),
        _ if channel.starts_with("receipt/") => return read(payload).map(Inbound::Receipt),
        _ => return Err("no such channel".to_owned()),
    };
    Ok(Inbound::Command(command))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// G1: each command is read as its own type; what is not readable is refused without its text.
    #[test]
    fn commands_are_read_by_topic() {
        let query = br#"{"command_id":"1-7-0","timeout_s":5}"#;
        assert!(matches!(
            parse("cmd/query", query).unwrap(),
            Inbound::Command(Command::Query(_))
        ));
        assert!(matches!(
            parse("cmd/read", query).unwrap(),
            Inbound::Command(Command::Read(_))
        ));
        for (channel, payload) in [
            ("cmd/move", &query[..]),
            ("cmd/open", query),
            ("receipt/1", b"secret"),
            ("", b""),
        ] {
            let error = parse(channel, payload).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
