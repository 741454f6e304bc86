//! A desk's keys, for tests that need members without a whole desk.

use cobijo_protocol::{
    Day,
    card::{Attestation, Attested, CardBody, Daily, DeskKey, Role, Text, UnverifiedCard},
    commit::{MemberRescue, Removal, Statement},
    credential::{Credential, PersonCredential, PersonLeaf},
    keys::{PublicKey, SecretKey, Signed},
    link::DeskId,
    mailbox::MailboxKey,
};
use serde_bytes::ByteBuf;

/// Root key and desk key of one desk.
pub struct Authority {
    root: SecretKey,
    desk_key: SecretKey,
    signed: Signed<DeskKey>,
    desk_serial: u32,
    attestations: u32,
    /// Who is on the card.
    posters: Vec<PublicKey>,
}

impl Authority {
    /// A desk whose keys all follow from `seed`, so that two desks need two seeds.
    pub fn new(seed: u8) -> Self {
        let root = SecretKey::from_bytes([seed; 32]);
        let (desk_key, signed) = desk_key(&root, seed, 1);
        Self {
            root,
            desk_key,
            signed,
            desk_serial: 1,
            attestations: 0,
            posters: Vec::new(),
        }
    }

    /// The root key that members are checked against.
    pub fn root(&self) -> PublicKey {
        self.root.public()
    }

    /// Signs with a new desk key from now on.
    pub fn renew(&mut self) {
        self.desk_serial += 1;
        let seed = self.root.as_bytes()[0];
        (self.desk_key, self.signed) = desk_key(&self.root, seed, self.desk_serial);
    }

    /// Attests a member; each attestation has a higher serial.
    pub fn attest(&mut self, alias: &str, role: Role, key: &PublicKey) -> Credential {
        self.attest_until(alias, role, key, u32::MAX)
    }

    /// As [`Self::attest`], with the last day on which the member may be added.
    pub fn attest_until(
        &mut self,
        alias: &str,
        role: Role,
        key: &PublicKey,
        not_after: Day,
    ) -> Credential {
        self.attestations += 1;
        self.posters.push(*key);
        let attestation = self.desk_key.sign_value(&Attestation {
            alias: alias.to_owned(),
            role,
            key: *key,
            not_after,
            serial: self.attestations,
        });
        Credential::Member(Attested {
            desk_key: self.signed.clone(),
            attestation,
        })
    }

    /// A card of that day, as it is fetched.
    pub fn card(&self, day: Day, mailbox: &SecretKey, intake_key: Vec<u8>) -> UnverifiedCard {
        let poster = SecretKey::from_bytes([200; 32]);
        let text = || Text {
            es: "Línea".to_owned(),
            en: "Line".to_owned(),
        };
        let body = CardBody {
            version: 3,
            name: text(),
            about: text(),
            hours: text(),
            opening: cobijo_protocol::opening::Opening::default(),
            wait_minutes: (10, 20),
            languages: vec!["es".to_owned()],
            posters: std::iter::once(poster.public())
                .chain(self.posters.iter().copied())
                .collect(),
        };
        let daily = Daily {
            desk: DeskId::of(&self.root()),
            desk_serial: self.desk_serial,
            version: body.version,
            day,
            mailbox: MailboxKey::of(mailbox),
            intake_key: ByteBuf::from(intake_key),
            poster: poster.public(),
        };
        UnverifiedCard {
            desk_key: self.signed.clone(),
            card: self.desk_key.sign_value(&body),
            daily: poster.sign_value(&daily),
        }
    }

    /// Takes a member off the card.
    pub fn evict(&mut self, key: &PublicKey) {
        self.posters.retain(|poster| poster != key);
    }

    /// Removes a member wherever it is.
    pub fn removal(&self, key: &PublicKey) -> Statement {
        Statement::Removal {
            desk_key: self.signed.clone(),
            removal: self.desk_key.sign_value(&Removal { key: *key }),
        }
    }

    /// Lets a member who can't follow back into one group.
    pub fn rescue(&self, group: &[u8], old_key: &PublicKey, new_key: &PublicKey) -> Statement {
        let rescue = MemberRescue {
            group: ByteBuf::from(group),
            old_key: *old_key,
            new_key: *new_key,
        };
        Statement::MemberRescue {
            desk_key: self.signed.clone(),
            rescue: self.desk_key.sign_value(&rescue),
        }
    }
}

/// The credential of a person's device.
pub fn device(person: &SecretKey, serial: u32, leaf_key: &PublicKey) -> Credential {
    Credential::Person(PersonCredential::sign(
        person,
        serial,
        PersonLeaf::Device,
        leaf_key,
    ))
}

fn desk_key(root: &SecretKey, seed: u8, serial: u32) -> (SecretKey, Signed<DeskKey>) {
    let mut bytes = [seed.wrapping_add(1); 32];
    bytes[..4].copy_from_slice(&serial.to_be_bytes());
    let key = SecretKey::from_bytes(bytes);
    let signed = root.sign_value(&DeskKey {
        root: root.public(),
        key: key.public(),
        serial,
        not_after: u32::MAX,
    });
    (key, signed)
}
