//! A font in a PDF file: only the glyphs that the page shows, addressed by number (ISO 32000-1, 9.7), and the way back to characters,
//! so that the text can be searched and read aloud.

use std::collections::BTreeMap;

use miniz_oxide::deflate::compress_to_vec_zlib;
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Filter, Finish, Name, Pdf as File, Rect, Ref, Str};
use read_fonts::FontRef;
use read_fonts::TableProvider;
use read_fonts::types::Tag;
use subsetter::GlyphRemapper;

use crate::error::Error;
use crate::fonts::{Face, Glyph};
use crate::pdf::Numbers;

const LEVEL: u8 = 6;
const SYSTEM: SystemInfo<'_> = SystemInfo {
    registry: Str(b"Adobe"),
    ordering: Str(b"Identity"),
    supplement: 0,
};

/// The glyphs of one font that a page shows.
#[derive(Default)]
pub(crate) struct Embedding {
    glyphs: GlyphRemapper,
    characters: BTreeMap<u16, char>,
}

impl Embedding {
    /// The code of a glyph in text: its number in the embedded font.
    pub(crate) fn code(&mut self, glyph: Glyph) -> u16 {
        let code = self.glyphs.remap(glyph.id);
        self.characters.insert(code, glyph.character);
        code
    }

    /// Writes the font, if the page shows anything of it.
    pub(crate) fn write(
        &self,
        file: &mut File,
        numbers: &mut Numbers,
        face: &Face<'_>,
    ) -> Result<Option<Ref>, Error> {
        if self.characters.is_empty() {
            return Ok(None);
        }
        let unreadable = |error: &dyn core::fmt::Display| Error::Font(error.to_string());
        let subset = subsetter::subset(&face.font.data, face.font.index, &self.glyphs)
            .map_err(|error| unreadable(&error))?;
        let outlines = FontRef::new(&subset)
            .ok()
            .and_then(|font| font.table_data(Tag::new(b"CFF ")));
        let [composite, descendant, descriptor, program, unicode] =
            std::array::from_fn(|_| numbers.next());
        let name = name(face, &self.glyphs);

        file.type0_font(composite)
            .base_font(Name(name.as_bytes()))
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(descendant)
            .to_unicode(unicode);
        self.write_descendant(file, descendant, descriptor, face, &name);
        write_descriptor(file, descriptor, program, face, &name)
            .map_err(|error| unreadable(&error))?;
        let bytes = outlines.map_or(subset.as_slice(), |table| table.as_bytes());
        let packed = compress_to_vec_zlib(bytes, LEVEL);
        let mut stream = file.stream(program, &packed);
        stream.filter(Filter::FlateDecode);
        if face.has_cff() {
            stream.pair(Name(b"Subtype"), Name(b"CIDFontType0C"));
        }
        stream.finish();
        self.write_unicode(file, unicode);
        Ok(Some(composite))
    }

    fn write_descendant(
        &self,
        file: &mut File,
        id: Ref,
        descriptor: Ref,
        face: &Face<'_>,
        name: &str,
    ) {
        let mut font = file.cid_font(id);
        font.subtype(if face.has_cff() {
            CidFontType::Type0
        } else {
            CidFontType::Type2
        });
        font.base_font(Name(name.as_bytes()));
        font.system_info(SYSTEM);
        font.font_descriptor(descriptor);
        font.default_width(0.0);
        if !face.has_cff() {
            font.cid_to_gid_map_predefined(Name(b"Identity"));
        }
        let widths = self
            .glyphs
            .remapped_gids()
            .map(|id| face.advance(id) * 1000.0);
        font.widths().consecutive(0, widths);
    }

    fn write_unicode(&self, file: &mut File, id: Ref) {
        let mut cmap = UnicodeCmap::new(Name(b"Station-UCS"), SYSTEM);
        for (code, character) in &self.characters {
            cmap.pair(*code, *character);
        }
        let packed = compress_to_vec_zlib(cmap.finish().as_slice(), LEVEL);
        file.cmap(id, &packed).filter(Filter::FlateDecode);
    }
}

/// A subset's name begins with six letters of its own (ISO 32000-1, 9.6.4): here they follow from its glyphs.
fn name(face: &Face<'_>, glyphs: &GlyphRemapper) -> String {
    let hash = glyphs
        .remapped_gids()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, id| {
            (hash ^ u64::from(id)).wrapping_mul(0x0100_0000_01b3)
        });
    let letter = |place: u32| {
        let value = u8::try_from(hash / 26_u64.pow(place) % 26).unwrap_or_default();
        char::from(b'A' + value)
    };
    let tag: String = (0..6).map(letter).collect();
    format!(
        "{tag}+{}",
        postscript_name(face).unwrap_or_else(|| "Font".to_owned())
    )
}

fn postscript_name(face: &Face<'_>) -> Option<String> {
    let names = face.tables.name().ok()?;
    let mut records = names
        .name_record()
        .iter()
        .filter(|record| record.name_id().to_u16() == 6);
    let name = records.find_map(|record| record.string(names.string_data()).ok())?;
    Some(name.chars().filter(char::is_ascii_graphic).collect())
}

fn write_descriptor(
    file: &mut File,
    id: Ref,
    program: Ref,
    face: &Face<'_>,
    name: &str,
) -> Result<(), read_fonts::ReadError> {
    let head = face.tables.head()?;
    let hhea = face.tables.hhea()?;
    let scale = 1000.0 / f32::from(head.units_per_em().max(1));
    let units = |value: i16| f32::from(value) * scale;
    let ascent = units(hhea.ascender().to_i16());
    let mut descriptor = file.font_descriptor(id);
    descriptor
        .name(Name(name.as_bytes()))
        .flags(FontFlags::SYMBOLIC)
        .bbox(Rect::new(
            units(head.x_min()),
            units(head.y_min()),
            units(head.x_max()),
            units(head.y_max()),
        ))
        .italic_angle(0.0)
        .ascent(ascent)
        .descent(units(hhea.descender().to_i16()))
        .cap_height(ascent)
        .stem_v(80.0);
    if face.has_cff() {
        descriptor.font_file3(program);
    } else {
        descriptor.font_file2(program);
    }
    Ok(())
}
