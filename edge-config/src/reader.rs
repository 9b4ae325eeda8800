//! Walks a TOML document and takes typed values out of it. It never stops at the first problem: a
//! value that is wrong is reported and a stand-in goes on, so that one run names all there is. The
//! stand-ins never leave this crate: with a problem there is no result.

use core::fmt::Display;
use core::ops::{Range, RangeInclusive};
use core::str::FromStr;
use std::net::SocketAddr;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{ConfigErrors, Gathered};
use crate::unit;

/// Reads `text` with `take`; all problems, or the value.
pub(crate) fn read<T>(
    text: &str,
    file: &str,
    take: impl FnOnce(&mut Section<'_>) -> Option<T>,
) -> Result<T, ConfigErrors> {
    let gathered = Gathered::new(text, file);
    let (document, syntax) = DeTable::parse_recoverable(text);
    for error in &syntax {
        gathered.report(
            &error.span().unwrap_or(0..0),
            format!("not TOML: {}", error.message()),
        );
    }
    let value = if syntax.is_empty() {
        Section::new(&gathered, String::new(), document.get_ref(), 0..0).run(take)
    } else {
        None
    };
    gathered.finish(value)
}

/// A value read from a table, and where that table is, for checks across tables.
#[derive(Debug)]
pub(crate) struct At<'a, T> {
    pub(crate) value: T,
    table: &'a DeTable<'a>,
    header: Range<usize>,
}

impl<T> At<'_, T> {
    /// Where `key` is written; the table's header where it is not.
    pub(crate) fn span(&self, key: &str) -> Range<usize> {
        self.table
            .get(key)
            .map_or_else(|| self.header.clone(), Spanned::span)
    }
}

/// A table of the document and the keys that were asked for.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    gathered: &'a Gathered<'a>,
    /// `broker.embedded`; empty for the document.
    path: String,
    table: &'a DeTable<'a>,
    header: Range<usize>,
    asked: Vec<&'static str>,
}

impl<'a> Section<'a> {
    fn new(
        gathered: &'a Gathered<'a>,
        path: String,
        table: &'a DeTable<'a>,
        header: Range<usize>,
    ) -> Self {
        Self {
            gathered,
            path,
            table,
            header,
            asked: Vec::new(),
        }
    }

    /// Reads this table, then reports the keys that nothing asked for.
    fn run<T>(mut self, take: impl FnOnce(&mut Self) -> T) -> T {
        let value = take(&mut self);
        for (key, value) in self.table {
            let name = key.get_ref().as_ref();
            if !self.asked.contains(&name) {
                let what = unit::unknown_key(&self.path, name, value.get_ref(), &self.asked);
                self.gathered.report(&key.span(), what);
            }
        }
        value
    }

    fn get(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.push(key);
        self.table.get(key)
    }

    fn named(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// `true` if `key` is written, whatever its value.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Reports `what` at the value of `key`, or at the table's header.
    pub(crate) fn refuse(&self, key: &str, what: impl Display) {
        let span = self
            .table
            .get(key)
            .map_or_else(|| self.header.clone(), Spanned::span);
        self.gathered
            .report(&span, format!("{}: {what}", self.named(key)));
    }

    /// Reports `what` at a place that another table gave.
    pub(crate) fn refuse_at(&self, span: &Range<usize>, what: impl Into<String>) {
        self.gathered.report(span, what);
    }

    /// Reports `what` at the value of `key` in the table `section`, or at that table's header.
    pub(crate) fn refuse_in(&self, section: &str, key: &str, what: String) {
        let span = self.table.get(section).map(|at| {
            let inner = at.get_ref().as_table().and_then(|table| table.get(key));
            inner.map_or_else(|| at.span(), Spanned::span)
        });
        self.gathered
            .report(&span.unwrap_or_else(|| self.header.clone()), what);
    }

    /// Marks `key` as known without reading it: its refusal has words of its own.
    pub(crate) fn asked(&mut self, key: &'static str) {
        self.asked.push(key);
    }

    /// A whole number within `range`; `default` where it is not written.
    pub(crate) fn number<T: TryFrom<i64>>(
        &mut self,
        key: &'static str,
        range: RangeInclusive<i64>,
        default: T,
    ) -> T {
        match self.get(key) {
            None => default,
            Some(value) => self.in_range(key, value, &range).unwrap_or(default),
        }
    }

    /// A whole number within `range`, or none.
    pub(crate) fn optional_number<T: TryFrom<i64>>(
        &mut self,
        key: &'static str,
        range: RangeInclusive<i64>,
    ) -> Option<T> {
        let value = self.get(key)?;
        self.in_range(key, value, &range)
    }

    /// A whole number within `range` that has to be written.
    pub(crate) fn required_number<T: TryFrom<i64>>(
        &mut self,
        key: &'static str,
        range: RangeInclusive<i64>,
    ) -> Option<T> {
        if let Some(value) = self.get(key) {
            return self.in_range(key, value, &range);
        }
        self.missing(key, &range.start().to_string());
        None
    }

    fn in_range<T: TryFrom<i64>>(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        range: &RangeInclusive<i64>,
    ) -> Option<T> {
        let DeValue::Integer(digits) = value.get_ref() else {
            self.refuse(key, unit::not_a_number(key, value.get_ref(), range));
            return None;
        };
        let number = i64::from_str_radix(digits.as_str(), digits.radix()).ok();
        let typed = number
            .filter(|n| range.contains(n))
            .and_then(|n| T::try_from(n).ok());
        if typed.is_none() {
            let (low, high) = (range.start(), range.end());
            let nearest = match number {
                Some(n) if n < *low => low,
                Some(_) | None => high,
            };
            let what = format!(
                "{digits} is not within {low} to {high}; write for example {key} = {nearest}"
            );
            self.refuse(key, what);
        }
        typed
    }

    /// `true` or `false`; `default` where it is not written.
    pub(crate) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        let Some(value) = self.get(key).map(Spanned::get_ref) else {
            return default;
        };
        let flag = value.as_bool();
        if flag.is_none() {
            let kind = unit::kind(value);
            self.refuse(
                key,
                format!("{kind} is not true or false; write {key} = {default}"),
            );
        }
        flag.unwrap_or(default)
    }

