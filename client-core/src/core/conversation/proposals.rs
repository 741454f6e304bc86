//! Another accompanier: proposed by a member, added by the person's yes.

use std::collections::VecDeque;

use cobijo_protocol::{
    card::{Attestation, Card},
    content::{MessageId, Proposal, Reads},
    credential::Identity,
    intake::MessageHash,
    keys::PublicKey,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::{
    core::{
        client::{Entry, ProposalView},
        group::Member,
        intake::RETRY_AFTER,
        port::Now,
    },
    mls::{Suite, key_package::OfferedKeyPackage},
};

/// Proposals that wait for her answer at one time.
const PROPOSALS_MAX: usize = 16;
/// Of one proposer: a newer one takes the place of her oldest, so that she shuts nobody else out.
const PROPOSALS_OF_ONE_MAX: usize = 4;
/// KeyPackages that she said no to and that are remembered.
const REFUSED_MAX: usize = 256;

/// What was proposed.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Proposals {
    open: Vec<Open>,
    /// Hashes of the KeyPackages that she said no to, which is final; the oldest give way.
    #[serde(default)]
    refused: VecDeque<MessageHash>,
    /// When a card is to be looked at, where none came.
    #[serde(skip)]
    look: Now,
}

#[derive(Clone, Serialize, Deserialize)]
struct Open {
    id: MessageId,
    proposer: PublicKey,
    /// What is shown of it, until the card has told that both are of the desk.
    unchecked: Option<Box<Entry>>,
    /// Her yes was given: it counts once a card that was fetched after it names both still.
    #[serde(default)]
    accepted: bool,
    member: PublicKey,
    alias: String,
    role: cobijo_protocol::card::Role,
    not_after: u32,
    reason: String,
    reads: Reads,
    key_package: ByteBuf,
}

/// A proposal as it came.
pub(super) struct Proposed {
    /// Its name.
    pub(super) id: MessageId,
    /// Attested key of its author.
    pub(super) proposer: PublicKey,
    /// What it says.
    pub(super) proposal: Proposal,
    /// How it is shown.
    pub(super) entry: Entry,
}

/// What a card says of the proposals.
#[derive(Default)]
pub(super) struct Looked {
    /// She may be asked.
    pub(super) shown: Vec<(MessageId, Entry)>,
    /// She said yes: to be added.
    pub(super) added: Vec<OfferedKeyPackage>,
    /// She said yes, and one of the two is no longer of the desk.
    pub(super) refused: usize,
}

/// Why a proposal can't be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unacceptable {
    /// There is no such proposal.
    #[error("no such proposal")]
    Unknown,
    /// The colleague's attestation is out of date.
    #[error("attestation that is out of date")]
    OutOfDate,
    /// The KeyPackage doesn't hold, or isn't the colleague's.
    #[error("not a KeyPackage of the colleague")]
    KeyPackage,
}

impl Proposals {
    /// Takes a proposal, if it holds, she never said no to its KeyPackage, and it isn't open already by the
    /// same proposer: by another it may be, who can't know that one. She is asked once a
    /// card has told that both are of the desk: see [`Self::handle_card`].
    pub(super) fn take(
        &mut self,
        proposed: Proposed,
        suite: Suite,
        root: &PublicKey,
        members: &[Member],
    ) {
        let Proposed {
            id,
            proposer,
            proposal,
            entry,
        } = proposed;
        let Some((offered, attestation)) = check(&proposal.key_package, suite, root) else {
            return;
        };
        let is_named = proposal
            .member
            .verify(root)
            .is_ok_and(|(named, _)| named == attestation);
        let is_here = members
            .iter()
            .any(|member| key_of(member) == Some(attestation.key));
        let is_open =
            |open: &Open| open.proposer == proposer && open.key_package == proposal.key_package;
        let is_known = self.refused.contains(&offered.hash()) || self.open.iter().any(is_open);
        if !is_named || is_here || is_known {
            return;
        }
        self.make_room(&proposer);
        if self.open.len() >= PROPOSALS_MAX {
            return;
        }
        self.open.push(Open {
            id,
            proposer,
            unchecked: Some(Box::new(entry)),
            accepted: false,
            member: attestation.key,
            alias: attestation.alias,
            role: attestation.role,
            not_after: attestation.not_after,
            reason: proposal.reason,
            reads: proposal.reads,
            key_package: proposal.key_package,
        });
        self.look = Now::default();
    }

