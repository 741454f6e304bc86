//! Keepers and finders of one phrase over a few slots in memory.

use std::collections::{BTreeMap, BTreeSet};

use cobijo_protocol::{
    Day,
    capsule::{DecapsulationKey, Place, ReturnLeaf, Shows},
    keys::SecretKey,
    slot::{Address, Kind, Slot, ThreadSecret},
};
use rand_core::SeedableRng as _;
use serde_bytes::ByteBuf;

use cobijo_protocol::cell::Cell;

use super::*;
use crate::core::{
    contest::seal_payload,
    phrase::{Phrase, PhraseKeys, WordList},
    port::{Put, RelayFacts, Rng, Seen, Wants},
};

const TODAY: Day = 20_000;

/// What a relay does, as far as capsules ask.
#[derive(Default)]
struct Slots {
    cells: BTreeMap<Address, Option<Cell>>,
    /// How many slots were looked at.
    looked_at: BTreeSet<Address>,
    /// How many capsules were made: each with randomness of its own.
    made: u64,
}

impl Slots {
    fn connected(day: Day) -> Seen {
        Seen::Connected(RelayFacts {
            day,
            retention_days: 90,
        })
    }

    fn exchange(&mut self, wants: Wants) -> Vec<Seen> {
        self.looked_at.extend(&wants.watch);
        let mut seen = Vec::new();
        for address in wants.watch {
            seen.push(match self.cells.get(&address) {
                None => Seen::Empty(address),
                Some(None) => Seen::Gone(address),
                Some(Some(cell)) => Seen::Full(address, cell.clone()),
            });
        }
        for put in wants.chains.into_iter().flatten() {
            seen.push(self.put(put));
        }
        for (slot_key, erase_key) in wants.erases {
            let address = slot_key.address(&erase_key.mark());
            if let Some(cell) = self.cells.get_mut(&address) {
                *cell = None;
            }
            seen.push(Seen::Erased(address));
        }
        seen
    }

    fn put(&mut self, put: Put) -> Seen {
        let at = put.address();
        let stands = self
            .cells
            .entry(at)
            .or_insert_with(|| Some(put.cell.clone()));
        if *stands == Some(put.cell) {
            Seen::Stored(at)
        } else {
            Seen::Taken(at)
        }
    }

    /// Lets a keeper work until it wants nothing more; it crashes after each step.
    fn keep(&mut self, keeper: &mut Keeper, day: Day, rng: &mut Rng) -> Option<Kept> {
        let mut kept = None;
        while keeper.is_busy() {
            let mut saved = Vec::new();
            ciborium::into_writer(keeper, &mut saved).unwrap();
            *keeper = ciborium::from_reader(saved.as_slice()).unwrap();
            kept = kept.or(keeper.handle_seen(&Self::connected(day), day, rng));
            // Nobody heard what became of the first put.
            self.exchange(wants(keeper));
            for _ in 0..2 {
                for seen in self.exchange(wants(keeper)) {
                    kept = kept.or(keeper.handle_seen(&seen, day, rng));
                }
            }
        }
        kept
    }

    fn find(&mut self, keys: &PhraseKeys, day: Day) -> Found {
        let mut finder = Finder::new(keys.clone());
        let mut found = finder.handle_seen(&Self::connected(day));
        while found.is_none() {
            let mut wants = Wants::default();
            finder.wants(&mut wants);
            assert!(!wants.watch.is_empty() && wants.chains.is_empty());
            for seen in self.exchange(wants) {
                found = found.or(finder.handle_seen(&seen));
            }
        }
        found.unwrap()
    }

    /// Days of the capsules that a finder opens, in order.
    fn days(&mut self, keys: &PhraseKeys, day: Day) -> Vec<Day> {
        let found = self.find(keys, day);
        found.capsules.iter().map(|one| one.capsule.day).collect()
    }
}

fn wants(keeper: &Keeper) -> Wants {
    let mut wants = Wants::default();
    keeper.wants(&mut wants);
    wants
}

fn keys(seed: u64) -> PhraseKeys {
    let phrase = Phrase::draw(WordList::Spanish, &mut Rng::seed_from_u64(seed));
    phrase.derive().unwrap()
}

