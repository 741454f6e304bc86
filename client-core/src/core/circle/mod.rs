//! A circle: several persons under pseudonyms, and one or two facilitators; or a side room of members alone.
//! [O-1], [O-6]
//!
//! Wraps the group like a conversation. There are no proposals, no wipes and no return leaves here: a
//! facilitator lets people in, and lets them in again.

pub(crate) mod folding;
mod leading;
mod reading;

use std::collections::{BTreeSet, VecDeque};

use cobijo_protocol::{
    card::{Attested, Card},
    circle::{About, CircleContent, CircleInvite},
    commit::{POLICY, Profile, Statement, Terms},
    content::{Content, MessageId},
    credential::{Credential, Identity},
    keys::{PublicKey, SecretKey},
    words::WordIndices,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{
    claim::Me,
    client::{ConversationEvent, Entry, EntryContent, EntryState, MemberView, Stopped},
    conversation::{ConversationError, stopped},
    erasing::Erasing,
    group::{Change, Group, Member},
    history::{History, speaker},
    port::{Now, Rng, Seen, Wants},
};
use leading::Leading;

pub use leading::{Asking, NotLetIn};

/// A circle, or a side room.
#[derive(Serialize, Deserialize)]
pub struct Circle {
    group: Group,
    /// Her key here, on a person's side.
    person: Option<SecretKey>,
    kind: Kind,
    history: History,
    /// A facilitator's side of it.
    leading: Option<Leading>,
    /// Members who are not among the posters of the desk's card, as a person's client has seen.
    former: BTreeSet<PublicKey>,
    left: bool,
    #[serde(skip)]
    events: VecDeque<ConversationEvent>,
}

/// What it is for.
#[derive(Clone, Serialize, Deserialize)]
enum Kind {
    /// Its facilitator has not said it yet.
    Untold,
    /// Peer support.
    Peers(About),
    /// Members of the desk consult about the conversation of this group id. [O-8]
    Side(ByteBuf),
}

impl Circle {
    /// Makes a circle, with another facilitator if there is to be one. [O-1]
    ///
    /// # Errors
    /// [`ConversationError::Group`] where it can't be made.
    pub fn create(
        me: &Me,
        second: Option<PublicKey>,
        about: About,
        now: Now,
        rng: &mut Rng,
    ) -> Result<Self, ConversationError> {
        let own = me.key.public();
        let facilitators = std::iter::once(own).chain(second).collect();
        Self::found(me, facilitators, Kind::Peers(about), now, rng)
    }

    /// Opens a side room about the conversation of this group id. [O-8]
    ///
    /// # Errors
    /// [`ConversationError::Group`] where it can't be made.
    pub fn open_side(
        me: &Me,
        conversation: &[u8],
        now: Now,
        rng: &mut Rng,
    ) -> Result<Self, ConversationError> {
        let kind = Kind::Side(ByteBuf::from(conversation));
        Self::found(me, vec![me.key.public()], kind, now, rng)
    }

    fn found(
        me: &Me,
        facilitators: Vec<PublicKey>,
        kind: Kind,
        now: Now,
        rng: &mut Rng,
    ) -> Result<Self, ConversationError> {
        let terms = Terms {
            profile: Profile::Circle,
            policy: POLICY,
            root: me.root,
            facilitators,
            predecessor: None,
        };
        let credential = Credential::Member(me.attested.clone());
        let group = Group::create(me.suite, terms, me.key.clone(), &credential, now, rng)?;
        let mut circle = Self::of(group, None, kind);
        circle.lead(rng);
        Ok(circle)
    }

    /// A person's side, from the group that she joined.
    pub fn of_person(group: Group, person: SecretKey, about: About) -> Self {
        Self::of(group, Some(person), Kind::Peers(about))
    }

    /// A member's side.
    pub fn of_member(group: Group, rng: &mut Rng) -> Self {
        let mut circle = Self::of(group, None, Kind::Untold);
        circle.lead(rng);
        circle
    }

    fn of(group: Group, person: Option<SecretKey>, kind: Kind) -> Self {
        Self {
            group,
            person,
            kind,
            history: History::default(),
            leading: None,
            former: BTreeSet::new(),
            left: false,
            events: VecDeque::new(),
        }
    }

    /// Begins to lead, where the terms name this member.
    fn lead(&mut self, rng: &mut Rng) {
        let own = self.group.own_key();
        if self.person.is_none() && self.facilitates(&own) {
            self.leading = Some(Leading::new(rng));
            self.note_facilitators(rng);
        }
    }

    fn facilitates(&self, key: &PublicKey) -> bool {
        self.group.terms().facilitators.contains(key)
    }

    /// The MLS group id.
    pub fn group_id(&self) -> &[u8] {
        self.group.id()
    }

    /// What it is; nothing for a side room, and before it was said.
    pub fn about(&self) -> Option<&About> {
        match &self.kind {
            Kind::Peers(about) => Some(about),
            Kind::Side(_) | Kind::Untold => None,
        }
    }

    /// The group id of the conversation that a side room is about.
    pub fn side_of(&self) -> Option<&[u8]> {
        match &self.kind {
            Kind::Side(conversation) => Some(conversation),
            Kind::Peers(_) | Kind::Untold => None,
        }
    }

    /// Whether its facilitator has said what it is.
    pub fn is_told(&self) -> bool {
        !matches!(self.kind, Kind::Untold)
    }

    /// Whether this member facilitates it.
    pub fn leads(&self) -> bool {
        self.leading.is_some()
    }

    /// All lines, in order.
    pub fn history(&self) -> &[Entry] {
        self.history.entries()
    }

    /// Who is here, at all times.
    pub fn members(&self) -> Vec<MemberView> {
        let own = self.group.own_key();
        let view = |member: Member| MemberView {
            speaker: speaker(&member.identity),
            key: member.key,
            own: member.key == own,
            arriving: member.is_arriving,
            former: self.former.contains(&member.key),
        };
        self.group.members().into_iter().map(view).collect()
    }

    /// Six words to compare elsewhere.
    pub fn code(&self) -> WordIndices {
        self.group.code()
    }

    /// Why it can't be followed any more.
    pub fn stopped(&self) -> Option<Stopped> {
        self.group.stop().map(stopped)
    }

    /// Whether nothing of it goes on for this client, whatever a later connection says.
    pub fn is_over(&self) -> bool {
        self.group.is_over()
    }

    /// Whether it can be written in.
    pub fn is_open(&self) -> bool {
        self.group.stop().is_none() && !self.left
    }

    /// Says something.
    ///
    /// # Errors
    /// [`ConversationError`] where it is too long, or it can't be written in.
    pub fn say(&mut self, text: &str, now: Now, rng: &mut Rng) -> Result<(), ConversationError> {
        self.check_open()?;
        let id = self.group.send(Content::Text(text.to_owned()), rng)?;
        let own = self.group.own_leaf();
        let members = self.group.members();
        let me = members.iter().find(|member| member.leaf == own);
        self.insert(Entry {
            id: Some(id),
            clock: self.group.clock(),
            at: now,
            author: me.map(|me| speaker(&me.identity)),
            own: true,
            content: EntryContent::Text(text.to_owned()),
            state: EntryState::Sending,
        });
        Ok(())
    }

    /// Leaves without a word: nothing of it is kept here, but what says so. [O-6]
    pub fn leave(&mut self) {
        self.forget();
        self.group.leave(self.person.clone());
    }

    /// Keeps nothing that was said in it.
    pub fn forget(&mut self) {
        self.left = true;
        self.history = History::default();
        self.leading = None;
        self.events.clear();
    }

    /// What erases this member's own messages at the relay.
    pub(crate) fn take_own_erase_keys(&mut self) -> Erasing {
        self.group.take_own_erase_keys()
    }

    /// A facilitator removes somebody. [O-6]
    ///
    /// # Errors
    /// [`ConversationError::NotFacilitator`], or [`ConversationError::Unknown`].
    pub fn remove(&mut self, member: PublicKey) -> Result<(), ConversationError> {
        self.check_leads()?;
        let own = self.group.own_key();
        let is_here = self.group.members().iter().any(|one| one.key == member);
        if !is_here || member == own {
            return Err(ConversationError::Unknown);
        }
        self.request_removal(vec![member]);
        Ok(())
    }

    /// Whoever opened a side room ends it for all: everyone goes. [O-8]
    pub fn end_side(&mut self) {
        let own = self.group.own_key();
        let keys = self.group.members().into_iter().map(|member| member.key);
        let others: Vec<_> = keys.filter(|key| *key != own).collect();
        self.forget();
        if !others.is_empty() {
            self.request_removal(others);
        }
    }

    /// Whether nobody else is here.
    pub fn is_alone(&self) -> bool {
        self.group.members().len() == 1
    }

    /// Whether what was asked for has been committed.
    pub fn has_committed(&self) -> bool {
        self.group.has_committed()
    }

    fn request_removal(&mut self, removes: Vec<PublicKey>) {
        self.group.request(Change {
            removes,
            ..Change::default()
        });
    }

    /// Acts on a statement that came another way, e.g. a removal from the desk.
    pub fn learn(&mut self, statement: Statement, now: Now) {
        self.group.learn(statement, now);
    }

    /// A person's client has fetched a card whose signatures hold. [O-6]
    pub fn handle_card(&mut self, card: &Card) {
        let is_gone = |member: &Member| {
            member.identity.is_member() && !card.body.posters.contains(&member.key)
        };
        let members = self.group.members().into_iter();
        let gone: Vec<Member> = members.filter(is_gone).collect();
        for member in &gone {
            if !self.former.contains(&member.key) {
                let who = speaker(&member.identity);
                self.events
                    .push_back(ConversationEvent::NoLongerAtDesk(who));
            }
        }
        self.former = gone.into_iter().map(|member| member.key).collect();
    }

    fn check_open(&self) -> Result<(), ConversationError> {
        if self.is_open() {
            Ok(())
        } else {
            Err(ConversationError::Stopped)
        }
    }

    fn check_leads(&self) -> Result<(), ConversationError> {
        self.check_open()?;
        if self.leads() {
            Ok(())
        } else {
            Err(ConversationError::NotFacilitator)
        }
    }

    /// What is wanted from the relay.
    pub fn wants(&self, wants: &mut Wants) {
        self.group.wants(wants);
    }

    /// Takes what the relay said.
    pub fn handle_seen(&mut self, seen: &Seen, now: Now, rng: &mut Rng) {
        self.group.handle_seen(seen, now, rng);
        self.drain(now, rng);
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Now> {
        self.group.poll_timeout()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Now, rng: &mut Rng) {
        self.group.handle_timeout(now, rng);
        self.drain(now, rng);
    }

    /// What is to be told.
    pub fn poll_event(&mut self) -> Option<ConversationEvent> {
        self.events.pop_front()
    }

    fn insert(&mut self, entry: Entry) {
        if self.history.insert(entry.clone()) {
            self.events.push_back(ConversationEvent::Entry(entry));
        }
    }

    fn tell(&mut self, content: CircleContent, rng: &mut Rng) {
        // It was short enough when it was made.
        let _fits = self.group.send(Content::Circle(content), rng);
    }
}

impl std::fmt::Debug for Circle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Circle").finish_non_exhaustive()
    }
}
