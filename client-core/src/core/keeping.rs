//! A phrase that is kept: what it finds follows her from waiting into her conversation. [B-8], [B-9]
//!
//! One cycle serves a device and whoever came back: make the next return leaf, store the capsule that
//! holds it, and only then let the leaf in, by what is put into the waiting thread, or by one commit
//! that removes her other leaves. A device keeps nothing of the leaf's secrets.

use std::{collections::VecDeque, time::Duration};

use cobijo_protocol::{
    capsule::{Capsule, CapsuleCircle, Place, ReturnLeaf, Shows},
    credential::PersonLeaf,
    keys::{PublicKey, SecretKey},
    limits::CAPSULE_LEAVES_MAX,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{
    capsule::{Keeper, Kept},
    conversation::Conversation,
    intake::PersonPackage,
    port::{Now, Rng, Seen, Wants},
    waiting::Waiting,
};
use crate::mls::{MlsError, Suite};

/// Time after which the return leaf is renewed: what it can read goes back no further, as long as she
/// comes by.
const RENEW_AFTER: Duration = Duration::from_secs(7 * 86_400);
/// Time until the next attempt, where a leaf could not be let in.
const RETRY_AFTER: Duration = Duration::from_secs(60);
/// Time until the next attempt, where no capsule could be stored.
const STORE_AGAIN_AFTER: Duration = Duration::from_secs(86_400);

/// Keeps the capsules of her phrase, and the return leaf that they lead to.
#[derive(Clone, Serialize, Deserialize)]
pub struct Keeping {
    keeper: Keeper,
    root: PublicKey,
    person: SecretKey,
    shows: Shows,
    /// Leaves of the capsules that led here: only whoever comes back has their secrets.
    carried: Vec<ReturnLeaf>,
    /// She has come back, and has not taken her place yet.
    is_returning: bool,
    step: Step,
    /// The newest leaf that was let in, and the group that its capsule names.
    current: Option<(PublicKey, Option<ByteBuf>)>,
    due: Now,
    not_before: Now,
    /// The last attempt gave way to what somebody else had stored.
    has_yielded: bool,
    /// She was told that the phrase could not be renewed.
    is_told: bool,
    /// The circles that her next capsule names; they are others than in the last one. [O-7]
    circles: Vec<CapsuleCircle>,
    has_circle_news: bool,
    #[serde(skip)]
    events: VecDeque<KeepingEvent>,
}

#[derive(Clone, Serialize, Deserialize)]
enum Step {
    /// Nothing is on its way.
    Idle,
    /// The capsule is.
    Storing(Box<Next>),
    /// It stands; the leaf is to be let in.
    LettingIn(Box<Next>),
}

/// The next return leaf, without its secrets.
#[derive(Clone, Serialize, Deserialize)]
struct Next {
    leaf: PublicKey,
    key_package: ByteBuf,
    /// The group that the capsule names; none while she waits.
    group: Option<ByteBuf>,
    /// This device's leaf, where it waits in another's place.
    device: Option<PersonPackage>,
    is_asked_for: bool,
}

/// What she is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepingEvent {
    /// From now on the phrase leads back to where she is.
    Kept,
    /// For two weeks it could not be stored where the phrase leads: perhaps it leads nowhere.
    NotKept,
    /// Another device of hers was first: this one locks itself.
    Overtaken,
    /// She can't come back: there is no slot left for her capsule.
    NoRoom,
}

impl Keeping {
    /// Keeps a new phrase.
    pub fn new(keeper: Keeper, root: PublicKey, person: SecretKey, shows: Shows) -> Self {
        Self {
            keeper,
            root,
            person,
            shows,
            carried: Vec::new(),
            is_returning: false,
            step: Step::Idle,
            current: None,
            due: Now::default(),
            not_before: Now::default(),
            has_yielded: false,
            is_told: false,
            circles: Vec::new(),
            has_circle_news: false,
            events: VecDeque::new(),
        }
    }

    /// Goes on keeping the phrase by which she came back; `leaves` are those that its capsules held.
    pub fn returning(
        keeper: Keeper,
        root: PublicKey,
        person: SecretKey,
        shows: Shows,
        leaves: Vec<ReturnLeaf>,
    ) -> Self {
        Self {
            carried: leaves,
            is_returning: true,
            ..Self::new(keeper, root, person, shows)
        }
    }

    /// Names these circles from the next capsule on, which is stored at once where they are others.
    pub fn name_circles(&mut self, circles: Vec<CapsuleCircle>) {
        if self.circles != circles {
            self.circles = circles;
            self.has_circle_news = true;
            self.due = Now::default();
        }
    }

