//! Inviting a newcomer into a desk, and meeting her in the threads of the invitation's `r`. [I-10]
//!
//! Whoever reads the invitation on its way could use it first. So both sides compare six words over
//! both keys, elsewhere; only then does the coordinator attest. The reply thread begins with the
//! coordinator's own attestation, from which the newcomer learns the coordinator's key.

mod newcomer;
mod thread;

use cobijo_protocol::{
    card::{Attestation, Attested},
    cbor,
    credential::Identity,
    intake::{Newcomer, Reply, Waiting},
    keys::PublicKey,
    limits::INVITE_LIFETIME,
    link::Invite,
    slot::Kind,
    words::{WordIndices, invite_words},
};
use serde::{Deserialize, Serialize};

pub(crate) use newcomer::{Arrival, ArrivalEvent};

use super::{
    client::InviteEnd,
    port::{Now, Rng, Seen, Wants},
};
use crate::mls::{Suite, key_package::OfferedKeyPackage};
use thread::Thread;

/// An invitation, as its inviter keeps it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Invitation {
    invite: Invite,
    inviter: PublicKey,
    suite: Suite,
    until: Now,
    reply: Thread,
    waiting: Thread,
    stage: Stage,
}

#[derive(Serialize, Deserialize)]
enum Stage {
    /// Nobody has used it.
    Open,
    /// Somebody has; the words are to be compared.
    Arrived(Newcomer),
    /// The words were the same: her attestation goes to her, her KeyPackage is waited for.
    Admitted(Attestation),
    /// Her KeyPackage has come.
    Offered(Attestation),
}

/// What happens to an invitation.
pub(crate) enum InvitationEvent {
    /// Somebody used it.
    Arrived {
        /// The name she wants.
        alias: String,
        /// To compare.
        words: WordIndices,
    },
    /// She is to be added.
    Offered(Box<OfferedKeyPackage>),
    /// It is over.
    Ended(InviteEnd),
}

impl Invitation {
    /// Begins to wait for whoever uses the invitation; `own` shows the inviter.
    pub(crate) fn new(
        invite: Invite,
        suite: Suite,
        own: Attested,
        inviter: PublicKey,
        now: Now,
        rng: &mut Rng,
    ) -> Self {
        let mut reply = Thread::new(&invite.r, Kind::Reply);
        reply.append(cbor::encode(&Reply::Attested { attested: own }), rng);
        Self {
            waiting: Thread::new(&invite.r, Kind::Waiting),
            reply,
            invite,
            inviter,
            suite,
            until: now.plus(INVITE_LIFETIME),
            stage: Stage::Open,
        }
    }

    /// When it stops working, and [`Invitation::handle_timeout`] is to be called.
    pub(crate) fn until(&self) -> Now {
        self.until
    }

    /// Who used it and waits to be let in: alias and words.
    pub(crate) fn newcomer(&self) -> Option<(String, WordIndices)> {
        match &self.stage {
            Stage::Arrived(newcomer) => Some((newcomer.alias.clone(), self.words(newcomer))),
            Stage::Open | Stage::Admitted(_) | Stage::Offered(_) => None,
        }
    }

    /// Key and alias to attest, while she waits to be let in and the invitation has not expired.
    pub(crate) fn admissible(&self, now: Now) -> Result<(PublicKey, String), NotAdmissible> {
        match &self.stage {
            _ if now >= self.until => Err(NotAdmissible::Expired),
            Stage::Arrived(newcomer) => Ok((newcomer.key, newcomer.alias.clone())),
            Stage::Open => Err(NotAdmissible::NobodyYet),
            Stage::Admitted(_) | Stage::Offered(_) => Err(NotAdmissible::Used),
        }
    }

    /// Whether she was let in, and with which attestation.
    pub(crate) fn admitted(&self) -> Option<&Attestation> {
        match &self.stage {
            Stage::Open | Stage::Arrived(_) => None,
            Stage::Admitted(attestation) | Stage::Offered(attestation) => Some(attestation),
        }
    }

    /// Lets her in: the words were the same. The KeyPackage may take as long as the invitation could.
    pub(crate) fn admit(&mut self, attested: Attested, now: Now, rng: &mut Rng) {
        let Ok(attestation) = attested.attestation.unverified() else {
            return;
        };
        self.stage = Stage::Admitted(attestation);
        self.until = now.plus(INVITE_LIFETIME);
        let reply = Reply::Attested { attested };
        self.reply.append(cbor::encode(&reply), rng);
    }

    /// What is wanted from the relay.
    pub(crate) fn wants(&self, wants: &mut Wants) {
        self.reply.wants(wants);
        match self.stage {
            Stage::Open | Stage::Admitted(_) => self.waiting.wants(wants),
            Stage::Arrived(_) | Stage::Offered(_) => {}
        }
    }

    /// Takes what the relay said.
    pub(crate) fn handle_seen(&mut self, seen: &Seen, rng: &mut Rng) -> Option<InvitationEvent> {
        self.reply.handle_seen(seen, rng);
        if matches!(self.stage, Stage::Arrived(_) | Stage::Offered(_)) {
            return None;
        }
        let (payload, _) = self.waiting.handle_seen(seen, rng)?;
        match (cbor::decode(&payload).ok()?, &self.stage) {
            (Waiting::Newcomer(newcomer), Stage::Open) if newcomer.verify(&self.invite.r) => {
                let (alias, words) = (newcomer.alias.clone(), self.words(&newcomer));
                self.stage = Stage::Arrived(newcomer);
                Some(InvitationEvent::Arrived { alias, words })
            }
            (Waiting::KeyPackage(message), Stage::Admitted(attestation)) => {
                let offered =
                    OfferedKeyPackage::parse(&message, self.suite, &self.invite.root).ok()?;
                let Identity::Member {
                    attestation: shown, ..
                } = offered.identity()
                else {
                    return None;
                };
                (shown == attestation).then_some(())?;
                self.stage = Stage::Offered(attestation.clone());
                Some(InvitationEvent::Offered(Box::new(offered)))
            }
            (
                Waiting::Newcomer(_)
                | Waiting::KeyPackage(_)
                | Waiting::More(_)
                | Waiting::Rescue(_),
                _,
            ) => None,
        }
    }

    /// Ends it when its time has passed.
    pub(crate) fn handle_timeout(&mut self, now: Now) -> Option<InvitationEvent> {
        (now >= self.until).then_some(InvitationEvent::Ended(InviteEnd::Expired))
    }

    fn words(&self, newcomer: &Newcomer) -> WordIndices {
        invite_words(&self.invite.r, &newcomer.key, &self.inviter)
    }
}

/// Nobody can be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotAdmissible {
    /// 48 hours have passed.
    Expired,
    /// Nobody has used the invitation.
    NobodyYet,
    /// She was let in before.
    Used,
}

impl std::fmt::Debug for Invitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invitation").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
