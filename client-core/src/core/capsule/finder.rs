//! Looks for the capsules of a phrase, and opens them. [B-6]
//!
//! It asks the same whatever stands there: a wrong phrase, an unused one, and one whose capsules have
//! expired or were erased look alike, to the relay and to whoever types.

use std::collections::BTreeMap;

use cobijo_protocol::{
    capsule::{Capsule, capsule_month},
    cell::Cell,
    limits::{
        CAPSULE_BODIES_MAX, CAPSULE_MONTH_DAYS, CAPSULE_SLOTS_MAX, CAPSULES_OPENED_MAX,
        PHRASE_GENERATIONS, RETENTION_DAYS_MAX,
    },
    parts::Data,
    slot::{Address, Kind, Slot},
};

use super::{Erasing, erasing, open};
use crate::{
    core::{
        phrase::{Generation, PhraseKeys},
        port::{RelayFacts, Seen, Wants},
        thread::{Content, OnEmpty, Reading},
    },
    mls::hpke::KeyPair,
};

/// Slots that are looked at together.
const SLOTS_AT_ONCE: u64 = 64;

/// Reads the capsule threads of the newest generation and of the last months, newest first.
pub struct Finder {
    keys: PhraseKeys,
    /// First slots of the threads of all generations, of which nothing is known yet.
    unknown: BTreeMap<Address, u32>,
    /// What was said of them: a connection says it once.
    first: Vec<Seen>,
    /// The newest generation that was begun.
    generation: u32,
    newest: u32,
    reader: Option<Reader>,
    oldest: u32,
    free: Option<(u32, u64)>,
    capsules: Vec<FoundCapsule>,
}

/// What reads one generation.
struct Reader {
    keys: Generation,
    pair: KeyPair,
    month: Month,
}

/// The thread that is being read.
struct Month {
    number: u32,
    slots: BTreeMap<u64, At>,
}

/// One slot.
enum At {
    Reading(Box<Reading>, Erasing),
    Known(Option<(Vec<u8>, Erasing)>),
}

/// What stands under a phrase.
pub struct Found {
    /// Newest first; empty where nothing could be opened.
    pub capsules: Vec<FoundCapsule>,
    /// The generation that they are of. [B-6]
    pub generation: u32,
    /// Month and index of the slot for the next one.
    pub free: (u32, u64),
}

/// A capsule that stands.
pub struct FoundCapsule {
    /// What it says.
    pub capsule: Capsule,
    /// What erases it.
    pub erasing: Erasing,
}

impl Finder {
    /// Looks for what this phrase finds.
    pub fn new(keys: PhraseKeys) -> Self {
        Self {
            keys,
            unknown: BTreeMap::new(),
            first: Vec::new(),
            generation: 0,
            newest: 0,
            reader: None,
            oldest: 0,
            free: None,
            capsules: Vec::new(),
        }
    }

    /// What is wanted from the relay.
    pub fn wants(&self, wants: &mut Wants) {
        wants.watch.extend(self.unknown.keys());
        let slots = self.reader.iter().flat_map(|one| one.month.slots.values());
        for slot in slots {
            if let At::Reading(reading, _) = slot {
                reading.wants(wants);
            }
        }
    }

    /// Takes what the relay said; gives what stands once all of it was read on this connection.
    pub fn handle_seen(&mut self, seen: &Seen) -> Option<Found> {
        if let Seen::Connected(relay) = seen {
            self.begin(*relay);
        }
        if self.reader.is_none() {
            self.look_for_generation(seen);
        }
        let reader = self.reader.as_mut()?;
        for slot in reader.month.slots.values_mut() {
            slot.handle_seen(seen);
        }
        loop {
            let reader = self.reader.as_mut()?;
            let month = &mut reader.month;
            let until = month.slots.len() as u64;
            let free = match month.first_free() {
                None if until >= CAPSULE_SLOTS_MAX => until,
                None => {
                    if month.is_known() {
                        month.look_ahead(&reader.keys);
                    }
                    return None;
                }
                Some(free) => free,
            };
            let number = month.number;
            self.free.get_or_insert((number, free));
            let is_last = number <= self.oldest;
            let older = Month::empty(number.saturating_sub(1));
            let month = std::mem::replace(month, older);
            reader.open(month, &mut self.capsules);
            if is_last {
                return Some(Found {
                    capsules: std::mem::take(&mut self.capsules),
                    generation: self.generation,
                    free: self.free?,
                });
            }
            reader.begin_month(&self.first);
        }
    }

