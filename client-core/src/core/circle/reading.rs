//! What the group tells, turned into lines and events.

use super::{
    Circle, CircleContent, Content, ConversationEvent, Entry, EntryContent, EntryState, Identity,
    Kind, MessageId, Now, Rng, speaker, stopped,
};
use crate::core::group::{Author, GroupEvent};

impl Circle {
    pub(super) fn drain(&mut self, now: Now, rng: &mut Rng) {
        while let Some(event) = self.group.poll_event() {
            self.handle_group_event(event, now, rng);
        }
        if self.left {
            self.events.clear();
        }
    }

    fn handle_group_event(&mut self, event: GroupEvent, now: Now, rng: &mut Rng) {
        match event {
            GroupEvent::Message {
                author,
                id,
                clock,
                content,
            } => self.handle_message(&author, id, clock, content, now),
            GroupEvent::Stored { id, clock } => {
                self.history.place(id, clock);
                self.events.push_back(ConversationEvent::Stored(id));
            }
            GroupEvent::Unconfirmed { id } => {
                self.history.set_state(id, EntryState::NotConfirmed);
                self.events.push_back(ConversationEvent::Unconfirmed(id));
            }
            GroupEvent::Confirmed { id, clock } => {
                self.history.place(id, clock);
                self.events.push_back(ConversationEvent::Confirmed(id));
            }
            GroupEvent::NotSaid { .. } => {}
            GroupEvent::Withdrawn { id } => {
                self.history.withdraw(id);
                self.events.push_back(ConversationEvent::Withdrawn(id));
            }
            GroupEvent::Missing { author } => {
                self.note(EntryContent::Missing(speaker(&author.identity)), now);
            }
            GroupEvent::Changed {
                by, added, removed, ..
            } => {
                let own = self.group.own_key();
                let by_me = by.is_some_and(|by| by.key == own);
                self.welcome(by_me, &added, rng);
                let removed: Vec<_> = removed.into_iter().map(|(identity, _)| identity).collect();
                self.handle_changed(&added, &removed, now);
            }
            GroupEvent::Refused(_) => {
                self.nobody_comes();
                self.events.push_back(ConversationEvent::ChangeRefused);
            }
            GroupEvent::Blocking { .. } => self.events.push_back(ConversationEvent::Blocking),
            GroupEvent::VoidCommit { author } => {
                let content = EntryContent::NotAllowed(speaker(&author.identity));
                // A member can write void commits for ever.
                if self.history.entries().last().map(|entry| &entry.content) != Some(&content) {
                    self.note(content, now);
                }
            }
            GroupEvent::Stopped(stop) => self
                .events
                .push_back(ConversationEvent::Stopped(stopped(stop))),
        }
    }

    fn handle_message(
        &mut self,
        author: &Author,
        id: MessageId,
        clock: u64,
        content: Content,
        now: Now,
    ) {
        if self.left {
            return;
        }
        // What else is said in conversations and desks has no meaning here.
        if let Content::Text(text) = content {
            self.insert(Entry {
                id: Some(id),
                clock,
                at: now,
                author: Some(speaker(&author.identity)),
                own: false,
                content: EntryContent::Text(text),
                state: EntryState::Stored,
            });
        } else if let Content::Circle(said) = content
            && self.facilitates(&author.key)
        {
            self.learn_kind(said);
        }
    }

    /// What it is, by a facilitator: a side room becomes no circle, and no circle a side room. [O-1], [O-8]
    fn learn_kind(&mut self, said: CircleContent) {
        match (&self.kind, said) {
            (Kind::Untold | Kind::Peers(_), CircleContent::About(about)) if about.fits() => {
                self.kind = Kind::Peers(about);
            }
            (Kind::Untold, CircleContent::Side(conversation)) => {
                self.kind = Kind::Side(conversation);
            }
            _ => return,
        }
        self.events.push_back(ConversationEvent::MembersChanged);
    }

    fn handle_changed(&mut self, added: &[Identity], removed: &[Identity], now: Now) {
        self.events.push_back(ConversationEvent::CodeChanged);
        if added.is_empty() && removed.is_empty() {
            return;
        }
        let same = |one: &Identity, other: &Identity| {
            one.person_or_attested_key() == other.person_or_attested_key()
        };
        for came in added {
            let who = speaker(came);
            // She goes on from another device: all may know, who can't tell whose it is.
            self.note(
                if removed.iter().any(|went| same(went, came)) {
                    EntryContent::OtherKey(who)
                } else {
                    EntryContent::Joined(who)
                },
                now,
            );
        }
        for went in removed {
            if !added.iter().any(|came| same(came, went)) {
                self.note(EntryContent::Left(speaker(went)), now);
            }
        }
        self.events.push_back(ConversationEvent::MembersChanged);
    }

    fn note(&mut self, content: EntryContent, now: Now) {
        if self.left {
            return;
        }
        let entry = self.history.note(content, now);
        self.events.push_back(ConversationEvent::Entry(entry));
    }
}
