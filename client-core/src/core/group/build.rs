//! Commits of one's own: requested, built once the slot is known to be free, saved, then put. [G-12], [G-13]

use std::time::Duration;

use cobijo_protocol::{
    cbor,
    commit::{CommitData, POLICY, Statement, WelcomePayload},
    intake::MessageHash,
    keys::PublicKey,
    parts::{Data, Head, Split},
    slot::ThreadSecret,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{Group, GroupEvent, Stop, judge, wiping::is_wipe};
use crate::{
    core::{
        contest::{random, seal_bodies},
        policy::{self, Added, PathLeaf, Presence, Refusal},
        port::{Chain, Now, Rng},
        stream::Stream,
        welcome::WelcomeHead,
    },
    mls::{
        MlsError,
        commit::Built,
        key_package::{BadKeyPackage, OfferedKeyPackage},
        state::EpochFacts,
    },
};

/// What a commit is to do; all empty is a self-update.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// MLSMessages that hold the KeyPackages to add.
    pub adds: Vec<ByteBuf>,
    /// Signature keys of the leaves to remove.
    pub removes: Vec<PublicKey>,
    /// Facts from outside that it rests on.
    pub statements: Vec<Statement>,
}

/// A change that waits for its commit.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) change: Change,
    pub(super) origin: Origin,
}

/// Why a commit is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Origin {
    /// The owner asked, and is told what becomes of it.
    Asked,
    /// Renewal makes it due.
    Due,
    /// Her next return leaf.
    Return,
    /// A statement that was learned.
    Statement,
    /// She ends it for everybody.
    Wipe,
}

/// Members up to which everybody updates its leaf on joining.
const SELF_UPDATE_ON_JOINING_MAX: usize = 8;
/// Time after which an active member renews the group's secrets.
const RENEW_AFTER: Duration = Duration::from_secs(7 * 86_400);
/// Own messages after which a member renews the group's secrets.
const RENEW_AFTER_MESSAGES: u64 = 200;
/// Messages of another member after which one that may do so renews in her place: she may be barred from
/// it, and has [`CUT_MESSAGES_MAX`](cobijo_protocol::limits::CUT_MESSAGES_MAX) in one epoch.
const RENEW_AFTER_OTHERS_MESSAGES: u64 = 300;
/// Above [`SELF_UPDATE_ON_JOINING_MAX`] leaves: time between a member's attempts.
const RENEW_RETRY: Duration = Duration::from_secs(3600);

/// What the epoch has been used for, as far as renewal asks.
struct Use {
    leaves: usize,
    leaf: u32,
    /// Own messages.
    sent: u64,
    /// Messages of whoever wrote most.
    heard: u64,
    /// Whether this member's renewals are for all: others may be barred. [P-29]
    leads: bool,
}

/// When this member renews the group's secrets. [G-20]
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Hygiene {
    epoch_since: Now,
    next_attempt: Now,
    has_to_update: bool,
    is_active: bool,
}

impl Hygiene {
    pub(super) fn new(now: Now) -> Self {
        Self {
            epoch_since: now,
            next_attempt: now,
            has_to_update: false,
            is_active: false,
        }
    }

    /// This member has just joined: its leaf's keys have lain about in a KeyPackage.
    pub(super) fn joined(&mut self) {
        self.has_to_update = true;
    }

    /// This member says something.
    pub(super) fn active(&mut self) {
        self.is_active = true;
    }

    pub(super) fn new_epoch(&mut self, now: Now, mine: bool) {
        self.epoch_since = now;
        self.is_active = false;
        self.has_to_update &= !mine;
    }

    /// A commit of one's own can't be made now.
    fn refused(&mut self) {
        self.has_to_update = false;
        self.is_active = false;
    }

    pub(super) fn due(&self, facts: &EpochFacts) -> Option<Now> {
        let waits = self.has_to_update && facts.leaves.len() > SELF_UPDATE_ON_JOINING_MAX;
        waits.then_some(self.next_attempt)
    }

