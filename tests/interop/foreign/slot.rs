//! Slots, cells, heads and bodies.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};

pub(crate) const CELL: usize = 4096;
pub(crate) const VOID: [u8; CELL] = [0; CELL];
const PLAINTEXT: usize = 4056;
const DATA_MAX: usize = 4054;
const BODY_PART: usize = 4053;
const HEAD_PART: usize = 4017;
const BODIES_MAX: usize = 64;

pub(crate) const MESSAGE: u8 = 1;
pub(crate) const COMMIT: u8 = 2;
pub(crate) const BODY: u8 = 3;
pub(crate) const REPLY: u8 = 4;
pub(crate) const WAITING: u8 = 5;
pub(crate) const WELCOME: u8 = 8;
const CAPSULE: u8 = 9;

type Key = [u8; 32];

/// A numbered sequence of slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Thread {
    pub(crate) secret: Key,
    pub(crate) kind: u8,
    pub(crate) leaf: u32,
    erasable: bool,
}

/// What is derived for one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) key: Key,
    pub(crate) seal: Key,
    pub(crate) erase: Option<Key>,
    pub(crate) mark: Key,
    pub(crate) address: Key,
    kind: u8,
}

impl Thread {
    pub(crate) fn new(secret: Key, kind: u8, leaf: u32) -> Self {
        let erasable = matches!(kind, MESSAGE | WAITING | CAPSULE);
        Self {
            secret,
            kind,
            leaf,
            erasable,
        }
    }

    /// Bodies of a head; erasable if the head is.
    pub(crate) fn bodies(secret: Key, erasable: bool) -> Self {
        Self {
            secret,
            kind: BODY,
            leaf: 0,
            erasable,
        }
    }

    pub(crate) fn is_erasable(&self) -> bool {
        self.erasable
    }

    pub(crate) fn slot(&self, counter: u64) -> Slot {
        let info = [
            b"cobijo/1 slot".as_slice(),
            &[self.kind],
            &self.leaf.to_be_bytes(),
            &counter.to_be_bytes(),
        ]
        .concat();
        let expand = |what: &str| -> Key {
            let mut out = [0; 32];
            let hkdf = Hkdf::<Sha256>::from_prk(&self.secret).unwrap();
            hkdf.expand(&[what.as_bytes(), &info].concat(), &mut out)
                .unwrap();
            out
        };
        let key = expand("key");
        let erase = self.erasable.then(|| expand("erase"));
        let mark = match erase {
            Some(erase) => hash(&[b"cobijo/1 erase", &erase]),
            None => expand("keep"),
        };
        Slot {
            key,
            seal: expand("seal"),
            erase,
            mark,
            address: hash(&[b"cobijo/1 address", &key, &mark]),
            kind: self.kind,
        }
    }
}

/// The claim secret of an intake.
pub(crate) fn claim_secret(seed: &Key, r: &Key) -> Key {
    let mut out = [0; 32];
    let hkdf = Hkdf::<Sha256>::new(None, seed);
    hkdf.expand(&[b"cobijo/1 claim".as_slice(), r].concat(), &mut out)
        .unwrap();
    out
}

impl Slot {
    pub(crate) fn seal(&self, data: &[u8]) -> Vec<u8> {
        if self.kind == WELCOME {
            return self.seal_with(&self.welcome_nonce(data), data);
        }
        self.seal_with(&random(), data)
    }

    /// In slots of kind 8 everyone writes the same cell.
    fn welcome_nonce(&self, data: &[u8]) -> [u8; 24] {
        hash(&[&self.address, &padded(data)])[..24]
            .try_into()
            .unwrap()
    }

    pub(crate) fn seal_with(&self, nonce: &[u8; 24], data: &[u8]) -> Vec<u8> {
        let payload = Payload {
            msg: &padded(data),
            aad: &self.address,
        };
        let sealed = self.cipher().encrypt(nonce.into(), payload).unwrap();
        [nonce.as_slice(), &sealed].concat()
    }

