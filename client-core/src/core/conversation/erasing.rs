//! Erasing a conversation: nothing of it stays here, and what this client can name at the relay goes. [E-3]

use super::{Conversation, Erasing, Former, History};
use crate::core::group::Stop;

impl Conversation {
    /// What she wrote while she waited stands in slots of its own.
    pub(crate) fn keep_waited(&mut self, slots: Erasing) {
        self.waited.extend(slots);
    }

    /// She erases it: nothing is shown or said any more, and all clients are told to wipe.
    pub(crate) fn erase(&mut self) {
        self.left = true;
        self.history = History::default();
        self.about_circles.clear();
        self.forget_agreed();
        self.former = Former::default();
        self.rescuing.clear();
        self.events.clear();
        if let Some(person) = &self.person {
            self.group.wipe(person);
        }
    }

    /// What another copy of it can erase goes with it.
    pub(crate) fn erase_with(&mut self, copy: &mut Self) {
        let (waited, said) = (copy.take_waited(), copy.take_erase_keys());
        self.waited.extend(waited.into_iter().chain(said));
    }

    /// Whether nobody can be told any more, or all have been; gives whether they have.
    pub(crate) fn is_told(&self) -> Option<bool> {
        let is_over = self.group.is_over();
        is_over.then(|| self.group.stop() == Some(Stop::Wiped))
    }

    /// What erases what she wrote while she waited.
    pub(crate) fn take_waited(&mut self) -> Erasing {
        std::mem::take(&mut self.waited)
    }

    /// What erases the messages.
    pub(crate) fn take_erase_keys(&mut self) -> Erasing {
        let mut slots = self.sweep.take();
        slots.extend(self.group.take_erase_keys());
        slots
    }
}
