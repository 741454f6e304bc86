//! What the desk's other machines have to say: the shift, invitations, and taking KeyPackages.

use cobijo_protocol::{commit::Profile, content::DeskContent, slot::ThreadSecret};

use super::shift::ShiftEvent;
use super::{Asked, Desk, DeskEvent, succession::Brought};
use crate::core::{
    client::{ChannelId, Context, Event, InviteEnd, InviteId},
    group::Change,
    invite::InvitationEvent,
    key_packages::{OfferEvent, Taken, TakenFor},
    port::Seen,
};

impl Desk {
    pub(super) fn handle_shift(
        &mut self,
        channel: ChannelId,
        seen: &Seen,
        context: &mut Context<'_>,
    ) {
        let keys = self.board.live_keys(self.card_version());
        let events = self.shift.handle_seen(channel, seen, &keys, context);
        self.handle_shift_events(events, context);
    }

    /// A person who could not follow is in her conversation again.
    pub(crate) fn handle_rescued(&mut self, r: &ThreadSecret, context: &mut Context<'_>) {
        let events = self.shift.handle_rescued(r, context.now);
        self.handle_shift_events(events, context);
    }

    pub(super) fn handle_shift_events(
        &mut self,
        events: Vec<ShiftEvent>,
        context: &mut Context<'_>,
    ) {
        for event in events {
            match event {
                ShiftEvent::Notice(notice) => self.tell(DeskContent::Claim(notice), context.rng),
                ShiftEvent::QueueChanged => {
                    context.event(Event::QueueChanged);
                    self.events.push_back(DeskEvent::QueueChanged);
                }
                ShiftEvent::Unclaimed(unclaimed) => self.tell_unclaimed(unclaimed, context),
                ShiftEvent::Text(channel, text) => {
                    self.events.push_back(DeskEvent::Text(channel, text));
                }
                ShiftEvent::Lost(row) => context.event(Event::ClaimLost(row)),
                ShiftEvent::Refused(channel) => self.events.push_back(DeskEvent::Refused(channel)),
                ShiftEvent::Began {
                    row,
                    channel,
                    group,
                    texts,
                } => self.events.push_back(DeskEvent::Joined {
                    channel: Some(channel),
                    row: Some(row),
                    group,
                    texts,
                }),
            }
        }
    }

    pub(super) fn handle_invite(
        &mut self,
        position: usize,
        seen: &Seen,
        context: &mut Context<'_>,
    ) {
        let Some(invited) = self.invites.get_mut(position) else {
            return;
        };
        let id = invited.id;
        match invited.invitation.handle_seen(seen, context.rng) {
            Some(InvitationEvent::Arrived { alias, words }) => {
                context.event(Event::NewcomerArrived { id, alias, words });
            }
            Some(InvitationEvent::Offered(offered)) => {
                let adds = vec![serde_bytes::ByteBuf::from(offered.message())];
                let key = *offered.leaf_key();
                // The leaf that she couldn't follow with goes first.
                if self.members().iter().any(|one| one.key == key) {
                    self.request_removal(key);
                }
                self.group.request(Change {
                    adds,
                    ..Change::default()
                });
                self.asked.push_back(Asked::Add { invite: id, key });
            }
            Some(InvitationEvent::Ended(reason)) => {
                self.invites.remove(position);
                context.event(Event::InviteEnded { id, reason });
            }
            None => {}
        }
    }

    /// What the own KeyPackages were taken for: conversations, or the desk's next group.
    pub(super) fn handle_offers(&mut self, seen: &Seen, context: &mut Context<'_>) {
        let Self { offers, me, .. } = self;
        for event in offers.handle_seen(seen, me, context.now, context.rng) {
            match event {
                OfferEvent::Joined(group) if group.terms().profile == Profile::Desk => {
                    self.go_on_in(*group, context);
                }
                OfferEvent::Joined(group) => self.events.push_back(DeskEvent::Joined {
                    channel: None,
                    row: None,
                    group,
                    texts: Vec::new(),
                }),
                OfferEvent::TakenOften { alias } => {
                    context.event(Event::KeyPackagesTaken { alias });
                }
            }
        }
    }

    pub(super) fn handle_takes(&mut self, seen: &Seen, context: &mut Context<'_>) {
        for take in std::mem::take(&mut self.takes) {
            match take.handle_seen(seen, &self.me, context.rng) {
                Err(take) => self.takes.push(*take),
                Ok(Taken::ToPropose(conversation, proposal, ends)) => {
                    self.events
                        .push_back(DeskEvent::Proposal(conversation, proposal, ends));
                }
                Ok(Taken::ToCircle(circle, message)) => {
                    self.events.push_back(DeskEvent::ToCircle(circle, message));
                }
                Ok(Taken::ToAdd(key, message)) => self.note_taken(Brought { key, message }),
                Ok(Taken::Elsewhere(TakenFor::Successor { colleague, .. })) => {
                    self.bring(&colleague.key, context);
                }
                Ok(Taken::Elsewhere(TakenFor::Circle { circle, colleague })) => {
                    if self.take_for_circle(circle, colleague, context).is_err() {
                        self.events.push_back(DeskEvent::ProposalFailed(circle));
                    }
                }
                Ok(Taken::Elsewhere(TakenFor::Proposal(wish))) => {
                    let conversation = wish.conversation;
                    if self.take(wish, context).is_err() {
                        self.events
                            .push_back(DeskEvent::ProposalFailed(conversation));
                    }
                }
            }
        }
    }

    pub(super) fn end_invite(
        &mut self,
        id: InviteId,
        reason: InviteEnd,
        context: &mut Context<'_>,
    ) {
        self.invites.retain(|invited| invited.id != id);
        context.event(Event::InviteEnded { id, reason });
    }
}
