//! Helping a person back who can't follow: her new leaf in, her old ones out. [P-16]

use std::time::Duration;

use cobijo_protocol::{
    commit::Statement, credential::Identity, keys::PublicKey, slot::ThreadSecret,
};
use serde::{Deserialize, Serialize};

use crate::core::{
    claim::{
        queue::{Opened, RESCUE_BY_MEMBERS},
        thread::WaitingThread,
    },
    group::{Change, Group, Member},
    port::{Now, Rng, Seen, Wants},
};

/// Time that each member leaves to those before her, so that they don't race.
const TURN: Duration = Duration::from_secs(4);
/// Whoever was heard from a leaf of hers this lately can follow: somebody else may have her key.
const ACTIVE: Duration = Duration::from_secs(3 * 86_400);

/// A rescue on its way.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Rescuing {
    r: ThreadSecret,
    person: PublicKey,
    thread: WaitingThread,
    #[serde(default)]
    came: Now,
    due: Now,
    /// From then on it is for anybody at the desk.
    until: Now,
    /// Her leaves when it began: any other is one that she was let in by.
    #[serde(default)]
    before: Vec<PublicKey>,
    /// The leaf that was asked for: another one follows only where that one did not get in.
    #[serde(default)]
    requested: Option<PublicKey>,
    /// It is remembered, so that it isn't begun anew.
    has_ended: bool,
}

/// What is to be done.
pub(super) enum Step {
    /// Nothing yet.
    Wait,
    /// Nothing any more, for this member: ten minutes have passed.
    End,
    /// Nothing any more: she is in the group.
    Over,
    /// This commit.
    Commit(Box<Change>),
}

impl Rescuing {
    pub(super) fn new(opened: &Opened, group: &Group, now: Now) -> Self {
        let members = group.members();
        let turn = members
            .iter()
            .take_while(|member| member.leaf != group.own_leaf())
            .count();
        let intake = &opened.intake;
        let before = leaves_of(&intake.person, &members);
        Self {
            r: intake.r.clone(),
            person: intake.person,
            thread: WaitingThread::new(intake.r.clone(), opened.seed.clone(), intake.person),
            came: now,
            due: now.plus(TURN * u32::try_from(turn).unwrap_or(u32::MAX)),
            until: now.plus(RESCUE_BY_MEMBERS),
            before,
            requested: None,
            has_ended: false,
        }
    }

    pub(super) fn is_for(&self, opened: &Opened) -> bool {
        self.r == opened.intake.r
    }

    pub(super) fn wants(&self, wants: &mut Wants) {
        if !self.has_ended {
            self.thread.wants(wants);
        }
    }

    pub(super) fn handle_seen(&mut self, seen: &Seen, group: &Group, rng: &mut Rng) {
        if self.has_ended {
            return;
        }
        // What she wrote to the desk is for whoever takes her up.
        let _text = self.thread.handle_seen(seen, &group.terms().root, rng);
    }

    pub(super) fn poll_timeout(&self, group: &Group, heard: Now) -> Option<Now> {
        if self.has_ended {
            return None;
        }
        // What `poll_step` doesn't act on must not ask for time.
        Some(match self.next(group, heard) {
            Some(_) => self.due.min(self.until),
            None => self.until,
        })
    }

    /// What is to be committed next, and the leaf that it lets in. Nothing while a leaf of hers is active, of
    /// which was `heard` last: that is for somebody at the desk to decide.
    fn next(&self, group: &Group, heard: Now) -> Option<(PublicKey, &Statement)> {
        let is_open = self.requested.is_some() && !group.has_committed();
        let is_active = heard.plus(ACTIVE) > self.came;
        if is_open || is_active || !group.is_caught_up() || !self.thread.is_at_end() {
            return None;
        }
        let rescue = self.thread.rescue(group.id());
        rescue.filter(|(leaf_key, _)| self.requested != Some(*leaf_key))
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    pub(super) fn end(&mut self) {
        self.has_ended = true;
    }

    pub(super) fn r(&self) -> &ThreadSecret {
        &self.r
    }

    pub(super) fn poll_step(&mut self, group: &Group, heard: Now, now: Now) -> Step {
        if self.has_ended {
            return Step::Wait;
        }
        let removes = leaves_of(&self.person, &group.members());
        if removes.iter().any(|key| !self.before.contains(key)) {
            return Step::Over;
        }
        if now >= self.until {
            return Step::End;
        }
        // Where there is nothing to commit, somebody at the desk may answer.
        let Some((leaf_key, statement)) = self.next(group, heard).filter(|_| self.due <= now)
        else {
            return Step::Wait;
        };
        let change = Change {
            adds: self.thread.leaves(group.suite()),
            removes,
            statements: vec![statement.clone()],
        };
        self.requested = Some(leaf_key);
        Step::Commit(Box::new(change))
    }
}

/// Signature keys of a person's leaves.
fn leaves_of(person: &PublicKey, members: &[Member]) -> Vec<PublicKey> {
    let hers = |member: &&Member| matches!(&member.identity, Identity::Person(hers) if hers.person == *person);
    let leaves = members.iter().filter(hers);
    leaves.map(|member| member.key).collect()
}
