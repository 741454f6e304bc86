//! What a person who writes to a desk does.

use cobijo_client_core::core::client::{
    Command, ConversationEvent, ConversationId, Event, IntakeFailure, PersonCommand, PersonStage,
    ProposalView, Standing,
};
use cobijo_protocol::{content::Reads, link::DeskLink};

use super::phrase::after_lock;
use crate::{
    app::{App, Patience},
    catalogue::Key,
    problem::Problem,
};

impl App {
    pub(super) async fn write(&mut self, link: DeskLink, text: String) -> Result<(), Problem> {
        let language = self.screen.language.tag().to_owned();
        self.command(Command::Person(PersonCommand::Write {
            link,
            language,
            text,
        }))?;
        self.screen.progress(Key::Sending);
        self.intake_stored().await?;
        self.screen.progress(Key::PhraseOffer);
        Ok(())
    }

    pub(super) async fn add(&mut self, text: String) -> Result<(), Problem> {
        self.command(Command::Person(PersonCommand::Add(text)))?;
        self.screen.progress(Key::Sending);
        self.until(Patience::Relay, |_, event| {
            matches!(event, Some(Event::AdditionStored)).then_some(Ok(()))
        })
        .await
    }

    pub(super) async fn wait(&mut self) -> Result<(), Problem> {
        let Standing::Person(person) = self.client().standing() else {
            return Err(Key::NotNow.into());
        };
        if person.stage == PersonStage::Ended {
            return Err(Key::NotNow.into());
        }
        self.screen.progress(Key::Waiting);
        self.until(Patience::Person, |client, event| {
            match (client.standing(), event) {
                (_, Some(Event::IntakeFailed(failure))) => final_failure(*failure).map(Err),
                (_, Some(Event::Locked(why))) => Some(Err(after_lock(*why))),
                (Standing::Person(person), _) if person.stage == PersonStage::Talking => {
                    Some(Ok(()))
                }
                (_, _) => None,
            }
        })
        .await?;
        let object = serde_json::json!({ "event": "talking" });
        self.screen.show(&object, self.screen.text(Key::Answered));
        Ok(())
    }

    pub(super) async fn ask_desk(&mut self, text: String) -> Result<(), Problem> {
        let conversation = self.pick(None)?;
        self.command(Command::Person(PersonCommand::AskDesk {
            conversation,
            text,
        }))?;
        self.screen.progress(Key::Sending);
        self.intake_stored().await
    }

    pub(super) async fn yes(&mut self, alias: Option<String>, reads: Reads) -> Result<(), Problem> {
        let (conversation, proposal) = self.proposal(alias).await?;
        let proposal = proposal.id;
        self.command(Command::Person(PersonCommand::Accept {
            conversation,
            proposal,
            reads,
        }))?;
        self.changed(conversation).await?;
        self.say_done(Key::Accepted);
        Ok(())
    }

    pub(super) async fn no(&mut self, alias: Option<String>) -> Result<(), Problem> {
        let (conversation, proposal) = self.proposal(alias).await?;
        let proposal = proposal.id;
        self.command(Command::Person(PersonCommand::Refuse {
            conversation,
            proposal,
        }))?;
        self.all_stored(conversation).await?;
        self.say_done(Key::Refused);
        Ok(())
    }

    pub(super) async fn remove(&mut self, number: u32, alias: &str) -> Result<(), Problem> {
        let conversation = self.pick(Some(number))?;
        let member = self.member(conversation, alias)?;
        self.command(Command::Person(PersonCommand::Remove {
            conversation,
            member,
        }))?;
        self.changed(conversation).await?;
        self.say_done(Key::Removed);
        Ok(())
    }

    /// Waits until somebody came into a conversation, or went.
    async fn changed(&mut self, id: ConversationId) -> Result<(), Problem> {
        self.until(Patience::Relay, |_, event| {
            let Some(Event::Conversation(conversation, event)) = event else {
                return None;
            };
            if *conversation != id {
                return None;
            }
            if matches!(event, ConversationEvent::ChangeRefused) {
                return Some(Err(Key::ChangeRefused.into()));
            }
            if matches!(event, ConversationEvent::NotAdded) {
                return Some(Err(Key::NotAdded.into()));
            }
            matches!(event, ConversationEvent::MembersChanged).then_some(Ok(()))
        })
        .await
    }

    async fn intake_stored(&mut self) -> Result<(), Problem> {
        self.until(Patience::Relay, |_, event| match event {
            Some(Event::IntakeStored { .. }) => Some(Ok(())),
            Some(Event::IntakeFailed(failure)) => final_failure(*failure).map(Err),
            Some(_) | None => None,
        })
        .await
    }

    /// The proposal that is meant.
    async fn proposal(
        &mut self,
        alias: Option<String>,
    ) -> Result<(ConversationId, ProposalView), Problem> {
        if self.proposals(alias.as_deref()).is_empty() {
            self.settle().await?;
        }
        let mut found = self.proposals(alias.as_deref());
        match found.len() {
            0 => Err(Key::NoProposal.into()),
            1 => found.pop().ok_or(Problem::from(Key::NoProposal)),
            _ => Err(Key::WhichAlias.into()),
        }
    }

    fn proposals(&self, alias: Option<&str>) -> Vec<(ConversationId, ProposalView)> {
        let is_meant =
            |proposal: &ProposalView| alias.is_none_or(|alias| same(alias, &proposal.alias));
        let conversations = self.client().conversations().into_iter();
        conversations
            .flat_map(|view| {
                view.proposals
                    .into_iter()
                    .map(move |proposal| (view.id, proposal))
            })
            .filter(|(_, proposal)| is_meant(proposal))
            .collect()
    }
}

/// Two names that people take for the same.
pub(super) fn same(typed: &str, alias: &str) -> bool {
    typed.trim().to_lowercase() == alias.to_lowercase()
}

/// What waiting does not change.
fn final_failure(failure: IntakeFailure) -> Option<Problem> {
    let is_final = matches!(
        failure,
        IntakeFailure::NoDesk | IntakeFailure::BadCard | IntakeFailure::Full
    );
    is_final.then(|| failure.into())
}
