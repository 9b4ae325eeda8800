//! Which session each device serves, and the keys of the sessions that are open.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gateway_core::{State, asked};
use schemas::citizen::{CitizenName, CitizenNumber};
use schemas::ids::{DeviceId, SessionId};
use schemas::key::SealingKeyId;
use schemas::message::command::CommandId;
use schemas::sealed::SealedField;

use super::key::{SealError, SessionKey};
use super::recipient::Recipient;
use super::source::Source;
use super::store::{Erased, KeyStore};

/// The place where keys are had from. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SealingDesk(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: KeyStore,
    recipients: Vec<Recipient>,
    /// Officers at the window, who open keys of applications (A15).
    officers: Vec<Recipient>,
    open: Mutex<BTreeMap<SessionId, Open>>,
    /// The commands that sessions wait for, with the device and the session of each.
    asked: Mutex<BTreeMap<CommandId, (DeviceId, SessionId)>>,
    /// Held while a key's file is written or destroyed, so that a session has one key in each life of the gateway, and
    /// none after it was erased.
    files: tokio::sync::Mutex<()>,
    /// Shared by keys that go up, alone for who destroys keys: none leaves once its session is erased. Locked before `files`.
    leaving: tokio::sync::RwLock<()>,
}

/// An open session.
#[derive(Debug)]
struct Open {
    key: Option<Arc<SessionKey>>,
    /// The kiosk of an application; none: a pickup or a commissioning.
    kiosk: Option<DeviceId>,
}

/// Why there is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSealed {
    /// No session asked for it.
    NoSession,
    /// No key could be made, or its file could not be written.
    Failed,
}

impl From<SealError> for NotSealed {
    fn from(_: SealError) -> Self {
        Self::Failed
    }
}

impl SealingDesk {
    /// Nobody is served yet.
    pub fn new(store: KeyStore, recipients: Vec<Recipient>, officers: Vec<Recipient>) -> Self {
        Self(Arc::new(Inner {
            store,
            recipients,
            officers,
            open: Mutex::default(),
            asked: Mutex::default(),
            files: tokio::sync::Mutex::default(),
            leaving: tokio::sync::RwLock::default(),
        }))
    }

    /// The folder of the keys.
    pub fn store(&self) -> &KeyStore {
        &self.0.store
    }

    /// The sessions that the log says are open, at start.
    pub fn begin(&self, state: &State) {
        let open = state.pickups().map(|(session, _)| session);
        open.for_each(|session| self.opened(session));
        self.asks(asked(state));
    }

    /// A session has begun, durably.
    pub fn opened(&self, session: &SessionId) {
        let open = Open {
            key: None,
            kiosk: None,
        };
        self.open().insert(session.clone(), open);
    }

    /// The applications under way, durably, with the kiosk of each. Those that are not among them have ended.
    pub fn applications(&self, under_way: &BTreeMap<SessionId, DeviceId>) {
        let mut open = self.open();
        open.retain(|session, open| open.kiosk.is_none() || under_way.contains_key(session));
        for (session, kiosk) in under_way {
            open.entry(session.clone()).or_insert_with(|| Open {
                key: None,
                kiosk: Some(kiosk.clone()),
            });
        }
    }

    /// The commands that sessions wait for, durably. What comes for another one belongs to nobody.
    pub fn asks(&self, asked: BTreeMap<CommandId, (DeviceId, SessionId)>) {
        *self.asked() = asked;
    }

    /// A session has ended, durably: its key is wiped with its last user.
    pub fn ended(&self, session: &SessionId) {
        drop(self.open().remove(session));
    }

    /// The session that something belongs to: the one whose command it names, if that is still waited for and was given to this
    /// device, or the application of the kiosk that gives it.
    pub fn session_of(&self, from: Source<'_>) -> Option<SessionId> {
        let Some(command) = from.command else {
            let open = self.open();
            let mut own = open
                .iter()
                .filter(|(_, open)| open.kiosk.as_ref() == Some(from.device));
            return own.next().map(|(session, _)| session.clone());
        };
        let asked = self.asked();
        let (device, session) = asked.get(command)?;
        (device == from.device).then(|| session.clone())
    }

    /// Whether a session is an application.
    pub fn is_application(&self, session: &SessionId) -> bool {
        let open = self.open();
        open.get(session).is_some_and(|open| open.kiosk.is_some())
    }

    /// The key of the session that something belongs to; made, its file durable, when there is none yet.
    pub async fn key_for(&self, from: Source<'_>) -> Result<Arc<SessionKey>, NotSealed> {
        let session = self.session_of(from).ok_or(NotSealed::NoSession)?;
        self.key_in(session).await
    }

