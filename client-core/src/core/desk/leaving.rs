//! Leaving the desk by one's own wish. [G-9]
//!
//! The leave is said in the group, and whoever commits next removes the leaf; then a coordinator changes
//! mailbox and card, as after an eviction. A coordinator who leaves knows the desk key: the
//! one who holds the root key signs the next.

use cobijo_protocol::{card::Role, content::MessageId, credential::Identity};

use super::Desk;
use crate::core::{
    client::{CommandError, Context, Event, InviteEnd},
    policy::Cause,
};

impl Desk {
    /// Leaves: ends what this member began, forgets the desk key, and says so.
    ///
    /// # Errors
    /// [`CommandError::HoldsRootKey`], or [`CommandError::LastCoordinator`].
    pub(crate) fn leave(&mut self, context: &mut Context<'_>) -> Result<(), CommandError> {
        if self.keys.root_key().is_some() {
            return Err(CommandError::HoldsRootKey);
        }
        let own = self.me.key.public();
        let members = self.members();
        let mut others = members.iter().filter(|one| one.key != own);
        if self.role() == Role::Coordinator && !others.any(|one| one.role == Role::Coordinator) {
            return Err(CommandError::LastCoordinator);
        }
        if self.shift.is_on() {
            self.end_shift(context);
        }
        for invited in self.invites.drain(..) {
            let (id, reason) = (invited.id, InviteEnd::Revoked);
            context.event(Event::InviteEnded { id, reason });
        }
        self.keys.drop_desk_key();
        self.group.leave(None);
        self.advance(context);
        Ok(())
    }

    /// Whether this member has said that she leaves.
    pub(crate) fn is_leaving(&self) -> bool {
        self.group.is_leaving()
    }

    /// The own leave is stored: from now on others take this member out.
    pub(super) fn hear_left(&mut self, id: MessageId, context: &mut Context<'_>) {
        if self.group.is_own_leave(&id) {
            context.event(Event::LeftDesk);
        }
    }

    /// Whether somebody left by herself who knows the desk key.
    pub(super) fn has_lost_coordinator(removed: &[(Identity, Cause)]) -> bool {
        removed.iter().any(|(identity, cause)| match identity {
            Identity::Member { attestation, .. } => {
                *cause == Cause::Leave && attestation.role == Role::Coordinator
            }
            Identity::Person(_) => false,
        })
    }
}
