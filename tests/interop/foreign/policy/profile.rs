//! Who may change what, by what the group is for.

use std::collections::BTreeSet;

use super::{Acted, Judge, Leaf, Presence, Rule, member_of, must, person_of};
use crate::foreign::{
    group::{Identity, Profile},
    signature::PublicKey,
};

impl Judge<'_> {
    /// The commit that founds a desk's group.
    pub(super) fn founds_desk(&self) -> bool {
        self.state.terms.profile == Profile::Desk && self.founds()
    }

    pub(super) fn founds(&self) -> bool {
        self.state.epoch == 0 && self.commit.author == 0
    }

    /// A leaf of hers that still stands after a wipe.
    pub(super) fn is_wiped(&self, leaf: u32) -> bool {
        let is_person = person_of(&self.state.leaves[&leaf].identity).is_some();
        is_person && self.state.presence == Presence::Wiped
    }

    /// Who may not renew again after the commit.
    pub(super) fn renewed(&self) -> Result<BTreeSet<u32>, Rule> {
        let changes = !self.commit.adds.is_empty() || !self.commit.removes.is_empty();
        if changes || self.leads() {
            return Ok(BTreeSet::new());
        }
        let mut renewed = self.state.renewed.clone();
        must(renewed.insert(self.commit.author), "P-29")?;
        Ok(renewed)
    }

    fn leads(&self) -> bool {
        let author = &self.state.leaves[&self.commit.author];
        let mut facilitators = self.state.terms.facilitators.iter();
        match (self.state.terms.profile, &author.identity) {
            (Profile::Conversation, who) => person_of(who).is_some(),
            (Profile::Circle, Identity::Member(_)) => facilitators.any(|key| *key == *author.key),
            (Profile::Desk, Identity::Member(member)) => member.is_coordinator,
            (Profile::Circle | Profile::Desk, Identity::Person { .. }) => false,
        }
    }

    pub(super) fn who_may(
        &self,
        newcomers: &[(&[u8], &Identity)],
        acted: &[Acted],
        after: Presence,
    ) -> Result<(), Rule> {
        let author = &self.state.leaves[&self.commit.author];
        let uncovered = |leaf: &&u32| !acted.iter().any(|act| act.covers.contains(leaf));
        let removes_freely: Vec<u32> = self
            .commit
            .removes
            .iter()
            .filter(uncovered)
            .copied()
            .collect();
        let adds_freely =
            (0..newcomers.len()).any(|add| !acted.iter().any(|act| act.names == Some(add)));
        let founds = self.founds();
        let may = match self.state.terms.profile {
            Profile::Conversation => {
                self.conversation(newcomers, after)?;
                no_alias(newcomers)?;
                return self.in_conversation(author, &removes_freely, adds_freely && !founds);
            }
            Profile::Circle => {
                self.circle(newcomers)?;
                member_of(&author.identity).is_some()
                    && self
                        .state
                        .terms
                        .facilitators
                        .iter()
                        .any(|key| *key == *author.key)
            }
            Profile::Desk => {
                must(
                    newcomers.iter().all(|(_, who)| person_of(who).is_none()),
                    "P-27",
                )?;
                member_of(&author.identity).is_some_and(|member| member.is_coordinator)
            }
        };
        must(may || founds || !adds_freely, "P-24, P-26")?;
        must(may || removes_freely.is_empty(), "P-24, P-26")
    }

    fn in_conversation(&self, author: &Leaf, removes: &[u32], adds: bool) -> Result<(), Rule> {
        let is_person = person_of(&author.identity).is_some();
        must(is_person || !adds, "P-20")?;
        let may = |leaf: &u32| is_person || self.is_wiped(*leaf);
        must(removes.iter().all(may), "P-21")
    }

    fn conversation(&self, newcomers: &[(&[u8], &Identity)], after: Presence) -> Result<(), Rule> {
        let stays = self
            .staying()
            .filter_map(|(_, leaf)| person_of(&leaf.identity));
        let comes: Vec<_> = newcomers
            .iter()
            .filter_map(|(_, who)| person_of(who))
            .collect();
        let roster: Vec<_> = stays.chain(comes.iter().copied()).collect();
        let persons: BTreeSet<PublicKey> = roster.iter().map(|(person, ..)| *person).collect();
        if after != Presence::Here {
            must(newcomers.is_empty(), "P-22")?;
            let later = self.state.presence != Presence::Here;
            must(!later || !self.commit.removes.is_empty(), "P-22")?;
            return Ok(());
        }
        must(persons.len() == 1, "P-19")?;
        let author = &self.state.leaves[&self.commit.author].identity;
        if self.founds() && member_of(author).is_some() {
            let returns = comes.iter().filter(|(.., is_return)| *is_return).count();
            must(comes.len() - returns == 1 && returns <= 1, "P-19")?;
        }
        let highest = |leaves: &mut dyn Iterator<Item = u32>| leaves.max();
        let before = self
            .state
            .leaves
            .values()
            .filter_map(|leaf| person_of(&leaf.identity));
        let before = highest(&mut before.map(|(_, serial, _)| serial));
        must(
            highest(&mut roster.iter().map(|(_, serial, _)| *serial)) >= before,
            "P-23",
        )
    }

    fn circle(&self, newcomers: &[(&[u8], &Identity)]) -> Result<(), Rule> {
        let comes: Vec<_> = newcomers
            .iter()
            .filter_map(|(_, who)| person_of(who))
            .collect();
        must(comes.iter().all(|(.., is_return)| !is_return), "P-25")?;
        let stays = self
            .staying()
            .filter_map(|(_, leaf)| person_of(&leaf.identity));
        let persons: Vec<PublicKey> = stays.chain(comes).map(|(person, ..)| person).collect();
        let different: BTreeSet<&PublicKey> = persons.iter().collect();
        must(different.len() == persons.len(), "P-25")?;
        let has_none = |who: &Identity| {
            matches!(
                who,
                Identity::Person {
                    has_alias: false,
                    ..
                }
            )
        };
        must(!newcomers.iter().any(|(_, who)| has_none(who)), "P-30")
    }
}

fn no_alias(newcomers: &[(&[u8], &Identity)]) -> Result<(), Rule> {
    let has_one = |who: &Identity| {
        matches!(
            who,
            Identity::Person {
                has_alias: true,
                ..
            }
        )
    };
    must(!newcomers.iter().any(|(_, who)| has_one(who)), "P-30")
}
