//! What is remembered of devices between events, and not recorded: where a device is that comes and goes all the time, and its counts.
//!
//! It stands before [`crate::decide`]: an input that is nothing but a blip, or a count as it should be, ends here. It is empty at each
//! start of the gateway, and then it only waits longer: quiet is measured anew, and a count is compared with what was last recorded.

use std::collections::{BTreeMap, BTreeSet};

use schemas::event::device::DeviceContradiction;
use schemas::event::station::Presence;
use schemas::ids::{BootId, DeviceId};
use schemas::message::device::TOTALS_MAX;
use schemas::time::Now;
use schemas::words::ServiceReason;

use crate::device::Moment;
use crate::input::{Described, Input, RegistryInput};
use crate::rules::Rules;
use crate::state::State;

/// What is remembered of devices between events.
#[derive(Debug, Default)]
pub struct Watch(BTreeMap<DeviceId, Seen>);

/// A device.
#[derive(Debug)]
struct Seen {
    /// When it last came or went, and what it did.
    changed: Moment,
    presence: Option<Presence>,
    /// Comings and goings since it began to flap that were not recorded.
    changes: u32,
    /// The life that its counts are of.
    boot: Option<BootId>,
    /// Its counts of this life.
    counts: BTreeMap<String, u64>,
    said: Option<Described>,
}

/// What becomes of an input.
#[derive(Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether the rules are asked about it.
    pub pass: bool,
    /// What the rules are asked besides, afterwards.
    pub more: Vec<Input>,
}

impl Look {
    const PASS: Self = Self {
        pass: true,
        more: Vec::new(),
    };
    const KEEP: Self = Self {
        pass: false,
        more: Vec::new(),
    };
}

impl Watch {
    /// Looks at an input before the rules do. `input` may be given what only this remembers.
    pub fn look(&mut self, state: &State, rules: &Rules, input: &mut Input, now: &Now) -> Look {
        match input {
            Input::Life {
                device,
                presence,
                boot,
                witness,
            } => {
                let behind = witness.is_some_and(|receipt| state.is_behind(receipt));
                let known = state.reasons.contains(&ServiceReason::LogBehindWitness);
                let needed = state.is_serving(rules, device) || (behind && !known);
                self.life(state, (device, presence, boot), needed, now)
            }
            Input::Registry(input) => self.registry(state, rules, input, now),
            Input::Started { .. }
            | Input::Tick
            | Input::Room { .. }
            | Input::DismissWitness { .. }
            | Input::Status { .. }
            | Input::Report { .. }
            | Input::Peripheral { .. }
            | Input::Reply { .. }
            | Input::Request { .. }
            | Input::OperatorRejected { .. }
            | Input::Erase { .. }
            | Input::Window(_)
            | Input::Erased { .. }
            | Input::LookupKeyMade { .. }
            | Input::Instructed(_)
            | Input::Commission { .. }
            | Input::Exercise { .. }
            | Input::Commissioned(_)
            | Input::CentreHeard { .. }
            | Input::Contradicted(_)
            | Input::PapersMade(_)
            | Input::LookupKeyDestroyed { .. } => Look::PASS,
        }
    }

    fn registry(
        &mut self,
        state: &State,
        rules: &Rules,
        input: &mut RegistryInput,
        now: &Now,
    ) -> Look {
        use RegistryInput as I;
        match input {
            I::Described { device, said } => {
                self.seen(device, now).said = Some(said.clone());
                Look::PASS
            }
            I::Counted {
                device,
                total,
                count,
            } => self.counted(state, rules, (device, total, *count), now),
            I::AcceptDevice { device, says, .. } => {
                let seen = self.seen(device, now);
                says.clone_from(&seen.said);
                seen.counts.clear();
                Look::PASS
            }
            I::Totals { .. } | I::Miscounted { .. } | I::Quiet { .. } | I::Maintain { .. } => {
                Look::PASS
            }
        }
    }

    /// What time has made due: devices that have been quiet for long enough.
    pub fn due(&mut self, state: &State, rules: &Rules, now: &Now) -> Vec<Input> {
        let mut due = Vec::new();
        for device in flapping(state) {
            let seen = self.seen(device, now);
            if quiet_left_ms(seen, rules, now) == 0 {
                due.push(Input::Registry(RegistryInput::Quiet {
                    device: device.clone(),
                    presence: seen.presence.clone(),
                    changes: seen.changes,
                }));
                seen.changes = 0;
            }
        }
        due
    }

    /// In how many ms [`Watch::due`] wants to be asked; none: not before something happens.
    pub fn left_ms(&self, state: &State, rules: &Rules, now: &Now) -> Option<u64> {
        let quiet_ms = u64::from(rules.registry.quiet_s) * 1_000;
        flapping(state)
            .map(|device| {
                self.0
                    .get(device)
                    .map_or(quiet_ms, |seen| quiet_left_ms(seen, rules, now))
            })
            .min()
    }

