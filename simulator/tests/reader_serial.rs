//! The same adapter at a serial line: a pseudo-terminal, whose other end answers at one speed only.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod support;

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};

use adapters::reader::request::Baud;
use adapters::reader::{Address, ReaderConfig, description, run};
use serde_json::json;
use serial2_tokio::SerialPort;
use simulator::Power;
use simulator::reader::ReaderFaults;
use support::reader::{people, quick, reader};
use support::{Gateway, Mosquitto};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;

/// The module's end of a serial line. At another speed than its own, what it says arrives as rubbish.
struct Wire {
    port: SerialPort,
    baud: Baud,
}

impl Wire {
    fn fits(&self) -> bool {
        let settings = self.port.get_configuration().unwrap();
        settings.get_baud_rate().unwrap() == self.baud.bits_per_s()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.port).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.fits() {
            return Pin::new(&mut self.port).poll_write(context, bytes);
        }
        let garbled: Vec<u8> = bytes.iter().map(|byte| byte.rotate_left(3)).collect();
        Pin::new(&mut self.port).poll_write(context, &garbled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.port).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.port).poll_shutdown(context)
    }
}

/// The pseudo-terminals that this process has open.
fn terminals() -> BTreeSet<PathBuf> {
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    let paths = open.filter_map(|fd| std::fs::read_link(fd.unwrap().path()).ok());
    paths.filter(|path| path.starts_with("/dev/pts")).collect()
}

/// P3, G1: the speed is found out, the card is read; with the wrong speed configured the reader is not there.
#[tokio::test]
async fn g1_the_speed_of_a_serial_line_is_found_out() {
    let before = terminals();
    let (ours, theirs) = SerialPort::pair().unwrap();
    // The other end stays open, so that the line is there between two openings of the adapter.
    let path = terminals().difference(&before).next().unwrap().clone();
    let wire = Wire {
        port: ours,
        baud: Baud::B38400,
    };
    let (module, tray) = reader(&ReaderFaults::default());
    let (_power, powered) = watch::channel(Power::On);
    tokio::spawn(async move { module.speak(wire, powered).await });
    let card = people().people[0].card.clone();
    *tray.lock().unwrap() = Some(card.clone());

    let broker = Mosquitto::start();
    let mut gateway = Gateway::connect(&broker).await;
    let (stop, stopped) = watch::channel(false);
    let at = |baud| ReaderConfig {
        request_timeout_ms: 150,
        ..quick(Address::Serial {
            path: path.clone(),
            baud,
        })
    };
    let link = broker.link("reader-1", description(None));
    let adapter = tokio::spawn(run(at(None), link, stopped));
    gateway
        .json_where("reader-1/state", "status", "online")
        .await;
    let order = json!({ "command_id": "1-1-0", "timeout_s": 30 });
    gateway.send("reader-1/cmd/read", &order).await;
    let reply = gateway.json("reader-1/cmd/read/reply").await;
    assert_eq!(reply["card"], card.chip());
    stop.send(true).unwrap();
    adapter.await.unwrap();

    let (_stop, stopped) = watch::channel(false);
    let link = broker.link("reader-2", description(None));
    tokio::spawn(run(at(Some(Baud::B9600)), link, stopped));
    gateway
        .json_where("reader-2/state", "detail", "unreachable")
        .await;
    drop(theirs);
}
