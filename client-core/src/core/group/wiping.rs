//! A wipe: her last commit tells every client to forget all of it. [P-14], [E-3]

use std::collections::BTreeSet;

use cobijo_protocol::{
    commit::{Statement, sign_wipe},
    content::MessageId,
    keys::SecretKey,
    limits::CUT_MESSAGES_MAX,
    slot::{Kind, Slot},
};

use super::{
    Change, Group, Stop,
    build::{Origin, Request},
};
use crate::core::{
    erasing::{Erasing, erasing_slot},
    port::Now,
};

impl Group {
    /// Ends it for everybody: she says nothing more, and commits that all is to be wiped. What was asked for
    /// before, and has not been built, is not done.
    pub(crate) fn wipe(&mut self, person: &SecretKey) {
        self.outbox.hush();
        self.leaving = None;
        self.learned.clear();
        self.requests.clear();
        let change = Change {
            statements: vec![sign_wipe(person, self.mls.group())],
            ..Change::default()
        };
        self.requests.push_back(Request {
            change,
            origin: Origin::Wipe,
        });
    }

    /// Whether it is over for this member, whatever a later connection says.
    pub(crate) fn is_over(&self) -> bool {
        self.stop.is_some() || self.doubt == Some(Stop::Stale)
    }

    /// What erases all that was said here, as far as this member can name it; nothing is kept of it.
    pub(crate) fn take_erase_keys(&mut self) -> Erasing {
        self.erase_keys.take()
    }

    /// What erases these messages, as far as this member can name it; its own are not said again. What is on
    /// its way is left for later.
    pub(crate) fn withdraw(&mut self, messages: &BTreeSet<MessageId>) -> Erasing {
        self.outbox.forget(messages);
        let is_said = |id: &&MessageId| !self.outbox.holds(id);
        let said = messages.iter().filter(is_said).copied().collect();
        self.erase_keys.take_of(&said)
    }

    /// What erases what this member said.
    pub(crate) fn take_own_erase_keys(&mut self) -> Erasing {
        let own = self.own_key();
        self.erase_keys.take_of_author(&own)
    }

    /// Goes on with what erases the messages of the group before.
    pub(crate) fn inherit_erase_keys(&mut self, before: &mut Self) {
        self.erase_keys
            .inherit(std::mem::take(&mut before.erase_keys));
    }

    /// Keeps what erases what was sealed just now: saved before anything is put.
    pub(super) fn keep_own_erase_keys(&mut self, now: Now) {
        let (own, day) = (self.own_key(), self.latest_day(now));
        for (id, slots) in self.outbox.take_erasing() {
            self.erase_keys.keep(own, Some(id), day, slots);
        }
    }

    /// What a commit of hers counted, and this member never read, can be erased as well: its bodies are
    /// found by nobody once their head is gone.
    pub(super) fn keep_unread_erase_keys(&mut self, cut: &[(u32, u32)]) {
        let (secret, day) = (self.facts.secret.clone(), self.caught_up);
        let own = self.facts.own_leaf;
        for &(leaf, count) in cut {
            let Some(key) = self.leaf(leaf).map(|leaf| leaf.key) else {
                continue;
            };
            let stream = self.streams.iter().find(|stream| stream.leaf() == leaf);
            let slots = match stream {
                Some(stream) => stream.erasing_unread(&secret, u64::from(count)),
                None if leaf == own => (self.outbox.counter()
                    ..u64::from(count.min(CUT_MESSAGES_MAX)))
                    .filter_map(|index| {
                        erasing_slot(&Slot::derive(&secret, Kind::Message, leaf, index))
                    })
                    .collect(),
                None => continue,
            };
            self.erase_keys.keep(key, None, day, slots);
        }
    }
}

/// Whether a change is a wipe: it removes whatever leaves she has besides.
pub(super) fn is_wipe(change: &Change) -> bool {
    let mut statements = change.statements.iter();
    statements.any(|statement| matches!(statement, Statement::Wipe { .. }))
}
