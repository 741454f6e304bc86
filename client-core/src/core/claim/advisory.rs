//! The claim thread: who is about to answer. It only spares work; the reply thread decides. [I-9]

use cobijo_protocol::{
    card::Attested,
    cbor, intake,
    keys::{PublicKey, SecretKey},
    limits::CLAIM_LIFETIME,
    slot::{Kind, ThreadSecret, TooLong, claim_secret},
};
use serde::{Deserialize, Serialize};

use super::queue::Opened;
use crate::core::{
    contest::{Candidate, Contest},
    port::{Now, Rng, Seen, Wants},
    thread::Content,
};

/// A contender in the claim thread.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Claims {
    r: ThreadSecret,
    root: PublicKey,
    key: SecretKey,
    attested: Attested,
    contest: Contest,
    /// When the claim lapses that a colleague told of last.
    told: Option<Now>,
    /// When the claims of others lapse: all of one claimer at one time, however many she makes.
    lapse: Vec<(PublicKey, Now)>,
}

/// Who is about to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Claimed {
    /// This client.
    Here,
    /// Somebody else, for as long as her claim doesn't lapse.
    By {
        /// Her alias.
        alias: String,
        /// Her key.
        claimer: PublicKey,
        /// When it lapses.
        until: Now,
    },
}

impl Claims {
    /// Starts to contend.
    ///
    /// # Errors
    /// [`TooLong`] never, as long as an attestation fits a cell.
    pub(super) fn new(
        opened: &Opened,
        root: PublicKey,
        key: SecretKey,
        attested: Attested,
        rng: &mut Rng,
    ) -> Result<Self, TooLong> {
        let r = &opened.intake.r;
        let secret = claim_secret(&opened.seed, r);
        let contest = Contest::new(secret, Kind::Claim, 0);
        let mut claims = Self {
            r: r.clone(),
            root,
            key,
            attested,
            contest,
            told: opened.told,
            lapse: opened.claims.clone(),
        };
        claims.contend(rng)?;
        Ok(claims)
    }

    fn contend(&mut self, rng: &mut Rng) -> Result<(), TooLong> {
        let index = self.contest.index();
        let claim = intake::Claim::sign(&self.key, self.attested.clone(), &self.r, index);
        self.contest.contend(cbor::encode(&claim), rng)
    }

    /// What is wanted from the relay.
    pub(super) fn wants(&self, wants: &mut Wants) {
        self.contest.wants(wants);
    }

    /// Takes what the relay said.
    pub(super) fn handle_seen(&mut self, seen: &Seen, now: Now, rng: &mut Rng) -> Option<Claimed> {
        let candidate = self.contest.handle_seen(seen)?;
        let claimed = self.judge(&candidate, now);
        if claimed.is_none() {
            // The signature is over the index: another one is needed at the next.
            self.contest.withdraw();
            self.contest.skip(rng);
            self.contend(rng).ok()?;
        }
        claimed
    }

    /// When a claim of somebody else lapses, and this one goes to the next index.
    fn judge(&mut self, candidate: &Candidate, now: Now) -> Option<Claimed> {
        let Content::Payload(payload) = &candidate.content else {
            return None;
        };
        let claim: intake::Claim = cbor::decode(payload).ok()?;
        let claimer = claim.verify(&self.root, &self.r, candidate.index)?;
        if claimer.key == self.key.public() {
            return Some(Claimed::Here);
        }
        let known = self.lapse.iter().find(|(key, _)| *key == claimer.key);
        let until = known.map_or_else(
            || self.told.unwrap_or(now.plus(CLAIM_LIFETIME)),
            |(_, until)| *until,
        );
        if known.is_none() {
            self.lapse.push((claimer.key, until));
        }
        (until > now).then_some(Claimed::By {
            alias: claimer.alias,
            claimer: claimer.key,
            until,
        })
    }
}
