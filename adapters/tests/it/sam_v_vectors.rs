//! The SAM_V codec against the published frames and against records put together byte by byte.

use adapters::reader::content::{CardContent, ManagementNumber, encode};
use adapters::reader::fingerprint::{Finger, FingerBlock, Registration};
use adapters::reader::frame::{self, Decoder, FrameError};
use adapters::reader::reply::{Reply, SamResult};
use adapters::reader::request::{Baud, Request};
use adapters::reader::text::{CardText, CitizenText, PermitText, decode_address, encode_address};
use adapters::reader::{Personal, SamId};
use schemas::words::Hand;
use sha2::{Digest as _, Sha256};

const CITIZEN_SHA256: &str = "1d0db9bfa07dbff6a81ddd1c495707d7f5d57c44ea1325f8ec540e31ed0a183b";
const PERMIT_SHA256: &str = "e79cf446fee29e95b8f5cd173dfdde06743ccd76591db0d1977b6c34d6b9fc5b";
const BASE_SHA256: &str = "06933abb798e02812057dde57eb694b9400eb26e41ceeac6ca65831da1d20bad";
const FINGERS_SHA256: &str = "c8cc50113e8abed22bcaf3eceac1f568ecb53aeff8b3147fc02ff0d3f4215a5c";

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn personal(text: &str) -> Personal {
    Personal::new(text)
}

fn citizen() -> CardText {
    CardText::Citizen(CitizenText {
        name: personal("张三"),
        sex: personal("1"),
        ethnic_group: personal("01"),
        birth: personal("19491231"),
        address: personal("北京市朝阳区测试路1号"),
        number: personal("11010519491231002X"),
        issuer: personal("北京市公安局朝阳分局"),
        valid_from: personal("20200101"),
        valid_to: personal("长期"),
    })
}

fn permit() -> CardText {
    CardText::Permit(PermitText {
        name: personal("陈大文"),
        sex: personal("1"),
        birth: personal("19940823"),
        address: personal("广东省深圳市福田区测试街2号"),
        number: personal("810000199408230021"),
        issuer: personal("深圳市公安局"),
        valid_from: personal("20200101"),
        valid_to: personal("20250101"),
        pass_number: personal("H12345678"),
        issue_count: personal("01"),
    })
}

fn photo() -> Vec<u8> {
    (0..1024u16).map(|at| at as u8).collect()
}

fn template(finger: u8, quality: u8) -> Vec<u8> {
    let mut block: Vec<u8> = (0..512u16)
        .map(|at| (at * 7 + u16::from(finger)) as u8)
        .collect();
    block[0] = 0x43;
    block[4] = 1;
    block[5] = finger;
    block[6] = quality;
    block
}

/// A whole reply of success with these parts.
fn reply(parts: &[&[u8]]) -> Vec<u8> {
    let reply = Reply::new(SamResult::Success, &encode(parts).unwrap());
    frame::encode(&reply.to_body()).unwrap().to_vec()
}

/// The only frame of these bytes.
fn decoded(bytes: &[u8]) -> Reply {
    let mut decoder = Decoder::of_replies();
    assert_eq!(decoder.push(bytes), bytes.len());
    let body = decoder.next_frame().unwrap().unwrap();
    assert!(decoder.next_frame().is_none());
    assert_eq!(decoder.held_len(), 0);
    Reply::from_body(&body).unwrap()
}

