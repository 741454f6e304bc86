//! Another accompanier: proposed by a member, added by the person's yes.

use cobijo_protocol::{
    card::Attestation,
    content::{MessageId, Proposal, Reads},
    credential::Identity,
    keys::PublicKey,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::{
    core::{client::ProposalView, group::Member, port::Now},
    mls::{Suite, key_package::OfferedKeyPackage},
};

/// Proposals that wait for her answer at one time; more are ignored.
const PROPOSALS_MAX: usize = 16;

/// What was proposed.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Proposals {
    open: Vec<Open>,
    /// Hashes of every KeyPackage that was proposed: a no is final.
    known: Vec<[u8; 32]>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Open {
    id: MessageId,
    member: PublicKey,
    alias: String,
    role: cobijo_protocol::card::Role,
    not_after: u32,
    reason: String,
    reads: Reads,
    key_package: ByteBuf,
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
    /// Takes a proposal, if it holds and its KeyPackage was never proposed before.
    pub(super) fn take(
        &mut self,
        id: MessageId,
        proposal: Proposal,
        suite: Suite,
        root: &PublicKey,
        members: &[Member],
    ) -> bool {
        let Some((offered, attestation)) = check(&proposal.key_package, suite, root) else {
            return false;
        };
        let is_named = proposal
            .member
            .verify(root)
            .is_ok_and(|(named, _)| named == attestation);
        let is_here = members
            .iter()
            .any(|member| key_of(member) == Some(attestation.key));
        let is_known = self.known.contains(&offered.hash());
        if !is_named || is_here || is_known || self.open.len() >= PROPOSALS_MAX {
            return false;
        }
        self.known.push(offered.hash());
        self.open.push(Open {
            id,
            member: attestation.key,
            alias: attestation.alias,
            role: attestation.role,
            not_after: attestation.not_after,
            reason: proposal.reason,
            reads: proposal.reads,
            key_package: proposal.key_package,
        });
        true
    }

    /// Her yes: freshness is looked at here, by the adder alone. [D-2]
    ///
    /// # Errors
    /// [`Unacceptable`]; the proposal stays as it is.
    pub(super) fn accept(
        &mut self,
        id: MessageId,
        suite: Suite,
        root: &PublicKey,
        now: Now,
    ) -> Result<OfferedKeyPackage, Unacceptable> {
        let position = self
            .open
            .iter()
            .position(|open| open.id == id)
            .ok_or(Unacceptable::Unknown)?;
        let open = self.open.get(position).ok_or(Unacceptable::Unknown)?;
        if open.not_after < now.day() {
            return Err(Unacceptable::OutOfDate);
        }
        let (offered, _) = check(&open.key_package, suite, root).ok_or(Unacceptable::KeyPackage)?;
        self.open.remove(position);
        Ok(offered)
    }

    /// Her no: final.
    ///
    /// # Errors
    /// [`Unacceptable::Unknown`].
    pub(super) fn refuse(&mut self, id: MessageId) -> Result<(), Unacceptable> {
        let before = self.open.len();
        self.open.retain(|open| open.id != id);
        if self.open.len() < before {
            Ok(())
        } else {
            Err(Unacceptable::Unknown)
        }
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
        self.open.iter().map(view).collect()
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
