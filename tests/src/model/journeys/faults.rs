//! What befalls clients: crashes, absence, days, and old copies of a profile.

use super::{profile::Owner, world::World};
use crate::model::{client::DAY_MILLIS, ledger::Fault};

/// Old copies kept of a profile.
const OLDER_MAX: usize = 4;
/// Days that go by in all, so that nobody is away for too long.
const DAYS_MAX: u64 = 40;

impl World {
    /// Something befalls somebody.
    pub(super) fn befall(&mut self) -> Result<(), Fault> {
        let id = self.below(self.profiles.len());
        match self.below(16) {
            0..4 => {
                self.trace(|| format!("profile {id} crashes"));
                self.crash(id)
            }
            4..7 if !self.profiles[id].is_offline => {
                self.trace(|| format!("profile {id} goes offline"));
                self.go_offline(id)
            }
            4..10 => self.come_online(),
            10..12 => self.pass_days(),
            12..14 => {
                self.copy(id);
                Ok(())
            }
            _ => self.bring_back_a_copy(id),
        }
    }

    /// Everybody is online again.
    pub(super) fn come_online(&mut self) -> Result<(), Fault> {
        for id in 0..self.profiles.len() {
            if self.profiles[id].is_offline {
                self.trace(|| format!("profile {id} comes online"));
                self.wake(id)?;
            }
        }
        Ok(())
    }

    fn pass_days(&mut self) -> Result<(), Fault> {
        let gone = self.millis / DAY_MILLIS - super::cast::FIRST_DAY;
        let days = 1 + self.below(3) as u64;
        if gone + days > DAYS_MAX {
            return Ok(());
        }
        for _ in 0..days {
            self.trace(|| "a day goes by".to_owned());
            self.pass(DAY_MILLIS);
            self.run(200, 60_000)?;
        }
        Ok(())
    }

    /// A copy of a profile is put away.
    fn copy(&mut self, id: usize) {
        let profile = &mut self.profiles[id];
        if profile.older.len() < OLDER_MAX && !profile.disk.is_empty() && !profile.is_spoilt {
            profile.older.push(profile.disk.clone());
        }
    }

    /// A profile is restored from an old copy, after something of it was erased. What else it held is not
    /// looked at any more: nobody can go on from an old copy, and nobody has to.
    fn bring_back_a_copy(&mut self, id: usize) -> Result<(), Fault> {
        let is_wiped = |room: &usize| self.ledger.rooms[*room].is_wiped;
        let profile = &self.profiles[id];
        // The only coordinator's client holds the desk.
        let is_needed = profile.owner == Owner::Member(0);
        let screen = self.ledger.screens.get(&id);
        let has_wiped = screen.is_some_and(|screen| screen.wiped.iter().any(is_wiped));
        if is_needed || profile.is_spoilt || !has_wiped || profile.older.is_empty() {
            return Ok(());
        }
        let place = self.below(profile.older.len());
        self.trace(|| format!("profile {id} is restored from an old copy"));
        let profile = &mut self.profiles[id];
        profile.disk = profile.older.swap_remove(place);
        profile.is_spoilt = true;
        profile.groups.clear();
        self.ledger.forget_screen(id);
        self.crash(id)
    }
}
