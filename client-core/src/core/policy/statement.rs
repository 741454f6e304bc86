//! What the statements in a commit's data warrant. They are the only facts from outside that a
//! verdict may use; each must hold now and be acted on by the commit that carries it. [P-10], [P-12]–[P-17]

use std::collections::{BTreeMap, BTreeSet};

use cobijo_protocol::{
    card::{DeskKey, verify_desk_key},
    commit::{
        MemberRescue, Profile, Removal, Statement, verify_leave, verify_person_rescue, verify_wipe,
    },
    credential::{Identity, PersonLeaf},
    keys::{PublicKey, Signature, Signed},
};

use super::{
    Cause, Leaf, Presence, Rule, profile,
    shape::{Newcomer, Step, person},
};

/// What the statements of a commit, and earlier ones, allow beyond what its author may do.
pub(super) struct Warrants {
    causes: BTreeMap<u32, Cause>,
    rescued: BTreeSet<PublicKey>,
    desk_serials: BTreeSet<u32>,
    wiped_before: bool,
    pub(super) desk_serial: u32,
    pub(super) presence: Presence,
}

impl Warrants {
    /// Checks every statement.
    pub(super) fn of(step: &Step<'_>) -> Result<Self, Rule> {
        let statements = &step.data.statements;
        if statements.len() > step.standing.leaves.len() {
            return Err(Rule::Statements);
        }
        let mut warrants = Self {
            causes: BTreeMap::new(),
            rescued: BTreeSet::new(),
            desk_serials: BTreeSet::new(),
            wiped_before: step.standing.presence == Presence::Wiped,
            desk_serial: step.standing.desk_serial,
            presence: step.standing.presence,
        };
        for statement in statements {
            warrants.take(step, statement)?;
        }
        warrants.check_acted_on(step)?;
        warrants.check_desk_serials(step)?;
        Ok(warrants)
    }

    /// Why a statement lets `leaf` be removed, if one does.
    pub(super) fn cause(&self, leaf: &Leaf) -> Option<Cause> {
        let left_over = self.wiped_before && leaf.person().is_some();
        let cause = self.causes.get(&leaf.index).copied();
        cause.or_else(|| left_over.then_some(Cause::Wipe))
    }

    /// Whether a rescue names the newcomer.
    pub(super) fn rescues(&self, newcomer: &Newcomer<'_>) -> bool {
        self.rescued.contains(&newcomer.key)
    }

    fn take(&mut self, step: &Step<'_>, statement: &Statement) -> Result<(), Rule> {
        match statement {
            Statement::Leave { leaf, signature } => self.take_leave(step, *leaf, signature),
            Statement::Wipe { person, signature } => self.take_wipe(step, *person, signature),
            Statement::Removal { desk_key, removal } => self.take_removal(step, desk_key, removal),
            Statement::PersonRescue {
                person,
                leaf_key,
                signature,
            } => self.take_person_rescue(step, *person, *leaf_key, signature),
            Statement::MemberRescue { desk_key, rescue } => {
                self.take_member_rescue(step, desk_key, rescue)
            }
        }
    }

    /// [P-13]
    fn take_leave(
        &mut self,
        step: &Step<'_>,
        index: u32,
        signature: &Signature,
    ) -> Result<(), Rule> {
        let leaf = step.leaf(index).ok_or(Rule::Leave)?;
        let signer = leaf.person().map_or(leaf.key, |hers| hers.person);
        if !verify_leave(&signer, step.standing.group, &leaf.node_hash, signature) {
            return Err(Rule::Leave);
        }
        let Some(hers) = leaf.person() else {
            return self.cover(leaf, Cause::Leave);
        };
        if step.standing.terms.profile == Profile::Conversation {
            self.presence = self.presence.max(Presence::Left);
        }
        self.cover_all(step.leaves_of(hers.person), Cause::Leave)
    }

    /// A circle isn't one person's to end. [P-14]
    fn take_wipe(
        &mut self,
        step: &Step<'_>,
        person: PublicKey,
        signature: &Signature,
    ) -> Result<(), Rule> {
        let holds = step.standing.terms.profile == Profile::Conversation
            && step.leaves_of(person).next().is_some()
            && verify_wipe(&person, step.standing.group, signature);
        if !holds {
            return Err(Rule::Wipe);
        }
        self.presence = Presence::Wiped;
        self.cover_all(step.leaves_of(person), Cause::Wipe)
    }

    /// [P-15]
    fn take_removal(
        &mut self,
        step: &Step<'_>,
        desk_key: &Signed<DeskKey>,
        removal: &Signed<Removal>,
    ) -> Result<(), Rule> {
        let desk_key = self.desk_key(step, desk_key).ok_or(Rule::Removal)?;
        let removal = removal.verify(&desk_key).map_err(|_| Rule::Removal)?;
        let leaf = member(step, removal.key).ok_or(Rule::Removal)?;
        self.cover(leaf, Cause::Removal)
    }

