//! What a member says of people, and how she looks after herself.

use std::{collections::BTreeSet, time::Duration};

use cobijo_protocol::handover::Word;
use serde::{Deserialize, Serialize};

use super::Member;
use crate::core::{
    client::{
        BoardRowView, BoardView, CheckOut, ClosingReason, CommandError, Context, DebriefView,
        DeskView, Event, PeopleCommand,
    },
    port::Now,
};

/// Time for which the queue offers nobody to who pauses.
const PAUSE: Duration = Duration::from_secs(15 * 60);
/// Own notes that are kept; the oldest give way.
const DEBRIEFS_MAX: usize = 32;

/// What an accompanier carries. None of it leaves the device, but what she says to a coordinator.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Care {
    paused_until: Option<Now>,
    check_out: Asked,
    debriefs: Vec<DebriefView>,
}

/// Whether she is asked if she carries something hard.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Asked {
    /// She is not.
    #[default]
    Not,
    /// She is.
    Now,
    /// When her next shift begins.
    NextShift,
}

impl Care {
    /// Her shift begins.
    pub(super) fn begin(&mut self, context: &mut Context<'_>) {
        if self.check_out == Asked::NextShift {
            self.check_out = Asked::Now;
            context.event(Event::CheckOut);
        }
    }

    /// Her shift ends.
    pub(super) fn end(&mut self, context: &mut Context<'_>) {
        self.paused_until = None;
        self.check_out = Asked::Now;
        context.event(Event::CheckOut);
    }

    pub(super) fn is_pausing(&self) -> bool {
        self.paused_until.is_some()
    }

    pub(super) fn due(&self) -> Option<Now> {
        self.paused_until
    }

    pub(super) fn handle_timeout(&mut self, context: &mut Context<'_>) {
        if self
            .paused_until
            .take_if(|until| *until <= context.now)
            .is_some()
        {
            context.event(Event::PauseOver);
            context.event(Event::QueueChanged);
        }
    }

    pub(super) fn show(&self, view: &mut DeskView) {
        view.paused_until = self.paused_until;
        view.check_out = self.check_out == Asked::Now;
    }

    fn keep(&mut self, text: String, now: Now) {
        if self.debriefs.len() >= DEBRIEFS_MAX {
            self.debriefs.remove(0);
        }
        self.debriefs.push(DebriefView { at: now, text });
    }
}

impl Member {
    pub(super) fn board(&self, now: Now) -> BoardView {
        let mut view = self.desk.board_view(now);
        let known: BTreeSet<_> = view.rows.iter().map(|row| row.person).collect();
        for person in self.conversations.present().difference(&known) {
            view.rows.push(BoardRowView::empty(*person));
        }
        for row in &mut view.rows {
            row.conversation = self.conversations.with(&row.person);
        }
        view.debriefs = self.care.debriefs.clone();
        view
    }

    pub(super) fn handle_people_command(
        &mut self,
        command: PeopleCommand,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        let desk = &mut self.desk;
        match command {
            PeopleCommand::WriteRow(row) => desk.write_row(row, context),
            PeopleCommand::WriteNotes(notes) => desk.write_notes(notes, context),
            PeopleCommand::AskHelp(conversation) => {
                let person = self.conversations.person(conversation)?;
                desk.ask_help(person, context);
                Ok(())
            }
            PeopleCommand::Come(help) => desk.come(help, context),
            PeopleCommand::Close {
                conversation,
                reason,
                block,
            } => {
                if block && reason != ClosingReason::Abuse {
                    return Err(CommandError::NotNow);
                }
                { &mut self.conversations }.close(conversation, reason.into(), block, context)
            }
            PeopleCommand::Unblock(person) => desk.block(person, false, context),
            PeopleCommand::CheckOut(answer) => self.check_out(answer, context),
            PeopleCommand::Debrief { text, share } => {
                let word = Word::Debrief(text);
                word.to_plaintext().map_err(|_| CommandError::TooLong)?;
                if share.is_some() {
                    return desk.say_word(share, &word, context);
                }
                if let Word::Debrief(text) = word {
                    self.care.keep(text, context.now);
                }
                Ok(())
            }
            PeopleCommand::ForgetWords => {
                self.care.debriefs.clear();
                desk.clear_words();
                Ok(())
            }
            PeopleCommand::Pause if desk.is_on_shift() => {
                self.care.paused_until = Some(context.now.plus(PAUSE));
                context.event(Event::QueueChanged);
                Ok(())
            }
            PeopleCommand::Pause => Err(CommandError::NotOnShift),
        }
    }

    /// Only where she wants to talk anybody is told: the coordinators, by a word that nobody else reads.
    fn check_out(
        &mut self,
        answer: CheckOut,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        if answer == CheckOut::Talk {
            self.desk.say_word(None, &Word::Talk, context)?;
        }
        self.care.check_out = match answer {
            CheckOut::Talk | CheckOut::No => Asked::Not,
            CheckOut::Tomorrow => Asked::NextShift,
        };
        Ok(())
    }

    /// Tells the desk which conversations are over, and in which this member can write.
    pub(super) fn tell_ended(&mut self, context: &mut Context<'_>) {
        while let Some(ended) = self.conversations.poll_ended() {
            let Self { desk, .. } = self;
            if ended.how.is_closing() {
                desk.end(ended.person, ended.how, context);
            } else {
                desk.note_ended(ended.person, ended.how, context);
            }
            if ended.block {
                let _as_many_as_there_may_be = desk.block(ended.person, true, context);
            }
        }
        self.desk.note_present(self.conversations.present());
    }
}
