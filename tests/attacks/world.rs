//! A conversation of one person and three accompaniers, of whom any may turn hostile.

use std::collections::BTreeSet;

use cobijo_client_core::{
    core::{
        group::{Change, Group, GroupEvent, Stop},
        joining::{Expect, Joining, Lineage},
        port::{Chain, Now, Put, Rng, Seen, Wants},
    },
    mls::{Suite, key_package::OwnKeyPackage},
};
use cobijo_protocol::{
    card::Role,
    cbor,
    commit::{CommitData, POLICY, Profile, Statement, Terms},
    content::{Content, Message, MessageId},
    credential::Credential,
    keys::{PublicKey, SecretKey},
    parts::{Data, Split},
    slot::{Kind, Slot, ThreadSecret},
};
use cobijo_tests::{
    authority::{Authority, device},
    hostile::HostileMember,
    memory_relay::{ConnectionId, MemoryRelay, Viewer},
};
use rand_core::{Rng as _, SeedableRng as _};
use serde_bytes::ByteBuf;

/// The person, who made the group: leaf 0.
pub(crate) const ANA: usize = 0;
/// An accompanier: leaf 1.
pub(crate) const LUZ: usize = 1;
/// An accompanier: leaf 2.
pub(crate) const SOL: usize = 2;
/// An accompanier: leaf 3.
pub(crate) const MAR: usize = 3;

const DAY_MILLIS: u64 = 86_400_000;

pub(crate) struct World {
    pub(crate) relay: MemoryRelay,
    pub(crate) desk: Authority,
    pub(crate) members: Vec<Member>,
    rng: Rng,
    day: u64,
    /// What a hostile member wrote last.
    written: Vec<u8>,
}

pub(crate) struct Member {
    state: State,
    connection: ConnectionId,
    pub(crate) key: SecretKey,
    pub(crate) is_away: bool,
    pub(crate) events: Vec<GroupEvent>,
}

enum State {
    Joining(Box<Joining>),
    In(Box<Group>),
}

impl World {
    /// Everybody is in, and nothing is left to do.
    pub(crate) fn new() -> Self {
        let mut world = Self {
            relay: MemoryRelay::new(20_000),
            desk: Authority::new(1),
            members: Vec::new(),
            rng: Rng::seed_from_u64(1),
            day: 20_000,
            written: Vec::new(),
        };
        world.found();
        for alias in ["Luz", "Sol", "Mar"] {
            let member = world.newcomer(alias);
            world.add(member);
            world.run();
        }
        // So that everybody may renew again.
        world.update(ANA);
        world.run();
        world
    }

    fn found(&mut self) {
        let (person, key) = (SecretKey::from_bytes([7; 32]), self.key());
        let terms = Terms {
            profile: Profile::Conversation,
            policy: POLICY,
            root: self.desk.root(),
            facilitators: Vec::new(),
            predecessor: None,
        };
        let credential = device(&person, 1, &key.public());
        let (now, suite) = (self.now(), Suite::Interop);
        let group =
            Group::create(suite, terms, key.clone(), &credential, now, &mut self.rng).unwrap();
        self.enter(State::In(Box::new(group)), key);
    }

    /// Somebody with a KeyPackage, who waits for a Welcome that the person signed.
    pub(crate) fn newcomer(&mut self, alias: &str) -> usize {
        let key = self.key();
        let credential = self.attest(alias, &key.public());
        self.newcomer_with(key, &credential)
    }

    pub(crate) fn newcomer_with(&mut self, key: SecretKey, credential: &Credential) -> usize {
        let own = OwnKeyPackage::new(Suite::Interop, &key, credential, &mut self.rng).unwrap();
        let expect = Expect {
            profile: Profile::Conversation,
            root: self.desk.root(),
            signers: self.signers(),
            roster: None::<BTreeSet<PublicKey>>,
            lineage: Lineage::First,
            welcome: None,
        };
        let joining = Joining::new(own, key.clone(), expect);
        self.enter(State::Joining(Box::new(joining)), key)
    }

    /// The person, and everybody who has come in so far.
    fn signers(&self) -> Vec<PublicKey> {
        let person = SecretKey::from_bytes([7; 32]).public();
        let members = self.members.iter().map(|member| member.key.public());
        members.chain([person]).collect()
    }

