//! A page as a list of marks, from the top left, in points. Nothing here knows PDF.

use qrcode::{Color, EcLevel, QrCode};

use crate::code128;
use crate::error::Error;
use crate::line::Line;
use crate::picture::Picture;

/// Points of a millimetre.
pub(crate) const fn mm(millimetres: f32) -> f32 {
    millimetres * 72.0 / 25.4
}

/// A rectangle: its upper left corner and its size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Area {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) width: f32,
    pub(crate) height: f32,
}

impl Area {
    /// The same with a margin inside.
    pub(crate) fn inset(self, by: f32) -> Self {
        Self {
            x: self.x + by,
            y: self.y + by,
            width: self.width - 2.0 * by,
            height: self.height - 2.0 * by,
        }
    }

    pub(crate) fn bottom(self) -> f32 {
        self.y + self.height
    }
}

/// What is on a page.
pub(crate) enum Mark {
    /// A line of text: left end and baseline.
    Text {
        x: f32,
        y: f32,
        size: f32,
        gray: f32,
        line: Line,
    },
    /// Filled areas of one shade: rules, bars, modules.
    Areas { gray: f32, areas: Vec<Area> },
    /// A picture, stretched over an area.
    Picture { area: Area, picture: Picture },
}

/// A page under way.
pub(crate) struct Page {
    pub(crate) width: f32,
    pub(crate) height: f32,
    pub(crate) marks: Vec<Mark>,
}

impl Page {
    pub(crate) const fn new(width: f32, height: f32) -> Self {
        Self {
            width,
            height,
            marks: Vec::new(),
        }
    }

    /// Fills areas in black, or a shade of gray.
    pub(crate) fn fill(&mut self, gray: f32, areas: Vec<Area>) {
        self.marks.push(Mark::Areas { gray, areas });
    }

    /// A horizontal rule.
    pub(crate) fn rule(&mut self, x: f32, y: f32, width: f32, weight: f32) {
        let y = y - weight / 2.0;
        let height = weight;
        self.fill(
            0.0,
            vec![Area {
                x,
                y,
                width,
                height,
            }],
        );
    }

    /// The outline of an area.
    pub(crate) fn frame(&mut self, area: Area, weight: f32) {
        let Area {
            x,
            y,
            width,
            height,
        } = area;
        self.rule(x - weight / 2.0, y, width + weight, weight);
        self.rule(x - weight / 2.0, area.bottom(), width + weight, weight);
        let upright = |x: f32| Area {
            x: x - weight / 2.0,
            y,
            width: weight,
            height,
        };
        self.fill(0.0, vec![upright(x), upright(x + width)]);
    }

    /// A picture as large as `area` lets it be without being distorted, in its middle.
    pub(crate) fn picture(&mut self, area: Area, picture: &Picture) {
        let (columns, rows) = (f32::from(picture.width), f32::from(picture.height));
        let scale = (area.width / columns).min(area.height / rows);
        let (width, height) = (columns * scale, rows * scale);
        let x = area.x + (area.width - width) / 2.0;
        let y = area.y + (area.height - height) / 2.0;
        let area = Area {
            x,
            y,
            width,
            height,
        };
        let picture = picture.clone();
        self.marks.push(Mark::Picture { area, picture });
    }

    /// A Code 128 barcode in the middle of `area`, as wide as whole dots of a printer allow, its quiet zones of 10 modules included.
    pub(crate) fn barcode(&mut self, area: Area, text: &str) -> Result<(), Error> {
        const QUIET: u16 = 10;
        let widths = code128::widths(text)?;
        let modules: u16 = widths.iter().map(|width| u16::from(*width)).sum();
        let modules = f32::from(modules + 2 * QUIET);
        let module = dots(area.width / modules)?;
        let left = area.x + (area.width - modules * module) / 2.0;
        let mut at = f32::from(QUIET);
        let mut bars = Vec::with_capacity(widths.len() / 2 + 1);
        for (place, width) in widths.into_iter().enumerate() {
            let width = f32::from(width);
            if place.is_multiple_of(2) {
                let x = left + at * module;
                let width = width * module;
                bars.push(Area { x, width, ..area });
            }
            at += width;
        }
        self.fill(0.0, bars);
        Ok(())
    }

    /// A QR code (ISO/IEC 18004) in the middle of the square at `x`, `y`, its quiet zone of 4 modules included. A quarter of it may be
    /// lost: paper is folded and wet.
    pub(crate) fn qr(&mut self, x: f32, y: f32, side: f32, text: &str) -> Result<(), Error> {
        const QUIET: usize = 4;
        let refused = |_| Error::NoCode { what: "QR code" };
        let code = QrCode::with_error_correction_level(text, EcLevel::Q).map_err(refused)?;
        let columns = code.width();
        let across = small(columns + 2 * QUIET);
        let module = dots(side / across)?;
        let margin = (side - across * module) / 2.0 + small(QUIET) * module;
        let mut areas = Vec::new();
        for (row, colors) in code.to_colors().chunks(columns).enumerate() {
            let mut column = 0;
            // Neighbours in a row are one area, or viewers would show hairlines between them.
            for run in colors.chunk_by(|a, b| a == b) {
                if run.first() == Some(&Color::Dark) {
                    areas.push(Area {
                        x: x + margin + small(column) * module,
                        y: y + margin + small(row) * module,
                        width: small(run.len()) * module,
                        height: module,
                    });
                }
                column += run.len();
            }
        }
        self.fill(0.0, areas);
        Ok(())
    }
}

/// The width of a module in whole dots of a thermal printer, 8 to the millimetre, so that all bars come out as they are drawn. Under two
/// dots no scanner reads it.
fn dots(width: f32) -> Result<f32, Error> {
    let dot = mm(0.125);
    let whole = (width / dot).floor();
    if whole < 2.0 {
        return Err(Error::TooLong { what: "a code" });
    }
    Ok(whole * dot)
}

/// Modules of a code: at most 185.
fn small(modules: usize) -> f32 {
    f32::from(u16::try_from(modules).unwrap_or(u16::MAX))
}
