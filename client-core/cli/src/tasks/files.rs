//! Evidence: shown, kept, or told of by its fingerprint alone; opened, and taken out with a manifest.

use std::{
    fs::{File, OpenOptions},
    io::{self, IsTerminal as _, Read, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use cobijo_client_core::{
    core::client::{
        Client, Command, ConversationEvent, ConversationId, EntryContent, Event,
        FileCommand as Asked, FileNumber, FileState, FileView,
    },
    driver::{self, NewFile, hash},
    picture,
};
use cobijo_protocol::{
    file::{FILE_BYTES_MAX, FileHash, FileKind, FileLabel, Fingerprint, Millis, Way},
    limits::FILE_SHOWN_MAX,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{asking::yes_or_no, room::pick};
use crate::{
    app::{App, Patience},
    args::{EvidenceArgs, FileCommand},
    catalogue::Key,
    export::{self, Copy},
    input,
    problem::Problem,
    render::files::{date, file_object},
    screen::Screen,
};

/// Bytes of a picture that is made smaller before it is shown.
const PICTURE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes that are read at a time of a file of any length.
const READ_BYTES: usize = 64 * 1024;

/// What is done with files.
pub(crate) enum FileTask {
    Send(Evidence),
    List(Option<u32>),
    Open { at: Place, to: PathBuf },
    Export { at: Place, to: PathBuf },
}

/// A file of a conversation, by its numbers.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    conversation: u32,
    file: u32,
}

/// Evidence that was read, and is sent once she has said so.
pub(crate) struct Evidence {
    conversation: u32,
    act: Act,
    taken: Millis,
    label: Option<FileLabel>,
    is_sure: bool,
}

enum Act {
    /// A clean copy, for so long.
    Show {
        bytes: Vec<u8>,
        kind: FileKind,
        original: FileHash,
        span: Duration,
    },
    /// The original.
    Keep(Zeroizing<Vec<u8>>),
    /// Nothing of it.
    Fingerprint {
        kind: FileKind,
        size: u64,
        sha256: FileHash,
    },
}

impl FileTask {
    pub(super) fn check(command: FileCommand) -> Result<Self, Problem> {
        match command {
            FileCommand::Show { evidence, span } => Self::show(&evidence, &span),
            FileCommand::Keep { evidence } => {
                let bytes = read(&evidence.file, FILE_BYTES_MAX)?;
                Ok(Self::send(&evidence, Act::Keep(bytes)))
            }
            FileCommand::Fingerprint { evidence } => {
                let act = fingerprint(&evidence.file).map_err(|_| Key::FileUnreadable)?;
                Ok(Self::send(&evidence, act))
            }
            FileCommand::Files { conversation } => Ok(Self::List(conversation)),
            FileCommand::Open {
                conversation,
                file,
                to,
            } => {
                free(&to)?;
                let at = Place { conversation, file };
                Ok(Self::Open { at, to })
            }
            FileCommand::Export {
                conversation,
                file,
                to,
            } => {
                free(&to)?;
                let at = Place { conversation, file };
                Ok(Self::Export { at, to })
            }
        }
    }

    fn show(asked: &EvidenceArgs, span: &str) -> Result<Self, Problem> {
        let span = parse_span(span).ok_or(Key::BadSpan)?;
        let bytes = read(&asked.file, PICTURE_BYTES_MAX)?;
        let clean = picture::clean(&bytes).map_err(|_| Key::FileUnclean)?;
        if clean.bytes.len() > FILE_BYTES_MAX {
            return Err(Key::FileTooLarge.into());
        }
        Ok(Self::send(
            asked,
            Act::Show {
                bytes: clean.bytes,
                kind: clean.kind,
                original: hash(&bytes),
                span,
            },
        ))
    }

    fn send(asked: &EvidenceArgs, act: Act) -> Self {
        Self::Send(Evidence {
            conversation: asked.conversation,
            act,
            taken: Millis::from_millis(driver::now().millis()),
            label: None,
            is_sure: asked.sure,
        })
    }

    /// Says what is to be known before evidence is sent, and asks once.
    pub(super) fn ask(self, screen: Screen, client: &Client) -> Result<Self, Problem> {
        match self {
            Self::Send(evidence) => Ok(Self::Send(evidence.ask(screen, client)?)),
            Self::List(_) | Self::Open { .. } | Self::Export { .. } => Ok(self),
        }
    }
}

impl Evidence {
    fn ask(self, screen: Screen, client: &Client) -> Result<Self, Problem> {
        pick(client, Some(self.conversation))?;
        if self.is_sure {
            return Ok(self);
        }
        screen.note(Key::EvidenceAbout, &self.act.name(screen));
        if !input::answer(screen, Key::EvidenceGoOn, Key::NotYesOrNo, yes_or_no)? {
            return Err(Key::EvidenceNot.into());
        }
        if io::stdin().is_terminal() {
            screen.ask(Key::LabelAsk);
        }
        let label = input::line()?.trim().to_owned();
        let label = (!label.is_empty()).then(|| FileLabel::try_from(label));
        Ok(Self {
            label: label.transpose().map_err(|_| Key::BadLabel)?,
            is_sure: true,
            ..self
        })
    }
}

impl Act {
    fn name(&self, screen: Screen) -> String {
        match self {
            Self::Show { span, .. } => screen.fill(Key::EvidenceShow, &[&span_text(*span)]),
            Self::Keep(_) => screen.text(Key::EvidenceKeep).to_owned(),
            Self::Fingerprint { .. } => screen.text(Key::EvidencePrint).to_owned(),
        }
    }
}

impl App {
    pub(super) async fn file(&mut self, task: FileTask) -> Result<(), Problem> {
        match task {
            FileTask::Send(Evidence { is_sure: false, .. }) => Err(Key::EvidenceSure.into()),
            FileTask::Send(evidence) => self.send_evidence(evidence).await,
            FileTask::List(number) => self.list_files(number).await,
            FileTask::Open { at, to } => {
                let (_, file) = self.opened(at).await?;
                write_new(&to, &self.bytes_of(&file)?)?;
                self.say_done(Key::FileSaved);
                Ok(())
            }
            FileTask::Export { at, to } => self.export(at, &to).await,
        }
    }

    async fn send_evidence(&mut self, evidence: Evidence) -> Result<(), Problem> {
        let conversation = self.pick(Some(evidence.conversation))?;
        let Evidence { taken, label, .. } = evidence;
        match evidence.act {
            Act::Show {
                bytes,
                kind,
                original,
                span,
            } => {
                let until = Millis::from_millis(driver::now().plus(span).millis());
                let file = NewFile {
                    bytes: &bytes,
                    kind,
                    way: Way::Show { until },
                    original: Some(original),
                    taken,
                    label,
                };
                self.send_file(conversation, &file).await?;
                let told = self.screen.fill(Key::FileToldShow, &[&date(until)]);
                self.say_told(Key::FileToldShow, &told);
            }
            Act::Keep(bytes) => {
                let file = NewFile {
                    bytes: &bytes,
                    kind: FileKind::of(&bytes),
                    way: Way::Keep,
                    original: None,
                    taken,
                    label,
                };
                self.send_file(conversation, &file).await?;
                self.say_done(Key::FileToldKeep);
            }
            Act::Fingerprint { kind, size, sha256 } => {
                let fingerprint = Fingerprint {
                    kind,
                    size,
                    sha256,
                    taken,
                    label,
                };
                self.command(Command::File(Asked::Tell {
                    conversation,
                    fingerprint,
                }))?;
                self.all_stored(conversation).await?;
                self.say_done(Key::FingerprintTold);
            }
        }
        Ok(())
    }

    /// Sends a file, and waits until it is told of.
    async fn send_file(
        &mut self,
        conversation: ConversationId,
        file: &NewFile<'_>,
    ) -> Result<(), Problem> {
        self.driver.send_file(conversation, file)??;
        let sent = self.view(conversation)?.files.into_iter();
        let number = sent.map(|file| file.number).max().ok_or(Key::Unexpected)?;
        self.screen.progress(Key::Sending);
        self.until(Patience::File, |client, event| {
            if let Some(Event::Conversation(_, ConversationEvent::File(file))) = event
                && file.number == number
                && file.state == FileState::NotSent
            {
                return Some(Err(Key::FileNotSent.into()));
            }
            let file = find(client, conversation, number)?;
            (!is_on_its_way(file.state)).then_some(Ok(()))
        })
        .await?;
        self.all_stored(conversation).await
    }

    /// Shows the files of a conversation, once none is on its way.
    async fn list_files(&mut self, number: Option<u32>) -> Result<(), Problem> {
        self.settle().await?;
        let conversation = self.pick(number)?;
        self.until(Patience::File, |client, _| {
            let files = files(client, conversation);
            let is_open = files.iter().any(|file| is_on_its_way(file.state));
            (!is_open).then_some(Ok(()))
        })
        .await?;
        let files = self.view(conversation)?.files;
        let lines: Vec<_> = files
            .iter()
            .map(|file| self.screen.file_event(conversation.number(), file).1)
            .collect();
        let text = if lines.is_empty() {
            self.screen.text(Key::NoFiles).to_owned()
        } else {
            lines.join("\n")
        };
        let objects: Vec<Value> = files.iter().map(file_object).collect();
        let object = json!({
            "event": "files", "conversation": conversation.number(), "files": objects
        });
        self.screen.show(&object, &text);
        Ok(())
    }

    /// Fetches a file, unless it is here.
    async fn opened(&mut self, at: Place) -> Result<(ConversationId, FileView), Problem> {
        self.settle().await?;
        let conversation = self.pick(Some(at.conversation))?;
        let number = FileNumber::from_number(at.file);
        self.command(Command::File(Asked::Open {
            conversation,
            file: number,
        }))?;
        let file = self
            .until(Patience::File, |client, _| {
                let Some(file) = find(client, conversation, number) else {
                    return Some(Err(Key::Unknown.into()));
                };
                match file.state {
                    FileState::Here => Some(Ok(file)),
                    FileState::Opening { .. } | FileState::Sending { .. } => None,
                    FileState::Unopened => Some(Err(Key::FileLost.into())),
                    FileState::Expired => Some(Err(Key::FileOver.into())),
                    FileState::Altered => Some(Err(Key::FileAltered.into())),
                    FileState::Gone | FileState::NotSent | FileState::Sent => {
                        Some(Err(Key::FileMissing.into()))
                    }
                }
            })
            .await?;
        Ok((conversation, file))
    }

    fn bytes_of(&self, file: &FileView) -> Result<Zeroizing<Vec<u8>>, Problem> {
        let bytes = self.driver.read_file(file)?;
        Ok(bytes.ok_or(Key::FileLost)?)
    }

    async fn export(&mut self, at: Place, to: &Path) -> Result<(), Problem> {
        let conversation = self.pick(Some(at.conversation))?;
        let number = FileNumber::from_number(at.file);
        let known = find(self.client(), conversation, number);
        if known.is_some_and(|file| file.way != Way::Keep) {
            return Err(Key::NotACopy.into());
        }
        let (conversation, file) = self.opened(at).await?;
        let bytes = self.bytes_of(&file)?;
        let history = self.client().history(conversation).into_iter();
        let told = history
            .filter(|entry| {
                matches!(&entry.content, EntryContent::File(one) if one.number == file.number)
            })
            .map(|entry| Millis::from_millis(entry.at.millis()))
            .next();
        let copy = Copy {
            bytes: &bytes,
            file: &file,
            told,
            exported: Millis::from_millis(driver::now().millis()),
        };
        let zip = export::zip(&copy).map_err(|_| Key::FileUnwritable)?;
        write_new(to, &zip)?;
        self.say_done(Key::FileExported);
        Ok(())
    }

    fn say_told(&self, key: Key, text: &str) {
        let object = json!({ "event": "done", "what": crate::screen::name(key) });
        self.screen.show(&object, text);
    }
}

fn files(client: &Client, conversation: ConversationId) -> Vec<FileView> {
    let mut views = client.conversations().into_iter();
    let view = views.find(|view| view.id == conversation);
    view.map_or_else(Vec::new, |view| view.files)
}

fn find(client: &Client, conversation: ConversationId, number: FileNumber) -> Option<FileView> {
    let mut files = files(client, conversation).into_iter();
    files.find(|file| file.number == number)
}

fn is_on_its_way(state: FileState) -> bool {
    matches!(state, FileState::Sending { .. } | FileState::Opening { .. })
}

fn read(path: &Path, bytes_max: usize) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let file = File::open(path).map_err(|_| Key::FileUnreadable)?;
    let mut bytes = Zeroizing::new(Vec::new());
    let read = file.take(bytes_max as u64 + 1).read_to_end(&mut bytes);
    match read.map_err(|_| Key::FileUnreadable)? {
        0 => Err(Key::FileEmpty.into()),
        read if read > bytes_max => Err(Key::FileTooLarge.into()),
        _ => Ok(bytes),
    }
}

/// Of a file of any length: nothing of it is kept.
fn fingerprint(path: &Path) -> io::Result<Act> {
    let mut file = File::open(path)?;
    let (mut digest, mut size, mut kind) = (Sha256::new(), 0, None);
    let mut bytes = Zeroizing::new(vec![0; READ_BYTES]);
    loop {
        let read = file.read(&mut bytes)?;
        let read = bytes.get(..read).unwrap_or_default();
        if read.is_empty() {
            break;
        }
        kind.get_or_insert_with(|| FileKind::of(read));
        digest.update(read);
        size += read.len() as u64;
    }
    Ok(Act::Fingerprint {
        kind: kind.unwrap_or(FileKind::Other),
        size,
        sha256: FileHash::from_bytes(digest.finalize().into()),
    })
}

fn free(path: &Path) -> Result<(), Problem> {
    if path.exists() {
        Err(Key::FileExists.into())
    } else {
        Ok(())
    }
}

/// For its owner alone, and never over what is there.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    let options = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let mut file = options.map_err(|error| {
        let is_there = error.kind() == io::ErrorKind::AlreadyExists;
        if is_there {
            Key::FileExists
        } else {
            Key::FileUnwritable
        }
    })?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    Ok(written.map_err(|_| Key::FileUnwritable)?)
}

