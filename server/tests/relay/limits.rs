//! Every limit, met from outside.

use std::{ops::Range, time::Duration};

use cobijo_protocol::{
    frame::{Closing, FromRelay, Operation, Outcome, SlotState},
    limits::{
        CONNECTION_CREDITS, DEAD_AFTER, FRAME_ADDRESSES_MAX, HELLO_TIMEOUT, MESSAGE_TIMEOUT,
        PING_INTERVAL, REGISTERED_ADDRESSES_MAX, WATCH_ADDRESSES_MAX,
    },
};
use cobijo_server::limits::{HANDSHAKE_TIMEOUT, PLACE_SPARED};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::Instant,
};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::*;

/// [L-3]
#[tokio::test]
async fn frames_above_the_rate_end_the_connection() {
    let relay = Relay::with_config("[limits]\nframes-per-second = 1").await;
    let mut client = relay.client().await;
    for _ in 0..40 {
        // The relay hangs up at some point.
        let _ = client.send(&[Operation::Cover { cell: cell(0) }]).await;
    }
    assert_eq!(client.closing().await, Some(Closing::TooFast));
    let mut client = relay.client().await;
    for _ in 0..40 {
        let _ = client.send_raw(Message::Ping(vec![].into())).await;
    }
    assert_eq!(client.closing().await, Some(Closing::TooFast));
}

/// [L-3]
#[tokio::test]
async fn bytes_above_the_rate_end_the_connection() {
    let relay = Relay::with_config("[limits]\nkibibytes-per-second = 20").await;
    let mut client = relay.client().await;
    let frame: Vec<_> = (0..64).map(|n| put(n, 7)).collect();
    let _ = client.send(&frame).await;
    assert_eq!(client.closing().await, Some(Closing::TooFast));
}

/// [L-3]
#[tokio::test]
async fn what_a_connection_asks_for_again_and_again_is_sent_at_its_rate() {
    // A burst of 8 s is 64 units, and a second brings 8.
    let relay = Relay::with_config("[limits]\nkibibytes-per-second = 34").await;
    let mut client = relay.client().await;
    let frame: Vec<_> = (0..16).map(|n| put(n, 7)).collect();
    client.ask(&frame).await;
    tokio::time::pause();
    let start = Instant::now();
    for _ in 0..8 {
        client.ask(&[watch(0..16)]).await;
        for _ in 0..16 {
            assert!(matches!(client.push().await, FromRelay::Cell { .. }));
        }
    }
    assert!(start.elapsed() >= Duration::from_secs(6));
}

/// [L-1] [L-2]
#[tokio::test]
async fn connections_in_use_above_a_limit_are_refused_until_one_ends() {
    for limit in [
        "connections",
        "connections-per-network",
        "connections-per-address",
    ] {
        let relay = Relay::with_config(&format!("[limits]\n{limit} = 2")).await;
        let desk = Desk::new(1);
        let mut first = relay.client().await;
        first.ask(&[watch([0])]).await;
        let mut second = relay.client().await;
        second.ask(&[desk.open(&second)]).await;
        assert!(Client::try_connect(&relay.announcement).await.is_err());
        drop(first);
        until(async || Client::try_connect(&relay.announcement).await.is_ok()).await;
        assert_eq!(second.ask(&[put(0, 0)]).await, [Outcome::Stored]);
        assert!(relay.metric("connections_refused_total").await > 0);
    }
}

