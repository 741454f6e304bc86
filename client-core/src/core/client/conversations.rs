//! The conversations of a member of a desk, each on a channel of its own.

mod ending;

use std::collections::VecDeque;

use cobijo_protocol::{
    circle::CircleContent,
    commit::Statement,
    content::{MessageId, Proposal},
    keys::PublicKey,
    link::RelayUrl,
    slot::ThreadSecret,
    words::person_alias,
};
use serde::{Deserialize, Serialize};

use super::{
    ChannelId, CommandError, Context, ConversationEvent, ConversationId, ConversationView, Entry,
    Erasure, Event, FileCommand, FileId, Line, PartDone, ShiftEnd, Stopped, erased::Erased, filing,
};
use crate::core::{
    claim::queue::Opened,
    conversation::{AboutCircle, Conversation},
    erasing::Pace,
    group::{Group, removed_by},
    port::{Now, Seen, Wants},
};
pub(super) use ending::Ended;
use ending::{Closing, closed_view};

/// Removals that are remembered; the oldest give way.
const REMOVALS_MAX: usize = 256;

/// All of them, in the order in which they began.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Conversations {
    list: Vec<Numbered>,
    /// Those that the person erased.
    #[serde(default)]
    erased: Vec<Erased>,
    /// Who was removed from the desk, and the statement: she may be added to a conversation later, by
    /// somebody who doesn't know it yet.
    #[serde(default)]
    removals: VecDeque<(PublicKey, Statement)>,
    /// Those that this member closed, of which nothing else is left.
    closed: Vec<ConversationId>,
    /// Those that are over, until the desk is told.
    ended: VecDeque<Ended>,
}

#[derive(Serialize, Deserialize)]
struct Numbered {
    id: ConversationId,
    channel: ChannelId,
    conversation: Conversation,
    since: Now,
    /// Its person, once known.
    person: Option<PublicKey>,
    closing: Option<Closing>,
    /// Whether the desk knows that it is over, or will.
    is_ended: bool,
}

impl Conversations {
    /// A group was joined: a conversation begins, or one goes on in it. `texts` are what the person
    /// wrote to the desk before.
    pub(super) fn join(
        &mut self,
        group: Group,
        channel: Option<ChannelId>,
        texts: Vec<String>,
        context: &mut Context<'_>,
    ) -> ConversationId {
        let now = context.now;
        let channel = channel.unwrap_or_else(|| context.new_channel());
        let mut list = self.list.iter_mut();
        let goes_on = |one: &&mut Numbered| {
            !one.conversation.is_closed() && one.conversation.goes_on_in(&group)
        };
        if let Some(known) = list.find(goes_on) {
            known.channel = channel;
            known.is_ended = false;
            known.conversation.go_on_in(group, now);
            for text in texts {
                known.conversation.asked(text, now);
            }
            return known.id;
        }
        let id = context.new_conversation();
        let mut conversation = Conversation::of_member(group);
        for text in texts {
            conversation.first_text(text, now);
        }
        self.list.push(Numbered {
            id,
            channel,
            conversation,
            since: now,
            person: None,
            closing: None,
            is_ended: false,
        });
        id
    }

    /// What the person of this channel wrote while she waited came late.
    pub(super) fn late_text(&mut self, channel: ChannelId, text: String, now: Now) {
        let mut list = self.list.iter_mut();
        if let Some(one) = list.find(|one| one.channel == channel) {
            one.conversation.first_text(text, now);
        }
    }

    /// The person refused the conversation of this channel: it never began.
    pub(super) fn forget(&mut self, channel: ChannelId) {
        self.list
            .retain(|one| one.channel != channel || one.conversation.person_has_arrived());
    }

    /// Says something about a circle; gives its message's name.
    pub(super) fn tell(
        &mut self,
        id: ConversationId,
        content: CircleContent,
        context: &mut Context<'_>,
    ) -> Result<MessageId, CommandError> {
        let name = self.find(id)?.tell(content, context.rng)?;
        self.handle_timeout(context);
        Ok(name)
    }

    /// What was said about circles.
    pub(super) fn about_circles(&mut self) -> Vec<AboutCircle> {
        let list = self.list.iter_mut();
        let said = |one: &mut Numbered| {
            std::iter::from_fn(|| one.conversation.poll_about_circle()).collect::<Vec<_>>()
        };
        list.flat_map(said).collect()
    }

    /// The MLS group id of a conversation.
    pub(super) fn group_id(&mut self, id: ConversationId) -> Result<&[u8], CommandError> {
        Ok(self.find(id)?.group_id())
    }

    /// The conversation of that group id.
    pub(super) fn of_group(&self, group: &[u8]) -> Option<ConversationId> {
        let mut list = self.list.iter();
        let one = list.find(|one| one.conversation.group_id() == group);
        one.map(|one| one.id)
    }

