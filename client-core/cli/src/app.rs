//! A client at work in front of somebody: shows what happens, and waits for what was asked for.

use std::time::Duration;

use cobijo_client_core::{
    core::client::{
        Client, Command, ConversationEvent, DeskView, Event, Locked, QueueRow, Standing,
    },
    driver::{Driver, NetworkError, Notice},
};
use serde_json::json;
use tokio::time::timeout;

use crate::{catalogue::Key, problem::Problem, screen::Screen};

/// How long a command waits for an answer, unless told otherwise.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long what is known here waits for what the relay has.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(15);
/// How long erasing may take: it is spread within a minute.
const ERASE_TIMEOUT: Duration = Duration::from_secs(120);
/// How long a file may be on its way: the largest takes an hour at 40 kbit/s. Another start goes on.
const FILE_TIMEOUT: Duration = Duration::from_secs(3_600);
/// Silence after which what the relay has is taken to be here.
const QUIET: Duration = Duration::from_millis(600);

/// A client at work.
pub(crate) struct App {
    pub(crate) driver: Driver,
    pub(crate) screen: Screen,
    timeout: Option<Duration>,
    trouble: Option<Key>,
    outcome: Outcome,
    queue: Vec<QueueRow>,
    /// Whether conversations and the queue are shown as they go on.
    pub(crate) is_live: bool,
}

/// How something went that was done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Well.
    Done,
    /// There is something to worry about, which was told: nobody may be reading.
    Warned,
}

/// How long to wait.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// A relay answers.
    Relay,
    /// A person answers.
    Person,
    /// What is to be erased is.
    Erasing,
    /// A file goes over a slow network.
    File,
}

impl App {
    pub(crate) fn new(driver: Driver, screen: Screen, timeout: Option<u64>) -> Self {
        Self {
            driver,
            screen,
            timeout: timeout.map(Duration::from_secs),
            trouble: None,
            outcome: Outcome::Done,
            queue: Vec::new(),
            is_live: false,
        }
    }

    /// What the client is, and has.
    pub(crate) fn client(&self) -> &Client {
        self.driver.client()
    }

    /// Hands a command to the client.
    pub(crate) fn command(&mut self, command: Command) -> Result<(), Problem> {
        Ok(self.driver.handle_command(command)??)
    }

    /// How what was done went, if it was done.
    pub(crate) fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Says goodbye.
    pub(crate) async fn stop(self) {
        self.driver.stop().await;
    }

    /// Works until `condition` is met. It sees the client, and each event once.
    pub(crate) async fn until<T>(
        &mut self,
        patience: Patience,
        mut condition: impl FnMut(&Client, Option<&Event>) -> Option<Result<T, Problem>>,
    ) -> Result<T, Problem> {
        let limit = self.timeout.or(match patience {
            Patience::Relay => Some(TIMEOUT),
            Patience::Person => None,
            Patience::Erasing => Some(ERASE_TIMEOUT),
            Patience::File => Some(FILE_TIMEOUT),
        });
        let working = async {
            if let Some(met) = condition(self.driver.client(), None) {
                return met;
            }
            loop {
                let notice = self.driver.next().await?;
                self.show(&notice);
                let event = match &notice {
                    Notice::Event(event) => Some(event),
                    Notice::Disconnected(reason) | Notice::NoCard(reason)
                        if is_lasting(*reason) =>
                    {
                        return Err((*reason).into());
                    }
                    Notice::Connected | Notice::Disconnected(_) | Notice::NoCard(_) => None,
                };
                if let Some(met) = condition(self.driver.client(), event) {
                    return met;
                }
            }
        };
        let Some(limit) = limit else {
            return working.await;
        };
        match timeout(limit, working).await {
            Ok(met) => met,
            Err(_) => Err(self.trouble.unwrap_or(Key::TimedOut).into()),
        }
    }

    /// Works until what the relay has is most likely here, or can't be had.
    pub(crate) async fn settle(&mut self) -> Result<(), Problem> {
        if self.driver.is_connecting() {
            self.screen.progress(Key::Connecting);
        }
        self.finish().await
    }

