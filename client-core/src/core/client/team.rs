//! A desk's side: a member, or a newcomer on her way in. Routes between the desk and the conversations.

mod circling;
mod files;
mod newcomer;
mod people;
mod proposing;
mod stopped;
mod taking;

use cobijo_protocol::{
    card::is_alias,
    link::{DeskId, Invite},
};
use serde::{Deserialize, Serialize};

use super::{
    BoardView, CardAbsent, ChannelId, Command, CommandError, Context, ConversationId,
    ConversationView, Entry, Event, JoinFailure, Line, PublishAnswer, QueueRow, QueueState, RowId,
    Standing, TeamCommand, circles::Circles, conversations::Conversations,
};
use crate::core::{
    desk::{Desk, DeskEvent},
    group::Stop,
    port::{Now, Seen},
};
use newcomer::Newcomer;
use people::Care;
use stopped::WhileStopped;

/// A member of a desk, or a newcomer.
#[derive(Serialize, Deserialize)]
pub(super) enum Team {
    /// On her way in.
    Newcomer(Box<Newcomer>),
    /// In the desk, or once in it.
    Member(Box<Member>),
}

/// A member, with her conversations.
#[derive(Serialize, Deserialize)]
pub(super) struct Member {
    desk: Desk,
    conversations: Conversations,
    circles: Circles,
    /// Her way back into a desk that she couldn't follow.
    coming_back: Option<Box<Newcomer>>,
    /// Whether she had as many live conversations as she takes, when that was looked at last.
    #[serde(default)]
    was_full: bool,
    care: Care,
}

impl Team {
    pub(super) fn begin(
        command: TeamCommand,
        context: &mut Context<'_>,
    ) -> Result<Self, CommandError> {
        match command {
            TeamCommand::CreateDesk {
                relay,
                alias,
                description,
            } => {
                check_alias(&alias)?;
                description.check()?;
                let desk = Desk::create(relay, &alias, description, context)?;
                Ok(Self::Member(Box::new(Member::new(desk))))
            }
            TeamCommand::JoinDesk { invite, alias } => {
                check_alias(&alias)?;
                let newcomer = Newcomer::new(invite, alias, context);
                Ok(Self::Newcomer(Box::new(newcomer)))
            }
            TeamCommand::Describe(_)
            | TeamCommand::RenewDeskKey
            | TeamCommand::ExportRoot
            | TeamCommand::DropRoot
            | TeamCommand::ImportRoot(_)
            | TeamCommand::Invite
            | TeamCommand::Admit { .. }
            | TeamCommand::Revoke(_)
            | TeamCommand::StartShift
            | TeamCommand::Take(_)
            | TeamCommand::LearnBeside(_)
            | TeamCommand::EndShift
            | TeamCommand::Claim(_)
            | TeamCommand::Pass(_)
            | TeamCommand::Dismiss(_)
            | TeamCommand::Propose { .. }
            | TeamCommand::Circle(_)
            | TeamCommand::HandOver { .. }
            | TeamCommand::RemoveMember(_)
            | TeamCommand::MakeSuccessor(_)
            | TeamCommand::People(_)
            | TeamCommand::LeaveDesk => Err(CommandError::NotMember),
        }
    }

    pub(super) fn handle_command(
        &mut self,
        command: Command,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        match self {
            // Who could not join may try another invitation.
            Self::Newcomer(newcomer) => match command {
                Command::Team(command @ TeamCommand::JoinDesk { .. }) if newcomer.has_failed() => {
                    *self = Self::begin(command, context)?;
                    Ok(())
                }
                Command::Team(_)
                | Command::Person(_)
                | Command::Say { .. }
                | Command::File(_)
                | Command::Leave(_)
                | Command::EditSummary { .. } => Err(CommandError::NotMember),
            },
            Self::Member(member) => member.handle_command(command, context),
        }
    }

    pub(super) fn lines(&self) -> Vec<Line> {
        match self {
            Self::Newcomer(newcomer) => newcomer.lines(),
            Self::Member(member) => member.lines(),
        }
    }

