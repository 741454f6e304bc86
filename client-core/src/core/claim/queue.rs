//! Who waits at a desk: rows without any preview. [I-5], [I-9]

mod opening;
mod passing;
mod room;
mod row;

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use cobijo_protocol::{
    cell::Cell,
    content::ClaimNotice,
    intake::{Intake, IntakeKind},
    keys::{IntakeSeed, PublicKey},
    limits::{INTAKE_KEY_LIFETIME, MAILBOX_ITEMS_MAX, RETENTION_DAYS_MAX},
    link::DeskId,
    mailbox::{ItemId, MailboxKey},
    slot::ThreadSecret,
};
use serde::{Deserialize, Serialize};

use crate::core::{
    client::{CommandError, QueueRow, QueueState, RowId},
    port::{Now, Seen, Wants},
};

pub use opening::LiveKey;
use row::{Row, State};

/// Time that the members of a group have to answer a rescue before the whole desk is shown it.
pub const RESCUE_BY_MEMBERS: Duration = Duration::from_secs(600);

/// Time after which no relay has an item any more.
const RETENTION_MAX: Duration = Duration::from_secs(RETENTION_DAYS_MAX as u64 * 86_400);

/// An intake that one of the desk's keys opened.
#[derive(Clone, Serialize, Deserialize)]
pub struct Opened {
    /// What she sealed.
    pub intake: Intake,
    /// Seed of the key that opened it: what she adds is sealed to the same one.
    pub seed: IntakeSeed,
    /// When the claims of others, seen by this client, lapse: all of one claimer at one time.
    pub claims: Vec<(PublicKey, Now)>,
    /// When the claim lapses that a colleague told of last.
    pub told: Option<Now>,
}

/// Who waits at a desk.
#[derive(Clone, Serialize, Deserialize)]
pub struct Queue {
    desk: DeskId,
    rows: Vec<Row>,
    last: u32,
    /// Items that are no intake.
    refused: Vec<(MailboxKey, ItemId)>,
    /// Notices about rows whose item has not come yet.
    early: Vec<(ClaimNotice, String, Now)>,
    /// Mailboxes of which something was left out, and when last.
    left_out: Vec<(MailboxKey, Now)>,
    /// Whose intakes, but a first one, are passed over.
    passed_over: BTreeSet<PublicKey>,
    /// Items that no key opens yet: they are left where they are.
    #[serde(skip)]
    closed: VecDeque<(MailboxKey, ItemId, Cell)>,
}

impl Queue {
    /// An empty queue.
    pub fn new(desk: DeskId) -> Self {
        Self {
            desk,
            rows: Vec::new(),
            last: 0,
            refused: Vec::new(),
            early: Vec::new(),
            left_out: Vec::new(),
            passed_over: BTreeSet::new(),
            closed: VecDeque::new(),
        }
    }

