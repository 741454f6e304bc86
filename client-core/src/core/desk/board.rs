//! What the members of a desk have told each other: intake keys, KeyPackages to take, and where
//! coordinators receive the desk key.

use std::time::Duration;

use cobijo_protocol::{
    Day,
    content::{ClaimNotice, IntakeKey, SnapshotPart},
    keys::{PublicKey, SecretKey},
    limits::{INTAKE_KEY_LIFETIME, OPEN_MAILBOXES_MAX, POOL_KEY_PACKAGES, RETENTION_DAYS_MAX},
    mailbox::MailboxKey,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::core::{claim::queue::LiveKey, port::Now};

/// Intake keys held at once: a hostile member can't fill memory.
const INTAKE_KEYS_MAX: usize = 256;
/// Members whose KeyPackages are held.
const POOL_OWNERS_MAX: usize = 256;
/// KeyPackage bytes in one part of a snapshot: well within one head and its bodies.
const PART_BYTES_MAX: usize = 128 * 1024;
/// Time after which no item sealed to an intake key stands at any relay.
const INTAKE_KEY_LIFETIME_MAX: Duration =
    Duration::from_secs((RETENTION_DAYS_MAX as u64 + 2) * 86_400);

/// What was told, as far as it still counts.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Board {
    intake_keys: Vec<HeldKey>,
    pool: Vec<(PublicKey, Vec<ByteBuf>)>,
    seal_keys: Vec<(PublicKey, ByteBuf)>,
}

/// An intake key, and since when it is held.
#[derive(Serialize, Deserialize)]
struct HeldKey {
    key: IntakeKey,
    since: Now,
}

impl Board {
    /// Takes note of an intake key; true where it is new.
    pub(crate) fn learn_intake_key(&mut self, key: IntakeKey, now: Now) -> bool {
        let is_known = self.intake_keys.iter().any(|held| held.key == key);
        let is_full = self.intake_keys.len() >= INTAKE_KEYS_MAX;
        if !is_known && !is_full {
            self.intake_keys.push(HeldKey { key, since: now });
        }
        !is_known && !is_full
    }

    /// An intake key for a card of `day`, the one that was told first.
    pub(crate) fn intake_key_of(&self, day: Day) -> Option<&IntakeKey> {
        let mut keys = self.intake_keys.iter().map(|held| &held.key);
        keys.find(|key| key.day == day)
    }

    /// The intake key of a mailbox.
    pub(crate) fn intake_key(&self, mailbox: &MailboxKey) -> Option<&IntakeKey> {
        let mut keys = self.intake_keys.iter().map(|held| &held.key);
        keys.find(|key| MailboxKey::of(&key.mailbox) == *mailbox)
    }

    /// The mailboxes to open: the newest.
    pub(crate) fn mailboxes(&self) -> Vec<SecretKey> {
        let newest = self.intake_keys.iter().rev().take(OPEN_MAILBOXES_MAX);
        newest.map(|held| held.key.mailbox.clone()).collect()
    }

