//! What can be typed. Help in Spanish stands in `catalogue::help`, by the same names.

pub(crate) mod circle;
mod files;
mod people;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use self::values::{PurposeArg, ReadsArg, RoleArg, ShiftChange};
use crate::catalogue::Language;
use circle::CircleCommand;

pub(crate) use files::{EvidenceArgs, FileCommand};
pub(crate) use people::{BoardLines, CheckOutArg, NoteLines, ReasonArg};

/// Talk with a helpline, or answer for one: encrypted on this device, over a relay that reads nothing.
#[derive(Parser)]
#[command(name = "cobijo", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) general: General,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What holds for every command.
#[derive(Args, Clone)]
pub(crate) struct General {
    /// Folder of the profile, or a name for one; each person and each desk has one of her own.
    #[arg(
        long,
        global = true,
        value_name = "NAME|FOLDER",
        default_value = "default"
    )]
    pub(crate) profile: PathBuf,
    /// File that holds the passphrase, instead of being asked for it.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Language, instead of the one in LANG.
    #[arg(long, global = true, value_name = "LANGUAGE")]
    pub(crate) lang: Option<Language>,
    /// Prints one JSON object a line, for scripts.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// PEM file of certificates to trust as well, for a relay with one of its own.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    /// Connects through this proxy, for Tor: socks5h://127.0.0.1:9050
    #[arg(long, global = true, value_name = "PROXY")]
    pub(crate) proxy: Option<String>,
    /// Seconds to wait for an answer before giving up.
    #[arg(long, global = true, value_name = "SECONDS")]
    pub(crate) timeout: Option<u64>,
}

