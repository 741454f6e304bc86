//! One connection: its hello, its credits, what it registered, and what is still to follow. [W-2]–[W-8]
//!
//! A frame becomes a [`Run`]: the shell asks for the next [`Step`], does it, and hands back what came of
//! it, until the step is the answer.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Instant,
};

use cobijo_protocol::{
    Day,
    frame::{
        Closing, FromRelay, Greeting, Operation, Outcome, SessionNonce, SlotState,
        decode_operations,
    },
    keys::Signature,
    limits::{
        CONNECTION_CREDITS, FRAME_ADDRESSES_MAX, OPEN_MAILBOXES_MAX, PROTOCOL_VERSION,
        REGISTERED_ADDRESSES_MAX,
    },
    mailbox::{ItemId, MailboxKey},
    slot::Address,
};

use crate::{
    engine::{Found, Key, Life, Wake, Write, Written},
    relay::{
        backlog::Backlog,
        rate::{Pace, Rate, RateLimit},
        watches::Place,
    },
};

/// What holds for every connection of a relay.
#[derive(Debug)]
pub(crate) struct Terms {
    /// Host names that people dial, in lower case.
    pub(crate) names: Vec<String>,
    /// Days a cell lives.
    pub(crate) retention_days: u16,
    /// How fast a connection may be.
    pub(crate) rate: RateLimit,
}

/// How things stand when a frame arrives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conditions {
    /// The relay's UTC day.
    pub(crate) day: Day,
    /// Whether there is room for writes.
    pub(crate) accepts_writes: bool,
}

/// See the module.
pub(crate) struct Session {
    terms: Arc<Terms>,
    nonce: SessionNonce,
    greeted: bool,
    used: bool,
    credits: u32,
    rate: Rate,
    pace: Pace,
    registered: BTreeSet<Address>,
    opened: BTreeSet<MailboxKey>,
    /// Opens that were denied.
    denied: usize,
    backlog: Backlog,
}

/// A frame that is being run.
pub(crate) struct Run {
    operations: VecDeque<Operation>,
    outcomes: Vec<Outcome>,
    conditions: Conditions,
    /// Addresses of the watch that is being read, in its order.
    asked: Vec<Address>,
    /// Addresses of all its watches so far.
    watched: BTreeSet<Address>,
}

/// What the shell has to do next for a frame.
#[derive(Debug)]
pub(crate) enum Step {
    /// Apply these, then [`Session::handle_written`].
    Write(Vec<Write>),
    /// Register these, read their states, then [`Session::handle_states`].
    Watch(Vec<Address>),
    /// Forget these registrations.
    Unregister(Vec<Address>),
    /// Register it, list its items, then [`Session::handle_items`].
    Open(MailboxKey),
    /// Send the answer; the frame is done.
    Answer(Vec<Outcome>),
}

impl Session {
    /// A connection that has yet to say hello.
    pub(crate) fn new(terms: Arc<Terms>, nonce: SessionNonce, now: Instant) -> Self {
        Self {
            rate: Rate::new(terms.rate, now),
            pace: Pace::new(terms.rate, now),
            terms,
            nonce,
            greeted: false,
            used: false,
            credits: CONNECTION_CREDITS,
            registered: BTreeSet::new(),
            opened: BTreeSet::new(),
            denied: 0,
            backlog: Backlog::default(),
        }
    }

    /// Whether hello was said.
    pub(crate) fn is_greeted(&self) -> bool {
        self.greeted
    }

    /// Whether anything was ever stored, watched or opened.
    pub(crate) fn is_used(&self) -> bool {
        self.used
    }

    /// Counts something that arrived, of whatever kind, against the rate. [L-3]
    pub(crate) fn handle_arrival(&mut self, bytes: usize, now: Instant) -> Result<(), Closing> {
        if self.rate.admit(bytes, now) {
            Ok(())
        } else {
            Err(Closing::TooFast)
        }
    }

