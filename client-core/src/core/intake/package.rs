//! Her KeyPackage in the waiting thread: without it nobody can answer her. [I-5]

use cobijo_protocol::{
    cbor,
    credential::{Credential, Identity, PersonLeaf},
    intake::Waiting,
    slot::{Kind, Slot},
};
use serde_bytes::ByteBuf;

use super::{Contact, ContactError, Part, PersonPackage};
use crate::{
    core::port::{Now, Rng, Seen},
    mls::{Suite, key_package::OfferedKeyPackage},
};

impl Contact {
    /// Where her KeyPackage stands, while she waits.
    pub(super) fn standing_package(&self) -> Option<Slot> {
        let index = self.package_at.filter(|_| self.is_stored())?;
        Some(Slot::derive(&self.r, Kind::Waiting, 0, index))
    }

    /// Whoever opened the intake can erase her KeyPackage, so that nobody could answer her: she puts another
    /// one. [I-5]
    pub(super) fn look_at_package(&mut self, seen: &Seen, now: Now, rng: &mut Rng) {
        if matches!(seen, Seen::Connected(_)) {
            self.looked = None;
        }
        let Some(address) = self.standing_package().map(|slot| slot.address()) else {
            return;
        };
        if matches!(seen, Seen::Full(at, _) if *at == address) {
            self.looked = Some(now);
        }
        if matches!(seen, Seen::Gone(at) if *at == address) {
            self.package_at = None;
            let suite = self.package.as_ref().map(|own| own.package.suite());
            // Where none can be made, she waits for a colleague who has the old one.
            let _made = suite.map(|suite| self.renew_package(suite, rng));
        }
    }

    /// Offers another KeyPackage, because nobody can invite her with the one before. [I-5]
    ///
    /// # Errors
    /// [`ContactError`] where none can be made.
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
        if let Credential::Person(hers) = &own.credential {
            self.serial = self.serial.max(hers.serial);
        }
        self.package = Some(own);
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
