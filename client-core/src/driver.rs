//! Runs a [`Client`] on this machine: sockets, TLS, clock, disk. The only place that has them.
//!
//! One owner, no locks: [`Driver`] holds the client and its profile; each connection is a task that
//! only moves frames. Channels are bounded: a connection that takes no more frames is closed, and
//! what comes in waits in its socket until the client has time.
#![expect(clippy::disallowed_methods, reason = "the shell owns the clock")]

mod card;
mod connection;
mod files;
mod network;
mod proxy;

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use cobijo_protocol::limits::FRAMES_IN_FLIGHT_MAX;
use rand_core::SeedableRng;
use tokio::{sync::mpsc, task::JoinSet, time::Instant};

use self::connection::{Arrival, Report, What};
pub use self::{
    files::{NewFile, hash},
    network::{Network, NetworkError, TrustError},
    proxy::{BadProxy, Proxy},
};
use crate::{
    core::{
        client::{ChannelId, Client, Command, CommandError, Event, Input, Output},
        port::{Now, Rng},
    },
    profile::{Profile, ProfileError},
};
use zeroize::Zeroizing;

/// What came and was not yet taken by the client; then sockets wait.
const ARRIVALS_MAX: usize = 64;
/// Frames that wait to be sent: hello, those in flight, and one.
const OUTBOX_FRAMES_MAX: usize = FRAMES_IN_FLIGHT_MAX + 2;
/// Time that connections have to say goodbye.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// Shortest pause between two time-outs of the client: a mistake there must not burn a battery.
const PAUSE_MIN: Duration = Duration::from_millis(5);

/// A client at work.
pub struct Driver {
    client: Client,
    profile: Profile,
    network: Network,
    rng: Rng,
    connections: BTreeMap<ChannelId, Connection>,
    connections_made: u64,
    cards_awaited: usize,
    tasks: JoinSet<()>,
    arrivals: mpsc::Receiver<Arrival>,
    report: mpsc::Sender<Arrival>,
    notices: VecDeque<Notice>,
    /// When the last time-out was handled.
    woken: Instant,
}

/// A connection's end in the driver.
struct Connection {
    number: u64,
    outbox: mpsc::Sender<Vec<u8>>,
    stands: bool,
}

/// What whoever is in front of the driver may want to know.
pub enum Notice {
    /// Of the client.
    Event(Event),
    /// A connection stands.
    Connected,
    /// A connection ended, or could not be made; it is tried again.
    Disconnected(NetworkError),
    /// A card could not be read or published.
    NoCard(NetworkError),
}

/// The driver can't go on.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// What has happened can't be saved, so nothing more may be said.
    #[error("profile that can't be saved")]
    Profile(#[from] ProfileError),
    /// The system gave no random numbers.
    #[error("no random numbers")]
    Random,
}

/// A generator that the system has seeded.
///
/// # Errors
/// [`DriverError::Random`] where it gives no random numbers.
pub fn fresh_rng() -> Result<Rng, DriverError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut()).map_err(|_| DriverError::Random)?;
    Ok(Rng::from_seed(*seed))
}

impl Driver {
    /// Begins: connects to what the client's state needs.
    ///
    /// # Errors
    /// [`DriverError::Random`], or the profile can't be saved.
    pub fn start(client: Client, profile: Profile, network: Network) -> Result<Self, DriverError> {
        let rng = fresh_rng()?;
        profile.keep_only(client.local_files())?;
        let (report, arrivals) = mpsc::channel(ARRIVALS_MAX);
        let mut driver = Self {
            client,
            profile,
            network,
            rng,
            connections: BTreeMap::new(),
            connections_made: 0,
            cards_awaited: 0,
            tasks: JoinSet::new(),
            arrivals,
            report,
            notices: VecDeque::new(),
            woken: Instant::now(),
        };
        driver.handle_input(Input::Timeout)?;
        Ok(driver)
    }

    /// The client, to look at.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Hands a command to the client. When this returns, what it changed is durable.
    ///
    /// # Errors
    /// The outer one: the driver can't go on. The inner one: the client refused, nothing has changed.
    pub fn handle_command(
        &mut self,
        command: Command,
    ) -> Result<Result<(), CommandError>, DriverError> {
        let answer = self.client.handle_command(command, now(), &mut self.rng);
        self.act()?;
        Ok(answer)
    }

    /// Works until there is something to tell. May be dropped at any await and called again.
    ///
    /// # Errors
    /// The driver can't go on.
    pub async fn next(&mut self) -> Result<Notice, DriverError> {
        loop {
            if let Some(notice) = self.poll_notice() {
                return Ok(notice);
            }
            let due = self.due();
            tokio::select! {
                Some(arrival) = self.arrivals.recv() => self.handle_arrival(arrival)?,
                () = wait_for(due), if due.is_some() => self.handle_timeout()?,
            }
        }
    }

    /// Works until nothing has come for as long as `quiet`, and no connection is being made: what
    /// the relay has is then most likely here. May be dropped at any await and called again.
    ///
    /// # Errors
    /// The driver can't go on.
    pub async fn settle(&mut self, quiet: Duration) -> Result<(), DriverError> {
        let mut quiet_at = Instant::now() + quiet;
        loop {
            let due = self.due();
            let is_quiet = !self.is_connecting();
            tokio::select! {
                Some(arrival) = self.arrivals.recv() => {
                    self.handle_arrival(arrival)?;
                    quiet_at = Instant::now() + quiet;
                }
                () = wait_for(due), if due.is_some() => self.handle_timeout()?,
                () = tokio::time::sleep_until(quiet_at), if is_quiet => return Ok(()),
            }
        }
    }

