//! Groups over a relay in memory: what members say to each other arrives, whoever comes and goes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use cobijo_client_core::{
    core::{
        group::{Change, Group, GroupEvent, Stop},
        joining::{Expect, Joining, Lineage},
        port::{Now, Put, Rng, Wants},
    },
    mls::{
        Suite,
        key_package::{OfferedKeyPackage, OwnKeyPackage},
    },
};
use cobijo_protocol::{
    card::Role,
    cell::Cell,
    commit::{POLICY, Profile, Terms},
    content::Content,
    credential::Credential,
    keys::{PublicKey, SecretKey},
    slot::{Kind, Slot},
};
use cobijo_tests::{
    authority::{Authority, device},
    hostile::HostileMember,
    memory_relay::{ConnectionId, Lie, MemoryRelay, Viewer},
};
use rand_core::{Rng as _, SeedableRng as _};
use serde_bytes::ByteBuf;

const NOW: Now = Now::from_millis(20_000 * 86_400_000);

struct World {
    relay: MemoryRelay,
    rng: Rng,
    members: Vec<Member>,
    authority: Authority,
    now: Now,
}

struct Member {
    state: State,
    connection: ConnectionId,
    heard: Vec<String>,
    events: Vec<GroupEvent>,
    person: Option<SecretKey>,
}

enum State {
    Joining(Box<Joining>),
    In(Box<Group>),
}

impl World {
    fn new() -> Self {
        Self {
            relay: MemoryRelay::new(NOW.day()),
            rng: Rng::seed_from_u64(1),
            members: Vec::new(),
            authority: Authority::new(1),
            now: NOW,
        }
    }

    fn key(&mut self) -> SecretKey {
        let mut bytes = [0; 32];
        self.rng.fill_bytes(&mut bytes);
        SecretKey::from_bytes(bytes)
    }

    fn enter(&mut self, state: State, person: Option<SecretKey>) -> usize {
        let connection = self.relay.connect(Viewer(self.members.len() as u32));
        self.members.push(Member {
            state,
            connection,
            heard: Vec::new(),
            events: Vec::new(),
            person,
        });
        self.members.len() - 1
    }

    fn creator(&mut self, profile: Profile) -> usize {
        let key = self.key();
        let credential = self
            .authority
            .attest("Luz", Role::Coordinator, &key.public());
        let terms = Terms {
            profile,
            policy: POLICY,
            root: self.authority.root(),
            facilitators: Vec::new(),
            predecessor: None,
        };
        let group = Group::create(
            Suite::Interop,
            terms,
            key,
            &credential,
            self.now,
            &mut self.rng,
        )
        .unwrap();
        self.enter(State::In(Box::new(group)), None)
    }

    /// A newcomer who waits for a Welcome signed by `signer`; gives the KeyPackage to add.
    fn newcomer(
        &mut self,
        key: SecretKey,
        credential: &Credential,
        profile: Profile,
        signers: Vec<PublicKey>,
        person: Option<SecretKey>,
    ) -> (usize, ByteBuf) {
        let own = OwnKeyPackage::new(Suite::Interop, &key, credential, &mut self.rng).unwrap();
        let offered =
            OfferedKeyPackage::parse(own.message(), Suite::Interop, &self.authority.root())
                .unwrap();
        let expect = Expect {
            profile,
            root: self.authority.root(),
            signers,
            roster: None,
            lineage: Lineage::First,
            welcome: None,
        };
        let joining = Joining::new(own, key, expect);
        let member = self.enter(State::Joining(Box::new(joining)), person);
        (member, ByteBuf::from(offered.message()))
    }

    fn person(&mut self, signer: PublicKey) -> (usize, ByteBuf) {
        let (person, key) = (self.key(), self.key());
        let credential = device(&person, 1, &key.public());
        self.newcomer(
            key,
            &credential,
            Profile::Conversation,
            vec![signer],
            Some(person),
        )
    }

    fn colleague(&mut self, alias: &str, signer: PublicKey) -> (usize, ByteBuf) {
        let key = self.key();
        let credential = self
            .authority
            .attest(alias, Role::Accompanier, &key.public());
        self.newcomer(key, &credential, Profile::Conversation, vec![signer], None)
    }

    fn group(&mut self, member: usize) -> &mut Group {
        match &mut self.members[member].state {
            State::In(group) => group,
            State::Joining(_) => panic!("member {member} has not joined"),
        }
    }

