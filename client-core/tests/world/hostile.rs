//! What a hostile member's changed client does: it reads and writes what its own disk holds.

use ciborium::Value;
use cobijo_client_core::mls::{Suite, key_package::OfferedKeyPackage};
use cobijo_protocol::{
    card::DeskKey,
    cbor,
    cell::Cell,
    content::{Content, DeskContent, Message, MessageId},
    keys::{PublicKey, SecretKey, Signed},
    slot::{Kind, Slot, ThreadSecret},
};
use serde::de::DeserializeOwned;

use super::World;

/// Where a member's disk has what concerns her desk.
const DESK: [&str; 4] = ["side", "Team", "Member", "desk"];
/// And her conversations.
const CONVERSATIONS: [&str; 5] = ["side", "Team", "Member", "conversations", "list"];

impl World {
    /// A member tells the desk what her own program would not.
    pub(crate) fn tell(&mut self, member: usize, content: DeskContent) {
        let message = Message {
            id: MessageId::from_bytes([66; 16]),
            clock: self.now.millis(),
            content: Content::Desk(content),
        };
        let message = cbor::encode(&message);
        let id = MessageId::of(&self.key(member), &message);
        let waiting = waiting(id, message);
        self.alter(member, &["group", "outbox", "entries"], |entries| {
            entries.as_array_mut().unwrap().push(waiting);
        });
    }

    /// A member says in her first conversation what her own program would not.
    pub(crate) fn say_what_is_not_allowed(&mut self, member: usize, salt: u8, content: Content) {
        let message = cbor::encode(&Message {
            id: MessageId::from_bytes([salt; 16]),
            clock: self.now.millis(),
            content,
        });
        let id = MessageId::of(&self.key(member), &message);
        let waiting = waiting(id, message);
        let mut state = saved(self, member);
        let list = CONVERSATIONS.iter();
        let list = list.fold(&mut state, |value, name| entry(value, name));
        let conversation = entry(&mut list.as_array_mut().unwrap()[0], "conversation");
        let entries = ["group", "outbox", "entries"];
        let entries = entries
            .iter()
            .fold(conversation, |value, name| entry(value, name));
        entries.as_array_mut().unwrap().push(waiting);
        self.restart_from(member, &state);
    }

    /// Changes what a member's disk has of her desk, and starts her client again from there.
    pub(crate) fn alter(&mut self, member: usize, path: &[&str], change: impl FnOnce(&mut Value)) {
        let mut state = saved(self, member);
        change(of_desk(&mut state, path));
        self.restart_from(member, &state);
    }

    /// Somebody in the group puts garbage where a member would say the next thing.
    pub(crate) fn squat(&mut self, member: usize) {
        let secret: [u8; 32] = {
            let bytes: Value = read(self, member, &["group", "facts", "secret"]);
            bytes.into_bytes().unwrap().try_into().unwrap()
        };
        let leaf = read(self, member, &["group", "facts", "own_leaf"]);
        let counter = read(self, member, &["group", "outbox", "counter"]);
        let secret = ThreadSecret::from_bytes(secret);
        let slot = Slot::derive(&secret, Kind::Message, leaf, counter);
        self.relay
            .put(slot.address(), &Cell::void(), &mut Vec::new());
    }

    /// Somebody puts garbage into the first slots of a thread.
    pub(crate) fn fill(&mut self, secret: &ThreadSecret, kind: Kind, slots: u64) {
        for counter in 0..slots {
            let slot = Slot::derive(secret, kind, 0, counter);
            let mut pushes = Vec::new();
            self.relay.put(slot.address(), &Cell::void(), &mut pushes);
        }
    }

    /// Starts a client from another state than it saved.
    pub(crate) fn restart_from(&mut self, client: usize, state: &Value) {
        let disk = &mut self.clients[client].disk;
        disk.truncate(1);
        ciborium::into_writer(state, disk).unwrap();
        self.restart(client);
    }
}

/// A message that waits to be said.
fn waiting(id: MessageId, message: Vec<u8>) -> Value {
    Value::Map(vec![
        ("id".into(), Value::serialized(&id).unwrap()),
        ("message".into(), Value::Bytes(message)),
        ("is_once".into(), false.into()),
        ("state".into(), "Waiting".into()),
    ])
}

/// The whole saved state of a client, behind the byte of its version.
pub(crate) fn saved(world: &World, client: usize) -> Value {
    ciborium::from_reader(&world.clients[client].disk[1..]).unwrap()
}

/// Where the Welcomes for the KeyPackages stand that are saved by a client of a desk with that root.
pub(crate) fn welcome_secrets(world: &World, client: usize, root: &PublicKey) -> Vec<ThreadSecret> {
    let mut secrets = Vec::new();
    let mut values = vec![saved(world, client)];
    while let Some(value) = values.pop() {
        match value {
            Value::Bytes(bytes) => {
                let offered = OfferedKeyPackage::parse(&bytes, Suite::PostQuantum, root);
                secrets.extend(offered.map(|offered| offered.welcome_secret().clone()));
            }
            Value::Array(more) => {
                // Bytes are saved as numbers too.
                let bytes = Value::Array(more.clone()).deserialized::<Vec<u8>>();
                values.extend(bytes.map_or(more, |bytes| vec![Value::Bytes(bytes)]));
            }
            Value::Map(more) => {
                values.extend(more.into_iter().flat_map(|(key, value)| [key, value]))
            }
            _ => {}
        }
    }
    secrets
}

/// The attested key of a member, from her own disk.
pub(crate) fn secret_key(world: &World, member: usize) -> SecretKey {
    read(world, member, &["me", "key"])
}

/// The desk key that a coordinator holds, and what the root key says of it.
pub(crate) fn desk_key(world: &World, coordinator: usize) -> (SecretKey, Signed<DeskKey>) {
    let own = |name| ["keys", "desk_key", name];
    (
        read(world, coordinator, &own("key")),
        read(world, coordinator, &own("signed")),
    )
}

pub(crate) fn entry<'a>(value: &'a mut Value, name: &str) -> &'a mut Value {
    let entries = value.as_map_mut().unwrap().iter_mut();
    let of_name = |(key, _): &&mut (Value, Value)| key.as_text() == Some(name);
    &mut { entries }.find(of_name).unwrap().1
}

fn of_desk<'a>(state: &'a mut Value, path: &[&str]) -> &'a mut Value {
    let path = DESK.iter().chain(path);
    path.fold(state, |value, name| entry(value, name))
}

/// What a member's disk has of her desk.
pub(crate) fn read<T: DeserializeOwned>(world: &World, member: usize, path: &[&str]) -> T {
    let mut state = saved(world, member);
    of_desk(&mut state, path).deserialized().unwrap()
}
