//! openmls's crypto, randomness from the core's generator, and a storage that is a map of bytes.

use std::{collections::BTreeMap, sync::Mutex};

use cobijo_protocol::keys::SecretKey;
use openmls::prelude::{
    BasicCredential, Capabilities, CredentialType, CredentialWithKey, ExtensionType,
};
use openmls_memory_storage::MemoryStorage;
use openmls_rust_crypto::RustCrypto;
use openmls_traits::{
    OpenMlsProvider,
    random::OpenMlsRand,
    signatures::{Signer, SignerError},
    types::SignatureScheme,
};
use rand_core::{Rng as _, SeedableRng as _};
use serde_bytes::{ByteBuf, Bytes};
use zeroize::Zeroize as _;

use super::{MlsError, Suite};
use crate::{core::port::Rng, secret::SecretBytes};

/// openmls's storage as it is saved.
pub(crate) type Values = BTreeMap<ByteBuf, SecretBytes>;

pub(crate) struct Provider {
    crypto: RustCrypto,
    random: Random,
    storage: MemoryStorage,
}

pub(crate) struct Random(Mutex<Rng>);

/// The random generator's lock was poisoned.
#[derive(Debug, thiserror::Error)]
#[error("no randomness")]
pub(crate) struct NoRandomness;

impl Provider {
    /// A provider over `values`, with a generator of its own seeded from the core's.
    pub(crate) fn new(values: &Values, rng: &mut Rng) -> Self {
        let storage = MemoryStorage::default();
        if let Ok(mut map) = storage.values.write() {
            map.extend(
                values
                    .iter()
                    .map(|(key, value)| (key.to_vec(), value.as_slice().to_vec())),
            );
        }
        Self {
            crypto: RustCrypto::default(),
            random: Random(Mutex::new(Rng::from_rng(rng))),
            storage,
        }
    }

    /// What the storage holds now.
    pub(crate) fn values(&self) -> Result<Values, MlsError> {
        let mut values = Values::new();
        self.save_into(&mut values)?;
        Ok(values)
    }

    /// Brings `values` in line with what the storage holds now: most of it hasn't changed.
    pub(crate) fn save_into(&self, values: &mut Values) -> Result<(), MlsError> {
        let map = self.storage.values.read().map_err(|_| MlsError)?;
        values.retain(|key, _| map.contains_key(key.as_slice()));
        for (key, value) in map.iter() {
            let known = values.get(Bytes::new(key)).map(SecretBytes::as_slice);
            if known != Some(value.as_slice()) {
                values.insert(ByteBuf::from(key.clone()), SecretBytes::from(value.clone()));
            }
        }
        Ok(())
    }
}

/// openmls's map knows nothing of secrets.
impl Drop for Provider {
    fn drop(&mut self) {
        if let Ok(mut map) = self.storage.values.write() {
            map.values_mut().for_each(|value| value.zeroize());
        }
    }
}

impl OpenMlsProvider for Provider {
    type CryptoProvider = RustCrypto;
    type RandProvider = Random;
    type StorageProvider = MemoryStorage;

    fn storage(&self) -> &MemoryStorage {
        &self.storage
    }

    fn crypto(&self) -> &RustCrypto {
        &self.crypto
    }

    fn rand(&self) -> &Random {
        &self.random
    }
}

impl OpenMlsRand for Random {
    type Error = NoRandomness;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], NoRandomness> {
        let mut bytes = [0; N];
        self.0
            .lock()
            .map_err(|_| NoRandomness)?
            .fill_bytes(&mut bytes);
        Ok(bytes)
    }

    fn random_vec(&self, len: usize) -> Result<Vec<u8>, NoRandomness> {
        let mut bytes = vec![0; len];
        self.0
            .lock()
            .map_err(|_| NoRandomness)?
            .fill_bytes(&mut bytes);
        Ok(bytes)
    }
}

/// Signs for a leaf.
pub(crate) struct LeafSigner<'a>(pub(crate) &'a SecretKey);

impl Signer for LeafSigner<'_> {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.0.sign("", payload).as_bytes().to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// A leaf's credential with its signature key.
pub(crate) fn credential_with_key(key: &SecretKey, identity: Vec<u8>) -> CredentialWithKey {
    CredentialWithKey {
        credential: BasicCredential::new(identity).into(),
        signature_key: key.public().as_bytes().as_slice().into(),
    }
}

/// What every leaf can do: set explicitly, or the first Add would fail.
pub(crate) fn capabilities(suite: Suite) -> Capabilities {
    Capabilities::new(
        None,
        Some(&[suite.ciphersuite()]),
        Some(&[
            ExtensionType::Unknown(cobijo_protocol::commit::TERMS_EXTENSION),
            ExtensionType::Unknown(cobijo_protocol::commit::WELCOME_SECRET_EXTENSION),
        ]),
        None,
        Some(&[CredentialType::Basic]),
    )
}
