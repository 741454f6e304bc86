//! A newcomer's way to her attestation.

use cobijo_protocol::{
    card::{Attested, Role},
    cbor,
    intake::{Newcomer, Reply, Waiting},
    keys::{PublicKey, SecretKey},
    limits::INVITE_LIFETIME,
    link::Invite,
    slot::Kind,
    words::{WordIndices, invite_words},
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::thread::Thread;
use crate::core::{
    client::JoinFailure,
    port::{Now, Rng, Seen, Wants},
};

/// A newcomer who uses an invitation.
#[derive(Serialize, Deserialize)]
pub(crate) struct Arrival {
    invite: Invite,
    key: SecretKey,
    alias: String,
    until: Now,
    inviter: Option<PublicKey>,
    reply: Thread,
    waiting: Thread,
    stage: Stage,
}

#[derive(Serialize, Deserialize)]
enum Stage {
    /// What she says of herself is on its way.
    Announcing,
    /// It stands, and nobody's stands before it.
    Announced,
    /// She is attested.
    Attested,
    /// The invitation does not work.
    Failed,
}

/// What happens to a newcomer.
pub(crate) enum ArrivalEvent {
    /// The inviter's key is known: the words to compare.
    Words(WordIndices),
    /// She is attested: she may offer her KeyPackage, for the inviter to add.
    Attested {
        /// The attestation.
        attested: Box<Attested>,
        /// Who must have signed the Welcome's GroupInfo.
        inviter: PublicKey,
    },
    /// The invitation does not work.
    Failed(JoinFailure),
}

impl Arrival {
    /// Begins to use an invitation.
    pub(crate) fn new(
        invite: Invite,
        key: SecretKey,
        alias: String,
        now: Now,
        rng: &mut Rng,
    ) -> Self {
        let mut waiting = Thread::new(&invite.r, Kind::Waiting);
        let newcomer = Newcomer::sign(&key, alias.clone(), &invite.r);
        waiting.append(cbor::encode(&Waiting::Newcomer(newcomer)), rng);
        Self {
            reply: Thread::new(&invite.r, Kind::Reply),
            waiting,
            invite,
            key,
            alias,
            until: now.plus(INVITE_LIFETIME),
            inviter: None,
            stage: Stage::Announcing,
        }
    }

    /// The invitation.
    pub(crate) fn invite(&self) -> &Invite {
        &self.invite
    }

    /// The words to compare, once the inviter's key is known.
    pub(crate) fn words(&self) -> Option<WordIndices> {
        let inviter = self.inviter.as_ref()?;
        Some(invite_words(&self.invite.r, &self.key.public(), inviter))
    }

    /// Whether she is attested.
    pub(crate) fn is_attested(&self) -> bool {
        matches!(self.stage, Stage::Attested)
    }

    /// Offers the KeyPackage that carries her attestation.
    pub(crate) fn offer(&mut self, message: &[u8], rng: &mut Rng) {
        let offer = Waiting::KeyPackage(ByteBuf::from(message));
        self.waiting.append(cbor::encode(&offer), rng);
    }

    /// What is wanted from the relay.
    pub(crate) fn wants(&self, wants: &mut Wants) {
        match self.stage {
            Stage::Announcing | Stage::Announced => {
                self.reply.wants(wants);
                self.waiting.wants(wants);
            }
            Stage::Attested => self.waiting.wants(wants),
            Stage::Failed => {}
        }
    }

    /// Takes what the relay said.
    pub(crate) fn handle_seen(
        &mut self,
        seen: &Seen,
        now: Now,
        rng: &mut Rng,
    ) -> Option<ArrivalEvent> {
        if let Some((payload, mine)) = self.waiting.handle_seen(seen, rng) {
            return self.handle_waiting(&payload, mine);
        }
        match self.stage {
            Stage::Announcing | Stage::Announced => {
                let (payload, _) = self.reply.handle_seen(seen, rng)?;
                self.handle_reply(&payload, now)
            }
            Stage::Attested | Stage::Failed => None,
        }
    }

    /// When [`Arrival::handle_timeout`] is to be called.
    pub(crate) fn poll_timeout(&self) -> Option<Now> {
        match self.stage {
            Stage::Announcing | Stage::Announced | Stage::Attested => Some(self.until),
            Stage::Failed => None,
        }
    }

    /// Ends it when its time has passed.
    pub(crate) fn handle_timeout(&mut self, now: Now) -> Option<ArrivalEvent> {
        let failure = if self.is_attested() {
            JoinFailure::NoWelcome
        } else {
            JoinFailure::Expired
        };
        (now >= self.poll_timeout()?).then(|| self.fail(failure))
    }

    /// The first newcomer in the thread has the invitation.
    fn handle_waiting(&mut self, payload: &[u8], mine: bool) -> Option<ArrivalEvent> {
        if !matches!(self.stage, Stage::Announcing) {
            return None;
        }
        if mine {
            self.stage = Stage::Announced;
            return None;
        }
        let Waiting::Newcomer(newcomer) = cbor::decode(payload).ok()? else {
            return None;
        };
        let is_other = newcomer.verify(&self.invite.r) && newcomer.key != self.key.public();
        is_other.then(|| self.fail(JoinFailure::Used))
    }

    fn handle_reply(&mut self, payload: &[u8], now: Now) -> Option<ArrivalEvent> {
        let Reply::Attested { attested } = cbor::decode(payload).ok()? else {
            return None;
        };
        let (attestation, _) = attested.verify(&self.invite.root).ok()?;
        match self.inviter {
            None => {
                (attestation.role == Role::Coordinator).then_some(())?;
                self.inviter = Some(attestation.key);
                self.words().map(ArrivalEvent::Words)
            }
            Some(inviter) => {
                let is_own =
                    attestation.key == self.key.public() && attestation.alias == self.alias;
                is_own.then_some(())?;
                self.stage = Stage::Attested;
                self.until = now.plus(INVITE_LIFETIME);
                Some(ArrivalEvent::Attested {
                    attested: Box::new(attested),
                    inviter,
                })
            }
        }
    }

    fn fail(&mut self, failure: JoinFailure) -> ArrivalEvent {
        self.stage = Stage::Failed;
        ArrivalEvent::Failed(failure)
    }
}

impl std::fmt::Debug for Arrival {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Arrival").finish_non_exhaustive()
    }
}
