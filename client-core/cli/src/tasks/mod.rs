//! The commands: checked as far as they can be before a passphrase is asked for, then completed with
//! what is asked for, then done.

mod asking;
mod circle;
mod describing;
mod desk;
mod erasing;
mod files;
mod live;
pub(crate) mod opening;
pub(crate) mod people;
mod person;
mod phrase;
mod room;
mod shift;
mod summary;

use cobijo_client_core::core::{
    client::{Capacity, Description},
    phrase::Phrase,
};
use cobijo_protocol::{
    card::{Role, Text},
    content::Reads,
    keys::SecretKey,
    link::{DeskLink, Invite, RelayUrl},
    opening::Opening,
};
use data_encoding::BASE64URL_NOPAD;
use zeroize::Zeroizing;

use self::{
    circle::CircleTask, describing::Changes, erasing::Erase, files::FileTask, people::People,
    summary::HandOver,
};
use crate::{
    app::App,
    args::{Command, DeskCommand, PurposeArg, ReadsArg, ShiftChange},
    catalogue::Key,
    problem::Problem,
};

/// A command whose arguments are in order. What is `None` and has to be said is asked for ([`Task::ask`]).
pub(crate) enum Task {
    Write(Option<(DeskLink, String)>),
    Wait,
    Talk(Option<u32>),
    Say {
        conversation: u32,
        text: Option<String>,
    },
    Add(Option<String>),
    List,
    Read(Option<u32>),
    Who(Option<u32>),
    Code(Option<u32>),
    Summary(Option<u32>, summary::What),
    Yes(Option<String>, Reads),
    No(Option<String>),
    Remove {
        conversation: u32,
        alias: String,
    },
    AskDesk(Option<String>),
    File(FileTask),
    Leave(Option<u32>),
    Phrase {
        whole: bool,
        phrase: Option<Phrase>,
    },
    /// Nothing where she goes on with what an earlier run began.
    Return(Option<(DeskLink, Phrase)>),
    StopReturning,
    Shift {
        change: Option<ShiftChange>,
        capacity: Option<Capacity>,
        buddy: Option<String>,
    },
    HandOver(HandOver),
    Erase(Erase),
    Queue,
    Claim(u32),
    Pass(u32),
    Dismiss {
        rows: Vec<u32>,
        is_sure: bool,
    },
    Propose {
        conversation: u32,
        colleague: String,
        purpose: PurposeArg,
        reason: Option<String>,
        reads: ReadsArg,
    },
    Circle(CircleTask),
    CreateDesk {
        relay: RelayUrl,
        alias: String,
        description: Description,
    },
    ShowDesk,
    Describe(Box<Changes>),
    Invite,
    Admit {
        invite: Option<u32>,
        words: Option<String>,
        role: Role,
    },
    Revoke(u32),
    Join {
        invite: Option<Invite>,
        alias: Option<String>,
    },
    RemoveColleague(String),
    MakeSuccessor(Vec<String>),
    LeaveDesk,
    RenewKey,
    ExportRoot,
    DropRoot,
    ImportRoot(SecretKey),
    People(People),
    Exit,
}

/// Checks a command.
pub(crate) fn check(command: &Command) -> Result<Task, Problem> {
    Ok(match command.clone() {
        Command::Write { .. } => Task::Write(None),
        Command::Wait => Task::Wait,
        Command::Talk { conversation } => Task::Talk(conversation),
        Command::Say { conversation, text } => Task::Say {
            conversation,
            text: typed(&text),
        },
        Command::Add { text } => Task::Add(typed(&text)),
        Command::List => Task::List,
        Command::Read { conversation } => Task::Read(conversation),
        Command::Who { conversation } => Task::Who(conversation),
        Command::Code { conversation } => Task::Code(conversation),
        Command::Summary { .. }
        | Command::Yes { .. }
        | Command::No { .. }
        | Command::Propose { .. }
        | Command::HandOver { .. } => check_agreeing(command)?,
        Command::Remove { .. } => check_remove(command)?,
        Command::AskDesk { text } => Task::AskDesk(typed(&text)),
        Command::File(command) => Task::File(FileTask::check(command)?),
        Command::Leave { conversation } => Task::Leave(conversation),
        Command::Phrase { whole } => Task::Phrase {
            whole,
            phrase: None,
        },
        Command::Return { stop: true } => Task::StopReturning,
        Command::Return { stop: false } => Task::Return(None),
        Command::Shift {
            change,
            capacity,
            buddy,
        } => check_shift(change, capacity, buddy)?,
        Command::Erase {
            conversation,
            now: at_once,
            sure: is_sure,
        } => Task::Erase(Erase {
            conversation,
            at_once,
            is_sure,
        }),
        Command::Queue => Task::Queue,
        Command::Claim { row } => Task::Claim(row),
        Command::Pass { row } => Task::Pass(row),
        Command::Dismiss {
            rows,
            sure: is_sure,
        } => Task::Dismiss { rows, is_sure },
        Command::Board { .. }
        | Command::Notes { .. }
        | Command::HelpNow { .. }
        | Command::Close { .. }
        | Command::CheckOut { .. }
        | Command::Debrief { .. }
        | Command::Words { .. }
        | Command::Pause => Task::People(People::check(command)?),
        Command::Circle(command) => Task::Circle(CircleTask::check(command)?),
        Command::Side { .. } => Task::Circle(CircleTask::check_side(command)?),
        Command::Desk(command) => check_desk(command)?,
        Command::Exit => Task::Exit,
    })
}

