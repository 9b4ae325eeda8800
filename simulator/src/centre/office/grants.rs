//! Grants (A17): each station has one that holds for some days, and gets the next when half of that is over, or when others are flagged.

use std::io;

use argon2::{Algorithm, Argon2, Params, Version};
use schemas::downlink::application::{FLAGGED_MAX, FlaggedHash, GrantIssued, GrantSalt};
use schemas::ids::StationId;
use schemas::words::Residence;
use schemas::words::application::ApplicationKind;
use serde::{Deserialize, Serialize};

use super::Office;
use super::letters::Letter;

const HOUR_MS: u64 = 3_600_000;
const MINUTE_MS: u64 = 60_000;
/// What stations compute too (link.md, section 6).
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// What every station is granted.
#[derive(Clone)]
pub struct GrantTerms {
    /// How long a grant holds.
    pub valid_hours: u32,
    /// Kinds it covers.
    pub kinds: Vec<ApplicationKind>,
    /// Residences it covers.
    pub residences: Vec<Residence>,
    /// Provisional acceptances it allows.
    pub provisional_max: u32,
    /// Citizen numbers of persons who are not accepted.
    pub flagged: Vec<String>,
}

/// What a station has.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Granted {
    pub(super) version: u32,
    pub(super) until_ms: u64,
    salt: GrantSalt,
    flagged: Vec<FlaggedHash>,
    /// SHA-256 of the numbers that the list is of.
    list: String,
}

impl Default for GrantTerms {
    fn default() -> Self {
        Self {
            valid_hours: 7 * 24,
            kinds: vec![
                ApplicationKind::Renewal,
                ApplicationKind::Lost,
                ApplicationKind::Damaged,
            ],
            residences: vec![Residence::Local],
            provisional_max: 50,
            flagged: Vec::new(),
        }
    }
}

impl core::fmt::Debug for GrantTerms {
    // The flagged are persons.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("GrantTerms")
            .field("valid_hours", &self.valid_hours)
            .field("provisional_max", &self.provisional_max)
            .field("flagged", &self.flagged.len())
            .finish_non_exhaustive()
    }
}

impl Office {
    /// Issues the grants that are due. True: something changed.
    pub(super) fn grant(
        &mut self,
        stations: &[StationId],
        terms: &GrantTerms,
        now_ms: u64,
    ) -> io::Result<bool> {
        let list = digest(&terms.flagged);
        let mut changed = false;
        for station in stations {
            let before = self.granted.get(station);
            let half_ms = u64::from(terms.valid_hours) * HOUR_MS / 2;
            let is_good = before.is_some_and(|granted| {
                granted.list == list && granted.until_ms.saturating_sub(now_ms) > half_ms
            });
            if !is_good {
                let granted = next(before, terms, &list, now_ms)?;
                self.post(
                    station,
                    Letter::Grant(issued(&granted, terms, now_ms)),
                    now_ms,
                );
                self.granted.insert(station.clone(), granted);
                changed = true;
            }
        }
        Ok(changed)
    }

    pub(super) fn is_flagged(&self, number: &str) -> bool {
        self.flagged.contains(number)
    }
}

fn issued(granted: &Granted, terms: &GrantTerms, now_ms: u64) -> GrantIssued {
    GrantIssued {
        version: granted.version,
        valid_from_ms: now_ms,
        valid_until_ms: granted.until_ms,
        kinds: terms.kinds.clone(),
        residences: terms.residences.clone(),
        provisional_max: terms.provisional_max,
        salt: granted.salt.clone(),
        flagged: granted.flagged.clone(),
    }
}

/// The version is never behind the minutes since 1970, so that a centre that lost its folder is not refused as outdated. A list that has
/// not changed keeps its salt: each person on it costs a slow hash.
fn next(
    before: Option<&Granted>,
    terms: &GrantTerms,
    list: &str,
    now_ms: u64,
) -> io::Result<Granted> {
    let minutes = u32::try_from(now_ms / MINUTE_MS).unwrap_or(u32::MAX);
    let after = before.map_or(1, |granted| granted.version.saturating_add(1));
    let (salt, flagged) = match before.filter(|granted| granted.list == list) {
        Some(granted) => (granted.salt.clone(), granted.flagged.clone()),
        None => hashed(&terms.flagged)?,
    };
    Ok(Granted {
        version: after.max(minutes),
        until_ms: now_ms.saturating_add(u64::from(terms.valid_hours) * HOUR_MS),
        salt,
        flagged,
        list: list.to_owned(),
    })
}

fn hashed(numbers: &[String]) -> io::Result<(GrantSalt, Vec<FlaggedHash>)> {
    let mut salt = [0; 32];
    aws_lc_rs::rand::fill(&mut salt)
        .map_err(|_unspecified| io::Error::other("no random numbers"))?;
    let name = GrantSalt::new(hex::encode(salt)).map_err(io::Error::other)?;
    let numbers = numbers.iter().take(FLAGGED_MAX);
    let hashes: io::Result<Vec<_>> = numbers.map(|number| flagged_hash(&salt, number)).collect();
    let mut hashes = hashes?;
    // In an order that says nothing of the persons.
    hashes.sort();
    Ok((name, hashes))
}

/// The hash of a person under a list's salt.
fn flagged_hash(salt: &[u8; 32], number: &str) -> io::Result<FlaggedHash> {
    let failed = |error: argon2::Error| io::Error::other(error.to_string());
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(16)).map_err(failed)?;
    let mut hash = [0; 16];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(number.as_bytes(), salt, &mut hash)
        .map_err(failed)?;
    FlaggedHash::new(hex::encode(hash)).map_err(io::Error::other)
}

fn digest(numbers: &[String]) -> String {
    let text = numbers.join("\n");
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    hex::encode(hash)
}
