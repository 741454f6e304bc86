//! The keys that speak for a desk: the root key, offline after set-up, and the desk key of the
//! coordinators. [D-1]–[D-3]

use cobijo_protocol::{
    Day,
    card::{Attestation, Attested, DeskKey, Role, verify_desk_key},
    commit::{Removal, Statement},
    content::{DeskContent, desk_key_seal_info},
    handover::{Word, word_seal_info},
    keys::{PublicKey, SecretKey, Signed},
    limits::{ATTESTATION_DAYS, DESK_KEY_DAYS},
    link::DeskId,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use zeroize::Zeroizing;

use crate::{
    core::{contest::random, port::Rng},
    limits::DESK_KEY_RENEWAL_DAYS,
    mls::hpke,
};

/// Serials of attestations by which another's may be ahead of what was seen: no desk attests so many.
const SERIALS_AHEAD_MAX: u32 = 1 << 16;

/// What this profile can sign as the desk.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct DeskKeys {
    root: PublicKey,
    root_key: Option<SecretKey>,
    desk_key: Option<OwnDeskKey>,
    /// Where sealed desk keys are received.
    seal_seed: [u8; 32],
    /// Highest serial of a desk key that was seen.
    serial: u32,
    /// Highest serial of an attestation that was seen.
    attestation_serial: u32,
    /// Coordinators seen attested, each with the highest serial of a desk key that it was under.
    coordinators: Vec<(PublicKey, u32)>,
}

/// The desk key, with what the root key says of it.
#[derive(Clone, Serialize, Deserialize)]
struct OwnDeskKey {
    key: SecretKey,
    signed: Signed<DeskKey>,
    not_after: Day,
}

/// A renewed desk key can't be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the root key is not here")]
pub(crate) struct NoRootKey;

impl DeskKeys {
    /// A new desk: makes its root key, and the first desk key.
    pub(crate) fn create(today: Day, rng: &mut Rng) -> Self {
        let root_key = SecretKey::from_bytes(random(rng));
        let mut keys = Self::receive(root_key.public(), rng);
        keys.renew_with(&root_key, today, rng);
        keys.root_key = Some(root_key);
        keys
    }

    /// A member who holds no key of the desk, or not yet.
    pub(crate) fn receive(root: PublicKey, rng: &mut Rng) -> Self {
        Self {
            root,
            root_key: None,
            desk_key: None,
            seal_seed: random(rng),
            serial: 0,
            attestation_serial: 0,
            coordinators: Vec::new(),
        }
    }

    /// The desk's root key.
    pub(crate) fn root(&self) -> PublicKey {
        self.root
    }

    /// Highest serial of a desk key that was seen.
    pub(crate) fn serial(&self) -> u32 {
        self.serial
    }

    /// The private root key, where it is here.
    pub(crate) fn root_key(&self) -> Option<&SecretKey> {
        self.root_key.as_ref()
    }

    /// Whether this profile can sign as the desk with a key that nothing newer has replaced.
    pub(crate) fn holds_desk_key(&self) -> bool {
        self.current().is_some()
    }

    /// Last day of the desk key.
    pub(crate) fn not_after(&self) -> Option<Day> {
        self.current().map(|own| own.not_after)
    }

    /// The desk key and what the root says of it.
    pub(crate) fn signer(&self) -> Option<(&SecretKey, &Signed<DeskKey>)> {
        self.current().map(|own| (&own.key, &own.signed))
    }

    /// Whether the desk key should be renewed by `today`.
    pub(crate) fn is_due(&self, today: Day) -> bool {
        self.not_after()
            .is_some_and(|last| today.saturating_add(DESK_KEY_RENEWAL_DAYS) > last)
    }

    /// Makes the next desk key.
    pub(crate) fn renew(&mut self, today: Day, rng: &mut Rng) -> Result<(), NoRootKey> {
        let root_key = self.root_key.clone().ok_or(NoRootKey)?;
        self.renew_with(&root_key, today, rng);
        Ok(())
    }

    /// Forgets the desk key.
    pub(crate) fn drop_desk_key(&mut self) {
        self.desk_key = None;
    }

    /// Forgets the root key.
    pub(crate) fn drop_root(&mut self) {
        self.root_key = None;
    }

    /// Takes the root key back in; false where it is another desk's.
    pub(crate) fn import_root(&mut self, root_key: SecretKey) -> bool {
        let is_root = root_key.public() == self.root;
        if is_root {
            self.root_key = Some(root_key);
        }
        is_root
    }

    /// Remembers serials that others use, so that the next one is higher; no jump, after which there
    /// might be no higher one.
    pub(crate) fn observe(&mut self, desk_serial: u32, attestation_serial: u32) {
        self.serial = self.serial.max(desk_serial);
        if attestation_serial.saturating_sub(self.attestation_serial) <= SERIALS_AHEAD_MAX {
            self.attestation_serial = self.attestation_serial.max(attestation_serial);
        }
    }

    /// Whether no desk key of a higher serial was seen.
    pub(crate) fn is_current(&self, desk_serial: u32) -> bool {
        desk_serial >= self.serial
    }

