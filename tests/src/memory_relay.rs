//! A relay in memory and in virtual time, with the semantics of the real one, and its clients' sessions.
//!
//! A test moves every frame itself: [`MemoryRelay::reconcile`] queues what a machine wants,
//! [`MemoryRelay::run_request`] lets the relay act on one queued request, and
//! [`MemoryRelay::next_answer`] hands one answer back. Between any two of these calls a test may close
//! the connection, so lost, late and reordered frames need nothing more.

mod cards;
mod frames;
mod mailbox;
mod session;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cobijo_client_core::core::port::{Chain, Put, RelayFacts, Seen, Wants};
use cobijo_protocol::{
    Day,
    cell::{Cell, CellHash},
    limits::{
        CONNECTION_CREDITS, REGISTERED_ADDRESSES_MAX, RETENTION_DAYS_DEFAULT, SWEEP_JUMP_DAYS_MAX,
    },
    mailbox::{ItemId, MailboxKey},
    slot::{Address, EraseKey, SlotKey},
};

use cards::Cards;
use session::{Answer, Request, Session};

/// One connection; another one after each reconnection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnectionId(u64);

/// Whom a connection belongs to, so that a hostile relay can show one client what it hides from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Viewer(pub u32);

/// What a hostile relay shows one viewer in the place of what stands in a slot.
#[derive(Debug, Clone)]
pub enum Lie {
    /// Nothing, and nothing is pushed.
    Empty,
    /// It was erased.
    Gone,
    /// This cell.
    Full(Cell),
}

/// The relay, and what is in flight on every connection.
pub struct MemoryRelay {
    day: Day,
    swept: Day,
    retention_days: u16,
    slots: BTreeMap<Address, Kept>,
    mailboxes: BTreeMap<MailboxKey, BTreeMap<ItemId, Kept>>,
    connections: BTreeMap<ConnectionId, Connection>,
    made: u64,
    lies: Vec<(Viewer, Address, Lie)>,
    is_backwards: bool,
    cards: Cards,
}

#[derive(Clone)]
struct Kept {
    expires: Day,
    content: SlotContent,
}

#[derive(Clone)]
enum SlotContent {
    Full(Cell),
    Gone(CellHash),
}

struct Connection {
    viewer: Viewer,
    session: Session,
    requests: VecDeque<Request>,
    answers: VecDeque<Answer>,
    registered: BTreeSet<Address>,
    opened: BTreeSet<MailboxKey>,
    credits: u32,
}

#[derive(PartialEq, Eq)]
enum Outcome {
    Stored,
    Taken,
}

impl MemoryRelay {
    /// An empty relay on `day`, with the default retention.
    pub fn new(day: Day) -> Self {
        Self {
            day,
            swept: day,
            retention_days: RETENTION_DAYS_DEFAULT,
            slots: BTreeMap::new(),
            mailboxes: BTreeMap::new(),
            connections: BTreeMap::new(),
            made: 0,
            lies: Vec::new(),
            is_backwards: false,
            cards: Cards::default(),
        }
    }

    /// Another relay that keeps the same, with no connections.
    pub fn fork(&self) -> Self {
        Self {
            slots: self.slots.clone(),
            mailboxes: self.mailboxes.clone(),
            cards: self.cards.clone(),
            swept: self.swept,
            made: self.made,
            ..Self::new(self.day)
        }
    }

    /// The relay's day.
    pub fn day(&self) -> Day {
        self.day
    }

    /// Moves the relay's clock, either way, without sweeping.
    pub fn set_day(&mut self, day: Day) {
        self.day = day;
    }

    /// Removes what has expired, unless the clock jumped since the last time.
    pub fn sweep(&mut self) -> bool {
        if self.day.abs_diff(self.swept) > SWEEP_JUMP_DAYS_MAX {
            return false;
        }
        self.confirm_sweep();
        true
    }

    /// Removes what has expired, as an operator does who confirms the clock.
    pub fn confirm_sweep(&mut self) {
        let day = self.day;
        self.swept = day;
        self.slots.retain(|_, kept| kept.expires >= day);
        for items in self.mailboxes.values_mut() {
            items.retain(|_, kept| kept.expires >= day);
        }
    }

