//! What the members of a desk have told each other: intake keys, KeyPackages to take, and where
//! coordinators receive the desk key.

mod snapshot;

use std::time::Duration;

use cobijo_protocol::{
    Day,
    content::IntakeKey,
    keys::{PublicKey, SecretKey},
    limits::{INTAKE_KEY_LIFETIME, OPEN_MAILBOXES_MAX, POOL_KEY_PACKAGES, RETENTION_DAYS_MAX},
    mailbox::MailboxKey,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::core::{claim::queue::LiveKey, port::Now};

/// Intake keys held at once: a hostile member can't fill memory.
const INTAKE_KEYS_MAX: usize = 256;
/// Of one member: she alone can't use up the room of all.
const INTAKE_KEYS_OF_AUTHOR_MAX: usize = 64;
/// Of one member for one day, since somebody was removed last. A snapshot tells of everybody's.
const INTAKE_KEYS_OF_DAY_MAX: usize = 2;
/// Of one day in the snapshots of one member.
const INTAKE_KEYS_OF_SNAPSHOT_DAY_MAX: usize = 8;
/// Mailboxes that cards named last, which are opened before all others.
const NAMED_MAX: usize = 4;
/// Longest KeyPackage that is taken note of.
const KEY_PACKAGE_BYTES_MAX: usize = 8 * 1024;
/// Members whose KeyPackages are held.
const POOL_OWNERS_MAX: usize = 256;
/// Time after which no item sealed to an intake key stands at any relay.
const INTAKE_KEY_LIFETIME_MAX: Duration =
    Duration::from_secs((RETENTION_DAYS_MAX as u64 + 2) * 86_400);

/// What was told, as far as it still counts.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Board {
    intake_keys: Vec<HeldKey>,
    /// What cards named, the newest first.
    named: Vec<MailboxKey>,
    pool: Vec<(PublicKey, Vec<ByteBuf>)>,
    /// Version of the card that was known when all that members said had been read.
    version: u32,
    /// KeyPackages that somebody knows who is out, of who has not announced others since: what is left to
    /// bring her into a successor with.
    former: Vec<(PublicKey, Vec<ByteBuf>)>,
    seal_keys: Vec<(PublicKey, ByteBuf)>,
}

/// An intake key, and since when it is held.
#[derive(Serialize, Deserialize)]
struct HeldKey {
    key: IntakeKey,
    /// Public key of its mailbox.
    mailbox: MailboxKey,
    since: Now,
    /// The card's version that was known before: none that names this key is below it.
    version: u32,
    from: Source,
    /// Somebody who is removed since knows it: it opens what was sealed to it, and no card names it.
    is_spent: bool,
    /// The day of the connection on which its mailbox was first found empty, once it had served.
    empty_on: Option<Day>,
}

/// Who told an intake key.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Source {
    /// Whoever made it.
    Author(PublicKey),
    /// Somebody else: whoever posted a snapshot, or who is no member any more. It opens intakes, and no
    /// card names it, because somebody who was removed may know it.
    Retold(PublicKey),
}

impl Source {
    fn of_day_max(self) -> usize {
        match self {
            Self::Author(_) => INTAKE_KEYS_OF_DAY_MAX,
            Self::Retold(_) => INTAKE_KEYS_OF_SNAPSHOT_DAY_MAX,
        }
    }
}

impl Board {
    /// Takes note of an intake key; true where it is new. One of a later day than tomorrow is none.
    pub(crate) fn learn_intake_key(&mut self, key: IntakeKey, from: Source, now: Now) -> bool {
        let is_known = self.intake_keys.iter().any(|held| held.key == key);
        let is_of_time = key.day <= now.day().saturating_add(1);
        let is_new = !is_known && is_of_time && self.is_within_day(key.day, from);
        let is_spent = matches!(from, Source::Retold(_));
        if is_new {
            self.make_room(from);
            self.intake_keys.push(HeldKey {
                mailbox: MailboxKey::of(&key.mailbox),
                key,
                since: now,
                version: self.version,
                from,
                is_spent,
                empty_on: None,
            });
        }
        is_new
    }

