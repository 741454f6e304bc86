//! She comes back by her phrase, on a device that knows nothing else. [B-7], [B-8]

use std::collections::BTreeSet;

use cobijo_protocol::{
    capsule::{Capsule, Place, ReturnLeaf, Shows},
    commit::Profile,
    credential::{Credential, PersonLeaf},
    keys::{PublicKey, SecretKey},
    link::{DeskId, DeskLink},
    slot::ThreadSecret,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{
    ChannelId, Circling, CommandError, Contact, Contacting, Context, Conversation, ENDED_MAX,
    Event, HighestCard, Line, Person, PersonStage, Seen, Suite, Talking, Waiting, Wants,
    keeping::Phrase,
};
use crate::{
    core::{
        capsule::{Found, FoundCapsule, Keeper},
        client::{Locked, Stopped},
        group::Group,
        joining::{Expect, Joining, Lineage},
        keeping::Keeping,
        phrase::PhraseKeys,
        port::Rng,
        waiting::ReturnPackage,
    },
    mls::key_package::OwnKeyPackage,
};

/// Her way back, until she has taken her place.
#[derive(Serialize, Deserialize)]
pub(super) struct Returning {
    channel: ChannelId,
    person: SecretKey,
    root: PublicKey,
    shows: Shows,
    /// Return leaves that her capsules held, the newest first.
    leaves: Vec<ReturnPackage>,
    /// By which of them she may join; empty once she has, and while she waits.
    joinings: Vec<Joining>,
    /// They were at their ends on an earlier connection.
    is_missing: bool,
    /// Where she waited before: an older capsule says so, and its leaf may be all that was let in.
    before: Option<(ThreadSecret, ByteBuf)>,
    /// The leaf that a commit of hers added, which this one can't follow.
    successor: Option<Box<Joining>>,
    #[serde(skip)]
    joined: Option<Box<Group>>,
    #[serde(skip)]
    needs_connection: bool,
}

impl Person {
    /// Begins where the capsules say that she was; nothing where none of them can be used.
    pub(in crate::core::client) fn returning(
        link: DeskLink,
        keys: &PhraseKeys,
        found: &Found,
        context: &mut Context<'_>,
    ) -> Option<Self> {
        // Who holds an old device of hers can write capsules, and may have another desk in mind. [B-6]
        let of_desk = |found: &&FoundCapsule| DeskId::of(&found.capsule.root) == link.desk;
        let newest = &found.capsules.iter().find(of_desk)?.capsule;
        let (root, person, shows) = (newest.root, newest.person.clone(), newest.shows);
        let all = found.capsules.iter().map(|found| &found.capsule);
        let hers = all.filter(|capsule| capsule.person == person && capsule.root == root);
        let hers: Vec<&Capsule> = hers.collect();
        let secrets: Vec<_> = hers.iter().flat_map(|capsule| &capsule.leaves).collect();
        let (leaves, carried) = packages(&secrets, &person.public(), context.rng);
        let keeper = Keeper::after(keys, found).ok()?;
        let keeping = Keeping::returning(keeper, root, person.clone(), shows, carried);
        let mut returning = Returning {
            channel: context.new_channel(),
            person: person.clone(),
            root,
            shows,
            leaves: leaves.clone(),
            joinings: Vec::new(),
            is_missing: false,
            before: hers.iter().find_map(|capsule| waiting_place(capsule)),
            successor: None,
            joined: None,
            needs_connection: false,
        };
        let mut first = None;
        match newest.place.clone() {
            Place::Group(group) => {
                let expect = returning.expect(group);
                let join = |leaf: &ReturnPackage| join(leaf, expect.clone());
                returning.joinings = leaves.iter().map(join).collect();
            }
            Place::Waiting { r, intake_key } => {
                returning.before = None;
                first = Some(returning.wait(r, intake_key, context));
            }
        }
        Some(Self {
            link,
            card: HighestCard::default(),
            first,
            conversation: None,
            asking: None,
            taken_back: Vec::new(),
            ended: Vec::new(),
            erased: Vec::new(),
            said_left: 0,
            phrase: Some(Phrase::new(keeping, context)),
            is_kept: false,
            returning: Some(returning),
            circling: Circling::returning(newest.circles.clone()),
            is_fetching: false,
        })
    }

    /// Whether this profile may come back: what it had has ended, or goes on elsewhere.
    pub(in crate::core::client) fn may_return(&self, link: &DeskLink) -> bool {
        let is_free = self.phrase.is_none() && self.ended.len() < ENDED_MAX;
        self.stage() == PersonStage::Ended && is_free && *link == self.link
    }

    /// Keeps what the profile held before she came back.
    pub(in crate::core::client) fn remember(&mut self, before: Self) {
        self.card = before.card;
        self.ended = before.ended;
        self.ended.extend(before.conversation);
        self.taken_back = before.taken_back;
    }

    pub(super) fn returning_line(&self) -> Option<Line> {
        let returning = self.returning.as_ref()?;
        let joinings = returning.joinings();
        let mut wants = Wants::default();
        joinings.for_each(|joining| joining.wants(&mut wants));
        let is_joining = returning.joinings().next().is_some();
        is_joining.then(|| Line {
            channel: returning.channel,
            relay: self.link.relay.clone(),
            wants,
        })
    }

    pub(super) fn returning_seen(
        &mut self,
        channel: ChannelId,
        seen: &Seen,
        context: &mut Context<'_>,
    ) {
        let returning = self.returning.as_mut();
        let Some(returning) = returning.filter(|returning| returning.channel == channel) else {
            return;
        };
        if matches!(seen, Seen::Connected(_)) {
            returning.needs_connection = false;
        }
        let now = context.now;
        let joinings = returning.joinings.iter_mut();
        for joining in joinings.chain(returning.successor.as_deref_mut()) {
            if let Some(group) = joining.handle_seen(seen, now, context.rng) {
                // The newest leaf comes first.
                returning.joined.get_or_insert(Box::new(group));
            }
        }
    }

    /// She doesn't go on with her way back: her phrase leads there as before.
    pub(super) fn stop_returning(&mut self, context: &mut Context<'_>) -> Result<(), CommandError> {
        if !self.is_returning() {
            return Err(CommandError::NotNow);
        }
        self.lock(Locked::Stopped, context);
        Ok(())
    }

    /// Whether she is on her way back, and sees nothing yet.
    pub(super) fn is_returning(&self) -> bool {
        let Some(returning) = &self.returning else {
            return false;
        };
        let talking = self.conversation.as_ref();
        let is_silent = talking.is_some_and(|talking| talking.conversation.is_returning());
        let is_waiting = self.conversation.is_none() && self.first.is_some();
        is_silent || !returning.joinings.is_empty() || (is_waiting && !self.is_kept)
    }

    pub(super) fn go_on_returning(&mut self, context: &mut Context<'_>) {
        self.join_by_return_leaf(context);
        self.follow_own_commit(context);
        let Some(returning) = &mut self.returning else {
            return;
        };
        let Some(talking) = &mut self.conversation else {
            return;
        };
        let conversation = &talking.conversation;
        match conversation.stopped() {
            Some(Stopped::Removed | Stopped::Returned) if conversation.is_returning() => {
                self.lock(Locked::Elsewhere, context);
            }
            Some(_) => {}
            None if conversation.is_returning() || !returning.joinings.is_empty() => {}
            None => {
                self.returning = None;
                self.is_kept = true;
                context.event(Event::CameBack(Some(talking.id)));
            }
        }
    }

    /// The first step: her return leaf's Welcome.
    fn join_by_return_leaf(&mut self, context: &mut Context<'_>) {
        let Some(returning) = &mut self.returning else {
            return;
        };
        if returning.joinings.is_empty() {
            return;
        }
        if let Some(group) = returning.joined.take() {
            returning.joinings.clear();
            let (person, shows) = (returning.person.clone(), returning.shows);
            let conversation = Conversation::returning(*group, person, shows);
            self.conversation = Some(Talking {
                id: context.new_conversation(),
                channel: context.new_channel(),
                conversation,
            });
            return;
        }
        let is_at_end = returning.joinings.iter().all(Joining::is_at_end);
        if !is_at_end || returning.needs_connection {
            return;
        }
        if !returning.is_missing {
            // The relay may only have held it back.
            returning.is_missing = true;
            returning.needs_connection = true;
            let joinings = returning.joinings.iter_mut();
            joinings.for_each(|joining| *joining = joining.afresh());
            returning.channel = context.new_channel();
        } else if let Some((r, intake_key)) = returning.before.take() {
            returning.joinings.clear();
            self.first = Some(returning.wait(r, intake_key, context));
        } else {
            self.lock(Locked::Unjoinable, context);
        }
    }

    /// Somebody who came back by the same leaf committed, and crashed: she goes on as the leaf that this
    /// added, if it is hers.
    fn follow_own_commit(&mut self, context: &mut Context<'_>) {
        let (Some(returning), Some(talking)) = (&mut self.returning, &mut self.conversation) else {
            return;
        };
        let Some(replaced) = talking.conversation.replaced() else {
            return;
        };
        if let Some(group) = returning.joined.take() {
            returning.successor = None;
            let (now, rng) = (context.now, &mut *context.rng);
            if talking.conversation.go_on_as(*group, now, rng) {
                talking.channel = context.new_channel();
            }
            return;
        }
        if let Some(successor) = &returning.successor {
            // An empty index is where her own client puts the Welcome's head. [G-12]
            if successor.is_filled() {
                self.lock(Locked::Unjoinable, context);
            }
            return;
        }
        let mut leaves = returning.leaves.iter();
        let Some(leaf) = leaves.find(|leaf| replaced.adds(&leaf.key.public())) else {
            return self.lock(Locked::Elsewhere, context);
        };
        let group = ByteBuf::from(talking.conversation.group_id());
        returning.successor = Some(Box::new(join(leaf, returning.expect(group))));
        returning.channel = context.new_channel();
    }
}

impl Returning {
    /// What is shown of what was said before.
    pub(super) fn shows(&self) -> Shows {
        self.shows
    }

    /// Her own key signed the Welcome of a return leaf, since the commit that let it in was hers.
    fn expect(&self, group: ByteBuf) -> Expect {
        Expect {
            profile: Profile::Conversation,
            root: self.root,
            signers: vec![self.person.public()],
            roster: None,
            lineage: Lineage::Group(group),
            welcome: None,
        }
    }

    /// Goes on where she waited.
    fn wait(&self, r: ThreadSecret, intake_key: ByteBuf, context: &mut Context<'_>) -> Contacting {
        let contact = Contact::returning(self.root, r, self.person.clone(), intake_key);
        let leaves = self.leaves.clone();
        Contacting {
            channel: context.new_channel(),
            waiting: Waiting::returning(Suite::PostQuantum, contact, leaves),
        }
    }

    fn joinings(&self) -> impl Iterator<Item = &Joining> {
        self.joinings.iter().chain(self.successor.as_deref())
    }
}

fn waiting_place(capsule: &Capsule) -> Option<(ThreadSecret, ByteBuf)> {
    match &capsule.place {
        Place::Waiting { r, intake_key } => Some((r.clone(), intake_key.clone())),
        Place::Group(_) => None,
    }
}

fn join(leaf: &ReturnPackage, expect: Expect) -> Joining {
    Joining::new(leaf.package.clone(), leaf.key.clone(), expect)
}

/// The return leaves of that person, the newest first, each once; and what a capsule carries of them.
fn packages(
    secrets: &[&ReturnLeaf],
    person: &PublicKey,
    rng: &mut Rng,
) -> (Vec<ReturnPackage>, Vec<ReturnLeaf>) {
    let mut known = BTreeSet::new();
    let mut found = Vec::new();
    for leaf in secrets {
        let (init, encryption) = (&leaf.init_key, &leaf.encryption_key);
        let package = OwnKeyPackage::from_parts(&leaf.key_package, init, encryption, rng);
        let Ok(package) = package else { continue };
        let Some(Credential::Person(hers)) = package.credential() else {
            continue;
        };
        let is_hers = hers.person == *person && hers.leaf == PersonLeaf::Return;
        if is_hers && known.insert(leaf.key.public()) {
            let key = leaf.key.clone();
            found.push((hers.serial, ReturnPackage { key, package }, (*leaf).clone()));
        }
    }
    found.sort_by_key(|(serial, ..)| std::cmp::Reverse(*serial));
    found
        .into_iter()
        .map(|(_, package, leaf)| (package, leaf))
        .unzip()
}
