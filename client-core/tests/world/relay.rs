//! A relay in memory that speaks frames, and keeps cards.

use std::collections::{BTreeMap, BTreeSet};

use cobijo_client_core::core::client::{CardAbsent, PublishAnswer};
use cobijo_protocol::{
    Day,
    card::{CardVersion, UnverifiedCard},
    cell::Cell,
    frame::{
        FromRelay, Greeting, Operation, Outcome, SessionNonce, SlotState, decode_operations,
        encode_from_relay, encode_operations,
    },
    link::DeskId,
    mailbox::{ItemId, MailboxKey},
    slot::Address,
};

/// A connection: which client, and which of its channels.
pub(crate) type Line = (usize, u32);

/// Frames to deliver.
pub(crate) type Deliveries = Vec<(Line, Vec<u8>)>;

pub(crate) struct Relay {
    pub(crate) day: Day,
    slots: BTreeMap<Address, Option<Cell>>,
    watched: BTreeMap<Address, BTreeSet<Line>>,
    mailboxes: BTreeMap<MailboxKey, BTreeMap<ItemId, Cell>>,
    opened: BTreeMap<MailboxKey, BTreeSet<Line>>,
    pub(crate) cards: BTreeMap<DeskId, Vec<u8>>,
    pub(crate) hosted: BTreeSet<DeskId>,
    items: u8,
}

impl Relay {
    pub(crate) fn new(day: Day) -> Self {
        Self {
            day,
            slots: BTreeMap::new(),
            watched: BTreeMap::new(),
            mailboxes: BTreeMap::new(),
            opened: BTreeMap::new(),
            cards: BTreeMap::new(),
            hosted: BTreeSet::new(),
            items: 0,
        }
    }

    /// Slots that a cell stands in.
    pub(crate) fn full(&self) -> BTreeSet<Address> {
        let full = self.slots.iter().filter(|(_, cell)| cell.is_some());
        full.map(|(address, _)| *address).collect()
    }

    /// Loses a cell, as if nobody had ever written it.
    pub(crate) fn lose(&mut self, address: &Address) {
        self.slots.remove(address);
    }

    /// Slots that were erased.
    pub(crate) fn erased(&self) -> usize {
        self.slots.values().filter(|cell| cell.is_none()).count()
    }

    pub(crate) fn items(&self, mailbox: &MailboxKey) -> usize {
        self.mailboxes.get(mailbox).map_or(0, BTreeMap::len)
    }

    /// Empty slots that a client watches.
    pub(crate) fn watched_by(&self, client: usize) -> BTreeSet<Address> {
        let is_watched = |lines: &BTreeSet<Line>| lines.iter().any(|(one, _)| *one == client);
        let watched = self.watched.iter();
        watched
            .filter(|(_, lines)| is_watched(lines))
            .map(|(address, _)| *address)
            .collect()
    }

    /// Mailboxes that a client has open.
    pub(crate) fn opened_by(&self, client: usize) -> Vec<MailboxKey> {
        let is_open = |lines: &BTreeSet<Line>| lines.iter().any(|(one, _)| *one == client);
        let opened = self.opened.iter();
        opened
            .filter(|(_, lines)| is_open(lines))
            .map(|(mailbox, _)| *mailbox)
            .collect()
    }

    pub(crate) fn close(&mut self, line: Line) {
        self.watched.values_mut().for_each(|lines| {
            lines.remove(&line);
        });
        self.opened.values_mut().for_each(|lines| {
            lines.remove(&line);
        });
    }

    /// Runs one frame: its answer, and the pushes that follow from it.
    pub(crate) fn run(&mut self, line: Line, frame: &[u8]) -> Deliveries {
        let mut pushes = Vec::new();
        let mut skipping = false;
        let mut outcomes = Vec::new();
        for operation in decode_operations(frame).unwrap() {
            let outcome = if skipping {
                Outcome::Skipped
            } else {
                self.run_operation(line, &operation, &mut pushes)
            };
            let is_write = matches!(operation, Operation::Put { .. } | Operation::Drop { .. });
            skipping |= is_write && outcome != Outcome::Stored;
            outcomes.push(outcome);
        }
        let mut deliveries = vec![(line, FromRelay::Answer(outcomes))];
        deliveries.extend(pushes);
        let encode = |(line, message)| (line, encode_from_relay(&message).unwrap());
        deliveries.into_iter().map(encode).collect()
    }

