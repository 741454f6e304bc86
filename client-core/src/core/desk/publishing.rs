//! Keeping the desk open: today's card with its intake key, and a desk key that has not run out.

use cobijo_protocol::{
    card::Role,
    content::{Content, DeskContent, IntakeKey},
    keys::{IntakeSeed, PublicKey, SecretKey},
    link::DeskId,
};
use serde_bytes::ByteBuf;

use super::{Desk, Storing};
use crate::core::{
    card::{Author, Plan, Step},
    client::{CardAbsent, CardRefusal, Context, Description, Event, PublishAnswer},
    contest::random,
    port::{Now, Rng},
};

impl Desk {
    /// Takes what became of a fetch.
    pub(crate) fn handle_card_fetched(
        &mut self,
        desk: &DeskId,
        card: Result<Vec<u8>, CardAbsent>,
        context: &mut Context<'_>,
    ) {
        if *desk == self.link.desk {
            if self.card.handle_fetched(card, context.now) {
                self.refuse_card(CardRefusal::Unreachable, context);
            }
            self.advance(context);
        }
    }

    /// Takes what became of publishing; tells the colleagues, so that everyone refuses lower cards.
    pub(crate) fn handle_card_published(
        &mut self,
        desk: &DeskId,
        answer: PublishAnswer,
        context: &mut Context<'_>,
    ) {
        if *desk != self.link.desk {
            return;
        }
        match self.card.handle_published(answer, context.now) {
            Some(Ok(version)) => {
                self.refusal = None;
                context.event(Event::CardPublished(version));
                if let Some(card) = self.card.bytes().map(ByteBuf::from) {
                    self.tell(DeskContent::Card { version, card }, context.rng);
                }
                self.forget_what_the_card_says();
            }
            Some(Err(refusal)) => self.refuse_card(refusal, context),
            None => {}
        }
        self.advance(context);
    }

    /// Does what the card needs next.
    pub(super) fn keep_card(&mut self, context: &mut Context<'_>) {
        if !self.keeps_card() {
            return;
        }
        self.forget_what_the_card_says();
        while let Some(step) = self.next_card_step(context.now) {
            match step {
                Step::Fetch => context.fetch_card(self.link.relay.clone(), self.link.desk),
                Step::Publish(card) => {
                    context.publish_card(self.link.relay.clone(), self.link.desk, card);
                }
                Step::Refused(refusal) => self.refuse_card(refusal, context),
                Step::MakeIntakeKey => {
                    if self.storing.is_empty() {
                        self.make_intake_key(false, context);
                    }
                    return;
                }
            }
        }
    }

    /// Whether the card is this member's to keep: on shift, or with the desk key.
    pub(super) fn keeps_card(&self) -> bool {
        // Not while colleagues are on their way into a successor: the card would name them no more.
        self.making.is_none() && (self.shift.is_on() || self.keys.holds_desk_key())
    }

    fn next_card_step(&mut self, now: Now) -> Option<Step> {
        let posters = self.posters();
        let foreign = self.naming.foreign();
        let Self {
            card,
            keys,
            board,
            me,
            shift,
            description,
            mailbox,
            ..
        } = self;
        let author = keys.signer().map(|(key, signed)| Author {
            key,
            signed,
            description: description.as_ref(),
            posters,
        });
        let intake_key = match mailbox {
            Some(mailbox) if author.is_some() => board.intake_key(mailbox),
            Some(_) | None => board.intake_key_of(now.day()),
        };
        let plan = Plan {
            today: now.day(),
            open_today: shift.is_on(),
            key: &me.key,
            author,
            intake_key,
            mailbox: *mailbox,
            foreign,
        };
        card.next(&plan, now)
    }

    /// Everyone in the desk who is not about to be removed, in order.
    fn posters(&self) -> Vec<PublicKey> {
        let mut posters: Vec<PublicKey> = self.members().iter().map(|one| one.key).collect();
        posters.retain(|key| !self.is_evicted(key));
        posters.sort_unstable();
        posters
    }

    /// Stores a mailbox and an intake key of today in the group.
    pub(super) fn make_intake_key(&mut self, must_name: bool, context: &mut Context<'_>) {
        let key = IntakeKey {
            day: context.now.day(),
            mailbox: SecretKey::from_bytes(random(context.rng)),
            seed: IntakeSeed::from_bytes(random(context.rng)),
        };
        let content = Content::Desk(DeskContent::IntakeKey(key.clone()));
        if let Ok(id) = self.group.send_once(content, context.rng) {
            self.storing.push(Storing {
                id,
                key,
                must_name,
                is_spent: false,
            });
        }
    }

    /// What was to be changed is as it should be.
    fn forget_what_the_card_says(&mut self) {
        let Some(card) = self.card.card() else {
            return;
        };
        let says = Description::of(&card.body);
        self.description.take_if(|wanted| *wanted == says);
        if self.has_moved() {
            self.mailbox = None;
        }
    }

    /// Says once why the card is not published.
    fn refuse_card(&mut self, refusal: CardRefusal, context: &mut Context<'_>) {
        if self.refusal != Some(refusal) {
            self.refusal = Some(refusal);
            context.event(Event::CardRefused(refusal));
        }
    }

    /// Renews the desk key before it ends, where the root key is here; else says when it will end.
    pub(super) fn keep_desk_key(&mut self, context: &mut Context<'_>) {
        let today = context.now.day();
        if !self.keys.is_due(today) {
            return;
        }
        if self.keys.root_key().is_some() {
            self.renew_desk_key(context);
        } else if self.expiry_told != self.keys.not_after() {
            self.expiry_told = self.keys.not_after();
            if let Some(last) = self.expiry_told {
                context.event(Event::DeskKeyExpires(last));
            }
        }
    }

    /// Makes the next desk key, attests everyone anew under it, and shares it with the coordinators:
    /// not with those who are about to be removed.
    pub(super) fn renew_desk_key(&mut self, context: &mut Context<'_>) {
        let today = context.now.day();
        if self.keys.renew(today, context.rng).is_err() {
            return;
        }
        let members = self.members().into_iter();
        let members: Vec<_> = members.filter(|one| !self.is_evicted(&one.key)).collect();
        let attested: Vec<_> = members
            .iter()
            .filter_map(|one| self.keys.attest(one.key, &one.alias, one.role, today))
            .collect();
        let own = self.me.key.public();
        let mine = members.iter().position(|one| one.key == own);
        if let Some(mine) = mine.and_then(|position| attested.get(position)) {
            self.me.attested = mine.clone();
            self.offers.retire_free();
        }
        self.tell(DeskContent::Attested(attested), context.rng);
        let coordinators = members.iter().filter(|one| one.role == Role::Coordinator);
        let coordinators: Vec<_> = coordinators.map(|one| one.key).collect();
        self.share_desk_key(&coordinators, context.rng);
    }

    /// Seals the desk key to those of the coordinators who said where they receive it, and whom it is for.
    pub(super) fn share_desk_key(&mut self, coordinators: &[PublicKey], rng: &mut Rng) {
        let own = self.me.key.public();
        for (to, seal_key) in self.board.seal_keys(coordinators) {
            if to == own || self.is_evicted(&to) || !self.keys.is_for(&to) {
                continue;
            }
            if let Some(content) = self.keys.share(to, &seal_key) {
                self.tell(content, rng);
            }
        }
    }
}