    /// Takes a frame. Whether it may be run at all is decided before any of it is. [W-2]
    pub(crate) fn handle_frame(
        &mut self,
        frame: &[u8],
        conditions: Conditions,
    ) -> Result<Run, Closing> {
        let operations = decode_operations(frame).map_err(|_| Closing::Malformed)?;
        for (index, operation) in operations.iter().enumerate() {
            let is_hello = matches!(operation, Operation::Hello { .. });
            if is_hello != (index == 0 && !self.greeted) {
                return Err(Closing::Malformed);
            }
        }
        if let Some(Operation::Hello { version }) = operations.first() {
            if *version != PROTOCOL_VERSION {
                return Err(Closing::Version);
            }
            self.greeted = true;
        }
        Ok(Run {
            outcomes: Vec::with_capacity(operations.len()),
            operations: operations.into(),
            conditions,
            asked: Vec::new(),
            watched: BTreeSet::new(),
        })
    }

    /// The next step of a frame.
    pub(crate) fn poll_step(&mut self, run: &mut Run) -> Step {
        loop {
            let writes = self.take_writes(run);
            if !writes.is_empty() {
                return Step::Write(writes);
            }
            let Some(operation) = run.operations.pop_front() else {
                return Step::Answer(std::mem::take(&mut run.outcomes));
            };
            match self.start(operation, run) {
                Ok(step) => return step,
                Err(outcome) => run.outcomes.push(outcome),
            }
        }
    }

    /// What came of [`Step::Write`]. A `Taken` costs nothing; an `Unknown` does, or strangers could look
    /// for mailboxes as long as they like. [W-6]
    pub(crate) fn handle_written(&mut self, run: &mut Run, written: &[Written]) {
        for outcome in written {
            if matches!(outcome, Written::Stored | Written::Unknown) {
                self.credits = self.credits.saturating_sub(1);
            }
            self.used |= *outcome == Written::Stored;
            run.outcomes.push(match outcome {
                Written::Stored => Outcome::Stored,
                Written::Taken => Outcome::Taken,
                Written::Full => Outcome::Full,
                Written::Unknown => Outcome::Unknown,
                Written::Outdated | Written::Done => Outcome::Done,
                Written::Skipped => Outcome::Skipped,
            });
        }
        if written.contains(&Written::Taken) {
            run.skip_rest();
        }
    }

    /// What came of [`Step::Watch`]; returns what needs no registration any more. [W-7]
    pub(crate) fn handle_states(
        &mut self,
        run: &mut Run,
        addresses: &[Address],
        states: Vec<SlotState>,
    ) -> Vec<Address> {
        let states: BTreeMap<_, _> = addresses.iter().copied().zip(states).collect();
        let mut settled = Vec::new();
        let mut told = Vec::new();
        for address in std::mem::take(&mut run.asked) {
            let state = states.get(&address).copied().unwrap_or(SlotState::Empty);
            if state == SlotState::Full {
                self.backlog.push(Key::Slot(address));
            }
            if state != SlotState::Empty && self.registered.remove(&address) {
                settled.push(address);
            }
            told.push(state);
        }
        run.outcomes.push(Outcome::Watching(told));
        self.used = true;
        settled
    }

    /// What came of [`Step::Open`]. [M-3]
    pub(crate) fn handle_items(&mut self, run: &mut Run, mailbox: MailboxKey, items: Vec<ItemId>) {
        for item in items {
            self.backlog.push(Key::Item(mailbox, item));
        }
        self.opened.insert(mailbox);
        self.used = true;
        run.outcomes.push(Outcome::Done);
    }

    /// Whether what was woken for is to be delivered.
    pub(crate) fn handle_wake(&mut self, wake: &Wake) -> bool {
        match wake {
            Wake::Slot(address) => self.registered.remove(address),
            // One that was listed and is still to follow tells nothing new.
            Wake::Item(mailbox, _) => self.opened.contains(mailbox) && !self.backlog.contains(wake),
        }
    }

    /// Whether another frame may be read, or what follows earlier ones must drain first.
    pub(crate) fn takes_frames(&self) -> bool {
        !self.backlog.is_full()
    }

    /// When [`Session::poll_backlog`] may be asked, if it has something.
    pub(crate) fn backlog_timeout(&self, now: Instant) -> Option<Instant> {
        (!self.backlog.is_empty()).then(|| self.pace.poll_timeout(now))
    }

    /// Up to `count` of what is still to follow.
    pub(crate) fn poll_backlog(&mut self, count: usize, now: Instant) -> Vec<Key> {
        let keys = self.backlog.take(count);
        self.pace.handle_delivered(keys.len(), now);
        keys
    }

