//! Capsules: what a return phrase finds. [B-3]–[B-6]
//!
//! Two machines that never meet in one device: a *keeper* stores newer capsules and erases older ones,
//! and can open none; a *finder*, who has been given the phrase, opens what stands.

mod finder;
mod keeper;

use cobijo_protocol::{
    capsule::{CAPSULE_INFO, Capsule},
    cell::Cell,
    parts::Data,
    slot::{EraseKey, Slot, SlotKey},
};

use crate::mls::{
    MlsError,
    hpke::{self, KeyPair},
};

pub use finder::{Finder, Found, FoundCapsule};
pub use keeper::{Keeper, Kept};

/// What erases a capsule: its head first, so that nobody looks for bodies that are gone.
pub type Erasing = Vec<(SlotKey, EraseKey)>;

/// Seals a capsule to the key pair of a phrase. [B-4]
fn seal(public: &[u8], capsule: &Capsule) -> Result<Vec<u8>, MlsError> {
    hpke::seal(public, CAPSULE_INFO, &capsule.to_plaintext())
}

/// Opens what stands in a capsule slot.
fn open(pair: &KeyPair, payload: &[u8]) -> Option<Capsule> {
    let plaintext = hpke::open(pair, CAPSULE_INFO, payload)?;
    Capsule::from_plaintext(&plaintext).ok()
}

/// What erases the cell in a slot, and the bodies that it is the head of.
fn erasing(slot: &Slot, cell: &Cell) -> Erasing {
    let head = slot.open(cell).and_then(|data| match Data::decode(&data) {
        Some(Data::Head(head)) => Some(head),
        Some(Data::Whole(_)) | None => None,
    });
    let bodies = head.iter().flat_map(|head| {
        (0..head.bodies()).map(|index| head.body_slot(index, slot.erase_key().is_some()))
    });
    std::iter::once(slot.clone())
        .chain(bodies)
        .filter_map(|slot| Some((slot.slot_key().clone(), slot.erase_key()?.clone())))
        .collect()
}

#[cfg(test)]
mod tests;