/// [L-1]
#[tokio::test]
async fn whoever_only_sits_on_a_place_gives_way_to_the_next_and_whoever_wrote_keeps_hers() {
    let relay = Relay::with_config("[limits]\nconnections = 4").await;
    let mut writer = relay.client().await;
    assert_eq!(writer.ask(&[put(0, 0)]).await, [Outcome::Stored]);
    let mut taken = relay.client().await;
    let refused = [Outcome::Taken, Outcome::Skipped];
    assert_eq!(taken.ask(&[put(0, 1), watch([0])]).await, refused);
    let mut idle = relay.client().await;
    pass(PLACE_SPARED).await;
    let mut tcp = tcp(&relay.announcement).await.unwrap();

    let mut others = Vec::new();
    for _ in 0..2 {
        let mut other = relay.client().await;
        other.ask(&[watch([1])]).await;
        others.push(other);
    }
    for gone in [&mut taken, &mut idle] {
        assert_eq!(gone.closing().await, None);
    }
    assert_eq!(writer.ask(&[put(1, 1)]).await, [Outcome::Stored]);
    for other in &mut others {
        assert_eq!(other.push().await, pushed(1, 1));
    }
    assert_eq!(relay.metric("connections_gave_way_total").await, 2);
    assert!(Client::try_connect(&relay.announcement).await.is_err());
    pass(PLACE_SPARED).await;
    assert_eq!(tcp.read(&mut [0; 1]).await.unwrap_or_default(), 0);
}

/// [L-1]
#[tokio::test]
async fn whoever_has_only_just_come_has_time_to_begin() {
    let relay = Relay::with_config("[limits]\nconnections = 1").await;
    let mut first = relay.client().await;
    assert!(Client::try_connect(&relay.announcement).await.is_err());
    assert_eq!(first.ask(&[put(0, 0)]).await, [Outcome::Stored]);
}

/// Lets time go by at once.
async fn pass(duration: Duration) {
    tokio::time::pause();
    tokio::time::advance(duration).await;
    tokio::time::resume();
}

/// [W-7]
#[tokio::test]
async fn a_connection_registers_no_more_addresses_than_the_limit() {
    let relay = Relay::start().await;
    let mut client = relay.client().await;
    let limit = REGISTERED_ADDRESSES_MAX as u64;
    for start in (0..limit).step_by(256) {
        let empty = Outcome::Watching(vec![SlotState::Empty; 256]);
        assert_eq!(client.ask(&[watch(start..start + 256)]).await, [empty]);
    }
    assert_eq!(client.ask(&[watch([limit])]).await, [Outcome::TooMany]);
    let again = Outcome::Watching(vec![SlotState::Empty]);
    assert_eq!(client.ask_one(watch([0])).await, again);
    let unwatch = Operation::Unwatch {
        addresses: vec![address(0), address(limit)],
    };
    assert_eq!(
        client.ask(&[unwatch, watch([limit])]).await,
        [Outcome::Done, again]
    );
    let written = client.ask(&[put(0, 0), put(limit, 1), put(1, 2)]).await;
    assert_eq!(written, vec![Outcome::Stored; 3]);
    let mut pushes = [client.push().await, client.push().await];
    pushes.sort_by_key(
        |push| matches!(push, FromRelay::Cell { cell, .. } if *cell == crate::harness::cell(2)),
    );
    assert_eq!(pushes, [pushed(limit, 1), pushed(1, 2)]);
    client.assert_no_push().await;
}

/// [L-4]
#[tokio::test]
async fn a_reader_that_stands_still_while_new_pushes_come_is_too_slow() {
    let relay = Relay::with_config("[limits]\nkibibytes-per-second = 100000").await;
    let full = 4 * FRAME_ADDRESSES_MAX as u64;
    put_all(&relay, 0..full).await;
    let mut slow = relay.client().await;
    let watched = full..full + REGISTERED_ADDRESSES_MAX as u64 / 2;
    slow.ask(&watches(watched.clone())).await;
    // Some 18 MB that it asked for are never too much; but new pushes come while it reads nothing.
    for start in (0..full).step_by(FRAME_ADDRESSES_MAX / 2) {
        let half = watches(start..start + FRAME_ADDRESSES_MAX as u64 / 2);
        slow.send(&half).await.unwrap();
    }
    until(async || relay.metric("pushed_total").await > 0).await;
    put_all(&relay, watched).await;
    until(async || relay.metric("closed_too_slow_total").await == 1).await;
    // Less than a megabyte of them left for it: the rest waited as keys, not as cells in buffers.
    assert!(relay.metric("pushed_total").await < 200);
    assert_eq!(slow.closing().await, Some(Closing::TooSlow));
}

