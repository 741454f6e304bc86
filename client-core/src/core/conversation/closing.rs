//! Closing a conversation for now: she is told that it is, and not why.

use cobijo_protocol::{
    content::{Content, MessageId},
    credential::Identity,
    limits::RETENTION_DAYS_DEFAULT,
};
use serde::{Deserialize, Serialize};

use super::{Conversation, ConversationError, Former, History};
use crate::core::{
    client::{ConversationEvent, EntryContent},
    group::Author,
    port::{Now, Rng},
};

/// Whether this accompanier closes it, or has.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub(super) enum Closing {
    /// It goes on.
    #[default]
    Not,
    /// The message that tells her is on its way.
    Saying(MessageId),
    /// It is stored: what was said is forgotten, and this member leaves.
    Done,
}

impl Conversation {
    /// Tells her that it is closed for now, and leaves once that is stored.
    ///
    /// # Errors
    /// [`ConversationError`] where it is no accompanier's to close, or is over.
    pub(crate) fn close(&mut self, now: Now, rng: &mut Rng) -> Result<(), ConversationError> {
        self.check_open()?;
        if self.person.is_some() {
            return Err(ConversationError::NotPerson);
        }
        if matches!(self.closing, Closing::Not) {
            let id = self.send(Content::Closing, now, rng)?;
            self.closing = Closing::Saying(id);
        }
        Ok(())
    }

    /// Whether this accompanier has closed it.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.closing, Closing::Done)
    }

    /// The word that it is closed is stored: nothing of what was said is kept here.
    pub(super) fn note_closing_stored(&mut self, id: MessageId) {
        if !matches!(self.closing, Closing::Saying(saying) if saying == id) {
            return;
        }
        self.closing = Closing::Done;
        self.left = true;
        self.group.leave(None);
        self.history = History::default();
        self.forget_agreed();
        self.former = Former::default();
        self.rescuing.clear();
        // Those stay at the relay: they are hers to erase.
        let _at_the_relay = self.take_files();
        self.events.clear();
        self.events.push_back(ConversationEvent::Closed);
    }

    /// Her side: somebody closes it. While another accompanier stays, it goes on.
    pub(super) fn hear_closing(&mut self, author: &Author, now: Now) {
        let Identity::Member { attestation, .. } = &author.identity else {
            return;
        };
        let is_last = self.roster().iter().all(|key| *key == attestation.key);
        if self.person.is_some() && is_last {
            let days = self.group.retention_days();
            let days = days.unwrap_or(RETENTION_DAYS_DEFAULT);
            self.note_once(EntryContent::Closing { days }, now);
        }
    }

    /// When anybody said something last, as this client learnt of it.
    pub(crate) fn said_last(&self) -> Option<Now> {
        let said = self.history.entries().iter();
        said.filter(|entry| entry.author.is_some())
            .map(|entry| entry.at)
            .max()
    }
}
