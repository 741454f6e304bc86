//! Who there is, and how time and frames move.

use cobijo_client_core::core::{
    client::{CardAbsent, Client, Command, CommandError, Input, Output, PublishAnswer},
    port::{Now, Rng},
};
use cobijo_protocol::{Day, link::DeskLink};
use rand_core::{Rng as _, SeedableRng as _};

use super::{
    cast::{self, MEMBERS_MAX, MEMBERS_MIN},
    ledger::Ledger,
    profile::{Owner, Profile, Web},
};
use crate::{
    memory_relay::MemoryRelay,
    model::{Summary, client::DAY_MILLIS, ledger::Fault},
};

/// Devices of each person.
pub(super) const DEVICES: usize = 3;
/// Time that one frame takes.
const FRAME_MILLIS: u64 = 50;
/// Time that may go by in one step while nobody has anything to do but to wait.
const WAITS_MILLIS: [u64; 5] = [0, 1_000, 10_000, 90_000, 900_000];
/// Frames that may move in one step.
const FRAMES: [usize; 5] = [0, 4, 15, 60, 250];

/// Everything there is.
pub struct World {
    pub(super) rng: Rng,
    pub(super) relay: MemoryRelay,
    pub(super) link: Option<DeskLink>,
    /// The members first, then the devices of each person.
    pub(super) profiles: Vec<Profile>,
    pub(super) members: usize,
    pub(super) persons: usize,
    pub(super) ledger: Ledger,
    pub(super) millis: u64,
    pub(super) steps: u32,
    pub(super) said: u32,
    /// Whether connections and clients fail.
    pub(super) is_rough: bool,
    is_traced: bool,
}

impl World {
    /// A desk, and people who don't know it yet.
    pub fn new(seed: u64, is_traced: bool) -> Self {
        let mut rng = Rng::seed_from_u64(seed);
        let members = MEMBERS_MIN + below(&mut rng, MEMBERS_MAX - MEMBERS_MIN + 1);
        let persons = 1 + below(&mut rng, 2);
        let cast = cast::cast(members);
        let owners = (0..members).map(Owner::Member);
        let devices = (0..persons).flat_map(|person| [Owner::Person(person); DEVICES]);
        let profiles = owners
            .chain(devices)
            .enumerate()
            .map(|(id, owner)| Profile::new(id, owner, seed));
        let mut world = Self {
            link: Some(cast.link.clone()),
            members,
            persons,
            ledger: Ledger::new(persons),
            millis: cast.millis,
            is_traced,
            rng,
            ..Self::quiet(cast.relay.fork(), profiles.collect())
        };
        for (id, disk) in cast.disks.iter().enumerate() {
            world.profiles[id].disk = disk.clone();
            world.profiles[id].restore();
        }
        world.is_rough = true;
        for id in 0..members {
            world.wake(id).unwrap();
        }
        world
    }

    /// A relay and clients that nothing befalls.
    pub(super) fn quiet(relay: MemoryRelay, profiles: Vec<Profile>) -> Self {
        Self {
            rng: Rng::seed_from_u64(0),
            link: None,
            relay,
            members: profiles.len(),
            persons: 0,
            profiles,
            ledger: Ledger::new(0),
            millis: cast::FIRST_DAY * DAY_MILLIS + DAY_MILLIS / 2,
            steps: 0,
            said: 0,
            is_rough: false,
            is_traced: false,
        }
    }

    /// Something happens, and then some frames move.
    ///
    /// # Errors
    /// What must never be.
    pub fn step(&mut self) -> Result<(), Fault> {
        self.steps += 1;
        match self.below(20) {
            0..9 => self.act_as_person()?,
            9..17 => self.act_as_member()?,
            _ => self.befall()?,
        }
        let frames = FRAMES[self.below(FRAMES.len())];
        let millis = WAITS_MILLIS[self.below(WAITS_MILLIS.len())];
        self.run(frames, millis)
    }

    /// Moves so many frames, and lets up to that much time go by while none is on its way.
    pub(super) fn run(&mut self, frames: usize, millis: u64) -> Result<(), Fault> {
        let mut left = millis;
        for _ in 0..frames {
            let busy: Vec<usize> = { self.profiles.iter() }
                .filter(|one| self.is_busy(one))
                .map(|one| one.id)
                .collect();
            if let Some(&id) = self.pick(&busy) {
                self.millis += FRAME_MILLIS;
                self.visit(id)?;
                continue;
            }
            let due = self.profiles.iter().filter(|one| !one.is_offline);
            let due = due.filter_map(|one| one.client.poll_timeout()).min();
            let Some(wait) = due.map(|due| due.millis().saturating_sub(self.millis)) else {
                break;
            };
            if wait > left {
                break;
            }
            left -= wait;
            self.pass(wait);
        }
        Ok(())
    }

