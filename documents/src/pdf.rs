//! A page as a PDF file (ISO 32000-1). The same page gives the same bytes: no clock and no random id is in it.

use miniz_oxide::deflate::compress_to_vec_zlib;
use pdf_writer::{Content, Filter, Finish, Name, Pdf as File, Rect, Ref, Str, TextStr};
use zeroize::Zeroizing;

use crate::embedding::Embedding;
use crate::error::Error;
use crate::fonts::{Faces, Glyph};
use crate::page::{Area, Mark, Page};
use crate::picture::Picture;

/// Half of what the best compression takes off, at a tenth of its time.
const LEVEL: u8 = 6;
/// A file is written into space that it does not outgrow, so that no part of it is left behind in memory.
const CAPACITY: usize = 1 << 20;

/// A document, ready for a printer. Personal: erased when dropped.
pub struct Pdf(Zeroizing<Vec<u8>>);

impl Pdf {
    /// The file.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl core::fmt::Debug for Pdf {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Pdf({} bytes)", self.0.len())
    }
}

/// Hands out the numbers of objects.
pub(crate) struct Numbers(i32);

impl Numbers {
    pub(crate) fn next(&mut self) -> Ref {
        self.0 += 1;
        Ref::new(self.0)
    }
}

/// Writes `page`. `title` is what viewers show; it says what the document is, never whose.
pub(crate) fn write(page: &Page, faces: &Faces<'_>, title: &str) -> Result<Pdf, Error> {
    let mut numbers = Numbers(0);
    let [catalog, pages, leaf, contents, info] = std::array::from_fn(|_| numbers.next());
    let mut file = File::with_capacity(CAPACITY);
    file.catalog(catalog)
        .pages(pages)
        .lang(TextStr("zh-CN"))
        .viewer_preferences()
        .display_doc_title(true);
    file.pages(pages).kids([leaf]).count(1);
    file.document_info(info).title(TextStr(title));

    let mut embeddings: Vec<Embedding> = faces.0.iter().map(|_| Embedding::default()).collect();
    let pictures: Vec<(Ref, &Picture)> = pictures(page)
        .map(|picture| (numbers.next(), picture))
        .collect();
    let drawn = draw(page, &mut embeddings, &pictures);
    write_packed(&mut file, contents, &drawn);
    for (id, picture) in &pictures {
        write_picture(&mut file, *id, picture);
    }

    let mut fonts = Vec::new();
    for (at, (face, embedding)) in faces.0.iter().zip(&embeddings).enumerate() {
        if let Some(id) = embedding.write(&mut file, &mut numbers, face)? {
            fonts.push((font_name(at), id));
        }
    }
    let mut writer = file.page(leaf);
    writer
        .parent(pages)
        .media_box(Rect::new(0.0, 0.0, page.width, page.height))
        .contents(contents);
    let mut resources = writer.resources();
    let mut dictionary = resources.fonts();
    for (name, id) in &fonts {
        dictionary.pair(Name(name.as_bytes()), *id);
    }
    dictionary.finish();
    let mut dictionary = resources.x_objects();
    for (id, _) in &pictures {
        dictionary.pair(Name(picture_name(*id).as_bytes()), *id);
    }
    dictionary.finish();
    resources.finish();
    writer.finish();
    Ok(Pdf(Zeroizing::new(file.finish())))
}

fn font_name(face: usize) -> String {
    format!("F{face}")
}

fn picture_name(id: Ref) -> String {
    format!("P{}", id.get())
}

fn pictures(page: &Page) -> impl Iterator<Item = &Picture> {
    page.marks.iter().filter_map(|mark| match mark {
        Mark::Picture { picture, .. } => Some(picture),
        Mark::Text { .. } | Mark::Areas { .. } => None,
    })
}

/// The content stream. PDF counts from the bottom.
fn draw(
    page: &Page,
    embeddings: &mut [Embedding],
    pictures: &[(Ref, &Picture)],
) -> Zeroizing<Vec<u8>> {
    let mut content = Content::with_capacity(CAPACITY / 4);
    let mut pictures = pictures.iter();
    for mark in &page.marks {
        match mark {
            Mark::Text {
                x,
                y,
                size,
                gray,
                line,
            } => {
                content.set_fill_gray(*gray);
                draw_line(
                    &mut content,
                    embeddings,
                    (*x, page.height - y),
                    *size,
                    &line.0,
                );
            }
            Mark::Areas { gray, areas } => {
                content.set_fill_gray(*gray);
                for Area {
                    x,
                    y,
                    width,
                    height,
                } in areas
                {
                    content.rect(*x, page.height - y - height, *width, *height);
                }
                content.fill_nonzero();
            }
            Mark::Picture {
                area:
                    Area {
                        x,
                        y,
                        width,
                        height,
                    },
                ..
            } => {
                let Some((id, _)) = pictures.next() else {
                    continue;
                };
                content.save_state();
                content.transform([*width, 0.0, 0.0, *height, *x, page.height - y - height]);
                content.x_object(Name(picture_name(*id).as_bytes()));
                content.restore_state();
            }
        }
    }
    Zeroizing::new(content.finish().into_vec())
}

/// Draws a line, with one operator for all neighbours of the same font.
fn draw_line(
    content: &mut Content,
    embeddings: &mut [Embedding],
    (x, y): (f32, f32),
    size: f32,
    glyphs: &[Glyph],
) {
    let mut right = x;
    for run in glyphs.chunk_by(|a, b| a.face == b.face) {
        let Some(embedding) = run.first().and_then(|glyph| embeddings.get_mut(glyph.face)) else {
            continue;
        };
        let encoded: Zeroizing<Vec<u8>> = Zeroizing::new(
            run.iter()
                .flat_map(|glyph| embedding.code(*glyph).to_be_bytes())
                .collect(),
        );
        let face = run.first().map_or(0, |glyph| glyph.face);
        content.begin_text();
        content.set_font(Name(font_name(face).as_bytes()), size);
        content.next_line(right, y);
        content.show(Str(&encoded));
        content.end_text();
        right += run.iter().map(|glyph| glyph.advance).sum::<f32>() * size;
    }
}

fn write_packed(file: &mut File, id: Ref, data: &[u8]) {
    let packed = Zeroizing::new(compress_to_vec_zlib(data, LEVEL));
    file.stream(id, &packed).filter(Filter::FlateDecode);
}

fn write_picture(file: &mut File, id: Ref, picture: &Picture) {
    let packed = Zeroizing::new(compress_to_vec_zlib(&picture.pixels, LEVEL));
    let mut image = file.image_xobject(id, &packed);
    image.filter(Filter::FlateDecode);
    image
        .width(i32::from(picture.width))
        .height(i32::from(picture.height));
    match picture.samples {
        1 => image.color_space().device_gray(),
        _ => image.color_space().device_rgb(),
    }
    image.bits_per_component(8);
}
