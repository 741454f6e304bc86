//! A relay process with a folder of its own, which outlives kills.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::{Client, Finding, Needle, Proxy, program, search};

/// A relay, running or not.
pub struct Relay {
    folder: TempDir,
    child: Option<Child>,
    url: String,
    certificate: PathBuf,
    people: Arc<Proxy>,
}

impl Relay {
    /// Starts a relay with nothing in it, on ports of its own choice, which it keeps.
    pub fn start() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("relay").tempdir()?;
        let mut relay = Self {
            folder,
            child: None,
            url: String::new(),
            certificate: PathBuf::new(),
            people: Arc::new(Proxy::start()?),
        };
        relay.configure("127.0.0.1:0", "127.0.0.1:0")?;
        let announced = relay.launch()?;
        let text = |key: &str| {
            announced[key]
                .as_str()
                .map(str::to_owned)
                .context("announcement")
        };
        relay.url = text("url")?;
        relay.certificate = text("certificate")?.into();
        let port = relay.port()?;
        relay.configure(&format!("127.0.0.1:{port}"), &text("admin")?)?;
        Ok(relay)
    }

    /// What people dial.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What its clients trust.
    pub fn certificate(&self) -> &Path {
        &self.certificate
    }

    /// The key of its certificate: for whoever takes its place.
    pub fn key(&self) -> PathBuf {
        self.certificate.with_file_name("development-key.pem")
    }

    /// Where it listens.
    pub fn port(&self) -> anyhow::Result<u16> {
        Ok(self.url.rsplit(':').next().context("port")?.parse()?)
    }

    /// Somebody with a profile of her own, who reaches the relay from [`super::PEOPLE_IP`].
    pub fn client(&self, name: &str) -> anyhow::Result<Client> {
        Client::new(name, &self.certificate, Arc::clone(&self.people))
    }

    /// Lets a desk publish its card here.
    pub fn host(&self, desk: &str) -> anyhow::Result<()> {
        let status = self
            .command()?
            .args(["host", desk])
            .stdout(Stdio::null())
            .status()?;
        ensure!(status.success(), "the relay does not host the desk");
        Ok(())
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("not running")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Ends it as an operator would.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("not running")?;
        kill_process(Pid::from_child(&child), Signal::TERM)?;
        ensure!(child.wait()?.success(), "the relay did not stop well");
        Ok(())
    }

    /// Starts it again, with what it had.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        let announced = self.launch()?;
        ensure!(announced["url"] == self.url.as_str(), "the relay moved");
        Ok(())
    }

    /// Looks in everything that it wrote, data and logs, for what it must not know.
    pub fn search(&self, needles: &[Needle]) -> anyhow::Result<Vec<Finding>> {
        search(self.folder.path(), needles)
    }

    fn configure(&self, listen: &str, admin: &str) -> anyhow::Result<()> {
        let config = format!("listen = [\"{listen}\"]\nadmin = \"{admin}\"\n");
        Ok(fs::write(self.config(), config)?)
    }

    fn launch(&mut self) -> anyhow::Result<Value> {
        ensure!(self.child.is_none(), "it runs already");
        let mut child = self
            .command()?
            .arg("--json")
            .env("RUST_LOG", "trace")
            .stdout(Stdio::piped())
            .stderr(self.log()?)
            .spawn()?;
        let output = child.stdout.take().context("no output")?;
        self.child = Some(child);
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        serde_json::from_str(&line).context("the relay did not start")
    }

    fn command(&self) -> anyhow::Result<Command> {
        let mut command = Command::new(program("cobijo-relay")?);
        command.arg("--config").arg(self.config());
        Ok(command)
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("relay.toml")
    }

    fn log(&self) -> anyhow::Result<File> {
        let log = self.folder.path().join("relay.log");
        Ok(OpenOptions::new().create(true).append(true).open(log)?)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ended = child.kill().and_then(|()| child.wait());
        }
    }
}
