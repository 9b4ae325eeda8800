//! Text in lines: how wide it runs, and where it may be broken.

use crate::error::Error;
use crate::fonts::{Faces, Glyph, Weight};

/// What may not begin a line, and what may not end one (GB/T 15834).
const NEVER_FIRST: &str = "、。，．：；！？）》」』】〕”’…—·%,.:;!?)]}";
const NEVER_LAST: &str = "（《「『【〔“‘([{¥";

/// How text looks. Sizes in points.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) weight: Weight,
    pub(crate) size: f32,
    /// 0 black, 1 white.
    pub(crate) gray: f32,
}

impl Style {
    pub(crate) const fn regular(size: f32) -> Self {
        Self {
            weight: Weight::Regular,
            size,
            gray: 0.0,
        }
    }

    pub(crate) const fn bold(size: f32) -> Self {
        Self {
            weight: Weight::Bold,
            ..Self::regular(size)
        }
    }

    /// What stands beside something of more weight. Thermal paper has no gray, so it is dark enough to be printed in dots.
    pub(crate) const fn quiet(size: f32) -> Self {
        Self {
            gray: 0.35,
            ..Self::regular(size)
        }
    }

    /// From line to line.
    pub(crate) fn leading(self) -> f32 {
        self.size * 1.42
    }
}

/// Characters that stand on one line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line(pub(crate) Vec<Glyph>);

impl Line {
    pub(crate) fn set(faces: &Faces<'_>, style: Style, text: &str) -> Result<Self, Error> {
        let glyphs = text.chars().map(|c| faces.glyph(style.weight, c));
        Ok(Self(glyphs.collect::<Result<_, _>>()?))
    }

    /// In points.
    pub(crate) fn width(&self, size: f32) -> f32 {
        self.0.iter().map(|glyph| glyph.advance).sum::<f32>() * size
    }

    /// Broken into lines of at most `width` points, each as full as it can be. A word that is wider than a line is broken anywhere.
    pub(crate) fn wrap(self, size: f32, width: f32) -> Vec<Self> {
        let mut lines = Vec::new();
        let mut rest = self.0;
        loop {
            let fits = fitting(&rest, width / size);
            if fits >= rest.len() {
                lines.push(Self(rest));
                return lines;
            }
            let at = (1..=fits).rev().find(|at| may_break(&rest, *at));
            let tail = rest.split_off(at.unwrap_or(fits.max(1)));
            while rest.last().is_some_and(is_space) {
                rest.pop();
            }
            lines.push(Self(rest));
            rest = tail;
        }
    }
}

/// How many glyphs go into `ems`, a space at the end not counted.
fn fitting(glyphs: &[Glyph], ems: f32) -> usize {
    let mut sum = 0.0;
    let too_wide = glyphs.iter().position(|glyph| {
        sum += glyph.advance;
        sum > ems + 0.001 && !is_space(glyph)
    });
    too_wide.unwrap_or(glyphs.len())
}

/// `true` if a line may end before the glyph `at`.
fn may_break(glyphs: &[Glyph], at: usize) -> bool {
    let character = |at: usize| glyphs.get(at).map_or(' ', |glyph| glyph.character);
    let (last, first) = (character(at - 1), character(at));
    if first == ' ' || NEVER_FIRST.contains(first) || NEVER_LAST.contains(last) {
        return false;
    }
    last == ' ' || is_wide(last) || is_wide(first)
}

fn is_space(glyph: &Glyph) -> bool {
    glyph.character == ' '
}

/// Han characters and what is set among them: a line may break on either side.
fn is_wide(c: char) -> bool {
    u32::from(c) >= 0x2E80
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;
    use crate::fonts::Fonts;

    fn wrapped(text: &str, ems: f32) -> Vec<String> {
        let fonts = Fonts::embedded();
        let faces = fonts.open().unwrap();
        let line = Line::set(&faces, Style::regular(10.0), text).unwrap();
        let lines = line.wrap(10.0, ems * 10.0);
        let text = |line: &Line| line.0.iter().map(|glyph| glyph.character).collect();
        lines.iter().map(text).collect()
    }

    /// A13: Chinese breaks anywhere but at its punctuation, English between words.
    #[test]
    fn a13_lines_break_where_a_reader_expects_it() {
        assert_eq!(wrapped("请出示本凭证", 4.0), ["请出示本", "凭证"]);
        assert_eq!(wrapped("请出示本，凭证", 4.0), ["请出示", "本，凭证"]);
        assert_eq!(
            wrapped("请出示（本凭证）", 4.0),
            ["请出示", "（本凭", "证）"]
        );
        assert_eq!(
            wrapped("show this certificate", 5.5),
            ["show this", "certificate"]
        );
        assert_eq!(wrapped("证件 ID card", 4.0), ["证件 ID", "card"]);
        assert_eq!(wrapped("1101050012026", 3.0).concat(), "1101050012026");
        assert_eq!(wrapped("", 3.0), [""]);
        assert_eq!(wrapped("，，，，", 2.0), ["，，", "，，"]);
    }

    /// A13: a character that no font has is an error, never a box.
    #[test]
    fn a13_a_character_without_a_glyph_is_named() {
        let fonts = Fonts::embedded();
        let faces = fonts.open().unwrap();
        let rare = Line::set(&faces, Style::regular(10.0), "王\u{2CC56}");
        assert_eq!(rare.unwrap_err(), Error::Uncovered('\u{2CC56}'));
    }
}