    /// Takes note of an attestation of a member, under the desk key of that serial.
    pub(crate) fn observe_member(&mut self, attestation: &Attestation, desk_serial: u32) {
        self.observe(desk_serial, attestation.serial);
        if attestation.role != Role::Coordinator {
            return;
        }
        let mut known = self.coordinators.iter_mut();
        match known.find(|(key, _)| *key == attestation.key) {
            Some((_, serial)) => *serial = desk_serial.max(*serial),
            None => self.coordinators.push((attestation.key, desk_serial)),
        }
    }

    /// Forgets the coordinators who are no members.
    pub(crate) fn retain_coordinators(&mut self, members: &[PublicKey]) {
        self.coordinators.retain(|(key, _)| members.contains(key));
    }

    /// Whether the desk key is for this coordinator: whoever is about to be removed is left out when
    /// all others are attested under the next one.
    pub(crate) fn is_for(&self, coordinator: &PublicKey) -> bool {
        let mut known = self.coordinators.iter();
        known.any(|(key, serial)| key == coordinator && *serial >= self.serial)
    }

    /// Attests a member, with the next serial; `None` without the desk key.
    pub(crate) fn attest(
        &mut self,
        key: PublicKey,
        alias: &str,
        role: Role,
        today: Day,
    ) -> Option<Attested> {
        let serial = self.attestation_serial.saturating_add(1);
        let desk_serial = self.serial;
        let (desk_key, signed) = self.signer()?;
        let attestation = Attestation {
            alias: alias.to_owned(),
            role,
            key,
            not_after: today.saturating_add(ATTESTATION_DAYS),
            serial,
        };
        let attested = Attested {
            desk_key: signed.clone(),
            attestation: desk_key.sign_value(&attestation),
        };
        self.observe_member(&attestation, desk_serial);
        Some(attested)
    }

    /// States that a member is removed everywhere; `None` without the desk key.
    pub(crate) fn state_removal(&self, key: PublicKey) -> Option<Statement> {
        let (desk_key, signed) = self.signer()?;
        Some(Statement::Removal {
            desk_key: signed.clone(),
            removal: desk_key.sign_value(&Removal { key }),
        })
    }

    /// What tells coordinators where this one receives desk keys.
    pub(crate) fn announce(&self) -> Option<DeskContent> {
        let pair = hpke::key_pair(&self.seal_seed).ok()?;
        Some(DeskContent::SealKey(ByteBuf::from(pair.public)))
    }

    /// Seals the desk key to a coordinator; `None` without it, or for a key that is none.
    pub(crate) fn share(&self, to: PublicKey, seal_key: &[u8]) -> Option<DeskContent> {
        let (key, signed) = self.signer()?;
        let sealed = hpke::seal(seal_key, &self.seal_info(), key.as_bytes()).ok()?;
        Some(DeskContent::DeskKey {
            to,
            desk_key: signed.clone(),
            sealed: ByteBuf::from(sealed),
        })
    }

    /// Seals a word to a coordinator, for her alone; `None` for a key that is none.
    pub(crate) fn seal_word(
        &self,
        author: &PublicKey,
        to: &PublicKey,
        seal_key: &[u8],
        word: &Word,
    ) -> Option<ByteBuf> {
        let info = word_seal_info(&DeskId::of(&self.root), author, to);
        let plaintext = Zeroizing::new(word.to_plaintext().ok()?);
        hpke::seal(seal_key, &info, &plaintext)
            .ok()
            .map(ByteBuf::from)
    }

    /// Opens a word that `author` sealed to this profile, whose key is `to`.
    pub(crate) fn open_word(
        &self,
        author: &PublicKey,
        to: &PublicKey,
        sealed: &[u8],
    ) -> Option<Word> {
        let pair = hpke::key_pair(&self.seal_seed).ok()?;
        let info = word_seal_info(&DeskId::of(&self.root), author, to);
        Word::from_plaintext(&hpke::open(&pair, &info, sealed)?)
    }

    /// Takes a desk key that was sealed to this profile; true where it is newer than the own one.
    pub(crate) fn accept(&mut self, signed: &Signed<DeskKey>, sealed: &[u8]) -> bool {
        let Some((key, desk_key)) = self.open(signed, sealed) else {
            return false;
        };
        let own = self.desk_key.as_ref();
        let own = own.and_then(|own| own.signed.unverified().ok());
        let is_newer =
            desk_key.serial >= self.serial && own.is_none_or(|own| own.serial < desk_key.serial);
        if is_newer {
            self.serial = desk_key.serial;
            self.desk_key = Some(OwnDeskKey {
                key,
                signed: signed.clone(),
                not_after: desk_key.not_after,
            });
        }
        is_newer
    }

    fn open(&self, signed: &Signed<DeskKey>, sealed: &[u8]) -> Option<(SecretKey, DeskKey)> {
        let desk_key = verify_desk_key(signed, &self.root).ok()?;
        let pair = hpke::key_pair(&self.seal_seed).ok()?;
        let seed = hpke::open(&pair, &self.seal_info(), sealed)?;
        let key = SecretKey::try_from(seed.as_slice()).ok()?;
        (key.public() == desk_key.key).then_some((key, desk_key))
    }

