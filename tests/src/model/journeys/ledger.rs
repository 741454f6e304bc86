//! The reference: who said what to whom, whom she said yes to, and what each client shows.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use cobijo_client_core::core::client::{
    ConversationEvent, ConversationId, ConversationView, EntryContent, Event, PersonStage, Speaker,
    Standing,
};
use cobijo_protocol::{slot::ThreadSecret, words::WordIndices};

use super::{
    profile::{Owner, Profile},
    saved,
};
use crate::model::{Summary, ledger::Fault};

/// All that is known.
pub struct Ledger {
    pub(super) said: BTreeMap<String, Said>,
    pub(super) rooms: Vec<Room>,
    groups: BTreeMap<Vec<u8>, usize>,
    pub(super) people: Vec<Life>,
    pub(super) screens: BTreeMap<usize, Screen>,
}

/// A text.
pub struct Said {
    /// Whose client said it.
    pub(super) author: usize,
    /// Where; nothing while she waits.
    pub(super) room: Option<usize>,
    /// When.
    pub(super) step: u32,
    /// Who was there, as its author saw it; the person always is.
    pub(super) audience: BTreeSet<String>,
    /// How often its author had seen each of those go who were not.
    gone: BTreeMap<String, usize>,
    /// Whether its author's client remembers having said it.
    pub(super) is_saved: bool,
}

/// A conversation's group.
#[derive(Default)]
pub struct Room {
    /// Thread secrets of its epochs, and which clients had them.
    pub(super) secrets: Vec<(ThreadSecret, BTreeSet<usize>)>,
    /// Who claimed her.
    pub(super) founder: Option<String>,
    /// How often she said yes to whom.
    pub(super) yes: BTreeMap<String, usize>,
    /// Whom she removed, on which device, and how often she had said yes to them then.
    pub(super) removed: BTreeMap<String, (usize, usize)>,
    /// Devices of hers that erased it.
    pub(super) erased_by: BTreeSet<usize>,
    /// When one of them did first, and who was there then.
    pub(super) erased: Option<(u32, BTreeSet<String>)>,
    /// Whether somebody's client was told to wipe it.
    pub(super) is_wiped: bool,
}

/// A person's way.
#[derive(Default)]
pub struct Life {
    /// Whether a first message of hers was saved.
    pub(super) has_begun: bool,
    /// Whether she has ever ended, erased or taken back something.
    pub(super) has_ended: bool,
    /// Phrases that she has used up.
    pub(super) phrases: usize,
    /// Whether the last of them may lead somewhere.
    pub(super) has_phrase: bool,
    /// Devices that came back, or tried to.
    pub(super) returns: usize,
}

/// What a client has shown.
#[derive(Default)]
pub struct Screen {
    codes: BTreeMap<ConversationId, WordIndices>,
    /// Who was in a conversation when it was looked at last.
    members: BTreeMap<usize, BTreeSet<String>>,
    /// How often it has seen whom go.
    gone: BTreeMap<(usize, String), usize>,
    /// Since when a conversation is open here.
    pub(super) joined: BTreeMap<usize, u32>,
    /// Those that it was in from the beginning.
    pub(super) is_first: BTreeSet<usize>,
    /// Whether it came back by a phrase.
    pub(super) has_returned: bool,
    /// Since when it is not any more.
    pub(super) closed: BTreeMap<usize, u32>,
    /// Conversations that were wiped here.
    pub(super) wiped: BTreeSet<usize>,
    /// Whether it went on when it was looked at last.
    was_open: bool,
    /// All it may ever show, after it has locked itself.
    pub(super) locked: Option<BTreeSet<String>>,
    /// Whether its owner has ended what was here.
    pub(super) has_ended: bool,
}

impl Ledger {
    /// Nothing has happened.
    pub fn new(persons: usize) -> Self {
        Self {
            said: BTreeMap::new(),
            rooms: Vec::new(),
            groups: BTreeMap::new(),
            people: (0..persons).map(|_| Life::default()).collect(),
            screens: BTreeMap::new(),
        }
    }

    /// A client is about to say something.
    pub(super) fn says(
        &mut self,
        profile: &Profile,
        id: Option<ConversationId>,
        text: &str,
        step: u32,
    ) {
        let room = id.and_then(|id| profile.groups.get(&id).copied());
        let views = profile.client.conversations();
        let view = views.iter().find(|view| Some(view.id) == id);
        let audience = view.map(aliases).unwrap_or_default();
        let screen = self.screens.entry(profile.id).or_default();
        let gone = { screen.gone.iter() }
            .filter(|((of, _), _)| Some(*of) == room)
            .map(|((_, alias), times)| (alias.clone(), *times))
            .collect();
        let said = Said {
            author: profile.id,
            room,
            step,
            audience,
            gone,
            is_saved: true,
        };
        self.said.insert(text.to_owned(), said);
    }

