//! Which events are exported, and how they are written.

use std::io::Write;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use schemas::envelope::Signed;
use serde::Deserialize;

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// A folder: all events, the checkpoint over them, the first verifier key.
    Bundle,
    /// A CBOR sequence (RFC 8742) of signed events.
    Cose,
    /// The CloudEvents, one a line, as they were signed.
    Json,
}

/// Which events.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Filter {
    /// The first index.
    #[arg(long, value_name = "INDEX")]
    from: Option<u64>,
    /// The index behind the last one.
    #[arg(long, value_name = "INDEX")]
    to: Option<u64>,
    /// Only types that begin so, for example `station.pickup.`; may be given several times.
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Only this subject: a session, card or device.
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,
}

impl Filter {
    pub(super) fn is_all(&self) -> bool {
        self.from.is_none() && self.to.is_none() && !self.looks_inside()
    }

    /// The indexes that are wanted; refuses a range that can hold no event.
    pub(super) fn range(&self) -> anyhow::Result<std::ops::Range<u64>> {
        let range = self.from.unwrap_or(0)..self.to.unwrap_or(u64::MAX);
        anyhow::ensure!(
            !range.is_empty(),
            "no event is from {} and before {}: --to is the index behind the last one",
            range.start,
            range.end
        );
        Ok(range)
    }

    /// Writes those that fit to something of this name; how many that were.
    pub(super) fn write(
        &self,
        form: Form,
        events: impl Iterator<Item = anyhow::Result<Vec<u8>>>,
        (out, name): (&mut impl Write, &str),
    ) -> anyhow::Result<u64> {
        let doing = || format!("cannot write {name}");
        let mut written = 0;
        for event in events {
            let event = event?;
            let signed = Signed::read(&event)?;
            if self.looks_inside() && !self.fits(signed.payload())? {
                continue;
            }
            match form {
                Form::Json => {
                    out.write_all(signed.payload()).with_context(doing)?;
                    out.write_all(b"\n").with_context(doing)?;
                }
                Form::Cose | Form::Bundle => out.write_all(&event).with_context(doing)?,
            }
            written += 1;
        }
        out.flush().with_context(doing)?;
        Ok(written)
    }

    fn looks_inside(&self) -> bool {
        !self.types.is_empty() || self.subject.is_some()
    }

    fn fits(&self, payload: &[u8]) -> anyhow::Result<bool> {
        #[derive(Deserialize)]
        struct Head<'a> {
            #[serde(rename = "type")]
            event_type: &'a str,
            subject: Option<&'a str>,
        }
        let head: Head<'_> =
            serde_json::from_slice(payload).context("a CloudEvent cannot be read")?;
        let type_fits = self.types.is_empty()
            || self
                .types
                .iter()
                .any(|wanted| head.event_type.starts_with(wanted.as_str()));
        let subject_fits = self
            .subject
            .as_deref()
            .is_none_or(|wanted| head.subject == Some(wanted));
        Ok(type_fits && subject_fits)
    }
}
