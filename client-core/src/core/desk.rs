//! A member of a desk: the desk's group, and all that follows from being in it.
//!
//! The owner routes. Its parts: `keys` sign as the desk, `board` is what members told each other,
//! `shift` opens mailboxes and answers; then there are invitations, the card, and KeyPackages to take.
//!
//! * `hearing`: what the group says
//! * `routing`: what the shift, invitations and takings say
//! * `publishing`: the card, its intake key, the desk key's renewal
//! * `naming`: whether the desk knows the mailbox that the card names
//! * `evicting`: removing a member
//! * `moving`: another mailbox for the card, after somebody is out
//! * `leaving`: going by one's own wish
//! * `succession`: a new group, where the old one can't be followed
//! * `members`: who is in the desk, and what is shown of it
//! * `people`: what members tell each other of those whom they accompany
//! * `asking`: what the member in front asks for
//! * `answering`: the queue, and the own shift

mod answering;
mod asking;
pub(crate) mod board;
mod evicting;
mod hearing;
pub(crate) mod keys;
mod leaving;
mod members;
mod moving;
mod naming;
pub(crate) mod people;
mod publishing;
mod routing;
pub(crate) mod shift;
mod succession;

use std::{collections::VecDeque, time::Duration};

use cobijo_protocol::{
    Day,
    card::{Attested, Role},
    commit::{POLICY, Profile, Statement, Terms},
    content::{Content, DeskContent, IntakeKey, MessageId, Proposal},
    credential::Credential,
    keys::{PublicKey, SecretKey},
    link::{DeskId, DeskLink, RelayUrl},
    mailbox::MailboxKey,
};
use serde::{Deserialize, Serialize};

use super::{
    card::CardKeeper,
    claim::Me,
    client::{
        CardRefusal, ChannelId, CommandError, Context, ConversationId, Description, Event,
        InviteId, Line, RowId, ShiftEnd,
    },
    contest::random,
    group::{Group, Stop},
    invite::{Invitation, InvitationEvent},
    key_packages::{OwnKeyPackages, Take},
    port::{Now, Rng, Seen, Wants},
};
use crate::mls::Suite;
use board::Board;
use evicting::Eviction;
use keys::DeskKeys;
use naming::Naming;
use people::People;
use shift::Shift;
use succession::{Brought, Making};

/// A day, for what is looked at once a day.
const DAY: Duration = Duration::from_secs(86_400);

/// A member's side of a desk.
#[derive(Serialize, Deserialize)]
pub(crate) struct Desk {
    link: DeskLink,
    me: Me,
    keys: DeskKeys,
    group: Group,
    channel: ChannelId,
    board: Board,
    people: People,
    shift: Shift,
    card: CardKeeper,
    /// What the card is to say, until it does.
    description: Option<Description>,
    /// Intake keys on their way into the group: no card names them before they are stored.
    storing: Vec<Storing>,
    /// The mailbox that the card must name, because somebody evicted knows the one before.
    mailbox: Option<MailboxKey>,
    /// When this member makes that mailbox, unless somebody before it has.
    moving: Option<Now>,
    offers: OwnKeyPackages,
    offers_channel: ChannelId,
    takes: Vec<Take>,
    invites: Vec<Invited>,
    evictions: Vec<Eviction>,
    /// Who is out and is to be removed from the conversations too, once this member can say so.
    to_state: Vec<PublicKey>,
    /// Of whom it was said, the last one first.
    stated: Vec<PublicKey>,
    /// The group that follows this desk's, until all are in it who come.
    making: Option<Making>,
    /// Commits that were asked for, in order.
    asked: VecDeque<Asked>,
    /// When to post the snapshot for a newcomer, unless whoever added her has.
    snapshot_due: Option<Now>,
    /// Whether this member was told what was said before it came: it made the desk, or read a snapshot.
    knows_the_past: bool,
    /// Snapshots that were read: one that a commit cut off may be lost to the newcomer.
    snapshots: VecDeque<MessageId>,
    /// The end of the desk key that was told.
    expiry_told: Option<Day>,
    #[serde(skip)]
    refusal: Option<CardRefusal>,
    #[serde(skip)]
    naming: Naming,
    #[serde(skip)]
    events: VecDeque<DeskEvent>,
}

