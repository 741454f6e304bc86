//! Persons and accompaniers over a relay in memory, who may crash after every step.

use cobijo_client_core::{
    core::{
        claim::{
            Claim, ClaimEvent, Me,
            queue::{LiveKey, Queue},
        },
        client::{ConversationEvent, EntryContent, RowId},
        conversation::Conversation,
        group::Group,
        intake::{Contact, ContactEvent, Reason},
        joining::Joining,
        port::{Now, Rng, Seen, Wants},
        waiting::{Waiting, WaitingEvent, Wanted},
    },
    mls::{Suite, hpke},
};
use cobijo_protocol::{
    card::{Card, Role},
    content::IntakeKey,
    credential::Credential,
    keys::{IntakeSeed, SecretKey},
    link::DeskId,
    mailbox::MailboxKey,
};
use cobijo_tests::{
    authority::Authority,
    memory_relay::{MemoryRelay, Viewer},
};
use rand_core::{Rng as _, SeedableRng as _};

use crate::machine::{Line, Machine, reload, reload_line};

pub(crate) const NOW: Now = Now::from_millis(20_000 * 86_400_000);
const ROUNDS: usize = 120;

pub(crate) struct World {
    pub(crate) relay: MemoryRelay,
    pub(crate) rng: Rng,
    pub(crate) authority: Authority,
    pub(crate) now: Now,
    pub(crate) day: IntakeKey,
    pub(crate) actors: Vec<Actor>,
    /// Every actor is saved, forgotten and loaded after each step.
    pub(crate) crashes: bool,
}

/// Somebody, with one connection for each machine.
pub(crate) struct Actor {
    pub(crate) me: Option<Me>,
    pub(crate) queue: Option<Line<Queue>>,
    pub(crate) waiting: Option<Line<Waiting>>,
    pub(crate) claim: Option<Line<Claim>>,
    pub(crate) conversation: Option<Line<Conversation>>,
    pub(crate) joining: Option<Line<Joining>>,
    pub(crate) said: Vec<Told>,
    texts: Vec<String>,
}

