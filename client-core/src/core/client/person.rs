//! A person's side: her way from the first message to a conversation, and through the desk where
//! nobody answers. Routes to the machines of `intake`, `waiting` and `conversation`.

mod asking;
mod circling;
mod erasing;
mod files;
mod keeping;
mod returning;
mod showing;

use cobijo_protocol::{
    credential::PersonLeaf,
    link::{DeskId, DeskLink},
};
use serde::{Deserialize, Serialize};

use super::erased::Erased;
use super::filing;
use super::{
    CardAbsent, ChannelId, Command, CommandError, Context, ConversationEvent, ConversationId,
    ConversationView, Entry, Erasure, Event, IntakeFailure, Line, Locked, PersonCommand,
    PersonStage, PersonView,
};
use crate::{
    core::{
        card::{CardRefused, HighestCard},
        conversation::Conversation,
        erasing::Pace,
        intake::{Contact, Reason},
        port::{Now, Seen, Wants},
        waiting::{Waiting, WaitingEvent, Wanted},
    },
    mls::Suite,
};
use asking::Asking;
use circling::Circling;
use keeping::Phrase;
use returning::Returning;
use showing::contact_event;

/// Conversations that one profile keeps after they ended.
const ENDED_MAX: usize = 64;

/// A person who wrote to a desk.
#[derive(Serialize, Deserialize)]
pub(super) struct Person {
    link: DeskLink,
    card: HighestCard,
    /// Her first contact, until somebody has answered.
    first: Option<Contacting>,
    conversation: Option<Talking>,
    /// She asks the desk, because nobody answers or she can't follow.
    asking: Option<Asking>,
    /// Contacts that she took back, until nothing of them is left at the relay.
    #[serde(default)]
    taken_back: Vec<Contacting>,
    /// Conversations that had ended when she wrote again.
    #[serde(default)]
    ended: Vec<Talking>,
    /// Conversations that she erased, until nothing of them is left to be erased.
    #[serde(default)]
    erased: Vec<Erased>,
    /// What was said last of how much is left to be erased.
    #[serde(skip)]
    said_left: usize,
    /// The phrase that leads back to where she is.
    #[serde(default)]
    phrase: Option<Phrase>,
    /// It does.
    #[serde(default)]
    is_kept: bool,
    /// She comes back by it.
    #[serde(default)]
    returning: Option<Returning>,
    circling: Circling,
    #[serde(skip)]
    is_fetching: bool,
}

/// A contact on a channel of its own.
#[derive(Serialize, Deserialize)]
struct Contacting {
    channel: ChannelId,
    waiting: Waiting,
}

/// Her conversation, on a channel of its own.
#[derive(Serialize, Deserialize)]
struct Talking {
    id: ConversationId,
    channel: ChannelId,
    conversation: Conversation,
}

impl Contacting {
    /// A first message to a desk.
    fn begin(
        link: &DeskLink,
        language: &str,
        text: &str,
        context: &mut Context<'_>,
    ) -> Result<Self, CommandError> {
        let (suite, desk) = (Suite::PostQuantum, link.desk);
        let contact = Contact::new(suite, desk, Reason::First, language, text, context.rng)
            .map_err(|_| CommandError::TooLong)?;
        Ok(Self {
            channel: context.new_channel(),
            waiting: Waiting::new(suite, contact, Wanted::Claim, None),
        })
    }
}

impl Person {
    /// Begins with her first message: fetches the card.
    pub(super) fn begin(
        command: PersonCommand,
        context: &mut Context<'_>,
    ) -> Result<Self, CommandError> {
        let PersonCommand::Write {
            link,
            language,
            text,
        } = command
        else {
            return Err(CommandError::NotNow);
        };
        let first = Contacting::begin(&link, &language, &text, context)?;
        let mut person = Self {
            link,
            card: HighestCard::default(),
            first: Some(first),
            conversation: None,
            asking: None,
            taken_back: Vec::new(),
            ended: Vec::new(),
            erased: Vec::new(),
            said_left: 0,
            phrase: None,
            is_kept: false,
            returning: None,
            circling: Circling::default(),
            is_fetching: false,
        };
        person.go_on(context);
        Ok(person)
    }

