//! She erases: a conversation, its phrase, and what she wrote while she waited. [E-2], [E-3]

use super::{
    CommandError, Context, ConversationId, Event, Line, Now, Person, Seen, Talking, Wants,
};
use crate::core::{
    client::{ChannelId, Stopped, erased::Erased},
    erasing::Pace,
};

impl Person {
    /// Erases a conversation everywhere she can reach.
    pub(super) fn erase(
        &mut self,
        id: ConversationId,
        pace: Pace,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        let ended = self.ended.iter().position(|talking| talking.id == id);
        if let Some(place) = ended {
            let talking = self.ended.remove(place);
            self.keep_erasing(talking, pace, context);
            return Ok(());
        }
        let is_present =
            |talking: &mut Talking| talking.id == id && !talking.conversation.is_returning();
        let talking = self.conversation.take_if(is_present);
        let talking = talking.ok_or(CommandError::Unknown)?;
        self.returning = None;
        if let Some(asking) = self.asking.take() {
            self.take_back(asking.into_contacting());
        }
        self.keep_erasing(talking, pace, context);
        Ok(())
    }

    fn keep_erasing(&mut self, mut talking: Talking, pace: Pace, context: &mut Context<'_>) {
        // A device that she came back to twice holds the same conversation twice.
        let group = talking.conversation.group_id().to_vec();
        let is_copy = |one: &mut Talking| one.conversation.group_id() == group;
        for mut copy in self.ended.extract_if(.., is_copy) {
            talking.conversation.erase_with(&mut copy.conversation);
        }
        let Talking {
            id,
            channel,
            conversation,
        } = talking;
        let erased = Erased::new(id, channel, conversation, pace, context);
        self.erased.push(erased);
    }

    /// Erases what she erased elsewhere, and tells her what is done.
    pub(super) fn go_on_erasing(&mut self, context: &mut Context<'_>) {
        let is_wiped = |talking: &Talking| talking.conversation.stopped() == Some(Stopped::Wiped);
        let ended = self.ended.extract_if(.., |talking| is_wiped(talking));
        let wiped: Vec<_> = ended.collect();
        let present = self.conversation.take_if(|talking| is_wiped(talking));
        if let Some(talking) = &present {
            self.returning = None;
            if talking.conversation.is_returning() {
                context.event(Event::NothingFound);
            }
        }
        if let Some(asking) = self.asking.take_if(|_| present.is_some()) {
            self.take_back(asking.into_contacting());
        }
        for talking in wiped.into_iter().chain(present) {
            self.keep_erasing(talking, Pace::Spread, context);
        }
        if self.is_erasing_capsules() {
            return;
        }
        self.erased.retain(|erased| {
            if erased.is_over() {
                context.event(Event::Erased {
                    conversation: erased.id(),
                    told: erased.is_told(),
                });
            }
            !erased.is_over()
        });
    }

    /// Capsules go first: nobody is to come back by them.
    fn is_erasing_capsules(&self) -> bool {
        let phrase = self.phrase_line();
        phrase.is_some() && !self.has_phrase()
    }

    pub(super) fn erased_lines(&self) -> impl Iterator<Item = Line> {
        let waits = self.is_erasing_capsules();
        let open = self.erased.iter().filter(|erased| !erased.is_over());
        open.map(move |erased| {
            let mut wants = Wants::default();
            erased.wants(&mut wants);
            if !waits {
                erased.erases(&mut wants);
            }
            Line {
                channel: erased.channel(),
                relay: self.link.relay.clone(),
                wants,
            }
        })
    }

    pub(super) fn erased_seen(
        &mut self,
        channel: ChannelId,
        seen: &Seen,
        context: &mut Context<'_>,
    ) {
        let of_channel = |erased: &&mut Erased| erased.channel() == channel;
        for erased in self.erased.iter_mut().filter(of_channel) {
            erased.handle_seen(seen, context);
        }
    }

    pub(super) fn erased_due(&self) -> Option<Now> {
        let waits = self.is_erasing_capsules();
        let sweeps = self.erased.iter().filter_map(Erased::erase_due);
        let sweeps = sweeps.filter(|_| !waits);
        let telling = self.erased.iter().filter_map(Erased::tell_due);
        telling.chain(sweeps).min()
    }

    pub(super) fn erased_timeout(&mut self, context: &mut Context<'_>) {
        for erased in &mut self.erased {
            erased.handle_timeout(context);
        }
    }

    /// Tells how much is left, where it is another number than before.
    pub(super) fn say_left_to_erase(&mut self, context: &mut Context<'_>) {
        let left = self.left_to_erase();
        if left != std::mem::replace(&mut self.said_left, left) {
            context.event(Event::Erasing { left });
        }
    }

    /// How much is left to be erased of what she erased or took back.
    pub(super) fn left_to_erase(&self) -> usize {
        let erased = self.erased.iter().map(Erased::left);
        let taken_back = self.taken_back.iter();
        let taken_back = taken_back.map(|one| one.waiting.contact().left_to_erase());
        let left: usize = erased.chain(taken_back).sum();
        let circles = self.circling.circles.left_to_erase();
        left + circles + usize::from(self.is_erasing_capsules())
    }
}
