//! KeyPackages: one's own, with their private parts, and others', checked. [G-5], [G-10]

use cobijo_protocol::{
    capsule::DecapsulationKey,
    card::Attested,
    cbor,
    commit::WELCOME_SECRET_EXTENSION,
    credential::{Credential, Identity},
    intake::MessageHash,
    keys::{PublicKey, SecretKey},
    slot::ThreadSecret,
};
use openmls::prelude::{
    BasicCredential, Extension, Extensions, HpkePrivateKey, KeyPackage, Lifetime, MlsMessageBodyIn,
    MlsMessageIn, MlsMessageOut, ProtocolVersion, UnknownExtension,
    tls_codec::{DeserializeBytes as _, Serialize as _},
};
use openmls_rust_crypto::RustCrypto;
use openmls_traits::{
    OpenMlsProvider as _,
    storage::{CURRENT_VERSION, Entity, StorageProvider as _, traits},
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{
    MlsError, Suite,
    hpke::{is_key, is_leaf_key, key_bytes},
    provider::{LeafSigner, Provider, Values, capabilities, credential_with_key},
    state::guard,
};
use crate::core::{contest::random, policy::LIFETIME, port::Rng};

/// A KeyPackage with the private parts that open its Welcome: one use.
#[derive(Clone, Serialize, Deserialize)]
pub struct OwnKeyPackage {
    pub(super) suite: Suite,
    pub(super) values: Values,
    message: ByteBuf,
    welcome_secret: ThreadSecret,
}

impl OwnKeyPackage {
    /// Makes a KeyPackage for the leaf of `key` with `credential`, with a fresh welcome secret inside.
    ///
    /// # Errors
    /// [`MlsError`] where openmls fails.
    pub fn new(
        suite: Suite,
        key: &SecretKey,
        credential: &Credential,
        rng: &mut Rng,
    ) -> Result<Self, MlsError> {
        Self::with_lifetime(LIFETIME, suite, key, credential, rng)
    }

    fn with_lifetime(
        (not_before, not_after): (u64, u64),
        suite: Suite,
        key: &SecretKey,
        credential: &Credential,
        rng: &mut Rng,
    ) -> Result<Self, MlsError> {
        let provider = Provider::new(&Values::new(), rng);
        let welcome_secret = ThreadSecret::from_bytes(random(rng));
        let extension = UnknownExtension(welcome_secret.as_bytes().to_vec());
        let extensions =
            Extensions::single(Extension::Unknown(WELCOME_SECRET_EXTENSION, extension))
                .map_err(|_| MlsError)?;
        let bundle = KeyPackage::builder()
            .key_package_lifetime(Lifetime::init(not_before, not_after))
            .leaf_node_capabilities(capabilities(suite))
            .key_package_extensions(extensions)
            .build(
                suite.ciphersuite(),
                &provider,
                &LeafSigner(key),
                credential_with_key(key, cbor::encode(credential)),
            )
            .map_err(|_| MlsError)?;
        let message = MlsMessageOut::from(bundle.key_package().clone());
        let message = message.tls_serialize_detached().map_err(|_| MlsError)?;
        Ok(Self {
            suite,
            values: provider.values()?,
            message: ByteBuf::from(message),
            welcome_secret,
        })
    }

    /// Puts a KeyPackage together again from its MLSMessage and its private keys, as [`Self::private_keys`]
    /// gives them.
    ///
    /// # Errors
    /// [`MlsError`] for what is no KeyPackage of a suite that this build takes.
    pub fn from_parts(
        message: &[u8],
        init_key: &DecapsulationKey,
        encryption_key: &DecapsulationKey,
        rng: &mut Rng,
    ) -> Result<Self, MlsError> {
        guard(|| {
            let package = parse(message).map_err(|_| MlsError)?;
            let suite = Suite::of(package.ciphersuite()).ok_or(MlsError)?;
            let welcome_secret = welcome_secret(&package).ok_or(MlsError)?;
            let provider = Provider::new(&Values::new(), rng);
            let reference = package.hash_ref(provider.crypto()).map_err(|_| MlsError)?;
            let stored = Stored {
                key_package: package,
                private_init_key: init_key.as_bytes().as_slice().into(),
                private_encryption_key: StoredKey {
                    key: encryption_key.as_bytes().as_slice().into(),
                },
            };
            let storage = provider.storage();
            storage
                .write_key_package(&reference, &stored)
                .map_err(|_| MlsError)?;
            Ok(Self {
                suite,
                values: provider.values()?,
                message: ByteBuf::from(message),
                welcome_secret,
            })
        })
        .unwrap_or(Err(MlsError))
    }

    /// The private keys of its init key and of its leaf's encryption key.
    ///
    /// # Errors
    /// [`MlsError`] where the saved KeyPackage can't be read.
    pub fn private_keys(
        &self,
        rng: &mut Rng,
    ) -> Result<(DecapsulationKey, DecapsulationKey), MlsError> {
        let provider = Provider::new(&self.values, rng);
        let package = parse(&self.message).map_err(|_| MlsError)?;
        let reference = package.hash_ref(provider.crypto()).map_err(|_| MlsError)?;
        let stored: Option<Stored> = provider
            .storage()
            .key_package(&reference)
            .map_err(|_| MlsError)?;
        let stored = stored.ok_or(MlsError)?;
        let key = |key: &HpkePrivateKey| DecapsulationKey::try_from(&**key).map_err(|_| MlsError);
        Ok((
            key(&stored.private_init_key)?,
            key(&stored.private_encryption_key.key)?,
        ))
    }

    /// Whose leaf it is, by her word alone.
    pub fn credential(&self) -> Option<Credential> {
        let package = parse(&self.message).ok()?;
        let credential = package.leaf_node().credential().clone();
        let credential = BasicCredential::try_from(credential).ok()?;
        cbor::decode(credential.identity()).ok()
    }

    /// The suite that it is of.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// The MLSMessage to publish.
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// Secret of the thread that its Welcome stands in.
    pub fn welcome_secret(&self) -> &ThreadSecret {
        &self.welcome_secret
    }
}

impl std::fmt::Debug for OwnKeyPackage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnKeyPackage").finish_non_exhaustive()
    }
}

