//! Reading one slot of a thread to the payload that stands there, with its bodies. [H-6]
//!
//! Absence is no fact until somebody has written there: a reader that must know (a body of a head it
//! has read, a slot below a cut) puts the void cell into what it finds empty, once, and reads again.
//! What stands there then is final for everyone.

use cobijo_protocol::{
    cell::Cell,
    parts::{Data, Head},
    slot::{Address, Slot},
};

use super::{
    erasing::{Erasing, erasing_slot},
    port::{Put, Seen, Wants},
};

/// What stands in a slot, for everyone who can derive it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A payload; its meaning is still to be judged.
    Payload(Vec<u8>),
    /// Nothing that anybody can read.
    Void,
    /// It was erased; what it said is not known.
    Gone,
}

/// What a reader does about a slot that nobody has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnEmpty {
    /// Waits for a writer.
    Wait,
    /// Puts the void cell there.
    Close,
}

/// Reads one slot, and the bodies of the head that stands there.
#[derive(Debug, Clone)]
pub struct Reading {
    slot: SlotReading,
    bodies: Option<Bodies>,
}

/// Reads one cell.
#[derive(Debug, Clone)]
struct SlotReading {
    slot: Slot,
    on_empty: OnEmpty,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// Not answered yet.
    Unknown,
    /// Nobody has written.
    Empty,
    /// Erased; the void cell is offered to learn whether it stood there.
    Gone,
    /// Known for good.
    Known(Stood),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Stood {
    Data(Vec<u8>),
    Void,
    Gone,
}

/// Reads the bodies of a head that is known.
#[derive(Debug, Clone)]
pub(super) struct Bodies {
    head: Head,
    readings: Vec<SlotReading>,
}

impl Reading {
    /// Starts to read `slot`.
    pub fn new(slot: Slot, on_empty: OnEmpty) -> Self {
        Self {
            slot: SlotReading::new(slot, on_empty),
            bodies: None,
        }
    }

    /// Where the slot is.
    pub fn address(&self) -> Address {
        self.slot.slot.address()
    }

    /// The slot itself.
    pub fn slot(&self) -> &Slot {
        &self.slot.slot
    }

    /// From now on, closes the slot where it is empty.
    pub fn close(&mut self) {
        self.slot.on_empty = OnEmpty::Close;
    }

    /// Whether the relay has said that nobody has written.
    pub fn is_empty(&self) -> bool {
        self.slot.state == State::Empty
    }

    /// What must be watched or put to get on.
    pub fn wants(&self, wants: &mut Wants) {
        match &self.bodies {
            None => self.slot.wants(wants),
            // One void body makes the head void: read in order, so that only the first is closed.
            Some(bodies) => bodies.wants(wants),
        }
    }

    /// Takes what the relay said; gives the content as soon as it is known.
    pub fn handle_seen(&mut self, seen: &Seen) -> Option<Content> {
        match &mut self.bodies {
            None => self.slot.handle_seen(seen),
            Some(bodies) => bodies.handle_seen(seen),
        }
        self.content()
    }

    /// What erases what stands there: the slot, and the bodies of its head.
    pub(crate) fn erasing(&self) -> Erasing {
        let bodies = self.bodies.iter().flat_map(|bodies| &bodies.readings);
        std::iter::once(&self.slot)
            .chain(bodies)
            .filter_map(|reading| erasing_slot(&reading.slot))
            .collect()
    }

    /// The content, where it is known.
    pub fn content(&mut self) -> Option<Content> {
        let State::Known(stood) = &self.slot.state else {
            return None;
        };
        if self.bodies.is_none() {
            match stood {
                Stood::Void => return Some(Content::Void),
                Stood::Gone => return Some(Content::Gone),
                Stood::Data(data) => match Data::decode(data) {
                    None => return Some(Content::Void),
                    Some(Data::Whole(payload)) => return Some(Content::Payload(payload)),
                    Some(Data::Head(head)) => {
                        let is_erasable = self.slot.slot.erase_key().is_some();
                        self.bodies = Some(Bodies::new(head, is_erasable, OnEmpty::Close));
                    }
                },
            }
        }
        self.bodies.as_ref()?.content()
    }
}

impl Bodies {
    pub(super) fn new(head: Head, erasable: bool, on_empty: OnEmpty) -> Self {
        let readings = (0..head.bodies())
            .map(|index| SlotReading::new(head.body_slot(index, erasable), on_empty))
            .collect();
        Self { head, readings }
    }

    /// Whether the relay has said of each what stands there, or that nothing does.
    pub(super) fn is_answered(&self) -> bool {
        let mut readings = self.readings.iter();
        !readings.any(|reading| reading.state == State::Unknown)
    }

    /// Takes what the relay said.
    pub(super) fn handle_seen(&mut self, seen: &Seen) {
        for reading in &mut self.readings {
            reading.handle_seen(seen);
        }
    }

