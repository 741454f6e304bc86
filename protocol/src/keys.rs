//! Ed25519 keys and signatures, each over a labelled message.

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_bytes::ByteBuf;

use crate::{cbor, fixed::byte_array};

byte_array!(
    /// An Ed25519 verifying key.
    public PublicKey, 32
);
byte_array!(
    /// An Ed25519 signing key's seed.
    secret SecretKey, 32
);
byte_array!(
    /// The seed of an intake key, an X-Wing key pair: whoever has it opens what waiting people write. [D-9]
    secret IntakeSeed, 32
);
byte_array!(
    /// An Ed25519 signature.
    public Signature, 64
);

impl SecretKey {
    /// The key that verifies this one's signatures.
    pub fn public(&self) -> PublicKey {
        PublicKey(SigningKey::from_bytes(&self.0).verifying_key().to_bytes())
    }

    /// Signs `label ‖ message`.
    pub fn sign(&self, label: &str, message: &[u8]) -> Signature {
        Signature(
            SigningKey::from_bytes(&self.0)
                .sign(&[label.as_bytes(), message].concat())
                .to_bytes(),
        )
    }

    /// Signs the canonical CBOR of `value` under `T`'s label.
    pub fn sign_value<T: Labelled>(&self, value: &T) -> Signed<T> {
        let body = cbor::encode(value);
        let signature = self.sign(T::LABEL, &body);
        Signed {
            body: ByteBuf::from(body),
            signature,
            value: std::marker::PhantomData,
        }
    }
}

impl PublicKey {
    /// Verifies a signature over `label ‖ message`, strictly (RFC 8032 with no small-order keys). [K-3]
    pub fn verify(&self, label: &str, message: &[u8], signature: &Signature) -> bool {
        let Ok(key) = VerifyingKey::from_bytes(&self.0) else {
            return false;
        };
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        key.verify_strict(&[label.as_bytes(), message].concat(), &signature)
            .is_ok()
    }
}

/// A type that is signed, with the label that keeps its signatures apart from all others. [K-2], [K-4]
pub trait Labelled: Serialize + DeserializeOwned {
    /// First bytes of what is signed.
    const LABEL: &'static str;
}

/// Canonical CBOR with a signature over `LABEL ‖ body`; nothing is known of it before [`Signed::verify`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed<T> {
    body: ByteBuf,
    signature: Signature,
    #[serde(skip)]
    value: std::marker::PhantomData<T>,
}

impl<T: Labelled> Signed<T> {
    /// The value, if `key` signed it.
    ///
    /// # Errors
    /// [`BadSignature`] for another key, altered bytes, or a body that is not canonical CBOR of `T`.
    pub fn verify(&self, key: &PublicKey) -> Result<T, BadSignature> {
        if key.verify(T::LABEL, &self.body, &self.signature) {
            self.unverified()
        } else {
            Err(BadSignature)
        }
    }

    /// The value, whoever signed it: only to learn which key to verify with.
    ///
    /// # Errors
    /// [`BadSignature`] for a body that is not canonical CBOR of `T`.
    pub fn unverified(&self) -> Result<T, BadSignature> {
        cbor::decode(&self.body).map_err(|_| BadSignature)
    }
}

impl<T> Clone for Signed<T> {
    fn clone(&self) -> Self {
        Self {
            body: self.body.clone(),
            signature: self.signature,
            value: std::marker::PhantomData,
        }
    }
}

impl<T> PartialEq for Signed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.body == other.body && self.signature == other.signature
    }
}

impl<T> Eq for Signed<T> {}

impl<T> std::fmt::Debug for Signed<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signed").finish_non_exhaustive()
    }
}

/// A signature does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("signature does not hold")]
pub struct BadSignature;
