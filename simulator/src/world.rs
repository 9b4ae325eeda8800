//! What the simulated devices share: the people, the machine, and what the citizen in front of it does.

use std::sync::{Mutex, PoisonError};

use schemas::ids::CardSerial;
use schemas::matcher::Score;
use schemas::words::{CarriagePosition, Hand};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::camera::CameraFault;
use crate::dispenser::Dispenser;
use crate::face_matcher::{FaceFault, Look};
use crate::faults::Faults;
use crate::made::MadeCards;
use crate::matcher::MatcherFault;
use crate::people::{Card, People, Person, Quality};
use crate::reader::ReaderFaults;
use crate::scanner::ScannerFault;

/// A finger on the scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finger {
    /// Whose hand.
    pub hand: Hand,
    /// How it lies.
    pub quality: Quality,
}

/// How the citizen behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Behaviour {
    /// Does nothing by itself: a test acts.
    Off,
    /// Puts the finger on when asked, hands in the old card, takes the new one.
    Good,
    /// As good, but walks away from the card at the outlet.
    WalksAway,
    /// Always somebody else's finger.
    WrongFinger,
    /// Never a finger.
    NoFinger,
    /// Keeps the old card.
    KeepsOldCard,
}

/// The world.
#[derive(Debug)]
pub struct World {
    /// The people.
    pub people: People,
    /// The cards that were made for them since.
    pub made: MadeCards,
    /// The machine.
    pub dispenser: Dispenser,
    /// The finger on the scanner.
    pub finger: watch::Sender<Option<Finger>>,
    /// The hand that the scanner waits for.
    pub finger_wanted: watch::Sender<Option<Hand>>,
    /// Whether the intake waits for a card.
    pub intake_wanted: watch::Sender<bool>,
    /// How the citizen behaves.
    pub behaviour: watch::Sender<Behaviour>,
    /// Faults of the inner reader.
    pub reader: ReaderFaults,
    /// Faults of the intake's reader.
    pub intake: ReaderFaults,
    /// Faults of the scanner.
    pub scanner: Faults<ScannerFault>,
    /// Faults of the matcher.
    pub matcher: Faults<MatcherFault>,
    /// Faults of the face matcher.
    pub faces: Faults<FaceFault>,
    /// Faults of the camera.
    pub camera: Faults<CameraFault>,
    /// The citizen in front of the machine, where a test has said so.
    visitor: Mutex<Option<usize>>,
    /// Whose face is to be seen there, and the score it gets, where a test has said so.
    look: Mutex<(Option<usize>, Option<Score>)>,
}

impl World {
    /// A world around a machine.
    pub fn new(
        people: People,
        made: MadeCards,
        dispenser: Dispenser,
        behaviour: Behaviour,
    ) -> Self {
        Self {
            people,
            made,
            dispenser,
            finger: watch::Sender::new(None),
            finger_wanted: watch::Sender::new(None),
            intake_wanted: watch::Sender::new(false),
            behaviour: watch::Sender::new(behaviour),
            reader: ReaderFaults::default(),
            intake: ReaderFaults::default(),
            scanner: Faults::default(),
            matcher: Faults::default(),
            faces: Faults::default(),
            camera: Faults::default(),
            visitor: Mutex::new(None),
            look: Mutex::default(),
        }
    }

    /// Says who stands in front of the machine; none: the owner of the card that it holds, else of the
    /// card on the intake.
    pub fn set_visitor(&self, person: Option<usize>) {
        *self.visitor.lock().unwrap_or_else(PoisonError::into_inner) = person;
    }

    /// Who stands in front of the machine: their place in the manifest.
    pub fn visitor(&self) -> Option<usize> {
        let said = *self.visitor.lock().unwrap_or_else(PoisonError::into_inner);
        said.or_else(|| {
            let card = self.dispenser.look(|machine| {
                let carried = machine.memory().carried().map(|c| c.card.clone());
                carried.or_else(|| machine.on_intake().cloned())
            })?;
            self.owner(&card)
        })
    }

    /// The card of a serial, with its chip.
    pub fn card(&self, serial: &CardSerial) -> Option<Card> {
        let known = self.people.card(serial).cloned();
        known.or_else(|| self.made.card(serial))
    }

    /// Whose card it is: their place in the manifest.
    fn owner(&self, serial: &CardSerial) -> Option<usize> {
        if let Some((at, _)) = self.people.owner(serial) {
            return Some(at);
        }
        let made = self.made.card(serial)?;
        let mut people = self.people.people.iter();
        people.position(|person| person.card.number == made.number)
    }

    fn person(&self) -> Option<&Person> {
        self.people.people.get(self.visitor()?)
    }

    /// Says whose face is to be seen, and which score it gets; none: the visitor's, and what comes of it.
    pub fn set_look(&self, person: Option<usize>, score: Option<Score>) {
        *self.look.lock().unwrap_or_else(PoisonError::into_inner) = (person, score);
    }

    /// The face that a photo of the citizen shows. With nobody at the machine it is whoever tries it out: the first of the
    /// invented people.
    pub fn look(&self) -> Look {
        let (person, score) = *self.look.lock().unwrap_or_else(PoisonError::into_inner);
        Look {
            person: person.or_else(|| self.visitor()).unwrap_or(0),
            score,
        }
    }

    /// The visitor lays their present card on the intake. `false`: nobody was said to stand here.
    pub fn lay_present_card(&self) -> bool {
        let person = self.person();
        self.lay(person.map(|person| person.present_card().serial.clone()))
    }

    /// The card in the inner reader.
    pub fn card_in_reader(&self) -> Option<CardSerial> {
        self.dispenser.look(|machine| {
            machine
                .memory()
                .carried()
                .filter(|c| c.position == CarriagePosition::InReader)
                .map(|c| c.card.clone())
        })
    }

    /// The visitor lays the old card on the intake: where the machine brings a card that was made for them since, the one that they
    /// had until then. `false`: there is none.
    pub fn lay_old_card(&self) -> bool {
        let carried = self
            .dispenser
            .look(|machine| machine.memory().carried().map(|c| c.card.clone()));
        let is_made = carried.is_some_and(|card| self.made.card(&card).is_some());
        let old = self.person().and_then(|person| {
            let present = is_made.then(|| person.present_card());
            present.or(person.old_card.as_ref())
        });
        self.lay(old.map(|card| card.serial.clone()))
    }

    fn lay(&self, card: Option<CardSerial>) -> bool {
        let laid = card.is_some();
        if laid {
            self.dispenser.act(|machine| machine.lay_on_intake(card));
        }
        laid
    }
}