    pub(super) fn handle_command(
        &mut self,
        command: Command,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        match command {
            Command::Team(_) => Err(CommandError::NotMember),
            Command::Person(command) => self.handle_person_command(command, context),
            Command::Say { conversation, text } if self.circling.circles.has(conversation) => {
                self.circling.circles.say(conversation, &text, context)
            }
            Command::Leave(conversation) if self.circling.circles.has(conversation) => {
                self.circling.circles.leave(conversation, context)
            }
            Command::Say { conversation, text } => {
                let (now, talking) = (context.now, self.talking(conversation)?);
                talking.conversation.say(&text, now, context.rng)?;
                Ok(())
            }
            Command::File(command) => self.handle_file_command(command, context),
            Command::Leave(conversation) => Ok(self.talking(conversation)?.conversation.leave()?),
            Command::EditSummary {
                conversation,
                seen,
                text,
            } => {
                let talking = self.talking(conversation)?;
                Ok(talking
                    .conversation
                    .edit_summary(seen, &text, context.rng)?)
            }
        }?;
        self.go_on(context);
        Ok(())
    }

    fn handle_person_command(
        &mut self,
        command: PersonCommand,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        match command {
            PersonCommand::Write {
                link,
                language,
                text,
            } => self.write_again(&link, &language, &text, context),
            PersonCommand::Add(text) => {
                let first = self.first.as_mut().ok_or(CommandError::NotNow)?;
                first
                    .waiting
                    .add(&text, context.rng)
                    .map_err(|_| CommandError::TooLong)
            }
            PersonCommand::StopWaiting => {
                let first = self.first.take().ok_or(CommandError::NotNow)?;
                self.returning = None;
                self.take_back(first);
                Ok(())
            }
            PersonCommand::StopReturning => self.stop_returning(context),
            PersonCommand::Accept {
                conversation,
                proposal,
                reads,
            } => self.accept(conversation, proposal, reads, context),
            PersonCommand::Refuse {
                conversation,
                proposal,
            } => self.refuse(conversation, proposal, context),
            PersonCommand::JoinCircle { .. } | PersonCommand::RefuseCircle { .. } => {
                self.answer_invitation(command, context)
            }
            PersonCommand::Remove {
                conversation,
                member,
            } => Ok(self.talking(conversation)?.conversation.remove(member)?),
            PersonCommand::Erase {
                conversation,
                at_once,
            } => {
                let pace = if at_once { Pace::AtOnce } else { Pace::Spread };
                if self.circling.circles.has(conversation) {
                    return self.circling.circles.erase(conversation, pace, context);
                }
                self.erase(conversation, pace, context)
            }
            PersonCommand::EraseSummary(conversation) => {
                let (now, talking) = (context.now, self.talking(conversation)?);
                Ok(talking.conversation.erase_summary(now, context.rng)?)
            }
            PersonCommand::KeepPhrase { keys, shows } => self.keep_phrase(&keys, shows, context),
            // `Side` has begun it, where it may be.
            PersonCommand::Return { .. } => Err(CommandError::InUse),
            PersonCommand::AskDesk { conversation, text } => {
                self.ask_desk(conversation, &text, context)
            }
        }
    }

    fn take_back(&mut self, mut contacting: Contacting) {
        contacting.waiting.take_back();
        self.taken_back.push(contacting);
    }

    fn talks(&self) -> impl Iterator<Item = &Talking> {
        self.ended.iter().chain(&self.conversation)
    }

    fn talks_mut(&mut self) -> impl Iterator<Item = &mut Talking> {
        self.ended.iter_mut().chain(&mut self.conversation)
    }

    fn talking(&mut self, id: ConversationId) -> Result<&mut Talking, CommandError> {
        self.conversation
            .as_mut()
            .filter(|talking| talking.id == id)
            .ok_or(CommandError::Unknown)
    }

