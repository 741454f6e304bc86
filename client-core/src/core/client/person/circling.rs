//! Circles on a person's side: invitations, her yes, and being let in again after a return. [O-3]–[O-5], [O-7]

use cobijo_protocol::{
    capsule::CapsuleCircle,
    card::{Attestation, is_alias},
    circle::{CircleContent, CircleInvite, LetIn, again_info, answer_info},
    commit::{Profile, sign_person_rescue},
    content::MessageId,
    credential::Identity,
    keys::{PublicKey, SecretKey},
    limits::CAPSULE_CIRCLES_MAX,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{
    ChannelId, CommandError, Context, ConversationId, Event, Line, Person, PersonCommand, Seen,
    Suite, Wants,
};
use crate::{
    core::{
        circle::{Circle, folding::folded},
        client::{
            ConversationEvent, Stopped,
            circles::{CircleInviteView, Circles},
        },
        contest::random,
        conversation::AboutCircle,
        intake::PersonPackage,
        joining::{Expect, Joining, Lineage},
        port::Rng,
    },
    mls::{MlsError, hpke},
};

/// Invitations that wait for her answer; the oldest give way.
const INVITES_MAX: usize = 16;

/// Her circles.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Circling {
    pub(super) circles: Circles,
    /// Those that she is in, or is to be let into.
    mine: Vec<CapsuleCircle>,
    invites: Vec<Invited>,
    coming: Vec<Coming>,
    /// Those that her capsule led back to, and that she has not asked for yet.
    again: Vec<CapsuleCircle>,
}

#[derive(Serialize, Deserialize)]
struct Invited {
    id: MessageId,
    conversation: ConversationId,
    invite: CircleInvite,
    facilitators: Vec<Attestation>,
    is_answered: bool,
}

/// She waits to be let in.
#[derive(Serialize, Deserialize)]
struct Coming {
    channel: ChannelId,
    person: SecretKey,
    about: cobijo_protocol::circle::About,
    group: ByteBuf,
    joining: Joining,
}

impl Person {
    /// Takes what was said about circles in her conversation.
    pub(super) fn go_on_circles(&mut self, context: &mut Context<'_>) {
        self.hear_invitations(context);
        self.ask_again(context);
        let is_elsewhere = self
            .conversation
            .as_ref()
            .is_some_and(|one| one.conversation.stopped() == Some(Stopped::Returned));
        if is_elsewhere {
            self.circling.forget();
        }
        self.circling.note_left();
        if let Some(phrase) = &mut self.phrase {
            phrase.name_circles(self.circling.named());
        }
    }

    fn hear_invitations(&mut self, context: &mut Context<'_>) {
        let Some(talking) = &mut self.conversation else {
            return;
        };
        let (id, root) = (talking.id, talking.conversation.root());
        while let Some(said) = talking.conversation.poll_about_circle() {
            let AboutCircle {
                author,
                id: name,
                content: CircleContent::Invite(invite),
            } = said
            else {
                continue;
            };
            let Identity::Member { attestation, .. } = author else {
                continue;
            };
            let verified = invite.verify(&root, &attestation.key);
            if let Some(facilitators) = verified
                && self.circling.invited(name, id, invite, facilitators)
            {
                context.event(Event::Conversation(id, ConversationEvent::Invited(name)));
            }
        }
    }

    /// Her yes or no to an invitation.
    pub(super) fn answer_invitation(
        &mut self,
        command: PersonCommand,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        if let PersonCommand::JoinCircle {
            conversation,
            invite,
            alias,
        } = command
        {
            self.join_circle(conversation, invite, &alias, context)
        } else if let PersonCommand::RefuseCircle {
            conversation,
            invite,
        } = command
        {
            self.refuse_circle(conversation, invite)
        } else {
            Err(CommandError::NotNow)
        }
    }

