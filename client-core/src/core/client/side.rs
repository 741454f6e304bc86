//! Which side of a desk the profile is on.

use cobijo_protocol::link::{DeskId, RelayUrl};

use super::{
    BoardView, CardAbsent, ChannelId, Command, CommandError, Context, ConversationId,
    ConversationView, Entry, FileId, PartDone, PersonCommand, PublishAnswer, QueueRow, Standing,
    finding::{Finding, Outcome},
    person::Person,
    team::Team,
};
use crate::core::port::{Now, Seen, Wants};

/// What is wanted on one channel.
pub(crate) struct Line {
    /// The channel.
    pub(crate) channel: ChannelId,
    /// Where it leads.
    pub(crate) relay: RelayUrl,
    /// What is wanted there.
    pub(crate) wants: Wants,
}

/// Either side.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) enum Side {
    /// Not decided yet.
    Fresh,
    /// A person who comes back: what her phrase finds is looked for.
    Finding(Box<Finding>),
    /// A person who wrote to a desk.
    Person(Box<Person>),
    /// A member of a desk, or a newcomer.
    Team(Box<Team>),
}

impl Side {
    pub(super) fn handle_command(
        &mut self,
        command: Command,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        match self {
            Self::Fresh => {
                *self = Self::begin(command, context)?;
                Ok(())
            }
            Self::Finding(_) => {
                // Nothing else can be asked for meanwhile.
                if !matches!(command, Command::Person(PersonCommand::StopReturning)) {
                    return Err(CommandError::NotNow);
                }
                self.stop_finding();
                Ok(())
            }
            Self::Person(person) => {
                let Command::Person(PersonCommand::Return { link, keys }) = command else {
                    return person.handle_command(command, context);
                };
                if !person.may_return(&link) {
                    return Err(CommandError::InUse);
                }
                let finding = Finding::begin(link, keys, context);
                if let Self::Person(person) = std::mem::replace(self, Self::Fresh) {
                    *self = Self::Finding(Box::new(finding.behind(person)));
                }
                Ok(())
            }
            Self::Team(team) => team.handle_command(command, context),
        }
    }

    /// What her phrase finds is not looked for any more.
    pub(super) fn stop_finding(&mut self) {
        *self = match std::mem::replace(self, Self::Fresh) {
            Self::Finding(finding) => finding.stop().map_or(Self::Fresh, Self::Person),
            side @ (Self::Fresh | Self::Person(_) | Self::Team(_)) => side,
        };
    }

    /// The first command decides the side.
    fn begin(command: Command, context: &mut Context<'_>) -> Result<Self, CommandError> {
        match command {
            Command::Person(PersonCommand::Return { link, keys }) => {
                let finding = Finding::begin(link, keys, context);
                Ok(Self::Finding(Box::new(finding)))
            }
            Command::Person(command) => Person::begin(command, context)
                .map(Box::new)
                .map(Self::Person),
            Command::Team(command) => Team::begin(command, context).map(Box::new).map(Self::Team),
            Command::Say { .. }
            | Command::File(_)
            | Command::Leave(_)
            | Command::EditSummary { .. } => Err(CommandError::Unknown),
        }
    }

    /// What is wanted on each channel.
    pub(super) fn lines(&self, now: Now) -> Vec<Line> {
        match self {
            Self::Fresh => Vec::new(),
            Self::Finding(finding) => vec![finding.line()],
            Self::Person(person) => person.lines(now),
            Self::Team(team) => team.lines(),
        }
    }

    /// Takes all that one frame said, then does once what follows from it.
    pub(super) fn handle_seen(
        &mut self,
        channel: ChannelId,
        seen: &[Seen],
        context: &mut Context<'_>,
    ) {
        match self {
            Self::Fresh => {}
            Self::Finding(finding) => match finding.handle_seen(channel, seen, context) {
                Outcome::Open => {}
                Outcome::Nothing(None) => *self = Self::Fresh,
                Outcome::Nothing(Some(before)) => *self = Self::Person(before),
                Outcome::Person(person) => *self = Self::Person(person),
            },
            Self::Person(person) => person.handle_seen(channel, seen, context),
            Self::Team(team) => team.handle_seen(channel, seen, context),
        }
    }

    pub(super) fn handle_card_fetched(
        &mut self,
        desk: &DeskId,
        card: Result<Vec<u8>, CardAbsent>,
        context: &mut Context<'_>,
    ) {
        match self {
            Self::Fresh | Self::Finding(_) => {}
            Self::Person(person) => person.handle_card_fetched(desk, card, context),
            Self::Team(team) => team.handle_card_fetched(desk, card, context),
        }
    }

    pub(super) fn handle_card_published(
        &mut self,
        desk: &DeskId,
        answer: PublishAnswer,
        context: &mut Context<'_>,
    ) {
        match self {
            Self::Fresh | Self::Finding(_) | Self::Person(_) => {}
            Self::Team(team) => team.handle_card_published(desk, answer, context),
        }
    }

    /// The shell has done something for a file.
    pub(super) fn handle_part(&mut self, done: &PartDone, context: &mut Context<'_>) {
        match self {
            Self::Fresh | Self::Finding(_) => {}
            Self::Person(person) => person.handle_part(done, context),
            Self::Team(team) => team.handle_part(done, context),
        }
    }

    /// What the shell keeps of all files.
    pub(super) fn local_files(&self) -> Vec<FileId> {
        match self {
            Self::Fresh => Vec::new(),
            Self::Finding(finding) => finding.before().map_or_else(Vec::new, Person::local_files),
            Self::Person(person) => person.local_files(),
            Self::Team(team) => team.local_files(),
        }
    }

    pub(super) fn poll_timeout(&self, now: Now) -> Option<Now> {
        match self {
            Self::Fresh | Self::Finding(_) => None,
            Self::Person(person) => person.poll_timeout(),
            Self::Team(team) => team.poll_timeout(now),
        }
    }

    pub(super) fn handle_timeout(&mut self, context: &mut Context<'_>) {
        match self {
            Self::Fresh | Self::Finding(_) => {}
            Self::Person(person) => person.handle_timeout(context),
            Self::Team(team) => team.handle_timeout(context),
        }
    }

    pub(super) fn standing(&self, now: Now) -> Standing {
        match self {
            Self::Fresh => Standing::Fresh,
            Self::Finding(_) => Standing::Returning,
            Self::Person(person) => Standing::Person(person.view()),
            Self::Team(team) => team.standing(now),
        }
    }

    pub(super) fn queue(&self, now: Now) -> Vec<QueueRow> {
        match self {
            Self::Fresh | Self::Finding(_) | Self::Person(_) => Vec::new(),
            Self::Team(team) => team.queue(now),
        }
    }

    pub(super) fn board(&self, now: Now) -> BoardView {
        match self {
            Self::Fresh | Self::Finding(_) | Self::Person(_) => BoardView::default(),
            Self::Team(team) => team.board(now),
        }
    }

    pub(super) fn conversations(&self) -> Vec<ConversationView> {
        match self {
            Self::Fresh => Vec::new(),
            Self::Finding(finding) => finding
                .before()
                .map_or_else(Vec::new, Person::conversations),
            Self::Person(person) => person.conversations(),
            Self::Team(team) => team.conversations(),
        }
    }

    pub(super) fn history(&self, conversation: ConversationId) -> Vec<Entry> {
        match self {
            Self::Fresh => Vec::new(),
            Self::Finding(finding) => {
                let before = finding.before();
                before.map_or_else(Vec::new, |person| person.history(conversation))
            }
            Self::Person(person) => person.history(conversation),
            Self::Team(team) => team.history(conversation),
        }
    }
}