    /// Everything that is registered, for when the connection ends.
    pub(crate) fn places(&self) -> Vec<Place> {
        let slots = self.registered.iter().copied().map(Place::Slot);
        let mailboxes = self.opened.iter().copied().map(Place::Mailbox);
        slots.chain(mailboxes).collect()
    }

    /// Takes the writes at the front of what is left, up to the first operation that is something else
    /// or is refused without a write.
    fn take_writes(&self, run: &mut Run) -> Vec<Write> {
        let mut writes = Vec::new();
        let mut paid = 0;
        while let Some(operation) = run.operations.front() {
            let Some((write, price)) = self.write(operation, run.conditions, paid) else {
                break;
            };
            paid += price;
            writes.push(write);
            run.operations.pop_front();
        }
        writes
    }

    fn write(
        &self,
        operation: &Operation,
        conditions: Conditions,
        paid: u32,
    ) -> Option<(Write, u32)> {
        let life = Life {
            day: conditions.day,
            retention_days: self.terms.retention_days,
        };
        let admitted = conditions.accepts_writes && paid < self.credits;
        match operation {
            Operation::Put {
                slot_key,
                mark,
                cell,
            } if admitted => {
                let address = slot_key.address(mark);
                let cell = cell.clone();
                Some((
                    Write::Put {
                        address,
                        cell,
                        life,
                    },
                    1,
                ))
            }
            Operation::Drop { mailbox, cell } if admitted => {
                let (mailbox, cell) = (*mailbox, cell.clone());
                Some((
                    Write::Drop {
                        mailbox,
                        cell,
                        life,
                    },
                    1,
                ))
            }
            Operation::Erase {
                slot_key,
                erase_key,
            } => {
                let address = slot_key.address(&erase_key.mark());
                Some((Write::Erase { address }, 0))
            }
            Operation::Remove { mailbox, item } if self.opened.contains(mailbox) => {
                let (mailbox, item) = (*mailbox, *item);
                Some((Write::Remove { mailbox, item }, 0))
            }
            Operation::Put { .. }
            | Operation::Drop { .. }
            | Operation::Remove { .. }
            | Operation::Hello { .. }
            | Operation::Watch { .. }
            | Operation::Unwatch { .. }
            | Operation::Open { .. }
            | Operation::Cover { .. } => None,
        }
    }

    /// Starts what [`Session::take_writes`] left: a step, or the outcome where nothing is to be done.
    fn start(&mut self, operation: Operation, run: &mut Run) -> Result<Step, Outcome> {
        match operation {
            Operation::Hello { .. } => Err(Outcome::Hello(Greeting {
                nonce: self.nonce,
                retention_days: self.terms.retention_days,
                day: run.conditions.day,
                credits: self.credits,
            })),
            Operation::Watch { addresses } => self.watch(addresses, run),
            Operation::Unwatch { addresses } => {
                run.outcomes.push(Outcome::Done);
                Ok(Step::Unregister(self.unwatch(addresses)))
            }
            Operation::Open { mailbox, signature } => self.open(mailbox, &signature),
            Operation::Put { .. } => {
                run.outcomes.push(refusal(run.conditions));
                run.skip_rest();
                Ok(self.poll_step(run))
            }
            Operation::Drop { .. } => Err(refusal(run.conditions)),
            Operation::Remove { .. } => Err(Outcome::Denied),
            Operation::Erase { .. } | Operation::Cover { .. } => Err(Outcome::Done),
        }
    }

    /// What a frame may make follow is bounded with what it registers, before any of it is read. [W-7]
    fn watch(&mut self, addresses: Vec<Address>, run: &mut Run) -> Result<Step, Outcome> {
        let asked: BTreeSet<_> = addresses.iter().copied().collect();
        let registered = self.registered.union(&asked).count();
        let watched = run.watched.union(&asked).count();
        if registered > REGISTERED_ADDRESSES_MAX || watched > FRAME_ADDRESSES_MAX {
            return Err(Outcome::TooMany);
        }
        run.watched.extend(&asked);
        run.asked = addresses;
        self.registered.extend(&asked);
        Ok(Step::Watch(asked.into_iter().collect()))
    }

