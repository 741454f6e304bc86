//! Circles and side rooms, each on a channel of its own: alike on a person's side and on a desk's.

use cobijo_protocol::{
    card::{Card, Role},
    commit::Statement,
    content::MessageId,
    keys::PublicKey,
    link::RelayUrl,
};
use serde::{Deserialize, Serialize};

use super::{
    ChannelId, CommandError, Context, ConversationId, ConversationView, Entry, Event, Line, Stopped,
};
use crate::core::{
    circle::Circle,
    erasing::{Erasing, Pace, Sweep},
    port::{Now, Seen, Wants},
};

/// What a circle is, in a list.
#[derive(Clone, PartialEq, Eq)]
pub struct CircleView {
    /// What it is called; nothing for a side room.
    pub name: Option<String>,
    /// What it is for.
    pub about: String,
    /// Whether the own leaf facilitates it.
    pub leads: bool,
    /// The conversation that a side room is about, where this client is in it.
    pub beside: Option<ConversationId>,
    /// Who has come back, and asks to be let in again.
    pub asking: Vec<AskingView>,
}

/// Somebody who asks to be let in again.
#[derive(Clone, PartialEq, Eq)]
pub struct AskingView {
    /// Her question's message.
    pub id: MessageId,
    /// Her pseudonym.
    pub alias: String,
}

/// An invitation to a circle, as the person sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct CircleInviteView {
    /// Its message.
    pub id: MessageId,
    /// What the circle is called.
    pub name: String,
    /// What it is for.
    pub about: String,
    /// Who facilitates it.
    pub facilitators: Vec<(String, Role)>,
    /// How many are in it.
    pub members: u16,
    /// Whether she has said yes, and waits to be let in.
    pub is_answered: bool,
}

/// All circles of a profile.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Circles {
    list: Vec<Numbered>,
    gone: Vec<Gone>,
}

#[derive(Serialize, Deserialize)]
struct Numbered {
    id: ConversationId,
    channel: ChannelId,
    circle: Circle,
    /// The conversation that the opener's side room is about: it goes on under other groups.
    beside: Option<ConversationId>,
}

/// One that was left: nothing of it is kept but what says so, and what erases the own messages.
#[derive(Serialize, Deserialize)]
struct Gone {
    channel: ChannelId,
    telling: Option<Box<Circle>>,
    sweep: Sweep,
}

impl Circles {
    /// Takes in a circle that was made or joined.
    pub(super) fn add(
        &mut self,
        circle: Circle,
        beside: Option<ConversationId>,
        context: &mut Context<'_>,
    ) -> ConversationId {
        let id = context.new_conversation();
        self.list.push(Numbered {
            id,
            channel: context.new_channel(),
            circle,
            beside,
        });
        id
    }

    /// Whether that is one of them.
    pub(super) fn has(&self, id: ConversationId) -> bool {
        self.list.iter().any(|one| one.id == id)
    }

    pub(super) fn find(&mut self, id: ConversationId) -> Result<&mut Circle, CommandError> {
        let mut list = self.list.iter_mut();
        list.find(|one| one.id == id)
            .map(|one| &mut one.circle)
            .ok_or(CommandError::Unknown)
    }

    /// The circle of that group id.
    pub(super) fn of_group(&mut self, group: &[u8]) -> Option<(ConversationId, &mut Circle)> {
        let mut list = self.list.iter_mut();
        let one = list.find(|one| one.circle.group_id() == group)?;
        Some((one.id, &mut one.circle))
    }

    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = (ConversationId, &mut Circle)> {
        self.list.iter_mut().map(|one| (one.id, &mut one.circle))
    }

    pub(super) fn say(
        &mut self,
        id: ConversationId,
        text: &str,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        self.find(id)?.say(text, context.now, context.rng)?;
        self.handle_timeout(context);
        Ok(())
    }

    /// Leaves without a word. [O-6]
    pub(super) fn leave(
        &mut self,
        id: ConversationId,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        self.find(id)?;
        self.let_go(|one| one.id == id, None, context);
        Ok(())
    }

