//! Any machine of the core, saved and loaded.

use cobijo_client_core::core::{
    claim::Claim,
    conversation::Conversation,
    port::{Now, Rng, Seen, Wants},
    waiting::Waiting,
};
use cobijo_tests::memory_relay::{ConnectionId, MemoryRelay, Viewer};
use serde::{Serialize, de::DeserializeOwned};

/// A machine with its connection.
pub(crate) struct Line<M> {
    pub(crate) machine: M,
    pub(crate) connection: ConnectionId,
}

pub(crate) trait Machine: Serialize + DeserializeOwned {
    fn wants(&self, wants: &mut Wants);
    fn handle_seen(&mut self, seen: &Seen, now: Now, rng: &mut Rng);
    fn handle_timeout(&mut self, now: Now, rng: &mut Rng);
}

macro_rules! machine {
    ($type:ty) => {
        impl Machine for $type {
            fn wants(&self, wants: &mut Wants) {
                self.wants(wants);
            }
            fn handle_seen(&mut self, seen: &Seen, now: Now, rng: &mut Rng) {
                self.handle_seen(seen, now, rng);
            }
            fn handle_timeout(&mut self, now: Now, rng: &mut Rng) {
                self.handle_timeout(now, rng);
            }
        }
    };
}
machine!(Claim);
machine!(Conversation);

impl Machine for Waiting {
    fn wants(&self, wants: &mut Wants) {
        self.wants(wants);
    }
    fn handle_seen(&mut self, seen: &Seen, now: Now, rng: &mut Rng) {
        self.handle_seen(seen, now, rng);
    }
    fn handle_timeout(&mut self, now: Now, _rng: &mut Rng) {
        self.handle_timeout(now);
    }
}

pub(crate) fn reload<M: Serialize + DeserializeOwned>(
    line: &mut Option<Line<M>>,
    relay: &mut MemoryRelay,
    viewer: Viewer,
) {
    if let Some(line) = line {
        reload_line(line, relay, viewer);
    }
}

pub(crate) fn reload_line<M: Serialize + DeserializeOwned>(
    line: &mut Line<M>,
    relay: &mut MemoryRelay,
    viewer: Viewer,
) {
    let mut bytes = Vec::new();
    ciborium::into_writer(&line.machine, &mut bytes).unwrap();
    line.machine = ciborium::from_reader(bytes.as_slice()).unwrap();
    relay.close(line.connection);
    line.connection = relay.connect(viewer);
}
