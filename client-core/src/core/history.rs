//! What was said, in the order of the Lamport clocks: the display model of conversations and circles.

use cobijo_protocol::{content::MessageId, credential::Identity};
use serde::{Deserialize, Serialize};

use crate::core::{
    client::{Entry, EntryContent, EntryState, FileView, Speaker},
    port::Now,
};

/// Bytes kept of one conversation, so that no member can make a profile too large to save.
const BYTES_MAX: usize = 16 * 1024 * 1024;
/// What a line takes beside its text, roughly.
const LINE_BYTES: usize = 256;

/// The lines of a conversation, its predecessors' included.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct History {
    entries: Vec<Entry>,
    /// How many lines are of groups that this one is the successor of, whose clocks were others.
    closed: usize,
}

impl History {
    /// All lines, in order.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The highest clock shown.
    fn clock(&self) -> u64 {
        self.entries
            .iter()
            .map(|entry| entry.clock)
            .max()
            .unwrap_or_default()
    }

    /// Takes a line; a double of one that stands is dropped.
    pub(crate) fn insert(&mut self, entry: Entry) -> bool {
        if entry.id.is_some() && self.entries.iter().any(|known| known.id == entry.id) {
            return false;
        }
        let is_later = |known: &Entry| known.id.is_some() && order(known) > order(&entry);
        let place = self.entries[self.closed..].iter().position(is_later);
        let place = place.map_or(self.entries.len(), |place| self.closed + place);
        self.entries.insert(place, entry);
        self.make_room();
        true
    }

    /// A line that the client says itself, behind all that is shown.
    pub(crate) fn note(&mut self, content: EntryContent, now: Now) -> Entry {
        let entry = Entry {
            id: None,
            clock: self.clock(),
            at: now,
            author: None,
            own: false,
            content,
            state: EntryState::Stored,
        };
        self.entries.push(entry.clone());
        self.make_room();
        entry
    }

    /// What she wrote while she waited: before everything that is said in the group.
    pub(crate) fn first_text(&mut self, text: String, own: bool, now: Now) -> Entry {
        let entry = text_of_hers(text, 0, own, now);
        let is_first = |known: &&Entry| known.clock == 0 && known.author.is_some();
        let before = self.entries[self.closed..].iter().take_while(is_first);
        let place = self.closed + before.count();
        self.entries.insert(place, entry.clone());
        self.make_room();
        entry
    }

    /// What she told the desk: behind all that is shown.
    pub(crate) fn asked(&mut self, text: String, own: bool, now: Now) -> Entry {
        let entry = text_of_hers(text, self.clock(), own, now);
        self.entries.push(entry.clone());
        self.make_room();
        entry
    }

    /// Bounds the profile: the oldest lines of whoever takes most give way, so that nobody can drive out what
    /// others said.
    fn make_room(&mut self) {
        let mut taken: Vec<(Option<Speaker>, usize)> = Vec::new();
        for entry in &self.entries {
            match taken.iter_mut().find(|(who, _)| *who == entry.author) {
                Some((_, bytes)) => *bytes += bytes_of(entry),
                None => taken.push((entry.author.clone(), bytes_of(entry))),
            }
        }
        while taken.iter().map(|(_, bytes)| bytes).sum::<usize>() > BYTES_MAX {
            let Some((most, bytes)) = taken.iter_mut().max_by_key(|(_, bytes)| *bytes) else {
                return;
            };
            let Some(oldest) = self.entries.iter().position(|entry| entry.author == *most) else {
                return;
            };
            *bytes = bytes.saturating_sub(bytes_of(&self.entries.remove(oldest)));
            self.closed -= usize::from(oldest < self.closed);
        }
    }

    /// Whether a message has a line.
    pub(crate) fn has(&self, id: MessageId) -> bool {
        self.entries.iter().any(|entry| entry.id == Some(id))
    }