    /// What stands in a slot.
    pub fn cell(&self, address: &Address) -> Option<&Cell> {
        match &self.slots.get(address)?.content {
            SlotContent::Full(cell) => Some(cell),
            SlotContent::Gone(_) => None,
        }
    }

    /// Whether a slot was ever written and has not expired.
    pub fn is_used(&self, address: &Address) -> bool {
        self.slots.contains_key(address)
    }

    /// Whether the cells that a watch finds come in the opposite order from now on: they come in any.
    pub fn answer_backwards(&mut self, is_backwards: bool) {
        self.is_backwards = is_backwards;
    }

    /// Tells `viewer` something else of a slot from now on.
    pub fn lie(&mut self, viewer: Viewer, address: Address, lie: Lie) {
        self.lies
            .retain(|(whom, what, _)| (*whom, *what) != (viewer, address));
        self.lies.push((viewer, address, lie));
    }

    /// Tells everyone the truth again; what was withheld is pushed.
    pub fn repent(&mut self) {
        let lies = std::mem::take(&mut self.lies);
        for (_, address, _) in lies {
            self.push(&address);
        }
    }

    /// Opens a connection; its first answer is [`Seen::Connected`].
    pub fn connect(&mut self, viewer: Viewer) -> ConnectionId {
        let id = self.accept(viewer);
        let facts = RelayFacts {
            day: self.day,
            retention_days: self.retention_days,
        };
        self.answer(id, vec![Seen::Connected(facts)]);
        id
    }

    fn accept(&mut self, viewer: Viewer) -> ConnectionId {
        let id = ConnectionId(self.next_number());
        let connection = Connection {
            viewer,
            session: Session::default(),
            requests: VecDeque::new(),
            answers: VecDeque::new(),
            registered: BTreeSet::new(),
            opened: BTreeSet::new(),
            credits: CONNECTION_CREDITS,
        };
        self.connections.insert(id, connection);
        id
    }

    /// Ends a connection: requests in flight never run, answers in flight never arrive.
    pub fn close(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
    }

    /// Whether the connection stands.
    pub fn is_open(&self, id: ConnectionId) -> bool {
        self.connections.contains_key(&id)
    }

    /// Queues the difference between what a machine wants and what was asked for on this connection.
    pub fn reconcile(&mut self, id: ConnectionId, wants: &Wants) {
        if let Some(connection) = self.connections.get_mut(&id) {
            let requests = connection.session.reconcile(wants);
            connection.requests.extend(requests);
        }
    }

    /// Whether a request waits to be run.
    pub fn has_request(&self, id: ConnectionId) -> bool {
        self.connections
            .get(&id)
            .is_some_and(|connection| !connection.requests.is_empty())
    }

    /// Whether an answer waits to be handed out.
    pub fn has_answer(&self, id: ConnectionId) -> bool {
        self.connections
            .get(&id)
            .is_some_and(|connection| !connection.answers.is_empty())
    }

    /// Runs the next request of a connection; whether there was one.
    pub fn run_request(&mut self, id: ConnectionId) -> bool {
        let Some(request) = self.take_request(id) else {
            return false;
        };
        self.run(id, request);
        true
    }

    /// Runs the first `puts` puts, or operations, of the next request, and then the connection is lost.
    pub fn run_part(&mut self, id: ConnectionId, puts: usize) {
        match self.take_request(id) {
            Some(Request::Puts(frame, _)) => {
                for put in frame.iter().take(puts) {
                    if self.put(put) == Outcome::Taken {
                        break;
                    }
                }
            }
            Some(Request::Frame(frame)) => self.run_frame(id, &frame, puts),
            Some(_) | None => {}
        }
        self.close(id);
    }

    /// The next answer to arrive, or push.
    pub fn next_answer(&mut self, id: ConnectionId) -> Option<Vec<Seen>> {
        let connection = self.connections.get_mut(&id)?;
        let answer = connection.answers.pop_front()?;
        connection.session.handle_answer(&answer);
        Some(answer.seen)
    }

    /// Asks for what is wanted, runs it, and hands out all answers and pushes, in order.
    pub fn exchange(&mut self, id: ConnectionId, wants: &Wants) -> Vec<Seen> {
        self.reconcile(id, wants);
        while self.run_request(id) {}
        let mut seen = Vec::new();
        while let Some(answer) = self.next_answer(id) {
            seen.extend(answer);
        }
        seen
    }

