//! What members do.

use cobijo_client_core::{
    core::{
        group::{Change, Group},
        joining::{Expect, Joining, Lineage},
    },
    mls::key_package::OwnKeyPackage,
};
use cobijo_protocol::{
    card::Role,
    commit::{Profile, sign_person_rescue},
    content::{Content, MessageId},
};
use serde_bytes::ByteBuf;

use super::{
    client::{Client, LeafId, Log, State, leaf_id},
    ledger::{Fault, Request, Sent},
    world::World,
};

/// Members that a group has at most here.
const MEMBERS_MAX: usize = 8;

impl World {
    /// Some member does something.
    pub(super) fn act(&mut self) -> Result<(), Fault> {
        let active = self.active();
        let Some(&id) = self.pick(&active) else {
            return Ok(());
        };
        match self.below(40) {
            0..26 => self.say(id),
            26..29 => self.update(id),
            29..33 => self.add_somebody(id),
            33..35 => self.remove_somebody(id),
            35 => self.leave(id),
            36 => self.evict_somebody(id),
            37 => self.rescue_somebody(id),
            _ => {
                self.millis += 1000 * self.below(5000) as u64;
                Ok(())
            }
        }
    }

    /// Says something, mostly short.
    pub(super) fn say(&mut self, id: usize) -> Result<(), Fault> {
        let padding = match self.below(30) {
            0..26 => self.below(300),
            26..29 => 3000 + self.below(20_000),
            _ => 100_000 + self.below(100_000),
        };
        self.said += 1;
        let text = format!("text {}.{}", self.said, "x".repeat(padding));
        self.trace(|| format!("client {id} says text of {padding}"));
        let content = Content::Text(text.clone());
        self.send(id, text, |client| {
            let (State::Member(group), rng) = (&mut client.state, &mut client.rng) else {
                return None;
            };
            group.send(content, rng).ok()
        })
    }

    /// Makes a message, and notes it in the reference where it was saved.
    fn send(
        &mut self,
        id: usize,
        text: String,
        send: impl FnOnce(&mut Client) -> Option<MessageId>,
    ) -> Result<(), Fault> {
        let Some(group) = self.clients[id].group() else {
            return Ok(());
        };
        let audience = group
            .members()
            .iter()
            .map(|member| leaf_id(&member.identity))
            .collect();
        let sent = Sent {
            author: self.clients[id].leaf(),
            text,
            audience,
            epoch: group.epoch(),
            is_late: false,
        };
        if let Some(Some(id)) = self.touch(id, send)? {
            self.ledger.note(id, sent);
        }
        Ok(())
    }

    pub(super) fn update(&mut self, id: usize) -> Result<(), Fault> {
        self.trace(|| format!("client {id} updates"));
        self.request(id, Change::default(), None)
    }

    /// Asks for a commit; the reference notes whom it is about, where it was saved.
    fn request(&mut self, id: usize, change: Change, about: Option<LeafId>) -> Result<(), Fault> {
        let (by, is_add) = (self.clients[id].leaf(), !change.adds.is_empty());
        let asked = self.touch(id, |client| {
            let group = client.active()?;
            group.request(change);
            Some(())
        })?;
        if let (Some(leaf), Some(Some(()))) = (about, asked) {
            self.ledger.requests.push(Request { by, leaf, is_add });
        }
        Ok(())
    }

    /// Whether a client may add and remove without a statement.
    fn leads(&self, id: usize) -> bool {
        match self.profile {
            Profile::Conversation => id == 0,
            Profile::Desk | Profile::Circle => self.clients[id].role == Some(Role::Coordinator),
        }
    }

    /// Somebody outside makes a KeyPackage, and `by` asks to add it.
    pub(super) fn add(&mut self, by: usize, id: usize) {
        let change = self.offer(id);
        self.trace(|| format!("client {by} asks to add client {id}"));
        let client = &mut self.clients[by];
        if let Some(group) = client.active() {
            group.request(change);
        }
        client.save();
    }

    fn add_somebody(&mut self, by: usize) -> Result<(), Fault> {
        let outside: Vec<_> = self
            .clients
            .iter()
            .filter(|client| {
                client.id != 0 && matches!(client.state, State::Outside) && !client.is_traitor
            })
            .map(|client| client.id)
            .collect();
        let is_full = self.ledger.members().len() >= MEMBERS_MAX;
        let Some(&id) = self.pick(&outside).filter(|_| !is_full) else {
            return Ok(());
        };
        if !self.leads(by) {
            return Ok(());
        }
        let change = self.offer(id);
        self.trace(|| format!("client {by} asks to add client {id}"));
        let leaf = self.clients[id].leaf();
        self.request(by, change, Some(leaf))
    }

