//! What the desk's group says.

use cobijo_protocol::{
    card::{Attestation, Attested, Role},
    content::{Content, DeskContent, MessageId, SnapshotPart},
    credential::Identity,
    keys::PublicKey,
    limits::{POOL_KEY_PACKAGES, SNAPSHOT_WAIT},
    mailbox::MailboxKey,
};

use serde_bytes::ByteBuf;

use super::{Asked, Desk, DeskEvent, board::Source, people::Said};
use crate::core::{
    client::{Context, Event, InviteEnd},
    group::{Author, GroupEvent, Stop},
    policy::Cause,
    port::{Now, Rng},
};
use crate::mls::key_package::OfferedKeyPackage;

/// Snapshots whose fate is followed.
const SNAPSHOTS_MAX: usize = 32;
/// Time that the member of the next leaf leaves to the one before, to post a snapshot.
const SNAPSHOT_TURN: std::time::Duration = std::time::Duration::from_secs(30);

impl Desk {
    /// Takes everything that the group has to tell; false where it is nothing.
    pub(super) fn hear(&mut self, context: &mut Context<'_>) -> bool {
        let mut has_heard = false;
        while let Some(event) = self.group.poll_event() {
            has_heard = true;
            let is_withdrawn = matches!(event, GroupEvent::Withdrawn { .. });
            match event {
                GroupEvent::Message {
                    author,
                    id,
                    clock,
                    content,
                } => self.hear_message(&author, (id, clock), content, context),
                GroupEvent::Stored { id, .. } => {
                    self.hear_left(id, context);
                    self.hear_stored(id, context);
                    self.erase_stored(&id, context);
                }
                GroupEvent::Changed { added, removed, .. } => {
                    self.hear_changed(&added, &removed, context);
                }
                GroupEvent::Refused(_) => self.hear_refused(context),
                GroupEvent::Stopped(Stop::Removed | Stop::Left) => {
                    context.event(Event::RemovedFromDesk)
                }
                GroupEvent::Stopped(_) => context.event(Event::DeskStopped),
                GroupEvent::NotSaid { id, content } => {
                    if let Content::Desk(DeskContent::IntakeKey(key)) = content {
                        self.tell_key_again(id, key, context);
                    }
                }
                GroupEvent::Unconfirmed { id } | GroupEvent::Withdrawn { id } => {
                    if is_withdrawn {
                        self.people.withdraw(&id);
                    }
                    if self.snapshots.contains(&id) {
                        self.snapshot_due = Some(self.snapshot_turn(context.now));
                    }
                }
                GroupEvent::Confirmed { id, .. } => {
                    if self.snapshots.contains(&id) {
                        self.snapshot_due = None;
                    }
                }
                GroupEvent::VoidCommit { author } => {
                    if let Identity::Member { attestation, .. } = author.identity {
                        let alias = attestation.alias;
                        context.event(Event::NotAllowed { alias });
                    }
                }
                GroupEvent::Missing { .. } | GroupEvent::Blocking { .. } => {}
            }
        }
        has_heard
    }

    fn hear_message(
        &mut self,
        author: &Author,
        (id, clock): (MessageId, u64),
        content: Content,
        context: &mut Context<'_>,
    ) {
        let Identity::Member { attestation, .. } = &author.identity else {
            return;
        };
        match content {
            Content::Desk(DeskContent::Snapshot(part)) => {
                self.hear_snapshot(id, part, attestation, context);
            }
            Content::Desk(content) => {
                let said = Said {
                    id,
                    clock,
                    author: attestation,
                };
                if let Some(content) = self.hear_of_people(&said, content, context) {
                    self.hear_content(attestation, content, context);
                }
            }
            Content::Statement(statement) => {
                self.events.push_back(DeskEvent::Statement(statement));
            }
            Content::Text(_)
            | Content::Proposal(_)
            | Content::Refusal { .. }
            | Content::File(_)
            | Content::Fingerprint(_)
            | Content::Closing
            | Content::Leave(_)
            | Content::Circle(_)
            | Content::Summary { .. }
            | Content::ShiftEnds { .. } => {}
        }
    }

