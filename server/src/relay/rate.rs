//! How fast one connection may send.

use std::time::{Duration, Instant};

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

    #[test]
    fn a_clock_that_stands_or_goes_back_gives_nothing() {
        let start = Instant::now() + Duration::from_secs(60);
        let mut rate = Rate::new(LIMIT, start);
        assert!((0..16).all(|_| rate.admit(1, start)));
        assert!(!rate.admit(1, start - Duration::from_secs(30)));
    }
}
