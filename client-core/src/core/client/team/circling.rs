//! Circles and side rooms on a desk's side. [O-1], [O-5], [O-7], [O-8]

use cobijo_protocol::{
    circle::{About, CircleContent},
    commit::Profile,
    credential::Identity,
    keys::PublicKey,
    limits::CIRCLE_MEMBERS_MAX,
};

use super::{CommandError, Context, ConversationId, Event, Member};
use crate::core::{
    circle::{Circle, NotLetIn},
    client::{CircleCommand, ConversationEvent},
    conversation::AboutCircle,
    group::Group,
};

impl Member {
    pub(super) fn handle_circle_command(
        &mut self,
        command: CircleCommand,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        match command {
            CircleCommand::Create { about, second } => self.create_circle(about, second, context),
            CircleCommand::Invite {
                circle,
                conversation,
            } => self.invite_into_circle(circle, conversation, context),
            CircleCommand::LetIn { circle, asking } => {
                self.circles.find(circle)?.let_in(&asking)?;
                self.circles.handle_timeout(context);
                Ok(())
            }
            CircleCommand::Remove { circle, member } => {
                self.circles.remove(circle, member, context)
            }
            CircleCommand::OpenSide {
                conversation,
                colleagues,
            } => self.open_side(conversation, &colleagues, context),
        }
    }

    /// [O-1]
    fn create_circle(
        &mut self,
        about: About,
        second: Option<PublicKey>,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        if !about.fits() {
            return Err(CommandError::Alias);
        }
        if let Some(second) = &second {
            self.desk.check_colleague(second)?;
        }
        let (now, rng) = (context.now, &mut *context.rng);
        let circle = Circle::create(self.desk.me(), second, about, now, rng)?;
        let id = self.circles.add(circle, None, context);
        context.event(Event::ConversationJoined(id));
        second.map_or(Ok(()), |second| {
            self.desk.take_for_circle(id, second, context)
        })
    }

    /// [O-8]
    fn open_side(
        &mut self,
        conversation: ConversationId,
        colleagues: &[PublicKey],
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        self.conversations.person(conversation)?;
        if colleagues.is_empty() {
            return Err(CommandError::Unknown);
        }
        if colleagues.len() >= CIRCLE_MEMBERS_MAX {
            return Err(CommandError::TooMany);
        }
        for colleague in colleagues {
            self.desk.check_colleague(colleague)?;
        }
        let group = self.conversations.group_id(conversation)?.to_vec();
        let (now, rng) = (context.now, &mut *context.rng);
        let circle = Circle::open_side(self.desk.me(), &group, now, rng)?;
        let id = self.circles.add(circle, Some(conversation), context);
        context.event(Event::ConversationJoined(id));
        for colleague in colleagues {
            if { self.desk.take_for_circle(id, *colleague, context) }.is_err() {
                context.event(Event::ProposalFailed(id));
            }
        }
        Ok(())
    }

    /// [O-3]
    fn invite_into_circle(
        &mut self,
        circle: ConversationId,
        conversation: ConversationId,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        let person = self.conversations.person(conversation)?;
        let circle = self.circles.find(circle)?;
        let invitation = CircleContent::Invite(circle.invitation()?);
        let name = self.conversations.tell(conversation, invitation, context)?;
        circle.note_invited(name, person);
        Ok(())
    }

    /// A group with profile circle was joined by a KeyPackage that a colleague took.
    pub(super) fn join_circle(&mut self, group: Group, context: &mut Context<'_>) {
        let circle = Circle::of_member(group, context.rng);
        let id = self.circles.add(circle, None, context);
        context.event(Event::ConversationJoined(id));
    }

    pub(super) fn is_circle(group: &Group) -> bool {
        group.terms().profile == Profile::Circle
    }

    /// Takes what persons said about circles in their conversations, and ends side rooms whose
    /// conversation is over.
    pub(super) fn route_circles(&mut self, context: &mut Context<'_>) {
        for said in self.conversations.about_circles() {
            self.hear_about_circle(said, context);
        }
        let conversations = &self.conversations;
        self.circles
            .end_sides(|id| !conversations.is_open(id), context);
    }

    fn hear_about_circle(&mut self, said: AboutCircle, context: &mut Context<'_>) {
        // Others of the conversation may answer as they like: it is she who was asked. [O-5]
        let Identity::Person(hers) = &said.author else {
            return;
        };
        match said.content {
            CircleContent::Answer { invite, sealed } => {
                for (id, circle) in self.circles.all_mut() {
                    match circle.answered(&hers.person, &invite, &sealed) {
                        Ok(()) => break,
                        Err(NotLetIn::Unasked) => {}
                        Err(NotLetIn::AliasTaken) => {
                            let event = ConversationEvent::AliasStands;
                            context.event(Event::Conversation(id, event));
                        }
                        Err(NotLetIn::Full) => {
                            let event = ConversationEvent::ChangeRefused;
                            context.event(Event::Conversation(id, event));
                        }
                    }
                }
            }
            CircleContent::Again { circle, sealed } => {
                if let Some((_, circle)) = self.circles.of_group(&circle) {
                    circle.asked_again(&hers.person, said.id, &sealed);
                }
            }
            CircleContent::About(_) | CircleContent::Side(_) | CircleContent::Invite(_) => {}
        }
        self.circles.handle_timeout(context);
    }
}
