//! A shift: the mailboxes are open, the queue is shown, and waiting people are answered.

use std::{collections::BTreeSet, time::Duration};

use cobijo_protocol::{
    Day,
    content::ClaimNotice,
    handover::Unclaimed,
    keys::{PublicKey, SecretKey},
    link::{DeskId, RelayUrl},
    mailbox::MailboxKey,
    slot::ThreadSecret,
};
use serde::{Deserialize, Serialize};

use crate::core::{
    claim::{
        Claim, ClaimEvent, Me,
        queue::{LiveKey, Opened, Queue},
    },
    client::{Capacity, ChannelId, CommandError, Context, Line, QueueRow, RowId},
    group::Group,
    port::{Now, Seen, Wants},
};

/// Time for a mailbox's items to arrive after it was opened: what has come by then is all.
const ITEMS_WAIT: Duration = Duration::from_secs(60);

/// Time for which an answer on its way takes a place: an offer may never get her yes.
const ANSWER_HOLDS: Duration = Duration::from_secs(86_400);

/// The own shift.
#[derive(Serialize, Deserialize)]
pub(crate) struct Shift {
    is_on: bool,
    #[serde(default)]
    capacity: Capacity,
    /// Who learns beside this member on it.
    buddy: Option<PublicKey>,
    channel: ChannelId,
    queue: Queue,
    claims: Vec<Answer>,
    #[serde(skip)]
    open_since: Option<Now>,
}

/// An answer on its way, on a channel of its own.
#[derive(Serialize, Deserialize)]
struct Answer {
    row: RowId,
    channel: ChannelId,
    since: Now,
    claim: Claim,
    /// What she wrote while she waited, until there is a conversation to show it in.
    texts: Vec<String>,
    has_begun: bool,
}

/// What happens on a shift.
pub(crate) enum ShiftEvent {
    /// For the colleagues.
    Notice(ClaimNotice),
    /// Rows came, went or changed.
    QueueChanged,
    /// Somebody has waited for long.
    Unclaimed(Unclaimed),
    /// The own answer stands.
    Began {
        /// Which row.
        row: RowId,
        /// The channel it came on, which it may go on using.
        channel: ChannelId,
        /// The conversation.
        group: Box<Group>,
        /// What she wrote while she waited.
        texts: Vec<String>,
    },
    /// What she wrote while she waited came late, for the conversation of this channel.
    Text(ChannelId, String),
    /// A colleague answers, or there is nobody to answer any more.
    Lost(RowId),
    /// She refused a conversation that had begun on this channel.
    Refused(ChannelId),
}

impl Shift {
    pub(crate) fn new(desk: DeskId, channel: ChannelId) -> Self {
        Self {
            is_on: false,
            capacity: Capacity::default(),
            buddy: None,
            channel,
            queue: Queue::new(desk),
            claims: Vec::new(),
            open_since: None,
        }
    }

    /// Whether the mailboxes are open.
    pub(crate) fn is_on(&self) -> bool {
        self.is_on
    }

    /// Begins; one that is on goes on as it is.
    pub(crate) fn start(&mut self) {
        if !self.is_on {
            self.capacity = Capacity::default();
        }
        self.is_on = true;
        self.open_since = None;
    }

    /// Live conversations that this member takes.
    pub(crate) fn capacity(&self) -> Capacity {
        self.capacity
    }

    /// Changes how many she takes.
    pub(crate) fn take_up_to(&mut self, capacity: Capacity) {
        self.capacity = capacity;
    }

    /// Answers on their way that take a place, beside the conversations that have begun.
    pub(crate) fn answering(&self, now: Now) -> usize {
        let holds = |answer: &&Answer| !answer.has_begun && now.since(answer.since) <= ANSWER_HOLDS;
        self.claims.iter().filter(holds).count()
    }

    /// Who learns beside this member on it.
    pub(crate) fn buddy(&self) -> Option<PublicKey> {
        self.buddy
    }

    /// Changes who learns beside her.
    pub(crate) fn learn_beside(&mut self, buddy: Option<PublicKey>) {
        self.buddy = buddy;
    }

    /// Ends; answers on their way go on.
    pub(crate) fn end(&mut self) {
        self.is_on = false;
        self.buddy = None;
    }

    /// Who waits; nobody is shown off shift.
    pub(crate) fn rows(&self, now: Now) -> Vec<QueueRow> {
        if self.is_on {
            self.queue.rows(now)
        } else {
            Vec::new()
        }
    }

    /// What the colleagues must know of who is answered.
    pub(crate) fn notices(&self) -> Vec<ClaimNotice> {
        self.queue.notices()
    }

