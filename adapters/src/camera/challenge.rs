//! What a server asks for with `WWW-Authenticate` (RFC 9110, 11.6.1), and the answer: Digest (RFC 7616) before Basic (RFC 7617).
//!
//! The header is read here, because one header may hold several challenges; the digest is computed by `digest_auth`. Pure.

use core::iter::Peekable;
use core::str::Chars;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use digest_auth::{
    Algorithm, AlgorithmType, AuthContext, Charset, HttpMethod, Qop, WwwAuthenticateHeader,
};
use zeroize::Zeroizing;

use super::Credentials;

/// One challenge: the scheme in lower case, and its parameters by their names in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// `digest`, `basic` …
    pub scheme: String,
    /// `realm`, `nonce` …, unquoted.
    pub parameters: BTreeMap<String, String>,
}

/// The challenges of one header. What is none is passed over.
pub fn challenges(header: &str) -> Vec<Challenge> {
    let mut chars = header.chars().peekable();
    let mut all: Vec<Challenge> = Vec::new();
    loop {
        skip(&mut chars, |c| c == ',' || c.is_ascii_whitespace());
        let name = token(&mut chars).to_ascii_lowercase();
        if name.is_empty() {
            if chars.next().is_none() {
                return all;
            }
            continue;
        }
        skip(&mut chars, |c| c.is_ascii_whitespace());
        if chars.next_if_eq(&'=').is_none() {
            all.push(Challenge {
                scheme: name,
                parameters: BTreeMap::new(),
            });
            continue;
        }
        skip(&mut chars, |c| c.is_ascii_whitespace());
        let value = if chars.next_if_eq(&'"').is_some() {
            quoted(&mut chars)
        } else {
            Some(token(&mut chars))
        };
        if let (Some(value), Some(challenge)) = (value, all.last_mut()) {
            // A parameter that is there twice counts as it was first.
            challenge.parameters.entry(name).or_insert(value);
        }
    }
}

fn skip(chars: &mut Peekable<Chars<'_>>, what: impl Fn(char) -> bool) {
    while chars.next_if(|c| what(*c)).is_some() {}
}

/// RFC 9110, 5.6.2.
fn token(chars: &mut Peekable<Chars<'_>>) -> String {
    let is_part = |c: &char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(*c);
    core::iter::from_fn(|| chars.next_if(is_part)).collect()
}

/// RFC 9110, 5.6.4, behind the opening quote. `None`: it does not end.
fn quoted(chars: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut text = String::new();
    loop {
        match chars.next()? {
            '"' => return Some(text),
            '\\' => text.push(chars.next()?),
            c => text.push(c),
        }
    }
}

/// What a server offers that can be answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Offer {
    /// A digest. Counts the answers to its nonce.
    Digest(Box<WwwAuthenticateHeader>),
    /// The password in the clear.
    Basic,
}

impl Offer {
    /// The best offer of a server's headers: SHA before MD5, a digest before the password in the clear. `None`: nothing that can
    /// be answered.
    pub fn best<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Self> {
        let all: Vec<_> = headers.flat_map(challenges).collect();
        let digests = all.iter().filter_map(digest_of);
        let best = digests.max_by_key(|digest| digest.algorithm.algo != AlgorithmType::MD5);
        let basic = || {
            all.iter()
                .any(|c| c.scheme == "basic")
                .then_some(Self::Basic)
        };
        best.map(|digest| Self::Digest(Box::new(digest)))
            .or_else(basic)
    }

    /// Whether only the nonce was too old.
    pub fn is_stale(&self) -> bool {
        matches!(self, Self::Digest(digest) if digest.stale)
    }

    /// The value of `Authorization` for a request of `method` to `path` (with its query). `None`: it cannot be computed.
    pub fn answer(
        &mut self,
        credentials: &Credentials,
        method: &str,
        path: &str,
    ) -> Option<Zeroizing<String>> {
        self.answer_with(credentials, method, path, None)
    }

    pub(super) fn answer_with(
        &mut self,
        credentials: &Credentials,
        method: &str,
        path: &str,
        client_nonce: Option<&str>,
    ) -> Option<Zeroizing<String>> {
        let (user, password) = (credentials.user(), credentials.expose());
        match self {
            Self::Digest(digest) => {
                let method = HttpMethod(method.into());
                let mut context =
                    AuthContext::new_with_method(user, password, path, None::<&[u8]>, method);
                if let Some(nonce) = client_nonce {
                    context.set_custom_cnonce(nonce);
                }
                let answer = digest.respond(&context).ok()?;
                Some(Zeroizing::new(answer.to_header_string()))
            }
            Self::Basic => {
                let pair = Zeroizing::new(format!("{user}:{password}"));
                let pair = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
                Some(Zeroizing::new(format!("Basic {}", *pair)))
            }
        }
    }
}

/// A digest that can be answered: of a known algorithm, with the protection `auth` or the old form without any.
fn digest_of(challenge: &Challenge) -> Option<WwwAuthenticateHeader> {
    if challenge.scheme != "digest" {
        return None;
    }
    let parameter = |name: &str| challenge.parameters.get(name);
    let algorithm = parameter("algorithm").map_or("MD5", String::as_str);
    let (algo, sess) = match algorithm.to_ascii_uppercase().as_str() {
        "MD5" => (AlgorithmType::MD5, false),
        "MD5-SESS" => (AlgorithmType::MD5, true),
        "SHA-256" => (AlgorithmType::SHA2_256, false),
        "SHA-256-SESS" => (AlgorithmType::SHA2_256, true),
        _ => return None,
    };
    let qop = match parameter("qop") {
        None => None,
        Some(offered) => {
            let mut offered = offered.split(',');
            offered.find(|one| one.trim().eq_ignore_ascii_case("auth"))?;
            Some(vec![Qop::AUTH])
        }
    };
    let is_true = |name| parameter(name).is_some_and(|text| text.eq_ignore_ascii_case("true"));
    Some(WwwAuthenticateHeader {
        domain: None,
        realm: parameter("realm")?.clone(),
        nonce: parameter("nonce")?.clone(),
        opaque: parameter("opaque").cloned(),
        stale: is_true("stale"),
        algorithm: Algorithm::new(algo, sess),
        qop,
        userhash: is_true("userhash"),
        charset: Charset::UTF8,
        nc: 0,
    })
}

#[cfg(test)]
#[path = "challenge_tests.rs"]
mod tests;
