//! The end: nothing fails any more, everybody catches up, and nothing may be missing.

use std::collections::{BTreeMap, BTreeSet};

use cobijo_client_core::core::client::{
    Command, ConversationView, EntryState, PersonStage, Standing, TeamCommand,
};
use cobijo_protocol::slot::{Kind, Slot};

use super::{
    cast::ALIASES,
    ledger::{Ledger, Screen, aliases, texts},
    profile::{Owner, Profile},
    world::World,
};
use crate::model::ledger::Fault;

/// Frames after which something must be wrong, in one round of catching up.
const FRAMES_MAX: usize = 20_000;
/// Time of one round.
const ROUND_MILLIS: u64 = 15 * 60_000;
/// Rounds in which everybody who waits is answered.
const ROUNDS: u32 = 4;
/// Leaves and counters of an epoch that are looked up at the relay: no seed has more.
const LEAVES: u32 = 12;
const COUNTERS: u64 = 24;

/// A client that takes part in a conversation to its end.
struct Stayed {
    id: usize,
    room: usize,
    view: ConversationView,
    joined: u32,
    texts: Vec<String>,
}

impl World {
    /// Lets everybody catch up, and compares.
    ///
    /// # Errors
    /// What must never be.
    pub fn settle(&mut self) -> Result<(), Fault> {
        self.trace(|| "everybody catches up".to_owned());
        self.is_rough = false;
        self.steps += 1;
        self.come_online()?;
        self.calm()?;
        for _ in 0..ROUNDS {
            for member in 0..self.members {
                if self.desk(member).is_some_and(|desk| !desk.on_shift) {
                    let start = Command::Team(TeamCommand::StartShift);
                    let _off_desk = self.command(member, start)?;
                }
                self.claim_first(member)?;
            }
            self.calm()?;
        }
        self.steps += 1;
        for id in 0..self.profiles.len() {
            if !self.profiles[id].is_spoilt {
                for view in self.open(id) {
                    self.say(id, &view)?;
                }
            }
        }
        self.calm()?;
        for person in 0..self.persons {
            self.check_person(person)?;
        }
        for room in 0..self.ledger.rooms.len() {
            self.check_room(room)?;
        }
        self.check_phrases()
    }

    /// Moves frames for a while, in which everything must come to rest.
    fn calm(&mut self) -> Result<(), Fault> {
        let end = self.millis + ROUND_MILLIS;
        self.run(FRAMES_MAX, ROUND_MILLIS)?;
        if self.millis + 60_000 < end && self.has_busy() {
            return Err("it never comes to rest".to_owned());
        }
        Ok(())
    }

    /// Of her devices one goes on, or none where she has ended it.
    fn check_person(&self, person: usize) -> Result<(), Fault> {
        let devices = self.devices(person);
        let devices: Vec<usize> = devices.filter(|id| !self.profiles[*id].is_spoilt).collect();
        let stages: Vec<_> = devices.iter().map(|id| (*id, self.stage(*id))).collect();
        let going = |stage: &&(usize, Option<PersonStage>)| {
            !matches!(stage.1, None | Some(PersonStage::Ended))
        };
        let going: Vec<_> = stages.iter().filter(going).collect();
        let life = &self.ledger.people[person];
        let none_goes_on = going.is_empty() && (life.has_ended || !life.has_begun);
        let places: BTreeSet<_> = going.iter().map(|(id, _)| self.place(*id)).collect();
        let is_one = places.len() == going.len() && (none_goes_on || !going.is_empty());
        if !is_one {
            return Err(format!("person {person} goes on here: {stages:?}"));
        }
        let can_be_answered = (0..self.members)
            .any(|member| self.desk(member).is_some() && !self.profiles[member].is_spoilt);
        let is_stuck = |(_, stage): &&&(usize, Option<PersonStage>)| match stage {
            Some(PersonStage::Talking) => false,
            Some(PersonStage::Waiting) => can_be_answered,
            _ => true,
        };
        match going.iter().find(is_stuck) {
            Some((device, stage)) => {
                Err(format!("person {person} is stuck on {device}: {stage:?}"))
            }
            None => Ok(()),
        }
    }

    /// The conversation in which a device goes on; none while it waits. A device that was answered before another
    /// came back to where she waited goes on beside it, in a conversation of its own.
    fn place(&self, device: usize) -> Option<usize> {
        let open = self.open(device);
        let groups = &self.profiles[device].groups;
        open.first().and_then(|view| groups.get(&view.id).copied())
    }

