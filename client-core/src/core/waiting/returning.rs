//! She waits on another device than before: by which leaves she may join, and whose place she takes. [B-7]

use cobijo_protocol::keys::SecretKey;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{Answer, Replies, Waiting, WaitingEvent, Wanted};
use crate::{
    core::{
        intake::{Contact, ContactError, PersonPackage},
        joining::Joining,
        port::{Now, Rng, Seen},
    },
    mls::{Suite, key_package::OwnKeyPackage},
};

/// A return leaf that a capsule gave back.
#[derive(Clone, Serialize, Deserialize)]
pub struct ReturnPackage {
    /// The leaf's signature key.
    pub key: SecretKey,
    /// The KeyPackage, with what opens its Welcome.
    pub package: OwnKeyPackage,
}

impl Waiting {
    /// Goes on waiting where another device of hers waited. [B-7]
    pub fn returning(suite: Suite, contact: Contact, returns: Vec<ReturnPackage>) -> Self {
        let (r, person) = (contact.r().clone(), contact.person().public());
        let replies = contact
            .root()
            .map(|root| Replies::new(r, root, person, Wanted::Claim));
        Self {
            returns,
            replies,
            ..Self::new(suite, contact, Wanted::Claim, None)
        }
    }

    /// Whether all is read, and nobody has answered by a Welcome that she could join.
    pub fn is_unanswered(&self) -> bool {
        let is_read = self.replies.as_ref().is_some_and(Replies::is_at_end);
        let is_unjoinable = matches!(self.answer, Answer::Unjoinable);
        let is_nobody = matches!(self.answer, Answer::Nobody) && is_read;
        (is_nobody || is_unjoinable) && self.contact.is_read()
    }

    /// Whether somebody's answer stands, or was joined.
    pub fn is_answered(&self) -> bool {
        !matches!(self.answer, Answer::Nobody)
    }

    /// Offers this device's KeyPackage, if it has none yet, and a return leaf's. [B-7]
    ///
    /// # Errors
    /// [`ContactError`] where they can't be put.
    pub fn offer_leaves(
        &mut self,
        device: Option<PersonPackage>,
        return_leaf: ByteBuf,
        rng: &mut Rng,
    ) -> Result<(), ContactError> {
        if let Some(device) = device {
            self.contact.offer_device(device, rng)?;
        }
        self.contact.offer_return(return_leaf, rng)?;
        if matches!(self.answer, Answer::Unjoinable) {
            self.refuse(rng);
        }
        Ok(())
    }

    /// Whether a later device of hers waits in her place.
    pub fn is_replaced(&self) -> bool {
        self.contact.is_replaced()
    }

    pub(super) fn join_answer(&mut self, seen: &Seen, now: Now, rng: &mut Rng) {
        let Answer::Joining { joinings, missing } = &mut self.answer else {
            return;
        };
        let mut joined = None;
        for joining in joinings.iter_mut() {
            let by = joining.purpose();
            let group = joining.handle_seen(seen, now, rng);
            joined = joined.or(group.map(|group| (group, by)));
        }
        if let Some((group, by)) = joined {
            return self.joined(group, by);
        }
        let is_at_end = joinings.iter().all(Joining::is_at_end);
        if !is_at_end || self.needs_connection || !self.contact.is_read() {
            return;
        }
        // The relay may only have held it back; her no is for good, so she looks on another connection.
        if !*missing {
            *missing = true;
            joinings
                .iter_mut()
                .for_each(|joining| *joining = joining.afresh());
            self.needs_connection = true;
            return;
        }
        self.answer_is_missing(rng);
    }

    /// The Welcome was stored before the reply: if it isn't there, it never will be.
    fn answer_is_missing(&mut self, rng: &mut Rng) {
        if self.contact.is_replaced() {
            // It was for the device that waits in her place, which alone may refuse it.
            return;
        }
        if self.contact.package().is_none() {
            self.answer = Answer::Unjoinable;
            return;
        }
        self.events.push_back(WaitingEvent::CouldNotJoin);
        self.refuse(rng);
    }
}
