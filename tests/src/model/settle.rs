//! The end: nothing fails any more, everybody catches up, and nothing may be missing.

use cobijo_client_core::core::group::Stop;

use super::{
    client::{DAY_MILLIS, State},
    ledger::Fault,
    world::World,
};

/// Frames that moving everybody to the end may take.
const FRAMES_MAX: u32 = 60_000;
/// Days that somebody may be away and must not be stale.
const AWAY_DAYS: u64 = 85;
/// Rounds of catching up and letting time pass.
const ROUNDS: u32 = 6;

impl World {
    /// Lets everybody catch up, and compares.
    ///
    /// # Errors
    /// What must never be.
    pub fn settle(&mut self) -> Result<(), Fault> {
        self.trace(|| "everybody catches up".to_owned());
        self.is_rough = false;
        for puts in std::mem::take(&mut self.delayed).into_values() {
            for put in puts {
                self.relay.put_raw(&put);
            }
        }
        self.come_back();
        self.right_clocks();
        self.calm()?;
        for id in self.active() {
            self.say(id)?;
        }
        self.calm()?;
        self.check_settled()?;
        self.ledger.check_end(&self.clients)
    }

    /// Moves frames until none is left, and lets time pass for what waits for it.
    fn calm(&mut self) -> Result<(), Fault> {
        for _ in 0..ROUNDS {
            let mut frames = 0;
            while self.pump()? {
                frames += 1;
                if frames > FRAMES_MAX {
                    return Err(self.restless());
                }
            }
            self.millis += DAY_MILLIS / 20;
        }
        Ok(())
    }

    fn restless(&self) -> Fault {
        let mut fault = "it never comes to rest:".to_owned();
        for client in self.clients.iter().filter(|client| client.is_active()) {
            let wants = client.wants();
            let (id, chains) = (client.id, wants.chains.len());
            if chains + wants.erases.len() > 0 {
                fault.push_str(&format!(" client {id} wants {chains} chains"));
            }
        }
        fault
    }

    /// Everybody who should follow does, in the same epoch, and has nothing left to do.
    fn check_settled(&self) -> Result<(), Fault> {
        let last = self.ledger.last_epoch();
        for (id, serial) in self.ledger.members() {
            let client = &self.clients[id];
            if client.is_traitor || client.serial != serial {
                continue;
            }
            match &client.state {
                State::Outside => return Err(format!("client {id} is a member and doesn't know")),
                // A Welcome lives no longer than other cells.
                State::Joining(_) if self.day() - client.offered_day > AWAY_DAYS => {}
                State::Joining(_) => return Err(format!("client {id} never joined")),
                State::Member(group) => {
                    if client.is_blinded {
                        continue;
                    }
                    if let Some(stop) = group.stop() {
                        let away = self.day() - client.caught_day;
                        if stop == Stop::Stale && away <= AWAY_DAYS {
                            return Err(format!("client {id} is stale after {away} days"));
                        }
                        continue;
                    }
                    if group.epoch() != last {
                        let epoch = group.epoch();
                        return Err(format!("client {id} is stuck in epoch {epoch} of {last}"));
                    }
                    // Who leaves commits nothing more, and nobody may be left to let her go.
                    let waits = client.log.is_leaving && self.active().len() == 1;
                    if !group.is_settled() && !waits {
                        let wants = client.wants();
                        return Err(format!(
                            "client {id} never gets done: {} chains, {} watches; refused {:?}",
                            wants.chains.len(),
                            wants.watch.len(),
                            client.log.refused
                        ));
                    }
                    if client.log.is_leaving && self.active().len() > 1 {
                        return Err(format!("client {id} can't leave"));
                    }
                }
            }
        }
        Ok(())
    }
}
