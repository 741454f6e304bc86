//! The summary is written, erased, and said again: to a newcomer as the person agreed, and to herself where
//! her device has changed., [A-10]

use std::{collections::BTreeSet, time::Duration};

use cobijo_protocol::{
    content::{Content, MessageId, Reads},
    credential::Identity,
    keys::PublicKey,
    limits::SNAPSHOT_WAIT,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{
    Conversation, ConversationError, Proposals, Summary, proposals::key_of, summary::Told,
};
use crate::{
    core::{
        client::{ConversationEvent, EntryState, ProposalView, SummaryView},
        erasing::Pace,
        group::{Author, Change, Member},
        port::{Now, Rng},
    },
    mls::key_package::OfferedKeyPackage,
};

/// Time that the member of the next leaf leaves to the one before, after [`SNAPSHOT_WAIT`].
const TURN: Duration = Duration::from_secs(30);

/// What her yes lets a colleague read of the past.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Agreed {
    /// The summary that stood on her screen.
    words: Option<(u32, String)>,
    /// Who came in after it was written, and will read it too: she was told.
    also: BTreeSet<PublicKey>,
}

impl Agreed {
    pub(super) fn forget_words(&mut self) {
        self.words = None;
    }
}

/// A colleague is on her way in, by the person's yes: one at a time.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Handing {
    newcomer: PublicKey,
    agreed: Agreed,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    /// The commit has not won yet.
    Adding,
    /// She is in, and the summary is to be said.
    Telling,
    /// It was said: it counts unless a commit cuts it off.
    Told(MessageId),
}

impl Conversation {
    /// What was told so far.
    pub fn summary(&self) -> Option<SummaryView> {
        self.summary.view().filter(|_| !self.is_returning())
    }

    /// What waits for her answer.
    pub fn proposals(&self) -> Vec<ProposalView> {
        let mut views = self.proposals.views();
        let has_summary = self.summary.words().is_some();
        let also = self.aliases(&self.also_readers());
        for view in views.iter_mut().filter(|_| has_summary) {
            if view.reads == Reads::Summary {
                view.also_read_by.clone_from(&also);
            }
        }
        views
    }

    /// Writes the summary anew, where the one that was `seen` stands.
    ///
    /// # Errors
    /// [`ConversationError::Unwritable`], or where nobody can be told any more.
    pub fn edit_summary(
        &mut self,
        seen: Option<MessageId>,
        text: &str,
        rng: &mut Rng,
    ) -> Result<(), ConversationError> {
        self.check_open()?;
        let version = self.summary.next(seen, text, self.person.is_some())?;
        let id = self.group.send(summary(version, text), rng)?;
        self.hear_own_summary(id, version, text);
        Ok(())
    }

    /// She erases the summary, everywhere that she can reach.
    ///
    /// # Errors
    /// [`ConversationError::Unwritable`] where there is none.
    pub fn erase_summary(&mut self, now: Now, rng: &mut Rng) -> Result<(), ConversationError> {
        self.check_open()?;
        self.check_person()?;
        let version = self.summary.erasure()?;
        let id = self.group.send(summary(version, ""), rng)?;
        self.hear_own_summary(id, version, "");
        self.sweep_summary(now, rng);
        Ok(())
    }

    fn hear_own_summary(&mut self, id: MessageId, version: u32, text: &str) {
        let told = Told {
            id,
            version,
            text: text.to_owned(),
            clock: self.group.clock(),
            key: self.group.own_key(),
            author: self.own_speaker(),
            own: true,
            state: EntryState::Sending,
        };
        self.take_summary(told);
    }

    /// Somebody else wrote it.
    pub(super) fn hear_summary(
        &mut self,
        author: &Author,
        (id, clock): (MessageId, u64),
        (version, text): (u32, String),
    ) {
        let told = Told {
            id,
            version,
            text,
            clock,
            key: author.key,
            author: Some(super::speaker(&author.identity)),
            own: self.is_hers(&author.identity),
            state: EntryState::Stored,
        };
        self.take_summary(told);
    }

    fn take_summary(&mut self, told: Told) {
        let is_erased = told.text.is_empty();
        if !self.summary.hear(told) {
            return;
        }
        if is_erased {
            // What she agreed to before is erased with it.
            self.proposals.forget_words();
            self.offer_agreed.forget_words();
            if let Some(handing) = &mut self.handing {
                handing.agreed.forget_words();
            }
        }
        self.events.push_back(ConversationEvent::SummaryChanged);
    }

    /// Erases at the relay what she erased; authors erase their own.
    pub(super) fn sweep_summary(&mut self, now: Now, rng: &mut Rng) {
        let author = self.person.is_none().then(|| self.group.own_key());
        let erased = self.summary.take_erased(author);
        if !erased.is_empty() {
            let slots = self.group.withdraw(&erased);
            self.sweep.add(slots, Pace::Spread, now, rng);
        }
        self.sweep.advance(now);
    }

    /// What a yes that is given now lets the colleague read: never more than she was told.
    pub(super) fn agree(&self, proposed: Reads, reads: Reads) -> Agreed {
        if proposed == Reads::FromNow || reads == Reads::FromNow {
            return Agreed::default();
        }
        Agreed {
            words: self.summary.words(),
            also: self.also_readers(),
        }
    }

    /// Keeps what her yes to the desk's offer lets the colleague read.
    pub fn agree_to_offer(&mut self, reads: Reads) {
        self.offer_agreed = self.agree(Reads::Summary, reads);
    }

