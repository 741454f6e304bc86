//! What began long ago: a card of last month, an invitation of last week. Programs take the real clock,
//! so their past is made.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use ciborium::Value;
use cobijo_client_core::{driver::now, mls::hpke, profile::ProfileFolder};
use cobijo_protocol::{keys::SecretKey, link::DeskId};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime,
};
use tokio_rustls::TlsConnector;

use super::{Client, Relay};
use crate::authority::Authority;

/// Age of the card of [`Relay::stale_desk`].
const CARD_AGE_DAYS: u32 = 30;

impl Relay {
    /// The link of a desk whose card nobody has renewed for a month.
    pub fn stale_desk(&self) -> anyhow::Result<String> {
        let authority = Authority::new(1);
        let desk = DeskId::of(&authority.root());
        self.host(&desk.to_text())?;
        let pair = hpke::key_pair(&[3; 32]).ok().context("intake key")?;
        let (day, mailbox) = (now().day() - CARD_AGE_DAYS, SecretKey::from_bytes([2; 32]));
        let card = authority.card(day, &mailbox, pair.public).encode();
        let answer = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(self.put(&format!("/v1/cards/{}", desk.to_text()), &card))?;
        ensure!(
            answer.starts_with("HTTP/1.1 201"),
            "the relay says {answer}"
        );
        Ok(format!("{}/#{}", self.url(), desk.to_text()))
    }

    async fn put(&self, path: &str, body: &[u8]) -> anyhow::Result<String> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(self.certificate())? {
            roots.add(certificate?)?;
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port()?)).await?;
        let name = ServerName::try_from("localhost")?;
        let mut stream = TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await?;
        let (host, length) = (self.url().trim_start_matches("https://"), body.len());
        let head = format!(
            "PUT {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(&[head.as_bytes(), body].concat()).await?;
        let mut answer = Vec::new();
        // A relay that closes without a goodbye has answered all the same.
        let _cut = stream.read_to_end(&mut answer).await;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

impl Client {
    /// Makes the invitations in her profile, made or used, older than they are.
    pub fn age_invitations(&self, by: Duration) -> anyhow::Result<()> {
        let passphrase = std::fs::read(self.passphrase_file())?;
        let (profile, state) = ProfileFolder::take(&self.profile())?.open(&passphrase)?;
        let (version, state) = state.split_first().context("empty state")?;
        let mut state: Value = ciborium::from_reader(state)?;
        let aged = age(&mut state, i128::try_from(by.as_millis())?, false);
        ensure!(aged > 0, "{} has no invitation", self.name());
        let mut bytes = vec![*version];
        ciborium::into_writer(&state, &mut bytes)?;
        Ok(profile.save(&bytes)?)
    }
}

/// Moves every `until` of an invitation into the past; returns how many there were.
fn age(value: &mut Value, millis: i128, is_of_invitation: bool) -> usize {
    match value {
        Value::Map(entries) => {
            let entries = entries.iter_mut();
            entries
                .map(|(key, value)| match (key.as_text(), &mut *value) {
                    (Some("until"), Value::Integer(until)) if is_of_invitation => {
                        let moved = i128::from(*until) - millis;
                        *until = u64::try_from(moved).unwrap_or_default().into();
                        1
                    }
                    (key, _) => {
                        let begins = matches!(key, Some("arrival" | "invitation"));
                        age(value, millis, is_of_invitation || begins)
                    }
                })
                .sum()
        }
        Value::Array(values) => {
            let values = values.iter_mut();
            values
                .map(|value| age(value, millis, is_of_invitation))
                .sum()
        }
        Value::Integer(_) | Value::Bytes(_) | Value::Text(_) | Value::Bool(_) | Value::Null | _ => {
            0
        }
    }
}
