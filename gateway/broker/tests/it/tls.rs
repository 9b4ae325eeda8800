//! TLS 1.3 with client certificates: the certificate decides who it is, and a revoked one is nobody.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::common::{self, Client, TestHandler, connect};
use gateway_broker::{Broker, Config, Limits, Listener, MemoryStore, TlsConfig, Transport};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, IsCa,
    KeyIdMethod, KeyPair, RevokedCertParams, SerialNumber, date_time_ymd,
};
use tokio::net::TcpStream;

struct Party {
    certificate: Vec<u8>,
    key: KeyPair,
    der: Vec<u8>,
    serial: SerialNumber,
}

fn issue(issuer: &CertifiedIssuer<'_, KeyPair>, name: &str) -> Party {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let serial = SerialNumber::from(u64::try_from(name.len()).unwrap());
    params.serial_number = Some(serial.clone());
    let certificate = params.signed_by(&key, issuer).unwrap();
    let pem = certificate.pem().into_bytes();
    Party {
        certificate: pem,
        key,
        der: certificate.der().to_vec(),
        serial,
    }
}

fn issuer(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

type TlsClient = tokio_rustls::client::TlsStream<TcpStream>;

async fn tls_client(
    addr: SocketAddr,
    roots: &[u8],
    party: Option<&Party>,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> std::io::Result<TlsClient> {
    use rustls_pki_types::pem::PemObject as _;
    use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut store = rustls::RootCertStore::empty();
    store
        .add(CertificateDer::from_pem_slice(roots).unwrap())
        .unwrap();
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(store);
    let config = match party {
        None => builder.with_no_client_auth(),
        Some(party) => {
            let key = PrivateKeyDer::from_pem_slice(party.key.serialize_pem().as_bytes()).unwrap();
            let chain = vec![CertificateDer::from(party.der.clone())];
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    let stream = TcpStream::connect(addr).await?;
    let name = ServerName::try_from("localhost").unwrap();
    tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

/// A broker with one TLS listener, which knows `kiosk` as "kiosk-1".
async fn tls_broker(tls: TlsConfig, kiosk: &Party) -> (Broker, SocketAddr) {
    let listener = Listener {
        transport: Transport::Tls(tls),
        ..common::listener()
    };
    let config = Config {
        listeners: vec![listener],
        limits: Limits::default(),
    };
    let handler = Arc::new(TestHandler::default());
    handler
        .certificates
        .lock()
        .unwrap()
        .push((kiosk.der.clone(), "kiosk-1".to_owned()));
    let broker = Broker::start(config, handler, Arc::new(MemoryStore::default()))
        .await
        .unwrap();
    let addr = broker.local_addrs()[0].1;
    (broker, addr)
}

fn tls_config(server: &Party, roots: &[u8], revoked: &[u8]) -> TlsConfig {
    let key = server.key.serialize_pem();
    TlsConfig::from_pem(&server.certificate, key.as_bytes(), roots, revoked).unwrap()
}

/// Shut out: in TLS 1.3 a client learns that its certificate is refused only when it reads.
async fn expect_shut_out(addr: SocketAddr, roots: &[u8], party: Option<&Party>) {
    if let Ok(stream) = tls_client(addr, roots, party, &[&rustls::version::TLS13]).await {
        let mut client = Client {
            stream: Box::new(stream),
            v5: true,
        };
        let hello = connect(true, "x", true, &[]);
        drop(tokio::io::AsyncWriteExt::write_all(&mut client.stream, &hello).await);
        client.expect_closed().await;
    }
}

#[tokio::test]
async fn tls_1_3_with_the_certificate_deciding_who_it_is() {
    let ca = issuer("ca");
    let (server, kiosk) = (issue(&ca, "localhost"), issue(&ca, "kiosk-1"));
    let stranger = issue(&issuer("other"), "kiosk-1");
    let roots = ca.pem().into_bytes();
    let (broker, addr) = tls_broker(tls_config(&server, &roots, &[]), &kiosk).await;

    let v13: &[_] = &[&rustls::version::TLS13];
    let stream = tls_client(addr, &roots, Some(&kiosk), v13).await.unwrap();
    let mut client = Client {
        stream: Box::new(stream),
        v5: true,
    };
    client.send(&connect(true, "pretender", true, &[])).await;
    let connack = client.packet().await.unwrap();
    assert_eq!(connack[3], 0);
    assert!(
        connack.windows(7).any(|w| w == b"kiosk-1"),
        "the certificate's id is told"
    );
    assert_eq!(&*broker.clients()[0].client_id, "kiosk-1");
    broker.disconnect("kiosk-1");
    client.expect_disconnect(0x98).await;

    assert!(
        tls_client(addr, &roots, Some(&kiosk), &[&rustls::version::TLS12])
            .await
            .is_err()
    );
    expect_shut_out(addr, &roots, None).await;
    expect_shut_out(addr, &roots, Some(&stranger)).await;
    assert_eq!(broker.stats().connects, 1);
}

#[tokio::test]
async fn a_revoked_certificate_is_shut_out_once_the_list_is_replaced() {
    let ca = issuer("ca");
    let (server, kiosk) = (issue(&ca, "localhost"), issue(&ca, "kiosk-1"));
    let roots = ca.pem().into_bytes();
    let (broker, addr) = tls_broker(tls_config(&server, &roots, &[]), &kiosk).await;
    let v13: &[_] = &[&rustls::version::TLS13];
    let stream = tls_client(addr, &roots, Some(&kiosk), v13).await.unwrap();
    let mut client = Client {
        stream: Box::new(stream),
        v5: true,
    };
    client.send(&connect(true, "kiosk-1", true, &[])).await;
    assert_eq!(client.packet().await.unwrap()[3], 0);

    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2020, 1, 1),
        next_update: date_time_ymd(2100, 1, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: vec![RevokedCertParams {
            serial_number: kiosk.serial.clone(),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        }],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let list = list.signed_by(&ca).unwrap().pem().unwrap();
    let replaced = broker.replace_tls("tcp", &tls_config(&server, &roots, list.as_bytes()));
    assert!(replaced.unwrap());
    assert!(
        !broker
            .replace_tls("other", &tls_config(&server, &roots, &[]))
            .unwrap()
    );
    assert_eq!(
        broker.disconnect_where(|identity| &*identity.principal == "kiosk-1"),
        1
    );
    client.expect_disconnect(0x98).await;
    expect_shut_out(addr, &roots, Some(&kiosk)).await;
    assert_eq!(broker.stats().connects, 1);
}