    /// What the desk's offer lets the colleague read, and who reads it too.
    pub fn offered_reads(&self) -> (Reads, Vec<String>) {
        match self.summary.words() {
            Some(_) => (Reads::Summary, self.aliases(&self.also_readers())),
            None => (Reads::FromNow, Vec::new()),
        }
    }

    /// Names of those of these who are here, or on their way in.
    pub(super) fn aliases(&self, keys: &BTreeSet<PublicKey>) -> Vec<String> {
        let members = self.group.members();
        let name = |member: &Member| match &member.identity {
            Identity::Member { attestation, .. } if keys.contains(&attestation.key) => {
                Some(attestation.alias.clone())
            }
            Identity::Member { .. } | Identity::Person(_) => None,
        };
        let here = members.iter().filter_map(name);
        here.chain(self.proposals.coming_aliases(keys)).collect()
    }

    /// Who reads the summary too where it is said now.
    pub(super) fn also_readers(&self) -> BTreeSet<PublicKey> {
        let mut also = self.summary.unread_by().clone();
        also.extend(self.proposals.coming());
        also.extend(self.handing.as_ref().map(|handing| handing.newcomer));
        also
    }

    /// Whether somebody whom she said yes to is on her way in.
    pub(super) fn is_handing(&self) -> bool {
        let is_under_way = |handing: &Handing| !matches!(handing.stage, Stage::Told(_));
        self.handing.as_ref().is_some_and(is_under_way)
    }

    /// Adds somebody to whom she said yes.
    pub(super) fn add(&mut self, offered: &OfferedKeyPackage, agreed: Agreed) {
        self.handing = Some(Handing {
            newcomer: *offered.leaf_key(),
            agreed,
            stage: Stage::Adding,
        });
        self.group.request(Change {
            adds: vec![ByteBuf::from(offered.message())],
            ..Change::default()
        });
    }

    /// Nothing of what was agreed on is kept.
    pub(super) fn forget_agreed(&mut self) {
        self.proposals = Proposals::default();
        self.summary = Summary::default();
        self.offer_agreed = Agreed::default();
        self.handing = None;
        self.handing_over = None;
    }

    /// Nobody was added.
    pub(super) fn stop_handing(&mut self) {
        self.handing = None;
    }

    /// A commit changed who is here.
    pub(super) fn note_readers(&mut self, added: &[Identity], removed: &[Identity]) {
        for identity in removed {
            if let Identity::Member { attestation, .. } = identity {
                self.summary.remove(&attestation.key);
                self.summary.renumber();
            }
        }
        for identity in added {
            let Identity::Member { attestation, .. } = identity else {
                continue;
            };
            self.summary.add(attestation.key);
            if let Some(handing) = &mut self.handing
                && handing.newcomer == attestation.key
                && handing.stage == Stage::Adding
            {
                handing.stage = Stage::Telling;
            }
        }
    }

    /// Says the summary that she agreed to, now that the colleague is in; and to nobody else whom she was not
    /// told of.
    pub(super) fn tell_newcomer(&mut self, rng: &mut Rng) {
        let is_telling = |handing: &Handing| handing.stage == Stage::Telling;
        if !self.is_open() || !self.handing.as_ref().is_some_and(is_telling) {
            return;
        }
        let Some(mut handing) = self.handing.take() else {
            return;
        };
        let is_known =
            |key: &PublicKey| *key == handing.newcomer || handing.agreed.also.contains(key);
        if !self.summary.unread_by().iter().all(is_known) {
            return;
        }
        let Some((version, text)) = handing.agreed.words.clone() else {
            return;
        };
        if let Ok(id) = self.group.send_once(summary(version, &text), rng) {
            self.hear_own_summary(id, version, &text);
            handing.stage = Stage::Told(id);
            self.handing = Some(handing);
        }
    }

    /// A commit has cut off what was said again: it is said once more, in the epoch that it began.
    pub(super) fn summary_not_said(&mut self, id: MessageId, now: Now) {
        match &mut self.handing {
            Some(handing) if handing.stage == Stage::Told(id) => handing.stage = Stage::Telling,
            _ if self.person.is_none() => self.summary.owe(now),
            _ => {}
        }
    }

    /// Her device changed: whoever has the lowest leaf of the members says the summary again; others, where
    /// nobody has.
    pub(super) fn owe_summary(&mut self, now: Now) {
        let members = self.group.members();
        let leaves = members.iter().filter(|member| key_of(member).is_some());
        let lowest = leaves.map(|member| member.leaf).min();
        let own = self.group.own_leaf();
        let wait = if lowest == Some(own) {
            Duration::ZERO
        } else {
            SNAPSHOT_WAIT + TURN * own
        };
        self.summary.owe(now.plus(wait));
    }

    /// When this member says it again.
    pub(super) fn summary_due(&self) -> Option<Now> {
        self.summary.poll_timeout().filter(|_| self.is_open())
    }

    pub(super) fn tell_again(&mut self, now: Now, rng: &mut Rng) {
        if self.summary_due().is_none_or(|due| due > now) {
            return;
        }
        let Some((version, text)) = self.summary.words() else {
            return;
        };
        if let Ok(id) = self.group.send_once(summary(version, &text), rng) {
            self.hear_own_summary(id, version, &text);
        }
    }

    /// Who is here now and was not before can't have read it.
    pub(super) fn note_newcomers(&mut self, before: &[Member]) {
        let was_here = |key: &PublicKey| before.iter().any(|old| key_of(old) == Some(*key));
        for key in self.roster().iter().filter(|key| !was_here(key)) {
            self.summary.add(*key);
        }
    }
}

fn summary(version: u32, text: &str) -> Content {
    Content::Summary {
        version,
        text: text.to_owned(),
    }
}
