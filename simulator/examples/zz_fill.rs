#![allow(warnings, clippy::all, clippy::pedantic)]
#[path = "../tests/centre/station.rs"]
mod station;
use bytes::Bytes;
use eventstore::*;
use schemas::event::custody::*;
use schemas::event::pickup::*;
use schemas::event::station::*;
use schemas::uplink::*;
use schemas::words::*;
use station::*;
#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    let client = Client::new(args[1].parse().unwrap()).unwrap();
    let dir = &args[2];
    let mut st: Vec<Station> = Vec::new();
    for (n, name) in [
        "pudong-01",
        "minhang-02",
        "vehicle-07",
        "hall-03",
        "xuhui-04",
    ]
    .iter()
    .enumerate()
    {
        let mut s = Station::new(name, n as u8 + 1);
        let len = args.get(3).map_or(400, |x| x.parse().unwrap());
        for i in 0..len {
            let index = s.size();
            s.push(some_event(index));
            if i % 40 == 7 {
                s.push(PickupNoRecord {
                    kiosk: "kiosk-1".parse().unwrap(),
                    by: LookupBy::Voucher,
                });
            }
            if i % 60 == 9 {
                s.push(PickupEnded {
                    session: schemas::ids::SessionId::from_index(1),
                    kiosk: "kiosk-1".parse().unwrap(),
                    outcome: PickupOutcome::IdentityFailed,
                });
            }
            if i == 100 {
                s.rotate();
            }
        }
        let card = |n: usize| schemas::ids::CardSerial::new(format!("SLOT{n:06}")).unwrap();
        for n in 0..12 {
            s.push(CardMoved {
                card: card(n),
                from: Place::Safe,
                to: Place::Slot {
                    machine: "machine-1".parse().unwrap(),
                    slot: schemas::slot::SlotAddress::new(0, n as u16).unwrap(),
                },
                session: None,
            });
        }
        st.push(s);
    }
    st[1].push(ServiceChanged {
        in_service: false,
        reasons: vec![ServiceReason::StorageLow],
    });
    for (n, s) in st.iter().enumerate() {
        let mut records = s.records();
        if n == 2 {
            let len = records.len();
            records.swap(len - 20, len - 19);
        }
        if n == 0 {
            let len = records.len();
            records.truncate(len - 5);
        }
        if n != 3 {
            std::fs::write(
                format!("{dir}/{}.json", s.id),
                serde_json::to_vec(&s.registration()).unwrap(),
            )
            .unwrap();
        }
        let mut expected = StreamState::NoStream;
        for chunk in records.chunks(250) {
            let events: Vec<EventData> = chunk
                .iter()
                .map(|r| {
                    let raw: &serde_json::value::RawValue =
                        serde_json::from_slice(&r.data).unwrap();
                    EventData::json(&r.event_type, &raw)
                        .unwrap()
                        .id(uuid::Uuid::from_bytes(r.id))
                        .metadata(Bytes::copy_from_slice(&r.metadata))
                })
                .collect();
            let w = client
                .append_to_stream(
                    s.stream(),
                    &AppendToStreamOptions::default().stream_state(expected),
                    events,
                )
                .await
                .unwrap();
            expected = StreamState::StreamRevision(w.next_expected_version);
        }
    }
    let s = &st[0];
    for (i, key) in [(900, s.keys.last().unwrap()), (901, &Key::new(77))] {
        let signed = s.sign(
            i,
            &DeviceReported {
                device: "dispenser-1".parse().unwrap(),
                report: "tamper".into(),
                detail: None,
            }
            .into(),
            key,
        );
        let r = Record::of(&signed, None).unwrap();
        let raw: &serde_json::value::RawValue = serde_json::from_slice(&r.data).unwrap();
        let e = EventData::json(&r.event_type, &raw)
            .unwrap()
            .id(uuid::Uuid::from_bytes(r.id))
            .metadata(Bytes::copy_from_slice(&r.metadata));
        let state = if i == 900 {
            StreamState::NoStream
        } else {
            StreamState::StreamRevision(0)
        };
        client
            .append_to_stream(
                alert_stream(&s.id),
                &AppendToStreamOptions::default().stream_state(state),
                e,
            )
            .await
            .unwrap();
    }
}