    /// Takes an item of an opened mailbox; says whether the rows changed.
    pub fn handle_item(
        &mut self,
        mailbox: MailboxKey,
        item: ItemId,
        cell: &Cell,
        keys: &[LiveKey<'_>],
        now: Now,
    ) -> bool {
        if self
            .rows
            .iter()
            .any(|row| row.items.contains(&(mailbox, item)))
        {
            return false;
        }
        let Some((plaintext, seed)) = self.open(mailbox, cell, keys) else {
            self.keep_closed(mailbox, item, cell, now);
            return false;
        };
        let intake = opening::read(&plaintext);
        let Some(intake) = intake.filter(|intake| !self.is_passed_over(intake)) else {
            self.refused.push((mailbox, item));
            return false;
        };
        if self.row_of(&intake.r).is_none() && !self.make_room(now) {
            self.leave_out(mailbox, now);
            return false;
        }
        self.take(
            Opened {
                intake,
                seed,
                claims: Vec::new(),
                told: None,
            },
            (mailbox, item),
            now,
        );
        true
    }

    fn take(&mut self, opened: Opened, item: (MailboxKey, ItemId), now: Now) {
        // The same contact, sealed again: one row.
        if let Some(row) = self
            .rows
            .iter_mut()
            .find(|row| row.opened.intake.r == opened.intake.r)
        {
            row.items.push(item);
            return;
        }
        self.last += 1;
        let early = self
            .early
            .iter()
            .position(|(notice, ..)| notice.r == opened.intake.r);
        let mut row = Row {
            id: RowId::from_number(self.last),
            items: vec![item],
            since: now,
            is_shown: !matches!(opened.intake.kind, IntakeKind::Rescue { .. }),
            is_unanswerable: false,
            is_passed: false,
            told_waiting: 0,
            opened,
            state: State::Waiting,
            answered_by: None,
        };
        if let Some(position) = early {
            let (notice, alias, at) = self.early.swap_remove(position);
            row.told(&notice, &alias, at);
        }
        self.rows.push(row);
    }

    /// A colleague says what becomes of somebody who waits.
    pub fn handle_notice(&mut self, notice: &ClaimNotice, alias: &str, now: Now) {
        match self
            .rows
            .iter_mut()
            .find(|row| row.opened.intake.r == notice.r)
        {
            Some(row) if matches!(row.state, State::Claiming | State::Answered { .. }) => {}
            Some(row) => row.told(notice, alias, now),
            None if self.early.len() < MAILBOX_ITEMS_MAX => {
                self.early.push((notice.clone(), alias.to_owned(), now));
            }
            None => {}
        }
    }

    /// The rows that are shown, the longest wait first; behind them those that were passed on, and last those that
    /// colleagues say they answered.
    pub fn rows(&self, now: Now) -> Vec<QueueRow> {
        let open = |row: &&Row| !matches!(row.state, State::Answered { .. }) && row.is_shown;
        let rows = self.rows.iter().filter(open).map(|row| row.view(now));
        let (said, mut rows): (Vec<_>, Vec<_>) =
            rows.partition(|row| matches!(row.state, QueueState::Answered));
        rows.sort_by_key(|row| row.passed);
        rows.extend(said);
        rows
    }

    /// The row of somebody who waits.
    pub fn row_of(&self, r: &ThreadSecret) -> Option<RowId> {
        let row = self.rows.iter().find(|row| row.opened.intake.r == *r)?;
        Some(row.id)
    }

    /// Claims a row for this client.
    pub fn claim(&mut self, id: RowId) -> Option<Opened> {
        let row = self.row_mut(id)?;
        if matches!(row.state, State::Claiming | State::Answered { .. }) {
            return None;
        }
        row.state = State::Claiming;
        row.is_unanswerable = false;
        row.is_passed = false;
        Some(row.opened.clone())
    }

    /// Nobody real is behind a row: its item is erased, and what the colleagues are told is that she needs
    /// no answer. To them it is no proof, as with an answer.
    pub(crate) fn dismiss(&mut self, id: RowId, now: Now) -> Result<ClaimNotice, CommandError> {
        let row = self.row_mut(id).ok_or(CommandError::Unknown)?;
        match row.state {
            State::Answered { .. } => return Err(CommandError::Unknown),
            State::Claiming => return Err(CommandError::NotNow),
            State::Claimed { until } if until > now => return Err(CommandError::NotNow),
            State::Waiting | State::Claimed { .. } | State::SaidAnswered { .. } => {}
        }
        let here = true;
        row.state = State::Answered { at: now, here };
        let r = row.opened.intake.r.clone();
        Ok(ClaimNotice { r, answered: true })
    }

    /// The member in front won't take a row. For the colleagues it goes on waiting.
    pub(crate) fn pass(&mut self, id: RowId) -> Result<(), CommandError> {
        let row = self.row_mut(id).ok_or(CommandError::Unknown)?;
        match row.state {
            State::Answered { .. } => return Err(CommandError::Unknown),
            State::Claiming => row.state = State::Waiting,
            State::Waiting | State::Claimed { .. } | State::SaidAnswered { .. } => {}
        }
        row.is_passed = true;
        Ok(())
    }

    /// This client no longer answers.
    pub fn release(&mut self, id: RowId) {
        if let Some(row) = self.row_mut(id) {
            row.state = State::Waiting;
        }
    }

    /// This client found nothing to answer with: the row stays, and may be tried again.
    pub fn unanswerable(&mut self, id: RowId) {
        if let Some(row) = self.row_mut(id) {
            row.state = State::Waiting;
            row.is_unanswerable = true;
        }
    }

    /// A colleague claims the row, until then.
    pub fn claimed(&mut self, id: RowId, claimer: PublicKey, until: Now) {
        if let Some(row) = self.row_mut(id) {
            row.state = State::Claimed { until };
            row.opened.claims.retain(|(other, _)| *other != claimer);
            row.opened.claims.push((claimer, until));
        }
    }

    /// A reply is stored: this client's, whose task it is then to remove the item, or a colleague's.
    pub fn answered(&mut self, id: RowId, here: bool, now: Now) {
        if let Some(row) = self.row_mut(id) {
            row.state = State::Answered { at: now, here };
        }
    }

    /// A colleague has answered, as far as is known here; she can be answered all the same.
    pub fn said_answered(&mut self, id: RowId, alias: &str, now: Now) {
        if let Some(row) = self.row_mut(id) {
            row.state = State::SaidAnswered { at: now };
            row.answered_by = Some(alias.to_owned());
        }
    }

    /// A rescue is over: she is in the group again.
    pub fn rescued(&mut self, r: &ThreadSecret, now: Now) -> Option<ClaimNotice> {
        let id = self.row_of(r)?;
        self.answered(id, true, now);
        let r = r.clone();
        Some(ClaimNotice { r, answered: true })
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Now> {
        let changes = self.rows.iter().filter_map(Row::next_change);
        changes.chain(self.next_unclaimed()).min()
    }

    /// Lets claims lapse and shows rescues that nobody answered; says whether the rows changed.
    pub fn handle_timeout(&mut self, now: Now) -> bool {
        let due = |row: &&mut Row| row.next_change().is_some_and(|at| at <= now);
        let changed = self.rows.iter_mut().filter(due).map(|row| {
            row.is_shown = true;
            row.state = State::Waiting;
        });
        changed.count() > 0
    }

    /// Rescues of that group, for a client that is a member of it.
    pub fn rescues(&self, group: &[u8]) -> Vec<(RowId, Opened)> {
        let of_group = |row: &&Row| {
            let IntakeKind::Rescue { group: named, .. } = &row.opened.intake.kind else {
                return false;
            };
            *named == group && row.state == State::Waiting
        };
        self.rows
            .iter()
            .filter(of_group)
            .map(|row| (row.id, row.opened.clone()))
            .collect()
    }

    /// Whether something that was read from that mailbox may still stand there.
    pub fn holds(&self, mailbox: &MailboxKey) -> bool {
        let of_mailbox = |(other, _): &(MailboxKey, ItemId)| other == mailbox;
        let is_closed = |(other, ..): &(MailboxKey, ItemId, Cell)| other == mailbox;
        let is_left_out = |(other, _): &(MailboxKey, Now)| other == mailbox;
        self.refused.iter().any(of_mailbox)
            || self.left_out.iter().any(is_left_out)
            || self.closed.iter().any(is_closed)
            || self.rows.iter().any(|row| row.items.iter().any(of_mailbox))
    }

    /// What is wanted of the mailboxes that are open.
    pub fn wants(&self, wants: &mut Wants) {
        let here = |row: &&Row| matches!(row.state, State::Answered { here: true, .. });
        wants.removes.extend(
            self.rows
                .iter()
                .filter(here)
                .flat_map(|row| row.items.iter().copied()),
        );
        wants.removes.extend(self.refused.iter().copied());
    }

    /// Takes what the relay said.
    pub fn handle_seen(&mut self, seen: &Seen) {
        let Seen::Removed(mailbox, item) = seen else {
            return;
        };
        let gone = (*mailbox, *item);
        self.refused.retain(|kept| *kept != gone);
        for row in &mut self.rows {
            row.items.retain(|kept| *kept != gone);
        }
    }

    /// Forgets what expired, and what was answered long ago: kept until then, because she may say "not this one".
    pub fn forget_old(&mut self, now: Now) {
        let is_old = |at: Now| now.since(at) > INTAKE_KEY_LIFETIME;
        let is_expired = |row: &Row| now.since(row.since) > RETENTION_MAX;
        self.rows.retain(|row| match row.state {
            State::Answered { at, here } => !is_old(at) || (here && !row.items.is_empty()),
            State::SaidAnswered { at } => !is_old(at),
            State::Waiting | State::Claimed { .. } => !is_expired(row),
            State::Claiming => true,
        });
        self.early.retain(|(.., at)| !is_old(*at));
        self.left_out
            .retain(|(_, at)| now.since(*at) <= RETENTION_MAX);
    }

    /// What a newcomer must know: the claims that are open, and who was answered.
    pub fn notices(&self) -> Vec<ClaimNotice> {
        let notice = |row: &Row| {
            let answered = match row.state {
                State::Waiting => return None,
                State::Claimed { .. } | State::Claiming => false,
                State::Answered { .. } | State::SaidAnswered { .. } => true,
            };
            Some(ClaimNotice {
                r: row.opened.intake.r.clone(),
                answered,
            })
        };
        self.rows.iter().filter_map(notice).collect()
    }

    fn row_mut(&mut self, id: RowId) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.id == id)
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}
