//! What the others say of people.

use cobijo_protocol::{
    card::Role,
    content::{DeskContent, MessageId, SnapshotPart},
    handover::{Block, BoardRow, Over, SealedWord, TeamNotes, Told, Unclaimed, Word},
    keys::PublicKey,
    words::person_alias,
};

use super::{AGAIN_AFTER, About, Again, Entry, Kept, People, Said};
use crate::core::{
    client::{Context, Event},
    desk::{Desk, board::Source},
};

impl Desk {
    /// Takes what is about people; gives back what is not.
    pub(in crate::core::desk) fn hear_of_people(
        &mut self,
        said: &Said<'_>,
        content: DeskContent,
        context: &mut Context<'_>,
    ) -> Option<DeskContent> {
        match content {
            DeskContent::Board(row) => self.hear_row(said, row, context),
            DeskContent::Notes(notes) => self.hear_notes(said, notes, context),
            DeskContent::Over(over) => self.hear_over(said, &over, context),
            DeskContent::Help(person) => self.hear_help(said, person, context),
            DeskContent::Coming(help) if said.author.role == Role::Coordinator => {
                self.hear_coming(said, help, context);
            }
            DeskContent::Unclaimed(unclaimed) => {
                let by = said.author.key;
                self.hear_unclaimed(by, unclaimed, context);
            }
            DeskContent::Word(word) => self.hear_word(said, &word, context),
            DeskContent::Block(block) => self.hear_block(said, &block, context),
            DeskContent::Coming(_) => {}
            DeskContent::Claim(notice) => {
                self.people.calls.claimed(&notice.r);
                return Some(DeskContent::Claim(notice));
            }
            other @ (DeskContent::IntakeKey(_)
            | DeskContent::ToldAgain(_)
            | DeskContent::KeyPackages(_)
            | DeskContent::SealKey(_)
            | DeskContent::DeskKey { .. }
            | DeskContent::Attested(_)
            | DeskContent::Card { .. }
            | DeskContent::Snapshot(_)) => return Some(other),
        }
        None
    }

    fn hear_row(&mut self, said: &Said<'_>, row: BoardRow, context: &mut Context<'_>) {
        let person = row.person;
        let entry = entry(said, row, context);
        if People::take(|people| &mut people.board, &mut self.people, entry) {
            context.event(Event::BoardChanged(person_alias(&person)));
        }
    }

    fn hear_notes(&mut self, said: &Said<'_>, notes: TeamNotes, context: &mut Context<'_>) {
        let person = notes.person;
        let entry = entry(said, notes, context);
        if People::take(|people| &mut people.notes, &mut self.people, entry) {
            context.event(Event::BoardChanged(person_alias(&person)));
        }
    }

    /// Believes it, unless this member is in that conversation and can write there.
    fn hear_over(&mut self, said: &Said<'_>, over: &Over, context: &mut Context<'_>) {
        let person = over.person;
        if self.people.present.contains(&person) {
            context.event(Event::SaidOver {
                alias: said.author.alias.clone(),
                conversation: person_alias(&person),
            });
            self.plan_telling(person, context);
            return;
        }
        let (by, day) = (said.author.key, context.now.day());
        self.people.note_over(person, by, said.clock, day);
        if self.people.drop_all(&person) {
            // What is this member's own may come to others behind the word that it is over.
            self.say_over(person, over.how, context);
        }
    }

    fn plan_telling(&mut self, person: PublicKey, context: &mut Context<'_>) {
        let mut again = self.people.again.iter_mut();
        match again.find(|again| again.person == person) {
            Some(again) if again.is_due => {}
            Some(again) => {
                again.is_due = true;
                again.at = context.now.max(again.at.plus(AGAIN_AFTER));
            }
            None => self.people.again.push(Again {
                person,
                at: context.now,
                is_due: true,
            }),
        }
    }

    fn hear_help(&mut self, said: &Said<'_>, person: PublicKey, context: &mut Context<'_>) {
        if self.people.is_over(&person, said.clock) {
            return;
        }
        let taken_by = self.people.calls.ask(said, person, context.now);
        if taken_by.is_none() && self.role() == Role::Coordinator {
            context.event(Event::HelpAsked {
                alias: said.author.alias.clone(),
                conversation: person_alias(&person),
            });
        }
    }

    fn hear_coming(&mut self, said: &Said<'_>, help: MessageId, context: &mut Context<'_>) {
        let alias = &said.author.alias;
        if let Some(help) = self.people.calls.come(help, alias) {
            context.event(Event::HelpComes {
                alias: alias.clone(),
                conversation: person_alias(&help.person),
            });
        }
    }