fn capsule(day: Day) -> Capsule {
    let leaf = ReturnLeaf {
        key: SecretKey::from_bytes([2; 32]),
        key_package: ByteBuf::from(vec![3; 3000]),
        init_key: DecapsulationKey::from_bytes([4; 32]),
        encryption_key: DecapsulationKey::from_bytes([5; 32]),
    };
    Capsule {
        root: SecretKey::from_bytes([9; 32]).public(),
        person: SecretKey::from_bytes([1; 32]),
        place: Place::Group(ByteBuf::from(vec![7; 32])),
        shows: Shows::New,
        day,
        leaves: vec![leaf],
        circles: Vec::new(),
    }
}

fn store(slots: &mut Slots, keeper: &mut Keeper, day: Day) -> Option<Kept> {
    store_as(slots, keeper, day, true)
}

fn store_as(slots: &mut Slots, keeper: &mut Keeper, day: Day, yields: bool) -> Option<Kept> {
    slots.made += 1;
    let mut rng = Rng::seed_from_u64(slots.made);
    keeper.store(&capsule(day), yields, &mut rng).unwrap();
    slots.keep(keeper, day, &mut rng)
}

/// [B-5] [B-6]
#[test]
fn a_capsule_stands_until_what_it_leads_to_is_superseded() {
    let (keys, mut slots) = (keys(1), Slots::default());
    let mut keeper = Keeper::new(&keys).unwrap();
    assert_eq!(store(&mut slots, &mut keeper, TODAY), Some(Kept::Stored));
    assert_eq!(slots.days(&keys, TODAY), [TODAY]);
    assert_eq!(
        store(&mut slots, &mut keeper, TODAY + 1),
        Some(Kept::Stored)
    );
    assert_eq!(slots.days(&keys, TODAY + 1), [TODAY + 1, TODAY]);
    keeper.forget_older();
    slots.keep(&mut keeper, TODAY + 1, &mut Rng::seed_from_u64(3));
    assert_eq!(slots.days(&keys, TODAY + 1), [TODAY + 1]);
    // Heads and bodies of what was erased are gone.
    let (gone, full): (Vec<_>, Vec<_>) = slots.cells.values().partition(|cell| cell.is_none());
    assert_eq!(gone.len(), full.len());
    keeper.forget_all();
    slots.keep(&mut keeper, TODAY + 1, &mut Rng::seed_from_u64(4));
    assert!(slots.cells.values().all(Option::is_none));
}

/// [B-3] [B-6]
#[test]
fn a_wrong_phrase_an_unused_and_an_erased_one_look_alike() {
    let (keys, other, mut slots) = (keys(1), keys(2), Slots::default());
    let mut keeper = Keeper::new(&keys).unwrap();
    store(&mut slots, &mut keeper, TODAY);
    keeper.forget_all();
    slots.keep(&mut keeper, TODAY, &mut Rng::seed_from_u64(3));
    for keys in [&keys, &other] {
        slots.looked_at.clear();
        let found = slots.find(keys, TODAY);
        assert!(found.capsules.is_empty());
        // Four months hold 90 days, and this one may have just begun.
        // Of each generation the first slot of each month is looked at before.
        assert_eq!(slots.looked_at.len(), 32 * 5 + 5 * 63);
    }
}

/// [B-3]
#[test]
fn a_month_has_a_thread_of_its_own_and_older_ones_are_still_read() {
    let (keys, mut slots) = (keys(1), Slots::default());
    let mut keeper = Keeper::new(&keys).unwrap();
    store(&mut slots, &mut keeper, TODAY);
    store(&mut slots, &mut keeper, TODAY + 28);
    assert_eq!(slots.find(&keys, TODAY + 28).free, ((TODAY + 28) / 28, 1));
    assert_eq!(slots.days(&keys, TODAY + 28), [TODAY + 28, TODAY]);
    assert_eq!(slots.days(&keys, TODAY + 4 * 28), [TODAY + 28, TODAY]);
    assert_eq!(slots.days(&keys, TODAY + 5 * 28), [TODAY + 28]);
    assert_eq!(slots.days(&keys, TODAY + 6 * 28), [0; 0]);
}

