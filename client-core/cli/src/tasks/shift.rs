//! What an accompanier does.

use cobijo_client_core::core::client::{
    Capacity, Client, Command, CommandError, ConversationId, Entry, EntryContent, Event,
    QueueReason, RowId, Standing, TeamCommand,
};
use cobijo_protocol::keys::PublicKey;

use super::{asking::is_on_shift, person::same};
use crate::{
    app::{App, Patience},
    args::{PurposeArg, ReadsArg, ShiftChange},
    catalogue::Key,
    problem::Problem,
};

impl App {
    pub(super) async fn change_shift(
        &mut self,
        change: Option<ShiftChange>,
        capacity: Option<Capacity>,
        buddy: Option<&str>,
    ) -> Result<(), Problem> {
        match change {
            None => self.shift(capacity, buddy).await,
            Some(ShiftChange::Start) => self.start_shift(capacity, buddy),
            Some(ShiftChange::End) => {
                self.command(Command::Team(TeamCommand::EndShift))?;
                self.ask_after_shift().await
            }
        }
    }

    pub(super) fn start_shift(
        &mut self,
        capacity: Option<Capacity>,
        buddy: Option<&str>,
    ) -> Result<(), Problem> {
        let buddy = buddy.map(|alias| self.colleague(alias)).transpose()?;
        self.command(Command::Team(TeamCommand::StartShift))?;
        if let Some(capacity) = capacity {
            self.command(Command::Team(TeamCommand::Take(capacity)))?;
        }
        if buddy.is_some() {
            self.command(Command::Team(TeamCommand::LearnBeside(buddy)))?;
        }
        Ok(())
    }

    pub(super) async fn queue(&mut self) -> Result<(), Problem> {
        if !is_on_shift(self.client()) {
            return Err(CommandError::NotOnShift.into());
        }
        self.settle().await?;
        self.show_queue();
        Ok(())
    }

    pub(super) async fn claim(&mut self, row: u32) -> Result<(), Problem> {
        let row = RowId::from_number(row);
        if self.client().queue().iter().all(|known| known.id != row) {
            self.settle().await?;
        }
        // Who is in a conversation already says yes herself, whenever she likes.
        let waits_for_yes = self
            .reason(row)
            .is_some_and(|reason| reason != QueueReason::First);
        match self.command(Command::Team(TeamCommand::Claim(row))) {
            // It was there to be seen: somebody else was faster.
            Err(problem) if problem.key == Key::Unknown => return Err(Key::ClaimLost.into()),
            claimed => claimed?,
        }
        self.screen.progress(Key::Claiming);
        let is_offered = self
            .until(Patience::Relay, |client, event| match event {
                Some(Event::ClaimWon { row: won, .. }) if *won == row => Some(Ok(false)),
                Some(Event::ClaimLost(lost)) if *lost == row => Some(Err(Key::ClaimLost.into())),
                Some(_) | None => (waits_for_yes && is_gone(client, row)).then_some(Ok(true)),
            })
            .await?;
        if is_offered {
            self.say_done(Key::Offered);
        }
        Ok(())
    }

    pub(super) async fn pass(&mut self, row: u32) -> Result<(), Problem> {
        let row = RowId::from_number(row);
        if self.client().queue().iter().all(|known| known.id != row) {
            self.settle().await?;
        }
        self.command(Command::Team(TeamCommand::Pass(row)))?;
        self.say_done(Key::Passed);
        Ok(())
    }

    pub(super) async fn dismiss(&mut self, rows: &[u32], is_sure: bool) -> Result<(), Problem> {
        if !is_sure {
            return Err(Key::DismissSure.into());
        }
        let rows = rows.iter().copied().map(RowId::from_number);
        for row in rows {
            if self.client().queue().iter().all(|known| known.id != row) {
                self.settle().await?;
            }
            self.command(Command::Team(TeamCommand::Dismiss(row)))?;
        }
        self.settle().await?;
        self.say_done(Key::Dismissed);
        Ok(())
    }

    fn reason(&self, row: RowId) -> Option<QueueReason> {
        let queue = self.client().queue();
        queue
            .iter()
            .find(|known| known.id == row)
            .map(|known| known.reason)
    }

    pub(super) async fn propose(
        &mut self,
        number: u32,
        colleague: &str,
        (purpose, reads): (PurposeArg, ReadsArg),
        reason: String,
    ) -> Result<(), Problem> {
        let conversation = self.pick(Some(number))?;
        let colleague = self.colleague(colleague)?;
        let proposal = TeamCommand::Propose {
            conversation,
            colleague,
            purpose: purpose.into(),
            reason,
            reads: reads.into(),
        };
        let made = proposals_made(self.client(), conversation);
        self.command(Command::Team(proposal))?;
        self.until(Patience::Relay, |client, event| {
            if matches!(event, Some(Event::ProposalFailed(id)) if *id == conversation) {
                return Some(Err(Key::ColleagueUnavailable.into()));
            }
            (proposals_made(client, conversation) > made).then_some(Ok(()))
        })
        .await?;
        self.all_stored(conversation).await?;
        self.say_done(Key::Proposed);
        Ok(())
    }

    /// The attested key of the colleague that people call `alias`.
    pub(super) fn colleague(&self, alias: &str) -> Result<PublicKey, Problem> {
        let Standing::Member(desk) = self.client().standing() else {
            return Err(CommandError::NotMember.into());
        };
        let mut found = desk
            .colleagues
            .iter()
            .filter(|colleague| same(alias, &colleague.alias));
        match (found.next(), found.next()) {
            (Some(colleague), None) => Ok(colleague.key),
            (Some(_), Some(_)) => Err(Key::WhichAlias.into()),
            (None, _) => Err(Key::UnknownAlias.into()),
        }
    }
}

/// How many proposals this client has made in a conversation, and ends of shifts that it told.
pub(super) fn proposals_made(client: &Client, conversation: ConversationId) -> usize {
    let history = client.history(conversation);
    let is_proposal = |content: &EntryContent| {
        matches!(
            content,
            EntryContent::Proposal { .. } | EntryContent::ShiftEnds { .. }
        )
    };
    let is_made = |entry: &&Entry| entry.own && is_proposal(&entry.content);
    history.iter().filter(is_made).count()
}

fn is_gone(client: &Client, row: RowId) -> bool {
    client.queue().iter().all(|known| known.id != row)
}
