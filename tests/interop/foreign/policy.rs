//! The policy: a commit's verdict, from the group and the commit alone.

mod profile;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    desk::{Attested, DeskKey},
    group::{CommitData, Identity, POLICY, Profile, Statement, Terms, named},
    signature::{PublicKey, holds},
};

const COUNT_MAX: u32 = 512;
const TOTAL_MAX: u32 = 64 * 4053;

/// A leaf of the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) key: Vec<u8>,
    pub(crate) identity: Identity,
    pub(crate) hash: [u8; 32],
}

/// A leaf that a commit adds.
#[derive(Debug, Clone)]
pub(crate) struct Newcomer {
    pub(crate) key: Vec<u8>,
    /// Where it is accepted.
    pub(crate) identity: Option<Identity>,
    pub(crate) lifetime: (u64, u64),
    pub(crate) has_welcome_secret: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Here,
    Left,
    Wiped,
}

#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) group: Vec<u8>,
    pub(crate) epoch: u64,
    pub(crate) terms: Terms,
    pub(crate) leaves: BTreeMap<u32, Leaf>,
    pub(crate) desk_serial: u32,
    pub(crate) presence: Presence,
    pub(crate) renewed: BTreeSet<u32>,
}

#[derive(Debug, Clone)]
pub(crate) struct Commit {
    pub(crate) author: u32,
    /// Whether the path leaf keeps what it has to keep, where there is one.
    pub(crate) path_keeps: Option<bool>,
    pub(crate) adds: Vec<Newcomer>,
    pub(crate) removes: Vec<u32>,
    pub(crate) data: CommitData,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Valid(Effect),
    Void(&'static str),
    Stop,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) desk_serial: u32,
    pub(crate) presence: Presence,
    pub(crate) removed: BTreeMap<u32, Cause>,
    pub(crate) renewed: BTreeSet<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    Author,
    Leave,
    Wipe,
    Removal,
    Rescue,
}

pub(crate) fn judge(state: &State, commit: &Commit) -> Verdict {
    if state.terms.policy != POLICY {
        return Verdict::Stop;
    }
    match (Judge { state, commit }).judge() {
        Ok(effect) => Verdict::Valid(effect),
        Err(rule) => Verdict::Void(rule),
    }
}

struct Judge<'a> {
    state: &'a State,
    commit: &'a Commit,
}

type Rule = &'static str;

/// What a statement does.
struct Acted {
    cause: Cause,
    covers: Vec<u32>,
    /// Position among the Adds of the newcomer that it names.
    names: Option<usize>,
}

fn must(holds: bool, rule: Rule) -> Result<(), Rule> {
    holds.then_some(()).ok_or(rule)
}

fn person_of(identity: &Identity) -> Option<(PublicKey, u32, bool)> {
    match identity {
        Identity::Person {
            person,
            serial,
            is_return,
            ..
        } => Some((*person, *serial, *is_return)),
        Identity::Member(_) => None,
    }
}

fn member_of(identity: &Identity) -> Option<&Attested> {
    match identity {
        Identity::Member(member) => Some(member),
        Identity::Person { .. } => None,
    }
}

