//! The steps in their order, each with its result, its reason and its time.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use edge_config::Station;
use gateway_core::{DeviceReadiness, MachineStanding};
use indicatif::ProgressBar;
use schemas::event::commission::CommissionStep;
use schemas::event::pickup::MachineDevices;
use schemas::ids::{DeviceId, MachineId, SessionId};
use schemas::words::{CommissionReason as Why, CommissionResult, CommissionStepName as Step};

use super::super::say;
use super::{checks, words};
use crate::admin::Client;

/// How long a device that is not there is waited for.
const PRESENCE_MAX: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Passed,
    Failed(Why),
    Skipped(Why),
}

/// One round through all steps.
pub(super) struct Round<'a> {
    pub(super) client: Client,
    pub(super) station: &'a Station,
    pub(super) machine: &'a MachineId,
    pub(super) devices: &'a MachineDevices,
    pub(super) session: SessionId,
    skip: Vec<Step>,
    /// Devices that a step found to be away: nothing more is asked of them.
    pub(super) away: BTreeSet<DeviceId>,
    /// The machine was blocked: nothing more can be exercised.
    pub(super) blocked: bool,
}

impl<'a> Round<'a> {
    pub(super) fn new(
        client: Client,
        station: &'a Station,
        machine: &'a MachineId,
        session: SessionId,
        skip: Vec<Step>,
    ) -> anyhow::Result<Self> {
        let of = station
            .machine(machine)
            .context("there is no such machine")?;
        Ok(Self {
            client,
            station,
            machine,
            devices: &of.devices,
            session,
            skip,
            away: BTreeSet::new(),
            blocked: false,
        })
    }

    pub(super) fn into_client(self) -> Client {
        self.client
    }

    /// What the station has by itself first, then its devices, those that need a person last of their kind.
    pub(super) fn all(&mut self) -> anyhow::Result<Vec<CommissionStep>> {
        let d = self.devices;
        let kiosks = self.station.kiosks.iter();
        let kiosks = kiosks.filter(|kiosk| kiosk.machine == *self.machine);
        let mut plan = vec![
            (Step::Keys, None),
            (Step::Clock, None),
            (Step::Disk, None),
            (Step::Broker, None),
            (Step::Centre, None),
        ];
        plan.extend(kiosks.map(|kiosk| (Step::Kiosk, Some(&kiosk.id))));
        plan.extend([
            (Step::Dispenser, Some(&d.dispenser)),
            (Step::Inventory, Some(&d.dispenser)),
            (Step::Motion, Some(&d.dispenser)),
            (Step::Reader, Some(&d.reader)),
            (Step::IntakeReader, Some(&d.intake_reader)),
            (Step::IntakeCard, Some(&d.intake_reader)),
            (Step::Scanner, Some(&d.scanner)),
            (Step::Finger, Some(&d.scanner)),
            (Step::Matcher, Some(&d.scanner)),
            (Step::Camera, Some(&d.camera)),
        ]);
        let len = plan.len();
        let numbered = (1..).zip(plan);
        numbered
            .map(|(number, (step, device))| self.one(&format!("{number}/{len}"), step, device))
            .collect()
    }

