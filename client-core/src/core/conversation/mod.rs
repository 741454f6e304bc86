//! A conversation: one survivor and the accompaniers she agreed to, as both sides see it. –[A-4],
//! –[A-11]
//!
//! Wraps the group. A successor takes its place without a break: what was said before stays before.

mod circles;
mod closing;
mod ending;
mod erasing;
mod files;
mod former;
mod proposals;
mod reading;
mod rescue;
mod retelling;
mod returning;
mod succession;
mod summary;

use std::collections::VecDeque;

use cobijo_protocol::{
    commit::Statement,
    content::{Content, MessageId, Proposal, Reads},
    credential::Identity,
    keys::{PublicKey, SecretKey},
    slot::ThreadSecret,
    words::WordIndices,
};
use serde::{Deserialize, Serialize};

use super::{
    client::{ConversationEvent, Entry, EntryState, MemberView, Speaker, Stopped},
    erasing::{Erasing, Sweep},
    file::{FileRefused, Files},
    group::{Change, Group, GroupError, Member},
    history::{History, speaker},
    port::{Now, Rng, Seen, Wants},
};
use crate::mls::MlsError;
use closing::Closing;
use ending::HandOver;
use former::Former;
use proposals::Proposals;
use rescue::Rescuing;
use retelling::{Agreed, Handing};
use returning::Returning;
use succession::person_of;
use summary::Summary;

pub(crate) use reading::stopped;

pub use circles::AboutCircle;
pub use proposals::Unacceptable;
pub use summary::Unwritable;

/// A conversation, whichever group carries it now.
#[derive(Serialize, Deserialize)]
pub struct Conversation {
    group: Group,
    /// Her key, on her own side.
    person: Option<SecretKey>,
    history: History,
    proposals: Proposals,
    files: Files,
    summary: Summary,
    /// Somebody is on her way in, by the person's yes.
    handing: Option<Handing>,
    /// What she agreed to with her yes to the desk's offer.
    offer_agreed: Agreed,
    handing_over: Option<HandOver>,
    /// What she erased of it.
    sweep: Sweep,
    #[serde(default)]
    former: Former,
    rescuing: Vec<Rescuing>,
    /// When a leaf of hers was heard of last.
    #[serde(default)]
    heard_her: Now,
    /// Whose rescue is over.
    rescued: VecDeque<ThreadSecret>,
    left: bool,
    closing: Closing,
    /// What erases what she wrote while she waited. [E-1]
    #[serde(default)]
    waited: Erasing,
    /// She has come back, and her commit has not won.
    #[serde(default)]
    returning: Option<Returning>,
    /// What was said about circles, until its owner has taken it.
    about_circles: VecDeque<AboutCircle>,
    #[serde(skip)]
    events: VecDeque<ConversationEvent>,
}

