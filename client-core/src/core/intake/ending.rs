//! How a contact ends: answered, or taken back.

use cobijo_protocol::slot::{Kind, Slot};

use super::{Contact, Part, Stage};

impl Contact {
    /// Takes the contact back: what stands in the waiting thread is erased, nothing more is put.
    pub fn take_back(&mut self) {
        // What is on its way may stand at the present index.
        let below = self.thread.index() + u64::from(self.thread.is_contending());
        self.stage = Stage::TakenBack { below };
        self.pending.clear();
        self.thread.withdraw();
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

    /// The last slot that is still to be erased.
    pub(super) fn to_erase(&self) -> Option<Slot> {
        let Stage::TakenBack { below } = self.stage else {
            return None;
        };
        Some(Slot::derive(
            &self.r,
            Kind::Waiting,
            0,
            below.checked_sub(1)?,
        ))
    }

    /// Whether she took it back, and all is erased.
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::TakenBack { below: 0 })
    }
}
