//! The hand-over board and the team's notes, as far as they still count.
//!
//! Of each author the newest row of a conversation is kept, and of those the highest version is shown: so
//! nobody drives out what others wrote, and what a removed author wrote can be taken back.

use std::collections::{BTreeMap, BTreeSet};

use cobijo_protocol::{
    Day,
    content::MessageId,
    handover::{BoardRow, TeamNotes, Told},
    keys::PublicKey,
    limits::VERSIONS_AHEAD_MAX,
};
use serde::{Deserialize, Serialize};

use crate::core::desk::board::Source;

/// Conversations that one member's rows are kept of.
const OF_AUTHOR_MAX: usize = 128;
/// Rows of all members: with the longest notes some five megabytes, which a profile can be saved with.
const ENTRIES_MAX: usize = 1_024;

/// What is told of one conversation, version by version.
pub(crate) trait About {
    /// Names the conversation.
    fn person(&self) -> PublicKey;
    /// One above the version that it was built on.
    fn version(&self) -> u64;
    /// The same, built on another version.
    fn with_version(self, version: u64) -> Self;
    /// Whether it is short enough to be kept.
    fn is_short(&self) -> bool;
}

macro_rules! about {
    ($($name:ident),+) => {$(
        impl About for $name {
            fn person(&self) -> PublicKey {
                self.person
            }

            fn version(&self) -> u64 {
                self.version
            }

            fn with_version(self, version: u64) -> Self {
                Self { version, ..self }
            }

            fn is_short(&self) -> bool {
                self.is_short()
            }
        }
    )+};
}

about!(BoardRow, TeamNotes);

/// Rows of one kind.
#[derive(Serialize, Deserialize)]
pub(crate) struct Kept<T> {
    entries: Vec<Entry<T>>,
}

/// A row, by whom it came, and when.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Entry<T> {
    /// Name of the message that said it.
    pub(crate) id: MessageId,
    /// Who told it.
    pub(crate) from: Source,
    /// Clock of its message; none where a snapshot told it.
    pub(crate) clock: u64,
    /// Day on which it was said.
    pub(crate) day: Day,
    /// What was said.
    pub(crate) what: T,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        let entries = Vec::new();
        Self { entries }
    }
}

impl<T: About + Clone> Kept<T> {
    /// Takes a row; false where it is too long, too far ahead, or no news.
    pub(crate) fn take(&mut self, entry: Entry<T>) -> bool {
        let person = entry.what.person();
        let highest = self.standing(&person);
        let highest = highest.map_or(0, |standing| standing.what.version());
        let is_near = entry.what.version() <= highest.saturating_add(VERSIONS_AHEAD_MAX);
        let is_known = self.entries.iter().any(|known| known.id == entry.id);
        if !entry.what.is_short() || !is_near || is_known {
            return false;
        }
        let from = entry.from;
        let of_it = |known: &Entry<T>| known.from == from && known.what.person() == person;
        if { self.entries.iter() }.any(|known| of_it(known) && rank(known) > rank(&entry)) {
            return false;
        }
        self.entries.retain(|known| !of_it(known));
        self.make_room(from);
        self.entries.push(entry);
        true
    }

    /// The oldest goes of who told too many, or most.
    fn make_room(&mut self, from: Source) {
        let told = |source: Source| {
            let entries = self.entries.iter();
            entries.filter(|entry| entry.from == source).count()
        };
        let is_full = self.entries.len() >= ENTRIES_MAX;
        let of_whom = match from {
            Source::Author(_) if told(from) >= OF_AUTHOR_MAX => Some(from),
            Source::Author(_) | Source::Retold(_) => {
                let sources = self.entries.iter().map(|entry| entry.from);
                sources
                    .max_by_key(|source| told(*source))
                    .filter(|_| is_full)
            }
        };
        let position = |whom| self.entries.iter().position(|entry| entry.from == whom);
        if let Some(position) = of_whom.and_then(position) {
            self.entries.remove(position);
        }
    }

    /// What counts of a conversation.
    pub(crate) fn standing(&self, person: &PublicKey) -> Option<&Entry<T>> {
        let of_it = self.entries.iter();
        let of_it = of_it.filter(|entry| entry.what.person() == *person);
        of_it.max_by_key(|entry| rank(entry))
    }

    /// Whose conversations something is told of.
    pub(crate) fn people(&self) -> BTreeSet<PublicKey> {
        let entries = self.entries.iter();
        entries.map(|entry| entry.what.person()).collect()
    }

    /// Drops all of a conversation that was said no later than that clock.
    pub(crate) fn drop_until(&mut self, person: &PublicKey, clock: u64) {
        self.entries
            .retain(|entry| entry.what.person() != *person || entry.clock > clock);
    }

    /// Takes a row back whose author's message never counted.
    pub(crate) fn withdraw(&mut self, id: &MessageId) {
        self.entries.retain(|entry| entry.id != *id);
    }

    /// Drops what was said before that day.
    pub(crate) fn forget_before(&mut self, day: Day) {
        self.entries.retain(|entry| entry.day >= day);
    }

    /// What a newcomer must know: of each conversation what counts.
    pub(crate) fn told(&self) -> Vec<Told<T>> {
        let mut standing: BTreeMap<PublicKey, &Entry<T>> = BTreeMap::new();
        for entry in &self.entries {
            let known = standing.entry(entry.what.person()).or_insert(entry);
            if rank(entry) > rank(known) {
                *known = entry;
            }
        }
        let told = |entry: &Entry<T>| Told {
            id: entry.id,
            day: entry.day,
            what: entry.what.clone(),
        };
        standing.into_values().map(told).collect()
    }
}

