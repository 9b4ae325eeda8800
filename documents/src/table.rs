//! Rows of a form: framed cells, each a label and a value.

use texts::{Message, text};

use crate::error::Error;
use crate::line::Style;
use crate::page::{Area, mm};
use crate::sheet::{Align, Sheet};

const LABEL_WIDTH_MM: f32 = 33.0;
const VALUE: Style = Style::regular(11.0);

/// Rows below each other, all as high and as wide as the first.
pub(crate) struct Rows {
    row: Area,
    /// Where the next row begins.
    pub(crate) y: f32,
}

impl Rows {
    pub(crate) const fn new(row: Area) -> Self {
        Self { row, y: row.y }
    }

    /// A row of one value.
    pub(crate) fn one(
        &mut self,
        sheet: &mut Sheet<'_>,
        label: Message<'_>,
        value: &str,
    ) -> Result<(), Error> {
        let row = Area {
            y: self.y,
            ..self.row
        };
        cell(sheet, row, label, value)?;
        self.y += row.height;
        Ok(())
    }

    /// A row of two values.
    pub(crate) fn two(
        &mut self,
        sheet: &mut Sheet<'_>,
        left: (Message<'_>, &str),
        right: (Message<'_>, &str),
    ) -> Result<(), Error> {
        let half = Area {
            y: self.y,
            width: self.row.width / 2.0,
            ..self.row
        };
        cell(sheet, half, left.0, left.1)?;
        cell(
            sheet,
            Area {
                x: half.x + half.width,
                ..half
            },
            right.0,
            right.1,
        )?;
        self.y += half.height;
        Ok(())
    }
}

/// The label in both languages, a rule, and the value.
fn cell(sheet: &mut Sheet<'_>, area: Area, label: Message<'_>, value: &str) -> Result<(), Error> {
    let label_width = mm(LABEL_WIDTH_MM);
    sheet.page.frame(area, 0.5);
    let labels = Area {
        width: label_width,
        ..area
    };
    sheet.page.frame(labels, 0.5);
    let label = text(&label);
    let (chinese, english) = (Style::regular(9.5), Style::quiet(6.5));
    let height = chinese.leading() + english.leading();
    let x = labels.x + mm(1.0);
    let width = labels.width - mm(2.0);
    let y = labels.y + (labels.height - height) / 2.0;
    let line = |y: f32, style: Style| Area {
        x,
        y,
        width,
        height: style.leading(),
    };
    let what = "a label of the registration form";
    sheet.fit(line(y, chinese), chinese, Align::Centre, &label.zh, what)?;
    let y = y + chinese.leading();
    sheet.fit(line(y, english), english, Align::Centre, &label.en, what)?;
    let values = Area {
        x: area.x + label_width,
        width: area.width - label_width,
        ..area
    };
    sheet.fit(
        values.inset(mm(1.5)),
        VALUE,
        Align::Left,
        value,
        "a value of the registration form",
    )
}