    /// Shows where a file is on its way.
    pub(crate) fn set_file(&mut self, changed: &FileView) {
        for entry in &mut self.entries {
            if let EntryContent::File(view) = &mut entry.content
                && view.number == changed.number
            {
                **view = changed.clone();
            }
        }
    }

    /// Whether somebody has said a text.
    pub(super) fn has_text_of(&self, author: Option<&Speaker>) -> bool {
        let is_one = |entry: &Entry| {
            entry.author.as_ref() == author && matches!(entry.content, EntryContent::Text(_))
        };
        self.entries.iter().any(is_one)
    }

    /// Sets how sure a line is.
    pub(crate) fn set_state(&mut self, id: MessageId, state: EntryState) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == Some(id)) {
            entry.state = state;
        }
    }

    /// A line stands, at this clock: where it was said again in a later epoch, behind what came before that.
    pub(crate) fn place(&mut self, id: MessageId, clock: u64) {
        self.set_state(id, EntryState::Stored);
        let known = self.entries.iter().position(|entry| entry.id == Some(id));
        let Some(at) = known.filter(|at| *at >= self.closed) else {
            return;
        };
        if self.entries[at].clock != clock {
            let entry = self.entries.remove(at);
            self.insert(Entry { clock, ..entry });
        }
    }

    /// Takes a line back.
    pub(crate) fn withdraw(&mut self, id: MessageId) {
        let Some(place) = self.entries.iter().position(|entry| entry.id == Some(id)) else {
            return;
        };
        self.entries.remove(place);
        self.closed -= usize::from(place < self.closed);
    }

    /// Forgets what was there before she said, or did, something at this clock, and that itself.
    pub(crate) fn forget_before(&mut self, clock: u64) {
        let is_new = |entry: &Entry| entry.clock > clock || (entry.clock == clock && !entry.own);
        let closed = self.entries.iter().take(self.closed);
        self.closed = closed.filter(|entry| is_new(entry)).count();
        self.entries.retain(is_new);
    }

    /// Goes on behind the lines of the group that this one is the successor of.
    pub(crate) fn close_chapter(&mut self) {
        self.closed = self.entries.len();
    }
}

fn bytes_of(entry: &Entry) -> usize {
    let text = match &entry.content {
        EntryContent::Text(text) => text.len(),
        EntryContent::Proposal { reason, .. } => reason.len(),
        // A label is short.
        EntryContent::File(_) | EntryContent::Fingerprint(_) => LINE_BYTES,
        EntryContent::ShiftEnds { next, .. } => next.as_ref().map_or(0, |next| next.reason.len()),
        EntryContent::Refusal(_)
        | EntryContent::Missing(_)
        | EntryContent::NotAllowed(_)
        | EntryContent::Joined(_)
        | EntryContent::Left(_)
        | EntryContent::OtherKey(_)
        | EntryContent::Closing { .. }
        | EntryContent::OtherDevice => 0,
    };
    LINE_BYTES + text
}

/// A text of hers that was not said in the group.
fn text_of_hers(text: String, clock: u64, own: bool, now: Now) -> Entry {
    Entry {
        id: None,
        clock,
        at: now,
        author: Some(Speaker::Person),
        own,
        content: EntryContent::Text(text),
        state: EntryState::Stored,
    }
}

/// Clock, then id: alike on every client. Lines without an id stay behind those that they were put behind.
fn order(entry: &Entry) -> (u64, Option<MessageId>) {
    (entry.clock, entry.id)
}

