//! Opening what was dropped into a mailbox. [I-1] [I-13]

use cobijo_protocol::{
    cell::Cell,
    content::IntakeKey,
    intake::{Intake, IntakeKind, intake_info, verify_contact},
    keys::IntakeSeed,
    mailbox::MailboxKey,
};
use zeroize::Zeroizing;

use super::Queue;
use crate::{core::port::Now, mls::hpke};

/// Versions of a card that are tried from the lowest on, and as many of the newest: a coordinator who
/// raises the version by much hides nothing of what was sealed before.
const VERSIONS_TRIED: u32 = 32;

/// A key with the versions of the card that may have named it.
pub struct LiveKey<'a> {
    /// Day, mailbox and seed.
    pub key: &'a IntakeKey,
    /// The version that this client knew before it was told the key; 0 where it knew none.
    pub since: u32,
    /// The newest version of the card's lasting part.
    pub newest: u32,
}

impl LiveKey<'_> {
    /// The newest first: most of what comes is sealed to it.
    fn versions(&self) -> impl Iterator<Item = u32> {
        let first = self.newest.saturating_sub(VERSIONS_TRIED - 1);
        let end = self.since.saturating_add(VERSIONS_TRIED);
        let (early, first) = match self.since {
            // A newcomer knew of none when she was told of all keys.
            0 => (0..0, first),
            since if since <= self.newest => (since..end.min(first), first.max(since)),
            // Under a new desk key the version may be lower than before.
            since => (since..end, first),
        };
        (first..=self.newest).rev().chain(early)
    }
}

impl Queue {
    /// Tries again what no key opened, because there are new keys; says whether the rows changed.
    pub fn handle_keys(&mut self, keys: &[LiveKey<'_>], now: Now) -> bool {
        let closed = std::mem::take(&mut self.closed);
        closed
            .into_iter()
            .fold(false, |changed, (mailbox, item, cell)| {
                self.handle_item(mailbox, item, &cell, keys, now) || changed
            })
    }

    pub(super) fn open(
        &self,
        mailbox: MailboxKey,
        cell: &Cell,
        keys: &[LiveKey<'_>],
    ) -> Option<(Zeroizing<Vec<u8>>, IntakeSeed)> {
        let of_mailbox = keys
            .iter()
            .filter(|live| MailboxKey::of(&live.key.mailbox) == mailbox);
        for live in of_mailbox {
            let pair = hpke::key_pair(live.key.seed.as_bytes()).ok()?;
            let opened = live.versions().find_map(|version| {
                let info = intake_info(&self.desk, version, live.key.day);
                hpke::open(&pair, &info, cell.as_bytes())
            });
            if let Some(plaintext) = opened {
                return Some((plaintext, live.key.seed.clone()));
            }
        }
        None
    }
}

/// What she wrote; nothing where she says that she is a member of a group and doesn't hold the key that
/// she names. [I-1]
pub(super) fn read(plaintext: &[u8]) -> Option<Intake> {
    let intake = Intake::from_plaintext(plaintext).ok()?;
    let is_signed = match &intake.kind {
        IntakeKind::First => true,
        IntakeKind::CameBack { group, signature } | IntakeKind::Rescue { group, signature } => {
            verify_contact(&intake.person, &intake.r, group, signature)
        }
    };
    is_signed.then_some(intake)
}

#[cfg(test)]
mod tests {
    use cobijo_protocol::keys::SecretKey;

    use super::*;

    fn versions(since: u32, newest: u32) -> Vec<u32> {
        let key = IntakeKey {
            day: 20_000,
            mailbox: SecretKey::from_bytes([4; 32]),
            seed: IntakeSeed::from_bytes([2; 32]),
        };
        let live = LiveKey {
            key: &key,
            since,
            newest,
        };
        let mut versions: Vec<_> = live.versions().collect();
        versions.sort_unstable();
        versions
    }

    /// [I-13]
    #[test]
    fn every_version_since_a_key_was_told_is_tried_once() {
        for (since, newest) in [(1, 1), (7, 9), (3, 34), (3, 36), (3, 66)] {
            let all: Vec<_> = (since..=newest).collect();
            assert_eq!(versions(since, newest), all);
        }
        assert_eq!(versions(0, 100), (69..=100).collect::<Vec<_>>());
    }

    /// [I-13]
    #[test]
    fn a_leap_of_the_version_hides_neither_what_was_sealed_before_nor_after() {
        let tried = versions(5, u32::MAX);
        assert_eq!(tried.len(), 64);
        assert!(tried.contains(&36) && tried.contains(&(u32::MAX - 31)));
        let fallen = versions(50, 3);
        assert!(fallen.contains(&3) && fallen.contains(&50));
    }
}
