//! How many an accompanier has, and whom the queue offers her.

use super::{CommandError, Context, Event, Member, Now, QueueRow, QueueState, RowId};

impl Member {
    /// Live conversations, with the answers on their way.
    pub(super) fn live(&self, now: Now) -> usize {
        self.conversations.live(now) + self.desk.answering(now)
    }

    pub(super) fn is_full(&self, now: Now) -> bool {
        self.live(now) >= usize::from(self.desk.capacity().get())
    }

    /// Who waits. Above what she takes, only whom she is answering is shown.
    pub(super) fn queue(&self, now: Now) -> Vec<QueueRow> {
        let mut rows = self.desk.queue(now);
        if self.is_full(now) || self.care.is_pausing() {
            rows.retain(|row| row.state == QueueState::Claiming);
        }
        rows
    }

    pub(super) fn claim(
        &mut self,
        row: RowId,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        if self.desk.is_on_shift() && self.is_full(context.now) {
            return Err(CommandError::AtCapacity);
        }
        self.desk.claim(row, context)
    }

    /// Says where the queue offers rows again, or none any more.
    pub(super) fn note_full(&mut self, context: &mut Context<'_>) {
        let is_full = self.is_full(context.now);
        if is_full != std::mem::replace(&mut self.was_full, is_full) {
            context.event(Event::QueueChanged);
        }
    }
}