    fn one(
        &mut self,
        number: &str,
        step: Step,
        device: Option<&DeviceId>,
    ) -> anyhow::Result<CommissionStep> {
        let began = Instant::now();
        let found = if self.skip.contains(&step) {
            Found::Skipped(Why::LeftOut)
        } else {
            self.look(number, step, device)?
        };
        let (result, reason) = match found {
            Found::Passed => (CommissionResult::Passed, None),
            Found::Failed(why) => (CommissionResult::Failed, Some(why)),
            Found::Skipped(why) => (CommissionResult::Skipped, Some(why)),
        };
        let step = CommissionStep {
            step,
            device: device.cloned(),
            result,
            reason,
            took_ms: u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX),
        };
        say(&format!("[{number}] {}", words::line(&step)))?;
        Ok(step)
    }

    fn look(
        &mut self,
        number: &str,
        step: Step,
        device: Option<&DeviceId>,
    ) -> anyhow::Result<Found> {
        let (zh, en) = words::step(step);
        let doing = format!("[{number}] {zh} {en}");
        if let Some(device) = device.filter(|device| self.away.contains(device)) {
            tracing::debug!(%device, "not asked again");
            return Ok(Found::Failed(Why::Offline));
        }
        match (step, device) {
            (Step::Keys, _) => checks::keys(&mut self.client, self.station),
            (Step::Clock, _) => Ok(checks::clock(&self.standing()?)),
            (Step::Disk, _) => checks::disk(self.station),
            (Step::Broker, _) => Ok(checks::broker(self.station)),
            (Step::Centre, _) => checks::centre(&mut self.client),
            (Step::Matcher, _) => checks::matcher(self),
            (Step::Inventory, _) => self.exercise(&doing, "inventory"),
            (Step::Motion, _) => self.motion(&doing),
            (Step::IntakeCard, _) => self.intake_card(&doing),
            (Step::Finger, _) => self.finger(&doing),
            (Step::Camera, Some(device)) => match self.presence(&doing, device)? {
                Found::Passed => self.exercise(&doing, "photo"),
                absent @ (Found::Failed(_) | Found::Skipped(_)) => Ok(absent),
            },
            (Step::Dispenser, Some(device)) => self.dispenser(&doing, device),
            (Step::Kiosk | Step::Reader | Step::IntakeReader | Step::Scanner, Some(device)) => {
                self.presence(&doing, device)
            }
            (_, None) => Ok(Found::Skipped(Why::NotConfigured)),
        }
    }

    /// How the machine stands.
    pub(super) fn standing(&mut self) -> anyhow::Result<MachineStanding> {
        Ok(self.client.get(&format!("/commission/{}", self.machine))?)
    }

    pub(super) fn device(&mut self, id: &DeviceId) -> anyhow::Result<DeviceReadiness> {
        let standing = self.standing()?;
        let mut all = standing.devices.into_iter().chain(standing.kiosks);
        all.find(|device| device.device == *id)
            .with_context(|| format!("the station knows no {id}: is this its configuration?"))
    }

    /// A device is there and takes commands, within a moment.
    fn presence(&mut self, doing: &str, id: &DeviceId) -> anyhow::Result<Found> {
        let device = waiting(doing, || {
            let device = self.device(id)?;
            let is_there = device.usable || checks::lacks_only_a_matcher(&device);
            Ok(is_there.then_some(device))
        })?;
        if device.is_some() {
            return Ok(Found::Passed);
        }
        if self.device(id)?.online {
            return Ok(Found::Failed(Why::NotUsable));
        }
        self.away.insert(id.clone());
        Ok(Found::Failed(Why::Offline))
    }

    /// It is there, and has said what it did last.
    fn dispenser(&mut self, doing: &str, id: &DeviceId) -> anyhow::Result<Found> {
        let found = self.presence(doing, id)?;
        if found != Found::Passed {
            return Ok(found);
        }
        let known = waiting(doing, || Ok(self.standing()?.sequence_known.then_some(())))?;
        Ok(known.map_or(Found::Failed(Why::TimedOut), |()| Found::Passed))
    }
}

/// Looks until there is something, for a moment.
fn waiting<T>(
    doing: &str,
    mut look: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<Option<T>> {
    let _spinner = spinner(doing);
    let end = Instant::now() + PRESENCE_MAX;
    loop {
        let found = look()?;
        if found.is_some() || Instant::now() >= end {
            return Ok(found);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Shown on standard error while something is waited for.
pub(super) fn spinner(doing: &str) -> Spinner {
    let bar = ProgressBar::new_spinner();
    bar.set_message(doing.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    Spinner(bar)
}

/// It is gone when it is dropped.
pub(super) struct Spinner(ProgressBar);

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
