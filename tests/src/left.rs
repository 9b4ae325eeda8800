//! What a station leaves behind: the events of its log, read from a copy of its data folder.

use std::collections::BTreeMap;
use std::path::Path;

use schemas::envelope::{Entry, read};