    /// It did not.
    pub(super) fn unsaid(&mut self, text: &str) {
        if let Some(said) = self.said.get_mut(text) {
            said.is_saved = false;
        }
    }

    /// Something new begins on a client, locked or not.
    pub(super) fn begins(&mut self, profile: usize) {
        let screen = self.screens.entry(profile).or_default();
        screen.locked = None;
        screen.has_ended = false;
    }

    /// A client shows what another one's disk held.
    pub(super) fn forget_screen(&mut self, profile: usize) {
        self.screens.remove(&profile);
    }

    /// Compares what a client shows now; gives what is worth tracing.
    ///
    /// # Errors
    /// What must never be.
    pub fn look(&mut self, profile: &mut Profile, step: u32) -> Result<Vec<String>, Fault> {
        let mut trace = Vec::new();
        let views = profile.client.conversations();
        self.look_up(profile, &views);
        let mut shown = BTreeSet::new();
        for view in &views {
            let Some(&room) = profile.groups.get(&view.id) else {
                continue;
            };
            self.look_at_members(profile, view, room, step, &mut trace)?;
            let texts = texts(profile, view.id);
            self.look_at_wipe(profile, view, room, &texts)?;
            for text in &texts {
                self.look_at_text(profile, room, text)?;
            }
            let distinct: BTreeSet<String> = texts.iter().cloned().collect();
            if distinct.len() < texts.len() {
                return Err(format!(
                    "profile {} shows a text twice: {texts:?}",
                    profile.id
                ));
            }
            shown.extend(distinct);
        }
        self.look_at_lock(profile, &shown, &mut trace)?;
        profile.events.clear();
        profile.has_lost_events = false;
        Ok(trace)
    }

    /// Learns which group carries a conversation, and its epochs' secrets.
    fn look_up(&mut self, profile: &mut Profile, views: &[ConversationView]) {
        let screen = self.screens.entry(profile.id).or_default();
        let is_news = |view: &&ConversationView| {
            view.code
                .is_some_and(|code| screen.codes.get(&view.id) != Some(&code))
        };
        let news: BTreeMap<_, _> = { views.iter() }
            .filter(is_news)
            .filter_map(|view| Some((view.id, view.code?)))
            .collect();
        if news.is_empty() {
            return;
        }
        screen.codes.extend(news);
        for talk in saved::talks(&profile.disk) {
            let rooms = &mut self.rooms;
            let known = profile.groups.get(&talk.id).copied();
            let room = *self.groups.entry(talk.group().to_vec()).or_insert_with(|| {
                known.unwrap_or_else(|| {
                    rooms.push(Room::default());
                    rooms.len() - 1
                })
            });
            profile.groups.insert(talk.id, room);
            let secret = talk.secret();
            let secrets = &mut self.rooms[room].secrets;
            let same = |(known, _): &(ThreadSecret, _)| known.as_bytes() == secret.as_bytes();
            let place = secrets.iter().position(same).unwrap_or(secrets.len());
            if place == secrets.len() {
                secrets.push((secret, BTreeSet::new()));
            }
            secrets[place].1.insert(profile.id);
        }
    }

    /// Nobody is there whom she did not say yes to.
    fn look_at_members(
        &mut self,
        profile: &Profile,
        view: &ConversationView,
        room: usize,
        step: u32,
        trace: &mut Vec<String>,
    ) -> Result<(), Fault> {
        let screen = self.screens.entry(profile.id).or_default();
        if !view.open {
            if screen.joined.remove(&room).is_some() {
                screen.closed.insert(room, step);
            }
            return Ok(());
        }
        if let Entry::Vacant(joined) = screen.joined.entry(room) {
            joined.insert(step);
            if !screen.has_returned && self.rooms[room].yes.is_empty() {
                screen.is_first.insert(room);
            }
        }
        screen.closed.remove(&room);
        let here = aliases(view);
        let before = screen.members.insert(room, here.clone());
        if before.as_ref() != Some(&here) {
            trace.push(format!(
                "      profile {}: {here:?} in room {room}",
                profile.id
            ));
        }
        for gone in before.unwrap_or_default().difference(&here) {
            *screen.gone.entry((room, gone.clone())).or_default() += 1;
        }
        let room_ = &mut self.rooms[room];
        for alias in here {
            if room_.yes.contains_key(&alias) {
                continue;
            }
            let founder = room_.founder.get_or_insert_with(|| alias.clone());
            if *founder != alias {
                return Err(format!(
                    "profile {}: {alias} is in room {room} without her yes",
                    profile.id
                ));
            }
        }
        Ok(())
    }

