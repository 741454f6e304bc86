//! The connections that the machines need, each with its session: asked for, lost, and asked for again.

use std::{collections::BTreeMap, time::Duration};

use cobijo_protocol::link::RelayUrl;
use rand_core::Rng as _;

use super::{ChannelId, Line, Output};
use crate::core::{
    port::{Now, Rng, Seen},
    session::Session,
};

/// Pause after a connection was lost, before the first new attempt.
const RETRY_FIRST: Duration = Duration::from_millis(500);
/// Doublings of the pause: 500 ms × 2^7 is about a minute.
const RETRY_DOUBLINGS_MAX: u32 = 7;
/// Most that is added to a pause at random, so that clients don't come back all at once.
const RETRY_JITTER_MILLIS: u64 = 500;

/// All connections, by channel.
#[derive(Default)]
pub(super) struct Channels {
    channels: BTreeMap<ChannelId, Channel>,
}

struct Channel {
    relay: RelayUrl,
    failures: u32,
    /// Connections in a row on which no credit was left before anything was stored.
    starved: u32,
    link: Link,
}

enum Link {
    /// Lost; asked for again at that time.
    Down(Now),
    /// Asked for.
    Opening,
    /// It stands.
    Up(Box<Session>),
    /// It stands, and the relay did on it what no relay does.
    Broken,
}

impl Channels {
    pub(super) fn handle_opened(&mut self, channel: ChannelId) {
        if let Some(channel) = self.channels.get_mut(&channel) {
            channel.link = Link::Up(Box::new(Session::new(channel.relay.host())));
        }
    }

    /// What a frame says; a frame that can't be makes the connection end at the next reconciliation.
    pub(super) fn handle_frame(&mut self, channel: ChannelId, frame: &[u8], now: Now) -> Vec<Seen> {
        let Some(channel) = self.channels.get_mut(&channel) else {
            return Vec::new();
        };
        let Link::Up(session) = &mut channel.link else {
            return Vec::new();
        };
        match session.handle_frame(frame, now) {
            Ok(seen) => {
                channel.failures = 0;
                seen
            }
            Err(_) => {
                channel.link = Link::Broken;
                Vec::new()
            }
        }
    }

    pub(super) fn handle_closed(&mut self, channel: ChannelId, now: Now, rng: &mut Rng) {
        if let Some(channel) = self.channels.get_mut(&channel) {
            channel.lose(now, rng);
        }
    }

    /// When a lost connection is to be asked for again, or a session wants to go on.
    pub(super) fn poll_timeout(&self) -> Option<Now> {
        let timeout = |channel: &Channel| match &channel.link {
            Link::Down(at) => Some(*at),
            Link::Opening | Link::Broken => None,
            Link::Up(session) => session.poll_timeout(),
        };
        self.channels.values().filter_map(timeout).min()
    }

    /// Brings the connections, and what goes over them, in line with what is wanted.
    pub(super) fn reconcile(&mut self, lines: Vec<Line>, now: Now, rng: &mut Rng) -> Vec<Output> {
        let mut outputs = Vec::new();
        self.channels.retain(|&id, channel| {
            let wanted = lines.iter().any(|line| line.channel == id);
            if !wanted && !matches!(channel.link, Link::Down(_)) {
                outputs.push(Output::Close { channel: id });
            }
            wanted
        });
        for line in lines {
            let channel = self
                .channels
                .entry(line.channel)
                .or_insert_with(|| Channel {
                    relay: line.relay.clone(),
                    failures: 0,
                    starved: 0,
                    link: Link::Down(now),
                });
            channel.reconcile(&line, now, rng, &mut outputs);
        }
        outputs
    }
}

impl Channel {
    fn reconcile(&mut self, line: &Line, now: Now, rng: &mut Rng, outputs: &mut Vec<Output>) {
        let id = line.channel;
        match &mut self.link {
            Link::Down(at) if *at <= now => {
                self.link = Link::Opening;
                let relay = self.relay.clone();
                outputs.push(Output::Open { channel: id, relay });
            }
            Link::Down(_) | Link::Opening => {}
            Link::Broken => {
                outputs.push(Output::Close { channel: id });
                self.lose(now, rng);
            }
            // It would be the same on the next one: no hurry.
            Link::Up(session) if session.is_spent() && !session.has_stored() => {
                outputs.push(Output::Close { channel: id });
                self.failures = self.failures.max(self.starved);
                self.starved = self.starved.saturating_add(1);
                self.lose(now, rng);
            }
            Link::Up(session) if session.is_spent() => {
                self.starved = 0;
                outputs.push(Output::Close { channel: id });
                self.link = Link::Opening;
                let relay = self.relay.clone();
                outputs.push(Output::Open { channel: id, relay });
            }
            Link::Up(session) => {
                while let Some(frame) = session.reconcile(&line.wants, now) {
                    outputs.push(Output::Send { channel: id, frame });
                }
            }
        }
    }

    fn lose(&mut self, now: Now, rng: &mut Rng) {
        let pause = RETRY_FIRST * 2u32.pow(self.failures.min(RETRY_DOUBLINGS_MAX));
        let jitter = Duration::from_millis(rng.next_u64() % RETRY_JITTER_MILLIS);
        self.failures = self.failures.saturating_add(1);
        self.link = Link::Down(now.plus(pause + jitter));
    }
}
