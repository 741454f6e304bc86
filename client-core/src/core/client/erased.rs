//! A conversation that was erased: here at once, at the relay and elsewhere as soon as that can be. [E-2], [E-3]

use serde::{Deserialize, Serialize};

use super::{ChannelId, Context, ConversationId, ConversationView, Erasure};
use crate::core::{
    conversation::Conversation,
    erasing::{Pace, Sweep},
    file::FileSweep,
    port::{Now, Seen, Wants},
};

/// What is left of it: its number, and what erases it.
#[derive(Serialize, Deserialize)]
pub(super) struct Erased {
    id: ConversationId,
    channel: ChannelId,
    /// Until everybody is told, or nobody can be: without a line of what was said.
    telling: Option<Box<Conversation>>,
    is_told: bool,
    pace: Pace,
    sweep: Sweep,
    files: FileSweep,
}

impl Erased {
    /// Erases a conversation: by her wish, or because she told all clients to.
    pub(super) fn new(
        id: ConversationId,
        channel: ChannelId,
        mut conversation: Conversation,
        pace: Pace,
        context: &mut Context<'_>,
    ) -> Self {
        let waited = conversation.take_waited();
        let (files, heads) = conversation.take_files();
        conversation.erase();
        let mut erased = Self {
            id,
            channel,
            telling: Some(Box::new(conversation)),
            is_told: false,
            pace,
            sweep: Sweep::default(),
            files: FileSweep::default(),
        };
        // Before what was said in the group.
        let (now, rng) = (context.now, &mut *context.rng);
        erased.sweep.add(waited, pace, now, rng);
        erased.sweep.add(heads, pace, now, rng);
        erased.files.add(files, pace, now);
        erased.handle_timeout(context);
        erased
    }

    pub(super) fn id(&self) -> ConversationId {
        self.id
    }

    pub(super) fn channel(&self) -> ChannelId {
        self.channel
    }

    /// Whether all is erased that this client can erase.
    pub(super) fn is_over(&self) -> bool {
        self.left() == 0
    }

    /// Whether other clients were told to wipe.
    pub(super) fn is_told(&self) -> bool {
        self.is_told
    }

    /// How many slots are left to be erased; telling the others counts as one.
    pub(super) fn left(&self) -> usize {
        self.sweep.left() + self.files.left() + usize::from(self.telling.is_some())
    }

    /// What it looks like in a list.
    pub(super) fn view(&self, erasure: Erasure) -> ConversationView {
        ConversationView {
            id: self.id,
            alias: None,
            members: Vec::new(),
            code: None,
            open: false,
            closed: false,
            erased: Some(erasure),
            proposals: Vec::new(),
            files: Vec::new(),
            circle: None,
            invitations: Vec::new(),
            summary: None,
        }
    }

    /// What is wanted to tell the others.
    pub(super) fn wants(&self, wants: &mut Wants) {
        if let Some(conversation) = &self.telling {
            conversation.wants(wants);
        }
    }

    /// What is to be erased.
    pub(super) fn erases(&self, wants: &mut Wants) {
        self.sweep.wants(wants);
        self.files.wants(wants);
    }

    pub(super) fn handle_seen(&mut self, seen: &Seen, context: &mut Context<'_>) {
        if let Some(conversation) = &mut self.telling {
            conversation.handle_seen(seen, context.now, context.rng);
        }
        self.sweep.handle_seen(seen, context.now);
        self.files.handle_seen(seen, context.now);
        self.go_on(context);
    }

    /// When there is something to do to tell the others.
    pub(super) fn tell_due(&self) -> Option<Now> {
        self.telling.as_ref()?.poll_timeout()
    }

    /// When the next slots are to be erased.
    pub(super) fn erase_due(&self) -> Option<Now> {
        let due = self.sweep.poll_timeout().into_iter();
        due.chain(self.files.poll_timeout()).min()
    }

    pub(super) fn handle_timeout(&mut self, context: &mut Context<'_>) {
        if let Some(conversation) = &mut self.telling {
            conversation.handle_timeout(context.now, context.rng);
        }
        self.go_on(context);
    }

    fn go_on(&mut self, context: &mut Context<'_>) {
        let (now, rng) = (context.now, &mut *context.rng);
        if let Some(conversation) = &mut self.telling {
            // Nobody is shown anything more.
            while conversation.poll_event().is_some() {}
            let slots = conversation.take_erase_keys();
            self.sweep.add(slots, self.pace, now, rng);
            if let Some(is_told) = conversation.is_told() {
                self.is_told = is_told;
                self.telling = None;
            }
        }
        self.sweep.advance(now);
        self.files.advance(now);
    }
}
