//! Slots: how the members of a thread find them, write them, erase them and seal what stands in them.
//!
//! An address is a hash of secrets that only members derive, so a relay can't link two slots. A slot
//! that may be erased has a mark with a known preimage; one that may not has a mark that is itself
//! derived, so that nobody knows a preimage: commits can't be erased by anyone. [S-1]–[S-6]

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{cell::Cell, fixed::byte_array, keys::IntakeSeed, limits::CELL_BYTES};

byte_array!(
    /// Where a slot is; reading needs nothing else.
    public Address, 32
);
byte_array!(
    /// What the address commits to beside the slot key.
    public Mark, 32
);
byte_array!(
    /// What must be shown to write.
    secret SlotKey, 32
);
byte_array!(
    /// Preimage of the mark of an erasable slot; showing it erases.
    secret EraseKey, 32
);
byte_array!(
    /// Secret of a thread, `K` in SPEC.
    secret ThreadSecret, 32
);

/// Bytes of the nonce before the ciphertext.
const NONCE_BYTES: usize = 24;
/// Bytes of the authentication tag behind it.
const TAG_BYTES: usize = 16;
/// Bytes sealed in a cell.
const PLAINTEXT_BYTES: usize = CELL_BYTES - NONCE_BYTES - TAG_BYTES;
/// Most data that one cell carries.
pub const CELL_DATA_MAX: usize = PLAINTEXT_BYTES - 2;

/// What a thread is for. [S-2]
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[repr(u8)]
pub enum Kind {
    /// A member's application messages.
    Message = 1,
    /// The commits of an epoch.
    Commit = 2,
    /// Further parts of what a head began.
    Body = 3,
    /// Answers to a waiting person.
    Reply = 4,
    /// What a waiting person adds.
    Waiting = 5,
    /// Who is about to answer her.
    Claim = 6,
    /// Who takes a colleague's KeyPackage.
    Taking = 7,
    /// Welcomes for one KeyPackage.
    Welcome = 8,
    /// What a return phrase finds.
    Capsule = 9,
}

impl Kind {
    /// Whether a slot of this kind has an erase key. A body is as its head. [S-3]
    pub fn is_erasable(self) -> bool {
        matches!(self, Self::Message | Self::Waiting | Self::Capsule)
    }
}

/// A slot as its thread's members know it.
#[derive(Clone, PartialEq, Eq)]
pub struct Slot {
    slot_key: SlotKey,
    seal_key: Zeroizing<[u8; 32]>,
    mark: Mark,
    erase_key: Option<EraseKey>,
    address: Address,
}

impl Slot {
    /// Derives the slot of `kind`, `leaf` and `counter` in the thread of `secret`. [S-1]
    pub fn derive(secret: &ThreadSecret, kind: Kind, leaf: u32, counter: u64) -> Self {
        Self::derive_as(secret, kind, leaf, counter, kind.is_erasable())
    }

    /// Derives body number `counter` of a head; a body is erasable as its head is. [S-5]
    pub fn derive_body(secret: &ThreadSecret, counter: u64, erasable: bool) -> Self {
        Self::derive_as(secret, Kind::Body, 0, counter, erasable)
    }

    fn derive_as(
        secret: &ThreadSecret,
        kind: Kind,
        leaf: u32,
        counter: u64,
        erasable: bool,
    ) -> Self {
        let expand = |label: &[u8]| -> [u8; 32] {
            let info = [
                b"cobijo/1 slot",
                &[kind as u8][..],
                &leaf.to_be_bytes(),
                &counter.to_be_bytes(),
            ]
            .concat();
            expand(secret.as_bytes(), &[label, &info])
        };
        let slot_key = SlotKey::from_bytes(expand(b"key"));
        let (mark, erase_key) = if erasable {
            let erase_key = EraseKey::from_bytes(expand(b"erase"));
            (erase_key.mark(), Some(erase_key))
        } else {
            (Mark::from_bytes(expand(b"keep")), None)
        };
        let address = slot_key.address(&mark);
        Self {
            slot_key,
            seal_key: Zeroizing::new(expand(b"seal")),
            mark,
            erase_key,
            address,
        }
    }

    /// Where the slot is.
    pub fn address(&self) -> Address {
        self.address
    }

    /// What must be shown to write.
    pub fn slot_key(&self) -> &SlotKey {
        &self.slot_key
    }

    /// What the address commits to beside the slot key.
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// What erases the slot, where it can be erased.
    pub fn erase_key(&self) -> Option<&EraseKey> {
        self.erase_key.as_ref()
    }

    /// Seals up to [`CELL_DATA_MAX`] bytes under a random nonce. [C-3]
    ///
    /// Several members may race for one slot with different plaintexts under one key, so the nonce
    /// must be random, or for Welcome heads and files [`Slot::seal_deterministic`].
    ///
    /// # Errors
    /// [`TooLong`] where `data` does not fit.
    pub fn seal(&self, data: &[u8], nonce: [u8; NONCE_BYTES]) -> Result<Cell, TooLong> {
        Ok(self.seal_plaintext(&plaintext(data)?, nonce))
    }

