//! The summary, and the end of a shift.

use cobijo_client_core::core::client::{
    Command, ConversationId, EntryState, Event, PersonCommand, ShiftEnd, Standing, TeamCommand,
};

use super::shift::proposals_made;
use crate::{
    app::{App, Patience},
    catalogue::Key,
    clock::Clock,
    problem::Problem,
};

/// What is to be done with a summary.
#[derive(Clone)]
pub(crate) enum What {
    Show,
    /// With all of it, once it was asked for.
    Edit(Option<String>),
    Erase,
}

/// When a shift ends, as it was typed.
#[derive(Clone)]
pub(crate) struct HandOver {
    pub(super) conversation: u32,
    pub(super) colleague: Option<String>,
    pub(super) ends: ShiftEnd,
    pub(super) reason: Option<String>,
}

impl HandOver {
    /// Reads the times.
    pub(super) fn check(
        conversation: u32,
        colleague: Option<String>,
        (until, back): (&str, Option<&str>),
        reason: Option<String>,
    ) -> Result<Self, Problem> {
        let clock = Clock::here();
        let parse = |typed: &str| clock.parse(typed).ok_or(Problem::from(Key::BadTime));
        let at = parse(until)?;
        let back = back.map(parse).transpose()?;
        if back.is_some_and(|back| back <= at) {
            return Err(Key::BadTime.into());
        }
        Ok(Self {
            conversation,
            colleague,
            ends: ShiftEnd { at, back },
            reason,
        })
    }
}

impl App {
    pub(super) async fn summary(&mut self, number: Option<u32>, what: What) -> Result<(), Problem> {
        let id = self.pick(number)?;
        match what {
            What::Show => {
                self.settle().await?;
                self.show_summary(id);
                Ok(())
            }
            What::Edit(text) => {
                let seen = self.view(id)?.summary.map(|summary| summary.id);
                self.command(Command::EditSummary {
                    conversation: id,
                    seen,
                    text: text.ok_or(Key::NoText)?,
                })?;
                self.summary_stored(id).await?;
                self.say_done(Key::Done);
                Ok(())
            }
            What::Erase => {
                self.command(Command::Person(PersonCommand::EraseSummary(id)))?;
                self.say_done(Key::SummaryErased);
                Ok(())
            }
        }
    }

    async fn summary_stored(&mut self, id: ConversationId) -> Result<(), Problem> {
        self.screen.progress(Key::Sending);
        self.until(Patience::Relay, |client, _| {
            let views = client.conversations();
            let view = views.iter().find(|view| view.id == id)?;
            let is_on_its_way = |state| state == EntryState::Sending;
            let summary = view.summary.as_ref();
            let is_stored = summary.is_none_or(|summary| !is_on_its_way(summary.state));
            is_stored.then_some(Ok(()))
        })
        .await
    }

    /// What was told so far.
    pub(crate) fn show_summary(&self, id: ConversationId) {
        if let Ok(view) = self.view(id) {
            let is_hers = matches!(self.client().standing(), Standing::Person(_));
            let (object, text) = self.screen.summary(&view, is_hers);
            self.screen.show(&object, &text);
        }
    }

    /// Who reads the summary too, where she says yes.
    pub(crate) fn show_other_readers(&self, id: ConversationId) {
        let proposals = self.view(id).map(|view| view.proposals);
        for proposal in proposals.unwrap_or_default() {
            if !proposal.also_read_by.is_empty() {
                let aliases = proposal.also_read_by.join(", ");
                self.screen.note(Key::AlsoReadBy, &aliases);
            }
        }
    }

    pub(super) async fn hand_over(&mut self, what: HandOver) -> Result<(), Problem> {
        let conversation = self.pick(Some(what.conversation))?;
        let next = match what.colleague {
            Some(alias) => Some((self.colleague(&alias)?, what.reason.ok_or(Key::NoText)?)),
            None => None,
        };
        let made = proposals_made(self.client(), conversation);
        self.command(Command::Team(TeamCommand::HandOver {
            conversation,
            ends: what.ends,
            next,
        }))?;
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
}
