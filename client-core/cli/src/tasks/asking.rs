//! What is not to stand on a command line is asked for, once it is known that it can be used.

use cobijo_client_core::core::client::{
    Client, CommandError, JoiningView, PersonStage, PersonView, Standing,
};
use cobijo_protocol::{
    card::is_alias,
    link::{DeskLink, Invite},
};

use super::{
    Task, phrase,
    room::pick,
    summary::{HandOver, What},
};
use crate::{catalogue::Key, input, problem::Problem, screen::Screen};

impl Task {
    /// Asks for what is missing, unless the client could do nothing with it.
    pub(crate) fn ask(self, screen: Screen, client: &Client) -> Result<Self, Problem> {
        self.ask_agreeing(screen, client)?.ask_more(screen, client)
    }

    /// What people agree on.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`ask_more` asks for the rest"
    )]
    fn ask_agreeing(self, screen: Screen, client: &Client) -> Result<Self, Problem> {
        Ok(match self {
            Self::Propose {
                conversation,
                colleague,
                purpose,
                reason: None,
                reads,
            } => {
                pick(client, Some(conversation))?;
                let reason = input::answer(screen, Key::ReasonAsk, Key::NoText, not_empty)?;
                Self::Propose {
                    conversation,
                    colleague,
                    purpose,
                    reason: Some(reason),
                    reads,
                }
            }
            Self::HandOver(HandOver {
                conversation,
                colleague: Some(colleague),
                ends,
                reason: None,
            }) => {
                pick(client, Some(conversation))?;
                let reason = input::answer(screen, Key::ReasonAsk, Key::NoText, not_empty)?;
                Self::HandOver(HandOver {
                    conversation,
                    colleague: Some(colleague),
                    ends,
                    reason: Some(reason),
                })
            }
            Self::Summary(conversation, What::Edit(None)) => {
                pick(client, conversation)?;
                let text = input::text(screen, Key::SummaryAsk)?;
                Self::Summary(conversation, What::Edit(Some(text)))
            }
            task => task,
        })
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "to most commands nothing is missing"
    )]
    fn ask_more(self, screen: Screen, client: &Client) -> Result<Self, Problem> {
        let text = || input::text(screen, Key::TextAsk);
        Ok(match self {
            Self::Write(None) => {
                let link = link(screen, client.standing())?;
                Self::Write(Some((link, input::text(screen, Key::WriteAsk)?)))
            }
            Self::Add(None) => {
                if !is_waiting(&client.standing()) {
                    return Err(CommandError::NotNow.into());
                }
                Self::Add(Some(text()?))
            }
            Self::Say {
                conversation,
                text: None,
            } => {
                pick(client, Some(conversation))?;
                Self::Say {
                    conversation,
                    text: Some(text()?),
                }
            }
            Self::AskDesk(None) => {
                pick(client, None)?;
                Self::AskDesk(Some(text()?))
            }
            Self::Phrase {
                whole,
                phrase: None,
            } => phrase::offer(screen, client, whole)?,
            Self::Return(None) => ask_to_return(screen, &client.standing())?,
            Self::Dismiss {
                rows,
                is_sure: false,
            } => ask_to_dismiss(rows, screen, client)?,
            Self::People(people) => Self::People(people.ask(screen, client)?),
            Self::Circle(task) => Self::Circle(task.ask(screen)?),
            Self::Erase(what) => Self::Erase(what.ask(screen, client)?),
            Self::File(task) => Self::File(task.ask(screen, client)?),
            Self::Join { alias, .. } if begins_to_join(&client.standing()) => {
                let alias = match client.standing() {
                    Standing::Member(desk) => Some(desk.alias),
                    _ => alias,
                };
                ask_to_join(alias, screen)?
            }
            task => task,
        })
    }
}

