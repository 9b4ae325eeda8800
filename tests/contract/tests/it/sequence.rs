//! G3: signed events as auditors meet them: in a sequence, and checked by their header alone.

use schemas::envelope::{Broken, Signed, next_len, read, verify};

fn golden() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/golden");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let cose = files.filter(|path| path.extension().is_some_and(|kind| kind == "cose"));
    cose.map(|path| hex::decode(std::fs::read_to_string(path).unwrap().trim()).unwrap())
        .collect()
}

/// G3: a sequence of events comes apart where they end, wherever it is cut.
#[test]
fn a_sequence_comes_apart_where_its_events_end() {
    let events = golden();
    assert!(events.len() > 40);
    for event in &events {
        let entry = Signed::read(event).unwrap().into_entry().unwrap();
        assert_eq!(entry, read(event).unwrap());
        let mut sequence = event.clone();
        sequence.extend_from_slice(b"and more");
        assert_eq!(next_len(&sequence), Ok(Some(event.len())));
        for cut in 0..event.len() {
            assert_eq!(
                next_len(event.get(..cut).unwrap()),
                Ok(None),
                "cut at {cut}"
            );
        }
    }
    assert_eq!(next_len(b"\xd2\x85"), Err(Broken));
    assert_eq!(next_len(b"nothing"), Err(Broken));
}

/// G3: what is checked is the Sig_structure of RFC 9052, as the general library builds it.
#[test]
fn the_signed_message_is_that_of_the_general_library() {
    for event in golden() {
        let mut message = Vec::new();
        let checked = verify(&event, |_, bytes, _| {
            message = bytes.to_vec();
            true
        });
        checked.unwrap();
        let signed = Signed::read(&event).unwrap();
        assert!(signed.is_genuine(|bytes, _| bytes == message));
    }
}
