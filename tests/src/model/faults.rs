//! What befalls members: lost connections, long absences, wrong clocks.

use cobijo_client_core::core::group::Group;
use cobijo_protocol::slot::{Kind, Slot};

use super::{client::DAY_MILLIS, ledger::Fault, world::World};
use crate::{
    hostile::HostileMember,
    memory_relay::{ConnectionId, Lie},
};

/// Commit slots of an epoch that are hidden from who was removed.
const HIDDEN_COMMITS: u64 = 8;

impl World {
    /// Something befalls somebody.
    pub(super) fn befall(&mut self) -> Result<(), Fault> {
        let id = self.below(self.clients.len());
        match self.below(24) {
            0..5 => {
                self.trace(|| format!("client {id} crashes"));
                self.crash(id);
            }
            5..10 => self.go_offline(id),
            10..15 => self.come_back(),
            15..19 => self.pass_days(1, 3)?,
            19 => {
                let rounds = 4 + self.below(8);
                self.pass_days(rounds, 12)?;
            }
            20 => self.stay_away(id)?,
            21 => {
                let is_behind = self.relay_days < 0;
                let years = self.wrong_years(is_behind);
                self.trace(|| format!("clock of client {id} is {years} years ahead"));
                self.clients[id].clock_days = years * 365;
            }
            22 => {
                let is_behind = self.clients.iter().any(|client| client.clock_days < 0);
                let years = self.wrong_years(is_behind);
                self.trace(|| format!("clock of the relay is {years} years ahead"));
                self.relay_days = years * 365;
                self.set_relay_day();
            }
            _ => self.right_clocks(),
        }
        Ok(())
    }

    /// By how much a clock is wrong. Where the relay's and the own one lie years back, nothing tells a member
    /// how long she was away: one of them is never behind.
    fn wrong_years(&mut self, is_other_behind: bool) -> i64 {
        let years = self.below(9) as i64 - 4;
        if is_other_behind { years.abs() } else { years }
    }

    /// The request in flight may have been run, in part; the answer never comes.
    pub(super) fn lose(&mut self, id: usize, connection: ConnectionId) {
        self.trace(|| format!("client {id} loses its connection"));
        let part = self.below(4);
        self.relay.run_part(connection, part);
        self.clients[id].connection = None;
    }

    fn go_offline(&mut self, id: usize) {
        let online = self
            .active()
            .iter()
            .filter(|&&id| !self.clients[id].is_offline)
            .count();
        if online <= 1 || self.clients[id].is_offline {
            return;
        }
        self.trace(|| format!("client {id} goes offline"));
        self.clients[id].is_offline = true;
        self.crash(id);
    }

    /// Somebody is away for longer than cells live, while the others go on.
    fn stay_away(&mut self, id: usize) -> Result<(), Fault> {
        self.go_offline(id);
        if let Some(&other) = self.active().iter().find(|&&other| other != id) {
            self.update(other)?;
        }
        for _ in 0..12 {
            self.pass_days(1, 16)?;
        }
        self.clients[id].is_offline = false;
        Ok(())
    }

    /// Everybody comes back.
    pub(super) fn come_back(&mut self) {
        for client in &mut self.clients {
            client.is_offline = false;
        }
    }

    /// All clocks are right again.
    pub(super) fn right_clocks(&mut self) {
        self.trace(|| "all clocks are right".to_owned());
        self.relay_days = 0;
        self.set_relay_day();
        let wrong: Vec<_> = self
            .clients
            .iter()
            .filter(|client| client.clock_days != 0)
            .map(|client| client.id)
            .collect();
        for id in wrong {
            self.clients[id].clock_days = 0;
            self.crash(id);
        }
        // Days are learnt at the hello.
        let ids: Vec<_> = (0..self.clients.len()).collect();
        for id in ids {
            if let Some(connection) = self.clients[id].connection.take() {
                self.relay.close(connection);
            }
        }
    }

    /// Days go by, with sweeps; who is online comes by between them.
    fn pass_days(&mut self, rounds: usize, days: usize) -> Result<(), Fault> {
        for _ in 0..rounds {
            let days = 1 + self.below(days);
            self.trace(|| format!("{days} days go by"));
            for _ in 0..days {
                self.millis += DAY_MILLIS;
                self.set_relay_day();
                self.relay.sweep();
            }
            for id in 0..self.clients.len() {
                if let Some(connection) = self.clients[id].connection.take() {
                    self.relay.close(connection);
                }
            }
            for _ in 0..200 {
                self.pump()?;
            }
        }
        Ok(())
    }

    /// From now on the relay hides the commits of the present epoch from a client, who goes on as if
    /// nothing had happened.
    pub(super) fn blind(&mut self, id: usize) {
        let client = &self.clients[id];
        let Some(group) = client.group().filter(|_| client.is_active()) else {
            return;
        };
        let secret = thread_secret(group);
        let viewer = client.viewer();
        for index in 0..HIDDEN_COMMITS {
            let address = Slot::derive(&secret, Kind::Commit, 0, index).address();
            self.relay.lie(viewer, address, Lie::Empty);
        }
        self.trace(|| format!("client {id} sees no commits any more"));
        self.clients[id].is_blinded = true;
    }
}

fn thread_secret(group: &Group) -> cobijo_protocol::slot::ThreadSecret {
    HostileMember::of(group).thread_secret()
}