    pub(super) fn handle_seen(
        &mut self,
        channel: ChannelId,
        seen: &[Seen],
        context: &mut Context<'_>,
    ) {
        match self {
            Self::Newcomer(newcomer) => {
                let joined = |seen| newcomer.handle_seen(channel, seen, context);
                if let Some(joined) = seen.iter().find_map(joined) {
                    let desk = joined.into_desk(context);
                    *self = Self::Member(Box::new(Member::new(desk)));
                    context.event(Event::JoinedDesk);
                }
            }
            Self::Member(member) => member.handle_seen(channel, seen, context),
        }
    }

    pub(super) fn handle_card_fetched(
        &mut self,
        desk: &DeskId,
        card: Result<Vec<u8>, CardAbsent>,
        context: &mut Context<'_>,
    ) {
        if let Self::Member(member) = self {
            member.desk.handle_card_fetched(desk, card, context);
            member.route(context);
        }
    }

    pub(super) fn handle_card_published(
        &mut self,
        desk: &DeskId,
        answer: PublishAnswer,
        context: &mut Context<'_>,
    ) {
        if let Self::Member(member) = self {
            member.desk.handle_card_published(desk, answer, context);
            member.route(context);
        }
    }

    pub(super) fn poll_timeout(&self, now: Now) -> Option<Now> {
        match self {
            Self::Newcomer(newcomer) => newcomer.poll_timeout(),
            Self::Member(member) => {
                let conversations = member.conversations.poll_timeout(now);
                let desk = member.desk.poll_timeout(now);
                let coming_back = member.coming_back.as_ref();
                let coming_back = coming_back.and_then(|newcomer| newcomer.poll_timeout());
                let due = conversations.into_iter().chain(desk);
                let due = due.chain(member.circles.poll_timeout());
                due.chain(coming_back).chain(member.care.due()).min()
            }
        }
    }

    pub(super) fn handle_timeout(&mut self, context: &mut Context<'_>) {
        match self {
            Self::Newcomer(newcomer) => newcomer.handle_timeout(context),
            Self::Member(member) => {
                member.desk.handle_timeout(context);
                if let Some(newcomer) = &mut member.coming_back {
                    newcomer.handle_timeout(context);
                }
                member.conversations.handle_timeout(context);
                member.care.handle_timeout(context);
                member.circles.handle_timeout(context);
                member.route(context);
            }
        }
    }

    pub(super) fn standing(&self, now: Now) -> Standing {
        match self {
            Self::Newcomer(newcomer) => Standing::Joining(newcomer.view()),
            Self::Member(member) => member.standing(now),
        }
    }

    pub(super) fn queue(&self, now: Now) -> Vec<QueueRow> {
        match self {
            Self::Newcomer(_) => Vec::new(),
            Self::Member(member) => member.queue(now),
        }
    }

    pub(super) fn board(&self, now: Now) -> BoardView {
        match self {
            Self::Newcomer(_) => BoardView::default(),
            Self::Member(member) => member.board(now),
        }
    }

    pub(super) fn conversations(&self) -> Vec<ConversationView> {
        match self {
            Self::Newcomer(_) => Vec::new(),
            Self::Member(member) => {
                let conversations = &member.conversations;
                let circles = member.circles.views(|group| conversations.of_group(group));
                conversations.views().into_iter().chain(circles).collect()
            }
        }
    }

    pub(super) fn history(&self, conversation: ConversationId) -> Vec<Entry> {
        match self {
            Self::Newcomer(_) => Vec::new(),
            Self::Member(member) if member.circles.has(conversation) => {
                member.circles.history(conversation)
            }
            Self::Member(member) => member.conversations.history(conversation),
        }
    }
}

impl Member {
    fn new(desk: Desk) -> Self {
        Self {
            desk,
            conversations: Conversations::default(),
            circles: Circles::default(),
            coming_back: None,
            was_full: false,
            care: Care::default(),
        }
    }

    fn standing(&self, now: Now) -> Standing {
        if self.desk.is_leaving() {
            return Standing::Removed;
        }
        if let Some(newcomer) = &self.coming_back
            && !newcomer.has_failed()
        {
            return Standing::Joining(newcomer.view());
        }
        match self.desk.stop() {
            Some(Stop::Removed | Stop::Returned | Stop::Left) => Standing::Removed,
            Some(Stop::Broken | Stop::Policy | Stop::Stale | Stop::Wiped) | None => {
                let mut view = self.desk.view(self.live(now), now.day());
                self.care.show(&mut view);
                Standing::Member(Box::new(view))
            }
        }
    }