    /// A client gets a leaf to come with, and waits for its Welcome.
    fn offer(&mut self, id: usize) -> Change {
        let signers = self
            .clients
            .iter()
            .flat_map(|client| [client.key.public(), client.lasting_key.public()])
            .collect();
        let expect = Expect {
            profile: self.profile,
            root: self.desk.root(),
            signers,
            roster: None,
            lineage: Lineage::First,
            welcome: None,
        };
        let day = self.day();
        let is_still_removed = self.is_still_removed(id);
        let client = &mut self.clients[id];
        // It joins at the day of whoever adds it, which may lie back.
        client.caught_day = 0;
        client.offered_day = day;
        let credential = client.renew_credential(&mut self.desk);
        let own =
            OwnKeyPackage::new(self.suite, &client.key, &credential, &mut client.rng).unwrap();
        let message = ByteBuf::from(own.message());
        client.state = State::Joining(Box::new(Joining::new(own, client.key.clone(), expect)));
        client.log = Log::default();
        client.is_blinded = false;
        client.may_be_stale = false;
        client.save();
        if let Some(connection) = client.connection.take() {
            self.relay.close(connection);
        }
        let leaf = self.clients[id].leaf();
        self.ledger.adds.insert(leaf);
        if is_still_removed {
            self.ledger.removes.insert(leaf);
        }
        Change {
            adds: vec![message],
            ..Change::default()
        }
    }

    /// Whether somebody who hasn't seen it go asked to remove the present leaf, whose key the next has too.
    fn is_still_removed(&self, id: usize) -> bool {
        let leaf = self.clients[id].leaf();
        let is_seen = |group: &Group| {
            let mut members = group.members().into_iter();
            members.any(|member| leaf_id(&member.identity) == leaf)
        };
        let mut askers = self.ledger.asked.iter().filter(|(_, asked)| *asked == leaf);
        askers.any(|(by, _)| self.clients[*by].group().is_some_and(is_seen))
    }

    /// Whoever may removes somebody; who was removed may not know, and goes on.
    fn remove_somebody(&mut self, by: usize) -> Result<(), Fault> {
        let Some(victim) = self.victim(by).filter(|_| self.leads(by)) else {
            return Ok(());
        };
        self.trace(|| format!("client {by} asks to remove client {victim}"));
        let leaf = self.leaf_seen(by, victim);
        let change = self.removal_of(by, victim);
        self.request(by, change, leaf)
    }

    /// Somebody acts on what a coordinator has signed.
    fn evict_somebody(&mut self, by: usize) -> Result<(), Fault> {
        let Some(victim) = self.victim(by) else {
            return Ok(());
        };
        self.trace(|| format!("client {by} acts on the removal of client {victim}"));
        let leaf = self.leaf_seen(by, victim);
        let mut change = self.removal_of(by, victim);
        let key = self.clients[victim].key.public();
        change.statements = vec![self.desk.removal(&key)];
        self.request(by, change, leaf)
    }

    /// The leaf that `by` sees of a client with its present key.
    fn leaf_seen(&self, by: usize, id: usize) -> Option<LeafId> {
        let key = self.clients[id].key.public();
        let members = self.clients[by].group()?.members();
        let mut seen = members.iter().filter(|member| member.key == key);
        seen.next().map(|member| leaf_id(&member.identity))
    }

    /// Some member that isn't the person, nor `by`.
    fn victim(&mut self, by: usize) -> Option<usize> {
        let members = self.clients[by].group()?.members();
        let ids: Vec<_> = members
            .iter()
            .map(|member| leaf_id(&member.identity).0)
            .filter(|&id| id != 0 && id != by)
            .collect();
        self.pick(&ids).copied()
    }

    fn removal_of(&mut self, by: usize, victim: usize) -> Change {
        let leaf = self.clients[victim].leaf();
        self.ledger.removes.insert(leaf);
        self.ledger.asked.insert((by, leaf));
        if self.below(3) == 0 {
            self.blind(victim);
        }
        Change {
            removes: vec![self.clients[victim].key.public()],
            ..Change::default()
        }
    }

    /// Somebody leaves; the person stays, so that there is a group to test.
    fn leave(&mut self, id: usize) -> Result<(), Fault> {
        let client = &self.clients[id];
        if id == 0 || client.log.is_leaving || self.active().len() < 3 {
            return Ok(());
        }
        self.trace(|| format!("client {id} leaves"));
        let leaf = self.clients[id].leaf();
        self.ledger.removes.insert(leaf);
        self.touch(id, |client| {
            if let Some(group) = client.active() {
                group.leave(None);
                client.log.is_leaving = true;
            }
        })?;
        Ok(())
    }

    /// Who stopped comes back with another leaf, on a statement of the desk or of her own.
    fn rescue_somebody(&mut self, by: usize) -> Result<(), Fault> {
        let stopped: Vec<_> = self
            .clients
            .iter()
            .filter(|client| client.group().is_some_and(|group| group.stop().is_some()))
            .map(|client| client.id)
            .collect();
        let Some(&id) = self.pick(&stopped) else {
            return Ok(());
        };
        let (old_leaf, old_key) = (self.clients[id].leaf(), self.clients[id].key.public());
        if !self.ledger.members().contains(&old_leaf) {
            self.clients[id].state = State::Outside;
            self.clients[id].save();
            return Ok(());
        }
        self.trace(|| format!("client {by} rescues client {id}"));
        let Some(group) = self.clients[by].group().map(|group| group.id().to_vec()) else {
            return Ok(());
        };
        let mut change = self.offer(id);
        let client = &self.clients[id];
        let new_key = client.key.public();
        let statement = match client.role {
            None => sign_person_rescue(&client.lasting_key, &group, &new_key),
            Some(_) => self.desk.rescue(&group, &old_key, &new_key),
        };
        change.removes = vec![old_key];
        change.statements = vec![statement];
        self.ledger.removes.insert(old_leaf);
        let leaf = self.clients[id].leaf();
        self.request(by, change, Some(leaf))
    }
}
