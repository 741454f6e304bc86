//! The hand-over board and notes, calls for coordinators, closing, and looking after oneself.

use cobijo_client_core::core::client::{
    BoardRowView, CheckOut, Client, ClosingReason, Command, CommandError, ConversationEvent,
    ConversationId, Event, HelpView, PeopleCommand, Standing, TeamCommand,
};
use cobijo_protocol::handover::{BoardRow, TeamNotes};

use super::{asking::yes_or_no, person::same, room::pick, typed};
use crate::{
    app::{App, Patience},
    args,
    catalogue::{Key, alias},
    input,
    problem::Problem,
    screen::{Screen, clean},
};

/// What takes a line of the board away.
const NOTHING: &str = "-";

/// A task that concerns people, or oneself. What is `None` and has to be said is asked for.
pub(crate) enum People {
    Board,
    WriteRow {
        whose: String,
        lines: Lines<3>,
    },
    WriteNotes {
        whose: String,
        lines: Lines<5>,
    },
    AskHelp(Option<u32>),
    Come(Option<String>),
    Close {
        conversation: u32,
        reason: Option<ClosingReason>,
        block: bool,
    },
    Unblock(String),
    CheckOut(Option<CheckOut>),
    Debrief {
        text: Option<String>,
        share: Option<String>,
    },
    Words {
        forget: bool,
    },
    Pause,
}

/// Lines of a form; what is not given stays as it is.
pub(crate) type Lines<const COUNT: usize> = [Option<String>; COUNT];

const ROW_ASKS: [Key; 3] = [Key::BoardState, Key::BoardNext, Key::BoardSafety];
const NOTE_ASKS: [Key; 5] = [
    Key::NotesNeeds,
    Key::NotesAgreements,
    Key::NotesRisks,
    Key::NotesReferrals,
    Key::BoardNext,
];

impl People {
    /// Checks a command that is of this kind.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "tasks::check hands it a part of the commands"
    )]
    pub(super) fn check(command: &args::Command) -> Result<Self, Problem> {
        Ok(match command.clone() {
            args::Command::Board {
                conversation,
                lines,
            } => Self::WriteRow {
                whose: conversation,
                lines: [lines.state, lines.next, lines.safety],
            },
            args::Command::Notes {
                conversation,
                lines,
            } => Self::WriteNotes {
                whose: conversation,
                lines: lines.into_lines(),
            },
            args::Command::HelpNow { conversation } => Self::AskHelp(conversation),
            args::Command::Close { reason, block, .. }
                if block && reason.is_some_and(|reason| reason != args::ReasonArg::Abuse) =>
            {
                return Err(Key::BlockAbuse.into());
            }
            args::Command::Close {
                conversation,
                reason,
                block,
            } => Self::Close {
                conversation,
                reason: reason.map(Into::into),
                block,
            },
            args::Command::CheckOut { answer } => Self::CheckOut(answer.map(Into::into)),
            args::Command::Debrief { share, text } => Self::Debrief {
                text: typed(&text),
                share,
            },
            args::Command::Words { forget } => Self::Words { forget },
            _ => Self::Pause,
        })
    }

    /// Whether something is missing that would have to be asked for.
    pub(super) fn must_ask(&self) -> bool {
        match self {
            Self::WriteRow { lines, .. } => lines.iter().all(Option::is_none),
            Self::WriteNotes { lines, .. } => lines.iter().all(Option::is_none),
            Self::Close { reason, .. } => reason.is_none(),
            Self::CheckOut(answer) => answer.is_none(),
            Self::Debrief { text, .. } => text.is_none(),
            Self::Board
            | Self::AskHelp(_)
            | Self::Come(_)
            | Self::Unblock(_)
            | Self::Words { .. }
            | Self::Pause => false,
        }
    }

    /// Asks for what is missing, unless nothing could be done with it.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "to most of these nothing is missing"
    )]
    pub(super) fn ask(self, screen: Screen, client: &Client) -> Result<Self, Problem> {
        Ok(match self {
            Self::WriteRow { whose, lines } => {
                let stands = row_of(client, &whose)?.row;
                let stands = stands.map(|row| lines_of_row(row.what));
                let lines = ask_lines(screen, ROW_ASKS, lines, stands)?;
                Self::WriteRow { whose, lines }
            }
            Self::WriteNotes { whose, lines } => {
                let stands = row_of(client, &whose)?.notes;
                let stands = stands.map(|notes| lines_of_notes(notes.what));
                let lines = ask_lines(screen, NOTE_ASKS, lines, stands)?;
                Self::WriteNotes { whose, lines }
            }
            Self::Close {
                conversation,
                reason: None,
                block,
            } => {
                pick(client, Some(conversation))?;
                let reason = input::answer(screen, Key::CloseAsk, Key::CloseWhich, reason)?;
                Self::Close {
                    conversation,
                    reason: Some(reason),
                    block,
                }
            }
            Self::CheckOut(None) => {
                let answer =
                    input::answer(screen, Key::CheckOutAsk, Key::CheckOutWhich, check_out)?;
                Self::CheckOut(Some(answer))
            }
            Self::Debrief { text: None, share } => Self::Debrief {
                text: Some(input::text(screen, Key::DebriefAsk)?),
                share,
            },
            task => task,
        })
    }
}

