//! The successor of a desk's group, for where it can't be followed any more. [G-22]
//!
//! The root key names it. Its maker takes a KeyPackage of each colleague, whose client watches the taking
//! thread in any case, stopped or not, and adds her to the new group. What stands beside the group goes
//! on: the card, the rows, the conversations, and the intake keys, which only open from then on.

use cobijo_protocol::{
    card::Role,
    commit::{Succession, Terms},
    content::Content,
    credential::Credential,
    keys::{PublicKey, Signed},
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{Asked, Desk, DeskEvent, naming::Naming};
use crate::core::{
    claim::Me,
    client::{CommandError, Context, Event, InviteEnd},
    group::{Change, Group, Stop},
    key_packages::{Purpose, Take},
};

/// A successor that colleagues are being brought into.
#[derive(Serialize, Deserialize)]
pub(super) struct Making {
    succession: Signed<Succession>,
    colleagues: Vec<Colleague>,
    taken: Vec<Brought>,
    left_out: Vec<PublicKey>,
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
    key: PublicKey,
    alias: String,
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
        left_out.extend(self.evictions.drain(..).map(|eviction| eviction.member));
        let comes = |key: &PublicKey| *key != own && !left_out.contains(key);
        self.board.drop_pool();
        let mut colleagues = Vec::new();
        for member in members.into_iter().filter(|one| comes(&one.key)) {
            colleagues.push(Colleague {
                key_packages: self.board.take_former(&member.key),
                key: member.key,
                alias: member.alias,
            });
        }
        let keys: Vec<_> = colleagues.iter().map(|colleague| colleague.key).collect();
        self.making = Some(Making {
            succession,
            colleagues,
            taken: Vec::new(),
            left_out,
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
        let Some(colleague) = colleagues.find(|one| one.key == *key) else {
            return;
        };
        while let Some(message) = colleague.key_packages.pop() {
            let purpose = Purpose::Successor {
                colleague: *key,
                succession: making.succession.clone(),
            };
            let take = Take::new(purpose, message, &self.me, context.now, context.rng);
            if let Some(take) = take {
                self.takes.push(take);
                return;
            }
        }
        let alias = colleague.alias.clone();
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
        let is_coming = |asked: &Asked| matches!(asked, Asked::Bring(_));
        if self.takes.iter().any(Take::is_for_successor) || self.asked.iter().any(is_coming) {
            return;
        }
        let taken = self
            .making
            .as_mut()
            .map(|making| std::mem::take(&mut making.taken));
        let taken = taken.unwrap_or_default();
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
                .keep_former(colleague.key, colleague.key_packages);
        }
        self.renew_desk_key(context);
        for member in making.left_out {
            if let Some(statement) = self.keys.state_removal(member) {
                let told = Content::Statement(statement.clone());
                let _too_long = self.group.send(told, context.rng);
                self.events.push_back(DeskEvent::Statement(statement));
            }
        }
        self.make_intake_key(true, context);
        self.post_snapshot(context.rng);
        self.refusal = None;
        self.card.refresh();
        context.event(Event::SuccessorMade);
    }

    /// Goes on in the group that the root key names.
    pub(super) fn go_on_in(&mut self, group: Group, context: &mut Context<'_>) {
        if group.terms().number() > self.group.terms().number() {
            self.go_over_to(group, context);
            context.event(Event::DeskGoesOn);
        }
    }

    /// Goes on in the group that a coordinator let this member into again.
    pub(crate) fn come_back(&mut self, me: Me, group: Group, context: &mut Context<'_>) {
        self.me = me;
        self.go_over_to(group, context);
    }

    fn go_over_to(&mut self, group: Group, context: &mut Context<'_>) {
        self.making = None;
        self.takes.retain(|take| !take.is_for_successor());
        self.enter(group, context);
        self.knows_the_past = false;
        let here: Vec<_> = self.members().iter().map(|member| member.key).collect();
        self.evictions.retain(|one| here.contains(&one.member));
        let now = context.now;
        let evictions = self.evictions.iter_mut();
        evictions.for_each(|one| one.begin_again(now));
        self.advance(context);
    }

    /// Leaves the old group behind, with what was on its way in it.
    fn enter(&mut self, group: Group, context: &mut Context<'_>) {
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
