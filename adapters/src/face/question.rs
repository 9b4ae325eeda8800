//! What is asked of a face matcher, and what its answer means.

use schemas::face_matcher::{COMPARE_PATH, CompareAnswer, CompareRequest, Refused};
use schemas::words::Completion;

use crate::matcher::{Matcher, MatcherFault, Question};

impl Question for CompareRequest {
    fn binary_lens(&self) -> impl Iterator<Item = usize> {
        [&self.reference, &self.probe]
            .into_iter()
            .map(|picture| picture.bytes.expose().len())
    }
}

/// Compares two faces.
pub(super) async fn compare(
    matcher: &Matcher,
    request: &CompareRequest,
) -> Result<CompareAnswer, MatcherFault> {
    matcher.ask(COMPARE_PATH, request).await
}

/// What a command ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Similarity, 0 to 100.
    Score(u8),
    /// The service does not compare these two.
    Refusal(Refused),
    /// There is neither.
    Failed(Completion),
}

impl Outcome {
    pub(super) fn of(answered: Result<CompareAnswer, MatcherFault>) -> Self {
        match answered {
            Ok(CompareAnswer::Scored(scored)) => Self::Score(scored.score.get()),
            Ok(CompareAnswer::Refused(refused)) => Self::Refusal(refused),
            Err(fault) => Self::Failed(fault.completion()),
        }
    }

    /// How the command ended: a refusal is an answer.
    pub(super) const fn completion(self) -> Completion {
        match self {
            Self::Score(_) | Self::Refusal(_) => Completion::Success,
            Self::Failed(completion) => completion,
        }
    }

    pub(super) fn score(self) -> Option<u16> {
        match self {
            Self::Score(score) => Some(score.into()),
            Self::Refusal(_) | Self::Failed(_) => None,
        }
    }

    pub(super) const fn refusal(self) -> Option<Refused> {
        match self {
            Self::Refusal(refused) => Some(refused),
            Self::Score(_) | Self::Failed(_) => None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use schemas::face_matcher::Scored;
    use schemas::matcher::Score;
    use schemas::message::face::{
        ComparedPicture, FaceRefusal, PICTURE_BYTES_MAX, Picture, PictureBytes, PictureFormat,
    };

    use super::*;
    use crate::matcher::tests::fits;

    /// G7: the buffer of a request is as large as the request, whatever is in it; what prints of it holds no picture.
    #[test]
    fn g7_a_request_fits_its_buffer_and_does_not_print() {
        let picture = |format, len| Picture {
            format,
            bytes: PictureBytes::new(vec![0x5A; len]).unwrap(),
        };
        for len in [1, 1_024, PICTURE_BYTES_MAX] {
            let request = CompareRequest {
                reference: picture(PictureFormat::Wlt, len),
                probe: picture(PictureFormat::Jpeg, len),
            };
            let written = fits(&request);
            assert!(written.len() <= super::super::COMMAND_BYTES_MAX);
            let read: CompareRequest = serde_json::from_slice(&written).unwrap();
            assert_eq!(read, request);
            let printed = format!("{request:?}");
            assert!(
                !printed.contains("WlpaW") && !printed.contains("90"),
                "{printed}"
            );
        }
    }

    /// A7: nothing but a score of the service is one.
    #[test]
    fn a7_only_a_score_is_a_score() {
        let none = Score::new(0).unwrap();
        let score = Outcome::of(Ok(CompareAnswer::Scored(Scored { score: none })));
        assert_eq!(
            (score.score(), score.completion()),
            (Some(0), Completion::Success)
        );
        let why = Refused {
            refusal: FaceRefusal::NoFace,
            which: Some(ComparedPicture::Reference),
        };
        let refused = Outcome::of(Ok(CompareAnswer::Refused(why)));
        assert_eq!((refused.score(), refused.refusal()), (None, Some(why)));
        for (fault, completion) in [
            (MatcherFault::Away, Completion::DeviceNotReady),
            (MatcherFault::Slow, Completion::HardwareError),
            (MatcherFault::Answer, Completion::HardwareError),
        ] {
            let failed = Outcome::of(Err(fault));
            assert_eq!(failed, Outcome::Failed(completion));
            assert_eq!((failed.score(), failed.refusal()), (None, None));
        }
    }
}