    fn hear_content(
        &mut self,
        author: &Attestation,
        content: DeskContent,
        context: &mut Context<'_>,
    ) {
        match content {
            DeskContent::IntakeKey(key) => {
                let is_here = self.members().iter().any(|one| one.key == author.key);
                let from = if is_here {
                    Source::Author(author.key)
                } else {
                    Source::Retold(author.key)
                };
                if self.board.learn_intake_key(key, from, context.now) {
                    self.try_keys(context);
                }
            }
            DeskContent::ToldAgain(key) => {
                let from = Source::Retold(author.key);
                if self.board.learn_intake_key(key, from, context.now) {
                    self.try_keys(context);
                }
            }
            DeskContent::Claim(notice) => {
                self.shift
                    .handle_notice(&notice, &author.alias, context.now);
                context.event(Event::QueueChanged);
            }
            DeskContent::KeyPackages(key_packages) => self.hear_key_packages(author, key_packages),
            DeskContent::SealKey(seal_key) if author.role == Role::Coordinator => {
                self.board.learn_seal_key(author.key, seal_key);
                self.share_desk_key(&[author.key], context.rng);
            }
            DeskContent::DeskKey {
                to,
                desk_key,
                sealed,
            } => {
                let is_mine = to == self.me.key.public() && self.role() == Role::Coordinator;
                if is_mine && self.keys.accept(&desk_key, &sealed) {
                    context.event(Event::DeskKeyReceived);
                }
            }
            DeskContent::Attested(attested) => self.hear_attested(attested),
            DeskContent::Card { version, card } => {
                if self.card.handle_told(version, &card) {
                    context.event(Event::CardPublished(version));
                }
            }
            DeskContent::Snapshot(_)
            | DeskContent::SealKey(_)
            | DeskContent::Board(_)
            | DeskContent::Notes(_)
            | DeskContent::Over(_)
            | DeskContent::Help(_)
            | DeskContent::Coming(_)
            | DeskContent::Unclaimed(_)
            | DeskContent::Word(_)
            | DeskContent::Block(_) => {}
        }
    }

    /// Takes note of those that are KeyPackages of hers: others are only in the way.
    fn hear_key_packages(&mut self, author: &Attestation, mut key_packages: Vec<ByteBuf>) {
        key_packages.truncate(POOL_KEY_PACKAGES);
        key_packages.retain(|message| self.is_key_package_of(message, &author.key));
        self.board.announce(author.key, key_packages);
    }

    fn is_key_package_of(&self, message: &[u8], owner: &PublicKey) -> bool {
        OfferedKeyPackage::parse(message, self.me.suite, &self.me.root)
            .is_ok_and(|offered| offered.leaf_key() == owner)
    }

    /// A newer own attestation replaces the one before, and so do KeyPackages.
    fn hear_attested(&mut self, attested: Vec<Attested>) {
        let here: Vec<_> = self.members().iter().map(|member| member.key).collect();
        for one in attested {
            let Ok((attestation, desk_key)) = one.verify(&self.me.root) else {
                continue;
            };
            self.keys.observe(desk_key.serial, attestation.serial);
            if here.contains(&attestation.key) {
                self.keys.observe_member(&attestation, desk_key.serial);
            }
            if attestation.key == self.me.key.public()
                && self.is_newer(&attestation, desk_key.serial)
            {
                self.me.attested = one;
                self.offers.retire_free();
            }
        }
    }

    /// Whoever was removed still holds a desk key that was replaced: what is said under it counts for
    /// nothing, whatever its serial.
    fn is_newer(&self, attestation: &Attestation, desk_serial: u32) -> bool {
        let own = self.me.attested.verify(&self.me.root);
        own.is_ok_and(|(own, desk_key)| {
            attestation.role == own.role
                && self.keys.is_current(desk_serial)
                && (desk_serial, attestation.serial) > (desk_key.serial, own.serial)
        })
    }

    fn hear_snapshot(
        &mut self,
        id: MessageId,
        mut part: SnapshotPart,
        author: &Attestation,
        context: &mut Context<'_>,
    ) {
        self.snapshot_due = None;
        self.knows_the_past = true;
        self.snapshots.truncate(SNAPSHOTS_MAX - 1);
        self.snapshots.push_front(id);
        self.hear_told(&mut part, author, context);
        for (owner, key_packages) in &mut part.pool {
            key_packages.truncate(POOL_KEY_PACKAGES);
            key_packages.retain(|message| self.is_key_package_of(message, owner));
        }
        for notice in &part.claims {
            self.shift.handle_notice(notice, &author.alias, context.now);
        }
        if self.board.learn_snapshot(part, author.key, context.now) {
            self.try_keys(context);
        }
    }