impl App {
    pub(super) async fn people(&mut self, task: People) -> Result<(), Problem> {
        match task {
            People::Board => {
                self.settle().await?;
                self.show_board()
            }
            People::WriteRow { whose, lines } => self.write_row(&whose, lines).await,
            People::WriteNotes { whose, lines } => self.write_notes(&whose, lines).await,
            People::AskHelp(number) => {
                let conversation = self.pick(number)?;
                self.ask_of_desk(PeopleCommand::AskHelp(conversation))
                    .await?;
                self.say_done(Key::HelpAsked);
                Ok(())
            }
            People::Come(whose) => {
                self.settle().await?;
                let help = open_help(self.client(), whose.as_deref())?;
                self.ask_of_desk(PeopleCommand::Come(help.id)).await
            }
            People::Close {
                conversation,
                reason,
                block,
            } => {
                let reason = reason.ok_or(Key::CloseWhich)?;
                self.close(conversation, reason, block).await
            }
            People::Unblock(whose) => {
                self.settle().await?;
                let blocked = self.client().board().blocked.into_iter();
                let mut blocked = blocked.filter(|one| same(&alias(one.alias), &whose));
                let person = blocked.next().ok_or(Key::Unknown)?.person;
                self.ask_of_desk(PeopleCommand::Unblock(person)).await?;
                self.say_done(Key::Done);
                Ok(())
            }
            People::CheckOut(answer) => self.check_out(answer.ok_or(Key::CheckOutWhich)?).await,
            People::Debrief { text, share } => self.debrief(text, share.as_deref()).await,
            People::Words { forget } => self.words(forget).await,
            People::Pause => {
                self.people_command(PeopleCommand::Pause)?;
                self.say_done(Key::Pausing);
                Ok(())
            }
        }
    }

    fn people_command(&mut self, command: PeopleCommand) -> Result<(), Problem> {
        self.command(Command::Team(TeamCommand::People(command)))
    }

    /// Asks the desk for something, and waits until it is most likely told.
    async fn ask_of_desk(&mut self, command: PeopleCommand) -> Result<(), Problem> {
        self.people_command(command)?;
        self.finish().await
    }

    fn show_board(&self) -> Result<(), Problem> {
        if !matches!(self.client().standing(), Standing::Member(_)) {
            return Err(CommandError::NotMember.into());
        }
        let (object, text) = self.screen.board(&self.client().board());
        self.screen.show(&object, &text);
        Ok(())
    }

    async fn write_row(&mut self, whose: &str, lines: Lines<3>) -> Result<(), Problem> {
        let before = row_of(self.client(), whose)?;
        self.settle().await?;
        let stands = before.row.map(|row| row.what);
        let version = stands.as_ref().map_or(0, |row| row.version) + 1;
        let [state, next_step, safety] = filled(lines, stands.map(lines_of_row));
        let row = BoardRow {
            person: before.person,
            version,
            state,
            next_step,
            safety,
        };
        self.ask_of_desk(PeopleCommand::WriteRow(row)).await?;
        self.say_done(Key::BoardWritten);
        Ok(())
    }

