//! First contact: intake, waiting, replies, claims, takings.

use super::{
    cbor::{Item, bytes, map, text, uint},
    desk::{Attested, attested, is_alias},
    signature::{PublicKey, holds, sign, signed},
    slot::{Data, Head, hash, pad, unpadded},
};

pub(crate) const INTAKE: usize = 2960;

/// An intake as the desk reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Intake {
    pub(crate) r: [u8; 32],
    pub(crate) person: PublicKey,
    pub(crate) language: String,
    pub(crate) kind: Item,
    pub(crate) text: String,
}

impl Intake {
    pub(crate) fn plaintext(&self) -> Vec<u8> {
        let item = map([
            ("r", bytes(self.r)),
            ("person", bytes(self.person)),
            ("language", text(&self.language)),
            ("kind", self.kind.clone()),
            ("text", text(&self.text)),
        ]);
        pad(&item.encode(), INTAKE)
    }

    pub(crate) fn parse(plaintext: &[u8]) -> Option<Self> {
        let item = Item::decode(&unpadded(plaintext, INTAKE)?)?;
        let [r, person, language, kind, text] =
            item.fields(["r", "person", "language", "kind", "text"])?;
        let intake = Self {
            r: r.array()?,
            person: person.array()?,
            language: language.text()?.to_owned(),
            kind: kind.clone(),
            text: text.text()?.to_owned(),
        };
        intake.kind_holds()?.then_some(intake)
    }

    fn kind_holds(&self) -> Option<bool> {
        if self.kind == text("first") {
            return Some(true);
        }
        match self.kind.choice()? {
            ("came-back" | "rescue", value) => {
                let [group, signature] = value.fields(["group", "signature"])?;
                let message = [&self.r, group.bytes()?];
                Some(holds(&self.person, "contact", &message, signature.bytes()?))
            }
            _ => None,
        }
    }
}

pub(crate) fn intake_info(desk: &[u8; 16], version: u32, day: u32) -> Vec<u8> {
    [
        b"cobijo/1 intake".as_slice(),
        desk,
        &version.to_be_bytes(),
        &day.to_be_bytes(),
    ]
    .concat()
}

pub(crate) fn waiting_info(r: &[u8; 32]) -> Vec<u8> {
    [b"cobijo/1 waiting".as_slice(), r].concat()
}

/// What stands in the waiting thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Waiting {
    KeyPackage(Vec<u8>),
    More(Vec<u8>),
    Newcomer { key: PublicKey, alias: String },
    Rescue(Item),
}

pub(crate) fn key_package(message: &[u8]) -> Vec<u8> {
    map([("key-package", bytes(message))]).encode()
}

pub(crate) fn more(sealed: &[u8]) -> Vec<u8> {
    map([("more", bytes(sealed))]).encode()
}