/// Tasks.
#[derive(Subcommand, Clone)]
pub(crate) enum Command {
    /// Writes to a desk: asks for its link, and for what you want to say.
    Write {
        /// Not taken.
        #[arg(hide = true, num_args = 0..)]
        text: Vec<String>,
    },
    /// Waits until somebody answers.
    Wait,
    /// Shows a conversation as it goes on, and sends what you type.
    Talk {
        /// Its number in the list.
        conversation: Option<u32>,
    },
    /// Sends a message: asks for it.
    Say {
        /// The conversation's number in the list.
        conversation: u32,
        /// What to say, in a live view.
        #[arg(hide = true, num_args = 0..)]
        text: Vec<String>,
    },
    /// Adds to your first message, while you wait: asks for it.
    Add {
        /// What to add, in a live view.
        #[arg(hide = true, num_args = 0..)]
        text: Vec<String>,
    },
    /// Lists your conversations.
    List,
    /// Shows what was said in a conversation.
    Read {
        /// Its number in the list.
        conversation: Option<u32>,
    },
    /// Shows who is in a conversation.
    Who {
        /// Its number in the list.
        conversation: Option<u32>,
    },
    /// Shows the six words to compare elsewhere with whoever is in the conversation.
    Code {
        /// Its number in the list.
        conversation: Option<u32>,
    },
    /// Shows the summary of what was told so far, writes it anew, or erases it.
    Summary {
        /// The conversation's number in the list.
        conversation: Option<u32>,
        /// Writes it anew: asks for all of it.
        #[arg(long, conflicts_with = "erase")]
        edit: bool,
        /// Erases it, also from the relay and from the devices of those who are with you.
        #[arg(long)]
        erase: bool,
        /// All of it, in a live view.
        #[arg(hide = true, num_args = 0..)]
        text: Vec<String>,
    },
    /// Says yes: whoever was proposed may join.
    Yes {
        /// Who was proposed, where there are several.
        alias: Option<String>,
        /// They read nothing from before, not even the summary.
        #[arg(long)]
        from_now: bool,
    },
    /// Says no: whoever was proposed stays out.
    No {
        /// Who was proposed, where there are several.
        alias: Option<String>,
    },
    /// Takes an accompanier out of your conversation.
    Remove {
        /// The conversation's number in the list.
        conversation: u32,
        /// Who.
        alias: String,
    },
    /// Asks the desk for somebody, when nobody answers in your conversation: asks what it should know.
    AskDesk {
        /// What the desk should know, in a live view.
        #[arg(hide = true, num_args = 0..)]
        text: Vec<String>,
    },
    #[command(flatten)]
    File(FileCommand),
    /// Leaves a conversation, or takes your message back while you wait.
    Leave {
        /// The conversation's number in the list.
        conversation: Option<u32>,
    },
    /// Gives you a phrase to come back with from any device: shows it once, and asks one word back.
    Phrase {
        /// Whoever comes back with it sees what was said in the last days too, not only what is new.
        #[arg(long)]
        whole: bool,
    },
    /// Comes back with your phrase: asks for the desk's link, and for the phrase.
    Return {
        /// Stops a way back that was begun; your phrase goes on working.
        #[arg(long)]
        stop: bool,
    },
    /// Erases a conversation, or what you wrote while you wait: here, at the relay, and on the devices of those who are with you. Asks whether you are sure.
    Erase {
        /// The conversation's number in the list.
        conversation: Option<u32>,
        /// Erases in one burst, instead of within a minute: faster, and the relay can see more easily what belonged together.
        #[arg(long)]
        now: bool,
        /// You are sure, and are not asked.
        #[arg(long)]
        sure: bool,
    },
    /// Your shift: shows who waits, and takes commands as you type them.
    Shift {
        /// Only begins or ends the shift.
        #[arg(value_enum)]
        change: Option<ShiftChange>,
        /// Live conversations that you take, 1 to 5; above them you are offered nobody.
        #[arg(long, value_name = "NUMBER")]
        capacity: Option<u8>,
        /// A colleague who learns beside you: named to every person whom you answer on this shift, who decides.
        #[arg(long, value_name = "ALIAS")]
        buddy: Option<String>,
    },
    /// Shows who waits.
    Queue,
    /// Answers somebody who waits.
    Claim {
        /// The number in the queue.
        row: u32,
    },
    /// Passes somebody on, before you have answered: she goes on waiting for a colleague, and nobody is told.
    Pass {
        /// The number in the queue.
        row: u32,
    },
    /// Takes rows off the queue unanswered, where nobody real wrote: asks whether you are sure.
    Dismiss {
        /// The numbers in the queue.
        #[arg(required = true)]
        rows: Vec<u32>,
        /// You are sure, and are not asked.
        #[arg(long)]
        sure: bool,
    },
    /// Proposes a colleague to the person, who decides: asks why.
    Propose {
        /// The conversation's number in the list.
        conversation: u32,
        /// The colleague's alias.
        colleague: String,
        /// What for.
        #[arg(long = "for", value_enum, default_value = "accompany")]
        purpose: PurposeArg,
        /// Why, for the person to read, in a live view.
        #[arg(long, hide = true)]
        reason: Option<String>,
        /// What the colleague will be able to read.
        #[arg(long, value_enum, default_value = "from-now")]
        reads: ReadsArg,
    },
    /// Writes the hand-over board's row of a conversation, for the team alone: asks for each line.
    Board {
        /// The conversation's number in the list, or what the desk calls it.
        conversation: String,
        #[command(flatten)]
        lines: BoardLines,
    },
    /// Writes the team's notes of a conversation: asks for each line. They go when it is over.
    Notes {
        /// The conversation's number in the list, or what the desk calls it.
        conversation: String,
        #[command(flatten)]
        lines: NoteLines,
    },
    /// Asks a coordinator into a conversation, now.
    HelpNow {
        /// Its number in the list.
        conversation: Option<u32>,
    },
    /// Closes a conversation for now: asks why, which only the desk is told. Nothing of it is kept here.
    Close {
        /// Its number in the list.
        conversation: u32,
        /// Why, instead of being asked.
        #[arg(long, value_enum)]
        reason: Option<ReasonArg>,
        /// After abuse: the desk passes over what is asked for in this conversation from now on.
        #[arg(long)]
        block: bool,
    },
    /// Says whether you carry something hard after your shift: asks. Only where you want to talk the coordinators are told.
    CheckOut {
        /// The answer, instead of being asked.
        #[arg(value_enum)]
        answer: Option<CheckOutArg>,
    },
    /// Writes a note for yourself after something hard: asks for it. It stays on this device.
    Debrief {
        /// Shares it with this coordinator, whom alone it is sealed to, instead of keeping it.
        #[arg(long, value_name = "ALIAS")]
        share: Option<String>,
        /// The note, in a live view.
        #[arg(hide = true, num_args = 0..)]
        text: Vec<String>,
    },
    /// Shows what was said to you alone, and your own notes.
    Words {
        /// Forgets all of it.
        #[arg(long)]
        forget: bool,
    },
    /// Pauses: for a quarter of an hour the queue offers you nobody.
    Pause,
    /// Circles: peer support for several persons.
    #[command(subcommand)]
    Circle(CircleCommand),
    /// Opens a room about a conversation for colleagues alone; the person never sees it.
    Side {
        /// The conversation's number in the list.
        conversation: u32,
        /// Who comes in.
        #[arg(required = true)]
        colleagues: Vec<String>,
    },
    /// Tells the person when your shift ends, and with whom she may go on meanwhile: asks why.
    HandOver {
        /// The conversation's number in the list.
        conversation: u32,
        /// Alias of a colleague: with the person's yes she comes, reads the summary, and you leave.
        colleague: Option<String>,
        /// When your shift ends: 20:00
        #[arg(long, value_name = "WHEN")]
        until: String,
        /// When you are back: 2026-11-26 16:00
        #[arg(long, value_name = "WHEN")]
        back: Option<String>,
        /// Why this colleague, for the person to read, in a live view.
        #[arg(long, hide = true)]
        reason: Option<String>,
    },
    /// A helpline's team.
    #[command(subcommand)]
    Desk(DeskCommand),
    /// Ends the live view.
    #[command(hide = true)]
    Exit,
}

