//! Desks: ids, links, words, attested keys and cards.

use data_encoding::BASE64URL_NOPAD;

use super::{
    cbor::Item,
    signature::{PublicKey, signed, unverified},
    slot::hash,
};

const POSTERS_MAX: usize = 50;
const INTAKE_KEY: usize = 1216;
const CARD_MAX: usize = 8192;

pub(crate) fn desk_id(root: &PublicKey) -> [u8; 16] {
    hash(&[b"cobijo/1 desk", root])[..16].try_into().unwrap()
}

pub(crate) fn desk_text(id: &[u8; 16]) -> String {
    BASE64URL_NOPAD.encode(id)
}

/// A desk's link, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) desk: [u8; 16],
}

impl Link {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (relay, desk) = text.trim().strip_prefix("https://")?.split_once('#')?;
        let relay = relay.strip_suffix('/').unwrap_or(relay);
        let (host, port) = match relay.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            _ => (relay, 443),
        };
        Some(Self {
            host: host.to_lowercase(),
            port,
            desk: BASE64URL_NOPAD
                .decode(desk.as_bytes())
                .ok()?
                .try_into()
                .ok()?,
        })
    }
}

/// Root key and r of an invite.
pub(crate) fn parse_invite(text: &str) -> Option<([u8; 32], [u8; 32])> {
    let (_, secret) = text.trim().split_once("#i.")?;
    let secret = BASE64URL_NOPAD.decode(secret.as_bytes()).ok()?;
    let (root, r) = secret.split_first_chunk()?;
    Some((*root, r.try_into().ok()?))
}

/// The first 66 bits, 11 a word.
pub(crate) fn words(hash: &[u8; 32]) -> [u64; 6] {
    let bits = hash[..9]
        .iter()
        .fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
    std::array::from_fn(|word| (bits >> (72 - 11 * (word + 1)) & 0x7ff) as u64)
}

pub(crate) fn invite_words(r: &[u8; 32], newcomer: &PublicKey, inviter: &PublicKey) -> [u64; 6] {
    words(&hash(&[b"cobijo/1 words", r, newcomer, inviter]))
}

pub(crate) fn conversation_code(epoch_authenticator: &[u8]) -> [u64; 6] {
    words(&hash(&[b"cobijo/1 code", epoch_authenticator]))
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeskKey {
    pub(crate) key: PublicKey,
    pub(crate) serial: u32,
    pub(crate) not_after: u32,
}

/// A signed<desk-key> of a root.
pub(crate) fn desk_key(item: &Item, root: &PublicKey) -> Option<DeskKey> {
    let body = signed(item, "desk key", root)?;
    let [named, key, serial, not_after] = body.fields(["root", "key", "serial", "not_after"])?;
    let key = DeskKey {
        key: key.array()?,
        serial: serial.uint()?,
        not_after: not_after.uint()?,
    };
    (named.bytes()? == root).then_some(key)
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attested {
    pub(crate) alias: String,
    pub(crate) is_coordinator: bool,
    pub(crate) key: PublicKey,
    pub(crate) serial: u32,
    pub(crate) not_after: u32,
    pub(crate) desk_serial: u32,
}

/// An attested key under a root.
pub(crate) fn attested(item: &Item, root: &PublicKey) -> Option<Attested> {
    let [desk, attestation] = item.fields(["desk_key", "attestation"])?;
    let desk = desk_key(desk, root)?;
    let body = signed(attestation, "attestation", &desk.key)?;
    let [alias, role, key, not_after, serial] =
        body.fields(["alias", "role", "key", "not_after", "serial"])?;
    let is_coordinator = match role.text()? {
        "accompanier" | "digital-security" | "lawyer" | "psychologist" => false,
        "coordinator" => true,
        _ => return None,
    };
    let alias = alias.text().filter(|alias| is_alias(alias))?.to_owned();
    Some(Attested {
        alias,
        is_coordinator,
        key: key.array()?,
        serial: serial.uint()?,
        not_after: not_after.uint()?,
        desk_serial: desk.serial,
    })
}

pub(crate) fn is_alias(alias: &str) -> bool {
    let is_direction = |c| matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    (1..=64).contains(&alias.len())
        && !alias
            .chars()
            .any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || is_direction(c))
}

/// What a person needs of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Card {
    pub(crate) root: PublicKey,
    pub(crate) desk_serial: u32,
    pub(crate) version: u32,
    pub(crate) day: u32,
    pub(crate) mailbox: PublicKey,
    pub(crate) intake_key: Vec<u8>,
    pub(crate) posters: Vec<PublicKey>,
}