/// What somebody was told, for assertions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    CardExpired,
    Stored,
    Full,
    AdditionStored,
    CouldNotJoin,
    Offered(String),
    Joined,
    ClaimedBy(String),
    LostTo(String),
    Replied,
    Began,
    Refused,
    Unanswerable,
    Proposed,
    ChangeRefused,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_seed(1)
    }

    pub(crate) fn with_seed(seed: u64) -> Self {
        let mailbox = SecretKey::from_bytes([31; 32]);
        let mut relay = MemoryRelay::new(NOW.day());
        relay.host_mailbox(MailboxKey::of(&mailbox));
        Self {
            relay,
            rng: Rng::seed_from_u64(seed),
            authority: Authority::new(1),
            now: NOW,
            day: IntakeKey {
                day: NOW.day(),
                mailbox,
                seed: IntakeSeed::from_bytes([32; 32]),
            },
            actors: Vec::new(),
            crashes: false,
        }
    }

    pub(crate) fn key(&mut self) -> SecretKey {
        let mut bytes = [0; 32];
        self.rng.fill_bytes(&mut bytes);
        SecretKey::from_bytes(bytes)
    }

    pub(crate) fn desk(&self) -> DeskId {
        DeskId::of(&self.authority.root())
    }

    pub(crate) fn card(&self) -> Card {
        let pair = hpke::key_pair(self.day.seed.as_bytes()).unwrap();
        let card = self
            .authority
            .card(self.day.day, &self.day.mailbox, pair.public);
        card.verify(&self.desk()).unwrap()
    }

    pub(crate) fn line<M>(&mut self, machine: M, actor: usize) -> Line<M> {
        Line {
            machine,
            connection: self.relay.connect(Viewer(actor as u32)),
        }
    }

    pub(crate) fn actor(&mut self) -> usize {
        self.actors.push(Actor {
            me: None,
            queue: None,
            waiting: None,
            claim: None,
            conversation: None,
            joining: None,
            said: Vec::new(),
            texts: Vec::new(),
        });
        self.actors.len() - 1
    }

    /// A person who writes to the desk.
    pub(crate) fn person(&mut self, text: &str) -> usize {
        let contact = Contact::new(
            Suite::Interop,
            self.desk(),
            Reason::First,
            "es",
            text,
            &mut self.rng,
        )
        .unwrap();
        let mut waiting = Waiting::new(Suite::Interop, contact, Wanted::Claim, None);
        let card = self.card();
        waiting.handle_card(&card, self.now, &mut self.rng).unwrap();
        let actor = self.actor();
        self.actors[actor].waiting = Some(self.line(waiting, actor));
        actor
    }

    /// A member of the desk, on shift.
    pub(crate) fn member(&mut self, alias: &str) -> usize {
        self.member_until(alias, u32::MAX)
    }

    /// As [`Self::member`], with the last day on which she may be added to a group.
    pub(crate) fn member_until(&mut self, alias: &str, not_after: u32) -> usize {
        let key = self.key();
        let credential =
            self.authority
                .attest_until(alias, Role::Accompanier, &key.public(), not_after);
        let Credential::Member(attested) = credential else {
            panic!("a member's credential");
        };
        let actor = self.actor();
        self.actors[actor].me = Some(Me {
            suite: Suite::Interop,
            root: self.authority.root(),
            key,
            attested,
        });
        self.actors[actor].queue = Some(self.line(Queue::new(self.desk()), actor));
        actor
    }

    /// The rows that a member sees.
    pub(crate) fn rows(&mut self, member: usize) -> Vec<RowId> {
        let queue = &self.actors[member].queue.as_ref().unwrap().machine;
        queue.rows(self.now).into_iter().map(|row| row.id).collect()
    }

    /// A member answers the row that waits longest.
    pub(crate) fn claim(&mut self, member: usize) {
        let row = self.rows(member)[0];
        let me = self.actors[member].me.clone().unwrap();
        let queue = &mut self.actors[member].queue.as_mut().unwrap().machine;
        let opened = queue.claim(row).unwrap();
        let claim = Claim::new(me, opened, &mut self.rng).unwrap();
        self.actors[member].claim = Some(self.line(claim, member));
    }

    pub(crate) fn talk(&mut self, actor: usize) -> &mut Conversation {
        &mut self.actors[actor]
            .conversation
            .as_mut()
            .unwrap_or_else(|| panic!("actor {actor} has no conversation"))
            .machine
    }

    pub(crate) fn say(&mut self, actor: usize, text: &str) {
        let mut rng = Rng::from_rng(&mut self.rng);
        let now = self.now;
        self.talk(actor).say(text, now, &mut rng).unwrap();
    }

    /// The texts that somebody sees.
    pub(crate) fn texts(&mut self, actor: usize) -> Vec<String> {
        let text = |content: &EntryContent| match content {
            EntryContent::Text(text) => Some(text.clone()),
            _ => None,
        };
        let history = self.talk(actor).history();
        history
            .iter()
            .filter_map(|entry| text(&entry.content))
            .collect()
    }

    pub(crate) fn was_told(&self, actor: usize, told: &Told) -> bool {
        self.actors[actor].said.contains(told)
    }

    pub(crate) fn run(&mut self) {
        for _ in 0..ROUNDS {
            let mut is_quiet = true;
            for actor in 0..self.actors.len() {
                is_quiet &= !self.step(actor);
                if self.crashes && self.rng.next_u32().is_multiple_of(4) {
                    self.crash(actor);
                }
            }
            if is_quiet && !self.crashes {
                return;
            }
        }
        assert!(self.crashes, "they never come to rest");
    }

    /// Moves time, and lets everything happen.
    pub(crate) fn pass(&mut self, duration: std::time::Duration) {
        self.now = self.now.plus(duration);
        self.run();
    }

    pub(crate) fn step(&mut self, actor: usize) -> bool {
        let queue = self.step_queue(actor);
        let waiting = self.step_waiting(actor);
        let claim = self.step_claim(actor);
        let joining = self.step_joining(actor);
        let conversation = self.step_conversation(actor);
        queue || waiting || claim || joining || conversation
    }

    fn step_queue(&mut self, actor: usize) -> bool {
        let Some(mut line) = self.actors[actor].queue.take() else {
            return false;
        };
        let mut wants = Wants::default();
        wants.mailboxes.push(self.day.mailbox.clone());
        line.machine.wants(&mut wants);
        let all_seen = self.relay.exchange(line.connection, &wants);
        line.machine.handle_timeout(self.now);
        for seen in &all_seen {
            if let Seen::Item(mailbox, item, cell) = seen {
                let keys = [LiveKey {
                    key: &self.day,
                    version: 3,
                }];
                line.machine
                    .handle_item(*mailbox, *item, cell, &keys, self.now);
            }
            line.machine.handle_seen(seen);
        }
        self.actors[actor].queue = Some(line);
        !all_seen.is_empty()
    }

    fn step_waiting(&mut self, actor: usize) -> bool {
        let Some(mut line) = self.actors[actor].waiting.take() else {
            return false;
        };
        let moved = self.exchange(&mut line, actor);
        if line.machine.needs_connection() {
            self.relay.close(line.connection);
            line.connection = self.relay.connect(Viewer(actor as u32));
        }
        let stands = line.machine.lacks_card() && !line.machine.contact().lacks_card();
        if stands && line.machine.needs_card(self.now) {
            let card = self.card();
            line.machine
                .handle_card(&card, self.now, &mut self.rng)
                .unwrap();
        }
        while let Some(event) = line.machine.poll_event() {
            let told = match event {
                WaitingEvent::Contact(ContactEvent::CardExpired) => Told::CardExpired,
                WaitingEvent::Contact(ContactEvent::Stored { .. }) => Told::Stored,
                WaitingEvent::Contact(ContactEvent::Full) => Told::Full,
                WaitingEvent::Contact(ContactEvent::AdditionStored) => Told::AdditionStored,
                WaitingEvent::CouldNotJoin => Told::CouldNotJoin,
                WaitingEvent::Offered(attestation) => Told::Offered(attestation.alias),
                WaitingEvent::Joined => Told::Joined,
            };
            self.actors[actor].said.push(told);
        }
        if let Some(joined) = line.machine.take_group() {
            match &mut self.actors[actor].conversation {
                Some(open) => open.machine.go_on_in(joined.group, self.now),
                None => {
                    let mut conversation = Conversation::of_person(joined.group, joined.person);
                    for text in joined.said {
                        conversation.first_text(text, self.now);
                    }
                    for text in joined.unsaid {
                        conversation.say(&text, self.now, &mut self.rng).unwrap();
                    }
                    self.actors[actor].conversation = Some(self.line(conversation, actor));
                }
            }
            return true;
        }
        self.actors[actor].waiting = Some(line);
        moved
    }

    fn step_claim(&mut self, actor: usize) -> bool {
        let Some(mut line) = self.actors[actor].claim.take() else {
            return false;
        };
        let moved = self.exchange(&mut line, actor);
        while let Some(event) = line.machine.poll_event() {
            self.handle_claim_event(actor, event, &line.machine);
        }
        let has_arrived = line.machine.is_answered()
            && (self.actors[actor].conversation.as_ref())
                .is_some_and(|open| open.machine.person_has_arrived());
        if has_arrived {
            line.machine.person_arrived(self.now);
        }
        if !line.machine.is_over() {
            self.actors[actor].claim = Some(line);
        }
        moved
    }

    fn step_joining(&mut self, actor: usize) -> bool {
        let Some(mut line) = self.actors[actor].joining.take() else {
            return false;
        };
        let mut wants = Wants::default();
        line.machine.wants(&mut wants);
        let all_seen = self.relay.exchange(line.connection, &wants);
        for seen in &all_seen {
            if let Some(group) = line.machine.handle_seen(seen, self.now, &mut self.rng) {
                let conversation = Conversation::of_member(group);
                self.actors[actor].conversation = Some(self.line(conversation, actor));
                return true;
            }
        }
        self.actors[actor].joining = Some(line);
        !all_seen.is_empty()
    }

    pub(crate) fn reseed(&mut self, seed: u64) {
        self.rng = Rng::seed_from_u64(seed);
    }

    pub(crate) fn rng_of(&mut self) -> Rng {
        Rng::from_rng(&mut self.rng)
    }

    fn handle_claim_event(&mut self, actor: usize, event: ClaimEvent, claim: &Claim) {
        let row = self.rows_all(actor, claim);
        let now = self.now;
        let queue = &mut self.actors[actor].queue.as_mut().unwrap().machine;
        let told = match event {
            ClaimEvent::Notice(_) => return,
            ClaimEvent::ClaimedBy {
                alias,
                claimer,
                until,
            } => {
                queue.claimed(row, claimer, until);
                Told::ClaimedBy(alias)
            }
            ClaimEvent::LostTo { alias } => {
                queue.answered(row, false, now);
                Told::LostTo(alias)
            }
            ClaimEvent::Replied => {
                queue.answered(row, true, now);
                Told::Replied
            }
            ClaimEvent::Refused => {
                queue.release(row);
                self.actors[actor].conversation = None;
                Told::Refused
            }
            ClaimEvent::Unanswerable => {
                queue.unanswerable(row);
                Told::Unanswerable
            }
            ClaimEvent::Text(text) => {
                let heard = &mut self.actors[actor];
                match &mut heard.conversation {
                    Some(open) => open.machine.first_text(text, now),
                    None => heard.texts.push(text),
                }
                return;
            }
            ClaimEvent::Began(group) => {
                let first = claim.opened().intake.text.clone();
                self.begin(actor, *group, first);
                Told::Began
            }
        };
        self.actors[actor].said.push(told);
    }

    fn begin(&mut self, actor: usize, group: Group, first: String) {
        if let Some(open) = &mut self.actors[actor].conversation
            && open.machine.goes_on_in(&group)
        {
            return open.machine.go_on_in(group, self.now);
        }
        let mut conversation = Conversation::of_member(group);
        conversation.first_text(first, self.now);
        for text in std::mem::take(&mut self.actors[actor].texts) {
            conversation.first_text(text, self.now);
        }
        self.actors[actor].conversation = Some(self.line(conversation, actor));
    }

    fn rows_all(&self, actor: usize, claim: &Claim) -> RowId {
        let queue = &self.actors[actor].queue.as_ref().unwrap().machine;
        queue.row_of(&claim.opened().intake.r).unwrap()
    }

    fn step_conversation(&mut self, actor: usize) -> bool {
        let Some(mut line) = self.actors[actor].conversation.take() else {
            return false;
        };
        let moved = self.exchange(&mut line, actor);
        if line.machine.needs_card(self.now) {
            line.machine.handle_card(&self.card());
        }
        while let Some(event) = line.machine.poll_event() {
            match event {
                ConversationEvent::Proposed(_) => self.actors[actor].said.push(Told::Proposed),
                ConversationEvent::ChangeRefused => {
                    self.actors[actor].said.push(Told::ChangeRefused);
                }
                _ => {}
            }
        }
        self.actors[actor].conversation = Some(line);
        moved
    }

    fn exchange<M: Machine>(&mut self, line: &mut Line<M>, actor: usize) -> bool {
        line.machine.handle_timeout(self.now, &mut self.rng);
        let mut wants = Wants::default();
        line.machine.wants(&mut wants);
        if self.crashes && self.rng.next_u32().is_multiple_of(4) {
            // Everything was done, and nobody learns of it.
            self.relay.reconcile(line.connection, &wants);
            while self.relay.run_request(line.connection) {}
            reload_line(line, &mut self.relay, Viewer(actor as u32));
            return true;
        }
        let all_seen = self.relay.exchange(line.connection, &wants);
        for seen in &all_seen {
            line.machine.handle_seen(seen, self.now, &mut self.rng);
        }
        !all_seen.is_empty()
    }

    /// Saves, forgets and loads everything of an actor, and connects again.
    pub(crate) fn crash(&mut self, actor: usize) {
        let Actor {
            queue,
            waiting,
            claim,
            conversation,
            joining,
            ..
        } = &mut self.actors[actor];
        let relay = &mut self.relay;
        let viewer = Viewer(actor as u32);
        reload(queue, relay, viewer);
        reload(waiting, relay, viewer);
        reload(claim, relay, viewer);
        reload(conversation, relay, viewer);
        reload(joining, relay, viewer);
    }
}
