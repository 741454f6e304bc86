//! What hostile members do: a present or former member who writes and erases what it shouldn't.

use std::collections::BTreeMap;

use cobijo_client_core::core::port::Put;
use cobijo_protocol::{
    card::Role,
    cbor,
    cell::Cell,
    commit::{CommitData, POLICY, sign_leave},
    content::{Content, Message, MessageId},
    parts::{Data, Head, Split},
    slot::{Kind, Slot, ThreadSecret},
};
use rand_core::Rng as _;

use super::{
    client::{LeafId, State, leaf_id},
    ledger::Sent,
    world::World,
};
use crate::hostile::{Crafted, HostileMember};

/// Somebody who holds an epoch's secrets.
pub(super) struct Traitor {
    member: HostileMember,
    /// Whose leaves there are.
    leaves: BTreeMap<u32, LeafId>,
    /// Whether it is a member gone over, which speaks for its own leaf, or a thief of secrets.
    own: Option<LeafId>,
    /// What it said last.
    said: Option<Vec<u8>>,
}

/// Slots of a thread that a traitor writes to.
const SLOTS: u64 = 12;
/// Traitors remembered.
const TRAITORS_MAX: usize = 6;

impl Traitor {
    fn is_member(&self) -> bool {
        self.own.is_some()
    }
}

impl World {
    /// Some traitor does something.
    pub(super) fn betray(&mut self) {
        if self.traitors.is_empty() || self.below(4) == 0 {
            self.go_over();
        }
        let (anybody, member) = (
            self.some_traitor(|_| true),
            self.some_traitor(Traitor::is_member),
        );
        match (self.below(16), anybody, member) {
            (0..3, Some(index), _) => self.squat(index, Kind::Commit),
            (3..6, Some(index), _) => self.squat(index, Kind::Message),
            (6, Some(index), _) => self.replay(index),
            (7..9, Some(index), _) => self.erase(index),
            (9..12, _, Some(index)) => self.write(index),
            (12..16, _, Some(index)) => self.commit(index),
            _ => {}
        }
    }

    /// Mostly who went over last: what the others know is of epochs long gone.
    fn some_traitor(&mut self, is_able: impl Fn(&Traitor) -> bool) -> Option<usize> {
        let able: Vec<_> = (0..self.traitors.len())
            .filter(|&index| is_able(&self.traitors[index]))
            .collect();
        if self.below(2) == 0 {
            able.last().copied()
        } else {
            self.pick(&able).copied()
        }
    }

    /// Steals a member's secrets, or goes over with all it has.
    fn go_over(&mut self) {
        let active = self.active();
        let Some(&id) = self.pick(&active) else {
            return;
        };
        let Some(group) = self.clients[id].group() else {
            return;
        };
        let member = HostileMember::of(group);
        let leaves: BTreeMap<_, _> = group
            .members()
            .iter()
            .map(|member| (member.leaf, leaf_id(&member.identity)))
            .collect();
        let goes_over = id != 0 && active.len() > 2 && self.below(2) == 0;
        let own = goes_over.then(|| self.clients[id].leaf());
        if let Some(leaf) = own {
            self.trace(|| format!("client {id} goes over"));
            self.ledger.removes.insert(leaf);
            self.crash(id);
            self.clients[id].state = State::Outside;
            self.clients[id].is_traitor = true;
            self.clients[id].save();
        } else {
            self.trace(|| format!("somebody has the secrets of client {id}"));
        }
        self.traitors.push(Traitor {
            member,
            leaves,
            own,
            said: None,
        });
        if self.traitors.len() > TRAITORS_MAX {
            self.traitors.remove(0);
        }
    }

    /// Writes what is void into slots of the epoch.
    fn squat(&mut self, index: usize, kind: Kind) {
        let how_many = 1 + self.below(3);
        for _ in 0..how_many {
            let slot = self.some_slot(index, kind);
            let cell = self.void_cell(&slot);
            let put = Put::new(&slot, cell);
            let stored = !self.relay.is_used(&slot.address()) && self.relay.put_raw(&put);
            self.trace(|| format!("a {kind:?} slot is squatted: {stored}"));
        }
    }

    fn some_slot(&mut self, index: usize, kind: Kind) -> Slot {
        let traitor = &self.traitors[index];
        let secret = traitor.member.thread_secret();
        let leaves: Vec<_> = traitor.leaves.keys().copied().collect();
        let leaf = if kind == Kind::Message {
            *self.pick(&leaves).unwrap()
        } else {
            0
        };
        // Mostly the first free one, which somebody is about to write.
        let skip = [0, 0, 0, 1, SLOTS as usize][self.below(5)];
        let skip = self.below(skip + 1);
        let slots = (0..).map(|counter| Slot::derive(&secret, kind, leaf, counter));
        slots
            .filter(|slot| !self.relay.is_used(&slot.address()))
            .nth(skip)
            .unwrap()
    }

