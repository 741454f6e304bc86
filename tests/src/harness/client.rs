//! `cobijo` processes of one person, who has one profile.

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;

use super::{PATIENCE, Proxy, program};

/// What she types when she is asked.
const PASSPHRASE: &str = "seis palabras al azar para una prueba";

/// A person with a profile.
pub struct Client {
    name: String,
    folder: TempDir,
    certificate: PathBuf,
    proxy: Arc<Proxy>,
    language: &'static str,
}

/// What a command did.
#[derive(Debug)]
pub struct Done {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed, one object a line.
    pub events: Vec<Value>,
    /// What it said to a person.
    pub said: String,
}

/// A command that goes on.
pub struct Live {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    events: mpsc::Receiver<Value>,
    unread: Vec<Value>,
}

impl Client {
    pub(super) fn new(name: &str, certificate: &Path, proxy: Arc<Proxy>) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("person").tempdir()?;
        std::fs::write(folder.path().join("passphrase"), PASSPHRASE)?;
        Ok(Self {
            name: name.to_owned(),
            folder,
            certificate: certificate.to_owned(),
            proxy,
            language: "es",
        })
    }

    /// She reads English.
    #[must_use]
    pub fn in_english(mut self) -> Self {
        self.language = "en";
        self
    }

    /// What she is called in this test.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where her profile lies.
    pub fn profile(&self) -> PathBuf {
        self.folder.path().join("profile")
    }

    /// Where her passphrase lies.
    pub fn passphrase_file(&self) -> PathBuf {
        self.folder.path().join("passphrase")
    }

    /// Runs a command to its end, whatever that is; it finds nothing to read.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<Done> {
        self.run_with(arguments, "")
    }

    /// Runs a command that reads `input` to its end, whatever that is.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> anyhow::Result<Done> {
        let mut child = self.spawn(arguments)?;
        // It may end before it has read anything.
        let _unread = child
            .stdin
            .take()
            .context("no input")?
            .write_all(input.as_bytes());
        let output = child.wait_with_output()?;
        let events = String::from_utf8(output.stdout)?
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()?;
        let said = String::from_utf8(output.stderr)?;
        Ok(Done {
            status: output.status,
            events,
            said,
        })
    }

    /// Runs a command that has to be refused, in each language: with one sentence, a status other than 0,
    /// and as often as it is tried. Returns the problem's name.
    pub fn refused(&self, arguments: &[&str], input: &str) -> anyhow::Result<String> {
        let [es, en] = ["es", "en"]
            .map(|language| self.run_with(&[arguments, &["--lang", language]].concat(), input));
        let (es, en) = (es?, en?);
        for done in [&es, &en] {
            let is_sentence = done.said.trim().lines().count() == 1 && done.said.trim().len() > 10;
            ensure!(
                done.status.code() == Some(1) && is_sentence,
                "{arguments:?}: {done:?}"
            );
        }
        ensure!(es.problem() == en.problem(), "{es:?} {en:?}");
        ensure!(es.said != en.said, "{} in one language", es.said);
        Ok(es.problem().to_owned())
    }

    /// Runs a command that must do what it is for.
    pub fn succeed(&self, arguments: &[&str]) -> anyhow::Result<Done> {
        self.succeed_with(arguments, "")
    }

    /// Runs a command that reads `input`, and must do what it is for.
    pub fn succeed_with(&self, arguments: &[&str], input: &str) -> anyhow::Result<Done> {
        let done = self.run_with(arguments, input)?;
        ensure!(
            done.status.success(),
            "{} {arguments:?}: {done:?}",
            self.name
        );
        Ok(done)
    }

    /// Writes to a desk for the first time.
    pub fn write(&self, link: &str, text: &str) -> anyhow::Result<Done> {
        self.succeed_with(&["write"], &letter(link, text))
    }

    /// Begins a command that goes on, and reads no more than `input`.
    pub fn start_with(&self, arguments: &[&str], input: &str) -> anyhow::Result<Live> {
        let mut live = self.start(arguments)?;
        live.type_line(input)?;
        live.input = None;
        Ok(live)
    }

    /// Begins a command that goes on.
    pub fn start(&self, arguments: &[&str]) -> anyhow::Result<Live> {
        let mut child = self.spawn(arguments)?;
        let output = child.stdout.take().context("no output")?;
        let errors = child.stderr.take().context("no errors")?;
        let (sender, events) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if sender.send(event).is_err() {
                    break;
                }
            }
        });
        // Kept from filling its pipe; what it says to a person is not waited for.
        thread::spawn(move || BufReader::new(errors).read_to_end(&mut Vec::new()));
        let input = child.stdin.take();
        Ok(Live {
            name: self.name.clone(),
            child,
            input,
            events,
            unread: Vec::new(),
        })
    }

    fn spawn(&self, arguments: &[&str]) -> anyhow::Result<Child> {
        Ok(self
            .command(arguments)?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?)
    }

    /// Her usual options, save those that the arguments have themselves.
    fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let text = |path: PathBuf| path.to_str().map(str::to_owned).context("path");
        let usual = [
            ("--lang", self.language.to_owned()),
            ("--proxy", self.proxy.url()),
            ("--trust", text(self.certificate.clone())?),
            ("--profile", text(self.profile())?),
            ("--passphrase-file", text(self.passphrase_file())?),
        ];
        let mut command = Command::new(program("cobijo")?);
        command.arg("--json").args(arguments);
        for (option, value) in usual
            .iter()
            .filter(|(option, _)| !arguments.contains(option))
        {
            command.args([*option, value]);
        }
        Ok(command)
    }
}

