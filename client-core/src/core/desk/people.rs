//! What the members of a desk tell each other of the people whom they accompany. –[A-14]
//!
//! Whatever is told of a conversation goes when it is over. No member can check who was in a conversation, so
//! an `over` is believed by all but those who are in it themselves and can write there: they tell again
//! what stood. A lie costs the others a few rows for an hour, and is shown with its author's name.

pub(crate) mod blocks;
pub(crate) mod calls;
pub(crate) mod handover;
pub(crate) mod words;

mod asking;
mod hearing;
mod showing;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use cobijo_protocol::{
    Day,
    card::Attestation,
    content::{DeskContent, MessageId, SnapshotPart},
    handover::{BoardRow, How, Over, TeamNotes},
    keys::PublicKey,
    limits::RETENTION_DAYS_MAX,
};
use serde::{Deserialize, Serialize};

use super::{Desk, board::Source};
use crate::core::{
    client::Context,
    erasing::{Pace, Sweep},
    port::{Now, Seen, Wants},
};
use blocks::Blocks;
use calls::Calls;
use handover::{About, Entry, Kept};
use words::Words;

/// Time between two tellings of what stands, where somebody says that the conversation is over.
const AGAIN_AFTER: Duration = Duration::from_secs(3_600);
/// Conversations of which one member's word is remembered that they are over.
const OVER_OF_AUTHOR_MAX: usize = 256;

/// A message about people.
pub(crate) struct Said<'a> {
    /// Its name.
    pub(crate) id: MessageId,
    /// Lamport clock.
    pub(crate) clock: u64,
    /// Its author.
    pub(crate) author: &'a Attestation,
}

/// All that was told of people, as far as it still counts.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct People {
    board: Kept<BoardRow>,
    notes: Kept<TeamNotes>,
    calls: Calls,
    words: Words,
    blocks: Blocks,
    over: Vec<Ended>,
    /// Own messages, by what they are about.
    own: Vec<Own>,
    /// Own messages that are to be erased: what is on its way is erased once it is stored.
    erasing: BTreeMap<MessageId, Day>,
    sweep: Sweep,
    /// Whose conversations this member is in, and can write in.
    present: BTreeSet<PublicKey>,
    /// When what stands of a conversation was told again, or is to be.
    again: Vec<Again>,
}

/// That a conversation is over.
#[derive(Serialize, Deserialize)]
struct Ended {
    person: PublicKey,
    by: PublicKey,
    /// Highest clock with which it was said.
    clock: u64,
    day: Day,
}

#[derive(Serialize, Deserialize)]
struct Own {
    person: PublicKey,
    id: MessageId,
    day: Day,
}

#[derive(Serialize, Deserialize)]
struct Again {
    person: PublicKey,
    at: Now,
    is_due: bool,
}

impl People {
    /// What is to be erased at the relay.
    pub(super) fn wants(&self, wants: &mut Wants) {
        self.sweep.wants(wants);
    }

    pub(super) fn handle_seen(&mut self, seen: &Seen, now: Now) {
        self.sweep.handle_seen(seen, now);
    }

    /// When there is something to do.
    pub(super) fn poll_timeout(&self) -> Option<Now> {
        let again = self.again.iter().filter(|again| again.is_due);
        let again = again.map(|again| again.at);
        again.chain(self.sweep.poll_timeout()).min()
    }

    /// A message that was shown never counted.
    pub(super) fn withdraw(&mut self, id: &MessageId) {
        self.board.withdraw(id);
        self.notes.withdraw(id);
        self.calls.withdraw(id);
    }

    /// Says which of the conversations this member is in.
    pub(super) fn note_present(&mut self, present: BTreeSet<PublicKey>) {
        self.present = present;
    }

    fn is_over(&self, person: &PublicKey, clock: u64) -> bool {
        let mut over = self.over.iter();
        over.any(|ended| ended.person == *person && clock <= ended.clock)
    }

    fn take<T: About + Clone>(
        kept: impl FnOnce(&mut Self) -> &mut Kept<T>,
        people: &mut Self,
        entry: Entry<T>,
    ) -> bool {
        let is_over = people.is_over(&entry.what.person(), entry.clock);
        !is_over && kept(people).take(entry)
    }