    fn make_room(&mut self, proposer: &PublicKey) {
        let is_hers = |open: &Open| open.proposer == *proposer && !open.accepted;
        if self.open.iter().filter(|open| is_hers(open)).count() >= PROPOSALS_OF_ONE_MAX
            && let Some(oldest) = self.open.iter().position(is_hers)
        {
            self.open.remove(oldest);
        }
    }

    /// When a card is to be fetched and given to [`Self::handle_card`].
    pub(super) fn poll_timeout(&self) -> Option<Now> {
        let waits = |open: &Open| open.unchecked.is_some() || open.accepted;
        self.open.iter().any(waits).then_some(self.look)
    }

    /// No card came: later again.
    pub(super) fn postpone_card(&mut self, now: Now) {
        self.look = now.plus(RETRY_AFTER);
    }

    /// Attestations hold for a year: the card tells who is of the desk now, before she is asked and again
    /// after her yes. What was proposed by, or of, anybody else is dropped.
    pub(super) fn handle_card(
        &mut self,
        card: &Card,
        suite: Suite,
        root: &PublicKey,
        now: Now,
    ) -> Looked {
        let is_of_desk = |key: &PublicKey| card.body.posters.contains(key);
        let mut looked = Looked::default();
        for mut open in std::mem::take(&mut self.open) {
            let holds = is_of_desk(&open.proposer) && is_of_desk(&open.member);
            match (open.unchecked.take(), open.accepted) {
                (Some(entry), _) if holds => looked.shown.push((open.id, *entry)),
                (Some(_), _) => continue,
                (None, false) => {}
                (None, true) => {
                    let fresh = open.not_after >= now.day() && holds;
                    match check(&open.key_package, suite, root).filter(|_| fresh) {
                        Some((offered, _)) => looked.added.push(offered),
                        None => looked.refused += 1,
                    }
                    continue;
                }
            }
            self.open.push(open);
        }
        looked
    }

    /// Her yes: freshness is looked at here, by the adder alone; who is of the desk, by the next card. [D-2]
    ///
    /// # Errors
    /// [`Unacceptable`]; the proposal stays as it is.
    pub(super) fn accept(
        &mut self,
        id: MessageId,
        suite: Suite,
        root: &PublicKey,
        now: Now,
    ) -> Result<(), Unacceptable> {
        let mut open = self.open.iter_mut();
        let open = open
            .find(|open| open.id == id && open.unchecked.is_none())
            .ok_or(Unacceptable::Unknown)?;
        if open.not_after < now.day() {
            return Err(Unacceptable::OutOfDate);
        }
        check(&open.key_package, suite, root).ok_or(Unacceptable::KeyPackage)?;
        open.accepted = true;
        self.look = Now::default();
        Ok(())
    }

    /// Her no: final.
    ///
    /// # Errors
    /// [`Unacceptable::Unknown`].
    pub(super) fn refuse(&mut self, id: MessageId) -> Result<(), Unacceptable> {
        let is_it = |open: &Open| open.id == id && open.unchecked.is_none();
        let at = self.open.iter().position(is_it);
        let open = self.open.remove(at.ok_or(Unacceptable::Unknown)?);
        self.refused.push_back(MessageHash::of(&open.key_package));
        if self.refused.len() > REFUSED_MAX {
            self.refused.pop_front();
        }
        Ok(())
    }

    /// Drops proposals of somebody who has come in another way.
    pub(super) fn drop_present(&mut self, members: &[Member]) {
        self.open.retain(|open| {
            !members
                .iter()
                .any(|member| key_of(member) == Some(open.member))
        });
    }

    /// What waits for her answer.
    pub(super) fn views(&self) -> Vec<ProposalView> {
        let view = |open: &Open| ProposalView {
            id: open.id,
            alias: open.alias.clone(),
            role: open.role,
            reason: open.reason.clone(),
            reads: open.reads,
        };
        let waits = |open: &&Open| open.unchecked.is_none() && !open.accepted;
        let checked = self.open.iter().filter(waits);
        checked.map(view).collect()
    }
}

/// The colleague's KeyPackage, and what attests her.
fn check(
    message: &[u8],
    suite: Suite,
    root: &PublicKey,
) -> Option<(OfferedKeyPackage, Attestation)> {
    let offered = OfferedKeyPackage::parse(message, suite, root).ok()?;
    let Identity::Member { attestation, .. } = offered.identity() else {
        return None;
    };
    let attestation = attestation.clone();
    Some((offered, attestation))
}

fn key_of(member: &Member) -> Option<PublicKey> {
    match &member.identity {
        Identity::Member { attestation, .. } => Some(attestation.key),
        Identity::Person(_) => None,
    }
}
