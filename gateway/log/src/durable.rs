//! The proof, as a type, that something is on disk.

use std::ops::Range;

/// A value that may be acted on: everything it stands for is durable. Only this crate makes one, and only after the
/// flush (and sync) that covers it, so an acknowledgement, a receipt or a device command that takes a `Durable<…>`
/// cannot run ahead of the disk.
///
/// ```compile_fail
/// let forged = gateway_log::Durable { value: "acknowledged", indexes: 0..1 };
/// ```
#[derive(Debug, PartialEq, Eq)]
#[must_use = "what is durable is waiting to be acknowledged"]
pub struct Durable<T> {
    value: T,
    indexes: Range<u64>,
}

impl<T> Durable<T> {
    pub(crate) fn new(value: T, indexes: Range<u64>) -> Self {
        Self { value, indexes }
    }

    /// What was given with the group, to be acted on now.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The same, borrowed.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// The indexes of the group's events; empty when it had none.
    pub fn indexes(&self) -> Range<u64> {
        self.indexes.clone()
    }

    /// Another value that follows from this one and is therefore durable too.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Durable<U> {
        Durable {
            value: f(self.value),
            indexes: self.indexes,
        }
    }
}

impl<T> Durable<Vec<T>> {
    /// Each of several values.
    pub fn into_each(self) -> impl Iterator<Item = Durable<T>> {
        let Self { value, indexes } = self;
        value.into_iter().map(move |value| Durable {
            value,
            indexes: indexes.clone(),
        })
    }
}
