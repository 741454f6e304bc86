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
        RETENTION_DAYS_MAX,
    },
    parts::Data,
    slot::{Kind, Slot},
};

use super::{Erasing, erasing, open};
use crate::{
    core::{
        phrase::PhraseKeys,
        port::{RelayFacts, Seen, Wants},
        thread::{Content, OnEmpty, Reading},
    },
    mls::hpke::KeyPair,
};

/// Slots that are looked at together.
const SLOTS_AT_ONCE: u64 = 64;

/// Reads the capsule threads of the last months, newest first.
pub struct Finder {
    keys: PhraseKeys,
    pair: KeyPair,
    month: Option<Month>,
    oldest: u32,
    free: Option<(u32, u64)>,
    capsules: Vec<FoundCapsule>,
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
    ///
    /// # Errors
    /// [`crate::mls::MlsError`] where the crypto provider fails.
    pub fn new(keys: PhraseKeys) -> Result<Self, crate::mls::MlsError> {
        Ok(Self {
            pair: keys.pair()?,
            keys,
            month: None,
            oldest: 0,
            free: None,
            capsules: Vec::new(),
        })
    }

    /// The phrase's keys.
    pub fn keys(&self) -> &PhraseKeys {
        &self.keys
    }

    /// What is wanted from the relay.
    pub fn wants(&self, wants: &mut Wants) {
        let slots = self.month.iter().flat_map(|month| month.slots.values());
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
        let month = self.month.as_mut()?;
        for slot in month.slots.values_mut() {
            slot.handle_seen(seen);
        }
        loop {
            let month = self.month.as_mut()?;
            let until = month.slots.len() as u64;
            let free = match month.first_free() {
                None if until >= CAPSULE_SLOTS_MAX => until,
                None => {
                    if month.is_known() {
                        month.look_ahead(&self.keys);
                    }
                    return None;
                }
                Some(free) => free,
            };
            self.free.get_or_insert((month.number, free));
            let month = self.month.take()?;
            let number = month.number;
            self.open(month);
            if number <= self.oldest {
                return Some(Found {
                    capsules: std::mem::take(&mut self.capsules),
                    free: self.free?,
                });
            }
            self.month = Some(Month::new(number - 1, &self.keys));
        }
    }

    fn begin(&mut self, relay: RelayFacts) {
        let newest = capsule_month(relay.day);
        let retention = relay.retention_days.min(RETENTION_DAYS_MAX);
        let months = u32::from(retention).div_ceil(CAPSULE_MONTH_DAYS);
        self.oldest = newest.saturating_sub(months);
        self.free = None;
        self.capsules.clear();
        self.month = Some(Month::new(newest, &self.keys));
    }

    fn open(&mut self, month: Month) {
        for slot in month.slots.into_values().rev() {
            if self.capsules.len() >= CAPSULES_OPENED_MAX {
                return;
            }
            let At::Known(Some((payload, erasing))) = slot else {
                continue;
            };
            if let Some(capsule) = open(&self.pair, &payload) {
                self.capsules.push(FoundCapsule { capsule, erasing });
            }
        }
    }
}

impl Month {
    fn new(number: u32, keys: &PhraseKeys) -> Self {
        let mut month = Self {
            number,
            slots: BTreeMap::new(),
        };
        month.look_ahead(keys);
        month
    }

    fn look_ahead(&mut self, keys: &PhraseKeys) {
        let from = self.slots.len() as u64;
        let until = (from + SLOTS_AT_ONCE).min(CAPSULE_SLOTS_MAX);
        for index in from..until {
            let slot = Slot::derive(keys.find(), Kind::Capsule, self.number, index);
            let reading = Box::new(Reading::new(slot, OnEmpty::Wait));
            self.slots.insert(index, At::Reading(reading, Vec::new()));
        }
    }

    /// The first slot that nobody has written, once all before it are known.
    fn first_free(&self) -> Option<u64> {
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
