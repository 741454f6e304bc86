//! What the member in front asks the desk for.

use cobijo_protocol::{
    card::{Attestation, Role},
    keys::{PublicKey, SecretKey},
    limits::{CARD_POSTERS_MAX, POOL_KEY_PACKAGES, REASON_BYTES_MAX},
    link::Invite,
    slot::ThreadSecret,
};

use super::{Desk, Invited};
use crate::core::{
    claim::Me,
    client::{CommandError, Context, ConversationId, Description, Event, InviteEnd, InviteId},
    contest::random,
    invite::{Invitation, NotAdmissible},
    key_packages::{Take, TakenFor, Wish},
};

/// Invitations that are open at one time.
const INVITES_MAX: usize = 32;

impl Desk {
    /// Changes what the card says.
    ///
    /// # Errors
    /// [`CommandError::NotCoordinator`], or [`CommandError::CardTooLarge`].
    pub(crate) fn describe(
        &mut self,
        description: Description,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        self.check_coordinator()?;
        description.check()?;
        self.description = Some(description);
        self.refusal = None;
        self.card.refresh();
        self.advance(context);
        Ok(())
    }

    /// Signs the next desk key.
    ///
    /// # Errors
    /// [`CommandError::RootElsewhere`].
    pub(crate) fn renew(&mut self, context: &mut Context<'_>) -> Result<(), CommandError> {
        if self.keys.root_key().is_none() {
            return Err(CommandError::RootElsewhere);
        }
        self.renew_desk_key(context);
        self.refusal = None;
        self.card.refresh();
        self.advance(context);
        Ok(())
    }

    /// Gives the root key out.
    ///
    /// # Errors
    /// [`CommandError::RootElsewhere`].
    pub(crate) fn export_root(&self, context: &mut Context<'_>) -> Result<(), CommandError> {
        let root_key = self.keys.root_key().ok_or(CommandError::RootElsewhere)?;
        context.event(Event::RootKey(root_key.clone()));
        Ok(())
    }

    /// Forgets the root key.
    ///
    /// # Errors
    /// [`CommandError::RootElsewhere`].
    pub(crate) fn drop_root(&mut self) -> Result<(), CommandError> {
        self.keys.root_key().ok_or(CommandError::RootElsewhere)?;
        self.keys.drop_root();
        Ok(())
    }

    /// Takes the root key back in.
    ///
    /// # Errors
    /// [`CommandError::WrongRoot`].
    pub(crate) fn import_root(
        &mut self,
        root_key: SecretKey,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        if self.role() != Role::Coordinator {
            return Err(CommandError::NotCoordinator);
        }
        if !self.keys.import_root(root_key) {
            return Err(CommandError::WrongRoot);
        }
        self.advance(context);
        Ok(())
    }

    /// Makes an invitation.
    ///
    /// # Errors
    /// [`CommandError::NotCoordinator`], or [`CommandError::TooMany`].
    pub(crate) fn invite(&mut self, context: &mut Context<'_>) -> Result<(), CommandError> {
        self.check_coordinator()?;
        if self.invites.len() >= INVITES_MAX || self.members().len() >= CARD_POSTERS_MAX {
            return Err(CommandError::TooMany);
        }
        let invite = Invite {
            relay: self.link.relay.clone(),
            root: self.me.root,
            r: ThreadSecret::from_bytes(random(context.rng)),
        };
        let (id, channel) = (context.new_invite(), context.new_channel());
        let invitation = Invitation::new(
            invite.clone(),
            self.me.suite,
            self.me.attested.clone(),
            self.me.key.public(),
            context.now,
            context.rng,
        );
        self.invites.push(Invited {
            id,
            channel,
            invitation,
        });
        context.event(Event::Invited { id, invite });
        Ok(())
    }

    /// Lets a newcomer in, whose words were the same.
    ///
    /// # Errors
    /// [`CommandError`] where there is nobody to let in by this invitation.
    pub(crate) fn admit(
        &mut self,
        id: InviteId,
        role: Role,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        self.check_coordinator()?;
        let members = self.members();
        let mut invites = self.invites.iter_mut();
        let invited = invites
            .find(|invited| invited.id == id)
            .ok_or(CommandError::Unknown)?;
        let (key, alias) = invited.invitation.admissible(context.now)?;
        // Who couldn't follow comes back by her key, and under the name and in the role that all know: to take
        // a role from her is to remove her, with a new desk key.
        let before = members.iter().find(|one| one.key == key);
        if before.is_none() && members.len() >= CARD_POSTERS_MAX {
            return Err(CommandError::TooMany);
        }
        let (alias, role) = before.map_or((alias, role), |one| (one.alias.clone(), one.role));
        // People see names alone: no two members have one.
        let has_name = |member: &Attestation| member.alias.to_lowercase() == alias.to_lowercase();
        let mut others = members.iter().filter(|member| member.key != key);
        if others.any(has_name) {
            return Err(CommandError::AliasTaken);
        }
        let attested = self
            .keys
            .attest(key, &alias, role, context.now.day())
            .ok_or(CommandError::NotCoordinator)?;
        invited.invitation.admit(attested, context.now, context.rng);
        Ok(())
    }

