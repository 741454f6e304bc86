//! The reference model: what one honest scribe would have written down.

use std::collections::{BTreeMap, BTreeSet};

use cobijo_client_core::core::group::{Group, Stop};
use cobijo_protocol::{content::MessageId, words::WordIndices};

use super::client::{Client, LeafId, Standing, leaf_id};

/// What should have happened.
#[derive(Default)]
pub struct Ledger {
    epochs: BTreeMap<u64, Epoch>,
    sent: BTreeMap<MessageId, Sent>,
    /// Leaves that somebody asked to add.
    pub adds: BTreeSet<LeafId>,
    /// Leaves that somebody asked to remove, or that asked to leave.
    pub removes: BTreeSet<LeafId>,
    /// Which client asked to remove which leaf, by its key: the next leaf may have the same one.
    pub asked: BTreeSet<(usize, LeafId)>,
    /// Message slots that were erased, by the client whose they are.
    pub erased: BTreeMap<usize, u32>,
}

#[derive(PartialEq, Eq, Debug)]
struct Epoch {
    code: WordIndices,
    members: Vec<LeafId>,
}

impl Epoch {
    fn of(group: &Group) -> Self {
        let members = group.members();
        let mut members: Vec<_> = members
            .iter()
            .map(|member| leaf_id(&member.identity))
            .collect();
        members.sort_unstable();
        let code = group.code();
        Self { code, members }
    }
}

/// A message that was sent.
pub struct Sent {
    /// By whom.
    pub author: LeafId,
    /// What it says.
    pub text: String,
    /// Who was here, as its author saw it.
    pub audience: Vec<LeafId>,
    /// The epoch then.
    pub epoch: u64,
}

/// What a screen says of a message that only tells of a leave.
pub const LEAVE: &str = "leave";

/// Something that must never be.
pub type Fault = String;

impl Ledger {
    /// Notes a message that its author has saved.
    pub fn note(&mut self, id: MessageId, sent: Sent) {
        self.sent.insert(id, sent);
    }

    /// Number of messages sent.
    pub fn messages(&self) -> usize {
        self.sent.len()
    }

    /// The latest epoch that anybody reached.
    pub fn last_epoch(&self) -> u64 {
        self.epochs.last_key_value().map_or(0, |(epoch, _)| *epoch)
    }

    /// Members of the latest epoch.
    pub fn members(&self) -> Vec<LeafId> {
        self.epochs
            .last_key_value()
            .map_or_else(Vec::new, |(_, epoch)| epoch.members.clone())
    }

    /// Compares what a client has saved with everything that others have: one history, one
    /// membership, nothing said twice or by nobody, nobody stopped for nothing.
    pub fn check(&mut self, client: &Client) -> Result<(), Fault> {
        if let Some(fault) = client.log.faults.first() {
            return Err(format!("client {}: {fault}", client.id));
        }
        // Who is shown no commits lives in a world of its own.
        if let Some(group) = client.group().filter(|_| !client.is_blinded) {
            self.check_stop(client, group.stop())?;
            if group.stop().is_none() {
                self.check_epoch(client, group)?;
            }
        }
        self.check_texts(client)
    }

    /// Whether the group's epoch is known, and is another one.
    pub fn is_elsewhere(&self, group: &Group) -> bool {
        let known = self.epochs.get(&group.epoch());
        known.is_some_and(|known| *known != Epoch::of(group))
    }

    fn check_epoch(&mut self, client: &Client, group: &Group) -> Result<(), Fault> {
        let number = group.epoch();
        let epoch = Epoch::of(group);
        if let Some(known) = self.epochs.get(&number) {
            return if *known == epoch {
                Ok(())
            } else {
                Err(format!(
                    "client {} has another epoch {number}: a fork",
                    client.id
                ))
            };
        }
        if let Some(before) = number.checked_sub(1).and_then(|n| self.epochs.get(&n)) {
            for leaf in &epoch.members {
                if !before.members.contains(leaf) && !self.adds.contains(leaf) {
                    return Err(format!("{leaf:?} was added and nobody asked for it"));
                }
            }
            for leaf in &before.members {
                if !epoch.members.contains(leaf) && !self.removes.contains(leaf) {
                    return Err(format!("{leaf:?} was removed and nobody asked for it"));
                }
            }
        }
        self.epochs.insert(number, epoch);
        Ok(())
    }

    fn check_stop(&self, client: &Client, stop: Option<Stop>) -> Result<(), Fault> {
        let is_right = match stop {
            None => true,
            Some(Stop::Removed | Stop::Left) => self.removes.contains(&client.leaf()),
            Some(Stop::Stale) => client.may_be_stale,
            Some(Stop::Broken | Stop::Policy | Stop::Wiped) => false,
        };
        if is_right {
            Ok(())
        } else {
            Err(format!("client {} stopped: {stop:?}", client.id))
        }
    }

    fn check_texts(&self, client: &Client) -> Result<(), Fault> {
        // Only the latest: earlier ones were checked when they came.
        for (_, id) in client.log.order.iter().rev().take(8) {
            let shown = &client.log.shown[id];
            if shown.text == LEAVE {
                continue;
            }
            match self.sent.get(id) {
                None => {
                    let (id, text) = (client.id, start(&shown.text));
                    return Err(format!("client {id} shows {text:?}, which nobody sent"));
                }
                Some(sent) if sent.text != shown.text => {
                    return Err(format!("client {} shows another text", client.id));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// At the end, when everybody has caught up: whoever stayed has all that those who stayed said,
    /// and the same of what others said.
    pub fn check_end(&self, clients: &[Client]) -> Result<(), Fault> {
        let last = self.members();
        let alive: Vec<_> = clients
            .iter()
            .filter(|client| client.is_active() && last.contains(&client.leaf()))
            .collect();
        for (id, sent) in &self.sent {
            let erased = self.erased.get(&sent.author.0).copied().unwrap_or(0);
            let listeners: Vec<_> = alive
                .iter()
                .filter(|client| client.leaf() != sent.author)
                .filter(|client| sent.audience.contains(&client.leaf()))
                .collect();
            let without: Vec<_> = listeners
                .iter()
                .filter(|client| !client.log.stands(id))
                .map(|client| client.id)
                .collect();
            if erased > 0 || without.is_empty() {
                continue;
            }
            let author_stays = alive.iter().any(|client| client.leaf() == sent.author);
            if author_stays {
                return Err(format!(
                    "clients {without:?} lack {:?} of client {}, said in epoch {}",
                    start(&sent.text),
                    sent.author.0,
                    sent.epoch
                ));
            }
            if without.len() < listeners.len() {
                return Err(format!(
                    "clients {without:?} lack {:?} of client {}, who is gone, and others have it",
                    start(&sent.text),
                    sent.author.0
                ));
            }
        }
        self.check_left_over(&alive)
    }

    fn check_left_over(&self, alive: &[&Client]) -> Result<(), Fault> {
        for client in alive {
            for (id, shown) in &client.log.shown {
                let Some(sent) = self.sent.get(id) else {
                    continue;
                };
                let author_stays = alive.iter().any(|client| client.leaf() == sent.author);
                let is_erased = self.erased.contains_key(&sent.author.0);
                if author_stays && !is_erased && shown.standing != Standing::Confirmed {
                    return Err(format!(
                        "client {} shows {:?} as {:?} though its author is here",
                        client.id,
                        start(&shown.text),
                        shown.standing
                    ));
                }
            }
        }
        Ok(())
    }
}

fn start(text: &str) -> &str {
    text.split_once('.').map_or(text, |(start, _)| start)
}
