//! The other members' threads of an epoch, and where they end as far as this member has read.

use std::collections::BTreeMap;

use cobijo_protocol::limits::{
    CUT_MESSAGES_MAX, STREAM_AHEAD, STREAM_AHEAD_SMALL, STREAM_AHEAD_SMALL_ABOVE,
};

use super::Group;
use crate::core::{policy::Leaf, stream::Stream};

impl Group {
    /// Opens the threads of the present epoch's other leaves.
    pub(super) fn open_streams(&mut self) {
        let own = self.facts.own_leaf;
        let others = self
            .facts
            .leaves
            .iter()
            .map(|leaf| leaf.index)
            .filter(|&leaf| leaf != own);
        self.streams = others.map(Stream::new).collect();
        self.fill_streams();
    }

    /// Watches further ahead, where what was watched is used up.
    pub(super) fn fill_streams(&mut self) {
        let is_large = self.facts.leaves.len() > STREAM_AHEAD_SMALL_ABOVE;
        let ahead = if is_large {
            STREAM_AHEAD_SMALL
        } else {
            STREAM_AHEAD
        };
        for stream in &mut self.streams {
            stream.fill(&self.facts.secret, ahead);
        }
    }

    /// The counts of a cut made now: for every leaf, in order.
    pub(super) fn cut(&self) -> Vec<(u32, u32)> {
        let read: BTreeMap<u32, u64> = self
            .streams
            .iter()
            .map(|stream| (stream.leaf(), stream.read()))
            .collect();
        let own = (self.facts.own_leaf, self.outbox.counter());
        let count = |leaf: &Leaf| {
            let count = if leaf.index == own.0 {
                own.1
            } else {
                read.get(&leaf.index).copied().unwrap_or(0)
            };
            (
                leaf.index,
                u32::try_from(count).map_or(CUT_MESSAGES_MAX, |count| count.min(CUT_MESSAGES_MAX)),
            )
        };
        self.facts.leaves.iter().map(count).collect()
    }
}