    /// What must be watched or put to get on.
    pub(super) fn wants(&self, wants: &mut Wants) {
        let first_open = self
            .readings
            .iter()
            .position(|reading| !matches!(reading.state, State::Known(_)));
        for (index, reading) in self.readings.iter().enumerate() {
            match reading.state {
                State::Known(_) => {}
                State::Unknown => wants.watch.push(reading.slot.address()),
                State::Empty | State::Gone if Some(index) == first_open => reading.wants(wants),
                State::Empty | State::Gone => wants.watch.push(reading.slot.address()),
            }
        }
    }

    /// The content, where it is known.
    pub(super) fn content(&self) -> Option<Content> {
        let mut payload = self.head.part.clone();
        let mut gone = false;
        for (index, reading) in self.readings.iter().enumerate() {
            match &reading.state {
                State::Known(Stood::Data(data)) => match self.head.body_part(index, data) {
                    Some(part) => payload.extend(part),
                    None => return Some(Content::Void),
                },
                State::Known(Stood::Void) => return Some(Content::Void),
                State::Known(Stood::Gone) => gone = true,
                State::Unknown | State::Empty | State::Gone => return None,
            }
        }
        Some(if gone {
            Content::Gone
        } else {
            Content::Payload(payload)
        })
    }
}

impl SlotReading {
    fn new(slot: Slot, on_empty: OnEmpty) -> Self {
        Self {
            slot,
            on_empty,
            state: State::Unknown,
        }
    }

    fn wants(&self, wants: &mut Wants) {
        let address = self.slot.address();
        let void = || vec![Put::new(&self.slot, Cell::void())];
        match (&self.state, self.on_empty) {
            (State::Known(_), _) => {}
            (State::Empty, OnEmpty::Close) => {
                wants.watch.push(address);
                wants.chains.push(void());
            }
            (State::Gone, _) => wants.chains.push(void()),
            (State::Unknown, _) | (State::Empty, OnEmpty::Wait) => wants.watch.push(address),
        }
    }

    /// Whether the void cell is being put.
    fn is_closing(&self) -> bool {
        match self.state {
            State::Gone => true,
            State::Empty => self.on_empty == OnEmpty::Close,
            State::Unknown | State::Known(_) => false,
        }
    }