    /// Whether to renew now; notes the attempt.
    fn attempt(&mut self, used: &Use, now: Now) -> bool {
        let is_due = self.is_due(used, now);
        if used.leaves <= SELF_UPDATE_ON_JOINING_MAX {
            return self.has_to_update || is_due;
        }
        self.has_to_update = false;
        if !is_due || now < self.next_attempt {
            return false;
        }
        let spread = RENEW_RETRY * (used.leaf % 64) / 64;
        self.next_attempt = now.plus(RENEW_RETRY + spread);
        true
    }

    fn is_due(&self, used: &Use, now: Now) -> bool {
        let is_active = self.is_active || (used.leads && used.heard > 0);
        let is_old = now.since(self.epoch_since) >= RENEW_AFTER;
        let of_others = if used.leads {
            RENEW_AFTER_MESSAGES
        } else {
            RENEW_AFTER_OTHERS_MESSAGES
        };
        let is_full = self.is_active && used.sent >= RENEW_AFTER_MESSAGES;
        is_full || (is_active && is_old) || used.heard >= of_others
    }
}

impl Group {
    /// Asks for a commit: made as soon as it is possible, in the order of asking, whoever else commits.
    pub fn request(&mut self, change: Change) {
        self.requests.push_back(Request {
            change,
            origin: Origin::Asked,
        });
    }

    pub(super) fn request_what_is_due(&mut self, now: Now) {
        let is_busy = self.built.is_some() || !self.requests.is_empty();
        if is_busy || self.leaving.is_some() || self.is_silent {
            return;
        }
        self.request_statements(now);
        // After her leave only removals are valid.
        if self.presence != Presence::Here || !self.requests.is_empty() || !self.may_renew() {
            return;
        }
        let used = self.used();
        if self.hygiene.attempt(&used, now) {
            self.requests.push_back(Request {
                change: Change::default(),
                origin: Origin::Due,
            });
        }
    }

    fn leads(&self) -> bool {
        let own = self.leaf(self.facts.own_leaf);
        own.is_some_and(|own| policy::leads(&self.terms, own))
    }

    fn may_renew(&self) -> bool {
        self.leads() || !self.renewed.contains(&self.facts.own_leaf)
    }

    fn used(&self) -> Use {
        Use {
            leaves: self.facts.leaves.len(),
            leaf: self.facts.own_leaf,
            sent: self.outbox.counter(),
            heard: self.streams.iter().map(Stream::read).max().unwrap_or(0),
            leads: self.leads(),
        }
    }

    /// Builds the commit of the next request that still has something to do.
    pub(super) fn build_next(&mut self, rng: &mut Rng) {
        // The own count in the cut must be known, so nothing of one's own may be on its way.
        while self.leaving.is_none()
            && self.built.is_none()
            && !self.outbox.is_putting()
            && self.stop.is_none()
        {
            let Some(request) = self.requests.pop_front() else {
                return;
            };
            let Ok(plan) = self.plan(&request.change) else {
                self.refuse(request.origin, None, rng);
                continue;
            };
            let Some(plan) = plan else { continue };
            match self.check_plan(&plan) {
                Ok(_) if self.build(plan, rng).is_ok() => {
                    self.built = Some(request);
                }
                // Nothing was saved of a build that failed: the state is as before.
                Ok(_) => self.refuse(request.origin, None, rng),
                Err(Refusal::Void(rule)) => self.refuse(request.origin, Some(rule), rng),
                Err(Refusal::UnknownPolicy) => self.stop_for(Stop::Policy),
            }
        }
    }

    /// Gives a request up, so that it isn't tried for ever.
    pub(super) fn refuse(&mut self, origin: Origin, rule: Option<policy::Rule>, rng: &mut Rng) {
        self.contest.withdraw();
        if self.mls.discard(rng).is_err() {
            return self.stop_for(Stop::Broken);
        }
        match origin {
            Origin::Asked => self.events.push_back(GroupEvent::Refused(rule)),
            Origin::Due => self.hygiene.refused(),
            Origin::Return | Origin::Statement => {}
            // Nobody can be told here.
            Origin::Wipe => self.stop_for(Stop::Broken),
        }
    }

