//! How good the image of a finger is, by what it shows at a glance: how much of the glass the finger covers, and how clearly ridge and
//! valley differ there. It says nothing of how well the finger can be told from others, which a matcher may know. Pure.

use super::image::{Image, RELIEF_MIN};

/// Share of the glass that a finger covers when it lies well, in percent: a finger is round, the glass is not.
const COVERAGE_PERCENT_GOOD: usize = 60;
/// Shades between ridge and valley of a clean finger, neither dry nor wet.
const RELIEF_GOOD: usize = 10;

impl Image {
    /// Quality, 0 to 100: coverage and contrast, each as a share of what is good, multiplied.
    pub fn quality(&self) -> u8 {
        let skin = || self.reliefs().filter(|relief| *relief >= RELIEF_MIN);
        let sum: usize = skin().map(usize::from).sum();
        let coverage = share(self.coverage_percent(), COVERAGE_PERCENT_GOOD);
        let contrast = share(sum, RELIEF_GOOD * skin().count().max(1));
        u8::try_from(coverage * contrast / 100).unwrap_or(100)
    }
}

/// How much of `good` it is, in percent, 100 at the most.
fn share(value: usize, good: usize) -> usize {
    (value * 100 / good).min(100)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use zeroize::Zeroizing;

    use super::super::image::{HEIGHT, IMAGE_BYTES, WIDTH};
    use super::*;

    /// Ridges of 8 pixels between these two shades on so many rows, the rest white.
    fn ridges(dark: u8, light: u8, rows: usize) -> Image {
        let mut bytes = Zeroizing::new(vec![0xFF; IMAGE_BYTES]);
        for (at, byte) in bytes.iter_mut().enumerate().take(rows * WIDTH / 2) {
            let is_ridge = at % 8 < 4;
            let shade = if is_ridge { dark } else { light };
            *byte = shade << 4 | shade;
        }
        Image::new(bytes).unwrap()
    }

    /// A9: a finger that covers the glass clearly is good; one that covers little of it, or shows faintly, is less so; none is nothing.
    #[test]
    fn a9_quality_follows_coverage_and_contrast() {
        assert_eq!(ridges(1, 13, HEIGHT).quality(), 100);
        assert_eq!(ridges(1, 13, HEIGHT * 6 / 10 / 16 * 16).quality(), 91);
        assert_eq!(ridges(1, 13, HEIGHT / 3).quality(), 55);
        assert_eq!(ridges(5, 10, HEIGHT).quality(), 50);
        assert_eq!(ridges(5, 10, HEIGHT / 3).quality(), 27);
        assert_eq!(ridges(7, 8, HEIGHT).quality(), 0);
        assert_eq!(ridges(15, 15, 0).quality(), 0);
    }
}
