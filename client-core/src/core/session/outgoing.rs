//! A frame being filled, within the limits of operations and bytes. [W-2]

use cobijo_protocol::{
    cell::Cell,
    frame::{Operation, encode_operations},
    limits::{CELL_BYTES, FRAME_BYTES_MAX, FRAME_OPERATIONS_MAX},
    mailbox::{ItemId, MailboxKey},
    slot::Address,
};

/// Bytes of a frame that are not operations: its length field and the count.
const FRAME_OVERHEAD_BYTES: usize = 8;
/// Upper bound of what an operation takes beside its cell or addresses.
const OPERATION_OVERHEAD_BYTES: usize = 128;
/// Bytes of an encoded address.
const ADDRESS_BYTES: usize = Address::LEN + 1;

/// What one operation was for: its outcome is read with this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    Hello,
    Unwatch,
    Watch(Vec<Address>),
    Open(MailboxKey),
    Remove(MailboxKey, ItemId),
    Erase(Address),
    Drop(MailboxKey, Cell),
    Put(Address),
}

impl Asked {
    /// Whether the relay skips what follows where this was not stored.
    pub(super) fn is_write(&self) -> bool {
        matches!(self, Self::Put(_) | Self::Drop(..))
    }
}

/// A frame being filled.
#[derive(Default)]
pub(super) struct Outgoing {
    operations: Vec<Operation>,
    asked: Vec<Asked>,
    bytes: usize,
}

impl Outgoing {
    /// Adds one operation, unless the frame is full.
    #[must_use]
    pub(super) fn add(&mut self, operation: Operation, asked: Asked) -> bool {
        let bytes = bytes_max(&operation);
        if self.operations.len() >= FRAME_OPERATIONS_MAX || self.bytes + bytes > bytes_available() {
            return false;
        }
        self.bytes += bytes;
        self.operations.push(operation);
        self.asked.push(asked);
        true
    }

    /// How many more puts fit.
    pub(super) fn puts_left(&self) -> usize {
        let operations = FRAME_OPERATIONS_MAX - self.operations.len();
        let by_bytes = (bytes_available() - self.bytes) / (CELL_BYTES + OPERATION_OVERHEAD_BYTES);
        operations.min(by_bytes)
    }

    /// The frame and what it asks, unless it is empty.
    pub(super) fn finish(self) -> Option<(Vec<u8>, Vec<Asked>)> {
        let frame = encode_operations(&self.operations).ok()?;
        Some((frame, self.asked))
    }
}

/// Most puts that any frame carries.
pub(super) fn puts_max() -> usize {
    Outgoing::default().puts_left()
}

fn bytes_available() -> usize {
    FRAME_BYTES_MAX - FRAME_OVERHEAD_BYTES
}

fn bytes_max(operation: &Operation) -> usize {
    let payload = match operation {
        Operation::Watch { addresses } | Operation::Unwatch { addresses } => {
            addresses.len() * ADDRESS_BYTES
        }
        Operation::Put { .. } | Operation::Drop { .. } | Operation::Cover { .. } => CELL_BYTES,
        Operation::Hello { .. }
        | Operation::Erase { .. }
        | Operation::Open { .. }
        | Operation::Remove { .. } => 0,
    };
    OPERATION_OVERHEAD_BYTES + payload
}

#[cfg(test)]
mod tests {
    use cobijo_protocol::slot::{Mark, SlotKey};

    use super::*;

    #[test]
    fn a_frame_carries_as_many_puts_as_operations() {
        let mut frame = Outgoing::default();
        let put = Operation::Put {
            slot_key: SlotKey::from_bytes([1; 32]),
            mark: Mark::from_bytes([2; 32]),
            cell: Cell::void(),
        };
        let address = Address::from_bytes([3; 32]);
        assert_eq!(frame.puts_left(), FRAME_OPERATIONS_MAX);
        while frame.add(put.clone(), Asked::Put(address)) {}
        let (bytes, asked) = frame.finish().unwrap();
        assert_eq!(asked.len(), FRAME_OPERATIONS_MAX);
        assert!(bytes.len() <= FRAME_BYTES_MAX);
    }

    #[test]
    fn watches_take_room_from_puts() {
        let mut frame = Outgoing::default();
        let addresses = vec![Address::from_bytes([3; 32]); 256];
        for _ in 0..4 {
            let watch = Operation::Watch {
                addresses: addresses.clone(),
            };
            assert!(frame.add(watch, Asked::Watch(addresses.clone())));
        }
        assert!(frame.puts_left() < FRAME_OPERATIONS_MAX - 4);
        assert!(Outgoing::default().finish().is_none());
    }
}
