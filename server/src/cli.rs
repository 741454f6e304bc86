//! The command line of `cobijo-relay`.

use std::{io::Write as _, net::SocketAddr, path::PathBuf, process::ExitCode};

use axum::body::Body;
use clap::{Parser, Subcommand};
use cobijo_protocol::link::{DeskId, DeskLink};
use hyper::{Method, Request, StatusCode, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    signal::unix::{SignalKind, signal},
};

use crate::{
    admin::{CONFIRM_DAY_PATH, DESKS_PATH},
    clock::Clock,
    config::{Config, ConfigError},
    logging,
    server::{self, Announcement, RelayError},
    shutdown::shutdown,
};

/// Runs a Cobijo relay, or tells a running one what its operator wants.
#[derive(Debug, Parser)]
#[command(name = "cobijo-relay", version)]
pub struct Arguments {
    /// Read this configuration file instead of using the defaults.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check the configuration and exit.
    #[arg(long)]
    check_config: bool,
    /// Print where the relay is reached as one JSON line.
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Host a desk, given by its id or its link: it may then publish its card here.
    Host {
        /// The desk's id or link.
        #[arg(value_parser = parse_desk, allow_hyphen_values = true)]
        desk: DeskId,
    },
    /// Host a desk no longer.
    Unhost {
        /// The desk's id or link.
        #[arg(value_parser = parse_desk, allow_hyphen_values = true)]
        desk: DeskId,
    },
    /// Say that the clock is right after it moved by more than two days, and sweep.
    ConfirmDay,
}

/// Why a command did not do what it says.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("no relay answers at {0}; is it running, with the same configuration?")]
    NotRunning(SocketAddr),
    #[error("the output can't be written: {0}")]
    Output(std::io::Error),
    #[error("the relay refused; its log says why")]
    Refused,
    #[error(transparent)]
    Relay(#[from] RelayError),
    #[error("the system refuses to start threads or to tell of signals: {0}")]
    System(std::io::Error),
}

/// Does what the arguments ask; the one place that prints errors.
pub fn main(arguments: Arguments) -> ExitCode {
    logging::start();
    let done = tokio::runtime::Runtime::new()
        .map_err(CommandError::System)
        .and_then(|runtime| runtime.block_on(command(arguments)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // There is no other place to tell it.
            let _ = writeln!(std::io::stderr(), "cobijo-relay: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn command(arguments: Arguments) -> Result<(), CommandError> {
    let config = match &arguments.config {
        Some(path) => Config::read(path)?,
        None => Config::without_file()?,
    };
    if arguments.check_config {
        return print("the configuration is good");
    }
    let (method, path) = match arguments.command {
        None => return run(config, arguments.json).await,
        Some(Command::Host { desk }) => (Method::PUT, desk_path(desk)),
        Some(Command::Unhost { desk }) => (Method::DELETE, desk_path(desk)),
        Some(Command::ConfirmDay) => (Method::POST, CONFIRM_DAY_PATH.to_owned()),
    };
    ask(admin_address(&config), method, &path).await
}

async fn run(config: Config, json: bool) -> Result<(), CommandError> {
    let mut terminated = signal(SignalKind::terminate()).map_err(CommandError::System)?;
    let mut interrupted = signal(SignalKind::interrupt()).map_err(CommandError::System)?;
    let relay = server::start(config).await?;
    print(&describe(relay.announcement(), json))?;
    let (stop, requested) = shutdown();
    let stopping = tokio::spawn(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
        tracing::info!("stopping");
        stop.stop();
    });
    let served = relay.serve(Clock::System, requested).await;
    stopping.abort();
    Ok(served?)
}

fn describe(announcement: &Announcement, json: bool) -> String {
    if json {
        return serde_json::json!(announcement).to_string();
    }
    let certificate = match &announcement.certificate {
        Some(path) => format!(", development certificate {}", path.display()),
        None => String::new(),
    };
    format!(
        "listening on {}, admin on http://{}{certificate}",
        announcement.url, announcement.admin
    )
}

fn desk_path(desk: DeskId) -> String {
    format!("{DESKS_PATH}{}", desk.to_text())
}

/// Where the relay of this configuration is, also if it chose the port itself.
fn admin_address(config: &Config) -> SocketAddr {
    Announcement::read(config.data_directory()).map_or(config.admin, |running| running.admin)
}

async fn ask(admin: SocketAddr, method: Method, path: &str) -> Result<(), CommandError> {
    let status = send(admin, method, path).await;
    match status {
        Some(status) if status.is_success() => print("done"),
        Some(_) => Err(CommandError::Refused),
        None => Err(CommandError::NotRunning(admin)),
    }
}

async fn send(admin: SocketAddr, method: Method, path: &str) -> Option<StatusCode> {
    let stream = TcpStream::connect(admin).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    let connection = tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, admin.to_string())
        .body(Body::empty())
        .ok()?;
    let status = sender.send_request(request).await.ok()?.status();
    drop(sender);
    // What matters has arrived.
    let _ = connection.await;
    Some(status)
}

fn parse_desk(text: &str) -> Result<DeskId, &'static str> {
    DeskId::from_text(text)
        .or_else(|_| DeskLink::parse(text).map(|link| link.desk))
        .map_err(|_| "neither a desk's id nor its link")
}

fn print(line: &str) -> Result<(), CommandError> {
    writeln!(std::io::stdout(), "{line}").map_err(CommandError::Output)
}
