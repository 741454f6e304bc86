//! Joining a group by the Welcome in one's own welcome thread. [G-19]
//!
//! The thread is a contest that only the newcomer judges: what doesn't open, isn't for this
//! KeyPackage, or leads to another group than her person was told, is skipped.

use std::collections::BTreeSet;

use cobijo_protocol::{
    Day, cbor,
    commit::{POLICY, Profile, Terms, WelcomePayload},
    credential::{Credential, Identity, PersonLeaf},
    intake::MessageHash,
    keys::{PublicKey, SecretKey},
    limits::{GROUP_ID_BYTES, STALE_MARGIN_DAYS, WELCOME_INDICES_MAX},
    parts::Data,
    slot::Kind,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{
    contest::Contest,
    group::Group,
    port::{Now, RelayFacts, Rng, Seen, Wants},
    thread::{Bodies, Content, OnEmpty},
};
use crate::mls::{
    key_package::OwnKeyPackage,
    state::{Joined, MlsState},
};

/// What a newcomer was told of the group: everything else is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expect {
    /// What it is for.
    pub profile: Profile,
    /// Root key of its desk.
    pub root: PublicKey,
    /// Keys, attested or a person's, of whom one must have signed the GroupInfo.
    pub signers: Vec<PublicKey>,
    /// Keys, attested or a person's, of all who are in it; nothing where its person wasn't told.
    pub roster: Option<BTreeSet<PublicKey>>,
    /// Which group it is the successor of.
    pub lineage: Lineage,
    /// SHA-256 of the Welcome, where a reply named it.
    pub welcome: Option<MessageHash>,
}

/// Which group a group is the successor of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lineage {
    /// Of none.
    First,
    /// Of none, or of any: whoever signs the GroupInfo is what counts.
    Any,
    /// The successor of a desk's group that the root key names. [G-22]
    Successor {
        /// Its own id.
        group: ByteBuf,
        /// Its number.
        number: u32,
    },
    /// Whichever: it is the group of this id.
    Group(ByteBuf),
    /// A circle of this id, led by these. [O-5]
    Circle {
        /// The MLS group id.
        group: ByteBuf,
        /// Attested keys of its facilitators, in order.
        facilitators: Vec<PublicKey>,
    },
    /// It is the very group that a person could not follow: her rescue.
    Same(Box<Known>),
}

/// What a person knew of her group when she could follow it no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The MLS group id.
    pub group: ByteBuf,
    /// Its terms.
    pub terms: Terms,
    /// The last epoch that she was in.
    pub epoch: u64,
    /// Her key.
    pub person: PublicKey,
    /// Attested keys of its members.
    pub members: BTreeSet<PublicKey>,
}

/// Waits for a Welcome.
#[derive(Clone, Serialize, Deserialize)]
pub struct Joining {
    own: OwnKeyPackage,
    key: SecretKey,
    expect: Expect,
    contest: Contest,
    /// The head that a reply named: then nothing else is looked at, and nobody can stand before it. [I-6]
    #[serde(default)]
    named: Option<Box<Named>>,
    /// A Welcome was passed over for its day alone.
    #[serde(default)]
    has_passed_over: bool,
    /// What the relay says of its days.
    #[serde(skip)]
    relay: Option<RelayFacts>,
}

/// A Welcome whose head is known.
#[derive(Clone, Serialize, Deserialize)]
struct Named {
    head: ByteBuf,
    #[serde(skip)]
    bodies: Option<Bodies>,
}

impl Joining {
    /// Waits for the Welcome to `own`, of the leaf of `key`.
    pub fn new(own: OwnKeyPackage, key: SecretKey, expect: Expect) -> Self {
        let contest = Contest::new(own.welcome_secret().clone(), Kind::Welcome, 0);
        Self {
            own,
            key,
            expect,
            contest,
            named: None,
            has_passed_over: false,
            relay: None,
        }
    }

    /// What the relay of this connection has said of its days, where it was before this began.
    pub fn told(self, relay: Option<RelayFacts>) -> Self {
        Self { relay, ..self }
    }

