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

/// A rescue on its way.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Rescuing {
    r: ThreadSecret,
    person: PublicKey,
    thread: WaitingThread,
    due: Now,
    /// From then on it is for anybody at the desk.
    until: Now,
    is_read: bool,
    is_requested: bool,
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
        Self {
            r: intake.r.clone(),
            person: intake.person,
            thread: WaitingThread::new(intake.r.clone(), opened.seed.clone(), intake.person),
            due: now.plus(TURN * u32::try_from(turn).unwrap_or(u32::MAX)),
            until: now.plus(RESCUE_BY_MEMBERS),
            is_read: false,
            is_requested: false,
            has_ended: false,
        }
    }

    pub(super) fn is_for(&self, opened: &Opened) -> bool {
        self.r == opened.intake.r
    }

    pub(super) fn wants(&self, wants: &mut Wants) {
        if !self.is_read && !self.has_ended {
            self.thread.wants(wants);
        }
    }

    pub(super) fn handle_seen(&mut self, seen: &Seen, group: &Group, rng: &mut Rng) {
        if self.is_read || self.has_ended {
            return;
        }
        // What she wrote to the desk is for whoever takes her up.
        let _text = self.thread.handle_seen(seen, &group.terms().root, rng);
        self.is_read = self.thread.is_at_end();
    }

    pub(super) fn poll_timeout(&self) -> Option<Now> {
        if self.has_ended {
            return None;
        }
        // What `poll_step` doesn't act on must not ask for time.
        let acts = matches!(self.thread.rescue(), Some(Statement::PersonRescue { .. }));
        let waits = self.is_read && !self.is_requested && acts;
        Some(if waits {
            self.due.min(self.until)
        } else {
            self.until
        })
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

    pub(super) fn poll_step(&mut self, group: &Group, now: Now) -> Step {
        let is_late = now >= self.until && !self.has_ended;
        if !self.is_read || self.has_ended {
            return if is_late { Step::End } else { Step::Wait };
        }
        let rescue = self.thread.rescue();
        let Some(statement @ Statement::PersonRescue { leaf_key, .. }) = rescue else {
            // Nothing to commit: somebody at the desk may answer.
            return if is_late { Step::End } else { Step::Wait };
        };
        let members = group.members();
        if members.iter().any(|member| member.key == *leaf_key) {
            return Step::Over;
        }
        if is_late {
            return Step::End;
        }
        if self.is_requested || self.due > now {
            return Step::Wait;
        }
        let hers = |member: &&Member| matches!(&member.identity, Identity::Person(old) if old.person == self.person);
        let removes = members
            .iter()
            .filter(hers)
            .map(|member| member.key)
            .collect();
        let change = Change {
            adds: self.thread.leaves(group.suite()),
            removes,
            statements: vec![statement.clone()],
        };
        self.is_requested = true;
        Step::Commit(Box::new(change))
    }
}
