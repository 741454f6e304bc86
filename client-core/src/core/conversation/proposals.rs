//! Another accompanier: proposed by a member, added by the person's yes., [A-10]

use std::collections::{BTreeSet, VecDeque};

use cobijo_protocol::{
    card::{Attestation, Card},
    content::{MessageId, Proposal, Purpose, Reads},
    credential::Identity,
    intake::MessageHash,
    keys::PublicKey,
    limits::REASON_BYTES_MAX,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::Agreed;
use crate::{
    core::{
        client::{Entry, EntryContent, ProposalView, ShiftEnd, Speaker},
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
    by: Option<Speaker>,
    /// What is shown of it, until the card has told that both are of the desk.
    unchecked: Option<Box<Entry>>,
    /// Her yes was given: it counts once a card that was fetched after it names both still.
    accepted: Option<Agreed>,
    member: PublicKey,
    alias: String,
    role: cobijo_protocol::card::Role,
    not_after: u32,
    purpose: Purpose,
    reason: String,
    reads: Reads,
    ends: Option<ShiftEnd>,
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

impl Proposed {
    /// Whether she may be asked that, of somebody who has said something already or not.
    pub(super) fn fits(&self, root: &PublicKey, has_spoken: bool) -> bool {
        let Ok((member, _)) = self.proposal.member.verify(root) else {
            return false;
        };
        let (purpose, reads) = (self.proposal.purpose, self.proposal.reads);
        let is_hand_over = purpose == Purpose::HandOver;
        let is_late = purpose == Purpose::Buddy && has_spoken;
        let is_short = self.proposal.reason.len() <= REASON_BYTES_MAX;
        purpose.fits(member.role, reads)
            && is_hand_over == self.ends().is_some()
            && !is_late
            && is_short
    }

    fn ends(&self) -> Option<ShiftEnd> {
        let EntryContent::ShiftEnds { ends, .. } = &self.entry.content else {
            return None;
        };
        Some(*ends)
    }
}

/// What is left to be told of a proposal that is dropped: that a shift ends.
pub(super) fn without_next(entry: Entry) -> Option<Entry> {
    let EntryContent::ShiftEnds { ends, .. } = entry.content else {
        return None;
    };
    let content = EntryContent::ShiftEnds { ends, next: None };
    Some(Entry { content, ..entry })
}

/// What a card says of the proposals.
#[derive(Default)]
pub(super) struct Looked {
    /// She may be asked.
    pub(super) shown: Vec<(MessageId, Entry)>,
    /// She need not be asked: what is left to be told.
    pub(super) dropped: Vec<Entry>,
    /// She said yes: to be added, one at a time.
    pub(super) added: Option<(OfferedKeyPackage, Agreed)>,
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
    /// card has told that both are of the desk: see [`Self::handle_card`]. Gives the line of one that is dropped.
    pub(super) fn take(
        &mut self,
        proposed: Proposed,
        suite: Suite,
        root: &PublicKey,
        members: &[Member],
    ) -> Option<Entry> {
        let ends = proposed.ends();
        let Proposed {
            id,
            proposer,
            proposal,
            entry,
        } = proposed;
        let Some((offered, attestation)) = check(&proposal.key_package, suite, root) else {
            return Some(entry);
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
            return Some(entry);
        }
        self.make_room(&proposer);
        if self.open.len() >= PROPOSALS_MAX {
            return Some(entry);
        }
        self.open.push(Open {
            id,
            proposer,
            by: entry.author.clone(),
            unchecked: Some(Box::new(entry)),
            accepted: None,
            member: attestation.key,
            alias: attestation.alias,
            role: attestation.role,
            not_after: attestation.not_after,
            purpose: proposal.purpose,
            reason: proposal.reason,
            reads: proposal.reads,
            ends,
            key_package: proposal.key_package,
        });
        self.look = Now::default();
        None
    }

    fn make_room(&mut self, proposer: &PublicKey) {
        let is_hers = |open: &Open| open.proposer == *proposer && open.accepted.is_none();
        if self.open.iter().filter(|open| is_hers(open)).count() >= PROPOSALS_OF_ONE_MAX
            && let Some(oldest) = self.open.iter().position(is_hers)
        {
            self.open.remove(oldest);
        }
    }

    /// When a card is to be fetched and given to [`Self::handle_card`]; while somebody is on her way in
    /// nobody else is added.
    pub(super) fn poll_timeout(&self, is_handing: bool) -> Option<Now> {
        let is_accepted = |open: &Open| open.accepted.is_some() && !is_handing;
        let waits = |open: &Open| open.unchecked.is_some() || is_accepted(open);
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
        may_add: bool,
        now: Now,
    ) -> Looked {
        let is_of_desk = |key: &PublicKey| card.body.posters.contains(key);
        let mut looked = Looked::default();
        for mut open in std::mem::take(&mut self.open) {
            let holds = is_of_desk(&open.proposer) && is_of_desk(&open.member);
            if let Some(entry) = open.unchecked.take() {
                if holds {
                    looked.shown.push((open.id, *entry));
                    self.open.push(open);
                } else {
                    looked.dropped.extend(without_next(*entry));
                }
                continue;
            }
            let is_turn = may_add && looked.added.is_none();
            let Some(agreed) = open.accepted.take_if(|_| is_turn) else {
                self.open.push(open);
                continue;
            };
            let fresh = open.not_after >= now.day() && holds;
            match check(&open.key_package, suite, root).filter(|_| fresh) {
                Some((offered, _)) => looked.added = Some((offered, agreed)),
                None => looked.refused += 1,
            }
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
        agreed: Agreed,
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
        open.accepted = Some(agreed);
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
        self.note_refused(&open);
        Ok(())
    }

    /// She said no already, on another device.
    pub(super) fn forget_refused(&mut self, id: MessageId) {
        if let Some(at) = self.open.iter().position(|open| open.id == id) {
            let open = self.open.remove(at);
            self.note_refused(&open);
        }
    }

    fn note_refused(&mut self, open: &Open) {
        self.refused.push_back(MessageHash::of(&open.key_package));
        if self.refused.len() > REFUSED_MAX {
            self.refused.pop_front();
        }
    }

    /// What a colleague who was proposed would read of the past.
    pub(super) fn reads(&self, id: MessageId) -> Reads {
        let open = self.open.iter().find(|open| open.id == id);
        open.map_or(Reads::FromNow, |open| open.reads)
    }

    /// Who comes in by a yes that was given.
    pub(super) fn coming(&self) -> impl Iterator<Item = PublicKey> {
        let coming = self.open.iter().filter(|open| open.accepted.is_some());
        coming.map(|open| open.member)
    }

    /// Names of those of them.
    pub(super) fn coming_aliases(&self, of: &BTreeSet<PublicKey>) -> impl Iterator<Item = String> {
        let coming = self.open.iter().filter(|open| open.accepted.is_some());
        let coming = coming.filter(|open| of.contains(&open.member));
        coming.map(|open| open.alias.clone())
    }

    /// She erased what she had agreed to tell.
    pub(super) fn forget_words(&mut self) {
        let agreed = self
            .open
            .iter_mut()
            .filter_map(|open| open.accepted.as_mut());
        agreed.for_each(Agreed::forget_words);
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
            by: open.by.clone(),
            alias: open.alias.clone(),
            role: open.role,
            purpose: open.purpose,
            reason: open.reason.clone(),
            reads: open.reads,
            ends: open.ends,
            also_read_by: Vec::new(),
        };
        let waits = |open: &&Open| open.unchecked.is_none() && open.accepted.is_none();
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

/// Attested key of a member.
pub(super) fn key_of(member: &Member) -> Option<PublicKey> {
    match &member.identity {
        Identity::Member { attestation, .. } => Some(attestation.key),
        Identity::Person(_) => None,
    }
}
