//! What is still to follow a watch or an open, for one connection.

use std::collections::{BTreeSet, VecDeque};

use crate::{engine::Key, limits::BACKLOG_MAX};

/// A queue in which every key stands once, so that asking again for what follows anyway adds nothing. [W-7]
#[derive(Default)]
pub(crate) struct Backlog {
    queue: VecDeque<Key>,
    queued: BTreeSet<Key>,
}

impl Backlog {
    /// Lets a key follow, unless it does already.
    pub(crate) fn push(&mut self, key: Key) {
        if self.queued.insert(key) {
            self.queue.push_back(key);
        }
    }

    /// Whether a key is still to follow.
    pub(crate) fn contains(&self, key: &Key) -> bool {
        self.queued.contains(key)
    }

    /// Takes up to `count` keys, oldest first.
    pub(crate) fn take(&mut self, count: usize) -> Vec<Key> {
        let count = count.min(self.queue.len());
        let keys: Vec<_> = self.queue.drain(..count).collect();
        for key in &keys {
            self.queued.remove(key);
        }
        keys
    }

    /// Lets these follow no more.
    pub(crate) fn forget(&mut self, keys: impl Iterator<Item = Key>) {
        let before = self.queued.len();
        for key in keys {
            self.queued.remove(&key);
        }
        if self.queued.len() < before {
            self.queue.retain(|key| self.queued.contains(key));
        }
    }

    /// Whether nothing is to follow.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether it must drain before anything more is asked.
    pub(crate) fn is_full(&self) -> bool {
        self.queue.len() > BACKLOG_MAX
    }
}

#[cfg(test)]
mod tests {
    use cobijo_protocol::slot::Address;

    use super::*;

    /// [W-7]
    #[test]
    fn a_key_follows_once_for_each_time_that_it_left_the_queue() {
        let [first, second] = [1, 2].map(|byte| Key::Slot(Address::from_bytes([byte; 32])));
        let mut backlog = Backlog::default();
        for key in [second, first, second, first] {
            backlog.push(key);
        }
        assert_eq!(backlog.take(1), [second]);
        backlog.push(second);
        assert!(backlog.contains(&second));
        backlog.forget([second].into_iter());
        assert!(!backlog.contains(&second));
        assert_eq!(backlog.take(9), [first]);
        assert!(backlog.is_empty() && backlog.queued.is_empty());
    }
}
