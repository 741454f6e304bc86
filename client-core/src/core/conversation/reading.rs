//! What the group tells, turned into lines and events.

use cobijo_protocol::{
    card::Card,
    content::{Content, MessageId},
    credential::{Identity, PersonLeaf},
};

use super::{
    Conversation,
    proposals::{self, Proposed},
    speaker,
};
use crate::core::{
    client::{
        ConversationEvent, Entry, EntryContent, EntryState, FileNumber, Next, ShiftEnd, Speaker,
        Stopped,
    },
    file::view_of,
    group::{Author, GroupEvent, Stop},
    port::Now,
};

impl Conversation {
    pub(super) fn drain(&mut self, now: Now) {
        while let Some(event) = self.group.poll_event() {
            self.handle_group_event(event, now);
        }
        self.end_return();
    }

    fn handle_group_event(&mut self, event: GroupEvent, now: Now) {
        match event {
            GroupEvent::Message {
                author,
                id,
                clock,
                content,
            } => {
                self.handle_message(&author, id, clock, content, now);
            }
            GroupEvent::Stored { id, clock } => {
                self.history.place(id, clock);
                self.summary.set_state(id, EntryState::Stored);
                self.events.push_back(ConversationEvent::Stored(id));
                self.note_closing_stored(id);
            }
            GroupEvent::Unconfirmed { id } => {
                self.history.set_state(id, EntryState::NotConfirmed);
                self.summary.set_state(id, EntryState::NotConfirmed);
                self.events.push_back(ConversationEvent::Unconfirmed(id));
            }
            GroupEvent::Confirmed { id, clock } => {
                self.history.place(id, clock);
                self.summary.set_state(id, EntryState::Stored);
                self.events.push_back(ConversationEvent::Confirmed(id));
            }
            GroupEvent::NotSaid { id, .. } => self.summary_not_said(id, now),
            GroupEvent::Withdrawn { id } => {
                self.history.withdraw(id);
                self.events.push_back(ConversationEvent::Withdrawn(id));
            }
            GroupEvent::Missing { author } => {
                self.note(EntryContent::Missing(speaker(&author.identity)), now)
            }
            GroupEvent::Changed {
                by, added, removed, ..
            } => {
                if by
                    .as_ref()
                    .is_some_and(|by| matches!(by.identity, Identity::Person(_)))
                {
                    self.heard_her = now;
                }
                // The one by which she comes back now is not what she did last.
                let own = self.group.own_key();
                if by.is_some_and(|by| by.key != own && self.is_hers(&by.identity)) {
                    self.heard_commit();
                }
                let removed: Vec<_> = removed.into_iter().map(|(identity, _)| identity).collect();
                self.handle_changed(&added, &removed, now);
            }
            GroupEvent::Refused(_) => {
                self.stop_handing();
                self.events.push_back(ConversationEvent::ChangeRefused);
            }
            GroupEvent::Blocking { .. } => self.events.push_back(ConversationEvent::Blocking),
            GroupEvent::VoidCommit { author } => {
                self.note_once(EntryContent::NotAllowed(speaker(&author.identity)), now);
            }
            GroupEvent::Stopped(stop) => {
                if matches!(stop, Stop::Removed | Stop::Returned) {
                    self.forget_return();
                }
                self.events
                    .push_back(ConversationEvent::Stopped(stopped(stop)));
            }
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
        if matches!(author.identity, Identity::Person(_)) {
            self.heard_her = now;
        }
        if self.left {
            return;
        }
        if matches!(content, Content::Closing) {
            return self.hear_closing(author, now);
        }
        let own = self.is_hers(&author.identity);
        self.heard(clock, own);
        if let Content::Circle(content) = content {
            return self.hear_about_circle(author, id, content);
        }
        if let Content::Summary { version, text } = content {
            return self.hear_summary(author, (id, clock), (version, text));
        }
        let line = self.line(&content);
        let Some(line) = line else { return };
        let entry = Entry {
            id: Some(id),
            clock,
            at: now,
            author: Some(speaker(&author.identity)),
            own,
            content: line,
            state: EntryState::Stored,
        };
        match (content, &author.identity) {
            (Content::Proposal(_) | Content::ShiftEnds { .. }, Identity::Person(_))
            | (Content::Refusal { .. }, Identity::Member { .. }) => {}
            (
                Content::Proposal(proposal)
                | Content::ShiftEnds {
                    next: Some(proposal),
                    ..
                },
                Identity::Member { attestation, .. },
            ) if self.person.is_some() => {
                let proposer = attestation.key;
                self.take_proposal(Proposed {
                    id,
                    proposer,
                    proposal,
                    entry,
                });
            }
            (Content::File(file), _) => self.hear_file(&file, author.key, entry),
            (Content::Refusal { proposal }, Identity::Person(_)) => {
                // She may have said it on another device.
                self.proposals.forget_refused(proposal);
                self.is_refused(proposal);
                self.insert(entry);
            }
            _ => self.insert(entry),
        }
    }

    fn take_proposal(&mut self, proposed: Proposed) {
        let (suite, root, members) = (
            self.group.suite(),
            self.group.terms().root,
            self.group.members(),
        );
        let has_spoken = self.history.has_text_of(proposed.entry.author.as_ref());
        let is_fitting = proposed.fits(&root, has_spoken);
        let dropped = if is_fitting {
            self.proposals.take(proposed, suite, &root, &members)
        } else {
            Some(proposed.entry)
        };
        if let Some(entry) = dropped.and_then(proposals::without_next) {
            self.insert(entry);
        }
    }

    /// Whether a card is to be fetched and given to [`Self::handle_card`].
    pub fn needs_card(&self, now: Now) -> bool {
        self.card_due().is_some_and(|due| due <= now)
    }

    /// Her side looks for itself, as long as anybody can read what she writes.
    pub(super) fn looks_for_former(&self) -> bool {
        self.person.is_some() && self.is_open()
    }

    /// A card was fetched whose signatures hold: it tells who is of the desk, who may propose, and whom.
    ///
    pub fn handle_card(&mut self, card: &Card, now: Now) {
        if self.looks_for_former() {
            for key in self.former.handle_card(card, &self.roster(), now) {
                let members = self.group.members();
                let former = members.iter().find(|member| member.key == key);
                let event = former.map(|member| speaker(&member.identity));
                self.events
                    .extend(event.map(ConversationEvent::NoLongerAtDesk));
            }
        }
        let (suite, root) = (self.group.suite(), self.group.terms().root);
        let may_add = !self.is_handing();
        let looked = self.proposals.handle_card(card, suite, &root, may_add, now);
        for (id, entry) in looked.shown {
            self.insert(entry);
            self.events.push_back(ConversationEvent::Proposed(id));
        }
        for entry in looked.dropped {
            self.insert(entry);
        }
        if let Some((offered, agreed)) = looked.added {
            self.add(&offered, agreed);
        }
        for _ in 0..looked.refused {
            self.events.push_back(ConversationEvent::NotAdded);
        }
    }

    /// No card came: later again.
    pub fn postpone_card(&mut self, now: Now) {
        self.proposals.postpone_card(now);
        self.former.postpone(now);
    }

    fn handle_changed(&mut self, added: &[Identity], removed: &[Identity], now: Now) {
        self.events.push_back(ConversationEvent::CodeChanged);
        if added.is_empty() && removed.is_empty() {
            return;
        }
        self.proposals.drop_present(&self.group.members());
        self.note_readers(added, removed);
        // Whose leaf was replaced under the same key neither came nor went.
        let has = |identities: &[Identity], one: &Identity| {
            let key = one.person_or_attested_key();
            { identities.iter() }.any(|other| other.person_or_attested_key() == key)
        };
        let here = self.group.members().into_iter();
        let here: Vec<Identity> = here.map(|member| member.identity).collect();
        // A return leaf is silent: nobody comes by it. [B-9]
        let is_silent = |identity: &Identity| matches!(identity, Identity::Person(hers) if hers.leaf == PersonLeaf::Return);
        let shown = added.iter().filter(|came| !is_silent(came));
        for came in shown.filter(|came| !has(removed, came)) {
            let who = speaker(came);
            // A name proves nothing: the desk may have given it to somebody else.
            let same = { removed.iter() }.any(|old| speaker(old) == who);
            self.note(
                if same {
                    EntryContent::OtherKey(who)
                } else {
                    EntryContent::Joined(who)
                },
                now,
            );
        }
        let came: Vec<Speaker> = added.iter().map(speaker).collect();
        for went in removed.iter().filter(|went| !has(&here, went)) {
            let who = speaker(went);
            if !came.contains(&who) {
                self.note(EntryContent::Left(who), now);
            }
        }
        if self.person.is_none() && is_other_device(removed, &here) {
            self.owe_summary(now);
            self.note(EntryContent::OtherDevice, now);
        }
        self.events.push_back(ConversationEvent::MembersChanged);
    }

    /// Whether that is she herself, on her own side.
    pub(super) fn is_hers(&self, identity: &Identity) -> bool {
        self.person.is_some() && matches!(identity, Identity::Person(_))
    }

    /// Whoever has left is shown nothing more, also where the others never let her go.
    pub(super) fn note(&mut self, content: EntryContent, now: Now) {
        if self.left {
            return;
        }
        let entry = self.history.note(content, now);
        self.events.push_back(ConversationEvent::Entry(entry));
    }

    /// A line that says no more when it is said again at once: a member can write void commits for ever.
    pub(super) fn note_once(&mut self, content: EntryContent, now: Now) {
        if self.history.entries().last().map(|entry| &entry.content) != Some(&content) {
            self.note(content, now);
        }
    }

    pub(super) fn insert(&mut self, entry: Entry) {
        if self.history.insert(entry.clone()) {
            self.events.push_back(ConversationEvent::Entry(entry));
        }
    }

    /// How a message is shown; nothing for what only clients read.
    pub(super) fn line(&self, content: &Content) -> Option<EntryContent> {
        match content {
            Content::Text(text) => Some(EntryContent::Text(text.clone())),
            Content::Refusal { proposal } => Some(EntryContent::Refusal(*proposal)),
            Content::Proposal(proposal) => {
                let (attestation, _) = proposal.member.verify(&self.group.terms().root).ok()?;
                Some(EntryContent::Proposal {
                    alias: attestation.alias,
                    role: attestation.role,
                    purpose: proposal.purpose,
                    reason: proposal.reason.clone(),
                    reads: proposal.reads,
                })
            }
            Content::File(file) => {
                let view = view_of(file, FileNumber::from_number(0));
                Some(EntryContent::File(Box::new(view)))
            }
            Content::Fingerprint(fingerprint) => {
                Some(EntryContent::Fingerprint(fingerprint.clone()))
            }
            Content::ShiftEnds { at, back, next } => {
                let next = next.as_ref().and_then(|next| {
                    let (attestation, _) = next.member.verify(&self.group.terms().root).ok()?;
                    Some(Next {
                        alias: attestation.alias,
                        role: attestation.role,
                        reason: next.reason.clone(),
                    })
                });
                let ends = ShiftEnd {
                    at: *at,
                    back: *back,
                };
                Some(EntryContent::ShiftEnds { ends, next })
            }
            Content::Closing
            | Content::Summary { .. }
            | Content::Leave(_)
            | Content::Statement(_)
            | Content::Desk(_)
            | Content::Circle(_) => None,
        }
    }
}

/// Whether the leaf that she used, the lowest of hers, is among those that went while she is here.
fn is_other_device(removed: &[Identity], here: &[Identity]) -> bool {
    let lowest = |identities: &[Identity]| {
        let serial = |identity: &Identity| match identity {
            Identity::Person(hers) => Some(hers.serial),
            Identity::Member { .. } => None,
        };
        identities.iter().filter_map(serial).min()
    };
    lowest(removed)
        .zip(lowest(here))
        .is_some_and(|(went, used)| went < used)
}

/// Why a group can't be followed, as it is shown.
pub(crate) fn stopped(stop: Stop) -> Stopped {
    match stop {
        Stop::Broken => Stopped::Broken,
        Stop::Stale => Stopped::Stale,
        Stop::Policy => Stopped::UnknownRules,
        Stop::Removed => Stopped::Removed,
        Stop::Returned => Stopped::Returned,
        Stop::Wiped => Stopped::Wiped,
        Stop::Left => Stopped::Left,
    }
}