    /// What is wanted on each channel.
    pub(super) fn lines(&self, _now: Now) -> Vec<Line> {
        let contacts = self.contacts().map(|contacting| {
            let mut wants = Wants::default();
            contacting.waiting.wants(&mut wants);
            (contacting.channel, wants)
        });
        let followed = |talking: &&Talking| talking.conversation.stopped().is_none();
        let talking = self.talks().filter(followed).map(|talking| {
            let mut wants = Wants::default();
            talking.conversation.wants(&mut wants);
            (talking.channel, wants)
        });
        let line = |(channel, wants)| Line {
            channel,
            relay: self.link.relay.clone(),
            wants,
        };
        let lines = contacts.chain(talking).map(line);
        let phrase = self.phrase_line().into_iter().chain(self.returning_line());
        let lines = lines.chain(self.file_lines()).chain(self.circle_lines());
        lines.chain(phrase).chain(self.erased_lines()).collect()
    }

    fn contacts(&self) -> impl Iterator<Item = &Contacting> {
        self.first
            .iter()
            .chain(self.asking.iter().map(Asking::contacting))
            .chain(&self.taken_back)
    }

    fn contacts_mut(&mut self) -> impl Iterator<Item = &mut Contacting> {
        self.first
            .iter_mut()
            .chain(self.asking.iter_mut().map(Asking::contacting_mut))
            .chain(&mut self.taken_back)
    }

    pub(super) fn handle_seen(
        &mut self,
        channel: ChannelId,
        seen: &[Seen],
        context: &mut Context<'_>,
    ) {
        let now = context.now;
        for seen in seen {
            for contacting in self
                .contacts_mut()
                .filter(|contacting| contacting.channel == channel)
            {
                contacting.waiting.handle_seen(seen, now, context.rng);
                if contacting.waiting.needs_connection() {
                    contacting.channel = context.new_channel();
                }
            }
            for talking in self
                .talks_mut()
                .filter(|talking| talking.channel == channel)
            {
                talking.conversation.handle_seen(seen, now, context.rng);
            }
            self.files_seen(channel, seen, context);
            self.phrase_seen(channel, seen, context);
            self.returning_seen(channel, seen, context);
            self.erased_seen(channel, seen, context);
            self.circles_seen(channel, seen, context);
        }
        self.go_on(context);
    }

    pub(super) fn handle_card_fetched(
        &mut self,
        desk: &DeskId,
        card: Result<Vec<u8>, CardAbsent>,
        context: &mut Context<'_>,
    ) {
        if *desk != self.link.desk {
            return;
        }
        self.is_fetching = false;
        let card = card.map_err(|absent| match absent {
            CardAbsent::NotFound => IntakeFailure::NoDesk,
            CardAbsent::Unreachable => IntakeFailure::Unreachable,
        });
        let believed = card.and_then(|bytes| {
            let believed = self.card.accept(&bytes, desk);
            believed.map_err(|_: CardRefused| IntakeFailure::BadCard)
        });
        let now = context.now;
        let is_unsent = self
            .contacts()
            .any(|one| one.waiting.contact().lacks_card());
        let mut failure = believed.as_ref().err().copied();
        for contacting in self
            .contacts_mut()
            .filter(|one| one.waiting.needs_card(now))
        {
            let sealed = match &believed {
                Ok(card) => contacting
                    .waiting
                    .handle_card(card, now, context.rng)
                    .is_ok(),
                Err(_) => false,
            };
            if !sealed {
                failure.get_or_insert(IntakeFailure::BadCard);
                contacting.waiting.postpone_card(now);
            }
        }
        if let Ok(card) = &believed {
            self.circling.circles.handle_card(card);
        }
        if let Some(talking) = &mut self.conversation
            && talking.conversation.needs_card(now)
        {
            match &believed {
                Ok(card) => talking.conversation.handle_card(card, now),
                Err(_) => talking.conversation.postpone_card(now),
            }
        }
        if let Some(failure) = failure.filter(|_| is_unsent) {
            context.event(Event::IntakeFailed(failure));
        }
        self.go_on(context);
    }