    fn handle_seen(&mut self, seen: &Seen) {
        if matches!(self.state, State::Known(_)) {
            return;
        }
        let address = self.slot.address();
        match seen {
            Seen::Connected(_) => self.state = State::Unknown,
            Seen::Empty(at) if *at == address => self.state = State::Empty,
            Seen::Gone(at) if *at == address && self.slot.erase_key().is_some() => {
                self.state = State::Gone
            }
            // Nobody can erase such a slot: the relay lies, and there is nothing to learn by a put.
            Seen::Gone(at) if *at == address => self.state = State::Known(Stood::Gone),
            Seen::Full(at, cell) if *at == address => {
                let stood = self
                    .slot
                    .open(cell)
                    .map_or(Stood::Void, |data| Stood::Data(data.to_vec()));
                self.state = State::Known(stood);
            }
            // A reader puts nothing but the void cell: it stands there, or stood there before it was erased.
            Seen::Stored(at) if *at == address && self.is_closing() => {
                self.state = State::Known(Stood::Void);
            }
            Seen::Taken(at) if *at == address && self.state == State::Gone => {
                self.state = State::Known(Stood::Gone);
            }
            Seen::Taken(_)
            | Seen::Empty(_)
            | Seen::Gone(_)
            | Seen::Full(..)
            | Seen::Stored(_)
            | Seen::Erased(_)
            | Seen::Dropped(..)
            | Seen::Item(..)
            | Seen::Removed(..) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use cobijo_protocol::{
        parts::Split,
        slot::{Kind, ThreadSecret},
    };

    use super::*;
    use crate::core::{contest::seal_payload, port::Rng};
    use rand_core::SeedableRng as _;

    const SECRET: ThreadSecret = ThreadSecret::from_bytes([3; 32]);

    fn slot(kind: Kind) -> Slot {
        Slot::derive(&SECRET, kind, 0, 0)
    }

    fn wants(reading: &Reading) -> Wants {
        let mut wants = Wants::default();
        reading.wants(&mut wants);
        wants
    }

    /// A head in `slot` and the puts of its bodies.
    fn large(slot: &Slot) -> (Vec<u8>, Vec<Put>) {
        let payload = vec![9; 12_000];
        (
            payload.clone(),
            seal_payload(slot, &payload, &mut Rng::seed_from_u64(1)).unwrap(),
        )
    }

    #[test]
    fn a_payload_in_bodies_is_put_together() {
        let slot = slot(Kind::Message);
        let (payload, mut puts) = large(&slot);
        let head = puts.pop().unwrap();
        let mut reading = Reading::new(slot, OnEmpty::Wait);
        assert_eq!(
            reading.handle_seen(&Seen::Full(head.address(), head.cell)),
            None
        );
        assert_eq!(wants(&reading).watch.len(), puts.len());
        let last = puts.pop().unwrap();
        for put in puts.iter().rev() {
            assert_eq!(
                reading.handle_seen(&Seen::Full(put.address(), put.cell.clone())),
                None
            );
        }
        let content = reading.handle_seen(&Seen::Full(last.address(), last.cell));
        assert_eq!(content, Some(Content::Payload(payload)));
    }

    /// [H-6]
    #[test]
    fn a_head_without_bodies_is_closed_at_its_first_empty_one_and_void() {
        let slot = slot(Kind::Message);
        let (_, mut puts) = large(&slot);
        let head = puts.pop().unwrap();
        let mut reading = Reading::new(slot, OnEmpty::Wait);
        reading.handle_seen(&Seen::Full(head.address(), head.cell));
        for put in &puts {
            reading.handle_seen(&Seen::Empty(put.address()));
        }
        let chains = wants(&reading).chains;
        assert_eq!(chains.len(), 1);
        assert_eq!(chains[0][0].address(), puts[0].address());
        assert_eq!(chains[0][0].cell, Cell::void());
        assert_eq!(
            reading.handle_seen(&Seen::Stored(puts[0].address())),
            Some(Content::Void)
        );
    }

    #[test]
    fn a_late_body_that_beat_the_void_cell_counts() {
        let slot = slot(Kind::Message);
        let (payload, mut puts) = large(&slot);
        let head = puts.pop().unwrap();
        let mut reading = Reading::new(slot, OnEmpty::Wait);
        reading.handle_seen(&Seen::Full(head.address(), head.cell));
        reading.handle_seen(&Seen::Empty(puts[0].address()));
        assert_eq!(reading.handle_seen(&Seen::Taken(puts[0].address())), None);
        let contents: Vec<_> = puts
            .iter()
            .map(|put| reading.handle_seen(&Seen::Full(put.address(), put.cell.clone())))
            .collect();
        assert_eq!(contents.last(), Some(&Some(Content::Payload(payload))));
    }

    #[test]
    fn a_body_of_a_wrong_length_makes_the_head_void() {
        let slot = slot(Kind::Message);
        let split = Split::of(&[9; 12_000], ThreadSecret::from_bytes([4; 32])).unwrap();
        let cell = slot.seal(&split.data.encode(), [0; 24]).unwrap();
        let mut reading = Reading::new(slot.clone(), OnEmpty::Wait);
        reading.handle_seen(&Seen::Full(slot.address(), cell));
        let body = Slot::derive_body(&ThreadSecret::from_bytes([4; 32]), 0, true);
        let short = body.seal(&[0, 1, 2], [0; 24]).unwrap();
        assert_eq!(
            reading.handle_seen(&Seen::Full(body.address(), short)),
            Some(Content::Void)
        );
    }

    #[test]
    fn a_gone_slot_is_void_only_if_the_void_cell_stood_there() {
        let slot = slot(Kind::Message);
        let mut reading = Reading::new(slot.clone(), OnEmpty::Wait);
        reading.handle_seen(&Seen::Gone(slot.address()));
        assert_eq!(wants(&reading).chains.len(), 1);
        assert_eq!(
            reading.clone().handle_seen(&Seen::Stored(slot.address())),
            Some(Content::Void)
        );
        assert_eq!(
            reading.handle_seen(&Seen::Taken(slot.address())),
            Some(Content::Gone)
        );
    }

    /// [H-6]
    #[test]
    fn a_body_that_is_gone_is_void_only_if_the_void_cell_stood_there() {
        let slot = slot(Kind::Message);
        let (_, mut puts) = large(&slot);
        let head = puts.pop().unwrap();
        let mut reading = Reading::new(slot, OnEmpty::Wait);
        reading.handle_seen(&Seen::Full(head.address(), head.cell));
        for put in &puts[1..] {
            reading.handle_seen(&Seen::Full(put.address(), put.cell.clone()));
        }
        let gone = puts[0].address();
        assert_eq!(reading.handle_seen(&Seen::Gone(gone)), None);
        assert_eq!(wants(&reading).chains[0][0].cell, Cell::void());
        let closed = reading.clone().handle_seen(&Seen::Stored(gone));
        assert_eq!(closed, Some(Content::Void));
        let missing = reading.handle_seen(&Seen::Taken(gone));
        assert_eq!(missing, Some(Content::Gone));
    }

    #[test]
    fn a_slot_that_nobody_can_erase_and_is_said_to_be_gone_gets_no_put() {
        let slot = slot(Kind::Commit);
        let mut reading = Reading::new(slot.clone(), OnEmpty::Wait);
        assert_eq!(
            reading.handle_seen(&Seen::Gone(slot.address())),
            Some(Content::Gone)
        );
    }

    #[test]
    fn absence_is_no_fact_for_who_waits() {
        let slot = slot(Kind::Message);
        let mut reading = Reading::new(slot.clone(), OnEmpty::Wait);
        assert_eq!(reading.handle_seen(&Seen::Empty(slot.address())), None);
        assert!(wants(&reading).chains.is_empty());
        // What somebody else of this client put there says nothing about what a reader sees.
        assert_eq!(reading.handle_seen(&Seen::Stored(slot.address())), None);
        reading.close();
        assert_eq!(wants(&reading).chains.len(), 1);
    }
}
