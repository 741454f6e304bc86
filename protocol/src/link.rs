//! Links: the address of a desk, and invitations to it. Secrets stand in the URL fragment, which no
//! browser sends. [K-7]

use data_encoding::BASE64URL_NOPAD as BASE64;
use sha2::{Digest, Sha256};

use crate::{fixed::byte_array, keys::PublicKey, slot::ThreadSecret};

byte_array!(
    /// Names a desk: a hash of its root key.
    public DeskId, 16
);

impl DeskId {
    /// `SHA-256("cobijo/1 desk" ‖ root)[..16]`.
    pub fn of(root: &PublicKey) -> Self {
        let digest: [u8; 32] = Sha256::new()
            .chain_update(b"cobijo/1 desk")
            .chain_update(root.as_bytes())
            .finalize()
            .into();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        Self::from_bytes(id)
    }

    /// Text form, as in links and in the relay's configuration.
    pub fn to_text(self) -> String {
        BASE64.encode(self.as_bytes())
    }

    /// Parses the text form.
    ///
    /// # Errors
    /// [`BadLink`] for anything else.
    pub fn from_text(text: &str) -> Result<Self, BadLink> {
        decode(text)?.as_slice().try_into().map_err(|_| BadLink)
    }
}

/// Where a relay is: what the person, or her link, dials.
#[derive(
    Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize,
)]
pub struct RelayUrl {
    host: String,
    port: u16,
}

impl RelayUrl {
    /// Parses `https://host` or `https://host:port`, an optional `/` behind it.
    ///
    /// # Errors
    /// [`BadLink`] for anything else.
    pub fn parse(text: &str) -> Result<Self, BadLink> {
        let authority = text.strip_prefix("https://").ok_or(BadLink)?;
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !host.ends_with(':') && !port.ends_with(']') => (
                host,
                port.parse().ok().filter(|&port| port != 0).ok_or(BadLink)?,
            ),
            _ => (authority, 443),
        };
        let allowed =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '[' | ']' | ':');
        if host.is_empty() || host.len() > 253 || !host.chars().all(allowed) {
            return Err(BadLink);
        }
        Ok(Self {
            host: host.to_ascii_lowercase(),
            port,
        })
    }

    /// Lower case, without port: what `Open` signs.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl std::fmt::Display for RelayUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.port {
            443 => write!(f, "https://{}", self.host),
            port => write!(f, "https://{}:{port}", self.host),
        }
    }
}

/// What a person with nothing else needs: `https://host/#desk`.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct DeskLink {
    /// Where the desk's relay is.
    pub relay: RelayUrl,
    /// Which desk.
    pub desk: DeskId,
}

impl DeskLink {
    /// Parses a link.
    ///
    /// # Errors
    /// [`BadLink`] for anything else.
    pub fn parse(text: &str) -> Result<Self, BadLink> {
        let (relay, desk) = text.trim().split_once('#').ok_or(BadLink)?;
        Ok(Self {
            relay: RelayUrl::parse(relay)?,
            desk: DeskId::from_text(desk)?,
        })
    }
}

impl std::fmt::Display for DeskLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/#{}", self.relay, self.desk.to_text())
    }
}

/// A single-use invitation into a desk: `https://host/#i.` and base64url of root ‖ r.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Invite {
    /// Where the desk's relay is.
    pub relay: RelayUrl,
    /// The desk's root key.
    pub root: PublicKey,
    /// Secret of the threads that newcomer and inviter meet in.
    pub r: ThreadSecret,
}

impl Invite {
    /// Parses an invitation.
    ///
    /// # Errors
    /// [`BadLink`] for anything else.
    pub fn parse(text: &str) -> Result<Self, BadLink> {
        let (relay, secret) = text.trim().split_once("#i.").ok_or(BadLink)?;
        let bytes = decode(secret)?;
        let (root, r) = bytes.split_at_checked(PublicKey::LEN).ok_or(BadLink)?;
        Ok(Self {
            relay: RelayUrl::parse(relay)?,
            root: root.try_into().map_err(|_| BadLink)?,
            r: r.try_into().map_err(|_| BadLink)?,
        })
    }

    /// Text form. Whoever has it can ask to join, so it isn't `Display`.
    pub fn to_text(&self) -> String {
        let secret = [self.root.as_bytes().as_slice(), self.r.as_bytes()].concat();
        format!("{}/#i.{}", self.relay, BASE64.encode(&secret))
    }
}

/// Text is no link of the expected kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a link of the expected kind")]
pub struct BadLink;

fn decode(text: &str) -> Result<Vec<u8>, BadLink> {
    BASE64.decode(text.as_bytes()).map_err(|_| BadLink)
}
