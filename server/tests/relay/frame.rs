//! Frames: order, Skipped, credits, and what is not a frame.

use cobijo_protocol::{
    frame::{Closing, FromRelay, Operation, Outcome, SlotState, encode_operations},
    limits::{
        CONNECTION_CREDITS, FRAME_ADDRESSES_MAX, FRAME_BYTES_MAX, FRAME_UNIT_BYTES,
        PROTOCOL_VERSION,
    },
};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::*;

/// [W-6]
#[tokio::test]
async fn after_the_first_put_that_is_not_stored_the_rest_is_skipped() {
    let relay = Relay::start().await;
    let mut client = relay.client().await;
    assert_eq!(client.ask(&[put(1, 1)]).await, [Outcome::Stored]);
    let frame = [put(0, 0), put(1, 9), put(2, 2), watch([0]), erase(0)];
    let skipped = Outcome::Skipped;
    assert_eq!(
        client.ask(&frame).await,
        [
            Outcome::Stored,
            Outcome::Taken,
            skipped.clone(),
            skipped.clone(),
            skipped
        ]
    );
    let states = vec![SlotState::Full, SlotState::Full, SlotState::Empty];
    assert_eq!(
        client.ask(&[watch([0, 1, 2])]).await,
        [Outcome::Watching(states)]
    );
}

/// [W-5]
#[tokio::test]
async fn frames_that_were_sent_ahead_are_answered_in_order() {
    let relay = Relay::start().await;
    let mut client = relay.client().await;
    for number in 0..20 {
        let frame = [put(number.into(), number), watch([u64::from(number)])];
        client
            .send(&frame[..1 + (number % 2) as usize])
            .await
            .unwrap();
    }
    for number in 0..20 {
        let full = Outcome::Watching(vec![SlotState::Full]);
        let expected = [Outcome::Stored, full];
        assert_eq!(client.answer().await.unwrap(), expected[..1 + number % 2]);
    }
}

/// [W-6]
#[tokio::test]
async fn credits_end_with_the_connection_and_a_taken_put_costs_none() {
    let relay = Relay::with_config("[limits]\nkibibytes-per-second = 100000").await;
    let mut client = relay.client().await;
    assert_eq!(client.greeting.credits, CONNECTION_CREDITS);
    assert_eq!(client.ask(&[put(0, 0)]).await, [Outcome::Stored]);
    assert_eq!(client.ask(&[put(0, 1)]).await, [Outcome::Taken]);
    let mut left = u64::from(CONNECTION_CREDITS) - 1;
    while left > 0 {
        let now = left.min(64);
        let frame: Vec<_> = (0..now).map(|n| put(left + n, 7)).collect();
        let stored = frame.len();
        assert_eq!(client.ask(&frame).await, vec![Outcome::Stored; stored]);
        left -= now;
    }
    let frame = [erase(0), put(5000, 1), put(0, 0)];
    let outcomes = [Outcome::Done, Outcome::NoCredit, Outcome::Skipped];
    assert_eq!(client.ask(&frame).await, outcomes);
    assert_eq!(
        client.ask_one(Desk::new(1).drop(1)).await,
        Outcome::NoCredit
    );
    let mut again = relay.client().await;
    assert_eq!(again.ask(&[put(5000, 1)]).await, [Outcome::Stored]);
}

#[tokio::test]
async fn credits_that_end_within_a_frame_store_what_they_pay_for() {
    let relay = Relay::with_config("[limits]\nkibibytes-per-second = 100000").await;
    let mut client = relay.client().await;
    for round in 0..u64::from(CONNECTION_CREDITS) / 32 - 1 {
        let frame: Vec<_> = (0..32).map(|n| put(round * 32 + n, 7)).collect();
        assert_eq!(client.ask(&frame).await, vec![Outcome::Stored; 32]);
    }
    let frame: Vec<_> = (0..34).map(|n| put(10_000 + n, 7)).collect();
    let outcomes = client.ask(&frame).await;
    assert_eq!(outcomes[..32], vec![Outcome::Stored; 32]);
    assert_eq!(outcomes[32..], [Outcome::NoCredit, Outcome::Skipped]);
}

/// [W-9]
#[tokio::test]
async fn the_hello_is_first_and_once_and_of_this_version() {
    let relay = Relay::start().await;
    let hello = |version| Operation::Hello { version };
    let frames = [
        (vec![hello(PROTOCOL_VERSION + 1)], Closing::Version),
        (vec![put(0, 0)], Closing::Malformed),
        (vec![put(0, 0), hello(PROTOCOL_VERSION)], Closing::Malformed),
        (
            vec![hello(PROTOCOL_VERSION), hello(PROTOCOL_VERSION)],
            Closing::Malformed,
        ),
    ];
    for (frame, closing) in frames {
        let mut client = Client::without_hello(&relay.announcement).await.unwrap();
        client.send(&frame).await.unwrap();
        assert_eq!(client.closing().await, Some(closing));
    }
    let mut client = relay.client().await;
    client.send(&[hello(PROTOCOL_VERSION)]).await.unwrap();
    assert_eq!(client.closing().await, Some(Closing::Malformed));
    let mut client = relay.client().await;
    let states = Outcome::Watching(vec![SlotState::Empty]);
    assert_eq!(client.ask(&[watch([0])]).await, [states]);
}

