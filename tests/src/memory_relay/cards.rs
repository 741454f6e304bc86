//! Cards of the desks that the relay hosts.

use std::collections::BTreeMap;

use cobijo_client_core::core::client::{CardAbsent, PublishAnswer};
use cobijo_protocol::{
    Day,
    card::{CardVersion, UnverifiedCard},
    link::DeskId,
    mailbox::MailboxKey,
};

use super::MemoryRelay;

/// By desk; nothing stands until its first card is published.
#[derive(Clone, Default)]
pub(super) struct Cards(BTreeMap<DeskId, Option<Published>>);

#[derive(Clone)]
struct Published {
    bytes: Vec<u8>,
    version: CardVersion,
    mailbox: MailboxKey,
}

impl Cards {
    /// Whether a card names the mailbox; or there are no desks, and tests say what is hosted.
    pub(super) fn may_name(&self, mailbox: &MailboxKey) -> bool {
        let mut cards = self.0.values().flatten();
        self.0.is_empty() || cards.any(|card| card.mailbox == *mailbox)
    }

    fn publish(&mut self, desk: DeskId, bytes: Vec<u8>, today: Day) -> PublishAnswer {
        let Some(stands) = self.0.get_mut(&desk) else {
            return PublishAnswer::NotHosted;
        };
        let Ok(card) = UnverifiedCard::decode(&bytes).and_then(|card| card.verify(&desk)) else {
            return PublishAnswer::Refused;
        };
        let (version, mailbox) = (card.version(), card.daily.mailbox);
        if version.day > today + 1 {
            return PublishAnswer::Refused;
        }
        match stands {
            Some(stands) if stands.bytes == bytes => return PublishAnswer::Published,
            Some(stands) if stands.version >= version => return PublishAnswer::Conflict,
            Some(_) | None => {}
        }
        *stands = Some(Published {
            bytes,
            version,
            mailbox,
        });
        PublishAnswer::Published
    }
}

impl MemoryRelay {
    /// Hosts a desk from now on.
    pub fn host_desk(&mut self, desk: DeskId) {
        self.cards.0.entry(desk).or_default();
    }

    /// A desk's card.
    ///
    /// # Errors
    /// [`CardAbsent::NotFound`] where none was published.
    pub fn card(&self, desk: &DeskId) -> Result<Vec<u8>, CardAbsent> {
        let card = self.cards.0.get(desk).and_then(Option::as_ref);
        card.map(|card| card.bytes.clone())
            .ok_or(CardAbsent::NotFound)
    }

    /// Publishes a card, and lets its mailbox take drops.
    pub fn publish(&mut self, desk: DeskId, card: Vec<u8>) -> PublishAnswer {
        let answer = self.cards.publish(desk, card, self.day);
        let mailboxes: Vec<_> = { self.cards.0.values() }
            .flatten()
            .map(|card| card.mailbox)
            .collect();
        mailboxes
            .into_iter()
            .for_each(|mailbox| self.host_mailbox(mailbox));
        answer
    }
}