    /// Seals so that everyone who seals the same data writes the same cell:
    /// the nonce is `SHA-256(address ‖ plaintext)[..24]`. [C-4]
    ///
    /// # Errors
    /// [`TooLong`] where `data` does not fit.
    pub fn seal_deterministic(&self, data: &[u8]) -> Result<Cell, TooLong> {
        let plaintext = plaintext(data)?;
        let digest: [u8; 32] = Sha256::new()
            .chain_update(self.address.as_bytes())
            .chain_update(plaintext.as_slice())
            .finalize()
            .into();
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&digest[..NONCE_BYTES]);
        Ok(self.seal_plaintext(&plaintext, nonce))
    }

    fn seal_plaintext(&self, plaintext: &[u8], nonce: [u8; NONCE_BYTES]) -> Cell {
        let payload = Payload {
            msg: plaintext,
            aad: self.address.as_bytes(),
        };
        #[expect(
            clippy::expect_used,
            reason = "a plaintext of fixed, small length can't exceed the cipher's limit"
        )]
        let ciphertext = XChaCha20Poly1305::new((&*self.seal_key).into())
            .encrypt(XNonce::from_slice(&nonce), payload)
            .expect("plaintext within the cipher's limit");
        let mut bytes = [0; CELL_BYTES];
        bytes[..NONCE_BYTES].copy_from_slice(&nonce);
        bytes[NONCE_BYTES..].copy_from_slice(&ciphertext);
        Cell::from_bytes(bytes)
    }

    /// Opens a cell; `None` is void for everyone who can derive this slot. [C-5]
    pub fn open(&self, cell: &Cell) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, ciphertext) = cell.as_bytes().split_at(NONCE_BYTES);
        let payload = Payload {
            msg: ciphertext,
            aad: self.address.as_bytes(),
        };
        let plaintext = Zeroizing::new(
            XChaCha20Poly1305::new((&*self.seal_key).into())
                .decrypt(XNonce::from_slice(nonce), payload)
                .ok()?,
        );
        let (len, rest) = plaintext.split_at_checked(2)?;
        let len = usize::from(u16::from_be_bytes(len.try_into().ok()?));
        let (data, padding) = rest.split_at_checked(len)?;
        padding
            .iter()
            .all(|&byte| byte == 0)
            .then(|| Zeroizing::new(data.to_vec()))
    }
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

impl SlotKey {
    /// The address that this key and `mark` write. [S-4]
    pub fn address(&self, mark: &Mark) -> Address {
        let digest = Sha256::new()
            .chain_update(b"cobijo/1 address")
            .chain_update(self.as_bytes())
            .chain_update(mark.as_bytes())
            .finalize();
        Address::from_bytes(digest.into())
    }
}

impl EraseKey {
    /// The mark that this key is a preimage of.
    pub fn mark(&self) -> Mark {
        let digest = Sha256::new()
            .chain_update(b"cobijo/1 erase")
            .chain_update(self.as_bytes())
            .finalize();
        Mark::from_bytes(digest.into())
    }
}

/// Derives the thread secret of a claim from the intake key's X-Wing seed and the person's `r`. [S-6]
pub fn claim_secret(intake_seed: &IntakeSeed, r: &ThreadSecret) -> ThreadSecret {
    let info = [b"cobijo/1 claim".as_slice(), r.as_bytes()].concat();
    let mut okm = [0; 32];
    #[expect(
        clippy::expect_used,
        reason = "32 bytes are within HKDF's limit of 255 hashes"
    )]
    Hkdf::<Sha256>::new(None, intake_seed.as_bytes())
        .expand(&info, &mut okm)
        .expect("32 bytes within HKDF's limit");
    ThreadSecret::from_bytes(okm)
}

/// Derives the body secret of a file's part. [F-2]
pub(crate) fn file_part_secret(secret: &ThreadSecret, part: u32) -> ThreadSecret {
    let part = part.to_be_bytes();
    ThreadSecret::from_bytes(expand(secret.as_bytes(), &[b"cobijo/1 file", &part]))
}

/// Data does not fit what carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too long for what carries it")]
pub struct TooLong;

fn expand(prk: &[u8; 32], info: &[&[u8]]) -> [u8; 32] {
    let mut okm = [0; 32];
    #[expect(
        clippy::expect_used,
        reason = "a 32-byte key and 32 bytes of output are within HKDF's limits"
    )]
    Hkdf::<Sha256>::from_prk(prk)
        .expect("32 bytes are a pseudorandom key")
        .expand_multi_info(info, &mut okm)
        .expect("32 bytes within HKDF's limit");
    okm
}

fn plaintext(data: &[u8]) -> Result<Zeroizing<Vec<u8>>, TooLong> {
    let len = u16::try_from(data.len()).map_err(|_| TooLong)?;
    let mut plaintext = Zeroizing::new(vec![0; PLAINTEXT_BYTES]);
    plaintext[..2].copy_from_slice(&len.to_be_bytes());
    plaintext
        .get_mut(2..2 + data.len())
        .ok_or(TooLong)?
        .copy_from_slice(data);
    Ok(plaintext)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_in_its_own_slot() {
        let secret = ThreadSecret::from_bytes([7; 32]);
        let slot = Slot::derive(&secret, Kind::Message, 3, 9);
        let cell = slot.seal(b"hola", [1; 24]).unwrap();
        assert_eq!(slot.open(&cell).unwrap().as_slice(), b"hola");
        assert!(
            Slot::derive(&secret, Kind::Message, 3, 10)
                .open(&cell)
                .is_none()
        );
        assert!(slot.open(&Cell::void()).is_none());
        assert_eq!(slot.seal(&[0; CELL_DATA_MAX + 1], [1; 24]), Err(TooLong));
        assert!(slot.seal(&[0; CELL_DATA_MAX], [1; 24]).is_ok());
    }

    /// [S-3]
    #[test]
    fn only_erasable_kinds_have_an_erase_key() {
        let secret = ThreadSecret::from_bytes([7; 32]);
        assert!(
            Slot::derive(&secret, Kind::Commit, 0, 0)
                .erase_key()
                .is_none()
        );
        let slot = Slot::derive(&secret, Kind::Message, 0, 0);
        let erase_key = slot.erase_key().unwrap();
        assert_eq!(slot.slot_key().address(&erase_key.mark()), slot.address());
    }
}
