//! A newcomer's side, until she is in the desk's group.

use cobijo_protocol::{
    commit::Profile,
    credential::Credential,
    keys::{PublicKey, SecretKey},
    link::{DeskId, DeskLink, Invite, RelayUrl},
};
use serde::{Deserialize, Serialize};

use crate::{
    core::{
        claim::Me,
        client::{ChannelId, Context, Event, JoinFailure, JoiningView, Line},
        contest::random,
        desk::{self, Desk, keys::DeskKeys},
        group::Group,
        invite::{Arrival, ArrivalEvent},
        joining::{Expect, Joining, Lineage},
        port::{Now, Seen, Wants},
    },
    mls::key_package::OwnKeyPackage,
};

/// A newcomer on her way into a desk.
#[derive(Serialize, Deserialize)]
pub(in crate::core::client) struct Newcomer {
    channel: ChannelId,
    key: SecretKey,
    keys: DeskKeys,
    arrival: Arrival,
    /// Once she is attested.
    welcome: Option<Welcome>,
    failure: Option<JoinFailure>,
}

/// The Welcome that an attested newcomer waits for.
#[derive(Serialize, Deserialize)]
struct Welcome {
    me: Me,
    joining: Joining,
}

/// What a newcomer brings into the desk.
pub(super) struct Joined {
    me: Me,
    keys: DeskKeys,
    relay: RelayUrl,
    group: Group,
}

impl Joined {
    /// Her side of the desk.
    pub(super) fn into_desk(self, context: &mut Context<'_>) -> Desk {
        Desk::joined(self.relay, self.me, self.keys, self.group, context)
    }

    /// The side of a member who comes back into the desk, with the attestation that she got for it; false where it
    /// is no desk of today.
    pub(super) fn bring_back(self, desk: &mut Desk, context: &mut Context<'_>) -> bool {
        desk.come_back(self.me, self.group, context)
    }
}

impl Newcomer {
    pub(super) fn new(invite: Invite, alias: String, context: &mut Context<'_>) -> Self {
        let key = SecretKey::from_bytes(random(context.rng));
        Self::with_key(key, invite, alias, context)
    }

    /// A newcomer with that attested key: for a member who comes back.
    pub(super) fn with_key(
        key: SecretKey,
        invite: Invite,
        alias: String,
        context: &mut Context<'_>,
    ) -> Self {
        Self {
            channel: context.new_channel(),
            keys: DeskKeys::receive(invite.root, context.rng),
            arrival: Arrival::new(invite, key.clone(), alias, context.now, context.rng),
            key,
            welcome: None,
            failure: None,
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    pub(super) fn view(&self) -> JoiningView {
        let invite = self.arrival.invite();
        JoiningView {
            link: DeskLink {
                relay: invite.relay.clone(),
                desk: DeskId::of(&invite.root),
            },
            words: self.arrival.words(),
            attested: self.arrival.is_attested(),
            failure: self.failure,
        }
    }

    pub(super) fn lines(&self) -> Vec<Line> {
        if self.has_failed() {
            return Vec::new();
        }
        let mut wants = Wants::default();
        self.arrival.wants(&mut wants);
        if let Some(welcome) = &self.welcome {
            welcome.joining.wants(&mut wants);
        }
        vec![Line {
            channel: self.channel,
            relay: self.arrival.invite().relay.clone(),
            wants,
        }]
    }

    /// Takes what the relay said; gives the group once it is joined.
    pub(super) fn handle_seen(
        &mut self,
        channel: ChannelId,
        seen: &Seen,
        context: &mut Context<'_>,
    ) -> Option<Joined> {
        if channel != self.channel || self.has_failed() {
            return None;
        }
        let event = self.arrival.handle_seen(seen, context.now, context.rng);
        self.handle_event(event, context);
        let Welcome { me, joining } = self.welcome.as_mut()?;
        let group = joining.handle_seen(seen, context.now, context.rng)?;
        Some(Joined {
            me: me.clone(),
            keys: self.keys.clone(),
            relay: self.arrival.invite().relay.clone(),
            group,
        })
    }

    pub(super) fn poll_timeout(&self) -> Option<Now> {
        self.arrival.poll_timeout()
    }

    pub(super) fn handle_timeout(&mut self, context: &mut Context<'_>) {
        let event = self.arrival.handle_timeout(context.now);
        self.handle_event(event, context);
    }

    fn handle_event(&mut self, event: Option<ArrivalEvent>, context: &mut Context<'_>) {
        match event {
            Some(ArrivalEvent::Words(words)) => context.event(Event::InviteWords(words)),
            Some(ArrivalEvent::Failed(failure)) => self.fail(failure, context),
            Some(ArrivalEvent::Attested { attested, inviter }) => {
                let me = desk::me(self.arrival.invite().root, self.key.clone(), *attested);
                match self.offer(me, inviter, context) {
                    Some(welcome) => self.welcome = Some(welcome),
                    None => self.fail(JoinFailure::NoWelcome, context),
                }
            }
            None => {}
        }
    }

    /// Offers a KeyPackage to the inviter, and waits for its Welcome.
    fn offer(&mut self, me: Me, inviter: PublicKey, context: &mut Context<'_>) -> Option<Welcome> {
        let credential = Credential::Member(me.attested.clone());
        let own = OwnKeyPackage::new(me.suite, &me.key, &credential, context.rng).ok()?;
        self.arrival.offer(own.message(), context.rng);
        let expect = Expect {
            profile: Profile::Desk,
            root: me.root,
            signers: vec![inviter],
            roster: None,
            lineage: Lineage::Any,
            welcome: None,
        };
        let joining = Joining::new(own, me.key.clone(), expect);
        Some(Welcome { me, joining })
    }

    pub(super) fn fail(&mut self, failure: JoinFailure, context: &mut Context<'_>) {
        self.failure = Some(failure);
        context.event(Event::JoinFailed(failure));
    }
}