/// What `write` reads: the desk's link, and then what she wants to say.
pub fn letter(link: &str, text: &str) -> String {
    format!("{link}\n{text}\n")
}

impl Done {
    /// The name of what went wrong; nothing where nothing did.
    pub fn problem(&self) -> &str {
        let found = self
            .events
            .iter()
            .rev()
            .find(|event| event["event"] == "problem");
        found
            .and_then(|event| event["problem"].as_str())
            .unwrap_or_default()
    }

    /// The event of that name.
    pub fn event(&self, name: &str) -> anyhow::Result<&Value> {
        let found = self.events.iter().find(|event| event["event"] == name);
        found.with_context(|| format!("no {name} in {:?}", self.events))
    }
}

impl Live {
    /// Waits for an event, and takes it; others stay for later.
    pub fn expect(&mut self, name: &str) -> anyhow::Result<Value> {
        self.expect_that(name, |_| true)
    }

    /// Waits for an event that is as described, and takes it; others stay for later.
    pub fn expect_that(
        &mut self,
        name: &str,
        is_meant: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        self.take(name, |event| event["event"] == name && is_meant(event))
    }

    /// Waits for the first of several events, and takes it; others stay for later.
    pub fn expect_any(&mut self, names: &[&str]) -> anyhow::Result<Value> {
        self.take(&names.join(" or "), |event| {
            names.iter().any(|name| event["event"] == *name)
        })
    }

    /// An event that has come already, and stays.
    pub fn unread(&self, name: &str, is_meant: impl Fn(&Value) -> bool) -> Option<&Value> {
        self.unread
            .iter()
            .find(|event| event["event"] == name && is_meant(event))
    }

    fn take(&mut self, what: &str, is_found: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.unread.iter().position(&is_found) {
                return Ok(self.unread.remove(at));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(event) => self.unread.push(event),
                Err(_) => bail!("{} waits for {what} in vain: {:?}", self.name, self.unread),
            }
        }
    }

    /// Types a line.
    pub fn type_line(&mut self, line: &str) -> anyhow::Result<()> {
        let input = self.input.as_mut().context("it takes no more lines")?;
        writeln!(input, "{line}")?;
        Ok(input.flush()?)
    }

    /// Ends it as closing its window would.
    pub fn finish(mut self) -> anyhow::Result<ExitStatus> {
        drop(self.input.take());
        Ok(self.child.wait()?)
    }

    /// Waits until it ends by itself, and returns the name of what went wrong, where something did.
    pub fn end(mut self) -> anyhow::Result<Option<String>> {
        ensure!(
            self.outlive(PATIENCE)?,
            "{} goes on: {:?}",
            self.name,
            self.unread
        );
        let problem = self.unread("problem", |_| true);
        let problem = problem.map(|event| event["problem"].to_string());
        let is_well = self.child.wait()?.success();
        Ok((!is_well).then(|| problem.unwrap_or_default()))
    }

    /// Waits until it ends by itself.
    pub fn wait(mut self) -> anyhow::Result<ExitStatus> {
        Ok(self.child.wait()?)
    }

    /// Watches it for that long, or until it ends by itself: then true.
    pub fn outlive(&mut self, time: Duration) -> anyhow::Result<bool> {
        let deadline = Instant::now() + time;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(event) => self.unread.push(event),
                Err(mpsc::RecvTimeoutError::Timeout) => return Ok(false),
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    self.child.wait()?;
                    return Ok(true);
                }
            }
        }
    }

    /// Gives it that long to end by itself, and then ends it as a power cut would.
    pub fn kill_after(mut self, time: Duration) -> anyhow::Result<Option<ExitStatus>> {
        if self.outlive(time)? {
            return Ok(Some(self.child.wait()?));
        }
        self.kill()?;
        Ok(None)
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ended = self.child.kill().and_then(|()| self.child.wait());
        }
    }
}