/// Tasks of a helpline's team.
#[derive(Subcommand, Clone)]
pub(crate) enum DeskCommand {
    /// Creates a desk and its keys.
    Create {
        /// The relay's address: https://…
        #[arg(long, value_name = "URL")]
        relay: String,
        /// Who answers, as people will see it.
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Your name there, as people will see it.
        #[arg(long, value_name = "ALIAS")]
        alias: String,
        /// What the desk says of itself.
        #[arg(long, value_name = "TEXT", default_value = "")]
        about: String,
        /// When somebody answers, in words.
        #[arg(long, value_name = "TEXT", default_value = "")]
        hours: String,
        /// Usual wait in minutes, from and to.
        #[arg(long, value_name = "FROM-TO", default_value = "10-20")]
        wait: String,
        /// Languages spoken.
        #[arg(
            long,
            value_name = "LANGUAGES",
            value_delimiter = ',',
            default_value = "es"
        )]
        languages: Vec<String>,
    },
    /// Shows the desk: its link, what its card says, its team.
    Show,
    /// Changes what the desk's card says to everybody.
    Describe(Describe),
    /// Nobody answers for now: whoever writes is told, and her message is kept.
    Pause,
    /// The desk answers again.
    Resume,
    /// Makes an invitation for one colleague, to be handed over in person.
    Invite,
    /// Lets a newcomer in: asks whether the six words that she sees are the same.
    Admit {
        /// The invitation's number, where there are several.
        invite: Option<u32>,
        /// The six words that she told you, in a live view.
        #[arg(long, hide = true)]
        words: Option<String>,
        /// What she may do there.
        #[arg(long, value_enum, default_value = "accompanier")]
        role: RoleArg,
    },
    /// Takes an invitation back.
    Revoke {
        /// Its number.
        invite: u32,
    },
    /// Joins a desk by invitation, or goes on where you were: asks for the invitation.
    Join {
        /// Not taken.
        #[arg(hide = true)]
        invite: Option<String>,
        /// Your name there, as people will see it, instead of being asked for it.
        #[arg(long, value_name = "ALIAS")]
        alias: Option<String>,
    },
    /// Removes a colleague from the desk and from its conversations.
    Remove {
        /// Who.
        alias: String,
    },
    /// Gives the desk a new group, where colleagues can't follow the one before. Needs the root key.
    Successor {
        /// Who is not to come along: removed from the desk and from its conversations.
        #[arg(long, value_name = "ALIAS")]
        without: Vec<String>,
    },
    /// Shows the hand-over board, with the team's notes and the calls for a coordinator.
    Board,
    /// Coordinator: comes to whoever asks for help.
    Come {
        /// What the desk calls the conversation, where there are several.
        whose: Option<String>,
    },
    /// Answers a person again who was blocked.
    Unblock {
        /// What the desk calls her conversation.
        whose: String,
    },
    /// Leaves the desk and its conversations.
    Leave,
    /// Signs the next desk key.
    RenewKey,
    /// Prints the root key, to be kept offline.
    ExportRoot,
    /// Forgets the root key here, after you have kept it elsewhere.
    DropRoot,
    /// Takes the root key back in, from a file.
    ImportRoot {
        /// File that holds it.
        file: PathBuf,
    },
}

