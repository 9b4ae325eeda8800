//! What lies in a station's data folder, put together: keys, photos, and the events that name them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context as _;
use schemas::envelope::{self, Signed};
use schemas::event::Event;
use schemas::ids::SessionId;
use schemas::key::SealingKeyId;
use schemas::message::face::PictureFormat;
use schemas::sealed::SealedField;
use schemas::words::PhotoView;
use serde_json::{Value, json};

use super::opener::{Centre, SessionKey, key_of_blob};

/// The name under which a pickup's holder is sealed.
const HOLDER: &str = "card-verified.holder";
/// What the names of an application's sealed fields begin with, whatever event they stand in.
const APPLICATION: &str = "application";
/// The member that holds JSON; the others are texts.
const HOLDER_MEMBER: &str = "holder";
/// No key: destroyed, or not at this station any more.
const NO_KEY: &str = "its key is not here: it was erased, or has gone up";

/// The sealed things of a station.
#[derive(Debug, Default)]
pub struct House {
    session: Option<SessionId>,
    keys: BTreeMap<SealingKeyId, SessionKey>,
    /// Key files that did not open, and why.
    closed: Vec<Value>,
    /// Sealed photos by file name.
    blobs: BTreeMap<String, Vec<u8>>,
    /// The pictures that events name, by file name.
    pictures: BTreeMap<String, Picture>,
    fields: Vec<Field>,
}

/// A picture, as the event says that names it.
#[derive(Debug)]
struct Picture {
    session: SessionId,
    event_type: &'static str,
    /// Of a pickup.
    view: Option<PhotoView>,
}

/// A sealed field, with the name that it is sealed under.
#[derive(Debug)]
struct Field {
    index: u64,
    session: SessionId,
    name: String,
    sealed: SealedField,
}

impl House {
    /// Reads keys and photos; of one session only, where it is named.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub fn read(centre: &Centre, data: &Path, session: Option<&SessionId>) -> anyhow::Result<Self> {
        let mut house = Self {
            session: session.cloned(),
            ..Self::default()
        };
        for (name, bytes) in files(&data.join("session-keys"))? {
            if Path::new(&name).extension().is_none_or(|ext| ext != "json") {
                continue;
            }
            match centre.open_key(&bytes) {
                Ok(key) if house.wants(&key.session) => {
                    house.keys.insert(key.id.clone(), key);
                }
                Ok(_) => {}
                Err(error) => house.closed.push(json!({
                    "what": "key", "file": name, "opened": false, "why": error.to_string(),
                })),
            }
        }
        house.blobs = files(&data.join("blobs"))?.into_iter().collect();
        Ok(house)
    }

    /// Takes in what the events name.
    ///
    /// # Errors
    /// The bytes are no sequence of events.
    pub fn name(&mut self, mut events: &[u8]) -> anyhow::Result<()> {
        while !events.is_empty() {
            let len = envelope::next_len(events)?.context("the last event is cut off")?;
            let (signed, rest) = events.split_at(len);
            self.name_one(signed).context("an event")?;
            events = rest;
        }
        Ok(())
    }

    fn name_one(&mut self, signed: &[u8]) -> anyhow::Result<()> {
        let entry = envelope::read(signed)?;
        let Some(sealed) = entry.event.sealed() else {
            return Ok(());
        };
        if !self.wants(sealed.session) {
            return Ok(());
        }
        let view = if let Event::PhotoArchived(body) = &entry.event {
            Some(body.view)
        } else {
            None
        };
        for blob in &sealed.blobs {
            let picture = Picture {
                session: sealed.session.clone(),
                event_type: entry.event.type_name(),
                view,
            };
            self.pictures.insert(blob.to_string(), picture);
        }
        let payload: Value = serde_json::from_slice(Signed::read(signed)?.payload())?;
        let mut members = Vec::new();
        if let Some(data) = payload.get("data") {
            sealed_members(data, &mut members);
        }
        for (member, field) in members {
            let name = if matches!(entry.event, Event::CardVerified(_)) {
                HOLDER.to_owned()
            } else {
                format!("{APPLICATION}.{member}")
            };
            self.fields.push(Field {
                index: entry.index,
                session: sealed.session.clone(),
                name,
                sealed: field,
            });
        }
        Ok(())
    }

    /// A line for each thing: what it says, or why it cannot be opened.
    ///
    /// # Errors
    /// A photo cannot be written.
    pub fn open(&self, photos: Option<&Path>) -> anyhow::Result<Vec<Value>> {
        let mut lines = self.closed.clone();
        for key in self.keys.values() {
            lines.push(
                json!({ "what": "key", "key": key.id, "session": key.session,
                "origin": key.origin, "opened": true }),
            );
        }
        lines.extend(self.fields.iter().map(|field| self.field(field)));
        let names: BTreeSet<_> = self.blobs.keys().chain(self.pictures.keys()).collect();
        for name in names {
            lines.extend(self.photo(name, photos)?);
        }
        Ok(lines)
    }

    fn field(&self, field: &Field) -> Value {
        let mut line = json!({ "what": "field", "field": field.name, "index": field.index,
            "session": field.session });
        let key = field.sealed.key().and_then(|id| self.keys.get(&id));
        let opened = match key.map(|key| key.open_field(&field.name, &field.sealed)) {
            None => Err(NO_KEY.to_owned()),
            Some(Err(error)) => Err(error.to_string()),
            Some(Ok(plain)) => read_plain(&field.name, plain),
        };
        say(&mut line, opened);
        line
    }

    /// None: of another session than the one that is wanted.
    fn photo(&self, name: &str, photos: Option<&Path>) -> anyhow::Result<Option<Value>> {
        let named = self.pictures.get(name);
        let file = self.blobs.get(name);
        let key_id = file.and_then(|file| key_of_blob(file));
        let key = key_id.as_ref().and_then(|id| self.keys.get(id));
        if self.session.is_some() && named.is_none() && key.is_none() {
            return Ok(None);
        }
        let session = named
            .map(|named| &named.session)
            .or(key.map(|k| &k.session));
        let mut line = json!({ "what": "photo", "blob": name, "session": session,
            "event": named.map(|named| named.event_type), "view": named.map(|named| named.view) });
        let opened = match (file, key) {
            (None, _) => Err("its file is not here".to_owned()),
            (Some(_), None) => Err(NO_KEY.to_owned()),
            (Some(file), Some(key)) => key.open_blob(file).map_err(|error| error.to_string()),
        };
        let said = match opened {
            Err(why) => Err(why),
            Ok(photo) => {
                if let Some(folder) = photos {
                    std::fs::create_dir_all(folder)?;
                    let path = folder.join(format!("{name}.{}", ending(&photo)));
                    std::fs::write(&path, &photo)
                        .with_context(|| format!("cannot write {}", path.display()))?;
                }
                Ok(json!({ "bytes": photo.len() }))
            }
        };
        say(&mut line, said);
        Ok(Some(line))
    }

    fn wants(&self, session: &SessionId) -> bool {
        self.session.as_ref().is_none_or(|wanted| wanted == session)
    }
}