/// G1: each request is the published frame, and reads back as itself.
#[test]
fn requests_are_the_published_frames() {
    for (request, frame) in [
        (Request::ResetSam, "AAAAAA9669000310FFEC"),
        (Request::SamStatus, "AAAAAA9669000311FFED"),
        (Request::SamId, "AAAAAA9669000312FFEE"),
        (Request::FindCard, "AAAAAA96690003200122"),
        (Request::SelectCard, "AAAAAA96690003200221"),
        (Request::ReadBase, "AAAAAA96690003300132"),
        (Request::ReadExtra, "AAAAAA96690003300231"),
        (Request::ReadNewAddress, "AAAAAA96690003300330"),
        (Request::ReadManagementNumber, "AAAAAA96690003300536"),
        (Request::ReadWithFingerprint, "AAAAAA96690003301023"),
        (Request::SetBaud(Baud::B115200), "AAAAAA96690003600063"),
        (Request::SetBaud(Baud::B9600), "AAAAAA96690003600467"),
        (Request::SetRadioBytes(0x50), "AAAAAA9669000461FF50CA"),
    ] {
        let bytes = request.encode().unwrap();
        assert_eq!(hex::encode_upper(&bytes), frame, "{request:?}");
        let mut decoder = Decoder::of_requests();
        decoder.push(&bytes);
        let body = decoder.next_frame().unwrap().unwrap();
        assert_eq!(Request::decode(&body), Some(request));
    }
    assert_eq!(Request::decode(&[0x77, 0x01]), None);
}

/// G1: each published reply is read as its result.
#[test]
fn replies_are_the_published_frames() {
    use SamResult as R;
    for (frame, result, data) in [
        (
            "AAAAAA9669000800009F0000000097",
            R::MediaFound,
            &[0u8; 4][..],
        ),
        ("AAAAAA9669000400008084", R::NoMedia, &[]),
        (
            "AAAAAA9669000C00009000000000000000009C",
            R::Success,
            &[0; 8],
        ),
        ("AAAAAA9669000400008185", R::SelectFailed, &[]),
        ("AAAAAA9669000400004145", R::ReadFailed, &[]),
        ("AAAAAA9669000400009195", R::ItemEmpty, &[]),
        ("AAAAAA9669000400003236", R::SamRejectsMedia, &[]),
        ("AAAAAA9669000400001014", R::ChecksumError, &[]),
        ("AAAAAA9669000400001115", R::LengthError, &[]),
        ("AAAAAA9669000400002125", R::SequenceError, &[]),
        ("AAAAAA9669000400009094", R::Success, &[]),
    ] {
        let bytes = hex::decode(frame).unwrap();
        let reply = decoded(&bytes);
        assert_eq!((reply.result, reply.data.as_slice()), (result, data));
        assert_eq!(frame::encode(&reply.to_body()).unwrap().to_vec(), bytes);
    }
    for code in 0..=u8::MAX {
        assert_eq!(SamResult::from_code(code).code(), code);
    }
}

/// G1: the security module's identity as the programs of makers write it.
#[test]
fn the_module_names_itself() {
    let text = "05.03-20200101-0000000001-4294967295";
    let id: SamId = text.parse().unwrap();
    assert_eq!(id.to_string(), text);
    let wire = id.encode();
    assert_eq!(wire[..4], [5, 0, 3, 0]);
    assert_eq!(wire[4..8], 20_200_101u32.to_le_bytes());
    assert_eq!(SamId::decode(&wire), Some(id));
    assert_eq!(SamId::decode(&wire[..15]), None);
    assert_eq!("5.3-20200101-1-4294967295".parse(), Ok(id));
    for bad in [
        "",
        "5.3-1-2",
        "5.3-1-2-3-4",
        "5.3-+1-2-3",
        "5.3-1-2-4294967296",
    ] {
        assert!(bad.parse::<SamId>().is_err(), "{bad}");
    }
}

