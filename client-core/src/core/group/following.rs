//! Whether a member follows: the days that it goes by, and why it stops. [G-17]

use cobijo_protocol::{Day, limits::STALE_MARGIN_DAYS};

use super::{Group, GroupEvent, Stop};
use crate::core::{
    port::{Now, RelayFacts},
    stream::Stream,
};

impl Group {
    /// Who was away for almost as long as cells live can't trust what is missing, for as long as the
    /// days say so: a wrong clock stops nobody for good. [G-17]
    pub(super) fn connected(&mut self, relay: RelayFacts, now: Now) {
        self.relay = Some(relay);
        self.shown.forget(self.caught_up, relay.retention_days);
        self.erase_keys.forget(self.caught_up, relay.retention_days);
        let away = relay.day.max(now.day()).saturating_sub(self.caught_up);
        self.doubt = None;
        if away > u32::from(relay.retention_days).saturating_sub(STALE_MARGIN_DAYS) {
            self.doubt_for(Stop::Stale);
        }
    }

    /// Notes the day once every next slot was seen empty on this connection. It never goes back: an old
    /// phone starts with a clock of 1970.
    pub(super) fn catch_up(&mut self, now: Now) {
        if let Some(relay) = self.relay
            && self.streams.iter().all(Stream::is_caught_up)
        {
            self.caught_up = self.caught_up.max(relay.day.min(now.day()));
        }
    }

    /// Days that the relay of this connection keeps cells.
    pub(crate) fn retention_days(&self) -> Option<u16> {
        self.relay.map(|relay| relay.retention_days)
    }

    /// The latest day that anything says it is: lest wrong clocks forget too early.
    pub(super) fn latest_day(&self, now: Now) -> Day {
        let relay = self.relay.map_or(0, |relay| relay.day);
        relay.max(now.day()).max(self.caught_up)
    }

    /// Follows no further on this connection; the next one is believed anew.
    pub(super) fn doubt_for(&mut self, stop: Stop) {
        self.doubt = Some(stop);
        if self.stop.is_none() {
            self.events.push_back(GroupEvent::Stopped(stop));
        }
    }

    /// Follows no further, for good.
    pub(super) fn stop_for(&mut self, stop: Stop) {
        self.stop = Some(stop);
        self.events.push_back(GroupEvent::Stopped(stop));
    }
}
