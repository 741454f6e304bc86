//! A conversation: streams of messages, the contest of commits, and epochs that are closed one by one.

use std::collections::{BTreeMap, BTreeSet};

use mls_rs::{
    MlsMessage,
    client_builder::MlsConfig,
    group::{CommitEffect, ReceivedMessage, proposal::Proposal},
    mls_rs_codec::MlsEncode,
};

use super::{
    cbor::{Item, bytes, map, text, uint},
    content,
    frame::Outcome,
    group::{CommitData, Message, POLICY, named},
    key_package::{Package, Tls},
    mls::{Group, Person},
    policy::{Presence, Verdict},
    relay::{Found, Relay, Said, put},
    signature::sign,
    slot::{COMMIT, Head, MESSAGE, Thread, VOID, WELCOME, random, split},
};

const MLS10: u16 = 1;
const PUBLIC_MESSAGE: u16 = 1;
const PRIVATE_MESSAGE: u16 = 2;
const SENDER_MEMBER: u8 = 1;
const APPLICATION: u8 = 1;
const COMMIT_CONTENT: u8 = 3;
/// Days before the end of retention.
const STALE_MARGIN: u32 = 3;
const AHEAD_MAX: u64 = 1 << 20;

/// What happened in a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Said { leaf: u32, text: String },
    Proposed { key_package: Vec<u8> },
    Committed { leaf: u32 },
    Removed,
}

pub(crate) struct Conversation<C: MlsConfig> {
    relay: Relay,
    pub(crate) group: Group<C>,
    person: Person,
    pub(crate) desk_serial: u32,
    /// The desk key with that serial, as the root signed it.
    pub(super) desk_key: Item,
    pub(super) presence: Presence,
    /// Who may not renew before somebody else commits.
    pub(super) renewed: BTreeSet<u32>,
    /// Caught up to this day.
    day: u32,
    channel: [u8; 32],
    commit_index: u64,
    /// How many slots of each other leaf are read.
    read: BTreeMap<u32, u32>,
    /// Streams with a void cell: they have ended there.
    ended: BTreeSet<u32>,
    /// Own messages of this epoch, each with its counter, and the next counter.
    sent: Vec<(u32, Message)>,
    next: u32,
    clock: u64,
    seen: BTreeSet<[u8; 16]>,
}

impl<C: MlsConfig> Conversation<C> {
    pub(crate) fn new(
        relay: Relay,
        group: Group<C>,
        person: Person,
        (desk_serial, desk_key): (u32, Item),
        day: u32,
    ) -> Self {
        let mut conversation = Self {
            channel: [0; 32],
            commit_index: 0,
            read: BTreeMap::new(),
            ended: BTreeSet::new(),
            sent: Vec::new(),
            next: 0,
            clock: 0,
            seen: BTreeSet::new(),
            relay,
            group,
            person,
            desk_serial,
            desk_key,
            presence: Presence::Here,
            renewed: BTreeSet::new(),
            day,
        };
        conversation.enter();
        conversation
    }

    pub(crate) fn code(&self) -> [u64; 6] {
        let authenticator = self.group.mls.epoch_authenticator().unwrap();
        super::desk::conversation_code(authenticator.as_bytes())
    }

    fn enter(&mut self) {
        self.channel = self.group.channel();
        self.commit_index = 0;
        self.next = 0;
        self.ended.clear();
        let own = self.group.own_leaf();
        self.read = self
            .group
            .leaves()
            .into_iter()
            .filter(|leaf| *leaf != own)
            .map(|leaf| (leaf, 0))
            .collect();
    }

    fn stream(&self, leaf: u32) -> Thread {
        Thread::new(self.channel, MESSAGE, leaf)
    }

    fn commits(&self) -> Thread {
        Thread::new(self.channel, COMMIT, 0)
    }

    pub(crate) async fn say(&mut self, words: &str) {
        self.clock += 1;
        let content = map([("text", text(words))]);
        let message = Message {
            id: random(),
            clock: self.clock,
            content,
        };
        self.post(message).await;
    }

