//! Capsules: what a return phrase finds. [B-3]–[B-6]
//!
//! Two machines that never meet in one device: a *keeper* stores newer capsules and erases older ones,
//! and can open none; a *finder*, who has been given the phrase, opens what stands.

mod finder;
mod keeper;

use cobijo_protocol::capsule::{CAPSULE_INFO, Capsule};

use super::erasing::{Erasing, erasing};
use crate::mls::{
    MlsError,
    hpke::{self, KeyPair},
};

pub use finder::{Finder, Found, FoundCapsule};
pub use keeper::{Keeper, Kept};

/// Seals a capsule to the key pair of a phrase. [B-4]
fn seal(public: &[u8], capsule: &Capsule) -> Result<Vec<u8>, MlsError> {
    hpke::seal(public, CAPSULE_INFO, &capsule.to_plaintext())
}

/// Opens what stands in a capsule slot.
fn open(pair: &KeyPair, payload: &[u8]) -> Option<Capsule> {
    let plaintext = hpke::open(pair, CAPSULE_INFO, payload)?;
    Capsule::from_plaintext(&plaintext).ok()
}

#[cfg(test)]
mod tests;