    fn text(&mut self, key: &'static str, example: &str) -> Option<&'a str> {
        let value = self.get(key)?.get_ref();
        let text = value.as_str();
        if text.is_none() {
            let kind = unit::kind(value);
            self.refuse(
                key,
                format!("{kind} is not a text; write for example {key} = {example}"),
            );
        }
        text
    }

    /// A text that `T` can be made of and that may be left out. `example` with its quotes.
    pub(crate) fn optional<T: FromStr<Err: Display>>(
        &mut self,
        key: &'static str,
        example: &str,
    ) -> Option<T> {
        let text = self.text(key, example)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(key, format!("{error}; write for example {key} = {example}"));
                None
            }
        }
    }

    /// A text that `T` can be made of and that has to be written.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(
        &mut self,
        key: &'static str,
        example: &str,
    ) -> Option<T> {
        if !self.has(key) {
            self.asked.push(key);
            self.missing(key, example);
            return None;
        }
        self.optional(key, example)
    }

    /// A text that has to be written.
    pub(crate) fn required_text(&mut self, key: &'static str, example: &str) -> Option<&'a str> {
        if !self.has(key) {
            self.missing(key, example);
        }
        self.text(key, example)
    }

    /// A path, not empty.
    pub(crate) fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        let text = self.text(key, "\"folder/file\"")?;
        if text.is_empty() {
            self.refuse(key, "is empty; write a path or leave the line out");
            return None;
        }
        Some(PathBuf::from(text))
    }

    /// A path that has to be written.
    pub(crate) fn required_path(&mut self, key: &'static str, example: &str) -> Option<PathBuf> {
        if !self.has(key) {
            self.missing(key, example);
        }
        self.path(key)
    }

    /// `address:port`; `default` where it is not written. Port 0 lets the system choose.
    pub(crate) fn address(&mut self, key: &'static str, default: SocketAddr) -> SocketAddr {
        self.optional_address(key, default).unwrap_or(default)
    }

    /// `address:port` that has to be written.
    pub(crate) fn parsed_address(
        &mut self,
        key: &'static str,
        example: SocketAddr,
    ) -> Option<SocketAddr> {
        if !self.has(key) {
            self.missing(key, &format!("\"{example}\""));
        }
        self.optional_address(key, example)
    }

    /// `address:port`, none where it is not written.
    pub(crate) fn optional_address(
        &mut self,
        key: &'static str,
        example: SocketAddr,
    ) -> Option<SocketAddr> {
        let example_text = format!("\"{example}\"");
        let text = self.text(key, &example_text)?;
        if let Ok(address) = text.parse() {
            return Some(address);
        }
        self.refuse(key, unit::not_an_address(key, text, example));
        None
    }

    /// One of a closed set of words; `default` where it is not written.
    pub(crate) fn word<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&'static str, T)],
        default: T,
    ) -> T {
        let example = words
            .first()
            .map_or_else(String::new, |(word, _)| format!("\"{word}\""));
        let Some(text) = self.text(key, &example) else {
            return default;
        };
        words.iter().find(|(word, _)| *word == text).map_or_else(
            || {
                self.refuse(key, unit::unknown_word(text, words));
                default
            },
            |(_, value)| *value,
        )
    }

    /// The items of a list; none where it is not written.
    fn items(&mut self, key: &'static str, example: &str) -> Option<&'a [Spanned<DeValue<'a>>]> {
        let value = self.get(key)?;
        if let DeValue::Array(items) = value.get_ref() {
            return Some(items);
        }
        let what = format!(
            "{} is not a list; write for example {key} = [\"{example}\"]",
            unit::kind(value.get_ref())
        );
        self.refuse(key, what);
        None
    }

    /// A list of words of a closed set; none where it is not written.
    pub(crate) fn words<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&'static str, T)],
    ) -> Option<Vec<T>> {
        let example = words.first().map_or("", |(word, _)| word);
        let items = self.items(key, example)?;
        let mut taken = Vec::new();
        for item in items {
            let text = item.get_ref().as_str();
            if let Some((_, value)) = words.iter().find(|(word, _)| Some(*word) == text) {
                taken.push(*value);
            } else {
                let what = unit::unknown_word(text.unwrap_or("?"), words);
                let what = format!("{}: {what}", self.named(key));
                self.gathered.report(&item.span(), what);
            }
        }
        Some(taken)
    }

    /// A list of paths, none of them empty; none where it is not written.
    pub(crate) fn paths(&mut self, key: &'static str, len_max: usize) -> Option<Vec<PathBuf>> {
        let texts = self.texts(key, "a path", "folder/file", len_max)?;
        Some(texts.into_iter().map(PathBuf::from).collect())
    }

    /// A list of texts, none of them empty; none where it is not written. `what` and `example` say what they are.
    pub(crate) fn texts(
        &mut self,
        key: &'static str,
        what: &str,
        example: &str,
        len_max: usize,
    ) -> Option<Vec<String>> {
        let items = self.items(key, example)?;
        if items.len() > len_max {
            self.refuse(
                key,
                format!("has more than {len_max} entries; leave some out"),
            );
        }
        let mut taken = Vec::new();
        for item in items {
            match item.get_ref().as_str() {
                Some(text) if !text.is_empty() => taken.push(text.to_owned()),
                Some(_) | None => {
                    let what = format!("{}: not {what}; write \"{example}\"", self.named(key));
                    self.gathered.report(&item.span(), what);
                }
            }
        }
        Some(taken)
    }

    /// A list of texts that `T` can be made of; empty where it is not written. `example` without its quotes.
    pub(crate) fn ids<T: FromStr<Err: Display>>(
        &mut self,
        key: &'static str,
        example: &str,
        len_max: usize,
    ) -> Vec<T> {
        let items = self.items(key, example).unwrap_or_default();
        if items.len() > len_max {
            let what = format!("has more than {len_max} entries; leave some out");
            self.refuse(key, what);
        }
        let mut taken = Vec::new();
        for item in items {
            match item.get_ref().as_str().map(str::parse::<T>) {
                Some(Ok(value)) => taken.push(value),
                Some(Err(error)) => {
                    let what = format!("{}: {error}; write \"{example}\"", self.named(key));
                    self.gathered.report(&item.span(), what);
                }
                None => {
                    let what = format!("{}: not a text; write \"{example}\"", self.named(key));
                    self.gathered.report(&item.span(), what);
                }
            }
        }
        taken
    }

    /// A table that may be left out.
    pub(crate) fn section<T>(
        &mut self,
        key: &'static str,
        take: impl FnOnce(&mut Section<'a>) -> T,
    ) -> Option<T> {
        let value = self.get(key)?;
        let path = self.named(key);
        let DeValue::Table(table) = value.get_ref() else {
            let what = format!(
                "{} is not a section; write [{path}]",
                unit::kind(value.get_ref())
            );
            self.refuse(key, what);
            return None;
        };
        Some(Section::new(self.gathered, path, table, value.span()).run(take))
    }

    /// A table that has to be written.
    pub(crate) fn required<T>(
        &mut self,
        key: &'static str,
        take: impl FnOnce(&mut Section<'a>) -> T,
    ) -> Option<T> {
        if !self.has(key) {
            let path = self.named(key);
            self.refuse(key, format!("the section is missing; write [{path}]"));
        }
        self.section(key, take)
    }

    /// The tables `[[key]]`, in order. A table of which `take` gives nothing has been reported.
    pub(crate) fn list<T>(
        &mut self,
        key: &'static str,
        take: impl Fn(&mut Section<'a>) -> Option<T>,
    ) -> Vec<At<'a, T>> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let path = self.named(key);
        let DeValue::Array(items) = value.get_ref() else {
            self.refuse(
                key,
                format!("there may be several of these; write [[{path}]]"),
            );
            return Vec::new();
        };
        let mut taken = Vec::new();
        for item in items {
            let DeValue::Table(table) = item.get_ref() else {
                self.gathered.report(
                    &item.span(),
                    format!("{path}: not a section; write [[{path}]]"),
                );
                continue;
            };
            let header = item.span();
            let section = Section::new(self.gathered, path.clone(), table, header.clone());
            if let Some(value) = section.run(&take) {
                taken.push(At {
                    value,
                    table,
                    header,
                });
            }
        }
        taken
    }

    fn missing(&self, key: &str, example: &str) {
        self.refuse(
            key,
            format!("is missing; write for example {key} = {example}"),
        );
    }
}