    pub(crate) fn attest(&mut self, alias: &str, key: &PublicKey) -> Credential {
        self.desk.attest(alias, Role::Accompanier, key)
    }

    fn enter(&mut self, state: State, key: SecretKey) -> usize {
        let id = self.members.len();
        self.members.push(Member {
            state,
            connection: self.relay.connect(viewer(id)),
            key,
            is_away: false,
            events: Vec::new(),
        });
        id
    }

    pub(crate) fn key(&mut self) -> SecretKey {
        let mut bytes = [0; 32];
        self.rng.fill_bytes(&mut bytes);
        SecretKey::from_bytes(bytes)
    }

    pub(crate) fn now(&self) -> Now {
        Now::from_millis(self.day * DAY_MILLIS)
    }

    /// The KeyPackage that a newcomer waits with.
    pub(crate) fn key_package(&self, member: usize) -> Vec<u8> {
        match &self.members[member].state {
            State::Joining(joining) => joining.key_package().message().to_vec(),
            State::In(_) => panic!("member {member} has joined"),
        }
    }

    /// The person adds somebody.
    pub(crate) fn add(&mut self, member: usize) {
        let adds = vec![ByteBuf::from(self.key_package(member))];
        self.request(
            ANA,
            Change {
                adds,
                ..Change::default()
            },
        );
    }

    /// The person removes somebody.
    pub(crate) fn remove(&mut self, member: usize) {
        let removes = vec![self.members[member].key.public()];
        self.request(
            ANA,
            Change {
                removes,
                ..Change::default()
            },
        );
    }

    pub(crate) fn request(&mut self, member: usize, change: Change) {
        self.group_mut(member).request(change);
    }

    pub(crate) fn update(&mut self, member: usize) {
        self.request(member, Change::default());
    }

    pub(crate) fn say(&mut self, member: usize, text: &str) {
        let mut rng = Rng::from_rng(&mut self.rng);
        let content = Content::Text(text.to_owned());
        self.group_mut(member).send(content, &mut rng).unwrap();
    }

    pub(crate) fn group(&self, member: usize) -> &Group {
        match &self.members[member].state {
            State::In(group) => group,
            State::Joining(_) => panic!("member {member} has not joined"),
        }
    }

    pub(crate) fn group_mut(&mut self, member: usize) -> &mut Group {
        match &mut self.members[member].state {
            State::In(group) => group,
            State::Joining(_) => panic!("member {member} has not joined"),
        }
    }

    pub(crate) fn has_joined(&self, member: usize) -> bool {
        matches!(self.members[member].state, State::In(_))
    }

    pub(crate) fn epoch(&self, member: usize) -> u64 {
        self.group(member).epoch()
    }

    pub(crate) fn stop(&self, member: usize) -> Option<Stop> {
        self.group(member).stop()
    }

    /// Asserts that these are in one epoch, with one code, and none has stopped.
    pub(crate) fn assert_together(&self, members: &[usize]) {
        for &member in members {
            assert_eq!(self.stop(member), None, "member {member} stopped");
            assert_eq!(self.epoch(member), self.epoch(members[0]));
            assert_eq!(self.group(member).code(), self.group(members[0]).code());
        }
    }

    /// What stands on a member's screen: what was withdrawn, or waits to be confirmed, doesn't.
    pub(crate) fn heard(&self, member: usize) -> Vec<String> {
        let mut heard: Vec<(MessageId, String, bool)> = Vec::new();
        for event in &self.members[member].events {
            let (id, stands) = match event {
                GroupEvent::Message { id, content, .. } => {
                    let Content::Text(text) = content else {
                        continue;
                    };
                    heard.push((*id, text.clone(), true));
                    continue;
                }
                GroupEvent::Confirmed { id, .. } => (id, true),
                GroupEvent::Unconfirmed { id } | GroupEvent::Withdrawn { id } => (id, false),
                _ => continue,
            };
            for known in heard.iter_mut().filter(|known| known.0 == *id) {
                known.2 = stands;
            }
        }
        let stands = heard.into_iter().filter(|known| known.2);
        stands.map(|known| known.1).collect()
    }

