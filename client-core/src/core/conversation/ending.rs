//! An accompanier's shift ends: she says when, and may hand over to a colleague.

use std::time::Duration;

use cobijo_protocol::{
    content::{Content, MessageId, Proposal},
    keys::PublicKey,
};
use serde::{Deserialize, Serialize};

use super::{Conversation, ConversationError, proposals::key_of};
use crate::core::{
    client::ShiftEnd,
    port::{Now, Rng},
};

/// Time after which she goes though the summary was not said to the colleague: the person may have said yes
/// without it.
const SUMMARY_WAIT: Duration = Duration::from_secs(600);

/// She hands over, where the person says yes.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct HandOver {
    /// The message that proposes it.
    proposal: MessageId,
    to: PublicKey,
    /// When the colleague was seen here.
    came: Option<Now>,
}

impl Conversation {
    /// Tells the person when the own shift ends, and with whom she may go on, whose KeyPackage the caller has
    /// taken: where she does, this member leaves.
    ///
    /// # Errors
    /// [`ConversationError`] where nobody can be told any more.
    pub fn end_shift(
        &mut self,
        ends: ShiftEnd,
        next: Option<Proposal>,
        now: Now,
        rng: &mut Rng,
    ) -> Result<(), ConversationError> {
        let root = self.group.terms().root;
        let to = next
            .as_ref()
            .and_then(|next| next.member.verify(&root).ok());
        let content = Content::ShiftEnds {
            at: ends.at,
            back: ends.back,
            next,
        };
        let proposal = self.send(content, now, rng)?;
        self.handing_over = to.map(|(to, _)| HandOver {
            proposal,
            to: to.key,
            came: None,
        });
        Ok(())
    }

    /// She waits for this member.
    pub(super) fn is_refused(&mut self, proposal: MessageId) {
        self.handing_over
            .take_if(|handing| handing.proposal == proposal);
    }

    /// Leaves, once the colleague has come and could read the summary.
    pub(super) fn hand_over(&mut self, now: Now) {
        let Some(handing) = &mut self.handing_over else {
            return;
        };
        let members = self.group.members();
        let colleague = { members.iter() }.find(|one| key_of(one) == Some(handing.to));
        if colleague.is_none_or(|colleague| colleague.is_arriving) {
            return;
        }
        handing.came.get_or_insert(now);
        if self.hand_over_due().is_some_and(|due| due <= now) {
            self.handing_over = None;
            let _is_over = self.leave();
        }
    }

    /// When she leaves, where the colleague is here.
    pub(super) fn hand_over_due(&self) -> Option<Now> {
        let handing = self.handing_over.as_ref().filter(|_| self.is_open())?;
        let came = handing.came?;
        if self.summary.unread_by().contains(&handing.to) {
            Some(came.plus(SUMMARY_WAIT))
        } else {
            Some(came)
        }
    }
}
