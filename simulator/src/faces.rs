//! The pictures of invented people: a mark that says whose, and no image; and how much two of them are alike.

/// Bytes of a chip's picture.
pub const PICTURE_BYTES: usize = 1_024;
/// What a picture of an invented person begins with, before their place in the manifest.
const FACE_MARK: &[u8] = b"simulated face ";

/// The picture of an invented person, as long as a chip's is.
pub(crate) fn picture(person: usize) -> Vec<u8> {
    let digits = format!("{person:03}");
    let mark = FACE_MARK.iter().copied().chain(digits.into_bytes());
    mark.chain((0..=u8::MAX).cycle())
        .take(PICTURE_BYTES)
        .collect()
}

/// Whose picture it is, if it bears the mark of one: their place in the manifest.
pub fn face_of(picture: &[u8]) -> Option<usize> {
    let at = picture
        .windows(FACE_MARK.len())
        .position(|part| part == FACE_MARK)?;
    let digits = picture.get(at + FACE_MARK.len()..)?.first_chunk::<3>()?;
    core::str::from_utf8(digits).ok()?.parse().ok()
}

/// Score of two pictures of one person.
const SAME: u8 = 97;
/// Score of two people.
const OTHER: u8 = 12;

/// How much the faces of two people are alike, 0 to 100: who they are, by their places in the manifest.
pub(crate) const fn likeness(one: usize, other: usize) -> u8 {
    if one == other { SAME } else { OTHER }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A7: each picture is as long as a chip's and its owner's; one without a mark is nobody's.
    #[test]
    fn a7_a_picture_tells_its_owner() {
        for person in [0, 7, 239] {
            assert_eq!(picture(person).len(), PICTURE_BYTES);
            assert_eq!(face_of(&picture(person)), Some(person));
        }
        assert_eq!(face_of(b"a photo"), None);
        assert_eq!(face_of(FACE_MARK), None);
    }
}