    fn unwatch(&mut self, mut addresses: Vec<Address>) -> Vec<Address> {
        self.backlog
            .forget(addresses.iter().copied().map(Key::Slot));
        addresses.retain(|address| self.registered.remove(address));
        addresses
    }

    /// A signature for any of the relay's names holds, since only this connection has the nonce. One
    /// that doesn't hold uses up a place, or strangers could have signatures checked for ever. [M-2]
    fn open(&mut self, mailbox: MailboxKey, signature: &Signature) -> Result<Step, Outcome> {
        if self.opened.contains(&mailbox) {
            return Err(Outcome::Done);
        }
        if self.opened.len() + self.denied >= OPEN_MAILBOXES_MAX {
            return Err(Outcome::TooMany);
        }
        let signed = |name: &String| mailbox.verify_open(name, &self.nonce, signature);
        if !self.terms.names.iter().any(signed) {
            self.denied += 1;
            return Err(Outcome::Denied);
        }
        Ok(Step::Open(mailbox))
    }
}

impl Run {
    fn skip_rest(&mut self) {
        let skipped = self.operations.drain(..).map(|_| Outcome::Skipped);
        self.outcomes.extend(skipped);
    }
}

/// What is pushed for a key, if anything stands to be told. [W-8]
pub(crate) fn push(key: Key, found: Found) -> Option<FromRelay> {
    match (key, found) {
        (Key::Slot(address), Found::Full(cell)) => Some(FromRelay::Cell { address, cell }),
        (Key::Slot(address), Found::Gone | Found::Empty) => Some(FromRelay::Gone { address }),
        (Key::Item(mailbox, item), Found::Full(cell)) => Some(FromRelay::Item {
            mailbox,
            item,
            cell,
        }),
        (Key::Item(..), Found::Gone | Found::Empty) => None,
    }
}

fn refusal(conditions: Conditions) -> Outcome {
    if conditions.accepts_writes {
        Outcome::NoCredit
    } else {
        Outcome::Busy
    }
}

#[cfg(test)]
mod tests {
    use cobijo_protocol::{
        cell::Cell,
        frame::encode_operations,
        limits::CELL_BYTES,
        slot::{Kind, Slot, ThreadSecret},
    };
    use proptest::prelude::*;

    use super::*;

    const CREDITS: u32 = 5;

    /// What an engine would keep.
    #[derive(Default)]
    struct World {
        slots: BTreeMap<Address, (Cell, bool)>,
    }

    impl World {
        fn write(&mut self, write: &Write) -> Written {
            match write {
                Write::Put { address, cell, .. } => {
                    let (standing, _) = self
                        .slots
                        .entry(*address)
                        .or_insert_with(|| (cell.clone(), true));
                    if standing == cell {
                        Written::Stored
                    } else {
                        Written::Taken
                    }
                }
                Write::Erase { address } => {
                    if let Some((_, full)) = self.slots.get_mut(address) {
                        *full = false;
                    }
                    Written::Done
                }
                Write::Drop { .. }
                | Write::Remove { .. }
                | Write::Card(_)
                | Write::Host { .. }
                | Write::Unhost { .. }
                | Write::ConfirmDay { .. } => Written::Unknown,
            }
        }

        fn apply(&mut self, writes: &[Write]) -> Vec<Written> {
            let mut skipping = false;
            let mut apply = |write| {
                if skipping {
                    return Written::Skipped;
                }
                let written = self.write(write);
                skipping = written == Written::Taken;
                written
            };
            writes.iter().map(&mut apply).collect()
        }

        fn state(&self, address: &Address) -> SlotState {
            match self.slots.get(address) {
                None => SlotState::Empty,
                Some((_, true)) => SlotState::Full,
                Some((_, false)) => SlotState::Gone,
            }
        }
    }

    fn run(session: &mut Session, world: &mut World, operations: &[Operation]) -> Vec<Outcome> {
        let frame = encode_operations(operations).unwrap();
        let conditions = Conditions {
            day: 20_000,
            accepts_writes: true,
        };
        let mut run = session.handle_frame(&frame, conditions).unwrap();
        loop {
            match session.poll_step(&mut run) {
                Step::Answer(outcomes) => return outcomes,
                Step::Write(writes) => {
                    let written = world.apply(&writes);
                    session.handle_written(&mut run, &written);
                }
                Step::Watch(addresses) => {
                    let states = addresses.iter().map(|a| world.state(a)).collect();
                    session.handle_states(&mut run, &addresses, states);
                }
                Step::Unregister(_) => {}
                Step::Open(mailbox) => session.handle_items(&mut run, mailbox, vec![]),
            }
        }
    }

