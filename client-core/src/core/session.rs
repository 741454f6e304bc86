//! One connection to a relay: turns what machines want into frames, and frames into what they see.
//!
//! The relay is not trusted. What it sends is matched with what was asked; an answer that can't be
//! matched ends the connection, a push that nobody waits for is ignored, and nothing it sends
//! makes this grow. What was answered here is not asked again; a new connection asks everything.

mod ledger;
mod outgoing;

use std::collections::{BTreeSet, VecDeque};

use cobijo_protocol::{
    frame::{
        Closing, FrameError, FromRelay, Greeting, Operation, Outcome, SessionNonce, SlotState,
        decode_from_relay,
    },
    limits::{
        BUSY_RETRY, FRAMES_IN_FLIGHT_MAX, OPEN_MAILBOXES_MAX, PROTOCOL_VERSION, RETENTION_DAYS_MAX,
        RETENTION_DAYS_MIN, WATCH_ADDRESSES_MAX,
    },
    mailbox::MailboxKey,
    slot::Address,
};

use self::{
    ledger::{Next, Progress, Puts, Slots, Task, Tasks},
    outgoing::{Asked, Outgoing, puts_max},
};
use super::port::{Dropped, Now, RelayFacts, Seen, Wants};

/// One connection.
pub struct Session {
    host: String,
    stage: Stage,
    in_flight: VecDeque<Vec<Asked>>,
    slots: Slots,
    tasks: Tasks,
    puts: Puts,
    busy_until: Option<Now>,
    spent: bool,
    stored: bool,
}

/// How far the hello is.
enum Stage {
    New,
    Greeting,
    Open(SessionNonce),
}

/// Why a connection can't go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The relay says that it closes it.
    #[error("the relay closes the connection")]
    Closed(Closing),
    /// The relay sent what is no frame.
    #[error("the relay sent a malformed frame")]
    Frame(#[from] FrameError),
    /// The relay does not let its owner open a mailbox: it is not the host that was dialled.
    #[error("the relay refused to open an own mailbox")]
    MailboxDenied,
    /// An answer does not fit what was asked.
    #[error("the relay's answer does not fit what was asked")]
    UnexpectedAnswer,
}

impl Session {
    /// A connection that was just opened to `host`: lower case, without port.
    pub fn new(host: &str) -> Self {
        Self {
            host: host.to_owned(),
            stage: Stage::New,
            in_flight: VecDeque::new(),
            slots: Slots::default(),
            tasks: Tasks::default(),
            puts: Puts::default(),
            busy_until: None,
            spent: false,
            stored: false,
        }
    }

    /// The next frame to send for what is wanted now; to be called until it returns `None`.
    pub fn reconcile(&mut self, wants: &Wants, now: Now) -> Option<Vec<u8>> {
        let nonce = match self.stage {
            Stage::New => return self.hello(),
            Stage::Greeting => return None,
            Stage::Open(nonce) => nonce,
        };
        if self.spent || self.in_flight.len() >= FRAMES_IN_FLIGHT_MAX {
            return None;
        }
        if self.busy_until.is_some_and(|until| now >= until) {
            self.busy_until = None;
        }
        self.forget_unwanted(wants);
        let mut frame = Outgoing::default();
        self.add_watches(&mut frame, wants);
        self.add_tasks(&mut frame, wants, &nonce);
        if self.busy_until.is_none() {
            self.add_drops(&mut frame, wants);
            self.add_chains(&mut frame, wants);
        }
        self.send(frame)
    }

    /// Takes one frame of the relay.
    ///
    /// # Errors
    /// The connection must be closed. What it had in flight goes again on the next one.
    pub fn handle_frame(&mut self, frame: &[u8], now: Now) -> Result<Vec<Seen>, SessionError> {
        let seen = match decode_from_relay(frame)? {
            FromRelay::Answer(outcomes) => return self.handle_answer(outcomes, now),
            FromRelay::Closing(closing) => return Err(SessionError::Closed(closing)),
            FromRelay::Cell { address, cell } => self
                .slots
                .push(&address)
                .then_some(Seen::Full(address, cell)),
            FromRelay::Gone { address } => self.slots.push(&address).then_some(Seen::Gone(address)),
            FromRelay::Item {
                mailbox,
                item,
                cell,
            } => {
                let open = self.tasks.progress(&Task::Open(mailbox));
                let is_open = matches!(open, Some(Progress::Asked | Progress::Done));
                is_open.then_some(Seen::Item(mailbox, item, cell))
            }
        };
        Ok(seen.into_iter().collect())
    }

