//! What is shown of it.

use cobijo_protocol::{keys::PublicKey, words::person_alias};

use super::{About, Entry};
use crate::core::{
    client::{BlockedView, BoardRowView, BoardView, HelpView, Told, WordView},
    desk::{Desk, board::Source},
    port::Now,
};

impl Desk {
    /// The hand-over board, with what else the desk was told of people.
    pub(crate) fn board_view(&self, now: Now) -> BoardView {
        let people = &self.people;
        let mut persons = people.board.people();
        persons.extend(people.notes.people());
        let row = |person: PublicKey| BoardRowView {
            row: people.board.standing(&person).map(|row| self.told(row)),
            notes: people.notes.standing(&person).map(|notes| self.told(notes)),
            ..BoardRowView::empty(person)
        };
        let help = |help: super::calls::Help| HelpView {
            id: help.id,
            by: help.alias,
            own: help.by == self.me.key.public(),
            alias: person_alias(&help.person),
            since: help.at,
            taken_by: help.taken_by,
        };
        let word = |one: &super::words::Received| WordView {
            by: one.alias.clone(),
            at: one.at,
            word: one.word.clone(),
        };
        let blocked = |one: &super::blocks::Blocked| BlockedView {
            person: one.person,
            alias: person_alias(&one.person),
            by: self.alias_of(&one.by),
        };
        BoardView {
            rows: persons.into_iter().map(row).collect(),
            helps: people.calls.helps().into_iter().map(help).collect(),
            unclaimed: people.calls.unclaimed(now),
            words: people.words.received().iter().map(word).collect(),
            blocked: people.blocks.list().iter().map(blocked).collect(),
            debriefs: Vec::new(),
        }
    }

    fn told<T: About + Clone>(&self, entry: &Entry<T>) -> Told<T> {
        let (by, retold) = match entry.from {
            Source::Author(key) => (key, false),
            Source::Retold(key) => (key, true),
        };
        Told {
            what: entry.what.clone(),
            by: self.alias_of(&by),
            retold,
            day: entry.day,
        }
    }

    /// The name of a member; nothing of who is no longer one.
    fn alias_of(&self, key: &PublicKey) -> Option<String> {
        let mut members = self.members().into_iter();
        Some(members.find(|member| member.key == *key)?.alias)
    }
}
