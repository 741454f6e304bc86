//! The task that owns [`Watches`]: registrations come in from connections, wake-ups from the engine,
//! and each wake-up goes out to whoever registered.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::{mpsc, oneshot};

use crate::{
    engine::Wake,
    limits::PUSH_QUEUE_MAX,
    relay::watches::{ConnectionId, Place, Watches},
};

/// Commands that wait for the hub. When full, connections wait.
const QUEUE_COMMANDS_MAX: usize = 1024;

enum Command {
    Join(ConnectionId, Line),
    Register(ConnectionId, Vec<Place>, oneshot::Sender<()>),
    Unregister(ConnectionId, Vec<Place>),
    Leave(ConnectionId, Vec<Place>),
}

/// How the hub reaches a connection. When the queue is full the connection is too slow: the hub forgets
/// it, and it sees `overflow` end.
struct Line {
    wakes: mpsc::Sender<Wake>,
    _overflow: oneshot::Sender<()>,
}

/// A handle; the hub ends when the last one is dropped.
#[derive(Clone)]
pub(crate) struct Hub {
    commands: mpsc::Sender<Command>,
    next_id: Arc<AtomicU64>,
}

/// The hub has ended, which it does last of all.
#[derive(Debug, thiserror::Error)]
#[error("the relay is stopping")]
pub(crate) struct HubEnded;

/// A connection's own end.
pub(crate) struct Subscription {
    id: ConnectionId,
    hub: Hub,
    /// What this connection is woken for.
    pub(crate) wakes: mpsc::Receiver<Wake>,
    /// Ends when more wake-ups came than wait.
    pub(crate) overflow: oneshot::Receiver<()>,
}

impl Hub {
    /// The handle, and the task to be run.
    pub(crate) fn new(
        wakes: mpsc::Receiver<Vec<Wake>>,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (commands, received) = mpsc::channel(QUEUE_COMMANDS_MAX);
        let hub = Self {
            commands,
            next_id: Arc::default(),
        };
        (hub, run(received, wakes))
    }

    /// Makes a connection known.
    pub(crate) async fn join(&self) -> Result<Subscription, HubEnded> {
        let id = ConnectionId(self.next_id.fetch_add(1, Ordering::Relaxed));
        let (sender, wakes) = mpsc::channel(PUSH_QUEUE_MAX);
        let (end, overflow) = oneshot::channel();
        let line = Line {
            wakes: sender,
            _overflow: end,
        };
        self.send(Command::Join(id, line)).await?;
        Ok(Subscription {
            id,
            hub: self.clone(),
            wakes,
            overflow,
        })
    }

    async fn send(&self, command: Command) -> Result<(), HubEnded> {
        self.commands.send(command).await.map_err(|_| HubEnded)
    }
}

impl Subscription {
    /// Registers, and returns when every later wake-up will come.
    pub(crate) async fn register(&self, places: Vec<Place>) -> Result<(), HubEnded> {
        let (done, registered) = oneshot::channel();
        self.hub
            .send(Command::Register(self.id, places, done))
            .await?;
        registered.await.map_err(|_| HubEnded)
    }

    /// Forgets registrations.
    pub(crate) async fn unregister(&self, places: Vec<Place>) -> Result<(), HubEnded> {
        if places.is_empty() {
            return Ok(());
        }
        self.hub.send(Command::Unregister(self.id, places)).await
    }

    /// Ends the connection's registrations.
    pub(crate) async fn leave(self, places: Vec<Place>) {
        // Where the hub has ended, so have its registrations.
        let _ = self.hub.send(Command::Leave(self.id, places)).await;
    }
}

async fn run(mut commands: mpsc::Receiver<Command>, mut wakes: mpsc::Receiver<Vec<Wake>>) {
    let mut watches = Watches::default();
    let mut lines = HashMap::new();
    loop {
        tokio::select! {
            // A registration is not woken for what came before it.
            biased;
            Some(woken) = wakes.recv() => {
                for wake in woken {
                    handle_wake(wake, &mut watches, &mut lines);
                }
            }
            command = commands.recv() => match command {
                Some(command) => handle_command(command, &mut watches, &mut lines),
                None => return,
            },
        }
    }
}

fn handle_command(
    command: Command,
    watches: &mut Watches,
    lines: &mut HashMap<ConnectionId, Line>,
) {
    match command {
        Command::Join(id, line) => {
            lines.insert(id, line);
        }
        Command::Register(id, places, done) => {
            for place in places {
                watches.register(id, place);
            }
            let _ = done.send(());
        }
        Command::Unregister(id, places) => unregister(watches, id, &places),
        Command::Leave(id, places) => {
            unregister(watches, id, &places);
            lines.remove(&id);
        }
    }
}

fn unregister(watches: &mut Watches, id: ConnectionId, places: &[Place]) {
    for place in places {
        watches.unregister(id, place);
    }
}

fn handle_wake(wake: Wake, watches: &mut Watches, lines: &mut HashMap<ConnectionId, Line>) {
    for id in watches.woken(&wake) {
        let full = lines
            .get(&id)
            .is_some_and(|line| line.wakes.try_send(wake).is_err());
        if full {
            lines.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use cobijo_protocol::mailbox::{ItemId, MailboxKey};

    use super::*;

    #[tokio::test]
    async fn a_connection_that_takes_no_wake_ups_is_told_that_it_is_too_slow() {
        let (waker, wakes) = mpsc::channel(1);
        let (hub, task) = Hub::new(wakes);
        let task = tokio::spawn(task);
        let mailbox = MailboxKey::from_bytes([1; 32]);
        let mut slow = hub.join().await.unwrap();
        slow.register(vec![Place::Mailbox(mailbox)]).await.unwrap();
        let wake = Wake::Item(mailbox, ItemId::from_bytes([2; 16]));
        waker.send(vec![wake; PUSH_QUEUE_MAX]).await.unwrap();
        waker.send(vec![]).await.unwrap();
        slow.register(vec![]).await.unwrap();
        assert!(
            slow.overflow
                .try_recv()
                .is_err_and(|error| error == oneshot::error::TryRecvError::Empty)
        );
        waker.send(vec![wake]).await.unwrap();
        assert!((&mut slow.overflow).await.is_err());
        drop((hub, slow));
        task.await.unwrap();
    }
}
