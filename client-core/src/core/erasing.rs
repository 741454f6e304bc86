//! Erasing at the relay: what a client can name there, it can take away from every reader.
//!
//! The secrets of an epoch are gone once it is left, so what erases a message is kept beside it: keys
//! that find and erase its slots, and open nothing. [E-1]

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use cobijo_protocol::{
    Day,
    cell::Cell,
    content::MessageId,
    keys::PublicKey,
    parts::Data,
    slot::{EraseKey, Slot, SlotKey},
};
use rand_core::Rng as _;
use serde::{Deserialize, Serialize};

use super::port::{Now, Rng, Seen, Wants};

/// Slots that are erased at a time: so many stand in one frame.
pub const ERASES_AT_ONCE: usize = 4;
/// Time over which erasures are spread, unless she wants them at once: in one burst they would show the
/// relay what belongs together.
pub const ERASE_SPREAD: Duration = Duration::from_secs(50);
/// Slots that one group's messages are remembered by.
const SLOTS_MAX: usize = 1 << 15;

/// What erases a cell and its bodies: the head first, so that nobody looks for bodies that are gone.
pub type Erasing = Vec<(SlotKey, EraseKey)>;

/// What erases a slot, where it can be erased.
pub(crate) fn erasing_slot(slot: &Slot) -> Option<(SlotKey, EraseKey)> {
    Some((slot.slot_key().clone(), slot.erase_key()?.clone()))
}

/// What erases the cell in a slot, and the bodies that it is the head of.
pub(crate) fn erasing(slot: &Slot, cell: &Cell) -> Erasing {
    let head = slot.open(cell).and_then(|data| match Data::decode(&data) {
        Some(Data::Head(head)) => Some(head),
        Some(Data::Whole(_)) | None => None,
    });
    let bodies = head.iter().flat_map(|head| {
        (0..head.bodies()).map(|index| head.body_slot(index, slot.erase_key().is_some()))
    });
    std::iter::once(slot.clone())
        .chain(bodies)
        .filter_map(|slot| erasing_slot(&slot))
        .collect()
}

/// What erases the messages of a group, as far as this client can name them. [E-1]
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct EraseKeys {
    kept: VecDeque<Kept>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    author: PublicKey,
    /// The message that it erases, where it is known to be one.
    message: Option<MessageId>,
    day: Day,
    slots: Erasing,
}

impl EraseKeys {
    /// Keeps what erases something that `author` wrote, or may have: a message, where one was read.
    pub(crate) fn keep(
        &mut self,
        author: PublicKey,
        message: Option<MessageId>,
        day: Day,
        slots: Erasing,
    ) {
        if !slots.is_empty() {
            self.kept.push_back(Kept {
                author,
                message,
                day,
                slots,
            });
            self.make_room();
        }
    }

    /// Those of some messages; none of them is left.
    pub(crate) fn take_of(&mut self, messages: &BTreeSet<MessageId>) -> Erasing {
        let is_of = |kept: &Kept| kept.message.is_some_and(|id| messages.contains(&id));
        let (taken, kept) = self.kept.drain(..).partition(is_of);
        self.kept = kept;
        let taken: VecDeque<Kept> = taken;
        taken.into_iter().flat_map(|kept| kept.slots).collect()
    }

    /// Forgets what the relay no longer has.
    pub(crate) fn forget(&mut self, today: Day, retention_days: u16) {
        let lives = u32::from(retention_days) + 1;
        self.kept
            .retain(|kept| kept.day.saturating_add(lives) >= today);
    }

    /// All of them; none is left.
    pub(crate) fn take(&mut self) -> Erasing {
        self.kept.drain(..).flat_map(|kept| kept.slots).collect()
    }

    /// Those of what `author` wrote; the others stay.
    pub(crate) fn take_of_author(&mut self, author: &PublicKey) -> Erasing {
        let kept = std::mem::take(&mut self.kept).into_iter();
        let (own, others) = kept.partition::<VecDeque<_>, _>(|kept| kept.author == *author);
        self.kept = others;
        own.into_iter().flat_map(|kept| kept.slots).collect()
    }

