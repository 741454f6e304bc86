//! What holds for every commit, whoever makes it and in whatever group. [P-2]–[P-9], [P-11]

use std::collections::BTreeSet;

use cobijo_protocol::{
    commit::CommitData,
    credential::{Identity, PersonCredential},
    keys::PublicKey,
    limits::{CUT_MESSAGES_MAX, HEAD_BODIES_MAX},
    parts::BODY_PART_MAX,
};

use super::{Added, Change, Leaf, PathLeaf, Rule, Standing};

/// Most bytes of a Welcome's payload: all of it stands in bodies.
const WELCOME_BYTES_MAX: usize = HEAD_BODIES_MAX * BODY_PART_MAX;
/// The only lifetime of a KeyPackage: one that no reader's clock decides about.
pub(crate) const LIFETIME: (u64, u64) = (0, u64::MAX);

/// A commit whose shape is right, sorted into who stays, who goes and who comes.
pub(super) struct Step<'a> {
    pub(super) standing: &'a Standing<'a>,
    pub(super) data: &'a CommitData,
    pub(super) author: &'a Leaf,
    pub(super) stays: Vec<&'a Leaf>,
    pub(super) removed: Vec<&'a Leaf>,
    pub(super) newcomers: Vec<Newcomer<'a>>,
}

/// A leaf that is added, with an accepted credential.
pub(super) struct Newcomer<'a> {
    pub(super) key: PublicKey,
    pub(super) identity: &'a Identity,
}

impl<'a> Step<'a> {
    /// Checks the shape.
    pub(super) fn of(standing: &'a Standing<'a>, change: &Change<'a>) -> Result<Self, Rule> {
        let data = change.data;
        if data.policy != standing.terms.policy {
            return Err(Rule::Policy);
        }
        let author = leaf(standing, change.author).ok_or(Rule::Author)?;
        check_cut(standing, data)?;
        check_path(change)?;
        let going = distinct_removes(standing, change)?;
        let (removed, stays) = standing
            .leaves
            .iter()
            .partition(|leaf| going.contains(&leaf.index));
        check_welcomes(change)?;
        let newcomers = change.adds.iter().map(Newcomer::of);
        let step = Self {
            standing,
            data,
            author,
            stays,
            removed,
            newcomers: newcomers.collect::<Result<_, _>>()?,
        };
        step.check_keys()?;
        step.check_serials()?;
        Ok(step)
    }

    /// The leaf with that index before the commit.
    pub(super) fn leaf(&self, index: u32) -> Option<&'a Leaf> {
        leaf(self.standing, index)
    }

    /// The leaves of a person before the commit.
    pub(super) fn leaves_of(&self, person: PublicKey) -> impl Iterator<Item = &'a Leaf> {
        let leaves = self.standing.leaves.iter();
        leaves.filter(move |leaf| leaf.person().is_some_and(|hers| hers.person == person))
    }

    /// Whose leaves there are after the commit.
    pub(super) fn after(&self) -> impl Iterator<Item = &'a Identity> {
        let stays = self.stays.iter().map(|leaf| &leaf.identity);
        stays.chain(self.newcomers.iter().map(|newcomer| newcomer.identity))
    }

    /// The persons' credentials after the commit.
    pub(super) fn persons_after(&self) -> impl Iterator<Item = &'a PersonCredential> {
        self.after().filter_map(person)
    }

    /// A key that two leaves shared would let one speak for the other, and a person key that is
    /// some leaf's would let a member's signature pass for a person's. [P-8]
    fn check_keys(&self) -> Result<(), Rule> {
        let mut keys: BTreeSet<_> = self.stays.iter().map(|leaf| leaf.key).collect();
        if !self
            .newcomers
            .iter()
            .all(|newcomer| keys.insert(newcomer.key))
        {
            return Err(Rule::Key);
        }
        let persons: BTreeSet<_> = self.persons_after().map(|hers| hers.person).collect();
        let confused = self.newcomers.iter().any(|newcomer| {
            let person = person(newcomer.identity);
            persons.contains(&newcomer.key)
                || person.is_some_and(|hers| keys.contains(&hers.person))
        });
        if confused { Err(Rule::Key) } else { Ok(()) }
    }

    /// An old KeyPackage or rescue of hers must not come back. [P-11]
    fn check_serials(&self) -> Result<(), Rule> {
        let grows = |hers: &PersonCredential| {
            self.leaves_of(hers.person)
                .filter_map(Leaf::person)
                .all(|before| hers.serial > before.serial)
        };
        let mut persons = self
            .newcomers
            .iter()
            .filter_map(|newcomer| person(newcomer.identity));
        if persons.all(grows) {
            Ok(())
        } else {
            Err(Rule::Serial)
        }
    }
}