    /// All that a member's screen ever showed.
    pub(crate) fn shown(&self, member: usize) -> Vec<String> {
        let events = self.members[member].events.iter();
        let texts = events.filter_map(|event| match event {
            GroupEvent::Message {
                content: Content::Text(text),
                ..
            } => Some(text.clone()),
            _ => None,
        });
        texts.collect()
    }

    /// Turns a member hostile: its client does nothing any more.
    pub(crate) fn turn(&mut self, member: usize) -> HostileMember {
        self.members[member].is_away = true;
        HostileMember::of(self.group(member))
    }

    pub(crate) fn come_back(&mut self, member: usize) {
        self.members[member].is_away = false;
        self.reconnect(member);
    }

    pub(crate) fn reconnect(&mut self, member: usize) {
        self.relay.close(self.members[member].connection);
        self.members[member].connection = self.relay.connect(viewer(member));
    }

    /// Days go by, with a sweep and a visit of everybody who isn't away on each.
    pub(crate) fn pass_days(&mut self, days: u32) {
        for _ in 0..days {
            self.day += 1;
            self.relay.set_day(u32::try_from(self.day).unwrap());
            assert!(self.relay.sweep());
            for member in 0..self.members.len() {
                self.reconnect(member);
            }
            self.run();
        }
    }