    /// Goes on with what another group's messages are erased by.
    pub(crate) fn inherit(&mut self, other: Self) {
        let newer = std::mem::replace(self, other);
        self.kept.extend(newer.kept);
        self.make_room();
    }

    /// The oldest of whoever takes most give way, so that nobody can drive out what others said.
    fn make_room(&mut self) {
        let total = |kept: &VecDeque<Kept>| kept.iter().map(|kept| kept.slots.len()).sum::<usize>();
        while total(&self.kept) > SLOTS_MAX {
            let mut taken: BTreeMap<PublicKey, usize> = BTreeMap::new();
            for kept in &self.kept {
                *taken.entry(kept.author).or_default() += kept.slots.len();
            }
            let most = taken.iter().max_by_key(|(_, slots)| **slots);
            let Some(most) = most.map(|(author, _)| *author) else {
                return;
            };
            let oldest = self.kept.iter().position(|kept| kept.author == most);
            oldest.map(|oldest| self.kept.remove(oldest));
        }
    }
}

/// How fast slots are erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pace {
    /// Within a minute.
    Spread,
    /// As fast as the relay answers.
    AtOnce,
}

/// Erases slots, and remembers over restarts which are left. [E-2]
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Sweep {
    /// Those that are left, in the order in which they go.
    slots: VecDeque<(SlotKey, EraseKey)>,
    /// How many of the first are on their way.
    asked: usize,
    /// When the next ones go.
    due: Now,
    step_millis: u64,
}

impl Sweep {
    /// Erases these too, in random order, behind those that are left.
    pub(crate) fn add(&mut self, slots: Erasing, pace: Pace, now: Now, rng: &mut Rng) {
        if slots.is_empty() {
            return;
        }
        if self.is_over() {
            self.due = now;
        }
        let mut shuffled: Vec<_> = slots
            .into_iter()
            .map(|slot| (rng.next_u64(), slot))
            .collect();
        shuffled.sort_by_key(|(place, _)| *place);
        self.slots
            .extend(shuffled.into_iter().map(|(_, slot)| slot));
        let steps = self.slots.len().div_ceil(ERASES_AT_ONCE).max(1);
        self.step_millis = match pace {
            Pace::Spread => millis(ERASE_SPREAD) / u64::try_from(steps).unwrap_or(1),
            Pace::AtOnce => 0,
        };
    }

    /// Those that are left, for another one to erase.
    pub(crate) fn into_slots(self) -> Erasing {
        self.slots.into()
    }

    /// How many slots are left.
    pub(crate) fn left(&self) -> usize {
        self.slots.len()
    }

    /// Whether nothing is left.
    pub(crate) fn is_over(&self) -> bool {
        self.slots.is_empty()
    }

    /// Lets the next ones go, where it is time.
    pub(crate) fn advance(&mut self, now: Now) {
        // A clock that went back does not hold anything up.
        let is_due = self.due <= now || self.due.since(now) > ERASE_SPREAD;
        if self.asked == 0 && !self.is_over() && is_due {
            self.asked = self.slots.len().min(ERASES_AT_ONCE);
            let late = now.since(self.due) > ERASE_SPREAD;
            let from = if late || self.due > now {
                now
            } else {
                self.due
            };
            self.due = from.plus(Duration::from_millis(self.step_millis));
        }
    }

    /// What is left; nothing of it goes any more.
    pub(crate) fn take(&mut self) -> Erasing {
        std::mem::take(self).slots.into()
    }

    /// What is wanted from the relay.
    pub(crate) fn wants(&self, wants: &mut Wants) {
        wants
            .erases
            .extend(self.slots.iter().take(self.asked).cloned());
    }

