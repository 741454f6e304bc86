//! A person who waits: her contact with the desk, and whose answer she joins. [I-5]–[I-8]

pub mod replies;
mod returning;

use std::collections::VecDeque;

use cobijo_protocol::{
    card::{Attestation, Card, DeskKey},
    commit::Profile,
    credential::{Identity, PersonLeaf},
    intake::SignedReply,
    keys::{PublicKey, SecretKey},
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{
    erasing::Erasing,
    group::Group,
    intake::{Contact, ContactError, ContactEvent, PersonPackage, RETRY_AFTER},
    joining::{Expect, Joining, Known, Lineage},
    port::{Now, RelayFacts, Rng, Seen, Wants},
};
use crate::mls::{Suite, key_package::OfferedKeyPackage};

pub use replies::{Decision, Replies, Wanted};
pub use returning::ReturnPackage;

/// A person who waits.
#[derive(Serialize, Deserialize)]
pub struct Waiting {
    suite: Suite,
    contact: Contact,
    wanted: Wanted,
    /// The group that a rescue's Welcome leads back to, from any of its members.
    known: Option<Known>,
    /// Return leaves of hers by which she may join, if another device of hers offered them.
    returns: Vec<ReturnPackage>,
    replies: Option<Replies>,
    /// A rescue: members of the group may add her without any reply, by any leaf that she offered.
    #[serde(default)]
    rescues: Vec<Joining>,
    answer: Answer,
    /// The Welcome was found missing on this connection.
    #[serde(skip)]
    needs_connection: bool,
    /// What the relay of this connection said of its days.
    #[serde(skip)]
    relay: Option<RelayFacts>,
    #[serde(skip)]
    events: VecDeque<WaitingEvent>,
}

/// Who answers.
#[derive(Serialize, Deserialize)]
enum Answer {
    /// Nobody yet.
    Nobody,
    /// Somebody, who must be on the present card: it is fetched, from then on.
    Standing { reply: Box<SignedReply>, from: Now },
    /// A claimer: her Welcome is being joined. It was `missing` on an earlier connection.
    Joining {
        joinings: Vec<Joining>,
        missing: bool,
    },
    /// What stands can't be joined; it is refused once this device has offered a KeyPackage of its own.
    Unjoinable,
    /// A member of the desk offers to come in.
    Offered {
        package: ByteBuf,
        /// Her yes was given: who offers must be on a card that is fetched from then on.
        #[serde(default)]
        agreed: Option<Now>,
    },
    /// It was joined; what is on its way into the waiting thread is waited for.
    Joined { group: Box<Group>, by: PersonLeaf },
    /// Her yes was given, or she was let in again.
    Over,
}

/// What she is told.
#[derive(Debug, Clone)]
pub enum WaitingEvent {
    /// About her contact with the desk.
    Contact(ContactEvent),
    /// Somebody has answered, and can't be joined: she waits on.
    CouldNotJoin,
    /// A member of the desk offers to come in: her yes adds.
    Offered(Box<Attestation>),
    /// Her yes counts: go on with [`Waiting::accept`].
    Agreed,
    /// Her yes came too late: whoever offered is no longer of the desk.
    NotAgreed,
    /// It was joined: take it with [`Waiting::take_group`].
    Joined,
}

/// An answer that was joined.
pub struct Joined {
    /// The group.
    pub group: Group,
    /// By which leaf of hers.
    pub by: PersonLeaf,
    /// Her key in it.
    pub person: SecretKey,
    /// What erases what she wrote while she waited.
    pub erasing: Erasing,
    /// What she wrote while she waited.
    pub said: Vec<String>,
    /// What she wrote too late for the waiting thread: it must be said in the group.
    pub unsaid: Vec<String>,
}

impl Waiting {
    /// Waits for an answer to a contact. For a rescue, `known` is the group that she can't follow.
    pub fn new(suite: Suite, contact: Contact, wanted: Wanted, known: Option<Known>) -> Self {
        Self {
            suite,
            contact,
            wanted,
            known,
            returns: Vec::new(),
            replies: None,
            rescues: Vec::new(),
            answer: Answer::Nobody,
            needs_connection: false,
            relay: None,
            events: VecDeque::new(),
        }
    }

    /// Her contact.
    pub fn contact(&self) -> &Contact {
        &self.contact
    }

    /// Whether a card is to be fetched and given to [`Self::handle_card`].
    pub fn needs_card(&self, now: Now) -> bool {
        self.look().is_some_and(|from| from <= now) || self.contact.needs_card(now)
    }

    /// Whether it can't go on without a card, now or later.
    pub fn lacks_card(&self) -> bool {
        self.look().is_some() || self.contact.lacks_card()
    }

    /// From when on a card is looked at for who answers.
    fn look(&self) -> Option<Now> {
        match self.answer {
            Answer::Standing { from, .. } => Some(from),
            Answer::Offered { agreed, .. } => agreed,
            Answer::Nobody
            | Answer::Joining { .. }
            | Answer::Joined { .. }
            | Answer::Unjoinable
            | Answer::Over => None,
        }
    }

    /// A card was fetched whose signatures hold.
    ///
    /// # Errors
    /// [`ContactError`]: another card is needed.
    pub fn handle_card(
        &mut self,
        card: &Card,
        now: Now,
        rng: &mut Rng,
    ) -> Result<(), ContactError> {
        self.contact.handle_card(card, now, rng)?;
        let root = card.desk_key.root;
        let person = self.contact.person().public();
        let r = self.contact.r().clone();
        self.replies
            .get_or_insert_with(|| Replies::new(r, root, person, self.wanted));
        self.expect_rescue();
        if let Answer::Standing { reply, .. } = &self.answer {
            let reply = reply.clone();
            self.consider(&reply, card, now, rng);
        } else if self.has_agreed() {
            self.consider_yes(card, now, rng);
        }
        self.drain_contact();
        Ok(())
    }

    /// Waits for a rescue by each leaf that she offered.
    fn expect_rescue(&mut self) {
        let (Some(known), Some(root)) = (&self.known, self.contact.root()) else {
            return;
        };
        if matches!(self.answer, Answer::Joined { .. } | Answer::Over) {
            return;
        }
        for own in self.contact.packages() {
            let message = own.package.message();
            let mut rescues = self.rescues.iter();
            if rescues.any(|joining| joining.key_package().message() == message) {
                continue;
            }
            let expect = Expect {
                profile: Profile::Conversation,
                root,
                signers: known.members.iter().copied().collect(),
                roster: None,
                lineage: Lineage::Same(Box::new(known.clone())),
                welcome: None,
            };
            self.rescues.push(join(own, expect).told(self.relay));
        }
    }

    /// No card came: later again.
    pub fn postpone_card(&mut self, now: Now) {
        self.contact.postpone_card(now);
        let later = now.plus(RETRY_AFTER);
        match &mut self.answer {
            Answer::Standing { from, .. } => *from = later,
            Answer::Offered { agreed, .. } => *agreed = agreed.map(|_| later),
            Answer::Nobody
            | Answer::Joining { .. }
            | Answer::Joined { .. }
            | Answer::Unjoinable
            | Answer::Over => {}
        }
    }

    /// Adds to what she wrote.
    ///
    /// # Errors
    /// [`ContactError::TooLong`].
    pub fn add(&mut self, text: &str, rng: &mut Rng) -> Result<(), ContactError> {
        self.contact.add(text, rng)
    }

    /// Takes her contact back.
    pub fn take_back(&mut self) {
        self.contact.take_back();
        self.replies = None;
        self.rescues.clear();
        self.answer = Answer::Over;
    }

    /// Whether she took it back, and all is erased.
    pub fn is_over(&self) -> bool {
        self.contact.is_over()
    }

    /// The offer that waits for her answer.
    pub fn offer(&self) -> Option<OfferedKeyPackage> {
        let Answer::Offered { package, .. } = &self.answer else {
            return None;
        };
        let root = self.contact.root()?;
        OfferedKeyPackage::parse(package, self.suite, &root).ok()
    }

    /// Her yes, which counts once a card names whoever offers still: [`WaitingEvent::Agreed`]. Gives whether
    /// there is an offer that is not out of date.
    pub fn agree(&mut self, now: Now) -> bool {
        let is_fresh = self.offer().is_some_and(|offered| {
            matches!(offered.identity(), Identity::Member { attestation, .. } if attestation.not_after >= now.day())
        });
        if let Answer::Offered { agreed, .. } = &mut self.answer
            && is_fresh
        {
            agreed.get_or_insert_default();
        }
        is_fresh
    }

    /// Whether her yes was given.
    pub fn has_agreed(&self) -> bool {
        matches!(
            self.answer,
            Answer::Offered {
                agreed: Some(_),
                ..
            }
        )
    }

    /// She agreed: the caller adds the KeyPackage, to her group or to its successor.
    pub fn accept(&mut self) -> Option<OfferedKeyPackage> {
        let offer = self.offer()?;
        self.replies = None;
        self.rescues.clear();
        self.answer = Answer::Over;
        Some(offer)
    }

    /// Her no, or no place for it: the contest goes on.
    pub fn refuse(&mut self, rng: &mut Rng) {
        self.answer = Answer::Nobody;
        if let Some(replies) = &mut self.replies {
            // A signature fits a cell.
            let _fits = replies.refuse(self.contact.person(), rng);
        }
    }

    /// What was joined, once nothing is on its way into the waiting thread any more.
    pub fn take_group(&mut self) -> Option<Joined> {
        if !matches!(self.answer, Answer::Joined { .. }) || !self.contact.is_settled() {
            return None;
        }
        let Answer::Joined { group, by } = std::mem::replace(&mut self.answer, Answer::Over) else {
            return None;
        };
        let mut said: Vec<_> = self.contact.texts().map(str::to_owned).collect();
        let unsaid = self.contact.finish();
        said.truncate(said.len().saturating_sub(unsaid.len()));
        let person = self.contact.person().clone();
        Some(Joined {
            group: *group,
            by,
            person,
            erasing: self.contact.erasing(),
            said,
            unsaid,
        })
    }

    /// Whether it goes on only on another connection, which must not be this one.
    pub fn needs_connection(&self) -> bool {
        self.needs_connection
    }

    /// What is wanted from the relay.
    pub fn wants(&self, wants: &mut Wants) {
        self.contact.wants(wants);
        if let Some(replies) = &self.replies {
            replies.wants(wants);
        }
        for rescue in &self.rescues {
            rescue.wants(wants);
        }
        match &self.answer {
            Answer::Joining { joinings, .. } => {
                joinings.iter().for_each(|joining| joining.wants(wants));
            }
            Answer::Joined { group, .. } => group.wants(wants),
            Answer::Nobody
            | Answer::Unjoinable
            | Answer::Standing { .. }
            | Answer::Offered { .. }
            | Answer::Over => {}
        }
    }

    /// Takes what the relay said.
    pub fn handle_seen(&mut self, seen: &Seen, now: Now, rng: &mut Rng) {
        if let Seen::Connected(relay) = seen {
            self.needs_connection = false;
            self.relay = Some(*relay);
        }
        self.contact.handle_seen(seen, now, rng);
        self.drain_contact();
        let decision = self
            .replies
            .as_mut()
            .and_then(|replies| replies.handle_seen(seen, rng));
        match decision {
            Some(Decision::Stands { reply, .. }) => {
                let from = Now::default();
                self.answer = Answer::Standing { reply, from };
            }
            Some(Decision::Refused { .. }) => self.answer = Answer::Nobody,
            None => self.join_answer(seen, now, rng),
        }
        self.join_rescue(seen, now, rng);
    }

    /// A reply stands: can it be joined, or offered to her? Its signatures hold for a year, so the
    /// present card tells whether its author is still of the desk. [I-12]
    fn consider(&mut self, reply: &SignedReply, card: &Card, now: Now, rng: &mut Rng) {
        let root = card.desk_key.root;
        let attested = reply.by.verify(&root).ok();
        let is_fresh = |(attestation, desk_key): &(Attestation, DeskKey)| {
            is_of_desk(attestation, desk_key.serial, card, now)
        };
        let Some((attestation, _)) = attested.filter(is_fresh) else {
            return self.refuse(rng);
        };
        if self.wanted == Wanted::Offer {
            return self.consider_offer(reply, attestation, root, rng);
        }
        if self.contact.package().is_none() && self.returns.is_empty() {
            return self.refuse(rng);
        }
        // Nobody is in the room but the claimer and herself.
        let expect = Expect {
            profile: Profile::Conversation,
            root,
            signers: vec![attestation.key],
            roster: Some([attestation.key, self.contact.person().public()].into()),
            lineage: Lineage::First,
            welcome: Some(reply.hash),
        };
        let of = |joining: Joining| joining.by_head(&reply.content).told(self.relay);
        let device = self.contact.packages();
        let device = device.map(|own| of(join(own, expect.clone())));
        let returns = self.returns.iter();
        let returns = returns.map(|own| {
            let (package, key) = (own.package.clone(), own.key.clone());
            of(Joining::new(package, key, expect.clone()))
        });
        self.answer = Answer::Joining {
            joinings: device.chain(returns).collect(),
            missing: false,
        };
    }

    /// Weeks may lie between the offer and her yes. [I-12]
    fn consider_yes(&mut self, card: &Card, now: Now, rng: &mut Rng) {
        let offer = self.offer();
        let holds = offer.is_some_and(|offered| {
            let serial = offered.identity().desk_serial().unwrap_or(0);
            matches!(offered.identity(), Identity::Member { attestation, .. } if is_of_desk(attestation, serial, card, now))
        });
        if holds {
            self.events.push_back(WaitingEvent::Agreed);
        } else {
            self.refuse(rng);
            self.events.push_back(WaitingEvent::NotAgreed);
        }
    }

    fn consider_offer(
        &mut self,
        reply: &SignedReply,
        attestation: Attestation,
        root: PublicKey,
        rng: &mut Rng,
    ) {
        let offered = OfferedKeyPackage::parse(&reply.content, self.suite, &root);
        if !offered.is_ok_and(|offered| *offered.leaf_key() == attestation.key) {
            return self.refuse(rng);
        }
        self.answer = Answer::Offered {
            package: reply.content.clone(),
            agreed: None,
        };
        self.events
            .push_back(WaitingEvent::Offered(Box::new(attestation)));
    }

    fn join_rescue(&mut self, seen: &Seen, now: Now, rng: &mut Rng) {
        self.expect_rescue();
        let mut rescues = self.rescues.iter_mut();
        let group = rescues.find_map(|rescue| rescue.handle_seen(seen, now, rng));
        if let Some(group) = group {
            self.joined(group, PersonLeaf::Device);
        }
    }

    fn joined(&mut self, group: Group, by: PersonLeaf) {
        self.replies = None;
        self.rescues.clear();
        self.answer = Answer::Joined {
            group: Box::new(group),
            by,
        };
        self.events.push_back(WaitingEvent::Joined);
    }

    fn drain_contact(&mut self) {
        while let Some(event) = self.contact.poll_event() {
            self.events.push_back(WaitingEvent::Contact(event));
        }
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Now> {
        let look = self.look().filter(|from| *from > Now::default());
        look.into_iter().chain(self.contact.poll_timeout()).min()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Now) {
        self.contact.handle_timeout(now);
    }

    /// What she is to be told.
    pub fn poll_event(&mut self) -> Option<WaitingEvent> {
        self.events.pop_front()
    }
}

/// Whether the card names whoever is attested so. [I-12]
fn is_of_desk(attestation: &Attestation, desk_serial: u32, card: &Card, now: Now) -> bool {
    card.body.posters.contains(&attestation.key)
        && attestation.not_after >= now.day()
        && desk_serial >= card.desk_key.serial
}

fn join(own: &PersonPackage, expect: Expect) -> Joining {
    Joining::new(own.package.clone(), own.key.clone(), expect)
}