    fn is_within_day(&self, day: Day, from: Source) -> bool {
        let counts = |held: &&HeldKey| {
            let is_open = !held.is_spent || matches!(from, Source::Retold(_));
            held.from == from && held.key.day == day && is_open
        };
        self.intake_keys.iter().filter(counts).count() < from.of_day_max()
    }

    /// The oldest goes of who told too many, or most.
    fn make_room(&mut self, from: Source) {
        let told = |source: Source| {
            let held = self.intake_keys.iter();
            held.filter(|held| held.from == source).count()
        };
        let is_full = self.intake_keys.len() >= INTAKE_KEYS_MAX;
        let of_whom = if told(from) >= INTAKE_KEYS_OF_AUTHOR_MAX {
            Some(from)
        } else {
            let sources = self.intake_keys.iter().map(|held| held.from);
            sources
                .max_by_key(|source| told(*source))
                .filter(|_| is_full)
        };
        let position = |whom| self.intake_keys.iter().position(|held| held.from == whom);
        let oldest = of_whom.and_then(position);
        if let Some(position) = oldest {
            self.intake_keys.remove(position);
        }
    }

    /// Somebody is out who knows every key told so far: no card names any of them again.
    pub(crate) fn spend_intake_keys(&mut self) {
        for held in &mut self.intake_keys {
            held.is_spent = true;
        }
    }

    /// The same of one key, which was on its way when somebody was removed.
    pub(crate) fn spend_intake_key(&mut self, mailbox: &MailboxKey) {
        let mut held = self.intake_keys.iter_mut();
        if let Some(held) = held.find(|held| held.mailbox == *mailbox) {
            held.is_spent = true;
        }
    }

    /// Takes note of the mailbox that the present card names.
    pub(crate) fn note_named(&mut self, mailbox: MailboxKey) {
        if self.named.first() != Some(&mailbox) {
            self.named.retain(|known| *known != mailbox);
            self.named.insert(0, mailbox);
            self.named.truncate(NAMED_MAX);
        }
    }

    /// An intake key for a card of `day`, the one that was told first.
    pub(crate) fn intake_key_of(&self, day: Day) -> Option<&IntakeKey> {
        let mut held = self.nameable();
        held.find(|held| held.key.day == day).map(|held| &held.key)
    }

    /// The intake key of a mailbox that a card may name.
    pub(crate) fn intake_key(&self, mailbox: &MailboxKey) -> Option<&IntakeKey> {
        let mut held = self.nameable();
        held.find(|held| held.mailbox == *mailbox)
            .map(|held| &held.key)
    }

    /// All intake keys that were told for a mailbox, whether a card may name it or not.
    pub(crate) fn told_of(&self, mailbox: &MailboxKey) -> impl Iterator<Item = &IntakeKey> {
        let held = self.intake_keys.iter();
        held.filter(move |held| held.mailbox == *mailbox)
            .map(|held| &held.key)
    }

    fn nameable(&self) -> impl Iterator<Item = &HeldKey> {
        self.intake_keys.iter().filter(|held| !held.is_spent)
    }

    /// The mailboxes to open: what cards named last, then the newest.
    pub(crate) fn mailboxes(&self) -> Vec<SecretKey> {
        let open = self.open();
        open.map(|held| held.key.mailbox.clone()).collect()
    }

    fn open(&self) -> impl Iterator<Item = &HeldKey> {
        let of_name = |named: &MailboxKey| {
            let mut held = self.intake_keys.iter();
            held.find(|held| held.mailbox == *named)
        };
        let named = self.named.iter().filter_map(of_name);
        let newest = self.intake_keys.iter().rev();
        let newest = newest.filter(|held| !self.named.contains(&held.mailbox));
        named.chain(newest).take(OPEN_MAILBOXES_MAX)
    }

    /// All that members said has been read, and this is the card's version.
    pub(crate) fn note_version(&mut self, version: u32) {
        self.version = version;
    }

