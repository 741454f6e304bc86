//! Puts a relay together, runs it, and takes it apart again in order.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    admin, certificate,
    clock::Clock,
    config::{Config, Listen},
    connection::Shared,
    doors::Doors,
    engine::{self, EngineError, Opened},
    http,
    hub::Hub,
    listen::{self, Front},
    memory,
    metrics::Metrics,
    relay::{
        admission::{Admission, AdmissionLimit},
        session::Terms,
    },
    shutdown::{Shutdown, shutdown},
    socket::LARGE_MESSAGES_MAX,
    tls::{self, CertificateError, Certificates},
    upkeep,
};

/// Where a running relay can be reached; written into its data directory for the operator's commands.
const ANNOUNCEMENT_FILE: &str = "relay.json";
/// Time for connections to end: what was asked is answered, and goodbyes are said.
const STOP_TIMEOUT: Duration = Duration::from_secs(15);

/// Where a relay is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// What people dial.
    pub url: String,
    /// What the operator dials.
    pub admin: SocketAddr,
    /// The development certificate that clients have to be told to trust, if there is one.
    pub certificate: Option<PathBuf>,
}

/// A relay could not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The certificate can't be used.
    #[error("{reason}: {}", path.display())]
    Certificate {
        /// The chain's file.
        path: PathBuf,
        /// Why not.
        reason: UnusableCertificate,
    },
    /// The data directory can't be used.
    #[error("the data directory {} can't be used: {source}", path.display())]
    DataDirectory {
        /// Where it is.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// An address can't be listened on.
    #[error("can't listen on {address}: {source}; is another program using it?")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The system gives no randomness.
    #[error("the system gives no random numbers")]
    Randomness,
    /// The store can't be opened, or failed.
    #[error("{reason}: {}", path.display())]
    Store {
        /// Where it is.
        path: PathBuf,
        /// Why.
        reason: StoreFailure,
    },
}

/// Why a certificate can't be used.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct UnusableCertificate(#[from] CertificateError);

/// Why the store can't be used.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct StoreFailure(#[from] EngineError);

/// A relay that listens, and answers once [`Relay::serve`] runs.
pub struct Relay {
    config: Config,
    announcement: Announcement,
    listeners: Vec<TcpListener>,
    admin: TcpListener,
    certificates: Arc<Certificates>,
    tls: TlsAcceptor,
    opened: Opened,
}

/// Starts a relay on the system's clock and serves until shutdown.
///
/// # Errors
/// Says in one sentence what to put right.
pub async fn run(config: Config, shutdown: Shutdown) -> Result<(), RelayError> {
    start(config).await?.serve(Clock::System, shutdown).await
}

/// Takes the data directory, the certificate and the addresses.
///
/// # Errors
/// Says in one sentence what to put right.
pub async fn start(config: Config) -> Result<Relay, RelayError> {
    let directory = config.data_directory.clone();
    make_directory(&directory).map_err(|source| data_directory(&directory, source))?;
    let opened = open(directory.clone()).await;
    let opened = opened.map_err(|error| store_failure(&directory, error))?;
    let (certificates, development) = certificates(&config)?;
    let mut listeners = Vec::new();
    for listen in &config.listen {
        listeners.extend(bind_if_possible(listen)?);
    }
    let admin = bind(config.admin)?;
    let announcement = announcement(&config, &listeners, &admin, development)
        .map_err(|source| data_directory(&directory, source))?;
    let certificates = Arc::new(certificates);
    let tls = tls::server_config(Arc::clone(&certificates)).map_err(|_| RelayError::Randomness)?;
    Ok(Relay {
        tls: TlsAcceptor::from(tls),
        config,
        announcement,
        listeners,
        admin,
        certificates,
        opened,
    })
}

impl Relay {
    /// Where it is reached.
    pub fn announcement(&self) -> &Announcement {
        &self.announcement
    }

