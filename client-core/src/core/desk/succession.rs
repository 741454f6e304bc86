//! The successor of a desk's group, for where it can't be followed any more. [G-22]
//!
//! The root key names it. Its maker takes a KeyPackage of each colleague, whose client watches the taking
//! thread in any case, stopped or not, and adds her to the new group. What stands beside the group goes
//! on: the card, the rows, the conversations, and the intake keys, which only open from then on.

use std::{collections::BTreeSet, time::Duration};

use cobijo_protocol::{
    card::{Attestation, Role},
    commit::{Succession, Terms},
    credential::Credential,
    keys::{PublicKey, Signed},
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{Asked, Desk, naming::Naming};
use crate::{
    core::{
        claim::Me,
        client::{CommandError, Context, Event, InviteEnd},
        group::{Change, Group, Stop},
        key_packages::{Take, TakenFor},
        port::Now,
    },
    mls::key_package::OfferedKeyPackage,
};

/// Time that is given to take everybody's KeyPackages: whoever is left out knows their threads and may fill
/// them, and no card is published meanwhile.
const TAKING_WAIT: Duration = Duration::from_secs(600);

/// A successor that colleagues are being brought into.
#[derive(Serialize, Deserialize)]
pub(super) struct Making {
    succession: Signed<Succession>,
    colleagues: Vec<Colleague>,
    taken: Vec<Brought>,
    left_out: Vec<PublicKey>,
    /// When it is founded without whose KeyPackages could not be taken by then.
    until: Now,
}

/// A colleague to add, with the KeyPackage that was taken for it.
#[derive(Serialize, Deserialize)]
pub(super) struct Brought {
    pub(super) key: PublicKey,
    pub(super) message: ByteBuf,
}

/// Somebody to bring, and what is left of her KeyPackages.
#[derive(Serialize, Deserialize)]
struct Colleague {
    /// As her leaf showed her.
    attestation: Attestation,
    key_packages: Vec<ByteBuf>,
}

impl Desk {
    /// Makes the successor, for all who are in the desk but those.
    ///
    /// # Errors
    /// [`CommandError`] where it can't be made by this member.
    pub(crate) fn make_successor(
        &mut self,
        left_out: &[PublicKey],
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        if self.role() != Role::Coordinator {
            return Err(CommandError::NotCoordinator);
        }
        let root_key = self.keys.root_key().ok_or(CommandError::RootElsewhere)?;
        let own = self.me.key.public();
        if left_out.contains(&own) {
            return Err(CommandError::Yourself);
        }
        let members = self.members();
        let is_here = |key: &PublicKey| members.iter().any(|one| one.key == *key);
        if !left_out.iter().all(is_here) {
            return Err(CommandError::Unknown);
        }
        if self.making.is_some() {
            return Err(CommandError::NotNow);
        }
        let terms = self.group.terms();
        let predecessor = terms.predecessor_of_next(self.group.id(), self.group.epoch());
        let terms = Terms {
            predecessor: Some(predecessor),
            ..terms.clone()
        };
        let number = terms.number();
        let credential = Credential::Member(self.me.attested.clone());
        let (key, now) = (self.me.key.clone(), context.now);
        let group = Group::create(self.me.suite, terms, key, &credential, now, context.rng)
            .map_err(|_| CommandError::Stopped)?;
        let succession = root_key.sign_value(&Succession {
            number,
            group: ByteBuf::from(group.id()),
            maker: own,
        });
        let mut left_out = left_out.to_vec();
        left_out.extend(self.evictions.iter().map(|eviction| eviction.member));
        let comes = |key: &PublicKey| *key != own && !left_out.contains(key);
        self.board.drop_pool();
        let mut colleagues = Vec::new();
        for member in members.into_iter().filter(|one| comes(&one.key)) {
            colleagues.push(Colleague {
                key_packages: self.board.take_former(&member.key),
                attestation: member,
            });
        }
        let keys: Vec<_> = colleagues.iter().map(|one| one.attestation.key).collect();
        self.making = Some(Making {
            succession,
            colleagues,
            taken: Vec::new(),
            left_out,
            until: now.plus(TAKING_WAIT),
        });
        self.enter(group, context);
        self.knows_the_past = true;
        for key in keys {
            self.bring(&key, context);
        }
        self.advance(context);
        Ok(())
    }

    /// Whether a successor of this desk's group could bring it on.
    pub(crate) fn may_have_successor(&self) -> bool {
        match self.group.stop() {
            Some(Stop::Removed | Stop::Returned | Stop::Left | Stop::Wiped) => false,
            Some(Stop::Broken | Stop::Policy | Stop::Stale) | None => true,
        }
    }

    /// Takes the next KeyPackage of a colleague, or says that there is none left.
    pub(super) fn bring(&mut self, key: &PublicKey, context: &mut Context<'_>) {
        let Some(making) = &mut self.making else {
            return;
        };
        let mut colleagues = making.colleagues.iter_mut();
        let Some(colleague) = colleagues.find(|one| one.attestation.key == *key) else {
            return;
        };
        while let Some(message) = colleague.key_packages.pop() {
            let purpose = TakenFor::Successor {
                colleague: colleague.attestation.clone(),
                succession: making.succession.clone(),
            };
            let take = Take::new(purpose, message, &self.me, context.now, context.rng);
            if let Some(take) = take {
                self.takes.push(take);
                return;
            }
        }
        let alias = colleague.attestation.alias.clone();
        context.event(Event::NotBrought { alias });
    }

    /// A colleague's KeyPackage was taken.
    pub(super) fn note_taken(&mut self, brought: Brought) {
        if let Some(making) = &mut self.making {
            making.taken.push(brought);
        }
    }

    fn ask_to_bring(&mut self, brought: Vec<Brought>) {
        self.group.request(Change {
            adds: brought.iter().map(|one| one.message.clone()).collect(),
            ..Change::default()
        });
        self.asked.push_back(Asked::Bring(brought));
    }

    /// One KeyPackage of them can't be added: each by itself then, and the next one of hers.
    pub(super) fn handle_not_brought(&mut self, refused: Vec<Brought>, context: &mut Context<'_>) {
        match <[Brought; 1]>::try_from(refused) {
            Ok([one]) => self.bring(&one.key, context),
            Err(several) => {
                for one in several {
                    self.ask_to_bring(vec![one]);
                }
            }
        }
    }

    /// Opens the successor once everybody is in who could be brought: those who were left out know the keys
    /// of before, and every one of them is replaced.
    pub(super) fn keep_making(&mut self, context: &mut Context<'_>) {
        self.give_up_taking(context);
        let is_coming = |asked: &Asked| matches!(asked, Asked::Bring(_));
        if self.takes.iter().any(Take::is_for_successor) || self.asked.iter().any(is_coming) {
            return;
        }
        let taken = self.take_brought(context);
        if self.takes.iter().any(Take::is_for_successor) {
            return;
        }
        if !taken.is_empty() {
            // All by the commit that founds the group, which asks of no newcomer how new her attestation is.
            self.ask_to_bring(taken);
            return;
        }
        let Some(making) = self.making.take() else {
            return;
        };
        for colleague in making.colleagues {
            self.board
                .keep_former(colleague.attestation.key, colleague.key_packages);
        }
        self.renew_desk_key(context);
        self.to_state.extend(making.left_out);
        self.evict_anew(context.now);
        self.state_removals(context);
        self.make_intake_key(true, context);
        self.post_snapshot(context.rng);
        self.refusal = None;
        self.card.refresh();
        context.event(Event::SuccessorMade);
    }

    /// All whose KeyPackages were taken; where one has a key of another's, the next one of its owner is taken.
    fn take_brought(&mut self, context: &mut Context<'_>) -> Vec<Brought> {
        let making = self.making.as_mut();
        let taken = making.map_or_else(Vec::new, |making| std::mem::take(&mut making.taken));
        let mut known = BTreeSet::new();
        let mut brought = Vec::new();
        for one in taken {
            let offered = OfferedKeyPackage::parse(&one.message, self.me.suite, &self.me.root);
            let keys = offered.ok().and_then(|offered| offered.encryption_keys());
            if keys.is_some_and(|keys| keys.into_iter().all(|key| known.insert(key))) {
                brought.push(one);
            } else {
                self.bring(&one.key, context);
            }
        }
        if let Some(making) = &mut self.making
            && self.takes.iter().any(Take::is_for_successor)
        {
            making.taken = std::mem::take(&mut brought);
        }
        brought
    }

    /// When [`Desk::keep_making`] no longer waits for anybody's KeyPackage.
    pub(super) fn making_due(&self) -> Option<Now> {
        let is_taking = self.takes.iter().any(Take::is_for_successor);
        let making = self.making.as_ref().filter(|_| is_taking);
        making.map(|making| making.until)
    }

    fn give_up_taking(&mut self, context: &mut Context<'_>) {
        if self.making_due().is_none_or(|until| until > context.now) {
            return;
        }
        for take in std::mem::take(&mut self.takes) {
            if !take.is_for_successor() {
                self.takes.push(take);
            } else if let TakenFor::Successor { colleague, .. } = take.into_purpose() {
                let alias = colleague.alias;
                context.event(Event::NotBrought { alias });
            }
        }
    }

    /// Goes on in the group that the root key names.
    pub(super) fn go_on_in(&mut self, group: Group, context: &mut Context<'_>) {
        if group.terms().number() > self.group.terms().number() {
            self.go_over_to(group, context);
            context.event(Event::DeskGoesOn);
        }
    }

    /// Goes on in the group that a coordinator let this member into again; false where that is none of a
    /// coordinator of today, as far as this member knows.
    pub(crate) fn come_back(&mut self, me: Me, group: Group, context: &mut Context<'_>) -> bool {
        let of_card = self.card.card().map_or(0, |card| card.desk_key.serial);
        let is_of_today = group.desk_serial() >= self.keys.serial().max(of_card);
        if is_of_today && group.terms().number() >= self.group.terms().number() {
            self.me = me;
            self.go_over_to(group, context);
            return true;
        }
        false
    }

    fn go_over_to(&mut self, group: Group, context: &mut Context<'_>) {
        self.making = None;
        self.takes.retain(|take| !take.is_for_successor());
        self.enter(group, context);
        self.knows_the_past = false;
        self.evict_anew(context.now);
        self.advance(context);
    }

    /// Leaves the old group behind, with what was on its way in it.
    fn enter(&mut self, mut group: Group, context: &mut Context<'_>) {
        group.inherit_erase_keys(&mut self.group);
        self.group = group;
        // The relay's facts are told at the beginning of a connection.
        self.channel = context.new_channel();
        for asked in std::mem::take(&mut self.asked) {
            if let Asked::Add { invite, .. } = asked {
                self.end_invite(invite, InviteEnd::Unusable, context);
            }
        }
        self.storing.clear();
        self.snapshots.clear();
        self.snapshot_due = None;
        self.naming = Naming::default();
        self.forget_what_others_know();
        self.observe_members();
        self.announce_seal_key(context.rng);
    }
}
