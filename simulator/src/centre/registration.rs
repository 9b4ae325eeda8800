//! Which logs the centre takes: a log is known by its origin and by its first key, and somebody has compared that key's
//! fingerprint with what the station shows.

use std::io;
use std::path::Path;

use schemas::envelope::{KeyId, Origin};
use schemas::ids::StationId;
use schemas::key::PublicKey;
use schemas::proof::NoteKey;
use schemas::uplink::log_stream;
use serde::{Deserialize, Serialize};

use super::folder::{Folder, names, read_json, write_json};

/// A log that the centre follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Wire")]
pub struct Registration {
    /// The station.
    pub station: StationId,
    /// The log: `gateway.<province>/station/<id>/<incarnation>`.
    pub origin: Origin,
    /// The log's first key: 64 hexadecimal digits. Read as a verifier key (C2SP signed-note) too.
    pub first_key: PublicKey,
    /// The centre's key that the station was given, where it is not the centre's first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub centre_key: Option<PublicKey>,
}

/// Why something is no registration.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] io::Error),
    /// Of another form.
    #[error("not a registration: {0}")]
    Form(&'static str),
    /// The log is registered with another key.
    #[error("{0} is registered with another first key; a new key means a new incarnation")]
    OtherKey(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    station: StationId,
    origin: Origin,
    first_key: String,
    #[serde(default)]
    centre_key: Option<PublicKey>,
}

impl TryFrom<Wire> for Registration {
    type Error = RegistrationError;

    fn try_from(wire: Wire) -> Result<Self, RegistrationError> {
        let first_key = first_key(&wire.first_key, &wire.origin)?;
        let registration = Self {
            station: wire.station,
            origin: wire.origin,
            first_key,
            centre_key: wire.centre_key,
        };
        if registration.parts().is_none() {
            return Err(RegistrationError::Form(
                "the origin is gateway.<province>/station/<the station>/<incarnation from 1>",
            ));
        }
        Ok(registration)
    }
}

impl Registration {
    /// Reads the file that a station's operator brought: JSON with `station`, `origin` and `first_key`.
    ///
    /// # Errors
    /// There is no such file, or it is no registration.
    pub fn read(path: &Path) -> Result<Self, RegistrationError> {
        read_json(path)?.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::NotFound,
                format!("{}: no such file", path.display()),
            )
            .into()
        })
    }

    /// The province and the number of the log.
    fn parts(&self) -> Option<(&str, u32)> {
        let (province, rest) = self
            .origin
            .as_str()
            .strip_prefix("gateway.")?
            .split_once("/station/")?;
        let (station, incarnation) = rest.split_once('/')?;
        let number: u32 = incarnation.parse().ok().filter(|number| *number > 0)?;
        let exact = station == self.station.as_str() && number.to_string() == incarnation;
        (exact && !province.is_empty()).then_some((province, number))
    }

    /// The province.
    pub fn province(&self) -> &str {
        self.parts().map_or("", |(province, _)| province)
    }

    /// The number of the log, from 1.
    pub fn incarnation(&self) -> u32 {
        self.parts().map_or(0, |(_, incarnation)| incarnation)
    }

    /// The stream of the log; also the name of its files in the centre's folder.
    pub fn stream(&self) -> String {
        log_stream(&self.station, self.incarnation())
    }

    /// The id of the first key, as the log's events name it: 16 hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        hex::encode(KeyId::of(&self.first_key.to_raw()).0)
    }
}

/// Either 64 hexadecimal digits, or a verifier key whose name is the origin.
fn first_key(text: &str, origin: &Origin) -> Result<PublicKey, RegistrationError> {
    if let Ok(key) = PublicKey::new(text.trim()) {
        return Ok(key);
    }
    let key = NoteKey::from_vkey(text)
        .map_err(|_neither| RegistrationError::Form("the first key is hexadecimal or a vkey"))?;
    if key.name() == origin.as_str() {
        Ok(PublicKey::of(key.public_key()))
    } else {
        Err(RegistrationError::Form("the vkey is of another log"))
    }
}

/// All registered logs.
pub(super) fn all(folder: &Folder) -> io::Result<Vec<Registration>> {
    read_all(&folder.registrations())
}

/// All registrations that somebody offered.
pub(super) fn offers(folder: &Folder) -> io::Result<Vec<Registration>> {
    read_all(&folder.offers())
}

fn read_all(folder: &Path) -> io::Result<Vec<Registration>> {
    let read = |name: String| read_json(&folder.join(format!("{name}.json")));
    let all: io::Result<Vec<Option<Registration>>> = names(folder)?.into_iter().map(read).collect();
    Ok(all?.into_iter().flatten().collect())
}

/// Lays a registration where a centre that takes unknown stations finds it, or a person who is asked about one.
pub(super) fn offer(folder: &Folder, registration: &Registration) -> io::Result<()> {
    let name = format!("{}.json", registration.stream());
    write_json(&folder.offers().join(name), registration)
}

/// Registers a log; durable when this returns. False: it was registered before.
pub(super) fn register(
    folder: &Folder,
    registration: &Registration,
) -> Result<bool, RegistrationError> {
    let name = registration.stream();
    let path = folder.registrations().join(format!("{name}.json"));
    match read_json::<Registration>(&path)? {
        Some(known) if known.first_key == registration.first_key => Ok(false),
        Some(_) => Err(RegistrationError::OtherKey(name)),
        None => {
            write_json(&path, registration)?;
            Ok(true)
        }
    }
}
