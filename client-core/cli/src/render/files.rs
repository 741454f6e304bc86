//! Files of a conversation, as they are shown.

use cobijo_client_core::core::client::{FileState, FileView};
use cobijo_protocol::file::{FileHash, FileKind, FileLabel, Fingerprint, Millis, Way};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Shown;
use crate::{
    catalogue::Key,
    screen::{Screen, clean},
};

impl Screen {
    /// A line about a file.
    pub(super) fn file_line(self, author: &str, file: &FileView) -> String {
        let key = match file.way {
            Way::Show { .. } => Key::FileShown,
            Way::Keep => Key::FileKept,
        };
        let values = [
            author,
            &*file.number.number().to_string(),
            &*self.file_facts(file.kind, u64::from(file.size), file.label.as_ref()),
            &*self.file_state(file),
        ];
        self.fill(key, &values)
    }

    /// A line about a file that was not sent.
    pub(super) fn fingerprint_line(self, author: &str, told: &Fingerprint) -> String {
        let facts = self.file_facts(told.kind, told.size, told.label.as_ref());
        let values = [
            author,
            &*facts,
            &*HEXLOWER.encode(told.sha256.as_bytes()),
            &*date(told.taken),
        ];
        self.fill(Key::FileFingerprint, &values)
    }

    /// A file is further on its way.
    pub(crate) fn file_event(self, conversation: u32, file: &FileView) -> Shown {
        let (number, state) = (file.number.number().to_string(), self.file_state(file));
        let text = self.fill(Key::FileNow, &[&number, &state]);
        let mut object = json!({ "event": "file", "conversation": conversation });
        object["file"] = file_object(file);
        // A part more or less is news to scripts alone.
        let is_news = match file.state {
            FileState::Sending { done, total } | FileState::Opening { done, total } => {
                done % total.div_ceil(10).max(1) == 0
            }
            FileState::NotSent
            | FileState::Sent
            | FileState::Unopened
            | FileState::Here
            | FileState::Expired
            | FileState::Gone
            | FileState::Altered => true,
        };
        let text = if is_news {
            self.fill(Key::Conversation, &[&conversation.to_string(), &text])
        } else {
            String::new()
        };
        (object, text)
    }

    fn file_facts(self, kind: FileKind, bytes: u64, label: Option<&FileLabel>) -> String {
        let kind = match kind {
            FileKind::Jpeg => "JPEG",
            FileKind::Png => "PNG",
            FileKind::Webp => "WebP",
            FileKind::Other => self.text(Key::FileOther),
        };
        let facts = format!("{kind}, {}", size(bytes));
        match label {
            Some(label) => format!("{facts}, «{}»", clean(label.as_str())),
            None => facts,
        }
    }

    fn file_state(self, file: &FileView) -> String {
        let number = file.number.number().to_string();
        let of = |key: Key, done: u32, total: u32| {
            self.fill(key, &[&done.to_string(), &total.to_string()])
        };
        match file.state {
            FileState::Sending { done, total } => of(Key::FileSending, done, total),
            FileState::Opening { done, total } => of(Key::FileOpening, done, total),
            FileState::NotSent => self.text(Key::FileNotSent).to_owned(),
            FileState::Sent => self.until(Key::FileSent, file),
            FileState::Unopened => self.fill(Key::FileUnopened, &[&number]),
            FileState::Here => self.text(Key::FileHere).to_owned(),
            FileState::Expired => self.text(Key::FileOver).to_owned(),
            FileState::Gone => self.text(Key::FileMissing).to_owned(),
            FileState::Altered => self.text(Key::FileAltered).to_owned(),
        }
    }

    fn until(self, key: Key, file: &FileView) -> String {
        match file.way {
            Way::Show { until } => self.fill(key, &[&date(until)]),
            Way::Keep => self.text(Key::FileHere).to_owned(),
        }
    }
}

/// A file, for scripts.
pub(crate) fn file_object(file: &FileView) -> Value {
    let (way, until) = match file.way {
        Way::Show { until } => ("show", Some(until.millis())),
        Way::Keep => ("keep", None),
    };
    let (state, progress) = match file.state {
        FileState::Sending { done, total } => ("sending", Some((done, total))),
        FileState::Opening { done, total } => ("opening", Some((done, total))),
        FileState::NotSent => ("not-sent", None),
        FileState::Sent => ("sent", None),
        FileState::Unopened => ("unopened", None),
        FileState::Here => ("here", None),
        FileState::Expired => ("expired", None),
        FileState::Gone => ("gone", None),
        FileState::Altered => ("altered", None),
    };
    json!({
        "number": file.number.number(), "own": file.own, "way": way, "until": until,
        "kind": file.kind, "size": file.size, "sha256": hex(&file.sha256),
        "original": file.original.as_ref().map(hex), "taken": file.taken.millis(),
        "label": file.label, "state": state,
        "done": progress.map(|(done, _)| done), "total": progress.map(|(_, total)| total),
    })
}

/// A fingerprint, for scripts.
pub(super) fn fingerprint_object(told: &Fingerprint) -> Value {
    json!({
        "kind": told.kind, "size": told.size, "sha256": hex(&told.sha256),
        "taken": told.taken.millis(), "label": told.label,
    })
}

fn hex(hash: &FileHash) -> String {
    HEXLOWER.encode(hash.as_bytes())
}

/// As people read sizes.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
    }
}

/// Day and time in UTC, as ISO 8601 writes them; an author may say anything.
pub(crate) fn date(time: Millis) -> String {
    let second = i64::try_from(time.millis() / 1_000).unwrap_or(i64::MAX);
    let time = Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_read_as_people_write_them() {
        let of = |seconds: u64| date(Millis::from_millis(seconds * 1_000));
        assert_eq!(of(0), "1970-01-01T00:00:00Z");
        assert_eq!(of(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(of(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(of(1_795_521_845), "2026-11-24T12:04:05Z");
        let _any = date(Millis::from_millis(u64::MAX));
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1_001), "2 kB");
        assert_eq!(size(3_180_000), "3.1 MB");
    }
}