/// [B-3]
#[test]
fn what_was_on_its_way_goes_into_the_next_months_thread() {
    let (keys, mut slots) = (keys(1), Slots::default());
    let mut rng = Rng::seed_from_u64(1);
    let mut keeper = Keeper::new(&keys).unwrap();
    keeper.store(&capsule(TODAY), false, &mut rng).unwrap();
    keeper.handle_seen(&Slots::connected(TODAY), TODAY, &mut rng);
    for seen in slots.exchange(wants(&keeper)) {
        keeper.handle_seen(&seen, TODAY, &mut rng);
    }
    // It is stored, and nobody hears of it before the month is over.
    slots.exchange(wants(&keeper));
    assert_eq!(
        slots.keep(&mut keeper, TODAY + 28, &mut rng),
        Some(Kept::Stored)
    );
    assert_eq!(slots.days(&keys, TODAY + 28), [TODAY, TODAY]);
    keeper.forget_older();
    slots.keep(&mut keeper, TODAY + 28, &mut rng);
    assert_eq!(slots.days(&keys, TODAY + 28), [TODAY]);
}

/// [B-5]
#[test]
fn of_two_who_store_at_once_one_is_overtaken_and_stores_nothing() {
    let (keys, mut slots) = (keys(1), Slots::default());
    let found = slots.find(&keys, TODAY);
    let mut first = Keeper::after(&keys, &found).unwrap();
    let mut second = Keeper::after(&keys, &found).unwrap();
    assert_eq!(store(&mut slots, &mut first, TODAY), Some(Kept::Stored));
    assert_eq!(store(&mut slots, &mut second, TODAY), Some(Kept::Overtaken));
    assert_eq!(slots.days(&keys, TODAY).len(), 1);
    assert!(!second.is_busy());
    // Whoever goes on later goes on behind it.
    assert_eq!(
        store(&mut slots, &mut second, TODAY + 1),
        Some(Kept::Stored)
    );
}

/// [B-5] [B-6]
#[test]
fn garbage_is_passed_over_however_much_of_it_stands() {
    let (keys, mut slots) = (keys(1), Slots::default());
    let slot = |index| Slot::derive(keys.generation(0).find(), Kind::Capsule, TODAY / 28, index);
    for index in 0..70 {
        slots.put(Put::new(&slot(index), Cell::void()));
    }
    // A head with more bodies than any capsule has is not read.
    let mut rng = Rng::seed_from_u64(1);
    let large = seal_payload(&slot(70), &vec![0; 100_000], &mut rng).unwrap();
    slots.put(large.last().unwrap().clone());
    let small = seal_payload(&slot(71), b"no capsule", &mut rng).unwrap();
    slots.put(small[0].clone());
    let found = slots.find(&keys, TODAY);
    assert!(found.capsules.is_empty());
    assert_eq!(found.free, (TODAY / 28, 72));
    let mut keeper = Keeper::after(&keys, &found).unwrap();
    assert_eq!(store(&mut slots, &mut keeper, TODAY), Some(Kept::Stored));
    assert_eq!(slots.days(&keys, TODAY), [TODAY]);
}

/// [B-6]
#[test]
fn a_device_that_she_came_back_from_can_write_no_capsule_that_is_looked_at() {
    let (keys, mut slots) = (keys(1), Slots::default());
    let mut first = Keeper::new(&keys).unwrap();
    store(&mut slots, &mut first, TODAY);
    let mut rng = Rng::seed_from_u64(9);
    let mut second = Keeper::after(&keys, &slots.find(&keys, TODAY)).unwrap();
    assert_eq!(
        store(&mut slots, &mut second, TODAY + 1),
        Some(Kept::Stored)
    );
    // Before she has taken her place, all that stands counts.
    assert_eq!(slots.days(&keys, TODAY + 1), [TODAY + 1, TODAY]);
    second.move_on(&mut rng);
    slots.keep(&mut second, TODAY + 1, &mut rng);
    second.forget_older();
    slots.keep(&mut second, TODAY + 1, &mut rng);
    assert_eq!(slots.find(&keys, TODAY + 1).generation, 1);
    assert_eq!(
        store_as(&mut slots, &mut first, TODAY + 2, false),
        Some(Kept::Stored)
    );
    assert_eq!(slots.days(&keys, TODAY + 2), [TODAY + 1]);
    assert_eq!(slots.days(&keys, TODAY + 28), [TODAY + 1]);
    // Nor once she has ended what it leads to.
    second.forget_all();
    slots.keep(&mut second, TODAY + 2, &mut rng);
    assert_eq!(slots.days(&keys, TODAY + 2), [0; 0]);
}

