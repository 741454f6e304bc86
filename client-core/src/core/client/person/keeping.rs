//! The phrase that she keeps, and what it finds. [B-5], [B-7], [B-8]

use cobijo_protocol::capsule::{CapsuleCircle, Shows};
use serde::{Deserialize, Serialize};

use super::{ChannelId, CommandError, Context, Event, Line, Now, Person, Suite, Wants};
use crate::core::{
    capsule::Keeper,
    client::{Locked, Stopped},
    conversation::Conversation,
    keeping::{Keeping, KeepingEvent},
    phrase::PhraseKeys,
    port::Seen,
};

/// A phrase, on a channel of its own.
#[derive(Serialize, Deserialize)]
pub(super) struct Phrase {
    channel: ChannelId,
    keeping: Keeping,
    /// Its capsules are being erased.
    is_over: bool,
}

impl Phrase {
    /// Has its capsules name these circles.
    pub(super) fn name_circles(&mut self, circles: Vec<CapsuleCircle>) {
        self.keeping.name_circles(circles);
    }

    pub(super) fn new(keeping: Keeping, context: &mut Context<'_>) -> Self {
        Self {
            channel: context.new_channel(),
            keeping,
            is_over: false,
        }
    }
}

impl Person {
    /// Keeps a phrase from now on: only after her first message is stored.
    pub(super) fn keep_phrase(
        &mut self,
        keys: &PhraseKeys,
        shows: Shows,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        if self.phrase.is_some() {
            return Err(CommandError::InUse);
        }
        let place = match (&self.conversation, &self.first) {
            (Some(talking), _) if talking.conversation.is_open() => {
                let conversation = &talking.conversation;
                let person = conversation.person_key().cloned();
                person.map(|person| (conversation.root(), person))
            }
            (None, Some(first)) if first.waiting.contact().is_stored() => {
                let contact = first.waiting.contact();
                let person = contact.person().clone();
                contact.root().map(|root| (root, person))
            }
            (Some(_) | None, _) => None,
        };
        let (root, person) = place.ok_or(CommandError::NotNow)?;
        let keeper = Keeper::new(keys).map_err(|_| CommandError::NotNow)?;
        let keeping = Keeping::new(keeper, root, person, shows);
        self.phrase = Some(Phrase::new(keeping, context));
        Ok(())
    }

    /// Whether a phrase leads back to where she is.
    pub(super) fn has_phrase(&self) -> bool {
        self.phrase.as_ref().is_some_and(|phrase| !phrase.is_over)
    }

    pub(super) fn phrase_line(&self) -> Option<Line> {
        let phrase = self.phrase.as_ref()?;
        let mut wants = Wants::default();
        phrase.keeping.wants(&mut wants);
        phrase.keeping.is_busy().then(|| Line {
            channel: phrase.channel,
            relay: self.link.relay.clone(),
            wants,
        })
    }

    pub(super) fn phrase_seen(
        &mut self,
        channel: ChannelId,
        seen: &Seen,
        context: &mut Context<'_>,
    ) {
        let phrase = self.phrase.as_mut();
        if let Some(phrase) = phrase.filter(|phrase| phrase.channel == channel) {
            phrase.keeping.handle_seen(seen, context.now, context.rng);
        }
    }

    pub(super) fn phrase_due(&self) -> Option<Now> {
        let phrase = self.phrase.as_ref().filter(|phrase| !phrase.is_over)?;
        let may_act = match (&self.conversation, &self.first) {
            (Some(talking), _) => Keeping::may_follow(&talking.conversation),
            (None, Some(first)) => phrase.keeping.may_wait(&first.waiting),
            (None, None) => false,
        };
        phrase.keeping.poll_timeout().filter(|_| may_act)
    }

    /// Lets what the phrase finds follow her.
    pub(super) fn go_on_keeping(&mut self, context: &mut Context<'_>) {
        let (now, is_taken_back) = (context.now, self.first.is_none());
        let Some(phrase) = &mut self.phrase else {
            return;
        };
        let keeping = &mut phrase.keeping;
        let has_ended = match (&mut self.conversation, &mut self.first) {
            _ if phrase.is_over => false,
            (Some(talking), _) => {
                keeping.follow(&mut talking.conversation, now, context.rng);
                has_ended(&talking.conversation)
            }
            (None, Some(first)) => {
                keeping.wait(&mut first.waiting, Suite::PostQuantum, now, context.rng);
                false
            }
            (None, None) => is_taken_back && self.returning.is_none(),
        };
        if has_ended {
            keeping.forget();
            phrase.is_over = true;
        }
        let mut locked = None;
        while let Some(event) = keeping.poll_event() {
            match event {
                KeepingEvent::Kept if !self.is_kept => {
                    self.is_kept = true;
                    context.event(match self.returning {
                        Some(_) => Event::CameBack(None),
                        None => Event::PhraseKept,
                    });
                }
                KeepingEvent::Kept => {}
                KeepingEvent::NotKept => context.event(Event::PhraseNotKept),
                KeepingEvent::Overtaken => locked = Some(Locked::Elsewhere),
                KeepingEvent::NoRoom => locked = Some(Locked::Unjoinable),
            }
        }
        let is_erased = phrase.is_over && !phrase.keeping.is_busy();
        let is_elsewhere = self
            .conversation
            .as_ref()
            .is_some_and(|talking| talking.conversation.stopped() == Some(Stopped::Returned));
        if is_erased || is_elsewhere {
            self.phrase = None;
            self.is_kept = false;
        }
        if let Some(why) = locked {
            self.lock(why, context);
        }
    }

    /// She writes anew: what the phrase leads to stays as it is, until it expires.
    pub(super) fn drop_phrase(&mut self) {
        self.phrase.take_if(|phrase| !phrase.is_over);
        self.is_kept = false;
        self.returning = None;
    }

    /// A yes that is given here would begin another conversation beside the one that goes on elsewhere.
    pub(super) fn stop_asking_elsewhere(&mut self) {
        let asking = self.asking.take_if(|_| {
            let talking = self.conversation.as_ref();
            talking.is_some_and(|one| one.conversation.stopped() == Some(Stopped::Returned))
        });
        if let Some(asking) = asking {
            self.take_back(asking.into_contacting());
        }
    }

    /// She goes on elsewhere, or nowhere: nothing of it stays in use here, and nothing is erased.
    pub(super) fn lock(&mut self, why: Locked, context: &mut Context<'_>) {
        let is_hidden = |talking: &&mut super::Talking| talking.conversation.is_returning();
        if self.conversation.as_mut().filter(is_hidden).is_some() {
            self.conversation = None;
        }
        self.first = None;
        self.asking = None;
        self.returning = None;
        self.phrase = None;
        self.is_kept = false;
        self.circling.forget();
        context.event(Event::Locked(why));
    }
}

/// Whether she ended it: then nothing is to lead back to it.
fn has_ended(conversation: &Conversation) -> bool {
    let is_over = matches!(conversation.stopped(), Some(Stopped::Left | Stopped::Wiped));
    is_over || !conversation.may_ask()
}
