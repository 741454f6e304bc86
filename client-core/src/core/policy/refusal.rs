//! Why a commit is refused.

use cobijo_protocol::commit::{POLICY, Terms};

/// What a client does with a commit that it doesn't accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// This client can't judge the group's commits: it stops, and looks at no later index. [P-2]
    #[error("group of a policy that this version doesn't know")]
    UnknownPolicy,
    /// Void for everyone: the next index follows.
    #[error("void commit: {0}")]
    Void(#[from] Rule),
}

/// The rule that a void commit breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Rule {
    /// [P-22]
    #[error("adds after the person left")]
    AddAfterEnd,
    /// [P-30]
    #[error("person without a pseudonym in a circle, or with one elsewhere")]
    Alias,
    /// [P-3]
    #[error("author is no leaf of the epoch")]
    Author,
    /// [P-25]
    #[error("more than one leaf, or no device leaf, for a person of a circle")]
    CircleLeaf,
    /// [P-4]
    #[error("cut doesn't name every leaf once, in order, within the limit")]
    Cut,
    /// [P-10]
    #[error("desk key of a lower serial than one seen")]
    DeskSerial,
    /// [P-19]
    #[error("founding commit without one device leaf and at most one return leaf")]
    Founding,
    /// [P-7]
    #[error("added leaf without an accepted credential")]
    Identity,
    /// [P-8]
    #[error("key that another leaf or a person has")]
    Key,
    /// [P-13]
    #[error("leave that doesn't hold for the present leaf")]
    Leave,
    /// [P-7]
    #[error("key package that a clock would judge")]
    Lifetime,
    /// [P-20], [P-24], [P-26]
    #[error("author may not add")]
    MayNotAdd,
    /// [P-21], [P-24], [P-26]
    #[error("author may not remove")]
    MayNotRemove,
    /// [P-17]
    #[error("member's rescue that doesn't hold")]
    MemberRescue,
    /// [P-12]
    #[error("statement that the commit doesn't act on")]
    NotActedOn,
    /// [P-19]
    #[error("not exactly one person in a conversation")]
    OnePerson,
    /// [P-22]
    #[error("removes nothing after the person left")]
    OnlyRemovals,
    /// [P-5]
    #[error("no path where one is required")]
    PathMissing,
    /// [P-5]
    #[error("path leaf that changes more than its keys")]
    PathLeaf,
    /// [P-27]
    #[error("person in a desk")]
    PersonInDesk,
    /// [P-16]
    #[error("person's rescue that doesn't hold")]
    PersonRescue,
    /// [P-2]
    #[error("policy number other than the group's")]
    Policy,
    /// [P-29]
    #[error("second renewal of one who may not remove, with nothing of others' between")]
    Renewed,
    /// [P-15]
    #[error("removal that doesn't hold")]
    Removal,
    /// [P-6]
    #[error("removes no leaf of the epoch, one twice, or the author")]
    Removes,
    /// [P-11]
    #[error("person's leaf whose serial doesn't grow")]
    Serial,
    /// [P-23]
    #[error("highest serial of the person's leaves falls")]
    SerialFalls,
    /// [P-12]
    #[error("more statements than leaves, or two about one leaf")]
    Statements,
    /// [P-9]
    #[error("welcomes that don't match the adds")]
    Welcomes,
    /// [P-14]
    #[error("wipe that doesn't hold")]
    Wipe,
}

/// Refuses terms that this version can't judge by. [P-2]
pub(super) fn known_policy(terms: &Terms) -> Result<(), Refusal> {
    if terms.policy == POLICY {
        Ok(())
    } else {
        Err(Refusal::UnknownPolicy)
    }
}