    /// Lets time go by.
    pub(super) fn pass(&mut self, millis: u64) {
        self.millis += millis;
        let day = Day::try_from(self.millis / DAY_MILLIS).unwrap();
        if day != self.relay.day() {
            self.relay.set_day(day);
            self.relay.sweep();
        }
    }

    /// Whether anything is on its way.
    pub(super) fn has_busy(&self) -> bool {
        self.profiles.iter().any(|one| self.is_busy(one))
    }

    fn is_busy(&self, profile: &Profile) -> bool {
        if profile.is_offline {
            return false;
        }
        let is_due = profile.client.poll_timeout();
        let has_frame =
            |&connection| self.relay.has_request(connection) || self.relay.has_answer(connection);
        is_due.is_some_and(|due| due <= self.now())
            || !profile.web.is_empty()
            || profile.lines.values().any(has_frame)
    }

    /// One thing moves at a client.
    fn visit(&mut self, id: usize) -> Result<(), Fault> {
        let profile = &self.profiles[id];
        let lines = profile.lines.iter();
        let lines: Vec<_> = lines
            .map(|(&channel, &connection)| (channel, connection))
            .filter(|(_, one)| self.relay.has_request(*one) || self.relay.has_answer(*one))
            .collect();
        let now = self.now();
        if profile.client.poll_timeout().is_some_and(|due| due <= now) {
            return self.input(id, Input::Timeout);
        }
        let has_web = !profile.web.is_empty();
        if has_web && (lines.is_empty() || self.below(3) == 0) {
            return self.answer_web(id);
        }
        let Some(&(channel, connection)) = self.pick(&lines) else {
            return Ok(());
        };
        if self.is_rough && self.below(80) == 0 {
            self.trace(|| format!("profile {id} loses a connection"));
            let part = self.below(5);
            self.relay.run_part(connection, part);
            self.profiles[id].lines.remove(&channel);
            return self.input(id, Input::Closed { channel });
        }
        let has_answer = self.relay.has_answer(connection);
        if self.relay.has_request(connection) && (!has_answer || self.below(2) == 0) {
            let is_backwards = self.is_rough && self.below(3) == 0;
            self.relay.answer_backwards(is_backwards);
            self.relay.run_request(connection);
            return Ok(());
        }
        match self.relay.next_frame(connection) {
            Some(frame) => self.input(id, Input::Received { channel, frame }),
            None => Ok(()),
        }
    }

    fn answer_web(&mut self, id: usize) -> Result<(), Fault> {
        let Some(web) = self.profiles[id].web.pop_front() else {
            return Ok(());
        };
        let fails = if self.is_rough { self.below(20) } else { 2 };
        let input = match web {
            Web::Fetch(desk) => Input::CardFetched {
                desk,
                card: match fails {
                    0 => Err(CardAbsent::Unreachable),
                    _ => self.relay.card(&desk),
                },
            },
            Web::Publish(desk, _) if fails == 0 => Input::CardPublished {
                desk,
                answer: PublishAnswer::Unreachable,
            },
            Web::Publish(desk, card) => {
                let answer = self.relay.publish(desk, card);
                let answer = match fails {
                    1 => PublishAnswer::Unreachable,
                    _ => answer,
                };
                Input::CardPublished { desk, answer }
            }
        };
        self.input(id, input)
    }

    /// A client starts, or comes online.
    pub(super) fn wake(&mut self, id: usize) -> Result<(), Fault> {
        self.profiles[id].is_offline = false;
        self.input(id, Input::Timeout)
    }

    /// Tells a client something.
    pub(super) fn input(&mut self, id: usize, input: Input) -> Result<(), Fault> {
        let done = self.touch(id, |client, now, rng| client.handle_input(input, now, rng));
        done.map(|_| ())
    }

    /// Gives a command; its answer, where what it changed was saved.
    pub(super) fn command(
        &mut self,
        id: usize,
        command: Command,
    ) -> Result<Option<Result<(), CommandError>>, Fault> {
        self.touch(id, |client, now, rng| {
            client.handle_command(command, now, rng)
        })
    }