    /// Begins to answer a row.
    pub(crate) fn claim(
        &mut self,
        row: RowId,
        me: &Me,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        if !self.is_on {
            return Err(CommandError::NotOnShift);
        }
        let opened = self.queue.claim(row).ok_or(CommandError::Unknown)?;
        let Ok(claim) = Claim::new(me.clone(), opened, context.rng) else {
            self.queue.release(row);
            return Err(CommandError::Stopped);
        };
        let first = claim.opened().intake.text.clone();
        self.claims.push(Answer {
            row,
            channel: context.new_channel(),
            since: context.now,
            claim,
            texts: vec![first],
            has_begun: false,
        });
        Ok(())
    }

    /// Passes a row on; an answer to it is given up where nothing of it can stand yet. The own claim lapses.
    pub(crate) fn pass(&mut self, row: RowId) -> Result<[ShiftEvent; 1], CommandError> {
        if !self.is_on {
            return Err(CommandError::NotOnShift);
        }
        let of_row = |answer: &Answer| answer.row == row;
        let stays = |answer: &Answer| of_row(answer) && !answer.claim.may_be_dropped();
        if self.claims.iter().any(stays) {
            return Err(CommandError::NotNow);
        }
        self.queue.pass(row)?;
        self.claims.retain(|answer| !of_row(answer));
        Ok([ShiftEvent::QueueChanged])
    }

    /// Takes a row off the queue unanswered.
    pub(crate) fn dismiss(
        &mut self,
        row: RowId,
        now: Now,
    ) -> Result<[ShiftEvent; 2], CommandError> {
        if !self.is_on {
            return Err(CommandError::NotOnShift);
        }
        let notice = self.queue.dismiss(row, now)?;
        Ok([ShiftEvent::Notice(notice), ShiftEvent::QueueChanged])
    }

    /// A colleague says what becomes of somebody who waits.
    pub(crate) fn handle_notice(&mut self, notice: &ClaimNotice, alias: &str, now: Now) {
        self.queue.handle_notice(notice, alias, now);
    }

