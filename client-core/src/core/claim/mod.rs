//! A member of a desk answers somebody who waits. [I-5], [I-6], [I-7], [I-9]
//!
//! The claim only spares work. Who answers is decided in the reply thread, and what is offered there
//! stands already: a first contact's Welcome, or a KeyPackage for a person who is a member of a group.

mod advisory;
pub mod queue;
pub mod thread;

use std::{collections::VecDeque, time::Duration};

use cobijo_protocol::{
    card::Attested,
    commit::{POLICY, Profile, Terms},
    content::ClaimNotice,
    credential::Credential,
    intake::{IntakeKind, MessageHash, SignedReply},
    keys::{PublicKey, SecretKey},
    slot::TooLong,
};
use serde::{Deserialize, Serialize};

use super::{
    group::{Change, Group, GroupError, GroupEvent},
    joining::{Expect, Joining, Lineage},
    port::{Now, RelayFacts, Rng, Seen, Wants},
    waiting::{Decision, Replies, Wanted},
};
use crate::mls::{MlsError, Suite, key_package::OwnKeyPackage};
use advisory::{Claimed, Claims};
use queue::Opened;
use thread::WaitingThread;

/// Time after a person's arrival in which her last texts may still come on another connection.
const LATE_TEXTS_WAIT: Duration = Duration::from_secs(120);

/// A member of a desk, as her leaves show her.
#[derive(Clone, Serialize, Deserialize)]
pub struct Me {
    /// Suite of her KeyPackages, and of her desk.
    pub suite: Suite,
    /// Root key of the desk.
    pub root: PublicKey,
    /// The attested key.
    pub key: SecretKey,
    /// What attests it.
    pub attested: Attested,
}

/// An answer on its way.
#[derive(Serialize, Deserialize)]
pub struct Claim {
    me: Me,
    opened: Opened,
    claims: Claims,
    replies: Replies,
    thread: WaitingThread,
    stage: Stage,
    /// Until then her last texts may come, though she has arrived.
    late_until: Option<Now>,
    /// Alias of somebody else whose reply stands, as far as the thread is read.
    answered_by: Option<String>,
    /// What the relay of this connection said of its days.
    #[serde(skip)]
    relay: Option<RelayFacts>,
    #[serde(skip)]
    events: VecDeque<ClaimEvent>,
}

#[derive(Serialize, Deserialize)]
enum Stage {
    /// Is somebody else about to answer?
    Claiming,
    /// Reads what she wrote, to its end.
    Reading,
    /// Adds her to a new group, as whose Welcome she is answered.
    Inviting(Box<Group>),
    /// The Welcome is stored; the reply is on its way.
    Answering(Box<Group>),
    /// A KeyPackage is offered, or on its way.
    Offering(Box<Joining>),
    /// She has the reply, or was added: what remains is whether she can join.
    Answered,
    /// Nothing more to do.
    Over,
}

/// What becomes of a claim.
pub enum ClaimEvent {
    /// For the colleagues.
    Notice(ClaimNotice),
    /// Somebody else is about to answer: this client doesn't, for now.
    ClaimedBy {
        /// Her alias.
        alias: String,
        /// Her key.
        claimer: PublicKey,
        /// When her claim lapses.
        until: Now,
    },
    /// Somebody else answered first.
    LostTo {
        /// Her alias.
        alias: String,
    },
    /// The own reply stands: the item may be removed.
    Replied,
    /// The conversation begins, or goes on with this member.
    Began(Box<Group>),
    /// A text that she wrote while she waited.
    Text(String),
    /// She can't join, or doesn't want to: the contest goes on.
    Refused,
    /// There is nothing to answer her with: no KeyPackage of hers, or it was erased.
    Unanswerable,
}