/// P3: text, photo and fingerprints come back from the records as they stand on cards.
#[test]
fn a_citizen_s_card_is_read() {
    let text = citizen().encode().unwrap();
    assert_eq!(sha256(&text), CITIZEN_SHA256);
    assert_eq!(text[..8], [0x20, 0x5f, 0x09, 0x4e, 0x20, 0, 0x20, 0]);
    let photo = photo();

    let base = reply(&[&text, &photo]);
    assert_eq!((base.len(), base.last()), (1295, Some(&0x31)));
    assert_eq!(sha256(&base), BASE_SHA256);
    let content = CardContent::decode_base(&decoded(&base).data).unwrap();
    assert_eq!(content.text, citizen());
    assert_eq!(content.photo.expose(), photo);

    let fingers = [template(11, 80), template(16, 75)].concat();
    let whole = reply(&[&text, &photo, &fingers]);
    assert_eq!((whole.len(), whole.last()), (2321, Some(&0x39)));
    assert_eq!(sha256(&whole), FINGERS_SHA256);
    let content = CardContent::decode_with_fingerprint(&decoded(&whole).data).unwrap();
    let [right, left] = content.fingers.as_slice() else {
        unreachable!("two fingers")
    };
    assert_eq!(right.registration, Registration::Registered);
    assert_eq!(
        (right.finger.hand(), right.quality),
        (Some(Hand::Right), Some(80))
    );
    assert_eq!(
        (left.finger.hand(), left.quality),
        (Some(Hand::Left), Some(75))
    );
    assert_eq!(left.template.expose(), template(16, 75));

    let one = reply(&[&text, &photo, &fingers[..512]]);
    assert_eq!(one.len(), 1809);
    let content = CardContent::decode_with_fingerprint(&decoded(&one).data).unwrap();
    assert_eq!(content.fingers.len(), 1);

    let none = reply(&[&text, &photo, &[]]);
    assert_eq!((none.len(), none.last()), (1297, Some(&0x33)));
    let content = CardContent::decode_with_fingerprint(&decoded(&none).data).unwrap();
    assert!(content.fingers.is_empty());
}

/// P3: a resident of Hong Kong, Macao or Taiwan has a layout of its own.
#[test]
fn a_permit_is_read() {
    let text = permit().encode().unwrap();
    assert_eq!(sha256(&text), PERMIT_SHA256);
    assert_eq!(CardText::decode(&text).unwrap(), permit());
    assert_eq!(permit().number().expose(), "810000199408230021");
}

/// P3: the kind of a card decides where its fields lie.
#[test]
fn foreigners_cards_are_read() {
    let mut record = [b' ', 0].repeat(128);
    let mut put = |at: usize, text: &str| {
        for (unit, place) in text.encode_utf16().zip(record[at..].chunks_exact_mut(2)) {
            place.copy_from_slice(&unit.to_le_bytes());
        }
    };
    put(0, "DOE, JANE");
    put(120, "2");
    put(122, "USA110070010100");
    put(152, "USA");
    put(158, "珍妮");
    put(248, "I");
    let CardText::Foreigner2017(text) = CardText::decode(&record).unwrap() else {
        unreachable!("a card of 2017")
    };
    assert_eq!(text.english_name.expose(), "DOE, JANE");
    assert_eq!(text.number.expose(), "USA110070010100");
    assert_eq!((text.sex.expose(), text.nationality.expose()), ("2", "USA"));

    let mut record = [b' ', 0].repeat(128);
    let mut put = |at: usize, text: &str| {
        for (unit, place) in text.encode_utf16().zip(record[at..].chunks_exact_mut(2)) {
            place.copy_from_slice(&unit.to_le_bytes());
        }
    };
    put(0, "珍妮");
    put(32, "02");
    put(52, "DOE, JANE");
    put(122, "911124198108030024");
    put(242, "USA");
    put(248, "Y");
    let read = CardText::decode(&record).unwrap();
    assert_eq!(read.number().expose(), "911124198108030024");
    assert_eq!(read.name().expose(), "珍妮");
    let CardText::Foreigner2023(text) = read else {
        unreachable!("a card of 2023")
    };
    assert_eq!(
        (text.country.expose(), text.renewal_count.expose()),
        ("USA", "02")
    );
}

/// P3: what is no content of a card is refused, and the refusal quotes nothing.
#[test]
fn what_is_no_content_is_refused() {
    let text = citizen().encode().unwrap();
    let data = encode(&[&text, &photo(), &template(11, 80)]).unwrap();
    for (at, data) in [
        (0, &data[..3]),
        (1, &data[..data.len() - 1]),
        (2, &[&data[..], &[0]].concat()),
    ] {
        assert!(CardContent::decode_with_fingerprint(data).is_err(), "{at}");
        assert!(CardContent::decode_base(data).is_err(), "{at}");
    }
    let odd = encode(&[&text, &photo(), &[0x43; 100]]).unwrap();
    assert!(CardContent::decode_with_fingerprint(&odd).is_err());
    let mut unknown = text.clone();
    unknown[248] = b'Q';
    assert!(CardText::decode(&unknown).is_err());
    let mut broken = text;
    broken[1] = 0xD8;
    assert!(CardText::decode(&broken).is_err());
    let long = CardText::Citizen(CitizenText {
        name: personal("一二三四五六七八九十一二三四五六"),
        ..CitizenText::default()
    });
    assert!(long.encode().is_err());
}