    /// As [`App::settle`], without a word of it.
    pub(crate) async fn finish(&mut self) -> Result<(), Problem> {
        let limit = self.timeout.unwrap_or(SETTLE_TIMEOUT);
        if let Ok(settled) = timeout(limit, self.driver.settle(QUIET)).await {
            settled?;
        }
        while let Some(notice) = self.driver.poll_notice() {
            self.show(&notice);
        }
        Ok(())
    }

    /// Shows what happened, where somebody would want to see it.
    pub(crate) fn show(&mut self, notice: &Notice) {
        match notice {
            Notice::Connected => {
                if self.trouble.take().is_some() {
                    self.screen.progress(Key::Connected);
                }
                if self.screen.json {
                    self.screen.show(&json!({ "event": "connected" }), "");
                }
            }
            Notice::Disconnected(reason) | Notice::NoCard(reason) => {
                let problem = Problem::from(*reason);
                let is_new = self.trouble.replace(problem.key) != Some(problem.key);
                if is_new && (self.is_live || !is_lasting(*reason)) {
                    self.screen.trouble(problem);
                }
            }
            Notice::Event(event) => self.show_event(event),
        }
    }

    fn show_event(&mut self, event: &Event) {
        if matches!(event, Event::CardExpired) {
            self.outcome = Outcome::Warned;
        }
        if matches!(event, Event::QueueChanged) && self.is_live {
            let queue = self.client().queue();
            if queue != self.queue {
                self.queue = queue;
                self.show_queue();
            }
        }
        // Where a command ends by it, its last sentence says so.
        let ends = matches!(
            event,
            Event::IntakeFailed(_)
                | Event::JoinFailed(_)
                | Event::NothingFound
                | Event::Locked(Locked::Unjoinable)
        );
        if ends && !self.is_live {
            return;
        }
        if matches!(event, Event::Conversation(_, event) if !self.is_shown(event)) {
            return;
        }
        if let Event::Conversation(id, ConversationEvent::SummaryChanged) = event {
            return self.show_summary(*id);
        }
        if let Some((object, text)) = self.screen.event(event)
            && (self.screen.json || !text.is_empty())
        {
            self.screen.show(&object, &text);
        }
        if let Event::Conversation(id, ConversationEvent::Proposed(_)) = event {
            self.show_other_readers(*id);
        }
    }

    /// Outside a live view, only what ends a conversation, or a file's way, is worth a line.
    fn is_shown(&self, event: &ConversationEvent) -> bool {
        let is_shown = matches!(
            event,
            ConversationEvent::Stopped(_) | ConversationEvent::File(_)
        );
        self.is_live || self.screen.json || is_shown
    }

    /// The queue, as it is now.
    pub(crate) fn show_queue(&self) {
        let now = cobijo_client_core::driver::now();
        let rows: Vec<_> = self
            .client()
            .queue()
            .iter()
            .map(|row| self.screen.queue_row(row, now))
            .collect();
        let (objects, mut lines): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let mut object = json!({ "event": "queue", "rows": objects });
        let standing = self.client().standing();
        let is_full = |desk: &DeskView| desk.on_shift && desk.is_full();
        object["full"] = matches!(&standing, Standing::Member(desk) if is_full(desk)).into();
        if matches!(&standing, Standing::Member(desk) if desk.paused_until.is_some()) {
            lines.push(self.screen.text(Key::Pausing).to_owned());
        } else if let Standing::Member(desk) = standing
            && is_full(&desk)
        {
            let values = [&*desk.live.to_string(), &*desk.capacity.get().to_string()];
            lines.push(self.screen.fill(Key::QueueFull, &values));
        } else if lines.is_empty() {
            lines.push(self.screen.text(Key::QueueEmpty).to_owned());
        }
        self.screen.show(&object, &lines.join("\n"));
    }
}

/// What trying again in a moment does not change.
fn is_lasting(reason: NetworkError) -> bool {
    match reason {
        NetworkError::CertificateExpired
        | NetworkError::CertificateName
        | NetworkError::CertificateUntrusted
        | NetworkError::NotRelay
        | NetworkError::OtherVersion
        | NetworkError::Tls => true,
        NetworkError::Busy
        | NetworkError::Lost
        | NetworkError::Proxy
        | NetworkError::Refused
        | NetworkError::UnknownHost
        | NetworkError::Unreachable => false,
    }
}
