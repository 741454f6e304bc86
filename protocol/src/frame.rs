//! Frames: what a connection carries, in both directions. [W-1]–[W-9]
//!
//! A frame is `length u32 BE ‖ postcard ‖ zeros`, padded to the next multiple of 4,352 bytes. Decoding
//! is strict: what is accepted re-encodes to the same bytes.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    Day,
    cell::Cell,
    fixed::byte_array,
    keys::Signature,
    limits::{FRAME_BYTES_MAX, FRAME_OPERATIONS_MAX, FRAME_UNIT_BYTES, WATCH_ADDRESSES_MAX},
    mailbox::{ItemId, MailboxKey},
    slot::{Address, EraseKey, Mark, SlotKey},
};

byte_array!(
    /// Fresh for every connection, so that a signature opens a mailbox on one connection only.
    public SessionNonce, 32
);

/// One thing asked of the relay. [W-4]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// First, once. [W-9]
    Hello {
        /// [`crate::limits::PROTOCOL_VERSION`].
        version: u16,
    },
    /// Writes a slot that is empty.
    Put {
        /// What must be shown to write.
        slot_key: SlotKey,
        /// What the address commits to beside it.
        mark: Mark,
        /// What is to stand there.
        cell: Cell,
    },
    /// Registers, then reads. [W-7]
    Watch {
        /// 1 to 256 addresses.
        addresses: Vec<Address>,
    },
    /// Forgets registrations.
    Unwatch {
        /// 1 to 256 addresses.
        addresses: Vec<Address>,
    },
    /// Makes a full slot gone.
    Erase {
        /// What must be shown to write.
        slot_key: SlotKey,
        /// Preimage of the slot's mark.
        erase_key: EraseKey,
    },
    /// Leaves a cell in a mailbox that a current card names.
    Drop {
        /// The mailbox.
        mailbox: MailboxKey,
        /// What is left there.
        cell: Cell,
    },
    /// Proves ownership of a mailbox; its items follow as pushes.
    Open {
        /// The mailbox.
        mailbox: MailboxKey,
        /// By the mailbox key, see [`MailboxKey::sign_open`].
        signature: Signature,
    },
    /// Removes an item of a mailbox that this connection opened.
    Remove {
        /// The mailbox.
        mailbox: MailboxKey,
        /// The item.
        item: ItemId,
    },
    /// Does nothing, and looks like a put.
    Cover {
        /// Discarded.
        cell: Cell,
    },
}

/// What became of one operation. [W-5], [W-6]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Of `Hello`.
    Hello(Greeting),
    /// Of `Put` and `Drop`: durable.
    Stored,
    /// Of `Put`: other bytes stand, or stood, there.
    Taken,
    /// Of `Put` and `Drop`: this connection's credits are used up.
    NoCredit,
    /// Not run, because an earlier put of the frame was not `Stored`.
    Skipped,
    /// Of `Watch`: one for each address, in order.
    Watching(Vec<SlotState>),
    /// Of `Unwatch`, `Erase`, `Open`, `Remove`, `Cover`: done, or nothing was to be done.
    Done,
    /// Of `Drop`: the mailbox is full.
    Full,
    /// Of `Drop`: no current card names this mailbox.
    Unknown,
    /// Of `Open` and `Remove`: not by this connection.
    Denied,
    /// Of `Watch` and `Open`: more than this connection may have registered.
    TooMany,
    /// Of `Put` and `Drop`: the relay takes no writes now.
    Busy,
}

/// The relay's answer to `Hello`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// What `Open` signs.
    pub nonce: SessionNonce,
    /// Days a cell lives.
    pub retention_days: u16,
    /// The relay's UTC day.
    pub day: Day,
    /// Puts this connection may make.
    pub credits: u32,
}

/// What stands in a slot, without its cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SlotState {
    /// Nobody has written.
    Empty,
    /// The cell follows as a push.
    Full,
    /// Erased; never writable before it expires.
    Gone,
}

/// Why the relay closes a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Closing {
    /// It stops; connect again.
    Stopping,
    /// New pushes came faster than they were read; connect again, nothing is lost.
    TooSlow,
    /// Frames came faster than the limit.
    TooFast,
    /// A frame or an operation was not as SPEC says.
    Malformed,
    /// It speaks another version.
    Version,
}

/// First byte of an encoded [`FromRelay::Answer`].
const ANSWER_TAG: u8 = 0;

/// What a relay sends. [W-5], [W-8]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromRelay {
    /// One outcome for each operation of a frame, frames in order.
    Answer(Vec<Outcome>),
    /// A watched slot's cell.
    Cell {
        /// Where it stands.
        address: Address,
        /// What stands there.
        cell: Cell,
    },
    /// A watched slot was erased before its cell was pushed.
    Gone {
        /// Where it stood.
        address: Address,
    },
    /// An item of an opened mailbox.
    Item {
        /// The mailbox.
        mailbox: MailboxKey,
        /// The item's id within it.
        item: ItemId,
        /// What was dropped.
        cell: Cell,
    },
    /// The relay closes the connection.
    Closing(Closing),
}

/// A frame is not as SPEC says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Its size is no multiple of the unit, or above the maximum.
    #[error("frame of a wrong size")]
    Size,
    /// Its length field or padding is wrong.
    #[error("frame with wrong padding")]
    Padding,
    /// Its content does not decode, or not canonically.
    #[error("frame that does not decode")]
    Content,
    /// It holds too few or too many operations, addresses or outcomes.
    #[error("frame with a count out of bounds")]
    Count,
}