    fn current(&self) -> Option<&OwnDeskKey> {
        let own = self.desk_key.as_ref()?;
        let serial = own.signed.unverified().ok()?.serial;
        self.is_current(serial).then_some(own)
    }

    fn renew_with(&mut self, root_key: &SecretKey, today: Day, rng: &mut Rng) {
        let key = SecretKey::from_bytes(random(rng));
        let desk_key = DeskKey {
            root: self.root,
            key: key.public(),
            serial: self.serial.saturating_add(1),
            not_after: today.saturating_add(DESK_KEY_DAYS),
        };
        self.serial = desk_key.serial;
        self.desk_key = Some(OwnDeskKey {
            key,
            signed: root_key.sign_value(&desk_key),
            not_after: desk_key.not_after,
        });
    }

    fn seal_info(&self) -> Vec<u8> {
        desk_key_seal_info(&DeskId::of(&self.root))
    }
}

impl std::fmt::Debug for DeskKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeskKeys").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng as _;

    use super::*;

    const TODAY: Day = 20_000;

    fn rng() -> Rng {
        Rng::seed_from_u64(7)
    }

    fn seal_key(keys: &DeskKeys) -> Vec<u8> {
        let Some(DeskContent::SealKey(key)) = keys.announce() else {
            panic!("announces where it receives");
        };
        key.into_vec()
    }

    fn sealed(content: Option<DeskContent>) -> (Signed<DeskKey>, Vec<u8>) {
        let Some(DeskContent::DeskKey {
            desk_key, sealed, ..
        }) = content
        else {
            panic!("seals the desk key");
        };
        (desk_key, sealed.into_vec())
    }

    ///
    #[test]
    fn a_coordinator_receives_the_desk_key_and_nobody_else_can_open_it() {
        let rng = &mut rng();
        let creator = DeskKeys::create(TODAY, rng);
        let mut mar = DeskKeys::receive(creator.root(), rng);
        let mut luz = DeskKeys::receive(creator.root(), rng);
        let member = SecretKey::from_bytes([3; 32]).public();
        let (signed, sealed) = sealed(creator.share(member, &seal_key(&mar)));
        assert!(!luz.accept(&signed, &sealed));
        assert!(mar.accept(&signed, &sealed));
        let attested = mar.attest(member, "Luz", Role::Accompanier, TODAY).unwrap();
        assert_eq!(attested.verify(&creator.root()).unwrap().0.key, member);
        assert!(
            luz.attest(member, "Luz", Role::Accompanier, TODAY)
                .is_none()
        );
    }

    #[test]
    fn serials_grow_and_an_older_desk_key_signs_nothing_any_more() {
        let rng = &mut rng();
        let mut creator = DeskKeys::create(TODAY, rng);
        let mut mar = DeskKeys::receive(creator.root(), rng);
        let (old, old_sealed) = sealed(creator.share(creator.root(), &seal_key(&mar)));
        creator.renew(TODAY + 25, rng).unwrap();
        let (new, new_sealed) = sealed(creator.share(creator.root(), &seal_key(&mar)));
        assert!(mar.accept(&new, &new_sealed));
        assert!(!mar.accept(&old, &old_sealed));
        assert_eq!(mar.not_after(), Some(TODAY + 55));
        mar.observe(3, 9);
        assert!(!mar.holds_desk_key());
    }

    /// [D-2]
    #[test]
    fn a_serial_far_ahead_leaves_room_for_the_next() {
        let mut keys = DeskKeys::create(TODAY, &mut rng());
        let member = SecretKey::from_bytes([3; 32]).public();
        let mut serial = || {
            let attested = keys.attest(member, "Luz", Role::Accompanier, TODAY);
            let serial = attested.unwrap().attestation.unverified().unwrap().serial;
            keys.observe(1, u32::MAX);
            serial
        };
        assert_eq!([serial(), serial()], [1, 2]);
    }

    #[test]
    fn a_desk_key_of_another_root_is_refused() {
        let rng = &mut rng();
        let creator = DeskKeys::create(TODAY, rng);
        let other = DeskKeys::create(TODAY, rng);
        let mut mar = DeskKeys::receive(creator.root(), rng);
        let (_, right) = sealed(creator.share(creator.root(), &seal_key(&mar)));
        let (wrong, _) = sealed(other.share(creator.root(), &seal_key(&mar)));
        assert!(!mar.accept(&wrong, &right));
    }

    #[test]
    fn without_the_root_key_nothing_is_renewed_and_another_is_not_taken_for_it() {
        let rng = &mut rng();
        let mut keys = DeskKeys::create(TODAY, rng);
        let root_key = keys.root_key().unwrap().clone();
        keys.drop_root();
        assert_eq!(keys.renew(TODAY, rng), Err(NoRootKey));
        assert!(!keys.import_root(SecretKey::from_bytes([9; 32])));
        assert!(keys.import_root(root_key));
        assert!(!keys.is_due(TODAY + 20));
        assert!(keys.is_due(TODAY + 24));
        keys.renew(TODAY + 24, rng).unwrap();
        assert!(!keys.is_due(TODAY + 24));
    }
}