    /// Somebody has waited for long, as a member says, or this client saw.
    pub(super) fn hear_unclaimed(
        &mut self,
        by: PublicKey,
        unclaimed: Unclaimed,
        context: &mut Context<'_>,
    ) {
        let minutes = unclaimed.minutes;
        let row = self.shift.row_of(&unclaimed.r);
        let now = context.now;
        let is_news = self.people.calls.note_unclaimed(by, unclaimed, now);
        if is_news && self.role() == Role::Coordinator {
            context.event(Event::Unclaimed { row, minutes });
        }
    }

    fn hear_word(&mut self, said: &Said<'_>, sealed: &SealedWord, context: &mut Context<'_>) {
        if sealed.to != self.me.key.public() || self.role() != Role::Coordinator {
            return;
        }
        let author = &said.author.key;
        let Some(word) = self.keys.open_word(author, &sealed.to, &sealed.sealed) else {
            return;
        };
        let alias = said.author.alias.clone();
        let (words, now) = (&mut self.people.words, context.now);
        words.keep(*author, &alias, word.clone(), now);
        context.event(match word {
            Word::Talk => Event::WantsToTalk { alias },
            Word::Debrief(text) => Event::Debrief { alias, text },
        });
    }

    /// Believes it, unless this member is in that conversation and can write there.
    fn hear_block(&mut self, said: &Said<'_>, block: &Block, context: &mut Context<'_>) {
        if block.blocked && self.people.present.contains(&block.person) {
            return;
        }
        let (author, day) = (said.author, context.now.day());
        let coordinates = author.role == Role::Coordinator;
        let blocks = &mut self.people.blocks;
        if !blocks.take(block, author.key, coordinates, day) {
            return;
        }
        self.shift
            .pass_over(self.people.blocks.people(), context.now);
        if self.role() == Role::Coordinator {
            context.event(Event::Blocked {
                alias: author.alias.clone(),
                conversation: person_alias(&block.person),
                blocked: block.blocked,
            });
        }
        context.event(Event::QueueChanged);
    }

    /// What a snapshot tells of people, beyond what is known.
    pub(in crate::core::desk) fn hear_told(
        &mut self,
        part: &mut SnapshotPart,
        author: &cobijo_protocol::card::Attestation,
        context: &mut Context<'_>,
    ) {
        let today = context.now.day();
        let from = Source::Retold(author.key);
        for told in std::mem::take(&mut part.board) {
            let board: fn(&mut People) -> &mut Kept<BoardRow> = |people| &mut people.board;
            People::take(board, &mut self.people, retold(told, from, today));
        }
        for told in std::mem::take(&mut part.notes) {
            let notes: fn(&mut People) -> &mut Kept<TeamNotes> = |people| &mut people.notes;
            People::take(notes, &mut self.people, retold(told, from, today));
        }
        if author.role == Role::Coordinator {
            let coordinators: Vec<_> = self.coordinators().collect();
            for (key, seal_key) in std::mem::take(&mut part.seal_keys) {
                let is_known = !self.board.seal_keys(&[key]).is_empty();
                if coordinators.contains(&key) && !is_known {
                    self.board.learn_seal_key(key, seal_key);
                }
            }
        }
        for (person, by) in std::mem::take(&mut part.blocked) {
            let blocked = true;
            let is_here = self.members().iter().any(|one| one.key == by);
            if is_here && !self.people.present.contains(&person) {
                let block = Block { person, blocked };
                self.people.blocks.take(&block, by, false, today);
            }
        }
        self.shift
            .pass_over(self.people.blocks.people(), context.now);
    }

    /// Somebody was removed: whom she blocked may come again.
    pub(in crate::core::desk) fn end_blocks_of(
        &mut self,
        member: &PublicKey,
        context: &mut Context<'_>,
    ) {
        self.people.blocks.end_of(member);
        self.shift
            .pass_over(self.people.blocks.people(), context.now);
    }
}

fn entry<T: About>(said: &Said<'_>, what: T, context: &Context<'_>) -> Entry<T> {
    Entry {
        id: said.id,
        from: Source::Author(said.author.key),
        clock: said.clock,
        day: context.now.day(),
        what,
    }
}

fn retold<T>(told: Told<T>, from: Source, today: cobijo_protocol::Day) -> Entry<T> {
    Entry {
        id: told.id,
        from,
        clock: 0,
        day: told.day.min(today),
        what: told.what,
    }
}
