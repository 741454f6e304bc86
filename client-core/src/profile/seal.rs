//! The sealed form of a state, version 1:
//!
//! ```text
//! header      "cobijo\0" ‖ version u8 ‖ memory KiB u32 BE ‖ passes u32 BE ‖ lanes u32 BE ‖ salt 16 ‖ check 16
//! file        header ‖ SHA-256(header)[..8] ‖ nonce 24 ‖ XChaCha20-Poly1305(key, nonce, aad = header, padded state)
//! key ‖ check Argon2id(passphrase, salt), 32 ‖ 16 bytes
//! padded      length u32 BE ‖ state ‖ zeros, to a multiple of 64 KiB
//! ```
//!
//! A part of a file is sealed alike, with "part" ‖ its name behind the header in aad, so that no part passes for another,
//! or for a state.
//!
//! The check tells a wrong passphrase from a damaged file; it helps nobody who guesses, since the tag
//! would tell the same.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const MAGIC: &[u8; 7] = b"cobijo\0";
const VERSION: u8 = 1;
const SALT_BYTES: usize = 16;
const CHECK_BYTES: usize = 16;
const KEY_BYTES: usize = 32;
const SUM_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;
const HEADER_BYTES: usize = MAGIC.len() + 1 + 3 * 4 + SALT_BYTES + CHECK_BYTES;
/// A size tells how much was said only in steps of this.
const PADDING_BYTES: usize = 64 * 1024;
/// Upper bounds of what a file may ask for: 1 GiB, and seconds, not hours.
const STRENGTH_MAX: Strength = Strength {
    memory_kib: 1024 * 1024,
    passes: 64,
    lanes: 16,
};

/// Parameters of Argon2id.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strength {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Strength {
    /// Above what OWASP asks for (19 MiB, 2 passes), and a quarter of a second on an old laptop.
    pub(super) const DEFAULT: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
        lanes: 1,
    };
    /// So that tests take no time.
    #[cfg(test)]
    pub(super) const LEAST: Self = Self {
        memory_kib: 8,
        passes: 1,
        lanes: 1,
    };
}

/// A passphrase's key, and the header it was derived for.
pub(super) struct Sealer {
    header: [u8; HEADER_BYTES],
    key: Zeroizing<[u8; KEY_BYTES]>,
}

/// Why a sealed state does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UnsealError {
    Damaged,
    Newer,
    WrongPassphrase,
}

impl Sealer {
    /// Derives the key of a new file.
    pub(super) fn new(
        passphrase: &[u8],
        salt: [u8; SALT_BYTES],
        strength: Strength,
    ) -> Result<Self, UnsealError> {
        let (key, check) = derive(passphrase, &salt, strength)?;
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend_from_slice(MAGIC);
        header.push(VERSION);
        for figure in [strength.memory_kib, strength.passes, strength.lanes] {
            header.extend_from_slice(&figure.to_be_bytes());
        }
        header.extend_from_slice(&salt);
        header.extend_from_slice(&*check);
        let header = header.try_into().map_err(|_| UnsealError::Damaged)?;
        Ok(Self { header, key })
    }

    /// Opens a file, and keeps its key for the next one.
    pub(super) fn unseal(
        passphrase: &[u8],
        sealed: &[u8],
    ) -> Result<(Self, Zeroizing<Vec<u8>>), UnsealError> {
        let (header, rest) = sealed.split_first_chunk().ok_or(UnsealError::Damaged)?;
        let (sum, rest) = rest.split_first_chunk().ok_or(UnsealError::Damaged)?;
        let (nonce, ciphertext) = rest.split_first_chunk().ok_or(UnsealError::Damaged)?;
        let (salt, strength, check) = parse(header, sum)?;
        let (key, derived) = derive(passphrase, &salt, strength)?;
        if !bool::from(derived.as_slice().ct_eq(&check)) {
            return Err(UnsealError::WrongPassphrase);
        }
        let sealer = Self {
            header: *header,
            key,
        };
        let state = sealer
            .open(&[], nonce, ciphertext)
            .ok_or(UnsealError::Damaged)?;
        Ok((sealer, state))
    }

    /// Seals a state into a file's bytes.
    pub(super) fn seal(
        &self,
        state: &[u8],
        nonce: [u8; NONCE_BYTES],
    ) -> Result<Vec<u8>, UnsealError> {
        self.seal_as(&[], state, nonce)
    }

    /// Seals what is kept beside the state, under a name that it opens by alone.
    pub(super) fn seal_part(
        &self,
        name: &str,
        part: &[u8],
        nonce: [u8; NONCE_BYTES],
    ) -> Result<Vec<u8>, UnsealError> {
        self.seal_as(&part_aad(name), part, nonce)
    }

    /// Opens what [`Self::seal_part`] sealed.
    pub(super) fn unseal_part(
        &self,
        name: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
        let rest = sealed
            .strip_prefix(&self.header)
            .ok_or(UnsealError::Damaged)?;
        let rest = rest.get(SUM_BYTES..).ok_or(UnsealError::Damaged)?;
        let (nonce, ciphertext) = rest.split_first_chunk().ok_or(UnsealError::Damaged)?;
        let part = self.open(&part_aad(name), nonce, ciphertext);
        part.ok_or(UnsealError::Damaged)
    }

