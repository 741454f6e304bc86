//! The reply thread (r, reply): everyone who reads it decides alike who answers. [I-6]–[I-8]

use cobijo_protocol::{
    card::Attestation,
    cbor,
    intake::{Reply, SignedReply, sign_not_this_one, verify_not_this_one},
    keys::{PublicKey, SecretKey},
    slot::{Kind, ThreadSecret, TooLong},
};
use serde::{Deserialize, Serialize};

use crate::core::{
    contest::{Candidate, Contest},
    port::{Rng, Seen, Wants},
    thread::Content,
};

/// What kind of reply is valid: it follows from what the intake says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wanted {
    /// A first contact: a Welcome.
    Claim,
    /// "Ask the desk" and rescue: a KeyPackage, which her yes adds.
    Offer,
}

/// A reader of the reply thread, and perhaps a contender.
///
/// The first valid reply stands until the person says that it can't be joined; then the next one that
/// comes stands. What comes while one stands is void.
#[derive(Clone, Serialize, Deserialize)]
pub struct Replies {
    r: ThreadSecret,
    root: PublicKey,
    person: PublicKey,
    wanted: Wanted,
    contest: Contest,
    /// The own reply, as long as it has not stood.
    own: Option<Reply>,
    standing: Option<Standing>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Standing {
    index: u64,
    mine: bool,
}

/// What a cell of the reply thread decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// This reply stands.
    Stands {
        /// Where.
        index: u64,
        /// What it says.
        reply: Box<SignedReply>,
        /// Whose it is.
        by: Box<Attestation>,
        /// Whether it is the own one.
        mine: bool,
    },
    /// The person can't join what stood: nobody answers any more.
    Refused {
        /// Whether it was the own one.
        mine: bool,
    },
}

impl Replies {
    /// Starts to read.
    pub fn new(r: ThreadSecret, root: PublicKey, person: PublicKey, wanted: Wanted) -> Self {
        let contest = Contest::new(r.clone(), Kind::Reply, 0);
        Self {
            r,
            root,
            person,
            wanted,
            contest,
            own: None,
            standing: None,
        }
    }

    /// Wants a reply to stand.
    ///
    /// # Errors
    /// [`TooLong`] for more than a payload holds.
    pub fn contend(&mut self, reply: SignedReply, rng: &mut Rng) -> Result<(), TooLong> {
        let reply = match self.wanted {
            Wanted::Claim => Reply::Claimed(reply),
            Wanted::Offer => Reply::Offered(reply),
        };
        self.own = Some(reply);
        self.put_own(rng)
    }

    fn put_own(&mut self, rng: &mut Rng) -> Result<(), TooLong> {
        match &self.own {
            Some(reply) if self.standing.is_none() => {
                self.contest.contend(cbor::encode(reply), rng)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The person says that what stands can't be joined. [I-8]
    ///
    /// # Errors
    /// [`TooLong`] never, as long as a signature fits a cell.
    pub fn refuse(&mut self, person: &SecretKey, rng: &mut Rng) -> Result<(), TooLong> {
        let Some(standing) = self.standing else {
            return Ok(());
        };
        let reply = sign_not_this_one(person, &self.r, standing.index);
        self.contest.contend(cbor::encode(&reply), rng)
    }

    /// Whether all that stands has been read on this connection.
    pub fn is_at_end(&self) -> bool {
        self.contest.is_free()
    }

    /// What is wanted from the relay.
    pub fn wants(&self, wants: &mut Wants) {
        self.contest.wants(wants);
    }

    /// Takes what the relay said.
    pub fn handle_seen(&mut self, seen: &Seen, rng: &mut Rng) -> Option<Decision> {
        let candidate = self.contest.handle_seen(seen)?;
        let decision = self.judge(&candidate);
        match &decision {
            Some(Decision::Stands { mine, .. }) => {
                self.contest.withdraw();
                self.own = self.own.take().filter(|_| !mine);
            }
            Some(Decision::Refused { .. }) => self.contest.withdraw(),
            None if candidate.mine => self.contest.withdraw(),
            None => {}
        }
        self.contest.skip(rng);
        if decision.is_some() {
            // It fitted when it was contended for first.
            let _fits = self.put_own(rng);
        }
        decision
    }

    fn judge(&mut self, candidate: &Candidate) -> Option<Decision> {
        let Content::Payload(payload) = &candidate.content else {
            return None;
        };
        match (cbor::decode(payload).ok()?, self.wanted, self.standing) {
            (Reply::Claimed(reply), Wanted::Claim, None)
            | (Reply::Offered(reply), Wanted::Offer, None) => self.judge_reply(reply, candidate),
            (Reply::NotThisOne { index, signature }, _, Some(standing)) => {
                let holds = index == standing.index
                    && verify_not_this_one(&self.person, &self.r, index, &signature);
                if !holds {
                    return None;
                }
                self.standing = None;
                Some(Decision::Refused {
                    mine: standing.mine,
                })
            }
            (
                Reply::Claimed(_)
                | Reply::Offered(_)
                | Reply::NotThisOne { .. }
                | Reply::Attested { .. },
                _,
                _,
            ) => None,
        }
    }

    fn judge_reply(&mut self, reply: SignedReply, candidate: &Candidate) -> Option<Decision> {
        let (by, _) = match self.wanted {
            Wanted::Claim => reply.verify_claimed(&self.root, &self.r),
            Wanted::Offer => reply.verify_offered(&self.root, &self.r),
        }?;
        self.standing = Some(Standing {
            index: candidate.index,
            mine: candidate.mine,
        });
        Some(Decision::Stands {
            index: candidate.index,
            reply: Box::new(reply),
            by: Box::new(by),
            mine: candidate.mine,
        })
    }
}

impl std::fmt::Debug for Replies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replies").finish_non_exhaustive()
    }
}
