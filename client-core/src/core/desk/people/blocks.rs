//! Whose intakes, but a first one, are passed over: never by where they come from.

use std::collections::BTreeSet;

use cobijo_protocol::{Day, handover::Block, keys::PublicKey, limits::RETENTION_DAYS_MAX};
use serde::{Deserialize, Serialize};

/// People whom one member blocks: a few of them abuse a desk, and a liar shuts few out.
const OF_AUTHOR_MAX: usize = 32;

/// Who is blocked.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Blocks {
    list: Vec<Blocked>,
}

/// Somebody who is blocked, and by whom.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Blocked {
    /// Who.
    pub(crate) person: PublicKey,
    /// Attested key of who blocked her.
    pub(crate) by: PublicKey,
    day: Day,
}

impl Blocks {
    /// Blocks somebody, or takes it back, which `by` may do for what others blocked where she is a coordinator. Says
    /// whether anything changed.
    pub(crate) fn take(
        &mut self,
        block: &Block,
        by: PublicKey,
        coordinates: bool,
        day: Day,
    ) -> bool {
        let Block { person, blocked } = *block;
        if !blocked {
            let before = self.list.len();
            self.list
                .retain(|one| one.person != person || (one.by != by && !coordinates));
            return self.list.len() < before;
        }
        let of_author = self.list.iter().filter(|one| one.by == by).count();
        let is_known = self.list.iter().any(|one| one.person == person);
        if is_known || of_author >= OF_AUTHOR_MAX {
            return false;
        }
        self.list.push(Blocked { person, by, day });
        true
    }

    /// Somebody was removed from the desk: whom she blocked may come again.
    pub(crate) fn end_of(&mut self, author: &PublicKey) {
        self.list.retain(|one| one.by != *author);
    }

    /// What this author can't be told again.
    pub(crate) fn forget(&mut self, today: Day) {
        let lives = u32::from(RETENTION_DAYS_MAX);
        self.list
            .retain(|one| one.day.saturating_add(lives) >= today);
    }

    /// All of them.
    pub(crate) fn list(&self) -> &[Blocked] {
        &self.list
    }

    /// Whose intakes are passed over.
    pub(crate) fn people(&self) -> BTreeSet<PublicKey> {
        self.list.iter().map(|one| one.person).collect()
    }
}

#[cfg(test)]
mod tests {
    use cobijo_protocol::keys::SecretKey;

    use super::*;

    fn key(seed: u8) -> PublicKey {
        SecretKey::from_bytes([seed; 32]).public()
    }

    fn block(person: u8, blocked: bool) -> Block {
        let person = key(person);
        Block { person, blocked }
    }

    ///
    #[test]
    fn a_block_is_taken_back_by_its_author_or_a_coordinator_and_ends_with_her_removal() {
        let mut blocks = Blocks::default();
        assert!(blocks.take(&block(9, true), key(1), false, 10));
        assert!(!blocks.take(&block(9, false), key(2), false, 10));
        assert!(blocks.take(&block(9, false), key(2), true, 10));
        assert!(blocks.take(&block(9, true), key(1), false, 10));
        assert!(blocks.take(&block(9, false), key(1), false, 10));
        blocks.take(&block(9, true), key(1), false, 10);
        blocks.take(&block(8, true), key(2), false, 11);
        blocks.end_of(&key(1));
        assert_eq!(blocks.people(), BTreeSet::from([key(8)]));
        blocks.forget(191);
        assert_eq!(blocks.list().len(), 1);
        blocks.forget(192);
        assert!(blocks.list().is_empty());
    }

    ///
    #[test]
    fn a_liar_shuts_few_people_out_and_keeps_nobody_from_blocking() {
        let mut blocks = Blocks::default();
        let taken =
            (10..200).filter(|person| blocks.take(&block(*person, true), key(1), false, 10));
        assert_eq!(taken.count(), OF_AUTHOR_MAX);
        assert!(blocks.take(&block(9, true), key(2), false, 10));
    }
}
