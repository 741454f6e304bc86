//! TCP and TLS to a relay: TLS 1.3 alone, post-quantum key exchange first, no session resumption.
//!
//! Trusted are the roots that this program brings with it, not those of the machine: who prepared
//! her device may have put a root of their own there. A relay with a certificate of its own is
//! trusted by a file that its operator hands over.

use std::{io, path::Path, sync::Arc};

use cobijo_protocol::link::RelayUrl;
use rustls::{
    CertificateError, ClientConfig, RootCertStore,
    client::Resumption,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::proxy::Proxy;

/// An encrypted connection.
pub(super) type TlsStream = tokio_rustls::client::TlsStream<TcpStream>;

/// How relays are reached.
#[derive(Clone)]
pub struct Network {
    tls: TlsConnector,
    proxy: Option<Proxy>,
}

/// Why a relay can't be talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// It takes no more connections now.
    #[error("busy relay")]
    Busy,
    /// Its certificate has expired, or is not valid yet.
    #[error("certificate out of its time")]
    CertificateExpired,
    /// Its certificate is of another host.
    #[error("certificate of another host")]
    CertificateName,
    /// Nobody who is trusted vouches for its certificate.
    #[error("certificate that is not trusted")]
    CertificateUntrusted,
    /// The connection ended.
    #[error("lost connection")]
    Lost,
    /// What answers there is no relay.
    #[error("not a relay")]
    NotRelay,
    /// It speaks another version.
    #[error("relay of another version")]
    OtherVersion,
    /// The proxy does not answer, or refuses.
    #[error("proxy that does not answer")]
    Proxy,
    /// Nothing listens on its port.
    #[error("closed port")]
    Refused,
    /// What answers there does not speak TLS 1.3.
    #[error("no secure connection")]
    Tls,
    /// Its name is not known.
    #[error("unknown host")]
    UnknownHost,
    /// It does not answer.
    #[error("no answer")]
    Unreachable,
}

/// A file of trusted certificates can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// It can't be read.
    #[error("file that can't be read")]
    Unreadable(#[from] io::Error),
    /// It holds no certificate in PEM.
    #[error("file without a certificate")]
    NoCertificate,
}

impl Network {
    /// Trusts the usual certification authorities, and what stands in the PEM file `trust`.
    ///
    /// # Errors
    /// [`TrustError`] where that file can't be used.
    pub fn new(trust: Option<&Path>, proxy: Option<Proxy>) -> Result<Self, TrustError> {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        if let Some(trust) = trust {
            add_trusted(&mut roots, &std::fs::read(trust)?)?;
        }
        let tls = TlsConnector::from(Arc::new(config(roots)));
        Ok(Self { tls, proxy })
    }

    /// Makes an encrypted connection.
    pub(super) async fn dial(&self, relay: &RelayUrl) -> Result<TlsStream, NetworkError> {
        let host = relay.host().trim_start_matches('[').trim_end_matches(']');
        let stream = match &self.proxy {
            Some(proxy) => proxy.dial(host, relay.port()).await?,
            None => TcpStream::connect((host, relay.port()))
                .await
                .map_err(|e| of_tcp(&e))?,
        };
        stream.set_nodelay(true).map_err(|error| of_tcp(&error))?;
        let name = ServerName::try_from(host.to_owned()).map_err(|_| NetworkError::UnknownHost)?;
        self.tls
            .connect(name, stream)
            .await
            .map_err(|error| of_tls(&error))
    }
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network").finish_non_exhaustive()
    }
}

fn add_trusted(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), TrustError> {
    let mut added = 0;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| TrustError::NoCertificate)?;
        roots
            .add(certificate)
            .map_err(|_| TrustError::NoCertificate)?;
        added += 1;
    }
    if added == 0 {
        Err(TrustError::NoCertificate)
    } else {
        Ok(())
    }
}

fn config(roots: RootCertStore) -> ClientConfig {
    #[expect(clippy::expect_used, reason = "the provider that is named has TLS 1.3")]
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("the provider has TLS 1.3");
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    // A ticket would tell the relay which connections are of one client.
    config.resumption = Resumption::disabled();
    config
}

/// What a failed TCP connection means.
pub(super) fn of_tcp(error: &io::Error) -> NetworkError {
    if error.kind() == io::ErrorKind::ConnectionRefused {
        NetworkError::Refused
    } else if error.raw_os_error().is_none() {
        NetworkError::UnknownHost
    } else {
        NetworkError::Unreachable
    }
}

/// What a failed TLS handshake means.
fn of_tls(error: &io::Error) -> NetworkError {
    let error = error
        .get_ref()
        .and_then(|error| error.downcast_ref::<rustls::Error>());
    // It went away in the middle: nothing is wrong with it.
    let Some(error) = error else {
        return NetworkError::Lost;
    };
    let rustls::Error::InvalidCertificate(error) = error else {
        return NetworkError::Tls;
    };
    if matches!(
        error,
        CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. }
    ) {
        NetworkError::CertificateExpired
    } else if matches!(
        error,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
    ) {
        NetworkError::CertificateName
    } else {
        NetworkError::CertificateUntrusted
    }
}

#[cfg(test)]
mod tests {
    use rustls::NamedGroup;

    use super::*;

    #[test]
    fn the_key_exchange_is_post_quantum_first() {
        let config = config(RootCertStore::empty());
        let first = config.crypto_provider().kx_groups[0].name();
        assert_eq!(first, NamedGroup::X25519MLKEM768);
    }

    #[test]
    fn a_file_without_a_certificate_is_refused() {
        let mut roots = RootCertStore::empty();
        let pem = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for file in [&b""[..], b"not a certificate", pem] {
            let added = add_trusted(&mut roots, file);
            assert!(matches!(added, Err(TrustError::NoCertificate)));
        }
        assert!(roots.is_empty());
    }

    #[test]
    fn failures_are_told_apart() {
        let cut = io::Error::from(io::ErrorKind::UnexpectedEof);
        assert_eq!(of_tls(&cut), NetworkError::Lost);
        let refused = io::Error::from_raw_os_error(rustix::io::Errno::CONNREFUSED.raw_os_error());
        assert_eq!(of_tcp(&refused), NetworkError::Refused);
        let certificate = |error| {
            let error = rustls::Error::InvalidCertificate(error);
            of_tls(&io::Error::new(io::ErrorKind::InvalidData, error))
        };
        assert_eq!(
            certificate(CertificateError::Expired),
            NetworkError::CertificateExpired
        );
        assert_eq!(
            certificate(CertificateError::NotValidForName),
            NetworkError::CertificateName
        );
        assert_eq!(
            certificate(CertificateError::UnknownIssuer),
            NetworkError::CertificateUntrusted
        );
    }
}
