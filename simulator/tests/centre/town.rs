//! Stations that take applications, and a centre that decides them: what a station seals, and what it appends.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Kem, OpModeS, Serializable as _, single_shot_seal};
use schemas::acceptance::AcceptanceSite;
use schemas::downlink::Instruction;
use schemas::event::Event;
use schemas::event::application::{
    ApplicationAccepted, ApplicationCompensated, ApplicationConfirmed, ApplicationEligibilityAsked,
    ApplicationSmsAsked, Entered, PaymentTerm, SealedBlob,
};
use schemas::event::paper::PapersNotHandedOut;
use schemas::event::payment::PaymentOrdered;
use schemas::ids::{BlobHash, DeviceId, OrderId, SessionId, TicketNumber};
use schemas::key::SealingKeyId;
use schemas::lookup::LookupTag;
use schemas::message::peripheral::Fen;
use schemas::sealed::SealedField;
use schemas::words::Residence;
use schemas::words::application::{ApplicationKind, PaymentWay, ProvisionalCause, RejectionReason};
use serde_json::json;
use simulator::centre::{
    CaseStanding, Centre, CentreConfig, GrantTerms, OfficeConfig, PICTURE_WAIT, Running, View,
};
use simulator::people::People;
use tempfile::TempDir;

use crate::house::{House, until, until_acknowledged};
use crate::station::Station;

pub const NUMBER: &str = "11010519491231002X";
pub const OTHER: &str = "440524188001010014";
pub const FEE: u32 = 2_000;

pub struct Town {
    pub house: House,
    pub received: TempDir,
    private: String,
    public: <X25519HkdfSha256 as Kem>::PublicKey,
    /// How much of each log is in the store.
    sent: BTreeMap<String, usize>,
}

impl Town {
    pub async fn new() -> Self {
        let (private, public) = X25519HkdfSha256::gen_keypair();
        Self {
            house: House::new().await,
            received: tempfile::tempdir().unwrap(),
            private: hex::encode(private.to_bytes()),
            public,
            sent: BTreeMap::new(),
        }
    }

    /// A registered station.
    pub fn station(&self, id: &str, seed: u8) -> Station {
        let station = Station::of_len(id, seed, 2);
        self.house.register(station.registration());
        station
    }

    pub fn config(&self, terms: GrantTerms) -> CentreConfig {
        let people = People::new("demo-1".parse().unwrap(), 8, 1).unwrap();
        let office = OfficeConfig {
            private: Arc::new(Centre::from_text(&self.private).unwrap()),
            register: Arc::new(people),
            terms,
            counter: Some("127.0.0.1:0".parse().unwrap()),
            picture_wait: PICTURE_WAIT,
        };
        CentreConfig {
            received: Some(self.received.path().to_owned()),
            office: Some(office),
            ..self.house.config()
        }
    }

    pub async fn centre(&self) -> Running {
        let config = self.config(GrantTerms::default());
        Running::start(config).await.unwrap()
    }

    /// Appends what is new of a station's log, and waits until the centre has it.
    pub async fn send(&mut self, centre: &mut Running, station: &Station) {
        self.append(station).await;
        until_acknowledged(centre, station).await;
    }

    pub async fn append(&mut self, station: &Station) {
        let stream = station.stream();
        let from = self.sent.insert(stream.clone(), station.events.len());
        let from = from.unwrap_or(0);
        let records = station.records();
        self.house.append(&stream, from, &records[from..]).await;
    }

    /// Seals a field for a session, as the station does, and sends its key up unless that is late.
    pub fn seal(&self, session: &Session, name: &str, plain: &str) -> SealedField {
        let (id, secret) = self.key(session);
        sealed(session, &id, &secret, name, plain)
    }

    /// A new key of a session. Its file has come.
    fn key(&self, session: &Session) -> (SealingKeyId, [u8; 32]) {
        let mut secret = [0; 32];
        aws_lc_rs::rand::fill(&mut secret).unwrap();
        let id: [u8; 16] = secret[..16].try_into().unwrap();
        let id = SealingKeyId::of(&id);
        let folder = self
            .received
            .path()
            .join(&session.station)
            .join("session-keys");
        std::fs::create_dir_all(&folder).unwrap();
        let file = key_file(&self.public, session, &id, &secret);
        std::fs::write(folder.join(format!("{id}.json")), file).unwrap();
        (id, secret)
    }

