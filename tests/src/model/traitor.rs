//! What hostile members do: a present or former member who writes and erases what it shouldn't.

use std::collections::BTreeMap;

use cobijo_client_core::core::port::Put;
use cobijo_protocol::{
    cbor,
    cell::Cell,
    commit::{CommitData, POLICY},
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
    /// Next counter of its own thread.
    counter: u64,
    /// Whether it is a member gone over, which speaks for its own leaf, or a thief of secrets.
    own: Option<LeafId>,
}

/// Slots of a thread that a traitor writes to.
const SLOTS: usize = 12;
/// Traitors remembered.
const TRAITORS_MAX: usize = 6;

impl World {
    /// Some traitor does something.
    pub(super) fn betray(&mut self) {
        if self.traitors.is_empty() || self.below(6) == 0 {
            self.go_over();
        }
        if self.traitors.is_empty() {
            return;
        }
        let index = self.below(self.traitors.len());
        match self.below(10) {
            0..3 => self.squat(index, Kind::Commit),
            3..5 => self.squat(index, Kind::Message),
            5 => self.erase(index),
            6 | 7 => self.write_late(index),
            _ => self.commit_late(index),
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
        let goes_over = id != 0 && active.len() > 3 && self.below(3) == 0;
        let own = goes_over.then(|| self.clients[id].leaf());
        if let Some(leaf) = own {
            self.trace(|| format!("client {id} goes over"));
            self.ledger.removes.insert(leaf);
            self.ledger.erased.insert(id, 0);
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
            counter: 0,
            own,
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
        let skip = [0, 0, 0, 1, SLOTS][self.below(5)];
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

    /// Erases a message of the epoch.
    fn erase(&mut self, index: usize) {
        let traitor = &self.traitors[index];
        let secret = traitor.member.thread_secret();
        let leaves: Vec<_> = traitor.leaves.iter().map(|(k, v)| (*k, *v)).collect();
        let (leaf, (client, _)) = *self.pick(&leaves).unwrap();
        let slot = Slot::derive(&secret, Kind::Message, leaf, self.below(SLOTS) as u64);
        if self.relay.cell(&slot.address()).is_some() {
            self.trace(|| format!("a message of client {client} is erased"));
            *self.ledger.erased.entry(client).or_default() += 1;
            self.relay
                .erase_raw(slot.slot_key(), slot.erase_key().unwrap());
        }
    }

    /// Writes a message whose head comes before its bodies.
    fn write_late(&mut self, index: usize) {
        let Some(own) = self.traitors[index].own else {
            return;
        };
        let mut salt = [0; 16];
        self.rng.fill_bytes(&mut salt);
        self.said += 1;
        let padding = "y".repeat(self.below(9000));
        let text = format!("betrayal {}.{padding}", self.said);
        let message = Message {
            id: MessageId::from_bytes(salt),
            clock: 1,
            content: Content::Text(text.clone()),
        };
        let traitor = &mut self.traitors[index];
        let sent = Sent {
            author: own,
            text,
            audience: traitor.leaves.values().copied().collect(),
            epoch: traitor.member.epoch(),
        };
        let message = cbor::encode(&message);
        let id = MessageId::of(&traitor.member.key().public(), &message);
        self.ledger.note(id, sent);
        let payload = traitor.member.message(&message, b"");
        let (secret, leaf) = (traitor.member.thread_secret(), traitor.member.leaf());
        let mut counter = traitor.counter;
        while self
            .relay
            .is_used(&Slot::derive(&secret, Kind::Message, leaf, counter).address())
        {
            counter += 1;
        }
        self.traitors[index].counter = counter + 1;
        let slot = Slot::derive(&secret, Kind::Message, leaf, counter);
        self.trace(|| format!("client {} writes at {counter}, bodies late", own.0));
        self.put_late(&slot, &payload);
    }

    /// Commits, and the bodies of it come late; the cut may be wrong.
    fn commit_late(&mut self, index: usize) {
        let Some(own) = self.traitors[index].own else {
            return;
        };
        let wrong = self.below(6);
        let traitor = &mut self.traitors[index];
        let secret = traitor.member.thread_secret();
        let mut cut: Vec<(u32, u32)> = Vec::new();
        for leaf in traitor.member.leaves() {
            let is_used = |counter: &u32| {
                let slot = Slot::derive(&secret, Kind::Message, leaf, u64::from(*counter));
                self.relay.is_used(&slot.address())
            };
            let count = (0..512).take_while(is_used).count();
            cut.push((leaf, u32::try_from(count).unwrap()));
        }
        match wrong {
            0 => cut.iter_mut().for_each(|(_, count)| *count = 0),
            1 => cut.iter_mut().for_each(|(_, count)| *count += 20),
            2 => cut
                .iter_mut()
                .for_each(|(_, count)| *count = count.saturating_sub(1)),
            _ => {}
        }
        let data = CommitData {
            policy: POLICY,
            cut,
            statements: Vec::new(),
            welcomes: Vec::new(),
        };
        let crafted = traitor.member.commit(&Crafted {
            data: cbor::encode(&data),
            ..Crafted::default()
        });
        let mut slots = (0..).map(|counter| Slot::derive(&secret, Kind::Commit, 0, counter));
        let slot = slots
            .find(|slot| !self.relay.is_used(&slot.address()))
            .unwrap();
        self.trace(|| format!("client {} commits with a cut of sort {wrong}", own.0));
        self.put_late(&slot, &crafted.commit);
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