fn rank<T: About>(entry: &Entry<T>) -> (u64, MessageId) {
    (entry.what.version(), entry.id)
}

#[cfg(test)]
mod tests {
    use cobijo_protocol::{
        keys::SecretKey,
        limits::{BOARD_TEXT_BYTES_MAX, NOTE_TEXT_BYTES_MAX},
    };

    use super::*;

    fn key(seed: u16) -> PublicKey {
        let mut bytes = [7; 32];
        bytes[..2].copy_from_slice(&seed.to_be_bytes());
        SecretKey::from_bytes(bytes).public()
    }

    fn row(person: u16, version: u64, state: &str) -> BoardRow {
        BoardRow {
            person: key(person),
            version,
            state: state.to_owned(),
            next_step: String::new(),
            safety: String::new(),
        }
    }

    fn said(id: u8, author: u16, what: BoardRow) -> Entry<BoardRow> {
        let mut name = [0; 16];
        name[..2].copy_from_slice(&author.to_be_bytes());
        name[2..10].copy_from_slice(&what.version.to_be_bytes());
        name[10..13].copy_from_slice(&what.person.as_bytes()[..3]);
        name[13] = id;
        Entry {
            id: MessageId::from_bytes(name),
            from: Source::Author(key(author)),
            clock: u64::from(id),
            day: 20_000,
            what,
        }
    }

    fn state(board: &Kept<BoardRow>, person: u16) -> Option<&str> {
        let standing = board.standing(&key(person))?;
        Some(&standing.what.state)
    }

    ///
    #[test]
    fn the_highest_version_counts_in_whatever_order_they_come_and_a_tie_is_decided_by_the_name() {
        let rows = [
            said(1, 1, row(9, 1, "one")),
            said(2, 2, row(9, 2, "two")),
            said(3, 3, row(9, 2, "three")),
            said(4, 1, row(9, 2, "four")),
        ];
        for turn in 0..rows.len() {
            let mut board = Kept::default();
            let (first, rest) = rows.split_at(turn);
            for entry in rest.iter().chain(first) {
                board.take(entry.clone());
            }
            assert_eq!(state(&board, 9), Some("three"), "from {turn}");
        }
    }

    ///
    #[test]
    fn what_is_too_long_or_uses_up_the_versions_is_dropped() {
        let mut board = Kept::default();
        assert!(board.take(said(1, 1, row(9, VERSIONS_AHEAD_MAX, "first"))));
        let far = 2 * VERSIONS_AHEAD_MAX + 1;
        assert!(!board.take(said(2, 2, row(9, far, "far"))));
        assert!(!board.take(said(2, 2, row(9, u64::MAX, "last"))));
        let long = "x".repeat(BOARD_TEXT_BYTES_MAX + 1);
        assert!(!board.take(said(3, 2, row(9, 2, &long))));
        assert!(board.take(said(4, 2, row(8, 1, &long[1..]))));
        assert_eq!(state(&board, 9), Some("first"));
        let mut notes = TeamNotes {
            person: key(9),
            version: 1,
            needs: String::new(),
            agreements: String::new(),
            risks: String::new(),
            referrals: String::new(),
            next_step: "x".repeat(NOTE_TEXT_BYTES_MAX),
        };
        assert!(notes.is_short());
        notes.next_step.push('x');
        assert!(!notes.is_short());
    }

    ///
    #[test]
    fn no_member_drives_out_what_others_wrote() {
        let mut board = Kept::default();
        board.take(said(1, 1, row(9, 1, "hers")));
        for person in 100..1_400 {
            board.take(said(2, 2, row(person, 1, "flood")));
        }
        assert_eq!(board.entries.len(), 1 + OF_AUTHOR_MAX);
        assert_eq!(state(&board, 9), Some("hers"));
        for person in 2_000..4_000 {
            let mut entry = said(3, 3, row(person, 1, "retold"));
            entry.from = Source::Retold(key(3));
            board.take(entry);
        }
        assert_eq!(board.entries.len(), ENTRIES_MAX);
        assert_eq!(state(&board, 9), Some("hers"));
        board.take(said(4, 4, row(8, 1, "late")));
        assert_eq!(board.entries.len(), ENTRIES_MAX);
        assert_eq!(state(&board, 8), Some("late"));
    }

    ///
    #[test]
    fn what_a_removed_author_wrote_in_vain_is_taken_back_and_the_version_before_counts() {
        let mut board = Kept::default();
        board.take(said(1, 1, row(9, 1, "one")));
        let vain = said(2, 2, row(9, 2, "vain"));
        board.take(vain.clone());
        board.withdraw(&vain.id);
        assert_eq!(state(&board, 9), Some("one"));
    }

    ///
    #[test]
    fn a_newcomer_is_told_what_counts_and_what_is_over_or_old_is_dropped() {
        let mut board = Kept::default();
        board.take(said(1, 1, row(9, 1, "one")));
        board.take(said(2, 2, row(9, 2, "two")));
        board.take(said(3, 2, row(8, 1, "other")));
        let told = board.told();
        let states: BTreeSet<_> = told.iter().map(|one| one.what.state.as_str()).collect();
        assert_eq!(states, BTreeSet::from(["two", "other"]));
        board.drop_until(&key(9), 1);
        assert_eq!(state(&board, 9), Some("two"), "it was said after that");
        board.drop_until(&key(9), 2);
        assert_eq!(state(&board, 9), None);
        board.forget_before(20_001);
        assert!(board.people().is_empty());
    }
}
