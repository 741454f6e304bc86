//! The client's end of a connection in memory: turns wants into requests, once each.

use std::collections::BTreeSet;

use cobijo_client_core::core::port::{Chain, Put, Seen, Wants};
use cobijo_protocol::{
    cell::Cell,
    frame::Outcome,
    limits::{FRAME_OPERATIONS_MAX, WATCH_ADDRESSES_MAX},
    mailbox::{ItemId, MailboxKey},
    slot::{Address, EraseKey, SlotKey},
};

/// What the client's end of a connection has already asked for.
#[derive(Default)]
pub(super) struct Session {
    watching: BTreeSet<Address>,
    chains: Vec<Sending>,
    erases: Vec<Address>,
    drops: Vec<(MailboxKey, Cell)>,
    mailboxes: BTreeSet<MailboxKey>,
    removes: Vec<(MailboxKey, ItemId)>,
}

/// A chain of which one frame at a time is on its way.
struct Sending {
    chain: Chain,
    stored: usize,
    in_flight: bool,
}

#[derive(Default)]
pub(super) struct Answer {
    pub(super) seen: Vec<Seen>,
    /// Where a whole frame is answered, and not what one machine asked: what became of each operation.
    pub(super) outcomes: Vec<Outcome>,
    /// The chain that a frame of puts belongs to.
    pub(super) chain: Option<Chain>,
}

pub(super) enum Request {
    Watch(Vec<Address>),
    Unwatch(Vec<Address>),
    /// Puts of one frame, and the whole chain that they belong to.
    Puts(Vec<Put>, Chain),
    /// A frame, as a client sends it.
    Frame(Vec<u8>),
    Erase(SlotKey, EraseKey),
    Drop(MailboxKey, Cell),
    Open(MailboxKey),
    Remove(MailboxKey, ItemId),
}

impl Session {
    /// What must be asked so that the connection does what is wanted.
    pub(super) fn reconcile(&mut self, wants: &Wants) -> Vec<Request> {
        let mut requests = self.reconcile_watches(&wants.watch);
        self.reconcile_chains(&wants.chains, &mut requests);
        for (slot_key, erase_key) in &wants.erases {
            let address = slot_key.address(&erase_key.mark());
            if !self.erases.contains(&address) {
                self.erases.push(address);
                requests.push(Request::Erase(slot_key.clone(), erase_key.clone()));
            }
        }
        for (mailbox, cell) in &wants.drops {
            if !self.drops.contains(&(*mailbox, cell.clone())) {
                self.drops.push((*mailbox, cell.clone()));
                requests.push(Request::Drop(*mailbox, cell.clone()));
            }
        }
        for mailbox in wants.mailboxes.iter().map(MailboxKey::of) {
            if self.mailboxes.insert(mailbox) {
                requests.push(Request::Open(mailbox));
            }
        }
        for &(mailbox, item) in &wants.removes {
            if !self.removes.contains(&(mailbox, item)) {
                self.removes.push((mailbox, item));
                requests.push(Request::Remove(mailbox, item));
            }
        }
        requests
    }

    fn reconcile_watches(&mut self, wanted: &[Address]) -> Vec<Request> {
        let forgotten: Vec<_> = self
            .watching
            .iter()
            .filter(|address| !wanted.contains(address))
            .copied()
            .collect();
        for address in &forgotten {
            self.watching.remove(address);
        }
        let new: Vec<_> = wanted
            .iter()
            .filter(|address| self.watching.insert(**address))
            .copied()
            .collect();
        let unwatch = forgotten
            .chunks(WATCH_ADDRESSES_MAX)
            .map(|chunk| Request::Unwatch(chunk.to_vec()));
        let watch = new
            .chunks(WATCH_ADDRESSES_MAX)
            .map(|chunk| Request::Watch(chunk.to_vec()));
        unwatch.chain(watch).collect()
    }

    fn reconcile_chains(&mut self, wanted: &[Chain], requests: &mut Vec<Request>) {
        self.chains
            .retain(|sending| sending.in_flight || wanted.contains(&sending.chain));
        for chain in wanted.iter().filter(|chain| !chain.is_empty()) {
            if !self.chains.iter().any(|sending| sending.chain == *chain) {
                self.chains.push(Sending {
                    chain: chain.clone(),
                    stored: 0,
                    in_flight: false,
                });
            }
        }
        for sending in self.chains.iter_mut().filter(|sending| !sending.in_flight) {
            sending.in_flight = true;
            let rest = &sending.chain[sending.stored..];
            let frame = rest[..rest.len().min(FRAME_OPERATIONS_MAX)].to_vec();
            requests.push(Request::Puts(frame, sending.chain.clone()));
        }
    }

    pub(super) fn handle_answer(&mut self, answer: &Answer) {
        for seen in &answer.seen {
            match seen {
                Seen::Erased(address) => self.erases.retain(|known| known != address),
                Seen::Dropped(mailbox, _) => {
                    // Answers come in order, so it is the first drop into this mailbox.
                    if let Some(index) = self.drops.iter().position(|(known, _)| known == mailbox) {
                        self.drops.remove(index);
                    }
                }
                Seen::Removed(mailbox, item) => {
                    self.removes.retain(|known| *known != (*mailbox, *item));
                }
                Seen::Connected(_)
                | Seen::Empty(_)
                | Seen::Full(..)
                | Seen::Gone(_)
                | Seen::Stored(_)
                | Seen::Taken(_)
                | Seen::Item(..) => {}
            }
        }
        if let Some(chain) = &answer.chain {
            self.handle_puts(chain, &answer.seen);
        }
    }

    fn handle_puts(&mut self, chain: &Chain, seen: &[Seen]) {
        let Some(index) = self
            .chains
            .iter()
            .position(|sending| sending.chain == *chain)
        else {
            return;
        };
        let sending = &mut self.chains[index];
        sending.in_flight = false;
        sending.stored += seen.len();
        let is_taken = matches!(seen.last(), Some(Seen::Taken(_)));
        if is_taken || sending.stored == chain.len() {
            self.chains.remove(index);
        }
    }
}