    /// What opens intakes, with the newest version of the card.
    pub(crate) fn live_keys(&self, version: u32) -> Vec<LiveKey<'_>> {
        let keys = self.intake_keys.iter().map(|held| &held.key);
        keys.map(|key| LiveKey { key, version }).collect()
    }

    /// Erases intake keys that have served: not named any more, 72 hours old, and their mailbox was
    /// found empty after that. What nobody could have sealed to any more goes in any case. [D-9]
    pub(crate) fn erase_old(
        &mut self,
        named: Option<MailboxKey>,
        now: Now,
        is_empty: impl Fn(&MailboxKey) -> bool,
    ) {
        self.intake_keys.retain(|held| {
            let mailbox = MailboxKey::of(&held.key.mailbox);
            let age = now.since(held.since);
            let has_served =
                named != Some(mailbox) && age >= INTAKE_KEY_LIFETIME && is_empty(&mailbox);
            !has_served && age < INTAKE_KEY_LIFETIME_MAX
        });
    }

    /// Takes note of a member's KeyPackages, in place of those announced before.
    pub(crate) fn announce(&mut self, owner: PublicKey, mut key_packages: Vec<ByteBuf>) {
        key_packages.truncate(POOL_KEY_PACKAGES);
        self.pool.retain(|(other, _)| *other != owner);
        if self.pool.len() < POOL_OWNERS_MAX {
            self.pool.push((owner, key_packages));
        }
    }

    /// How many KeyPackages of a member are left.
    pub(crate) fn key_packages(&self, owner: &PublicKey) -> usize {
        let mut pool = self.pool.iter();
        pool.find(|(other, _)| other == owner)
            .map_or(0, |(_, key_packages)| key_packages.len())
    }

    /// A KeyPackage of a member; nobody here is given it again.
    pub(crate) fn take_key_package(&mut self, owner: &PublicKey) -> Option<ByteBuf> {
        let mut pool = self.pool.iter_mut();
        let (_, key_packages) = pool.find(|(other, _)| other == owner)?;
        key_packages.pop()
    }

    /// Somebody left who has seen them.
    pub(crate) fn drop_pool(&mut self) {
        self.pool.clear();
    }

    /// Takes note of where a coordinator receives the desk key.
    pub(crate) fn learn_seal_key(&mut self, coordinator: PublicKey, seal_key: ByteBuf) {
        self.seal_keys.retain(|(other, _)| *other != coordinator);
        if self.seal_keys.len() < POOL_OWNERS_MAX {
            self.seal_keys.push((coordinator, seal_key));
        }
    }

    /// Where those of `coordinators` receive the desk key.
    pub(crate) fn seal_keys(&self, coordinators: &[PublicKey]) -> Vec<(PublicKey, ByteBuf)> {
        let is_one = |(key, _): &&(PublicKey, ByteBuf)| coordinators.contains(key);
        self.seal_keys.iter().filter(is_one).cloned().collect()
    }

    /// What a newcomer must know, in parts that each fit a message.
    pub(crate) fn snapshot(
        &self,
        claims: Vec<ClaimNotice>,
        own: (PublicKey, Vec<ByteBuf>),
    ) -> Vec<SnapshotPart> {
        let mut pools = vec![Vec::new()];
        let mut bytes = 0;
        for entry in self.pool.iter().cloned().chain([own]) {
            bytes += entry.1.iter().map(|message| message.len()).sum::<usize>();
            if bytes > PART_BYTES_MAX {
                bytes = 0;
                pools.push(Vec::new());
            }
            if let Some(pool) = pools.last_mut() {
                pool.push(entry);
            }
        }
        let parts = u32::try_from(pools.len()).unwrap_or(u32::MAX);
        let mut keys: Vec<_> = self
            .intake_keys
            .iter()
            .map(|held| held.key.clone())
            .collect();
        let mut claims = claims;
        let part = |(part, pool)| SnapshotPart {
            part,
            parts,
            intake_keys: std::mem::take(&mut keys),
            claims: std::mem::take(&mut claims),
            pool,
        };
        (0..parts).zip(pools).map(part).collect()
    }

    /// Takes what a snapshot tells beyond what is known; true where an intake key is new.
    pub(crate) fn learn_snapshot(&mut self, part: SnapshotPart, now: Now) -> bool {
        for (owner, key_packages) in part.pool {
            if !self.pool.iter().any(|(known, _)| *known == owner) {
                self.announce(owner, key_packages);
            }
        }
        let mut is_new = false;
        for key in part.intake_keys {
            is_new |= self.learn_intake_key(key, now);
        }
        is_new
    }
}

impl std::fmt::Debug for Board {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Board").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use cobijo_protocol::slot::ThreadSecret;

    use super::*;

    const START: Now = Now::from_millis(20_000 * 86_400_000);