pub(crate) fn waiting(payload: &[u8], r: &[u8; 32]) -> Option<Waiting> {
    let item = Item::decode(payload)?;
    match item.choice()? {
        ("key-package", message) => Some(Waiting::KeyPackage(message.bytes()?.to_vec())),
        ("more", sealed) => Some(Waiting::More(sealed.bytes()?.to_vec())),
        ("newcomer", newcomer) => {
            let [key, alias, signature] = newcomer.fields(["key", "alias", "signature"])?;
            let (key, alias) = (key.array()?, alias.text()?);
            let holds = holds(&key, "newcomer", &[r, alias.as_bytes()], signature.bytes()?);
            (holds && is_alias(alias)).then(|| Waiting::Newcomer {
                key,
                alias: alias.to_owned(),
            })
        }
        ("rescue", statement) => Some(Waiting::Rescue(statement.clone())),
        _ => None,
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    Claimed {
        hash: [u8; 32],
        head: Head,
        by: Attested,
    },
    Offered {
        content: Vec<u8>,
        by: Attested,
    },
    NotThisOne(u64),
    Attested(Attested),
}

/// A reply that is valid by itself.
pub(crate) fn reply(
    payload: &[u8],
    r: &[u8; 32],
    root: &PublicKey,
    person: &PublicKey,
) -> Option<Reply> {
    let item = Item::decode(payload)?;
    match item.choice()? {
        ("claimed", value) => {
            let (hash, content, by) = signed_reply(value, r, root)?;
            match Data::parse(&content)? {
                Data::Head(head) if head.first.is_empty() => {
                    Some(Reply::Claimed { hash, head, by })
                }
                _ => None,
            }
        }
        ("offered", value) => {
            let (named, content, by) = signed_reply(value, r, root)?;
            (!content.is_empty() && hash(&[&content]) == named)
                .then_some(Reply::Offered { content, by })
        }
        ("not-this-one", value) => {
            let [index, signature] = value.fields(["index", "signature"])?;
            let index: u64 = index.uint()?;
            let message = [r.as_slice(), &index.to_be_bytes()];
            let holds = holds(person, "not this one", &message, signature.bytes()?);
            holds.then_some(Reply::NotThisOne(index))
        }
        ("attested", value) => Some(Reply::Attested(attested(
            value.fields(["attested"])?[0],
            root,
        )?)),
        _ => None,
    }
}

/// A reader of a reply thread: which reply stands.
pub(crate) struct ReplyThread {
    pub(crate) r: [u8; 32],
    pub(crate) root: PublicKey,
    pub(crate) person: PublicKey,
    /// Whether the intake asks for an offer.
    pub(crate) offers: bool,
    pub(crate) standing: Option<u64>,
}

impl ReplyThread {
    /// Takes the next payload; gives the reply, if it stands from now on.
    pub(crate) fn read(&mut self, index: u64, payload: &[u8]) -> Option<Reply> {
        let reply = reply(payload, &self.r, &self.root, &self.person)?;
        match (&reply, self.standing) {
            (Reply::Claimed { .. }, None) if !self.offers => {}
            (Reply::Offered { .. }, None) if self.offers => {}
            (Reply::NotThisOne(refused), Some(standing)) if *refused == standing => {
                self.standing = None;
                return None;
            }
            _ => return None,
        }
        self.standing = Some(index);
        Some(reply)
    }
}

pub(crate) fn not_this_one(seed: &[u8; 32], r: &[u8; 32], index: u64) -> Vec<u8> {
    let signature = sign(seed, "not this one", &[r, &index.to_be_bytes()]);
    let fields = map([("index", uint(index)), ("signature", bytes(signature))]);
    map([("not-this-one", fields)]).encode()
}

type SignedReply = ([u8; 32], Vec<u8>, Attested);

fn signed_reply(item: &Item, r: &[u8; 32], root: &PublicKey) -> Option<SignedReply> {
    let [hash, content, by, signature] = item.fields(["hash", "content", "by", "signature"])?;
    let (hash, by) = (hash.array()?, attested(by, root)?);
    let content = content.bytes()?.to_vec();
    let message = [r.as_slice(), &hash, &content];
    holds(&by.key, "reply", &message, signature.bytes()?).then_some((hash, content, by))
}

/// Who claims, if it holds at this index.
pub(crate) fn claim(
    payload: &[u8],
    r: &[u8; 32],
    index: u64,
    root: &PublicKey,
) -> Option<Attested> {
    let item = Item::decode(payload)?;
    let [by, signature] = item.fields(["by", "signature"])?;
    let by = attested(by, root)?;
    holds(
        &by.key,
        "claiming",
        &[r, &index.to_be_bytes()],
        signature.bytes()?,
    )
    .then_some(by)
}

/// Who takes a KeyPackage, and for whom.
pub(crate) fn taking(
    payload: &[u8],
    welcome: &[u8; 32],
    root: &PublicKey,
) -> Option<(Attested, PublicKey)> {
    let item = Item::decode(payload)?;
    let [by, person, signature] = item.fields(["by", "person", "signature"])?;
    let (by, person) = (attested(by, root)?, person.array()?);
    holds(&by.key, "taking", &[welcome, &person], signature.bytes()?).then_some((by, person))
}

/// A desk's next group: its number, its id, and who makes it.
pub(crate) fn succession(payload: &[u8], root: &PublicKey) -> Option<(u32, Vec<u8>, PublicKey)> {
    let body = signed(&Item::decode(payload)?, "succession", root)?;
    let [number, group, maker] = body.fields(["number", "group", "maker"])?;
    Some((number.uint()?, group.bytes()?.to_vec(), maker.array()?))
}
