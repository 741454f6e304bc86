//! Going on where a group can't: a rescue, or a successor through the desk. [G-18]

use cobijo_protocol::{
    commit::{POLICY, Profile, Terms},
    credential::{Identity, PersonCredential, PersonLeaf},
    keys::{PublicKey, SecretKey},
};
use serde_bytes::ByteBuf;

use super::{Conversation, ConversationError, Unacceptable, rescue::Rescuing, speaker};
use crate::{
    core::{
        claim::queue::Opened,
        client::{ConversationEvent, EntryContent},
        group::{Change, Group, Member},
        intake::PersonPackage,
        joining::Known,
        port::{Now, Rng},
    },
    mls::key_package::OfferedKeyPackage,
};

/// Rescues of one conversation that are remembered.
const RESCUES_MAX: usize = 16;

impl Conversation {
    /// Whether this conversation goes on in `group`: the same group after a rescue, or a successor,
    /// whose Welcome the same person signed or was signed for. [G-18]
    pub fn goes_on_in(&self, group: &Group) -> bool {
        let named = group
            .terms()
            .predecessor
            .as_ref()
            .map(|old| old.group.as_slice());
        let is_rescued = self.group.id() == group.id() && group.epoch() > self.group.epoch();
        // Her successors are hers to make: nobody invites her into one.
        let is_successor = self.person.is_none() && named == Some(self.group.id());
        let is_related = is_rescued || is_successor;
        is_related && person_of(&self.group).is_some() && person_of(&self.group) == person_of(group)
    }

    /// Goes on in that group.
    pub fn go_on_in(&mut self, mut group: Group, now: Now) {
        let before = self.group.members();
        if self.group.id() == group.id() {
            group.go_on_from(self.group.clock());
        } else {
            self.history.close_chapter();
        }
        group.inherit_erase_keys(&mut self.group);
        self.group = group;
        // Who had left was let in again.
        self.left = false;
        self.rescuing.clear();
        self.proposals.drop_present(&self.group.members());
        self.note_newcomers(&before);
        self.note_missing(&before, now);
        self.events.push_back(ConversationEvent::MembersChanged);
        self.events.push_back(ConversationEvent::CodeChanged);
        self.drain(now);
    }

    /// Whoever lets her in again may have left somebody out: the room looks the same, so it is said.
    fn note_missing(&mut self, before: &[Member], now: Now) {
        let here: Vec<_> = self.group.members();
        let is_here = |old: &Member| {
            let key = old.identity.person_or_attested_key();
            here.iter()
                .any(|member| member.identity.person_or_attested_key() == key)
        };
        for member in before.iter().filter(|old| !is_here(old)) {
            self.note(EntryContent::Left(speaker(&member.identity)), now);
        }
    }

    /// What she knows of the group, for her rescue; nothing for others.
    pub fn known(&self) -> Option<Known> {
        Some(Known {
            group: ByteBuf::from(self.group.id()),
            terms: self.group.terms().clone(),
            epoch: self.group.epoch(),
            person: self.person.as_ref()?.public(),
            members: self.roster().into_iter().collect(),
        })
    }

    /// Attested keys of the members: who may answer her rescue.
    pub fn roster(&self) -> Vec<PublicKey> {
        let attested = |member: &Member| match &member.identity {
            Identity::Member { attestation, .. } => Some(attestation.key),
            Identity::Person(_) => None,
        };
        self.group.members().iter().filter_map(attested).collect()
    }

    /// A serial above all of hers.
    pub fn next_serial(&self) -> u32 {
        let serial = |member: &Member| match &member.identity {
            Identity::Person(hers) => Some(hers.serial),
            Identity::Member { .. } => None,
        };
        self.group
            .members()
            .iter()
            .filter_map(serial)
            .max()
            .unwrap_or(0)
            + 1
    }

    /// Her yes to a member of the desk who offers to come in: into this group, or where it can't be
    /// followed, into its successor. [G-18]
    ///
    /// # Errors
    /// [`ConversationError::Unacceptable`] where the attestation is out of date; [`ConversationError::Group`].
    pub fn admit(
        &mut self,
        offered: &OfferedKeyPackage,
        now: Now,
        rng: &mut Rng,
    ) -> Result<(), ConversationError> {
        let person = self.person.clone().ok_or(ConversationError::NotPerson)?;
        let Identity::Member { attestation, .. } = offered.identity() else {
            return Err(Unacceptable::KeyPackage.into());
        };
        if attestation.not_after < now.day() {
            return Err(Unacceptable::OutOfDate.into());
        }
        let attestation = attestation.clone();
        if !self.is_open() {
            let successor = self.successor(&person, now, rng)?;
            self.go_on_in(successor, now);
        }
        // Who can't follow any more comes back through the desk: the leaf that she lost goes first.
        if self.roster().contains(&attestation.key) {
            self.group.request(Change {
                removes: vec![attestation.key],
                ..Change::default()
            });
        }
        let agreed = std::mem::take(&mut self.offer_agreed);
        self.add(offered, agreed);
        Ok(())
    }

    fn successor(
        &self,
        person: &SecretKey,
        now: Now,
        rng: &mut Rng,
    ) -> Result<Group, ConversationError> {
        let suite = self.group.suite();
        let leaf = PersonPackage::new(suite, person, self.next_serial(), PersonLeaf::Device, rng)?;
        let terms = self.group.terms();
        let predecessor = terms.predecessor_of_next(self.group.id(), self.group.epoch());
        let terms = Terms {
            profile: Profile::Conversation,
            policy: POLICY,
            root: terms.root,
            facilitators: Vec::new(),
            predecessor: Some(predecessor),
        };
        Ok(Group::create(
            suite,
            terms,
            leaf.key,
            &leaf.credential,
            now,
            rng,
        )?)
    }

    /// Helps her, or a member, back who can't follow. [P-16]
    pub fn rescue(&mut self, opened: &Opened, now: Now) {
        let is_known = self.rescuing.iter().any(|rescuing| rescuing.is_for(opened));
        if self.is_open() && !is_known && self.person() == Some(opened.intake.person) {
            if self.rescuing.len() >= RESCUES_MAX {
                let ended = self.rescuing.iter().position(Rescuing::has_ended);
                self.rescuing.remove(ended.unwrap_or(0));
            }
            self.rescuing.push(Rescuing::new(opened, &self.group, now));
        }
    }
}

/// The one person of a conversation.
pub(super) fn person_of(group: &Group) -> Option<PublicKey> {
    group
        .members()
        .into_iter()
        .find_map(|member| match member.identity {
            Identity::Person(PersonCredential { person, .. }) => Some(person),
            Identity::Member { .. } => None,
        })
}