/// How a file of these bytes is called.
fn ending(photo: &[u8]) -> &'static str {
    if PictureFormat::of_head(photo) == Some(PictureFormat::Png) {
        "png"
    } else {
        "jpg"
    }
}

/// Every sealed field below a value, with the name of the member that holds it.
fn sealed_members(value: &Value, found: &mut Vec<(String, SealedField)>) {
    let Value::Object(members) = value else {
        return;
    };
    for (name, value) in members {
        match value.as_str().map(SealedField::new) {
            Some(Ok(field)) => found.push((name.clone(), field)),
            Some(Err(_)) => {}
            None => sealed_members(value, found),
        }
    }
}

/// A holder is JSON, the other fields are texts.
fn read_plain(name: &str, plain: Vec<u8>) -> Result<Value, String> {
    if name.ends_with(HOLDER_MEMBER) {
        serde_json::from_slice(&plain).map_err(|_not_json| "it is not JSON".to_owned())
    } else {
        let text = String::from_utf8(plain);
        text.map(Value::from)
            .map_err(|_not_text| "it is not a text".to_owned())
    }
}

/// Adds what was opened to its line, or why it was not.
fn say(line: &mut Value, opened: Result<Value, String>) {
    let (key, value, is_open) = match opened {
        Ok(value) => ("says", value, true),
        Err(why) => ("why", why.into(), false),
    };
    if let Some(fields) = line.as_object_mut() {
        fields.insert("opened".to_owned(), is_open.into());
        fields.insert(key.to_owned(), value);
    }
}

/// The files of a folder, by name; none where there is no such folder.
fn files(folder: &Path) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read {}", folder.display()));
        }
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        // A file may go while this runs.
        if let (Some(name), Ok(bytes)) = (name, std::fs::read(&path)) {
            files.push((name, bytes));
        }
    }
    files.sort();
    Ok(files)
}