    /// What was wiped stays so.
    fn look_at_wipe(
        &mut self,
        profile: &Profile,
        view: &ConversationView,
        room: usize,
        texts: &[String],
    ) -> Result<(), Fault> {
        let screen = self.screens.entry(profile.id).or_default();
        let is_erased = view.erased.is_some();
        let was_erased =
            screen.wiped.contains(&room) || self.rooms[room].erased_by.contains(&profile.id);
        if (was_erased || is_erased) && !texts.is_empty() {
            return Err(format!(
                "profile {} shows {texts:?} of what was erased",
                profile.id
            ));
        }
        if was_erased && !is_erased {
            return Err(format!("profile {} shows an erased room again", profile.id));
        }
        if is_erased {
            screen.wiped.insert(room);
        }
        self.rooms[room].is_wiped |= is_erased && matches!(profile.owner, Owner::Member(_));
        Ok(())
    }

    /// A text stands only where it was said, and only with who was there or came in by her yes.
    fn look_at_text(&self, profile: &Profile, room: usize, text: &str) -> Result<(), Fault> {
        let id = profile.id;
        let Some(said) = self.said.get(text).filter(|said| said.is_saved) else {
            return Err(format!("profile {id} shows {text}, which nobody said"));
        };
        if said.room.is_some_and(|other| other != room) {
            return Err(format!("profile {id} shows {text} in another room"));
        }
        let Owner::Member(member) = profile.owner else {
            return Ok(());
        };
        let alias = super::cast::ALIASES[member];
        if said.room.is_none() || said.audience.contains(alias) {
            return Ok(());
        }
        let room = &self.rooms[room];
        let founding = usize::from(room.founder.as_deref() == Some(alias));
        let came = founding + room.yes.get(alias).copied().unwrap_or_default();
        let went = said.gone.get(alias).copied().unwrap_or_default();
        if came <= went {
            return Err(format!(
                "profile {id} shows {text}, said after {alias} was gone"
            ));
        }
        Ok(())
    }

    /// A device of hers that no longer goes on says so, and shows nothing more.
    fn look_at_lock(
        &mut self,
        profile: &Profile,
        shown: &BTreeSet<String>,
        trace: &mut Vec<String>,
    ) -> Result<(), Fault> {
        let id = profile.id;
        let is_open = match profile.client.standing() {
            Standing::Person(view) => view.stage != PersonStage::Ended,
            Standing::Fresh | Standing::Returning => return Ok(()),
            Standing::Joining(_) | Standing::Member(_) | Standing::Removed => return Ok(()),
        };
        let screen = self.screens.entry(id).or_default();
        let was_open = std::mem::replace(&mut screen.was_open, is_open);
        if let Some(locked) = &screen.locked {
            if let Some(new) = shown.difference(locked).next() {
                return Err(format!("profile {id} is locked, and shows {new}"));
            }
            if is_open {
                return Err(format!("profile {id} was locked, and goes on"));
            }
            return Ok(());
        }
        if is_open || !was_open || screen.has_ended {
            return Ok(());
        }
        let is_word = |event: &Event| {
            matches!(
                event,
                Event::Locked(_)
                    | Event::NothingFound
                    | Event::Conversation(_, ConversationEvent::Stopped(_))
            )
        };
        if !profile.has_lost_events && !profile.events.iter().any(is_word) {
            return Err(format!("profile {id} ends without a word"));
        }
        trace.push(format!("      profile {id} has locked itself"));
        screen.locked = Some(shown.clone());
        Ok(())
    }

    pub(super) fn summary(&self) -> Summary {
        Summary {
            epochs: self
                .rooms
                .iter()
                .map(|room| room.secrets.len() as u64)
                .sum(),
            messages: self.said.len() as u64,
            alive: self
                .screens
                .values()
                .filter(|one| !one.joined.is_empty())
                .count() as u64,
        }
    }
}

/// The accompaniers in a conversation, as a client shows it.
pub(super) fn aliases(view: &ConversationView) -> BTreeSet<String> {
    let members = view.members.iter();
    members
        .filter_map(|member| match &member.speaker {
            Speaker::Member { alias, .. } => Some(alias.clone()),
            Speaker::Person | Speaker::Pseudonym(_) => None,
        })
        .collect()
}

/// What a client shows of what was said, in order.
pub(super) fn texts(profile: &Profile, id: ConversationId) -> Vec<String> {
    let lines = profile.client.history(id).into_iter();
    lines
        .filter_map(|entry| match entry.content {
            EntryContent::Text(text) => Some(text),
            _ => None,
        })
        .collect()
}
