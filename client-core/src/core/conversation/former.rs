//! Which accompaniers the desk's card no longer names. Nobody else may be here to take out whom the desk
//! let go, and her client hears nothing of the desk: it looks for itself.

use std::{collections::BTreeSet, time::Duration};

use cobijo_protocol::{card::Card, keys::PublicKey};
use serde::{Deserialize, Serialize};

use crate::core::port::Now;

/// Time between two looks; the first is made whenever the client starts.
const LOOK_EVERY: Duration = Duration::from_secs(24 * 3_600);
/// Time until the next look where no card came.
const LOOK_AGAIN: Duration = Duration::from_secs(600);

/// What the last card said of those who are here.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Former {
    keys: BTreeSet<PublicKey>,
    #[serde(skip)]
    look: Now,
}

impl Former {
    /// When a card is to be looked at.
    pub(super) fn due(&self) -> Now {
        self.look
    }

    /// Whether the last card no longer named that key.
    pub(super) fn contains(&self, key: &PublicKey) -> bool {
        self.keys.contains(key)
    }

    /// No card came: later again.
    pub(super) fn postpone(&mut self, now: Now) {
        self.look = now.plus(LOOK_AGAIN);
    }

    /// Compares those who are here with the card; gives those whom it names no more since the last look.
    pub(super) fn handle_card(
        &mut self,
        card: &Card,
        here: &[PublicKey],
        now: Now,
    ) -> Vec<PublicKey> {
        let is_gone = |key: &&PublicKey| !card.body.posters.contains(key);
        let gone: BTreeSet<_> = here.iter().filter(is_gone).copied().collect();
        let news = gone.difference(&self.keys).copied().collect();
        self.keys = gone;
        self.look = now.plus(LOOK_EVERY);
        news
    }
}