    fn stayed(&self, room: usize) -> Vec<Stayed> {
        let mut stayed = Vec::new();
        for profile in self.profiles.iter().filter(|one| !one.is_spoilt) {
            let Some(screen) = self.ledger.screens.get(&profile.id) else {
                continue;
            };
            let Some(&joined) = screen.joined.get(&room) else {
                continue;
            };
            for view in profile.client.conversations() {
                if view.open && profile.groups.get(&view.id) == Some(&room) {
                    stayed.push(Stayed {
                        id: profile.id,
                        room,
                        joined,
                        texts: texts(profile, view.id),
                        view,
                    });
                }
            }
        }
        stayed
    }

    fn check_room(&self, room: usize) -> Result<(), Fault> {
        let stayed = self.stayed(room);
        let known = &self.ledger.rooms[room];
        if known.is_wiped {
            return self.check_wiped(room, &stayed);
        }
        // Nobody came who was claimed for; or she is gone, and nobody is left to know.
        let her = stayed.iter().find(|one| self.is_hers(one.id));
        let Some(her) = her else {
            return Ok(());
        };
        if known.erased_by.contains(&her.id) {
            return Err(format!("room {room} goes on where it was erased"));
        }
        let here = aliases(&her.view);
        for one in &stayed {
            if one.view.code != her.view.code {
                let (a, b) = (one.id, her.id);
                return Err(format!(
                    "profiles {a} and {b} are not in one epoch of {room}"
                ));
            }
            if aliases(&one.view) != here {
                return Err(format!("profile {} sees others in room {room}", one.id));
            }
            if !self.is_all_sent(one) {
                return Err(format!("profile {} can't send in room {room}", one.id));
            }
        }
        self.check_members(room, &stayed, &here)?;
        self.check_presence(room, &stayed)?;
        check_order(&self.ledger, &stayed)
    }

    fn is_hers(&self, id: usize) -> bool {
        matches!(self.profiles[id].owner, Owner::Person(_))
    }

    fn is_all_sent(&self, one: &Stayed) -> bool {
        let lines = self.profiles[one.id].client.history(one.view.id);
        { lines.iter() }.all(|entry| entry.state == EntryState::Stored)
    }

    /// Whoever is in it follows; whom she removed, or the desk, is not, as long as somebody was there to do it.
    fn check_members(
        &self,
        room: usize,
        stayed: &[Stayed],
        here: &BTreeSet<String>,
    ) -> Result<(), Fault> {
        let known = &self.ledger.rooms[room];
        for (alias, (device, yes)) in &known.removed {
            let is_locked = |screen: &Screen| screen.locked.is_some();
            if self.ledger.screens.get(device).is_some_and(is_locked) {
                continue;
            }
            let again = known.yes.get(alias).copied().unwrap_or_default() > *yes;
            if here.contains(alias) && !again {
                return Err(format!("{alias} was removed, and is in room {room}"));
            }
        }
        let follows = |alias: &str| {
            let member = ALIASES.iter().position(|known| *known == alias);
            member.is_some_and(|member| stayed.iter().any(|one| one.id == member))
        };
        let owes = |alias: &&String| {
            let member = ALIASES.iter().position(|known| *known == alias.as_str());
            let profile = member.map(|member| &self.profiles[member]);
            profile.is_some_and(|profile| !profile.is_spoilt && !profile.is_out)
        };
        if let Some(alias) = here.iter().filter(owes).find(|alias| !follows(alias)) {
            return Err(format!("{alias} is in room {room}, and doesn't follow"));
        }
        let is_colleague = |one: &&Stayed| !self.is_hers(one.id) && !self.profiles[one.id].is_out;
        let is_helped = stayed.iter().any(|one| is_colleague(&one));
        let out = (0..self.members).filter(|member| self.profiles[*member].is_out);
        for member in out {
            if is_helped && here.contains(ALIASES[member]) {
                return Err(format!("{} is out, and in room {room}", ALIASES[member]));
            }
        }
        Ok(())
    }

    /// What was said while somebody was here stands on her screen, where its author is here too; what others
    /// said stands on all screens, or on none.
    fn check_presence(&self, room: usize, stayed: &[Stayed]) -> Result<(), Fault> {
        for (text, said) in &self.ledger.said {
            if said.room != Some(room) || !said.is_saved {
                continue;
            }
            let is_here = stayed.iter().any(|one| one.id == said.author);
            let alias = |id: usize| ALIASES.get(id).copied().unwrap_or_default();
            let heard = |one: &&Stayed| {
                let was_there = self.is_hers(one.id) || said.audience.contains(alias(one.id));
                one.joined < said.step && was_there
            };
            let readers = stayed.iter().filter(heard);
            let (with, without): (Vec<_>, Vec<_>) =
                readers.partition(|one| one.texts.contains(text));
            let (Some(missing), is_split) = (without.first(), !with.is_empty()) else {
                continue;
            };
            if is_here || is_split {
                return Err(format!("profile {} doesn't show {text}", missing.id));
            }
        }
        Ok(())
    }

