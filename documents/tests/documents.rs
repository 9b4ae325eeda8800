//! A11 to A13, A15: what documents hold, and what they refuse. Whether others can read them is for `tests/judges/documents`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod samples;

use documents::{BYTES_MAX, Error, Fonts, Picture, PictureFault, SIDE_MAX, Standing, WayToPay};

/// G3: the same document has the same bytes; no clock and no random id is in it.
#[test]
fn a13_the_same_input_gives_the_same_bytes() {
    let fonts = Fonts::embedded();
    let (first, second) = (samples::all(&fonts).unwrap(), samples::all(&fonts).unwrap());
    for ((name, first), (_, second)) in first.iter().zip(&second) {
        assert!(first.as_bytes() == second.as_bytes(), "{name}");
        assert!(
            first.as_bytes().starts_with(b"%PDF-1.7") && first.as_bytes().ends_with(b"%%EOF"),
            "{name}"
        );
    }
}

/// A11: the signature is on the certificate and on the form: another one gives another document, and a picture is in each.
#[test]
fn a11_the_signature_is_a_picture_on_certificate_and_form() {
    let fonts = Fonts::embedded();
    let pictures = |pdf: &documents::Pdf| {
        let key: &[u8] = b"/Subtype /Image";
        pdf.as_bytes()
            .windows(key.len())
            .filter(|bytes| *bytes == key)
            .count()
    };
    assert_eq!(
        pictures(&samples::certificate_of(&fonts, true, false).unwrap()),
        1
    );
    assert_eq!(
        pictures(&samples::form_of(&fonts, "李小明", true).unwrap()),
        2
    );
    assert_eq!(
        pictures(&samples::form_of(&fonts, "李小明", false).unwrap()),
        1
    );
    assert_eq!(pictures(&samples::ticket(&fonts).unwrap()), 0);
}

/// A13: a name with a character that no font has is refused with that character, not printed with a box.
#[test]
fn a13_a_rare_character_is_named_or_set_in_the_font_of_the_system() {
    let fonts = Fonts::embedded();
    let refused = samples::form_of(&fonts, "王\u{2CC56}", true).unwrap_err();
    assert_eq!(refused, Error::Uncovered('\u{2CC56}'));
    assert_eq!(
        refused.to_string(),
        "no font has the character U+2CC56: name a font of the system that has it (fonts-noto-cjk, fonts-hanazono)"
    );
    // A font that is no font is refused when it is given, not when a citizen waits.
    assert!(matches!(
        Fonts::embedded().with_rare(b"no font".to_vec(), 0),
        Err(Error::Font(_))
    ));
    // Any OpenType font serves; here one of the program's own, to see that it is taken.
    let own = include_bytes!("../fonts/noto-sans-sc-regular.otf").to_vec();
    assert!(matches!(
        Fonts::embedded().with_rare(own.clone(), 9),
        Err(Error::Font(_))
    ));
    let fonts = Fonts::embedded().with_rare(own, 0).unwrap();
    assert!(samples::form_of(&fonts, "李喆", true).is_ok());
}

/// A13: what is too long for its place is refused: nothing runs over an edge, and nothing is cut off.
#[test]
fn a13_what_does_not_fit_is_refused() {
    let fonts = Fonts::embedded();
    let long = "阿".repeat(30);
    assert!(samples::form_of(&fonts, &long, true).is_ok());
    let due = |digits: usize| {
        let code = "0".repeat(digits);
        let standing = Standing::Due {
            code: Some(&code),
            by: None,
        };
        samples::notice(&fonts, WayToPay::Cash, standing)
    };
    assert!(due(60).is_ok());
    assert!(matches!(due(3_900), Err(Error::TooLong { .. })));
    assert!(matches!(due(20_000), Err(Error::NoCode { .. })));
}

/// A11, A13: a picture takes no more of a paper than its place shows, whatever the pad or the camera sends.
#[test]
fn a11_pictures_are_shrunk_to_their_place() {
    let gray = |width: u32, height: u32| {
        let pixels = vec![200; usize::try_from(width * height).unwrap()];
        let file = samples::png_of(width, height, png::ColorType::Grayscale, &pixels);
        Picture::decode(&file).unwrap()
    };
    for (sides, fitted) in [
        ((1_500, 1_200), "Picture(375 x 300)"),
        ((421, 10), "Picture(210 x 5)"),
        ((10, 2_000), "Picture(2 x 500)"),
        ((420, 600), "Picture(420 x 600)"),
    ] {
        let picture = gray(sides.0, sides.1).fitted(420, 600);
        assert_eq!(format!("{picture:?}"), fitted);
    }
}

/// A13: what nobody knows is left to the window, and the paper says so; it is not left out, and not made up.
#[test]
fn a13_what_is_not_known_is_left_to_the_window() {
    let fonts = Fonts::embedded();
    let of = |masked: Option<&_>| samples::lost_form(&fonts, masked).unwrap();
    let named = of(samples::holder().name.as_ref());
    assert_ne!(named.as_bytes(), of(None).as_bytes());
}

/// A11: a picture is bounded before it is decoded, and a damaged one is refused.
#[test]
fn a11_pictures_are_bounded() {
    let gray = |width: u32, height: u32| {
        let pixels = vec![200; usize::try_from(width * height).unwrap()];
        samples::png_of(width, height, png::ColorType::Grayscale, &pixels)
    };
    assert!(Picture::decode(&gray(SIDE_MAX.into(), 1)).is_ok());
    assert_eq!(
        Picture::decode(&gray(u32::from(SIDE_MAX) + 1, 1)).unwrap_err(),
        PictureFault::Side
    );
    assert_eq!(
        Picture::decode(&vec![0; BYTES_MAX + 1]).unwrap_err(),
        PictureFault::Bytes
    );
    assert_eq!(
        Picture::decode(b"GIF89a").unwrap_err(),
        PictureFault::Format
    );
    assert_eq!(Picture::decode(b"").unwrap_err(), PictureFault::Format);
}

/// A11: whatever a pad or a camera sends, cut off or with any byte turned, is taken or refused, never a panic.
#[test]
fn a11_damaged_pictures_never_panic() {
    let png = samples::png_of(40, 20, png::ColorType::Rgba, &[90; 40 * 20 * 4]);
    let jpeg = {
        let mut file = Vec::new();
        let encoder = jpeg_encoder::Encoder::new(&mut file, 60);
        encoder
            .encode(&[120; 32 * 24 * 3], 32, 24, jpeg_encoder::ColorType::Rgb)
            .unwrap();
        file
    };
    for picture in [png, jpeg] {
        assert!(Picture::decode(&picture).is_ok());
        for at in 0..picture.len() {
            let cut = Picture::decode(&picture[..at]);
            assert!(cut.is_err() || at > picture.len() / 2, "cut at {at}");
            let mut turned = picture.clone();
            turned[at] ^= 0xFF;
            drop(Picture::decode(&turned));
        }
    }
}

/// G7: what a document or a picture prints of itself is its size.
#[test]
fn g7_documents_print_nothing_personal() {
    let form = samples::form_of(&Fonts::embedded(), "李小明", true).unwrap();
    assert_eq!(
        format!("{form:?}"),
        format!("Pdf({} bytes)", form.as_bytes().len())
    );
    assert_eq!(format!("{:?}", samples::signature()), "Picture(480 x 160)");
}