/// [W-2] [W-3]
#[tokio::test]
async fn what_is_not_a_frame_ends_its_connection_and_no_other() {
    let relay = Relay::start().await;
    let mut bystander = relay.client().await;
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../protocol/testdata/malformed/operations"
    );
    let mut messages: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| malformed(&std::fs::read_to_string(entry.unwrap().path()).unwrap()))
        .filter(|bytes| bytes.len() <= FRAME_BYTES_MAX)
        .map(Message::binary)
        .collect();
    assert!(messages.len() > 5);
    let mut unaligned = encode_operations(&[put(0, 0)]).unwrap();
    unaligned.push(0);
    messages.push(Message::binary(unaligned));
    messages.push(Message::binary(vec![0xff; FRAME_UNIT_BYTES]));
    messages.push(Message::text("hola"));
    for message in messages {
        let mut client = relay.client().await;
        client.send_raw(message).await.unwrap();
        assert_eq!(client.closing().await, Some(Closing::Malformed));
    }
    assert_eq!(bystander.ask(&[put(0, 0)]).await, [Outcome::Stored]);
}

#[tokio::test]
async fn a_message_above_the_largest_frame_ends_its_connection() {
    let relay = Relay::start().await;
    let mut client = relay.client().await;
    // The relay may hang up before all of it was sent.
    let _ = client
        .send_raw(Message::binary(vec![0; FRAME_BYTES_MAX + 1]))
        .await;
    let closing = client.closing().await;
    assert!(matches!(closing, None | Some(Closing::Malformed)));
    let mut client = relay.client().await;
    assert_eq!(client.ask(&[put(0, 0)]).await, [Outcome::Stored]);
}

///
#[tokio::test]
async fn cover_costs_nothing_and_leaves_nothing() {
    let relay = Relay::start().await;
    let mut client = relay.client().await;
    let cover = Operation::Cover { cell: cell(1) };
    assert_eq!(
        client.ask(&[cover.clone(), cover]).await,
        [Outcome::Done, Outcome::Done]
    );
    assert_eq!(relay.metric("stored_total").await, 0);
}

/// Reads a committed case: a line that says why, then hex in which `00*9` is nine zero bytes.
fn malformed(text: &str) -> Vec<u8> {
    let (_, hex) = text.split_once('\n').unwrap();
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    hex.split_whitespace()
        .flat_map(|token| {
            let (hex, times) = token.split_once('*').unwrap_or((token, "1"));
            let bytes: Vec<_> = hex.as_bytes().chunks(2).map(byte).collect();
            bytes.repeat(times.parse().unwrap())
        })
        .collect()
}

/// [W-7]
#[tokio::test]
async fn a_cell_that_is_still_to_follow_does_not_follow_twice_for_being_watched_again() {
    let relay = Relay::start().await;
    let mut client = relay.client().await;
    client.ask(&[put(0, 7), put(1, 8)]).await;
    let frame = vec![watch([0, 1, 0, 2].into_iter().cycle().take(256)); 32];
    let states = [
        SlotState::Full,
        SlotState::Full,
        SlotState::Full,
        SlotState::Empty,
    ];
    let states = Outcome::Watching(states.into_iter().cycle().take(256).collect());
    assert_eq!(client.ask(&frame).await, vec![states; 32]);
    assert_eq!(client.push().await, pushed(0, 7));
    assert_eq!(client.push().await, pushed(1, 8));
    assert_eq!(client.ask_one(put(2, 9)).await, Outcome::Stored);
    assert_eq!(client.push().await, pushed(2, 9));
    client.assert_no_push().await;
}

/// [W-7]
#[tokio::test]
async fn a_frame_watches_no_more_addresses_than_the_limit_however_many_are_full() {
    let relay = Relay::start().await;
    let mut client = relay.client().await;
    let limit = FRAME_ADDRESSES_MAX as u64;
    for start in (0..limit).step_by(64) {
        let frame: Vec<_> = (start..start + 64).map(|n| put(n, 7)).collect();
        assert_eq!(client.ask(&frame).await, vec![Outcome::Stored; 64]);
    }
    let mut frame: Vec<_> = (0..limit)
        .step_by(256)
        .map(|start| watch(start..start + 256))
        .collect();
    frame.push(watch([limit]));
    frame.push(watch([0]));
    let outcomes = client.ask(&frame).await;
    let full = |count| Outcome::Watching(vec![SlotState::Full; count]);
    let (last, first) = outcomes
        .split_last_chunk::<2>()
        .map(|(a, b)| (b, a))
        .unwrap();
    assert_eq!(first, vec![full(256); first.len()]);
    assert_eq!(last, &[Outcome::TooMany, full(1)]);
    for _ in 0..limit {
        assert!(matches!(client.push().await, FromRelay::Cell { .. }));
    }
    client.assert_no_push().await;
    assert_eq!(
        client.ask_one(watch([limit])).await,
        Outcome::Watching(vec![SlotState::Empty])
    );
}
