//! What is asked of a matcher of fingers.

use schemas::matcher::{
    QUALITY_PATH, QualityAnswer, QualityRequest, VERIFY_PATH, VerifyAnswer, VerifyRequest,
};

use crate::matcher::{Matcher, MatcherFault, Question};

impl Question for VerifyRequest {
    fn binary_lens(&self) -> impl Iterator<Item = usize> {
        let templates = self.templates.iter().map(|one| one.expose().len());
        core::iter::once(self.image.pixels.expose().len()).chain(templates)
    }
}

impl Question for QualityRequest {
    fn binary_lens(&self) -> impl Iterator<Item = usize> {
        core::iter::once(self.image.pixels.expose().len())
    }
}

/// Compares a finger with templates.
pub(super) async fn verify(
    matcher: &Matcher,
    request: &VerifyRequest,
) -> Result<VerifyAnswer, MatcherFault> {
    matcher.ask(VERIFY_PATH, request).await
}

/// How good an image is, 0 to 100.
pub(super) async fn quality(
    matcher: &Matcher,
    request: &QualityRequest,
) -> Result<u8, MatcherFault> {
    let answer: QualityAnswer = matcher.ask(QUALITY_PATH, request).await?;
    Ok(answer.quality.get())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use schemas::matcher::{Bits, Image, Pixels};
    use schemas::message::Template;

    use super::*;
    use crate::matcher::tests::fits;

    /// G7: no buffer of a request grows, which would leave a copy of a finger behind.
    #[test]
    fn g7_a_request_fits_its_buffer() {
        for (pixels, template) in [(1, 1), (36_864, 512), (262_144, 1_024)] {
            let template = Template::new(vec![7; template]).unwrap();
            let image = Image {
                width: u16::MAX,
                height: u16::MAX,
                bits: Bits::Eight,
                pixels: Pixels::new(vec![7; pixels]).unwrap(),
            };
            let request = VerifyRequest {
                image: image.clone(),
                templates: vec![template.clone(), template],
            };
            let read: VerifyRequest = serde_json::from_slice(&fits(&request)).unwrap();
            assert_eq!(read, request);
            let request = QualityRequest { image };
            let read: QualityRequest = serde_json::from_slice(&fits(&request)).unwrap();
            assert_eq!(read, request);
        }
    }
}