/// The desk that she may write to: whichever she says, or once more the one that she wrote to.
fn link(screen: Screen, standing: Standing) -> Result<DeskLink, Problem> {
    match standing {
        Standing::Fresh => input::answer(screen, Key::LinkAsk, Key::BadLink, |typed| {
            DeskLink::parse(typed).ok()
        }),
        Standing::Person(person) if person.stage == PersonStage::Ended => {
            screen.progress(Key::WriteAgain);
            Ok(person.link)
        }
        Standing::Person(_)
        | Standing::Returning
        | Standing::Joining(_)
        | Standing::Member(_)
        | Standing::Removed => Err(CommandError::InUse.into()),
    }
}

/// Whether a phrase can be offered: only after her first message, and once.
pub(super) fn may_keep_phrase(standing: &Standing) -> Result<(), Problem> {
    match standing {
        Standing::Person(person) if person.phrase => Err(Key::PhraseThere.into()),
        Standing::Person(PersonView {
            stage: PersonStage::Waiting | PersonStage::Talking,
            ..
        }) => Ok(()),
        Standing::Fresh
        | Standing::Returning
        | Standing::Person(_)
        | Standing::Joining(_)
        | Standing::Member(_)
        | Standing::Removed => Err(CommandError::NotNow.into()),
    }
}

/// The desk's link tells the relay, and the phrase all else.
fn ask_to_return(screen: Screen, standing: &Standing) -> Result<Task, Problem> {
    if phrase::is_on_her_way(standing) {
        return Ok(Task::Return(None));
    }
    let link = match standing {
        Standing::Person(person) if person.stage == PersonStage::Ended => person.link.clone(),
        Standing::Fresh => input::answer(screen, Key::LinkAsk, Key::BadLink, |typed| {
            DeskLink::parse(typed).ok()
        })?,
        Standing::Person(_)
        | Standing::Returning
        | Standing::Joining(_)
        | Standing::Member(_)
        | Standing::Removed => return Err(CommandError::InUse.into()),
    };
    Ok(Task::Return(Some((link, phrase::typed(screen)?))))
}

fn ask_to_dismiss(rows: Vec<u32>, screen: Screen, client: &Client) -> Result<Task, Problem> {
    if !is_on_shift(client) {
        return Err(CommandError::NotOnShift.into());
    }
    let is_sure = input::answer(screen, Key::DismissAsk, Key::NotYesOrNo, yes_or_no)?;
    if !is_sure {
        return Err(Key::NotDismissed.into());
    }
    Ok(Task::Dismiss { rows, is_sure })
}

fn ask_to_join(alias: Option<String>, screen: Screen) -> Result<Task, Problem> {
    let invite = input::answer(screen, Key::InviteAsk, Key::BadInvite, |typed| {
        Invite::parse(typed).ok()
    })?;
    let alias = match alias {
        Some(alias) => alias,
        None => input::answer(screen, Key::AliasAsk, Key::BadAlias, |typed| {
            is_alias(typed).then(|| typed.to_owned())
        })?,
    };
    Ok(Task::Join {
        invite: Some(invite),
        alias: Some(alias),
    })
}

/// A clear answer, in either language.
pub(super) fn yes_or_no(told: &str) -> Option<bool> {
    match told.to_lowercase().as_str() {
        "si" | "sí" | "s" | "yes" | "y" => Some(true),
        "no" | "n" => Some(false),
        _ => None,
    }
}

fn not_empty(typed: &str) -> Option<String> {
    (!typed.is_empty()).then(|| typed.to_owned())
}

pub(super) fn is_on_shift(client: &Client) -> bool {
    matches!(client.standing(), Standing::Member(desk) if desk.on_shift)
}

/// Whether her message has not been answered yet.
pub(super) fn is_waiting(standing: &Standing) -> bool {
    matches!(
        standing,
        Standing::Person(PersonView {
            stage: PersonStage::Sending | PersonStage::Waiting,
            ..
        })
    )
}

/// Whether an invitation is what is missing, and not an answer to one.
fn begins_to_join(standing: &Standing) -> bool {
    matches!(
        standing,
        Standing::Fresh
            | Standing::Member(_)
            | Standing::Joining(JoiningView {
                failure: Some(_),
                ..
            })
    )
}