    /// Leaves, and erases what was said here by oneself. [O-6]
    pub(super) fn erase(
        &mut self,
        id: ConversationId,
        pace: Pace,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        self.find(id)?;
        self.let_go(|one| one.id == id, Some(pace), context);
        Ok(())
    }

    /// Leaves all of them.
    pub(super) fn leave_all(&mut self, context: &mut Context<'_>) {
        self.let_go(|_| true, None, context);
    }

    /// Keeps nothing of any, and says nothing: she goes on elsewhere.
    pub(super) fn drop_all(&mut self) {
        self.list.clear();
        self.gone.clear();
    }

    /// Side rooms end with the conversation that they are about. [O-8]
    pub(super) fn end_sides(
        &mut self,
        is_over: impl Fn(ConversationId) -> bool,
        context: &mut Context<'_>,
    ) {
        let ends = |one: &mut Numbered| one.beside.is_some_and(&is_over);
        for mut one in self.list.extract_if(.., ends).collect::<Vec<_>>() {
            let slots = one.circle.take_own_erase_keys();
            one.circle.end_side();
            self.keep_erasing(one.channel, Some(one.circle), slots, Pace::Spread, context);
        }
        self.handle_timeout(context);
    }

    fn let_go(
        &mut self,
        which: impl Fn(&Numbered) -> bool,
        pace: Option<Pace>,
        context: &mut Context<'_>,
    ) {
        for mut one in self
            .list
            .extract_if(.., |one| which(one))
            .collect::<Vec<_>>()
        {
            // Nobody but its members was to know of a side room.
            let is_side = one.circle.side_of().is_some();
            let pace = pace.or(is_side.then_some(Pace::Spread));
            let slots = pace.map(|_| one.circle.take_own_erase_keys());
            let opened = one.beside.is_some();
            if opened {
                one.circle.end_side();
            } else {
                one.circle.leave();
            }
            let telling = (!one.circle.is_over()).then_some(one.circle);
            let pace = pace.unwrap_or(Pace::Spread);
            self.keep_erasing(
                one.channel,
                telling,
                slots.unwrap_or_default(),
                pace,
                context,
            );
        }
        self.handle_timeout(context);
    }

    fn keep_erasing(
        &mut self,
        channel: ChannelId,
        telling: Option<Circle>,
        slots: Erasing,
        pace: Pace,
        context: &mut Context<'_>,
    ) {
        let mut sweep = Sweep::default();
        sweep.add(slots, pace, context.now, context.rng);
        self.gone.push(Gone {
            channel,
            telling: telling.map(Box::new),
            sweep,
        });
    }

    /// How many slots of those that were left are still to be erased.
    pub(super) fn left_to_erase(&self) -> usize {
        self.gone.iter().map(|gone| gone.sweep.left()).sum()
    }

    /// A coordinator removes a member everywhere.
    pub(super) fn learn(&mut self, statement: &Statement, context: &mut Context<'_>) {
        for one in &mut self.list {
            one.circle.learn(statement.clone(), context.now);
        }
        self.handle_timeout(context);
    }

    pub(super) fn handle_card(&mut self, card: &Card) {
        self.list
            .iter_mut()
            .for_each(|one| one.circle.handle_card(card));
    }

    pub(super) fn lines(&self, relay: &RelayUrl) -> Vec<Line> {
        let line = |channel: ChannelId, wants: Wants| Line {
            channel,
            relay: relay.clone(),
            wants,
        };
        let followed = self
            .list
            .iter()
            .filter(|one| one.circle.stopped().is_none());
        let followed = followed.map(|one| {
            let mut wants = Wants::default();
            one.circle.wants(&mut wants);
            line(one.channel, wants)
        });
        let gone = self.gone.iter().map(|gone| {
            let mut wants = Wants::default();
            if let Some(circle) = &gone.telling {
                circle.wants(&mut wants);
            }
            gone.sweep.wants(&mut wants);
            line(gone.channel, wants)
        });
        followed.chain(gone).collect()
    }

    pub(super) fn handle_seen(
        &mut self,
        channel: ChannelId,
        seen: &Seen,
        context: &mut Context<'_>,
    ) {
        let (now, rng) = (context.now, &mut *context.rng);
        for one in self.list.iter_mut().filter(|one| one.channel == channel) {
            one.circle.handle_seen(seen, now, rng);
        }
        for gone in self.gone.iter_mut().filter(|gone| gone.channel == channel) {
            if let Some(circle) = &mut gone.telling {
                circle.handle_seen(seen, now, rng);
            }
            gone.sweep.handle_seen(seen, now);
        }
        self.drain(context);
    }

