//! A page that is filled from the top: paragraphs, fields, codes, and cells of a table.

use schemas::message::kiosk::Text;
use texts::{Message, text};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::fonts::{Faces, Fonts};
use crate::line::{Line, Style};
use crate::page::{Area, Mark, Page, mm};
use crate::pdf::{self, Pdf};
use crate::values;

/// The top of an em box above its baseline, in ems.
const ASCENT: f32 = 0.88;
/// The size that text may be shrunk to so that it fits, in points.
const SMALLEST: f32 = 6.0;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Align {
    Left,
    Centre,
    Right,
}

/// A page under way, with a margin on all sides and a place where it goes on.
pub(crate) struct Sheet<'a> {
    pub(crate) faces: Faces<'a>,
    pub(crate) page: Page,
    pub(crate) left: f32,
    pub(crate) width: f32,
    /// Where the next thing begins.
    pub(crate) y: f32,
    margin: f32,
}

impl<'a> Sheet<'a> {
    /// Sizes in millimetres. A height of none is that of the contents: a roll.
    pub(crate) fn new(
        fonts: &'a Fonts,
        width: f32,
        height: Option<f32>,
        margin: f32,
    ) -> Result<Self, Error> {
        // A roll is cut off below its contents. The limit of PDF's own units is 5 m.
        let height = height.unwrap_or(5_000.0);
        Ok(Self {
            faces: fonts.open()?,
            page: Page::new(mm(width), mm(height)),
            left: mm(margin),
            width: mm(width - 2.0 * margin),
            y: mm(margin),
            margin: mm(margin),
        })
    }

    /// The roll of a receipt printer: 80 mm, of which 72 can be printed on.
    pub(crate) fn roll(fonts: &'a Fonts) -> Result<Self, Error> {
        Self::new(fonts, 80.0, None, 4.0)
    }

    /// Ends a sheet of fixed size.
    pub(crate) fn finish(self, title: &Message<'_>) -> Result<Pdf, Error> {
        if self.y > self.page.height - self.margin + 0.5 {
            return Err(Error::TooLong {
                what: "the document",
            });
        }
        pdf::write(&self.page, &self.faces, &text(title).zh)
    }

    /// Ends a roll: cut off below its contents.
    pub(crate) fn cut(mut self, title: &Message<'_>) -> Result<Pdf, Error> {
        self.page.height = self.y + self.margin;
        self.finish(title)
    }

    pub(crate) fn gap(&mut self, millimetres: f32) {
        self.y += mm(millimetres);
    }

    /// A rule over the whole width.
    pub(crate) fn rule(&mut self, weight: f32) {
        self.page.rule(self.left, self.y, self.width, weight);
    }

    /// A paragraph over the whole width.
    pub(crate) fn paragraph(
        &mut self,
        style: Style,
        align: Align,
        text: &str,
    ) -> Result<(), Error> {
        let area = Area {
            x: self.left,
            y: self.y,
            width: self.width,
            height: 0.0,
        };
        self.y = self.block(area, style, align, text)?;
        Ok(())
    }

    /// Chinese, and English below it in less weight.
    pub(crate) fn both(
        &mut self,
        style: Style,
        english: Style,
        align: Align,
        text: &Text,
    ) -> Result<(), Error> {
        self.paragraph(style, align, &text.zh)?;
        self.paragraph(english, align, &text.en)
    }

    /// Sets text from the top of `area` in as many lines as it takes; says where it ends.
    pub(crate) fn block(
        &mut self,
        area: Area,
        style: Style,
        align: Align,
        text: &str,
    ) -> Result<f32, Error> {
        let lines = Line::set(&self.faces, style, text)?.wrap(style.size, area.width);
        let mut y = area.y;
        for line in lines {
            let space = area.width - line.width(style.size);
            let indent = match align {
                Align::Left => 0.0,
                Align::Centre => space / 2.0,
                Align::Right => space,
            };
            self.page.marks.push(Mark::Text {
                x: area.x + indent,
                y: y + baseline(style),
                size: style.size,
                gray: style.gray,
                line,
            });
            y += style.leading();
        }
        Ok(y)
    }

    /// How high text is that is `width` wide.
    pub(crate) fn height(&self, style: Style, text: &str, width: f32) -> Result<f32, Error> {
        let lines = Line::set(&self.faces, style, text)?.wrap(style.size, width);
        Ok(lines.iter().map(|_| style.leading()).sum())
    }

