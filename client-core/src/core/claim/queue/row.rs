//! A row of the queue: somebody who waits, and what is known of who answers her.

use cobijo_protocol::{
    content::ClaimNotice,
    intake::IntakeKind,
    limits::CLAIM_LIFETIME,
    mailbox::{ItemId, MailboxKey},
    words::person_alias,
};
use serde::{Deserialize, Serialize};

use super::{Opened, RESCUE_BY_MEMBERS};
use crate::core::{
    client::{QueueReason, QueueRow, QueueState, RowId},
    port::Now,
};

/// Bytes of a language tag that is shown; longer ones are none.
const LANGUAGE_BYTES_MAX: usize = 16;

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) id: RowId,
    pub(super) items: Vec<(MailboxKey, ItemId)>,
    pub(super) since: Now,
    pub(super) opened: Opened,
    pub(super) state: State,
    /// Who says that she has answered.
    pub(super) answered_by: Option<String>,
    /// A rescue is first for the members of the group.
    pub(super) is_shown: bool,
    /// This client found nothing to answer her with.
    pub(super) is_unanswerable: bool,
    /// The member in front won't take it; nobody else is told.
    #[serde(default)]
    pub(super) is_passed: bool,
    /// For how many times [`UNCLAIMED_AFTER`](cobijo_protocol::limits::UNCLAIMED_AFTER) it was said that she waits.
    pub(super) told_waiting: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    Waiting,
    /// By a colleague; lapses.
    Claimed {
        until: Now,
    },
    /// By this client.
    Claiming,
    /// A colleague says that she has answered. That is no proof: it can be answered anyway.
    SaidAnswered {
        at: Now,
    },
    /// Nobody needs to answer any more.
    Answered {
        at: Now,
        here: bool,
    },
}

impl Row {
    /// A colleague says what becomes of her.
    pub(super) fn told(&mut self, notice: &ClaimNotice, alias: &str, at: Now) {
        if notice.answered {
            self.state = State::SaidAnswered { at };
            self.answered_by = Some(alias.to_owned());
        } else {
            let until = at.plus(CLAIM_LIFETIME);
            self.state = State::Claimed { until };
            self.opened.told = Some(until);
        }
    }

    /// When it looks different, if nobody does anything.
    pub(super) fn next_change(&self) -> Option<Now> {
        match self.state {
            State::Waiting if !self.is_shown => Some(self.since.plus(RESCUE_BY_MEMBERS)),
            State::Claimed { until } => Some(until),
            State::Waiting
            | State::Claiming
            | State::SaidAnswered { .. }
            | State::Answered { .. } => None,
        }
    }

    pub(super) fn view(&self, now: Now) -> QueueRow {
        QueueRow {
            id: self.id,
            alias: person_alias(&self.opened.intake.person),
            since: self.since,
            language: language(&self.opened.intake.language),
            reason: match self.opened.intake.kind {
                IntakeKind::First => QueueReason::First,
                IntakeKind::CameBack { .. } => QueueReason::CameBack,
                IntakeKind::Rescue { .. } => QueueReason::Rescue,
            },
            state: match self.state {
                State::Claiming => QueueState::Claiming,
                State::SaidAnswered { .. } => QueueState::Answered,
                State::Claimed { until } if until > now => QueueState::Claimed,
                State::Waiting if self.is_unanswerable => QueueState::Unanswerable,
                State::Claimed { .. } | State::Waiting | State::Answered { .. } => {
                    QueueState::Waiting
                }
            },
            by: self.answered_by.clone(),
            passed: self.is_passed,
        }
    }
}

/// A language tag as it may be shown: what a stranger wrote is no text for the queue.
fn language(tag: &str) -> String {
    let is_tag = (2..=LANGUAGE_BYTES_MAX).contains(&tag.len())
        && tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if is_tag {
        tag.to_owned()
    } else {
        "und".to_owned()
    }
}
