//! The relay's program, as an operator runs it.

use std::{
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
};

use cobijo_server::server::Announcement;
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::harness::config_text;

/// A configuration whose rate nobody meets.
pub(crate) const FAST: &str =
    "[limits]\nframes-per-second = 100000\nkibibytes-per-second = 1000000";

const CONFIG_FILE: &str = "relay.toml";
const LOG_FILE: &str = "log";

/// A running relay program in a directory of its own, logging at `TRACE`.
pub(crate) struct Process {
    child: Child,
    pub(crate) announcement: Announcement,
}

impl Process {
    pub(crate) async fn start(directory: &Path, config: &str) -> Self {
        Self::start_under(directory, config, &[]).await
    }

    /// Starts it as the last arguments of another program.
    pub(crate) async fn start_under(directory: &Path, config: &str, wrapper: &[&str]) -> Self {
        configure(directory, config);
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(directory.join(LOG_FILE))
            .unwrap();
        let mut child = under(wrapper, directory, &["--json"])
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).await.unwrap();
        Self {
            child,
            announcement: serde_json::from_str(&line).unwrap(),
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id().unwrap()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    pub(crate) async fn ended(&mut self) -> ExitStatus {
        self.child.wait().await.unwrap()
    }

    pub(crate) async fn kill(mut self) {
        self.signal(Signal::KILL);
        self.ended().await;
    }
}

/// Writes the configuration file.
pub(crate) fn configure(directory: &Path, config: &str) -> PathBuf {
    let path = directory.join(CONFIG_FILE);
    std::fs::write(&path, config_text(directory, config)).unwrap();
    path
}

/// What the relay has logged.
pub(crate) fn log(directory: &Path) -> String {
    std::fs::read_to_string(directory.join(LOG_FILE)).unwrap()
}

/// The program with the directory's configuration.
pub(crate) fn command(directory: &Path, arguments: &[&str]) -> Command {
    under(&[], directory, arguments)
}

fn under(wrapper: &[&str], directory: &Path, arguments: &[&str]) -> Command {
    let words = [wrapper, &[env!("CARGO_BIN_EXE_cobijo-relay")]].concat();
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .arg("--config")
        .arg(directory.join(CONFIG_FILE))
        .args(arguments)
        .env("RUST_LOG", "trace")
        .current_dir(directory);
    command
}

/// Runs a command that ends by itself: whether it succeeded, and what it said.
pub(crate) async fn run(directory: &Path, arguments: &[&str]) -> (bool, String) {
    let output = command(directory, arguments).output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}