    fn handle_command(
        &mut self,
        command: Command,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        match command {
            Command::Team(command) => self.handle_team_command(command, context)?,
            Command::Person(_) => return Err(CommandError::InUse),
            Command::Say { conversation, .. } if self.desk.names_buddy(conversation) => {
                return Err(CommandError::NamingBuddy);
            }
            Command::Say { conversation, text } => {
                if self.circles.has(conversation) {
                    self.circles.say(conversation, &text, context)?;
                } else {
                    self.conversations.say(conversation, &text, context)?;
                }
            }
            Command::Leave(conversation) if self.circles.has(conversation) => {
                self.circles.leave(conversation, context)?;
            }
            Command::File(command) => self.conversations.handle_file_command(command, context)?,
            Command::Leave(conversation) => self.conversations.leave(conversation, context)?,
            Command::EditSummary {
                conversation,
                seen,
                text,
            } => {
                self.conversations
                    .edit_summary(conversation, seen, &text, context)?;
            }
        }
        self.route(context);
        Ok(())
    }

    fn handle_team_command(
        &mut self,
        command: TeamCommand,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        let desk = &mut self.desk;
        let may = match command.while_stopped() {
            WhileStopped::Always => true,
            WhileStopped::IfItMayGoOn => {
                // Her old leaf goes before the new one comes: if that never does, she may try again.
                let may_go_on = desk.may_have_successor() || self.coming_back.is_some();
                may_go_on && !desk.is_leaving()
            }
            WhileStopped::Never => desk.stop().is_none() && !desk.is_leaving(),
        };
        if !may {
            return Err(CommandError::NotMember);
        }
        match command {
            TeamCommand::CreateDesk { .. } => Err(CommandError::InUse),
            TeamCommand::JoinDesk { invite, .. } => self.come_back(invite, context),
            TeamCommand::Describe(description) => desk.describe(description, context),
            TeamCommand::RenewDeskKey => desk.renew(context),
            TeamCommand::ExportRoot => desk.export_root(context),
            TeamCommand::DropRoot => desk.drop_root(),
            TeamCommand::ImportRoot(root_key) => desk.import_root(root_key, context),
            TeamCommand::Invite => desk.invite(context),
            TeamCommand::Admit { invite, role } => desk.admit(invite, role, context),
            TeamCommand::Revoke(invite) => desk.revoke(invite, context),
            TeamCommand::StartShift => {
                desk.start_shift(context);
                self.care.begin(context);
                Ok(())
            }
            TeamCommand::Take(capacity) => desk.take_up_to(capacity),
            TeamCommand::LearnBeside(buddy) => desk.learn_beside(buddy),
            TeamCommand::EndShift => {
                desk.end_shift(context);
                self.care.end(context);
                Ok(())
            }
            TeamCommand::Claim(row) => self.claim(row, context),
            TeamCommand::Pass(row) => desk.pass(row, context),
            TeamCommand::Dismiss(row) => desk.dismiss(row, context),
            TeamCommand::Circle(command) => self.handle_circle_command(command, context),
            TeamCommand::RemoveMember(member) => desk.remove_member(member, context),
            TeamCommand::MakeSuccessor(left_out) => desk.make_successor(&left_out, context),
            TeamCommand::People(command) => self.handle_people_command(command, context),
            TeamCommand::LeaveDesk => {
                desk.leave(context)?;
                self.conversations.leave_all(context);
                self.circles.leave_all(context);
                Ok(())
            }
            TeamCommand::Propose {
                conversation,
                colleague,
                purpose,
                reason,
                reads,
            } => self.propose(conversation, colleague, (purpose, reason, reads), context),
            TeamCommand::HandOver {
                conversation,
                ends,
                next,
            } => self.hand_over(conversation, ends, next, context),
        }
    }