    /// Takes what the relay said.
    pub(crate) fn handle_seen(&mut self, seen: &Seen, now: Now) {
        if let Seen::Erased(at) = seen {
            let before = self.slots.len();
            let asked = self.asked;
            let mut index = 0;
            self.slots.retain(|(slot_key, erase_key)| {
                index += 1;
                index > asked || slot_key.address(&erase_key.mark()) != *at
            });
            self.asked -= before - self.slots.len();
        }
        self.advance(now);
    }

    /// When to call [`Self::advance`].
    pub(crate) fn poll_timeout(&self) -> Option<Now> {
        (self.asked == 0 && !self.is_over()).then_some(self.due)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use cobijo_protocol::slot::{Address, Kind, ThreadSecret};
    use rand_core::SeedableRng as _;

    use super::*;

    fn slots(count: u64) -> Erasing {
        let secret = ThreadSecret::from_bytes([1; 32]);
        let slot = |index| Slot::derive(&secret, Kind::Message, 0, index);
        (0..count)
            .filter_map(|index| erasing_slot(&slot(index)))
            .collect()
    }

    fn wanted(sweep: &Sweep) -> Vec<Address> {
        let mut wants = Wants::default();
        sweep.wants(&mut wants);
        let address =
            |(slot_key, erase_key): &(SlotKey, EraseKey)| slot_key.address(&erase_key.mark());
        wants.erases.iter().map(address).collect()
    }

    /// Lets a sweep go on to its end; gives when each slot was erased.
    fn run(sweep: &mut Sweep, mut now: Now) -> Vec<(Address, Now)> {
        let mut erased = Vec::new();
        while !sweep.is_over() {
            now = now.max(sweep.poll_timeout().unwrap_or(now));
            sweep.advance(now);
            let asked = wanted(sweep);
            assert!((1..=ERASES_AT_ONCE).contains(&asked.len()));
            for address in asked {
                sweep.handle_seen(&Seen::Erased(address), now);
                erased.push((address, now));
            }
        }
        erased
    }

    /// [E-2]
    #[test]
    fn slots_go_in_random_order_four_at_a_time_within_a_minute() {
        let begun = Now::from_millis(7_000);
        let mut orders = Vec::new();
        for seed in 0..2 {
            let mut sweep = Sweep::default();
            let mut rng = Rng::seed_from_u64(seed);
            sweep.add(slots(41), Pace::Spread, begun, &mut rng);
            let erased = run(&mut sweep, begun);
            assert_eq!(erased.len(), 41);
            let took = erased.last().unwrap().1.since(begun);
            assert!(took <= Duration::from_secs(60) && took > Duration::from_secs(30));
            orders.push(
                erased
                    .into_iter()
                    .map(|(address, _)| address)
                    .collect::<Vec<_>>(),
            );
        }
        assert_ne!(orders[0], orders[1]);
        let mut sweep = Sweep::default();
        sweep.add(slots(41), Pace::AtOnce, begun, &mut Rng::seed_from_u64(0));
        assert!(run(&mut sweep, begun).iter().all(|(_, at)| *at == begun));
    }

    /// [E-1]
    #[test]
    fn what_the_relay_no_longer_has_is_forgotten_and_nobody_drives_out_others() {
        let key = |byte| cobijo_protocol::keys::SecretKey::from_bytes([byte; 32]).public();
        let mut keys = EraseKeys::default();
        keys.keep(key(1), None, 10, slots(1));
        keys.keep(key(2), None, 20, slots(2));
        keys.forget(101, 90);
        assert_eq!(keys.clone().take().len(), 3);
        keys.forget(102, 90);
        assert_eq!(keys.clone().take().len(), 2);
        for _ in 0..SLOTS_MAX / 1_000 {
            keys.keep(key(3), None, 20, slots(1_000));
        }
        keys.keep(key(3), None, 20, slots(1_000));
        let (mut hers, mut theirs) = (0, 0);
        for kept in &keys.kept {
            if kept.author == key(2) {
                hers += kept.slots.len();
            } else {
                theirs += kept.slots.len();
            }
        }
        assert_eq!(hers, 2);
        assert!(theirs > SLOTS_MAX / 2 && theirs <= SLOTS_MAX);
    }
}
