//! A citizen who goes through an application as a case says, until it ends.

use gateway_core::{Effect, Entry, FacesReply, FingerReply, Order, Person, Reply};
use schemas::event::application::{MaskedPhone, PortraitChecked};
use schemas::ids::SessionId;
use schemas::message::application::{ApplicationPrompt, StepName as S};
use schemas::message::face::{ComparedPicture, FaceRefusal};
use schemas::message::keyed::SmsCode;
use schemas::words::application::{
    ApplicationKind, ApplicationOutcome, DocumentKind, EligibilityVerdict, FacePair, InputFault,
    PaymentFault, PaymentWay, PortraitCheck, PortraitWay,
};
use schemas::words::{Completion, Residence};

use super::{CODE, Hall, UNREADABLE, blob, card, person, sealed};

/// What the citizen's card and number are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Card {
    Good,
    /// Read without picture and fingerprints.
    Plain,
    Unreadable,
    Child,
    Early,
    Late,
    LongTerm,
    /// The list of the grant names them.
    Flagged,
    /// Not a resident ID card.
    Permit,
    /// It does not say when it expires.
    Undated,
    /// Read when there is a newer lookup key.
    Retagged,
}

/// Whether the centre can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    Up,
    /// Down, under a grant for people registered here.
    Granted,
    Down,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    Trusted,
    Untrusted,
}

/// What goes wrong, every time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    NumberInvalid,
    PortraitChecks,
    PortraitDiffers,
    CameraBroken,
    LiveDiffers,
    /// Nobody finds a face in the live photo.
    LiveUnusable,
    /// The historical portrait does not do.
    PoorReference,
    MatcherAway,
    PhonesDiffer,
    CodeWrong,
    FingersPoor,
    FingersDiffer,
    ScannerLost,
    PaymentNever,
}

/// One way through.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Who it is, below 100.
    pub who: u8,
    pub kind: ApplicationKind,
    pub residence: Residence,
    pub card: Card,
    pub link: Link,
    pub clock: Clock,
    pub fault: Fault,
}

pub fn checks(passed: bool) -> Vec<PortraitChecked> {
    let checked = |check, passed| PortraitChecked {
        check,
        passed,
        measured: Some(12),
    };
    vec![
        checked(PortraitCheck::EyesOpen, passed),
        checked(PortraitCheck::Background, true),
    ]
}

impl Case {
    fn person(&self, hall: &Hall) -> Person {
        person(self.who, self.card, hall.grant_version())
    }

    /// What the citizen enters at a step; none: it is not the citizen's turn.
    pub fn entry(&self, hall: &Hall, prompt: &ApplicationPrompt) -> Option<Entry> {
        let fault = |fault| self.fault == fault;
        Some(match prompt.step? {
            S::ChooseKind => Entry::Kind(self.kind),
            S::ChooseResidence => Entry::Residence(self.residence),
            S::KeyNumber if fault(Fault::NumberInvalid) => Entry::Number(None),
            S::KeyNumber => Entry::Number(Some(Box::new(self.person(hall)))),
            S::ConfirmIdentity => Entry::ConfirmIdentity(true),
            S::GivePortrait => Entry::Portrait {
                way: PortraitWay::Booth,
                picture: Some(blob(0x33)),
                receipt: None,
                checks: checks(!fault(Fault::PortraitChecks)),
            },
            S::RetakeLivePhoto => Entry::Retry,
            S::GivePhone if fault(Fault::PhonesDiffer) => {
                Entry::Phone(Err(InputFault::PhonesDiffer))
            }
            S::GivePhone => Entry::Phone(Ok((MaskedPhone::new("138****5678").unwrap(), sealed(2)))),
            S::KeySmsCode if fault(Fault::CodeWrong) => {
                Entry::SmsCode(SmsCode::new("000000").unwrap())
            }
            S::KeySmsCode => Entry::SmsCode(SmsCode::new(CODE).unwrap()),
            S::AttachDocuments if hall.count("station.application.document-attached.v1") == 0 => {
                Entry::Document(DocumentKind::HouseholdRegister, Some(blob(0x44)))
            }
            S::AttachDocuments => Entry::DocumentsDone,
            S::Sign => Entry::Signature(Some(blob(0x55))),
            // Without a code they go away.
            S::ChoosePayment if prompt.payment_fault == Some(PaymentFault::NoCode) => return None,
            S::ChoosePayment if fault(Fault::PaymentNever) => Entry::Payment(PaymentWay::Wechat),
            S::ChoosePayment => Entry::Payment(PaymentWay::CashAtWindow),
            S::ReadCard
            | S::AwaitEligibility
            | S::ComparePortrait
            | S::TakeLivePhoto
            | S::CompareLive
            | S::AwaitSms
            | S::RightFinger
            | S::LeftFinger
            | S::AwaitPayment => return None,
        })
    }