    /// Tries the new keys on what none opened; true where rows came.
    pub(crate) fn handle_keys(&mut self, keys: &[LiveKey<'_>], now: Now) -> bool {
        self.queue.handle_keys(keys, now)
    }

    /// Rescues of a group that this client is a member of.
    pub(crate) fn rescues(&self, group: &[u8]) -> Vec<Opened> {
        let rescues = self.queue.rescues(group).into_iter();
        rescues.map(|(_, opened)| opened).collect()
    }

    /// The row of somebody who waits.
    pub(crate) fn row_of(&self, r: &ThreadSecret) -> Option<RowId> {
        self.queue.row_of(r)
    }

    /// Passes over and removes what those ask for who are blocked.
    pub(crate) fn pass_over(&mut self, people: BTreeSet<PublicKey>, now: Now) {
        self.queue.pass_over(people, now);
    }

    /// A rescue is over.
    pub(crate) fn handle_rescued(&mut self, r: &ThreadSecret, now: Now) -> Vec<ShiftEvent> {
        let notice = self.queue.rescued(r, now);
        let events = notice.map(|notice| [ShiftEvent::Notice(notice), ShiftEvent::QueueChanged]);
        events.into_iter().flatten().collect()
    }

    /// The day since when the mailboxes are open, where that is long enough and nothing that was read
    /// from this one stands there.
    pub(crate) fn emptied(&self, mailbox: &MailboxKey, now: Now) -> Option<Day> {
        let since = self.open_since.filter(|_| self.is_on)?;
        let is_read = now.since(since) >= ITEMS_WAIT;
        (is_read && !self.queue.holds(mailbox)).then(|| since.day())
    }

    /// She has arrived in the conversation of this channel.
    pub(crate) fn handle_arrival(&mut self, channel: ChannelId, now: Now) {
        let mut claims = self.claims.iter_mut();
        if let Some(answer) = claims.find(|answer| answer.channel == channel) {
            answer.claim.person_arrived(now);
        }
    }

    /// What is wanted on each channel.
    pub(crate) fn lines(&self, relay: &RelayUrl, mailboxes: Vec<SecretKey>) -> Vec<Line> {
        let mut wants = Wants::default();
        self.queue.wants(&mut wants);
        let mut lines = Vec::new();
        if self.is_on || !wants.removes.is_empty() {
            wants.mailboxes = mailboxes;
            lines.push(Line {
                channel: self.channel,
                relay: relay.clone(),
                wants,
            });
        }
        lines.extend(self.claims.iter().map(|answer| {
            let mut wants = Wants::default();
            answer.claim.wants(&mut wants);
            Line {
                channel: answer.channel,
                relay: relay.clone(),
                wants,
            }
        }));
        lines
    }

    /// Takes what the relay said.
    pub(crate) fn handle_seen(
        &mut self,
        channel: ChannelId,
        seen: &Seen,
        keys: &[LiveKey<'_>],
        context: &mut Context<'_>,
    ) -> Vec<ShiftEvent> {
        let mut events = Vec::new();
        if channel == self.channel {
            if self.handle_mailbox(seen, keys, context.now) {
                events.push(ShiftEvent::QueueChanged);
            }
            return events;
        }
        let Self { queue, claims, .. } = self;
        let of_channel = |answer: &&mut Answer| answer.channel == channel;
        for answer in claims.iter_mut().filter(of_channel) {
            answer.claim.handle_seen(seen, context.now, context.rng);
            answer.drain(queue, context.now, &mut events);
        }
        claims.retain(|answer| !answer.claim.is_over());
        events
    }

    fn handle_mailbox(&mut self, seen: &Seen, keys: &[LiveKey<'_>], now: Now) -> bool {
        if matches!(seen, Seen::Connected(_)) {
            self.open_since = Some(now);
        }
        if let Seen::Item(mailbox, item, cell) = seen {
            return self.queue.handle_item(*mailbox, *item, cell, keys, now);
        }
        self.queue.handle_seen(seen);
        false
    }

    /// When [`Shift::handle_timeout`] is to be called.
    pub(crate) fn poll_timeout(&self) -> Option<Now> {
        let claims = self.claims.iter();
        claims
            .filter_map(|answer| answer.claim.poll_timeout())
            .chain(self.queue.poll_timeout().filter(|_| self.is_on))
            .min()
    }

    /// When it will show whether a mailbox is empty, where that is still to come.
    pub(crate) fn emptied_at(&self, now: Now) -> Option<Now> {
        let since = self.open_since.filter(|_| self.is_on)?;
        Some(since.plus(ITEMS_WAIT)).filter(|at| *at > now)
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, context: &mut Context<'_>) -> Vec<ShiftEvent> {
        let mut events = Vec::new();
        let Self { queue, claims, .. } = self;
        for answer in claims.iter_mut() {
            answer.claim.handle_timeout(context.now, context.rng);
            answer.drain(queue, context.now, &mut events);
        }
        claims.retain(|answer| !answer.claim.is_over());
        if queue.handle_timeout(context.now) {
            events.push(ShiftEvent::QueueChanged);
        }
        if self.is_on {
            let unclaimed = queue.unclaimed(context.now).into_iter();
            events.extend(unclaimed.map(ShiftEvent::Unclaimed));
        }
        queue.forget_old(context.now);
        events
    }
}

impl Answer {
    fn drain(&mut self, queue: &mut Queue, now: Now, events: &mut Vec<ShiftEvent>) {
        let row = self.row;
        while let Some(event) = self.claim.poll_event() {
            match event {
                ClaimEvent::Notice(notice) => events.push(ShiftEvent::Notice(notice)),
                ClaimEvent::Text(text) if self.has_begun => {
                    events.push(ShiftEvent::Text(self.channel, text));
                }
                ClaimEvent::Text(text) => self.texts.push(text),
                ClaimEvent::ClaimedBy { claimer, until, .. } => {
                    queue.claimed(row, claimer, until);
                    events.push(ShiftEvent::Lost(row));
                }
                // Her client may still say that she can't join that answer.
                ClaimEvent::LostTo { alias } => {
                    queue.said_answered(row, &alias, now);
                    events.push(ShiftEvent::Lost(row));
                }
                ClaimEvent::Replied => queue.answered(row, true, now),
                ClaimEvent::Began(group) => {
                    self.has_begun = true;
                    events.push(ShiftEvent::Began {
                        row,
                        channel: self.channel,
                        group,
                        texts: std::mem::take(&mut self.texts),
                    });
                }
                ClaimEvent::Refused => {
                    queue.release(row);
                    events.push(ShiftEvent::Refused(self.channel));
                    events.push(ShiftEvent::Lost(row));
                }
                // What is missing may only be withheld, or erased by somebody who had no right to:
                // the item stays.
                ClaimEvent::Unanswerable => {
                    queue.unanswerable(row);
                    events.push(ShiftEvent::Lost(row));
                }
            }
            events.push(ShiftEvent::QueueChanged);
        }
    }
}

impl std::fmt::Debug for Shift {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shift").finish_non_exhaustive()
    }
}
