//! What people do.

use cobijo_client_core::core::client::{
    Command, ConversationView, PersonCommand, PersonStage, Speaker, Standing,
};
use cobijo_protocol::capsule::Shows;

use super::{cast::phrase_keys, ledger::aliases, world::World};
use crate::model::ledger::Fault;

/// Phrases that one person may keep, one after the other.
const PHRASES_MAX: usize = 4;

impl World {
    /// One person does something on one of her devices.
    pub(super) fn act_as_person(&mut self) -> Result<(), Fault> {
        let person = self.below(self.persons);
        let devices: Vec<usize> = self.devices(person).collect();
        let goes_on = |id: &&usize| {
            let stage = self.stage(**id);
            stage.is_some_and(|stage| stage != PersonStage::Ended)
        };
        let going = devices.iter().find(goes_on).copied();
        let device = match going {
            Some(device) if self.below(6) > 0 => device,
            Some(_) | None => devices[self.below(devices.len())],
        };
        match self.stage(device) {
            None if !self.ledger.people[person].has_begun => self.write(person, device),
            None => self.come_back_by_phrase(person, device),
            Some(PersonStage::Sending | PersonStage::Waiting) => self.wait(person, device),
            Some(PersonStage::Returning) => Ok(()),
            Some(PersonStage::Talking) => self.talk(person, device),
            Some(PersonStage::Ended) => self.after_the_end(person, device),
        }
    }

    /// Where a device of a person's is; nothing where it holds nothing of hers.
    pub(super) fn stage(&self, device: usize) -> Option<PersonStage> {
        match self.profiles[device].client.standing() {
            Standing::Person(view) => Some(view.stage),
            Standing::Returning => Some(PersonStage::Returning),
            _ => None,
        }
    }

    fn write(&mut self, person: usize, device: usize) -> Result<(), Fault> {
        let text = self.text();
        self.trace(|| format!("person {person} writes {text} on {device}"));
        let Some(link) = self.link.clone() else {
            return Ok(());
        };
        self.ledger.begins(device);
        self.ledger
            .says(&self.profiles[device], None, &text, self.steps);
        let write = PersonCommand::Write {
            link,
            language: "es".to_owned(),
            text: text.clone(),
        };
        let done = self.command(device, Command::Person(write))?;
        let life = &mut self.ledger.people[person];
        if done == Some(Ok(())) {
            life.has_begun = true;
            life.has_phrase = false;
        } else {
            self.ledger.unsaid(&text);
        }
        Ok(())
    }

    fn wait(&mut self, person: usize, device: usize) -> Result<(), Fault> {
        match self.below(10) {
            0..4 => {
                let text = self.text();
                self.trace(|| format!("person {person} adds {text} on {device}"));
                self.ledger
                    .says(&self.profiles[device], None, &text, self.steps);
                let add = PersonCommand::Add(text.clone());
                if self.command(device, Command::Person(add))? != Some(Ok(())) {
                    self.ledger.unsaid(&text);
                }
                Ok(())
            }
            4..8 => self.keep_phrase(person, device),
            8 if self.below(4) == 0 => {
                self.trace(|| format!("person {person} takes back what she wrote, on {device}"));
                self.end(person, device, PersonCommand::StopWaiting)
                    .map(|_| ())
            }
            _ => Ok(()),
        }
    }

    /// She ends something; whether it counts.
    fn end(&mut self, person: usize, device: usize, command: PersonCommand) -> Result<bool, Fault> {
        let screen = self.ledger.screens.entry(device).or_default();
        let had_ended = std::mem::replace(&mut screen.has_ended, true);
        let done = self.command(device, Command::Person(command))? == Some(Ok(()));
        if done {
            self.ledger.people[person].has_ended = true;
        } else if let Some(screen) = self.ledger.screens.get_mut(&device) {
            screen.has_ended = had_ended;
        }
        Ok(done)
    }

