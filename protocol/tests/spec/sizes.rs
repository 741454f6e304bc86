//! What must fit where, and what hostile lengths may cost.

use cobijo_protocol::{
    frame::{
        FrameError, FromRelay, Operation, Outcome, SlotState, decode_operations, encode_from_relay,
        encode_operations,
    },
    limits::{
        CELL_BYTES, FRAME_BYTES_MAX, FRAME_OPERATIONS_MAX, FRAME_UNIT_BYTES, WATCH_ADDRESSES_MAX,
    },
    slot::Address,
};

use crate::samples;

/// [W-2]
#[test]
fn every_operation_and_every_message_with_one_cell_fits_one_unit() {
    for (name, operation) in samples::operations() {
        let frame = encode_operations(&[operation]).unwrap();
        assert_eq!(frame.len(), FRAME_UNIT_BYTES, "{name}");
    }
    for (name, push) in samples::pushes() {
        let frame = encode_from_relay(&push).unwrap();
        assert_eq!(frame.len(), FRAME_UNIT_BYTES, "{name}");
    }
}

#[test]
fn a_cell_leaves_room_for_its_operation_in_a_unit() {
    // Length, count, tag, slot key, mark, length of the cell.
    const { assert!(4 + 1 + 1 + 33 + 33 + 2 + CELL_BYTES <= FRAME_UNIT_BYTES) };
}

#[test]
fn a_frame_of_puts_holds_as_many_as_a_frame_may_have() {
    let put = samples::operations().swap_remove(1).1;
    assert!(matches!(put, Operation::Put { .. }));
    let frame = encode_operations(&vec![put; FRAME_OPERATIONS_MAX]).unwrap();
    assert!(frame.len() <= FRAME_BYTES_MAX);
}

fn watch(addresses: usize) -> Operation {
    Operation::Watch {
        addresses: vec![Address::from_bytes([1; 32]); addresses],
    }
}

#[test]
fn a_full_watch_takes_two_units_and_33_of_them_a_frame() {
    let frame = encode_operations(&[watch(WATCH_ADDRESSES_MAX)]).unwrap();
    assert_eq!(frame.len(), 2 * FRAME_UNIT_BYTES);
    assert!(encode_operations(&vec![watch(WATCH_ADDRESSES_MAX); 32]).is_ok());
    assert_eq!(
        encode_operations(&vec![watch(WATCH_ADDRESSES_MAX); 33]),
        Err(FrameError::Size)
    );
}

#[test]
fn the_largest_answer_fits_a_frame() {
    let states = Outcome::Watching(vec![SlotState::Full; WATCH_ADDRESSES_MAX]);
    let answer = FromRelay::Answer(vec![states; FRAME_OPERATIONS_MAX]);
    assert!(encode_from_relay(&answer).unwrap().len() <= FRAME_BYTES_MAX);
}

#[test]
fn counts_out_of_bounds_are_not_encoded() {
    let hello = Operation::Hello { version: 1 };
    for operations in [
        vec![],
        vec![hello; FRAME_OPERATIONS_MAX + 1],
        vec![watch(0)],
        vec![watch(WATCH_ADDRESSES_MAX + 1)],
    ] {
        assert_eq!(encode_operations(&operations), Err(FrameError::Count));
    }
    for outcomes in [
        vec![],
        vec![Outcome::Done; FRAME_OPERATIONS_MAX + 1],
        vec![Outcome::Watching(vec![])],
    ] {
        let answer = FromRelay::Answer(outcomes);
        assert_eq!(encode_from_relay(&answer), Err(FrameError::Count));
    }
}

/// [W-3]
#[test]
fn a_frame_full_of_tiny_operations_is_refused_by_its_count() {
    let content = [&[0xff, 0xff, 0x7f], [0, 1].repeat(130_000).as_slice()].concat();
    let len = u32::try_from(content.len()).unwrap();
    let mut frame = [len.to_be_bytes().as_slice(), &content].concat();
    frame.resize(frame.len().next_multiple_of(FRAME_UNIT_BYTES), 0);
    assert_eq!(decode_operations(&frame), Err(FrameError::Count));
}
