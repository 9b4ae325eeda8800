//! What holds of the SAM_V codec for all frames and records.

use adapters::reader::content::{CardContent, ManagementNumber, encode};
use adapters::reader::frame::{self, Decoder};
use adapters::reader::text::{CardText, CitizenText, Foreigner2017Text};
use adapters::reader::{Personal, SamId};
use proptest::collection::vec;
use proptest::prelude::*;

/// All frames of a stream that comes in portions of these sizes.
fn frames(stream: &[u8], portions: &[usize]) -> Vec<Vec<u8>> {
    let mut decoder = Decoder::of_requests();
    let mut found = Vec::new();
    let mut sizes = portions.iter().cycle();
    let mut rest = stream;
    while !rest.is_empty() {
        let (mut part, later) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
        rest = later;
        while !part.is_empty() {
            let taken = decoder.push(part);
            assert!(taken > 0);
            part = &part[taken..];
            while let Some(frame) = decoder.next_frame() {
                found.extend(frame.map(|body| body.to_vec()));
            }
        }
    }
    found
}

/// A text of a card: no padding at its end, which would be taken away.
fn text(units: usize) -> impl Strategy<Value = Personal> {
    let chars = prop_oneof![Just('张'), Just('·'), Just('A'), Just('7'), Just(' ')];
    vec(chars, 0..=units).prop_map(|chars| {
        let text: String = chars.into_iter().collect();
        Personal::new(text.trim_end())
    })
}

proptest! {
    /// G1: frames come through in order whatever lies between them, if that is no beginning of a frame.
    #[test]
    fn frames_outlive_rubbish(
        bodies in vec((vec(any::<u8>(), 2..300), vec(0u8..0xAA, 0..20)), 0..6),
        portions in vec(1usize..50, 1..5),
    ) {
        let mut stream = Vec::new();
        for (body, rubbish) in &bodies {
            stream.extend_from_slice(rubbish);
            stream.extend_from_slice(&frame::encode(body).unwrap());
        }
        let found = frames(&stream, &portions);
        prop_assert_eq!(found, bodies.into_iter().map(|(body, _)| body).collect::<Vec<_>>());
    }

    /// G1: one flipped bit behind the preamble never comes through as a frame of the same length, and the frame
    /// behind it does.
    #[test]
    fn a_flipped_bit_is_noticed(body in vec(any::<u8>(), 2..300), at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let whole = frame::encode(&body).unwrap().to_vec();
        let mut flipped = whole.clone();
        let at = 7 + at.index(flipped.len() - 7);
        flipped[at] ^= 1 << bit;
        flipped.extend_from_slice(&whole);
        let found = frames(&flipped, &[7]);
        prop_assert_eq!(found.last(), Some(&body));
        prop_assert!(found.iter().filter(|found| found.len() == body.len()).count() == 1);
    }

    /// P3: a citizen's record comes back as it was written.
    #[test]
    fn citizens_come_back(name in text(15), address in text(35), number in text(18), issuer in text(15)) {
        let card = CardText::Citizen(CitizenText { name, address, number, issuer, ..CitizenText::default() });
        prop_assert_eq!(CardText::decode(&card.encode().unwrap()).unwrap(), card);
    }

    /// P3: so does a foreigner's.
    #[test]
    fn foreigners_come_back(english_name in text(60), number in text(15), chinese_name in text(15), authority in text(4)) {
        let card = CardText::Foreigner2017(Foreigner2017Text { english_name, number, chinese_name, authority, ..Foreigner2017Text::default() });
        prop_assert_eq!(CardText::decode(&card.encode().unwrap()).unwrap(), card);
    }

    /// P3: any 256 bytes are read or refused; what is read is written with the same fields.
    #[test]
    fn any_record_is_read_or_refused(mut record in vec(any::<u8>(), 256), kind in prop::sample::select(b" JIY\0".to_vec())) {
        record[248] = kind;
        if let Ok(read) = CardText::decode(&record) {
            prop_assert_eq!(CardText::decode(&read.encode().unwrap()).unwrap(), read);
        }
    }

    /// P3: content is read by its lengths: any photo, no finger to two.
    #[test]
    fn content_is_read_by_its_lengths(photo in vec(any::<u8>(), 0..2000), fingers in 0usize..3) {
        let card = CardText::Citizen(CitizenText::default());
        let blocks = [0x43].repeat(512 * fingers);
        let data = encode(&[&card.encode().unwrap(), &photo, &blocks]).unwrap();
        let content = CardContent::decode_with_fingerprint(&data).unwrap();
        prop_assert_eq!(content.photo.expose(), photo.as_slice());
        prop_assert_eq!(content.fingers.len(), fingers);
    }

    /// G1, P3: identities come back.
    #[test]
    fn identities_come_back(sam in any::<[u8; 16]>(), card in any::<[u8; 28]>()) {
        let id = SamId::decode(&sam).unwrap();
        prop_assert_eq!(id.encode(), sam);
        prop_assert_eq!(id.to_string().parse::<SamId>().unwrap(), id);
        prop_assert_eq!(ManagementNumber::decode(&card).unwrap().encode(), card);
    }
}