/// Encodes a client's frame. [W-2]
///
/// # Errors
/// [`FrameError::Count`] outside 1 to 64 operations, or addresses outside 1 to 256.
pub fn encode_operations(operations: &[Operation]) -> Result<Vec<u8>, FrameError> {
    check_operations(operations)?;
    encode(operations)
}

/// Decodes a client's frame, strictly.
///
/// # Errors
/// Says which rule the frame breaks.
pub fn decode_operations(frame: &[u8]) -> Result<Vec<Operation>, FrameError> {
    let content = unpad(frame)?;
    check_count_byte(content.first())?;
    let operations: Vec<Operation> = decode(content)?;
    check_operations(&operations)?;
    Ok(operations)
}

/// Encodes a relay's frame.
///
/// # Errors
/// [`FrameError::Count`] for an answer to more operations than a frame holds.
pub fn encode_from_relay(message: &FromRelay) -> Result<Vec<u8>, FrameError> {
    check_from_relay(message)?;
    encode(message)
}

/// Decodes a relay's frame, strictly.
///
/// # Errors
/// Says which rule the frame breaks.
pub fn decode_from_relay(frame: &[u8]) -> Result<FromRelay, FrameError> {
    let content = unpad(frame)?;
    if content.first() == Some(&ANSWER_TAG) {
        check_count_byte(content.get(1))?;
    }
    let message = decode(content)?;
    check_from_relay(&message)?;
    Ok(message)
}

fn check_operations(operations: &[Operation]) -> Result<(), FrameError> {
    let within = |addresses: &Vec<Address>| (1..=WATCH_ADDRESSES_MAX).contains(&addresses.len());
    let all_within = operations.iter().all(|operation| match operation {
        Operation::Watch { addresses } | Operation::Unwatch { addresses } => within(addresses),
        Operation::Hello { .. }
        | Operation::Put { .. }
        | Operation::Erase { .. }
        | Operation::Drop { .. }
        | Operation::Open { .. }
        | Operation::Remove { .. }
        | Operation::Cover { .. } => true,
    });
    let counted = (1..=FRAME_OPERATIONS_MAX).contains(&operations.len());
    if counted && all_within {
        Ok(())
    } else {
        Err(FrameError::Count)
    }
}

fn check_from_relay(message: &FromRelay) -> Result<(), FrameError> {
    let FromRelay::Answer(outcomes) = message else {
        return Ok(());
    };
    let within = |outcome: &Outcome| match outcome {
        Outcome::Watching(states) => (1..=WATCH_ADDRESSES_MAX).contains(&states.len()),
        Outcome::Hello(_)
        | Outcome::Stored
        | Outcome::Taken
        | Outcome::NoCredit
        | Outcome::Skipped
        | Outcome::Done
        | Outcome::Full
        | Outcome::Unknown
        | Outcome::Denied
        | Outcome::TooMany
        | Outcome::Busy => true,
    };
    let counted = (1..=FRAME_OPERATIONS_MAX).contains(&outcomes.len());
    if counted && outcomes.iter().all(within) {
        Ok(())
    } else {
        Err(FrameError::Count)
    }
}

fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, FrameError> {
    let mut frame = postcard::to_extend(value, vec![0; 4]).map_err(|_| FrameError::Content)?;
    let len = u32::try_from(frame.len() - 4).map_err(|_| FrameError::Size)?;
    frame[..4].copy_from_slice(&len.to_be_bytes());
    frame.resize(frame.len().next_multiple_of(FRAME_UNIT_BYTES), 0);
    if frame.len() > FRAME_BYTES_MAX {
        return Err(FrameError::Size);
    }
    Ok(frame)
}

/// The content of a frame, if it is padded as [`encode`] pads. [W-2]
fn unpad(frame: &[u8]) -> Result<&[u8], FrameError> {
    let sized = frame.len().is_multiple_of(FRAME_UNIT_BYTES) && frame.len() <= FRAME_BYTES_MAX;
    let (len, rest) = frame.split_first_chunk().ok_or(FrameError::Size)?;
    if !sized {
        return Err(FrameError::Size);
    }
    let (content, padding) = rest
        .split_at_checked(u32::from_be_bytes(*len) as usize)
        .ok_or(FrameError::Padding)?;
    let is_least = padding.len() < FRAME_UNIT_BYTES;
    if is_least && padding.iter().all(|&byte| byte == 0) {
        Ok(content)
    } else {
        Err(FrameError::Padding)
    }
}

/// Refuses a list by its first byte, before anything is allocated for it: a canonical count up to
/// the maximum is one byte. [W-3]
fn check_count_byte(count: Option<&u8>) -> Result<(), FrameError> {
    let count = usize::from(*count.ok_or(FrameError::Content)?);
    if (1..=FRAME_OPERATIONS_MAX).contains(&count) {
        Ok(())
    } else {
        Err(FrameError::Count)
    }
}

/// Accepts only what [`encode`] writes. [W-3]
fn decode<T: Serialize + DeserializeOwned>(content: &[u8]) -> Result<T, FrameError> {
    let value = postcard::from_bytes(content).map_err(|_| FrameError::Content)?;
    let encoded = postcard::to_stdvec(&value).map_err(|_| FrameError::Content)?;
    if encoded == content {
        Ok(value)
    } else {
        Err(FrameError::Content)
    }
}
