//! Whether the desk knows the mailbox that the card names. Whoever posts the card might name one that
//! nobody else can open: all who write would reach her alone. [D-10]

use std::time::Duration;

use cobijo_protocol::{
    card::{Card, CardVersion},
    content::IntakeKey,
    mailbox::MailboxKey,
};

use super::Desk;
use crate::{
    core::{
        client::{Context, Event},
        port::Now,
    },
    mls::hpke,
};

/// Time for the intake key of a card to arrive that was seen before it: it was stored first.
const ARRIVES: Duration = Duration::from_secs(60);

/// What is known of the mailbox of one card.
#[derive(Default)]
pub(super) struct Naming {
    version: Option<CardVersion>,
    state: State,
}

#[derive(Default, Clone, Copy)]
enum State {
    /// Not looked at, or too little has been read.
    #[default]
    Open,
    /// The desk was told.
    Known,
    /// All was read at that time, and nothing tells of it.
    Missing { since: Now },
    /// The desk was not told, or of another key.
    Foreign(MailboxKey),
}

impl Naming {
    /// The mailbox that no card should name.
    pub(super) fn foreign(&self) -> Option<MailboxKey> {
        match self.state {
            State::Foreign(mailbox) => Some(mailbox),
            State::Open | State::Known | State::Missing { .. } => None,
        }
    }

    /// When to look again.
    pub(super) fn due(&self) -> Option<Now> {
        match self.state {
            State::Missing { since } => Some(since.plus(ARRIVES)),
            State::Open | State::Known | State::Foreign(_) => None,
        }
    }
}

impl Desk {
    /// Compares the card with what the desk was told, and says once who names what nobody knows.
    pub(super) fn look_at_named(&mut self, context: &mut Context<'_>) {
        let Some(card) = self.card.card() else {
            return;
        };
        if self.naming.version != Some(card.version()) {
            self.naming = Naming {
                version: Some(card.version()),
                state: State::Open,
            };
        }
        let before = self.naming.state;
        self.naming.state = self.named(&card, before, context.now);
        let is_new = !matches!(before, State::Foreign(_));
        if is_new && self.naming.foreign().is_some() {
            let members = self.members().into_iter();
            let poster = members.filter(|one| one.key == card.daily.poster);
            let alias = poster.map(|one| one.alias).next();
            context.event(Event::UnknownMailbox { alias });
        }
    }

    fn named(&self, card: &Card, before: State, now: Now) -> State {
        if matches!(before, State::Known) {
            return before;
        }
        let mailbox = card.daily.mailbox;
        let mut told = self.board.told_of(&mailbox).peekable();
        if told.peek().is_some() {
            // What was sealed for another day than its key's opens for nobody who was told that day.
            let is_of_card = |key: &IntakeKey| {
                let pair = hpke::key_pair(key.seed.as_bytes());
                let is_same = pair.is_ok_and(|pair| pair.public == *card.daily.intake_key);
                is_same && key.day == card.daily.day
            };
            return if told.any(is_of_card) {
                State::Known
            } else {
                State::Foreign(mailbox)
            };
        }
        match before {
            State::Missing { since } if now.since(since) >= ARRIVES => State::Foreign(mailbox),
            State::Missing { .. } | State::Foreign(_) => before,
            State::Open | State::Known if self.knows_the_past && self.group.is_caught_up() => {
                State::Missing { since: now }
            }
            State::Open | State::Known => State::Open,
        }
    }
}
