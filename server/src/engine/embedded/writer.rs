//! The one thread that writes. It takes whatever waits, up to a full group, commits it, answers it, and
//! sleeps when nothing waits: groups are as large as the load makes them and there is no timer.

use std::sync::Arc;

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
}

/// A sweep that has more to remove.
type Sweep = (Day, oneshot::Sender<Swept>);

impl Writer {
    /// Writes until nobody is left to ask.
    ///
    /// After a failure nothing is known about what reached the disk, so nothing more is answered.
    pub(super) fn run(mut self) -> Result<(), EngineError> {
        let mut sweep: Option<Sweep> = None;
        loop {
            let request = match sweep {
                Some(_) => self.requests.try_recv().ok(),
                None => match self.requests.blocking_recv() {
                    Some(request) => Some(request),
                    None => return Ok(()),
                },
            };
            if let Some(asked) = self.group(request)? {
                sweep = Some(asked);
            }
            if let Some(asked) = sweep.take() {
                sweep = self.sweep(asked)?;
            }
        }
    }

    fn group(&mut self, first: Option<Request>) -> Result<Option<Sweep>, EngineError> {
        let durable = Arc::clone(&self.durable);
        let mut group = Group::new(&durable, &mut self.hosting);
        let mut answers = Vec::new();
        let mut writes = 0;
        let mut sweep = None;
        let mut next = first;
        while let Some(request) = next {
            match request {
                Request::Apply(batch, answer) => {
                    writes += batch.len();
                    answers.push((answer, group.apply(batch)?));
                }
                Request::Sweep(day, answer) => sweep = Some((day, answer)),
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
        Ok(sweep)
    }

    fn sweep(&mut self, (day, answer): Sweep) -> Result<Option<Sweep>, EngineError> {
        let mut group = Group::new(&self.durable, &mut self.hosting);
        let swept = group.sweep(day)?;
        self.durable.commit(group.finish().0)?;
        let Some(swept) = swept else {
            return Ok(Some((day, answer)));
        };
        let _ = answer.send(swept);
        Ok(None)
    }
}