    /// What is left to do of a request in this epoch; nothing where it is done.
    fn plan(&self, request: &Change) -> Result<Option<Plan>, BadKeyPackage> {
        let leaves = &self.facts.leaves;
        let is_here = |add: &OfferedKeyPackage| {
            leaves
                .iter()
                .any(|leaf| leaf.key == *add.leaf_key() && leaf.identity == *add.identity())
        };
        let parse = |message: &ByteBuf| {
            OfferedKeyPackage::parse(message, self.mls.suite(), &self.terms.root)
        };
        let mut adds = request
            .adds
            .iter()
            .map(parse)
            .collect::<Result<Vec<_>, _>>()?;
        adds.retain(|add| !is_here(add));
        let index = |key: &PublicKey| {
            leaves
                .iter()
                .find(|leaf| leaf.key == *key)
                .map(|leaf| leaf.index)
        };
        let mut removes: Vec<u32> = request.removes.iter().filter_map(index).collect();
        let is_wipe = is_wipe(request);
        if is_wipe {
            removes = self.own_other_leaves().map(|leaf| leaf.index).collect();
        }
        // Somebody else may have let in who comes back with a new leaf: then nothing is left to remove.
        let is_rescue = !request.adds.is_empty() && !request.statements.is_empty();
        let is_done = adds.is_empty() && (removes.is_empty() || is_rescue) && !is_wipe;
        if is_done && *request != Change::default() {
            return Ok(None);
        }
        let welcomes = adds
            .iter()
            .map(|_| (1, ThreadSecret::from_bytes([0; 32])))
            .collect();
        let statements = request.statements.clone();
        let data = CommitData {
            policy: POLICY,
            cut: self.cut(),
            statements,
            welcomes,
        };
        Ok(Some(Plan {
            adds,
            removes,
            data,
        }))
    }

    fn check_plan(&self, plan: &Plan) -> Result<policy::Effect, Refusal> {
        let added = |add: &OfferedKeyPackage| Added {
            key: *add.leaf_key(),
            identity: Some(add.identity().clone()),
            lifetime: add.lifetime(),
        };
        let adds: Vec<_> = plan.adds.iter().map(added).collect();
        let kept = PathLeaf {
            keeps_capabilities: true,
            keeps_credential: true,
            keeps_extensions: true,
            keeps_key: true,
        };
        let change = policy::Change {
            author: self.facts.own_leaf,
            path: (plan.adds.is_empty() || !plan.removes.is_empty()).then_some(kept),
            adds: &adds,
            removes: &plan.removes,
            data: &plan.data,
        };
        policy::judge(&self.standing(), &change)
    }

    fn build(&mut self, mut plan: Plan, rng: &mut Rng) -> Result<(), MlsError> {
        let day = self.caught_up;
        let shown = plan.data.statements.iter().filter_map(judge::desk_key);
        let higher = shown.filter(|(serial, _)| *serial > self.desk_serial);
        let desk_key = higher
            .max_by_key(|(serial, _)| *serial)
            .map(|(_, signed)| signed);
        let desk_key = desk_key.or_else(|| self.desk_key.clone());
        let payload = |built: &Built| {
            let welcome = ByteBuf::from(built.welcome.clone().unwrap_or_default());
            cbor::encode(&WelcomePayload {
                day,
                desk_key: desk_key.clone(),
                welcome,
            })
        };
        if !plan.adds.is_empty() {
            // The Welcome depends on the authenticated data, which must name its length: built once to
            // learn it, since it is the same whatever the data says.
            let trial =
                self.mls
                    .build(&plan.adds, &plan.removes, &cbor::encode(&plan.data), rng)?;
            let total = u32::try_from(payload(&trial).len()).map_err(|_| MlsError)?;
            let welcome = |_: &OfferedKeyPackage| (total, ThreadSecret::from_bytes(random(rng)));
            plan.data.welcomes = plan.adds.iter().map(welcome).collect();
        }
        let built = self
            .mls
            .build(&plan.adds, &plan.removes, &cbor::encode(&plan.data), rng)?;
        let payload = payload(&built);
        let (mut before, mut after) = (Chain::new(), Chain::new());
        for (add, (total, bodies)) in plan.adds.iter().zip(&plan.data.welcomes) {
            if payload.len() != *total as usize {
                return Err(MlsError);
            }
            let split = Split::all_in_bodies(&payload, bodies.clone()).map_err(|_| MlsError)?;
            before.extend(seal_bodies(&split, false, rng).map_err(|_| MlsError)?);
            after.extend(
                WelcomeHead::new(add.welcome_secret().clone(), *total, bodies.clone()).put(),
            );
        }
        self.welcome = built.welcome.map(|welcome| MessageHash::of(&welcome));
        let mut welcomes = plan.data.welcomes.into_iter();
        self.welcome_head = welcomes.next().map(|(total, secret)| {
            let part = Vec::new();
            ByteBuf::from(
                Data::Head(Head {
                    total,
                    secret,
                    part,
                })
                .encode(),
            )
        });
        self.contest
            .contend_between(before, built.commit, after, rng)
            .map_err(|_| MlsError)
    }
}