    /// What opens intakes, with the newest version of the card.
    pub(crate) fn live_keys(&self, newest: u32) -> Vec<LiveKey<'_>> {
        let held = self.intake_keys.iter();
        held.map(|held| LiveKey {
            key: &held.key,
            since: held.version,
            newest,
        })
        .collect()
    }

    /// Erases intake keys that have served: not named any more, 72 hours old, and their mailbox was
    /// found empty after that, on connections of two days. What nobody could have sealed to any more goes
    /// in any case. [D-9]
    ///
    /// `emptied` gives the day of the connection on which a mailbox is found empty.
    pub(crate) fn erase_old(
        &mut self,
        named: Option<MailboxKey>,
        now: Now,
        emptied: impl Fn(&MailboxKey) -> Option<Day>,
    ) {
        let open: Vec<_> = self.open().map(|held| held.mailbox).collect();
        self.intake_keys.retain_mut(|held| {
            let age = now.since(held.since);
            let may_go = named != Some(held.mailbox)
                && age >= INTAKE_KEY_LIFETIME
                && open.contains(&held.mailbox);
            let emptied = emptied(&held.mailbox).filter(|_| may_go);
            // That nothing came on one connection proves nothing: a relay, or a slow line, may hold it back.
            let has_served = emptied.is_some_and(|day| *held.empty_on.get_or_insert(day) < day);
            !has_served && age < INTAKE_KEY_LIFETIME_MAX
        });
    }

    /// Takes note of a member's KeyPackages, in place of those announced before.
    pub(crate) fn announce(&mut self, owner: PublicKey, mut key_packages: Vec<ByteBuf>) {
        key_packages.retain(|message| message.len() <= KEY_PACKAGE_BYTES_MAX);
        key_packages.truncate(POOL_KEY_PACKAGES);
        self.pool.retain(|(other, _)| *other != owner);
        self.former.retain(|(other, _)| *other != owner);
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
        for (owner, key_packages) in std::mem::take(&mut self.pool) {
            self.keep_former(owner, key_packages);
        }
    }

    /// Keeps KeyPackages for a successor alone.
    pub(crate) fn keep_former(&mut self, owner: PublicKey, key_packages: Vec<ByteBuf>) {
        self.former.retain(|(other, _)| *other != owner);
        if self.former.len() < POOL_OWNERS_MAX {
            self.former.push((owner, key_packages));
        }
    }

    /// The KeyPackages to bring a member into a successor with; nobody here is given them again.
    pub(crate) fn take_former(&mut self, owner: &PublicKey) -> Vec<ByteBuf> {
        let position = self.former.iter().position(|(other, _)| other == owner);
        position.map_or_else(Vec::new, |position| self.former.swap_remove(position).1)
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
}

impl std::fmt::Debug for Board {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Board").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use cobijo_protocol::keys::IntakeSeed;

    use super::*;

    const START: Now = Now::from_millis(20_000 * 86_400_000);

    fn intake_key(day: Day, seed: u8) -> IntakeKey {
        IntakeKey {
            day,
            mailbox: SecretKey::from_bytes([seed; 32]),
            seed: IntakeSeed::from_bytes([seed; 32]),
        }
    }

    fn owner(seed: u8) -> PublicKey {
        SecretKey::from_bytes([seed; 32]).public()
    }

    fn learn(board: &mut Board, key: IntakeKey, author: u8) -> bool {
        board.learn_intake_key(key, Source::Author(owner(author)), START)
    }

    #[test]
    fn an_intake_key_is_kept_for_72_hours_and_until_its_mailbox_was_found_empty_on_two_days_after_them()
     {
        let mut board = Board::default();
        let key = intake_key(20_000, 1);
        let mailbox = MailboxKey::of(&key.mailbox);
        assert!(learn(&mut board, key.clone(), 1));
        assert!(!learn(&mut board, key, 1));
        let later = START.plus(INTAKE_KEY_LIFETIME);
        let on = |day: Day| move |_: &MailboxKey| Some(day);
        board.erase_old(None, START.plus(INTAKE_KEY_LIFETIME / 2), on(20_001));
        board.erase_old(None, START.plus(INTAKE_KEY_LIFETIME / 2), on(20_002));
        board.erase_old(None, later, |_| None);
        board.erase_old(Some(mailbox), later, on(20_003));
        board.erase_old(None, later, on(20_004));
        board.erase_old(None, later, on(20_004));
        assert!(
            board.intake_key(&mailbox).is_some(),
            "one connection proves nothing"
        );
        board.erase_old(None, later, on(20_005));
        assert!(board.intake_key(&mailbox).is_none());
    }

