//! Operators: whether a PIN fits, and how many wrong ones came in a row.
//!
//! The comparison (argon2id) is slow by intent and is done before the pipeline, on a thread of its own; the counting
//! is done in the pipeline, after repetitions of the same message were recognised, and is rebuilt from the log at start.
//! A PIN is wiped after the comparison and must never be logged, stored or part of an event.

use std::collections::BTreeMap;
use std::sync::Arc;

use argon2::{Argon2, PasswordHash, PasswordVerifier as _};
use edge_config::{OperatorPolicy, PinHash};
use schemas::ids::OperatorId;
use schemas::message::Pin;
use schemas::time::{Deadline, Now};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

/// What became of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PinCheck {
    /// There is such an operator, and the PIN is theirs.
    Fits(OperatorId),
    /// There is such an operator, and the PIN is not theirs.
    Wrong(OperatorId),
    /// There is no such operator.
    Unknown,
}

/// The operators of the configuration and their hashes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PinDesk(Arc<Desk>);

#[derive(Debug)]
struct Desk {
    hashes: BTreeMap<OperatorId, PinHash>,
    comparing: Semaphore,
}

impl PinDesk {
    /// `in_flight_max`: comparisons at once; each takes the memory its hash asks for.
    pub fn new(operators: &[edge_config::Operator], in_flight_max: usize) -> Self {
        let hashes = operators
            .iter()
            .map(|o| (o.id.clone(), o.pin_hash.clone()))
            .collect();
        Self(Arc::new(Desk {
            hashes,
            comparing: Semaphore::new(in_flight_max),
        }))
    }

    /// Compares a PIN. An unknown operator takes as long as a known one, so that names cannot be tried out.
    pub async fn check(&self, operator: OperatorId, pin: Pin) -> PinCheck {
        let known = self.0.hashes.get(&operator).cloned();
        let Some(hash) = known
            .clone()
            .or_else(|| self.0.hashes.values().next().cloned())
        else {
            return PinCheck::Unknown;
        };
        // The semaphore is never closed; if it were, nobody would be let in.
        let Ok(_permit) = self.0.comparing.acquire().await else {
            return PinCheck::Unknown;
        };
        let fits = panics::off_runtime(move || fits(&hash, &pin))
            .await
            .unwrap_or(false);
        match (known, fits) {
            (Some(_), true) => PinCheck::Fits(operator),
            (Some(_), false) => PinCheck::Wrong(operator),
            (None, _) => PinCheck::Unknown,
        }
    }
}

/// Whether a PIN is that of a hash. Takes its time.
pub(crate) fn fits(hash: &PinHash, pin: &Pin) -> bool {
    PasswordHash::new(hash.as_str()).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(pin.expose().as_bytes(), &hash)
            .is_ok()
    })
}

/// The hash of a PIN for `station.toml`, in PHC form: argon2id, 32 MiB, 2 passes, 1 lane.
pub fn hash_pin(pin: &str) -> anyhow::Result<String> {
    use argon2::password_hash::{PasswordHasher as _, SaltString};
    anyhow::ensure!(
        (4..=32).contains(&pin.chars().count()),
        "a PIN has 4 to 32 characters"
    );
    let mut salt = [0u8; 16];
    aws_lc_rs::rand::fill(&mut salt).map_err(|_unspecified| anyhow::anyhow!("no random bytes"))?;
    let salt = SaltString::encode_b64(&salt).map_err(|error| anyhow::anyhow!("salt: {error}"))?;
    let params = argon2::Params::new(32 * 1024, 2, 1, None)
        .map_err(|error| anyhow::anyhow!("parameters: {error}"))?;
    let argon = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let hash = argon.hash_password(pin.as_bytes(), &salt);
    Ok(hash
        .map_err(|error| anyhow::anyhow!("hash: {error}"))?
        .to_string())
}

/// What a check means, with the attempts before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Admitted,
    /// Not admitted; recorded as such.
    Rejected {
        /// The operator, if there is one of that name.
        operator: Option<OperatorId>,
        /// Wrong attempts in a row.
        attempts: u32,
        /// Whether the operator is locked out now.
        locked: bool,
    },
}

/// Wrong attempts of each operator. Owned by the pipeline.
#[derive(Debug, Clone)]
pub struct Attempts {
    policy: OperatorPolicy,
    wrong: BTreeMap<OperatorId, Wrong>,
}

/// What is held against an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wrong {
    attempts: u32,
    locked_until: Option<Deadline>,
}

impl Attempts {
    /// None yet.
    pub fn new(policy: OperatorPolicy) -> Self {
        Self {
            policy,
            wrong: BTreeMap::new(),
        }
    }

    /// As a snapshot holds them.
    pub(crate) fn to_kept(&self) -> BTreeMap<OperatorId, Wrong> {
        self.wrong.clone()
    }

    /// What a snapshot holds.
    pub(crate) fn from_kept(policy: OperatorPolicy, wrong: BTreeMap<OperatorId, Wrong>) -> Self {
        Self { policy, wrong }
    }

