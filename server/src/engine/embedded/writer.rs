//! The one thread that writes. It takes whatever waits, up to a full group, commits it, answers it, and
//! sleeps when nothing waits: groups are as large as the load makes them and there is no timer.

use std::{collections::VecDeque, sync::Arc};

use cobijo_protocol::Day;
use tokio::sync::{mpsc, oneshot};

use super::{durable::Durable, group::Group, hosting::Hosting};
use crate::engine::{EngineError, Swept, Wake, Write, Written};

/// Batches that wait for the writer. When full, connections wait, and their peers with them.
pub(super) const QUEUE_BATCHES_MAX: usize = 256;
/// Writes after which a group is committed though more waits: 8 MiB of cells.
const GROUP_WRITES_MAX: usize = 2048;
/// Lists of wake-ups that wait for the relay. When full the writer waits: the relay only routes them.
pub(super) const QUEUE_WAKES_MAX: usize = 64;

/// What the writer is asked.
pub(super) enum Request {
    Apply(Vec<Write>, oneshot::Sender<Vec<Written>>),
    Sweep(Day, oneshot::Sender<Swept>),
}

/// See the module.
pub(super) struct Writer {
    pub(super) durable: Arc<Durable>,
    pub(super) hosting: Hosting,
    pub(super) requests: mpsc::Receiver<Request>,
    pub(super) wakes: mpsc::Sender<Vec<Wake>>,
    /// Asked for, and not at their end.
    pub(super) sweeps: VecDeque<Sweep>,
}

/// A sweep, and who waits for its end.
pub(super) type Sweep = (Day, oneshot::Sender<Swept>);

impl Writer {
    /// Writes until nobody is left to ask.
    ///
    /// After a failure nothing is known about what reached the disk, so nothing more is answered.
    pub(super) fn run(mut self) -> Result<(), EngineError> {
        loop {
            let request = if self.sweeps.is_empty() {
                match self.requests.blocking_recv() {
                    Some(request) => Some(request),
                    None => return Ok(()),
                }
            } else {
                self.requests.try_recv().ok()
            };
            self.group(request)?;
            self.sweep()?;
        }
    }

    fn group(&mut self, first: Option<Request>) -> Result<(), EngineError> {
        let durable = Arc::clone(&self.durable);
        let mut group = Group::new(&durable, &mut self.hosting);
        let mut answers = Vec::new();
        let mut writes = 0;
        let mut next = first;
        while let Some(request) = next {
            match request {
                Request::Apply(batch, answer) => {
                    writes += batch.len();
                    answers.push((answer, group.apply(batch)?));
                }
                Request::Sweep(day, answer) => self.sweeps.push_back((day, answer)),
            }
            next = (writes < GROUP_WRITES_MAX)
                .then(|| self.requests.try_recv().ok())
                .flatten();
        }
        let (changes, wakes) = group.finish();
        durable.commit(changes)?;
        if !wakes.is_empty() {
            // Before the answers: who opens a mailbox after a `Stored` is not woken for that item.
            let _ = self.wakes.blocking_send(wakes);
        }
        for (answer, outcomes) in answers {
            // Whoever asked may be gone; the writes stand all the same.
            let _ = answer.send(outcomes);
        }
        Ok(())
    }

    /// One step of the first sweep that somebody waits for: a relay that stops waits for none.
    fn sweep(&mut self) -> Result<(), EngineError> {
        self.sweeps.retain(|(_, answer)| !answer.is_closed());
        let Some((day, _)) = self.sweeps.front() else {
            return Ok(());
        };
        let mut group = Group::new(&self.durable, &mut self.hosting);
        let swept = group.sweep(*day)?;
        self.durable.commit(group.finish().0)?;
        if let Some(swept) = swept
            && let Some((_, answer)) = self.sweeps.pop_front()
        {
            let _ = answer.send(swept);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use cobijo_protocol::{cell::Cell, slot::Address};

    use super::*;
    use crate::engine::Life;

    const DAY: Day = 20_000;

    /// A writer that is asked for sweeps, over a cell that they remove.
    fn swept(
        asked: impl IntoIterator<Item = oneshot::Sender<Swept>>,
    ) -> (tempfile::TempDir, Arc<Durable>) {
        let directory = tempfile::tempdir().unwrap();
        let durable = Arc::new(Durable::open(directory.path()).unwrap());
        let (requests, received) = mpsc::channel(QUEUE_BATCHES_MAX);
        let (wakes, _) = mpsc::channel(QUEUE_WAKES_MAX);
        let life = Life {
            day: DAY - 31,
            retention_days: 30,
        };
        let put = Write::Put {
            address: Address::from_bytes([1; 32]),
            cell: Cell::void(),
            life,
        };
        let (answer, _) = oneshot::channel();
        requests
            .try_send(Request::Apply(vec![put], answer))
            .unwrap();
        for answer in asked {
            requests.try_send(Request::Sweep(DAY, answer)).unwrap();
        }
        drop(requests);
        let writer = Writer {
            hosting: Hosting::default(),
            durable: Arc::clone(&durable),
            requests: received,
            wakes,
            sweeps: VecDeque::new(),
        };
        writer.run().unwrap();
        (directory, durable)
    }

    #[test]
    fn every_sweep_that_is_asked_for_ends_with_an_answer() {
        let (asked, mut answers): (Vec<_>, Vec<_>) = (0..3).map(|_| oneshot::channel()).unzip();
        let (_directory, durable) = swept(asked);
        for answer in &mut answers {
            assert_eq!(answer.try_recv(), Ok(Swept::Done));
        }
        assert!(durable.with_prefix(b"s").unwrap().is_empty());
    }

    #[test]
    fn a_sweep_that_nobody_waits_for_holds_up_no_stop() {
        let (answer, _) = oneshot::channel();
        let (_directory, durable) = swept([answer]);
        assert_eq!(durable.with_prefix(b"s").unwrap().len(), 1);
    }
}
