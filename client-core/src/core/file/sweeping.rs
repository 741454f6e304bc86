//! Erasing the bodies of files at the relay: by their secrets, since their erase keys would be too many to keep. [F-9]

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use cobijo_protocol::{
    file::FileBodies,
    limits::FRAME_OPERATIONS_MAX,
    slot::{Address, EraseKey, SlotKey},
};
use serde::{Deserialize, Serialize};

use crate::core::{
    erasing::{ERASE_SPREAD, Pace, erasing_slot},
    port::{Now, Seen, Wants},
};

/// Bodies that are erased at a time: a frame of them, as they were put.
const ERASES_AT_ONCE: usize = FRAME_OPERATIONS_MAX;

/// Erases the bodies of files, the last first, and remembers over restarts which are left.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct FileSweep {
    files: VecDeque<Left>,
    /// When the next ones go.
    due: Now,
    step_millis: u64,
    /// Those that are on their way.
    #[serde(skip)]
    asked: Vec<(SlotKey, EraseKey)>,
    #[serde(skip)]
    erased: BTreeSet<Address>,
}

/// The first so many bodies of a file are left.
#[derive(Serialize, Deserialize)]
struct Left {
    bodies: FileBodies,
    left: usize,
}

impl FileSweep {
    /// Erases these too, behind those that are left.
    pub(crate) fn add(&mut self, files: Vec<FileBodies>, pace: Pace, now: Now) {
        if files.is_empty() {
            return;
        }
        if self.is_over() {
            self.due = now;
        }
        let left = |bodies: FileBodies| Left {
            left: bodies.size.bodies(),
            bodies,
        };
        self.files.extend(files.into_iter().map(left));
        let steps = self.files.iter();
        let steps: usize = steps.map(|file| file.left.div_ceil(ERASES_AT_ONCE)).sum();
        let spread = u64::try_from(ERASE_SPREAD.as_millis()).unwrap_or(u64::MAX);
        self.step_millis = match pace {
            Pace::Spread => spread / u64::try_from(steps.max(1)).unwrap_or(1),
            Pace::AtOnce => 0,
        };
    }

    /// Those of which something is left.
    pub(crate) fn into_files(self) -> Vec<FileBodies> {
        self.files.into_iter().map(|file| file.bodies).collect()
    }

    /// How many slots are left.
    pub(crate) fn left(&self) -> usize {
        self.files.iter().map(|file| file.left).sum()
    }

    /// Whether nothing is left.
    pub(crate) fn is_over(&self) -> bool {
        self.files.is_empty()
    }

    /// Lets the next ones go, where it is time.
    pub(crate) fn advance(&mut self, now: Now) {
        // A clock that went back does not hold anything up.
        let is_due = self.due <= now || self.due.since(now) > ERASE_SPREAD;
        let Some(file) = self
            .files
            .front()
            .filter(|_| self.asked.is_empty() && is_due)
        else {
            return;
        };
        let first = file.left.saturating_sub(ERASES_AT_ONCE);
        let slots = (first..file.left).filter_map(|index| file.bodies.slot(index));
        self.asked = slots.filter_map(|slot| erasing_slot(&slot)).collect();
        let late = now.since(self.due) > ERASE_SPREAD || self.due > now;
        let from = if late { now } else { self.due };
        self.due = from.plus(Duration::from_millis(self.step_millis));
    }

    /// What is wanted from the relay.
    pub(crate) fn wants(&self, wants: &mut Wants) {
        wants.erases.extend(self.asked.iter().cloned());
    }

    /// Takes what the relay said.
    pub(crate) fn handle_seen(&mut self, seen: &Seen, now: Now) {
        if let Seen::Erased(at) = seen {
            let address =
                |(slot_key, erase_key): &(SlotKey, EraseKey)| slot_key.address(&erase_key.mark());
            if self.asked.iter().any(|slot| address(slot) == *at) {
                self.erased.insert(*at);
            }
            if !self.asked.is_empty() && self.erased.len() == self.asked.len() {
                self.step();
            }
        }
        self.advance(now);
    }

    fn step(&mut self) {
        let asked = std::mem::take(&mut self.asked).len();
        self.erased.clear();
        if let Some(file) = self.files.front_mut() {
            file.left = file.left.saturating_sub(asked);
            if file.left == 0 {
                self.files.pop_front();
            }
        }
    }

    /// When to call [`Self::advance`].
    pub(crate) fn poll_timeout(&self) -> Option<Now> {
        (self.asked.is_empty() && !self.is_over()).then_some(self.due)
    }
}
