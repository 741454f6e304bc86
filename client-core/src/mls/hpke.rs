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

/// Whether somebody can seal to `public` in a group of this suite: a key that is none would keep all
/// others from committing.
pub(super) fn is_key(suite: Suite, public: &[u8]) -> bool {
    let config = suite.ciphersuite().hpke_config();
    let seal = || {
        RustCrypto::default()
            .hpke_seal(config, public, &[], &[], &[])
            .is_ok()
    };
    guard(seal).unwrap_or(false)
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
}
