//! Who is to be woken, over all connections.

use std::collections::HashMap;

use cobijo_protocol::{mailbox::MailboxKey, slot::Address};

use crate::engine::Wake;

/// Names a connection within one run of the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ConnectionId(pub(crate) u64);

/// What a connection can be woken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    /// A slot, until it is written.
    Slot(Address),
    /// A mailbox, for as long as it is open.
    Mailbox(MailboxKey),
}

/// Registrations. Each connection bounds its own, see [`super::session`].
#[derive(Debug, Default)]
pub(crate) struct Watches {
    by_place: HashMap<Place, Vec<ConnectionId>>,
}

impl Watches {
    /// Registers a connection, once.
    pub(crate) fn register(&mut self, connection: ConnectionId, place: Place) {
        let waiting = self.by_place.entry(place).or_default();
        if !waiting.contains(&connection) {
            waiting.push(connection);
        }
    }

    /// Forgets a registration.
    pub(crate) fn unregister(&mut self, connection: ConnectionId, place: &Place) {
        if let Some(waiting) = self.by_place.get_mut(place) {
            waiting.retain(|other| *other != connection);
            if waiting.is_empty() {
                self.by_place.remove(place);
            }
        }
    }

    /// Who waits for this; a slot's registrations end with it.
    pub(crate) fn woken(&mut self, wake: &Wake) -> Vec<ConnectionId> {
        match wake {
            Wake::Slot(address) => self.by_place.remove(&Place::Slot(*address)),
            Wake::Item(mailbox, _) => self.by_place.get(&Place::Mailbox(*mailbox)).cloned(),
        }
        .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use cobijo_protocol::mailbox::ItemId;

    use super::*;

    const ASHA: ConnectionId = ConnectionId(1);
    const ROSA: ConnectionId = ConnectionId(2);

    #[test]
    fn a_slot_wakes_everyone_who_waits_and_only_once() {
        let mut watches = Watches::default();
        let address = Address::from_bytes([1; 32]);
        watches.register(ASHA, Place::Slot(address));
        watches.register(ASHA, Place::Slot(address));
        watches.register(ROSA, Place::Slot(address));
        assert_eq!(watches.woken(&Wake::Slot(address)), [ASHA, ROSA]);
        assert_eq!(watches.woken(&Wake::Slot(address)), []);
    }

    #[test]
    fn an_open_mailbox_wakes_for_every_item_until_it_is_forgotten() {
        let mut watches = Watches::default();
        let mailbox = MailboxKey::from_bytes([2; 32]);
        let wake = Wake::Item(mailbox, ItemId::from_bytes([3; 16]));
        watches.register(ASHA, Place::Mailbox(mailbox));
        assert_eq!(watches.woken(&wake), [ASHA]);
        assert_eq!(watches.woken(&wake), [ASHA]);
        watches.unregister(ASHA, &Place::Mailbox(mailbox));
        assert_eq!(watches.woken(&wake), []);
        assert!(watches.by_place.is_empty());
    }
}