/// Somebody's KeyPackage, whose signatures hold and whose credential leads to the expected root.
#[derive(Clone)]
pub struct OfferedKeyPackage {
    message: Vec<u8>,
    suite: Suite,
    package: KeyPackage,
    identity: Identity,
    leaf_key: PublicKey,
    welcome_secret: ThreadSecret,
}

/// A KeyPackage is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a KeyPackage that this group takes")]
pub struct BadKeyPackage;

impl OfferedKeyPackage {
    /// Parses and checks an MLSMessage that holds a KeyPackage.
    ///
    /// # Errors
    /// [`BadKeyPackage`] for anything that isn't one of this suite, with a welcome secret, the lifetime that
    /// the policy asks for [P-7] and a credential that is vouched for under `root`.
    pub fn parse(message: &[u8], suite: Suite, root: &PublicKey) -> Result<Self, BadKeyPackage> {
        let offered = Self::parse_known(message, root)?;
        if offered.suite == suite {
            Ok(offered)
        } else {
            Err(BadKeyPackage)
        }
    }

    /// As [`Self::parse`], of any suite that this build takes: whoever begins a group for somebody
    /// begins it in her suite. [G-2]
    ///
    /// # Errors
    /// [`BadKeyPackage`], as [`Self::parse`].
    pub fn parse_known(message: &[u8], root: &PublicKey) -> Result<Self, BadKeyPackage> {
        guard(|| Self::parse_guarded(message, root)).unwrap_or(Err(BadKeyPackage))
    }

    fn parse_guarded(message: &[u8], root: &PublicKey) -> Result<Self, BadKeyPackage> {
        let package = parse(message)?;
        let suite = Suite::of(package.ciphersuite()).ok_or(BadKeyPackage)?;
        if !has_keys(suite, &package) || lifetime(&package) != LIFETIME {
            return Err(BadKeyPackage);
        }
        let (leaf_key, identity) =
            super::state::identify(package.leaf_node(), root).ok_or(BadKeyPackage)?;
        let welcome_secret = welcome_secret(&package).ok_or(BadKeyPackage)?;
        Ok(Self {
            message: message.to_vec(),
            suite,
            package,
            identity,
            leaf_key,
            welcome_secret,
        })
    }

    /// The MLSMessage.
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// Its suite.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// Its init key and its leaf's encryption key: no two of one commit may share one (RFC 9420 §12.2).
    pub fn encryption_keys(&self) -> Option<[Vec<u8>; 2]> {
        let init = self.package.hpke_init_key().as_slice().to_vec();
        Some([init, key_bytes(self.package.leaf_node().encryption_key())?])
    }

    /// SHA-256 of the MLSMessage.
    pub fn hash(&self) -> MessageHash {
        MessageHash::of(&self.message)
    }

    /// Whose leaf it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// A member's attestation with its chain, as the credential carries it.
    pub fn attested(&self) -> Option<Attested> {
        let credential = self.package.leaf_node().credential().clone();
        let credential = BasicCredential::try_from(credential).ok()?;
        match cbor::decode(credential.identity()).ok()? {
            Credential::Member(attested) => Some(attested),
            Credential::Person(_) => None,
        }
    }