    /// Waits for the Welcome of this head alone.
    pub fn by_head(self, head: &[u8]) -> Self {
        let named = Named {
            head: ByteBuf::from(head),
            bodies: None,
        };
        Self {
            named: Some(Box::new(named)),
            ..self
        }
    }

    /// The same from the beginning: what an earlier connection showed may have been false.
    pub fn afresh(&self) -> Self {
        let afresh = Self::new(self.own.clone(), self.key.clone(), self.expect.clone());
        let afresh = afresh.told(self.relay);
        match &self.named {
            Some(named) => afresh.by_head(&named.head),
            None => afresh,
        }
    }

    /// Whether it is for a desk's group of this number, or an earlier one.
    pub(crate) fn is_for_number(&self, number: u32) -> bool {
        matches!(self.expect.lineage, Lineage::Successor { number: named, .. } if named <= number)
    }

    /// The KeyPackage that is waited for.
    pub fn key_package(&self) -> &OwnKeyPackage {
        &self.own
    }

    /// What her leaf is for; a member's is like a device.
    pub fn purpose(&self) -> PersonLeaf {
        match self.own.credential() {
            Some(Credential::Person(hers)) => hers.leaf,
            Some(Credential::Member(_)) | None => PersonLeaf::Device,
        }
    }

    /// Whether all that stands where the Welcome may be was tried on this connection.
    pub fn is_at_end(&self) -> bool {
        if let Some(named) = &self.named {
            return named.bodies.as_ref().is_some_and(Bodies::is_answered);
        }
        self.contest.is_free() || self.contest.index() >= WELCOME_INDICES_MAX
    }

    /// Whether every index where the Welcome may stand holds something else: none can come any more.
    pub fn is_filled(&self) -> bool {
        self.named.is_none() && self.contest.index() >= WELCOME_INDICES_MAX
    }

    /// What must be watched.
    pub fn wants(&self, wants: &mut Wants) {
        if let Some(named) = &self.named {
            let bodies = named.bodies.clone().or_else(|| named.read());
            bodies.iter().for_each(|bodies| bodies.wants(wants));
        } else if self.contest.index() < WELCOME_INDICES_MAX {
            self.contest.wants(wants);
        }
    }

    /// Takes what the relay said; gives the group once a Welcome could be joined. The group follows from its
    /// next connection on: this one's facts were told before there was a group.
    pub fn handle_seen(&mut self, seen: &Seen, now: Now, rng: &mut Rng) -> Option<Group> {
        if let Seen::Connected(relay) = seen {
            self.relay = Some(*relay);
            if self.has_passed_over {
                *self = self.afresh();
            }
        }
        if let Some(named) = &mut self.named {
            let payload = named.handle_seen(seen)?;
            return self.join(&payload, now, rng);
        }
        let candidate = self.contest.handle_seen(seen)?;
        if let Content::Payload(payload) = &candidate.content
            && let Some(group) = self.join(payload, now, rng)
        {
            return Some(group);
        }
        self.contest.skip(rng);
        None
    }

    /// Whoever joined with such a day would be too late at once. One wrong clock alone, the relay's or the
    /// own, loses no Welcome, and one wrong retention none for longer than its connection. [G-17]
    fn is_stale(&self, day: Day, now: Now) -> bool {
        self.relay.is_some_and(|relay| {
            let away = relay.day.min(now.day()).saturating_sub(day);
            away > u32::from(relay.retention_days).saturating_sub(STALE_MARGIN_DAYS)
        })
    }

