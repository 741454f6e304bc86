//! SIGKILL under load: what was acknowledged, or shown to anyone, stands afterwards.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use cobijo_protocol::{
    frame::{FromRelay, Operation, Outcome, SlotState},
    slot::Address,
};

use crate::{
    harness::*,
    process::{FAST, Process},
};

const KILLS: u64 = 12;
const WRITERS: u64 = 4;

/// [R-3] [W-5]
#[tokio::test]
async fn nothing_that_was_acknowledged_or_shown_is_lost_to_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let next = Arc::new(AtomicU64::new(0));
    let mut stored = Vec::new();
    let mut shown: Vec<Address> = Vec::new();
    for round in 0..KILLS {
        let process = Process::start(directory.path(), FAST).await;
        let frames = Arc::new(AtomicU64::new(0));
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| Client::connect(&process.announcement))
            .collect();
        let mut tasks = tokio::task::JoinSet::new();
        for client in writers {
            tasks.spawn(write(client.await, Arc::clone(&next), Arc::clone(&frames)));
        }
        until(async || frames.load(Ordering::Relaxed) >= 10 + round * 7).await;
        process.kill().await;
        while let Some(ended) = tasks.join_next().await {
            let (acknowledged, pushed) = ended.unwrap();
            stored.extend(acknowledged);
            shown.extend(pushed);
        }
        let process = Process::start(directory.path(), FAST).await;
        check(&process, &stored, &shown).await;
        process.kill().await;
    }
    assert!(stored.len() > 200 && shown.len() > 200);
}

/// Puts until the relay is gone; returns what was acknowledged, and what was pushed.
async fn write(
    mut client: Client,
    next: Arc<AtomicU64>,
    frames: Arc<AtomicU64>,
) -> (Vec<u64>, Vec<Address>) {
    let (mut stored, mut shown) = (Vec::new(), Vec::new());
    let mut asked = Vec::new();
    loop {
        let counters: Vec<_> = (0..4)
            .map(|_| next.fetch_add(1, Ordering::Relaxed))
            .collect();
        let mut frame = vec![watch(counters.iter().copied())];
        frame.extend(counters.iter().map(|&counter| put(counter, 7)));
        if client.send(&frame).await.is_err() {
            return (stored, shown);
        }
        asked.push(counters);
        loop {
            match client.receive().await {
                Ok(FromRelay::Answer(outcomes)) => {
                    assert_eq!(outcomes[1..], vec![Outcome::Stored; 4]);
                    stored.extend(asked.pop().unwrap());
                    frames.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                Ok(FromRelay::Cell { address, .. }) => shown.push(address),
                Ok(push) => panic!("{push:?}"),
                Err(_) => return (stored, shown),
            }
        }
    }
}

async fn check(process: &Process, stored: &[u64], shown: &[Address]) {
    let mut client = Client::connect(&process.announcement).await;
    let stored: Vec<_> = stored.iter().map(|&counter| address(counter)).collect();
    for addresses in stored.chunks(256).chain(shown.chunks(256)) {
        let watch = Operation::Watch {
            addresses: addresses.to_vec(),
        };
        let Outcome::Watching(states) = client.ask_one(watch).await else {
            panic!("not watching");
        };
        assert!(states.iter().all(|state| *state == SlotState::Full));
    }
}