    /// A cell that says nothing to anyone, in one of the ways in which that can be.
    fn void_cell(&mut self, slot: &Slot) -> Cell {
        let mut nonce = [0; 24];
        self.rng.fill_bytes(&mut nonce);
        let data = match self.below(5) {
            0 => return Cell::void(),
            1 => {
                let mut bytes = [0; cobijo_protocol::limits::CELL_BYTES];
                self.rng.fill_bytes(&mut bytes);
                return Cell::from_bytes(bytes);
            }
            2 => vec![9, 9, 9],
            3 => Data::Whole(vec![1; 200]).encode(),
            _ => Data::Head(Head {
                total: 9000,
                secret: ThreadSecret::from_bytes([self.rng.next_u32() as u8; 32]),
                part: Vec::new(),
            })
            .encode(),
        };
        slot.seal(&data, nonce).unwrap()
    }

    /// Writes what stands in a message slot into another one, perhaps with a bit changed.
    fn replay(&mut self, index: usize) {
        let Some((_, written)) = self.written(index) else {
            return;
        };
        let data = written.open(self.relay.cell(&written.address()).unwrap());
        let Some(mut data) = data
            .map(|data| data.to_vec())
            .filter(|data| !data.is_empty())
        else {
            return;
        };
        if self.below(2) == 0 {
            let at = self.below(data.len());
            data[at] ^= 1;
        }
        let slot = self.some_slot(index, Kind::Message);
        let cell = slot.seal(&data, self.nonce()).unwrap();
        let stored = self.relay.put_raw(&Put::new(&slot, cell));
        self.trace(|| format!("a message is written into another slot: {stored}"));
    }

    /// Some message slot of the epoch in which a cell stands, and its leaf.
    fn written(&mut self, index: usize) -> Option<(u32, Slot)> {
        let traitor = &self.traitors[index];
        let secret = traitor.member.thread_secret();
        let mut written = Vec::new();
        for &leaf in traitor.leaves.keys() {
            let slots =
                (0..SLOTS).map(|counter| Slot::derive(&secret, Kind::Message, leaf, counter));
            let slots = slots.filter(|slot| self.relay.cell(&slot.address()).is_some());
            written.extend(slots.map(|slot| (leaf, slot)));
        }
        self.pick(&written).cloned()
    }

    /// Erases a message of the epoch.
    fn erase(&mut self, index: usize) {
        let Some((leaf, slot)) = self.written(index) else {
            return;
        };
        let (client, _) = self.traitors[index].leaves[&leaf];
        self.trace(|| format!("a message of client {client} is erased"));
        *self.ledger.erased.entry(client).or_default() += 1;
        self.relay
            .erase_raw(slot.slot_key(), slot.erase_key().unwrap());
    }

    /// Writes a message whose head comes before its bodies; or one again, or one that must be void.
    fn write(&mut self, index: usize) {
        let Some(own) = self.traitors[index].own else {
            return;
        };
        let how = self.below(6);
        let again = self.traitors[index].said.clone().filter(|_| how == 0);
        let is_void = again.is_none() && how == 1;
        let message = match &again {
            Some(said) => said.clone(),
            None => self.make_message(),
        };
        let is_late = self.ledger.last_epoch() > self.traitors[index].member.epoch();
        let traitor = &mut self.traitors[index];
        if again.is_none() && !is_void {
            let sent = Sent {
                author: own,
                text: text_of(&message),
                audience: traitor.leaves.values().copied().collect(),
                epoch: traitor.member.epoch(),
                is_late,
            };
            let id = MessageId::of(&traitor.member.key().public(), &message);
            self.ledger.note(id, sent);
            traitor.said = Some(message.clone());
        }
        let data: &[u8] = if is_void { b"data" } else { b"" };
        let payload = traitor.member.message(&message, data);
        let (secret, leaf) = (traitor.member.thread_secret(), traitor.member.leaf());
        let mut slots = (0..).map(|counter| Slot::derive(&secret, Kind::Message, leaf, counter));
        let slot = slots
            .find(|slot| !self.relay.is_used(&slot.address()))
            .unwrap();
        self.trace(|| format!("client {} writes in way {how}, bodies late", own.0));
        self.put_late(&slot, &payload);
    }