fn check_remove(command: &Command) -> Result<Task, Problem> {
    let Command::Remove {
        conversation,
        alias,
    } = command
    else {
        return Err(Key::Unknown.into());
    };
    Ok(Task::Remove {
        conversation: *conversation,
        alias: alias.clone(),
    })
}

/// What people agree on.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "`check` hands it a part of the commands"
)]
fn check_agreeing(command: &Command) -> Result<Task, Problem> {
    Ok(match command.clone() {
        Command::Summary {
            conversation,
            edit,
            erase,
            text,
        } => Task::Summary(
            conversation,
            match (edit, erase) {
                (true, _) => summary::What::Edit(typed(&text)),
                (false, true) => summary::What::Erase,
                (false, false) => summary::What::Show,
            },
        ),
        Command::Yes { alias, from_now } => Task::Yes(
            alias,
            if from_now {
                Reads::FromNow
            } else {
                Reads::Summary
            },
        ),
        Command::No { alias } => Task::No(alias),
        Command::Propose {
            conversation,
            colleague,
            purpose,
            reason,
            reads,
        } => Task::Propose {
            conversation,
            colleague,
            purpose,
            reason,
            reads,
        },
        Command::HandOver {
            conversation,
            colleague,
            until,
            back,
            reason,
        } => {
            let times = (until.as_str(), back.as_deref());
            Task::HandOver(HandOver::check(conversation, colleague, times, reason)?)
        }
        _ => return Err(Key::BadUse.into()),
    })
}

fn check_shift(
    change: Option<ShiftChange>,
    capacity: Option<u8>,
    buddy: Option<String>,
) -> Result<Task, Problem> {
    let is_end = change == Some(ShiftChange::End);
    if is_end && capacity.is_some() {
        return Err(Key::BadCapacity.into());
    }
    if is_end && buddy.is_some() {
        return Err(Key::BadUse.into());
    }
    let capacity = capacity.map(Capacity::try_from).transpose();
    let capacity = capacity.map_err(|_| Key::BadCapacity)?;
    Ok(Task::Shift {
        change,
        capacity,
        buddy,
    })
}

fn check_desk(command: DeskCommand) -> Result<Task, Problem> {
    Ok(match command {
        DeskCommand::Create {
            relay,
            name,
            alias,
            about,
            hours,
            wait,
            languages,
        } => {
            let both = |text: String| Text {
                es: text.clone(),
                en: text,
            };
            Task::CreateDesk {
                relay: RelayUrl::parse(&relay).map_err(|_| Key::BadRelay)?,
                alias,
                description: Description {
                    name: both(name),
                    about: both(about),
                    hours: both(hours),
                    opening: Opening::default(),
                    wait_minutes: parse_wait(&wait).ok_or(Key::BadWait)?,
                    languages,
                },
            }
        }
        DeskCommand::Show => Task::ShowDesk,
        DeskCommand::Describe(wanted) => Task::Describe(Box::new(Changes::check(wanted)?)),
        DeskCommand::Pause => Task::Describe(Box::new(Changes::pause(true))),
        DeskCommand::Resume => Task::Describe(Box::new(Changes::pause(false))),
        DeskCommand::Invite => Task::Invite,
        DeskCommand::Admit {
            invite,
            words,
            role,
        } => Task::Admit {
            invite,
            words,
            role: role.into(),
        },
        DeskCommand::Revoke { invite } => Task::Revoke(invite),
        DeskCommand::Join { alias, .. } => Task::Join {
            invite: None,
            alias,
        },
        DeskCommand::Remove { alias } => Task::RemoveColleague(alias),
        DeskCommand::Successor { without } => Task::MakeSuccessor(without),
        DeskCommand::Board => Task::People(People::Board),
        DeskCommand::Come { whose } => Task::People(People::Come(whose)),
        DeskCommand::Unblock { whose } => Task::People(People::Unblock(whose)),
        DeskCommand::Leave => Task::LeaveDesk,
        DeskCommand::RenewKey => Task::RenewKey,
        DeskCommand::ExportRoot => Task::ExportRoot,
        DeskCommand::DropRoot => Task::DropRoot,
        DeskCommand::ImportRoot { file } => {
            let text = std::fs::read(file)
                .map(Zeroizing::new)
                .map_err(|_| Key::FileUnreadable)?;
            Task::ImportRoot(parse_root(&text).ok_or(Key::BadRoot)?)
        }
    })
}