fn watches(counters: Range<u64>) -> Vec<Operation> {
    let starts = counters.clone().step_by(WATCH_ADDRESSES_MAX);
    let watch = |start| watch(start..counters.end.min(start + WATCH_ADDRESSES_MAX as u64));
    starts.map(watch).collect()
}

/// Fills slots, each connection as many as its credits pay for.
async fn put_all(relay: &Relay, counters: Range<u64>) {
    for start in counters.clone().step_by(CONNECTION_CREDITS as usize) {
        let mut writer = relay.client().await;
        let end = counters.end.min(start + u64::from(CONNECTION_CREDITS));
        for start in (start..end).step_by(64) {
            let frame: Vec<_> = (start..start + 64).map(|n| put(n, 7)).collect();
            assert_eq!(writer.ask(&frame).await, vec![Outcome::Stored; 64]);
        }
    }
}

#[tokio::test]
async fn a_reader_that_reads_gets_every_push_however_many() {
    let relay = Relay::with_config("[limits]\nkibibytes-per-second = 100000").await;
    let mut writer = relay.client().await;
    let mut reader = relay.client().await;
    for start in [1000, 1256] {
        reader.ask(&[watch(start..start + 256)]).await;
    }
    for start in (1000..1512).step_by(64) {
        let frame: Vec<_> = (0..64).map(|n| put(start + n, 7)).collect();
        writer.send(&frame).await.unwrap();
        for _ in 0..64 {
            assert!(matches!(reader.push().await, FromRelay::Cell { .. }));
        }
    }
}

///
#[tokio::test]
async fn a_relay_short_of_disk_refuses_writes_and_never_reads() {
    let relay = Relay::start().await;
    let desk = Desk::new(1);
    relay.host(&desk).await;
    let mut client = relay.client().await;
    client.ask(&[put(0, 0), desk.drop(0)]).await;
    let directory = relay.stop().await;

    let relay = Relay::start_in(directory, "disk-reserve-mebibytes = 4294967295", DAY).await;
    let mut client = relay.client().await;
    let frame = [desk.drop(1), put(1, 1), put(2, 2)];
    let busy = Outcome::Busy;
    assert_eq!(
        client.ask(&frame).await,
        [busy.clone(), busy, Outcome::Skipped]
    );
    assert_eq!(
        client.ask(&[watch([0])]).await,
        [Outcome::Watching(vec![SlotState::Full])]
    );
    assert_eq!(client.push().await, pushed(0, 0));
    assert_eq!(
        client.ask(&[desk.open(&client), erase(0)]).await,
        vec![Outcome::Done; 2]
    );
    assert!(matches!(client.push().await, FromRelay::Item { .. }));
    let published = relay.put(&desk.path(), desk.card(2, DAY)).await;
    assert_eq!(published, hyper::StatusCode::SERVICE_UNAVAILABLE);
}

/// [L-4]
#[tokio::test]
async fn a_silent_connection_is_pinged_and_then_given_up() {
    let relay = Relay::start().await;
    let client = relay.client().await;
    let mut stream = client.into_stream();
    tokio::time::pause();
    let start = Instant::now();
    let mut ping = [0; 2];
    stream.read_exact(&mut ping).await.unwrap();
    assert_eq!(ping, [0x89, 0]);
    assert!(start.elapsed() >= PING_INTERVAL - Duration::from_secs(1));
    assert_eq!(stream.read(&mut ping).await.unwrap_or_default(), 0);
    assert!(start.elapsed() >= DEAD_AFTER - Duration::from_secs(1));
}