/// What a card is to say; what is not given stays as it is.
#[derive(Args, Clone, Default)]
#[group(required = true, multiple = true)]
pub(crate) struct Describe {
    /// Who answers, as people will see it.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// What the desk says of itself.
    #[arg(long, value_name = "TEXT")]
    pub(crate) about: Option<String>,
    /// When somebody answers, in words.
    #[arg(long, value_name = "TEXT")]
    pub(crate) hours: Option<String>,
    /// When somebody answers, so that people are told whether that is now: "mon-fri 9:00-22:00, sat 10:00-14:00"; "" says nothing.
    #[arg(long, value_name = "WEEK")]
    pub(crate) week: Option<String>,
    /// Time zone of that week: America/Mexico_City
    #[arg(long, value_name = "ZONE")]
    pub(crate) zone: Option<String>,
    /// Usual wait in minutes, from and to.
    #[arg(long, value_name = "FROM-TO")]
    pub(crate) wait: Option<String>,
    /// Languages spoken.
    #[arg(long, value_name = "LANGUAGES", value_delimiter = ',')]
    pub(crate) languages: Option<Vec<String>>,
    /// These texts are in one language only, and the other one's stay as they are.
    #[arg(long = "in", value_name = "LANGUAGE")]
    pub(crate) only: Option<Language>,
}

impl Command {
    /// Whether a text, an invitation or words stand in it. On a command line they would stay in the
    /// shell's history, and every program on the machine could read them.
    pub(crate) fn tells_a_secret(&self) -> bool {
        match self {
            Self::Write { text }
            | Self::Say { text, .. }
            | Self::Add { text }
            | Self::AskDesk { text }
            | Self::Debrief { text, .. }
            | Self::Summary { text, .. } => !text.is_empty(),
            Self::Propose { reason, .. } | Self::HandOver { reason, .. } => reason.is_some(),
            Self::Board { lines, .. } => lines.are_typed(),
            Self::Notes { lines, .. } => lines.are_typed(),
            Self::Circle(CircleCommand::Create { about, .. }) => about.is_some(),
            Self::Circle(CircleCommand::Accept { alias, .. }) => alias.is_some(),
            Self::Desk(DeskCommand::Admit { words, .. }) => words.is_some(),
            Self::Desk(DeskCommand::Join { invite, .. }) => invite.is_some(),
            Self::Wait
            | Self::Talk { .. }
            | Self::List
            | Self::Read { .. }
            | Self::Who { .. }
            | Self::Code { .. }
            | Self::Yes { .. }
            | Self::No { .. }
            | Self::Remove { .. }
            | Self::File(_)
            | Self::Leave { .. }
            | Self::Phrase { .. }
            | Self::Return { .. }
            | Self::Erase { .. }
            | Self::Shift { .. }
            | Self::Queue
            | Self::Claim { .. }
            | Self::Pass { .. }
            | Self::Dismiss { .. }
            | Self::HelpNow { .. }
            | Self::Close { .. }
            | Self::CheckOut { .. }
            | Self::Words { .. }
            | Self::Pause
            | Self::Circle(_)
            | Self::Side { .. }
            | Self::Desk(_)
            | Self::Exit => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn help_shows_no_place_for_a_secret() {
        let paths = [
            &["write"][..],
            &["say"],
            &["propose"],
            &["hand-over"],
            &["summary"],
            &["desk", "join"],
        ];
        for path in paths {
            let mut command = Cli::command();
            command.build();
            let mut shown = &mut command;
            for name in path {
                shown = shown.find_subcommand_mut(name).unwrap();
            }
            let help = shown.render_long_help().to_string().to_lowercase();
            for secret in ["text", "<invite", "[invite", "--reason", "link>"] {
                assert!(!help.contains(secret), "{help}");
            }
        }
    }
}
