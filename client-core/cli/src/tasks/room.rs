//! What everybody does in a conversation.

use cobijo_client_core::core::client::{
    Client, Command, ConversationId, ConversationView, EntryState, Event, PersonCommand, Standing,
};
use cobijo_protocol::keys::PublicKey;
use serde_json::json;

use super::{asking::is_waiting, person::same};
use crate::{
    app::{App, Patience},
    catalogue::Key,
    problem::Problem,
};

impl App {
    pub(super) async fn say(&mut self, number: u32, text: String) -> Result<(), Problem> {
        let conversation = self.pick(Some(number))?;
        self.command(Command::Say { conversation, text })?;
        self.all_stored(conversation).await?;
        self.say_done(Key::Done);
        Ok(())
    }

    pub(super) async fn list(&mut self) -> Result<(), Problem> {
        self.settle().await?;
        self.show_list();
        Ok(())
    }

    pub(super) fn show_list(&self) {
        let shown: Vec<_> = self
            .client()
            .conversations()
            .iter()
            .map(|view| self.screen.conversation(view))
            .collect();
        let views = self.client().conversations();
        let invited = views.iter().flat_map(|view| &view.invitations);
        let invited = invited.filter(|invitation| !invitation.is_answered);
        let invited: Vec<_> = invited.map(|one| self.screen.invitation(one)).collect();
        let mut lines: Vec<&str> = shown.iter().map(|(_, text)| text.as_str()).collect();
        lines.extend(invited.iter().map(String::as_str));
        if is_waiting(&self.client().standing()) {
            lines.push(self.screen.text(Key::Waiting));
        } else if lines.is_empty() {
            lines.push(self.screen.text(Key::NoConversations));
        }
        let text = lines.join("\n");
        let objects: Vec<_> = shown.into_iter().map(|(object, _)| object).collect();
        self.screen
            .show(&json!({ "event": "list", "conversations": objects }), &text);
    }

    pub(super) async fn read(&mut self, number: Option<u32>) -> Result<(), Problem> {
        self.settle().await?;
        let conversation = self.pick(number)?;
        self.show_history(conversation);
        Ok(())
    }

    /// The summary first, where there is one: nobody has to tell it again.
    pub(super) fn show_history(&self, conversation: ConversationId) {
        if self
            .view(conversation)
            .is_ok_and(|view| view.summary.is_some())
        {
            self.show_summary(conversation);
        }
        for entry in self.client().history(conversation) {
            let (mut object, text) = self.screen.entry(&entry);
            object["event"] = "history".into();
            object["conversation"] = conversation.number().into();
            self.screen.show(&object, &text);
        }
        self.show_other_readers(conversation);
    }

    pub(super) async fn who(&mut self, number: Option<u32>) -> Result<(), Problem> {
        self.settle().await?;
        let view = self.view(self.pick(number)?)?;
        let (mut object, _) = self.screen.conversation(&view);
        object["event"] = "who".into();
        let text = self
            .screen
            .fill(Key::InRoom, &[&self.screen.members(&view)]);
        self.screen.show(&object, &text);
        Ok(())
    }

    pub(super) async fn code(&mut self, number: Option<u32>) -> Result<(), Problem> {
        self.settle().await?;
        let (mut object, text) = self.screen.code(&self.view(self.pick(number)?)?);
        object["event"] = "code".into();
        self.screen.show(&object, &text);
        Ok(())
    }

    pub(super) async fn leave(&mut self, number: Option<u32>) -> Result<(), Problem> {
        if is_waiting(&self.client().standing()) {
            self.command(Command::Person(PersonCommand::StopWaiting))?;
            self.say_done(Key::Withdrawn);
            return Ok(());
        }
        let conversation = self.pick(number)?;
        let is_circle = self.view(conversation)?.circle.is_some();
        self.command(Command::Leave(conversation))?;
        if is_circle {
            self.settle().await?;
            self.say_done(Key::LeftCircle);
            return Ok(());
        }
        self.until(Patience::Relay, |client, _| {
            let view = client
                .conversations()
                .into_iter()
                .find(|view| view.id == conversation);
            view.is_none_or(|view| !view.open).then_some(Ok(()))
        })
        .await?;
        self.all_stored(conversation).await?;
        let is_person = matches!(self.client().standing(), Standing::Person(_));
        self.say_done(if is_person {
            Key::LeftForGood
        } else {
            Key::LeftConversation
        });
        Ok(())
    }

    /// Waits until everything that one wrote in a conversation is at the relay.
    pub(super) async fn all_stored(&mut self, id: ConversationId) -> Result<(), Problem> {
        self.screen.progress(Key::Sending);
        self.until(Patience::Relay, |client, event| {
            let is_about = event.is_none_or(|event| matches!(event, Event::Conversation(..)));
            let history = if is_about {
                client.history(id)
            } else {
                return None;
            };
            let is_on_its_way = history
                .iter()
                .any(|e| e.own && e.state == EntryState::Sending);
            (!is_on_its_way).then_some(Ok(()))
        })
        .await
    }

    pub(super) fn pick(&self, number: Option<u32>) -> Result<ConversationId, Problem> {
        pick(self.client(), number)
    }

    pub(super) fn view(&self, id: ConversationId) -> Result<ConversationView, Problem> {
        let found = self
            .client()
            .conversations()
            .into_iter()
            .find(|view| view.id == id);
        found.ok_or(Key::Unknown.into())
    }

    /// The member of a conversation that people call `alias`.
    pub(super) fn member(&self, id: ConversationId, alias: &str) -> Result<PublicKey, Problem> {
        use cobijo_client_core::core::client::Speaker;
        let view = self.view(id)?;
        let mut found = view.members.iter().filter(|member| match &member.speaker {
            Speaker::Person => false,
            Speaker::Member { alias: known, .. } | Speaker::Pseudonym(known) => same(alias, known),
        });
        match (found.next(), found.next()) {
            (Some(member), None) => Ok(member.key),
            (Some(_), Some(_)) => Err(Key::WhichAlias.into()),
            (None, _) => Err(Key::UnknownAlias.into()),
        }
    }

    pub(super) fn say_done(&self, key: Key) {
        let object = json!({ "event": "done", "what": crate::screen::name(key) });
        self.screen.show(&object, self.screen.text(key));
    }
}

/// The conversation that is meant: by number, or the only one.
pub(super) fn pick(client: &Client, number: Option<u32>) -> Result<ConversationId, Problem> {
    let all = client.conversations();
    if let Some(number) = number {
        let found = all.iter().find(|view| view.id.number() == number);
        return found.map(|view| view.id).ok_or(Key::Unknown.into());
    }
    let open: Vec<_> = all.iter().filter(|view| view.open).collect();
    match (open.as_slice(), all.as_slice()) {
        ([only], _) => Ok(only.id),
        ([], [only]) => Ok(only.id),
        ([], []) => Err(Key::NoConversations.into()),
        (_, _) => Err(Key::WhichOne.into()),
    }
}