    /// Drops what was told of a conversation; gives whether something of it was this member's own.
    fn drop_all(&mut self, person: &PublicKey) -> bool {
        self.board.drop_until(person, u64::MAX);
        self.notes.drop_until(person, u64::MAX);
        self.calls.end(person);
        self.again.retain(|again| again.person != *person);
        let own = self.own.extract_if(.., |own| own.person == *person);
        let own: Vec<_> = own.map(|own| (own.id, own.day)).collect();
        let is_own = !own.is_empty();
        self.erasing.extend(own);
        is_own
    }

    /// Remembers that a conversation is over.
    fn note_over(&mut self, person: PublicKey, by: PublicKey, clock: u64, day: Day) {
        let mut over = self.over.iter_mut();
        if let Some(known) = over.find(|ended| ended.person == person && ended.by == by) {
            known.clock = known.clock.max(clock);
            known.day = day;
            return;
        }
        let of_author = self.over.iter().filter(|ended| ended.by == by);
        if of_author.count() >= OVER_OF_AUTHOR_MAX
            && let Some(oldest) = self.over.iter().position(|ended| ended.by == by)
        {
            self.over.remove(oldest);
        }
        self.over.push(Ended {
            person,
            by,
            clock,
            day,
        });
    }

    /// Forgets what the relay no longer has.
    fn forget(&mut self, today: Day, retention_days: u16) {
        let first = today.saturating_sub(retention_days.into());
        self.board.forget_before(first);
        self.notes.forget_before(first);
        self.calls.forget_before(first);
        self.words.forget_before(first);
        self.own.retain(|own| own.day >= first);
        self.erasing.retain(|_, day| *day >= first);
        self.blocks.forget(today);
        let longest = today.saturating_sub(RETENTION_DAYS_MAX.into());
        self.over.retain(|ended| ended.day >= longest);
    }
}

impl Desk {
    /// Keeps what was told of people, and what was said of it, in order: erases what is over, tells again what is
    /// not, and forgets what is old.
    pub(super) fn keep_people(&mut self, context: &mut Context<'_>) {
        if let Some(days) = self.group.retention_days() {
            self.people.forget(context.now.day(), days);
        }
        let due = |again: &Again| again.is_due && again.at <= context.now;
        let due = self.people.again.iter_mut().filter(|again| due(again));
        let due: Vec<_> = due
            .map(|again| {
                again.is_due = false;
                again.person
            })
            .collect();
        for person in due {
            self.tell_again(&person, context);
        }
        self.people.sweep.advance(context.now);
    }

    /// Of a conversation that goes on, what stands is told once more, as this member's.
    fn tell_again(&mut self, person: &PublicKey, context: &mut Context<'_>) {
        if !self.people.present.contains(person) {
            return;
        }
        if let Some(row) = self.people.board.standing(person) {
            let row = row.what.clone();
            let version = row.version.saturating_add(1);
            self.tell_row(row.with_version(version), context);
        }
        if let Some(notes) = self.people.notes.standing(person) {
            let notes = notes.what.clone();
            let version = notes.version.saturating_add(1);
            self.tell_notes(notes.with_version(version), context);
        }
    }

    fn tell_row(&mut self, row: BoardRow, context: &mut Context<'_>) -> bool {
        let Some(entry) = self.say_of(row, DeskContent::Board, context) else {
            return false;
        };
        self.people.board.take(entry)
    }

    fn tell_notes(&mut self, notes: TeamNotes, context: &mut Context<'_>) -> bool {
        let Some(entry) = self.say_of(notes, DeskContent::Notes, context) else {
            return false;
        };
        self.people.notes.take(entry)
    }

    /// Tells the desk something of a conversation, and remembers that it is to be erased with it.
    fn say_of<T: About + Clone>(
        &mut self,
        what: T,
        content: impl FnOnce(T) -> DeskContent,
        context: &mut Context<'_>,
    ) -> Option<Entry<T>> {
        let person = what.person();
        let id = self.say_about(person, content(what.clone()), context)?;
        Some(Entry {
            id,
            from: Source::Author(self.me.key.public()),
            clock: self.group.clock(),
            day: context.now.day(),
            what,
        })
    }

