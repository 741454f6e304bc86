//! Words that only one coordinator can read.

use cobijo_protocol::{Day, handover::Word, keys::PublicKey};
use serde::{Deserialize, Serialize};

use crate::core::port::Now;

/// Words that a coordinator keeps.
const WORDS_MAX: usize = 64;
/// Of one member.
const OF_AUTHOR_MAX: usize = 8;

/// What was said to this coordinator alone.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Words {
    received: Vec<Received>,
}

/// A word, by whom it is.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Received {
    by: PublicKey,
    /// Her name.
    pub(crate) alias: String,
    /// When it came.
    pub(crate) at: Now,
    /// What she says.
    pub(crate) word: Word,
}

impl Words {
    /// Keeps a word; the oldest of who said many gives way, or of who said most.
    pub(crate) fn keep(&mut self, by: PublicKey, alias: &str, word: Word, now: Now) {
        let said = |by: &PublicKey| {
            let received = self.received.iter();
            received.filter(|one| one.by == *by).count()
        };
        let of_whom = if said(&by) >= OF_AUTHOR_MAX {
            Some(by)
        } else {
            let is_full = self.received.len() >= WORDS_MAX;
            let authors = self.received.iter().map(|one| one.by);
            authors.max_by_key(said).filter(|_| is_full)
        };
        let oldest = of_whom.and_then(|whom| self.received.iter().position(|one| one.by == whom));
        if let Some(oldest) = oldest {
            self.received.remove(oldest);
        }
        self.received.push(Received {
            by,
            alias: alias.to_owned(),
            at: now,
            word,
        });
    }

    /// All that are kept, the oldest first.
    pub(crate) fn received(&self) -> &[Received] {
        &self.received
    }

    /// They were read, and nothing of them is to stay.
    pub(crate) fn clear(&mut self) {
        self.received.clear();
    }

    /// Forgets what was said before that day.
    pub(crate) fn forget_before(&mut self, day: Day) {
        self.received.retain(|one| one.at.day() >= day);
    }
}

#[cfg(test)]
mod tests {
    use cobijo_protocol::keys::SecretKey;

    use super::*;

    ///
    #[test]
    fn who_says_much_drives_out_nobody_elses_word() {
        let key = |seed| SecretKey::from_bytes([seed; 32]).public();
        let mut words = Words::default();
        words.keep(key(1), "Luz", Word::Talk, Now::default());
        for author in 2..=20 {
            for _ in 0..20 {
                words.keep(key(author), "Eva", Word::Talk, Now::default());
            }
        }
        assert_eq!(words.received().len(), WORDS_MAX);
        assert!(words.received().iter().any(|one| one.alias == "Luz"));
    }
}