    /// When [`Session::reconcile`] has to be called again, although nothing came.
    pub fn poll_timeout(&self) -> Option<Now> {
        // While nothing can be sent, only an answer changes that.
        let may_send = !self.spent && self.in_flight.len() < FRAMES_IN_FLIGHT_MAX;
        self.busy_until.filter(|_| may_send)
    }

    /// Whether the relay has stored anything on this connection.
    pub fn has_stored(&self) -> bool {
        self.stored
    }

    /// Whether the connection can write no more: close it and open another one.
    pub fn is_spent(&self) -> bool {
        self.spent && self.in_flight.is_empty()
    }

    fn hello(&mut self) -> Option<Vec<u8>> {
        self.stage = Stage::Greeting;
        let mut frame = Outgoing::default();
        let hello = Operation::Hello {
            version: PROTOCOL_VERSION,
        };
        frame.add(hello, Asked::Hello).then_some(())?;
        self.send(frame)
    }

    fn send(&mut self, frame: Outgoing) -> Option<Vec<u8>> {
        let (bytes, asked) = frame.finish()?;
        self.in_flight.push_back(asked);
        Some(bytes)
    }

    fn forget_unwanted(&mut self, wants: &Wants) {
        let opens = wants
            .mailboxes
            .iter()
            .map(|key| Task::Open(MailboxKey::of(key)));
        let removes = wants
            .removes
            .iter()
            .map(|&(mailbox, item)| Task::Remove(mailbox, item));
        let erases = wants
            .erases
            .iter()
            .map(|(slot_key, erase_key)| Task::Erase(slot_key.address(&erase_key.mark())));
        let drops = wants
            .drops
            .iter()
            .map(|(mailbox, cell)| Task::Drop(*mailbox, cell.hash()));
        self.tasks
            .retain(&opens.chain(removes).chain(erases).chain(drops).collect());
        self.puts.retain(&wants.chains);
    }

    fn add_watches(&mut self, frame: &mut Outgoing, wants: &Wants) {
        let wanted: BTreeSet<Address> = wants.watch.iter().copied().collect();
        let unwatched = self.slots.unwatch(&wanted);
        for addresses in unwatched.chunks(WATCH_ADDRESSES_MAX) {
            let operation = Operation::Unwatch {
                addresses: addresses.to_vec(),
            };
            let _fits = frame.add(operation, Asked::Unwatch);
        }
        let new = self.slots.watch(&wants.watch);
        for addresses in new.chunks(WATCH_ADDRESSES_MAX) {
            let operation = Operation::Watch {
                addresses: addresses.to_vec(),
            };
            if !frame.add(operation, Asked::Watch(addresses.to_vec())) {
                self.slots.forget(addresses);
            }
        }
    }

    fn add_tasks(&mut self, frame: &mut Outgoing, wants: &Wants, nonce: &SessionNonce) {
        for key in wants.mailboxes.iter().take(OPEN_MAILBOXES_MAX) {
            let mailbox = MailboxKey::of(key);
            let signature = || MailboxKey::sign_open(key, &self.host, nonce);
            add_task(
                &mut self.tasks,
                frame,
                Task::Open(mailbox),
                Asked::Open(mailbox),
                || Operation::Open {
                    mailbox,
                    signature: signature(),
                },
            );
        }
        for &(mailbox, item) in &wants.removes {
            if self.tasks.progress(&Task::Open(mailbox)) != Some(Progress::Done) {
                continue;
            }
            let asked = Asked::Remove(mailbox, item);
            add_task(
                &mut self.tasks,
                frame,
                Task::Remove(mailbox, item),
                asked,
                || Operation::Remove { mailbox, item },
            );
        }
        for (slot_key, erase_key) in &wants.erases {
            let address = slot_key.address(&erase_key.mark());
            add_task(
                &mut self.tasks,
                frame,
                Task::Erase(address),
                Asked::Erase(address),
                || Operation::Erase {
                    slot_key: slot_key.clone(),
                    erase_key: erase_key.clone(),
                },
            );
        }
    }

