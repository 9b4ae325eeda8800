//! The citizen who acts by itself: what a person does when the machine asks for something.

use std::sync::Arc;
use std::time::Duration;

use schemas::words::{CarriagePosition, Hand};
use tokio::time::sleep;

use crate::dispenser::Machine;
use crate::people::Quality;
use crate::world::{Behaviour, Finger, World};

/// How fast the citizen is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// From being asked to doing it, in ms.
    pub think_ms: u64,
    /// From the card at the outlet to the hand, in ms.
    pub take_ms: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            think_ms: 400,
            take_ms: 1_000,
        }
    }
}

/// Lives until the task is aborted.
pub(crate) async fn live(world: Arc<World>, pace: Pace) {
    tokio::join!(
        give_fingers(&world, pace),
        hand_in_old_cards(&world, pace),
        take_cards(&world, pace),
    );
}

async fn give_fingers(world: &World, pace: Pace) {
    let mut wanted = world.finger_wanted.subscribe();
    loop {
        let hand: Option<Hand> = *wanted.borrow_and_update();
        if let Some(hand) = hand {
            sleep(Duration::from_millis(pace.think_ms)).await;
            let quality = match *world.behaviour.borrow() {
                Behaviour::Good | Behaviour::WalksAway | Behaviour::KeepsOldCard => {
                    Some(Quality::Good)
                }
                Behaviour::WrongFinger => Some(Quality::Wrong),
                Behaviour::NoFinger | Behaviour::Off => None,
            };
            // Only if the machine still asks: it may have given up meanwhile.
            if let Some(quality) = quality
                && *wanted.borrow() == Some(hand)
            {
                world.finger.send_replace(Some(Finger { hand, quality }));
            }
        } else if *world.behaviour.borrow() != Behaviour::Off {
            world.finger.send_replace(None);
        }
        if wanted.changed().await.is_err() {
            return;
        }
    }
}

async fn hand_in_old_cards(world: &World, pace: Pace) {
    let mut wanted = world.intake_wanted.subscribe();
    loop {
        let now = *wanted.borrow_and_update();
        let hands_in = !matches!(
            *world.behaviour.borrow(),
            Behaviour::Off | Behaviour::KeepsOldCard
        );
        if now && hands_in {
            sleep(Duration::from_millis(pace.think_ms)).await;
            if !world.lay_old_card() {
                tracing::debug!("the citizen has no old card");
            }
        }
        if wanted.changed().await.is_err() {
            return;
        }
    }
}

async fn take_cards(world: &World, pace: Pace) {
    let mut changes = world.dispenser.changes();
    loop {
        changes.borrow_and_update();
        let at_outlet = world.dispenser.look(|machine| {
            machine
                .memory()
                .carried()
                .is_some_and(|c| c.position == CarriagePosition::Outlet)
        });
        let takes = !matches!(
            *world.behaviour.borrow(),
            Behaviour::Off | Behaviour::WalksAway
        );
        if at_outlet && takes {
            sleep(Duration::from_millis(pace.take_ms)).await;
            if world.dispenser.act(Machine::take_from_outlet).is_some() {
                world.set_visitor(None);
            }
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}
