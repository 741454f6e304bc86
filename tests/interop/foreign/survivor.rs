//! A person's first contact, from the desk's link to the conversation.

use std::time::{SystemTime, UNIX_EPOCH};

use mls_rs::{CipherSuite, Client, client_builder::MlsConfig};

use super::{
    cbor::{Item, text},
    contact::{self, Intake, Reply, ReplyThread},
    conversation::Conversation,
    desk::{self, Card, Link},
    frame::{Operation, Outcome},
    group::{Identity, POLICY, Profile, welcome_payload},
    hpke,
    mls::{self, Group, Person},
    relay::{Relay, Said, Way},
    slot::{Head, REPLY, Thread, WAITING, hash, random, split},
};

/// A person who wrote and waits.
pub(crate) struct Survivor<C: MlsConfig> {
    way: Way,
    link: Link,
    relay: Relay,
    card: Card,
    pub(crate) r: [u8; 32],
    pub(crate) person: Person,
    client: Client<C>,
    welcome_secret: [u8; 32],
    waiting: u64,
}

/// Writes to the desk of a link, for the first time, with a KeyPackage of this suite.
pub(crate) async fn write(
    way: &Way,
    link: &str,
    words: &str,
    suite: CipherSuite,
) -> Survivor<impl MlsConfig + use<>> {
    let link = Link::parse(link).unwrap();
    let card = card_of(way, &link).await;
    let person = Person {
        seed: random(),
        leaf_seed: random(),
        serial: 1,
    };
    let client = mls::client(&person, suite);
    let mut survivor = Survivor {
        way: way.clone(),
        link,
        relay: Relay::connect(way).await,
        r: random(),
        welcome_secret: random(),
        waiting: 0,
        card,
        person,
        client,
    };
    survivor.append_key_package().await;
    let intake = survivor.intake(words);
    let mailbox = survivor.card.mailbox;
    let dropped = survivor
        .relay
        .ask(&[Operation::Drop {
            mailbox,
            cell: intake,
        }])
        .await;
    assert_eq!(dropped, [Outcome::Stored]);
    survivor
}

impl<C: MlsConfig> Survivor<C> {
    fn intake(&self, words: &str) -> Vec<u8> {
        let intake = Intake {
            r: self.r,
            person: self.person.key(),
            language: "es".to_owned(),
            kind: text("first"),
            text: words.to_owned(),
        };
        let info = contact::intake_info(&self.link.desk, self.card.version, self.card.day);
        hpke::seal(&self.card.intake_key, &info, &intake.plaintext())
    }

    /// Adds a text while she waits.
    pub(crate) async fn add(&mut self, words: &str) {
        let info = contact::waiting_info(&self.r);
        let sealed = hpke::seal(&self.card.intake_key, &info, words.as_bytes());
        self.append(&contact::more(&sealed)).await;
    }

    async fn append_key_package(&mut self) {
        let package = mls::key_package(&self.client, self.welcome_secret);
        self.append(&contact::key_package(&package)).await;
    }

    async fn append(&mut self, payload: &[u8]) {
        let (secret, thread) = (random(), Thread::new(self.r, WAITING, 0));
        let (data, bodies) = split(payload, secret);
        let outcome = self
            .relay
            .write(&thread, self.waiting, &data, &bodies, secret)
            .await;
        assert_eq!(outcome, Outcome::Stored);
        self.waiting += 1;
    }

    /// Waits for a reply that stands and is of somebody who is of the desk now, and joins by its Welcome.
    pub(crate) async fn answered(mut self) -> Conversation<C> {
        let thread = Thread::new(self.r, REPLY, 0);
        let mut replies = ReplyThread {
            r: self.r,
            root: self.card.root,
            person: self.person.key(),
            offers: false,
            standing: None,
        };
        for index in 0.. {
            let found = self.relay.wait(&thread.slot(index)).await;
            let Said::Payload(payload) = self.relay.said(&thread, index, found).await else {
                continue;
            };
            let Some(Reply::Claimed { hash, head, by }) = replies.read(index, &payload) else {
                continue;
            };
            let card = card_of(&self.way, &self.link).await;
            if card.lists(&by, today())
                && let Some((group, desk_key, day)) = self.join(hash, &head, by.key).await
            {
                return Conversation::new(self.relay, group, self.person, desk_key, day);
            }
            self.refuse(&thread, index).await;
        }
        unreachable!("a thread has no end")
    }

    /// Says that what stands at this index can't be joined.
    async fn refuse(&mut self, thread: &Thread, standing: u64) {
        let (data, _) = split(
            &contact::not_this_one(&self.person.seed, &self.r, standing),
            random(),
        );
        for index in standing + 1.. {
            let slot = thread.slot(index);
            let cell = slot.seal(&data);
            if self.relay.put(&slot, &cell).await == Outcome::Stored {
                return;
            }
        }
    }

    async fn join(
        &mut self,
        welcome_hash: [u8; 32],
        head: &Head,
        by: [u8; 32],
    ) -> Option<Joined<C>> {
        let root = self.card.root;
        let Said::Payload(payload) = self.relay.said_by(head, false).await else {
            return None;
        };
        let (day, desk_key, welcome) = welcome_payload(&payload, &root)?;
        if hash(&[&welcome]) != welcome_hash {
            return None;
        }
        let (group, signer) = Group::join(&self.client, &welcome, root)?;
        is_expected(&group, signer, by, &self.person)
            .then(|| (group, desk_key.unwrap_or((0, Item::Null)), day))
    }
}

/// A group, the desk key that its Welcome told, and its caught-up day.
type Joined<C> = (Group<C>, (u32, Item), u32);

/// The day of her own clock.
fn today() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    (since.as_secs() / 86_400).try_into().unwrap()
}

async fn card_of(way: &Way, link: &Link) -> Card {
    let path = format!("/v1/cards/{}", desk::desk_text(&link.desk));
    let (status, card) = way.get(&path).await;
    assert_eq!(status, 200);
    desk::card(&card, &link.desk).unwrap()
}

/// As the table of joiners says: signed by whom the reply names, nobody else in it, no predecessor.
fn is_expected<C: MlsConfig>(group: &Group<C>, signer: u32, by: [u8; 32], person: &Person) -> bool {
    let is_by =
        |leaf| matches!(group.identity(leaf), Some(Identity::Member(member)) if member.key == by);
    let is_hers = |leaf| matches!(group.identity(leaf), Some(Identity::Person { person: key, .. }) if key == person.key());
    let terms = group.terms();
    terms.is_some_and(|terms| {
        terms.profile == Profile::Conversation
            && terms.policy == POLICY
            && terms.predecessor.is_none()
    }) && is_by(signer)
        && group.leaves().len() == 2
        && group
            .leaves()
            .into_iter()
            .all(|leaf| is_by(leaf) || is_hers(leaf))
}
