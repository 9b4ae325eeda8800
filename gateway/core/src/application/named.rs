//! What applications under way have named of that which the shell holds in the clear until they end.

use schemas::event::application::Entered;
use schemas::ids::{BlobHash, SessionId};
use schemas::sealed::SealedField;

use crate::state::State;

/// The names that stand for it in the state, and so on the papers and in the comparisons to come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Who applies.
    pub holder: Option<SealedField>,
    /// The phone number.
    pub phone: Option<SealedField>,
    /// Portrait, live photo and signature.
    pub pictures: Vec<BlobHash>,
}

impl Named {
    fn of(entered: &Entered) -> Self {
        let portrait = entered.portrait.as_ref();
        let pictures = [
            portrait.and_then(|portrait| portrait.picture.as_ref()),
            entered.live.as_ref(),
            entered.signature.as_ref(),
        ];
        let pictures = pictures.into_iter().flatten();
        Self {
            holder: entered.holder.clone(),
            phone: entered.phone.clone(),
            pictures: pictures.map(|picture| picture.blob.clone()).collect(),
        }
    }
}

impl State {
    /// The applications under way, and what each has named.
    pub fn named(&self) -> impl Iterator<Item = (&SessionId, Named)> {
        let open = self.applications.open.values();
        open.map(|application| (&application.id, Named::of(&application.entered)))
    }
}