    fn join(&mut self, payload: &[u8], now: Now, rng: &mut Rng) -> Option<Group> {
        let payload: WelcomePayload = cbor::decode(payload).ok()?;
        let hash = MessageHash::of(&payload.welcome);
        if self.expect.welcome.is_some_and(|expected| expected != hash) {
            return None;
        }
        let joined = MlsState::join(&self.own, self.key.clone(), &payload.welcome, rng).ok()?;
        if !self.expect.allows(&joined) {
            return None;
        }
        let group = Group::joined(joined, &payload, now, rng)?;
        if !self.expect.allows_signer(&group) || !self.expect.allows_roster(&group) {
            return None;
        }
        // Her own day is no lie: who comes back too late to follow can ask to be let in again.
        let is_own = matches!(self.expect.lineage, Lineage::Group(_));
        self.has_passed_over = !is_own && self.is_stale(payload.day, now);
        (!self.has_passed_over).then_some(group)
    }
}

impl Named {
    /// The bodies stood before the reply that names them: what isn't there is not waited for.
    fn read(&self) -> Option<Bodies> {
        match Data::decode(&self.head)? {
            Data::Head(head) => Some(Bodies::new(head, false, OnEmpty::Wait)),
            Data::Whole(_) => None,
        }
    }

    /// Takes what the relay said; gives the payload, once.
    fn handle_seen(&mut self, seen: &Seen) -> Option<Vec<u8>> {
        if self.bodies.is_none() {
            self.bodies = self.read();
        }
        let bodies = self.bodies.as_mut()?;
        if bodies.content().is_some() {
            return None;
        }
        bodies.handle_seen(seen);
        match bodies.content()? {
            Content::Payload(payload) => Some(payload),
            Content::Void | Content::Gone => None,
        }
    }
}

impl std::fmt::Debug for Joining {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Joining").finish_non_exhaustive()
    }
}

impl Expect {
    /// An id of another length would leave no room in what names the group: her question to the desk, her
    /// capsule. [G-2]
    fn allows(&self, joined: &Joined) -> bool {
        let terms = &joined.terms;
        terms.profile == self.profile
            && terms.root == self.root
            && terms.policy == POLICY
            && joined.state.group().len() == GROUP_ID_BYTES
            && self.lineage.allows(terms)
    }

    fn allows_signer(&self, group: &Group) -> bool {
        let Some(signer) = group.welcomed_by() else {
            return false;
        };
        let key = signer.person_or_attested_key();
        // Only a facilitator lets anybody into a circle. [O-1]
        let terms = group.terms();
        let leads = terms.profile != Profile::Circle || terms.facilitators.contains(&key);
        leads && self.signers.contains(&key)
    }

    fn allows_roster(&self, group: &Group) -> bool {
        let roster = || {
            group
                .members()
                .iter()
                .map(|member| member.identity.person_or_attested_key())
                .collect()
        };
        let knows = match &self.lineage {
            Lineage::Same(known) => known.allows(group),
            Lineage::Successor { group: id, .. } => id.as_slice() == group.id(),
            Lineage::Group(id) | Lineage::Circle { group: id, .. } => *id == group.id(),
            Lineage::First | Lineage::Any => true,
        };
        knows && self.roster.as_ref().is_none_or(|told| *told == roster())
    }
}

impl Known {
    /// Only her own commits add: who was not there when she stopped may not be there now. The id alone
    /// says little, since whoever creates a group chooses it. [P-16]
    fn allows(&self, group: &Group) -> bool {
        let members = group.members();
        let is_known = |identity: &Identity| match identity {
            Identity::Person(hers) => hers.person == self.person,
            Identity::Member { attestation, .. } => self.members.contains(&attestation.key),
        };
        self.group == group.id()
            && group.epoch() > self.epoch
            && members.iter().all(|member| is_known(&member.identity))
    }
}

impl Lineage {
    fn allows(&self, terms: &Terms) -> bool {
        match self {
            Self::First => terms.predecessor.is_none(),
            Self::Any | Self::Group(_) => true,
            Self::Circle { facilitators, .. } => {
                terms.predecessor.is_none() && terms.facilitators == *facilitators
            }
            Self::Successor { number, .. } => terms.number() == *number,
            Self::Same(known) => known.terms == *terms,
        }
    }
}

#[cfg(test)]
mod tests {
    use cobijo_protocol::credential::PersonCredential;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::{
        core::contest::seal_payload,
        mls::{Suite, key_package::OfferedKeyPackage},
    };

