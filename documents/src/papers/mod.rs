//! The documents themselves.

pub(crate) mod certificate;
pub(crate) mod form;
pub(crate) mod notice;
pub(crate) mod receipt;
pub(crate) mod ticket;

use schemas::citizen::{MaskedName, NumberTail};
use schemas::message::kiosk::Text;
use texts::{Message, text};

use crate::error::Error;
use crate::line::Style;
use crate::page::{Area, mm};
use crate::sheet::{Align, Column, Labels, Sheet};

/// The station, as its papers name it.
#[derive(Debug, Clone)]
pub struct Station {
    /// Its name.
    pub name: Text,
    /// Its address, in Chinese.
    pub address: String,
    /// When it is open: `每日 00:00-24:00`.
    pub hours: String,
    /// The household window that citizens are sent to.
    pub window: String,
}

/// Whose paper it is, as a paper may say that others can pick up: masked (A4).
#[derive(Debug, Clone)]
pub struct Holder {
    /// The name; none where only the number is known.
    pub name: Option<MaskedName>,
    /// The end of the citizen number.
    pub number: NumberTail,
}

impl Holder {
    /// The name as a paper writes it.
    pub(crate) fn name(&self) -> String {
        let name = self.name.as_ref().map(ToString::to_string);
        name.unwrap_or_else(to_complete)
    }
}

/// What stands in place of a value that nobody at the kiosk knows: the window fills it in.
pub(crate) fn to_complete() -> String {
    text(&Message::LabelToComplete).zh
}

impl Sheet<'_> {
    /// The head of a receipt: what it is, whose station's, and a rule.
    fn roll_head(&mut self, title: &Message<'_>, station: &Station) -> Result<(), Error> {
        self.both(
            Style::bold(15.0),
            Style::quiet(8.5),
            Align::Centre,
            &text(title),
        )?;
        self.gap(1.0);
        self.paragraph(Style::regular(8.5), Align::Centre, &station.name.zh)?;
        self.gap(1.5);
        self.rule(0.8);
        self.gap(2.5);
        Ok(())
    }

    /// Fields over the width of a roll.
    fn roll_fields(&mut self, fields: &[(Message<'_>, String)]) -> Result<(), Error> {
        let column = Column {
            x: self.left,
            width: self.width,
            label_width: mm(23.0),
            size: 9.0,
            labels: Labels::Stacked,
        };
        for (label, value) in fields {
            self.field(column, label, value)?;
        }
        Ok(())
    }

    /// A sentence in both languages.
    fn note(&mut self, size: f32, note: &Message<'_>) -> Result<(), Error> {
        self.both(
            Style::regular(size),
            Style::quiet(size * 0.82),
            Align::Left,
            &text(note),
        )?;
        self.gap(1.2);
        Ok(())
    }

    /// A sentence that must not be missed, in a frame.
    fn warning(&mut self, size: f32, warning: &Text) -> Result<(), Error> {
        let top = self.y;
        let (left, width) = (self.left, self.width);
        self.left += mm(2.5);
        self.width -= mm(5.0);
        self.gap(1.8);
        self.both(
            Style::bold(size),
            Style::regular(size * 0.8),
            Align::Left,
            warning,
        )?;
        self.gap(1.8);
        (self.left, self.width) = (left, width);
        self.page.frame(
            Area {
                x: left,
                y: top,
                width,
                height: self.y - top,
            },
            0.8,
        );
        self.gap(3.0);
        Ok(())
    }

    /// The line with a label that a signature stands on.
    fn signature(
        &mut self,
        area: Area,
        signature: &crate::Picture,
        date: &str,
    ) -> Result<(), Error> {
        let label = text(&Message::LabelSignature);
        let label_width = mm(30.0);
        let labels = Area {
            width: label_width,
            y: area.bottom() - mm(9.0),
            ..area
        };
        let y = self.block(labels, Style::regular(10.0), Align::Left, &label.zh)?;
        self.block(
            Area {
                y: y - 1.0,
                ..labels
            },
            Style::quiet(6.5),
            Align::Left,
            &label.en,
        )?;
        let date_width = mm(28.0);
        let line = Area {
            x: area.x + label_width,
            width: area.width - label_width - date_width,
            ..area
        };
        self.page.picture(
            Area {
                height: line.height - mm(1.5),
                ..line
            }
            .inset(mm(1.0)),
            signature,
        );
        self.page.rule(line.x, line.bottom(), line.width, 0.6);
        let dates = Area {
            x: area.x + area.width - date_width,
            width: date_width,
            y: area.bottom() - mm(5.0),
            ..area
        };
        self.block(dates, Style::regular(10.0), Align::Right, date)?;
        Ok(())
    }
}