/// [L-4]
#[tokio::test]
async fn whoever_never_says_hello_is_given_up() {
    let relay = Relay::start().await;
    let client = Client::without_hello(&relay.announcement).await.unwrap();
    let mut stream = client.into_stream();
    tokio::time::pause();
    let start = Instant::now();
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or_default(), 0);
    assert!(start.elapsed() >= HELLO_TIMEOUT - Duration::from_secs(1));
    assert!(start.elapsed() < PING_INTERVAL);
}

/// [L-5]
#[tokio::test]
async fn a_message_that_is_never_finished_ends_its_connection_whatever_comes_between() {
    let relay = Relay::start().await;
    let mut stream = relay.client().await.into_stream();
    let (part, ping) = ([0x02, 0x80 | 9], [0x89, 0x80, 0, 0, 0, 0]);
    stream.write_all(&part).await.unwrap();
    stream.write_all(&[0; 4 + 9]).await.unwrap();
    tokio::time::pause();
    let start = Instant::now();
    let mut pong = [0; 2];
    loop {
        stream.write_all(&ping).await.unwrap();
        stream.read_exact(&mut pong).await.unwrap();
        if pong != [0x8a, 0] {
            break;
        }
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert!(start.elapsed() >= MESSAGE_TIMEOUT - Duration::from_secs(1));
    assert!(start.elapsed() < PING_INTERVAL);
    assert_eq!(relay.metric("closed_too_slow_total").await, 1);
}

#[tokio::test]
async fn whoever_is_slow_to_shake_hands_or_to_send_a_head_is_given_up() {
    let relay = Relay::start().await;
    let mut silent = tcp(&relay.announcement).await.unwrap();
    let mut head = tls(&relay.announcement).await.unwrap();
    head.write_all(b"GET /healthz HTTP/1.1\r\nhost: ")
        .await
        .unwrap();
    let mut body = tls(&relay.announcement).await.unwrap();
    let desk = Desk::new(1);
    relay.host(&desk).await;
    let start = format!(
        "PUT {} HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n",
        desk.path()
    );
    body.write_all(start.as_bytes()).await.unwrap();
    tokio::time::pause();
    let start = Instant::now();
    let mut nothing = Vec::new();
    assert_eq!(
        silent.read_to_end(&mut nothing).await.unwrap_or_default(),
        0
    );
    // The answers are 408 or nothing; what matters is that they end.
    let _ = head.read_to_end(&mut nothing).await;
    let _ = body.read_to_end(&mut nothing).await;
    assert!(start.elapsed() < HANDSHAKE_TIMEOUT * 3);
}

#[tokio::test]
async fn a_head_above_the_limits_is_refused() {
    let relay = Relay::start().await;
    let many = "a: b\r\n".repeat(100);
    let long = format!("a: {}\r\n", "b".repeat(100_000));
    for headers in [many, long] {
        let mut stream = tls(&relay.announcement).await.unwrap();
        let head = format!("GET /healthz HTTP/1.1\r\nhost: a\r\n{headers}\r\n");
        let _ = stream.write_all(head.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(!answer.starts_with(b"HTTP/1.1 200"));
    }
}

/// [W-1]
#[tokio::test]
async fn only_the_subprotocol_of_this_version_is_upgraded() {
    let relay = Relay::start().await;
    for protocol in ["", "sec-websocket-protocol: cobijo.2\r\n"] {
        let mut stream = tls(&relay.announcement).await.unwrap();
        let head = format!(
            "GET /v1/relay HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{protocol}\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 400");
    }
}

#[tokio::test]
async fn a_connection_that_ended_leaves_nothing_behind() {
    let relay = Relay::start().await;
    for _ in 0..3 {
        let mut client = relay.client().await;
        client.ask(&[watch(0..200)]).await;
        relay.get("/healthz").await;
    }
    until(async || relay.metric("connections_open").await == 0).await;
}
