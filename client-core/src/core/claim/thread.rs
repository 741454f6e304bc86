//! Reading what somebody who waits has written: only after the claim. [I-4], [I-5]

use std::collections::VecDeque;

use cobijo_protocol::{
    cbor,
    commit::{Statement, verify_person_rescue},
    credential::{Identity, PersonLeaf},
    intake::{Waiting, waiting_info},
    keys::{IntakeSeed, PublicKey},
    limits::WAITING_TEXTS_MAX,
    slot::{Kind, ThreadSecret},
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::{
    core::{
        contest::Contest,
        intake::TEXT_BYTES_MAX,
        port::{Rng, Seen, Wants},
        thread::Content,
    },
    mls::{Suite, hpke, key_package::OfferedKeyPackage},
};

/// Bytes of all texts kept from one waiting thread: as many as the longest one may have.
const TEXTS_BYTES_MAX: usize = TEXT_BYTES_MAX;

/// Rescue statements kept from one waiting thread; the oldest give way.
const RESCUES_MAX: usize = 64;

/// Slots read before she is answered, if her KeyPackage is among them: who writes without end must not keep
/// her waiting.
const SLOTS_FIRST: u64 = 64;

/// A reader of the waiting thread (r, waiting).
#[derive(Clone, Serialize, Deserialize)]
pub struct WaitingThread {
    r: ThreadSecret,
    seed: IntakeSeed,
    person: PublicKey,
    contest: Contest,
    /// MLSMessages that hold KeyPackages of hers: the highest serial of each kind of leaf.
    packages: Vec<Package>,
    /// Statements that let leaves of hers in, where she can't follow a group; as many as she makes leaves.
    #[serde(default)]
    rescues: VecDeque<(PublicKey, Statement)>,
    texts: usize,
    texts_bytes: usize,
}

#[derive(Clone, Serialize, Deserialize)]
struct Package {
    leaf: PersonLeaf,
    suite: Suite,
    serial: u32,
    key: PublicKey,
    message: ByteBuf,
}

impl WaitingThread {
    /// Starts to read; `seed` is of the key that opened the intake.
    pub fn new(r: ThreadSecret, seed: IntakeSeed, person: PublicKey) -> Self {
        let contest = Contest::new(r.clone(), Kind::Waiting, 0);
        Self {
            r,
            seed,
            person,
            contest,
            packages: Vec::new(),
            rescues: VecDeque::new(),
            texts: 0,
            texts_bytes: 0,
        }
    }

    /// Whether all that stands has been read on this connection, or more than she needs.
    pub fn is_at_end(&self) -> bool {
        let is_enough = self.contest.index() >= SLOTS_FIRST && self.suite().is_some();
        self.contest.is_free() || is_enough
    }

    /// What is wanted from the relay.
    pub fn wants(&self, wants: &mut Wants) {
        self.contest.wants(wants);
    }

    /// Takes what the relay said; gives a text of hers.
    pub fn handle_seen(&mut self, seen: &Seen, root: &PublicKey, rng: &mut Rng) -> Option<String> {
        let candidate = self.contest.handle_seen(seen)?;
        self.contest.skip(rng);
        let Content::Payload(payload) = candidate.content else {
            return None;
        };
        match cbor::decode(&payload).ok()? {
            Waiting::KeyPackage(message) => {
                self.take_package(message, root);
                None
            }
            Waiting::Rescue(statement) => {
                self.take_rescue(statement);
                None
            }
            Waiting::More(sealed) => self.open(&sealed),
            Waiting::Newcomer(_) => None,
        }
    }

    fn take_rescue(&mut self, statement: Statement) {
        let Statement::PersonRescue {
            person, leaf_key, ..
        } = &statement
        else {
            return;
        };
        let one = (*leaf_key, statement.clone());
        if *person != self.person || self.rescues.contains(&one) {
            return;
        }
        self.rescues.push_back(one);
        if self.rescues.len() > RESCUES_MAX {
            self.rescues.pop_front();
        }
    }

    fn take_package(&mut self, message: ByteBuf, root: &PublicKey) {
        let Ok(offered) = OfferedKeyPackage::parse_known(&message, root) else {
            return;
        };
        let Identity::Person(hers) = offered.identity() else {
            return;
        };
        let is_known = |known: &Package| known.leaf == hers.leaf && known.serial >= hers.serial;
        if hers.person != self.person || self.packages.iter().any(is_known) {
            return;
        }
        self.packages.retain(|known| known.leaf != hers.leaf);
        self.packages.push(Package {
            leaf: hers.leaf,
            suite: offered.suite(),
            serial: hers.serial,
            key: *offered.leaf_key(),
            message,
        });
    }

    fn open(&mut self, sealed: &[u8]) -> Option<String> {
        if self.texts >= WAITING_TEXTS_MAX {
            return None;
        }
        let pair = hpke::key_pair(self.seed.as_bytes()).ok()?;
        let text = hpke::open(&pair, &waiting_info(&self.r), sealed)?;
        let text = String::from_utf8(text.to_vec()).ok()?;
        let bytes = self.texts_bytes + text.len();
        if bytes > TEXTS_BYTES_MAX {
            return None;
        }
        self.texts += 1;
        self.texts_bytes = bytes;
        Some(text)
    }

    /// The suite of her device's KeyPackage: that of a group which begins with her.
    pub fn suite(&self) -> Option<Suite> {
        let is_device = |package: &&Package| package.leaf == PersonLeaf::Device;
        let device = self.packages.iter().find(is_device)?;
        Some(device.suite)
    }

    /// KeyPackages of the leaves to add to a group of this suite: her device's, and with it her
    /// return leaf's; none where her device has none.
    pub fn leaves(&self, suite: Suite) -> Vec<ByteBuf> {
        if self.suite() != Some(suite) {
            return Vec::new();
        }
        self.packages
            .iter()
            .filter(|package| package.suite == suite)
            .map(|package| package.message.clone())
            .collect()
    }

    /// The statement that lets her device's last leaf into this group, with the leaf's key.
    pub fn rescue(&self, group: &[u8]) -> Option<(PublicKey, &Statement)> {
        let is_device = |package: &&Package| package.leaf == PersonLeaf::Device;
        let device = self.packages.iter().find(is_device)?.key;
        let mut rescues = self.rescues.iter().filter(|(key, _)| *key == device);
        let rescue = rescues.find(|(_, statement)| match statement {
            Statement::PersonRescue {
                leaf_key,
                signature,
                ..
            } => verify_person_rescue(&self.person, group, leaf_key, signature),
            Statement::Leave { .. }
            | Statement::Wipe { .. }
            | Statement::Removal { .. }
            | Statement::MemberRescue { .. } => false,
        })?;
        Some((device, &rescue.1))
    }
}