    /// Takes an invitation back.
    ///
    /// # Errors
    /// [`CommandError::Unknown`].
    pub(crate) fn revoke(
        &mut self,
        id: InviteId,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        let before = self.invites.len();
        self.invites.retain(|invited| invited.id != id);
        if self.invites.len() == before {
            return Err(CommandError::Unknown);
        }
        let reason = InviteEnd::Revoked;
        context.event(Event::InviteEnded { id, reason });
        Ok(())
    }

    /// Begins to take a colleague's KeyPackage, to propose her.
    ///
    /// # Errors
    /// [`CommandError`] where she can't be proposed.
    pub(crate) fn propose(
        &mut self,
        wish: Wish,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        if wish.reason.len() > REASON_BYTES_MAX {
            return Err(CommandError::TooLong);
        }
        let role = self.check_colleague(&wish.colleague)?;
        if !wish.purpose.fits(role, wish.reads) {
            return Err(CommandError::NotFitting);
        }
        self.take(wish, context)
    }

    /// Begins to take a colleague's KeyPackage, to bring her into a circle of this member's.
    ///
    /// # Errors
    /// [`CommandError`] where she can't be brought.
    pub(crate) fn take_for_circle(
        &mut self,
        circle: ConversationId,
        colleague: PublicKey,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        let purpose = TakenFor::Circle { circle, colleague };
        self.contend(&purpose, &colleague, context)
    }

    /// Contends for the next KeyPackage of the colleague.
    pub(super) fn take(
        &mut self,
        wish: Wish,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        let colleague = wish.colleague;
        self.contend(&TakenFor::Proposal(wish), &colleague, context)
    }

    fn contend(
        &mut self,
        purpose: &TakenFor,
        colleague: &PublicKey,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        for _ in 0..POOL_KEY_PACKAGES {
            let message = self
                .board
                .take_key_package(colleague)
                .ok_or(CommandError::ColleagueUnavailable)?;
            let purpose = purpose.clone();
            let take = Take::new(purpose, message, &self.me, context.now, context.rng);
            if let Some(take) = take {
                self.takes.push(take);
                return Ok(());
            }
        }
        Err(CommandError::ColleagueUnavailable)
    }

    /// Who learns beside this member in the conversations that she begins on this shift.
    ///
    /// # Errors
    /// [`CommandError::NotOnShift`], [`CommandError::Yourself`], or [`CommandError::Unknown`].
    pub(crate) fn learn_beside(&mut self, buddy: Option<PublicKey>) -> Result<(), CommandError> {
        if !self.shift.is_on() {
            return Err(CommandError::NotOnShift);
        }
        if let Some(buddy) = &buddy {
            self.check_colleague(buddy)?;
        }
        self.shift.learn_beside(buddy);
        Ok(())
    }

    /// Who learns beside this member on this shift.
    pub(crate) fn buddy(&self) -> Option<PublicKey> {
        self.shift.buddy()
    }

    /// Whether her buddy is about to be named in that conversation: before anything else is said.
    pub(crate) fn names_buddy(&self, conversation: ConversationId) -> bool {
        let is_it = |take: &Take| take.is_for_buddy_in(conversation);
        self.takes.iter().any(is_it)
    }

    /// Refuses whoever is no colleague.
    pub(crate) fn check_colleague(&self, colleague: &PublicKey) -> Result<Role, CommandError> {
        if *colleague == self.me.key.public() {
            return Err(CommandError::Yourself);
        }
        let members = self.members();
        let colleague = members.iter().find(|one| one.key == *colleague);
        Ok(colleague.ok_or(CommandError::Unknown)?.role)
    }

    /// Who this member is.
    pub(crate) fn me(&self) -> &Me {
        &self.me
    }

    fn check_coordinator(&self) -> Result<(), CommandError> {
        if self.keys.holds_desk_key() {
            Ok(())
        } else {
            Err(CommandError::NotCoordinator)
        }
    }
}

impl Description {
    /// Refuses what leaves a card no room for its keys, with as many posters as there may be.
    pub(crate) fn check(&self) -> Result<(), CommandError> {
        use cobijo_protocol::{card::INTAKE_KEY_BYTES, cbor, limits::CARD_BYTES_MAX};
        /// Signatures, keys and lengths beside the description, the posters and the intake key.
        const AROUND: usize = 1_024;
        let posters = CARD_POSTERS_MAX * (PublicKey::LEN + 2);
        let room = CARD_BYTES_MAX - INTAKE_KEY_BYTES - posters - AROUND;
        if cbor::encode(self).len() > room {
            Err(CommandError::CardTooLarge)
        } else {
            Ok(())
        }
    }
}

impl From<NotAdmissible> for CommandError {
    fn from(error: NotAdmissible) -> Self {
        match error {
            NotAdmissible::Expired => Self::InviteExpired,
            NotAdmissible::NobodyYet => Self::NobodyYet,
            NotAdmissible::Used => Self::NotNow,
        }
    }
}