    /// Leaves: the desk's client commits it.
    pub(crate) async fn leave(&mut self) {
        let own = self.group.own_leaf();
        let hash = self.tree()[&own].hash;
        let group = named(self.group.mls.group_id());
        let signature = sign(&self.person.seed, "leave", &[&group, &hash]);
        let statement = map([("leaf", uint(own)), ("signature", bytes(signature))]);
        self.clock += 1;
        let content = map([("leave", map([("leave", statement)]))]);
        self.post(Message {
            id: random(),
            clock: self.clock,
            content,
        })
        .await;
    }

    /// Puts a message at the next counter of the own stream; a counter that is taken is used up.
    async fn post(&mut self, message: Message) {
        let sealed = self
            .group
            .mls
            .encrypt_application_message(&message.encode(), Vec::new());
        let payload = sealed.unwrap().to_bytes().unwrap();
        let thread = self.stream(self.group.own_leaf());
        loop {
            let secret = random();
            let (data, bodies) = split(&payload, secret);
            let counter = self.next;
            let outcome = self
                .relay
                .write(&thread, counter.into(), &data, &bodies, secret)
                .await;
            self.next += 1;
            match outcome {
                Outcome::Stored => return self.sent.push((counter, message)),
                Outcome::Taken => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Waits for the next thing that happens, commits first.
    pub(crate) async fn next(&mut self) -> Vec<Event> {
        let kept = u32::from(self.relay.retention) - STALE_MARGIN;
        assert!(self.relay.day.saturating_sub(self.day) <= kept, "stale");
        loop {
            let commit = self.relay.say(&self.commits(), self.commit_index).await;
            match commit {
                Said::Nothing => {}
                Said::Gone => panic!("a commit is gone: can't follow"),
                Said::Void => {
                    self.commit_index += 1;
                    continue;
                }
                Said::Payload(payload) => match self.follow(&payload).await {
                    Some(events) => return events,
                    None => {
                        self.commit_index += 1;
                        continue;
                    }
                },
            }
            let events = self.hear().await;
            if !events.is_empty() {
                return events;
            }
            let mut slots = vec![self.commits().slot(self.commit_index)];
            slots.extend(
                self.read
                    .iter()
                    .map(|(leaf, read)| self.stream(*leaf).slot((*read).into())),
            );
            self.relay.wait_any(&slots).await;
        }
    }

    /// Reads all other streams as far as they go.
    pub(super) async fn hear(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        let others: Vec<u32> = self.read.keys().copied().collect();
        for leaf in others {
            loop {
                let read = self.read[&leaf];
                let said = self.relay.say(&self.stream(leaf), read.into()).await;
                if said == Said::Nothing {
                    break;
                }
                self.take(leaf, said, &mut events);
            }
        }
        events
    }

    fn take(&mut self, leaf: u32, stands: Said, events: &mut Vec<Event>) {
        *self.read.get_mut(&leaf).unwrap() += 1;
        let Said::Payload(payload) = stands else {
            if stands == Said::Void {
                self.ended.insert(leaf);
            }
            return;
        };
        let Some(message) = self.open(leaf, &payload) else {
            self.ended.insert(leaf);
            return;
        };
        let author = self.tree()[&leaf].key.clone().try_into().unwrap();
        let name = content::name(&author, &message);
        let Some(message) = Message::decode(&message) else {
            return;
        };
        self.clock = self.clock.max(message.clock.min(self.clock + AHEAD_MAX));
        if !self.seen.insert(name) {
            return;
        }
        match message.content.choice() {
            Some(("text", words)) => events.push(said(leaf, words.text().unwrap())),
            Some(("proposal", proposal)) => {
                let fields = ["member", "purpose", "reason", "reads", "key_package"];
                let fields = proposal.fields(fields);
                let key_package = fields.unwrap()[4].bytes().unwrap().to_vec();
                events.push(Event::Proposed { key_package });
            }
            _ => {}
        }
    }

    /// The gate of message slots, then MLS.
    fn open(&mut self, leaf: u32, payload: &[u8]) -> Option<Vec<u8>> {
        let mut rest = Tls(payload);
        let heads = [rest.u16()?, rest.u16()?];
        let (group, epoch) = (rest.vector()?, rest.u64()?);
        let (kind, authenticated) = (rest.u8()?, rest.vector()?);
        let good = heads == [MLS10, PRIVATE_MESSAGE]
            && group == self.group.mls.group_id()
            && epoch == self.group.mls.current_epoch()
            && kind == APPLICATION
            && authenticated.is_empty();
        if !good {
            return None;
        }
        let message = MlsMessage::from_bytes(payload).ok()?;
        let mut scratch = self.group.clone();
        match scratch.mls.process_incoming_message(message).ok()? {
            ReceivedMessage::ApplicationMessage(said) if said.sender_index == leaf => {
                self.group = scratch;
                Some(said.data().to_vec())
            }
            _ => None,
        }
    }

    /// Updates the own leaf's path. Gives what was read on the way.
    pub(crate) async fn update(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            events.extend(self.hear().await);
            let data = CommitData {
                policy: POLICY,
                cut: self.cut(),
                statements: Vec::new(),
                welcomes: Vec::new(),
            };
            let mut scratch = self.group.clone();
            let builder = scratch
                .mls
                .commit_builder()
                .authenticated_data(data.encode());
            let commit = builder
                .build()
                .unwrap()
                .commit_message()
                .to_bytes()
                .unwrap();
            if self.commit(&commit).await {
                scratch.mls.apply_pending_commit().unwrap();
                self.advance(scratch);
                return events;
            }
            events.extend(self.next().await);
        }
    }

    /// Enters the epoch of an own commit, which cut nothing of one's own off.
    pub(super) fn advance(&mut self, group: Group<C>) {
        self.group = group;
        self.sent.clear();
        self.enter();
    }

    pub(super) fn caught_up(&self) -> u32 {
        self.day.max(self.relay.day)
    }

    pub(super) async fn write_welcome_bodies(&mut self, bodies: &[Vec<u8>], secret: [u8; 32]) {
        self.relay.write_bodies(false, bodies, secret).await;
    }

    pub(super) fn cut(&self) -> Vec<(u32, u32)> {
        let mut cut = self.read.clone();
        cut.insert(self.group.own_leaf(), self.next);
        cut.into_iter().collect()
    }

    /// Contends at the present index. Whether it stands there.
    pub(super) async fn commit(&mut self, payload: &[u8]) -> bool {
        let (secret, thread) = (random(), self.commits());
        let (data, bodies) = split(payload, secret);
        match self
            .relay
            .write(&thread, self.commit_index, &data, &bodies, secret)
            .await
        {
            Outcome::Stored => true,
            Outcome::Taken => false,
            other => panic!("{other:?}"),
        }
    }

    /// Judges a commit; if it is valid, closes the epoch and enters the next one.
    async fn follow(&mut self, payload: &[u8]) -> Option<Vec<Event>> {
        let (author, authenticated) = self.gate(payload)?;
        let message = MlsMessage::from_bytes(payload).ok()?;
        let data = CommitData::decode(&authenticated)?;
        self.brings_good_keys(payload, &message)?.then_some(())?;
        let effect = match self.judge(author, &message, data.clone()) {
            Verdict::Valid(effect) => effect,
            Verdict::Void(_) => return None,
            Verdict::Stop => panic!("a policy of another version"),
        };
        let mut scratch = self.group.clone();
        let received = scratch
            .mls
            .process_incoming_message(message)
            .expect("broken for me, or void");
        let ReceivedMessage::Commit(commit) = received else {
            return None;
        };
        assert_eq!(commit.committer, author);
        if matches!(commit.effect, CommitEffect::Removed { .. }) {
            return Some(vec![Event::Removed]);
        }
        let mut events = self.close(&data).await;
        let CommitEffect::NewEpoch(epoch) = commit.effect else {
            return None;
        };
        let adds = epoch
            .applied_proposals()
            .iter()
            .filter_map(|info| match &info.proposal {
                Proposal::Add(add) => Some(add.key_package().mls_encode_to_vec().unwrap()),
                _ => None,
            });
        for (add, (total, secret)) in adds.zip(&data.welcomes) {
            let package = Package::parse_bare(&add).unwrap();
            let welcome_secret = package.welcome_secret.unwrap();
            self.put_welcome(welcome_secret, *total as usize, *secret)
                .await;
        }
        let own = self.group.own_leaf();
        let end = data
            .cut
            .iter()
            .find(|(leaf, _)| *leaf == own)
            .map_or(0, |(_, count)| *count);
        self.group = scratch;
        (self.desk_serial, self.presence) = (effect.desk_serial, effect.presence);
        self.renewed = effect.renewed;
        self.enter();
        for (counter, message) in std::mem::take(&mut self.sent) {
            if counter >= end {
                self.post(message).await;
            }
        }
        events.push(Event::Committed { leaf: author });
        Some(events)
    }

    /// The gate of commit slots: who wrote it, and the authenticated data.
    fn gate(&self, payload: &[u8]) -> Option<(u32, Vec<u8>)> {
        let mut rest = Tls(payload);
        let heads = [rest.u16()?, rest.u16()?];
        let (group, epoch) = (rest.vector()?, rest.u64()?);
        let (sender, author) = (rest.u8()?, rest.u32()?);
        let authenticated = rest.vector()?.to_vec();
        let good = heads == [MLS10, PUBLIC_MESSAGE]
            && group == self.group.mls.group_id()
            && epoch == self.group.mls.current_epoch()
            && sender == SENDER_MEMBER
            && rest.u8()? == COMMIT_CONTENT;
        good.then_some((author, authenticated))
    }

    /// Reads every other stream to where the commit cuts it.
    async fn close(&mut self, data: &CommitData) -> Vec<Event> {
        let mut events = Vec::new();
        let own = self.group.own_leaf();
        for (leaf, count) in data.cut.iter().filter(|(leaf, _)| *leaf != own) {
            while self.read[leaf] < *count && !self.ended.contains(leaf) {
                let (thread, index) = (self.stream(*leaf), self.read[leaf].into());
                let mut found = self.relay.read(&thread.slot(index)).await;
                if matches!(found, Found::Empty | Found::Gone) {
                    let slot = thread.slot(index);
                    match (self.relay.put(&slot, &VOID).await, found) {
                        (Outcome::Stored, _) => found = Found::Cell(VOID.to_vec()),
                        (_, Found::Empty) => found = self.relay.read(&slot).await,
                        (_, other) => found = other,
                    }
                }
                let said = self.relay.said(&thread, index, found).await;
                self.take(*leaf, said, &mut events);
            }
        }
        events
    }

    /// Puts a Welcome's head, as everyone does who processes its commit.
    pub(super) async fn put_welcome(
        &mut self,
        welcome_secret: [u8; 32],
        total: usize,
        secret: [u8; 32],
    ) {
        let thread = Thread::new(welcome_secret, WELCOME, 0);
        let head = Head {
            total,
            secret,
            first: Vec::new(),
        };
        for index in 0.. {
            let slot = thread.slot(index);
            let cell = slot.seal(&head.data());
            let outcomes = self.relay.ask(&[put(&slot, &cell)]).await;
            if outcomes == [Outcome::Stored] {
                return;
            }
        }
    }
}

/// What a member says in a text.
pub(crate) fn said(leaf: u32, words: &str) -> Event {
    Event::Said {
        leaf,
        text: words.to_owned(),
    }
}