    fn seal_as(
        &self,
        name: &[u8],
        state: &[u8],
        nonce: [u8; NONCE_BYTES],
    ) -> Result<Vec<u8>, UnsealError> {
        let padded = pad(state).ok_or(UnsealError::Damaged)?;
        let payload = Payload {
            msg: &padded,
            aad: &[&self.header[..], name].concat(),
        };
        let ciphertext = XChaCha20Poly1305::new((&*self.key).into())
            .encrypt(XNonce::from_slice(&nonce), payload)
            .map_err(|_| UnsealError::Damaged)?;
        Ok([&self.header[..], &sum(&self.header), &nonce, &ciphertext].concat())
    }

    fn open(
        &self,
        name: &[u8],
        nonce: &[u8; NONCE_BYTES],
        ciphertext: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let payload = Payload {
            msg: ciphertext,
            aad: &[&self.header[..], name].concat(),
        };
        let padded = XChaCha20Poly1305::new((&*self.key).into())
            .decrypt(XNonce::from_slice(nonce), payload)
            .map(Zeroizing::new)
            .ok()?;
        let (len, rest) = padded.split_first_chunk()?;
        let state = rest.get(..usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
        Some(Zeroizing::new(state.to_vec()))
    }
}

/// Salt, strength within bounds, and check of a header.
fn parse(
    header: &[u8; HEADER_BYTES],
    expected: &[u8; SUM_BYTES],
) -> Result<([u8; SALT_BYTES], Strength, [u8; CHECK_BYTES]), UnsealError> {
    let rest = header.strip_prefix(MAGIC).ok_or(UnsealError::Damaged)?;
    let (&[version], rest) = rest.split_first_chunk().ok_or(UnsealError::Damaged)?;
    if version > VERSION {
        return Err(UnsealError::Newer);
    }
    if version != VERSION || sum(header) != *expected {
        return Err(UnsealError::Damaged);
    }
    let (figures, rest) = rest.split_at_checked(12).ok_or(UnsealError::Damaged)?;
    let figure = |at: usize| {
        figures[at..at + 4]
            .iter()
            .fold(0, |figure, &byte| figure << 8 | u32::from(byte))
    };
    let strength = Strength {
        memory_kib: figure(0),
        passes: figure(4),
        lanes: figure(8),
    };
    let is_bounded = strength.memory_kib <= STRENGTH_MAX.memory_kib
        && strength.passes <= STRENGTH_MAX.passes
        && strength.lanes <= STRENGTH_MAX.lanes;
    let (salt, check) = rest
        .split_at_checked(SALT_BYTES)
        .ok_or(UnsealError::Damaged)?;
    match (is_bounded, salt.try_into(), check.try_into()) {
        (true, Ok(salt), Ok(check)) => Ok((salt, strength, check)),
        (_, _, _) => Err(UnsealError::Damaged),
    }
}

type Derived = (Zeroizing<[u8; KEY_BYTES]>, Zeroizing<[u8; CHECK_BYTES]>);

fn derive(
    passphrase: &[u8],
    salt: &[u8; SALT_BYTES],
    strength: Strength,
) -> Result<Derived, UnsealError> {
    let Strength {
        memory_kib,
        passes,
        lanes,
    } = strength;
    let params = Params::new(memory_kib, passes, lanes, Some(KEY_BYTES + CHECK_BYTES))
        .map_err(|_| UnsealError::Damaged)?;
    let mut output = Zeroizing::new([0; KEY_BYTES + CHECK_BYTES]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase, salt, output.as_mut_slice())
        .map_err(|_| UnsealError::Damaged)?;
    let (mut key, mut check) = Derived::default();
    key.copy_from_slice(&output[..KEY_BYTES]);
    check.copy_from_slice(&output[KEY_BYTES..]);
    Ok((key, check))
}

fn part_aad(name: &str) -> Vec<u8> {
    [b"part", name.as_bytes()].concat()
}

fn sum(header: &[u8; HEADER_BYTES]) -> [u8; SUM_BYTES] {
    let digest: [u8; 32] = Sha256::digest(header).into();
    std::array::from_fn(|at| digest[at])
}

fn pad(state: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let len = u32::try_from(state.len()).ok()?;
    let padded_len = (state.len() + 4).next_multiple_of(PADDING_BYTES);
    let mut padded = Zeroizing::new(Vec::with_capacity(padded_len));
    padded.extend_from_slice(&len.to_be_bytes());
    padded.extend_from_slice(state);
    padded.resize(padded_len, 0);
    Some(padded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_asks_for_more_than_the_bounds_is_not_obeyed() {
        let strength = Strength {
            memory_kib: u32::MAX,
            ..Strength::LEAST
        };
        let mut sealer = Sealer::new(b"words", [1; 16], Strength::LEAST).unwrap();
        sealer.header[8..12].copy_from_slice(&strength.memory_kib.to_be_bytes());
        let sealed = sealer.seal(b"state", [2; 24]).unwrap();
        let opened = Sealer::unseal(b"words", &sealed).map(|(_, state)| state);
        assert_eq!(opened.unwrap_err(), UnsealError::Damaged);
    }

    #[test]
    fn a_file_of_a_newer_program_is_named_as_such() {
        let mut sealer = Sealer::new(b"words", [1; 16], Strength::LEAST).unwrap();
        sealer.header[7] = 2;
        let sealed = sealer.seal(b"state", [2; 24]).unwrap();
        let opened = Sealer::unseal(b"words", &sealed).map(|(_, state)| state);
        assert_eq!(opened.unwrap_err(), UnsealError::Newer);
    }
}