    fn add(&mut self, by: usize, key_package: ByteBuf) {
        self.group(by).request(Change {
            adds: vec![key_package],
            ..Change::default()
        });
    }

    fn say(&mut self, member: usize, text: &str) {
        let mut rng = Rng::from_rng(&mut self.rng);
        self.group(member)
            .send(Content::Text(text.to_owned()), &mut rng)
            .unwrap();
    }

    fn reconnect(&mut self, member: usize) {
        self.relay.close(self.members[member].connection);
        self.members[member].connection = self.relay.connect(Viewer(member as u32));
    }

    /// Saves, forgets and loads a member's state.
    fn crash(&mut self, member: usize) {
        if let State::In(group) = &self.members[member].state {
            let mut bytes = Vec::new();
            ciborium::into_writer(group, &mut bytes).unwrap();
            let group = ciborium::from_reader(bytes.as_slice()).unwrap();
            self.members[member].state = State::In(Box::new(group));
        }
        self.reconnect(member);
    }

    fn run(&mut self) {
        for _ in 0..400 {
            let mut is_quiet = true;
            for index in 0..self.members.len() {
                is_quiet &= !self.step(index);
            }
            if is_quiet {
                return;
            }
        }
        panic!("the group never comes to rest");
    }

    fn step(&mut self, index: usize) -> bool {
        let now = self.now;
        let member = &mut self.members[index];
        if let State::In(group) = &mut member.state {
            group.handle_timeout(now, &mut self.rng);
        }
        let mut wants = Wants::default();
        match &member.state {
            State::Joining(joining) => joining.wants(&mut wants),
            State::In(group) => group.wants(&mut wants),
        }
        let all_seen = self.relay.exchange(member.connection, &wants);
        for seen in &all_seen {
            match &mut member.state {
                State::In(group) => group.handle_seen(seen, now, &mut self.rng),
                State::Joining(joining) => {
                    if let Some(group) = joining.handle_seen(seen, now, &mut self.rng) {
                        member.state = State::In(Box::new(group));
                        self.relay.close(member.connection);
                        member.connection = self.relay.connect(Viewer(index as u32));
                        break;
                    }
                }
            }
        }
        if let State::In(group) = &mut member.state {
            while let Some(event) = group.poll_event() {
                if let GroupEvent::Message {
                    content: Content::Text(text),
                    ..
                } = &event
                {
                    member.heard.push(text.clone());
                }
                member.events.push(event);
            }
        }
        !all_seen.is_empty()
    }

    fn heard(&self, member: usize) -> Vec<&str> {
        self.members[member]
            .heard
            .iter()
            .map(String::as_str)
            .collect()
    }

    fn conversation(&mut self) -> (usize, usize) {
        let luz = self.creator(Profile::Conversation);
        let luz_key = self.group(luz).own_key();
        let (ana, key_package) = self.person(luz_key);
        self.add(luz, key_package);
        self.run();
        (luz, ana)
    }
}

/// [G-12]
#[test]
fn a_person_and_an_accompanier_talk() {
    let mut world = World::new();
    let (luz, ana) = world.conversation();
    world.say(luz, "hola");
    world.say(ana, "hola, Luz");
    world.say(ana, &"largo ".repeat(2000));
    world.run();
    assert_eq!(world.heard(ana), ["hola"]);
    assert_eq!(
        world.heard(luz),
        ["hola, Luz", "largo ".repeat(2000).as_str()]
    );
    assert_eq!(world.group(luz).code(), world.group(ana).code());
    assert!(
        world
            .group(luz)
            .members()
            .iter()
            .all(|member| !member.is_arriving)
    );
    assert!(world.group(luz).is_settled() && world.group(ana).is_settled());
}