    /// What there is to tell already.
    pub fn poll_notice(&mut self) -> Option<Notice> {
        self.notices.pop_front()
    }

    /// Whether a connection is still being made, or a card under way.
    pub fn is_connecting(&self) -> bool {
        self.cards_awaited > 0
            || self
                .connections
                .values()
                .any(|connection| !connection.stands)
    }

    /// Says goodbye on all connections.
    pub async fn stop(mut self) {
        self.connections.clear();
        self.arrivals.close();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        let _late = tokio::time::timeout(STOP_TIMEOUT, all).await;
    }

    /// When the client's time-out is to be handled: however often it is looked at meanwhile, so that a
    /// relay can't put it off by what it sends.
    fn due(&self) -> Option<Instant> {
        let due = self.client.poll_timeout()?.since(now());
        Some(Instant::now().checked_add(due)?.max(self.woken + PAUSE_MIN))
    }

    fn handle_timeout(&mut self) -> Result<(), DriverError> {
        self.woken = Instant::now();
        self.handle_input(Input::Timeout)
    }

    fn handle_input(&mut self, input: Input) -> Result<(), DriverError> {
        self.client.handle_input(input, now(), &mut self.rng);
        self.act()
    }

    fn handle_arrival(&mut self, arrival: Arrival) -> Result<(), DriverError> {
        match arrival {
            Arrival::Connection {
                channel,
                number,
                what,
            } => {
                let Some(connection) = self.connections.get_mut(&channel) else {
                    return Ok(());
                };
                if connection.number != number {
                    return Ok(());
                }
                match what {
                    What::Opened => {
                        connection.stands = true;
                        self.notices.push_back(Notice::Connected);
                        self.handle_input(Input::Opened { channel })
                    }
                    What::Received(frame) => self.handle_input(Input::Received { channel, frame }),
                    What::Closed(reason) => {
                        self.connections.remove(&channel);
                        self.notices.push_back(Notice::Disconnected(reason));
                        self.handle_input(Input::Closed { channel })
                    }
                }
            }
            Arrival::CardFetched { desk, card } => {
                let card = self.note_failure(card);
                self.handle_input(Input::CardFetched { desk, card })
            }
            Arrival::CardPublished { desk, answer } => {
                let answer = self.note_failure(answer);
                self.handle_input(Input::CardPublished { desk, answer })
            }
        }
    }

    /// The failure is told here; the client is told what follows from it.
    fn note_failure<T>(&mut self, outcome: Result<T, (NetworkError, T)>) -> T {
        self.cards_awaited = self.cards_awaited.saturating_sub(1);
        outcome.unwrap_or_else(|(reason, follows)| {
            self.notices.push_back(Notice::NoCard(reason));
            follows
        })
    }

    /// Does what the client asks for, in its order: what it saves is durable before what follows.
    fn act(&mut self) -> Result<(), DriverError> {
        while self.tasks.try_join_next().is_some() {}
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Store(state) => self.profile.save(&state)?,
                Output::Open { channel, relay } => {
                    self.connections_made += 1;
                    let number = self.connections_made;
                    let (outbox, frames) = mpsc::channel(OUTBOX_FRAMES_MAX);
                    let report = Report::new(channel, number, self.report.clone());
                    let network = self.network.clone();
                    self.tasks
                        .spawn(connection::run(network, relay, frames, report));
                    let connection = Connection {
                        number,
                        outbox,
                        stands: false,
                    };
                    self.connections.insert(channel, connection);
                }
                Output::Send { channel, frame } => self.send(channel, frame),
                Output::Close { channel } => {
                    self.connections.remove(&channel);
                }
                Output::FetchCard { relay, desk } => {
                    let (network, report) = (self.network.clone(), self.report.clone());
                    self.cards_awaited += 1;
                    self.tasks.spawn(async move {
                        let card = card::fetch(&network, &relay, desk).await;
                        let _stopped = report.send(Arrival::CardFetched { desk, card }).await;
                    });
                }
                Output::PublishCard { relay, desk, card } => {
                    let (network, report) = (self.network.clone(), self.report.clone());
                    self.cards_awaited += 1;
                    self.tasks.spawn(async move {
                        let answer = card::publish(&network, &relay, desk, card).await;
                        let _stopped = report.send(Arrival::CardPublished { desk, answer }).await;
                    });
                }
                Output::File(work) => self.do_file_work(work)?,
                Output::DropFile(file) => self.profile.drop_file(file)?,
                Output::Event(event) => self.notices.push_back(Notice::Event(event)),
            }
        }
        Ok(())
    }

    /// A connection that takes no more is closed; what was on its way goes again on the next one.
    fn send(&mut self, channel: ChannelId, frame: Vec<u8>) {
        let Some(connection) = self.connections.get(&channel) else {
            return;
        };
        if connection.outbox.try_send(frame).is_err() {
            self.connections.remove(&channel);
            self.client
                .handle_input(Input::Closed { channel }, now(), &mut self.rng);
            self.notices
                .push_back(Notice::Disconnected(NetworkError::Lost));
        }
    }
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}

/// This machine's clock.
pub fn now() -> Now {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Now::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

async fn wait_for(due: Option<Instant>) {
    tokio::time::sleep_until(due.unwrap_or_else(Instant::now)).await;
}