    /// Puts outside any connection, as a hostile writer does; whether it was stored.
    pub fn put_raw(&mut self, put: &Put) -> bool {
        self.put(put) == Outcome::Stored
    }

    /// Erases outside any connection.
    pub fn erase_raw(&mut self, slot_key: &SlotKey, erase_key: &EraseKey) {
        if let Some(kept) = self.slots.get_mut(&slot_key.address(&erase_key.mark()))
            && let SlotContent::Full(cell) = &kept.content
        {
            kept.content = SlotContent::Gone(cell.hash());
        }
    }

    fn take_request(&mut self, id: ConnectionId) -> Option<Request> {
        self.connections.get_mut(&id)?.requests.pop_front()
    }

    fn run(&mut self, id: ConnectionId, request: Request) {
        match request {
            Request::Watch(addresses) => self.watch(id, &addresses),
            Request::Unwatch(addresses) => {
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection
                        .registered
                        .retain(|address| !addresses.contains(address));
                }
            }
            Request::Puts(frame, chain) => self.run_puts(id, &frame, chain),
            Request::Frame(frame) => self.run_frame(id, &frame, usize::MAX),
            Request::Erase(slot_key, erase_key) => {
                self.erase_raw(&slot_key, &erase_key);
                self.answer(id, vec![Seen::Erased(slot_key.address(&erase_key.mark()))]);
            }
            Request::Drop(mailbox, cell) => {
                let dropped = self.drop_cell(mailbox, &cell);
                self.answer(id, vec![Seen::Dropped(mailbox, dropped)]);
            }
            Request::Open(mailbox) => {
                for item in self.open(id, mailbox) {
                    self.answer(id, vec![item]);
                }
            }
            Request::Remove(mailbox, item) => {
                if let Some(items) = self.mailboxes.get_mut(&mailbox) {
                    items.remove(&item);
                }
                self.answer(id, vec![Seen::Removed(mailbox, item)]);
            }
        }
    }

    fn run_puts(&mut self, id: ConnectionId, frame: &[Put], chain: Chain) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let Some(credits) = connection
            .credits
            .checked_sub(u32::try_from(frame.len()).unwrap_or(u32::MAX))
        else {
            return self.close(id);
        };
        connection.credits = credits;
        let mut seen = Vec::new();
        for put in frame {
            match self.put(put) {
                Outcome::Stored => seen.push(Seen::Stored(put.address())),
                Outcome::Taken => {
                    seen.push(Seen::Taken(put.address()));
                    break;
                }
            }
        }
        if let Some(connection) = self.connections.get_mut(&id) {
            // Pushes that the puts caused are queued before, as they may be on a real socket.
            connection.answers.push_back(Answer {
                seen,
                chain: Some(chain),
                ..Answer::default()
            });
        }
    }

    fn put(&mut self, put: &Put) -> Outcome {
        let address = put.address();
        if let Some(kept) = self.slots.get(&address) {
            let same = match &kept.content {
                SlotContent::Full(cell) => *cell == put.cell,
                SlotContent::Gone(hash) => *hash == put.cell.hash(),
            };
            return if same {
                Outcome::Stored
            } else {
                Outcome::Taken
            };
        }
        let kept = Kept {
            expires: self.expiry(),
            content: SlotContent::Full(put.cell.clone()),
        };
        self.slots.insert(address, kept);
        self.push(&address);
        Outcome::Stored
    }

    /// Never sooner than a right clock would say: a clock set back must not make cells vanish early.
    fn expiry(&self) -> Day {
        self.day
            .max(self.swept)
            .saturating_add(Day::from(self.retention_days))
    }

    /// Tells every connection that has the address registered, once.
    fn push(&mut self, address: &Address) {
        let ids: Vec<_> = self
            .connections
            .iter()
            .filter(|(_, connection)| connection.registered.contains(address))
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            if let Some(seen) = self.look(id, address) {
                self.answer(id, vec![seen]);
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.registered.remove(address);
                }
            }
        }
    }

    /// What a connection is shown of a slot; `None` for an empty one.
    fn look(&self, id: ConnectionId, address: &Address) -> Option<Seen> {
        let viewer = self.connections.get(&id)?.viewer;
        let told = |(whom, what, _): &&(Viewer, Address, Lie)| (whom, what) == (&viewer, address);
        match self.lies.iter().find(told).map(|(_, _, lie)| lie) {
            Some(Lie::Empty) => None,
            Some(Lie::Gone) => Some(Seen::Gone(*address)),
            Some(Lie::Full(cell)) => Some(Seen::Full(*address, cell.clone())),
            None => Some(match &self.slots.get(address)?.content {
                SlotContent::Full(cell) => Seen::Full(*address, cell.clone()),
                SlotContent::Gone(_) => Seen::Gone(*address),
            }),
        }
    }

    /// Full cells follow in frames of their own, as they do when a socket drains.
    fn watch(&mut self, id: ConnectionId, addresses: &[Address]) {
        let mut answer = Vec::new();
        let mut cells = Vec::new();
        for address in addresses {
            match self.look(id, address) {
                None => {
                    if let Some(connection) = self.connections.get_mut(&id) {
                        connection.registered.insert(*address);
                        assert!(
                            connection.registered.len() <= REGISTERED_ADDRESSES_MAX,
                            "a client registers more addresses than a relay allows"
                        );
                    }
                    answer.push(Seen::Empty(*address));
                }
                Some(full @ Seen::Full(..)) => cells.push(vec![full]),
                Some(gone) => answer.push(gone),
            }
        }
        self.answer(id, answer);
        if self.is_backwards {
            cells.reverse();
        }
        for cell in cells {
            self.answer(id, cell);
        }
    }

    fn answer(&mut self, id: ConnectionId, seen: Vec<Seen>) {
        if let Some(connection) = self.connections.get_mut(&id)
            && !seen.is_empty()
        {
            connection.answers.push_back(Answer {
                seen,
                ..Answer::default()
            });
        }
    }

    fn next_number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }
}

