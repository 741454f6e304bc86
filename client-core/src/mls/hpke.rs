//! HPKE (RFC 9180) base mode with X-Wing, HKDF-SHA256 and AES-128-GCM: as in MLS suite 0x004F, and by
//! the same code. [I-3]

use openmls::{
    prelude::tls_codec::{DeserializeBytes as _, Serialize as _, VLBytes},
    treesync::EncryptionKey,
};
use openmls_rust_crypto::RustCrypto;
use openmls_traits::{
    crypto::OpenMlsCrypto,
    types::{HpkeAeadType, HpkeCiphertext, HpkeConfig, HpkeKdfType, HpkeKemType},
};
use zeroize::Zeroizing;

use super::{MlsError, Suite, state::guard};
use cobijo_protocol::intake::ENCAPSULATION_BYTES;

const CONFIG: HpkeConfig = HpkeConfig(
    HpkeKemType::XWingKemDraft6,
    HpkeKdfType::HkdfSha256,
    HpkeAeadType::AesGcm128,
);

const ML_KEM_NUMBERS_BYTES: usize = 1152;
const ML_KEM_SEED_BYTES: usize = 32;
const ML_KEM_MODULUS: u16 = 3329;

/// All X25519 keys whose exchange gives zero, whatever the other side's key.
const SMALL_ORDER: [[u8; 32]; 7] = {
    const fn ended(first: u8, inner: u8, last: u8) -> [u8; 32] {
        let mut key = [inner; 32];
        (key[0], key[31]) = (first, last);
        key
    }
    [
        [0; 32],
        ended(1, 0, 0),
        [
            0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f,
            0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16,
            0x5f, 0x49, 0xb8, 0x00,
        ],
        [
            0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83,
            0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd,
            0xd0, 0x9f, 0x11, 0x57,
        ],
        ended(0xec, 0xff, 0x7f),
        ended(0xed, 0xff, 0x7f),
        ended(0xee, 0xff, 0x7f),
    ]
};

/// An X-Wing key pair: the private key is its 32-byte seed.
pub struct KeyPair {
    /// Public key, 1,216 bytes.
    pub public: Vec<u8>,
    /// Private key: what [`open`] takes.
    pub private: Zeroizing<Vec<u8>>,
}

/// Derives a key pair from 32 random bytes (RFC 9180 §7.1.3).
///
/// # Errors
/// [`MlsError`] where the crypto provider fails.
pub fn key_pair(seed: &[u8; 32]) -> Result<KeyPair, MlsError> {
    let pair = RustCrypto::default()
        .derive_hpke_keypair(CONFIG, seed)
        .map_err(|_| MlsError)?;
    Ok(KeyPair {
        public: pair.public,
        private: Zeroizing::new(pair.private.to_vec()),
    })
}

