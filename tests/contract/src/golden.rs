//! Golden events: one of each type and version, as it was first written. They are made once, from an example, and then
//! only read: a log that was written years ago must read like this for ever.

use anyhow::Context as _;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use coset::{CoseSign1, TaggedCborSerializable as _};
use schemas::envelope::{Cause, CauseOutcome, Entry, KeyId, Meta, Origin, Source, seal, verify};
use schemas::event::{EVENT_TYPES, Event};
use schemas::ids::{BootId, DeviceId, MessageId, SessionId};
use schemas::time::{ClockTrust, Now};
use schemas::words::RefusalReason;

/// The seed of RFC 8032, section 7.1, test 1: known to everybody, so it can only ever sign examples.
const SEED: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
    0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];

/// The test key.
pub struct TestKey {
    pair: Ed25519KeyPair,
    public: [u8; 32],
}

impl core::fmt::Debug for TestKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("TestKey")
    }
}

impl TestKey {
    /// The key of [`SEED`].
    ///
    /// # Errors
    /// The library refuses the seed.
    pub fn new() -> anyhow::Result<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&SEED)?;
        let public = pair.public_key().as_ref().try_into()?;
        Ok(Self { pair, public })
    }

    /// Signs and encodes an event.
    ///
    /// # Errors
    /// The event does not fit the envelope.
    pub fn seal(
        &self,
        origin: &Origin,
        index: u64,
        meta: &Meta,
        event: &Event,
    ) -> anyhow::Result<Vec<u8>> {
        let sign = |bytes: &[u8]| {
            let mut signature = [0; 64];
            signature
                .iter_mut()
                .zip(self.pair.sign(bytes).as_ref())
                .for_each(|(to, from)| *to = *from);
            signature
        };
        Ok(seal(
            origin,
            index,
            meta,
            event,
            KeyId::of(&self.public),
            sign,
        )?)
    }

    /// Checks the signature and reads the event.
    ///
    /// # Errors
    /// Not a genuine event of this key.
    pub fn verify(&self, signed: &[u8]) -> anyhow::Result<Entry> {
        let key = UnparsedPublicKey::new(&ED25519, &self.public);
        let genuine = |key_id: KeyId, bytes: &[u8], signature: &[u8; 64]| {
            key_id == KeyId::of(&self.public) && key.verify(bytes, signature).is_ok()
        };
        Ok(verify(signed, genuine)?)
    }
}

/// The CloudEvent within signed bytes.
///
/// # Errors
/// Not a tagged COSE_Sign1 with a payload of UTF-8.
pub fn payload(signed: &[u8]) -> anyhow::Result<String> {
    let message =
        CoseSign1::from_tagged_slice(signed).map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(String::from_utf8(message.payload.context("no payload")?)?)
}

/// The golden event of `type_name` as it would be made today from its example body. For types that have no golden file
/// yet; an existing one is never made again.
///
/// # Errors
/// No such type, or its body does not fit.
pub fn make(key: &TestKey, type_name: &str, body: &serde_json::Value) -> anyhow::Result<Vec<u8>> {
    let position = EVENT_TYPES
        .iter()
        .position(|known| *known == type_name)
        .context("no such event type")?;
    let event = Event::from_data(type_name, &body.to_string()).context("no such event type")??;
    let origin = Origin::new("gateway.demo/station/demo/0190b7a2-1f00-7000-8000-0000000000aa")?;
    let index = u64::try_from(position)?;
    key.seal(&origin, index, &meta(index)?, &event)
}

/// Every shape of attributes occurs: by the gateway or by a device, accepted or refused, with and without a session.
fn meta(index: u64) -> anyhow::Result<Meta> {
    let device = DeviceId::new("kiosk-1")?;
    let now = Now {
        wall_ms: 1_795_305_599_999 + index * 1_001,
        boot: BootId::new("0190b7a2-1f00-7000-8000-0000000000b0")?,
        mono_ms: 86_400_000 + index * 1_000,
        trust: if index.is_multiple_of(2) {
            ClockTrust::Synchronised
        } else {
            ClockTrust::Unsynchronised
        },
    };
    let cause = |outcome, session| -> anyhow::Result<Cause> {
        Ok(Cause {
            sender: device.clone(),
            message_id: MessageId::new(format!("0190b7a2-1f00-7000-8000-{index:012}"))?,
            digest: [0xa5; 16],
            outcome,
            session,
        })
    };
    let (source, cause) = match index % 4 {
        0 => (Source::Gateway, None),
        1 => (
            Source::Device(device.clone()),
            Some(cause(
                CauseOutcome::Accepted,
                Some(SessionId::from_index(40)),
            )?),
        ),
        2 => (
            Source::Device(device.clone()),
            Some(cause(
                CauseOutcome::Refused(RefusalReason::MachineBusy),
                None,
            )?),
        ),
        _ => (
            Source::Device(device.clone()),
            Some(cause(CauseOutcome::Accepted, None)?),
        ),
    };
    Ok(Meta { source, now, cause })
}
