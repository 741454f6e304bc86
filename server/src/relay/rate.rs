//! How fast one connection may send, and how fast it is sent what it asks for.

use std::time::{Duration, Instant};

use cobijo_protocol::limits::FRAME_UNIT_BYTES;

/// Seconds of the allowed rate that may come at once: a file, or a desk that opens in the morning.
const BURST_SECONDS: u32 = 8;

/// What a second may bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateLimit {
    pub(crate) frames_per_second: u32,
    pub(crate) bytes_per_second: u32,
}

/// A bucket for frames and one for bytes. [L-3]
#[derive(Debug)]
pub(crate) struct Rate {
    frames: Bucket,
    bytes: Bucket,
}

impl Rate {
    /// Full buckets.
    pub(crate) fn new(limit: RateLimit, now: Instant) -> Self {
        Self {
            frames: Bucket::new(limit.frames_per_second, now),
            bytes: Bucket::new(limit.bytes_per_second, now),
        }
    }

    /// Whether a frame of this size is still within the rate.
    pub(crate) fn admit(&mut self, bytes: usize, now: Instant) -> bool {
        let frames = self.frames.take(1, now);
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.bytes.take(bytes, now) && frames
    }
}

/// Spreads what is delivered because it was asked for: a frame can ask for a hundred times its size. [L-3]
#[derive(Debug)]
pub(crate) struct Pace {
    bytes_per_second: u32,
    /// When all that was delivered would have been sent at the rate.
    sent: Instant,
}

impl Pace {
    /// Nothing was delivered yet.
    pub(crate) fn new(limit: RateLimit, now: Instant) -> Self {
        Self {
            bytes_per_second: limit.bytes_per_second,
            sent: now,
        }
    }

    /// Counts cells that are delivered.
    pub(crate) fn handle_delivered(&mut self, cells: usize, now: Instant) {
        let bytes = u64::try_from(cells.saturating_mul(FRAME_UNIT_BYTES)).unwrap_or(u64::MAX);
        let micros = bytes.saturating_mul(1_000_000) / u64::from(self.bytes_per_second.max(1));
        self.sent = self.sent.max(now) + Duration::from_micros(micros);
    }

    /// When more may be delivered.
    pub(crate) fn poll_timeout(&self, now: Instant) -> Instant {
        let burst = Duration::from_secs(BURST_SECONDS.into());
        now + self.sent.saturating_duration_since(now + burst)
    }
}

/// Counts in millionths, so that microseconds refill it exactly.
#[derive(Debug)]
struct Bucket {
    per_second: u64,
    millionths: u64,
    filled: Instant,
}

impl Bucket {
    fn new(per_second: u32, now: Instant) -> Self {
        let per_second = u64::from(per_second);
        Self {
            per_second,
            millionths: per_second * u64::from(BURST_SECONDS) * 1_000_000,
            filled: now,
        }
    }

    fn take(&mut self, count: u64, now: Instant) -> bool {
        let full = self.per_second * u64::from(BURST_SECONDS) * 1_000_000;
        let elapsed = now.saturating_duration_since(self.filled);
        let elapsed = elapsed.min(Duration::from_secs(u64::from(BURST_SECONDS)));
        let refill = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        self.millionths = full.min(self.millionths + refill * self.per_second);
        self.filled = now;
        match self.millionths.checked_sub(count.saturating_mul(1_000_000)) {
            Some(rest) => {
                self.millionths = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: RateLimit = RateLimit {
        frames_per_second: 2,
        bytes_per_second: 100,
    };

    #[test]
    fn a_burst_is_admitted_and_then_only_the_rate() {
        let start = Instant::now();
        let mut rate = Rate::new(LIMIT, start);
        assert!((0..16).all(|_| rate.admit(1, start)));
        assert!(!rate.admit(1, start));
        let later = start + Duration::from_millis(500);
        assert!(rate.admit(1, later));
        assert!(!rate.admit(1, later));
    }

    #[test]
    fn bytes_are_limited_apart_from_frames() {
        let start = Instant::now();
        let mut rate = Rate::new(LIMIT, start);
        assert!(rate.admit(800, start));
        assert!(!rate.admit(1, start));
        assert!(!rate.admit(usize::MAX, start + Duration::from_secs(3600)));
    }

    /// [L-3]
    #[test]
    fn a_burst_is_delivered_at_once_and_what_follows_is_spread() {
        let start = Instant::now();
        let limit = RateLimit {
            frames_per_second: 1,
            bytes_per_second: 4352,
        };
        let mut pace = Pace::new(limit, start);
        pace.handle_delivered(8, start);
        assert_eq!(pace.poll_timeout(start), start);
        pace.handle_delivered(3, start);
        let due = start + Duration::from_secs(3);
        assert_eq!(pace.poll_timeout(start), due);
        assert_eq!(pace.poll_timeout(due), due);
        let later = start + Duration::from_secs(60);
        pace.handle_delivered(11, later);
        let due = later + Duration::from_secs(3);
        assert_eq!(pace.poll_timeout(later), due);
    }

    #[test]
    fn a_clock_that_stands_or_goes_back_gives_nothing() {
        let start = Instant::now() + Duration::from_secs(60);
        let mut rate = Rate::new(LIMIT, start);
        assert!((0..16).all(|_| rate.admit(1, start)));
        assert!(!rate.admit(1, start - Duration::from_secs(30)));
    }
}