    fn begin(&mut self, relay: RelayFacts) {
        self.newest = capsule_month(relay.day);
        let retention = relay.retention_days.min(RETENTION_DAYS_MAX);
        let months = u32::from(retention).div_ceil(CAPSULE_MONTH_DAYS);
        self.oldest = self.newest.saturating_sub(months);
        self.free = None;
        self.capsules.clear();
        self.reader = None;
        self.generation = 0;
        self.unknown.clear();
        self.first.clear();
        for number in 0..PHRASE_GENERATIONS {
            let keys = self.keys.generation(number);
            for month in self.oldest..=self.newest {
                let slot = Slot::derive(keys.find(), Kind::Capsule, month, 0);
                self.unknown.insert(slot.address(), number);
            }
        }
    }

    /// Whoever came back has begun a generation, of which an older device of hers knows nothing.
    fn look_for_generation(&mut self, seen: &Seen) {
        match seen {
            Seen::Empty(at) | Seen::Full(at, _) | Seen::Gone(at) => {
                let number = self.unknown.remove(at);
                // One that was erased was begun, too.
                if let Some(number) = number.filter(|_| !matches!(seen, Seen::Empty(_))) {
                    self.generation = self.generation.max(number);
                }
                self.first.push(seen.clone());
            }
            Seen::Connected(_)
            | Seen::Stored(_)
            | Seen::Taken(_)
            | Seen::Erased(_)
            | Seen::Dropped(..)
            | Seen::Item(..)
            | Seen::Removed(..) => {}
        }
        if self.unknown.is_empty() {
            let keys = self.keys.generation(self.generation);
            self.reader = keys.pair().ok().map(|pair| Reader {
                month: Month::empty(self.newest),
                keys,
                pair,
            });
            if let Some(reader) = &mut self.reader {
                reader.begin_month(&self.first);
            }
        }
    }
}

impl Reader {
    fn begin_month(&mut self, first: &[Seen]) {
        self.month.look_ahead(&self.keys);
        if let Some(slot) = self.month.slots.get_mut(&0) {
            first.iter().for_each(|seen| slot.handle_seen(seen));
        }
    }

    fn open(&self, month: Month, capsules: &mut Vec<FoundCapsule>) {
        for slot in month.slots.into_values().rev() {
            if capsules.len() >= CAPSULES_OPENED_MAX {
                return;
            }
            let At::Known(Some((payload, erasing))) = slot else {
                continue;
            };
            if let Some(capsule) = open(&self.pair, &payload) {
                capsules.push(FoundCapsule { capsule, erasing });
            }
        }
    }
}

impl Month {
    fn empty(number: u32) -> Self {
        let slots = BTreeMap::new();
        Self { number, slots }
    }

    fn look_ahead(&mut self, keys: &Generation) {
        let from = self.slots.len() as u64;
        let until = (from + SLOTS_AT_ONCE).min(CAPSULE_SLOTS_MAX);
        for index in from..until {
            let slot = Slot::derive(keys.find(), Kind::Capsule, self.number, index);
            let reading = Box::new(Reading::new(slot, OnEmpty::Wait));
            self.slots.insert(index, At::Reading(reading, Vec::new()));
        }
    }

    /// The first slot that nobody has written, once it is known of all: how many are asked for tells
    /// nothing, and behind one that has expired others may stand.
    fn first_free(&self) -> Option<u64> {
        if !self.slots.values().all(At::is_answered) {
            return None;
        }
        let mut slots = self.slots.iter();
        let (index, first) = slots.find(|(_, slot)| !slot.is_known())?;
        matches!(first, At::Reading(reading, _) if reading.is_empty()).then_some(*index)
    }

    fn is_known(&self) -> bool {
        self.slots.values().all(At::is_known)
    }
}

impl At {
    fn is_known(&self) -> bool {
        matches!(self, Self::Known(_))
    }

    fn is_answered(&self) -> bool {
        match self {
            Self::Known(_) => true,
            Self::Reading(reading, _) => reading.is_empty(),
        }
    }

    fn handle_seen(&mut self, seen: &Seen) {
        let Self::Reading(reading, erases) = self else {
            return;
        };
        match seen {
            // An older capsule, which a newer one took the place of.
            Seen::Gone(at) if *at == reading.address() => {
                *self = Self::Known(None);
                return;
            }
            Seen::Full(at, cell) if *at == reading.address() => {
                if is_too_large(reading.slot(), cell) {
                    *self = Self::Known(None);
                    return;
                }
                *erases = erasing(reading.slot(), cell);
            }
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
        match reading.handle_seen(seen) {
            None => {}
            Some(Content::Payload(payload)) => {
                *self = Self::Known(Some((payload, std::mem::take(erases))));
            }
            Some(Content::Void | Content::Gone) => *self = Self::Known(None),
        }
    }
}

/// Whoever holds an old device of hers could make her read for ever.
fn is_too_large(slot: &Slot, cell: &Cell) -> bool {
    let data = slot.open(cell).and_then(|data| Data::decode(&data));
    matches!(data, Some(Data::Head(head)) if head.bodies() > CAPSULE_BODIES_MAX)
}

impl std::fmt::Debug for Finder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Finder").finish_non_exhaustive()
    }
}
