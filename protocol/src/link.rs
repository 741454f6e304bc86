//! Links: the address of a desk, and invitations to it. Secrets stand in the URL fragment, which no
//! browser sends. [K-7]

use std::net::Ipv6Addr;

use data_encoding::BASE64URL_NOPAD as BASE64;
use sha2::{Digest, Sha256};

use crate::{fixed::byte_array, keys::PublicKey, slot::ThreadSecret};

/// Port that a link leaves out.
const HTTPS_PORT: u16 = 443;
/// Longest DNS name (RFC 1035).
const DNS_NAME_BYTES_MAX: usize = 253;
/// Longest label of one.
const DNS_LABEL_BYTES_MAX: usize = 63;

byte_array!(
    /// Names a desk: a hash of its root key.
    public DeskId, 16
);

impl DeskId {
    /// `SHA-256("cobijo/1 desk" ‖ root)[..16]`. [K-5]
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
#[serde(into = "String", try_from = "String")]
pub struct RelayUrl {
    host: String,
    port: u16,
}

impl RelayUrl {
    /// Parses `https://host` or `https://host:port`, an optional `/` behind it. The host is a DNS
    /// name in ASCII, an IPv4 address, or an IPv6 address in brackets. [K-8]
    ///
    /// # Errors
    /// [`BadLink`] for anything else.
    pub fn parse(text: &str) -> Result<Self, BadLink> {
        let authority = text.strip_prefix("https://").ok_or(BadLink)?;
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let host_end = authority.find(']').map_or(0, |bracket| bracket + 1);
        let (host, port) = match authority[host_end..].find(':') {
            Some(colon) => {
                let (host, port) = authority.split_at(host_end + colon);
                (host, parse_port(&port[1..])?)
            }
            None => (authority, HTTPS_PORT),
        };
        Ok(Self {
            host: parse_host(host)?,
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
            HTTPS_PORT => write!(f, "https://{}", self.host),
            port => write!(f, "https://{}:{port}", self.host),
        }
    }
}

impl From<RelayUrl> for String {
    fn from(url: RelayUrl) -> Self {
        url.to_string()
    }
}

impl TryFrom<String> for RelayUrl {
    type Error = BadLink;

    fn try_from(text: String) -> Result<Self, BadLink> {
        Self::parse(&text)
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

fn parse_port(text: &str) -> Result<u16, BadLink> {
    let is_plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().map_err(|_| BadLink)?;
    if is_plain { Ok(port) } else { Err(BadLink) }
}

/// The host in lower case; an IPv6 address in its shortest form, with its brackets.
fn parse_host(text: &str) -> Result<String, BadLink> {
    if let Some(address) = text.strip_prefix('[') {
        let address = address.strip_suffix(']').ok_or(BadLink)?;
        let address: Ipv6Addr = address.parse().map_err(|_| BadLink)?;
        return Ok(format!("[{address}]"));
    }
    let is_label = |label: &str| {
        (1..=DNS_LABEL_BYTES_MAX).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if text.len() <= DNS_NAME_BYTES_MAX && text.split('.').all(is_label) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(BadLink)
    }
}

fn decode(text: &str) -> Result<Vec<u8>, BadLink> {
    BASE64.decode(text.as_bytes()).map_err(|_| BadLink)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relay_urls_have_one_form() {
        for (text, form) in [
            ("https://Relay.Example", "https://relay.example"),
            ("https://relay.example/", "https://relay.example"),
            ("https://relay.example:443", "https://relay.example"),
            ("https://relay.example:8443/", "https://relay.example:8443"),
            ("https://127.0.0.1:1", "https://127.0.0.1:1"),
            ("https://[::1]", "https://[::1]"),
            ("https://[0:0::1]:8443", "https://[::1]:8443"),
        ] {
            let url = RelayUrl::parse(text).unwrap();
            assert_eq!(url.to_string(), form, "{text}");
            assert_eq!(RelayUrl::parse(form), Ok(url));
        }
        assert_eq!(
            RelayUrl::parse("https://[::1]:8443").unwrap().host(),
            "[::1]"
        );
    }

    /// [K-8]
    #[test]
    fn what_is_no_relay_url_is_refused() {
        for text in [
            "",
            "https://",
            "https:///",
            "http://relay.example",
            "relay.example",
            "HTTPS://relay.example",
            "https://relay.example:",
            "https://relay.example:0",
            "https://relay.example:+443",
            "https://relay.example:0443",
            "https://relay.example:65536",
            "https://relay.example:1:2",
            "https://relay.example//",
            "https://relay.example/path",
            "https://user@relay.example",
            "https://relay.example?query",
            "https://relay..example",
            "https://relay.example.",
            "https://-relay.example",
            "https://relay-.example",
            "https://relay_1.example",
            "https://réseau.example",
            "https://::1",
            "https://[::1",
            "https://::1]",
            "https://[::1]x",
            "https://[]",
            "https://[::1]]:443",
            "https://[relay.example]",
        ] {
            assert_eq!(RelayUrl::parse(text), Err(BadLink), "{text}");
        }
        let long = format!("https://{}", ["a"; 128].join("."));
        assert_eq!(RelayUrl::parse(&long), Err(BadLink));
        let long_label = format!("https://{}", "a".repeat(64));
        assert_eq!(RelayUrl::parse(&long_label), Err(BadLink));
    }

    #[test]
    fn a_link_is_no_invite_and_an_invite_no_link() {
        let relay = RelayUrl::parse("https://relay.example").unwrap();
        let root = PublicKey::from_bytes([3; 32]);
        let link = DeskLink {
            relay: relay.clone(),
            desk: DeskId::of(&root),
        };
        let invite = Invite {
            relay,
            root,
            r: ThreadSecret::from_bytes([4; 32]),
        };
        assert_eq!(DeskLink::parse(&format!(" {link}\n")), Ok(link.clone()));
        assert_eq!(Invite::parse(&invite.to_text()), Ok(invite.clone()));
        assert_eq!(Invite::parse(&link.to_string()), Err(BadLink));
        assert_eq!(DeskLink::parse(&invite.to_text()), Err(BadLink));
        let longer = format!("{link}A");
        assert_eq!(DeskLink::parse(&longer[..longer.len() - 2]), Err(BadLink));
        assert_eq!(DeskLink::parse(&longer), Err(BadLink));
        assert_eq!(
            Invite::parse(&format!("{}A", invite.to_text())),
            Err(BadLink)
        );
    }

    #[test]
    fn a_debugged_invite_shows_no_secret() {
        let invite = Invite {
            relay: RelayUrl::parse("https://relay.example").unwrap(),
            root: PublicKey::from_bytes([3; 32]),
            r: ThreadSecret::from_bytes([4; 32]),
        };
        assert_eq!(
            format!("{invite:?}"),
            "Invite { relay: RelayUrl { host: \"relay.example\", port: 443 }, \
             root: PublicKey { .. }, r: ThreadSecret { .. } }"
        );
    }
}
