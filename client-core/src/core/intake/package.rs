//! Her KeyPackage in the waiting thread: without it nobody can answer her. [I-5]

use std::time::Duration;

use cobijo_protocol::{
    cbor,
    commit::sign_person_rescue,
    credential::{Credential, Identity, PersonLeaf},
    intake::{IntakeKind, Waiting},
    slot::{Address, Kind, Slot},
};
use serde_bytes::ByteBuf;

use super::{Contact, ContactError, Part, PersonPackage};
use crate::{
    core::port::{Now, Rng, Seen},
    mls::{Suite, key_package::OfferedKeyPackage},
};

/// Time after which she looks again whether her KeyPackage stands.
const LOOK_AGAIN: Duration = Duration::from_secs(600);
/// The same for a rescue, with which members help for ten minutes only.
const LOOK_AGAIN_FOR_RESCUE: Duration = Duration::from_secs(60);
/// KeyPackages kept beside the last one, by which she may still be answered.
const OLDER_MAX: usize = 3;

impl Contact {
    /// The leaves that may be added, the last one first.
    pub fn packages(&self) -> impl Iterator<Item = &PersonPackage> {
        self.package.iter().chain(self.older.iter().rev())
    }

    /// Where what she can be answered with stands, while she waits.
    pub(super) fn standing(&self) -> impl Iterator<Item = Address> {
        let indices = [self.package_at, self.rescue_at].into_iter().flatten();
        let slot = |index| Slot::derive(&self.r, Kind::Waiting, 0, index).address();
        indices.filter(|_| self.is_stored()).map(slot)
    }

    /// A part stands in the waiting thread.
    pub(super) fn note_standing(&mut self, part: Option<&Part>, index: u64) {
        match part {
            Some(Part::KeyPackage(message)) if self.is_device(message) => {
                self.package_at = Some(index);
            }
            Some(Part::Rescue(_)) => self.rescue_at = Some(index),
            Some(Part::KeyPackage(_) | Part::More(_)) | None => return,
        }
        self.looked = None;
    }

    fn is_device(&self, message: &[u8]) -> bool {
        let own = self.package.as_ref();
        own.is_some_and(|own| own.package.message() == message)
    }

    pub(super) fn look_again(&self) -> Duration {
        if self.rescued_group().is_some() {
            LOOK_AGAIN_FOR_RESCUE
        } else {
            LOOK_AGAIN
        }
    }

    fn rescued_group(&self) -> Option<&[u8]> {
        match &self.kind {
            IntakeKind::Rescue { group, .. } => Some(group),
            IntakeKind::First | IntakeKind::CameBack { .. } => None,
        }
    }

    /// Whoever opened the intake can erase her KeyPackage, so that nobody could answer her: she puts another
    /// one, and goes on waiting with both. [I-5]
    pub(super) fn look_at_package(&mut self, seen: &Seen, now: Now, rng: &mut Rng) {
        if matches!(seen, Seen::Connected(_)) {
            self.looked = None;
        }
        let stands = |address: &Address| self.standing().any(|standing| standing == *address);
        match seen {
            Seen::Full(at, _) if stands(at) => self.looked = Some(now),
            Seen::Gone(at) if stands(at) => {
                (self.package_at, self.rescue_at) = (None, None);
                let suite = self.package.as_ref().map(|own| own.package.suite());
                // Where none can be made, she waits for a colleague who has the old one.
                let _made = suite.map(|suite| self.renew_package(suite, rng));
            }
            Seen::Full(..)
            | Seen::Gone(_)
            | Seen::Connected(_)
            | Seen::Empty(_)
            | Seen::Stored(_)
            | Seen::Taken(_)
            | Seen::Erased(_)
            | Seen::Dropped(..)
            | Seen::Item(..)
            | Seen::Removed(..) => {}
        }
    }

    /// Offers another KeyPackage, because nobody can invite her with the one before; for a rescue with a
    /// statement of its own. [I-5]
    fn renew_package(&mut self, suite: Suite, rng: &mut Rng) -> Result<(), ContactError> {
        if self.package.is_none() {
            return Ok(());
        }
        let serial = self.next_serial();
        let own = PersonPackage::new(suite, &self.person, serial, PersonLeaf::Device, rng)?;
        self.offer_device(own, rng)
    }

    /// Offers this KeyPackage of hers in place of the one before.
    ///
    /// # Errors
    /// [`ContactError`] where it can't be put.
    pub fn offer_device(&mut self, own: PersonPackage, rng: &mut Rng) -> Result<(), ContactError> {
        let message = ByteBuf::from(own.package.message());
        self.pending.push_back(Part::KeyPackage(message));
        if let Some(group) = self.rescued_group() {
            let statement = sign_person_rescue(&self.person, group, &own.key.public());
            self.pending.push_back(Part::Rescue(statement));
        }
        if let Credential::Person(hers) = &own.credential {
            self.serial = self.serial.max(hers.serial);
        }
        self.older.extend(self.package.replace(own));
        if self.older.len() > OLDER_MAX {
            self.older.pop_front();
        }
        self.contend(rng)
    }

    /// Offers a return leaf's KeyPackage, whose private keys only a capsule holds. From now on another
    /// device of hers may take this one's place: what comes into the thread is read.
    ///
    /// # Errors
    /// [`ContactError`] where it can't be put.
    pub fn offer_return(&mut self, message: ByteBuf, rng: &mut Rng) -> Result<(), ContactError> {
        self.pending.push_back(Part::KeyPackage(message));
        self.is_kept = true;
        self.serial = self.next_serial();
        self.contend(rng)
    }

    /// A serial above all of hers that this contact knows of.
    pub fn next_serial(&self) -> u32 {
        self.serial.saturating_add(1)
    }

    /// Whether all that was offered stands in the waiting thread.
    pub fn has_offered(&self) -> bool {
        self.pending.is_empty() && !self.thread.is_contending()
    }

    /// Whether a later device of hers waits in her place. [B-7]
    pub fn is_replaced(&self) -> bool {
        self.is_replaced
    }

    /// Whether what stands in the waiting thread is known on this connection, where it matters.
    pub fn is_read(&self) -> bool {
        !self.is_kept || self.thread.is_free()
    }

    /// Somebody else's cell in the waiting thread: a device of hers?
    pub(super) fn read_other(&mut self, payload: &[u8]) {
        let Some(root) = self.root() else { return };
        let Ok(Waiting::KeyPackage(message)) = cbor::decode(payload) else {
            return;
        };
        let Ok(offered) = OfferedKeyPackage::parse_known(&message, &root) else {
            return;
        };
        let Identity::Person(hers) = offered.identity() else {
            return;
        };
        if hers.person != self.person.public() {
            return;
        }
        let own = self.package.as_ref().map(|own| &own.credential);
        let is_later = matches!(own, Some(Credential::Person(own)) if hers.serial > own.serial);
        let is_own = self
            .package
            .as_ref()
            .is_some_and(|own| own.package.message() == *message);
        self.is_replaced |= is_later && !is_own && hers.leaf == PersonLeaf::Device;
        self.serial = self.serial.max(hers.serial);
    }
}
