//! What the member in front says of people, and of herself.

use cobijo_protocol::{
    card::Role,
    content::{DeskContent, MessageId},
    handover::{Block, BoardRow, SealedWord, TeamNotes, Unclaimed, Word},
    keys::PublicKey,
};

use super::Said;
use crate::core::{
    client::{CommandError, Context, Event},
    desk::Desk,
};
use cobijo_protocol::words::person_alias;

impl Desk {
    /// Writes a row of the board, built on the version that its own is one above.
    ///
    /// # Errors
    /// [`CommandError::Changed`] where another version stands, [`CommandError::TooLong`].
    pub(crate) fn write_row(
        &mut self,
        row: BoardRow,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        let standing = self.people.board.standing(&row.person);
        check_base(
            standing.map_or(0, |standing| standing.what.version),
            row.version,
        )?;
        if !row.is_short() {
            return Err(CommandError::TooLong);
        }
        self.tell_row(row, context);
        self.advance(context);
        Ok(())
    }

    /// Writes the team's notes of a conversation, as [`Self::write_row`].
    ///
    /// # Errors
    /// As for a row.
    pub(crate) fn write_notes(
        &mut self,
        notes: TeamNotes,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        let standing = self.people.notes.standing(&notes.person);
        let base = standing.map_or(0, |standing| standing.what.version);
        check_base(base, notes.version)?;
        if !notes.is_short() {
            return Err(CommandError::TooLong);
        }
        self.tell_notes(notes, context);
        self.advance(context);
        Ok(())
    }

    /// Asks the coordinators into a conversation, now.
    pub(crate) fn ask_help(&mut self, person: PublicKey, context: &mut Context<'_>) {
        let Some(author) = self.own_attestation() else {
            return;
        };
        if let Some(id) = self.say_about(person, DeskContent::Help(person), context) {
            let clock = self.group.clock();
            let said = Said {
                id,
                clock,
                author: &author,
            };
            self.people.calls.ask(&said, person, context.now);
        }
        self.advance(context);
    }

    /// Coordinator: comes to whoever asks for help.
    ///
    /// # Errors
    /// [`CommandError::NotCoordinator`], or [`CommandError::Unknown`] where nobody waits any more.
    pub(crate) fn come(
        &mut self,
        help: MessageId,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        if self.role() != Role::Coordinator {
            return Err(CommandError::NotCoordinator);
        }
        if !self.people.calls.is_open(&help) {
            return Err(CommandError::Unknown);
        }
        self.tell(DeskContent::Coming(help), context.rng);
        let alias = self.alias();
        if let Some(help) = self.people.calls.come(help, &alias) {
            let conversation = person_alias(&help.person);
            context.event(Event::HelpComes {
                alias,
                conversation,
            });
        }
        self.advance(context);
        Ok(())
    }

    /// This client has seen somebody wait for long: says so, unless somebody did lately.
    pub(in crate::core::desk) fn tell_unclaimed(
        &mut self,
        unclaimed: Unclaimed,
        context: &mut Context<'_>,
    ) {
        if self.people.calls.may_tell(&unclaimed.r, context.now) {
            self.tell(DeskContent::Unclaimed(unclaimed.clone()), context.rng);
            let own = self.me.key.public();
            self.hear_unclaimed(own, unclaimed, context);
        }
    }

    /// Says something to one coordinator, or to all, that nobody else reads.
    ///
    /// # Errors
    /// [`CommandError::ColleagueUnavailable`] where it is not known how to reach any of them; [`CommandError::TooLong`].
    pub(crate) fn say_word(
        &mut self,
        to: Option<PublicKey>,
        word: &Word,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        word.to_plaintext().map_err(|_| CommandError::TooLong)?;
        let own = self.me.key.public();
        let is_meant = |key: &PublicKey| to.is_none_or(|to| to == *key);
        let coordinators = self.coordinators().filter(|key| *key != own);
        let coordinators: Vec<_> = coordinators
            .filter(|key| is_meant(key) && !self.is_evicted(key))
            .collect();
        let mut is_said = false;
        for (to, seal_key) in self.board.seal_keys(&coordinators) {
            if let Some(sealed) = self.keys.seal_word(&own, &to, &seal_key, word) {
                self.tell(DeskContent::Word(SealedWord { to, sealed }), context.rng);
                is_said = true;
            }
        }
        self.advance(context);
        is_said
            .then_some(())
            .ok_or(CommandError::ColleagueUnavailable)
    }

    /// Coordinator: forgets the words that were said to her.
    pub(crate) fn clear_words(&mut self) {
        self.people.words.clear();
    }

    /// Blocks a person, or takes it back.
    ///
    /// # Errors
    /// [`CommandError::Unknown`] where nothing is to be changed, or not by this member; [`CommandError::TooMany`].
    pub(crate) fn block(
        &mut self,
        person: PublicKey,
        blocked: bool,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        let block = Block { person, blocked };
        let (own, day) = (self.me.key.public(), context.now.day());
        let coordinates = self.role() == Role::Coordinator;
        if !{ &mut self.people.blocks }.take(&block, own, coordinates, day) {
            return Err(if blocked {
                CommandError::TooMany
            } else {
                CommandError::Unknown
            });
        }
        self.tell(DeskContent::Block(block), context.rng);
        self.shift
            .pass_over(self.people.blocks.people(), context.now);
        context.event(Event::QueueChanged);
        self.advance(context);
        Ok(())
    }
}

/// Whoever builds on an older version would take back what somebody wrote meanwhile.
fn check_base(standing: u64, version: u64) -> Result<(), CommandError> {
    if version == standing.saturating_add(1) {
        Ok(())
    } else {
        Err(CommandError::Changed)
    }
}
