//! Connections that carry frames, as those of a whole client do.

use cobijo_client_core::core::port::{Dropped, Put, Seen};
use cobijo_protocol::{
    frame::{
        FromRelay, Greeting, Operation, Outcome, SessionNonce, SlotState, decode_operations,
        encode_from_relay,
    },
    limits::REGISTERED_ADDRESSES_MAX,
    slot::Address,
};

use super::{
    ConnectionId, MemoryRelay, Viewer,
    session::{Answer, Request},
};

impl MemoryRelay {
    /// Opens a connection on which nothing comes before the client has said hello.
    pub fn connect_frames(&mut self, viewer: Viewer) -> ConnectionId {
        self.accept(viewer)
    }

    /// Takes a frame, to be run by [`MemoryRelay::run_request`].
    pub fn send_frame(&mut self, id: ConnectionId, frame: Vec<u8>) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.requests.push_back(Request::Frame(frame));
        }
    }

    /// The next frame to arrive at the client.
    pub fn next_frame(&mut self, id: ConnectionId) -> Option<Vec<u8>> {
        let answer = self.connections.get_mut(&id)?.answers.pop_front()?;
        let message = match answer.seen.into_iter().next() {
            None => FromRelay::Answer(answer.outcomes),
            Some(Seen::Full(address, cell)) => FromRelay::Cell { address, cell },
            Some(Seen::Gone(address)) => FromRelay::Gone { address },
            Some(Seen::Item(mailbox, item, cell)) => FromRelay::Item {
                mailbox,
                item,
                cell,
            },
            Some(_) => return None,
        };
        Some(encode_from_relay(&message).unwrap())
    }

    /// Runs the first operations of a frame, and answers.
    pub(super) fn run_frame(&mut self, id: ConnectionId, frame: &[u8], operations: usize) {
        let mut outcomes = Vec::new();
        let mut follows = Vec::new();
        let mut is_skipping = false;
        for operation in decode_operations(frame).unwrap().iter().take(operations) {
            if is_skipping {
                outcomes.push(Outcome::Skipped);
                continue;
            }
            let outcome = self.run_operation(id, operation, &mut follows);
            let is_write = matches!(operation, Operation::Put { .. } | Operation::Drop { .. });
            is_skipping = is_write && outcome != Outcome::Stored;
            outcomes.push(outcome);
        }
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.answers.push_back(Answer {
                outcomes,
                ..Answer::default()
            });
        }
        if self.is_backwards {
            follows.reverse();
        }
        for seen in follows {
            self.answer(id, vec![seen]);
        }
    }

    fn run_operation(
        &mut self,
        id: ConnectionId,
        operation: &Operation,
        follows: &mut Vec<Seen>,
    ) -> Outcome {
        match operation {
            Operation::Hello { .. } => Outcome::Hello(Greeting {
                nonce: SessionNonce::from_bytes([1; 32]),
                retention_days: self.retention_days,
                day: self.day,
                credits: super::CONNECTION_CREDITS,
            }),
            Operation::Put {
                slot_key,
                mark,
                cell,
            } => self.put_for(
                id,
                &Put {
                    slot_key: slot_key.clone(),
                    mark: *mark,
                    cell: cell.clone(),
                },
            ),
            Operation::Watch { addresses } => {
                let states = addresses
                    .iter()
                    .map(|address| self.watch_for(id, address, follows));
                Outcome::Watching(states.collect())
            }
            Operation::Unwatch { addresses } => {
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection
                        .registered
                        .retain(|address| !addresses.contains(address));
                }
                Outcome::Done
            }
            Operation::Erase {
                slot_key,
                erase_key,
            } => {
                self.erase_raw(slot_key, erase_key);
                Outcome::Done
            }
            Operation::Drop { mailbox, cell } => match self.drop_cell(*mailbox, cell) {
                Dropped::Stored => Outcome::Stored,
                Dropped::Full => Outcome::Full,
                Dropped::Unknown => Outcome::Unknown,
            },
            Operation::Open { mailbox, .. } => {
                follows.extend(self.open(id, *mailbox));
                Outcome::Done
            }
            Operation::Remove { mailbox, item } => {
                if let Some(items) = self.mailboxes.get_mut(mailbox) {
                    items.remove(item);
                }
                Outcome::Done
            }
            Operation::Cover { .. } => Outcome::Done,
        }
    }

    fn put_for(&mut self, id: ConnectionId, put: &Put) -> Outcome {
        let credits = self.connections.get(&id).map_or(0, |one| one.credits);
        if credits == 0 {
            return Outcome::NoCredit;
        }
        if self.put(put) == super::Outcome::Taken {
            return Outcome::Taken;
        }
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.credits -= 1;
        }
        Outcome::Stored
    }

    fn watch_for(
        &mut self,
        id: ConnectionId,
        address: &Address,
        follows: &mut Vec<Seen>,
    ) -> SlotState {
        match self.look(id, address) {
            Some(full @ Seen::Full(..)) => {
                follows.push(full);
                SlotState::Full
            }
            Some(_) => SlotState::Gone,
            None => {
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.registered.insert(*address);
                    assert!(
                        connection.registered.len() <= REGISTERED_ADDRESSES_MAX,
                        "a client registers more addresses than a relay allows"
                    );
                }
                SlotState::Empty
            }
        }
    }
}
