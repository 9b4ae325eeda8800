//! The topic tree, typed in both directions: `station/v1/{station}/{device}/…`. A topic that is not
//! one of these is refused at the door. No level ever names a person: a level that a device chooses holds no 15 digits
//! in a row.

use crate::ids::{BlobId, DeviceId, MessageId, StationId};
use crate::message::command::CommandId;
use crate::text::{has_long_number, is_slug};

/// First two levels of every topic.
pub const ROOT: &str = "station/v1";

/// What a device publishes, with its level names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromDevice {
    /// `$state`: birth and last will, retained.
    State,
    /// `desc`: what the device is, retained.
    Description,
    /// `state`: its status, retained.
    Status,
    /// `prop/{name}`: a measurement, retained.
    Property(String),
    /// `event/{type}`: something that happened at it.
    Event(String),
    /// `cmd/{name}/reply`: what came of a command.
    Reply(String),
    /// `request/{name}`: what a kiosk asks for.
    Request(String),
    /// `blob/{id}`: a picture that a kiosk gives, raw bytes.
    Blob(BlobId),
    /// `blob/{id}/{command}`: the image that a command asked for, raw bytes.
    Image(BlobId, CommandId),
    /// `scan`: what a barcode says, for the kiosk that the scanner belongs to.
    Scan,
}

/// What the gateway publishes to a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToDevice {
    /// `cmd/{name}`: a command.
    Command(&'static str),
    /// `receipt/{message id}`: what became of a message the device sent.
    Receipt(MessageId),
    /// `session`: what a kiosk shall show.
    Session,
    /// `slip`: what a kiosk shall print for the citizen.
    Slip,
    /// `papers`: a paper for the citizen, as a file.
    Papers,
}

/// Builds and reads the topics of one station.
#[derive(Debug, Clone)]
pub struct Topics {
    station: StationId,
}

impl Topics {
    /// The topics of `station`.
    pub const fn new(station: StationId) -> Self {
        Self { station }
    }

    /// The station whose topics these are.
    pub const fn station(&self) -> &StationId {
        &self.station
    }

    /// Reads a topic that a device published. `None`: not a topic of this tree.
    pub fn parse(&self, topic: &str) -> Option<(DeviceId, FromDevice)> {
        let rest = topic.strip_prefix(ROOT)?.strip_prefix('/')?;
        let rest = rest
            .strip_prefix(self.station.as_str())?
            .strip_prefix('/')?;
        let (device, rest) = rest.split_once('/')?;
        let device = DeviceId::new(device).ok()?;
        let slug =
            |name: &str| (is_slug(name, 32) && !has_long_number(name)).then(|| name.to_owned());
        let channel = match rest.split_once('/') {
            None => match rest {
                "$state" => FromDevice::State,
                "desc" => FromDevice::Description,
                "state" => FromDevice::Status,
                "scan" => FromDevice::Scan,
                _ => return None,
            },
            Some(("prop", name)) => FromDevice::Property(slug(name)?),
            Some(("event", name)) => FromDevice::Event(slug(name)?),
            Some(("request", name)) => FromDevice::Request(slug(name)?),
            Some(("blob", rest)) => blob(rest)?,
            Some(("cmd", rest)) => FromDevice::Reply(slug(rest.strip_suffix("/reply")?)?),
            Some(_) => return None,
        };
        Some((device, channel))
    }

    /// The topic on which `device` publishes `channel`.
    pub fn from_device(&self, device: &DeviceId, channel: &FromDevice) -> String {
        let base = self.device(device);
        match channel {
            FromDevice::State => format!("{base}/$state"),
            FromDevice::Description => format!("{base}/desc"),
            FromDevice::Status => format!("{base}/state"),
            FromDevice::Property(name) => format!("{base}/prop/{name}"),
            FromDevice::Event(name) => format!("{base}/event/{name}"),
            FromDevice::Reply(name) => format!("{base}/cmd/{name}/reply"),
            FromDevice::Request(name) => format!("{base}/request/{name}"),
            FromDevice::Blob(id) => format!("{base}/blob/{id}"),
            FromDevice::Image(id, command) => format!("{base}/blob/{id}/{command}"),
            FromDevice::Scan => format!("{base}/scan"),
        }
    }

    /// The topic on which the gateway publishes `channel` to `device`.
    pub fn to_device(&self, device: &DeviceId, channel: &ToDevice) -> String {
        let base = self.device(device);
        match channel {
            ToDevice::Command(name) => format!("{base}/cmd/{name}"),
            ToDevice::Receipt(id) => format!("{base}/receipt/{id}"),
            ToDevice::Session => format!("{base}/session"),
            ToDevice::Slip => format!("{base}/slip"),
            ToDevice::Papers => format!("{base}/papers"),
        }
    }

    /// `station/v1/{station}/{device}`: the subtree of one device.
    pub fn device(&self, device: &DeviceId) -> String {
        format!("{ROOT}/{}/{device}", self.station)
    }
}

fn blob(rest: &str) -> Option<FromDevice> {
    let Some((id, command)) = rest.split_once('/') else {
        return BlobId::new(rest).ok().map(FromDevice::Blob);
    };
    let command = CommandId::new(command).ok()?;
    let short = !has_long_number(command.as_str());
    let image = FromDevice::Image(BlobId::new(id).ok()?, command);
    short.then_some(image)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// G1: each topic reads back as what it was built from.
    #[test]
    fn topics_read_back() {
        let topics = Topics::new(StationId::new("demo").unwrap());
        let device = DeviceId::new("kiosk-1").unwrap();
        let id = BlobId::new("0190b7a2-1f00-7000-8000-000000000001").unwrap();
        for channel in [
            FromDevice::State,
            FromDevice::Description,
            FromDevice::Status,
            FromDevice::Property("level".into()),
            FromDevice::Event("media-taken".into()),
            FromDevice::Reply("move".into()),
            FromDevice::Request("start-pickup".into()),
            FromDevice::Blob(id.clone()),
            FromDevice::Image(id, CommandId::of(1, 245, 0)),
            FromDevice::Scan,
        ] {
            let topic = topics.from_device(&device, &channel);
            assert_eq!(
                topics.parse(&topic),
                Some((device.clone(), channel)),
                "{topic}"
            );
        }
    }

    #[test]
    fn foreign_topics_are_none() {
        let topics = Topics::new(StationId::new("demo").unwrap());
        for topic in [
            "",
            "station/v1/demo",
            "station/v1/other/kiosk-1/state",
            "station/v1/demo/kiosk-1/what",
            "station/v1/demo/Kiosk/state",
            "station/v1/demo/kiosk-1/cmd/move",
            "station/v2/demo/k/state",
            "station/v1/demo/kiosk-1/request/a/b",
            "station/v1/demo/kiosk-1/blob/1",
            "station/v1/demo/camera-1/blob/0190b7a2-1f00-7000-8000-000000000001/x",
            "station/v1/demo/camera-1/blob/0190b7a2-1f00-7000-8000-000000000001/1-1101051949123100-0",
            // G7: topics are logged and shown to observers.
            "station/v1/demo/kiosk-1/event/11010519491231002x",
            "station/v1/demo/kiosk-1/request/pickup-110105491231002",
            "station/v1/demo/kiosk-1/prop/1101050012026110100001",
            "station/v1/demo/kiosk-1/cmd/11010519491231002x/reply",
        ] {
            assert_eq!(topics.parse(topic), None, "{topic}");
        }
    }
}