    /// Nobody who has had contact shows any of it, and nothing of it that can be erased is at the relay.
    fn check_wiped(&self, room: usize, stayed: &[Stayed]) -> Result<(), Fault> {
        if let Some(one) = stayed.first() {
            return Err(format!("profile {} goes on in erased room {room}", one.id));
        }
        for profile in &self.profiles {
            for view in profile.client.conversations() {
                let is_it = profile.groups.get(&view.id) == Some(&room);
                if is_it && self.owes_wipe(profile, room) && !texts(profile, view.id).is_empty() {
                    return Err(format!("profile {} shows erased room {room}", profile.id));
                }
            }
        }
        self.check_relay(room)
    }

    /// What a client that wiped it could name is gone.
    fn check_relay(&self, room: usize) -> Result<(), Fault> {
        let wiped = |id: &usize| {
            let screen = self.ledger.screens.get(id);
            screen.is_some_and(|screen| screen.wiped.contains(&room))
        };
        let epochs = self.ledger.rooms[room].secrets.iter().enumerate();
        for (epoch, (secret, _)) in epochs.filter(|(_, (_, had))| had.iter().any(wiped)) {
            let places = (0..LEAVES).flat_map(|leaf| (0..COUNTERS).map(move |at| (leaf, at)));
            for (leaf, counter) in places {
                let slot = Slot::derive(secret, Kind::Message, leaf, counter);
                if self.relay.cell(&slot.address()).is_some() {
                    return Err(format!(
                        "{counter} of leaf {leaf} in epoch {epoch} of erased room {room} stands"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Whether a client reads of the wipe: not if it was removed, left or locked itself before.
    fn owes_wipe(&self, profile: &Profile, room: usize) -> bool {
        let Some((step, audience)) = &self.ledger.rooms[room].erased else {
            return false;
        };
        let Some(screen) = self.ledger.screens.get(&profile.id) else {
            return true;
        };
        let was_here = screen.closed.get(&room).is_none_or(|closed| closed >= step);
        let was_told = match profile.owner {
            Owner::Member(member) => audience.contains(ALIASES[member]),
            Owner::Person(_) => screen.locked.is_none(),
        };
        was_here && was_told
    }

    /// Whoever ended and erased all is not found by her phrase; whoever goes on is.
    fn check_phrases(&mut self) -> Result<(), Fault> {
        for person in 0..self.persons {
            let fresh = { self.devices(person) }.find(|id| self.stage(*id).is_none());
            let Some(device) = fresh.filter(|_| self.ledger.people[person].has_phrase) else {
                continue;
            };
            let devices: Vec<usize> = self.devices(person).collect();
            let going = devices.iter().find(|id| {
                let stage = self.stage(**id);
                stage.is_some_and(|stage| stage != PersonStage::Ended)
            });
            let keeps = going.is_some_and(|id| match self.profiles[*id].client.standing() {
                Standing::Person(view) => view.phrase,
                _ => false,
            });
            let is_spoilt = devices.iter().any(|id| self.profiles[*id].is_spoilt);
            if is_spoilt {
                continue;
            }
            self.steps += 1;
            self.try_phrase(person, device)?;
            self.calm()?;
            let stage = self.stage(device);
            let is_back = matches!(stage, Some(PersonStage::Talking | PersonStage::Waiting));
            if keeps && !is_back && !self.ledger.people[person].has_ended {
                return Err(format!(
                    "the phrase of person {person} leads nowhere: {stage:?}"
                ));
            }
            if going.is_none() && stage.is_some() {
                return Err(format!("the phrase of person {person} leads to {stage:?}"));
            }
        }
        Ok(())
    }
}

/// What two screens have in common stands on both in one order, where both were there from the beginning: nobody
/// else knows how far the clocks had gone.
fn check_order(ledger: &Ledger, stayed: &[Stayed]) -> Result<(), Fault> {
    let is_first = |one: &&Stayed| {
        let screen = ledger.screens.get(&one.id);
        screen.is_some_and(|screen| screen.is_first.contains(&one.room))
    };
    let first: Vec<_> = stayed.iter().filter(is_first).collect();
    for one in &first {
        let places: BTreeMap<&String, usize> = { one.texts.iter() }
            .enumerate()
            .map(|(place, text)| (text, place))
            .collect();
        for other in &first {
            let in_room = |text: &&String| {
                let said = ledger.said.get(*text);
                said.is_some_and(|said| said.room.is_some())
            };
            let texts = other.texts.iter().filter(in_room);
            let common: Vec<_> = texts.filter_map(|text| places.get(text)).collect();
            if !common.is_sorted() {
                return Err(format!(
                    "profiles {} and {} show another order: {:?}, {:?}",
                    one.id, other.id, one.texts, other.texts
                ));
            }
        }
    }
    Ok(())
}
