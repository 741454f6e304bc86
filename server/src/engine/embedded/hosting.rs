//! Which mailboxes may be dropped into, in memory: strangers ask for it as often as they like, on the
//! one thread that writes.

use std::collections::{BTreeMap, BTreeSet};

use cobijo_protocol::{link::DeskId, mailbox::MailboxKey};

use super::{
    durable::Durable,
    layout::{self, CardValue},
};
use crate::engine::EngineError;

/// What hosted desks' cards name, as the writer has decided it so far.
#[derive(Debug, Default)]
pub(super) struct Hosting {
    by_desk: BTreeMap<DeskId, MailboxKey>,
    /// Two desks may name one mailbox.
    named: BTreeSet<MailboxKey>,
}

impl Hosting {
    /// Reads it from disk.
    pub(super) fn read(durable: &Durable) -> Result<Self, EngineError> {
        let mut hosting = Self::default();
        for raw in durable.with_prefix(layout::HOSTED_PREFIX)? {
            let desk = layout::parse_hosted(&raw)?;
            if let Some(card) = durable.get(&layout::card_key(&desk))? {
                hosting.name(desk, CardValue::decode(&card)?.mailbox);
            }
        }
        Ok(hosting)
    }

    /// A hosted desk's card names this mailbox, and no longer the one before.
    pub(super) fn name(&mut self, desk: DeskId, mailbox: MailboxKey) {
        self.by_desk.insert(desk, mailbox);
        self.index();
    }

    /// A desk is hosted no longer.
    pub(super) fn forget(&mut self, desk: &DeskId) {
        self.by_desk.remove(desk);
        self.index();
    }

    /// Whether the card of a hosted desk names this mailbox.
    pub(super) fn is_named(&self, mailbox: &MailboxKey) -> bool {
        self.named.contains(mailbox)
    }

    fn index(&mut self) {
        self.named = self.by_desk.values().copied().collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_that_two_desks_name_stays_named_until_neither_does() {
        let [luz, rosa] = [1, 2].map(|byte| DeskId::from_bytes([byte; 16]));
        let [shared, other] = [3, 4].map(|byte| MailboxKey::from_bytes([byte; 32]));
        let mut hosting = Hosting::default();
        hosting.name(luz, shared);
        hosting.name(rosa, shared);
        hosting.name(luz, other);
        assert!(hosting.is_named(&shared) && hosting.is_named(&other));
        hosting.forget(&rosa);
        assert!(!hosting.is_named(&shared));
    }
}