    /// It covers all her leaves, so that whoever commits it has no choice which ones go. [P-16]
    fn take_person_rescue(
        &mut self,
        step: &Step<'_>,
        person: PublicKey,
        leaf_key: PublicKey,
        signature: &Signature,
    ) -> Result<(), Rule> {
        let hers = step.leaves_of(person).next().is_some();
        let added = newcomer(step, leaf_key).and_then(|newcomer| self::person(newcomer.identity));
        let holds = hers
            && added.is_some_and(|new| new.person == person && new.leaf == PersonLeaf::Device)
            && verify_person_rescue(&person, step.standing.group, &leaf_key, signature);
        if !holds {
            return Err(Rule::PersonRescue);
        }
        self.rescued.insert(leaf_key);
        self.cover_all(step.leaves_of(person), Cause::Rescue)
    }

    /// The alias stays: a desk can't put another name into a conversation by a rescue. [P-17]
    fn take_member_rescue(
        &mut self,
        step: &Step<'_>,
        desk_key: &Signed<DeskKey>,
        rescue: &Signed<MemberRescue>,
    ) -> Result<(), Rule> {
        let desk_key = self.desk_key(step, desk_key).ok_or(Rule::MemberRescue)?;
        let rescue = rescue.verify(&desk_key).map_err(|_| Rule::MemberRescue)?;
        let old = member(step, rescue.old_key).ok_or(Rule::MemberRescue)?;
        let new = newcomer(step, rescue.new_key).ok_or(Rule::MemberRescue)?;
        let same_member = match (&old.identity, new.identity) {
            (
                Identity::Member { attestation, .. },
                Identity::Member {
                    attestation: new, ..
                },
            ) => new.alias == attestation.alias && new.serial > attestation.serial,
            _ => false,
        };
        if !same_member || rescue.group != step.standing.group {
            return Err(Rule::MemberRescue);
        }
        self.rescued.insert(rescue.new_key);
        self.cover(old, Cause::Rescue)
    }

    /// The desk key of a statement, if its chain leads to the root.
    fn desk_key(&mut self, step: &Step<'_>, desk_key: &Signed<DeskKey>) -> Option<PublicKey> {
        let desk_key = verify_desk_key(desk_key, &step.standing.terms.root).ok()?;
        self.desk_serials.insert(desk_key.serial);
        Some(desk_key.key)
    }

    fn cover_all<'a>(
        &mut self,
        leaves: impl Iterator<Item = &'a Leaf>,
        cause: Cause,
    ) -> Result<(), Rule> {
        for leaf in leaves {
            self.cover(leaf, cause)?;
        }
        Ok(())
    }

    /// [P-12]
    fn cover(&mut self, leaf: &Leaf, cause: Cause) -> Result<(), Rule> {
        match self.causes.insert(leaf.index, cause) {
            None => Ok(()),
            Some(_) => Err(Rule::Statements),
        }
    }

    /// A statement that waited for a later commit could be kept back until it suits. Only a wipe's
    /// author, who can't remove herself, is left to others. [P-12], [P-14]
    fn check_acted_on(&self, step: &Step<'_>) -> Result<(), Rule> {
        let waits = |leaf: &&Leaf| match self.causes.get(&leaf.index) {
            None => false,
            Some(Cause::Wipe) => leaf.index != step.author.index,
            Some(_) => true,
        };
        let comes_back = |leaf: &&Leaf| {
            let for_good = [Some(Cause::Leave), Some(Cause::Removal)].contains(&self.cause(leaf));
            for_good && step.newcomers.iter().any(|newcomer| newcomer.is_of(leaf))
        };
        if step.stays.iter().any(waits) || step.removed.iter().any(comes_back) {
            Err(Rule::NotActedOn)
        } else {
            Ok(())
        }
    }

    /// An evicted coordinator still has the old desk key: it counts no more, for statements and for
    /// newcomers alike, where a newer one has been seen. Only whoever founds a desk's group brings those whom
    /// older ones attested: a successor is for all who were in the group before. [P-10]
    fn check_desk_serials(&mut self, step: &Step<'_>) -> Result<(), Rule> {
        let leaves = step.standing.leaves.iter().filter_map(Leaf::desk_serial);
        let seen = leaves.chain(self.desk_serials.iter().copied());
        self.desk_serial = seen.fold(self.desk_serial, u32::max);
        let is_old = |serial| serial < self.desk_serial;
        let mut attested = step.newcomers.iter().filter_map(Newcomer::desk_serial);
        let may_be_older = profile::founds_desk(step);
        if self.desk_serials.iter().copied().any(is_old) || !may_be_older && attested.any(is_old) {
            Err(Rule::DeskSerial)
        } else {
            Ok(())
        }
    }
}

/// The member's leaf with that attested key.
fn member<'a>(step: &Step<'a>, key: PublicKey) -> Option<&'a Leaf> {
    let mut leaves = step.standing.leaves.iter();
    leaves.find(|leaf| leaf.key == key && leaf.person().is_none())
}

fn newcomer<'s, 'a>(step: &'s Step<'a>, key: PublicKey) -> Option<&'s Newcomer<'a>> {
    step.newcomers.iter().find(|newcomer| newcomer.key == key)
}