    fn make_message(&mut self) -> Vec<u8> {
        let mut salt = [0; 16];
        self.rng.fill_bytes(&mut salt);
        self.said += 1;
        let padding = "y".repeat(self.below(9000));
        cbor::encode(&Message {
            id: MessageId::from_bytes(salt),
            clock: 1,
            content: Content::Text(format!("betrayal {}.{padding}", self.said)),
        })
    }

    /// Commits, and the bodies of it come late; in some ways in which a commit can be wrong.
    fn commit(&mut self, index: usize) {
        let Some(own) = self.traitors[index].own else {
            return;
        };
        let wrong = self.below(9);
        let mut data = self.honest_data(index);
        let mut crafted = Crafted::default();
        let leads = self.clients[own.0].role == Some(Role::Coordinator);
        let traitor = &self.traitors[index];
        let leaf = traitor.member.leaf();
        // Only what is sealed to a sibling is sealed to one leaf for sure.
        let sibling = traitor.leaves.get(&(leaf ^ 1)).copied();
        match wrong {
            0 => data.cut.iter_mut().for_each(|(_, count)| *count = 0),
            1 => data.cut.iter_mut().for_each(|(_, count)| *count += 20),
            2 => data
                .cut
                .iter_mut()
                .for_each(|(_, count)| *count = count.saturating_sub(1)),
            3 | 4 if sibling.is_some() => {
                crafted.victim = Some(leaf ^ 1);
                if wrong == 3 {
                    self.ledger.attacked.extend(sibling);
                } else {
                    data.cut.pop();
                }
            }
            5 | 6 if !leads => {
                let others: Vec<_> = traitor.member.leaves();
                let other = others[others.len() / 2];
                if other != leaf {
                    crafted.removes.push(other);
                    let key = traitor.member.key();
                    let leave = sign_leave(key, b"", other, &[0; 32]);
                    data.statements.extend((wrong == 6).then_some(leave));
                }
            }
            _ => {}
        }
        let commit = self.traitors[index].member.commit(&Crafted {
            data: cbor::encode(&data),
            ..crafted
        });
        let secret = self.traitors[index].member.thread_secret();
        let mut slots = (0..).map(|counter| Slot::derive(&secret, Kind::Commit, 0, counter));
        let slot = slots
            .find(|slot| !self.relay.is_used(&slot.address()))
            .unwrap();
        self.trace(|| format!("client {} commits in way {wrong}", own.0));
        self.put_late(&slot, &commit.commit);
    }

    /// What an honest commit would say now.
    fn honest_data(&self, index: usize) -> CommitData {
        let member = &self.traitors[index].member;
        let secret = member.thread_secret();
        let count = |leaf: u32| {
            let is_used = |counter: &u64| {
                let slot = Slot::derive(&secret, Kind::Message, leaf, *counter);
                self.relay.is_used(&slot.address())
            };
            u32::try_from((0..512).take_while(is_used).count()).unwrap()
        };
        CommitData {
            policy: POLICY,
            cut: member
                .leaves()
                .into_iter()
                .map(|leaf| (leaf, count(leaf)))
                .collect(),
            statements: Vec::new(),
            welcomes: Vec::new(),
        }
    }

    /// Puts a payload with its head first; bodies may come later, or never.
    fn put_late(&mut self, slot: &Slot, payload: &[u8]) {
        let mut secret = [0; 32];
        self.rng.fill_bytes(&mut secret);
        let secret = ThreadSecret::from_bytes(secret);
        let split = if payload.len() > 200 && self.below(2) == 0 {
            Split::all_in_bodies(payload, secret).unwrap()
        } else {
            Split::of(payload, secret).unwrap()
        };
        let cell = slot.seal(&split.data.encode(), self.nonce()).unwrap();
        self.relay.put_raw(&Put::new(slot, cell));
        let Data::Head(head) = &split.data else {
            return;
        };
        let erasable = slot.erase_key().is_some();
        for (index, body) in split.bodies.iter().enumerate() {
            let slot = head.body_slot(index, erasable);
            let cell = slot.seal(body, self.nonce()).unwrap();
            let put = Put::new(&slot, cell);
            match self.below(6) {
                0 => {}
                1..4 => {
                    let step = self.steps + 1 + self.below(3) as u32;
                    self.delayed.entry(step).or_default().push(put);
                }
                _ => {
                    self.relay.put_raw(&put);
                }
            }
        }
    }

    fn nonce(&mut self) -> [u8; 24] {
        let mut nonce = [0; 24];
        self.rng.fill_bytes(&mut nonce);
        nonce
    }
}

fn text_of(message: &[u8]) -> String {
    let Content::Text(text) = cbor::decode::<Message>(message).unwrap().content else {
        unreachable!("it only says text");
    };
    text
}
