//! Which session each device serves, and the keys of the sessions that are open.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gateway_core::State;
use schemas::citizen::{CitizenName, CitizenNumber};
use schemas::event::pickup::MachineDevices;
use schemas::ids::{DeviceId, SessionId};
use schemas::key::SealingKeyId;
use schemas::sealed::SealedField;

use super::key::{SealError, SessionKey};
use super::recipient::Recipient;
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
    /// Held while a key's file is written or destroyed, so that a session has one key in each life of the gateway, and
    /// none after it was erased.
    files: tokio::sync::Mutex<()>,
    /// Shared by keys that go up, alone for who destroys keys: none leaves once its session is erased. Locked before `files`.
    leaving: tokio::sync::RwLock<()>,
}

/// An open session.
#[derive(Debug)]
struct Open {
    devices: BTreeSet<DeviceId>,
    key: Option<Arc<SessionKey>>,
    /// An application: its devices change with its steps.
    is_application: bool,
}

/// Why there is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSealed {
    /// The device serves no session.
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
        for (session, devices) in state.pickups() {
            self.opened(session, devices);
        }
    }

    /// A session has begun, durably.
    pub fn opened(&self, session: &SessionId, devices: &MachineDevices) {
        let MachineDevices {
            dispenser: _,
            reader,
            intake_reader,
            scanner,
            camera,
        } = devices.clone();
        let open = Open {
            devices: BTreeSet::from([reader, intake_reader, scanner, camera]),
            key: None,
            is_application: false,
        };
        self.open().insert(session.clone(), open);
    }

    /// The applications under way, durably: the kiosk of each, and the device that serves its present step. Those that are not
    /// among them have ended.
    pub fn applications(&self, under_way: &BTreeMap<SessionId, BTreeSet<DeviceId>>) {
        let mut open = self.open();
        open.retain(|session, open| !open.is_application || under_way.contains_key(session));
        for (session, devices) in under_way {
            let application = open.entry(session.clone()).or_insert_with(|| Open {
                devices: BTreeSet::new(),
                key: None,
                is_application: true,
            });
            application.devices.clone_from(devices);
        }
    }

    /// A session has ended, durably: its key is wiped with its last user.
    pub fn ended(&self, session: &SessionId) {
        drop(self.open().remove(session));
    }

    /// The session that a device serves. One that an application's step has serves that step, whatever else it belongs to.
    pub fn session_of(&self, device: &DeviceId) -> Option<SessionId> {
        let open = self.open();
        let mut serving = open
            .iter()
            .filter(|(_, open)| open.devices.contains(device))
            .peekable();
        let first = serving.peek().map(|(session, _)| (*session).clone());
        let step = serving.find(|(_, open)| open.is_application);
        step.map(|(session, _)| session.clone()).or(first)
    }

    /// Whether a session is an application.
    pub fn is_application(&self, session: &SessionId) -> bool {
        let open = self.open();
        open.get(session).is_some_and(|open| open.is_application)
    }

    /// The key of the session that a device serves; made, its file durable, when there is none yet.
    pub async fn key_for(&self, device: &DeviceId) -> Result<Arc<SessionKey>, NotSealed> {
        let session = self.session_of(device).ok_or(NotSealed::NoSession)?;
        if let Some(key) = self.key_of(&session) {
            return Ok(key);
        }
        let _files = self.0.files.lock().await;
        if let Some(key) = self.key_of(&session) {
            return Ok(key);
        }
        let desk = self.clone();
        let made = tokio::task::spawn_blocking(move || desk.make(&session));
        made.await.unwrap_or(Err(NotSealed::Failed))
    }

    /// Seals whom a chip names, for the session that its reader serves.
    pub async fn seal_holder(
        &self,
        reader: &DeviceId,
        number: &CitizenNumber,
        name: Option<&CitizenName>,
    ) -> Result<SealedField, NotSealed> {
        let key = self.key_for(reader).await?;
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
        tokio::task::spawn_blocking(move || store.erase(&session))
            .await
            .map_err(std::io::Error::other)?
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
        tokio::task::spawn_blocking(move || store.erase_named(&session, &named))
            .await
            .map_err(std::io::Error::other)?
    }

    /// Seals words for the session that a device serves, as the field of this name.
    pub async fn seal_words(
        &self,
        device: &DeviceId,
        name: &'static str,
        plain: &[u8],
    ) -> Result<(SessionId, SealedField), NotSealed> {
        let key = self.key_for(device).await?;
        Ok((key.session().clone(), key.seal_field(name, plain)?))
    }

    /// Destroys what officers open of a session: nobody needs it any more.
    pub async fn window_is_over(&self, session: &SessionId) -> std::io::Result<()> {
        let _files = self.0.files.lock().await;
        let (store, session) = (self.0.store.clone(), session.clone());
        tokio::task::spawn_blocking(move || store.destroy_window_forms(&session))
            .await
            .map_err(std::io::Error::other)?
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

    fn open(&self) -> MutexGuard<'_, BTreeMap<SessionId, Open>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
pub(crate) mod tests {
    use schemas::envelope::Origin;

    use super::super::PrivateKey;
    use super::*;

    pub(crate) fn desk(folder: &std::path::Path) -> SealingDesk {
        let origin = Origin::new("gateway.demo/station/demo/1").unwrap();
        let store = KeyStore::open(&folder.join("session-keys"), origin).unwrap();
        let centre = vec![Recipient::from_bytes(&[9; 32]).unwrap()];
        SealingDesk::new(store, centre, Vec::new())
    }

    pub(crate) fn id(name: &str) -> DeviceId {
        DeviceId::new(name).unwrap()
    }

    pub(crate) fn devices() -> MachineDevices {
        MachineDevices {
            dispenser: id("dispenser-1"),
            reader: id("reader-1"),
            intake_reader: id("reader-2"),
            scanner: id("scanner-1"),
            camera: id("camera-1"),
        }
    }

    /// G7: a session has one key for all its devices, on disk before it is used; a device that serves none gets none, and
    /// after the end there is none in memory.
    #[tokio::test]
    async fn a_session_has_one_key_while_it_is_open() {
        let place = tempfile::tempdir().unwrap();
        let desk = desk(place.path());
        let session = SessionId::new("s-40").unwrap();
        let none = desk.key_for(&id("camera-1")).await;
        assert_eq!(none.unwrap_err(), NotSealed::NoSession);
        desk.opened(&session, &devices());
        let (camera, reader) = (id("camera-1"), id("reader-1"));
        let (one, two) = tokio::join!(desk.key_for(&camera), desk.key_for(&reader));
        let one = one.unwrap();
        assert_eq!(one.id(), two.unwrap().id());
        assert!(desk.store().holds(one.id()));
        let other = desk.key_for(&id("camera-2")).await;
        assert_eq!(other.unwrap_err(), NotSealed::NoSession);
        desk.ended(&session);
        assert_eq!(Arc::strong_count(&one), 1, "forgotten");
        assert!(desk.key_for(&camera).await.is_err());
        assert_eq!(
            desk.erase(&session).await.unwrap(),
            Erased(vec![one.id().clone()])
        );
        assert!(!desk.store().holds(one.id()));
    }

    /// A15, G7: officers get the key of an application, never that of a pickup, and only until nobody needs it any more.
    #[tokio::test]
    async fn officers_get_keys_of_applications_only() {
        let place = tempfile::tempdir().unwrap();
        let officer = PrivateKey::draw().unwrap();
        let public = Recipient::from_text(&officer.public()).unwrap();
        let store = desk(place.path()).store().clone();
        let centre = vec![Recipient::from_bytes(&[9; 32]).unwrap()];
        let desk = SealingDesk::new(store, centre, vec![public]);
        let pickup = SessionId::new("s-40").unwrap();
        let application = SessionId::new("s-41").unwrap();
        desk.opened(&pickup, &devices());
        let kiosk = BTreeSet::from([id("kiosk-1")]);
        desk.applications(&BTreeMap::from([(application.clone(), kiosk)]));
        desk.key_for(&id("camera-1")).await.unwrap();
        let key = desk.key_for(&id("kiosk-1")).await.unwrap();
        assert!(desk.store().window_forms(&pickup).unwrap().is_empty());
        let forms = desk.store().window_forms(&application).unwrap();
        let opened = officer.open(&forms.first().unwrap().bytes).unwrap();
        assert_eq!((opened.id(), opened.session()), (key.id(), &application));
        desk.window_is_over(&application).await.unwrap();
        assert!(desk.store().window_forms(&application).unwrap().is_empty());
        assert!(desk.store().holds(key.id()), "the centre's form stays");
    }

    fn under_way(of: &[(u64, &[&str])]) -> BTreeMap<SessionId, BTreeSet<DeviceId>> {
        let application = |(index, devices): &(u64, &[&str])| {
            let devices = devices.iter().map(|name| id(name)).collect();
            (SessionId::from_index(*index), devices)
        };
        of.iter().map(application).collect()
    }

    /// G7, A16: a shared device belongs to the application whose step it serves, and to nobody between two steps; a kiosk to its own. Each
    /// has a key of its own.
    #[tokio::test]
    async fn g7_a_shared_device_seals_for_the_step_it_serves() {
        let place = tempfile::tempdir().unwrap();
        let desk = desk(place.path());
        let (one, two) = (SessionId::from_index(1), SessionId::from_index(2));
        let camera = id("camera-1");
        desk.applications(&under_way(&[
            (1, &["kiosk-1", "camera-1"]),
            (2, &["kiosk-2"]),
        ]));
        assert_eq!(desk.session_of(&camera), Some(one.clone()));
        assert_eq!(desk.session_of(&id("kiosk-2")), Some(two.clone()));
        let first = desk.key_for(&camera).await.unwrap();
        assert_eq!(first.session(), &one);
        desk.applications(&under_way(&[(1, &["kiosk-1"]), (2, &["kiosk-2"])]));
        assert_eq!(desk.session_of(&camera), None);
        assert_eq!(
            desk.key_for(&camera).await.unwrap_err(),
            NotSealed::NoSession
        );
        desk.applications(&under_way(&[
            (1, &["kiosk-1"]),
            (2, &["kiosk-2", "camera-1"]),
        ]));
        let second = desk.key_for(&camera).await.unwrap();
        assert_eq!(second.session(), &two);
        assert_ne!(first.id(), second.id());
        let again = desk.key_for(&id("kiosk-1")).await.unwrap();
        assert_eq!(first.id(), again.id(), "one key all the way");
    }

    /// G7: an application that is not under way any more has no key in memory, and gets none; the pickup beside it goes on.
    #[tokio::test]
    async fn g7_an_application_that_ended_has_no_key() {
        let place = tempfile::tempdir().unwrap();
        let desk = desk(place.path());
        let (pickup, application) = (SessionId::from_index(40), SessionId::from_index(50));
        desk.opened(&pickup, &devices());
        desk.applications(&under_way(&[(50, &["kiosk-1", "camera-1"])]));
        assert!(desk.is_application(&application) && !desk.is_application(&pickup));
        // A step that has a device of the machine comes first.
        assert_eq!(desk.session_of(&id("camera-1")), Some(application.clone()));
        let key = desk.key_for(&id("kiosk-1")).await.unwrap();
        desk.applications(&BTreeMap::new());
        assert_eq!(Arc::strong_count(&key), 1, "forgotten");
        assert!(!desk.is_open(&application) && desk.is_open(&pickup));
        assert_eq!(desk.session_of(&id("camera-1")), Some(pickup));
        let none = desk.key_for(&id("kiosk-1")).await;
        assert_eq!(none.unwrap_err(), NotSealed::NoSession);
        assert!(desk.store().holds(key.id()), "for the centre");
    }
}