/// A text that was typed behind its command, in a live view.
fn typed(words: &[String]) -> Option<String> {
    (!words.is_empty()).then(|| words.join(" "))
}

fn parse_wait(text: &str) -> Option<(u16, u16)> {
    let (from, to) = text.split_once('-')?;
    let wait = (from.trim().parse().ok()?, to.trim().parse().ok()?);
    (wait.0 <= wait.1).then_some(wait)
}

fn parse_root(text: &[u8]) -> Option<SecretKey> {
    let bytes = Zeroizing::new(BASE64URL_NOPAD.decode(text.trim_ascii()).ok()?);
    bytes.as_slice().try_into().ok()
}

impl App {
    /// Does what was asked for.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what concerns the desk itself is a function of its own"
    )]
    pub(crate) async fn perform(&mut self, task: Task) -> Result<(), Problem> {
        match task {
            Task::Write(None) => Err(Key::NoText.into()),
            Task::Write(Some((link, text))) => self.write(link, text).await,
            Task::Wait => self.wait().await,
            Task::Talk(conversation) => self.talk(conversation).await,
            Task::Say { conversation, text } => {
                self.say(conversation, text.ok_or(Key::NoText)?).await
            }
            Task::Add(text) => self.add(text.ok_or(Key::NoText)?).await,
            Task::List => self.list().await,
            Task::Read(conversation) => self.read(conversation).await,
            Task::Who(conversation) => self.who(conversation).await,
            Task::Code(conversation) => self.code(conversation).await,
            Task::Summary(conversation, what) => self.summary(conversation, what).await,
            Task::Yes(alias, reads) => self.yes(alias, reads).await,
            Task::No(alias) => self.no(alias).await,
            Task::Remove {
                conversation,
                alias,
            } => self.remove(conversation, &alias).await,
            Task::AskDesk(text) => self.ask_desk(text.ok_or(Key::NoText)?).await,
            Task::File(task) => self.file(task).await,
            Task::Leave(conversation) => self.leave(conversation).await,
            Task::Phrase { whole, phrase } => {
                let phrase = phrase.ok_or(Key::NoText)?;
                self.keep_phrase(&phrase, whole).await
            }
            Task::StopReturning => self.stop_returning(),
            Task::Return(way) => self.return_by(way).await,
            Task::Shift {
                change,
                capacity,
                buddy,
            } => self.change_shift(change, capacity, buddy.as_deref()).await,
            Task::HandOver(what) => self.hand_over(what).await,
            Task::Erase(what) => self.erase(what).await,
            Task::Queue => self.queue().await,
            Task::Claim(row) => self.claim(row).await,
            Task::Pass(row) => self.pass(row).await,
            Task::Dismiss { rows, is_sure } => self.dismiss(&rows, is_sure).await,
            Task::Propose {
                conversation,
                colleague,
                purpose,
                reason,
                reads,
            } => {
                let (reason, what) = (reason.ok_or(Key::NoText)?, (purpose, reads));
                self.propose(conversation, &colleague, what, reason).await
            }
            Task::Circle(task) => self.circle(task).await,
            Task::People(people) => self.people(people).await,
            Task::Exit => Ok(()),
            task => self.perform_of_desk(task).await,
        }
    }

    /// What concerns the desk itself.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "App::perform hands it a part of the tasks"
    )]
    async fn perform_of_desk(&mut self, task: Task) -> Result<(), Problem> {
        match task {
            Task::CreateDesk {
                relay,
                alias,
                description,
            } => self.create_desk(relay, alias, description).await,
            Task::ShowDesk => self.show_desk().await,
            Task::Describe(changes) => self.describe(&changes).await,
            Task::Invite => self.invite().await,
            Task::Admit {
                invite,
                words,
                role,
            } => self.admit(invite, words, role).await,
            Task::Revoke(invite) => self.revoke(invite),
            Task::Join { invite, alias } => self.join(invite, alias).await,
            Task::RemoveColleague(alias) => self.remove_colleague(&alias).await,
            Task::MakeSuccessor(without) => self.make_successor(&without).await,
            Task::LeaveDesk => self.leave_desk().await,
            Task::RenewKey => self.renew_key().await,
            Task::ExportRoot => self.export_root().await,
            Task::DropRoot => self.drop_root(),
            Task::ImportRoot(key) => self.import_root(key),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_two_numbers_in_order() {
        assert_eq!(parse_wait("10-20"), Some((10, 20)));
        for text in ["10", "20-10", "a-b", "-", "10-70000"] {
            assert_eq!(parse_wait(text), None);
        }
    }

    #[test]
    fn a_root_key_comes_back_as_it_was_written() {
        let text = BASE64URL_NOPAD.encode(&[7; 32]) + "\n";
        assert_eq!(parse_root(text.as_bytes()).unwrap().as_bytes(), &[7; 32]);
        assert!(parse_root(b"no key").is_none());
    }
}
