//! Epochs: the events lie in several sled folders, `log/<first index>`, each from one snapshot event to before the next.
//!
//! sled gives no room back, so what may go goes as a whole folder. Which folders belong to the log is said by the file `EPOCHS`
//! alone ([`EpochList`]): a folder that it does not name was not begun to the end, or was not removed to the end. Only the
//! newest is written to. An epoch holds, beside its events, the tree's frontier before its first one, so that it can be verified
//! without those before it, and the newest holds the pairs of every [`crate::Space`].

mod copies;
mod list;
mod place;
mod store;
mod walk;

pub(crate) use copies::Copies;
pub(crate) use list::EpochList;
pub(crate) use place::EpochPlace;
pub(crate) use store::{EpochStore, Owner, check_origin, write_beginning};