    /// What `check` means now. While an operator is locked out even the right PIN is rejected, and counts nothing.
    pub fn judge(&self, check: &PinCheck, now: &Now) -> Verdict {
        let (operator, fits) = match check {
            PinCheck::Unknown => {
                return Verdict::Rejected {
                    operator: None,
                    attempts: 0,
                    locked: false,
                };
            }
            PinCheck::Fits(operator) => (operator, true),
            PinCheck::Wrong(operator) => (operator, false),
        };
        let (attempts, locked) = self.standing(operator, now);
        if locked {
            return Verdict::Rejected {
                operator: Some(operator.clone()),
                attempts,
                locked: true,
            };
        }
        if fits {
            return Verdict::Admitted;
        }
        let attempts = attempts.saturating_add(1);
        let locked = attempts >= self.policy.pin_attempts_max;
        Verdict::Rejected {
            operator: Some(operator.clone()),
            attempts,
            locked,
        }
    }

    /// It is recorded that this operator was rejected. The lockout begins when it is first recorded, not again with
    /// each attempt during it.
    pub fn rejected(&mut self, operator: &OperatorId, attempts: u32, locked: bool, now: &Now) {
        let (_, still_locked) = self.standing(operator, now);
        if still_locked {
            return;
        }
        let until_ms = u64::from(self.policy.lockout_s) * 1_000;
        let locked_until = locked.then(|| Deadline::after(now, until_ms));
        drop(self.wrong.insert(
            operator.clone(),
            Wrong {
                attempts,
                locked_until,
            },
        ));
    }

    /// It is recorded that this operator acted: the PIN was right.
    pub fn admitted(&mut self, operator: &OperatorId) {
        drop(self.wrong.remove(operator));
    }

    /// Wrong attempts in a row, and whether the lockout lasts. When it is over, counting begins anew.
    fn standing(&self, operator: &OperatorId, now: &Now) -> (u32, bool) {
        match self.wrong.get(operator) {
            None => (0, false),
            Some(Wrong {
                attempts,
                locked_until: None,
            }) => (*attempts, false),
            Some(Wrong {
                locked_until: Some(until),
                ..
            }) if until.is_due(now) => (0, false),
            Some(Wrong {
                attempts,
                locked_until: Some(_),
            }) => (*attempts, true),
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]
mod tests {
    use schemas::ids::BootId;
    use schemas::time::ClockTrust;

    use super::*;

    fn at(s: u64) -> Now {
        let boot = BootId::new("0190b7a2-1f00-7000-8000-000000000001").unwrap();
        Now {
            wall_ms: 0,
            boot,
            mono_ms: s * 1_000,
            trust: ClockTrust::Unsynchronised,
        }
    }

    fn pin(text: &str) -> Pin {
        serde_json::from_value(serde_json::json!(text)).unwrap()
    }

    /// C2: operators are known by an argon2 hash; `gateway hash-pin` makes one that the configuration takes.
    #[tokio::test]
    async fn a_pin_fits_its_hash_only() {
        let id = OperatorId::new("operator-1").unwrap();
        let pin_hash = hash_pin("246810").unwrap().parse().unwrap();
        let desk = PinDesk::new(
            &[edge_config::Operator {
                id: id.clone(),
                pin_hash,
            }],
            1,
        );
        assert_eq!(
            desk.check(id.clone(), pin("246810")).await,
            PinCheck::Fits(id.clone())
        );
        assert_eq!(
            desk.check(id.clone(), pin("246811")).await,
            PinCheck::Wrong(id)
        );
        let other = OperatorId::new("operator-2").unwrap();
        assert_eq!(desk.check(other, pin("246810")).await, PinCheck::Unknown);
        assert!(hash_pin("123").is_err());
    }

    /// C2: the fifth wrong PIN locks the operator out for the time of the policy, the right PIN too.
    #[test]
    fn wrong_pins_lock_an_operator_out() {
        let policy = OperatorPolicy {
            pin_attempts_max: 3,
            lockout_s: 300,
        };
        let mut attempts = Attempts::new(policy);
        let id = OperatorId::new("operator-1").unwrap();
        let wrong = PinCheck::Wrong(id.clone());
        for (s, count, locks) in [(0, 1, false), (1, 2, false), (2, 3, true), (60, 3, true)] {
            let verdict = attempts.judge(&wrong, &at(s));
            let Verdict::Rejected {
                operator: Some(_),
                attempts: counted,
                locked,
            } = verdict
            else {
                panic!("{verdict:?}");
            };
            assert_eq!((counted, locked), (count, locks), "after {s} s");
            attempts.rejected(&id, counted, locked, &at(s));
        }
        let right = PinCheck::Fits(id.clone());
        assert!(matches!(
            attempts.judge(&right, &at(301)),
            Verdict::Rejected { locked: true, .. }
        ));
        assert_eq!(attempts.judge(&right, &at(303)), Verdict::Admitted);
        assert!(matches!(
            attempts.judge(&wrong, &at(303)),
            Verdict::Rejected { attempts: 1, .. }
        ));
    }

    #[test]
    fn a_right_pin_ends_the_count() {
        let mut attempts = Attempts::new(OperatorPolicy {
            pin_attempts_max: 3,
            lockout_s: 300,
        });
        let id = OperatorId::new("operator-1").unwrap();
        attempts.rejected(&id, 2, false, &at(0));
        attempts.admitted(&id);
        let verdict = attempts.judge(&PinCheck::Wrong(id), &at(1));
        assert!(matches!(
            verdict,
            Verdict::Rejected {
                attempts: 1,
                locked: false,
                ..
            }
        ));
    }
}
