//! One client: what it is in memory, what it saved, and its connections.

use std::collections::{BTreeMap, VecDeque};

use cobijo_client_core::core::{
    client::{ChannelId, Client, ConversationId, Event},
    port::Rng,
};
use cobijo_protocol::link::DeskId;
use rand_core::SeedableRng as _;

use crate::memory_relay::{ConnectionId, Viewer};

/// Whose client it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// A member of the desk, by her number.
    Member(usize),
    /// A person, by her number.
    Person(usize),
}

/// A request of the shell's other than a frame.
pub enum Web {
    /// A card is asked for.
    Fetch(DeskId),
    /// A card is published.
    Publish(DeskId, Vec<u8>),
}

/// A client and its disk.
pub struct Profile {
    /// Its number.
    pub id: usize,
    /// Whose it is.
    pub owner: Owner,
    /// What is in memory.
    pub client: Client,
    /// What was saved last; nothing before the first time.
    pub disk: Vec<u8>,
    /// What was saved before, now and then.
    pub older: Vec<Vec<u8>>,
    /// Own randomness, never wound back.
    pub rng: Rng,
    /// Its connections.
    pub lines: BTreeMap<ChannelId, ConnectionId>,
    /// Cards on their way.
    pub web: VecDeque<Web>,
    /// What it has said since the ledger looked last.
    pub events: Vec<Event>,
    /// Whether events may have been lost by a crash since then.
    pub has_lost_events: bool,
    /// Whether it is to stay offline.
    pub is_offline: bool,
    /// Whether it was restored from an older copy: it owes nobody anything any more.
    pub is_spoilt: bool,
    /// Whether it is one of those that left the desk, or were evicted.
    pub is_out: bool,
    /// The group of each conversation, and its epoch's code when that was looked up.
    pub groups: BTreeMap<ConversationId, usize>,
}

impl Profile {
    /// A client that is nothing yet.
    pub fn new(id: usize, owner: Owner, seed: u64) -> Self {
        Self {
            id,
            owner,
            client: Client::new(),
            disk: Vec::new(),
            older: Vec::new(),
            rng: Rng::seed_from_u64(seed.wrapping_mul(1_000) + id as u64),
            lines: BTreeMap::new(),
            web: VecDeque::new(),
            events: Vec::new(),
            has_lost_events: false,
            is_offline: false,
            is_spoilt: false,
            is_out: false,
            groups: BTreeMap::new(),
        }
    }

    /// How the relay tells it apart.
    pub fn viewer(&self) -> Viewer {
        Viewer(u32::try_from(self.id).unwrap())
    }

    /// Loses what is in memory; it starts again from its disk.
    pub fn restore(&mut self) {
        self.client = if self.disk.is_empty() {
            Client::new()
        } else {
            Client::restore(&self.disk).unwrap()
        };
        self.web.clear();
        self.events.clear();
        self.has_lost_events = true;
    }
}
