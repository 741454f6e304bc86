//! Mailboxes: where strangers leave cells, and whoever opened one is pushed them.

use std::collections::BTreeMap;

use cobijo_client_core::core::port::{Dropped, Seen};
use cobijo_protocol::{
    cell::Cell,
    limits::MAILBOX_ITEMS_MAX,
    mailbox::{ItemId, MailboxKey},
};

use super::{ConnectionId, Kept, MemoryRelay, SlotContent};

impl MemoryRelay {
    /// Lets a mailbox take drops, as a current card does that names it.
    pub fn host_mailbox(&mut self, mailbox: MailboxKey) {
        self.mailboxes.entry(mailbox).or_default();
    }

    /// Number of items in a mailbox.
    pub fn items(&self, mailbox: &MailboxKey) -> usize {
        self.mailboxes.get(mailbox).map_or(0, BTreeMap::len)
    }

    pub(super) fn drop_cell(&mut self, mailbox: MailboxKey, cell: &Cell) -> Dropped {
        let expires = self.expiry();
        let item = ItemId::from_bytes(u128::from(self.next_number()).to_be_bytes());
        let Some(items) = self.mailboxes.get_mut(&mailbox) else {
            return Dropped::Unknown;
        };
        if !self.cards.may_name(&mailbox) {
            return Dropped::Unknown;
        }
        let is_here =
            |kept: &Kept| matches!(&kept.content, SlotContent::Full(known) if known == cell);
        if items.values().any(is_here) {
            return Dropped::Stored;
        }
        if items.len() >= MAILBOX_ITEMS_MAX {
            return Dropped::Full;
        }
        let content = SlotContent::Full(cell.clone());
        items.insert(item, Kept { expires, content });
        let owners: Vec<_> = self
            .connections
            .iter()
            .filter(|(_, connection)| connection.opened.contains(&mailbox))
            .map(|(id, _)| *id)
            .collect();
        for owner in owners {
            self.answer(owner, vec![Seen::Item(mailbox, item, cell.clone())]);
        }
        Dropped::Stored
    }

    pub(super) fn open(&mut self, id: ConnectionId, mailbox: MailboxKey) -> Vec<Seen> {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.opened.insert(mailbox);
        }
        let items = self.mailboxes.get(&mailbox).into_iter().flatten();
        items
            .filter_map(|(item, kept)| match &kept.content {
                SlotContent::Full(cell) => Some(Seen::Item(mailbox, *item, cell.clone())),
                SlotContent::Gone(_) => None,
            })
            .collect()
    }
}