    /// Whether that conversation goes on.
    pub(super) fn is_open(&self, id: ConversationId) -> bool {
        let mut list = self.list.iter();
        list.any(|one| one.id == id && one.conversation.is_open())
    }

    /// The person of a conversation.
    pub(super) fn person(&mut self, id: ConversationId) -> Result<PublicKey, CommandError> {
        let conversation = self.find(id)?;
        if !conversation.is_open() {
            return Err(CommandError::Stopped);
        }
        conversation.person().ok_or(CommandError::Stopped)
    }

    pub(super) fn say(
        &mut self,
        id: ConversationId,
        text: &str,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        self.find(id)?.say(text, context.now, context.rng)?;
        self.handle_timeout(context);
        Ok(())
    }

    pub(super) fn edit_summary(
        &mut self,
        id: ConversationId,
        seen: Option<MessageId>,
        text: &str,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        self.find(id)?.edit_summary(seen, text, context.rng)?;
        self.handle_timeout(context);
        Ok(())
    }

    pub(super) fn propose(
        &mut self,
        id: ConversationId,
        proposal: Proposal,
        ends: Option<ShiftEnd>,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        match ends {
            Some(ends) => self.end_shift(id, ends, Some(proposal), context),
            None => {
                self.find(id)?.propose(proposal, context.now, context.rng)?;
                self.drain(context);
                Ok(())
            }
        }
    }

    pub(super) fn end_shift(
        &mut self,
        id: ConversationId,
        ends: ShiftEnd,
        next: Option<Proposal>,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        let (now, conversation) = (context.now, self.find(id)?);
        conversation.end_shift(ends, next, now, context.rng)?;
        self.drain(context);
        Ok(())
    }

    /// Whether a colleague is there already.
    pub(super) fn has(&mut self, id: ConversationId, colleague: &PublicKey) -> bool {
        let conversation = self.find(id);
        conversation.is_ok_and(|conversation| conversation.roster().contains(colleague))
    }

    pub(super) fn leave(
        &mut self,
        id: ConversationId,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        self.find(id)?.leave()?;
        self.handle_timeout(context);
        Ok(())
    }

    /// Leaves those that can still be left.
    pub(super) fn leave_all(&mut self, context: &mut Context<'_>) {
        for one in &mut self.list {
            let _is_over = one.conversation.leave();
        }
        self.handle_timeout(context);
    }

    /// A coordinator removes a member everywhere, also where she comes in later.
    pub(super) fn learn(
        &mut self,
        statement: &Statement,
        root: &PublicKey,
        context: &mut Context<'_>,
    ) {
        if let Some(removed) = removed_by(statement, root) {
            self.removals.retain(|(known, _)| *known != removed);
            self.removals.push_back((removed, statement.clone()));
            if self.removals.len() > REMOVALS_MAX {
                self.removals.pop_front();
            }
        }
        for one in &mut self.list {
            one.conversation.learn(statement.clone(), context.now);
        }
        self.handle_timeout(context);
    }

    /// Helps those back who can't follow.
    pub(super) fn rescue(&mut self, rescues: impl Fn(&[u8]) -> Vec<Opened>, now: Now) {
        for one in &mut self.list {
            for opened in rescues(one.conversation.group_id()) {
                one.conversation.rescue(&opened, now);
            }
        }
    }

    /// Rescues that are over.
    pub(super) fn rescued(&mut self) -> Vec<ThreadSecret> {
        let mut rescued = Vec::new();
        for one in &mut self.list {
            rescued.extend(std::iter::from_fn(|| one.conversation.poll_rescued()));
        }
        rescued
    }

    /// Channels of conversations in which the person has arrived.
    pub(super) fn arrived(&self) -> Vec<ChannelId> {
        let arrived = |one: &&Numbered| one.conversation.person_has_arrived();
        self.list
            .iter()
            .filter(arrived)
            .map(|one| one.channel)
            .collect()
    }

    pub(super) fn lines(&self, relay: &RelayUrl) -> Vec<Line> {
        let line = |one: &Numbered| {
            let mut wants = Wants::default();
            one.conversation.wants(&mut wants);
            Line {
                channel: one.channel,
                relay: relay.clone(),
                wants,
            }
        };
        let followed = |one: &&Numbered| one.conversation.stopped().is_none();
        let erased = self.erased.iter().filter(|erased| !erased.is_over());
        let erased = erased.map(|erased| {
            let mut wants = Wants::default();
            erased.erases(&mut wants);
            Line {
                channel: erased.channel(),
                relay: relay.clone(),
                wants,
            }
        });
        let files = |one: &Numbered| filing::line(&one.conversation, relay);
        let files = self.list.iter().filter_map(files);
        let followed = self.list.iter().filter(followed).map(line);
        followed.chain(files).chain(erased).collect()
    }

