//! The engine of a relay on one machine: sled, one writer thread, group commit.

mod durable;
mod group;
mod hosting;
mod layout;
mod writer;

use std::{collections::VecDeque, path::Path, sync::Arc, thread::JoinHandle};

use cobijo_protocol::{
    Day,
    frame::SlotState,
    link::DeskId,
    mailbox::{ItemId, MailboxKey},
    slot::Address,
};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::engine::{EngineError, Found, Key, Swept, Wake, Write, Written};
use durable::Durable;
use hosting::Hosting;
use layout::{CardValue, SlotValue};
use writer::{QUEUE_BATCHES_MAX, QUEUE_WAKES_MAX, Request, Writer};

/// Reads at a time: more would only queue at the disk.
const READS_MAX: usize = 8;

/// A handle; the engine stops when the last one is dropped.
#[derive(Clone)]
pub(crate) struct Embedded {
    requests: mpsc::Sender<Request>,
    durable: Arc<Durable>,
    reads: Arc<Semaphore>,
}

/// An engine that was just opened.
pub(crate) struct Opened {
    pub(crate) engine: Embedded,
    /// What came to stand, in lists, each after it is durable.
    pub(crate) wakes: mpsc::Receiver<Vec<Wake>>,
    pub(crate) writer: WriterThread,
}

/// The writer, to be waited for.
pub(crate) struct WriterThread {
    thread: JoinHandle<()>,
    ended: oneshot::Receiver<Result<(), EngineError>>,
    reads: Arc<Semaphore>,
}

/// Opens, or makes, the store in `directory`.
pub(crate) fn open(directory: &Path) -> Result<Opened, EngineError> {
    let durable = Arc::new(Durable::open(directory)?);
    let (requests, received) = mpsc::channel(QUEUE_BATCHES_MAX);
    let (woken, wakes) = mpsc::channel(QUEUE_WAKES_MAX);
    let (end, ended) = oneshot::channel();
    let writer = Writer {
        hosting: Hosting::read(&durable)?,
        durable: Arc::clone(&durable),
        requests: received,
        wakes: woken,
        sweeps: VecDeque::new(),
    };
    let thread = std::thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || {
            let _ = end.send(writer.run());
        })
        .map_err(|_| EngineError::Stopped)?;
    let reads = Arc::new(Semaphore::new(READS_MAX));
    Ok(Opened {
        writer: WriterThread {
            thread,
            ended,
            reads: Arc::clone(&reads),
        },
        engine: Embedded {
            requests,
            durable,
            reads,
        },
        wakes,
    })
}

impl WriterThread {
    /// Waits until the writer has stopped, and says whether it had to.
    pub(crate) async fn ended(&mut self) -> Result<(), EngineError> {
        (&mut self.ended).await.unwrap_or(Err(EngineError::Stopped))
    }

    /// Joins the thread, after [`WriterThread::ended`], and waits for the last reads, whose connections may be
    /// gone: from then on the store can be opened again.
    pub(crate) async fn join(self) {
        for _ in 0..READS_MAX {
            if let Ok(permit) = self.reads.acquire().await {
                permit.forget();
            }
        }
        let _ = self.thread.join();
    }
}

impl Embedded {
    /// Applies a batch in order; the answer comes when it is on disk.
    pub(crate) async fn apply(&self, writes: Vec<Write>) -> Result<Vec<Written>, EngineError> {
        self.ask(|answer| Request::Apply(writes, answer)).await
    }

    /// Applies one write.
    pub(crate) async fn apply_one(&self, write: Write) -> Result<Written, EngineError> {
        let outcomes = self.apply(vec![write]).await?;
        outcomes.first().copied().ok_or(EngineError::Stopped)
    }

    /// Removes what expired before `day`.
    pub(crate) async fn sweep(&self, day: Day) -> Result<Swept, EngineError> {
        self.ask(|answer| Request::Sweep(day, answer)).await
    }

    /// What stands in these slots, without their cells.
    pub(crate) async fn states(
        &self,
        addresses: Vec<Address>,
    ) -> Result<Vec<SlotState>, EngineError> {
        self.read_blocking(move |durable| {
            let state = |address: &Address| {
                let full = durable.read(&Key::Slot(*address).raw(), SlotValue::is_full)?;
                Ok(match full {
                    None => SlotState::Empty,
                    Some(true) => SlotState::Full,
                    Some(false) => SlotState::Gone,
                })
            };
            addresses.iter().map(state).collect()
        })
        .await
    }

    /// What stands at these keys.
    pub(crate) async fn read(&self, keys: Vec<Key>) -> Result<Vec<Found>, EngineError> {
        self.read_blocking(move |durable| keys.iter().map(|key| find(durable, key)).collect())
            .await
    }

    /// The items of a mailbox.
    pub(crate) async fn items(&self, mailbox: MailboxKey) -> Result<Vec<ItemId>, EngineError> {
        self.read_blocking(move |durable| {
            let keys = durable.read_prefix(&layout::items_prefix(&mailbox))?;
            keys.iter().map(|key| layout::parse_item(key)).collect()
        })
        .await
    }

    /// The card of a hosted desk, as it was published.
    pub(crate) async fn card(&self, desk: DeskId) -> Result<Option<Vec<u8>>, EngineError> {
        self.read_blocking(move |durable| {
            let hosted = durable.read(&layout::hosted_key(&desk), |_| Ok(()))?;
            let card = durable.read(&layout::card_key(&desk), CardValue::decode)?;
            Ok(hosted.and(card).map(|card| card.bytes))
        })
        .await
    }

    /// Whether a desk is hosted.
    pub(crate) async fn is_hosted(&self, desk: DeskId) -> Result<bool, EngineError> {
        self.read_blocking(move |durable| {
            let hosted = durable.read(&layout::hosted_key(&desk), |_| Ok(()))?;
            Ok(hosted.is_some())
        })
        .await
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<T>) -> Request,
    ) -> Result<T, EngineError> {
        let (answer, answered) = oneshot::channel();
        let sent = self.requests.send(request(answer)).await;
        sent.map_err(|_| EngineError::Stopped)?;
        answered.await.map_err(|_| EngineError::Stopped)
    }

    /// The one place where reads leave the async threads.
    async fn read_blocking<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Durable) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let permit = Arc::clone(&self.reads).acquire_owned().await;
        let permit = permit.map_err(|_| EngineError::Stopped)?;
        let durable = Arc::clone(&self.durable);
        let read = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            // The store is let go before the permit is.
            let durable = durable;
            read(&durable)
        });
        read.await.map_err(|_| EngineError::Stopped)?
    }
}

fn find(durable: &Durable, key: &Key) -> Result<Found, EngineError> {
    let raw = key.raw();
    match key {
        Key::Slot(_) => Ok(match durable.read(&raw, SlotValue::decode)? {
            None => Found::Empty,
            Some(SlotValue::Full { cell, .. }) => Found::Full(cell),
            Some(SlotValue::Gone { .. }) => Found::Gone,
        }),
        Key::Item(..) => {
            let item = durable.read(&raw, layout::parse_item_value)?;
            Ok(item.map_or(Found::Empty, |(_, cell)| Found::Full(cell)))
        }
    }
}