    /// Whether a connection is needed.
    pub fn is_busy(&self) -> bool {
        self.keeper.is_busy()
    }

    /// Erases all capsules: the phrase leads nowhere any more.
    pub fn forget(&mut self) {
        self.step = Step::Idle;
        self.carried.clear();
        self.keeper.forget_all();
    }

    /// What is wanted from the relay.
    pub fn wants(&self, wants: &mut Wants) {
        self.keeper.wants(wants);
    }

    /// Takes what the relay said.
    pub fn handle_seen(&mut self, seen: &Seen, now: Now, rng: &mut Rng) {
        match (
            self.keeper.handle_seen(seen, now.day(), rng),
            &mut self.step,
        ) {
            (Some(Kept::Stored), Step::Storing(next)) => {
                self.step = Step::LettingIn(next.clone());
            }
            // It has moved to the next generation.
            (Some(Kept::Stored), _) => {
                let current = self.current.as_ref();
                if current.is_some_and(|(_, group)| group.is_some()) {
                    self.keeper.forget_older();
                }
            }
            (Some(Kept::Overtaken), _) if self.is_returning => {
                self.step = Step::Idle;
                self.events.push_back(KeepingEvent::Overtaken);
            }
            (Some(Kept::Full), _) if self.is_returning => {
                self.step = Step::Idle;
                self.events.push_back(KeepingEvent::NoRoom);
            }
            (Some(kept @ (Kept::Overtaken | Kept::Full | Kept::WrongDay)), _) => {
                self.has_yielded |= kept == Kept::Overtaken;
                self.store_again(now);
            }
            (None, _) => {}
        }
    }

    /// What stands is left as it is: a phrase is not worth more than what it leads to.
    fn store_again(&mut self, now: Now) {
        self.step = Step::Idle;
        self.not_before = now.plus(STORE_AGAIN_AFTER);
        if !self.is_told && now >= self.due.plus(RENEW_AFTER) {
            self.is_told = true;
            self.events.push_back(KeepingEvent::NotKept);
        }
    }

    /// When [`Self::follow`] or [`Self::wait`] has something to do, where that takes time.
    pub fn poll_timeout(&self) -> Option<Now> {
        let is_idle = matches!(self.step, Step::Idle) && !self.keeper.is_storing();
        let due = if self.keeper.lies_ahead() {
            Now::default()
        } else {
            self.due
        };
        is_idle.then_some(due.max(self.not_before))
    }

    /// Takes the next step in her conversation.
    pub fn follow(&mut self, conversation: &mut Conversation, now: Now, rng: &mut Rng) {
        if !Self::may_follow(conversation) {
            return;
        }
        self.is_returning |= conversation.is_returning();
        let needs_leaf = self.needs_leaf(conversation, now);
        match &mut self.step {
            Step::Idle if needs_leaf && !self.keeper.is_storing() => {
                let group = ByteBuf::from(conversation.group_id());
                let (suite, serial) = (conversation.suite(), conversation.next_serial());
                let place = Place::Group(group);
                self.make(suite, serial, place, None, now, rng);
            }
            Step::LettingIn(next) if conversation.has_leaf(&next.leaf) => {
                let next = next.clone();
                self.keeper.forget_older();
                self.let_in(*next, now, rng);
            }
            Step::LettingIn(next) if !conversation.has_return_request() => {
                if next.is_asked_for {
                    // It was refused: another one, of a higher serial.
                    self.step = Step::Idle;
                    self.not_before = now.plus(RETRY_AFTER);
                } else {
                    next.is_asked_for = true;
                    conversation.request_return_leaf(next.key_package.clone());
                }
            }
            Step::Idle | Step::Storing(_) | Step::LettingIn(_) => {}
        }
    }

    /// Whether there may be something to do in her conversation.
    pub fn may_follow(conversation: &Conversation) -> bool {
        let may_commit = conversation.is_open() || conversation.is_returning();
        may_commit && conversation.is_caught_up()
    }

    /// Whether there may be something to do while she waits.
    pub fn may_wait(&self, waiting: &Waiting) -> bool {
        if self.is_returning {
            waiting.is_unanswered()
        } else {
            waiting.contact().is_stored() && !waiting.is_answered()
        }
    }

    fn needs_leaf(&self, conversation: &Conversation, now: Now) -> bool {
        let leads_here = self.current.as_ref().is_some_and(|(leaf, group)| {
            let leads = group.as_ref().map(|group| group.as_slice());
            conversation.has_leaf(leaf) && leads == Some(conversation.group_id())
        });
        now >= self.not_before && (!leads_here || self.is_due(now))
    }

    fn is_due(&self, now: Now) -> bool {
        now >= self.due || self.keeper.lies_ahead()
    }

