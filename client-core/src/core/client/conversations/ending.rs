//! Conversations that end: the desk is told, and what was closed leaves nothing but its number., [A-14]

use std::{collections::BTreeSet, time::Duration};

use cobijo_protocol::{handover::How, keys::PublicKey};
use serde::{Deserialize, Serialize};

use super::{Conversations, Numbered};
use crate::core::{
    client::{CommandError, Context, ConversationId, ConversationView, Stopped},
    port::Now,
};

/// Time without a word after which a conversation takes none of the places that an accompanier has: people pause
/// for days, and whoever writes once a week is still accompanied.
const ACTIVE_FOR: Duration = Duration::from_secs(7 * 86_400);

/// A conversation that is over, as the desk is to be told.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(in crate::core::client) struct Ended {
    pub(in crate::core::client) person: PublicKey,
    pub(in crate::core::client) how: How,
    /// Whether the desk passes over what she asks for from now on.
    pub(in crate::core::client) block: bool,
}

/// How this member closes it.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct Closing {
    how: How,
    block: bool,
}

impl Conversations {
    /// Closes a conversation for now.
    pub(in crate::core::client) fn close(
        &mut self,
        id: ConversationId,
        how: How,
        block: bool,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        let mut list = self.list.iter_mut();
        let one = list.find(|one| one.id == id).ok_or(CommandError::Unknown)?;
        one.conversation.close(context.now, context.rng)?;
        one.closing = Some(Closing { how, block });
        self.handle_timeout(context);
        Ok(())
    }

    /// Notes which conversations are over.
    pub(super) fn note_ended(&mut self) {
        for one in &mut self.list {
            let person = one.conversation.person();
            one.person = one.person.or(person);
            let Some(known) = one.person.filter(|_| !one.is_ended) else {
                continue;
            };
            let closing = one.closing.filter(|_| one.conversation.is_closed());
            let stopped = one.conversation.stopped();
            let (how, block) = match (closing, stopped) {
                (Some(closing), _) => (closing.how, closing.block),
                (None, Some(Stopped::Wiped)) => (How::Erased, false),
                (None, None) if person.is_none() => (How::Left, false),
                (None, _) => continue,
            };
            one.is_ended = true;
            let person = known;
            self.ended.push_back(Ended { person, how, block });
        }
        let is_gone = |one: &mut Numbered| {
            one.conversation.is_closed() && one.is_ended && one.conversation.stopped().is_some()
        };
        let gone = self.list.extract_if(.., is_gone);
        self.closed.extend(gone.map(|one| one.id));
    }

    /// A conversation that is over.
    pub(in crate::core::client) fn poll_ended(&mut self) -> Option<Ended> {
        self.ended.pop_front()
    }

    /// Whose conversations this member is in, and can write in.
    pub(in crate::core::client) fn present(&self) -> BTreeSet<PublicKey> {
        let open = self.list.iter();
        let open = open.filter(|one| one.conversation.is_open());
        open.filter_map(|one| one.conversation.person()).collect()
    }

    /// The conversation with a person, where this member is in it.
    pub(in crate::core::client) fn with(&self, person: &PublicKey) -> Option<ConversationId> {
        let mut list = self.list.iter();
        let with = list.find(|one| {
            !one.conversation.is_closed() && one.conversation.person() == Some(*person)
        });
        with.map(|one| one.id)
    }

    /// Conversations that can be written in, and in which somebody has lately.
    pub(in crate::core::client) fn live(&self, now: Now) -> usize {
        let is_live = |one: &&Numbered| one.conversation.is_open() && one.idle_at() > now;
        self.list.iter().filter(is_live).count()
    }

    /// When the next of them takes no place any more.
    pub(super) fn idle_due(&self, now: Now) -> Option<Now> {
        let open = self.list.iter();
        let open = open.filter(|one| one.conversation.is_open());
        open.map(Numbered::idle_at).filter(|at| *at > now).min()
    }

    /// What is shown of those that were closed.
    pub(super) fn closed_views(&self) -> impl Iterator<Item = ConversationView> {
        self.closed.iter().map(|id| closed_view(*id))
    }
}

impl Numbered {
    fn idle_at(&self) -> Now {
        let said = self.conversation.said_last();
        said.unwrap_or(self.since).max(self.since).plus(ACTIVE_FOR)
    }
}

/// Nothing but that it is closed.
pub(super) fn closed_view(id: ConversationId) -> ConversationView {
    ConversationView {
        id,
        alias: None,
        members: Vec::new(),
        code: None,
        open: false,
        closed: true,
        erased: None,
        proposals: Vec::new(),
        files: Vec::new(),
        circle: None,
        invitations: Vec::new(),
        summary: None,
    }
}
