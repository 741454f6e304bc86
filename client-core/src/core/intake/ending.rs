//! How a contact ends: answered, or taken back.

use cobijo_protocol::slot::{Address, EraseKey, Kind, Slot, SlotKey};

use super::{Contact, Part, Stage};
use crate::core::erasing::{ERASES_AT_ONCE, Erasing, erasing, erasing_slot};

impl Contact {
    /// Takes the contact back: what stands in the waiting thread is erased, nothing more is put. What she
    /// wrote is forgotten here at once.
    pub fn take_back(&mut self) {
        let below = self.below();
        self.stage = Stage::TakenBack { below };
        self.pending.clear();
        self.thread.withdraw();
        self.first.clear();
        self.more.clear();
        self.card = None;
        self.package = None;
        self.older.clear();
    }

    /// Stops adding, because somebody has answered: gives what doesn't stand in the waiting thread and
    /// must be said in the conversation. Call when [`Self::is_settled`].
    pub fn finish(&mut self) -> Vec<String> {
        let texts = |part| match part {
            Part::More(position) => self.more.get(position).cloned(),
            Part::KeyPackage(_) | Part::Rescue(_) => None,
        };
        let unsent = self.pending.drain(..).filter_map(texts).collect();
        self.thread.withdraw();
        unsent
    }

    /// Whether nothing is on its way into the waiting thread that might stand there or not.
    pub fn is_settled(&self) -> bool {
        !self.thread.is_contending()
    }

    /// What erases the waiting thread: the last head first, then bodies. [E-1]
    pub fn erasing(&self) -> Erasing {
        let heads = (0..self.below()).rev();
        let heads = heads.filter_map(|index| self.waiting_slot(index));
        heads.chain(self.bodies.iter().cloned()).collect()
    }

    /// Index below which the waiting thread may hold something of hers.
    fn below(&self) -> u64 {
        match self.stage {
            Stage::TakenBack { below } => below,
            // What is on its way may stand at the present index.
            Stage::NeedsCard { .. } | Stage::Going | Stage::Full { .. } | Stage::Stored => {
                self.thread.index() + u64::from(self.thread.is_contending())
            }
        }
    }

    fn waiting_slot(&self, index: u64) -> Option<(SlotKey, EraseKey)> {
        erasing_slot(&Slot::derive(&self.r, Kind::Waiting, 0, index))
    }

    /// Keeps what erases the bodies of what is on its way: saved before they are put.
    pub(super) fn keep_bodies(&mut self) {
        if let Some(head) = self.thread.own_chain().last() {
            let slots = erasing(&self.thread.slot(), &head.cell);
            self.bodies.extend(slots.into_iter().skip(1));
        }
    }

    /// What is to be erased next.
    pub(super) fn to_erase(&self) -> Erasing {
        match self.stage {
            Stage::TakenBack { .. } => {
                let slots = self.erasing().into_iter();
                slots.take(ERASES_AT_ONCE).collect()
            }
            Stage::NeedsCard { .. } | Stage::Going | Stage::Full { .. } | Stage::Stored => {
                Erasing::new()
            }
        }
    }

    /// Takes note of a slot that is erased: heads in their order.
    pub(super) fn erased(&mut self, at: Address) {
        let is_it =
            |(slot_key, erase_key): &(SlotKey, EraseKey)| slot_key.address(&erase_key.mark()) == at;
        let Stage::TakenBack { below } = self.stage else {
            return;
        };
        self.bodies.retain(|body| !is_it(body));
        // The relay answers in the order in which it was asked.
        let last = below
            .checked_sub(1)
            .and_then(|index| self.waiting_slot(index));
        if last.is_some_and(|last| is_it(&last)) {
            self.stage = Stage::TakenBack { below: below - 1 };
        }
    }

    /// How many slots are left to be erased, where she took it back.
    pub fn left_to_erase(&self) -> usize {
        match self.stage {
            Stage::TakenBack { below } => {
                self.bodies.len() + usize::try_from(below).unwrap_or(usize::MAX)
            }
            Stage::NeedsCard { .. } | Stage::Going | Stage::Full { .. } | Stage::Stored => 0,
        }
    }

    /// Whether she took it back, and all is erased.
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::TakenBack { .. }) && self.left_to_erase() == 0
    }
}
