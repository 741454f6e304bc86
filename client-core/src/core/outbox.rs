//! What a member says: its own thread in an epoch, and what has to be said again in the next. [G-14]
//!
//! A counter is used up only by `Stored` or `Taken`, and the exact cell is kept until one of them is
//! known, so that the thread has no holes. What the epoch's cut left out is sent again, same id.

use std::collections::VecDeque;

use cobijo_protocol::{
    content::MessageId,
    limits::CUT_MESSAGES_MAX,
    slot::{Address, Kind, Slot, ThreadSecret, TooLong},
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{
    contest::seal_payload,
    port::{Chain, Rng, Seen, Wants},
};

/// The own messages of an epoch, and those that wait for one.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Outbox {
    counter: u64,
    first_taken: Option<u64>,
    entries: VecDeque<Entry>,
    /// Whether the relay has said on this connection that the slot of the sealed message is empty.
    #[serde(skip)]
    is_free: bool,
}

#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    id: MessageId,
    message: ByteBuf,
    state: State,
}

#[derive(Clone, Serialize, Deserialize)]
enum State {
    Waiting,
    Sealed { ciphertext: ByteBuf, chain: Chain },
    Stored { counter: u64 },
}

impl Outbox {
    /// Queues a message.
    pub(crate) fn push(&mut self, id: MessageId, message: Vec<u8>) {
        self.entries.push_back(Entry {
            id,
            message: ByteBuf::from(message),
            state: State::Waiting,
        });
    }

    /// Slots of the own thread that are used up in this epoch: the own count in a cut.
    pub(crate) fn counter(&self) -> u64 {
        self.counter
    }

    /// Whether a cell is on its way whose outcome isn't known.
    pub(crate) fn is_putting(&self) -> bool {
        self.sealed().is_some()
    }

    /// Whether something waits to be sealed.
    pub(crate) fn is_waiting(&self) -> bool {
        self.entries
            .iter()
            .any(|entry| matches!(entry.state, State::Waiting))
    }

    /// Whether the epoch has room for another message.
    pub(crate) fn has_room(&self) -> bool {
        self.counter < u64::from(CUT_MESSAGES_MAX)
    }

    /// Seals the next waiting message with what `encrypt` makes of it, if none is on its way.
    pub(crate) fn seal_next<E>(
        &mut self,
        secret: &ThreadSecret,
        leaf: u32,
        rng: &mut Rng,
        encrypt: impl FnOnce(&[u8], &mut Rng) -> Result<Vec<u8>, E>,
    ) -> Result<(), E> {
        if self.is_putting() || !self.has_room() {
            return Ok(());
        }
        let slot = self.slot(secret, leaf);
        let waiting = self
            .entries
            .iter_mut()
            .find(|entry| matches!(entry.state, State::Waiting));
        let Some(entry) = waiting else { return Ok(()) };
        let ciphertext = encrypt(&entry.message, rng)?;
        if let Ok(chain) = seal_payload(&slot, &ciphertext, rng) {
            entry.state = State::Sealed {
                ciphertext: ByteBuf::from(ciphertext),
                chain,
            };
        }
        self.is_free = false;
        Ok(())
    }

    /// What must be watched or put.
    pub(crate) fn wants(&self, wants: &mut Wants) {
        let Some((_, chain)) = self.sealed() else {
            return;
        };
        // Bodies go first, so they are put only when the head's slot is known to be empty.
        match chain.last() {
            Some(head) if chain.len() > 1 && !self.is_free => wants.watch.push(head.address()),
            _ => wants.chains.push(chain.clone()),
        }
    }

    /// Takes what the relay said; gives the id of a message that it made durable.
    pub(crate) fn handle_seen(
        &mut self,
        seen: &Seen,
        secret: &ThreadSecret,
        leaf: u32,
        rng: &mut Rng,
    ) -> Option<MessageId> {
        if matches!(seen, Seen::Connected(_)) {
            self.is_free = false;
        }
        let (index, chain) = self.sealed()?;
        let head = chain.last()?;
        let address = head.address();
        match seen {
            Seen::Empty(at) | Seen::Gone(at) if *at == address => self.is_free = true,
            Seen::Stored(at) if *at == address => return self.stored(index),
            Seen::Full(at, cell) if *at == address && *cell == head.cell => {
                return self.stored(index);
            }
            Seen::Full(at, _) | Seen::Taken(at) if *at == address => {
                self.first_taken.get_or_insert(self.counter);
                self.counter += 1;
                self.reseal(index, secret, leaf, rng);
            }
            Seen::Taken(at) if is_in(chain, at) => self.reseal(index, secret, leaf, rng),
            Seen::Connected(_)
            | Seen::Empty(_)
            | Seen::Full(..)
            | Seen::Gone(_)
            | Seen::Stored(_)
            | Seen::Taken(_)
            | Seen::Erased(_)
            | Seen::Dropped(..)
            | Seen::Item(..)
            | Seen::Removed(..) => {}
        }
        None
    }

    /// Gives up a cell that the epoch's `cut` doesn't reach; it will be sent in the next epoch.
    pub(crate) fn settle(&mut self, cut: u64) {
        if self.counter >= cut
            && let Some((index, _)) = self.sealed()
            && let Some(entry) = self.entries.get_mut(index)
        {
            entry.state = State::Waiting;
        }
    }

    /// Where the own stream ends under `cut`.
    pub(crate) fn end(&self, cut: u64) -> u64 {
        cut.min(self.counter)
            .min(self.first_taken.unwrap_or(u64::MAX))
    }

    /// Leaves the epoch whose own stream ends at `end`: what lies behind is sent again.
    pub(crate) fn close(&mut self, end: u64) {
        self.entries
            .retain(|entry| !matches!(entry.state, State::Stored { counter } if counter < end));
        for entry in &mut self.entries {
            entry.state = State::Waiting;
        }
        self.counter = 0;
        self.first_taken = None;
    }

    fn sealed(&self) -> Option<(usize, &Chain)> {
        self.entries
            .iter()
            .enumerate()
            .find_map(|(index, entry)| match &entry.state {
                State::Sealed { chain, .. } => Some((index, chain)),
                State::Waiting | State::Stored { .. } => None,
            })
    }

    fn stored(&mut self, index: usize) -> Option<MessageId> {
        let counter = self.counter;
        self.counter += 1;
        let entry = self.entries.get_mut(index)?;
        entry.state = State::Stored { counter };
        Some(entry.id)
    }

    /// Seals the same MLS message for the slot that is next now.
    fn reseal(&mut self, index: usize, secret: &ThreadSecret, leaf: u32, rng: &mut Rng) {
        self.is_free = false;
        let slot = self.slot(secret, leaf);
        let has_room = self.has_room();
        let Some(entry) = self.entries.get_mut(index) else {
            return;
        };
        let State::Sealed { ciphertext, .. } = &entry.state else {
            return;
        };
        let resealed: Result<Chain, TooLong> = seal_payload(&slot, ciphertext, rng);
        entry.state = match resealed {
            Ok(chain) if has_room => State::Sealed {
                ciphertext: ciphertext.clone(),
                chain,
            },
            Ok(_) | Err(_) => State::Waiting,
        };
    }

    fn slot(&self, secret: &ThreadSecret, leaf: u32) -> Slot {
        Slot::derive(secret, Kind::Message, leaf, self.counter)
    }
}

fn is_in(chain: &Chain, address: &Address) -> bool {
    chain.iter().any(|put| put.address() == *address)
}
