//! One connection's task: moves data between its socket, its [`Session`], the hub and the engine.
//!
//! One frame at a time is read, run and answered, so answers come in the order of frames; what follows a
//! watch drains between frames. A peer that doesn't read is not read from either, and is cut off when
//! wake-ups overflow or nothing moved for [`DEAD_AFTER`].

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use cobijo_protocol::{
    Day,
    frame::{Closing, FromRelay, Outcome, SessionNonce, encode_from_relay},
    limits::DEAD_AFTER,
};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::{
    sync::{Semaphore, watch},
    time::timeout,
};
use tokio_tungstenite::tungstenite::{self, Message};

use crate::{
    doors,
    engine::{Engine, EngineError, Key},
    hub::{Hub, HubEnded, Subscription},
    metrics::Metrics,
    relay::{
        liveness::{Liveness, Silence},
        session::{self, Conditions, Run, Session, Step, Terms},
        watches::Place,
    },
    shutdown::Shutdown,
    socket::{ReceiveError, Socket},
};

/// Cells read at once for delivery: small, since they wait in memory for the socket.
const DELIVERY_CELLS: usize = 16;
/// Time to tell a connection why it ends.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(1);

/// What connections share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) hub: Hub,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) terms: Arc<Terms>,
    pub(crate) day: watch::Receiver<Day>,
    /// Whether the disk has room for writes.
    pub(crate) room: watch::Receiver<bool>,
    /// For messages above what a connection may have under way by itself.
    pub(crate) large_messages: Arc<Semaphore>,
    pub(crate) shutdown: Shutdown,
}

/// Why a connection ends.
enum End {
    /// The peer is gone, or has to be.
    Gone,
    /// The peer is told.
    Closing(Closing),
}

impl From<EngineError> for End {
    /// A relay whose engine failed stops.
    fn from(_: EngineError) -> Self {
        Self::Closing(Closing::Stopping)
    }
}

impl From<HubEnded> for End {
    fn from(_: HubEnded) -> Self {
        Self::Closing(Closing::Stopping)
    }
}

impl From<Closing> for End {
    fn from(closing: Closing) -> Self {
        Self::Closing(closing)
    }
}

/// What the select in [`Connection::serve`] saw.
enum Event {
    Stop,
    GaveWay,
    Overflow,
    Woken(Vec<Key>),
    Arrived(Option<Result<Message, ReceiveError>>),
    Drain,
    Timer,
}

struct Connection {
    socket: Socket<TokioIo<Upgraded>>,
    place: doors::Place,
    subscription: Subscription,
    session: Session,
    liveness: Liveness,
    shared: Shared,
}

/// Serves a connection until it ends.
pub(crate) async fn serve(stream: TokioIo<Upgraded>, place: doors::Place, shared: Shared) {
    let mut nonce = [0; SessionNonce::LEN];
    let (Ok(()), Ok(subscription)) = (getrandom::fill(&mut nonce), shared.hub.join().await) else {
        return;
    };
    let now = now();
    let nonce = SessionNonce::from_bytes(nonce);
    let mut connection = Connection {
        socket: Socket::new(stream, Arc::clone(&shared.large_messages)).await,
        place,
        subscription,
        session: Session::new(Arc::clone(&shared.terms), nonce, now),
        liveness: Liveness::new(now),
        shared,
    };
    let end = connection.serve().await;
    if let End::Closing(closing) = end {
        connection.say_goodbye(closing).await;
    }
    let places = connection.session.places();
    connection.subscription.leave(places).await;
}

impl Connection {
    async fn serve(&mut self) -> End {
        loop {
            let mut read = now();
            let event = self.next_event().await;
            if self.session.takes_frames() {
                read = now();
            }
            if let Err(end) = self.handle(event).await {
                return end;
            }
            self.socket.handle_pause(now() - read);
        }
    }

    async fn next_event(&mut self) -> Event {
        let mut woken = Vec::new();
        let timer = self.liveness.poll_timeout();
        let delivers = self.session.backlog_timeout(now());
        tokio::select! {
            () = self.shared.shutdown.requested() => Event::Stop,
            () = self.place.gave_way() => Event::GaveWay,
            _ = &mut self.subscription.overflow => Event::Overflow,
            _ = self.subscription.wakes.recv_many(&mut woken, DELIVERY_CELLS) => Event::Woken(woken),
            message = self.socket.next(), if self.session.takes_frames() => Event::Arrived(message),
            () = at(delivers) => Event::Drain,
            () = at(Some(timer)) => Event::Timer,
        }
    }

    async fn handle(&mut self, event: Event) -> Result<(), End> {
        match event {
            Event::Stop => Err(Closing::Stopping.into()),
            Event::GaveWay => Err(End::Gone),
            Event::Overflow => Err(Closing::TooSlow.into()),
            // The hub has let go of a connection that was too slow.
            Event::Woken(woken) if woken.is_empty() => Err(Closing::TooSlow.into()),
            Event::Woken(mut woken) => {
                woken.retain(|wake| self.session.handle_wake(wake));
                self.deliver(woken).await
            }
            Event::Arrived(message) => self.handle_message(message).await,
            Event::Drain => {
                let keys = self.session.poll_backlog(DELIVERY_CELLS, now());
                self.deliver(keys).await
            }
            Event::Timer => self.handle_timer(now()).await,
        }
    }

    async fn handle_timer(&mut self, now: Instant) -> Result<(), End> {
        if self.socket.is_receiving() {
            // Its pongs come after the message that it is sending in time.
            self.liveness.handle_heard(now);
        }
        match self.liveness.poll(now) {
            Some(Silence::Dead) => Err(End::Gone),
            Some(Silence::Ping) => self.send(Message::Ping(bytes::Bytes::new())).await,
            None => Ok(()),
        }
    }