#[cfg(test)]
mod tests {
    use cobijo_client_core::core::port::Dropped;
    use cobijo_protocol::{
        keys::SecretKey,
        slot::{Kind, Slot, ThreadSecret},
    };

    use super::*;

    const ONE: Viewer = Viewer(1);
    const TWO: Viewer = Viewer(2);

    fn slot(kind: Kind, counter: u64) -> Slot {
        Slot::derive(&ThreadSecret::from_bytes([7; 32]), kind, 0, counter)
    }

    fn put(slot: &Slot, text: &[u8]) -> Put {
        Put::new(slot, slot.seal(text, [1; 24]).unwrap())
    }

    fn watch(slots: &[&Slot]) -> Wants {
        Wants {
            watch: slots.iter().map(|slot| slot.address()).collect(),
            ..Wants::default()
        }
    }

    fn chain(puts: Vec<Put>) -> Wants {
        Wants {
            chains: vec![puts],
            ..Wants::default()
        }
    }

    #[test]
    fn first_write_wins_and_a_retry_is_stored_even_after_an_erase() {
        let mut relay = MemoryRelay::new(100);
        let slot = slot(Kind::Message, 0);
        assert!(relay.put_raw(&put(&slot, b"first")));
        assert!(!relay.put_raw(&put(&slot, b"second")));
        relay.erase_raw(slot.slot_key(), slot.erase_key().unwrap());
        assert!(relay.put_raw(&put(&slot, b"first")));
        assert!(!relay.put_raw(&put(&slot, b"second")));
        let id = relay.connect(ONE);
        let seen = relay.exchange(id, &watch(&[&slot]));
        assert!(matches!(seen.last(), Some(Seen::Gone(_))));
    }

    #[test]
    fn after_a_put_that_is_not_stored_the_rest_of_the_chain_is_not_run() {
        let mut relay = MemoryRelay::new(100);
        let slots: Vec<_> = (0..3).map(|counter| slot(Kind::Message, counter)).collect();
        relay.put_raw(&put(&slots[1], b"other"));
        let id = relay.connect(ONE);
        let puts = slots.iter().map(|slot| put(slot, b"mine")).collect();
        let seen = relay.exchange(id, &chain(puts));
        assert!(matches!(
            seen[..],
            [Seen::Connected(_), Seen::Stored(_), Seen::Taken(_)]
        ));
        assert!(!relay.is_used(&slots[2].address()));
    }