/// Why something can't be done in a conversation. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum ConversationError {
    /// The file can't be sent or opened.
    #[error(transparent)]
    File(#[from] FileRefused),
    /// The group can't be made or used.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// Cryptography refused.
    #[error(transparent)]
    Mls(#[from] MlsError),
    /// Only the person may do this.
    #[error("only for the person herself")]
    NotPerson,
    /// It can't be written in any more.
    #[error("conversation that has stopped")]
    Stopped,
    /// The proposal can't be accepted.
    #[error(transparent)]
    Unacceptable(#[from] Unacceptable),
    /// A circle has as many members as there may be.
    #[error("circle that is full")]
    Full,
    /// Only a facilitator may do this.
    #[error("only for facilitators")]
    NotFacilitator,
    /// There is nobody of that key.
    #[error("nobody of that key is here")]
    Unknown,
    /// The summary can't be written.
    #[error(transparent)]
    Unwritable(#[from] Unwritable),
}

impl Conversation {
    /// Her side, from the group that she joined.
    pub fn of_person(group: Group, person: SecretKey) -> Self {
        Self::new(group, Some(person))
    }

    /// An accompanier's side.
    pub fn of_member(group: Group) -> Self {
        Self::new(group, None)
    }

    fn new(group: Group, person: Option<SecretKey>) -> Self {
        Self {
            group,
            person,
            history: History::default(),
            proposals: Proposals::default(),
            files: Files::default(),
            summary: Summary::default(),
            handing: None,
            offer_agreed: Agreed::default(),
            handing_over: None,
            sweep: Sweep::default(),
            former: Former::default(),
            rescuing: Vec::new(),
            heard_her: Now::default(),
            rescued: VecDeque::new(),
            left: false,
            closing: Closing::default(),
            waited: Erasing::new(),
            returning: None,
            about_circles: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// The MLS group id.
    pub fn group_id(&self) -> &[u8] {
        self.group.id()
    }

    /// What she wrote while she waited: its first lines.
    pub fn first_text(&mut self, text: String, now: Now) {
        let entry = self.history.first_text(text, self.person.is_some(), now);
        self.events.push_back(ConversationEvent::Entry(entry));
    }

    /// What she told the desk when she asked it: said beside the group, after all that is shown.
    pub fn asked(&mut self, text: String, now: Now) {
        let entry = self.history.asked(text, self.person.is_some(), now);
        self.events.push_back(ConversationEvent::Entry(entry));
    }

    /// All lines, in order.
    pub fn history(&self) -> &[Entry] {
        if self.is_returning() {
            return &[];
        }
        self.history.entries()
    }

    /// Who is here, at all times. Of a person's leaves the one with the lowest serial is in use: the others
    /// are silent, and not shown. [B-9]
    pub fn members(&self) -> Vec<MemberView> {
        let own = self.group.own_key();
        let members = self.group.members();
        let serial = |member: &Member| match &member.identity {
            Identity::Person(hers) => Some(hers.serial),
            Identity::Member { .. } => None,
        };
        let is_own = |member: &&Member| self.person.is_none() || member.key == own;
        let in_use = members.iter().filter(is_own).filter_map(serial).min();
        let is_shown = |member: &Member| serial(member).is_none_or(|serial| Some(serial) == in_use);
        let view = |member: Member| MemberView {
            speaker: speaker(&member.identity),
            key: member.key,
            own: member.key == own,
            arriving: member.is_arriving,
            former: self.former.contains(&member.key),
        };
        members.into_iter().filter(is_shown).map(view).collect()
    }

    /// Whether she is here and has been heard of.
    pub fn person_has_arrived(&self) -> bool {
        let is_she =
            |member: &Member| matches!(member.identity, Identity::Person(_)) && !member.is_arriving;
        self.group.members().iter().any(is_she)
    }

    /// The person's key, as the group shows it.
    pub fn person(&self) -> Option<PublicKey> {
        person_of(&self.group)
    }

    /// Her secret key, on her own side.
    pub fn person_key(&self) -> Option<&SecretKey> {
        self.person.as_ref()
    }

    /// Six words to compare elsewhere.
    pub fn code(&self) -> WordIndices {
        self.group.code()
    }

    /// Why it can't be followed any more.
    pub fn stopped(&self) -> Option<Stopped> {
        self.group.stop().map(stopped)
    }

    /// Whether it can be written in: not after she has left.
    pub fn is_open(&self) -> bool {
        let is_followed = self.group.stop().is_none() && !self.is_returning();
        is_followed && !self.left && self.person().is_some()
    }

    /// Whether she may ask the desk about it: not after she has left.
    pub fn may_ask(&self) -> bool {
        !self.left
    }

    /// Says something.
    ///
    /// # Errors
    /// [`ConversationError`] where it is too long, or nobody can be told any more.
    pub fn say(
        &mut self,
        text: &str,
        now: Now,
        rng: &mut Rng,
    ) -> Result<MessageId, ConversationError> {
        self.send(Content::Text(text.to_owned()), now, rng)
    }

    /// Proposes a colleague, whose KeyPackage the caller has taken.
    ///
    /// # Errors
    /// [`ConversationError`] where nobody can be told any more.
    pub fn propose(
        &mut self,
        proposal: Proposal,
        now: Now,
        rng: &mut Rng,
    ) -> Result<MessageId, ConversationError> {
        self.send(Content::Proposal(proposal), now, rng)
    }

    fn send(
        &mut self,
        content: Content,
        now: Now,
        rng: &mut Rng,
    ) -> Result<MessageId, ConversationError> {
        self.check_open()?;
        let line = self.line(&content);
        let id = self.group.send(content, rng)?;
        if let Some(content) = line {
            let entry = Entry {
                id: Some(id),
                clock: self.group.clock(),
                at: now,
                author: self.own_speaker(),
                own: true,
                content,
                state: EntryState::Sending,
            };
            self.insert(entry);
        }
        Ok(id)
    }

    /// Her yes to a proposal: the commit that adds the colleague follows as soon as a card has told that
    /// she is still of the desk, see [`Self::handle_card`]. She reads no more than `reads`.
    ///
    /// # Errors
    /// [`ConversationError::Unacceptable`], e.g. where the attestation is out of date.
    pub fn accept(
        &mut self,
        proposal: MessageId,
        reads: Reads,
        now: Now,
    ) -> Result<(), ConversationError> {
        self.check_open()?;
        self.check_person()?;
        let (suite, root) = (self.group.suite(), self.group.terms().root);
        let agreed = self.agree(self.proposals.reads(proposal), reads);
        Ok(self.proposals.accept(proposal, agreed, suite, &root, now)?)
    }

    /// Her no: final.
    ///
    /// # Errors
    /// [`ConversationError::Unacceptable`] for no such proposal.
    pub fn refuse(
        &mut self,
        proposal: MessageId,
        now: Now,
        rng: &mut Rng,
    ) -> Result<(), ConversationError> {
        self.check_open()?;
        self.check_person()?;
        self.proposals.refuse(proposal)?;
        self.send(Content::Refusal { proposal }, now, rng)?;
        Ok(())
    }

    /// She removes an accompanier.
    ///
    /// # Errors
    /// [`ConversationError::NotPerson`], or [`ConversationError::Unknown`].
    pub fn remove(&mut self, member: PublicKey) -> Result<(), ConversationError> {
        self.check_open()?;
        self.check_person()?;
        if !self.roster().contains(&member) {
            return Err(ConversationError::Unknown);
        }
        self.group.request(Change {
            removes: vec![member],
            ..Change::default()
        });
        Ok(())
    }

    /// Acts on a statement that came another way, e.g. a removal from the desk.
    pub fn learn(&mut self, statement: Statement, now: Now) {
        self.group.learn(statement, now);
    }

    /// Leaves; a person's leave ends it. The others commit it.
    ///
    /// # Errors
    /// [`ConversationError::Stopped`] where it is over already.
    pub fn leave(&mut self) -> Result<(), ConversationError> {
        self.check_open()?;
        self.group.leave(self.person.clone());
        self.left = true;
        Ok(())
    }

    fn check_open(&self) -> Result<(), ConversationError> {
        if self.is_open() {
            Ok(())
        } else {
            Err(ConversationError::Stopped)
        }
    }

    fn check_person(&self) -> Result<(), ConversationError> {
        if self.person.is_some() {
            Ok(())
        } else {
            Err(ConversationError::NotPerson)
        }
    }

    /// What is wanted from the relay.
    pub fn wants(&self, wants: &mut Wants) {
        self.group.wants(wants);
        self.rescuing
            .iter()
            .for_each(|rescuing| rescuing.wants(wants));
        self.sweep.wants(wants);
    }

    /// Takes what the relay said.
    pub fn handle_seen(&mut self, seen: &Seen, now: Now, rng: &mut Rng) {
        if let Seen::Connected(relay) = seen {
            self.files.forget(relay);
        }
        self.group.handle_seen(seen, now, rng);
        for rescuing in &mut self.rescuing {
            rescuing.handle_seen(seen, &self.group, rng);
        }
        self.sweep.handle_seen(seen, now);
        // What she has just said counts before anybody is let in as her.
        self.drain(now);
        self.go_on(now, rng);
        self.go_on_files(now, rng);
    }

    /// When [`Self::needs_card`] becomes true, where that takes time.
    pub fn card_due(&self) -> Option<Now> {
        let looks = self.looks_for_former().then(|| self.former.due());
        let proposed = self.proposals.poll_timeout(self.is_handing());
        looks.into_iter().chain(proposed).min()
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Now> {
        let rescues = self.rescuing.iter();
        let rescues =
            rescues.filter_map(|rescuing| rescuing.poll_timeout(&self.group, self.heard_her));
        let own = [
            self.group.poll_timeout(),
            self.files.poll_timeout(),
            self.summary_due(),
            self.hand_over_due(),
            self.sweep.poll_timeout(),
        ];
        rescues.chain(own.into_iter().flatten()).min()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Now, rng: &mut Rng) {
        self.group.handle_timeout(now, rng);
        self.go_on(now, rng);
        self.go_on_files(now, rng);
    }

    fn go_on(&mut self, now: Now, rng: &mut Rng) {
        let Self {
            rescuing,
            rescued,
            group,
            heard_her,
            ..
        } = self;
        rescuing.retain_mut(
            |rescuing| match rescuing.poll_step(group, *heard_her, now) {
                rescue::Step::Wait => true,
                rescue::Step::End => {
                    rescuing.end();
                    true
                }
                rescue::Step::Over => {
                    rescued.push_back(rescuing.r().clone());
                    false
                }
                rescue::Step::Commit(change) => {
                    group.request(*change);
                    true
                }
            },
        );
        self.drain(now);
        self.tell_newcomer(rng);
        self.tell_again(now, rng);
        self.hand_over(now);
        self.sweep_summary(now, rng);
    }

    /// `r` of a rescue that is over, so that its item may be removed.
    pub fn poll_rescued(&mut self) -> Option<ThreadSecret> {
        self.rescued.pop_front()
    }

    /// What is to be told.
    pub fn poll_event(&mut self) -> Option<ConversationEvent> {
        if self.is_returning() {
            let is_stopped =
                |event: &ConversationEvent| matches!(event, ConversationEvent::Stopped(_));
            let at = self.events.iter().position(is_stopped)?;
            return self.events.remove(at);
        }
        self.events.pop_front()
    }

    fn own_speaker(&self) -> Option<Speaker> {
        let own = self.group.own_leaf();
        let members = self.group.members();
        let me = members.iter().find(|member| member.leaf == own)?;
        Some(speaker(&me.identity))
    }
}

impl std::fmt::Debug for Conversation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conversation").finish_non_exhaustive()
    }
}