    const SUITE: Suite = Suite::PostQuantum;
    const TODAY: Day = 20_000;
    const NOW: Now = Now::from_millis(TODAY as u64 * 86_400_000);

    /// A leaf of a person of her own.
    fn leaf(byte: u8) -> (SecretKey, SecretKey, Credential) {
        let [person, key] = [byte, byte + 100].map(|byte| SecretKey::from_bytes([byte; 32]));
        let credential = PersonCredential::sign(&person, 1, PersonLeaf::Device, &key.public());
        (person, key, Credential::Person(credential))
    }

    /// A newcomer, and what stands in her welcome thread: the Welcome to a group of this id, of this day.
    fn newcomer(group: &[u8], day: Day, rng: &mut Rng) -> (Joining, Vec<Seen>) {
        let root = SecretKey::from_bytes([9; 32]).public();
        let terms = Terms {
            profile: Profile::Circle,
            policy: POLICY,
            root,
            facilitators: vec![leaf(1).0.public()],
            predecessor: None,
        };
        let ((maker, key, credential), (_, own_key, own)) = (leaf(1), leaf(2));
        let mut state = MlsState::create(SUITE, group, &terms, key, &credential, rng).unwrap();
        let own = OwnKeyPackage::new(SUITE, &own_key, &own, rng).unwrap();
        let offered = OfferedKeyPackage::parse(own.message(), SUITE, &root).unwrap();
        let built = state.build(&[offered], &[], b"", rng).unwrap();
        let payload = cbor::encode(&WelcomePayload {
            day,
            desk_key: None,
            welcome: ByteBuf::from(built.welcome.unwrap()),
        });
        let joining = Joining::new(
            own,
            own_key,
            Expect {
                profile: Profile::Circle,
                root,
                signers: vec![maker.public()],
                roster: None,
                lineage: Lineage::First,
                welcome: None,
            },
        );
        let chain = seal_payload(&joining.contest.slot(), &payload, rng).unwrap();
        let full = |put: &crate::core::port::Put| Seen::Full(put.address(), put.cell.clone());
        (joining, chain.iter().rev().map(full).collect())
    }

    /// Whether she is in once the relay, which keeps cells this long, has shown all that stands there.
    fn joins(joining: &mut Joining, retention_days: u16, shown: &[Seen], rng: &mut Rng) -> bool {
        let connected = Seen::Connected(RelayFacts {
            day: TODAY,
            retention_days,
        });
        let shown = [&connected].into_iter().chain(shown);
        let groups = shown.filter_map(|seen| joining.handle_seen(seen, NOW, rng));
        groups.count() == 1
    }

    /// [G-2] [G-19]
    #[test]
    fn a_group_whose_id_is_not_of_32_bytes_is_not_joined() {
        let mut rng = Rng::seed_from_u64(1);
        for length in [16, 31, 33, 3000] {
            let (mut joining, shown) = newcomer(&vec![7; length], TODAY, &mut rng);
            assert!(!joins(&mut joining, 90, &shown, &mut rng), "{length} bytes");
        }
        let (mut joining, shown) = newcomer(&[7; GROUP_ID_BYTES], TODAY, &mut rng);
        assert!(joins(&mut joining, 90, &shown, &mut rng));
    }

    /// [G-17]
    #[test]
    fn a_welcome_passed_over_for_its_day_is_looked_at_again_on_the_next_connection() {
        let mut rng = Rng::seed_from_u64(1);
        let (mut joining, shown) = newcomer(&[7; GROUP_ID_BYTES], TODAY - 40, &mut rng);
        assert!(!joins(&mut joining, 30, &shown, &mut rng));
        let mut saved = Vec::new();
        ciborium::into_writer(&joining, &mut saved).unwrap();
        let mut joining: Joining = ciborium::from_reader(saved.as_slice()).unwrap();
        assert!(joins(&mut joining, 180, &shown, &mut rng));
    }
}
