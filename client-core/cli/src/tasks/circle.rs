//! Circles and side rooms.

use cobijo_client_core::core::client::{
    CircleCommand, CircleInviteView, Client, Command, ConversationEvent, ConversationId, Event,
    PersonCommand, TeamCommand,
};
use cobijo_protocol::{card::is_alias, circle::About};

use super::person::same;
use crate::{
    app::{App, Patience},
    args::{Command as Any, circle::CircleCommand as Typed},
    catalogue::Key,
    input,
    problem::Problem,
    screen::Screen,
};

/// A command about circles whose arguments are in order.
pub(crate) enum CircleTask {
    Create {
        name: String,
        with: Option<String>,
        about: Option<String>,
    },
    Invite {
        circle: u32,
        conversation: u32,
    },
    Accept {
        circle: Option<String>,
        alias: Option<String>,
    },
    Refuse(Option<String>),
    LetIn {
        circle: u32,
        alias: String,
    },
    Remove {
        circle: u32,
        alias: String,
    },
    Side {
        conversation: u32,
        colleagues: Vec<String>,
    },
}

impl CircleTask {
    pub(super) fn check(command: Typed) -> Result<Self, Problem> {
        Ok(match command {
            Typed::Create { name, with, about } if is_alias(&name) => {
                Self::Create { name, with, about }
            }
            Typed::Create { .. } => return Err(Key::BadAlias.into()),
            Typed::Invite {
                circle,
                conversation,
            } => Self::Invite {
                circle,
                conversation,
            },
            Typed::Accept { circle, alias } => Self::Accept { circle, alias },
            Typed::Refuse { circle } => Self::Refuse(circle),
            Typed::LetIn { circle, alias } => Self::LetIn { circle, alias },
            Typed::Remove { circle, alias } => Self::Remove { circle, alias },
        })
    }

    /// A side room.
    pub(super) fn check_side(command: &Any) -> Result<Self, Problem> {
        let Any::Side {
            conversation,
            colleagues,
        } = command
        else {
            return Err(Key::Unknown.into());
        };
        Ok(Self::Side {
            conversation: *conversation,
            colleagues: colleagues.clone(),
        })
    }

    /// Asks for what is not to stand on a command line.
    pub(super) fn ask(self, screen: Screen) -> Result<Self, Problem> {
        Ok(match self {
            Self::Create {
                name,
                with,
                about: None,
            } => {
                let about = Some(input::text(screen, Key::CircleAboutAsk)?);
                Self::Create { name, with, about }
            }
            Self::Accept {
                circle,
                alias: None,
            } => {
                let alias = |typed: &str| is_alias(typed).then(|| typed.to_owned());
                let alias = input::answer(screen, Key::PseudonymAsk, Key::BadAlias, alias)?;
                Self::Accept {
                    circle,
                    alias: Some(alias),
                }
            }
            Self::Create { .. }
            | Self::Invite { .. }
            | Self::Accept { .. }
            | Self::Refuse(_)
            | Self::LetIn { .. }
            | Self::Remove { .. }
            | Self::Side { .. } => self,
        })
    }
}

impl App {
    pub(super) async fn circle(&mut self, task: CircleTask) -> Result<(), Problem> {
        match task {
            CircleTask::Create { name, with, about } => {
                let about = about.ok_or(Key::NoText)?;
                self.create_circle(About { name, about }, with).await
            }
            CircleTask::Invite {
                circle,
                conversation,
            } => self.invite_into_circle(circle, conversation).await,
            CircleTask::Accept { circle, alias } => {
                self.accept_circle(circle, alias.ok_or(Key::NoText)?).await
            }
            CircleTask::Refuse(circle) => self.refuse_circle(circle).await,
            CircleTask::LetIn { circle, alias } => self.let_in(circle, &alias).await,
            CircleTask::Remove { circle, alias } => self.remove_from_circle(circle, &alias).await,
            CircleTask::Side {
                conversation,
                colleagues,
            } => self.open_side(conversation, &colleagues).await,
        }
    }

    fn circle_command(&mut self, command: CircleCommand) -> Result<(), Problem> {
        self.command(Command::Team(TeamCommand::Circle(command)))
    }

    async fn create_circle(&mut self, about: About, with: Option<String>) -> Result<(), Problem> {
        let second = with.map(|alias| self.colleague(&alias)).transpose()?;
        let others = second.iter().count();
        self.circle_command(CircleCommand::Create { about, second })?;
        let circle = newest_circle(self.client()).ok_or(Key::Unknown)?;
        self.has_members(circle, 1 + others).await?;
        self.say_done(Key::CircleCreated);
        self.show_list();
        Ok(())
    }

