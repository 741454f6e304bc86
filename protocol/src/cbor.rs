//! Canonical CBOR for what members say to each other. [K-1]
//!
//! Maps have text keys in the order of the struct's fields, what is optional and absent is null,
//! integers are shortest, lengths definite. Decoding re-encodes and
//! compares, so that two implementations never differ about which bytes are accepted.

use serde::{Serialize, de::DeserializeOwned};

/// Deepest nesting accepted: more than any type here has.
const DEPTH_MAX: usize = 16;

/// Bytes are not the canonical CBOR of the type they were read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not canonical CBOR of the expected form")]
pub struct NotCanonical;

/// Encodes.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_into(value, &mut bytes);
    bytes
}

/// Encodes behind what `bytes` holds.
pub fn encode_into<T: Serialize + ?Sized>(value: &T, bytes: &mut Vec<u8>) {
    #[expect(
        clippy::expect_used,
        reason = "writing to memory and the derived serializers can't fail"
    )]
    ciborium::into_writer(value, bytes).expect("serializes into memory");
}

/// Decodes, strictly.
///
/// # Errors
/// [`NotCanonical`] for anything that [`encode`] would not have written.
pub fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, NotCanonical> {
    let value = ciborium::de::from_reader_with_recursion_limit(bytes, DEPTH_MAX)
        .map_err(|_| NotCanonical)?;
    if encode(&value) == bytes {
        Ok(value)
    } else {
        Err(NotCanonical)
    }
}