/// Why a claim can't be made.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// The group can't be made.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// Cryptography refused.
    #[error(transparent)]
    Mls(#[from] MlsError),
    /// The attestation fits no cell.
    #[error(transparent)]
    TooLong(#[from] TooLong),
}

impl Claim {
    /// Starts to answer.
    ///
    /// # Errors
    /// [`ClaimError`] where the claim can't be written.
    pub fn new(me: Me, opened: Opened, rng: &mut Rng) -> Result<Self, ClaimError> {
        let intake = &opened.intake;
        let wanted = match intake.kind {
            IntakeKind::First => Wanted::Claim,
            IntakeKind::CameBack { .. } | IntakeKind::Rescue { .. } => Wanted::Offer,
        };
        let claims = Claims::new(&opened, me.root, me.key.clone(), me.attested.clone(), rng)?;
        let replies = Replies::new(intake.r.clone(), me.root, intake.person, wanted);
        let thread = WaitingThread::new(intake.r.clone(), opened.seed.clone(), intake.person);
        Ok(Self {
            me,
            claims,
            replies,
            thread,
            opened,
            stage: Stage::Claiming,
            late_until: None,
            answered_by: None,
            relay: None,
            events: VecDeque::new(),
        })
    }

    /// The intake that is answered.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Whether nothing more can become of it.
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// Whether it is answered, so that only her joining is waited for.
    pub fn is_answered(&self) -> bool {
        matches!(self.stage, Stage::Answered)
    }

    /// Whether it can be given up without a trace that she could see.
    pub fn may_be_dropped(&self) -> bool {
        matches!(
            self.stage,
            Stage::Claiming | Stage::Reading | Stage::Inviting(_)
        )
    }

    /// She has arrived in the conversation: what she wrote before still comes, on this other connection.
    pub fn person_arrived(&mut self, now: Now) {
        if self.is_answered() && self.late_until.is_none() {
            self.late_until = Some(now.plus(LATE_TEXTS_WAIT));
        }
    }

    /// What is wanted from the relay.
    pub fn wants(&self, wants: &mut Wants) {
        match &self.stage {
            Stage::Over => return,
            Stage::Claiming => self.claims.wants(wants),
            Stage::Reading | Stage::Answered => {}
            Stage::Inviting(group) | Stage::Answering(group) => group.wants(wants),
            Stage::Offering(joining) => joining.wants(wants),
        }
        self.replies.wants(wants);
        // What she wrote is read only after the claim.
        if !matches!(self.stage, Stage::Claiming) {
            self.thread.wants(wants);
        }
    }

    /// Takes what the relay said.
    pub fn handle_seen(&mut self, seen: &Seen, now: Now, rng: &mut Rng) {
        if let Seen::Connected(relay) = seen {
            self.relay = Some(*relay);
        }
        if matches!(self.stage, Stage::Over) {
            return;
        }
        if let Some(decision) = self.replies.handle_seen(seen, rng) {
            self.handle_decision(decision);
        }
        self.lose();
        let is_claiming = matches!(self.stage, Stage::Claiming);
        if !is_claiming && let Some(text) = self.thread.handle_seen(seen, &self.me.root, rng) {
            self.events.push_back(ClaimEvent::Text(text));
        }
        let stage = std::mem::replace(&mut self.stage, Stage::Over);
        self.stage = match self.advance(stage, seen, now, rng) {
            Ok(stage) => stage,
            Err(_) => {
                self.events.push_back(ClaimEvent::Unanswerable);
                Stage::Over
            }
        };
    }

    fn handle_decision(&mut self, decision: Decision) {
        match decision {
            Decision::Stands { mine: true, .. } => {
                self.events.push_back(ClaimEvent::Replied);
                self.notice(true);
                // An offer waits for her yes.
                if !matches!(self.stage, Stage::Offering(_))
                    && let Stage::Answering(group) =
                        std::mem::replace(&mut self.stage, Stage::Answered)
                {
                    self.events.push_back(ClaimEvent::Began(group));
                }
            }
            Decision::Stands { by, .. } => self.answered_by = Some(by.alias),
            Decision::Refused { mine: false } => self.answered_by = None,
            Decision::Refused { mine: true } => {
                self.events.push_back(ClaimEvent::Refused);
                self.notice(false);
                self.stage = Stage::Over;
            }
        }
    }

    /// Somebody else's reply stands, and nothing behind it says that she can't be joined.
    fn lose(&mut self) {
        if self.replies.is_at_end()
            && let Some(alias) = self.answered_by.take()
        {
            self.events.push_back(ClaimEvent::LostTo { alias });
            self.stage = Stage::Over;
        }
    }

    /// One step, where it can be taken.
    fn advance(
        &mut self,
        stage: Stage,
        seen: &Seen,
        now: Now,
        rng: &mut Rng,
    ) -> Result<Stage, ClaimError> {
        match stage {
            Stage::Claiming => self.advance_claiming(seen, now, rng),
            Stage::Reading if self.thread.is_at_end() => self.advance_reading(now, rng),
            Stage::Inviting(group) => self.advance_inviting(group, seen, now, rng),
            Stage::Answering(mut group) => {
                group.handle_seen(seen, now, rng);
                Ok(Stage::Answering(group))
            }
            Stage::Offering(joining) => Ok(self.advance_offering(joining, seen, now, rng)),
            Stage::Reading | Stage::Answered | Stage::Over => Ok(stage),
        }
    }

    fn advance_claiming(
        &mut self,
        seen: &Seen,
        now: Now,
        rng: &mut Rng,
    ) -> Result<Stage, ClaimError> {
        match self.claims.handle_seen(seen, now, rng) {
            None => Ok(Stage::Claiming),
            Some(Claimed::By {
                alias,
                claimer,
                until,
            }) => {
                self.events.push_back(ClaimEvent::ClaimedBy {
                    alias,
                    claimer,
                    until,
                });
                Ok(Stage::Over)
            }
            Some(Claimed::Here) => {
                self.notice(false);
                match self.opened.intake.kind {
                    IntakeKind::First => Ok(Stage::Reading),
                    IntakeKind::CameBack { .. } | IntakeKind::Rescue { .. } => self.offer(rng),
                }
            }
        }
    }

    fn advance_reading(&mut self, now: Now, rng: &mut Rng) -> Result<Stage, ClaimError> {
        let Some(suite) = self.thread.suite() else {
            self.events.push_back(ClaimEvent::Unanswerable);
            return Ok(Stage::Over);
        };
        let terms = Terms {
            profile: Profile::Conversation,
            policy: POLICY,
            root: self.me.root,
            facilitators: Vec::new(),
            predecessor: None,
        };
        let credential = Credential::Member(self.me.attested.clone());
        let mut group = Group::create(suite, terms, self.me.key.clone(), &credential, now, rng)?;
        group.request(Change {
            adds: self.thread.leaves(suite),
            ..Change::default()
        });
        Ok(Stage::Inviting(Box::new(group)))
    }

    fn advance_inviting(
        &mut self,
        mut group: Box<Group>,
        seen: &Seen,
        now: Now,
        rng: &mut Rng,
    ) -> Result<Stage, ClaimError> {
        group.handle_seen(seen, now, rng);
        while let Some(event) = group.poll_event() {
            if matches!(event, GroupEvent::Refused(_) | GroupEvent::Stopped(_)) {
                self.events.push_back(ClaimEvent::Unanswerable);
                return Ok(Stage::Over);
            }
        }
        // Whoever fills her welcome thread keeps nobody from answering: the reply names the Welcome's head.
        let Some((hash, head)) = group.welcome().filter(|_| group.has_committed()) else {
            return Ok(Stage::Inviting(group));
        };
        self.reply(hash, head.to_vec(), rng)?;
        Ok(Stage::Answering(group))
    }

    fn reply(&mut self, hash: MessageHash, content: Vec<u8>, rng: &mut Rng) -> Result<(), TooLong> {
        let by = self.me.attested.clone();
        let reply = SignedReply::sign(&self.me.key, by, &self.opened.intake.r, hash, content);
        self.replies.contend(reply, rng)
    }

    /// Offers a fresh KeyPackage: her yes adds it, to the old group or to its successor.
    fn offer(&mut self, rng: &mut Rng) -> Result<Stage, ClaimError> {
        let credential = Credential::Member(self.me.attested.clone());
        let own = OwnKeyPackage::new(self.me.suite, &self.me.key, &credential, rng)?;
        let message = own.message().to_vec();
        self.reply(MessageHash::of(&message), message, rng)?;
        let expect = Expect {
            profile: Profile::Conversation,
            root: self.me.root,
            signers: vec![self.opened.intake.person],
            roster: None,
            lineage: Lineage::Any,
            welcome: None,
        };
        let joining = Joining::new(own, self.me.key.clone(), expect).told(self.relay);
        Ok(Stage::Offering(Box::new(joining)))
    }

    fn advance_offering(
        &mut self,
        mut joining: Box<Joining>,
        seen: &Seen,
        now: Now,
        rng: &mut Rng,
    ) -> Stage {
        match joining.handle_seen(seen, now, rng) {
            Some(group) => {
                self.events.push_back(ClaimEvent::Began(Box::new(group)));
                Stage::Over
            }
            None => Stage::Offering(joining),
        }
    }

    fn notice(&mut self, answered: bool) {
        let r = self.opened.intake.r.clone();
        self.events
            .push_back(ClaimEvent::Notice(ClaimNotice { r, answered }));
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Now> {
        match &self.stage {
            Stage::Answered => self.late_until.filter(|_| self.thread.is_at_end()),
            Stage::Inviting(group) | Stage::Answering(group) => group.poll_timeout(),
            Stage::Claiming | Stage::Reading | Stage::Offering(_) | Stage::Over => None,
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Now, rng: &mut Rng) {
        if let Stage::Inviting(group) | Stage::Answering(group) = &mut self.stage {
            group.handle_timeout(now, rng);
        }
        if self.late_until.is_some_and(|until| until <= now) && self.thread.is_at_end() {
            self.stage = Stage::Over;
        }
    }

    /// What became of it.
    pub fn poll_event(&mut self) -> Option<ClaimEvent> {
        self.events.pop_front()
    }
}
