//! One look at the sensor for a command: is there a finger, is it to be seen well, and what comes of it.

use std::time::Instant;

use schemas::matcher::{Refusal, VerifyAnswer, VerifyRequest};
use schemas::words::{Completion, Hand};

use super::acknowledgement::{Confirmation, Found};
use super::adapter::Adapter;
use super::counts::count;
use super::image::Image;
use super::instruction::{Buffer, Instruction, Light, Pages};
use super::line::AskError;
use super::matching;
use super::standing::Standing;
use super::task::{Aim, Outcome};
use crate::matcher::MatcherFault;

/// What a matcher says of a finger and a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verified {
    /// Similarity of the best template, 0 to 100.
    Score(u8),
    /// Too little of a finger is to be seen.
    Poor,
    /// There is nothing that could compare the two.
    Unsupported,
    /// It did not answer.
    Failed(MatcherFault),
}

/// Colour of the ring for a right hand's finger.
const BLUE: u8 = 2;
/// For a left hand's.
const PURPLE: u8 = 3;
/// For one that is enrolled.
const RED: u8 = 1;

impl Adapter {
    /// Looks for a finger once; if there is one, does what was asked.
    pub(super) async fn attempt(&mut self, hand: Option<Hand>, aim: Aim) -> Result<(), AskError> {
        self.shine(colour(hand)).await?;
        let taken = self.line.ask(Instruction::TakeImage).await?.confirmation;
        if taken == Confirmation::NoFinger {
            self.is_used = false;
            self.stand_well();
            return Ok(());
        }
        if taken != Confirmation::Done {
            return self.not_taken(taken);
        }
        self.stand_well();
        if self.is_used {
            return Ok(());
        }
        self.report_finger();
        let extract = Instruction::Extract(Buffer::One);
        let extracted = self.line.ask(extract).await?.confirmation;
        if extracted != Confirmation::Done {
            return self.not_taken(extracted);
        }
        match aim {
            Aim::Library(pages) => self.search(pages).await,
            Aim::Card => self.compare().await,
            Aim::Image => self.enrol().await,
        }
    }

    /// The module has no image to work with.
    fn not_taken(&mut self, why: Confirmation) -> Result<(), AskError> {
        if why.is_of_the_image() {
            self.stand_well();
            self.poor();
            Ok(())
        } else if why == Confirmation::PacketError {
            self.stand(Standing::Busy);
            self.spoil(Completion::DeviceNotReady);
            Ok(())
        } else {
            self.line.close();
            Err(AskError::Refused(why))
        }
    }

    /// A finger lies there, but too little of it is to be seen. It may lie better the next time.
    pub(super) fn poor(&mut self) {
        count(&mut self.counts.poor_captures);
        self.spoil(Completion::SequenceError);
    }

    fn report_finger(&mut self) {
        let Some(asked) = self.asked.as_mut().filter(|asked| !asked.seen) else {
            return;
        };
        asked.seen = true;
        let id = asked.task.id().clone();
        if let Err(error) = self.link.event("finger-present", Some(id), None) {
            tracing::error!(%error, "an event was not taken");
        }
    }

    /// The image of the finger that lies there. `None`: there is too little of it.
    pub(super) async fn upload(&mut self) -> Result<Option<Image>, AskError> {
        let began = Instant::now();
        let image = self.line.upload().await?;
        self.counts.upload_time = Some(began.elapsed());
        let usable = image.is_usable();
        if !usable {
            self.poor();
        }
        Ok(usable.then_some(image))
    }

    /// Has the matcher compare the finger with the card.
    async fn compare(&mut self) -> Result<(), AskError> {
        let Some(image) = self.upload().await? else {
            return Ok(());
        };
        self.shine(Light::OFF).await?;
        let outcome = match self.verify(image).await {
            Verified::Score(score) => Outcome::Score(score),
            Verified::Poor => {
                self.poor();
                return Ok(());
            }
            Verified::Unsupported => Outcome::Failed(Completion::UnsupportedCommand),
            Verified::Failed(fault) => Outcome::Failed(fault.completion()),
        };
        self.done(outcome).await
    }

    /// What the matcher says of an image and the card's templates.
    pub(super) async fn verify(&mut self, image: Image) -> Verified {
        let (Some(matcher), Some(asked)) = (&self.matcher, &self.asked) else {
            return Verified::Unsupported;
        };
        let (Some(templates), Ok(image)) = (asked.task.templates(), image.into_matchers()) else {
            return Verified::Unsupported;
        };
        let templates = templates.to_vec();
        let request = VerifyRequest { image, templates };
        let began = Instant::now();
        let answered = matching::verify(matcher, &request).await;
        self.counts.match_time = Some(began.elapsed());
        self.probed = Some((answered.map(drop), Instant::now()));
        match answered {
            Ok(VerifyAnswer::Score(score)) => Verified::Score(score.get()),
            Ok(VerifyAnswer::Refusal(Refusal::ImagePoor)) => Verified::Poor,
            Ok(VerifyAnswer::Refusal(
                refusal @ (Refusal::ImageUnsupported | Refusal::TemplateUnreadable),
            )) => {
                tracing::warn!(?refusal, "the matcher does not compare");
                Verified::Unsupported
            }
            Err(fault) => {
                self.matcher_failed(fault);
                Verified::Failed(fault)
            }
        }
    }

    pub(super) fn matcher_failed(&mut self, fault: MatcherFault) {
        tracing::warn!(%fault, "the matcher did not answer");
        count(&mut self.counts.matcher_failures);
        self.stand(Standing::NoMatcher(fault));
    }

    /// Compares with what is enrolled: with one page by Match, with several by Search.
    async fn search(&mut self, pages: Pages) -> Result<(), AskError> {
        let (one, two) = (Buffer::One, Buffer::Two);
        let first = pages.first;
        let answer = if pages.len == 1 {
            let loaded = self.line.ask(Instruction::Load(two, first)).await?;
            if loaded.confirmation == Confirmation::Done {
                self.line.ask(Instruction::Match).await?
            } else {
                loaded
            }
        } else {
            self.line.ask(Instruction::Search(one, pages)).await?
        };
        let confirmation = answer.confirmation;
        let found = if confirmation.is_no_match() {
            None
        } else if confirmation != Confirmation::Done {
            return self.not_taken(confirmation);
        } else if pages.len == 1 {
            let page = first;
            let score = answer.number().ok_or(AskError::Form)?;
            Some(Found { page, score })
        } else {
            Some(answer.found().ok_or(AskError::Form)?)
        };
        self.shine(Light::OFF).await?;
        self.done(Outcome::Found(found)).await
    }

    /// Replies. Before that the sensor is looked at: a finger that still lies there is not one for the next
    /// command.
    pub(super) async fn done(&mut self, outcome: Outcome) -> Result<(), AskError> {
        count(&mut self.counts.captures);
        let after = self.line.ask(Instruction::TakeImage).await;
        self.is_used = !after
            .as_ref()
            .is_ok_and(|answer| answer.confirmation == Confirmation::NoFinger);
        self.answer(outcome);
        after.map(drop)
    }
}

const fn colour(hand: Option<Hand>) -> Light {
    match hand {
        Some(Hand::Right) => Light::on(BLUE),
        Some(Hand::Left) => Light::on(PURPLE),
        None => Light::on(RED),
    }
}
