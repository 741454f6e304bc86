//! Welcome heads: everyone who processes a commit puts them, so that a newcomer never depends on one
//! member. [G-11], [G-12]

use cobijo_protocol::{
    limits::WELCOME_INDICES_MAX,
    parts::{Data, Head},
    slot::{Kind, Slot, ThreadSecret},
};
use serde::{Deserialize, Serialize};

use super::port::{Put, Seen, Wants};

/// A Welcome head that is still to be put.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct WelcomeHead {
    thread: ThreadSecret,
    total: u32,
    bodies: ThreadSecret,
    index: u64,
}

impl WelcomeHead {
    /// The head for the newcomer of `thread`, of a payload of `total` bytes under `bodies`.
    pub(crate) fn new(thread: ThreadSecret, total: u32, bodies: ThreadSecret) -> Self {
        Self {
            thread,
            total,
            bodies,
            index: 0,
        }
    }

    /// The put at the present index: the same bytes whoever makes it.
    pub(crate) fn put(&self) -> Option<Put> {
        let slot = Slot::derive(&self.thread, Kind::Welcome, 0, self.index);
        let head = Head {
            total: self.total,
            secret: self.bodies.clone(),
            part: Vec::new(),
        };
        let cell = slot.seal_deterministic(&Data::Head(head).encode()).ok()?;
        Some(Put::new(&slot, cell))
    }

    /// What must be put.
    pub(crate) fn wants(&self, wants: &mut Wants) {
        wants.chains.extend(self.put().map(|put| vec![put]));
    }

    /// Takes what the relay said; gives whether it is done.
    pub(crate) fn handle_seen(&mut self, seen: &Seen) -> bool {
        let (Seen::Stored(at) | Seen::Taken(at)) = seen else {
            return false;
        };
        if self.put().is_none_or(|put| put.address() != *at) {
            return false;
        }
        self.index += 1;
        matches!(seen, Seen::Stored(_)) || self.index >= WELCOME_INDICES_MAX
    }
}