    pub(super) fn poll_timeout(&self) -> Option<Now> {
        let list = self.list.iter().filter_map(|one| one.circle.poll_timeout());
        let telling = self.gone.iter().filter_map(|gone| gone.telling.as_ref());
        let telling = telling.filter_map(|circle| circle.poll_timeout());
        let sweeps = self
            .gone
            .iter()
            .filter_map(|gone| gone.sweep.poll_timeout());
        list.chain(telling).chain(sweeps).min()
    }

    pub(super) fn handle_timeout(&mut self, context: &mut Context<'_>) {
        let (now, rng) = (context.now, &mut *context.rng);
        for one in &mut self.list {
            one.circle.handle_timeout(now, rng);
        }
        for gone in &mut self.gone {
            if let Some(circle) = &mut gone.telling {
                circle.handle_timeout(now, rng);
            }
            gone.sweep.advance(now);
        }
        self.drain(context);
    }

    /// Passes on what they have to tell, and forgets those that this client is no longer in. [O-6], [O-8]
    pub(super) fn drain(&mut self, context: &mut Context<'_>) {
        for one in &mut self.list {
            while let Some(event) = one.circle.poll_event() {
                if one.circle.is_told() {
                    context.event(Event::Conversation(one.id, event));
                }
            }
        }
        let is_out = |one: &mut Numbered| {
            matches!(
                one.circle.stopped(),
                Some(Stopped::Removed | Stopped::Left | Stopped::Wiped | Stopped::Returned)
            )
        };
        for mut one in self.list.extract_if(.., is_out).collect::<Vec<_>>() {
            if one.circle.side_of().is_some() {
                let slots = one.circle.take_own_erase_keys();
                self.keep_erasing(one.channel, None, slots, Pace::Spread, context);
            }
        }
        for gone in &mut self.gone {
            gone.telling.take_if(|circle| {
                while circle.poll_event().is_some() {}
                circle.is_over() || (circle.is_alone() && circle.has_committed())
            });
            gone.sweep.advance(context.now);
        }
        self.gone
            .retain(|gone| gone.telling.is_some() || !gone.sweep.is_over());
    }

    /// All that may be shown; `find` knows conversations by their group's id.
    pub(super) fn views(
        &self,
        find: impl Fn(&[u8]) -> Option<ConversationId>,
    ) -> Vec<ConversationView> {
        let told = self.list.iter().filter(|one| one.circle.is_told());
        let view = |one: &Numbered| {
            let circle = &one.circle;
            let asking = circle.asking().into_iter().map(|asking| AskingView {
                id: asking.id,
                alias: asking.alias,
            });
            let shown = CircleView {
                name: circle.about().map(|about| about.name.clone()),
                about: circle
                    .about()
                    .map_or_else(String::new, |about| about.about.clone()),
                leads: circle.leads(),
                beside: one.beside.or_else(|| circle.side_of().and_then(&find)),
                asking: asking.collect(),
            };
            ConversationView {
                id: one.id,
                alias: None,
                members: circle.members(),
                code: Some(circle.code()),
                open: circle.is_open(),
                closed: false,
                erased: None,
                proposals: Vec::new(),
                summary: None,
                files: Vec::new(),
                circle: Some(shown),
                invitations: Vec::new(),
            }
        };
        told.map(view).collect()
    }

    pub(super) fn history(&self, id: ConversationId) -> Vec<Entry> {
        let mut list = self.list.iter();
        list.find(|one| one.id == id)
            .map_or_else(Vec::new, |one| one.circle.history().to_vec())
    }

    /// Removes somebody, by a facilitator.
    pub(super) fn remove(
        &mut self,
        id: ConversationId,
        member: PublicKey,
        context: &mut Context<'_>,
    ) -> Result<(), CommandError> {
        self.find(id)?.remove(member)?;
        self.handle_timeout(context);
        Ok(())
    }
}