    /// Takes the next step while she waits.
    pub fn wait(&mut self, waiting: &mut Waiting, suite: Suite, now: Now, rng: &mut Rng) {
        let contact = waiting.contact();
        let (has_offered, serial) = (contact.has_offered(), contact.next_serial());
        let may_offer = self.may_wait(waiting);
        let may_store = now >= self.not_before && !self.keeper.is_storing();
        let needs_leaf = may_store && (self.current.is_none() || self.is_due(now));
        match &mut self.step {
            Step::Idle if may_offer && needs_leaf => {
                let Some(intake_key) = contact.intake_key() else {
                    return;
                };
                let place = Place::Waiting {
                    r: contact.r().clone(),
                    intake_key: ByteBuf::from(intake_key),
                };
                let (device, serial) = match self.device(suite, serial, rng) {
                    Ok(device) => (device, serial.saturating_add(1)),
                    Err(MlsError) => return self.not_before = now.plus(RETRY_AFTER),
                };
                self.make(suite, serial, place, device, now, rng);
            }
            Step::LettingIn(next) if !next.is_asked_for => {
                next.is_asked_for = true;
                let (device, message) = (next.device.take(), next.key_package.clone());
                // A KeyPackage fits its payload.
                let _fits = waiting.offer_leaves(device, message, rng);
            }
            Step::LettingIn(next) if has_offered => {
                // A claimer may have taken the one before: older capsules stand until she has joined.
                let next = next.clone();
                self.let_in(*next, now, rng);
            }
            Step::Idle | Step::Storing(_) | Step::LettingIn(_) => {}
        }
    }

    /// This device's leaf, where it takes another's place.
    fn device(
        &self,
        suite: Suite,
        serial: u32,
        rng: &mut Rng,
    ) -> Result<Option<PersonPackage>, MlsError> {
        let device = || PersonPackage::new(suite, &self.person, serial, PersonLeaf::Device, rng);
        self.is_returning.then(device).transpose()
    }

    /// Makes the next return leaf, and has its capsule stored; nothing of its secrets stays here.
    fn make(
        &mut self,
        suite: Suite,
        serial: u32,
        place: Place,
        device: Option<PersonPackage>,
        now: Now,
        rng: &mut Rng,
    ) {
        let made = self.try_make(suite, serial, place, device, now, rng);
        if made.is_err() {
            self.not_before = now.plus(RETRY_AFTER);
        }
    }

    fn try_make(
        &mut self,
        suite: Suite,
        serial: u32,
        place: Place,
        device: Option<PersonPackage>,
        now: Now,
        rng: &mut Rng,
    ) -> Result<(), MlsError> {
        let own = PersonPackage::new(suite, &self.person, serial, PersonLeaf::Return, rng)?;
        let (init_key, encryption_key) = own.package.private_keys(rng)?;
        let key_package = ByteBuf::from(own.package.message());
        let group = match &place {
            Place::Group(group) => Some(group.clone()),
            Place::Waiting { .. } => None,
        };
        let next = Next {
            leaf: own.key.public(),
            key_package: key_package.clone(),
            group,
            device,
            is_asked_for: false,
        };
        let leaf = ReturnLeaf {
            key: own.key,
            key_package,
            init_key,
            encryption_key,
        };
        let carried = self.carried.iter().take(CAPSULE_LEAVES_MAX - 1).cloned();
        let capsule = Capsule {
            root: self.root,
            person: self.person.clone(),
            place,
            shows: self.shows,
            day: now.day(),
            leaves: std::iter::once(leaf).chain(carried).collect(),
            circles: self.circles.clone(),
        };
        self.has_circle_news = false;
        // Another device of hers comes back; but whoever always stores first must not end the phrase.
        let yields = self.is_returning || (self.current.is_some() && !self.has_yielded);
        self.keeper.store(&capsule, yields, rng)?;
        self.step = Step::Storing(Box::new(next));
        Ok(())
    }

    fn let_in(&mut self, next: Next, now: Now, rng: &mut Rng) {
        self.step = Step::Idle;
        if next.group.is_some() {
            self.carried.clear();
        }
        self.is_returning = false;
        (self.has_yielded, self.is_told) = (false, false);
        self.keeper.move_on(rng);
        self.current = Some((next.leaf, next.group));
        self.due = if self.has_circle_news {
            Now::default()
        } else {
            now.plus(RENEW_AFTER)
        };
        self.events.push_back(KeepingEvent::Kept);
    }

    /// What she is to be told.
    pub fn poll_event(&mut self) -> Option<KeepingEvent> {
        self.events.pop_front()
    }
}

impl std::fmt::Debug for Keeping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeping").finish_non_exhaustive()
    }
}