    /// Serves until shutdown, or until the store fails; every task has ended then.
    ///
    /// # Errors
    /// The store failed: what was not answered may not stand.
    pub async fn serve(self, clock: Clock, mut requested: Shutdown) -> Result<(), RelayError> {
        let directory = self.config.data_directory.clone();
        let (stop, shutdown) = shutdown();
        let mut helpers = JoinSet::new();
        let day = clock.start(&mut helpers, shutdown.clone());
        let (hub, hub_task) = Hub::new(self.opened.wakes);
        let hub_task = tokio::spawn(hub_task);
        let mut writer = self.opened.writer;
        let reserve = self.config.disk_reserve_bytes;
        let (room_sender, room) = watch::channel(upkeep::has_room(&directory, reserve));
        let shared = Shared {
            engine: self.opened.engine,
            hub,
            metrics: Arc::new(Metrics::default()),
            terms: Arc::new(terms(&self.config)),
            day,
            room,
            large_messages: Arc::new(Semaphore::new(LARGE_MESSAGES_MAX)),
            shutdown,
        };
        helpers.spawn(upkeep::sweep(shared.clone()));
        let disk = upkeep::watch_disk(directory.clone(), reserve, room_sender, shared.clone());
        helpers.spawn(disk);
        helpers.spawn(upkeep::reload(self.certificates, shared.shutdown.clone()));
        helpers.spawn(admin::serve(self.admin, shared.clone()));
        let front = Front {
            tls: self.tls,
            router: http::router(shared.clone()),
            doors: doors(self.config.admission, &shared.metrics)?,
            shared,
        };
        for listener in self.listeners {
            helpers.spawn(listen::accept(listener, front.clone()));
        }
        drop(front);

        let early = tokio::select! {
            () = requested.requested() => None,
            ended = writer.ended() => Some(ended),
        };
        stop.stop();
        join_all(helpers).await;
        // The hub and then the writer end with the last task that could ask them.
        let _ = hub_task.await;
        let ended = match early {
            Some(ended) => ended,
            None => writer.ended().await,
        };
        writer.join().await;
        // Best effort: a file that stays names addresses where nobody answers.
        let _ = std::fs::remove_file(directory.join(ANNOUNCEMENT_FILE));
        ended.map_err(|error| store_failure(&directory, error))
    }
}

impl Announcement {
    /// What the relay that uses this data directory has announced.
    pub(crate) fn read(directory: &Path) -> Option<Self> {
        let text = std::fs::read(directory.join(ANNOUNCEMENT_FILE)).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

async fn join_all(mut tasks: JoinSet<()>) {
    let joined = timeout(STOP_TIMEOUT, async {
        while tasks.join_next().await.is_some() {}
    });
    if joined.await.is_err() {
        tasks.shutdown().await;
    }
}

/// Opening a large store takes a while.
async fn open(directory: PathBuf) -> Result<Opened, EngineError> {
    let opened = tokio::task::spawn_blocking(move || engine::open(&directory)).await;
    opened.map_err(|_| EngineError::Stopped)?
}

fn doors(limit: AdmissionLimit, metrics: &Arc<Metrics>) -> Result<Doors, RelayError> {
    let limit = limit.within(memory::connections_max());
    let connections = u64::try_from(limit.connections).unwrap_or(u64::MAX);
    metrics.connections_max.set(connections);
    let admission = Admission::new(limit, random_key()?);
    Ok(Doors::new(admission, Arc::clone(metrics)))
}

fn terms(config: &Config) -> Terms {
    Terms {
        names: config.names.clone(),
        retention_days: config.retention_days,
        rate: config.rate,
    }
}

fn make_directory(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}

/// The operator's certificate, or the development certificate and its file.
fn certificates(config: &Config) -> Result<(Certificates, Option<PathBuf>), RelayError> {
    let (files, development) = match &config.certificate {
        Some(files) => (files.clone(), None),
        None => {
            let made = certificate::development(&config.data_directory, &config.names);
            let files = made.map_err(|source| data_directory(&config.data_directory, source))?;
            let development = files.certificate.clone();
            (files, Some(development))
        }
    };
    let path = files.certificate.clone();
    let certificates = Certificates::read(files).map_err(|error| RelayError::Certificate {
        path,
        reason: error.into(),
    })?;
    Ok((certificates, development))
}

fn bind_if_possible(listen: &Listen) -> Result<Option<TcpListener>, RelayError> {
    match bind(listen.address) {
        Ok(listener) => Ok(Some(listener)),
        Err(_) if listen.optional => Ok(None),
        Err(error) => Err(error),
    }
}

fn bind(address: SocketAddr) -> Result<TcpListener, RelayError> {
    listen::bind(address).map_err(|source| RelayError::Listen { address, source })
}

fn announcement(
    config: &Config,
    listeners: &[TcpListener],
    admin: &TcpListener,
    certificate: Option<PathBuf>,
) -> io::Result<Announcement> {
    let first = listeners.first().ok_or(io::ErrorKind::AddrNotAvailable)?;
    let port = first.local_addr()?.port();
    let host = config.names.first().map_or("localhost", String::as_str);
    let url = match port {
        443 => format!("https://{host}"),
        port => format!("https://{host}:{port}"),
    };
    let announcement = Announcement {
        url,
        admin: admin.local_addr()?,
        certificate: certificate.map(std::path::absolute).transpose()?,
    };
    let text = serde_json::to_vec(&announcement)?;
    std::fs::write(config.data_directory.join(ANNOUNCEMENT_FILE), text)?;
    Ok(announcement)
}

fn data_directory(directory: &Path, source: io::Error) -> RelayError {
    RelayError::DataDirectory {
        path: directory.to_owned(),
        source,
    }
}

fn store_failure(directory: &Path, error: EngineError) -> RelayError {
    RelayError::Store {
        path: directory.to_owned(),
        reason: error.into(),
    }
}

fn random_key() -> Result<[u8; 16], RelayError> {
    let mut key = [0; 16];
    getrandom::fill(&mut key).map_err(|_| RelayError::Randomness)?;
    Ok(key)
}
