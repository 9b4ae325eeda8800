//! The fonts that text is set in: two that come with the program, and one of the system for rare characters.
//!
//! A character is taken from the first font that has it. One that no font has is an error: a box on paper would be a wrong name.

use std::borrow::Cow;

use read_fonts::tables::cmap::Cmap;
use read_fonts::tables::hmtx::Hmtx;
use read_fonts::types::{GlyphId, Tag};
use read_fonts::{FontRef, TableProvider};

use crate::error::Error;

const REGULAR: &[u8] = include_bytes!("../fonts/noto-sans-sc-regular.otf");
const BOLD: &[u8] = include_bytes!("../fonts/noto-sans-sc-bold.otf");

/// The fonts of all documents. Made once; cheap to share by reference.
#[derive(Debug)]
pub struct Fonts {
    regular: Font,
    bold: Font,
    rare: Option<Font>,
}

/// A font file.
#[derive(Debug)]
pub(crate) struct Font {
    pub(crate) data: Cow<'static, [u8]>,
    /// Of a collection (`.ttc`); 0 else.
    pub(crate) index: u32,
}

impl Fonts {
    /// The fonts of the program: GB 2312 and characters of given names.
    pub const fn embedded() -> Self {
        const fn font(data: &'static [u8]) -> Font {
            Font {
                data: Cow::Borrowed(data),
                index: 0,
            }
        }
        Self {
            regular: font(REGULAR),
            bold: font(BOLD),
            rare: None,
        }
    }

    /// With a font of the system for what the program's lack: the bytes of an OpenType file, and the number of the font in a collection
    /// (2 of `NotoSansCJK-Regular.ttc` is that for mainland China).
    pub fn with_rare(self, data: Vec<u8>, index: u32) -> Result<Self, Error> {
        let rare = Font {
            data: Cow::Owned(data),
            index,
        };
        Face::open(&rare)?;
        Ok(Self {
            rare: Some(rare),
            ..self
        })
    }

    /// Opens the fonts for one document. A face's place in the list is how glyphs name it.
    pub(crate) fn open(&self) -> Result<Faces<'_>, Error> {
        let fonts = [&self.regular, &self.bold].into_iter().chain(&self.rare);
        Ok(Faces(fonts.map(Face::open).collect::<Result<_, _>>()?))
    }
}

/// How heavy text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    Regular,
    Bold,
}

/// The opened fonts: regular, bold, and that for rare characters.
pub(crate) struct Faces<'a>(pub(crate) Vec<Face<'a>>);

/// One character, placed in a font.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Glyph {
    /// Which of [`Faces`].
    pub(crate) face: usize,
    pub(crate) id: u16,
    /// In ems.
    pub(crate) advance: f32,
    pub(crate) character: char,
}

impl Faces<'_> {
    pub(crate) fn glyph(&self, weight: Weight, character: char) -> Result<Glyph, Error> {
        let order: &[usize] = match weight {
            Weight::Regular => &[0, 2],
            Weight::Bold => &[1, 0, 2],
        };
        order
            .iter()
            .find_map(|face| self.0.get(*face)?.glyph(*face, character))
            .ok_or(Error::Uncovered(character))
    }
}

/// An opened font: where its characters are and how wide they run.
pub(crate) struct Face<'a> {
    pub(crate) font: &'a Font,
    pub(crate) tables: FontRef<'a>,
    units_per_em: f32,
    characters: Cmap<'a>,
    advances: Hmtx<'a>,
}

impl<'a> Face<'a> {
    fn open(font: &'a Font) -> Result<Self, Error> {
        let refused = |error: read_fonts::ReadError| Error::Font(error.to_string());
        let tables = FontRef::from_index(&font.data, font.index).map_err(refused)?;
        Ok(Self {
            font,
            units_per_em: f32::from(tables.head().map_err(refused)?.units_per_em().max(1)),
            characters: tables.cmap().map_err(refused)?,
            advances: tables.hmtx().map_err(refused)?,
            tables,
        })
    }

    fn glyph(&self, face: usize, character: char) -> Option<Glyph> {
        let id = self.characters.map_codepoint(character)?;
        Some(Glyph {
            face,
            id: u16::try_from(id.to_u32()).ok().filter(|id| *id != 0)?,
            advance: self.in_ems(self.advances.advance(id)?),
            character,
        })
    }

    /// The width of a glyph in ems.
    pub(crate) fn advance(&self, id: u16) -> f32 {
        let advance = self.advances.advance(GlyphId::new(u32::from(id)));
        self.in_ems(advance.unwrap_or_default())
    }

    fn in_ems(&self, units: u16) -> f32 {
        f32::from(units) / self.units_per_em
    }

    /// The PostScript outlines, where the font has such.
    pub(crate) fn has_cff(&self) -> bool {
        self.tables.table_data(Tag::new(b"CFF ")).is_some()
    }
}