    /// The key of an open session.
    pub(crate) async fn key_in(&self, session: SessionId) -> Result<Arc<SessionKey>, NotSealed> {
        if let Some(key) = self.key_of(&session) {
            return Ok(key);
        }
        let _files = self.0.files.lock().await;
        if let Some(key) = self.key_of(&session) {
            return Ok(key);
        }
        let desk = self.clone();
        let made = panics::off_runtime(move || desk.make(&session));
        made.await.unwrap_or(Err(NotSealed::Failed))
    }

    /// Seals whom a chip names, for the session that asked its reader.
    pub async fn seal_holder(
        &self,
        from: Source<'_>,
        number: &CitizenNumber,
        name: Option<&CitizenName>,
    ) -> Result<SealedField, NotSealed> {
        let key = self.key_for(from).await?;
        Ok(key.seal_holder(number, name)?)
    }

    /// Whether a session is open: its key may still be used.
    pub fn is_open(&self, session: &SessionId) -> bool {
        self.open().contains_key(session)
    }

    /// No key is destroyed while this is held. It is for one key's way up, which has a deadline; the keys of open sessions do not wait
    /// for it.
    pub async fn hold_erasures(&self) -> tokio::sync::RwLockReadGuard<'_, ()> {
        self.0.leaving.read().await
    }

    /// Destroys every key of a session that is here.
    pub async fn erase(&self, session: &SessionId) -> std::io::Result<Erased> {
        let _leaving = self.0.leaving.write().await;
        let _files = self.0.files.lock().await;
        self.ended(session);
        let (store, session) = (self.0.store.clone(), session.clone());
        panics::off_runtime(move || store.erase(&session)).await?
    }

    /// Destroys those of the keys that are still here.
    pub async fn erase_named(
        &self,
        session: &SessionId,
        named: BTreeSet<SealingKeyId>,
    ) -> std::io::Result<Vec<SealingKeyId>> {
        let _leaving = self.0.leaving.write().await;
        let _files = self.0.files.lock().await;
        let (store, session) = (self.0.store.clone(), session.clone());
        panics::off_runtime(move || store.erase_named(&session, &named)).await?
    }

    /// Seals words for the session that they belong to, as the field of this name.
    pub async fn seal_words(
        &self,
        from: Source<'_>,
        name: &'static str,
        plain: &[u8],
    ) -> Result<(SessionId, SealedField), NotSealed> {
        let key = self.key_for(from).await?;
        Ok((key.session().clone(), key.seal_field(name, plain)?))
    }

    /// Destroys what officers open of a session: nobody needs it any more.
    pub async fn window_is_over(&self, session: &SessionId) -> std::io::Result<()> {
        let _files = self.0.files.lock().await;
        let (store, session) = (self.0.store.clone(), session.clone());
        panics::off_runtime(move || store.destroy_window_forms(&session)).await?
    }

    fn make(&self, session: &SessionId) -> Result<Arc<SessionKey>, NotSealed> {
        let Inner {
            store,
            recipients,
            officers,
            ..
        } = &*self.0;
        // Ended meanwhile, perhaps erased: a key for it would have to be erased again.
        if !self.open().contains_key(session) {
            return Err(NotSealed::NoSession);
        }
        let key = SessionKey::draw(store.origin().clone(), session.clone())?;
        // The window's form first: no key without it is ever used.
        let for_window = !officers.is_empty() && self.is_application(session);
        let form = if for_window {
            store.write_form(&key, officers)
        } else {
            Ok(())
        };
        let written = form.and_then(|()| store.write(&key, recipients));
        written.map_err(|error| {
            tracing::error!(%session, %error, "the key of a session could not be written");
            NotSealed::Failed
        })?;
        let key = Arc::new(key);
        // A session that ended meanwhile gets no key: what came for it belongs nowhere any more.
        let mut open = self.open();
        let session = open.get_mut(session).ok_or(NotSealed::NoSession)?;
        session.key = Some(Arc::clone(&key));
        Ok(key)
    }

    fn key_of(&self, session: &SessionId) -> Option<Arc<SessionKey>> {
        self.open().get(session)?.key.clone()
    }

    fn asked(&self) -> MutexGuard<'_, BTreeMap<CommandId, (DeviceId, SessionId)>> {
        self.0.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<SessionId, Open>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#[path = "desk_tests.rs"]
pub(crate) mod tests;
