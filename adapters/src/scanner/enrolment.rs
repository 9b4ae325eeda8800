//! The image of a finger for an application (A9): taken until it is good enough, compared with the old card where that is asked for
//! and possible, published.

use std::time::{Duration, Instant};

use bytes::Bytes;
use schemas::matcher::QualityRequest;

use super::QualityBy;
use super::adapter::Adapter;
use super::capture::Verified;
use super::image::Image;
use super::instruction::Light;
use super::line::AskError;
use super::task::{Captured, Outcome};
use super::{matching, png};
use crate::matcher::MatcherFault;

/// Least time for the confirmation of an image, however late its transfer ended.
const CONFIRMATION: Duration = Duration::from_secs(2);

impl Adapter {
    /// Takes the image from the sensor. One that is not good enough is poor: another is taken until the time is over.
    pub(super) async fn enrol(&mut self) -> Result<(), AskError> {
        let Some(image) = self.upload().await? else {
            return Ok(());
        };
        let quality = match self.judge(&image).await {
            Ok(quality) => quality,
            Err(fault) => {
                self.matcher_failed(fault);
                return self.done(Outcome::Failed(fault.completion())).await;
            }
        };
        if !self.is_enough(quality) {
            self.poor();
            return Ok(());
        }
        self.shine(Light::OFF).await?;
        let score = match self.similarity(&image).await {
            Verified::Score(score) => Some(score),
            Verified::Poor => {
                self.poor();
                return Ok(());
            }
            // The centre compares what could not be compared here.
            Verified::Unsupported | Verified::Failed(_) => None,
        };
        let outcome = match self.publish(&image).await {
            Some(blob) => Outcome::Captured(Captured {
                quality,
                blob,
                score,
            }),
            None => Outcome::Failed(schemas::words::Completion::HardwareError),
        };
        self.done(outcome).await
    }

    /// How good an image is, 0 to 100.
    async fn judge(&mut self, image: &Image) -> Result<u8, MatcherFault> {
        let matcher = match (self.config.quality, &self.matcher) {
            (QualityBy::Measure, _) => return Ok(image.quality()),
            (QualityBy::Matcher, None) => return Err(MatcherFault::Away),
            (QualityBy::Matcher, Some(matcher)) => matcher,
        };
        let image = image.clone().into_matchers();
        let request = QualityRequest {
            image: image.map_err(|_invalid| MatcherFault::Answer)?,
        };
        let answered = matching::quality(matcher, &request).await;
        self.probed = Some((answered.map(drop), Instant::now()));
        answered
    }

    /// Whether it is as good as was asked for. The best so far is told when none was.
    fn is_enough(&mut self, quality: u8) -> bool {
        let Some(asked) = &mut self.asked else {
            return false;
        };
        asked.quality = asked.quality.max(Some(quality));
        u16::from(quality) >= asked.task.quality_min()
    }

    async fn similarity(&mut self, image: &Image) -> Verified {
        let has_templates = self.asked.as_ref().is_some_and(|asked| {
            let templates = asked.task.templates();
            templates.is_some_and(|templates| !templates.is_empty())
        });
        if has_templates {
            self.verify(image.clone()).await
        } else {
            Verified::Unsupported
        }
    }

    async fn publish(&self, image: &Image) -> Option<schemas::ids::BlobId> {
        let asked = self.asked.as_ref()?;
        let until = asked.until.max(Instant::now() + CONFIRMATION);
        let png = Bytes::from_owner(png::encode(image));
        self.link.confirmed_image(asked.id(), png, until).await
    }
}
