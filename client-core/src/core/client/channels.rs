//! The connections that the machines need, each with its session: asked for, lost, and asked for again.

use std::{collections::BTreeMap, time::Duration};

use cobijo_protocol::link::RelayUrl;
use rand_core::Rng as _;

use super::{ChannelId, Line, Output};
use crate::core::port::{Now, Rng, Seen};

/// Pause after a connection was lost, before the first new attempt.
const RETRY_FIRST: Duration = Duration::from_millis(500);
/// Doublings of the pause: 500 ms × 2^7 is about a minute.
const RETRY_DOUBLINGS_MAX: u32 = 7;

/// All connections, by channel.
#[derive(Default)]
pub(super) struct Channels {
    channels: BTreeMap<ChannelId, Channel>,
}

struct Channel {
    relay: RelayUrl,
    failures: u32,
    link: Link,
}

enum Link {
    /// Lost; asked for again at that time.
    Down(Now),
    /// Asked for.
    Opening,
    /// It stands.
    Up,
}

impl Channels {
    pub(super) fn handle_opened(&mut self, channel: ChannelId) -> Vec<Seen> {
        if let Some(channel) = self.channels.get_mut(&channel) {
            channel.link = Link::Up;
        }
        Vec::new()
    }

    pub(super) fn handle_frame(
        &mut self,
        _channel: ChannelId,
        _frame: &[u8],
        _now: Now,
        _rng: &mut Rng,
    ) -> Vec<Seen> {
        Vec::new()
    }

    pub(super) fn handle_closed(&mut self, channel: ChannelId, now: Now, rng: &mut Rng) {
        if let Some(channel) = self.channels.get_mut(&channel) {
            channel.lose(now, rng);
        }
    }

    /// When the next lost connection is to be asked for again.
    pub(super) fn poll_timeout(&self) -> Option<Now> {
        let retry = |channel: &Channel| match channel.link {
            Link::Down(at) => Some(at),
            Link::Opening | Link::Up => None,
        };
        self.channels.values().filter_map(retry).min()
    }

    /// Brings the connections in line with what is wanted.
    pub(super) fn reconcile(&mut self, lines: Vec<Line>, now: Now, _rng: &mut Rng) -> Vec<Output> {
        let mut outputs = Vec::new();
        self.channels.retain(|id, _| {
            let wanted = lines.iter().any(|line| line.channel == *id);
            if !wanted {
                outputs.push(Output::Close { channel: *id });
            }
            wanted
        });
        for line in lines {
            let channel = self.channels.entry(line.channel).or_insert(Channel {
                relay: line.relay,
                failures: 0,
                link: Link::Down(now),
            });
            if matches!(channel.link, Link::Down(at) if at <= now) {
                channel.link = Link::Opening;
                outputs.push(Output::Open {
                    channel: line.channel,
                    relay: channel.relay.clone(),
                });
            }
        }
        outputs
    }
}

impl Channel {
    fn lose(&mut self, now: Now, rng: &mut Rng) {
        let pause = RETRY_FIRST * 2u32.pow(self.failures.min(RETRY_DOUBLINGS_MAX));
        let jitter = Duration::from_millis(rng.next_u64() % 500);
        self.failures = self.failures.saturating_add(1);
        self.link = Link::Down(now.plus(pause + jitter));
    }
}