    fn keep_phrase(&mut self, person: usize, device: usize) -> Result<(), Fault> {
        let number = self.ledger.people[person].phrases;
        if number == PHRASES_MAX {
            return Ok(());
        }
        let shows = [Shows::New, Shows::All][self.below(2)];
        let keep = PersonCommand::KeepPhrase {
            keys: phrase_keys(person * PHRASES_MAX + number),
            shows,
        };
        if self.command(device, Command::Person(keep))? == Some(Ok(())) {
            self.trace(|| format!("person {person} keeps a phrase on {device}, {shows:?}"));
            let life = &mut self.ledger.people[person];
            life.has_phrase = true;
            life.phrases += 1;
        }
        Ok(())
    }

    /// Another device, or one that holds something that has ended, comes back by her phrase.
    fn come_back_by_phrase(&mut self, person: usize, device: usize) -> Result<(), Fault> {
        if !self.ledger.people[person].has_phrase {
            return Ok(());
        }
        self.try_phrase(person, device)?;
        // Now and then two at once.
        if self.below(4) == 0 {
            let others: Vec<usize> = { self.devices(person) }
                .filter(|other| *other != device && self.stage(*other).is_none())
                .collect();
            if let Some(&other) = self.pick(&others) {
                self.try_phrase(person, other)?;
            }
        }
        Ok(())
    }

    /// A device comes back by her last phrase.
    pub(super) fn try_phrase(&mut self, person: usize, device: usize) -> Result<(), Fault> {
        let Some(link) = self.link.clone() else {
            return Ok(());
        };
        let number = person * PHRASES_MAX + self.ledger.people[person].phrases - 1;
        let keys = phrase_keys(number);
        let back = Command::Person(PersonCommand::Return { link, keys });
        self.ledger.begins(device);
        if self.command(device, back)? == Some(Ok(())) {
            self.trace(|| format!("person {person} comes back on {device}"));
            self.ledger.people[person].returns += 1;
            self.ledger.screens.entry(device).or_default().has_returned = true;
        }
        Ok(())
    }