    async fn handle_message(
        &mut self,
        message: Option<Result<Message, ReceiveError>>,
    ) -> Result<(), End> {
        let now = now();
        self.liveness.handle_heard(now);
        let message = match message {
            None | Some(Ok(Message::Close(_))) => return Err(End::Gone),
            // Too large, not masked, not UTF-8, or simply cut off: the goodbye then reaches nobody.
            Some(Err(ReceiveError::Broken(_))) => return Err(Closing::Malformed.into()),
            Some(Err(ReceiveError::Late)) => return Err(Closing::TooSlow.into()),
            Some(Ok(message)) => message,
        };
        match message {
            Message::Binary(frame) => {
                self.session.handle_arrival(frame.len(), now)?;
                self.handle_frame(&frame).await
            }
            Message::Ping(payload) | Message::Pong(payload) => {
                Ok(self.session.handle_arrival(payload.len(), now)?)
            }
            Message::Text(_) | Message::Close(_) | Message::Frame(_) => {
                Err(Closing::Malformed.into())
            }
        }
    }

    /// Runs a frame and answers it, after all of it is durable. [W-5]
    async fn handle_frame(&mut self, frame: &[u8]) -> Result<(), End> {
        let conditions = Conditions {
            day: *self.shared.day.borrow(),
            accepts_writes: *self.shared.room.borrow(),
        };
        let mut run = self.session.handle_frame(frame, conditions)?;
        if self.session.is_greeted() {
            self.liveness.handle_hello();
        }
        loop {
            let step = self.session.poll_step(&mut run);
            if let Step::Answer(outcomes) = step {
                if self.session.is_used() {
                    self.place.keep();
                }
                self.answer(outcomes).await?;
                self.socket.settle().await;
                return Ok(());
            }
            self.take(step, &mut run).await?;
        }
    }

    async fn take(&mut self, step: Step, run: &mut Run) -> Result<(), End> {
        match step {
            Step::Write(writes) => {
                let written = self.shared.engine.apply(writes).await?;
                self.session.handle_written(run, &written);
            }
            Step::Watch(addresses) => {
                self.subscription.register(slots(&addresses)).await?;
                let states = self.shared.engine.states(addresses.clone()).await?;
                let settled = self.session.handle_states(run, &addresses, states);
                self.subscription.unregister(slots(&settled)).await?;
            }
            Step::Unregister(addresses) => {
                self.subscription.unregister(slots(&addresses)).await?;
            }
            Step::Open(mailbox) => {
                let place = Place::Mailbox(mailbox);
                self.subscription.register(vec![place]).await?;
                let items = self.shared.engine.items(mailbox).await?;
                self.session.handle_items(run, mailbox, items);
            }
            Step::Answer(_) => {}
        }
        Ok(())
    }

    async fn answer(&mut self, outcomes: Vec<Outcome>) -> Result<(), End> {
        self.shared.metrics.count_answer(&outcomes);
        self.send_message(&FromRelay::Answer(outcomes)).await
    }

    /// Reads as late as this, so that what was erased meanwhile is not shown.
    async fn deliver(&mut self, keys: Vec<Key>) -> Result<(), End> {
        if keys.is_empty() {
            return Ok(());
        }
        let found = self.shared.engine.read(keys.clone()).await?;
        for (key, found) in keys.into_iter().zip(found) {
            if let Some(message) = session::push(key, found) {
                self.shared.metrics.count_push(&message);
                self.send_message(&message).await?;
            }
        }
        if !self.session.takes_frames() {
            // Its pongs are not read now, and it takes what it asked for.
            self.liveness.handle_heard(now());
        }
        Ok(())
    }

    async fn send_message(&mut self, message: &FromRelay) -> Result<(), End> {
        // Unreachable: what the session answers is within every count that encoding checks.
        let frame = encode_from_relay(message).map_err(|_| Closing::Malformed)?;
        self.send(Message::Binary(frame.into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        tokio::select! {
            // What can be sent at once is, also when the relay stops.
            biased;
            sent = timeout(DEAD_AFTER, self.socket.send(message)) => match sent {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) | Err(_) => Err(End::Gone),
            },
            () = self.shared.shutdown.requested() => Err(Closing::Stopping.into()),
            () = self.place.gave_way() => Err(End::Gone),
            _ = &mut self.subscription.overflow => Err(Closing::TooSlow.into()),
        }
    }

    async fn say_goodbye(&mut self, closing: Closing) {
        let message = FromRelay::Closing(closing);
        self.shared.metrics.count_push(&message);
        if let Ok(frame) = encode_from_relay(&message) {
            // Best effort: the peer learns the same from the closed connection.
            let _ = timeout(GOODBYE_TIMEOUT, async {
                self.socket.send(Message::Binary(frame.into())).await?;
                self.socket.send(Message::Close(None)).await?;
                while let Some(Ok(_)) = self.socket.next().await {}
                Ok::<_, tungstenite::Error>(())
            })
            .await;
        }
    }
}

/// Returns at that time, or never.
async fn at(time: Option<Instant>) {
    match time {
        // A timer would round it up.
        Some(time) if time <= now() => {}
        Some(time) => tokio::time::sleep_until(time.into()).await,
        None => std::future::pending().await,
    }
}

/// Tokio's clock, which a test can stop.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn slots(addresses: &[cobijo_protocol::slot::Address]) -> Vec<Place> {
    addresses.iter().copied().map(Place::Slot).collect()
}