    fn add_drops(&mut self, frame: &mut Outgoing, wants: &Wants) {
        for (mailbox, cell) in &wants.drops {
            let asked = Asked::Drop(*mailbox, cell.clone());
            add_task(
                &mut self.tasks,
                frame,
                Task::Drop(*mailbox, cell.hash()),
                asked,
                || Operation::Drop {
                    mailbox: *mailbox,
                    cell: cell.clone(),
                },
            );
        }
    }

    /// Fills the frame with chains in their order. One that fits a frame is not split: a commit and
    /// its Welcome heads must stand or fail together.
    fn add_chains(&mut self, frame: &mut Outgoing, wants: &Wants) {
        for chain in &wants.chains {
            let Next::Puts(puts) = self.puts.next(chain) else {
                continue;
            };
            let left = frame.puts_left();
            if left == 0 || (puts.len() > left && puts.len() <= puts_max()) {
                return;
            }
            for (address, put) in puts.into_iter().take(left) {
                let operation = Operation::Put {
                    slot_key: put.slot_key.clone(),
                    mark: put.mark,
                    cell: put.cell.clone(),
                };
                if frame.add(operation, Asked::Put(address)) {
                    self.puts.ask(address, put.cell.clone());
                }
            }
        }
    }

    fn handle_answer(
        &mut self,
        outcomes: Vec<Outcome>,
        now: Now,
    ) -> Result<Vec<Seen>, SessionError> {
        let asked = self
            .in_flight
            .pop_front()
            .ok_or(SessionError::UnexpectedAnswer)?;
        if asked.len() != outcomes.len() {
            return Err(SessionError::UnexpectedAnswer);
        }
        let mut seen = Vec::new();
        let mut may_skip = false;
        self.stored |= outcomes.contains(&Outcome::Stored);
        for (asked, outcome) in asked.into_iter().zip(outcomes) {
            if outcome == Outcome::Skipped && !may_skip {
                return Err(SessionError::UnexpectedAnswer);
            }
            may_skip |= asked.is_write() && outcome != Outcome::Stored;
            self.handle_outcome(asked, outcome, now, &mut seen)?;
        }
        Ok(seen)
    }

    fn handle_outcome(
        &mut self,
        asked: Asked,
        outcome: Outcome,
        now: Now,
        seen: &mut Vec<Seen>,
    ) -> Result<(), SessionError> {
        match (asked, outcome) {
            (Asked::Hello, Outcome::Hello(greeting)) => seen.push(self.greet(&greeting)?),
            (Asked::Unwatch, Outcome::Done | Outcome::Skipped) => {}
            (Asked::Watch(addresses), Outcome::Watching(states)) => {
                self.handle_watching(&addresses, &states, seen)?;
            }
            (Asked::Watch(addresses), Outcome::TooMany) => self.slots.refuse(&addresses),
            (Asked::Watch(addresses), Outcome::Skipped) => self.slots.forget(&addresses),
            (Asked::Put(address), outcome) => seen.extend(self.handle_put(address, &outcome, now)?),
            (Asked::Drop(mailbox, cell), outcome) => {
                let task = Task::Drop(mailbox, cell.hash());
                let dropped = self.handle_drop(task, &outcome, now)?;
                seen.extend(dropped.map(|dropped| Seen::Dropped(mailbox, dropped)));
            }
            (Asked::Open(_), Outcome::Denied) => return Err(SessionError::MailboxDenied),
            (Asked::Open(mailbox), outcome) => {
                self.handle_task(Task::Open(mailbox), &outcome)?;
            }
            (Asked::Remove(mailbox, item), outcome) => {
                let done = self.handle_task(Task::Remove(mailbox, item), &outcome)?;
                seen.extend(done.then_some(Seen::Removed(mailbox, item)));
            }
            (Asked::Erase(address), outcome) => {
                let done = self.handle_task(Task::Erase(address), &outcome)?;
                seen.extend(done.then_some(Seen::Erased(address)));
            }
            (Asked::Hello | Asked::Unwatch | Asked::Watch(_), _) => {
                return Err(SessionError::UnexpectedAnswer);
            }
        }
        Ok(())
    }

