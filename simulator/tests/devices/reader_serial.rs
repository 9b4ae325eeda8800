//! The same adapter at a serial line: a pseudo-terminal, whose other end answers at one speed only.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::support::reader::{people, quick, reader};
use crate::support::{Gateway, Mosquitto};
use adapters::reader::request::Baud;
use adapters::reader::{Address, ReaderConfig, description, run};
use serde_json::json;
use serial2_tokio::{KeepSettings, SerialPort};
use simulator::Power;
use simulator::reader::ReaderFaults;
use simulator::scanner::PseudoTerminal;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;

/// The module's end of a serial line. At another speed than its own, what it says arrives as rubbish.
struct Wire {
    line: PseudoTerminal,
    /// The host's end, to see what speed the adapter has set.
    host: SerialPort,
    baud: Baud,
}

impl Wire {
    fn fits(&self) -> bool {
        let settings = self.host.get_configuration().unwrap();
        settings.get_baud_rate().unwrap() == self.baud.bits_per_s()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.fits() {
            return Pin::new(&mut self.line).poll_write(context, bytes);
        }
        let garbled: Vec<u8> = bytes.iter().map(|byte| byte.rotate_left(3)).collect();
        Pin::new(&mut self.line).poll_write(context, &garbled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_shutdown(context)
    }
}

/// P3, G1: the speed is found out, the card is read; with the wrong speed configured the reader is not there.
#[tokio::test]
async fn g1_the_speed_of_a_serial_line_is_found_out() {
    let line = PseudoTerminal::open().unwrap();
    let path = line.path().to_owned();
    let wire = Wire {
        line,
        host: SerialPort::open(&path, KeepSettings).unwrap(),
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
}