    #[test]
    fn an_empty_slot_stays_watched_and_is_pushed_once() {
        let mut relay = MemoryRelay::new(100);
        let slot = slot(Kind::Message, 0);
        let reader = relay.connect(ONE);
        let wants = watch(&[&slot]);
        assert!(matches!(
            relay.exchange(reader, &wants)[..],
            [Seen::Connected(_), Seen::Empty(_)]
        ));
        relay.put_raw(&put(&slot, b"text"));
        assert!(matches!(
            relay.exchange(reader, &wants)[..],
            [Seen::Full(..)]
        ));
        assert!(relay.exchange(reader, &wants).is_empty());
    }

    #[test]
    fn a_lost_connection_may_have_stored_a_part() {
        let mut relay = MemoryRelay::new(100);
        let (first, second) = (slot(Kind::Message, 0), slot(Kind::Message, 1));
        let id = relay.connect(ONE);
        relay.reconcile(id, &chain(vec![put(&first, b"a"), put(&second, b"b")]));
        relay.run_part(id, 1);
        assert!(!relay.is_open(id));
        assert!(relay.is_used(&first.address()));
        assert!(!relay.is_used(&second.address()));
    }

    #[test]
    fn only_a_sweep_removes_and_not_after_the_clock_jumped() {
        let mut relay = MemoryRelay::new(100);
        let slot = slot(Kind::Commit, 0);
        relay.put_raw(&put(&slot, b"text"));
        relay.set_day(100 + 90);
        relay.confirm_sweep();
        assert!(relay.is_used(&slot.address()));
        relay.set_day(100 + 91);
        assert!(relay.sweep());
        assert!(!relay.is_used(&slot.address()));
        relay.set_day(5000);
        assert!(!relay.sweep());
    }

    #[test]
    fn a_clock_that_was_set_back_takes_no_days_from_a_cell() {
        let mut relay = MemoryRelay::new(5000);
        relay.set_day(100);
        let slot = slot(Kind::Commit, 0);
        relay.put_raw(&put(&slot, b"text"));
        relay.set_day(5001);
        assert!(relay.sweep());
        assert!(relay.is_used(&slot.address()));
    }

    #[test]
    fn a_hostile_relay_lies_to_one_viewer_alone() {
        let mut relay = MemoryRelay::new(100);
        let slot = slot(Kind::Commit, 0);
        relay.lie(ONE, slot.address(), Lie::Empty);
        relay.put_raw(&put(&slot, b"text"));
        let (one, two) = (relay.connect(ONE), relay.connect(TWO));
        let wants = watch(&[&slot]);
        assert!(matches!(
            relay.exchange(one, &wants).last(),
            Some(Seen::Empty(_))
        ));
        assert!(matches!(
            relay.exchange(two, &wants).last(),
            Some(Seen::Full(..))
        ));
        relay.repent();
        assert!(matches!(relay.exchange(one, &wants)[..], [Seen::Full(..)]));
    }

    #[test]
    fn a_drop_reaches_whoever_has_the_mailbox_open() {
        let mut relay = MemoryRelay::new(100);
        let secret = SecretKey::from_bytes([3; 32]);
        let mailbox = MailboxKey::of(&secret);
        let drop = Wants {
            drops: vec![(mailbox, Cell::void())],
            ..Wants::default()
        };
        let person = relay.connect(ONE);
        let refused = relay.exchange(person, &drop);
        assert!(matches!(
            refused.last(),
            Some(Seen::Dropped(_, Dropped::Unknown))
        ));
        relay.host_mailbox(mailbox);
        relay.exchange(person, &drop);
        let owner = relay.connect(TWO);
        let mut wants = Wants {
            mailboxes: vec![secret],
            ..Wants::default()
        };
        let seen = relay.exchange(owner, &wants);
        let Some(Seen::Item(_, item, _)) = seen.last() else {
            panic!("nothing arrived");
        };
        wants.removes.push((mailbox, *item));
        relay.exchange(owner, &wants);
        assert_eq!(relay.items(&mailbox), 0);
    }
}
