//! How silent a connection may be.

use std::time::Instant;

use cobijo_protocol::limits::{DEAD_AFTER, HELLO_TIMEOUT, PING_INTERVAL};

/// What silence calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Ask whether the peer is there.
    Ping,
    /// Give the connection up.
    Dead,
}

/// When a connection was last heard of. [L-4]
#[derive(Debug)]
pub(crate) struct Liveness {
    heard: Instant,
    pinged: bool,
    hello_by: Option<Instant>,
}

impl Liveness {
    /// A connection that was just made, and has yet to say hello.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            heard: now,
            pinged: false,
            hello_by: Some(now + HELLO_TIMEOUT),
        }
    }

    /// Something arrived.
    pub(crate) fn handle_heard(&mut self, now: Instant) {
        self.heard = now;
        self.pinged = false;
    }

    /// The hello arrived.
    pub(crate) fn handle_hello(&mut self) {
        self.hello_by = None;
    }

    /// What is due, once each.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Silence> {
        if self.hello_by.is_some_and(|by| now >= by) || now >= self.heard + DEAD_AFTER {
            return Some(Silence::Dead);
        }
        if !self.pinged && now >= self.heard + PING_INTERVAL {
            self.pinged = true;
            return Some(Silence::Ping);
        }
        None
    }

    /// When to poll again.
    pub(crate) fn poll_timeout(&self) -> Instant {
        let silence = if self.pinged {
            self.heard + DEAD_AFTER
        } else {
            self.heard + PING_INTERVAL
        };
        self.hello_by.map_or(silence, |by| by.min(silence))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_silent_connection_is_pinged_once_and_then_dead() {
        let start = Instant::now();
        let mut liveness = Liveness::new(start);
        liveness.handle_hello();
        assert_eq!(liveness.poll(liveness.poll_timeout()), Some(Silence::Ping));
        assert_eq!(liveness.poll(start + PING_INTERVAL), None);
        assert_eq!(liveness.poll_timeout(), start + DEAD_AFTER);
        assert_eq!(liveness.poll(liveness.poll_timeout()), Some(Silence::Dead));
    }

    #[test]
    fn an_answer_starts_the_silence_anew() {
        let start = Instant::now();
        let mut liveness = Liveness::new(start);
        liveness.handle_hello();
        assert_eq!(liveness.poll(start + PING_INTERVAL), Some(Silence::Ping));
        let heard = start + PING_INTERVAL + Duration::from_secs(1);
        liveness.handle_heard(heard);
        assert_eq!(liveness.poll(start + DEAD_AFTER), Some(Silence::Ping));
        assert_eq!(liveness.poll_timeout(), heard + DEAD_AFTER);
    }

    #[test]
    fn whoever_says_no_hello_is_dead_though_she_chatters() {
        let start = Instant::now();
        let mut liveness = Liveness::new(start);
        liveness.handle_heard(start + HELLO_TIMEOUT);
        assert_eq!(liveness.poll(start + HELLO_TIMEOUT), Some(Silence::Dead));
    }
}