    pub(super) fn handle_seen(
        &mut self,
        channel: ChannelId,
        seen: &Seen,
        context: &mut Context<'_>,
    ) {
        let of_channel = |one: &&mut Numbered| one.channel == channel;
        for one in self.list.iter_mut().filter(of_channel) {
            one.conversation.handle_seen(seen, context.now, context.rng);
        }
        for one in &mut self.list {
            filing::handle_seen(&mut one.conversation, channel, seen, context);
        }
        for erased in self
            .erased
            .iter_mut()
            .filter(|one| one.channel() == channel)
        {
            erased.handle_seen(seen, context);
        }
        self.drain(context);
    }

    pub(super) fn poll_timeout(&self, now: Now) -> Option<Now> {
        let list = self.list.iter();
        let erased = self.erased.iter().filter_map(Erased::erase_due);
        list.filter_map(|one| one.conversation.poll_timeout())
            .chain(erased)
            .chain(self.idle_due(now))
            .min()
    }

    /// Lets every conversation do what has become possible.
    pub(super) fn handle_timeout(&mut self, context: &mut Context<'_>) {
        for one in &mut self.list {
            one.conversation.handle_timeout(context.now, context.rng);
        }
        for erased in &mut self.erased {
            erased.handle_timeout(context);
        }
        self.drain(context);
    }

    /// Does what is asked for about a file.
    pub(super) fn handle_file_command(
        &mut self,
        command: FileCommand,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        let conversation = self.find(command.conversation())?;
        filing::handle_command(conversation, command, context)?;
        self.handle_timeout(context);
        Ok(())
    }

    /// The shell has done something for a file.
    pub(super) fn handle_part(&mut self, done: &PartDone, context: &mut Context<'_>) {
        for one in &mut self.list {
            one.conversation.handle_part(done, context.now, context.rng);
        }
        self.drain(context);
    }

    /// What the shell keeps of all files.
    pub(super) fn local_files(&self) -> Vec<FileId> {
        let local = |one: &Numbered| one.conversation.local_files().collect::<Vec<_>>();
        self.list.iter().flat_map(local).collect()
    }

    pub(super) fn views(&self) -> Vec<ConversationView> {
        let view = |one: &Numbered| {
            if one.conversation.is_closed() {
                return closed_view(one.id);
            }
            ConversationView {
                id: one.id,
                alias: one.conversation.person().as_ref().map(person_alias),
                members: one.conversation.members(),
                code: Some(one.conversation.code()),
                open: one.conversation.is_open(),
                closed: false,
                erased: None,
                proposals: one.conversation.proposals(),
                files: one.conversation.files(),
                circle: None,
                invitations: Vec::new(),
                summary: one.conversation.summary(),
            }
        };
        let erased = self.erased.iter();
        let erased = erased.map(|erased| erased.view(Erasure::ByPerson));
        let closed = self.closed_views();
        self.list
            .iter()
            .map(view)
            .chain(closed)
            .chain(erased)
            .collect()
    }

    pub(super) fn history(&self, id: ConversationId) -> Vec<Entry> {
        let mut list = self.list.iter();
        list.find(|one| one.id == id)
            .map_or_else(Vec::new, |one| one.conversation.history().to_vec())
    }

    /// Passes on what the conversations have to tell.
    pub(super) fn drain(&mut self, context: &mut Context<'_>) {
        for one in &mut self.list {
            filing::serve(&mut one.conversation, context);
            while let Some(event) = one.conversation.poll_event() {
                if matches!(event, ConversationEvent::MembersChanged) {
                    for (_, removal) in &self.removals {
                        one.conversation.learn(removal.clone(), context.now);
                    }
                }
                context.event(Event::Conversation(one.id, event));
            }
        }
        self.note_ended();
        self.erase_wiped(context);
    }

    /// Forgets what the person erased, and helps her to erase it at the relay. [E-3]
    fn erase_wiped(&mut self, context: &mut Context<'_>) {
        let is_wiped = |one: &mut Numbered| one.conversation.stopped() == Some(Stopped::Wiped);
        let wiped: Vec<_> = self.list.extract_if(.., is_wiped).collect();
        for one in wiped {
            let Numbered {
                id,
                channel,
                conversation,
                ..
            } = one;
            let erased = Erased::new(id, channel, conversation, Pace::Spread, context);
            self.erased.push(erased);
        }
    }

    fn find(&mut self, id: ConversationId) -> Result<&mut Conversation, CommandError> {
        let mut list = self.list.iter_mut();
        list.find(|one| one.id == id)
            .map(|one| &mut one.conversation)
            .ok_or(CommandError::Unknown)
    }
}
