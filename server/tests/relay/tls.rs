//! TLS: its version, its key exchange, its certificates.

use std::sync::Arc;

use cobijo_server::server::Announcement;
use rustls::{
    ClientConfig, HandshakeKind, NamedGroup, RootCertStore, SupportedProtocolVersion,
    client::Resumption,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
    version::{TLS12, TLS13},
};
use tokio::{io::AsyncReadExt, net::TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::harness::*;

/// [W-1]
#[tokio::test]
async fn tls_is_1_3_with_a_post_quantum_key_exchange_and_http_1_1_alone() {
    let relay = Relay::start().await;
    let config = client_config(&relay.announcement, &[&TLS13, &TLS12]);
    let stream = connect(&relay.announcement, config).await.unwrap();
    let (_, connection) = stream.get_ref();
    assert_eq!(
        connection.protocol_version(),
        Some(rustls::ProtocolVersion::TLSv1_3)
    );
    let group = connection.negotiated_key_exchange_group().unwrap();
    assert_eq!(group.name(), NamedGroup::X25519MLKEM768);

    let config = client_config(&relay.announcement, &[&TLS12]);
    assert!(connect(&relay.announcement, config).await.is_err());
    let mut config = client_config(&relay.announcement, &[&TLS13]);
    config.alpn_protocols = vec![b"h2".to_vec()];
    assert!(connect(&relay.announcement, config).await.is_err());
}

/// A resumed session would link two connections of one person.
#[tokio::test]
async fn no_connection_resumes_another() {
    let relay = Relay::start().await;
    let mut config = client_config(&relay.announcement, &[&TLS13]);
    config.resumption = Resumption::in_memory_sessions(8);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let config = Arc::new(config);
    for _ in 0..2 {
        let stream = tcp(&relay.announcement).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::clone(&config));
        let mut stream = connector.connect(name, stream).await.unwrap();
        assert_eq!(
            stream.get_ref().1.handshake_kind(),
            Some(HandshakeKind::Full)
        );
        use tokio::io::AsyncWriteExt as _;
        let request = b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.starts_with(b"HTTP/1.1 200"));
    }
}

pub(crate) fn client_config(
    announcement: &Announcement,
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let certificate = announcement.certificate.as_ref().unwrap();
    roots
        .add(CertificateDer::from_pem_file(certificate).unwrap())
        .unwrap();
    ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

async fn connect(
    announcement: &Announcement,
    config: ClientConfig,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = tcp(announcement).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}