    async fn write_notes(&mut self, whose: &str, lines: Lines<5>) -> Result<(), Problem> {
        let before = row_of(self.client(), whose)?;
        self.settle().await?;
        let stands = before.notes.map(|notes| notes.what);
        let version = stands.as_ref().map_or(0, |notes| notes.version) + 1;
        let [needs, agreements, risks, referrals, next_step] =
            filled(lines, stands.map(lines_of_notes));
        let notes = TeamNotes {
            person: before.person,
            version,
            needs,
            agreements,
            risks,
            referrals,
            next_step,
        };
        self.ask_of_desk(PeopleCommand::WriteNotes(notes)).await?;
        self.say_done(Key::BoardWritten);
        Ok(())
    }

    async fn close(
        &mut self,
        number: u32,
        reason: ClosingReason,
        block: bool,
    ) -> Result<(), Problem> {
        let conversation = self.pick(Some(number))?;
        self.people_command(PeopleCommand::Close {
            conversation,
            reason,
            block,
        })?;
        self.screen.progress(Key::Sending);
        self.until(Patience::Relay, |client, event| {
            let is_told = matches!(event, Some(Event::Conversation(id, ConversationEvent::Closed)) if *id == conversation);
            (is_told || is_closed(client, conversation)).then_some(Ok(()))
        })
        .await?;
        self.finish().await?;
        self.say_done(Key::Closed);
        if reason == ClosingReason::Abuse {
            self.say_done(Key::DebriefOffer);
        }
        Ok(())
    }

    /// Whoever sits at a terminal is asked at once; others are shown how to answer.
    pub(super) async fn ask_after_shift(&mut self) -> Result<(), Problem> {
        if self.screen.json || !input::is_terminal() {
            return Ok(());
        }
        let question = (Key::CheckOutAsk, Key::CheckOutWhich);
        let answer = input::answer(self.screen, question.0, question.1, check_out)?;
        self.check_out(answer).await
    }

    async fn check_out(&mut self, answer: CheckOut) -> Result<(), Problem> {
        self.ask_of_desk(PeopleCommand::CheckOut(answer)).await?;
        self.say_done(match answer {
            CheckOut::Talk => Key::CheckOutTalk,
            CheckOut::Tomorrow => Key::CheckOutTomorrow,
            CheckOut::No => Key::CheckOutNo,
        });
        Ok(())
    }

    async fn debrief(&mut self, text: Option<String>, share: Option<&str>) -> Result<(), Problem> {
        let share = share.map(|alias| self.colleague(alias)).transpose()?;
        let text = text.ok_or(Key::NoText)?;
        let is_shared = share.is_some();
        self.ask_of_desk(PeopleCommand::Debrief { text, share })
            .await?;
        self.say_done(if is_shared {
            Key::DebriefShared
        } else {
            Key::DebriefKept
        });
        Ok(())
    }

    async fn words(&mut self, forget: bool) -> Result<(), Problem> {
        self.settle().await?;
        let (object, text) = self.screen.words(&self.client().board());
        self.screen.show(&object, &text);
        if forget {
            self.people_command(PeopleCommand::ForgetWords)?;
        }
        Ok(())
    }
}

/// The board's row that is meant: by the number of the own conversation, or by what the desk calls it.
fn row_of(client: &Client, whose: &str) -> Result<BoardRowView, Problem> {
    if !matches!(client.standing(), Standing::Member(_)) {
        return Err(CommandError::NotMember.into());
    }
    let number = whose.parse().ok().map(ConversationId::from_number);
    let is_meant = |row: &BoardRowView| match number {
        Some(number) => row.conversation == Some(number),
        None => same(&alias(row.alias), whose),
    };
    let mut rows = client.board().rows.into_iter().filter(is_meant);
    match (rows.next(), rows.next()) {
        (Some(row), None) => Ok(row),
        (Some(_), Some(_)) => Err(Key::WhichOne.into()),
        (None, _) => Err(Key::Unknown.into()),
    }
}