    /// Text in the vertical middle of `area`, shrunk until it fits.
    pub(crate) fn fit(
        &mut self,
        area: Area,
        mut style: Style,
        align: Align,
        text: &str,
        what: &'static str,
    ) -> Result<(), Error> {
        loop {
            let height = self.height(style, text, area.width)?;
            if height <= area.height {
                let y = area.y + (area.height - height) / 2.0;
                self.block(Area { y, ..area }, style, align, text)?;
                return Ok(());
            }
            style.size -= 0.5;
            if style.size < SMALLEST {
                return Err(Error::TooLong { what });
            }
        }
    }

    /// A label and its value beside it; the label in both languages.
    pub(crate) fn field(
        &mut self,
        column: Column,
        label: &Message<'_>,
        value: &str,
    ) -> Result<(), Error> {
        let Column {
            x,
            width,
            label_width,
            size,
            ..
        } = column;
        let area = |x: f32, width: f32| Area {
            x,
            y: self.y,
            width,
            height: 0.0,
        };
        let labels = area(x, label_width - mm(2.0));
        let values = area(x + label_width, width - label_width);
        let label_end = self.label(labels, column, &text(label))?;
        let value_end = self.block(values, Style::regular(size), Align::Left, value)?;
        self.y = label_end.max(value_end) + size * 0.28;
        Ok(())
    }

    /// A label and its value in both languages, English below in less weight.
    pub(crate) fn field_both(
        &mut self,
        column: Column,
        label: &Message<'_>,
        value: &Text,
    ) -> Result<(), Error> {
        self.field(column, label, &value.zh)?;
        let space = column.size * 0.28;
        let below = Area {
            x: column.x + column.label_width,
            y: self.y - space,
            width: column.width - column.label_width,
            height: 0.0,
        };
        let english = Style::quiet(column.size * 0.66);
        self.y = self.block(below, english, Align::Left, &value.en)? + space;
        Ok(())
    }

    fn label(&mut self, area: Area, column: Column, label: &Text) -> Result<f32, Error> {
        let chinese = Style::regular(column.size - 1.0);
        let english = Style::quiet(column.size * 0.66);
        // On the baseline of the value, whatever the sizes.
        let drop = |style: Style| baseline(Style::regular(column.size)) - baseline(style);
        let y = area.y + drop(chinese);
        let end = self.block(Area { y, ..area }, chinese, Align::Left, &label.zh)?;
        if column.labels == Labels::Stacked {
            return self.block(
                Area {
                    y: end - 1.0,
                    ..area
                },
                english,
                Align::Left,
                &label.en,
            );
        }
        let beside = Line::set(&self.faces, chinese, &label.zh)?.width(chinese.size) + mm(1.2);
        let area = Area {
            x: area.x + beside,
            y: area.y + drop(english),
            width: area.width - beside,
            ..area
        };
        Ok(end.max(self.block(area, english, Align::Left, &label.en)?))
    }

    /// A barcode in the middle; below it what it is, and its text.
    pub(crate) fn barcode(
        &mut self,
        width: f32,
        height: f32,
        code: &str,
        (name, below): (&Message<'_>, &str),
    ) -> Result<(), Error> {
        let width = mm(width).min(self.width + self.margin);
        let x = self.left + (self.width - width) / 2.0;
        self.page.barcode(
            Area {
                x,
                y: self.y,
                width,
                height: mm(height),
            },
            code,
        )?;
        self.y += mm(height + 1.0);
        // What the code says may be personal.
        let named = Zeroizing::new(format!("{} {below}", values::both(&text(name))));
        self.paragraph(Style::regular(10.0), Align::Centre, &named)
    }

    /// A QR code in the middle.
    pub(crate) fn qr(&mut self, side: f32, code: &str) -> Result<(), Error> {
        let side = mm(side);
        self.page
            .qr(self.left + (self.width - side) / 2.0, self.y, side, code)?;
        self.y += side;
        Ok(())
    }
}

/// From the top of a line of text to what its characters stand on.
fn baseline(style: Style) -> f32 {
    (style.leading() - style.size) / 2.0 + ASCENT * style.size
}

/// Where fields stand below each other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) x: f32,
    pub(crate) width: f32,
    pub(crate) label_width: f32,
    /// Of values.
    pub(crate) size: f32,
    pub(crate) labels: Labels,
}

/// Where the English of a label stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Labels {
    /// Below the Chinese, on narrow paper.
    Stacked,
    /// Beside it.
    Beside,
}