/// How somebody is shown.
pub(crate) fn speaker(identity: &Identity) -> Speaker {
    match identity {
        Identity::Person(hers) => match &hers.alias {
            Some(alias) => Speaker::Pseudonym(alias.clone()),
            None => Speaker::Person,
        },
        Identity::Member { attestation, .. } => Speaker::Member {
            alias: attestation.alias.clone(),
            role: attestation.role,
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(clock: u64, id: u8) -> Entry {
        Entry {
            id: Some(MessageId::from_bytes([id; 16])),
            ..text_of_hers(format!("{clock} {id}"), clock, false, Now::default())
        }
    }

    fn ids(history: &History) -> Vec<MessageId> {
        history
            .entries()
            .iter()
            .filter_map(|entry| entry.id)
            .collect()
    }

    proptest! {
        ///
        #[test]
        fn in_whatever_order_lines_come_they_end_in_one_order_and_notes_between_change_nothing(
            lines in proptest::collection::vec((0_u64..4, 0_u8..40, any::<bool>()), 0..30),
            turn in 0_usize..30,
        ) {
            let mut sorted: Vec<_> = lines.iter().map(|&(clock, id, _)| (clock, id)).collect();
            let mut seen = std::collections::BTreeSet::new();
            sorted.retain(|&(_, id)| seen.insert(id));
            let mut forwards = History::default();
            let mut turned = History::default();
            for &(clock, id) in &sorted {
                forwards.insert(said(clock, id));
            }
            turned.insert(said(9, 200));
            turned.close_chapter();
            let cut = turn.min(sorted.len());
            for (at, &(clock, id)) in sorted[cut..].iter().chain(&sorted[..cut]).enumerate() {
                turned.insert(said(clock, id));
                if lines[at].2 {
                    turned.note(EntryContent::Missing(Speaker::Person), Now::default());
                }
            }
            sorted.sort_unstable();
            let sorted: Vec<_> = sorted.iter().map(|&(_, id)| MessageId::from_bytes([id; 16])).collect();
            prop_assert_eq!(&ids(&forwards), &sorted);
            prop_assert_eq!(&ids(&turned)[1..], &sorted);
        }
    }

    ///
    #[test]
    fn what_counts_later_than_it_was_said_moves_behind_what_came_before_and_an_earlier_chapter_stays()
     {
        let mut history = History::default();
        for (clock, id) in [(1, 1), (2, 2), (2, 3)] {
            history.insert(said(clock, id));
        }
        let name = |id| MessageId::from_bytes([id; 16]);
        history.place(name(1), 4);
        assert_eq!(ids(&history), [2, 3, 1].map(name));
        history.close_chapter();
        history.place(name(2), 9);
        assert_eq!(ids(&history), [2, 3, 1].map(name));
    }

    #[test]
    fn what_a_successor_says_stands_behind_what_was_said_before_whatever_its_clock() {
        let mut history = History::default();
        history.insert(said(5, 1));
        history.insert(said(7, 2));
        history.withdraw(MessageId::from_bytes([1; 16]));
        history.close_chapter();
        history.insert(said(0, 3));
        assert_eq!(
            ids(&history),
            [2, 3].map(|id| MessageId::from_bytes([id; 16]))
        );
    }

    #[test]
    fn a_long_conversation_forgets_the_oldest_lines_of_whoever_says_most_and_nobody_elses() {
        let mut history = History::default();
        history.insert(said(1, 1));
        history.close_chapter();
        let line = "x".repeat(1024 * 1024);
        for number in 0..20 {
            let text = format!("{number} {line}");
            history.insert(Entry {
                author: Some(Speaker::Member {
                    alias: "Eva".to_owned(),
                    role: cobijo_protocol::card::Role::Accompanier,
                }),
                ..text_of_hers(text, 2, false, Now::default())
            });
            history.asked("Sigo aquí".to_owned(), true, Now::default());
        }
        let entries = history.entries();
        assert!(entries.iter().map(bytes_of).sum::<usize>() <= BYTES_MAX);
        let starts = |entry: &Entry, start: &str| matches!(&entry.content, EntryContent::Text(text) if text.starts_with(start));
        assert!(entries.iter().any(|entry| starts(entry, "19 ")));
        assert!(!entries.iter().any(|entry| starts(entry, "0 ")));
        let hers = entries
            .iter()
            .filter(|entry| entry.author == Some(Speaker::Person));
        assert_eq!(hers.count(), 21);
        assert_eq!(history.closed, 1);
    }
}