    /// The data in a cell, if it isn't void.
    pub(crate) fn open(&self, cell: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = cell.split_at_checked(24)?;
        let payload = Payload {
            msg: sealed,
            aad: &self.address,
        };
        let plaintext = self.cipher().decrypt(nonce.into(), payload).ok()?;
        opened(&plaintext)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.seal.into())
    }
}

fn padded(data: &[u8]) -> Vec<u8> {
    assert!(data.len() <= DATA_MAX);
    pad(data, PLAINTEXT)
}

/// The data in a cell's plaintext.
pub(crate) fn opened(plaintext: &[u8]) -> Option<Vec<u8>> {
    unpadded(plaintext, PLAINTEXT)
}

/// length u16 BE ‖ data ‖ zeros
pub(crate) fn pad(data: &[u8], length: usize) -> Vec<u8> {
    let mut plaintext = u16::try_from(data.len()).unwrap().to_be_bytes().to_vec();
    plaintext.extend(data);
    assert!(plaintext.len() <= length);
    plaintext.resize(length, 0);
    plaintext
}

pub(crate) fn unpadded(plaintext: &[u8], length: usize) -> Option<Vec<u8>> {
    let (count, rest) = plaintext.split_first_chunk()?;
    let (data, zeros) = rest.split_at_checked(u16::from_be_bytes(*count).into())?;
    (plaintext.len() == length && zeros.iter().all(|byte| *byte == 0)).then(|| data.to_vec())
}

/// What a slot that is no body says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Data {
    Whole(Vec<u8>),
    Head(Head),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) total: usize,
    pub(crate) secret: Key,
    pub(crate) first: Vec<u8>,
}

impl Data {
    pub(crate) fn parse(data: &[u8]) -> Option<Self> {
        match data.split_first()? {
            (0, payload) => Some(Self::Whole(payload.to_vec())),
            (1, rest) => {
                let (total, rest) = rest.split_first_chunk()?;
                let (secret, first) = rest.split_first_chunk()?;
                let head = Head {
                    total: u32::from_be_bytes(*total).try_into().ok()?,
                    secret: *secret,
                    first: first.to_vec(),
                };
                head.is_sound().then_some(Self::Head(head))
            }
            _ => None,
        }
    }
}

impl Head {
    fn is_sound(&self) -> bool {
        matches!(self.first.len(), 0 | HEAD_PART)
            && self.total > self.first.len()
            && self.bodies() <= BODIES_MAX
    }

    pub(crate) fn bodies(&self) -> usize {
        (self.total - self.first.len()).div_ceil(BODY_PART)
    }

    /// The part in body `index`, unless it is void.
    pub(crate) fn part(&self, index: usize, data: &[u8]) -> Option<Vec<u8>> {
        let (0, part) = data.split_first()? else {
            return None;
        };
        let left = self.total - self.first.len() - index * BODY_PART;
        (part.len() == left.min(BODY_PART)).then(|| part.to_vec())
    }

    pub(crate) fn data(&self) -> Vec<u8> {
        let total = u32::try_from(self.total).unwrap().to_be_bytes();
        [&[1], total.as_slice(), &self.secret, &self.first].concat()
    }
}

/// A payload as the data of its slot and of its bodies.
pub(crate) fn split(payload: &[u8], secret: Key) -> (Vec<u8>, Vec<Vec<u8>>) {
    if payload.len() <= BODY_PART {
        return ([&[0], payload].concat(), Vec::new());
    }
    head(payload, HEAD_PART, secret)
}

/// A Welcome's payload: all of it in bodies.
pub(crate) fn split_welcome(payload: &[u8], secret: Key) -> (Vec<u8>, Vec<Vec<u8>>) {
    head(payload, 0, secret)
}

fn head(payload: &[u8], first: usize, secret: Key) -> (Vec<u8>, Vec<Vec<u8>>) {
    let (first, rest) = payload.split_at(first);
    let head = Head {
        total: payload.len(),
        secret,
        first: first.to_vec(),
    };
    let bodies = rest.chunks(BODY_PART).map(|part| [&[0], part].concat());
    (head.data(), bodies.collect())
}

pub(crate) fn hash(parts: &[&[u8]]) -> Key {
    Sha256::digest(parts.concat()).into()
}

pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}