///
#[test]
fn a_crash_or_a_lost_connection_loses_nothing() {
    let mut world = World::new();
    let (luz, ana) = world.conversation();
    for round in 0..20 {
        world.say(luz, &format!("luz {round}"));
        world.say(ana, &format!("ana {round}"));
        world.step(luz);
        if round % 2 == 0 {
            world.crash(luz)
        } else {
            world.reconnect(luz)
        }
        world.step(ana);
        world.crash(ana);
    }
    world.run();
    let expected = |name| {
        (0..20)
            .map(|round| format!("{name} {round}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(world.heard(ana), expected("luz"));
    assert_eq!(world.heard(luz), expected("ana"));
}

#[test]
fn a_colleague_joins_by_her_yes_and_leaves_again() {
    let mut world = World::new();
    let (luz, ana) = world.conversation();
    let ana_key = world.members[ana].person.as_ref().unwrap().public();
    let (mar, key_package) = world.colleague("Mar", ana_key);
    world.say(luz, "antes");
    world.run();
    world.add(luz, key_package.clone());
    world.run();
    assert!(
        world.members[luz]
            .events
            .iter()
            .any(|event| matches!(event, GroupEvent::Refused(Some(_))))
    );
    world.add(ana, key_package);
    world.run();
    world.say(mar, "hola, soy Mar");
    world.say(ana, "hola, Mar");
    world.run();
    assert_eq!(world.heard(mar), ["hola, Mar"]);
    assert_eq!(world.heard(ana), ["antes", "hola, soy Mar"]);
    assert_eq!(world.group(luz).members().len(), 3);

    world.group(mar).leave(None);
    world.run();
    world.now = world.now.plus(std::time::Duration::from_secs(60));
    world.run();
    assert_eq!(world.group(mar).stop(), Some(Stop::Left));
    assert_eq!(world.group(luz).members().len(), 2);
    world.say(luz, "seguimos");
    world.run();
    assert_eq!(world.heard(ana).last(), Some(&"seguimos"));
    assert_eq!(world.heard(mar), ["hola, Mar"]);
}

#[test]
fn the_person_leaves_with_all_her_leaves() {
    let mut world = World::new();
    let (luz, ana) = world.conversation();
    let person = world.members[ana].person.clone().unwrap();
    world.group(ana).leave(Some(person));
    world.run();
    assert_eq!(world.group(ana).stop(), Some(Stop::Left));
    assert_eq!(world.group(luz).members().len(), 1);
}

/// [G-13]
#[test]
fn members_who_commit_at_once_agree() {
    let mut world = World::new();
    let (luz, ana) = world.conversation();
    for round in 0..6 {
        world.say(luz, &format!("luz {round}"));
        world.say(ana, &format!("ana {round}"));
        world.group(luz).request(Change::default());
        world.group(ana).request(Change::default());
        world.run();
    }
    assert_eq!(world.group(luz).epoch(), world.group(ana).epoch());
    assert!(world.group(luz).epoch() >= 13);
    assert_eq!(world.heard(luz).len(), 6);
    assert_eq!(world.heard(ana).len(), 6);
}

/// [P-4]
#[test]
fn who_fills_a_thread_freezes_nobody() {
    let mut world = World::new();
    let (luz, ana) = world.conversation();
    let (mar, key_package) = {
        let ana_key = world.members[ana].person.as_ref().unwrap().public();
        world.colleague("Mar", ana_key)
    };
    world.add(ana, key_package);
    world.run();
    let mar_leaf = world.group(mar).own_leaf();
    let mar_key = world.group(mar).own_key();
    let secret = HostileMember::of(world.group(mar)).thread_secret();
    for counter in 0..600 {
        let slot = Slot::derive(&secret, Kind::Message, mar_leaf, counter);
        assert!(world.relay.put_raw(&Put::new(&slot, Cell::void())));
    }
    world.run();
    world.group(ana).request(Change {
        removes: vec![mar_key],
        ..Change::default()
    });
    world.run();
    assert_eq!(world.group(mar).stop(), Some(Stop::Removed));
    assert_eq!(world.group(luz).members().len(), 2);
    world.say(luz, "seguimos");
    world.run();
    assert_eq!(world.heard(ana), ["seguimos"]);
}

#[test]
fn a_relay_that_says_a_commit_is_gone_is_not_followed_until_it_says_otherwise() {
    let mut world = World::new();
    let (luz, ana) = world.conversation();
    let secret = HostileMember::of(world.group(luz)).thread_secret();
    let slot = Slot::derive(&secret, Kind::Commit, 0, 0);
    world
        .relay
        .lie(Viewer(ana as u32), slot.address(), Lie::Gone);
    world.reconnect(ana);
    world.run();
    assert_eq!(world.group(ana).stop(), Some(Stop::Broken));
    world.relay.repent();
    world.say(luz, "hola");
    world.reconnect(ana);
    world.run();
    assert_eq!(world.group(ana).stop(), None);
    assert_eq!(world.heard(ana), ["hola"]);
}
