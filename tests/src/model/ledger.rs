//! The reference model: what one honest scribe would have written down.

use std::collections::{BTreeMap, BTreeSet};

use cobijo_client_core::core::group::{Group, Stop};
use cobijo_protocol::{content::MessageId, words::WordIndices};

use super::client::{Client, LeafId, leaf_id};

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
    /// What was asked for, of whom, by whom: it must come about as long as who asked is here.
    pub requests: Vec<Request>,
    /// Message slots that were erased, by the client whose they are.
    pub erased: BTreeMap<usize, usize>,
    /// Leaves for which alone a commit was garbled: they may stop.
    pub attacked: BTreeSet<LeafId>,
}

/// Something that a member asked of the group.
pub struct Request {
    /// Who asked.
    pub by: LeafId,
    /// Whom it is about.
    pub leaf: LeafId,
    /// Whether to add it, or else to remove it.
    pub is_add: bool,
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
    /// Whether it was written when the epoch had ended: nobody may ever see it.
    pub is_late: bool,
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
            Some(Stop::Removed | Stop::Returned | Stop::Left) => {
                self.removes.contains(&client.leaf())
            }
            Some(Stop::Stale) => client.may_be_stale,
            Some(Stop::Broken) => self.attacked.contains(&client.leaf()),
            Some(Stop::Policy | Stop::Wiped) => false,
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
                Some(sent) if sent.is_late && !client.is_blinded => {
                    let (id, text) = (client.id, start(&shown.text));
                    return Err(format!("client {id} shows {text:?}, written after the end"));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// At the end, when everybody has caught up: whoever stayed has all that those who stayed said,
    /// and the same of what others said, but for what was erased; and what was asked for has come about.
    pub fn check_end(&self, clients: &[Client]) -> Result<(), Fault> {
        let last = self.members();
        let alive: Vec<_> = clients
            .iter()
            .filter(|client| client.is_active() && last.contains(&client.leaf()))
            .collect();
        for client in &alive {
            self.check_heard(client, &alive)?;
        }
        self.check_requests(&alive)
    }

    fn check_heard(&self, listener: &Client, alive: &[&Client]) -> Result<(), Fault> {
        let mut lacking: BTreeMap<usize, Vec<&Sent>> = BTreeMap::new();
        for (id, sent) in &self.sent {
            let stays = |author: &LeafId| alive.iter().any(|client| client.leaf() == *author);
            let is_for = |client: &Client| {
                client.leaf() != sent.author && sent.audience.contains(&client.leaf())
            };
            let has_another = |client: &&Client| is_for(client) && client.log.stands(id);
            let is_due = stays(&sent.author) || alive.iter().any(has_another);
            // Who came later sees nothing of it, or what was said again.
            let is_seen = listener.log.shown.contains_key(id);
            let is_here = is_for(listener) || (is_seen && stays(&sent.author));
            if is_due && is_here && !listener.log.stands(id) {
                lacking.entry(sent.author.0).or_default().push(sent);
            }
        }
        for (author, lacking) in lacking {
            let erased = self.erased.get(&author).copied().unwrap_or(0);
            if let Some(sent) = lacking.get(erased) {
                return Err(format!(
                    "client {} lacks {:?} of {:?}, said in epoch {}; {erased} were erased",
                    listener.id,
                    start(&sent.text),
                    sent.author,
                    sent.epoch
                ));
            }
        }
        Ok(())
    }

    fn check_requests(&self, alive: &[&Client]) -> Result<(), Fault> {
        let was_here = |leaf| {
            self.epochs
                .values()
                .any(|epoch| epoch.members.contains(leaf))
        };
        let members = self.members();
        for Request { by, leaf, is_add } in &self.requests {
            let asks = |client: &&&Client| {
                // Only renewals are refused for their number.
                let mut refused = client.log.refused.iter();
                let is_refused = refused.any(|rule| rule != "Some(Renewed)");
                client.leaf() == *by && !client.log.is_leaving && !is_refused
            };
            let is_done = if *is_add {
                was_here(leaf)
            } else {
                !members.contains(leaf)
            };
            if alive.iter().any(|client| asks(&client)) && !is_done {
                return Err(format!("{by:?} asked for {leaf:?} and was forgotten"));
            }
        }
        Ok(())
    }
}

fn start(text: &str) -> &str {
    text.split_once('.').map_or(text, |(start, _)| start)
}