/// P4: the head of a finger's block.
#[test]
fn fingers_are_named() {
    let block = |finger, registration, quality| {
        let mut block = template(finger, quality);
        block[4] = registration;
        FingerBlock::decode(&block).unwrap()
    };
    let little = block(20, 2, 0);
    let known = Finger::Known {
        hand: Hand::Left,
        number: 5,
    };
    assert_eq!((little.finger, little.quality), (known, None));
    assert_eq!(little.registration, Registration::Failed);
    assert_eq!(block(97, 3, 101).finger.hand(), Some(Hand::Right));
    assert_eq!(block(98, 9, 1).finger.hand(), Some(Hand::Left));
    assert_eq!(block(99, 1, 1).finger.hand(), None);
    assert!(FingerBlock::decode(&[0; 512]).is_none());
    assert!(FingerBlock::decode(&template(11, 80)[..511]).is_none());
}

/// P3: the chip's serial is that of the card management number.
#[test]
fn the_chip_s_serial_is_sixteen_digits() {
    let mut data = [0u8; 28];
    data[4..12].copy_from_slice(&[0x53, 0x49, 0x4D, 0, 0, 0, 0, 0x12]);
    let number = ManagementNumber::decode(&data).unwrap();
    assert_eq!(number.card_serial().as_str(), "53494D0000000012");
    assert_eq!(number.encode(), data);
    assert_eq!(ManagementNumber::decode(&data[..27]), None);
}

/// P3: an appended address is a field of its own.
#[test]
fn an_appended_address_is_read() {
    let address = personal("上海市浦东新区测试路3号");
    let bytes = encode_address(&address).unwrap();
    assert_eq!(bytes.len(), 70);
    assert_eq!(decode_address(&bytes).unwrap(), address);
    assert!(decode_address(&bytes[..69]).is_err());
}

/// G1: a frame is found behind rubbish, within a broken one, and in portions of any size.
#[test]
fn frames_are_found_in_any_stream() {
    let good = hex::decode("AAAAAA9669000400008084").unwrap();
    let mut broken = good.clone();
    broken[9] ^= 1;
    let too_long = hex::decode("AAAAAA9669FFFF").unwrap();
    let stream = [
        b"rubbish\xAA\xAA",
        &good[..],
        &broken,
        &[0xAA],
        &too_long,
        &good,
    ]
    .concat();
    for portion in 1..stream.len() {
        let mut decoder = Decoder::of_replies();
        let mut found = Vec::new();
        for mut part in stream.chunks(portion) {
            while !part.is_empty() {
                part = &part[decoder.push(part)..];
                while let Some(frame) = decoder.next_frame() {
                    found.push(frame.map(|body| body.to_vec()));
                }
            }
        }
        let good = Ok(vec![0, 0, 0x80]);
        let expected = [
            good.clone(),
            Err(FrameError::Checksum),
            Err(FrameError::Length(0xFFFF)),
            good,
        ];
        assert_eq!(found, expected, "in portions of {portion}");
    }
}

/// G7: nothing that was read prints.
#[test]
fn nothing_personal_prints() {
    let text = citizen().encode().unwrap();
    let data = encode(&[&text, &photo(), &template(11, 80)]).unwrap();
    let content = CardContent::decode_with_fingerprint(&data).unwrap();
    let reply = Reply::new(SamResult::Success, &data);
    let mut decoder = Decoder::of_replies();
    decoder.push(&data[..100]);
    let printed = format!(
        "{content:?} {reply:?} {decoder:?} {:?}",
        decode_address(&text[..70])
    );
    for secret in ["张", "三", "1949", "002X", "北京", "长期", "01"] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
    // Nor do its bytes, as numbers.
    assert!(!printed.contains("67, "), "{printed}");
}
