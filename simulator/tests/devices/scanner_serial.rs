//! The same adapter at a serial line: a pseudo-terminal.

use crate::support::scanner::{ScannerBench, compare, finger, module, quick};
use adapters::scanner::{Address, description, run};
use schemas::words::Hand;
use simulator::Power;
use simulator::faults::Faults;
use simulator::people::Quality;
use simulator::scanner::{PseudoTerminal, ScannerFault};
use tokio::sync::watch;

/// P4, G1: at a serial line as over TCP, also after an image that broke off; the line outlives its adapter.
#[tokio::test]
async fn p4_a_finger_is_compared_at_a_serial_line() {
    let mut bench = ScannerBench::without_adapter(None).await;
    let line = PseudoTerminal::open().unwrap();
    let path = line.path().to_owned();
    let faults = Faults::default();
    let (scanner, glass) = module(&faults, None);
    let (_power, powered) = watch::channel(Power::On);
    tokio::spawn(async move { scanner.speak(line, powered).await });
    *glass.lifts.lock().unwrap() = true;
    for (id, fault) in [
        ("1-1-0", None),
        ("1-2-0", Some(ScannerFault::HalfPacket)),
        ("1-3-0", Some(ScannerFault::BadSum)),
    ] {
        let mut config = quick(Address::Serial {
            path: path.clone(),
            bits_per_s: 57_600,
        });
        config.matcher = Some(bench.matcher());
        let link = bench.broker.link("scanner-1", description(&config));
        let (stop, stopped) = watch::channel(false);
        let adapter = tokio::spawn(run(config, link, stopped));
        bench.state("status", "online").await;
        if let Some(fault) = fault {
            faults.set(fault, 1);
        }
        glass.lay(finger(Hand::Left, Quality::Good));
        bench.order(&compare(id, Hand::Left, 30)).await;
        let reply = bench.reply(id).await;
        assert!(reply["score"].as_u64().unwrap() >= 85, "{reply}");
        assert!(fault.is_none_or(|fault| !faults.take(fault)));
        stop.send(true).unwrap();
        adapter.await.unwrap();
    }
}
