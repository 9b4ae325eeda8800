//! Grants (A17): what the centre lets the station decide alone while it cannot be asked. Pure, over the one grant that is newest.

use schemas::event::Event;
use schemas::event::application::EligibilityBasis;
use schemas::event::payment::GrantReceived;
use schemas::time::{ClockTrust, Now};
use schemas::words::Residence;
use schemas::words::application::{ApplicationKind, ProvisionalCause, WindowReason};
use serde::{Deserialize, Serialize};

/// The newest grant, and what was decided under it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) version: u32,
    pub(crate) valid_from_ms: u64,
    pub(crate) valid_until_ms: u64,
    pub(crate) kinds: Vec<ApplicationKind>,
    pub(crate) residences: Vec<Residence>,
    pub(crate) provisional_max: u32,
    /// SHA-256 of its list, which is kept beside the log.
    pub(crate) sha256: String,
    /// Acceptances whose eligibility was decided under it.
    pub(crate) accepted: u32,
}

impl Grant {
    /// How the log names it: its version, and how long it had been valid.
    pub(crate) const fn basis(&self, now: &Now) -> EligibilityBasis {
        EligibilityBasis::Grant {
            version: self.version,
            age_s: now.wall_ms.saturating_sub(self.valid_from_ms) / 1_000,
        }
    }
}

/// Who wants to apply for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Applicant {
    pub(crate) kind: ApplicationKind,
    pub(crate) residence: Residence,
    /// The version of the list that was looked into, and whether it flags them; none: it could not be looked into.
    pub(crate) flagged: Option<(u32, bool)>,
}

/// Why the station may not decide alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotGranted {
    /// There is no grant.
    NoGrant,
    /// Nobody knows whether it holds now.
    ClockNotTrusted,
    /// It holds later.
    NotYet,
    /// It held until some time ago.
    Expired,
    /// Not of this kind.
    Kind,
    /// Not of this residence.
    Residence,
    /// Its list was not looked into.
    Unlisted,
    /// Its list flags the person.
    Flagged,
    /// As many as it or the policy allow are accepted.
    Limit,
}

impl NotGranted {
    /// With what reason the citizen goes to the window; none: they are refused as flagged (A5).
    pub(crate) const fn window(self) -> Option<WindowReason> {
        match self {
            Self::NoGrant
            | Self::NotYet
            | Self::Expired
            | Self::Kind
            | Self::Residence
            | Self::Unlisted => Some(WindowReason::NoGrant),
            Self::ClockNotTrusted => Some(WindowReason::ClockNotTrusted),
            Self::Limit => Some(WindowReason::ProvisionalLimit),
            Self::Flagged => None,
        }
    }
}

/// Whether the station may decide that somebody is eligible, provisionally. It holds from `valid_from_ms` on, and no more at
/// `valid_until_ms`. `provisional_max` is the policy's; the smaller of the two limits counts.
pub(crate) fn may_decide(
    grant: Option<&Grant>,
    applicant: &Applicant,
    provisional_max: u32,
    now: &Now,
) -> Result<EligibilityBasis, NotGranted> {
    let grant = grant.ok_or(NotGranted::NoGrant)?;
    let refused = [
        (
            now.trust != ClockTrust::Synchronised,
            NotGranted::ClockNotTrusted,
        ),
        (now.wall_ms < grant.valid_from_ms, NotGranted::NotYet),
        (now.wall_ms >= grant.valid_until_ms, NotGranted::Expired),
        (!grant.kinds.contains(&applicant.kind), NotGranted::Kind),
        (
            !grant.residences.contains(&applicant.residence),
            NotGranted::Residence,
        ),
    ];
    if let Some((_, reason)) = refused.into_iter().find(|(applies, _)| *applies) {
        return Err(reason);
    }
    match applicant.flagged {
        Some((version, false)) if version == grant.version => {}
        Some((version, true)) if version == grant.version => return Err(NotGranted::Flagged),
        Some(_) | None => return Err(NotGranted::Unlisted),
    }
    if grant.accepted >= grant.provisional_max.min(provisional_max) {
        return Err(NotGranted::Limit);
    }
    Ok(grant.basis(now))
}

/// A grant that the centre issued; none: the station has that version, or a newer one.
pub(crate) fn received(grant: Option<&Grant>, told: &GrantReceived) -> Option<GrantReceived> {
    let is_newer = grant.is_none_or(|grant| told.version > grant.version);
    is_newer.then(|| told.clone())
}

