//! One simulated client: a member's state, as it is in memory and as it was last saved.

use std::collections::{BTreeMap, VecDeque};

use cobijo_client_core::core::{
    group::{Group, GroupEvent, Stop},
    joining::Joining,
    port::{Now, Rng, Seen, Wants},
};
use cobijo_protocol::{
    card::Role,
    content::{Content, MessageId},
    credential::{Credential, Identity},
    keys::{PublicKey, SecretKey},
    limits::STALE_MARGIN_DAYS,
};
use rand_core::SeedableRng as _;
use serde::{Deserialize, Serialize};

use super::ledger::LEAVE;
use crate::{
    authority::{Authority, device},
    memory_relay::{ConnectionId, Viewer},
};

/// Milliseconds of a day.
pub const DAY_MILLIS: u64 = 86_400_000;

/// A client and the serial of the leaf that it has: another serial after each rescue.
pub type LeafId = (usize, u32);

/// What a client is to the group.
#[derive(Serialize, Deserialize)]
pub enum State {
    /// Nothing.
    Outside,
    /// It waits for its Welcome.
    Joining(Box<Joining>),
    /// A member.
    Member(Box<Group>),
}

/// A simulated client.
pub struct Client {
    /// Number of it.
    pub id: usize,
    /// `None` for the person.
    pub role: Option<Role>,
    /// Signature key of its present leaf.
    pub key: SecretKey,
    /// The person key; of a member, the attested key.
    pub lasting_key: SecretKey,
    /// Serial of the present leaf's credential.
    pub serial: u32,
    /// What it is, in memory.
    pub state: State,
    /// What it has shown.
    pub log: Log,
    /// Its connection, where one stands.
    pub connection: Option<ConnectionId>,
    /// Whether it is to stay offline.
    pub is_offline: bool,
    /// Days that its clock is ahead.
    pub clock_days: i64,
    /// Whether the relay hides commits from it since it was removed, or from whom it joined by.
    pub is_blinded: bool,
    /// Whether it joined by what the relay said last.
    pub has_just_joined: bool,
    /// Whether it has gone over.
    pub is_traitor: bool,
    /// Last day on which it had read everything, all clocks being right.
    pub caught_day: u64,
    /// Day on which its KeyPackage was offered.
    pub offered_day: u64,
    /// Whether it may have become stale by its absence.
    pub may_be_stale: bool,
    /// Own randomness, never wound back.
    pub rng: Rng,
    saved: (Vec<u8>, Log),
}

/// What a client's screen says, saved together with the group's state.
#[derive(Clone, Default)]
pub struct Log {
    /// Messages, by id.
    pub shown: BTreeMap<MessageId, Shown>,
    /// Ids in the order in which they were first shown.
    pub order: Vec<(PublicKey, MessageId)>,
    /// Erased messages, by author.
    pub missing: BTreeMap<PublicKey, u32>,
    /// Why it stopped.
    pub stop: Option<Stop>,
    /// Refused requests.
    pub refused: Vec<String>,
    /// What should never happen.
    pub faults: Vec<String>,
    /// Void commits with a good signature.
    pub void_commits: u32,
    /// Whether it has asked to leave.
    pub is_leaving: bool,
}

/// A message on a screen.
#[derive(Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its author's key.
    pub author: PublicKey,
    /// What it says.
    pub text: String,
    /// Whether it stands in the history.
    pub standing: Standing,
}

/// Whether a message stands in the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Confirmed,
    /// Not unless it comes again.
    Unconfirmed,
    /// It doesn't, and never will.
    Withdrawn,
}

impl Client {
    /// A client outside.
    pub fn new(id: usize, role: Option<Role>, seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        bytes[31] = u8::try_from(id).unwrap();
        let key = SecretKey::from_bytes(bytes);
        let state = State::Outside;
        Self {
            id,
            role,
            lasting_key: key.clone(),
            key,
            serial: 0,
            saved: (serialize(&state), Log::default()),
            state,
            log: Log::default(),
            connection: None,
            is_offline: false,
            clock_days: 0,
            is_blinded: false,
            has_just_joined: false,
            is_traitor: false,
            caught_day: 0,
            offered_day: 0,
            may_be_stale: false,
            rng: Rng::seed_from_u64(seed.wrapping_mul(1000) + id as u64),
        }
    }

    /// How the relay tells it apart, when it lies.
    pub fn viewer(&self) -> Viewer {
        Viewer(u32::try_from(self.id).unwrap())
    }

    /// Takes a new credential, with a higher serial; a person's has a new key too.
    pub fn renew_credential(&mut self, desk: &mut Authority) -> Credential {
        match self.role {
            Some(role) => {
                let credential = desk.attest(&alias(self.id), role, &self.key.public());
                self.serial = serial_of(&credential);
                credential
            }
            None => {
                self.serial += 1;
                let mut bytes = *self.lasting_key.as_bytes();
                bytes[16..20].copy_from_slice(&self.serial.to_be_bytes());
                bytes[20] = 1;
                self.key = SecretKey::from_bytes(bytes);
                device(&self.lasting_key, self.serial, &self.key.public())
            }
        }
    }

    /// Its present leaf.
    pub fn leaf(&self) -> LeafId {
        (self.id, self.serial)
    }

    /// The group, where it is a member, stopped or not.
    pub fn group(&self) -> Option<&Group> {
        match &self.state {
            State::Member(group) => Some(group),
            State::Outside | State::Joining(_) => None,
        }
    }

    /// The group, where it follows.
    pub fn active(&mut self) -> Option<&mut Group> {
        match &mut self.state {
            State::Member(group) if group.stop().is_none() => Some(group),
            State::Member(_) | State::Outside | State::Joining(_) => None,
        }
    }