    fn say_about(
        &mut self,
        person: PublicKey,
        content: DeskContent,
        context: &mut Context<'_>,
    ) -> Option<MessageId> {
        let content = cobijo_protocol::content::Content::Desk(content);
        let id = self.group.send(content, context.rng).ok()?;
        let day = context.now.day();
        self.people.own.push(Own { person, id, day });
        Some(id)
    }

    /// Says in which conversations this member can write.
    pub(crate) fn note_present(&mut self, present: BTreeSet<PublicKey>) {
        self.people.note_present(present);
    }

    /// Says that a conversation is over, and drops what was told of it.
    pub(crate) fn end(&mut self, person: PublicKey, how: How, context: &mut Context<'_>) {
        self.say_over(person, how, context);
        self.advance(context);
    }

    fn say_over(&mut self, person: PublicKey, how: How, context: &mut Context<'_>) {
        self.people.present.remove(&person);
        self.tell(DeskContent::Over(Over { person, how }), context.rng);
        let (own, clock, day) = (self.me.key.public(), self.group.clock(), context.now.day());
        self.people.note_over(person, own, clock, day);
        self.people.drop_all(&person);
        self.erase_told(context);
    }

    /// She left, or erased: says so, unless somebody else has.
    pub(crate) fn note_ended(&mut self, person: PublicKey, how: How, context: &mut Context<'_>) {
        self.people.present.remove(&person);
        let is_known = { self.people.over.iter() }.any(|ended| ended.person == person);
        if is_known {
            self.people.drop_all(&person);
            self.erase_told(context);
        } else {
            self.end(person, how, context);
        }
    }

    /// Erases at the relay what this member told of conversations that are over.
    fn erase_told(&mut self, context: &mut Context<'_>) {
        let messages = self.people.erasing.keys().copied().collect();
        let slots = self.group.withdraw(&messages);
        let (now, rng) = (context.now, &mut *context.rng);
        self.people.sweep.add(slots, Pace::Spread, now, rng);
    }

    /// An own message is stored that was to be erased when it was on its way.
    pub(super) fn erase_stored(&mut self, id: &MessageId, context: &mut Context<'_>) {
        if self.people.erasing.contains_key(id) {
            self.erase_told(context);
        }
    }

    /// What a newcomer must know of people, in parts that each fit a message.
    pub(super) fn snapshot_of_people(&self) -> Vec<SnapshotPart> {
        /// Rows of one part: with the longest notes well within one head and its bodies.
        const PART_ROWS_MAX: usize = 20;
        let part = SnapshotPart::default;
        let People {
            board,
            notes,
            blocks,
            ..
        } = &self.people;
        let (rows, notes) = (board.told(), notes.told());
        let rows = rows.chunks(PART_ROWS_MAX).map(|rows| SnapshotPart {
            board: rows.to_vec(),
            ..part()
        });
        let notes = notes.chunks(PART_ROWS_MAX).map(|notes| SnapshotPart {
            notes: notes.to_vec(),
            ..part()
        });
        let blocked: Vec<_> = { blocks.list().iter() }
            .map(|one| (one.person, one.by))
            .collect();
        let coordinators: Vec<_> = self.coordinators().collect();
        let mut seal_keys = self.board.seal_keys(&coordinators);
        if let Some(DeskContent::SealKey(own)) = self.keys.announce() {
            seal_keys.push((self.me.key.public(), own));
        }
        let first = SnapshotPart {
            seal_keys,
            blocked,
            ..part()
        };
        [first].into_iter().chain(rows).chain(notes).collect()
    }

    /// Coordinators, as their leaves show them.
    fn coordinators(&self) -> impl Iterator<Item = PublicKey> {
        use cobijo_protocol::card::Role;
        let members = self.members().into_iter();
        let coordinators = members.filter(|one| one.role == Role::Coordinator);
        coordinators.map(|one| one.key)
    }
}
