//! The queue, and the own shift.

use super::Desk;
use crate::core::{
    claim::queue::Opened,
    client::{Capacity, ChannelId, CommandError, Context, Event, QueueRow, RowId},
    port::Now,
};

impl Desk {
    /// Live conversations that this member takes.
    pub(crate) fn capacity(&self) -> Capacity {
        self.shift.capacity()
    }

    /// Answers on their way that take a place.
    pub(crate) fn answering(&self, now: Now) -> usize {
        self.shift.answering(now)
    }

    /// Whether the mailboxes are open.
    pub(crate) fn is_on_shift(&self) -> bool {
        self.shift.is_on()
    }

    /// Who waits.
    pub(crate) fn queue(&self, now: Now) -> Vec<QueueRow> {
        self.shift.rows(now)
    }

    /// Rescues of a group that this client is a member of.
    pub(crate) fn rescues(&self, group: &[u8]) -> Vec<Opened> {
        self.shift.rescues(group)
    }

    /// She has arrived in the conversation of this channel.
    pub(crate) fn handle_arrival(&mut self, channel: ChannelId, now: Now) {
        self.shift.handle_arrival(channel, now);
    }

    /// Begins a shift.
    pub(crate) fn start_shift(&mut self, context: &mut Context<'_>) {
        self.shift.start();
        self.card.refresh();
        self.refusal = None;
        context.event(Event::Shift { on: true });
        self.advance(context);
    }

    /// Says how many live conversations this member takes.
    ///
    /// # Errors
    /// [`CommandError::NotOnShift`].
    pub(crate) fn take_up_to(&mut self, capacity: Capacity) -> Result<(), CommandError> {
        if !self.shift.is_on() {
            return Err(CommandError::NotOnShift);
        }
        self.shift.take_up_to(capacity);
        Ok(())
    }

    /// Ends it.
    pub(crate) fn end_shift(&mut self, context: &mut Context<'_>) {
        self.shift.end();
        context.event(Event::Shift { on: false });
        context.event(Event::QueueChanged);
    }

    /// Begins to answer a row.
    ///
    /// # Errors
    /// [`CommandError::NotOnShift`], or [`CommandError::Unknown`].
    pub(crate) fn claim(
        &mut self,
        row: RowId,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        self.shift.claim(row, &self.me, context)
    }

    /// Passes a row on.
    ///
    /// # Errors
    /// [`CommandError::NotOnShift`], [`CommandError::Unknown`], or [`CommandError::NotNow`] where
    /// the own answer is on its way.
    pub(crate) fn pass(
        &mut self,
        row: RowId,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        let events = self.shift.pass(row)?;
        self.handle_shift_events(events.into(), context);
        Ok(())
    }

    /// Takes a row off the queue unanswered.
    ///
    /// # Errors
    /// [`CommandError::NotOnShift`], [`CommandError::Unknown`], or [`CommandError::NotNow`] where
    /// somebody is answering.
    pub(crate) fn dismiss(
        &mut self,
        row: RowId,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        let events = self.shift.dismiss(row, context.now)?;
        self.handle_shift_events(events.into(), context);
        Ok(())
    }
}
