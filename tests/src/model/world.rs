//! Who there is, and what may happen next.

use std::collections::BTreeMap;

use cobijo_client_core::{
    core::{
        group::{Group, Stop},
        port::{Put, Rng},
    },
    mls::Suite,
};
use cobijo_protocol::{
    Day,
    card::Role,
    commit::{POLICY, Profile, Terms},
};
use rand_core::{Rng as _, SeedableRng as _};

use super::{
    Summary,
    client::{Client, DAY_MILLIS, State},
    ledger::{Fault, Ledger},
    traitor::Traitor,
};
use crate::{authority::Authority, memory_relay::MemoryRelay};

/// The day on which every world begins.
const FIRST_DAY: u64 = 20_000;
/// Clients that a world has; not all become members.
const CLIENTS: usize = 8;

/// Everything there is.
pub struct World {
    pub(super) rng: Rng,
    pub(super) suite: Suite,
    pub(super) profile: Profile,
    pub(super) relay: MemoryRelay,
    pub(super) relay_days: i64,
    pub(super) desk: Authority,
    pub(super) clients: Vec<Client>,
    pub(super) ledger: Ledger,
    pub(super) traitors: Vec<Traitor>,
    /// Puts of hostile members that come late, by the step they come at.
    pub(super) delayed: BTreeMap<u32, Vec<Put>>,
    pub(super) millis: u64,
    pub(super) steps: u32,
    pub(super) said: u32,
    /// Whether connections and clients fail.
    pub(super) is_rough: bool,
    /// How many of a hundred steps are hostile.
    pub(super) hostility: u64,
    is_traced: bool,
    traced: BTreeMap<usize, (u64, Option<Stop>)>,
}

impl World {
    /// A group of one, and others who may join.
    pub fn new(seed: u64, suite: Suite, is_traced: bool) -> Self {
        let mut rng = Rng::seed_from_u64(seed);
        let profile = if seed % 3 == 2 {
            Profile::Desk
        } else {
            Profile::Conversation
        };
        let role = |id| match (profile, id) {
            (Profile::Conversation, 0) => None,
            (Profile::Desk, 0 | 1) => Some(Role::Coordinator),
            _ => Some(Role::Accompanier),
        };
        let hostility = [0, 6, 15, 30][below(&mut rng, 4)];
        let mut world = Self {
            suite,
            profile,
            relay: MemoryRelay::new(Day::try_from(FIRST_DAY).unwrap()),
            relay_days: 0,
            desk: Authority::new(1),
            clients: (0..CLIENTS)
                .map(|id| Client::new(id, role(id), seed))
                .collect(),
            ledger: Ledger::default(),
            traitors: Vec::new(),
            delayed: BTreeMap::new(),
            millis: FIRST_DAY * DAY_MILLIS + DAY_MILLIS / 2,
            steps: 0,
            said: 0,
            is_rough: true,
            hostility,
            is_traced,
            traced: BTreeMap::new(),
            rng,
        };
        world.found();
        world
    }

    /// The first client makes the group.
    fn found(&mut self) {
        let terms = Terms {
            profile: self.profile,
            policy: POLICY,
            root: self.desk.root(),
            facilitators: Vec::new(),
            predecessor: None,
        };
        let founder = &mut self.clients[0];
        let credential = founder.renew_credential(&mut self.desk);
        let now = founder.now(self.millis);
        let (key, rng) = (founder.key.clone(), &mut founder.rng);
        let group = Group::create(self.suite, terms, key, &credential, now, rng).unwrap();
        founder.state = State::Member(Box::new(group));
        founder.save();
        self.ledger.adds.insert(founder.leaf());
        self.add(0, 1);
        self.add(0, 2);
    }

    /// Something happens, and then some frames move.
    ///
    /// # Errors
    /// What must never be.
    pub fn step(&mut self) -> Result<(), Fault> {
        self.steps += 1;
        if let Some(puts) = self.delayed.remove(&self.steps) {
            for put in puts {
                self.relay.put_raw(&put);
            }
        }
        let roll = self.below(100) as u64;
        if roll < self.hostility {
            self.betray();
        } else if roll < self.hostility + 12 {
            self.befall()?;
        } else {
            self.act()?;
        }
        // Now and then everybody has time to catch up, else nothing ever completes.
        let frames = [0, 3, 10, 40, 150][self.below(5)];
        for _ in 0..frames {
            self.pump()?;
        }
        Ok(())
    }

    /// One frame moves somewhere.
    pub(super) fn pump(&mut self) -> Result<bool, Fault> {
        self.millis += 50;
        let busy = self.busy();
        let Some(&id) = self.pick(&busy) else {
            return Ok(false);
        };
        self.visit(id)?;
        Ok(true)
    }

    /// Clients that have something to do now.
    fn busy(&self) -> Vec<usize> {
        let is_busy = |client: &&Client| {
            if client.is_offline || matches!(client.state, State::Outside) {
                return false;
            }
            let Some(connection) = client.connection else {
                return true;
            };
            let now = client.now(self.millis);
            let is_due = client
                .group()
                .and_then(Group::poll_timeout)
                .is_some_and(|due| due <= now);
            is_due || self.relay.has_request(connection) || self.relay.has_answer(connection)
        };
        self.clients
            .iter()
            .filter(is_busy)
            .map(|client| client.id)
            .collect()
    }