/// A request as this epoch sees it.
struct Plan {
    adds: Vec<OfferedKeyPackage>,
    removes: Vec<u32>,
    data: CommitData,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hygiene() -> Hygiene {
        Hygiene::new(Now::default())
    }

    fn used(leaves: usize, sent: u64) -> Use {
        Use {
            leaves,
            leaf: 3,
            sent,
            heard: 0,
            leads: false,
        }
    }

    /// [G-20]
    #[test]
    fn a_newcomer_updates_her_leaf_in_small_groups() {
        let (few, many) = (
            used(SELF_UPDATE_ON_JOINING_MAX, 0),
            used(SELF_UPDATE_ON_JOINING_MAX + 1, 0),
        );
        let mut small = hygiene();
        small.joined();
        assert!(small.attempt(&few, Now::default()));
        small.new_epoch(Now::default(), true);
        assert!(!small.attempt(&few, Now::default()));
        let mut large = hygiene();
        large.joined();
        assert!(!large.attempt(&many, Now::default()));
    }

    /// [G-20]
    #[test]
    fn whoever_is_active_renews_after_a_week_or_many_messages() {
        let week = Now::default().plus(RENEW_AFTER);
        assert!(!hygiene().attempt(&used(2, RENEW_AFTER_MESSAGES), week));
        let mut active = hygiene();
        active.active();
        assert!(!active.attempt(&used(2, RENEW_AFTER_MESSAGES - 1), Now::default()));
        assert!(active.attempt(&used(2, RENEW_AFTER_MESSAGES), Now::default()));
        assert!(active.attempt(&used(2, 0), week));
    }

    /// [G-20] [P-29]
    #[test]
    fn whoever_leads_renews_for_those_who_may_not() {
        let week = Now::default().plus(RENEW_AFTER);
        let of = |heard, leads| Use {
            heard,
            leads,
            ..used(2, 0)
        };
        assert!(hygiene().attempt(&of(1, true), week));
        assert!(!hygiene().attempt(&of(0, true), week));
        assert!(!hygiene().attempt(&of(1, false), week));
        assert!(hygiene().attempt(&of(RENEW_AFTER_MESSAGES, true), Now::default()));
        assert!(!hygiene().attempt(&of(RENEW_AFTER_MESSAGES, false), Now::default()));
        assert!(hygiene().attempt(&of(RENEW_AFTER_OTHERS_MESSAGES, false), Now::default()));
    }

    /// [G-20]
    #[test]
    fn in_large_groups_nobody_tries_twice_an_hour() {
        let (many, week) = (
            used(SELF_UPDATE_ON_JOINING_MAX + 1, 0),
            Now::default().plus(RENEW_AFTER),
        );
        let mut active = hygiene();
        active.active();
        assert!(active.attempt(&many, week));
        assert!(!active.attempt(&many, week.plus(RENEW_RETRY / 2)));
        assert!(active.attempt(&many, week.plus(2 * RENEW_RETRY)));
    }
}
