//! What each kiosk shows: sent when it changes, and again when the kiosk asks. Names are masked; never retained.

use std::collections::BTreeMap;

use gateway_core::View;
use schemas::ids::DeviceId;
use schemas::message::kiosk::{Prompt, Text};
use schemas::time::Now;
use schemas::words::PromptCode;

use super::json;
use crate::outlet::Outgoing;

/// What each kiosk was shown last.
#[derive(Debug)]
pub(crate) struct Prompts {
    shown: BTreeMap<DeviceId, View>,
    /// Where citizens are sent to.
    window: Text,
}

impl Prompts {
    /// Nothing was shown yet. `window`: where the window is.
    pub(crate) const fn new(window: Text) -> Self {
        Self {
            shown: BTreeMap::new(),
            window,
        }
    }

    /// The prompts that changed, and the views they show.
    pub(crate) fn changed(
        &mut self,
        views: BTreeMap<DeviceId, View>,
        now: &Now,
    ) -> Vec<(Outgoing, View)> {
        let before = std::mem::replace(&mut self.shown, views);
        let new = self
            .shown
            .iter()
            .filter(|(kiosk, view)| before.get(kiosk) != Some(view));
        new.map(|(kiosk, view)| (self.outgoing(kiosk, view, now), view.clone()))
            .collect()
    }

    /// The present prompt of a kiosk and its view; none for a device that is no kiosk.
    pub(crate) fn again(&self, kiosk: &DeviceId, now: &Now) -> Option<(Outgoing, View)> {
        let view = self.shown.get(kiosk)?;
        Some((self.outgoing(kiosk, view, now), view.clone()))
    }

    fn outgoing(&self, kiosk: &DeviceId, view: &View, now: &Now) -> Outgoing {
        Outgoing {
            device: kiosk.clone(),
            channel: "session".to_owned(),
            payload: json(&prompt(view, now, &self.window)),
            assured: true,
            expiry_s: None,
        }
    }
}

/// A view with its words, at this instant. `window`: where the window is.
pub fn prompt(view: &View, now: &Now, window: &Text) -> Prompt {
    let (name, tail) = (view.name.as_ref(), view.number_tail.as_ref());
    let text = view.application.as_deref().map_or_else(
        || {
            let (reasons, machine) = (&view.reasons, view.machine_reason);
            if view.code == PromptCode::Idle {
                return texts::idle(&view.services);
            }
            texts::prompt(view.code, view.attempt, view.outcome, reasons, machine)
        },
        |application| texts::application(application, name, tail, window),
    );
    let left_s = |deadline: &schemas::time::Deadline| deadline.left_ms(now).div_ceil(1_000);
    Prompt {
        session: view.session.clone(),
        code: view.code,
        text,
        name: view.name.clone(),
        number_tail: view.number_tail.clone(),
        attempt: view.attempt,
        seconds_left: view
            .deadline
            .as_ref()
            .map(|d| u32::try_from(left_s(d)).unwrap_or(u32::MAX)),
        outcome: view.outcome,
        reasons: view.reasons.clone(),
        machine_reason: view.machine_reason,
        services: view.services.clone(),
        application: view.application.clone(),
    }
}
