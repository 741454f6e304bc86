//! The development certificate: made on first start where the operator gave none, so that there is no
//! way to run without TLS. Clients have to be told to trust its file.

use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    net::{Ipv4Addr, Ipv6Addr},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::{
    client::verify_server_name,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
    server::ParsedCertificate,
};

use crate::config::CertificateFiles;

/// Its chain in the data directory.
const CERTIFICATE_FILE: &str = "development-certificate.pem";
/// Its key, for the relay's user alone.
const KEY_FILE: &str = "development-key.pem";
/// Names that it is for besides the configured ones.
const OWN_NAME: &str = "localhost";

/// The files of the development certificate, made unless those that stand there cover all `names`.
pub(crate) fn development(directory: &Path, names: &[String]) -> io::Result<CertificateFiles> {
    let files = CertificateFiles {
        certificate: directory.join(CERTIFICATE_FILE),
        key: directory.join(KEY_FILE),
    };
    if !(files.key.exists() && covers(&files.certificate, names)) {
        make(&files, names).map_err(io::Error::other)?;
    }
    Ok(files)
}

fn covers(certificate: &Path, names: &[String]) -> bool {
    let Ok(certificate) = CertificateDer::from_pem_file(certificate) else {
        return false;
    };
    let Ok(certificate) = ParsedCertificate::try_from(&certificate) else {
        return false;
    };
    names.iter().all(|name| {
        ServerName::try_from(without_brackets(name))
            .is_ok_and(|name| verify_server_name(&certificate, &name).is_ok())
    })
}

fn make(
    files: &CertificateFiles,
    names: &[String],
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let own = [
        OWN_NAME.to_owned(),
        Ipv4Addr::LOCALHOST.to_string(),
        Ipv6Addr::LOCALHOST.to_string(),
    ];
    let configured = names.iter().map(|name| without_brackets(name).to_owned());
    let subjects: BTreeSet<_> = configured.chain(own).collect();
    let mut params = CertificateParams::new(Vec::from_iter(subjects))?;
    params
        .distinguished_name
        .push(DnType::CommonName, "Cobijo development certificate");
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    write(&files.key, &key.serialize_pem(), 0o600)?;
    write(&files.certificate, &certificate.pem(), 0o644)?;
    Ok(())
}

/// An IPv6 address stands in brackets where a name does, and without them in a certificate.
fn without_brackets(name: &str) -> &str {
    name.trim_matches(['[', ']'])
}

/// Writes beside the file and renames, so that a crash leaves the old one or the new one.
fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let beside = path.with_extension("new");
    // Left by a crash, perhaps with another mode.
    let _ = fs::remove_file(&beside);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_certificate_stays_until_a_name_is_missing_and_its_key_is_private() {
        let directory = tempfile::tempdir().unwrap();
        let names = ["relay.example.org".to_owned()];
        let files = development(directory.path(), &names).unwrap();
        let first = fs::read(&files.certificate).unwrap();
        development(directory.path(), &names).unwrap();
        assert_eq!(fs::read(&files.certificate).unwrap(), first);
        assert!(covers(
            &files.certificate,
            &["localhost", "127.0.0.1", "[::1]"].map(str::to_owned)
        ));
        let mode = fs::metadata(&files.key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        let names = ["other.example.org".to_owned()];
        development(directory.path(), &names).unwrap();
        assert_ne!(fs::read(&files.certificate).unwrap(), first);
        assert!(covers(&files.certificate, &names));
    }
}