/// Seals `plaintext`: encapsulation (1,120 bytes) ‖ ciphertext.
///
/// # Errors
/// [`MlsError`] for a public key that is none.
pub fn seal(public: &[u8], info: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, MlsError> {
    let sealed = RustCrypto::default()
        .hpke_seal(CONFIG, public, info, &[], plaintext)
        .map_err(|_| MlsError)?;
    Ok([sealed.kem_output.as_slice(), sealed.ciphertext.as_slice()].concat())
}

/// Opens what [`seal`] made; `None` for anything else, and for another key.
pub fn open(pair: &KeyPair, info: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (encapsulation, ciphertext) = sealed.split_at_checked(ENCAPSULATION_BYTES)?;
    let sealed = HpkeCiphertext {
        kem_output: encapsulation.to_vec().into(),
        ciphertext: ciphertext.to_vec().into(),
    };
    let open = || RustCrypto::default().hpke_open(CONFIG, &sealed, &pair.private, info, &[]);
    guard(open).ok()?.ok().map(Zeroizing::new)
}

/// Whether somebody can seal to a leaf's key. [G-21]
pub(super) fn is_leaf_key(suite: Suite, key: &EncryptionKey) -> bool {
    key_bytes(key).is_some_and(|public| is_key(suite, &public))
}

/// A leaf's key.
pub(super) fn key_bytes(key: &EncryptionKey) -> Option<Vec<u8>> {
    let bytes = key.tls_serialize_detached().ok()?;
    let public = VLBytes::tls_deserialize_exact_bytes(&bytes).ok()?;
    Some(public.as_slice().to_vec())
}

/// Whether a key is usable in a group of this suite: decided by its bytes, as everyone must alike. A
/// key that nobody can seal to would keep all others from committing. [G-21]
pub(super) fn is_key(suite: Suite, public: &[u8]) -> bool {
    match suite {
        Suite::PostQuantum => is_usable(public),
        #[cfg(feature = "interop")]
        Suite::Interop => public.try_into().is_ok_and(is_x25519_key),
    }
}

/// Whether an X-Wing key is usable. [G-21]
pub fn is_usable(public: &[u8]) -> bool {
    public
        .split_last_chunk()
        .is_some_and(|(ml_kem, x25519)| is_ml_kem_key(ml_kem) && is_x25519_key(x25519))
}

/// An encapsulation key of ML-KEM-768: numbers below its modulus (FIPS 203 §7.2), and a seed.
fn is_ml_kem_key(key: &[u8]) -> bool {
    let (numbers, rest) = key
        .split_at_checked(ML_KEM_NUMBERS_BYTES)
        .unwrap_or_default();
    rest.len() == ML_KEM_SEED_BYTES
        && numbers.chunks_exact(3).all(|three| {
            let [first, middle, last] = [three[0], three[1], three[2]].map(u16::from);
            (first | (middle & 0xf) << 8) < ML_KEM_MODULUS
                && (middle >> 4 | last << 4) < ML_KEM_MODULUS
        })
}

/// A key with which an exchange gives something that depends on the other side.
fn is_x25519_key(key: &[u8; 32]) -> bool {
    let mut key = *key;
    // RFC 7748 §5 ignores the top bit.
    key[31] &= 0x7f;
    !SMALL_ORDER.contains(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_key_and_info_open() {
        let pair = key_pair(&[1; 32]).unwrap();
        let sealed = seal(&pair.public, b"info", b"hola").unwrap();
        assert_eq!(pair.public.len(), cobijo_protocol::card::INTAKE_KEY_BYTES);
        assert_eq!(sealed.len(), ENCAPSULATION_BYTES + 4 + 16);
        assert_eq!(open(&pair, b"info", &sealed).unwrap().as_slice(), b"hola");
        assert!(open(&pair, b"other", &sealed).is_none());
        assert!(open(&key_pair(&[2; 32]).unwrap(), b"info", &sealed).is_none());
        assert!(open(&pair, b"info", &sealed[..100]).is_none());
        assert!(seal(b"no key", b"info", b"hola").is_err());
    }

    /// An exchange with a key of small order gives zero, which RFC 9180 refuses. [G-21]
    #[test]
    fn the_listed_keys_are_those_that_an_exchange_with_x25519_refuses() {
        let seals = |key: &[u8; 32]| {
            let config = HpkeConfig(HpkeKemType::DhKem25519, CONFIG.1, CONFIG.2);
            let sealed = RustCrypto::default().hpke_seal(config, key, &[], &[], &[]);
            sealed.is_ok()
        };
        let mut keys = SMALL_ORDER.to_vec();
        for key in &SMALL_ORDER {
            let mut with_top_bit = *key;
            with_top_bit[31] |= 0x80;
            keys.push(with_top_bit);
        }
        for key in &keys {
            assert!(!seals(key) && !is_x25519_key(key), "{key:x?}");
            let mut another = *key;
            another[1] ^= 2;
            assert!(seals(&another) && is_x25519_key(&another), "{another:x?}");
        }
    }

    /// [G-21]
    #[test]
    fn a_key_that_cannot_be_sealed_to_is_not_usable() {
        let public = key_pair(&[1; 32]).unwrap().public;
        assert!(is_key(Suite::PostQuantum, &public));
        let is_usable = |at: usize, bytes: &[u8]| {
            let mut changed = public.clone();
            changed[at..at + bytes.len()].copy_from_slice(bytes);
            let sealed = seal(&changed, b"", b"").is_ok();
            (is_key(Suite::PostQuantum, &changed), sealed)
        };
        // 3,328 and 3,329, at both places of three bytes and at the end.
        for at in [0, 1149] {
            assert_eq!(is_usable(at, &[0x00, 0x0d, 0xd0]), (true, true));
            assert_eq!(is_usable(at, &[0x01, 0x0d, 0xd0]), (false, false));
            assert_eq!(is_usable(at, &[0x00, 0x1d, 0xd0]), (false, false));
        }
        assert!(!is_usable(1184, &[0; 32]).0);
        assert!(!is_key(Suite::PostQuantum, &public[1..]));
        assert!(!is_key(
            Suite::PostQuantum,
            &[public.as_slice(), &[0]].concat()
        ));
        assert!(!is_key(Suite::PostQuantum, &[]));
    }
}
