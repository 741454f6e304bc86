//! Totals, without labels about people.

use std::{
    fmt::Write as _,
    sync::atomic::{AtomicU64, Ordering},
};

use cobijo_protocol::frame::{Closing, FromRelay, Outcome};

/// A number that goes up, or also down.
#[derive(Debug, Default)]
pub(crate) struct Total(AtomicU64);

impl Total {
    /// One more.
    pub(crate) fn increment(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// One fewer.
    pub(crate) fn decrement(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// Another value.
    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// All totals of a relay.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) connections_open: Total,
    pub(crate) connections: Total,
    pub(crate) connections_max: Total,
    pub(crate) connections_refused: Total,
    pub(crate) connections_gave_way: Total,
    pub(crate) frames: Total,
    pub(crate) stored: Total,
    pub(crate) taken: Total,
    pub(crate) refused: Total,
    pub(crate) pushed: Total,
    pub(crate) closed_malformed: Total,
    pub(crate) closed_too_fast: Total,
    pub(crate) closed_too_slow: Total,
    pub(crate) sweep_refused: Total,
    pub(crate) disk_free_bytes: Total,
    pub(crate) accepts_writes: Total,
}

impl Metrics {
    /// Counts an answer.
    pub(crate) fn count_answer(&self, outcomes: &[Outcome]) {
        self.frames.increment();
        for outcome in outcomes {
            match outcome {
                Outcome::Stored => self.stored.increment(),
                Outcome::Taken => self.taken.increment(),
                Outcome::NoCredit
                | Outcome::Full
                | Outcome::Unknown
                | Outcome::Denied
                | Outcome::TooMany
                | Outcome::Busy => self.refused.increment(),
                Outcome::Hello(_) | Outcome::Skipped | Outcome::Watching(_) | Outcome::Done => {}
            }
        }
    }

    /// Counts anything else that is sent.
    pub(crate) fn count_push(&self, message: &FromRelay) {
        match message {
            FromRelay::Cell { .. } | FromRelay::Gone { .. } | FromRelay::Item { .. } => {
                self.pushed.increment();
            }
            FromRelay::Closing(Closing::Malformed | Closing::Version) => {
                self.closed_malformed.increment();
            }
            FromRelay::Closing(Closing::TooFast) => self.closed_too_fast.increment(),
            FromRelay::Closing(Closing::TooSlow) => self.closed_too_slow.increment(),
            FromRelay::Closing(Closing::Stopping) | FromRelay::Answer(_) => {}
        }
    }

    /// The Prometheus text format.
    pub(crate) fn to_text(&self) -> String {
        let totals = [
            ("gauge", "connections_open", &self.connections_open),
            ("gauge", "connections_max", &self.connections_max),
            ("counter", "connections_total", &self.connections),
            (
                "counter",
                "connections_gave_way_total",
                &self.connections_gave_way,
            ),
            (
                "counter",
                "connections_refused_total",
                &self.connections_refused,
            ),
            ("counter", "frames_total", &self.frames),
            ("counter", "stored_total", &self.stored),
            ("counter", "taken_total", &self.taken),
            ("counter", "refused_total", &self.refused),
            ("counter", "pushed_total", &self.pushed),
            ("counter", "closed_malformed_total", &self.closed_malformed),
            ("counter", "closed_too_fast_total", &self.closed_too_fast),
            ("counter", "closed_too_slow_total", &self.closed_too_slow),
            ("gauge", "sweep_refused", &self.sweep_refused),
            ("gauge", "disk_free_bytes", &self.disk_free_bytes),
            ("gauge", "accepts_writes", &self.accepts_writes),
        ];
        let mut text = String::new();
        for (kind, name, total) in totals {
            let value = total.value();
            // Writing to memory does not fail.
            let _ = writeln!(text, "# TYPE cobijo_{name} {kind}\ncobijo_{name} {value}");
        }
        text
    }
}
