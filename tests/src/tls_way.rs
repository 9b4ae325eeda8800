//! A way through TLS for a client that speaks plain MQTT: whoever connects to it comes out at the broker with one certificate.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use adapters::link::tls;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

/// The way of one certificate. It ends when it is dropped.
#[derive(Debug)]
pub struct TlsWay {
    /// Where it begins.
    pub address: SocketAddr,
    _runtime: Runtime,
}

impl TlsWay {
    /// To `broker`, as `name`, whose certificate lies in `folder`.
    pub fn open(folder: &Path, name: &str, broker: SocketAddr) -> Self {
        let read = |file: &str| std::fs::read(folder.join(file)).unwrap();
        let (certificate, key) = (read(&format!("{name}.pem")), read(&format!("{name}.key")));
        let client = tls::client(&read("ca.pem"), &certificate, &key).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass(
                    stream,
                    TlsConnector::from(Arc::clone(&client)),
                    broker,
                ));
            }
        });
        Self {
            address,
            _runtime: runtime,
        }
    }
}

/// A way that breaks ends on both sides.
async fn pass(mut plain: TcpStream, connector: TlsConnector, broker: SocketAddr) {
    let Ok(stream) = TcpStream::connect(broker).await else {
        return;
    };
    let name = ServerName::try_from("localhost").unwrap();
    let Ok(mut sealed) = connector.connect(name, stream).await else {
        return;
    };
    drop(tokio::io::copy_bidirectional(&mut plain, &mut sealed).await);
}
