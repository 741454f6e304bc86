//! Who is passed over, and who has waited for long., [A-14]

use std::collections::BTreeSet;

use cobijo_protocol::{
    handover::Unclaimed,
    intake::{Intake, IntakeKind},
    keys::PublicKey,
    limits::UNCLAIMED_AFTER,
};

use super::{Queue, Row, State};
use crate::core::port::Now;

impl Queue {
    /// Passes over and removes what those ask for who are blocked: never a first message, which nobody signs.
    ///
    pub(crate) fn pass_over(&mut self, people: BTreeSet<PublicKey>, now: Now) {
        self.passed_over = people;
        let passed_over = &self.passed_over;
        for row in &mut self.rows {
            let is_free = !matches!(row.state, State::Claiming | State::Answered { .. });
            if is_free && is_passed_over(passed_over, &row.opened.intake) {
                let here = true;
                row.state = State::Answered { at: now, here };
            }
        }
    }

    pub(super) fn is_passed_over(&self, intake: &Intake) -> bool {
        is_passed_over(&self.passed_over, intake)
    }

    /// Who has waited for long since it was said last.
    pub(crate) fn unclaimed(&mut self, now: Now) -> Vec<Unclaimed> {
        let due = |row: &&mut Row| row.unclaimed_at().is_some_and(|at| at <= now);
        let due = self.rows.iter_mut().filter(due);
        let told = due.map(|row| {
            let waited = now.since(row.since).as_secs() / UNCLAIMED_AFTER.as_secs();
            row.told_waiting = u32::try_from(waited).unwrap_or(u32::MAX);
            let an_hour = u32::try_from(UNCLAIMED_AFTER.as_secs() / 60).unwrap_or(60);
            Unclaimed {
                r: row.opened.intake.r.clone(),
                minutes: row.told_waiting.saturating_mul(an_hour),
            }
        });
        told.collect()
    }

    pub(super) fn next_unclaimed(&self) -> Option<Now> {
        self.rows.iter().filter_map(Row::unclaimed_at).min()
    }
}

impl Row {
    /// When it is said that she waits, if nobody answers.
    fn unclaimed_at(&self) -> Option<Now> {
        let waits = self.state == State::Waiting && self.is_shown;
        let next = UNCLAIMED_AFTER * self.told_waiting.saturating_add(1);
        waits.then(|| self.since.plus(next))
    }
}

fn is_passed_over(people: &BTreeSet<PublicKey>, intake: &Intake) -> bool {
    match intake.kind {
        IntakeKind::First => false,
        IntakeKind::CameBack { .. } | IntakeKind::Rescue { .. } => people.contains(&intake.person),
    }
}