    fn greet(&mut self, greeting: &Greeting) -> Result<Seen, SessionError> {
        if !(RETENTION_DAYS_MIN..=RETENTION_DAYS_MAX).contains(&greeting.retention_days) {
            return Err(SessionError::UnexpectedAnswer);
        }
        self.stage = Stage::Open(greeting.nonce);
        Ok(Seen::Connected(RelayFacts {
            day: greeting.day,
            retention_days: greeting.retention_days,
        }))
    }

    fn handle_watching(
        &mut self,
        addresses: &[Address],
        states: &[SlotState],
        seen: &mut Vec<Seen>,
    ) -> Result<(), SessionError> {
        if addresses.len() != states.len() {
            return Err(SessionError::UnexpectedAnswer);
        }
        for (&address, &state) in addresses.iter().zip(states) {
            let is_news = self.slots.answer(&address, state);
            match state {
                SlotState::Empty if is_news => seen.push(Seen::Empty(address)),
                SlotState::Gone if is_news => seen.push(Seen::Gone(address)),
                SlotState::Empty | SlotState::Full | SlotState::Gone => {}
            }
        }
        Ok(())
    }

    fn handle_put(
        &mut self,
        address: Address,
        outcome: &Outcome,
        now: Now,
    ) -> Result<Option<Seen>, SessionError> {
        let (progress, seen) = if *outcome == Outcome::Stored {
            (Progress::Done, Seen::Stored(address))
        } else if *outcome == Outcome::Taken {
            (Progress::Refused, Seen::Taken(address))
        } else {
            self.handle_unwritten(outcome, now)?;
            self.puts.forget(&address);
            return Ok(None);
        };
        self.puts.answer(&address, progress);
        Ok(Some(seen))
    }

    fn handle_drop(
        &mut self,
        task: Task,
        outcome: &Outcome,
        now: Now,
    ) -> Result<Option<Dropped>, SessionError> {
        let (progress, dropped) = if *outcome == Outcome::Stored {
            (Progress::Done, Dropped::Stored)
        } else if *outcome == Outcome::Full {
            (Progress::Refused, Dropped::Full)
        } else if *outcome == Outcome::Unknown {
            (Progress::Refused, Dropped::Unknown)
        } else {
            self.handle_unwritten(outcome, now)?;
            self.tasks.forget(&task);
            return Ok(None);
        };
        self.tasks.set(task, progress);
        Ok(Some(dropped))
    }

    /// A write that has to go again.
    fn handle_unwritten(&mut self, outcome: &Outcome, now: Now) -> Result<(), SessionError> {
        if *outcome == Outcome::Busy {
            self.busy_until = Some(now.plus(BUSY_RETRY));
        } else if *outcome == Outcome::NoCredit {
            self.spent = true;
        } else if *outcome != Outcome::Skipped {
            return Err(SessionError::UnexpectedAnswer);
        }
        Ok(())
    }

    /// True where it is done.
    fn handle_task(&mut self, task: Task, outcome: &Outcome) -> Result<bool, SessionError> {
        let refused = [Outcome::Denied, Outcome::TooMany].contains(outcome);
        if *outcome == Outcome::Skipped {
            self.tasks.forget(&task);
        } else if *outcome == Outcome::Done {
            self.tasks.set(task, Progress::Done);
        } else if refused {
            self.tasks.set(task, Progress::Refused);
        } else {
            return Err(SessionError::UnexpectedAnswer);
        }
        Ok(*outcome == Outcome::Done)
    }
}

/// Adds a task that was not asked on this connection, where the frame has room.
fn add_task(
    tasks: &mut Tasks,
    frame: &mut Outgoing,
    task: Task,
    asked: Asked,
    operation: impl FnOnce() -> Operation,
) {
    if tasks.progress(&task).is_none() && frame.add(operation(), asked) {
        tasks.set(task, Progress::Asked);
    }
}

#[cfg(test)]
mod tests;
