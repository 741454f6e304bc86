//! Persons and accompaniers over a relay in memory, who may crash after every step.

use cobijo_client_core::{
    core::{
        claim::{Claim, Me, queue::Queue},
        client::{EntryContent, RowId},
        conversation::Conversation,
        intake::{Contact, Reason},
        joining::Joining,
        port::{Now, Rng},
        waiting::{Waiting, Wanted},
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

use crate::machine::Line;

pub(crate) const NOW: Now = Now::from_millis(20_000 * 86_400_000);

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
    pub(crate) texts: Vec<String>,
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
    NotAdded,
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

    pub(crate) fn reseed(&mut self, seed: u64) {
        self.rng = Rng::seed_from_u64(seed);
    }

    pub(crate) fn rng_of(&mut self) -> Rng {
        Rng::from_rng(&mut self.rng)
    }
}
