use thiserror::Error;

/// Why there is no document. None of these says what was to be printed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// A rare character. Nothing is printed in its place.
    #[error(
        "no font has the character U+{:04X}: name a font of the system that has it (fonts-noto-cjk, fonts-hanazono)", u32::from(*.0)
    )]
    Uncovered(char),
    /// More text than the paper holds.
    #[error("{what} is longer than its place on the paper")]
    TooLong {
        /// The place, in words.
        what: &'static str,
    },
    /// A text that its code cannot hold.
    #[error("a {what} cannot hold this text")]
    NoCode {
        /// The kind of code.
        what: &'static str,
    },
    /// A picture that cannot be taken.
    #[error("the picture was refused: {0}")]
    Picture(PictureFault),
    /// A font file that cannot be read.
    #[error("the font cannot be read: {0}")]
    Font(String),
}

/// What is wrong with a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PictureFault {
    /// Too many bytes.
    #[error("it has more than {} bytes", crate::picture::BYTES_MAX)]
    Bytes,
    /// Too many pixels, or none.
    #[error("each side may have 1 to {} pixels", crate::picture::SIDE_MAX)]
    Side,
    /// Neither PNG nor JPEG.
    #[error("it is neither PNG nor JPEG")]
    Format,
    /// Damaged.
    #[error("its data is damaged")]
    Damaged,
}