    ///
    #[test]
    fn what_a_removed_member_knows_opens_intakes_and_is_never_named_again() {
        let mut board = Board::default();
        let (hers, next) = (intake_key(20_000, 1), intake_key(20_001, 2));
        let mailbox = MailboxKey::of(&hers.mailbox);
        assert!(learn(&mut board, hers, 1));
        assert!(learn(&mut board, next, 1));
        assert!(
            !learn(&mut board, intake_key(20_002, 3), 1),
            "too far ahead"
        );
        assert!(board.intake_key_of(20_000).is_some());
        board.spend_intake_keys();
        assert_eq!(board.intake_key_of(20_000), None);
        assert_eq!(board.intake_key_of(20_001), None);
        assert_eq!(board.intake_key(&mailbox), None);
        assert_eq!(board.live_keys(1).len(), 2);
        assert_eq!(board.mailboxes().len(), 2);
        assert!(learn(&mut board, intake_key(20_000, 4), 1));
        assert!(board.intake_key_of(20_000).is_some());
    }

    ///
    #[test]
    fn one_members_many_intake_keys_shut_no_mailbox_that_a_card_named() {
        let mut board = Board::default();
        let named = intake_key(20_000, 1);
        learn(&mut board, named.clone(), 1);
        board.note_named(MailboxKey::of(&named.mailbox));
        for seed in 2..40 {
            learn(
                &mut board,
                intake_key(20_000 - u32::from(seed / 2), seed),
                2,
            );
        }
        assert_eq!(board.mailboxes().len(), OPEN_MAILBOXES_MAX);
        assert!(board.mailboxes().contains(&named.mailbox));
        let of_today = (40..50).filter(|seed| learn(&mut board, intake_key(20_000, *seed), 2));
        assert_eq!(of_today.count(), INTAKE_KEYS_OF_DAY_MAX);
        assert!(
            learn(&mut board, intake_key(20_000, 60), 3),
            "others have room"
        );
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
        learn(&mut board, intake_key(20_000, 1), 1);
        for seed in 0..40 {
            let large = vec![ByteBuf::from(vec![seed; 5_000]); POOL_KEY_PACKAGES];
            board.announce(owner(seed), large);
        }
        let parts = board.snapshot(
            Vec::new(),
            (owner(99), vec![ByteBuf::from([9])]),
            Vec::new(),
        );
        assert!(parts.len() > 1);
        let mut newcomer = Board::default();
        for part in parts {
            newcomer.learn_snapshot(part, owner(50), START);
        }
        assert_eq!(newcomer.intake_keys.len(), 1);
        board.announce(
            owner(77),
            vec![ByteBuf::from(vec![1; KEY_PACKAGE_BYTES_MAX + 1])],
        );
        assert_eq!(board.key_packages(&owner(77)), 0);
        assert!((0..40).all(|seed| newcomer.key_packages(&owner(seed)) == POOL_KEY_PACKAGES));
        assert_eq!(newcomer.key_packages(&owner(99)), 1);
    }

    #[test]
    fn a_snapshot_never_replaces_what_an_owner_announced() {
        let mut board = Board::default();
        board.announce(owner(1), vec![ByteBuf::from([1])]);
        let mut other = Board::default();
        other.announce(owner(1), vec![ByteBuf::from([7]); 3]);
        for part in other.snapshot(Vec::new(), (owner(2), Vec::new()), Vec::new()) {
            board.learn_snapshot(part, owner(50), START);
        }
        assert_eq!(board.key_packages(&owner(1)), 1);
    }

    #[test]
    fn the_newest_mailboxes_are_opened_and_no_more_than_a_connection_may() {
        let mut board = Board::default();
        for seed in 0..20 {
            learn(
                &mut board,
                intake_key(20_000 - 20 + u32::from(seed), seed),
                1,
            );
        }
        let open = board.mailboxes();
        assert_eq!(open.len(), OPEN_MAILBOXES_MAX);
        assert!(open.contains(&SecretKey::from_bytes([19; 32])));
    }
}