/// An intake key on its way into the group.
#[derive(Serialize, Deserialize)]
struct Storing {
    id: MessageId,
    key: IntakeKey,
    /// Whether the card must name it once it is stored.
    must_name: bool,
    /// Somebody was removed meanwhile who may have read it: no card names it.
    is_spent: bool,
}

/// An invitation, on a channel of its own.
#[derive(Serialize, Deserialize)]
struct Invited {
    id: InviteId,
    channel: ChannelId,
    invitation: Invitation,
}

/// A commit that was asked for.
#[derive(Serialize, Deserialize)]
enum Asked {
    Add {
        invite: InviteId,
        key: PublicKey,
    },
    /// Colleagues into a successor.
    Bring(Vec<Brought>),
    Remove(PublicKey),
}

/// What concerns the conversations.
pub(crate) enum DeskEvent {
    /// A conversation begins or goes on with this member.
    Joined {
        /// The channel that it may go on using.
        channel: Option<ChannelId>,
        /// The row that was answered.
        row: Option<RowId>,
        /// Its group.
        group: Box<Group>,
        /// What the person wrote while she waited.
        texts: Vec<String>,
    },
    /// What the person wrote while she waited came late, for the conversation of this channel.
    Text(ChannelId, String),
    /// The person refused the conversation of this channel.
    Refused(ChannelId),
    /// A coordinator removes a member everywhere.
    Statement(Statement),
    /// A colleague's KeyPackage was taken: she can be proposed.
    Proposal(ConversationId, Box<Proposal>, Option<ShiftEnd>),
    /// A colleague's KeyPackage was taken: she can be added to a circle.
    ToCircle(ConversationId, serde_bytes::ByteBuf),
    /// None could be taken.
    ProposalFailed(ConversationId),
    /// The queue changed: there may be somebody to help back.
    QueueChanged,
}

impl Desk {
    /// Makes a desk, with this member as its coordinator.
    ///
    /// # Errors
    /// [`CommandError::Stopped`] where the group can't be made.
    pub(crate) fn create(
        relay: RelayUrl,
        alias: &str,
        description: Description,
        context: &mut Context<'_>,
    ) -> Result<Self, CommandError> {
        let today = context.now.day();
        let mut keys = DeskKeys::create(today, context.rng);
        let key = SecretKey::from_bytes(random(context.rng));
        let attested = keys
            .attest(key.public(), alias, Role::Coordinator, today)
            .ok_or(CommandError::NotCoordinator)?;
        let me = me(keys.root(), key, attested);
        let terms = Terms {
            profile: Profile::Desk,
            policy: POLICY,
            root: me.root,
            facilitators: Vec::new(),
            predecessor: None,
        };
        let credential = Credential::Member(me.attested.clone());
        let (key, now) = (me.key.clone(), context.now);
        let group = Group::create(me.suite, terms, key, &credential, now, context.rng)
            .map_err(|_| CommandError::Stopped)?;
        let mut desk = Self::new(relay, me, keys, group, context);
        desk.description = Some(description);
        desk.knows_the_past = true;
        context.event(Event::DeskCreated(desk.link.clone()));
        desk.advance(context);
        Ok(desk)
    }

    /// A newcomer's, who has just joined the desk's group.
    pub(crate) fn joined(
        relay: RelayUrl,
        me: Me,
        keys: DeskKeys,
        group: Group,
        context: &mut Context<'_>,
    ) -> Self {
        let mut desk = Self::new(relay, me, keys, group, context);
        desk.announce_seal_key(context.rng);
        desk.advance(context);
        desk
    }