    fn run_operation(
        &mut self,
        line: Line,
        operation: &Operation,
        pushes: &mut Vec<(Line, FromRelay)>,
    ) -> Outcome {
        match operation {
            Operation::Hello { .. } => Outcome::Hello(Greeting {
                nonce: SessionNonce::from_bytes([1; 32]),
                retention_days: 90,
                day: self.day,
                credits: 1024,
            }),
            Operation::Put {
                slot_key,
                mark,
                cell,
            } => self.put(slot_key.address(mark), cell, pushes),
            Operation::Watch { addresses } => {
                let watch = |&address| self.watch(line, address, pushes);
                Outcome::Watching(addresses.iter().map(watch).collect())
            }
            Operation::Unwatch { addresses } => {
                for address in addresses {
                    if let Some(lines) = self.watched.get_mut(address) {
                        lines.remove(&line);
                    }
                }
                Outcome::Done
            }
            Operation::Erase {
                slot_key,
                erase_key,
            } => {
                let address = slot_key.address(&erase_key.mark());
                if let Some(stands) = self.slots.get_mut(&address) {
                    *stands = None;
                }
                Outcome::Done
            }
            Operation::Cover { .. } => Outcome::Done,
            Operation::Drop { mailbox, cell } => self.drop_item(mailbox, cell, pushes),
            Operation::Open { mailbox, .. } => {
                self.opened.entry(*mailbox).or_default().insert(line);
                for (&item, cell) in self.mailboxes.get(mailbox).into_iter().flatten() {
                    pushes.push((line, pushed(*mailbox, item, cell)));
                }
                Outcome::Done
            }
            Operation::Remove { mailbox, item } => {
                if let Some(items) = self.mailboxes.get_mut(mailbox) {
                    items.remove(item);
                }
                Outcome::Done
            }
        }
    }

    pub(crate) fn put(
        &mut self,
        address: Address,
        cell: &Cell,
        pushes: &mut Vec<(Line, FromRelay)>,
    ) -> Outcome {
        if let Some(stands) = self.slots.get(&address) {
            return if stands.as_ref() == Some(cell) {
                Outcome::Stored
            } else {
                Outcome::Taken
            };
        }
        self.slots.insert(address, Some(cell.clone()));
        for watcher in self.watched.remove(&address).unwrap_or_default() {
            let cell = cell.clone();
            pushes.push((watcher, FromRelay::Cell { address, cell }));
        }
        Outcome::Stored
    }

    fn watch(
        &mut self,
        line: Line,
        address: Address,
        pushes: &mut Vec<(Line, FromRelay)>,
    ) -> SlotState {
        match self.slots.get(&address) {
            Some(Some(cell)) => {
                let cell = cell.clone();
                pushes.push((line, FromRelay::Cell { address, cell }));
                SlotState::Full
            }
            Some(None) => SlotState::Gone,
            None => {
                self.watched.entry(address).or_default().insert(line);
                SlotState::Empty
            }
        }
    }

    fn drop_item(
        &mut self,
        mailbox: &MailboxKey,
        cell: &Cell,
        pushes: &mut Vec<(Line, FromRelay)>,
    ) -> Outcome {
        let Some(items) = self.mailboxes.get_mut(mailbox) else {
            return Outcome::Unknown;
        };
        if !items.values().any(|stands| stands == cell) {
            self.items += 1;
            let item = ItemId::from_bytes([self.items; 16]);
            items.insert(item, cell.clone());
            for &watcher in self.opened.get(mailbox).into_iter().flatten() {
                pushes.push((watcher, pushed(*mailbox, item, cell)));
            }
        }
        Outcome::Stored
    }

    pub(crate) fn card(&self, desk: &DeskId) -> Result<Vec<u8>, CardAbsent> {
        self.cards.get(desk).cloned().ok_or(CardAbsent::NotFound)
    }

    pub(crate) fn version(&self, desk: &DeskId) -> Option<CardVersion> {
        Some(read(desk, self.cards.get(desk)?).version())
    }

    pub(crate) fn publish(&mut self, desk: DeskId, card: Vec<u8>) -> PublishAnswer {
        if !self.hosted.contains(&desk) {
            return PublishAnswer::NotHosted;
        }
        let version = read(&desk, &card).version();
        if version.day > self.day + 1 {
            return PublishAnswer::Refused;
        }
        match self.cards.get(&desk) {
            Some(stands) if *stands == card => return PublishAnswer::Published,
            Some(stands) if read(&desk, stands).version() >= version => {
                return PublishAnswer::Conflict;
            }
            Some(_) | None => {}
        }
        let mailbox = read(&desk, &card).daily.mailbox;
        self.mailboxes.entry(mailbox).or_default();
        self.cards.insert(desk, card);
        PublishAnswer::Published
    }
}

pub(crate) fn read(desk: &DeskId, card: &[u8]) -> cobijo_protocol::card::Card {
    UnverifiedCard::decode(card).unwrap().verify(desk).unwrap()
}

fn pushed(mailbox: MailboxKey, item: ItemId, cell: &Cell) -> FromRelay {
    FromRelay::Item {
        mailbox,
        item,
        cell: cell.clone(),
    }
}

/// What is run of a frame where the relay fails before its last put.
pub(crate) fn without_last_put(frame: &[u8]) -> Vec<u8> {
    let mut operations = decode_operations(frame).unwrap();
    let is_put = |operation: &Operation| matches!(operation, Operation::Put { .. });
    if operations
        .iter()
        .filter(|operation| is_put(operation))
        .count()
        > 1
    {
        let last = operations.iter().rposition(is_put).unwrap();
        operations.truncate(last);
    }
    encode_operations(&operations).unwrap()
}
