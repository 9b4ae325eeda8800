//! G1: the ZFM codec on the packets of the modules' manual.

use adapters::scanner::Password;
use adapters::scanner::acknowledgement::{Acknowledgement, Confirmation, Found, Parameters};
use adapters::scanner::image::{HEIGHT, IMAGE_BYTES, Image, WIDTH};
use adapters::scanner::instruction::{Buffer, Instruction, Light, Pages};
use adapters::scanner::packet::{Decoder, Kind, Packet, PacketError};
use zeroize::Zeroizing;

/// A packet of the manual: what follows head and address, spaces for the eye.
fn bytes(text: &str) -> Vec<u8> {
    hex::decode(format!("EF01FFFFFFFF{text}").replace(' ', "")).unwrap()
}

/// The only packet in these bytes.
fn packet(bytes: &[u8]) -> Packet {
    let mut decoder = Decoder::default();
    assert_eq!(decoder.push(bytes), bytes.len());
    let packet = decoder.next_packet().unwrap().unwrap();
    assert!(decoder.next_packet().is_none());
    assert_eq!(decoder.held_len(), 0);
    packet
}

fn pages(first: u16, len: u16) -> Pages {
    Pages { first, len }
}

#[test]
fn g1_instructions_are_the_manuals() {
    use Buffer::{One, Two};
    use Instruction as I;
    for (instruction, text) in [
        (I::VerifyPassword(0), "01 0007 13 00000000 001B"),
        (I::TakeImage, "01 0003 01 0005"),
        (I::Extract(One), "01 0004 02 01 0008"),
        (I::Extract(Two), "01 0004 02 02 0009"),
        (I::Match, "01 0003 03 0007"),
        (
            I::Search(One, pages(0, 0x012C)),
            "01 0008 04 01 0000 012C 003B",
        ),
        (I::MakeModel, "01 0003 05 0009"),
        (I::Store(One, 1), "01 0006 06 01 0001 000F"),
        (I::Load(Two, 1), "01 0006 07 02 0001 0011"),
        (I::UploadFeatures(One), "01 0004 08 01 000E"),
        (I::DownloadFeatures(Two), "01 0004 09 02 0010"),
        (I::UploadImage, "01 0003 0A 000E"),
        (I::Delete(pages(1, 1)), "01 0007 0C 0001 0001 0016"),
        (I::Clear, "01 0003 0D 0011"),
        (I::ReadParameters, "01 0003 0F 0013"),
        (I::CountTemplates, "01 0003 1D 0021"),
        (I::ReadIndex(0), "01 0004 1F 00 0024"),
    ] {
        let written = instruction.to_packet().encode().unwrap();
        assert_eq!(*written, bytes(text), "{instruction:?}");
        assert_eq!(Instruction::of(&packet(&written)), Some(instruction));
    }
}

#[test]
fn g1_instructions_without_a_vector_come_back() {
    use Instruction as I;
    for instruction in [
        I::QuickSearch(Buffer::Two, pages(3, 9)),
        I::DownloadImage,
        I::SetParameter {
            number: 6,
            value: 3,
        },
        I::SetPassword(0xDEAD_BEEF),
        I::SetAddress(7),
        I::Random,
        I::SetLight(Light::on(2)),
        I::SetLight(Light::OFF),
        I::Lamp(true),
        I::Lamp(false),
    ] {
        let written = instruction.to_packet().encode().unwrap();
        assert_eq!(Instruction::of(&packet(&written)), Some(instruction));
    }
    for no_instruction in [
        Packet::new(Kind::Command, &[0x02]),
        Packet::new(Kind::Command, &[0x02, 3]),
        Packet::new(Kind::Command, &[0x01, 0]),
        Packet::new(Kind::Command, &[0x99]),
        Packet::new(Kind::Acknowledge, &[0x01]),
    ] {
        assert_eq!(Instruction::of(&no_instruction), None);
    }
}

#[test]
fn g1_answers_are_the_manuals() {
    use Confirmation as C;
    for (confirmation, data, text) in [
        (C::Done, "", "07 0003 00 000A"),
        (C::NoFinger, "", "07 0003 02 000C"),
        (C::Done, "0064", "07 0005 00 0064 0070"),
        (C::NoMatch, "0000", "07 0005 08 0000 0014"),
        (C::Done, "0005005A", "07 0007 00 0005 005A 006D"),
        (C::NotFound, "00000000", "07 0007 09 0000 0000 0017"),
    ] {
        let answer = Acknowledgement::of(&packet(&bytes(text))).unwrap();
        assert_eq!(answer.confirmation, confirmation);
        assert_eq!(hex::encode_upper(&*answer.data), data);
        assert_eq!(*answer.to_packet().encode().unwrap(), bytes(text));
    }
    let answer = |text| Acknowledgement::of(&packet(&bytes(text))).unwrap();
    assert_eq!(answer("07 0005 00 0064 0070").number(), Some(100));
    let found = answer("07 0007 00 0005 005A 006D").found();
    assert_eq!(found, Some(Found { page: 5, score: 90 }));
    assert_eq!(answer("07 0003 00 000A").number(), None);
    assert_eq!(answer("07 0003 00 000A").found(), None);
}

