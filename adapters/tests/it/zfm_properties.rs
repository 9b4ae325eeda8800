//! What holds of the ZFM codec for all packets.

use adapters::scanner::acknowledgement::{Acknowledgement, Confirmation, Parameters};
use adapters::scanner::packet::{CONTENT_BYTES_MAX, Decoder, Kind, Packet};
use proptest::collection::vec;
use proptest::prelude::*;

/// All packets of a stream that comes in portions of these sizes.
fn packets(stream: &[u8], portions: &[usize]) -> Vec<Packet> {
    let mut decoder = Decoder::default();
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
            while let Some(packet) = decoder.next_packet() {
                found.extend(packet);
            }
        }
    }
    found
}

fn packet() -> impl Strategy<Value = Packet> {
    let kinds = prop_oneof![
        Just(Kind::Command),
        Just(Kind::Data),
        Just(Kind::Acknowledge),
        Just(Kind::LastData)
    ];
    let content = vec(any::<u8>(), 1..=CONTENT_BYTES_MAX);
    (any::<u32>(), kinds, content).prop_map(|(address, kind, content)| Packet {
        address,
        ..Packet::new(kind, &content)
    })
}

proptest! {
    /// G1: packets come through in order whatever lies between them, if that is no beginning of a packet.
    #[test]
    fn packets_outlive_rubbish(
        sent in vec((packet(), vec(0u8..0xEF, 0..20)), 0..6),
        portions in vec(1usize..50, 1..5),
    ) {
        let mut stream = Vec::new();
        for (packet, rubbish) in &sent {
            stream.extend_from_slice(rubbish);
            stream.extend_from_slice(&packet.encode().unwrap());
        }
        let sent: Vec<_> = sent.into_iter().map(|(packet, _)| packet).collect();
        prop_assert_eq!(packets(&stream, &portions), sent);
    }

    /// G1: one flipped bit of what the sum covers never comes through as a packet of the same size, and a packet
    /// behind it does.
    #[test]
    fn a_flipped_bit_is_noticed(sent in packet(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let whole = sent.encode().unwrap().to_vec();
        let mut flipped = whole.clone();
        let at = 6 + at.index(flipped.len() - 6);
        flipped[at] ^= 1 << bit;
        // A length that is flipped may swallow what follows: as much rubbish as the longest packet ends that.
        flipped.extend_from_slice(&[0; CONTENT_BYTES_MAX + 11]);
        flipped.extend_from_slice(&whole);
        let found = packets(&flipped, &[7]);
        prop_assert_eq!(found.last(), Some(&sent));
        let same = found.iter().filter(|found| found.content.len() == sent.content.len());
        prop_assert_eq!(same.count(), 1);
    }

    /// G1: answers and parameters come back as they were written.
    #[test]
    fn answers_come_back(
        code in any::<u8>(),
        data in vec(any::<u8>(), 0..CONTENT_BYTES_MAX),
        words in any::<[u16; 5]>(),
        address in any::<u32>(),
        packet_size in 0u16..4,
    ) {
        let answer = Acknowledgement::new(Confirmation::of(code), &data);
        let written = answer.to_packet().encode().unwrap();
        let read = Acknowledgement::of(packets(&written, &[3]).first().unwrap());
        prop_assert_eq!(read, Some(answer));
        let [status, system, capacity, security, baud] = words;
        let parameters = Parameters { status, system, capacity, security, address, packet_size, baud };
        prop_assert_eq!(Parameters::decode(&parameters.encode()), Some(parameters));
    }
}