impl Card {
    /// Whether somebody attested is of the desk on this day.
    pub(crate) fn lists(&self, who: &Attested, day: u32) -> bool {
        self.posters.contains(&who.key)
            && who.not_after >= day
            && who.desk_serial >= self.desk_serial
    }
}

/// A card of this desk.
pub(crate) fn card(cbor: &[u8], desk: &[u8; 16]) -> Option<Card> {
    let item = Item::decode(cbor).filter(|_| cbor.len() <= CARD_MAX)?;
    let [key, card, daily] = item.fields(["desk_key", "card", "daily"])?;
    let root = unverified(key)?.fields(["root", "key", "serial", "not_after"])?[0].array()?;
    let key = desk_key(key, &root).filter(|_| desk_id(&root) == *desk)?;
    let body = signed(card, "card", &key.key)?;
    let [
        version,
        name,
        about,
        hours,
        opening,
        wait,
        languages,
        posters,
    ] = body.fields([
        "version",
        "name",
        "about",
        "hours",
        "opening",
        "wait_minutes",
        "languages",
        "posters",
    ])?;
    for text in [name, about, hours] {
        let [es, en] = text.fields(["es", "en"])?;
        es.text().and(en.text())?;
    }
    is_opening(opening)?.then_some(())?;
    let [from, to] = wait.list()? else {
        return None;
    };
    from.uint::<u16>().and(to.uint::<u16>())?;
    languages
        .list()?
        .iter()
        .all(|tag| tag.text().is_some())
        .then_some(())?;
    let posters: Vec<PublicKey> = posters
        .list()?
        .iter()
        .map(Item::array)
        .collect::<Option<_>>()?;
    let version: u32 = version.uint()?;
    let (day, poster, mailbox, intake_key) = daily_part(daily, desk, key.serial, version)?;
    let good = posters.len() <= POSTERS_MAX && posters.contains(&poster);
    good.then_some(Card {
        root,
        desk_serial: key.serial,
        version,
        day,
        mailbox,
        intake_key,
        posters,
    })
}

fn is_opening(opening: &Item) -> Option<bool> {
    let [zone, week, paused] = opening.fields(["zone", "week", "paused"])?;
    let zone = zone.text()?;
    let letters = zone
        .bytes()
        .all(|c| c.is_ascii_alphanumeric() || b"_/+-".contains(&c));
    let mut before = None;
    let mut good = letters && zone.len() <= 64 && matches!(paused, Item::Bool(_));
    for span in week.list()? {
        let [day, from, to] = span.fields(["day", "from", "to"])?;
        let (day, from, to): (u8, u16, u16) = (day.uint()?, from.uint()?, to.uint()?);
        good &= day < 7 && from < to && to <= 1440 && before < Some((day, from));
        before = Some((day, to));
    }
    let spans = week.list()?.len();
    Some(good && spans <= 21 && zone.is_empty() == (spans == 0))
}

type Daily = (u32, PublicKey, PublicKey, Vec<u8>);

fn daily_part(daily: &Item, desk: &[u8; 16], serial: u32, version: u32) -> Option<Daily> {
    const FIELDS: [&str; 7] = [
        "desk",
        "desk_serial",
        "version",
        "day",
        "mailbox",
        "intake_key",
        "poster",
    ];
    let poster: PublicKey = unverified(daily)?.fields(FIELDS)?[6].array()?;
    let body = signed(daily, "daily", &poster)?;
    let [named, of_serial, of_version, day, mailbox, intake_key, _] = body.fields(FIELDS)?;
    let good = named.bytes()? == desk
        && of_serial.uint::<u32>()? == serial
        && of_version.uint::<u32>()? == version
        && intake_key.bytes()?.len() == INTAKE_KEY;
    good.then_some((
        day.uint()?,
        poster,
        mailbox.array()?,
        intake_key.bytes()?.to_vec(),
    ))
}