#[test]
fn g1_data_packets_are_the_manuals() {
    for (kind, content, text) in [
        (Kind::Data, &[0xDE, 0xAD, 0xBE][..], "02 0005 DEADBE 0250"),
        (Kind::LastData, &[0xEF], "08 0003 EF 00FA"),
    ] {
        assert_eq!(packet(&bytes(text)), Packet::new(kind, content));
        let written = Packet::new(kind, content).encode().unwrap();
        assert_eq!(*written, bytes(text));
    }
}

#[test]
fn g1_every_confirmation_has_one_code() {
    for code in 0..=u8::MAX {
        assert_eq!(Confirmation::of(code).code(), code);
    }
    for (code, named) in [
        (0x13, Confirmation::WrongPassword),
        (0x21, Confirmation::PasswordRequired),
        (0x99, Confirmation::Other(0x99)),
    ] {
        assert_eq!(Confirmation::of(code), named);
    }
}

#[test]
fn g1_parameters_are_read() {
    let data = hex::decode("000D 0009 012C 0003 FFFFFFFF 0002 0006".replace(' ', "")).unwrap();
    let read = Parameters::decode(&data).unwrap();
    assert_eq!((read.capacity, read.security, read.baud), (300, 3, 6));
    assert_eq!((read.packet_bytes(), read.is_busy()), (Some(128), true));
    assert_eq!(read.encode(), data);
    assert_eq!(Parameters::decode(&data[1..]), None);
    let no_size = hex::decode("0000 0009 012C 0003 FFFFFFFF 0004 0006".replace(' ', "")).unwrap();
    assert_eq!(Parameters::decode(&no_size), None);
}

/// G1: each kind of damage is named, and the packet behind it is found.
#[test]
fn g1_damage_is_named() {
    let good = bytes("07 0003 00 000A");
    for (bad, error) in [
        (bytes("07 0003 00 000B"), PacketError::Sum),
        (bytes("03 0003 00 0006"), PacketError::Kind(3)),
        (bytes("07 0002 0009"), PacketError::Length(2)),
        (bytes("07 0103 00 010A"), PacketError::Length(0x103)),
    ] {
        let mut decoder = Decoder::default();
        // What a module says after its power came on, then the damage.
        let stream = [&[0x55][..], &bad, &good].concat();
        decoder.push(&stream);
        assert_eq!(decoder.next_packet(), Some(Err(error)));
        let rest: Vec<_> = core::iter::from_fn(|| decoder.next_packet()).collect();
        assert_eq!(rest.last(), Some(&Ok(packet(&good))));
    }
    let long = Packet::new(Kind::Data, &[0; 257]).encode();
    assert_eq!(long, Err(PacketError::Length(259)));
    assert!(Packet::new(Kind::Data, &[0; 256]).encode().is_ok());
    assert!(Packet::new(Kind::Data, &[]).encode().is_err());
}

/// P4: pixels lie high half first; an image is judged by how much skin it shows.
#[test]
fn p4_images_are_judged() {
    let image = |bytes: Vec<u8>| Image::new(Zeroizing::new(bytes)).unwrap();
    let mut bytes = vec![0x99; IMAGE_BYTES];
    bytes[0] = 0x3C;
    bytes[WIDTH / 2] = 0x5A;
    let flat = image(bytes);
    let shades = [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0)].map(|(x, y)| flat.shade(x, y).unwrap());
    assert_eq!(shades, [3, 12, 5, 10, 9]);
    assert_eq!((flat.shade(WIDTH, 0), flat.shade(0, HEIGHT)), (None, None));
    // Dark ridges of 4 pixels and light valleys of 4, on so many rows.
    let ridged = |rows: usize| {
        let ridge = [0x22, 0x22, 0xDD, 0xDD];
        let skin = rows * WIDTH / 2;
        let bytes = (0..IMAGE_BYTES).map(|at| if at < skin { ridge[at % 4] } else { 0xEE });
        image(bytes.collect())
    };
    for (image, coverage, usable) in [
        (flat, 0, false),
        (ridged(288), 100, true),
        (ridged(144), 50, true),
        (ridged(32), 11, false),
        (image(vec![0; IMAGE_BYTES]), 0, false),
    ] {
        assert_eq!(image.coverage_percent(), coverage);
        assert_eq!(image.is_usable(), usable);
    }
    assert!(Image::new(Zeroizing::new(vec![0; IMAGE_BYTES - 1])).is_none());
}

/// G7: neither images nor what packets carry print, nor does a password.
#[test]
fn g7_nothing_of_a_finger_prints() {
    let image = Image::new(Zeroizing::new(vec![0xAB; IMAGE_BYTES])).unwrap();
    let packet = Packet::new(Kind::Data, &[0xAB; 64]);
    let answer = Acknowledgement::new(Confirmation::Done, &[0xAB; 64]);
    let password: Password = "ABABABAB".parse().unwrap();
    let printed = format!("{image:?} {packet:?} {answer:?} {password:?}");
    for secret in ["171", "AB", "ab", "2880154539"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    for bad in ["", "0000000", "000000000", "0000000G", "+0000000"] {
        assert!(bad.parse::<Password>().is_err(), "{bad}");
    }
}
