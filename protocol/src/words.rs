//! Six words that two people compare [K-6], and two that a desk calls a conversation by.

use sha2::{Digest, Sha256};

use crate::{keys::PublicKey, slot::ThreadSecret};

/// Words in a comparison.
pub const WORDS: usize = 6;

/// Indices into a BIP-39 word list of 2,048.
pub type WordIndices = [u16; WORDS];

/// Words that a desk calls a conversation by.
pub const ALIAS_WORDS: usize = 2;

/// Indices into a BIP-39 word list of 2,048.
pub type AliasIndices = [u16; ALIAS_WORDS];

/// What a desk calls the conversation of a person: the same for every member and in every successor, and it
/// says nothing of her.
pub fn person_alias(person: &PublicKey) -> AliasIndices {
    indices(
        Sha256::new()
            .chain_update(b"cobijo/1 alias")
            .chain_update(person.as_bytes())
            .finalize()
            .into(),
    )
}

/// Words of an invite: newcomer and inviter see the same only if nobody stood between them.
pub fn invite_words(r: &ThreadSecret, newcomer: &PublicKey, inviter: &PublicKey) -> WordIndices {
    indices(
        Sha256::new()
            .chain_update(b"cobijo/1 words")
            .chain_update(r.as_bytes())
            .chain_update(newcomer.as_bytes())
            .chain_update(inviter.as_bytes())
            .finalize()
            .into(),
    )
}

/// Words of a conversation at one epoch, from its epoch authenticator (RFC 9420 §8.7).
pub fn conversation_code(epoch_authenticator: &[u8]) -> WordIndices {
    indices(
        Sha256::new()
            .chain_update(b"cobijo/1 code")
            .chain_update(epoch_authenticator)
            .finalize()
            .into(),
    )
}

/// The first bits, 11 a word, most significant first, as BIP-39 reads them.
fn indices<const COUNT: usize>(digest: [u8; 32]) -> [u16; COUNT] {
    let bit = |index: usize| u16::from(digest[index / 8] >> (7 - index % 8) & 1);
    std::array::from_fn(|word| {
        (0..11).fold(0, |value, offset| value << 1 | bit(word * 11 + offset))
    })
}
