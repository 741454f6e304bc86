//! The desk's card: what a client believes of it, and how a member publishes it. [D-5]–[D-9]

mod keeper;

use cobijo_protocol::{
    card::{Card, CardError, CardVersion, UnverifiedCard},
    link::DeskId,
};
use serde::{Deserialize, Serialize};

pub(crate) use keeper::{Author, CardKeeper, Plan, Step};

/// The highest version of a desk's card that this client has seen. [D-6]
///
/// An evicted coordinator, or a relay that replays, can only show a lower one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HighestCard {
    version: Option<CardVersion>,
}

/// A card is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CardRefused {
    /// It is not a card of this desk.
    #[error("not a card of this desk")]
    Bad(#[from] CardError),
    /// A higher version was seen before.
    #[error("card of a lower version than one that was seen")]
    Lower,
}

impl HighestCard {
    /// Verifies a card and remembers its version.
    ///
    /// # Errors
    /// [`CardRefused`] for a card that is not of this desk, or lower than one that was accepted before.
    pub fn accept(&mut self, bytes: &[u8], desk: &DeskId) -> Result<Card, CardRefused> {
        let card = UnverifiedCard::decode(bytes)?.verify(desk)?;
        if self.version.is_some_and(|seen| card.version() < seen) {
            return Err(CardRefused::Lower);
        }
        self.version = Some(card.version());
        Ok(card)
    }

    /// Remembers a version that colleagues tell.
    pub fn raise(&mut self, version: CardVersion) {
        self.version = self.version.max(Some(version));
    }

    /// The highest version.
    pub fn version(&self) -> Option<CardVersion> {
        self.version
    }
}

#[cfg(test)]
mod tests;
