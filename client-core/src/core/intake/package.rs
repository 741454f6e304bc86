//! Her KeyPackage in the waiting thread: without it nobody can answer her. [I-5]

use cobijo_protocol::{
    credential::Credential,
    slot::{Kind, Slot},
};
use serde_bytes::ByteBuf;

use super::{Contact, ContactError, Part, PersonPackage};
use crate::{
    core::port::{Now, Rng, Seen},
    mls::Suite,
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
        let Some(Credential::Person(old)) = self.package.as_ref().map(|own| &own.credential) else {
            return Ok(());
        };
        let serial = old.serial.saturating_add(1);
        let own = PersonPackage::new(suite, &self.person, serial, rng)?;
        let message = ByteBuf::from(own.package.message());
        self.pending.push_back(Part::KeyPackage(message));
        self.package = Some(own);
        self.contend(rng)
    }
}
