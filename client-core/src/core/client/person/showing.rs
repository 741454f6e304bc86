//! What a person is shown of her side.

use super::{
    Context, ConversationId, ConversationView, Entry, Erasure, Event, IntakeFailure, Person,
    PersonStage, PersonView, Talking,
};
use crate::core::intake::ContactEvent;

impl Person {
    pub(in crate::core::client) fn view(&self) -> PersonView {
        PersonView {
            link: self.link.clone(),
            stage: self.stage(),
            conversation: self.shown().map(|talking| talking.id),
            phrase: self.has_phrase(),
            left_to_erase: self.left_to_erase(),
        }
    }

    /// Her conversation, where she may see it.
    pub(super) fn shown(&self) -> Option<&Talking> {
        let talking = self.conversation.as_ref();
        talking.filter(|talking| {
            let conversation = &talking.conversation;
            // Where she can't follow, she may ask the desk.
            !conversation.is_returning() || conversation.stopped().is_some()
        })
    }

    pub(super) fn stage(&self) -> PersonStage {
        if self.is_returning() {
            return PersonStage::Returning;
        }
        match (&self.conversation, &self.first) {
            (Some(talking), _) if talking.conversation.is_open() => PersonStage::Talking,
            (None, Some(first)) if first.waiting.contact().is_stored() => PersonStage::Waiting,
            (None, Some(_)) => PersonStage::Sending,
            (Some(_) | None, _) => PersonStage::Ended,
        }
    }

    pub(in crate::core::client) fn conversations(&self) -> Vec<ConversationView> {
        let view = |talking: &Talking| {
            let mut proposals = talking.conversation.proposals();
            let is_asked_for = self
                .conversation
                .as_ref()
                .is_some_and(|one| one.id == talking.id);
            let asking = self.asking.as_ref().filter(|_| is_asked_for);
            let (reads, also) = talking.conversation.offered_reads();
            proposals.extend(asking.and_then(|asking| asking.proposal(reads, also)));
            ConversationView {
                id: talking.id,
                alias: None,
                members: talking.conversation.members(),
                code: Some(talking.conversation.code()),
                open: talking.conversation.is_open(),
                closed: false,
                erased: None,
                proposals,
                files: talking.conversation.files(),
                circle: None,
                invitations: self.circling.views(talking.id),
                summary: talking.conversation.summary(),
            }
        };
        let shown = self.ended.iter().chain(self.shown());
        let erased = self.erased.iter();
        let erased = erased.map(|erased| erased.view(Erasure::Going));
        let circles = self.circling.circles.views(|_| None);
        shown.map(view).chain(circles).chain(erased).collect()
    }

    pub(in crate::core::client) fn history(&self, id: ConversationId) -> Vec<Entry> {
        let talking = self.talks().find(|talking| talking.id == id);
        match talking {
            Some(talking) => talking.conversation.history().to_vec(),
            None => self.circling.circles.history(id),
        }
    }
}

/// Tells what became of her contact with the desk.
pub(super) fn contact_event(event: ContactEvent, context: &mut Context<'_>) {
    context.event(match event {
        ContactEvent::CardExpired => Event::CardExpired,
        ContactEvent::Stored {
            wait_minutes,
            opening,
        } => Event::IntakeStored {
            wait_minutes,
            opening,
        },
        ContactEvent::Full => Event::IntakeFailed(IntakeFailure::Full),
        ContactEvent::AdditionStored => Event::AdditionStored,
    });
}
