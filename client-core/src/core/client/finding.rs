//! Somebody has typed her phrase, and what it finds is looked for. [B-6]

use cobijo_protocol::link::DeskLink;
use serde::{Deserialize, Serialize};

use super::{ChannelId, Context, Event, Line, person::Person};
use crate::core::{
    capsule::Finder,
    phrase::PhraseKeys,
    port::{Seen, Wants},
};

/// What a phrase finds is being looked for.
#[derive(Serialize, Deserialize)]
pub(super) struct Finding {
    link: DeskLink,
    channel: ChannelId,
    /// Never saved: no disk keeps what opens her capsules. After a restart she types her phrase again. [B-5]
    #[serde(skip)]
    keys: Option<PhraseKeys>,
    /// Whose conversations have ended here, or go on elsewhere.
    before: Option<Box<Person>>,
    #[serde(skip)]
    finder: Option<Finder>,
}

/// What was found.
pub(super) enum Outcome {
    /// Not known yet.
    Open,
    /// Nothing: all is as before.
    Nothing(Option<Box<Person>>),
    /// Where she was.
    Person(Box<Person>),
}

impl Finding {
    pub(super) fn begin(link: DeskLink, keys: PhraseKeys, context: &mut Context<'_>) -> Self {
        Self {
            link,
            channel: context.new_channel(),
            keys: Some(keys),
            before: None,
            finder: None,
        }
    }

    /// Keeps what this profile holds of her already.
    pub(super) fn behind(self, person: Box<Person>) -> Self {
        Self {
            before: Some(person),
            ..self
        }
    }

    /// What this profile holds of her already.
    pub(super) fn before(&self) -> Option<&Person> {
        self.before.as_deref()
    }

    pub(super) fn line(&self) -> Line {
        let mut wants = Wants::default();
        if let Some(finder) = &self.finder {
            finder.wants(&mut wants);
        }
        Line {
            channel: self.channel,
            relay: self.link.relay.clone(),
            wants,
        }
    }

    pub(super) fn handle_seen(
        &mut self,
        channel: ChannelId,
        seen: &[Seen],
        context: &mut Context<'_>,
    ) -> Outcome {
        if channel != self.channel {
            return Outcome::Open;
        }
        for seen in seen {
            let Some(keys) = &self.keys else {
                return Outcome::Open;
            };
            if matches!(seen, Seen::Connected(_)) {
                self.finder = Some(Finder::new(keys.clone()));
            }
            let finder = self.finder.as_mut();
            let Some(found) = finder.and_then(|finder| finder.handle_seen(seen)) else {
                continue;
            };
            let person = Person::returning(self.link.clone(), keys, &found, context);
            return match person {
                Some(mut person) => {
                    if let Some(before) = self.before.take() {
                        person.remember(*before);
                    }
                    Outcome::Person(Box::new(person))
                }
                None => {
                    context.event(Event::NothingFound);
                    Outcome::Nothing(self.before.take())
                }
            };
        }
        Outcome::Open
    }

    /// Ends the search: what this profile held before.
    pub(super) fn stop(self) -> Option<Box<Person>> {
        self.before
    }
}
