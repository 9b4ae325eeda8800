//! What each kiosk shows: sent when it changes, and again when the kiosk asks. Names are masked; never retained.

use std::collections::BTreeMap;

use gateway_core::View;
use schemas::ids::{DeviceId, SessionId, TicketNumber};
use schemas::message::kiosk::{Prompt, Text};
use schemas::time::{Deadline, Now};

use super::json;
use crate::outlet::Outgoing;

/// How long a kiosk is told how its last session ended: somebody else may stand there by then.
const LAST_MS: u64 = 180_000;

/// What each kiosk was shown last.
#[derive(Debug)]
pub(crate) struct Prompts {
    shown: BTreeMap<DeviceId, Shown>,
    /// Where citizens are sent to.
    window: Text,
}

#[derive(Debug)]
struct Shown {
    /// As the rules have it.
    view: View,
    /// As it was sent.
    sent: View,
    /// Until when it may say how the last session ended.
    until: Option<Deadline>,
}

impl Shown {
    fn new(view: View, before: Option<&Self>, now: &Now) -> Self {
        let same = before.filter(|before| told(&before.view) == told(&view));
        let until = same.and_then(|before| before.until.clone());
        let until = until.unwrap_or_else(|| Deadline::after(now, LAST_MS));
        let until = view.is_of_the_last().then_some(until);
        let sent = at(&view, until.as_ref(), now);
        Self { view, sent, until }
    }
}

/// What is told once: how this session ended, and the ticket that it got then or later (A15).
fn told(view: &View) -> (Option<&SessionId>, Option<&TicketNumber>) {
    let application = view.application.as_ref();
    let ticket = application.and_then(|application| application.ticket.as_ref());
    (view.session.as_ref(), ticket)
}

/// What a view says now: of a session that ended long ago nothing.
fn at(view: &View, until: Option<&Deadline>, now: &Now) -> View {
    if until.is_some_and(|until| until.is_due(now)) {
        view.waiting()
    } else {
        view.clone()
    }
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
        let before = std::mem::take(&mut self.shown);
        let mut changed = Vec::new();
        for (kiosk, view) in views {
            let last = before.get(&kiosk);
            let shown = Shown::new(view, last, now);
            if last.is_none_or(|last| last.sent != shown.sent) {
                changed.push(self.outgoing(&kiosk, shown.sent.clone(), now));
            }
            self.shown.insert(kiosk, shown);
        }
        changed
    }

    /// The present prompt of a kiosk and its view; none for a device that is no kiosk.
    pub(crate) fn again(&self, kiosk: &DeviceId, now: &Now) -> Option<(Outgoing, View)> {
        let shown = self.shown.get(kiosk)?;
        let view = at(&shown.view, shown.until.as_ref(), now);
        Some(self.outgoing(kiosk, view, now))
    }

    /// In how many ms one of them says less.
    pub(crate) fn left_ms(&self, now: &Now) -> Option<u64> {
        let told = self.shown.values().filter(|shown| shown.sent == shown.view);
        let until = told.filter_map(|shown| shown.until.as_ref());
        until.map(|until| until.left_ms(now)).min()
    }

    fn outgoing(&self, kiosk: &DeviceId, view: View, now: &Now) -> (Outgoing, View) {
        let message = Outgoing {
            device: kiosk.clone(),
            channel: "session".to_owned(),
            payload: json(&prompt(&view, now, &self.window)),
            assured: true,
            expiry_s: None,
        };
        (message, view)
    }
}

/// A view with its words, at this instant. `window`: where the window is.
pub fn prompt(view: &View, now: &Now, window: &Text) -> Prompt {
    let (name, tail) = (view.name.as_ref(), view.number_tail.as_ref());
    let text = view.application.as_deref().map_or_else(
        || {
            let (reasons, machine) = (&view.reasons, view.machine_reason);
            let services = &view.services;
            texts::prompt(
                view.code,
                view.attempt,
                view.outcome,
                reasons,
                machine,
                services,
            )
        },
        |application| texts::application(application, name, tail, window),
    );
    let left_s = |deadline: &Deadline| deadline.left_ms(now).div_ceil(1_000);
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#[path = "prompts_tests.rs"]
mod tests;
