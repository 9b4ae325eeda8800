//! Opens what stations sealed, with the keys that came from them. A key, and a picture, may come later than the event that needs it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use schemas::citizen::{CitizenName, CitizenNumber};
use schemas::event::application::SealedBlob;
use schemas::ids::SessionId;
use schemas::key::SealingKeyId;
use schemas::sealed::SealedField;
use serde::{Deserialize, Serialize};

use super::Sender;
use crate::centre::opener::{Centre, SessionKey};
use crate::centre::received::Received;
use crate::people::People;

/// The sealed fields of an application keep these names wherever they are copied to.
pub(super) const HOLDER: &str = "application.holder";
pub(super) const PHONE: &str = "application.phone";

/// The private key, and where sealed session keys come in: `<station>/session-keys/<key>.json`.
#[derive(Debug, Clone)]
pub(in crate::centre) struct Openers {
    pub(in crate::centre) private: Arc<Centre>,
    pub(in crate::centre) received: PathBuf,
    /// How long a picture is waited for.
    pub(in crate::centre) patience: Duration,
}

/// Who applies. It does not print.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holder {
    pub(super) number: String,
    #[serde(default)]
    pub(super) name: Option<String>,
}

/// What became of an attempt to open something.
pub(super) enum Opened<T> {
    /// Its key has not come.
    NotYet,
    /// It will never open, or says nothing of use.
    Never,
    It(T),
}

impl Openers {
    /// Who applies.
    pub(super) fn holder(
        &self,
        sender: &Sender,
        session: &SessionId,
        field: &SealedField,
    ) -> io::Result<Opened<Holder>> {
        Ok(match self.field(sender, session, HOLDER, field)? {
            Opened::NotYet => Opened::NotYet,
            Opened::Never => Opened::Never,
            Opened::It(plain) => match serde_json::from_slice::<Holder>(&plain) {
                Ok(holder) if holder.is_valid() => Opened::It(holder),
                Ok(_) | Err(_) => Opened::Never,
            },
        })
    }

    /// Where a code goes.
    pub(super) fn phone(
        &self,
        sender: &Sender,
        session: &SessionId,
        field: &SealedField,
    ) -> io::Result<Opened<String>> {
        Ok(match self.field(sender, session, PHONE, field)? {
            Opened::NotYet => Opened::NotYet,
            Opened::Never => Opened::Never,
            Opened::It(plain) => String::from_utf8(plain).map_or(Opened::Never, Opened::It),
        })
    }

    /// A picture.
    pub(super) fn picture(
        &self,
        sender: &Sender,
        session: &SessionId,
        sealed: &SealedBlob,
    ) -> io::Result<Opened<Vec<u8>>> {
        let received = Received::of(&self.received, &sender.station);
        let Some(file) = received.read(&sealed.blob)? else {
            return Ok(Opened::NotYet);
        };
        Ok(match self.key(sender, session, &sealed.key)? {
            Opened::NotYet => Opened::NotYet,
            Opened::Never => Opened::Never,
            Opened::It(key) => key.open_blob(&file).map_or(Opened::Never, Opened::It),
        })
    }

    fn field(
        &self,
        sender: &Sender,
        session: &SessionId,
        name: &str,
        field: &SealedField,
    ) -> io::Result<Opened<Vec<u8>>> {
        let Some(key) = field.key() else {
            return Ok(Opened::Never);
        };
        Ok(match self.key(sender, session, &key)? {
            Opened::NotYet => Opened::NotYet,
            Opened::Never => Opened::Never,
            Opened::It(key) => key
                .open_field(name, field)
                .map_or(Opened::Never, Opened::It),
        })
    }

    /// A key of a session. One of another session, or of another station's, opens nothing here.
    fn key(
        &self,
        sender: &Sender,
        session: &SessionId,
        key: &SealingKeyId,
    ) -> io::Result<Opened<SessionKey>> {
        let folder = self.received.join(sender.station.as_str());
        let path = folder.join("session-keys").join(format!("{key}.json"));
        let file = match std::fs::read(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Opened::NotYet),
            Err(error) => return Err(error),
        };
        let own = self.private.open_key(&file).ok();
        let own = own.filter(|k| k.session == *session && k.origin == sender.origin);
        Ok(own.map_or(Opened::Never, Opened::It))
    }
}

impl Holder {
    /// The name: the card's, where one was read, or the register's.
    pub(super) fn name_in(&self, register: &People) -> Option<CitizenName> {
        let known = || register.known(&self.number).map(|person| &*person.name);
        let name = self.name.as_deref().or_else(known)?;
        CitizenName::new(name).ok()
    }

    fn is_valid(&self) -> bool {
        let named = self
            .name
            .as_deref()
            .is_none_or(|name| CitizenName::new(name).is_ok());
        named && CitizenNumber::new(&self.number).is_ok()
    }
}

impl core::fmt::Debug for Holder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Holder(hidden)")
    }
}
