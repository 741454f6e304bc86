//! She asks the desk: because nobody answers, or because she can't follow her conversation. [P-16], [G-18]

use cobijo_protocol::{
    content::{MessageId, Purpose, Reads},
    credential::Identity,
};
use serde::{Deserialize, Serialize};

use super::{
    CommandError, Contact, Contacting, Context, ConversationEvent, ConversationId, DeskLink,
    ENDED_MAX, Event, Person, PersonStage, Reason, Suite, Waiting, WaitingEvent, Wanted,
    contact_event,
};
use crate::{
    core::{
        client::{ProposalView, Speaker, Stopped},
        conversation::Conversation,
    },
    mls::key_package::OfferedKeyPackage,
};

/// Her question to the desk.
#[derive(Serialize, Deserialize)]
pub(super) struct Asking {
    contacting: Contacting,
}

impl Asking {
    pub(super) fn contacting(&self) -> &Contacting {
        &self.contacting
    }

    pub(super) fn into_contacting(self) -> Contacting {
        self.contacting
    }

    pub(super) fn contacting_mut(&mut self) -> &mut Contacting {
        &mut self.contacting
    }

    /// Whether that is the number of what waits for her answer.
    fn offers(&self, proposal: MessageId) -> bool {
        let waiting = &self.contacting.waiting;
        let offered = waiting.offer().filter(|_| !waiting.has_agreed());
        offered.is_some_and(|offered| proposal_id(&offered) == proposal)
    }

    /// Who offers to come in, shown as a proposal.
    pub(super) fn proposal(&self, reads: Reads, also_read_by: Vec<String>) -> Option<ProposalView> {
        let waiting = &self.contacting.waiting;
        let offered = waiting.offer().filter(|_| !waiting.has_agreed())?;
        let Identity::Member { attestation, .. } = offered.identity() else {
            return None;
        };
        Some(ProposalView {
            id: proposal_id(&offered),
            by: None,
            alias: attestation.alias.clone(),
            role: attestation.role,
            purpose: Purpose::Accompany,
            reason: String::new(),
            reads,
            ends: None,
            also_read_by,
        })
    }
}

impl Person {
    /// Writes to the same desk once more, as somebody whom it has never heard of.
    pub(super) fn write_again(
        &mut self,
        link: &DeskLink,
        language: &str,
        text: &str,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        let may = self.stage() == PersonStage::Ended && *link == self.link;
        if !may || self.ended.len() >= ENDED_MAX {
            return Err(CommandError::InUse);
        }
        self.first = Some(Contacting::begin(link, language, text, context)?);
        self.ended.extend(self.conversation.take());
        self.drop_phrase();
        if let Some(asking) = self.asking.take() {
            self.take_back(asking.into_contacting());
        }
        Ok(())
    }

    /// Asks the desk, once at a time.
    pub(super) fn ask_desk(
        &mut self,
        id: ConversationId,
        text: &str,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        if self.asking.is_some() {
            return Err(CommandError::NotNow);
        }
        let desk = self.link.desk;
        let conversation = &mut self.talking(id)?.conversation;
        let reason = reason(conversation).ok_or(CommandError::Stopped)?;
        let known = conversation.known();
        let contact = Contact::new(Suite::PostQuantum, desk, reason, "und", text, context.rng)
            .map_err(|_| CommandError::TooLong)?;
        conversation.asked(text.to_owned(), context.now);
        let waiting = Waiting::new(Suite::PostQuantum, contact, Wanted::Offer, known);
        let contacting = Contacting {
            channel: context.new_channel(),
            waiting,
        };
        self.asking = Some(Asking { contacting });
        Ok(())
    }

    /// Her yes, to a proposal in the conversation or to the desk's offer.
    pub(super) fn accept(
        &mut self,
        id: ConversationId,
        proposal: MessageId,
        reads: Reads,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        let is_offer = self.is_offer(proposal);
        let conversation = &mut self.talking(id)?.conversation;
        if !is_offer {
            return Ok(conversation.accept(proposal, reads, context.now)?);
        }
        conversation.agree_to_offer(reads);
        let now = context.now;
        let waiting = self.asking.as_mut();
        let waiting = waiting.map(|asking| &mut asking.contacting.waiting);
        if waiting.is_some_and(|waiting| waiting.agree(now)) {
            Ok(())
        } else {
            Err(CommandError::Unknown)
        }
    }

