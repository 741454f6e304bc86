//! Ed25519 with labels, and signed<T>.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use super::cbor::Item;

pub(crate) type PublicKey = [u8; 32];

pub(crate) fn public(seed: &[u8; 32]) -> PublicKey {
    SigningKey::from_bytes(seed).verifying_key().to_bytes()
}

pub(crate) fn sign(seed: &[u8; 32], label: &str, message: &[&[u8]]) -> [u8; 64] {
    SigningKey::from_bytes(seed)
        .sign(&labelled(label, message))
        .to_bytes()
}

pub(crate) fn holds(key: &PublicKey, label: &str, message: &[&[u8]], signature: &[u8]) -> bool {
    let Ok(verifying) = VerifyingKey::from_bytes(key) else {
        return false;
    };
    let canonical = verifying.to_edwards().compress().as_bytes() == key;
    let Ok(signature) = Signature::from_slice(signature) else {
        return false;
    };
    canonical
        && verifying
            .verify_strict(&labelled(label, message), &signature)
            .is_ok()
}

fn labelled(label: &str, message: &[&[u8]]) -> Vec<u8> {
    [format!("cobijo/1 {label}").as_bytes(), &message.concat()].concat()
}

/// `signed<T>` under a key that is known before.
pub(crate) fn signed(item: &Item, label: &str, key: &PublicKey) -> Option<Item> {
    let [body, signature] = item.fields(["body", "signature"])?;
    let body = body.bytes()?;
    if !holds(key, label, &[body], signature.bytes()?) {
        return None;
    }
    Item::decode(body)
}

/// The body of a `signed<T>`, before its signature was looked at.
pub(crate) fn unverified(item: &Item) -> Option<Item> {
    Item::decode(item.fields(["body", "signature"])?[0].bytes()?)
}