    /// Its lifetime: not before, not after.
    pub fn lifetime(&self) -> (u64, u64) {
        lifetime(&self.package)
    }

    /// The leaf's signature key.
    pub fn leaf_key(&self) -> &PublicKey {
        &self.leaf_key
    }

    /// Secret of the thread that its Welcome stands in.
    pub fn welcome_secret(&self) -> &ThreadSecret {
        &self.welcome_secret
    }

    pub(super) fn package(&self) -> &KeyPackage {
        &self.package
    }
}

impl std::fmt::Debug for OfferedKeyPackage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OfferedKeyPackage").finish_non_exhaustive()
    }
}

/// A KeyPackage as openmls's storage holds it: openmls makes none from its parts.
#[derive(Serialize, Deserialize)]
struct Stored {
    key_package: KeyPackage,
    private_init_key: HpkePrivateKey,
    private_encryption_key: StoredKey,
}

#[derive(Serialize, Deserialize)]
struct StoredKey {
    key: HpkePrivateKey,
}

impl Entity<CURRENT_VERSION> for Stored {}
impl traits::KeyPackage<CURRENT_VERSION> for Stored {}

fn parse(message: &[u8]) -> Result<KeyPackage, BadKeyPackage> {
    let parsed = MlsMessageIn::tls_deserialize_exact_bytes(message).map_err(|_| BadKeyPackage)?;
    let MlsMessageBodyIn::KeyPackage(package) = parsed.extract() else {
        return Err(BadKeyPackage);
    };
    package
        .validate(&RustCrypto::default(), ProtocolVersion::Mls10)
        .map_err(|_| BadKeyPackage)
}

/// Whether somebody can seal to the KeyPackage's keys.
pub(super) fn has_keys(suite: Suite, package: &KeyPackage) -> bool {
    is_leaf_key(suite, package.leaf_node().encryption_key())
        && is_key(suite, package.hpke_init_key().as_slice())
}

/// The lifetime of a KeyPackage: not before, not after.
pub(super) fn lifetime(package: &KeyPackage) -> (u64, u64) {
    let lifetime = package.life_time();
    (lifetime.not_before(), lifetime.not_after())
}

/// The welcome secret inside a KeyPackage.
pub(super) fn welcome_secret(package: &KeyPackage) -> Option<ThreadSecret> {
    let extension = package.extensions().unknown(WELCOME_SECRET_EXTENSION)?;
    ThreadSecret::try_from(extension.0.as_slice()).ok()
}

#[cfg(test)]
mod tests {
    use cobijo_protocol::credential::{PersonCredential, PersonLeaf};
    use rand_core::SeedableRng as _;

    use super::*;

    /// [P-7]
    #[test]
    fn a_key_package_of_another_lifetime_is_refused() {
        let mut rng = Rng::seed_from_u64(1);
        let key = SecretKey::from_bytes([2; 32]);
        let person = SecretKey::from_bytes([1; 32]);
        let root = SecretKey::from_bytes([3; 32]).public();
        let credential = PersonCredential::sign(&person, 7, PersonLeaf::Device, &key.public());
        let credential = Credential::Person(credential);
        let mut parse = |lifetime| {
            let suite = Suite::PostQuantum;
            let own = OwnKeyPackage::with_lifetime(lifetime, suite, &key, &credential, &mut rng);
            OfferedKeyPackage::parse(own.unwrap().message(), suite, &root)
        };
        assert_eq!(parse(LIFETIME).unwrap().lifetime(), LIFETIME);
        for lifetime in [(0, u64::MAX - 1), (1, u64::MAX)] {
            assert!(parse(lifetime).is_err());
        }
    }

    /// [B-4]
    #[test]
    fn a_key_package_is_the_same_when_it_is_put_together_from_its_parts() {
        let mut rng = Rng::seed_from_u64(1);
        let (person, key) = (
            SecretKey::from_bytes([1; 32]),
            SecretKey::from_bytes([2; 32]),
        );
        let credential = PersonCredential::sign(&person, 7, PersonLeaf::Return, &key.public());
        let credential = Credential::Person(credential);
        let own = OwnKeyPackage::new(Suite::PostQuantum, &key, &credential, &mut rng).unwrap();
        let (init, encryption) = own.private_keys(&mut rng).unwrap();
        let again = OwnKeyPackage::from_parts(own.message(), &init, &encryption, &mut rng).unwrap();
        assert!(again.values == own.values && again.message == own.message);
        assert!(again.welcome_secret == own.welcome_secret);
        assert_eq!(again.credential(), Some(credential));
        assert_ne!(init, encryption);
        let other = OwnKeyPackage::from_parts(own.message(), &encryption, &init, &mut rng).unwrap();
        assert!(other.values != own.values);
    }
}