impl Judge<'_> {
    fn judge(&self) -> Result<Effect, Rule> {
        must(self.commit.data.policy == self.state.terms.policy, "P-2")?;
        self.shape()?;
        let newcomers = self.newcomers()?;
        let statements = self.statements()?;
        let desk_serial = self.serials(&newcomers, &statements)?;
        let acted = self.acts(&newcomers, &statements)?;
        let presence = self.presence(&acted);
        self.who_may(&newcomers, &acted, presence)?;
        let renewed = self.renewed()?;
        let attested = newcomers.iter().filter_map(|(_, who)| member_of(who));
        let removed = self.commit.removes.iter().map(|leaf| {
            let act = acted.iter().find(|act| act.covers.contains(leaf));
            let cause = match act {
                Some(act) => act.cause,
                None if self.is_wiped(*leaf) => Cause::Wipe,
                None => Cause::Author,
            };
            (*leaf, cause)
        });
        Ok(Effect {
            desk_serial: attested
                .map(|member| member.desk_serial)
                .fold(desk_serial, u32::max),
            presence,
            removed: removed.collect(),
            renewed,
        })
    }

    fn shape(&self) -> Result<(), Rule> {
        let (leaves, commit) = (&self.state.leaves, self.commit);
        must(leaves.contains_key(&commit.author), "P-3")?;
        let cut = &commit.data.cut;
        let named: Vec<u32> = cut.iter().map(|(leaf, _)| *leaf).collect();
        must(leaves.keys().copied().eq(named), "P-4")?;
        must(cut.iter().all(|(_, count)| *count <= COUNT_MAX), "P-4")?;
        let only_adds = !commit.adds.is_empty() && commit.removes.is_empty();
        must(commit.path_keeps.unwrap_or(only_adds), "P-5")?;
        let removes: BTreeSet<u32> = commit.removes.iter().copied().collect();
        must(removes.len() == commit.removes.len(), "P-6")?;
        must(removes.iter().all(|leaf| leaves.contains_key(leaf)), "P-6")?;
        must(!removes.contains(&commit.author), "P-6")?;
        must(commit.data.welcomes.len() == commit.adds.len(), "P-9")?;
        let sound = |(total, _): &(u32, [u8; 32])| (1..=TOTAL_MAX).contains(total);
        must(commit.data.welcomes.iter().all(sound), "P-9")
    }

    /// Leaves that stay.
    fn staying(&self) -> impl Iterator<Item = (u32, &Leaf)> {
        let removes = &self.commit.removes;
        self.state
            .leaves
            .iter()
            .filter(|(index, _)| !removes.contains(index))
            .map(|(index, leaf)| (*index, leaf))
    }

    fn newcomers(&self) -> Result<Vec<(&[u8], &Identity)>, Rule> {
        let mut newcomers = Vec::new();
        for add in &self.commit.adds {
            must(
                add.lifetime == (0, u64::MAX) && add.has_welcome_secret,
                "P-7",
            )?;
            newcomers.push((add.key.as_slice(), add.identity.as_ref().ok_or("P-7")?));
        }
        let after: Vec<(&[u8], &Identity)> = self
            .staying()
            .map(|(_, leaf)| (leaf.key.as_slice(), &leaf.identity))
            .chain(newcomers.iter().copied())
            .collect();
        for (key, who) in &newcomers {
            let same = after.iter().filter(|(other, _)| other == key).count();
            must(same == 1, "P-8")?;
            let is_person = |(_, other): &(&[u8], &Identity)| {
                person_of(other).is_some_and(|(person, ..)| person == **key)
            };
            must(!after.iter().any(is_person), "P-8")?;
            let Some((person, serial, _)) = person_of(who) else {
                continue;
            };
            must(!after.iter().any(|(other, _)| *other == person), "P-8")?;
            let lower = |leaf: &Leaf| {
                person_of(&leaf.identity)
                    .is_none_or(|(same, old, _)| same != person || old < serial)
            };
            must(self.state.leaves.values().all(lower), "P-11")?;
        }
        Ok(newcomers)
    }

    fn statements(&self) -> Result<Vec<Statement>, Rule> {
        let items = &self.commit.data.statements;
        must(items.len() <= self.state.leaves.len(), "P-12")?;
        let root = &self.state.terms.root;
        items
            .iter()
            .map(|item| Statement::read(item, root).ok_or("P-12"))
            .collect()
    }

    fn serials(
        &self,
        newcomers: &[(&[u8], &Identity)],
        statements: &[Statement],
    ) -> Result<u32, Rule> {
        let desks = statements.iter().filter_map(|statement| match statement {
            Statement::Removal { desk, .. } | Statement::MemberRescue { desk, .. } => Some(desk),
            _ => None,
        });
        let desks: Vec<&DeskKey> = desks.collect();
        let leaves = self.state.leaves.values();
        let attested = leaves.filter_map(|leaf| member_of(&leaf.identity));
        let highest = desks
            .iter()
            .map(|desk| desk.serial)
            .chain(attested.map(|member| member.desk_serial))
            .fold(self.state.desk_serial, u32::max);
        must(desks.iter().all(|desk| desk.serial >= highest), "P-10")?;
        let mut members = newcomers.iter().filter_map(|(_, who)| member_of(who));
        let is_new = |member: &Attested| member.desk_serial >= highest;
        must(self.founds_desk() || members.all(is_new), "P-10")?;
        Ok(highest)
    }

    fn acts(
        &self,
        newcomers: &[(&[u8], &Identity)],
        statements: &[Statement],
    ) -> Result<Vec<Acted>, Rule> {
        let mut acted = Vec::new();
        let mut covered = BTreeSet::new();
        for statement in statements {
            let act = self.act(newcomers, statement)?;
            must(!act.covers.is_empty(), "P-12")?;
            for leaf in &act.covers {
                must(covered.insert(*leaf), "P-12")?;
                let stays = act.cause == Cause::Wipe && *leaf == self.commit.author;
                must(stays || self.commit.removes.contains(leaf), "P-12")?;
            }
            if matches!(act.cause, Cause::Leave | Cause::Removal) {
                for leaf in &act.covers {
                    let gone = &self.state.leaves[leaf];
                    let again = |(key, who): &(&[u8], &Identity)| match person_of(&gone.identity) {
                        Some((person, ..)) => {
                            person_of(who).is_some_and(|(same, ..)| same == person)
                        }
                        None => member_of(who).is_some() && *key == gone.key,
                    };
                    must(!newcomers.iter().any(again), "P-12")?;
                }
            }
            acted.push(act);
        }
        Ok(acted)
    }

    fn leaves_of(&self, person: &PublicKey) -> Vec<u32> {
        let hers =
            |leaf: &Leaf| person_of(&leaf.identity).is_some_and(|(same, ..)| same == *person);
        self.state
            .leaves
            .iter()
            .filter(|(_, leaf)| hers(leaf))
            .map(|(index, _)| *index)
            .collect()
    }

    fn member_with(&self, key: &PublicKey) -> Option<(u32, &Attested)> {
        self.state.leaves.iter().find_map(|(index, leaf)| {
            member_of(&leaf.identity)
                .filter(|member| member.key == *key)
                .map(|member| (*index, member))
        })
    }

    /// What a leave covers.
    fn left(&self, leaf: u32, signature: &[u8]) -> Result<Vec<u32>, Rule> {
        let at = self.state.leaves.get(&leaf).ok_or("P-13")?;
        let (signer, covers) = match person_of(&at.identity) {
            Some((person, ..)) => (person, self.leaves_of(&person)),
            None => (at.key.clone().try_into().map_err(|_| "P-13")?, vec![leaf]),
        };
        let message: [&[u8]; 2] = [&named(&self.state.group), &at.hash];
        must(holds(&signer, "leave", &message, signature), "P-13")?;
        Ok(covers)
    }

    fn act(&self, newcomers: &[(&[u8], &Identity)], statement: &Statement) -> Result<Acted, Rule> {
        let group = named(&self.state.group);
        let act = |cause, covers| {
            Ok(Acted {
                cause,
                covers,
                names: None,
            })
        };
        match statement {
            Statement::Leave { leaf, signature } => {
                let covers = self.left(*leaf, signature)?;
                act(Cause::Leave, covers)
            }
            Statement::Wipe { person, signature } => {
                must(self.state.terms.profile == Profile::Conversation, "P-14")?;
                must(holds(person, "wipe", &[&group], signature), "P-14")?;
                act(Cause::Wipe, self.leaves_of(person))
            }
            Statement::Removal { key, .. } => {
                let covers = self.member_with(key).map(|(leaf, _)| leaf);
                act(Cause::Removal, covers.into_iter().collect())
            }
            Statement::PersonRescue {
                person,
                leaf_key,
                signature,
            } => {
                must(
                    holds(person, "rescue", &[&group, leaf_key], signature),
                    "P-16",
                )?;
                let names = newcomers.iter().position(|(key, who)| {
                    let is_device = person_of(who)
                        .is_some_and(|(same, _, is_return)| same == *person && !is_return);
                    key == leaf_key && is_device
                });
                must(names.is_some(), "P-16")?;
                Ok(Acted {
                    cause: Cause::Rescue,
                    covers: self.leaves_of(person),
                    names,
                })
            }
            Statement::MemberRescue {
                group, old, new, ..
            } => {
                must(*group == self.state.group, "P-17")?;
                let (leaf, member) = self.member_with(old).ok_or("P-17")?;
                let names = newcomers.iter().position(|(_, who)| {
                    member_of(who).is_some_and(|again| {
                        again.key == *new
                            && again.alias == member.alias
                            && again.serial > member.serial
                    })
                });
                must(names.is_some(), "P-17")?;
                Ok(Acted {
                    cause: Cause::Rescue,
                    covers: vec![leaf],
                    names,
                })
            }
        }
    }

    fn presence(&self, acted: &[Acted]) -> Presence {
        let is_hers = |act: &&Acted| {
            act.covers
                .iter()
                .any(|leaf| person_of(&self.state.leaves[leaf].identity).is_some())
        };
        let of = |cause| acted.iter().filter(move |act| act.cause == cause);
        if self.state.terms.profile != Profile::Conversation {
            return self.state.presence;
        }
        if self.state.presence == Presence::Wiped || of(Cause::Wipe).next().is_some() {
            return Presence::Wiped;
        }
        match of(Cause::Leave).find(is_hers) {
            Some(_) => Presence::Left,
            None => self.state.presence,
        }
    }
}
