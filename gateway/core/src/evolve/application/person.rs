//! Who applies (A1 to A5).

use schemas::event::Event;
use schemas::event::application::{ApplicationCardRead, ApplicationNumberKeyed};
use schemas::lookup::LookupTag;
use schemas::message::application::StepName;

use schemas::words::Completion;
use schemas::words::application::PageNotice;

use super::of;
use super::steps::give_up;
use crate::application::{KnownPerson, Notice};
use crate::state::State;

pub(super) fn person(state: &mut State, event: &Event) {
    if let Event::ApplicationKindChosen(b) = event {
        if let Some(a) = of(state, &b.session) {
            give_up(a, StepName::ChooseKind);
            a.entered.kind = Some(b.kind);
            a.notice = Notice::default();
        }
    } else if let Event::ApplicationResidenceChosen(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.entered.residence = Some(b.residence);
        }
    } else if let Event::ApplicationCardRead(b) = event {
        card_read(state, b);
    } else if let Event::ApplicationNumberKeyed(b) = event {
        number_keyed(state, b);
    } else if let Event::ApplicationCardUnreadable(b) = event {
        if let Some(a) = of(state, &b.session) {
            give_up(a, StepName::ChooseKind);
            a.notice = Notice {
                card_unreadable: true,
                happened: why_unread(b.completion),
                ..Notice::default()
            };
        }
    } else if let Event::ApplicationInputRejected(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.notice.fault = Some(b.fault);
        }
    } else if let Event::ApplicationIdentityConfirmed(b) = event
        && let Some(a) = of(state, &b.session)
    {
        a.confirmed = b.confirmed;
        if !b.confirmed {
            give_up(a, StepName::ChooseKind);
        }
    }
}

/// What is said where no card was there that could have been read.
const fn why_unread(completion: Completion) -> Option<PageNotice> {
    match completion {
        Completion::TimeOut => Some(PageNotice::NoCard),
        Completion::DeviceNotReady | Completion::HardwareError => Some(PageNotice::ReaderAway),
        Completion::Success
        | Completion::SequenceError
        | Completion::UnsupportedCommand
        | Completion::Canceled => None,
    }
}

/// It was looked up in the list of the grant that was in force.
fn looked_up(state: &State, flagged: Option<bool>) -> Option<(u32, bool)> {
    let version = state.grant.as_ref().map(|grant| grant.version);
    version.zip(flagged)
}

fn tags(newest: &LookupTag, older: &[LookupTag]) -> Vec<LookupTag> {
    std::iter::once(newest).chain(older).cloned().collect()
}

fn card_read(state: &mut State, b: &ApplicationCardRead) {
    let flagged = looked_up(state, b.flagged);
    let Some(a) = of(state, &b.session) else {
        return;
    };
    a.notice = Notice::default();
    a.card_was_read = true;
    a.failed.is_of(&b.number);
    a.entered.number = Some(b.number.clone());
    a.entered.name.clone_from(&b.name);
    a.entered.number_tail = Some(b.number_tail.clone());
    a.entered.holder = Some(b.holder.clone());
    a.person = Some(KnownPerson {
        tags: tags(&b.number, &b.older),
        of_age: b.of_age,
        flagged,
        expiry: b.expiry,
        picture: b.picture,
        hands: b.hands.iter().copied().collect(),
        fingers: b.fingers.clone(),
    });
}

fn number_keyed(state: &mut State, b: &ApplicationNumberKeyed) {
    let flagged = looked_up(state, b.flagged);
    let Some(a) = of(state, &b.session) else {
        return;
    };
    a.notice = Notice::default();
    a.failed.is_keyed(&b.number);
    a.entered.number = Some(b.number.clone());
    a.entered.number_tail = Some(b.number_tail.clone());
    a.entered.holder = Some(b.holder.clone());
    a.person = Some(KnownPerson {
        tags: tags(&b.number, &b.older),
        of_age: b.of_age,
        flagged,
        expiry: None,
        picture: false,
        hands: std::collections::BTreeSet::new(),
        fingers: Vec::new(),
    });
}