    /// Whether it follows a group, honestly.
    pub fn is_active(&self) -> bool {
        !self.is_blinded && self.group().is_some_and(|group| group.stop().is_none())
    }

    /// What it believes the time is.
    pub fn now(&self, millis: u64) -> Now {
        let offset = self.clock_days * i64::try_from(DAY_MILLIS).unwrap();
        Now::from_millis(millis.saturating_add_signed(offset))
    }

    /// What it wants from the relay.
    pub fn wants(&self) -> Wants {
        let mut wants = Wants::default();
        match &self.state {
            State::Outside => {}
            State::Joining(joining) => joining.wants(&mut wants),
            State::Member(group) => group.wants(&mut wants),
        }
        wants
    }

    /// Takes what the relay said.
    pub fn handle_seen(&mut self, seen: &[Seen], millis: u64) {
        let now = self.now(millis);
        for seen in seen {
            if let Seen::Connected(relay) = seen
                && let Some(group) = self.group()
            {
                let away = relay.day.max(now.day()).abs_diff(group.caught_up());
                self.may_be_stale |= away > u32::from(relay.retention_days) - STALE_MARGIN_DAYS;
            }
            let joined = match &mut self.state {
                State::Outside => None,
                State::Joining(joining) => joining.handle_seen(seen, now, &mut self.rng),
                State::Member(group) => {
                    group.handle_seen(seen, now, &mut self.rng);
                    None
                }
            };
            if let Some(group) = joined {
                self.state = State::Member(Box::new(group));
                self.has_just_joined = true;
            }
        }
    }

    /// Does what has become possible or due.
    pub fn handle_timeout(&mut self, millis: u64) {
        let now = self.now(millis);
        if let State::Member(group) = &mut self.state {
            group.handle_timeout(now, &mut self.rng);
        }
    }

    /// Moves what happened to the screen.
    pub fn drain_events(&mut self) {
        let mut events = VecDeque::new();
        if let State::Member(group) = &mut self.state {
            events.extend(std::iter::from_fn(|| group.poll_event()));
        }
        for event in events {
            self.log.take(event);
        }
    }

    /// Makes what is in memory durable.
    pub fn save(&mut self) {
        self.saved = (serialize(&self.state), self.log.clone());
    }

    /// Loses what is in memory.
    pub fn restore(&mut self) {
        self.state = ciborium::from_reader(self.saved.0.as_slice()).unwrap();
        self.log = self.saved.1.clone();
        self.has_just_joined = false;
    }
}

impl Log {
    fn take(&mut self, event: GroupEvent) {
        match event {
            GroupEvent::Message {
                author,
                id,
                content,
                ..
            } => {
                let shown = Shown {
                    author: author.key,
                    text: text_of(&content),
                    standing: Standing::Confirmed,
                };
                self.order.push((author.key, id));
                if self.shown.insert(id, shown).is_some() {
                    self.faults.push("a message was shown twice".to_owned());
                }
            }
            GroupEvent::Unconfirmed { id } => self.stand(id, Standing::Unconfirmed),
            GroupEvent::Confirmed { id, .. } => self.stand(id, Standing::Confirmed),
            GroupEvent::Withdrawn { id } => self.stand(id, Standing::Withdrawn),
            GroupEvent::Missing { author } => *self.missing.entry(author.key).or_default() += 1,
            GroupEvent::Stopped(stop) => self.stop = Some(stop),
            GroupEvent::Refused(rule) => self.refused.push(format!("{rule:?}")),
            GroupEvent::VoidCommit { .. } => self.void_commits += 1,
            GroupEvent::Stored { .. }
            | GroupEvent::NotSaid { .. }
            | GroupEvent::Changed { .. }
            | GroupEvent::Blocking { .. } => {}
        }
    }

    fn stand(&mut self, id: MessageId, standing: Standing) {
        match self.shown.get_mut(&id) {
            Some(shown) => shown.standing = standing,
            None => self
                .faults
                .push(format!("{standing:?} was said of a message never shown")),
        }
    }

    /// Whether a message stands on the screen as part of the history.
    pub fn stands(&self, id: &MessageId) -> bool {
        self.shown
            .get(id)
            .is_some_and(|shown| shown.standing == Standing::Confirmed)
    }
}

/// The alias of a member, from which its number can be read.
pub fn alias(id: usize) -> String {
    format!("member {id}")
}

/// The client and serial of a leaf.
pub fn leaf_id(identity: &Identity) -> LeafId {
    match identity {
        Identity::Member { attestation, .. } => {
            let id = attestation.alias.rsplit(' ').next().unwrap();
            (id.parse().unwrap(), attestation.serial)
        }
        // There is one person, and she is the first client.
        Identity::Person(person) => (0, person.serial),
    }
}

fn serial_of(credential: &Credential) -> u32 {
    match credential {
        Credential::Member(attested) => attested.attestation.unverified().unwrap().serial,
        Credential::Person(person) => person.serial,
    }
}

fn text_of(content: &Content) -> String {
    match content {
        Content::Text(text) => text.clone(),
        Content::Leave(_) => LEAVE.to_owned(),
        Content::Proposal(_)
        | Content::Refusal { .. }
        | Content::Closing
        | Content::File(_)
        | Content::Fingerprint(_)
        | Content::Desk(_)
        | Content::Circle(_)
        | Content::ShiftEnds { .. }
        | Content::Statement(_)
        | Content::Summary { .. } => String::new(),
    }
}

fn serialize(state: &State) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(state, &mut bytes).unwrap();
    bytes
}
