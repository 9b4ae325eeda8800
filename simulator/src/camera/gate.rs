//! Who may see a still: HTTP Digest (RFC 7616) and Basic, checked as a server does, with nonces of its own. The hashes are not those
//! of the client.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use adapters::camera::challenge::{Challenge, challenges};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};

/// Requests that a nonce is good for.
const NONCE_USES_MAX: u32 = 8;
/// Nonces that are remembered.
const NONCES_MAX: usize = 64;

/// What a camera asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// Digest with MD5.
    Md5,
    /// Digest with SHA-256.
    Sha256,
    /// The password in the clear.
    Basic,
}

impl Offer {
    fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 | Self::Basic => hex::encode(Md5::digest(text.as_bytes())),
            Self::Sha256 => hex::encode(digest(&SHA256, text.as_bytes())),
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Md5 | Self::Basic => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }
}

/// What a request's `Authorization` is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Welcome,
    /// The password is right, the nonce is used up.
    Stale,
    Refused,
}

/// The gate.
#[derive(Debug)]
pub(super) struct Gate {
    realm: &'static str,
    offers: Vec<Offer>,
    /// Nonces, and the highest count that each was used with.
    nonces: Mutex<BTreeMap<String, u32>>,
}

impl Gate {
    pub(super) fn new(offers: Vec<Offer>) -> Self {
        Self {
            realm: "simulated camera",
            offers,
            nonces: Mutex::default(),
        }
    }

    /// The values of `WWW-Authenticate`, one for each offer, with a new nonce.
    pub(super) fn challenges(&self, stale: bool) -> Vec<String> {
        let nonce = hex::encode(fastrand::u128(..).to_be_bytes());
        let mut nonces = self.nonces();
        while nonces.len() >= NONCES_MAX {
            nonces.pop_first();
        }
        nonces.insert(nonce.clone(), 0);
        drop(nonces);
        let realm = self.realm;
        let stale = if stale { ", stale=true" } else { "" };
        let text = |offer: &Offer| match offer {
            Offer::Basic => format!("Basic realm=\"{realm}\""),
            Offer::Md5 | Offer::Sha256 => format!(
                "Digest realm=\"{realm}\", qop=\"auth\", algorithm={}, nonce=\"{nonce}\"{stale}",
                offer.word()
            ),
        };
        self.offers.iter().map(text).collect()
    }

    /// Checks `Authorization` of a request of `method` to `path` (with its query).
    pub(super) fn check(
        &self,
        authorization: Option<&str>,
        (user, password): (&str, &str),
        (method, path): (&str, &str),
    ) -> Verdict {
        if self.offers.is_empty() {
            return Verdict::Welcome;
        }
        let Some(text) = authorization else {
            return Verdict::Refused;
        };
        if let Some(pair) = text.strip_prefix("Basic ") {
            let right = STANDARD.encode(format!("{user}:{password}"));
            let takes = self.offers.contains(&Offer::Basic) && pair == right;
            return if takes {
                Verdict::Welcome
            } else {
                Verdict::Refused
            };
        }
        let read = challenges(text);
        match read.first().filter(|answer| answer.scheme == "digest") {
            Some(answer) => self.digest(answer, (user, password), (method, path)),
            None => Verdict::Refused,
        }
    }

    fn digest(
        &self,
        answer: &Challenge,
        (user, password): (&str, &str),
        (method, path): (&str, &str),
    ) -> Verdict {
        let said = |name: &str| answer.parameters.get(name).map_or("", String::as_str);
        let mut digests = self.offers.iter().filter(|offer| **offer != Offer::Basic);
        let Some(offer) = digests.find(|offer| offer.word() == said("algorithm")) else {
            return Verdict::Refused;
        };
        let (nonce, nc, qop) = (said("nonce"), said("nc"), said("qop"));
        let secret = offer.hash(&format!("{user}:{}:{password}", self.realm));
        let request = offer.hash(&format!("{method}:{path}"));
        let cnonce = said("cnonce");
        let right = offer.hash(&format!("{secret}:{nonce}:{nc}:{cnonce}:{qop}:{request}"));
        let is_right = said("username") == user
            && said("realm") == self.realm
            && said("uri") == path
            && qop == "auth"
            && said("response") == right;
        let count = u32::from_str_radix(nc, 16);
        match (is_right, count) {
            (true, Ok(count)) => self.count(nonce, count),
            _ => Verdict::Refused,
        }
    }

    /// A count that was there before is a repetition, of whoever listened.
    fn count(&self, nonce: &str, count: u32) -> Verdict {
        match self.nonces().get_mut(nonce) {
            Some(used) if count > *used && *used < NONCE_USES_MAX => {
                *used = count;
                Verdict::Welcome
            }
            Some(used) if count <= *used => Verdict::Refused,
            Some(_) | None => Verdict::Stale,
        }
    }

    fn nonces(&self) -> MutexGuard<'_, BTreeMap<String, u32>> {
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
