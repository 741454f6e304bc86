//! Put, watch and erase.

use cobijo_protocol::frame::{FromRelay, Outcome, SlotState};

use crate::harness::*;

///
#[tokio::test]
async fn the_first_write_wins_and_may_be_repeated() {
    let relay = Relay::start().await;
    let mut client = relay.client().await;
    assert_eq!(client.ask(&[put(0, 1)]).await, [Outcome::Stored]);
    assert_eq!(client.ask(&[put(0, 1)]).await, [Outcome::Stored]);
    assert_eq!(client.ask(&[put(0, 2)]).await, [Outcome::Taken]);
    let mut other = relay.client().await;
    let states = Outcome::Watching(vec![SlotState::Full]);
    assert_eq!(other.ask(&[watch([0])]).await, [states]);
    assert_eq!(other.push().await, pushed(0, 1));
}

/// [R-4] [W-7]
#[tokio::test]
async fn an_empty_slot_that_is_watched_is_pushed_once_also_to_its_writer() {
    let relay = Relay::start().await;
    let mut writer = relay.client().await;
    let mut reader = relay.client().await;
    for client in [&mut writer, &mut reader] {
        let states = Outcome::Watching(vec![SlotState::Empty]);
        assert_eq!(client.ask(&[watch([0])]).await, [states]);
    }
    assert_eq!(writer.ask(&[put(0, 1)]).await, [Outcome::Stored]);
    for client in [&mut writer, &mut reader] {
        assert_eq!(client.push().await, pushed(0, 1));
    }
    assert_eq!(
        writer.ask(&[put(0, 1), erase(0)]).await,
        [Outcome::Stored, Outcome::Done]
    );
    writer.assert_no_push().await;
    reader.assert_no_push().await;
}

///
#[tokio::test]
async fn an_erased_slot_is_gone_for_every_reader_and_taken_for_all_but_the_same_bytes() {
    let relay = Relay::start().await;
    let mut client = relay.client().await;
    assert_eq!(client.ask(&[erase(0)]).await, [Outcome::Done]);
    assert_eq!(
        client.ask(&[put(0, 1), erase(0)]).await,
        [Outcome::Stored, Outcome::Done]
    );
    let states = Outcome::Watching(vec![SlotState::Gone, SlotState::Empty]);
    assert_eq!(client.ask(&[watch([0, 1])]).await, [states]);
    assert_eq!(client.ask(&[put(0, 2)]).await, [Outcome::Taken]);
    assert_eq!(client.ask(&[put(0, 1)]).await, [Outcome::Stored]);
    let states = Outcome::Watching(vec![SlotState::Gone]);
    assert_eq!(client.ask(&[watch([0])]).await, [states]);
    client.assert_no_push().await;
}

/// [R-2] [W-8]
#[tokio::test]
async fn a_cell_erased_before_it_was_pushed_is_told_as_gone() {
    let relay = Relay::start().await;
    let mut client = relay.client().await;
    let outcomes = client.ask(&[put(0, 1), watch([0]), erase(0)]).await;
    let full = Outcome::Watching(vec![SlotState::Full]);
    assert_eq!(outcomes, [Outcome::Stored, full, Outcome::Done]);
    let address = address(0);
    assert_eq!(client.push().await, FromRelay::Gone { address });
}

///
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cell_written_while_its_watch_is_read_is_pushed_once() {
    let relay = Relay::with_config("[limits]\nframes-per-second = 10000").await;
    let mut writer = relay.client().await;
    let mut reader = relay.client().await;
    for counter in 0..400 {
        reader.send(&[watch([counter])]).await.unwrap();
        writer.send(&[put(counter, 7)]).await.unwrap();
        assert_eq!(writer.answer().await.unwrap(), [Outcome::Stored]);
        reader.answer().await.unwrap();
        assert_eq!(reader.push().await, pushed(counter, 7));
    }
    reader.assert_no_push().await;
}