    /// Her yes to an invitation, under that pseudonym. [O-4]
    fn join_circle(
        &mut self,
        conversation: ConversationId,
        invite: MessageId,
        alias: &str,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        if !is_alias(alias) {
            return Err(CommandError::Alias);
        }
        let open = self.circling.open(conversation, invite)?;
        let wanted = folded(alias);
        let is_theirs = |one: &Attestation| folded(&one.alias) == wanted;
        if wanted.is_empty() || open.facilitators.iter().any(is_theirs) {
            return Err(CommandError::AliasTaken);
        }
        let (about, sealed_to) = (open.invite.about.clone(), open.invite.answers_to.clone());
        let mine = CapsuleCircle {
            group: open.invite.circle.clone(),
            person: SecretKey::from_bytes(random(context.rng)),
            serial: 1,
            alias: alias.to_owned(),
            name: about.name.clone(),
            facilitators: open.facilitators.iter().map(|one| one.key).collect(),
            answers_to: sealed_to,
        };
        let others = self.circling.mine.iter();
        let others = others.filter(|one| one.group != mine.group).count();
        if others >= CAPSULE_CIRCLES_MAX {
            return Err(CommandError::TooMany);
        }
        let talking = self.talking(conversation)?;
        let root = talking.conversation.root();
        let own = package(&mine, context.rng).map_err(|_| CommandError::Stopped)?;
        let let_in = LetIn {
            key_package: ByteBuf::from(own.package.message()),
            rescue: None,
        };
        let sealed = hpke::seal(
            &mine.answers_to,
            &answer_info(&invite),
            &let_in.to_plaintext(),
        );
        let sealed = ByteBuf::from(sealed.map_err(|_| CommandError::Unknown)?);
        let answer = CircleContent::Answer { invite, sealed };
        talking.conversation.tell(answer, context.rng)?;
        self.circling.say_yes(invite);
        self.circling.come(mine, own, about, root, context);
        Ok(())
    }

    /// Her no: nobody is told. [O-3]
    fn refuse_circle(
        &mut self,
        conversation: ConversationId,
        invite: MessageId,
    ) -> Result<(), CommandError> {
        self.circling.open(conversation, invite)?;
        self.circling.invites.retain(|one| one.id != invite);
        Ok(())
    }

    /// After a return she asks, once she is in her conversation again. [O-7]
    fn ask_again(&mut self, context: &mut Context<'_>) {
        let Some(talking) = &mut self.conversation else {
            return;
        };
        let conversation = &mut talking.conversation;
        if !conversation.is_open() {
            return;
        }
        let root = conversation.root();
        for mut mine in std::mem::take(&mut self.circling.again) {
            mine.serial = mine.serial.saturating_add(1);
            let Ok(own) = package(&mine, context.rng) else {
                continue;
            };
            let rescue = sign_person_rescue(&mine.person, &mine.group, &own.key.public());
            let let_in = LetIn {
                key_package: ByteBuf::from(own.package.message()),
                rescue: Some(rescue),
            };
            let info = again_info(&mine.group);
            let Ok(sealed) = hpke::seal(&mine.answers_to, &info, &let_in.to_plaintext()) else {
                continue;
            };
            let again = CircleContent::Again {
                circle: mine.group.clone(),
                sealed: ByteBuf::from(sealed),
            };
            let _is_open = conversation.tell(again, context.rng);
            let about = cobijo_protocol::circle::About {
                name: mine.name.clone(),
                about: String::new(),
            };
            self.circling.come(mine, own, about, root, context);
        }
    }

    pub(super) fn circle_lines(&self) -> impl Iterator<Item = Line> {
        let relay = &self.link.relay;
        let coming = self.circling.coming.iter().map(|coming| {
            let mut wants = Wants::default();
            coming.joining.wants(&mut wants);
            Line {
                channel: coming.channel,
                relay: relay.clone(),
                wants,
            }
        });
        coming.chain(self.circling.circles.lines(relay))
    }

    pub(super) fn circles_seen(
        &mut self,
        channel: ChannelId,
        seen: &Seen,
        context: &mut Context<'_>,
    ) {
        let circling = &mut self.circling;
        circling.circles.handle_seen(channel, seen, context);
        let mut joined = Vec::new();
        for (place, coming) in circling.coming.iter_mut().enumerate() {
            if coming.channel == channel
                && let Some(group) = coming.joining.handle_seen(seen, context.now, context.rng)
            {
                joined.push((place, group));
            }
        }
        for (place, group) in joined.into_iter().rev() {
            let coming = circling.coming.remove(place);
            let circle = Circle::of_person(group, coming.person, coming.about);
            let id = circling.circles.add(circle, None, context);
            circling
                .invites
                .retain(|one| one.invite.circle != coming.group);
            context.event(Event::ConversationJoined(id));
        }
    }
}