    /// Her yes counts: whoever offered is let in, into a successor where the group can't be followed.
    fn admit(&mut self, context: &mut Context<'_>) {
        let (Some(mut asking), Some(talking)) = (self.asking.take(), &mut self.conversation) else {
            return;
        };
        let conversation = &mut talking.conversation;
        let waiting = &mut asking.contacting.waiting;
        conversation.keep_waited(waiting.contact().erasing());
        let Some(offered) = waiting.accept() else {
            return;
        };
        let before = conversation.group_id().to_vec();
        let admitted = conversation.admit(&offered, context.now, context.rng);
        if conversation.group_id() != before {
            // The successor is another group: the relay should not link the two.
            talking.channel = context.new_channel();
        }
        if admitted.is_err() {
            context.event(Event::Conversation(talking.id, ConversationEvent::NotAdded));
        }
    }

    /// Her no.
    pub(super) fn refuse(
        &mut self,
        id: ConversationId,
        proposal: MessageId,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        match self
            .asking
            .as_mut()
            .filter(|asking| asking.offers(proposal))
        {
            Some(asking) => asking.contacting.waiting.refuse(context.rng),
            None => self
                .talking(id)?
                .conversation
                .refuse(proposal, context.now, context.rng)?,
        }
        Ok(())
    }

    fn offer(&self) -> Option<OfferedKeyPackage> {
        self.asking.as_ref()?.contacting.waiting.offer()
    }

    fn is_offer(&self, proposal: MessageId) -> bool {
        self.offer()
            .is_some_and(|offered| proposal_id(&offered) == proposal)
    }

    /// Passes on what the desk answers.
    pub(super) fn go_on_asking(&mut self, context: &mut Context<'_>) {
        let (Some(asking), Some(talking)) = (&mut self.asking, &mut self.conversation) else {
            return;
        };
        let waiting = &mut asking.contacting.waiting;
        let mut has_agreed = false;
        while let Some(event) = waiting.poll_event() {
            match event {
                WaitingEvent::Contact(event) => contact_event(event, context),
                // Who is no longer attested isn't added: the next one may offer.
                WaitingEvent::Offered(attestation) if attestation.not_after < context.now.day() => {
                    waiting.refuse(context.rng);
                }
                WaitingEvent::Offered(attestation) => {
                    let offers = Speaker::Member {
                        alias: attestation.alias.clone(),
                        role: attestation.role,
                    };
                    context.event(Event::Conversation(
                        talking.id,
                        ConversationEvent::DeskOffers(
                            offers,
                            talking.conversation.offered_reads().0,
                        ),
                    ));
                }
                WaitingEvent::Agreed => has_agreed = true,
                WaitingEvent::NotAgreed => {
                    context.event(Event::Conversation(talking.id, ConversationEvent::NotAdded));
                }
                WaitingEvent::CouldNotJoin | WaitingEvent::Joined => {}
            }
        }
        if has_agreed {
            return self.admit(context);
        }
        // A member of the group has let her in again.
        if let Some(joined) = waiting.take_group() {
            if talking.conversation.goes_on_in(&joined.group) {
                talking.conversation.go_on_in(joined.group, context.now);
                talking.conversation.keep_waited(joined.erasing);
                talking.channel = context.new_channel();
            }
            self.asking = None;
        }
    }
}

/// Why she asks: a conversation that she ended, or erased, is over.
fn reason(conversation: &Conversation) -> Option<Reason> {
    let group = conversation.group_id().to_vec();
    let person = conversation.person_key()?.clone();
    match conversation.stopped() {
        None | Some(Stopped::Removed) => conversation
            .may_ask()
            .then_some(Reason::CameBack { group, person }),
        Some(Stopped::Broken | Stopped::Stale | Stopped::UnknownRules) => Some(Reason::Rescue {
            group,
            person,
            serial: conversation.next_serial(),
        }),
        Some(Stopped::Left | Stopped::Returned | Stopped::Wiped) => None,
    }
}

/// An offer's number among the proposals: the first bytes of its hash.
fn proposal_id(offered: &OfferedKeyPackage) -> MessageId {
    let mut id = [0; MessageId::LEN];
    id.iter_mut()
        .zip(*offered.hash().as_bytes())
        .for_each(|(byte, hashed)| *byte = hashed);
    MessageId::from_bytes(id)
}
