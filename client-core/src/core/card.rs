//! The desk's card: what a client believes of it, and how a member publishes it. [D-5]–[D-9]

mod keeper;

use cobijo_protocol::{
    card::{Card, CardError, CardVersion, UnverifiedCard},
    link::DeskId,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub(crate) use keeper::{Author, CardKeeper, Plan, Step};

/// The highest version of a desk's card that this client has seen. [D-6]
///
/// An evicted coordinator, or a relay that replays, can only show a lower one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HighestCard {
    version: Option<CardVersion>,
    /// Which card of that version, where it was seen itself.
    hash: Option<[u8; 32]>,
}

/// A card is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CardRefused {
    /// It is not a card of this desk.
    #[error("not a card of this desk")]
    Bad(#[from] CardError),
    /// A higher version, or another card of this one, was seen before.
    #[error("card that an other one has replaced")]
    Lower,
}

impl HighestCard {
    /// Verifies a card and remembers its version.
    ///
    /// # Errors
    /// [`CardRefused`] for a card that is not of this desk, lower than one that was accepted before, or
    /// another one of the same version.
    pub fn accept(&mut self, bytes: &[u8], desk: &DeskId) -> Result<Card, CardRefused> {
        let card = UnverifiedCard::decode(bytes)?.verify(desk)?;
        let version = Some(card.version());
        let hash = Some(Sha256::digest(bytes).into());
        let is_other = version == self.version && self.hash.is_some() && self.hash != hash;
        if version < self.version || is_other {
            return Err(CardRefused::Lower);
        }
        self.version = version;
        self.hash = hash;
        Ok(card)
    }

    /// The highest version.
    pub fn version(&self) -> Option<CardVersion> {
        self.version
    }
}

#[cfg(test)]
mod tests;
