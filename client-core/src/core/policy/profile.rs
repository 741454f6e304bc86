//! Who may add and remove, in a conversation, a circle and a desk. [P-18]–[P-27], [P-29], [P-30]

use std::collections::BTreeSet;

use cobijo_protocol::{
    card::Role,
    commit::{Profile, Terms},
    credential::{Identity, PersonCredential, PersonLeaf},
};

use super::{
    Leaf, Presence, Rule,
    shape::{Step, person},
    statement::Warrants,
};

/// Checks what the group's profile asks.
pub(super) fn check(step: &Step<'_>, warrants: &Warrants) -> Result<(), Rule> {
    match step.standing.terms.profile {
        Profile::Conversation => check_conversation(step, warrants)?,
        Profile::Circle => check_circle(step)?,
        Profile::Desk => check_desk(step)?,
    }
    check_aliases(step)?;
    let leads = author_leads(step);
    let may_add = leads || is_founding(step);
    if !may_add
        && !step
            .newcomers
            .iter()
            .all(|newcomer| warrants.rescues(newcomer))
    {
        return Err(Rule::MayNotAdd);
    }
    if !leads
        && !step
            .removed
            .iter()
            .all(|leaf| warrants.cause(leaf).is_some())
    {
        return Err(Rule::MayNotRemove);
    }
    Ok(())
}

/// Who may not renew again after the commit. Were renewals free for those who may not remove, one of them
/// could put one behind the other, and be first for as long as somebody tries to remove her. [P-29]
pub(super) fn renewed(step: &Step<'_>) -> Result<BTreeSet<u32>, Rule> {
    let changes = !step.newcomers.is_empty() || !step.removed.is_empty();
    if changes || author_leads(step) {
        return Ok(BTreeSet::new());
    }
    let mut renewed = step.standing.renewed.clone();
    if renewed.insert(step.author.index) {
        Ok(renewed)
    } else {
        Err(Rule::Renewed)
    }
}

/// The author may add and remove without a statement. [P-20], [P-21], [P-24], [P-26]
fn author_leads(step: &Step<'_>) -> bool {
    leads(step.standing.terms, step.author)
}

/// Whose commits add and remove without a statement.
pub(super) fn leads(terms: &Terms, leaf: &Leaf) -> bool {
    match (&leaf.identity, terms.profile) {
        (Identity::Person(_), profile) => profile == Profile::Conversation,
        (Identity::Member { .. }, Profile::Conversation) => false,
        (Identity::Member { .. }, Profile::Circle) => terms.facilitators.contains(&leaf.key),
        (Identity::Member { attestation, .. }, Profile::Desk) => {
            attestation.role == Role::Coordinator
        }
    }
}

/// The commit that ends epoch 0 of a desk's group. [P-10]
pub(super) fn founds_desk(step: &Step<'_>) -> bool {
    step.standing.terms.profile == Profile::Desk && is_founding(step)
}

/// The commit that ends epoch 0, whose only leaf is the creator's. [P-18]
fn is_founding(step: &Step<'_>) -> bool {
    step.standing.epoch == 0 && step.author.index == 0
}

fn check_conversation(step: &Step<'_>, warrants: &Warrants) -> Result<(), Rule> {
    if warrants.presence != Presence::Here {
        return check_ended(step);
    }
    let persons: BTreeSet<_> = step.persons_after().map(|hers| hers.person).collect();
    if persons.len() != 1 {
        return Err(Rule::OnePerson);
    }
    if is_founding(step) && step.author.person().is_none() {
        check_founding_leaves(step)?;
    }
    check_serial_stays(step)
}

/// What she ended only empties. [P-22]
fn check_ended(step: &Step<'_>) -> Result<(), Rule> {
    if !step.newcomers.is_empty() {
        return Err(Rule::AddAfterEnd);
    }
    if step.standing.presence != Presence::Here && step.removed.is_empty() {
        return Err(Rule::OnlyRemovals);
    }
    Ok(())
}

/// More leaves of hers, which she might not know of, take her own commit. [P-19]
fn check_founding_leaves(step: &Step<'_>) -> Result<(), Rule> {
    let (devices, returns): (Vec<_>, Vec<_>) = step
        .persons_after()
        .partition(|hers| hers.leaf == PersonLeaf::Device);
    if devices.len() == 1 && returns.len() <= 1 {
        Ok(())
    } else {
        Err(Rule::Founding)
    }
}

/// Were the leaf of the highest serial gone, an old rescue of hers would hold again. [P-23]
fn check_serial_stays(step: &Step<'_>) -> Result<(), Rule> {
    let serials = |hers: &PersonCredential| hers.serial;
    let leaves = step.standing.leaves.iter();
    let before = leaves.filter_map(Leaf::person).map(serials).max();
    if step.persons_after().map(serials).max() >= before {
        Ok(())
    } else {
        Err(Rule::SerialFalls)
    }
}

/// [P-25]
fn check_circle(step: &Step<'_>) -> Result<(), Rule> {
    let mut persons = BTreeSet::new();
    let one_device_each = step
        .persons_after()
        .all(|hers| hers.leaf == PersonLeaf::Device && persons.insert(hers.person));
    if one_device_each {
        Ok(())
    } else {
        Err(Rule::CircleLeaf)
    }
}

/// All see it who see the leaf, and where she is the only person she needs none. [P-30]
fn check_aliases(step: &Step<'_>) -> Result<(), Rule> {
    let in_circle = step.standing.terms.profile == Profile::Circle;
    let newcomers = step.newcomers.iter();
    let mut persons = newcomers.filter_map(|newcomer| person(newcomer.identity));
    if persons.all(|hers| hers.alias.is_some() == in_circle) {
        Ok(())
    } else {
        Err(Rule::Alias)
    }
}

/// [P-27]
fn check_desk(step: &Step<'_>) -> Result<(), Rule> {
    let mut newcomers = step.newcomers.iter();
    if newcomers.any(|newcomer| person(newcomer.identity).is_some()) {
        Err(Rule::PersonInDesk)
    } else {
        Ok(())
    }
}