/// The call that is meant: of what the desk calls that conversation, or the one that was made first.
fn open_help(client: &Client, whose: Option<&str>) -> Result<HelpView, Problem> {
    let helps = client.board().helps.into_iter();
    let mut open = helps.filter(|help| {
        let is_meant = whose.is_none_or(|whose| same(&alias(help.alias), whose));
        help.taken_by.is_none() && is_meant
    });
    open.next().ok_or(Key::NoHelp.into())
}

fn is_closed(client: &Client, conversation: ConversationId) -> bool {
    let conversations = client.conversations();
    let mut conversations = conversations.iter();
    conversations.any(|view| view.id == conversation && view.closed)
}

/// Asks for every line, where none was given; an empty answer leaves it as it is.
fn ask_lines<const COUNT: usize>(
    screen: Screen,
    asks: [Key; COUNT],
    lines: Lines<COUNT>,
    stands: Option<[String; COUNT]>,
) -> Result<Lines<COUNT>, Problem> {
    if lines.iter().any(Option::is_some) {
        return Ok(lines);
    }
    let stands = stands.unwrap_or_else(|| std::array::from_fn(|_| String::new()));
    screen.progress(Key::BoardHint);
    let mut lines = lines;
    for ((line, ask), stands) in lines.iter_mut().zip(asks).zip(stands) {
        screen.ask_with(ask, &clean(&stands));
        let typed = input::line()?;
        *line = Some(typed.trim().to_owned()).filter(|typed| !typed.is_empty());
    }
    if lines.iter().any(Option::is_some) {
        Ok(lines)
    } else {
        Err(Key::NoText.into())
    }
}

fn filled<const COUNT: usize>(
    lines: Lines<COUNT>,
    stands: Option<[String; COUNT]>,
) -> [String; COUNT] {
    let mut stands = stands.unwrap_or_else(|| std::array::from_fn(|_| String::new()));
    for (stands, line) in stands.iter_mut().zip(lines) {
        match line {
            Some(line) if line == NOTHING => stands.clear(),
            Some(line) => *stands = line,
            None => {}
        }
    }
    stands
}

fn lines_of_row(row: BoardRow) -> [String; 3] {
    [row.state, row.next_step, row.safety]
}

fn lines_of_notes(notes: TeamNotes) -> [String; 5] {
    let TeamNotes {
        needs,
        agreements,
        risks,
        referrals,
        next_step,
        ..
    } = notes;
    [needs, agreements, risks, referrals, next_step]
}

/// A reason by its number in the question.
fn reason(told: &str) -> Option<ClosingReason> {
    Some(match told {
        "1" => ClosingReason::Agreed,
        "2" => ClosingReason::StoppedComing,
        "3" => ClosingReason::Referred,
        "4" => ClosingReason::NotOurScope,
        "5" => ClosingReason::Abuse,
        _ => return None,
    })
}

/// Hablarlo, mañana or no, in either language.
fn check_out(told: &str) -> Option<CheckOut> {
    match told.to_lowercase().as_str() {
        "hablarlo" | "hablar" | "talk" | "1" => Some(CheckOut::Talk),
        "mañana" | "manana" | "tomorrow" | "2" => Some(CheckOut::Tomorrow),
        "3" => Some(CheckOut::No),
        told => yes_or_no(told).filter(|yes| !yes).map(|_| CheckOut::No),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_typed_stays_and_a_hyphen_takes_a_line_away() {
        let stands = || Some(["a", "b", "c"].map(str::to_owned));
        let typed = [None, Some("x".to_owned()), Some("-".to_owned())];
        assert_eq!(filled(typed, stands()), ["a", "x", ""]);
        assert_eq!(filled([const { None }; 3], stands()), ["a", "b", "c"]);
    }

    #[test]
    fn whoever_is_asked_at_the_end_of_her_shift_answers_in_either_language() {
        for (told, answer) in [
            ("Hablarlo", Some(CheckOut::Talk)),
            ("mañana", Some(CheckOut::Tomorrow)),
            ("Tomorrow", Some(CheckOut::Tomorrow)),
            ("no", Some(CheckOut::No)),
            ("sí", None),
            ("", None),
        ] {
            assert_eq!(check_out(told), answer, "{told}");
        }
    }
}