/// Applies what concerns grants, and nothing else.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "a grant follows from a few of the events"
)]
pub(crate) fn apply(grant: &mut Option<Grant>, event: &Event) {
    match event {
        Event::GrantReceived(b) => {
            *grant = Some(Grant {
                version: b.version,
                valid_from_ms: b.valid_from_ms,
                valid_until_ms: b.valid_until_ms,
                kinds: b.kinds.clone(),
                residences: b.residences.clone(),
                provisional_max: b.provisional_max,
                sha256: b.sha256.clone(),
                accepted: 0,
            });
        }
        Event::ApplicationAccepted(b) => {
            if b.provisional.contains(&ProvisionalCause::Eligibility)
                && let Some(grant) = grant
            {
                grant.accepted = grant.accepted.saturating_add(1);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;
    use schemas::ids::BootId;

    const FROM_MS: u64 = 1_000_000;
    const UNTIL_MS: u64 = 2_000_000;

    fn received_event(version: u32) -> GrantReceived {
        GrantReceived {
            version,
            valid_from_ms: FROM_MS,
            valid_until_ms: UNTIL_MS,
            kinds: vec![ApplicationKind::Renewal, ApplicationKind::Lost],
            residences: vec![Residence::Local],
            provisional_max: 2,
            flagged: 1,
            sha256: "ab".repeat(32),
        }
    }

    fn grant(accepted: u32) -> Grant {
        let mut grant = None;
        apply(&mut grant, &received_event(3).into());
        Grant {
            accepted,
            ..grant.unwrap()
        }
    }

    fn at(wall_ms: u64) -> Now {
        Now {
            wall_ms,
            boot: BootId::new("00000000-0000-4000-8000-000000000001").unwrap(),
            mono_ms: 0,
            trust: ClockTrust::Synchronised,
        }
    }

    const fn applicant() -> Applicant {
        Applicant {
            kind: ApplicationKind::Renewal,
            residence: Residence::Local,
            flagged: Some((3, false)),
        }
    }

    /// A17: under a grant that holds, the answer names its version and how long it has been valid.
    #[test]
    fn a17_a_grant_that_holds_is_named_with_its_age() {
        for (now, age_s) in [(FROM_MS, 0), (FROM_MS + 61_999, 61), (UNTIL_MS - 1, 999)] {
            let decided = may_decide(Some(&grant(1)), &applicant(), 9, &at(now));
            let version = 3;
            assert_eq!(decided, Ok(EligibilityBasis::Grant { version, age_s }));
        }
    }

    /// A17: whatever is missing, the station does not decide; the flagged are refused, the others go to the window.
    #[test]
    fn a17_whatever_is_missing_the_station_does_not_decide() {
        use NotGranted as N;
        let good = applicant();
        let kind = ApplicationKind::Damaged;
        let residence = Residence::OtherProvince;
        let flagged = |flagged| Applicant { flagged, ..good };
        for (accepted, applicant, max, now, why) in [
            (0, good, 9, FROM_MS - 1, N::NotYet),
            (0, good, 9, UNTIL_MS, N::Expired),
            (0, Applicant { kind, ..good }, 9, FROM_MS, N::Kind),
            (0, Applicant { residence, ..good }, 9, FROM_MS, N::Residence),
            (0, flagged(None), 9, FROM_MS, N::Unlisted),
            (0, flagged(Some((2, false))), 9, FROM_MS, N::Unlisted),
            (0, flagged(Some((2, true))), 9, FROM_MS, N::Unlisted),
            (0, flagged(Some((3, true))), 9, FROM_MS, N::Flagged),
            (2, good, 9, FROM_MS, N::Limit),
            (1, good, 1, FROM_MS, N::Limit),
        ] {
            let decided = may_decide(Some(&grant(accepted)), &applicant, max, &at(now));
            assert_eq!(decided, Err(why));
            assert_eq!(why.window().is_none(), why == N::Flagged);
        }
        assert_eq!(may_decide(None, &good, 9, &at(FROM_MS)), Err(N::NoGrant));
        let unsure = Now {
            trust: ClockTrust::Unsynchronised,
            ..at(FROM_MS)
        };
        let decided = may_decide(Some(&grant(0)), &good, 9, &unsure);
        assert_eq!(decided, Err(N::ClockNotTrusted));
    }

    /// A17: the newest version counts, and begins to count anew; one that is not newer changes nothing.
    #[test]
    fn a17_the_newest_version_counts() {
        let mut kept = Some(grant(2));
        for old in [1, 3] {
            assert_eq!(received(kept.as_ref(), &received_event(old)), None);
        }
        let newer = received(kept.as_ref(), &received_event(4)).unwrap();
        apply(&mut kept, &newer.into());
        assert_eq!(
            kept.map(|grant| (grant.version, grant.accepted)),
            Some((4, 0))
        );
    }
}