    fn intake_key(day: Day, seed: u8) -> IntakeKey {
        IntakeKey {
            day,
            mailbox: SecretKey::from_bytes([seed; 32]),
            seed: ThreadSecret::from_bytes([seed; 32]),
        }
    }

    fn owner(seed: u8) -> PublicKey {
        SecretKey::from_bytes([seed; 32]).public()
    }

    #[test]
    fn an_intake_key_is_kept_for_72_hours_and_until_its_mailbox_was_emptied_after_them() {
        let mut board = Board::default();
        let key = intake_key(20_000, 1);
        let mailbox = MailboxKey::of(&key.mailbox);
        assert!(board.learn_intake_key(key.clone(), START));
        assert!(!board.learn_intake_key(key, START));
        let later = START.plus(INTAKE_KEY_LIFETIME);
        board.erase_old(None, START.plus(INTAKE_KEY_LIFETIME / 2), |_| true);
        board.erase_old(None, later, |_| false);
        board.erase_old(Some(mailbox), later, |_| true);
        assert!(board.intake_key(&mailbox).is_some());
        board.erase_old(None, later, |_| true);
        assert!(board.intake_key(&mailbox).is_none());
    }

    #[test]
    fn nobody_is_given_a_key_package_twice_and_a_new_list_replaces_the_old_one() {
        let mut board = Board::default();
        let list = |bytes: &[u8]| bytes.iter().map(|byte| ByteBuf::from([*byte])).collect();
        board.announce(owner(1), list(&[1, 2]));
        assert_eq!(board.take_key_package(&owner(1)).unwrap().as_slice(), [2]);
        assert_eq!(board.take_key_package(&owner(1)).unwrap().as_slice(), [1]);
        assert_eq!(board.take_key_package(&owner(1)), None);
        board.announce(owner(1), list(&[3, 4, 5, 6, 7, 8]));
        assert_eq!(board.key_packages(&owner(1)), POOL_KEY_PACKAGES);
        board.drop_pool();
        assert_eq!(board.take_key_package(&owner(1)), None);
    }

    #[test]
    fn a_large_snapshot_comes_in_parts_that_together_tell_all() {
        let mut board = Board::default();
        board.learn_intake_key(intake_key(20_000, 1), START);
        for seed in 0..40 {
            let large = vec![ByteBuf::from(vec![seed; 5_000]); POOL_KEY_PACKAGES];
            board.announce(owner(seed), large);
        }
        let parts = board.snapshot(Vec::new(), (owner(99), vec![ByteBuf::from([9])]));
        assert!(parts.len() > 1);
        let mut newcomer = Board::default();
        for part in parts {
            newcomer.learn_snapshot(part, START);
        }
        assert_eq!(newcomer.intake_keys.len(), 1);
        assert!((0..40).all(|seed| newcomer.key_packages(&owner(seed)) == POOL_KEY_PACKAGES));
        assert_eq!(newcomer.key_packages(&owner(99)), 1);
    }

    #[test]
    fn a_snapshot_never_replaces_what_an_owner_announced() {
        let mut board = Board::default();
        board.announce(owner(1), vec![ByteBuf::from([1])]);
        let mut other = Board::default();
        other.announce(owner(1), vec![ByteBuf::from([7]); 3]);
        for part in other.snapshot(Vec::new(), (owner(2), Vec::new())) {
            board.learn_snapshot(part, START);
        }
        assert_eq!(board.key_packages(&owner(1)), 1);
    }

    #[test]
    fn the_newest_mailboxes_are_opened_and_no_more_than_a_connection_may() {
        let mut board = Board::default();
        for seed in 0..20 {
            board.learn_intake_key(intake_key(20_000 + u32::from(seed), seed), START);
        }
        let open = board.mailboxes();
        assert_eq!(open.len(), OPEN_MAILBOXES_MAX);
        assert!(open.contains(&SecretKey::from_bytes([19; 32])));
    }
}