    /// Moves frames until none is left.
    pub(crate) fn run(&mut self) {
        for _ in 0..600 {
            let mut is_quiet = true;
            for member in 0..self.members.len() {
                is_quiet &= !self.step(member);
            }
            if is_quiet {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    /// Moves all frames of one member.
    pub(crate) fn step(&mut self, id: usize) -> bool {
        self.step_hearing(id, |_| true)
    }

    /// As [`Self::step`], but only some of what the relay says arrives.
    pub(crate) fn step_hearing(&mut self, id: usize, arrives: fn(&Seen) -> bool) -> bool {
        let now = self.now();
        let member = &mut self.members[id];
        if member.is_away {
            return false;
        }
        let mut wants = Wants::default();
        match &mut member.state {
            State::Joining(joining) => joining.wants(&mut wants),
            State::In(group) => {
                group.handle_timeout(now, &mut self.rng);
                group.wants(&mut wants);
            }
        }
        let all_seen = self.relay.exchange(member.connection, &wants);
        let mut joined = None;
        for seen in all_seen.iter().filter(|seen| arrives(seen)) {
            match &mut member.state {
                State::In(group) => group.handle_seen(seen, now, &mut self.rng),
                State::Joining(joining) if joined.is_none() => {
                    joined = joining.handle_seen(seen, now, &mut self.rng);
                }
                State::Joining(_) => {}
            }
        }
        if let State::In(group) = &mut member.state {
            member
                .events
                .extend(std::iter::from_fn(|| group.poll_event()));
        }
        if let Some(group) = joined {
            member.state = State::In(Box::new(group));
            self.reconnect(id);
        }
        !all_seen.is_empty()
    }

    /// What a member puts next, in one frame, before it does.
    pub(crate) fn next_chain(&mut self, id: usize) -> Chain {
        for _ in 0..20 {
            let (now, mut rng) = (self.now(), Rng::from_rng(&mut self.rng));
            let group = self.group_mut(id);
            group.handle_timeout(now, &mut rng);
            let mut wants = Wants::default();
            group.wants(&mut wants);
            if let Some(chain) = wants.chains.into_iter().next() {
                return chain;
            }
            self.step(id);
        }
        panic!("member {id} puts nothing");
    }

    /// The first free slot of a thread of the epoch of which that is the secret.
    pub(crate) fn free_slot(&self, secret: &ThreadSecret, kind: Kind, leaf: u32) -> Slot {
        let mut slots = (0..).map(|counter| Slot::derive(secret, kind, leaf, counter));
        slots
            .find(|slot| !self.relay.is_used(&slot.address()))
            .unwrap()
    }

    /// Puts a payload as a client does, bodies first.
    pub(crate) fn put(&mut self, slot: &Slot, payload: &[u8]) {
        let (head, bodies) = self.sealed(slot, payload);
        for put in bodies.iter().chain([&head]) {
            assert!(self.relay.put_raw(put), "a slot was taken");
        }
    }

    /// The cells of a payload: the slot's own, and its bodies.
    pub(crate) fn sealed(&mut self, slot: &Slot, payload: &[u8]) -> (Put, Vec<Put>) {
        let secret = ThreadSecret::from_bytes(*self.key().as_bytes());
        self.seal_split(slot, &Split::of(payload, secret).unwrap())
    }

    /// As [`Self::sealed`], with nothing in the head.
    pub(crate) fn sealed_in_bodies(&mut self, slot: &Slot, payload: &[u8]) -> (Put, Vec<Put>) {
        let secret = ThreadSecret::from_bytes(*self.key().as_bytes());
        self.seal_split(slot, &Split::all_in_bodies(payload, secret).unwrap())
    }

    fn seal_split(&mut self, slot: &Slot, split: &Split) -> (Put, Vec<Put>) {
        let mut nonce = [0; 24];
        let mut bodies = Vec::new();
        if let Data::Head(head) = &split.data {
            for (index, body) in split.bodies.iter().enumerate() {
                let slot = head.body_slot(index, slot.erase_key().is_some());
                self.rng.fill_bytes(&mut nonce);
                bodies.push(Put::new(&slot, slot.seal(body, nonce).unwrap()));
            }
        }
        self.rng.fill_bytes(&mut nonce);
        let head = Put::new(slot, slot.seal(&split.data.encode(), nonce).unwrap());
        (head, bodies)
    }

    /// Puts a commit of a hostile member where the next commit of its epoch belongs.
    pub(crate) fn put_commit(&mut self, hostile: &HostileMember, commit: &[u8]) {
        let slot = self.free_slot(&hostile.thread_secret(), Kind::Commit, 0);
        self.put(&slot, commit);
    }

    /// The commit that stands last in an epoch, where it fits one cell.
    pub(crate) fn commit_of(&self, secret: &ThreadSecret) -> Vec<u8> {
        let slots = (0..).map(|index| Slot::derive(secret, Kind::Commit, 0, index));
        let used = slots.take_while(|slot| self.relay.is_used(&slot.address()));
        let slot = used.last().unwrap();
        let data = slot
            .open(self.relay.cell(&slot.address()).unwrap())
            .unwrap();
        match Data::decode(&data) {
            Some(Data::Whole(commit)) => commit,
            _ => panic!("a commit in more than one cell"),
        }
    }

    /// Puts an application message of a hostile member into its own thread.
    pub(crate) fn write(&mut self, hostile: &mut HostileMember, text: &str) {
        let message = Message {
            id: MessageId::from_bytes(self.key().as_bytes()[..16].try_into().unwrap()),
            clock: 1,
            content: Content::Text(text.to_owned()),
        };
        self.written = cbor::encode(&message);
        self.write_again(hostile);
    }

    /// Puts the application message that was written last once more, encrypted anew.
    pub(crate) fn write_again(&mut self, hostile: &mut HostileMember) {
        let payload = hostile.message(&self.written, b"");
        let slot = self.free_slot(&hostile.thread_secret(), Kind::Message, hostile.leaf());
        self.put(&slot, &payload);
    }

    /// The authenticated data of an honest commit of a hostile member.
    pub(crate) fn honest_data(&self, hostile: &HostileMember) -> CommitData {
        let secret = hostile.thread_secret();
        let count = |leaf: u32| {
            let is_used = |counter: &u64| {
                let slot = Slot::derive(&secret, Kind::Message, leaf, *counter);
                self.relay.is_used(&slot.address())
            };
            u32::try_from((0..512).take_while(is_used).count()).unwrap()
        };
        let leaves = hostile.leaves().into_iter();
        CommitData {
            policy: POLICY,
            cut: leaves.map(|leaf| (leaf, count(leaf))).collect(),
            statements: Vec::<Statement>::new(),
            welcomes: Vec::new(),
        }
    }

    /// How many void commits with a good signature a member has told of.
    pub(crate) fn void_commits(&self, member: usize) -> usize {
        let events = self.members[member].events.iter();
        events
            .filter(|event| matches!(event, GroupEvent::VoidCommit { .. }))
            .count()
    }
}

pub(crate) fn viewer(member: usize) -> Viewer {
    Viewer(u32::try_from(member).unwrap())
}