    /// An own intake key is stored: now a card may name it.
    fn hear_stored(&mut self, id: MessageId, context: &mut Context<'_>) {
        let Some(position) = self.storing.iter().position(|storing| storing.id == id) else {
            return;
        };
        let storing = self.storing.remove(position);
        let mailbox = MailboxKey::of(&storing.key.mailbox);
        let own = Source::Author(self.me.key.public());
        self.board.learn_intake_key(storing.key, own, context.now);
        if storing.is_spent {
            self.board.spend_intake_key(&mailbox);
        }
        if storing.must_name && self.board.intake_key(&mailbox).is_some() {
            self.mailbox = Some(mailbox);
        }
        self.try_keys(context);
    }

    /// There are new intake keys: they may open what none did.
    fn try_keys(&mut self, context: &mut Context<'_>) {
        let keys = self.board.live_keys(self.card_version());
        if self.shift.handle_keys(&keys, context.now) {
            context.event(Event::QueueChanged);
        }
    }

    fn hear_changed(
        &mut self,
        added: &[Identity],
        removed: &[(Identity, Cause)],
        context: &mut Context<'_>,
    ) {
        self.observe_members();
        for identity in added {
            if let Identity::Member { attestation, .. } = identity {
                self.hear_added(attestation, context);
            }
        }
        if !removed.is_empty() {
            self.forget_what_others_know();
            self.plan_move(removed, context.now);
        }
        if Self::has_lost_coordinator(removed) && self.keys.root_key().is_some() {
            self.renew_desk_key(context);
        }
        self.retry_evictions();
        for (identity, cause) in removed {
            if let Identity::Member { attestation, .. } = identity {
                self.handle_removed(&attestation.key);
                if *cause != Cause::Leave {
                    self.end_blocks_of(&attestation.key, context);
                }
            }
        }
        let here: Vec<PublicKey> = self.members().iter().map(|member| member.key).collect();
        let is_added = |key: &PublicKey| {
            added.iter().any(|identity| match identity {
                Identity::Member { attestation, .. } => attestation.key == *key,
                Identity::Person(_) => false,
            })
        };
        self.asked.retain(|asked| match asked {
            // Whoever comes back was here before, too.
            Asked::Add { key, .. } => !is_added(key),
            Asked::Bring(brought) => !brought.iter().all(|one| here.contains(&one.key)),
            Asked::Remove(key) => here.contains(key),
        });
    }

    fn hear_added(&mut self, newcomer: &Attestation, context: &mut Context<'_>) {
        let is_hers = |invitation: &super::Invitation| invitation.admitted() == Some(newcomer);
        let invited = self.invites.iter().position(|one| is_hers(&one.invitation));
        match invited {
            Some(position) => {
                let invited = self.invites.remove(position);
                context.event(Event::NewcomerJoined(invited.id));
                self.post_snapshot(context.rng);
            }
            None => self.snapshot_due = Some(self.snapshot_turn(context.now)),
        }
        if newcomer.role == Role::Coordinator {
            self.announce_seal_key(context.rng);
        }
    }

    /// When this member posts a snapshot that nobody before it has posted.
    fn snapshot_turn(&self, now: Now) -> Now {
        now.plus(SNAPSHOT_WAIT + SNAPSHOT_TURN * self.group.own_leaf())
    }

    pub(super) fn post_snapshot_if_due(&mut self, context: &mut Context<'_>) {
        if self.snapshot_due.is_some_and(|due| context.now >= due) {
            self.post_snapshot(context.rng);
        }
    }

    pub(super) fn post_snapshot(&mut self, rng: &mut Rng) {
        self.snapshot_due = None;
        let own = self.offers.messages();
        let notices = self.shift.notices();
        let of_people = self.snapshot_of_people();
        let own = (self.me.key.public(), own);
        for part in self.board.snapshot(notices, own, of_people) {
            self.tell(DeskContent::Snapshot(part), rng);
        }
    }

    /// The commit that was asked for first can't be made.
    fn hear_refused(&mut self, context: &mut Context<'_>) {
        match self.asked.pop_front() {
            Some(Asked::Add { invite, .. }) => {
                self.end_invite(invite, InviteEnd::Unusable, context);
            }
            Some(Asked::Bring(refused)) => self.handle_not_brought(refused, context),
            Some(Asked::Remove(member)) => {
                self.handle_not_removed(&member, context);
            }
            None => {}
        }
    }
}
