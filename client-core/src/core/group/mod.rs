//! A group: one MLS history, agreed on over a relay that doesn't know it.
//!
//! The owner routes: what the relay says goes to the commit contest, the streams, the outbox and the
//! Welcome heads; then `advance` takes the steps that have become possible. Every step that
//! the outside can see is saved before it is seen, because [`Group::wants`] is derived from the state.
//!
//! * `judge`: the three verdicts on what stands in a commit slot
//! * `close`: reading every stream to its end, and going on to the next epoch
//! * `build`: commits of one's own
//! * `read`: what messages say
//! * `following`: whether this member follows at all
//! * `wiping`: ending it for everybody, and what erases its messages
//! * `silence`: the leaf that a person comes back by

mod build;
mod close;
mod event;
mod following;
mod judge;
mod read;
mod silence;
mod statements;
mod streams;
mod wiping;

use std::collections::{BTreeSet, VecDeque};

use cobijo_protocol::{
    Day,
    card::{DeskKey, verify_desk_key},
    commit::{Terms, WelcomePayload},
    content::{Content, MessageId},
    credential::{Credential, Identity},
    intake::MessageHash,
    keys::{PublicKey, SecretKey, Signed},
    limits::GROUP_ID_BYTES,
    slot::{Kind, TooLong},
    words::{WordIndices, conversation_code},
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use self::{
    build::{Hygiene, Request},
    close::Closing,
    read::Shown,
    statements::{Learned, Leaving},
};
use super::{
    contest::{Contest, random},
    erasing::EraseKeys,
    outbox::Outbox,
    policy::{Leaf, Presence},
    port::{Now, RelayFacts, Rng, Seen, Wants},
    stream::Stream,
    welcome::WelcomeHead,
};
use crate::mls::{
    MlsError, Suite,
    state::{EpochFacts, Joined, MlsState},
};

pub use build::Change;
pub use event::{Author, GroupEvent, Member, Stop};
pub(crate) use silence::Replaced;
pub(crate) use statements::removed_by;

/// A member's state of one group.
#[derive(Serialize, Deserialize)]
pub struct Group {
    mls: MlsState,
    terms: Terms,
    facts: EpochFacts,
    /// Highest desk serial in any leaf or statement so far.
    desk_serial: u32,
    /// The desk key of that serial.
    desk_key: Option<Signed<DeskKey>>,
    presence: Presence,
    /// Leaves that may not renew again before others have committed. Whoever joins begins with none: the
    /// commit that added her has ended it. [P-29]
    renewed: BTreeSet<u32>,
    /// Who signed the GroupInfo of the Welcome that this member joined by.
    welcomed_by: Option<Identity>,
    /// SHA-256 of the Welcome of the last commit that this member built.
    welcome: Option<MessageHash>,
    /// The head of its first Welcome.
    #[serde(default)]
    welcome_head: Option<ByteBuf>,
    contest: Contest,
    /// The request whose commit stands built in the contest.
    built: Option<Request>,
    closing: Option<Closing>,
    streams: Vec<Stream>,
    outbox: Outbox,
    welcomes: Vec<WelcomeHead>,
    requests: VecDeque<Request>,
    learned: Vec<Learned>,
    shown: Shown,
    /// What erases what was said, as long as it may stand. [E-1]
    #[serde(default)]
    erase_keys: EraseKeys,
    arrived: BTreeSet<PublicKey>,
    hygiene: Hygiene,
    leaving: Option<Leaving>,
    /// It says nothing before a commit of its own has won.
    #[serde(default)]
    is_silent: bool,
    /// A commit of hers that this leaf can't follow: the owner goes on in another.
    #[serde(default)]
    replaced: Option<Replaced>,
    /// Day until which this member has followed.
    caught_up: Day,
    stop: Option<Stop>,
    #[serde(skip)]
    relay: Option<RelayFacts>,
    /// Why this member doesn't follow on this connection: its days say that it was away for too long,
    /// or it says what can't be.
    #[serde(skip)]
    doubt: Option<Stop>,
    #[serde(skip)]
    events: VecDeque<GroupEvent>,
}

/// A group can't be made or used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// openmls refused.
    #[error(transparent)]
    Mls(#[from] MlsError),
    /// The message is too long for one head and its bodies.
    #[error(transparent)]
    TooLong(#[from] TooLong),
}

impl Group {
    /// Makes a group whose only member is this one.
    ///
    /// # Errors
    /// [`GroupError::Mls`] where openmls refuses.
    pub fn create(
        suite: Suite,
        terms: Terms,
        key: SecretKey,
        credential: &Credential,
        now: Now,
        rng: &mut Rng,
    ) -> Result<Self, GroupError> {
        let id: [u8; GROUP_ID_BYTES] = random(rng);
        let mls = MlsState::create(suite, &id, &terms, key, credential, rng)?;
        Ok(Self::new(mls, terms, now.day(), now, rng)?)
    }

    /// Joins; the caller compares the terms and the signer with what it was told.
    pub(crate) fn joined(
        joined: Joined,
        payload: &WelcomePayload,
        now: Now,
        rng: &mut Rng,
    ) -> Option<Self> {
        let mut group = Self::new(
            joined.state,
            joined.terms,
            payload.day.min(now.day()),
            now,
            rng,
        )
        .ok()?;
        let signer = group
            .facts
            .leaves
            .iter()
            .find(|leaf| leaf.index == joined.signer)?;
        group.welcomed_by = Some(signer.identity.clone());
        if let Some(signed) = &payload.desk_key {
            let desk_key = verify_desk_key(signed, &group.terms.root).ok()?;
            group.note_desk_key(desk_key.serial, signed);
        }
        group.hygiene.joined();
        Some(group)
    }

    fn new(
        mut mls: MlsState,
        terms: Terms,
        day: Day,
        now: Now,
        rng: &mut Rng,
    ) -> Result<Self, MlsError> {
        let facts = mls.facts(&terms.root, rng)?;
        let desk_serial = facts
            .leaves
            .iter()
            .filter_map(|leaf| leaf.identity.desk_serial())
            .max();
        let mut group = Self {
            contest: Contest::new(facts.secret.clone(), Kind::Commit, 0),
            desk_serial: desk_serial.unwrap_or(0),
            desk_key: facts.desk_key.clone(),
            presence: Presence::Here,
            renewed: BTreeSet::new(),
            welcomed_by: None,
            welcome: None,
            welcome_head: None,
            built: None,
            closing: None,
            streams: Vec::new(),
            outbox: Outbox::default(),
            welcomes: Vec::new(),
            requests: VecDeque::new(),
            learned: Vec::new(),
            shown: Shown::default(),
            erase_keys: EraseKeys::default(),
            arrived: facts.leaves.iter().map(|leaf| leaf.key).collect(),
            hygiene: Hygiene::new(now),
            leaving: None,
            is_silent: false,
            replaced: None,
            caught_up: day,
            stop: None,
            relay: None,
            doubt: None,
            events: VecDeque::new(),
            mls,
            terms,
            facts,
        };
        group.open_streams();
        Ok(group)
    }

    /// The MLS group id.
    pub fn id(&self) -> &[u8] {
        self.mls.group()
    }

    /// The present epoch.
    pub fn epoch(&self) -> u64 {
        self.facts.epoch
    }

    /// The group's terms.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The group's suite.
    pub fn suite(&self) -> Suite {
        self.mls.suite()
    }

    /// The own leaf's index.
    pub fn own_leaf(&self) -> u32 {
        self.facts.own_leaf
    }

    /// The own leaf's signature key.
    pub fn own_key(&self) -> PublicKey {
        self.mls.key().public()
    }

    /// Highest desk serial that this group has seen.
    pub fn desk_serial(&self) -> u32 {
        self.desk_serial
    }

    /// Day until which this member has followed.
    pub fn caught_up(&self) -> Day {
        self.caught_up
    }

    /// Who signed the GroupInfo of the Welcome that this member joined by; nobody for the creator.
    pub fn welcomed_by(&self) -> Option<&Identity> {
        self.welcomed_by.as_ref()
    }

    /// SHA-256 and head of the Welcome of the last commit that this member built, as a reply names them. Its
    /// bodies stand once [`Self::has_committed`].
    pub fn welcome(&self) -> Option<(MessageHash, &[u8])> {
        Some((self.welcome?, self.welcome_head.as_deref()?))
    }

    /// Whether every commit that was requested has won. Heads of Welcomes may still be on their way.
    pub fn has_committed(&self) -> bool {
        self.requests.is_empty() && self.built.is_none() && self.closing.is_none()
    }

    /// Lamport clock of what was said or heard last.
    pub fn clock(&self) -> u64 {
        self.shown.clock()
    }

    /// Goes on from the clock of an earlier stay in this group: its first line would else stand above all that
    /// was said.
    pub(crate) fn go_on_from(&mut self, clock: u64) {
        self.shown.hear(clock);
    }

    /// Who is here, by leaf.
    pub fn members(&self) -> Vec<Member> {
        let member = |leaf: &Leaf| Member {
            leaf: leaf.index,
            key: leaf.key,
            identity: leaf.identity.clone(),
            is_arriving: !self.arrived.contains(&leaf.key),
        };
        self.facts.leaves.iter().map(member).collect()
    }

    /// Six words that members of one epoch share, to compare elsewhere.
    pub fn code(&self) -> WordIndices {
        conversation_code(&self.facts.authenticator)
    }

    /// Why this member doesn't follow any more.
    pub fn stop(&self) -> Option<Stop> {
        self.stop.or(self.doubt)
    }

    /// Queues a message; it is sent again over crashes and epochs until it is confirmed.
    ///
    /// # Errors
    /// [`GroupError::TooLong`] where it doesn't fit.
    pub fn send(&mut self, content: Content, rng: &mut Rng) -> Result<MessageId, GroupError> {
        let (id, message) = self.own_message(content, rng)?;
        self.outbox.push(id, message);
        Ok(id)
    }

    /// Queues a message that may not be sent again where a commit cuts it off: then there is
    /// [`GroupEvent::NotSaid`].
    pub(crate) fn send_once(
        &mut self,
        content: Content,
        rng: &mut Rng,
    ) -> Result<MessageId, GroupError> {
        let (id, message) = self.own_message(content, rng)?;
        self.outbox.push_once(id, message);
        Ok(id)
    }

    fn own_message(
        &mut self,
        content: Content,
        rng: &mut Rng,
    ) -> Result<(MessageId, Vec<u8>), GroupError> {
        let salt = MessageId::from_bytes(random(rng));
        let (key, day) = (self.own_key(), self.caught_up);
        let own = self.shown.own_message(salt, content, key, day)?;
        self.hygiene.active();
        Ok(own)
    }

    /// Whether everything that was sent is stored and nothing that was requested is open.
    pub fn is_settled(&self) -> bool {
        let is_silent =
            !self.outbox.is_waiting() && !self.outbox.is_putting() && self.welcomes.is_empty();
        is_silent && self.has_committed()
    }

    /// What this member wants from the relay.
    pub fn wants(&self, wants: &mut Wants) {
        if self.stop().is_some() {
            return;
        }
        if self.replaced.is_some() {
            return self.welcomes.iter().for_each(|head| head.wants(wants));
        }
        if self.closing.is_none() {
            // Commit slots are looked at before message slots.
            self.contest.wants(wants);
        }
        self.welcomes.iter().for_each(|head| head.wants(wants));
        self.outbox.wants(wants);
        self.streams.iter().for_each(|stream| stream.wants(wants));
    }

    /// Takes what the relay said.
    pub fn handle_seen(&mut self, seen: &Seen, now: Now, rng: &mut Rng) {
        if let Seen::Connected(relay) = seen {
            self.connected(*relay, now);
        }
        if self.stop().is_some() {
            return;
        }
        self.welcomes.retain_mut(|head| !head.handle_seen(seen));
        if self.replaced.is_some() {
            return;
        }
        let (secret, leaf) = (self.facts.secret.clone(), self.facts.own_leaf);
        if let Some(id) = self.outbox.handle_seen(seen, &secret, leaf, rng) {
            self.count_own(id);
        }
        self.keep_own_erase_keys(now);
        self.streams
            .iter_mut()
            .for_each(|stream| stream.handle_seen(seen));
        if self.closing.is_none()
            && let Some(candidate) = self.contest.handle_seen(seen)
        {
            self.judge(candidate, rng);
        }
        self.advance(now, rng);
    }

    /// When [`Self::handle_timeout`] is due; at once where something was asked for meanwhile. Where the
    /// relay must speak first, there is nothing to wait for.
    pub fn poll_timeout(&self) -> Option<Now> {
        let is_open = self.closing.is_none() && self.built.is_none() && self.contest.is_free();
        let is_over = self.stop().is_some() || self.replaced.is_some();
        if is_over || !is_open || self.outbox.is_putting() {
            return None;
        }
        let can_seal = self.outbox.is_waiting() && self.outbox.has_room();
        if can_seal || self.has_leave_to_say() {
            return Some(Now::default());
        }
        if self.leaving.is_some() {
            return None;
        }
        if !self.requests.is_empty() {
            return Some(Now::default());
        }
        if self.is_silent {
            return None;
        }
        self.learned
            .iter()
            .map(Learned::due)
            .chain(self.hygiene.due(&self.facts))
            .min()
    }

    /// Does what has become due.
    pub fn handle_timeout(&mut self, now: Now, rng: &mut Rng) {
        if self.stop().is_none() {
            self.advance(now, rng);
        }
    }

    /// What happened.
    pub fn poll_event(&mut self) -> Option<GroupEvent> {
        self.events.pop_front()
    }

    /// Takes every step that is possible now.
    fn advance(&mut self, now: Now, rng: &mut Rng) {
        while self.stop.is_none() && self.replaced.is_none() {
            if let Some(closing) = self.closing.take() {
                match self.close(closing, now, rng) {
                    None => continue,
                    still_open => self.closing = still_open,
                }
                return;
            }
            if self.contest.is_free() {
                self.read_live(now, rng);
                self.catch_up(now);
                self.say_leave(rng);
                self.request_what_is_due(now);
                self.build_next(rng);
                self.seal_next(rng);
                self.keep_own_erase_keys(now);
            }
            return;
        }
    }

    fn seal_next(&mut self, rng: &mut Rng) {
        if self.built.is_some() || self.stop.is_some() {
            return;
        }
        let Self {
            outbox, mls, facts, ..
        } = self;
        let sealed = outbox.seal_next(&facts.secret, facts.own_leaf, rng, |message, rng| {
            mls.encrypt(message, rng)
        });
        if sealed.is_err() {
            self.stop_for(Stop::Broken);
        }
    }

    /// Keeps the desk key of the highest serial, for newcomers.
    fn note_desk_key(&mut self, serial: u32, signed: &Signed<DeskKey>) {
        if serial > self.desk_serial {
            self.desk_serial = serial;
            self.desk_key = Some(signed.clone());
        }
    }

    fn leaf(&self, index: u32) -> Option<&Leaf> {
        self.facts.leaves.iter().find(|leaf| leaf.index == index)
    }
}

impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Group").finish_non_exhaustive()
    }
}
