//! The form of an application's key that officers at the window open (A15). All of it blocks.
//!
//! The centre's form goes up and is removed soon after the session; a citizen comes to the window with a ticket minutes or days later. So
//! the same key lies here a second time, `<key id>.window`, sealed to the officers alone: from before anything is sealed under it until
//! the centre has confirmed the application, or its ticket is closed or lapsed, or the session is erased.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use schemas::ids::SessionId;
use schemas::key::RecipientId;

use super::file::{self, Owner};
use super::key::SessionKey;
use super::recipient::Recipient;
use super::store::{KeyStore, at, owner};

const FORM: &str = "window";
const FILE_MODE: u32 = 0o600;

/// A key as officers open it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowForm {
    /// Whose private keys open it.
    pub recipients: Vec<RecipientId>,
    /// The bytes of its file.
    pub bytes: Vec<u8>,
}

impl KeyStore {
    /// Writes the form; durable when this returns.
    pub(super) fn write_form(
        &self,
        key: &SessionKey,
        officers: &[Recipient],
    ) -> std::io::Result<()> {
        let bytes = file::encode(key, officers).map_err(std::io::Error::other)?;
        let path = self.path(key.id(), FORM);
        gateway_durable::replace_file(&path, &bytes, FILE_MODE).map_err(at("write", &path))
    }

    /// The forms of a session of this log.
    pub fn window_forms(&self, session: &SessionId) -> std::io::Result<Vec<WindowForm>> {
        let mut forms = Vec::new();
        for (path, owner) in self.forms()? {
            if owner.is_some_and(|owner| self.is_own(&owner, session)) {
                let bytes = std::fs::read(&path).map_err(at("read", &path))?;
                forms.push(WindowForm {
                    recipients: file::recipients(&bytes),
                    bytes,
                });
            }
        }
        Ok(forms)
    }

    /// Whose private keys open what of this log, by session.
    pub fn window_recipients(&self) -> std::io::Result<BTreeMap<SessionId, BTreeSet<RecipientId>>> {
        let mut recipients: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (path, owner) in self.forms()? {
            if let Some(owner) = owner.filter(|owner| owner.origin == self.origin().as_str()) {
                let bytes = std::fs::read(&path).map_err(at("read", &path))?;
                let of_session = recipients.entry(owner.session).or_default();
                of_session.extend(file::recipients(&bytes));
            }
        }
        Ok(recipients)
    }

    /// Destroys the forms of a session. Done again it changes nothing.
    pub fn destroy_window_forms(&self, session: &SessionId) -> std::io::Result<()> {
        self.destroy_forms(|owner| self.is_own(owner, session))
    }

    /// Destroys every form but those of these sessions of this log: what a crash left.
    pub fn keep_window_forms(&self, keep: impl Fn(&SessionId) -> bool) -> std::io::Result<()> {
        self.destroy_forms(|owner| {
            !(owner.origin == self.origin().as_str() && keep(&owner.session))
        })
    }

    fn destroy_forms(&self, unwanted: impl Fn(&Owner) -> bool) -> std::io::Result<()> {
        let mut destroyed = false;
        for (path, owner) in self.forms()? {
            if owner.is_some_and(|owner| unwanted(&owner)) {
                std::fs::remove_file(&path).map_err(at("remove", &path))?;
                destroyed = true;
            }
        }
        if destroyed {
            gateway_durable::sync_folder(&self.folder)?;
        }
        Ok(())
    }

    pub(super) fn is_own(&self, owner: &Owner, session: &SessionId) -> bool {
        owner.session == *session && owner.origin == self.origin().as_str()
    }

    fn forms(&self) -> std::io::Result<Vec<(PathBuf, Option<Owner>)>> {
        let keys = self.named_by(FORM)?.into_iter();
        let paths = keys.map(|key| self.path(&key, FORM));
        Ok(paths.map(|path| (path.clone(), owner(&path))).collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::super::key::tests::key;
    use super::super::store::tests::{recipients, store};
    use super::*;

    /// A15, G7: a form is found by its session alone, stays when the centre's form has gone, and goes with an erasure.
    #[test]
    fn a_form_lives_apart_from_the_centres() {
        let place = tempfile::tempdir().unwrap();
        let store = store(place.path());
        let (one, two, three) = (key("s-1"), key("s-2"), key("s-3"));
        for key in [&one, &two, &three] {
            store.write(key, &recipients()).unwrap();
            store.write_form(key, &recipients()).unwrap();
        }
        store.begin_sending(one.id()).unwrap();
        store.sent(one.id()).unwrap();
        let forms = store.window_forms(one.session()).unwrap();
        let [form] = forms.as_slice() else {
            unreachable!("{forms:?}")
        };
        let officers = recipients().map(|officer| officer.id());
        assert_eq!(form.recipients, officers);
        let all = store.window_recipients().unwrap();
        let of_one = all.get(one.session()).unwrap();
        assert_eq!((all.len(), of_one), (3, &officers.into()));

        let erased = store.erase(two.session()).unwrap();
        assert_eq!(erased.0, [two.id().clone()]);
        assert!(store.window_forms(two.session()).unwrap().is_empty());
        assert_eq!(
            store.erase(one.session()).unwrap().0,
            [],
            "that one is at the centre, which must be asked"
        );
        assert!(store.window_forms(one.session()).unwrap().is_empty());
    }

    /// A15: what a crash left of forms that nobody needs any more goes at the next start.
    #[test]
    fn forms_that_nobody_needs_are_swept() {
        let place = tempfile::tempdir().unwrap();
        let store = store(place.path());
        let (open, over) = (key("s-1"), key("s-2"));
        for key in [&open, &over] {
            store.write_form(key, &recipients()).unwrap();
        }
        let keep = |session: &SessionId| session == open.session();
        store.keep_window_forms(keep).unwrap();
        assert_eq!(store.window_forms(open.session()).unwrap().len(), 1);
        assert!(store.window_forms(over.session()).unwrap().is_empty());
        store.destroy_window_forms(open.session()).unwrap();
        store.destroy_window_forms(open.session()).unwrap();
        assert!(store.window_forms(open.session()).unwrap().is_empty());
    }
}