    pub(super) fn poll_timeout(&self) -> Option<Now> {
        // While a card is on its way, no time has to pass.
        let waits =
            |contacting: &&Contacting| !(self.is_fetching && contacting.waiting.lacks_card());
        let contacts = self
            .contacts()
            .filter(waits)
            .filter_map(|contacting| contacting.waiting.poll_timeout());
        let talking = self
            .talks()
            .filter_map(|talking| talking.conversation.poll_timeout());
        let looks = self.conversation.iter();
        let looks = looks.filter_map(|talking| talking.conversation.card_due());
        let looks = looks.filter(|_| !self.is_fetching);
        let phrase = self.phrase_due();
        let circles = self.circling.circles.poll_timeout();
        let phrase = phrase.into_iter().chain(self.erased_due()).chain(circles);
        contacts.chain(talking).chain(looks).chain(phrase).min()
    }

    pub(super) fn handle_timeout(&mut self, context: &mut Context<'_>) {
        let now = context.now;
        self.contacts_mut()
            .for_each(|contacting| contacting.waiting.handle_timeout(now));
        for talking in self.talks_mut() {
            talking.conversation.handle_timeout(now, context.rng);
        }
        self.erased_timeout(context);
        self.circling.circles.handle_timeout(context);
        self.go_on(context);
    }

    /// Passes on what the machines have to tell, and fetches a card where one is needed.
    fn go_on(&mut self, context: &mut Context<'_>) {
        self.go_on_first(context);
        self.stop_asking_elsewhere();
        self.go_on_asking(context);
        self.go_on_circles(context);
        self.go_on_returning(context);
        self.go_on_keeping(context);
        self.go_on_erasing(context);
        self.taken_back
            .retain(|contacting| !contacting.waiting.is_over());
        self.say_left_to_erase(context);
        for talking in self.talks_mut() {
            filing::serve(&mut talking.conversation, context);
            while let Some(event) = talking.conversation.poll_event() {
                context.event(Event::Conversation(talking.id, event));
            }
        }
        let needs_card = self
            .contacts()
            .any(|contacting| contacting.waiting.needs_card(context.now));
        let talking = self.conversation.iter();
        let needs_card =
            needs_card || { talking }.any(|talking| talking.conversation.needs_card(context.now));
        if needs_card && !self.is_fetching {
            self.is_fetching = true;
            context.fetch_card(self.link.relay.clone(), self.link.desk);
        }
    }

    fn go_on_first(&mut self, context: &mut Context<'_>) {
        let Some(first) = &mut self.first else { return };
        while let Some(event) = first.waiting.poll_event() {
            if let WaitingEvent::Contact(event) = event {
                contact_event(event, context);
            }
        }
        if first.waiting.is_over() {
            self.first = None;
            return;
        }
        let Some(joined) = first.waiting.take_group() else {
            if first.waiting.is_replaced() {
                self.lock(Locked::Elsewhere, context);
            }
            return;
        };
        let mut conversation = match (&self.returning, joined.by) {
            (Some(returning), PersonLeaf::Return) => {
                Conversation::returning(joined.group, joined.person, returning.shows())
            }
            (Some(_) | None, _) => Conversation::of_person(joined.group, joined.person),
        };
        conversation.keep_waited(joined.erasing);
        for text in joined.said {
            conversation.first_text(text, context.now);
        }
        for text in joined.unsaid {
            // It was short enough for the waiting thread, and that is shorter.
            let _fits = conversation.say(&text, context.now, context.rng);
        }
        let id = context.new_conversation();
        self.conversation = Some(Talking {
            id,
            channel: context.new_channel(),
            conversation,
        });
        self.first = None;
        if self.shown().is_some() {
            context.event(Event::Answered(id));
        }
    }
}