/// `24h`, `30m`, `90s`.
fn parse_span(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "h" => 3_600,
        "m" => 60,
        "s" => 1,
        _ => return None,
    };
    let seconds = number.parse::<u64>().ok()?.checked_mul(seconds)?;
    let span = Duration::from_secs(seconds);
    (!span.is_zero() && span <= FILE_SHOWN_MAX).then_some(span)
}

fn span_text(span: Duration) -> String {
    let seconds = span.as_secs();
    if seconds.is_multiple_of(3_600) {
        format!("{} h", seconds / 3_600)
    } else if seconds.is_multiple_of(60) {
        format!("{} min", seconds / 60)
    } else {
        format!("{seconds} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_be_shown_has_a_unit_and_an_end() {
        for (text, seconds) in [("24h", 86_400), ("72h", 259_200), ("30m", 1_800), ("1s", 1)] {
            assert_eq!(parse_span(text), Some(Duration::from_secs(seconds)));
        }
        for text in [
            "",
            "h",
            "24",
            "0h",
            "73h",
            "-1h",
            "1d",
            "1.5h",
            "99999999999999999999h",
            "ñ",
        ] {
            assert_eq!(parse_span(text), None, "{text}");
        }
        assert_eq!(span_text(Duration::from_secs(86_400)), "24 h");
        assert_eq!(span_text(Duration::from_secs(90)), "90 s");
    }

    #[test]
    fn a_fingerprint_is_of_all_bytes_however_many() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("film");
        let bytes = vec![7; 3 * READ_BYTES + 1];
        std::fs::write(&path, &bytes).unwrap();
        let Act::Fingerprint { size, sha256, .. } = fingerprint(&path).unwrap() else {
            unreachable!()
        };
        assert_eq!((size, sha256), (bytes.len() as u64, hash(&bytes)));
    }

    #[test]
    fn what_is_there_is_never_written_over() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("copy");
        write_new(&path, b"first").unwrap();
        assert_eq!(
            write_new(&path, b"second").unwrap_err().key,
            Key::FileExists
        );
        assert_eq!(free(&path).unwrap_err().key, Key::FileExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        let nowhere = home.path().join("no/folder");
        assert_eq!(
            write_new(&nowhere, b"").unwrap_err().key,
            Key::FileUnwritable
        );
    }
}