    /// Seals a picture for a session, as the station does. Its key has come, and its file has unless that is late.
    pub fn picture(&self, session: &Session, plain: &[u8]) -> SealedBlob {
        let (key, secret) = self.key(session);
        let file = sealed_blob(&key, &secret, plain);
        let blob = hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &file));
        let folder = self.blobs(session);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(&blob), file).unwrap();
        SealedBlob {
            blob: BlobHash::new(blob).unwrap(),
            key,
            len: u32::try_from(plain.len()).unwrap(),
        }
    }

    /// The file of a picture is not at the centre until this is called with `here`.
    pub fn hold_picture(&self, session: &Session, picture: &SealedBlob, here: bool) {
        let name = picture.blob.as_str();
        let (open, held) = (
            self.blobs(session).join(name),
            self.received.path().join(name),
        );
        let (from, to) = if here { (held, open) } else { (open, held) };
        std::fs::rename(from, to).unwrap();
    }

    fn blobs(&self, session: &Session) -> PathBuf {
        self.received.path().join(&session.station).join("blobs")
    }

    /// The key of a field is not at the centre until this is called with `here`.
    pub fn hold_key(&self, session: &Session, field: &SealedField, here: bool) {
        let folder = self
            .received
            .path()
            .join(&session.station)
            .join("session-keys");
        let name = format!("{}.json", field.key().unwrap());
        let (open, held) = (folder.join(&name), self.received.path().join(name));
        let (from, to) = if here { (held, open) } else { (open, held) };
        std::fs::rename(from, to).unwrap();
    }

    pub fn holder(&self, session: &Session, number: &str) -> SealedField {
        let plain = json!({ "number": number }).to_string();
        self.seal(session, "application.holder", &plain)
    }

    /// What the station was told, without the acknowledgements and grants.
    pub async fn told(&self, centre: &Running, station: &Station) -> Vec<Instruction> {
        let key = House::shown_key(&centre.view());
        let told = self.house.told(&station.id, &[key]).await;
        let told = told.into_iter().map(|genuine| genuine.instruction);
        told.filter(|told| {
            !matches!(
                told,
                Instruction::Acknowledged(_) | Instruction::GrantIssued(_)
            )
        })
        .collect()
    }

    /// The same, once so many were told.
    pub async fn told_so_many(
        &self,
        centre: &Running,
        station: &Station,
        count: usize,
    ) -> Vec<Instruction> {
        let enough = async {
            loop {
                let told = self.told(centre, station).await;
                if told.len() >= count {
                    return told;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let patience = Duration::from_secs(30);
        tokio::time::timeout(patience, enough).await.unwrap()
    }
}

/// A session of a station.
pub struct Session {
    pub id: SessionId,
    pub station: String,
    pub origin: String,
    /// Where the citizen is registered.
    pub residence: Residence,
}

impl Session {
    /// The one that the station's next event opens.
    pub fn next(station: &Station) -> Self {
        Self {
            id: SessionId::from_index(station.size()),
            station: station.id.to_string(),
            origin: station.origin.to_string(),
            residence: Residence::Local,
        }
    }

    pub fn asks_who(&self, holder: SealedField) -> Event {
        Event::ApplicationEligibilityAsked(ApplicationEligibilityAsked {
            session: self.id.clone(),
            question: 1,
            kind: ApplicationKind::Renewal,
            residence: self.residence,
            number: LookupTag::new(format!("00000001.{}", "a".repeat(22))).unwrap(),
            holder,
        })
    }

    pub fn asks_code(&self, phone: SealedField) -> Event {
        Event::ApplicationSmsAsked(ApplicationSmsAsked {
            session: self.id.clone(),
            question: 2,
            phone,
        })
    }

    /// Accepted provisionally, as without a link.
    pub fn accepted(
        &self,
        holder: SealedField,
        kind: ApplicationKind,
        order: Option<OrderId>,
    ) -> Event {
        Event::ApplicationAccepted(ApplicationAccepted {
            session: self.id.clone(),
            kiosk: DeviceId::new("kiosk-1").unwrap(),
            site: AcceptanceSite::new("110105001").unwrap(),
            place: serde_json::from_value(json!({ "date": "2026-11-21", "sequence": 7 })).unwrap(),
            reason: 2,
            provisional: vec![ProvisionalCause::Eligibility],
            order,
            term: None,
            papers: Vec::new(),
            entered: Box::new(Entered {
                kind: Some(kind),
                residence: Some(self.residence),
                holder: Some(holder),
                ..Entered::default()
            }),
        })
    }

    /// An acceptance with a phone number.
    pub fn accepted_with_phone(&self, holder: SealedField, phone: SealedField) -> Event {
        let mut accepted = self.accepted(holder, ApplicationKind::Lost, None);
        if let Event::ApplicationAccepted(b) = &mut accepted {
            b.entered.phone = Some(phone);
        }
        accepted
    }

    /// An acceptance with a phone number and a fee that is due.
    pub fn accepted_owing(
        &self,
        holder: SealedField,
        phone: SealedField,
        order: &OrderId,
        term: Option<PaymentTerm>,
    ) -> Event {
        let mut accepted = self.accepted_with_phone(holder, phone);
        if let Event::ApplicationAccepted(b) = &mut accepted {
            b.order = Some(order.clone());
            b.term = term;
        }
        accepted
    }

    /// The station has recorded the centre's decision: it stands.
    pub fn confirmed(&self) -> Event {
        Event::ApplicationConfirmed(ApplicationConfirmed {
            session: self.id.clone(),
            site: AcceptanceSite::new("110105001").unwrap(),
            place: serde_json::from_value(json!({ "date": "2026-11-21", "sequence": 7 })).unwrap(),
            renumbered: false,
            printed: None,
            comparisons: Vec::new(),
        })
    }

    /// The station has recorded the centre's decision: it does not stand.
    pub fn compensated(&self, ticket: &str, phone: SealedField) -> Event {
        Event::ApplicationCompensated(ApplicationCompensated {
            session: self.id.clone(),
            reason: RejectionReason::Other,
            ticket: TicketNumber::new(ticket).unwrap(),
            held_h: None,
            phone: Some(phone),
            comparisons: Vec::new(),
        })
    }

    /// The papers of an acceptance wait at the window.
    pub fn papers_missed(&self, ticket: &str) -> Event {
        Event::PapersNotHandedOut(PapersNotHandedOut {
            session: self.id.clone(),
            kiosk: DeviceId::new("kiosk-1").unwrap(),
            missing: Vec::new(),
            ticket: TicketNumber::new(ticket).unwrap(),
            held_h: None,
            kind: None,
            entered: None,
            phone: None,
        })
    }

    pub fn orders(&self, order: &OrderId) -> Event {
        Event::PaymentOrdered(PaymentOrdered {
            session: self.id.clone(),
            order: order.clone(),
            amount_fen: Fen::new(FEE).unwrap(),
            way: PaymentWay::Wechat,
            valid_s: 3_600,
        })
    }
}

pub async fn until_cases(centre: &mut Running, standings: &[CaseStanding]) {
    let shows = |view: &View| {
        let office = view.applications.as_ref().unwrap();
        let found: Vec<_> = office.cases.iter().map(|case| case.standing).collect();
        found == standings && office.letters == 0
    };
    until(centre, shows).await;
}

pub async fn until_said(centre: &mut Running) {
    until(centre, |view| {
        let office = view.applications.as_ref().unwrap();
        office.letters == 0 && office.questions == 0
    })
    .await;
}

fn key_file(
    public: &<X25519HkdfSha256 as Kem>::PublicKey,
    session: &Session,
    id: &SealingKeyId,
    secret: &[u8; 32],
) -> String {
    use aws_lc_rs::digest::{SHA256, digest};
    let aad = [
        &id.to_raw(),
        session.origin.as_bytes(),
        b"\0",
        session.id.as_str().as_bytes(),
    ];
    let (enc, ct) = single_shot_seal::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        public,
        b"station-gateway session key v1",
        secret,
        &aad.concat(),
    )
    .unwrap();
    let kid = hex::encode(&digest(&SHA256, &public.to_bytes()).as_ref()[..8]);
    json!({
        "version": 1, "key": id, "session": session.id, "origin": session.origin,
        "recipients": [{ "kid": kid, "enc": URL_SAFE_NO_PAD.encode(enc.to_bytes()), "ct": URL_SAFE_NO_PAD.encode(ct) }],
    })
    .to_string()
}

fn sealed(
    session: &Session,
    id: &SealingKeyId,
    secret: &[u8; 32],
    name: &str,
    plain: &str,
) -> SealedField {
    let mut derived = [0; 32];
    let info: [&[u8]; 3] = [b"station-gateway field v1", b"\0", name.as_bytes()];
    let derive = Salt::new(HKDF_SHA256, &[]).extract(secret);
    derive
        .expand(&info, Len32)
        .unwrap()
        .fill(&mut derived)
        .unwrap();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &derived).unwrap());
    let aad = [session.origin.as_str(), session.id.as_str(), name].join("\0");
    let mut body = plain.as_bytes().to_vec();
    let nonce = Nonce::assume_unique_for_key([1; 12]);
    key.seal_in_place_append_tag(nonce, Aad::from(aad.as_bytes()), &mut body)
        .unwrap();
    let body = [&[1; 12], body.as_slice()].concat();
    SealedField::new(format!("v1.{id}.{}", URL_SAFE_NO_PAD.encode(body))).unwrap()
}

fn sealed_blob(id: &SealingKeyId, secret: &[u8; 32], plain: &[u8]) -> Vec<u8> {
    let salt = [3; 32];
    let head = [b"STNBLOB\n\x02".as_slice(), &id.to_raw(), &salt].concat();
    let mut derived = [0; 32];
    let info: [&[u8]; 1] = [b"station-gateway blob v2"];
    let derive = Salt::new(HKDF_SHA256, &salt).extract(secret);
    derive
        .expand(&info, Len32)
        .unwrap()
        .fill(&mut derived)
        .unwrap();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &derived).unwrap());
    let mut body = plain.to_vec();
    let nonce = Nonce::assume_unique_for_key([0; 12]);
    key.seal_in_place_append_tag(nonce, Aad::from(&head), &mut body)
        .unwrap();
    [head, body].concat()
}

struct Len32;

impl KeyType for Len32 {
    fn len(&self) -> usize {
        32
    }
}