    fn greeted() -> Session {
        let terms = Terms {
            names: vec!["localhost".to_owned()],
            retention_days: 90,
            rate: RateLimit {
                frames_per_second: 1,
                bytes_per_second: 1,
            },
        };
        let nonce = SessionNonce::from_bytes([1; 32]);
        let mut session = Session::new(Arc::new(terms), nonce, Instant::now());
        session.credits = CREDITS;
        let version = PROTOCOL_VERSION;
        run(
            &mut session,
            &mut World::default(),
            &[Operation::Hello { version }],
        );
        session
    }

    fn operation() -> impl Strategy<Value = Operation> {
        (0..6, 0..4_u64, 0..2_u8).prop_map(|(kind, counter, byte)| {
            let slot = Slot::derive(
                &ThreadSecret::from_bytes([9; 32]),
                Kind::Message,
                0,
                counter,
            );
            let slot_key = slot.slot_key().clone();
            let addresses = vec![slot.address()];
            let cell = Cell::from_bytes([byte; CELL_BYTES]);
            let mailbox = MailboxKey::from_bytes([2; 32]);
            match kind {
                0 | 1 => Operation::Put {
                    slot_key,
                    mark: slot.mark(),
                    cell,
                },
                2 => Operation::Erase {
                    slot_key,
                    erase_key: slot.erase_key().unwrap().clone(),
                },
                3 => Operation::Watch { addresses },
                4 => Operation::Unwatch { addresses },
                _ => Operation::Drop { mailbox, cell },
            }
        })
    }

    proptest! {
        /// [W-5] [W-6]
        #[test]
        fn every_operation_gets_its_outcome_and_each_stored_or_unknown_costs_one(
            frames in proptest::collection::vec(proptest::collection::vec(operation(), 1..8), 1..8)
        ) {
            let (mut session, mut world) = (greeted(), World::default());
            let mut cost = 0;
            for operations in frames {
                let outcomes = run(&mut session, &mut world, &operations);
                prop_assert_eq!(outcomes.len(), operations.len());
                let mut failed = false;
                for (operation, outcome) in operations.iter().zip(&outcomes) {
                    prop_assert_eq!(*outcome == Outcome::Skipped, failed);
                    let is_put = matches!(operation, Operation::Put { .. });
                    failed |= is_put && *outcome != Outcome::Stored;
                    cost += u32::from(matches!(outcome, Outcome::Stored | Outcome::Unknown));
                    let spent = cost == CREDITS;
                    if *outcome == Outcome::NoCredit {
                        prop_assert!(spent);
                    }
                }
                prop_assert_eq!(session.credits, CREDITS - cost);
            }
        }

        #[test]
        fn a_frame_of_any_bytes_is_run_or_refused(
            bytes in proptest::collection::vec(any::<u8>(), 0..64)
        ) {
            let mut frame = bytes;
            frame.resize(cobijo_protocol::limits::FRAME_UNIT_BYTES, 0);
            let conditions = Conditions { day: 20_000, accepts_writes: true };
            if let Ok(run) = greeted().handle_frame(&frame, conditions) {
                prop_assert!(!run.operations.is_empty());
            }
        }
    }

    ///
    #[test]
    fn a_wake_up_for_what_was_read_as_full_meanwhile_delivers_nothing() {
        let (mut session, mut world) = (greeted(), World::default());
        let address = Address::from_bytes([3; 32]);
        let watch = [Operation::Watch {
            addresses: vec![address],
        }];
        run(&mut session, &mut world, &watch);
        assert_eq!(session.places(), [Place::Slot(address)]);
        assert!(session.handle_wake(&Wake::Slot(address)));
        assert!(!session.handle_wake(&Wake::Slot(address)));
        world.slots.insert(address, (Cell::void(), true));
        run(&mut session, &mut world, &watch);
        assert!(!session.handle_wake(&Wake::Slot(address)));
        assert_eq!(
            session.poll_backlog(9, Instant::now()),
            [Key::Slot(address)]
        );
        assert_eq!(session.places(), []);
    }
}