    /// Changes a client, and does what it says is to be done; or it crashes on the way. Gives the result where
    /// what changed was saved.
    fn touch<T>(
        &mut self,
        id: usize,
        change: impl FnOnce(&mut Client, Now, &mut Rng) -> T,
    ) -> Result<Option<T>, Fault> {
        let now = self.now();
        let crash = if self.is_rough { self.below(200) } else { 2 };
        let profile = &mut self.profiles[id];
        let result = change(&mut profile.client, now, &mut profile.rng);
        while let Some(output) = self.profiles[id].client.poll_output() {
            match output {
                Output::Store(_) if crash == 0 => {
                    self.trace(|| format!("profile {id} crashes before it has saved"));
                    self.crash(id)?;
                    return Ok(None);
                }
                Output::Store(snapshot) => {
                    self.profiles[id].disk = snapshot.to_vec();
                    if crash == 1 {
                        self.trace(|| format!("profile {id} crashes after it has saved"));
                        self.crash(id)?;
                        return Ok(Some(result));
                    }
                }
                other => self.act(id, other, now),
            }
        }
        self.look(id)?;
        Ok(Some(result))
    }

    /// Does what a client's shell is told to do.
    fn act(&mut self, id: usize, output: Output, now: Now) {
        let fails = self.is_rough && self.below(40) == 0;
        let profile = &mut self.profiles[id];
        match output {
            Output::Open { channel, .. } => {
                let input = if fails || profile.is_offline {
                    Input::Closed { channel }
                } else {
                    let connection = self.relay.connect_frames(profile.viewer());
                    profile.lines.insert(channel, connection);
                    Input::Opened { channel }
                };
                profile.client.handle_input(input, now, &mut profile.rng);
            }
            Output::Send { channel, frame } => {
                if let Some(&connection) = profile.lines.get(&channel) {
                    self.relay.send_frame(connection, frame);
                }
            }
            Output::Close { channel } => {
                if let Some(connection) = profile.lines.remove(&channel) {
                    self.relay.close(connection);
                }
            }
            Output::Store(snapshot) => profile.disk = snapshot.to_vec(),
            Output::FetchCard { desk, .. } => profile.web.push_back(Web::Fetch(desk)),
            Output::PublishCard { desk, card, .. } => {
                profile.web.push_back(Web::Publish(desk, card));
            }
            Output::Event(event) => profile.events.push(event),
            // Nobody sends a file here.
            Output::File(_) | Output::DropFile(_) => {}
        }
    }

    /// A client loses its memory and its connections; where it is online, it starts again.
    pub(super) fn crash(&mut self, id: usize) -> Result<(), Fault> {
        self.disconnect(id);
        self.profiles[id].restore();
        if self.profiles[id].is_offline {
            return self.look(id);
        }
        // It doesn't crash while it starts: that would be the same once more.
        let is_rough = std::mem::replace(&mut self.is_rough, false);
        let woken = self.wake(id);
        self.is_rough = is_rough;
        woken
    }

    fn disconnect(&mut self, id: usize) {
        for connection in std::mem::take(&mut self.profiles[id].lines).into_values() {
            self.relay.close(connection);
        }
    }

    /// A client goes away until it is woken: nothing of what it knew is lost.
    pub(super) fn go_offline(&mut self, id: usize) -> Result<(), Fault> {
        self.profiles[id].is_offline = true;
        self.crash(id)
    }

    /// Compares what a client shows with the reference.
    fn look(&mut self, id: usize) -> Result<(), Fault> {
        if self.link.is_none() {
            return Ok(());
        }
        let looked = self.ledger.look(&mut self.profiles[id], self.steps);
        looked.map(|lines| {
            for line in lines {
                self.trace(|| line);
            }
        })
    }

    pub(super) fn now(&self) -> Now {
        Now::from_millis(self.millis)
    }

    /// The devices of a person.
    pub(super) fn devices(&self, person: usize) -> std::ops::Range<usize> {
        let first = self.members + person * DEVICES;
        first..first + DEVICES
    }

    /// A text that nobody has said yet.
    pub(super) fn text(&mut self) -> String {
        self.said += 1;
        format!("text {}", self.said)
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
        self.ledger.summary()
    }
}

fn below(rng: &mut Rng, n: usize) -> usize {
    let n = u64::try_from(n).unwrap();
    usize::try_from(rng.next_u64() % n).unwrap()
}
