//! Filters of `$all`: by event type or stream name, by prefix or regular expression.

use super::index::{Entry, Index};

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    StreamName,
    EventType,
}

/// With what it is compared.
#[derive(Debug)]
enum Pattern {
    Prefixes(Vec<String>),
    // Clients use look-ahead for what they exclude.
    Regex(Box<fancy_regex::Regex>),
}

#[derive(Debug)]
pub(crate) struct Filter {
    subject: Subject,
    pattern: Pattern,
}

impl Filter {
    /// By the expression if there is one, else by the prefixes. The error says what is wrong with the expression.
    pub(crate) fn new(
        subject: Subject,
        regex: &str,
        prefixes: Vec<String>,
    ) -> Result<Self, String> {
        let pattern = if regex.is_empty() {
            Pattern::Prefixes(prefixes)
        } else {
            let regex = fancy_regex::Regex::new(regex).map_err(|error| error.to_string())?;
            Pattern::Regex(Box::new(regex))
        };
        Ok(Self { subject, pattern })
    }

    pub(crate) fn lets_pass(&self, index: &Index, entry: Entry) -> bool {
        let text = match self.subject {
            Subject::StreamName => index.stream_name(entry),
            Subject::EventType => index.kind(entry),
        };
        match &self.pattern {
            Pattern::Prefixes(prefixes) => {
                prefixes.iter().any(|prefix| text.starts_with(&**prefix))
            }
            // An expression that takes too long lets nothing pass.
            Pattern::Regex(regex) => regex.is_match(&*text).unwrap_or(false),
        }
    }
}