    /// One client connects, or one of its frames moves.
    fn visit(&mut self, id: usize) -> Result<(), Fault> {
        let client = &mut self.clients[id];
        let Some(connection) = client.connection else {
            client.connection = Some(self.relay.connect(client.viewer()));
            return Ok(());
        };
        if self.is_rough && self.below(60) == 0 {
            self.lose(id, connection);
            return Ok(());
        }
        let (request, answer) = (
            self.relay.has_request(connection),
            self.relay.has_answer(connection),
        );
        if request && (!answer || self.below(2) == 0) {
            let is_backwards = self.is_rough && self.below(3) == 0;
            self.relay.answer_backwards(is_backwards);
            self.relay.run_request(connection);
            return Ok(());
        }
        let seen = self.relay.next_answer(connection).unwrap_or_default();
        if !self.relay.is_open(connection) {
            self.clients[id].connection = None;
        }
        let millis = self.millis;
        self.touch(id, |client| client.handle_seen(&seen, millis))?;
        self.note_rest(id);
        Ok(())
    }

    /// Notes that a client has nothing more to ask or to be told.
    fn note_rest(&mut self, id: usize) {
        let client = &self.clients[id];
        let is_at_rest = client.is_active()
            && self.relay_days == 0
            && client.clock_days == 0
            && client.connection.is_some_and(|connection| {
                !self.relay.has_request(connection) && !self.relay.has_answer(connection)
            });
        if is_at_rest {
            self.clients[id].caught_day = self.day();
        }
    }

    /// Changes a client's state, saves it and asks the relay for what it wants; or it crashes on the
    /// way. Gives the result where the change was saved.
    pub(super) fn touch<T>(
        &mut self,
        id: usize,
        change: impl FnOnce(&mut Client) -> T,
    ) -> Result<Option<T>, Fault> {
        let crash = if self.is_rough { self.below(120) } else { 2 };
        let client = &mut self.clients[id];
        let result = change(client);
        client.handle_timeout(self.millis);
        client.drain_events();
        if crash == 0 {
            self.trace(|| format!("client {id} crashes before it has saved"));
            self.crash(id);
            return Ok(None);
        }
        let has_joined = std::mem::take(&mut self.clients[id].has_just_joined);
        if has_joined {
            self.joined(id);
        }
        let client = &mut self.clients[id];
        client.save();
        self.ledger.check(client)?;
        self.trace_epoch(id);
        if crash == 1 {
            self.trace(|| format!("client {id} crashes after it has saved"));
            self.crash(id);
        } else if let Some(connection) = self.clients[id].connection {
            let wants = self.clients[id].wants();
            self.relay.reconcile(connection, &wants);
        }
        Ok(Some(result))
    }

    /// Who has joined goes on on a connection of its own, as the real client does; and lives in the world
    /// of whoever added it.
    fn joined(&mut self, id: usize) {
        if let Some(connection) = self.clients[id].connection.take() {
            self.relay.close(connection);
        }
        let Some(group) = self.clients[id].group() else {
            return;
        };
        let epoch = group.epoch();
        let adds_apart = |client: &Client| {
            let is_just_before = |group: &Group| (epoch - 1..=epoch).contains(&group.epoch());
            client.is_blinded && client.group().is_some_and(is_just_before)
        };
        self.clients[id].is_blinded =
            self.ledger.is_elsewhere(group) && self.clients.iter().any(adds_apart);
    }

    fn trace_epoch(&mut self, id: usize) {
        let client = &self.clients[id];
        let Some(group) = client.group() else {
            return;
        };
        let now = (group.epoch(), group.stop());
        if self.traced.insert(id, now) != Some(now) {
            let (epoch, stop) = now;
            self.trace(|| format!("      client {id} is in epoch {epoch}, {stop:?}"));
        }
    }

    /// Loses a client's memory and connection.
    pub(super) fn crash(&mut self, id: usize) {
        let client = &mut self.clients[id];
        client.restore();
        if let Some(connection) = client.connection.take() {
            self.relay.close(connection);
        }
    }

    /// The true day.
    pub(super) fn day(&self) -> u64 {
        self.millis / DAY_MILLIS
    }

    /// Tells the relay what day it believes it is.
    pub(super) fn set_relay_day(&mut self) {
        let day = self.day().saturating_add_signed(self.relay_days);
        self.relay.set_day(Day::try_from(day).unwrap());
    }

    /// Clients that follow the group.
    pub(super) fn active(&self) -> Vec<usize> {
        self.clients
            .iter()
            .filter(|client| client.is_active())
            .map(|client| client.id)
            .collect()
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        below(&mut self.rng, n)
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() {
            return None;
        }
        from.get(self.below(from.len()))
    }

    #[expect(clippy::print_stdout, reason = "a replay is read by people")]
    pub(super) fn trace(&self, line: impl FnOnce() -> String) {
        if self.is_traced {
            println!("{:>4} {}", self.steps, line());
        }
    }

    /// What it came to.
    pub fn summary(&self) -> Summary {
        Summary {
            epochs: self.ledger.last_epoch(),
            messages: self.ledger.messages() as u64,
            alive: self.active().len() as u64,
        }
    }
}

fn below(rng: &mut Rng, n: usize) -> usize {
    let n = u64::try_from(n).unwrap();
    usize::try_from(rng.next_u64() % n).unwrap()
}