    /// Begins to come back into the desk, by a new invitation to it, under the name that she has there.
    fn come_back(&mut self, invite: Invite, context: &mut Context<'_>) -> Result<(), CommandError> {
        let is_coming = |newcomer: &Newcomer| !newcomer.has_failed();
        if self.desk.root() != invite.root || self.coming_back.as_deref().is_some_and(is_coming) {
            return Err(CommandError::InUse);
        }
        let (key, alias) = (self.desk.key(), self.desk.alias());
        let newcomer = Newcomer::with_key(key, invite, alias, context);
        self.coming_back = Some(Box::new(newcomer));
        Ok(())
    }

    fn lines(&self) -> Vec<Line> {
        let mut lines = self.desk.lines();
        let coming_back = self.coming_back.iter();
        lines.extend(coming_back.flat_map(|newcomer| newcomer.lines()));
        lines.extend(self.circles.lines(self.desk.relay()));
        for line in self.conversations.lines(self.desk.relay()) {
            // An answer and the conversation that came of it share a channel.
            match lines.iter_mut().find(|one| one.channel == line.channel) {
                Some(shared) => shared.wants.extend(line.wants),
                None => lines.push(line),
            }
        }
        lines
    }

    fn handle_seen(&mut self, channel: ChannelId, seen: &[Seen], context: &mut Context<'_>) {
        self.desk.handle_seen(channel, seen, context);
        if let Some(newcomer) = &mut self.coming_back {
            let joined = |seen| newcomer.handle_seen(channel, seen, context);
            if let Some(joined) = seen.iter().find_map(joined) {
                if joined.bring_back(&mut self.desk, context) {
                    self.coming_back = None;
                    context.event(Event::JoinedDesk);
                } else {
                    newcomer.fail(JoinFailure::NoWelcome, context);
                }
            }
        }
        for seen in seen {
            self.conversations.handle_seen(channel, seen, context);
            self.circles.handle_seen(channel, seen, context);
        }
        self.route(context);
    }

    /// Takes what concerns the conversations from the desk to them, and back.
    fn route(&mut self, context: &mut Context<'_>) {
        while let Some(event) = self.desk.poll_event() {
            match event {
                DeskEvent::Joined { group, .. } if Self::is_circle(&group) => {
                    self.join_circle(*group, context);
                }
                DeskEvent::Joined {
                    channel,
                    row,
                    group,
                    texts,
                } => {
                    let id = self.conversations.join(*group, channel, texts, context);
                    context.event(match row {
                        Some(row) => Event::ClaimWon {
                            row,
                            conversation: id,
                        },
                        None => Event::ConversationJoined(id),
                    });
                    if row.is_some() {
                        self.name_buddy(id, context);
                    }
                }
                DeskEvent::Text(channel, text) => {
                    self.conversations.late_text(channel, text, context.now);
                }
                DeskEvent::Refused(channel) => self.conversations.forget(channel),
                DeskEvent::Statement(statement) => {
                    let root = self.desk.root();
                    self.conversations.learn(&statement, &root, context);
                    self.circles.learn(&statement, context);
                }
                DeskEvent::Proposal(id, proposal, ends) => {
                    self.say_proposal(id, *proposal, ends, context);
                }
                DeskEvent::ToCircle(id, key_package) => {
                    if let Ok(circle) = self.circles.find(id) {
                        circle.add_member(key_package);
                        self.circles.handle_timeout(context);
                    }
                }
                DeskEvent::ProposalFailed(id) => context.event(Event::ProposalFailed(id)),
                DeskEvent::QueueChanged => {
                    let rescues = |group: &[u8]| self.desk.rescues(group);
                    self.conversations.rescue(rescues, context.now);
                }
            }
        }
        self.conversations.drain(context);
        self.tell_ended(context);
        self.route_circles(context);
        for r in self.conversations.rescued() {
            self.desk.handle_rescued(&r, context);
        }
        for channel in self.conversations.arrived() {
            self.desk.handle_arrival(channel, context.now);
        }
        self.note_full(context);
    }
}

fn check_alias(alias: &str) -> Result<(), CommandError> {
    if is_alias(alias) {
        Ok(())
    } else {
        Err(CommandError::Alias)
    }
}
