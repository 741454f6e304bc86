//! What the relay answers about slots that somebody's profile can name.

use std::sync::Arc;

use anyhow::{Context, bail};
use ciborium::Value;
use cobijo_client_core::profile::ProfileFolder;
use cobijo_protocol::{
    file::FileBodies,
    frame::{FromRelay, Operation, Outcome, SlotState, decode_from_relay, encode_operations},
    limits::{PROTOCOL_VERSION, WATCH_ADDRESSES_MAX},
    slot::{Address, EraseKey, SlotKey},
};
use futures_util::{SinkExt as _, StreamExt as _};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    version::TLS13,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{
    client_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use super::{Client, Relay};

/// Slots that a profile could erase now: what was said in its conversations, and what was written before.
pub fn named_slots(client: &Client) -> anyhow::Result<Vec<Address>> {
    let mut slots = Vec::new();
    collect(&state(client)?, false, &mut slots);
    Ok(slots)
}

fn state(client: &Client) -> anyhow::Result<Value> {
    let passphrase = std::fs::read(client.passphrase_file())?;
    let (_, state) = ProfileFolder::take(&client.profile())?.open(&passphrase)?;
    Ok(ciborium::from_reader(
        state.get(1..).context("empty state")?,
    )?)
}

/// Pairs of keys below whatever is kept to erase by.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "only containers hold anything"
)]
fn collect(value: &Value, is_kept: bool, slots: &mut Vec<Address>) {
    match value {
        Value::Map(entries) => {
            for (name, value) in entries {
                let erases = matches!(name.as_text(), Some("erase_keys" | "waited"));
                collect(value, is_kept || erases, slots);
            }
        }
        Value::Array(values) => match (is_kept, values.as_slice()) {
            (true, [Value::Bytes(slot_key), Value::Bytes(erase_key)]) => {
                let slot_key = SlotKey::try_from(slot_key.as_slice());
                let erase_key = EraseKey::try_from(erase_key.as_slice());
                if let (Ok(slot_key), Ok(erase_key)) = (slot_key, erase_key) {
                    slots.push(slot_key.address(&erase_key.mark()));
                }
            }
            _ => values
                .iter()
                .for_each(|value| collect(value, is_kept, slots)),
        },
        _ => {}
    }
}

/// Slots in which the files of its conversations stand.
pub fn file_slots(client: &Client) -> anyhow::Result<Vec<Address>> {
    let state = state(client)?;
    let mut bodies = Vec::new();
    collect_bodies(&state, &mut bodies);
    let slots = |bodies: &FileBodies| {
        let slots = (0..bodies.size.bodies()).filter_map(|index| bodies.slot(index));
        slots.map(|slot| slot.address()).collect::<Vec<_>>()
    };
    Ok(bodies.iter().flat_map(slots).collect())
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "only containers hold anything"
)]
fn collect_bodies(value: &Value, found: &mut Vec<FileBodies>) {
    match value {
        Value::Map(entries) => {
            for (name, value) in entries {
                if name.as_text() == Some("bodies")
                    && let Ok(bodies) = value.deserialized()
                    && !found.contains(&bodies)
                {
                    found.push(bodies);
                }
                collect_bodies(value, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect_bodies(value, found)),
        _ => {}
    }
}

impl Relay {
    /// What it answers about each of these slots.
    pub fn answers(&self, slots: &[Address]) -> anyhow::Result<Vec<SlotState>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let mut answers = Vec::new();
        for slots in slots.chunks(WATCH_ADDRESSES_MAX) {
            answers.extend(runtime.block_on(self.ask(slots))?);
        }
        Ok(answers)
    }

    async fn ask(&self, slots: &[Address]) -> anyhow::Result<Vec<SlotState>> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&std::fs::read(self.certificate())?) {
            roots.add(certificate?)?;
        }
        let config = ClientConfig::builder_with_protocol_versions(&[&TLS13])
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(("127.0.0.1", self.port()?)).await?;
        let name = ServerName::try_from("localhost")?;
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await?;
        let mut request =
            format!("wss://localhost:{}/v1/relay", self.port()?).into_client_request()?;
        let subprotocol = "cobijo.1".parse()?;
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", subprotocol);
        let (mut socket, _) = client_async(request, stream).await?;
        let asked = [
            Operation::Hello {
                version: PROTOCOL_VERSION,
            },
            Operation::Watch {
                addresses: slots.to_vec(),
            },
        ];
        socket
            .send(Message::binary(encode_operations(&asked)?))
            .await?;
        while let Some(message) = socket.next().await {
            let Message::Binary(frame) = message? else {
                continue;
            };
            if let FromRelay::Answer(outcomes) = decode_from_relay(&frame)? {
                let Some(Outcome::Watching(states)) = outcomes.into_iter().nth(1) else {
                    bail!("no answer about the slots");
                };
                return Ok(states);
            }
        }
        bail!("the relay closed the connection")
    }
}