    fn new(
        relay: RelayUrl,
        me: Me,
        keys: DeskKeys,
        group: Group,
        context: &mut Context<'_>,
    ) -> Self {
        let desk = DeskId::of(&me.root);
        let mut desk = Self {
            link: DeskLink { relay, desk },
            me,
            keys,
            group,
            channel: context.new_channel(),
            board: Board::default(),
            people: People::default(),
            shift: Shift::new(desk, context.new_channel()),
            card: CardKeeper::new(desk),
            description: None,
            storing: Vec::new(),
            mailbox: None,
            moving: None,
            offers: OwnKeyPackages::default(),
            offers_channel: context.new_channel(),
            takes: Vec::new(),
            invites: Vec::new(),
            evictions: Vec::new(),
            to_state: Vec::new(),
            stated: Vec::new(),
            making: None,
            asked: VecDeque::new(),
            snapshot_due: None,
            knows_the_past: false,
            snapshots: VecDeque::new(),
            expiry_told: None,
            refusal: None,
            naming: Naming::default(),
            events: VecDeque::new(),
        };
        desk.observe_members();
        desk
    }

    /// Why this member doesn't follow the desk any more.
    pub(crate) fn stop(&self) -> Option<Stop> {
        self.group.stop()
    }

    /// What everything of the desk is signed under.
    pub(crate) fn root(&self) -> PublicKey {
        self.me.root
    }

    /// This member's attested key.
    pub(crate) fn key(&self) -> SecretKey {
        self.me.key.clone()
    }

    /// This member's name.
    pub(crate) fn alias(&self) -> String {
        let own = self.own_attestation();
        own.map_or_else(String::new, |own| own.alias)
    }

    /// Where the desk is.
    pub(crate) fn relay(&self) -> &RelayUrl {
        &self.link.relay
    }

