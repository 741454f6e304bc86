//! The relay's UTC day: the one thing about dates that it knows.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cobijo_protocol::Day;
use tokio::{sync::watch, task::JoinSet};

use crate::shutdown::Shutdown;

/// How often the system's clock is looked at: a day may begin, or somebody may set the clock.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Where the day comes from.
#[derive(Debug)]
pub enum Clock {
    /// The system's clock.
    System,
    /// Whoever holds the other end, for tests.
    Manual(watch::Receiver<Day>),
}

impl Clock {
    /// The day, kept up to date by a task.
    pub(crate) fn start(self, tasks: &mut JoinSet<()>, shutdown: Shutdown) -> watch::Receiver<Day> {
        match self {
            Self::System => {
                let (sender, day) = watch::channel(today());
                tasks.spawn(keep(sender, shutdown));
                day
            }
            Self::Manual(day) => day,
        }
    }
}

/// The system's UTC day; a clock before 1970 is day 0.
fn today() -> Day {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Day::try_from(since.as_secs() / 86_400).unwrap_or(Day::MAX)
}

async fn keep(sender: watch::Sender<Day>, mut shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = shutdown.requested() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {
                let today = today();
                sender.send_if_modified(|day| std::mem::replace(day, today) != today);
            }
        }
    }
}
