//! What a member says: its own thread in an epoch, and what has to be said again in the next. [G-15], [G-16]
//!
//! A counter is used up only by `Stored` or `Taken`, and the exact cell is kept until one of them is
//! known, so that the thread has no holes. What the epoch's cut left out is sent again, same id.

use std::collections::{BTreeSet, VecDeque};

use cobijo_protocol::{
    content::MessageId,
    limits::CUT_MESSAGES_MAX,
    slot::{Address, Kind, Slot, ThreadSecret, TooLong},
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{
    contest::seal_payload,
    erasing::{Erasing, erasing},
    port::{Chain, Rng, Seen, Wants},
};

/// The own messages of an epoch, and those that wait for one.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Outbox {
    counter: u64,
    first_taken: Option<u64>,
    entries: VecDeque<Entry>,
    /// What erases what was sealed since it was asked for.
    #[serde(skip)]
    erasing: Vec<(MessageId, Erasing)>,
    /// Whether the relay has said on this connection that the slot of the sealed message is empty.
    #[serde(skip)]
    is_free: bool,
}

#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    id: MessageId,
    message: ByteBuf,
    /// It is not sent again where a cut leaves it out.
    is_once: bool,
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
            is_once: false,
            state: State::Waiting,
        });
    }

    /// Queues a message that is said in this epoch or not at all.
    pub(crate) fn push_once(&mut self, id: MessageId, message: Vec<u8>) {
        self.push(id, message);
        if let Some(entry) = self.entries.back_mut() {
            entry.is_once = true;
        }
    }

    /// Whether a message may have to be sent again.
    pub(crate) fn holds(&self, id: &MessageId) -> bool {
        self.entries.iter().any(|entry| entry.id == *id)
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
            self.erasing.push((entry.id, erasing_chain(&slot, &chain)));
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

    /// Leaves the epoch whose own stream ends at `end`: what lies behind is sent again; gives what isn't.
    pub(crate) fn close(&mut self, end: u64) -> Vec<(MessageId, ByteBuf)> {
        self.entries
            .retain(|entry| !matches!(entry.state, State::Stored { counter } if counter < end));
        let is_once = |entry: &Entry| entry.is_once;
        let unsaid = self.entries.iter().filter(|entry| is_once(entry));
        let unsaid = unsaid
            .map(|entry| (entry.id, entry.message.clone()))
            .collect();
        self.entries.retain(|entry| !is_once(entry));
        for entry in &mut self.entries {
            entry.state = State::Waiting;
        }
        self.counter = 0;
        self.first_taken = None;
        unsaid
    }

    /// What erases each message that was sealed since the last call.
    pub(crate) fn take_erasing(&mut self) -> Vec<(MessageId, Erasing)> {
        std::mem::take(&mut self.erasing)
    }

    /// Doesn't say these again, save what is on its way.
    pub(crate) fn forget(&mut self, messages: &BTreeSet<MessageId>) {
        let is_on_its_way = |entry: &Entry| matches!(entry.state, State::Sealed { .. });
        self.entries
            .retain(|entry| !messages.contains(&entry.id) || is_on_its_way(entry));
    }

    /// Says nothing more, and forgets what it said.
    pub(crate) fn hush(&mut self) {
        self.entries.clear();
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
        if let Ok(chain) = &resealed {
            self.erasing.push((entry.id, erasing_chain(&slot, chain)));
        }
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

/// What erases a chain that was sealed into a slot.
fn erasing_chain(slot: &Slot, chain: &Chain) -> Erasing {
    let head = chain.last();
    head.map_or_else(Erasing::new, |head| erasing(slot, &head.cell))
}

fn is_in(chain: &Chain, address: &Address) -> bool {
    chain.iter().any(|put| put.address() == *address)
}

#[cfg(test)]
mod tests {
    use cobijo_protocol::cell::Cell;
    use rand_core::SeedableRng as _;

    use super::*;

    const SECRET: ThreadSecret = ThreadSecret::from_bytes([6; 32]);
    const LEAF: u32 = 2;

    struct Bench {
        outbox: Outbox,
        rng: Rng,
    }

    impl Bench {
        fn with(ids: impl IntoIterator<Item = u8>) -> Self {
            let mut outbox = Outbox::default();
            for id in ids {
                outbox.push(MessageId::from_bytes([id; 16]), vec![id]);
            }
            Self {
                outbox,
                rng: Rng::seed_from_u64(1),
            }
        }

        fn seal(&mut self) {
            let encrypt = |message: &[u8], _: &mut Rng| Ok::<_, TooLong>(message.to_vec());
            self.outbox
                .seal_next(&SECRET, LEAF, &mut self.rng, encrypt)
                .unwrap();
        }

        fn saw(&mut self, seen: &Seen) -> Option<MessageId> {
            self.outbox.handle_seen(seen, &SECRET, LEAF, &mut self.rng)
        }

        fn chains(&self) -> Vec<Chain> {
            let mut wants = Wants::default();
            self.outbox.wants(&mut wants);
            wants.chains
        }

        fn store(&mut self) {
            self.seal();
            let address = self.chains()[0].last().unwrap().address();
            self.saw(&Seen::Stored(address)).unwrap();
        }
    }

    fn address(counter: u64) -> Address {
        Slot::derive(&SECRET, Kind::Message, LEAF, counter).address()
    }

    #[test]
    fn one_message_is_on_its_way_at_a_time_and_its_cell_never_changes() {
        let mut bench = Bench::with([1, 2]);
        bench.seal();
        let first = bench.chains();
        bench.seal();
        assert_eq!(bench.chains(), first);
        assert_eq!(
            bench.saw(&Seen::Stored(address(0))),
            Some(MessageId::from_bytes([1; 16]))
        );
        bench.seal();
        assert_eq!(bench.chains()[0][0].address(), address(1));
    }

    #[test]
    fn what_is_said_once_is_given_back_where_it_did_not_count() {
        let mut bench = Bench::with([]);
        for id in [1, 2] {
            let id = MessageId::from_bytes([id; 16]);
            bench.outbox.push_once(id, vec![7]);
            bench.store();
        }
        let second = (MessageId::from_bytes([2; 16]), ByteBuf::from([7]));
        assert_eq!(bench.outbox.close(1), [second]);
        assert!(!bench.outbox.is_waiting());
    }

    #[test]
    fn a_squatted_slot_is_used_up_and_the_message_goes_to_the_next() {
        let mut bench = Bench::with([1]);
        bench.seal();
        assert_eq!(bench.saw(&Seen::Taken(address(0))), None);
        assert_eq!(bench.outbox.counter(), 1);
        assert_eq!(bench.chains()[0][0].address(), address(1));
        bench.saw(&Seen::Stored(address(1)));
        // Every reader found the squatted slot void, so the message lies behind the stream's end.
        assert_eq!(bench.outbox.end(2), 0);
        bench.outbox.close(0);
        assert!(bench.outbox.is_waiting());
    }

    #[test]
    fn a_lost_answer_is_looked_up_by_what_stands_there() {
        let mut bench = Bench::with([1]);
        bench.seal();
        let cell = bench.chains()[0][0].cell.clone();
        assert!(bench.saw(&Seen::Full(address(0), cell)).is_some());
        let mut bench = Bench::with([1]);
        bench.seal();
        assert!(bench.saw(&Seen::Full(address(0), Cell::void())).is_none());
        assert_eq!(bench.outbox.counter(), 1);
    }

    /// [G-16]
    #[test]
    fn what_the_cut_left_out_is_sent_again_in_order() {
        let mut bench = Bench::with([1, 2, 3]);
        (0..3).for_each(|_| bench.store());
        let end = bench.outbox.end(1);
        bench.outbox.close(end);
        bench.seal();
        assert_eq!(
            bench.saw(&Seen::Stored(address(0))),
            Some(MessageId::from_bytes([2; 16]))
        );
        bench.seal();
        assert_eq!(
            bench.saw(&Seen::Stored(address(1))),
            Some(MessageId::from_bytes([3; 16]))
        );
        assert!(!bench.outbox.is_waiting());
    }

    #[test]
    fn a_cell_on_its_way_is_settled_only_if_the_cut_reaches_it() {
        let mut bench = Bench::with([1]);
        bench.seal();
        bench.outbox.settle(1);
        assert!(bench.outbox.is_putting());
        bench.outbox.settle(0);
        assert!(!bench.outbox.is_putting() && bench.outbox.is_waiting());
    }

    #[test]
    fn bodies_wait_until_the_heads_slot_is_known_to_be_empty() {
        let mut outbox = Outbox::default();
        outbox.push(MessageId::from_bytes([1; 16]), vec![1; 9000]);
        let mut bench = Bench {
            outbox,
            rng: Rng::seed_from_u64(1),
        };
        bench.seal();
        assert!(bench.chains().is_empty());
        bench.saw(&Seen::Empty(address(0)));
        assert!(bench.chains()[0].len() > 1);
        bench.saw(&Seen::Taken(address(0)));
        assert!(bench.chains().is_empty());
    }

    #[test]
    fn an_epoch_takes_no_more_messages_than_a_cut_counts() {
        let mut bench = Bench::with([1]);
        bench.outbox.counter = u64::from(CUT_MESSAGES_MAX);
        bench.seal();
        assert!(!bench.outbox.is_putting());
    }
}