    /// What is wanted on each channel.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let line = |channel, wants| Line {
            channel,
            relay: self.link.relay.clone(),
            wants,
        };
        let mut of_offers = Wants::default();
        if self.may_have_successor() {
            self.offers.wants(&mut of_offers);
        }
        let of_offers = Some(of_offers).filter(|wants| !wants.watch.is_empty());
        let of_offers = of_offers.map(|wants| line(self.offers_channel, wants));
        if self.group.stop().is_some() {
            return of_offers.into_iter().collect();
        }
        let mut of_group = Wants::default();
        self.group.wants(&mut of_group);
        self.takes.iter().for_each(|take| take.wants(&mut of_group));
        self.people.wants(&mut of_group);
        let mut lines = vec![line(self.channel, of_group)];
        lines.extend(of_offers);
        // Whoever founds a successor adds nobody else before.
        let invites = self.invites.iter().filter(|_| self.making.is_none());
        for invited in invites {
            let mut wants = Wants::default();
            invited.invitation.wants(&mut wants);
            lines.push(line(invited.channel, wants));
        }
        let mailboxes = self.board.mailboxes();
        lines.extend(self.shift.lines(&self.link.relay, mailboxes));
        lines
    }

    /// Takes what the relay said on one of the desk's channels.
    pub(crate) fn handle_seen(
        &mut self,
        channel: ChannelId,
        seen: &[Seen],
        context: &mut Context<'_>,
    ) {
        for seen in seen {
            if channel == self.offers_channel && self.may_have_successor() {
                self.handle_offers(seen, context);
            } else if self.group.stop().is_none() {
                self.take_seen(channel, seen, context);
            }
        }
        self.advance(context);
    }

    fn take_seen(&mut self, channel: ChannelId, seen: &Seen, context: &mut Context<'_>) {
        if channel == self.channel {
            self.group.handle_seen(seen, context.now, context.rng);
            self.handle_takes(seen, context);
            self.people.handle_seen(seen, context.now);
        } else if let Some(position) = self.invites.iter().position(|one| one.channel == channel) {
            if self.making.is_none() {
                self.handle_invite(position, seen, context);
            }
        } else {
            self.handle_shift(channel, seen, context);
        }
    }

    /// When [`Desk::handle_timeout`] is to be called.
    pub(crate) fn poll_timeout(&self, now: Now) -> Option<Now> {
        if self.group.stop().is_some() {
            return None;
        }
        let invites = self.invites.iter();
        let card = self.card.poll_timeout(self.shift.is_on());
        let midnight = Now::from_millis(0).plus(DAY * now.day().saturating_add(1));
        invites
            .map(|invited| invited.invitation.until())
            .chain(self.group.poll_timeout())
            .chain(card.filter(|_| self.keeps_card()))
            .chain(self.naming.due().filter(|due| *due > now))
            .chain(self.shift.poll_timeout())
            .chain(self.shift.emptied_at(now))
            .chain(self.snapshot_due)
            .chain(self.people.poll_timeout())
            .chain(self.making_due().filter(|due| *due > now))
            .chain(self.evicting_due())
            .chain(self.moving_due(now))
            .chain([midnight])
            .min()
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, context: &mut Context<'_>) {
        if self.group.stop().is_some() {
            return;
        }
        self.group.handle_timeout(context.now, context.rng);
        let events = self.shift.handle_timeout(context);
        self.handle_shift_events(events, context);
        let now = context.now;
        self.invites.retain_mut(|invited| {
            let Some(InvitationEvent::Ended(reason)) = invited.invitation.handle_timeout(now)
            else {
                return true;
            };
            let id = invited.id;
            context.event(Event::InviteEnded { id, reason });
            false
        });
        self.advance(context);
    }

    /// What concerns the conversations.
    pub(crate) fn poll_event(&mut self) -> Option<DeskEvent> {
        self.events.pop_front()
    }

    /// Takes every step that has become possible.
    fn advance(&mut self, context: &mut Context<'_>) {
        self.hear(context);
        while self.group.stop().is_none() {
            self.keep_desk_key(context);
            self.keep_evicting(context);
            self.state_removals(context);
            self.keep_making(context);
            self.move_if_due(context);
            self.keep_key_packages(context.rng);
            self.look_at_named(context);
            self.keep_card(context);
            self.post_snapshot_if_due(context);
            self.erase_old_intake_keys(context.now);
            self.keep_people(context);
            if self.group.is_caught_up() {
                self.board.note_version(self.card_version());
            }
            // What was asked of the group just now may be possible at once, or refused.
            self.group.handle_timeout(context.now, context.rng);
            if !self.hear(context) {
                return;
            }
        }
    }

    /// Keeps as many KeyPackages as there should be, once there is somebody to take them.
    fn keep_key_packages(&mut self, rng: &mut Rng) {
        self.offers.drop_successions(self.group.terms().number());
        if self.group.members().len() > 1 && self.offers.top_up(&self.me, rng) {
            self.tell(DeskContent::KeyPackages(self.offers.messages()), rng);
        }
    }

    fn erase_old_intake_keys(&mut self, now: Now) {
        let named = self.card.card().map(|card| card.daily.mailbox);
        let Self { board, shift, .. } = self;
        if let Some(mailbox) = named {
            board.note_named(mailbox);
        }
        board.erase_old(named, now, |mailbox| shift.emptied(mailbox, now));
    }

    /// Tells the other members something that is never too long for one message.
    fn tell(&mut self, content: DeskContent, rng: &mut Rng) {
        // A message that doesn't fit is a bug of this client, and telling nothing is the lesser harm.
        let _too_long = self.group.send(Content::Desk(content), rng);
    }

    fn announce_seal_key(&mut self, rng: &mut Rng) {
        if self.role() == Role::Coordinator
            && let Some(content) = self.keys.announce()
        {
            self.tell(content, rng);
        }
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

/// A member as her leaves show her.
pub(crate) fn me(root: PublicKey, key: SecretKey, attested: Attested) -> Me {
    Me {
        suite: Suite::PostQuantum,
        root,
        key,
        attested,
    }
}