impl Circling {
    /// Back from a return: those that the capsule names.
    pub(super) fn returning(circles: Vec<CapsuleCircle>) -> Self {
        Self {
            again: circles,
            ..Self::default()
        }
    }

    fn invited(
        &mut self,
        id: MessageId,
        conversation: ConversationId,
        invite: CircleInvite,
        facilitators: Vec<Attestation>,
    ) -> bool {
        if self.circles.of_group(&invite.circle).is_some() {
            return false;
        }
        self.invites
            .retain(|one| one.invite.circle != invite.circle);
        self.invites.push(Invited {
            id,
            conversation,
            invite,
            facilitators,
            is_answered: false,
        });
        if self.invites.len() > INVITES_MAX {
            self.invites.remove(0);
        }
        true
    }

    fn open(
        &self,
        conversation: ConversationId,
        invite: MessageId,
    ) -> Result<&Invited, CommandError> {
        let mut invites = self.invites.iter();
        invites
            .find(|one| one.id == invite && one.conversation == conversation && !one.is_answered)
            .ok_or(CommandError::Unknown)
    }

    fn say_yes(&mut self, invite: MessageId) {
        let mut invites = self.invites.iter_mut();
        if let Some(one) = invites.find(|one| one.id == invite) {
            one.is_answered = true;
        }
    }

    /// Waits for the Welcome of a facilitator. [O-5]
    fn come(
        &mut self,
        mine: CapsuleCircle,
        own: PersonPackage,
        about: cobijo_protocol::circle::About,
        root: PublicKey,
        context: &mut Context<'_>,
    ) {
        let expect = Expect {
            profile: Profile::Circle,
            root,
            signers: mine.facilitators.clone(),
            roster: None,
            lineage: Lineage::Circle {
                group: mine.group.clone(),
                facilitators: mine.facilitators.clone(),
            },
            welcome: None,
        };
        self.coming.retain(|one| one.group != mine.group);
        self.coming.push(Coming {
            channel: context.new_channel(),
            person: mine.person.clone(),
            about,
            group: mine.group.clone(),
            joining: Joining::new(own.package, own.key, expect),
        });
        self.mine.retain(|one| one.group != mine.group);
        self.mine.push(mine);
    }

    /// Those that she is no longer in are not led back to. [O-6]
    fn note_left(&mut self) {
        let Self {
            circles,
            mine,
            coming,
            ..
        } = self;
        mine.retain(|one| {
            let is_coming = coming.iter().any(|coming| coming.group == one.group);
            is_coming || circles.of_group(&one.group).is_some()
        });
    }

    fn named(&self) -> Vec<CapsuleCircle> {
        let all = self.mine.iter().chain(&self.again);
        all.take(CAPSULE_CIRCLES_MAX).cloned().collect()
    }

    /// She goes on elsewhere: nothing of her circles stays here.
    pub(super) fn forget(&mut self) {
        self.circles.drop_all();
        self.mine.clear();
        self.invites.clear();
        self.coming.clear();
        self.again.clear();
    }

    pub(super) fn views(&self, conversation: ConversationId) -> Vec<CircleInviteView> {
        let invites = self.invites.iter();
        let here = invites.filter(|one| one.conversation == conversation);
        let view = |one: &Invited| CircleInviteView {
            id: one.id,
            name: one.invite.about.name.clone(),
            about: one.invite.about.about.clone(),
            facilitators: { one.facilitators.iter() }
                .map(|one| (one.alias.clone(), one.role))
                .collect(),
            members: one.invite.members,
            is_answered: one.is_answered,
        };
        here.map(view).collect()
    }
}

fn package(mine: &CapsuleCircle, rng: &mut Rng) -> Result<PersonPackage, MlsError> {
    let (person, alias) = (&mine.person, &mine.alias);
    PersonPackage::for_circle(Suite::PostQuantum, person, mine.serial, alias, rng)
}
