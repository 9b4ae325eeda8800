//! A text from a card: wiped when it is dropped, and never printed.

use zeroize::Zeroizing;

/// A text that names or describes a person.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Personal(Zeroizing<String>);

impl Personal {
    /// Takes the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text in the clear. Only for what never leaves memory unsealed.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the card leaves it empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl core::fmt::Debug for Personal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Personal(hidden)")
    }
}
