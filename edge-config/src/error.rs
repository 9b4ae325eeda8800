//! What is wrong with a configuration: always all of it, each with its place and what to write
//! instead.

use core::fmt;
use core::ops::Range;

/// A place in a file, both numbers from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl Place {
    /// The place of the byte `offset` of `text`.
    pub(crate) fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let (line_start, line) = before
            .rmatch_indices('\n')
            .next()
            .map_or((0, 1), |(at, _)| {
                (at + 1, before.bytes().filter(|b| *b == b'\n').count() + 1)
            });
        let column = before.get(line_start..).map_or(0, |l| l.chars().count()) + 1;
        Self { line, column }
    }
}

/// One thing that is wrong, as `file:line:column: what; write …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it was named to the loader.
    pub file: String,
    /// Where in it; none where the file as a whole is meant.
    pub place: Option<Place>,
    /// What is wrong, and what to write instead.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, place, what } = self;
        match place {
            Some(Place { line, column }) => write!(f, "{file}:{line}:{column}: {what}"),
            None => write!(f, "{file}: {what}"),
        }
    }
}

/// All that is wrong with a configuration, in the order of the files; never empty. `Display` writes
/// one problem to a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors {
    problems: Vec<Problem>,
}

impl ConfigErrors {
    /// The problems.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The problems of this file and then those of `other`.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.problems.extend(other.problems);
        self
    }

    pub(crate) fn unreadable(file: String, error: &std::io::Error) -> Self {
        let what = format!("cannot be read: {error}");
        Self {
            problems: vec![Problem {
                file,
                place: None,
                what,
            }],
        }
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.problems.iter();
        if let Some(first) = lines.next() {
            write!(f, "{first}")?;
        }
        lines.try_for_each(|problem| write!(f, "\n{problem}"))
    }
}

/// Gathers the problems of one file.
#[derive(Debug)]
pub(crate) struct Gathered<'a> {
    file: &'a str,
    text: &'a str,
    problems: core::cell::RefCell<Vec<Problem>>,
}

impl<'a> Gathered<'a> {
    pub(crate) const fn new(text: &'a str, file: &'a str) -> Self {
        Self {
            file,
            text,
            problems: core::cell::RefCell::new(Vec::new()),
        }
    }

    pub(crate) fn report(&self, span: &Range<usize>, what: impl Into<String>) {
        self.problems.borrow_mut().push(Problem {
            file: self.file.to_owned(),
            place: Some(Place::of(self.text, span.start)),
            what: what.into(),
        });
    }

    /// `value` if there is one and nothing was reported; else the problems in the order of the file.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, ConfigErrors> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.place);
        match value {
            Some(value) if problems.is_empty() => Ok(value),
            Some(_) | None => {
                if problems.is_empty() {
                    // Whoever gives no value reports why; should that ever be forgotten, it is
                    // still a refusal with words.
                    let what = "a required value is missing".to_owned();
                    problems.push(Problem {
                        file: self.file.to_owned(),
                        place: None,
                        what,
                    });
                }
                Err(ConfigErrors { problems })
            }
        }
    }
}