    async fn open_side(&mut self, number: u32, colleagues: &[String]) -> Result<(), Problem> {
        let conversation = self.pick(Some(number))?;
        let keys = colleagues.iter().map(|alias| self.colleague(alias));
        let colleagues = keys.collect::<Result<Vec<_>, _>>()?;
        let others = colleagues.len();
        self.circle_command(CircleCommand::OpenSide {
            conversation,
            colleagues,
        })?;
        let side = newest_circle(self.client()).ok_or(Key::Unknown)?;
        self.has_members(side, 1 + others).await?;
        self.say_done(Key::SideOpened);
        self.show_list();
        Ok(())
    }

    /// Waits until so many are in a circle, and what it is stands at the relay.
    async fn has_members(&mut self, id: ConversationId, members: usize) -> Result<(), Problem> {
        self.until(Patience::Relay, |client, event| {
            if matches!(event, Some(Event::ProposalFailed(failed)) if *failed == id) {
                return Some(Err(Key::ColleagueUnavailable.into()));
            }
            let all = client.conversations();
            let circle = all.iter().find(|view| view.id == id)?;
            (circle.members.len() >= members).then_some(Ok(()))
        })
        .await?;
        self.settle().await
    }

    async fn invite_into_circle(&mut self, circle: u32, number: u32) -> Result<(), Problem> {
        let circle = self.pick(Some(circle))?;
        let conversation = self.pick(Some(number))?;
        self.circle_command(CircleCommand::Invite {
            circle,
            conversation,
        })?;
        self.settle().await?;
        self.say_done(Key::InvitedIntoCircle);
        Ok(())
    }

    async fn accept_circle(&mut self, name: Option<String>, alias: String) -> Result<(), Problem> {
        let (conversation, invitation) = self.invitation(name).await?;
        self.command(Command::Person(PersonCommand::JoinCircle {
            conversation,
            invite: invitation.id,
            alias,
        }))?;
        self.settle().await?;
        self.say_done(Key::CircleWaits);
        Ok(())
    }

    async fn refuse_circle(&mut self, name: Option<String>) -> Result<(), Problem> {
        let (conversation, invitation) = self.invitation(name).await?;
        self.command(Command::Person(PersonCommand::RefuseCircle {
            conversation,
            invite: invitation.id,
        }))?;
        self.say_done(Key::CircleRefused);
        Ok(())
    }

    /// The invitation that is meant, and that she has not answered.
    async fn invitation(
        &mut self,
        name: Option<String>,
    ) -> Result<(ConversationId, CircleInviteView), Problem> {
        if invitations(self.client(), name.as_deref()).is_empty() {
            self.settle().await?;
        }
        let mut found = invitations(self.client(), name.as_deref());
        match found.len() {
            0 | 1 => found.pop().ok_or(Key::NoCircleInvite.into()),
            _ => Err(Key::WhichCircle.into()),
        }
    }

    async fn let_in(&mut self, number: u32, alias: &str) -> Result<(), Problem> {
        self.settle().await?;
        let circle = self.pick(Some(number))?;
        let asking = self.view(circle)?.circle.map(|circle| circle.asking);
        let asking = asking.ok_or(Key::Unknown)?;
        let asking = asking.iter().find(|one| same(alias, &one.alias));
        let asking = asking.ok_or(Key::UnknownAlias)?.id;
        self.circle_command(CircleCommand::LetIn { circle, asking })?;
        self.circle_changed(circle).await?;
        self.say_done(Key::LetIn);
        Ok(())
    }

    async fn remove_from_circle(&mut self, number: u32, alias: &str) -> Result<(), Problem> {
        let circle = self.pick(Some(number))?;
        let member = self.member(circle, alias)?;
        self.circle_command(CircleCommand::Remove { circle, member })?;
        self.circle_changed(circle).await?;
        self.say_done(Key::Removed);
        Ok(())
    }

    async fn circle_changed(&mut self, id: ConversationId) -> Result<(), Problem> {
        self.until(Patience::Relay, |_, event| match event {
            Some(Event::Conversation(circle, ConversationEvent::ChangeRefused))
                if *circle == id =>
            {
                Some(Err(Key::ChangeRefused.into()))
            }
            Some(Event::Conversation(circle, ConversationEvent::MembersChanged))
                if *circle == id =>
            {
                Some(Ok(()))
            }
            Some(_) | None => None,
        })
        .await
    }
}

fn newest_circle(client: &Client) -> Option<ConversationId> {
    let all = client.conversations().into_iter();
    let circles = all.filter(|view| view.circle.is_some());
    circles.map(|view| view.id).max()
}

fn invitations(client: &Client, name: Option<&str>) -> Vec<(ConversationId, CircleInviteView)> {
    let all = client.conversations().into_iter();
    let invited = all.flat_map(|view| {
        let here = view.invitations.into_iter();
        here.map(move |invitation| (view.id, invitation))
    });
    let is_meant = |invitation: &CircleInviteView| {
        !invitation.is_answered && name.is_none_or(|name| same(name, &invitation.name))
    };
    invited
        .filter(|(_, invitation)| is_meant(invitation))
        .collect()
}