    fn talk(&mut self, person: usize, device: usize) -> Result<(), Fault> {
        let views = self.profiles[device].client.conversations();
        let Some(view) = views.into_iter().find(|view| view.open) else {
            return Ok(());
        };
        match self.below(20) {
            0..8 => self.say(device, &view),
            8..10 => self.keep_phrase(person, device),
            10..15 => self.answer_proposal(device, &view),
            15 => self.remove_somebody(device, &view),
            16 => self.ask_the_desk(person, device, &view),
            17 | 18 if self.below(3) == 0 => self.erase(person, device, &view),
            19 if self.below(4) == 0 => {
                self.trace(|| format!("person {person} ends it on {device}"));
                let screen = self.ledger.screens.entry(device).or_default();
                let had_ended = std::mem::replace(&mut screen.has_ended, true);
                let done = self.command(device, Command::Leave(view.id))? == Some(Ok(()));
                if done {
                    self.ledger.people[person].has_ended = true;
                } else if let Some(screen) = self.ledger.screens.get_mut(&device) {
                    screen.has_ended = had_ended;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Somebody says something in a conversation.
    pub(super) fn say(&mut self, id: usize, view: &ConversationView) -> Result<(), Fault> {
        let text = self.text();
        let conversation = view.id;
        self.ledger
            .says(&self.profiles[id], Some(conversation), &text, self.steps);
        let say = Command::Say {
            conversation,
            text: text.clone(),
        };
        if self.command(id, say)? == Some(Ok(())) {
            self.trace(|| format!("profile {id} says {text} to {:?}", aliases(view)));
        } else {
            self.ledger.unsaid(&text);
        }
        Ok(())
    }

    fn answer_proposal(&mut self, device: usize, view: &ConversationView) -> Result<(), Fault> {
        let Some(proposal) = self.pick(&view.proposals).cloned() else {
            return Ok(());
        };
        let Some(&room) = self.profiles[device].groups.get(&view.id) else {
            return Ok(());
        };
        let (conversation, alias, id) = (view.id, proposal.alias, proposal.id);
        let proposal = id;
        if self.below(3) == 0 {
            self.trace(|| format!("no to {alias} on {device}"));
            let refuse = PersonCommand::Refuse {
                conversation,
                proposal,
            };
            return self.command(device, Command::Person(refuse)).map(|_| ());
        }
        self.trace(|| format!("yes to {alias} on {device}"));
        // Before the command, since it may be followed at once.
        *self.ledger.rooms[room]
            .yes
            .entry(alias.clone())
            .or_default() += 1;
        let accept = PersonCommand::Accept {
            conversation,
            proposal,
            reads: cobijo_protocol::content::Reads::Summary,
        };
        if self.command(device, Command::Person(accept))? != Some(Ok(())) {
            let yes = &mut self.ledger.rooms[room].yes;
            let times = yes.entry(alias.clone()).or_default();
            *times -= 1;
            if *times == 0 {
                yes.remove(&alias);
            }
        }
        Ok(())
    }

    fn remove_somebody(&mut self, device: usize, view: &ConversationView) -> Result<(), Fault> {
        let members: Vec<_> = { view.members.iter() }
            .filter_map(|member| match &member.speaker {
                Speaker::Member { alias, .. } => Some((member.key, alias.clone())),
                Speaker::Person | Speaker::Pseudonym(_) => None,
            })
            .collect();
        let Some((member, alias)) = self.pick(&members).cloned() else {
            return Ok(());
        };
        let remove = PersonCommand::Remove {
            conversation: view.id,
            member,
        };
        if self.command(device, Command::Person(remove))? == Some(Ok(())) {
            self.trace(|| format!("she removes {alias} on {device}"));
            if let Some(&room) = self.profiles[device].groups.get(&view.id) {
                let room = &mut self.ledger.rooms[room];
                let yes = room.yes.get(&alias).copied().unwrap_or_default();
                room.removed.insert(alias, (device, yes));
            }
        }
        Ok(())
    }

    fn ask_the_desk(
        &mut self,
        person: usize,
        device: usize,
        view: &ConversationView,
    ) -> Result<(), Fault> {
        let (text, conversation) = (self.text(), view.id);
        self.ledger.says(
            &self.profiles[device],
            Some(conversation),
            &text,
            self.steps,
        );
        // It is told to the desk, whoever answers there.
        if let Some(said) = self.ledger.said.get_mut(&text) {
            said.room = None;
        }
        let ask = PersonCommand::AskDesk {
            conversation,
            text: text.clone(),
        };
        if self.command(device, Command::Person(ask))? == Some(Ok(())) {
            self.trace(|| format!("person {person} asks the desk {text} on {device}"));
        } else {
            self.ledger.unsaid(&text);
        }
        Ok(())
    }

    fn erase(
        &mut self,
        person: usize,
        device: usize,
        view: &ConversationView,
    ) -> Result<(), Fault> {
        let conversation = view.id;
        let at_once = self.below(2) == 0;
        let erase = PersonCommand::Erase {
            conversation,
            at_once,
        };
        let room = self.profiles[device].groups.get(&conversation).copied();
        if self.end(person, device, erase)? {
            self.trace(|| format!("person {person} erases room {room:?} on {device}"));
            if let Some(room) = room {
                let known = &mut self.ledger.rooms[room];
                known.erased_by.insert(device);
                known.erased.get_or_insert((self.steps, aliases(view)));
            }
        }
        Ok(())
    }

    fn after_the_end(&mut self, person: usize, device: usize) -> Result<(), Fault> {
        let views = self.profiles[device].client.conversations();
        if let Some(view) = views.first() {
            let (conversation, text) = (view.id, "too late".to_owned());
            let say = Command::Say { conversation, text };
            if self.command(device, say)? == Some(Ok(())) {
                return Err(format!("profile {device} has ended, and says something"));
            }
        }
        match self.below(4) {
            0 => self.come_back_by_phrase(person, device),
            1 if self.is_over(person) => self.write(person, device),
            _ => Ok(()),
        }
    }

    /// Whether none of her devices goes on.
    fn is_over(&self, person: usize) -> bool {
        let stages = self.devices(person).filter_map(|device| self.stage(device));
        { stages }.all(|stage| stage == PersonStage::Ended)
    }
}
