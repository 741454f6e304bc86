//! What was said, in the order of the Lamport clocks: the display model of a conversation.

use cobijo_protocol::{content::MessageId, credential::Identity};
use serde::{Deserialize, Serialize};

use crate::core::{
    client::{Entry, EntryContent, EntryState, Speaker},
    port::Now,
};

/// Bytes kept of one conversation, so that no member can make a profile too large to save.
const BYTES_MAX: usize = 16 * 1024 * 1024;
/// What a line takes beside its text, roughly.
const LINE_BYTES: usize = 256;

/// The lines of a conversation, its predecessors' included.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct History {
    entries: Vec<Entry>,
}

impl History {
    /// All lines, in order.
    pub(super) fn entries(&self) -> &[Entry] {
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
    pub(super) fn insert(&mut self, entry: Entry) -> bool {
        if entry.id.is_some() && self.entries.iter().any(|known| known.id == entry.id) {
            return false;
        }
        let place = self
            .entries
            .partition_point(|known| order(known) <= order(&entry));
        self.entries.insert(place, entry);
        self.drop_oldest();
        true
    }

    /// A line that the client says itself, behind all that is shown.
    pub(super) fn note(&mut self, content: EntryContent, now: Now) -> Entry {
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
        self.drop_oldest();
        entry
    }

    /// What she wrote while she waited: before everything that is said in the group.
    pub(super) fn first_text(&mut self, text: String, own: bool, now: Now) -> Entry {
        let entry = text_of_hers(text, 0, own, now);
        let place = self
            .entries
            .partition_point(|known| known.clock == 0 && known.author.is_some());
        self.entries.insert(place, entry.clone());
        self.drop_oldest();
        entry
    }

    /// What she told the desk: behind all that is shown.
    pub(super) fn asked(&mut self, text: String, own: bool, now: Now) -> Entry {
        let entry = text_of_hers(text, self.clock(), own, now);
        self.entries.push(entry.clone());
        self.drop_oldest();
        entry
    }

    fn drop_oldest(&mut self) {
        let mut bytes: usize = self.entries.iter().map(bytes_of).sum();
        let mut old = 0;
        for entry in &self.entries {
            if bytes <= BYTES_MAX {
                break;
            }
            bytes = bytes.saturating_sub(bytes_of(entry));
            old += 1;
        }
        self.entries.drain(..old);
    }

    /// Sets how sure a line is.
    pub(super) fn set_state(&mut self, id: MessageId, state: EntryState) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == Some(id)) {
            entry.state = state;
        }
    }

    /// Takes a line back.
    pub(super) fn withdraw(&mut self, id: MessageId) {
        self.entries.retain(|entry| entry.id != Some(id));
    }

    /// Goes on behind the lines of the group that this one is the successor of.
    pub(super) fn close_chapter(&mut self) {
        // A successor's clocks begin anew: what was said before stays before.
        for entry in &mut self.entries {
            entry.clock = 0;
        }
    }
}

fn bytes_of(entry: &Entry) -> usize {
    let text = match &entry.content {
        EntryContent::Text(text) => text.len(),
        EntryContent::Proposal { reason, .. } => reason.len(),
        EntryContent::Refusal(_)
        | EntryContent::Missing(_)
        | EntryContent::Joined(_)
        | EntryContent::Left(_) => 0,
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

/// Clock, then id: alike on every client. Lines without an id stay where they were put.
fn order(entry: &Entry) -> (u64, Option<MessageId>) {
    (entry.clock, entry.id)
}

/// How somebody is shown.
pub fn speaker(identity: &Identity) -> Speaker {
    match identity {
        Identity::Person(_) => Speaker::Person,
        Identity::Member { attestation, .. } => Speaker::Member {
            alias: attestation.alias.clone(),
            role: attestation.role,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_conversation_forgets_its_oldest_lines() {
        let mut history = History::default();
        let line = "x".repeat(1024 * 1024);
        for number in 0..20 {
            history.asked(format!("{number} {line}"), true, Now::default());
        }
        let entries = history.entries();
        assert!(entries.iter().map(bytes_of).sum::<usize>() <= BYTES_MAX);
        let starts = |entry: &Entry, start: &str| matches!(&entry.content, EntryContent::Text(text) if text.starts_with(start));
        assert!(starts(entries.last().unwrap(), "19 "));
        assert!(!entries.iter().any(|entry| starts(entry, "0 ")));
    }
}