    /// What a device answers.
    fn reply(&self, hall: &Hall, effect: &Effect) -> Reply {
        match &effect.order {
            Order::Read if self.card == Card::Unreadable => UNREADABLE,
            Order::Read => Reply::Read(Ok(card(&self.person(hall)))),
            Order::Capture { .. } if self.fault == Fault::CameraBroken => {
                Reply::Captured(Err(Completion::HardwareError))
            }
            Order::CompareFaces { pair, .. } => {
                if let Some(refused) = self.refused(*pair) {
                    return Reply::Faces(refused);
                }
                let low = match pair {
                    FacePair::PortraitHistorical => self.fault == Fault::PortraitDiffers,
                    FacePair::LiveHistorical => self.fault == Fault::LiveDiffers,
                };
                Reply::Faces(FacesReply {
                    completion: Completion::Success,
                    score: Some(if low { 40 } else { 97 }),
                    refusal: None,
                    which: None,
                })
            }
            Order::CaptureFinger { .. } if self.fault == Fault::FingersPoor => {
                Reply::Finger(FingerReply {
                    completion: Completion::TimeOut,
                    quality: Some(20),
                    image: None,
                    score: None,
                })
            }
            Order::CaptureFinger { compare, .. } => Reply::Finger(FingerReply {
                completion: Completion::Success,
                quality: Some(80),
                image: Some(blob(0x22)),
                score: compare.then_some(if self.fault == Fault::FingersDiffer {
                    10
                } else {
                    90
                }),
            }),
            _ => hall.orderly(effect),
        }
    }

    /// Why the matcher gives no score, if it gives none.
    fn refused(&self, pair: FacePair) -> Option<FacesReply> {
        let (refusal, which) = match self.fault {
            Fault::LiveUnusable if pair == FacePair::LiveHistorical => (FaceRefusal::NoFace, None),
            Fault::PoorReference => (FaceRefusal::TooPoor, Some(ComparedPicture::Reference)),
            _ => return None,
        };
        Some(FacesReply {
            completion: Completion::Success,
            score: None,
            refusal: Some(refusal),
            which,
        })
    }

    /// Goes through from the first touch to the end; what the kiosk shows then.
    pub fn go(&self, hall: &mut Hall, kiosk: &str) -> ApplicationPrompt {
        if self.fault == Fault::MatcherAway {
            hall.lost("faces-1");
        }
        let session = hall.begin(kiosk);
        for _ in 0..200 {
            if let Some(prompt) = self.once(hall, kiosk, &session) {
                return prompt;
            }
        }
        panic!("{self:?} does not end");
    }

    /// Does what is next: the citizen's entry, a device's or the centre's answer, or waiting. What the kiosk shows, if it has ended.
    pub fn once(
        &self,
        hall: &mut Hall,
        kiosk: &str,
        session: &SessionId,
    ) -> Option<ApplicationPrompt> {
        let (_, prompt) = hall.prompt(kiosk).unwrap();
        if prompt.outcome.is_some() {
            return Some(prompt);
        }
        if prompt.card_unreadable == Some(true) {
            let session = session.clone();
            hall.request(kiosk, gateway_core::Request::Cancel { session });
            let (_, prompt) = hall.prompt(kiosk).unwrap();
            assert_eq!(prompt.outcome, Some(ApplicationOutcome::Cancelled));
            return Some(prompt);
        }
        if prompt.step == Some(S::RightFinger) && self.fault == Fault::ScannerLost {
            hall.lost("scanner-2");
        } else if let Some(entry) = self.entry(hall, &prompt) {
            hall.enter(kiosk, entry);
        } else if let Some(effect) = hall.effects().first().cloned() {
            let reply = self.reply(hall, &effect);
            hall.reply(&effect, reply);
        } else if self.link != Link::Up || !hall.answer(session, EligibilityVerdict::Eligible) {
            assert!(hall.wait(), "{self:?} waits for ever at {:?}", prompt.step);
        }
        None
    }
}

/// A renewal with nothing wrong and the centre at hand.
pub const GOOD: Case = Case {
    who: 1,
    kind: ApplicationKind::Renewal,
    residence: Residence::Local,
    card: Card::Good,
    link: Link::Up,
    clock: Clock::Trusted,
    fault: Fault::None,
};

/// Goes through until the kiosk asks for `step`.
pub fn up_to(hall: &mut Hall, case: &Case, kiosk: &str, step: S) -> SessionId {
    let session = hall.begin(kiosk);
    on_to(hall, case, kiosk, &session, step);
    session
}

/// Goes on until the kiosk asks for `step`.
pub fn on_to(hall: &mut Hall, case: &Case, kiosk: &str, session: &SessionId, step: S) {
    for _ in 0..200 {
        let (_, prompt) = hall.prompt(kiosk).unwrap();
        if prompt.step == Some(step) {
            return;
        }
        assert!(
            case.once(hall, kiosk, session).is_none(),
            "{step:?} never comes"
        );
    }
    panic!("{step:?} never comes");
}

/// Goes on to the end.
pub fn finish(
    hall: &mut Hall,
    case: &Case,
    kiosk: &str,
    session: &SessionId,
) -> ApplicationOutcome {
    for _ in 0..200 {
        if let Some(prompt) = case.once(hall, kiosk, session) {
            return prompt.outcome.unwrap();
        }
    }
    panic!("it does not end");
}