impl<'a> Newcomer<'a> {
    /// [P-7]
    fn of(added: &'a Added) -> Result<Self, Rule> {
        if added.lifetime != LIFETIME {
            return Err(Rule::Lifetime);
        }
        Ok(Self {
            key: added.key,
            identity: added.identity.as_ref().ok_or(Rule::Identity)?,
        })
    }

    /// Serial of the desk key that attests it, for a member.
    pub(super) fn desk_serial(&self) -> Option<u32> {
        desk_serial(self.identity)
    }

    /// Whether it is of the person, or the member, whose leaf that is.
    pub(super) fn is_of(&self, leaf: &Leaf) -> bool {
        match (person(self.identity), leaf.person()) {
            (Some(hers), Some(before)) => hers.person == before.person,
            (None, None) => self.key == leaf.key,
            _ => false,
        }
    }
}

impl PathLeaf {
    fn keeps_all(self) -> bool {
        self.keeps_capabilities && self.keeps_credential && self.keeps_extensions && self.keeps_key
    }
}

impl Leaf {
    /// The person's credential, for a person's leaf.
    pub(super) fn person(&self) -> Option<&PersonCredential> {
        person(&self.identity)
    }

    /// Serial of the desk key that attests it, for a member's leaf.
    pub(super) fn desk_serial(&self) -> Option<u32> {
        desk_serial(&self.identity)
    }
}

/// The person's credential, for a person.
pub(super) fn person(identity: &Identity) -> Option<&PersonCredential> {
    match identity {
        Identity::Member { .. } => None,
        Identity::Person(person) => Some(person),
    }
}

fn desk_serial(identity: &Identity) -> Option<u32> {
    match identity {
        Identity::Member { desk_serial, .. } => Some(*desk_serial),
        Identity::Person(_) => None,
    }
}

fn leaf<'a>(standing: &Standing<'a>, index: u32) -> Option<&'a Leaf> {
    standing.leaves.iter().find(|leaf| leaf.index == index)
}

/// A leaf left out or a count too high would move the end of somebody's stream. [P-4]
fn check_cut(standing: &Standing<'_>, data: &CommitData) -> Result<(), Rule> {
    let named = data.cut.iter().map(|&(leaf, _)| leaf);
    let counts_hold = data.cut.iter().all(|&(_, count)| count <= CUT_MESSAGES_MAX);
    if counts_hold && named.eq(standing.leaves.iter().map(|leaf| leaf.index)) {
        Ok(())
    } else {
        Err(Rule::Cut)
    }
}

/// Nobody becomes someone else by an update. [P-5]
fn check_path(change: &Change<'_>) -> Result<(), Rule> {
    match change.path {
        Some(path) if path.keeps_all() => Ok(()),
        Some(_) => Err(Rule::PathLeaf),
        None if change.removes.is_empty() && !change.adds.is_empty() => Ok(()),
        None => Err(Rule::PathMissing),
    }
}

/// [P-6]
fn distinct_removes(standing: &Standing<'_>, change: &Change<'_>) -> Result<BTreeSet<u32>, Rule> {
    let mut going = BTreeSet::new();
    let sound = change.removes.iter().all(|&index| {
        index != change.author && leaf(standing, index).is_some() && going.insert(index)
    });
    if sound { Ok(going) } else { Err(Rule::Removes) }
}

/// [P-9]
fn check_welcomes(change: &Change<'_>) -> Result<(), Rule> {
    let welcomes = &change.data.welcomes;
    let fits = |total: u32| (1..=WELCOME_BYTES_MAX).contains(&(total as usize));
    if welcomes.len() == change.adds.len() && welcomes.iter().all(|&(total, _)| fits(total)) {
        Ok(())
    } else {
        Err(Rule::Welcomes)
    }
}
