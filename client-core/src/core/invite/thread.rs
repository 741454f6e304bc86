//! A thread that is read from its start, and appended to.

use std::collections::VecDeque;

use cobijo_protocol::slot::{Kind, ThreadSecret};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::core::{
    contest::Contest,
    port::{Rng, Seen, Wants},
    thread::Content,
};

/// Reads every index once; what is appended goes to the first free one, in order.
#[derive(Serialize, Deserialize)]
pub(super) struct Thread {
    contest: Contest,
    queue: VecDeque<ByteBuf>,
}

impl Thread {
    pub(super) fn new(r: &ThreadSecret, kind: Kind) -> Self {
        Self {
            contest: Contest::new(r.clone(), kind, 0),
            queue: VecDeque::new(),
        }
    }

    /// Appends behind all that was appended before.
    pub(super) fn append(&mut self, payload: Vec<u8>, rng: &mut Rng) {
        self.queue.push_back(ByteBuf::from(payload));
        self.contend(rng);
    }

    pub(super) fn wants(&self, wants: &mut Wants) {
        self.contest.wants(wants);
    }

    /// The next payload in the thread, and whether it was appended here.
    pub(super) fn handle_seen(&mut self, seen: &Seen, rng: &mut Rng) -> Option<(Vec<u8>, bool)> {
        let candidate = self.contest.handle_seen(seen)?;
        if candidate.mine {
            self.queue.pop_front();
            self.contest.withdraw();
        }
        self.contest.skip(rng);
        self.contend(rng);
        match candidate.content {
            Content::Payload(payload) => Some((payload, candidate.mine)),
            Content::Void | Content::Gone => None,
        }
    }

    fn contend(&mut self, rng: &mut Rng) {
        if self.contest.is_contending() {
            return;
        }
        while let Some(payload) = self.queue.front() {
            if self.contest.contend(payload.to_vec(), rng).is_ok() {
                return;
            }
            self.queue.pop_front();
        }
    }
}