/// [B-3] [B-5]
#[test]
fn a_full_month_takes_no_capsule_and_whoever_comes_back_goes_on_in_the_next_generation() {
    let (keys, mut slots) = (keys(1), Slots::default());
    let mut first = Keeper::new(&keys).unwrap();
    store(&mut slots, &mut first, TODAY);
    let generation = keys.generation(0);
    for index in 1..256 {
        let slot = Slot::derive(generation.find(), Kind::Capsule, TODAY / 28, index);
        slots.put(Put::new(&slot, Cell::void()));
    }
    assert_eq!(
        store_as(&mut slots, &mut first, TODAY + 1, false),
        Some(Kept::Full)
    );
    assert_eq!(
        store_as(&mut slots, &mut first, TODAY + 1, false),
        Some(Kept::Full)
    );
    let found = slots.find(&keys, TODAY + 1);
    assert_eq!((found.capsules.len(), found.free.1), (1, 256));
    let mut second = Keeper::after(&keys, &found).unwrap();
    assert_eq!(
        store(&mut slots, &mut second, TODAY + 2),
        Some(Kept::Stored)
    );
    assert_eq!(slots.days(&keys, TODAY + 2), [TODAY + 2]);
}

/// [B-3]
#[test]
fn a_wrong_day_of_the_relay_sends_no_capsule_where_nobody_looks() {
    let (keys, mut slots) = (keys(1), Slots::default());
    let mut keeper = Keeper::new(&keys).unwrap();
    store(&mut slots, &mut keeper, TODAY);
    for wrong in [70_000, 10_000] {
        let mut rng = Rng::seed_from_u64(u64::from(wrong));
        keeper.store(&capsule(TODAY + 1), false, &mut rng).unwrap();
        let kept = keeper.handle_seen(&Slots::connected(wrong), TODAY + 1, &mut rng);
        assert_eq!(kept, Some(Kept::WrongDay));
        assert!(!keeper.is_busy());
    }
    // A month too early, or too late, is only a month.
    for wrong in [TODAY + 27, TODAY - 27] {
        let mut rng = Rng::seed_from_u64(u64::from(wrong));
        keeper.store(&capsule(wrong), false, &mut rng).unwrap();
        let mut kept = keeper.handle_seen(&Slots::connected(wrong), TODAY, &mut rng);
        while kept.is_none() {
            for seen in slots.exchange(wants(&keeper)) {
                kept = kept.or(keeper.handle_seen(&seen, TODAY, &mut rng));
            }
        }
        assert_eq!(kept, Some(Kept::Stored));
    }
    assert_eq!(slots.days(&keys, TODAY), [TODAY + 27, TODAY, TODAY - 27]);
    store_as(&mut slots, &mut keeper, TODAY + 1, false);
    assert_eq!(slots.days(&keys, TODAY + 1)[0], TODAY + 1);
}

/// [B-5]
#[test]
fn whoever_always_stores_first_is_passed_over_up_to_eight_times() {
    for (squatted, expected) in [(8, Kept::Stored), (9, Kept::Overtaken)] {
        let (keys, mut slots) = (keys(1), Slots::default());
        let generation = keys.generation(0);
        let mut rng = Rng::seed_from_u64(1);
        for index in 0..squatted {
            let slot = Slot::derive(generation.find(), Kind::Capsule, TODAY / 28, index);
            let cell = seal_payload(&slot, b"no capsule", &mut rng).unwrap();
            slots.put(cell[0].clone());
        }
        let mut keeper = Keeper::new(&keys).unwrap();
        assert_eq!(
            store_as(&mut slots, &mut keeper, TODAY, false),
            Some(expected)
        );
        assert_eq!(
            store_as(&mut slots, &mut keeper, TODAY + 1, false),
            Some(Kept::Stored)
        );
    }
}

#[test]
fn their_debug_says_nothing() {
    let keys = keys(1);
    let keeper = Keeper::new(&keys).unwrap();
    assert_eq!(format!("{keeper:?}"), "Keeper { .. }");
    let finder = Finder::new(keys);
    assert_eq!(format!("{finder:?}"), "Finder { .. }");
    let secret = ThreadSecret::from_bytes([0x4b; 32]);
    let place = Place::Waiting {
        r: secret,
        intake_key: ByteBuf::new(),
    };
    assert_eq!(
        format!("{place:?} {:?}", capsule(1)),
        "Place { .. } Capsule { .. }"
    );
}