    /// A blip of a flapping device ends here. One that a session needs goes on, and so does a witness against the log.
    fn life(
        &mut self,
        state: &State,
        (device, presence, boot): (&DeviceId, &Presence, &BootId),
        needed: bool,
        now: &Now,
    ) -> Look {
        let seen = self.seen(device, now);
        let gone = !matches!(presence, Presence::Online { .. });
        let other_life =
            matches!(&seen.presence, Some(Presence::Online { boot: b, .. }) if b != boot);
        let unneeded = state.is_flapping(device) && !needed;
        let late_will = gone && other_life;
        // A new life may begin as the last one ended: an adapter whose device is not there is as lost as the one before it.
        if !late_will && seen.boot.as_ref() != Some(boot) {
            seen.boot = Some(boot.clone());
            seen.counts.clear();
        }
        if late_will || seen.presence.as_ref() == Some(presence) {
            // The rules know that nothing follows from it, unless they have not been told before.
            return if unneeded { Look::KEEP } else { Look::PASS };
        }
        seen.presence = Some(presence.clone());
        seen.changed = Moment::of(now);
        if unneeded {
            seen.changes = seen.changes.saturating_add(1);
            return Look::KEEP;
        }
        let totals = if gone { seen.totals() } else { BTreeMap::new() };
        let more = (!totals.is_empty()).then(|| {
            Input::Registry(RegistryInput::Totals {
                device: device.clone(),
                totals,
            })
        });
        Look {
            pass: true,
            more: more.into_iter().collect(),
        }
    }

    /// A count as it should be is remembered; one that cannot be is told. The totals of a device's life are recorded now and then.
    fn counted(
        &mut self,
        state: &State,
        rules: &Rules,
        (device, total, count): (&DeviceId, &str, u64),
        now: &Now,
    ) -> Look {
        let known = state.devices.get(device);
        let recorded = known.and_then(|d| d.totals.get(total)).copied();
        let seen = self.seen(device, now);
        let last = seen.counts.get(total).copied();
        if let Some(contradiction) = judge(rules, total, (last, recorded), count) {
            return Look {
                pass: false,
                more: vec![Input::Registry(RegistryInput::Miscounted {
                    device: device.clone(),
                    contradiction,
                })],
            };
        }
        if last.is_some() || seen.counts.len() < COUNTS_MAX {
            seen.counts.insert(total.to_owned(), count);
        }
        let pause_ms = u64::from(rules.registry.totals_record_s) * 1_000;
        let counted = known.and_then(|d| d.counted.as_ref());
        let is_due = counted.is_none_or(|at| at.elapsed_ms(now) >= pause_ms);
        let totals = seen.totals();
        if !is_due || !totals.contains_key(total) || recorded == Some(count) {
            return Look::KEEP;
        }
        Look {
            pass: false,
            more: vec![Input::Registry(RegistryInput::Totals {
                device: device.clone(),
                totals,
            })],
        }
    }

    fn seen(&mut self, device: &DeviceId, now: &Now) -> &mut Seen {
        self.0.entry(device.clone()).or_insert_with(|| Seen {
            changed: Moment::of(now),
            presence: None,
            changes: 0,
            boot: None,
            counts: BTreeMap::new(),
            said: None,
        })
    }
}

/// Counts that are remembered of one device; more are not looked at.
const COUNTS_MAX: usize = 64;

impl Seen {
    /// The counts that are of the device's whole life, as it says.
    fn totals(&self) -> BTreeMap<String, u64> {
        let said = self.said.iter().flat_map(|said| &said.totals);
        let names: BTreeSet<&String> = said.take(TOTALS_MAX).collect();
        let of_life = self.counts.iter().filter(|(name, _)| names.contains(name));
        of_life
            .map(|(name, count)| (name.clone(), *count))
            .collect()
    }
}

/// A count never falls: not within a life of its device, and not below what is recorded of its whole life. Within a life it does not
/// jump either.
fn judge(
    rules: &Rules,
    total: &str,
    (last, recorded): (Option<u64>, Option<u64>),
    said: u64,
) -> Option<DeviceContradiction> {
    let total = total.to_owned();
    if let Some(last) = last.max(recorded).filter(|last| said < *last) {
        return Some(DeviceContradiction::TotalFell { total, last, said });
    }
    let step_max = u64::from(rules.registry.total_step_max);
    let last = last.filter(|last| said - last > step_max)?;
    Some(DeviceContradiction::TotalJumped { total, last, said })
}

fn flapping(state: &State) -> impl Iterator<Item = &DeviceId> {
    let devices = state.devices.iter().filter(|(_, device)| device.flapping);
    devices.map(|(id, _)| id)
}

fn quiet_left_ms(seen: &Seen, rules: &Rules, now: &Now) -> u64 {
    let quiet_ms = u64::from(rules.registry.quiet_s) * 1_000;
    quiet_ms.saturating_sub(seen.changed.elapsed_ms(now))
}
