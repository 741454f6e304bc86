//! Clients, a relay in memory and a clock that only moves when told.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    dead_code
)]

pub(crate) mod circle;
pub(crate) mod consent;
pub(crate) mod files;
pub(crate) mod hostile;
pub(crate) mod people;
pub(crate) mod phrase;
pub(crate) mod relay;
pub(crate) mod stopped;

use std::{collections::VecDeque, time::Duration};

use cobijo_client_core::core::{
    client::{
        CardAbsent, ChannelId, Client, Command, CommandError, ConversationId, ConversationView,
        Description, DeskView, EntryContent, Event, Input, InviteId, Output, PersonCommand,
        PublishAnswer, Speaker, Standing, TeamCommand,
    },
    port::{Now, Rng},
};
use cobijo_protocol::{
    Day,
    card::{Role, Text},
    frame::{FromRelay, encode_from_relay},
    keys::PublicKey,
    link::{DeskLink, Invite, RelayUrl},
    mailbox::MailboxKey,
    slot::Address,
};
use rand_core::SeedableRng as _;

use relay::{Deliveries, Relay};

pub(crate) const TODAY: Day = 20_000;
/// Rounds of talk after which something must be wrong.
const TURNS_MAX: usize = 200;

/// More connections than a client ever has here.
const CHANNELS: u32 = 64;

pub(crate) struct World {
    pub(crate) relay: Relay,
    pub(crate) now: Now,
    pub(crate) clients: Vec<Profile>,
    /// Whether the relay can't be reached.
    pub(crate) is_dark: bool,
    /// What the relay says to every card, where it takes none.
    pub(crate) refuses_cards: Option<PublishAnswer>,
    /// A client whose power fails after that many more frames.
    pub(crate) mute: Option<(usize, usize)>,
    /// Whether the relay fails too, before the last put of that client's last frame.
    pub(crate) stops_short: bool,
    deliveries: VecDeque<(relay::Line, Vec<u8>)>,
}

/// A client, its disk and its memory of events.
pub(crate) struct Profile {
    pub(crate) client: Client,
    pub(crate) events: Vec<Event>,
    pub(crate) disk: Vec<u8>,
    pub(crate) parts: files::Parts,
    rng: Rng,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            relay: Relay::new(TODAY),
            now: Now::from_millis(u64::from(TODAY) * 86_400_000 + 9 * 3_600_000),
            clients: Vec::new(),
            is_dark: false,
            refuses_cards: None,
            mute: None,
            stops_short: false,
            deliveries: VecDeque::new(),
        }
    }

    pub(crate) fn client(&mut self) -> usize {
        self.clients.push(Profile {
            client: Client::new(),
            events: Vec::new(),
            disk: Vec::new(),
            parts: files::Parts::default(),
            rng: Rng::seed_from_u64(self.clients.len() as u64 + 1),
        });
        self.clients.len() - 1
    }

    /// A desk with its coordinator, hosted and published.
    pub(crate) fn desk(&mut self) -> (usize, DeskLink) {
        let mar = self.client();
        self.team(mar, create_desk("Mar")).unwrap();
        let link = self.link(mar);
        self.relay.hosted.insert(link.desk);
        self.wait(Duration::from_secs(60));
        (mar, link)
    }

    pub(crate) fn link(&self, client: usize) -> DeskLink {
        self.clients[client]
            .events
            .iter()
            .find_map(|event| match event {
                Event::DeskCreated(link) => Some(link.clone()),
                _ => None,
            })
            .unwrap()
    }

    pub(crate) fn invite(&mut self, coordinator: usize) -> (InviteId, Invite) {
        self.team(coordinator, TeamCommand::Invite).unwrap();
        self.clients[coordinator]
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::Invited { id, invite } => Some((*id, invite.clone())),
                _ => None,
            })
            .unwrap()
    }

    /// Invites, joins, compares words and admits.
    pub(crate) fn join(&mut self, coordinator: usize, alias: &str, role: Role) -> usize {
        let (id, invite) = self.invite(coordinator);
        let newcomer = self.client();
        let alias = alias.to_owned();
        self.team(newcomer, TeamCommand::JoinDesk { invite, alias })
            .unwrap();
        self.team(coordinator, TeamCommand::Admit { invite: id, role })
            .unwrap();
        newcomer
    }

    /// As [`World::join`], where the coordinator may be cut off on the way.
    pub(crate) fn join_if_possible(&mut self, coordinator: usize, alias: &str) -> usize {
        let (id, invite) = self.invite(coordinator);
        let newcomer = self.client();
        let alias = alias.to_owned();
        let role = Role::Accompanier;
        self.team(newcomer, TeamCommand::JoinDesk { invite, alias })
            .unwrap();
        let _nobody_yet = self.team(coordinator, TeamCommand::Admit { invite: id, role });
        newcomer
    }

    pub(crate) fn is_member(&self, client: usize) -> bool {
        matches!(self.clients[client].client.standing(), Standing::Member(_))
    }

    /// The mailbox of the published card.
    pub(crate) fn mailbox(&self, link: &DeskLink) -> MailboxKey {
        relay::read(&link.desk, &self.relay.cards[&link.desk])
            .daily
            .mailbox
    }

    /// A person who writes to the desk.
    pub(crate) fn person(&mut self, link: &DeskLink, text: &str) -> usize {
        let ana = self.client();
        let command = PersonCommand::Write {
            link: link.clone(),
            language: "es".to_owned(),
            text: text.to_owned(),
        };
        self.command(ana, Command::Person(command)).unwrap();
        ana
    }

    /// Answers whoever waits longest.
    pub(crate) fn claim(&mut self, client: usize) -> Result<(), CommandError> {
        let row = self.clients[client]
            .client
            .queue()
            .first()
            .map(|row| row.id);
        let row = row.ok_or(CommandError::Unknown)?;
        self.team(client, TeamCommand::Claim(row))
    }

    /// How many people wait, as a client knows.
    pub(crate) fn waiting(&self, client: usize) -> usize {
        self.clients[client].client.queue().len()
    }

    /// The first conversation of a client.
    pub(crate) fn conversation(&self, client: usize) -> ConversationView {
        let conversations = self.clients[client].client.conversations();
        conversations.into_iter().next().unwrap()
    }

    pub(crate) fn say(&mut self, client: usize, text: &str) -> Result<(), CommandError> {
        let conversation = self.conversation(client).id;
        let text = text.to_owned();
        self.command(client, Command::Say { conversation, text })
    }

    /// Texts of the first conversation of a client, in order.
    pub(crate) fn texts(&self, client: usize) -> Vec<String> {
        self.texts_of(client, self.conversation(client).id)
    }

    pub(crate) fn texts_of(&self, client: usize, id: ConversationId) -> Vec<String> {
        let history = self.clients[client].client.history(id).into_iter();
        history
            .filter_map(|entry| match entry.content {
                EntryContent::Text(text) => Some(text),
                _ => None,
            })
            .collect()
    }

    /// Aliases in the first conversation of a client; the person has none.
    pub(crate) fn room(&self, client: usize) -> Vec<String> {
        let members = self.conversation(client).members.into_iter();
        members
            .filter_map(|member| match member.speaker {
                Speaker::Member { alias, .. } => Some(alias),
                Speaker::Person | Speaker::Pseudonym(_) => None,
            })
            .collect()
    }

    pub(crate) fn team(&mut self, client: usize, command: TeamCommand) -> Result<(), CommandError> {
        self.command(client, Command::Team(command))
    }

    /// Gives a command, and lets everybody talk until nothing is left to say.
    pub(crate) fn command(&mut self, client: usize, command: Command) -> Result<(), CommandError> {
        let now = self.now;
        let profile = &mut self.clients[client];
        let answer = profile
            .client
            .handle_command(command, now, &mut profile.rng);
        self.settle();
        answer
    }

    /// Gives commands before anybody hears of any of them.
    pub(crate) fn commands_at_once(&mut self, commands: Vec<(usize, Command)>) {
        let now = self.now;
        for (client, command) in commands {
            let profile = &mut self.clients[client];
            let client = &mut profile.client;
            client
                .handle_command(command, now, &mut profile.rng)
                .unwrap();
        }
        self.settle();
    }

    pub(crate) fn desk_view(&self, client: usize) -> DeskView {
        match self.clients[client].client.standing() {
            Standing::Member(desk) => *desk,
            _ => panic!("not a member"),
        }
    }

    pub(crate) fn key(&self, client: usize) -> PublicKey {
        self.desk_view(client).key
    }

    pub(crate) fn aliases(&self, client: usize) -> Vec<String> {
        let desk = self.desk_view(client);
        desk.colleagues.into_iter().map(|one| one.alias).collect()
    }

    pub(crate) fn saw(&self, client: usize, is_it: impl Fn(&Event) -> bool) -> bool {
        self.clients[client].events.iter().any(is_it)
    }

    /// Kills a client; it starts again from its disk.
    pub(crate) fn restart(&mut self, client: usize) {
        self.disconnect(client);
        let profile = &mut self.clients[client];
        profile.client = Client::restore(&profile.disk).unwrap();
        profile.parts.keep_only(profile.client.local_files());
        self.input(client, Input::Timeout);
        self.settle();
    }

    /// Lets time pass, waking clients when they asked for it.
    pub(crate) fn wait(&mut self, duration: Duration) {
        let end = self.now.plus(duration);
        self.settle();
        while let Some(next) = self.next_timeout().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.relay.day = self.now.day();
            self.settle();
        }
        self.now = end;
        self.relay.day = self.now.day();
    }

    fn is_mute(&mut self, client: usize) -> bool {
        match &mut self.mute {
            Some((one, 0)) => *one == client,
            Some((one, left)) if *one == client => {
                *left -= 1;
                false
            }
            Some(_) | None => false,
        }
    }

    /// Gives a command to a client whose power fails after that many more frames, the last one's answer
    /// unread; it starts again from its disk.
    pub(crate) fn command_and_crash(&mut self, client: usize, command: Command, frames: usize) {
        self.mute = Some((client, frames));
        self.command(client, command).unwrap();
        self.mute = None;
        self.restart(client);
        self.wait(Duration::from_secs(600));
    }

    /// Cuts every connection.
    pub(crate) fn go_dark(&mut self) {
        self.is_dark = true;
        self.deliveries.clear();
        for client in 0..self.clients.len() {
            for channel in 0..200 {
                self.relay.close((client, channel));
                let channel = ChannelId::from_number(channel);
                self.input(client, Input::Closed { channel });
            }
        }
    }

    fn next_timeout(&self) -> Option<Now> {
        let clients = self.clients.iter();
        clients.filter_map(|one| one.client.poll_timeout()).min()
    }

    pub(crate) fn disconnect(&mut self, client: usize) {
        self.deliveries.retain(|((to, _), _)| *to != client);
        for channel in 0..200 {
            self.relay.close((client, channel));
        }
    }

    fn input(&mut self, client: usize, input: Input) {
        let now = self.now;
        let profile = &mut self.clients[client];
        profile.client.handle_input(input, now, &mut profile.rng);
    }

    /// The relay says on each of a client's connections what nobody asked for; nothing follows yet.
    pub(crate) fn push_nothing(&mut self, client: usize) {
        let address = Address::from_bytes([9; 32]);
        let frame = encode_from_relay(&FromRelay::Gone { address }).unwrap();
        for channel in 0..CHANNELS {
            let channel = ChannelId::from_number(channel);
            let frame = frame.clone();
            self.input(client, Input::Received { channel, frame });
        }
    }

    /// Lets everybody talk, and do what is due, until nothing is left to say.
    pub(crate) fn settle(&mut self) {
        for _ in 0..TURNS_MAX {
            self.exchange();
            let is_due = |due: Option<Now>| due.is_some_and(|due| due <= self.now);
            let due = self.clients.iter();
            let due: Vec<_> = due
                .enumerate()
                .filter(|(_, one)| is_due(one.client.poll_timeout()))
                .map(|(client, _)| client)
                .collect();
            if due.is_empty() {
                return;
            }
            for client in due {
                self.input(client, Input::Timeout);
            }
        }
        panic!("a client is busy for ever");
    }

    fn exchange(&mut self) {
        loop {
            let mut is_quiet = true;
            for client in 0..self.clients.len() {
                while let Some(output) = self.clients[client].client.poll_output() {
                    is_quiet = false;
                    self.act(client, output);
                }
            }
            if let Some(((client, channel), frame)) = self.deliveries.pop_front() {
                is_quiet = false;
                if self.mute != Some((client, 0)) {
                    let channel = ChannelId::from_number(channel);
                    self.input(client, Input::Received { channel, frame });
                }
            }
            if is_quiet {
                return self.assert_saved();
            }
        }
    }

    /// Nothing has changed that a crash would forget.
    fn assert_saved(&self) {
        for (client, profile) in self.clients.iter().enumerate() {
            let is_away = matches!(profile.client.standing(), Standing::Fresh);
            let is_saved = is_away || profile.disk == *profile.client.snapshot();
            let has_failed = self.mute == Some((client, 0));
            assert!(is_saved || has_failed, "a change was not saved");
        }
    }

    fn act(&mut self, client: usize, output: Output) {
        match output {
            Output::Open { channel, .. } if self.is_dark => {
                self.input(client, Input::Closed { channel });
            }
            Output::Open { channel, .. } => self.input(client, Input::Opened { channel }),
            Output::Send { .. } if self.is_mute(client) => {}
            Output::Send { channel, frame } => {
                let is_last = self.stops_short && self.mute == Some((client, 0));
                let frame = match is_last {
                    true => relay::without_last_put(&frame),
                    false => frame,
                };
                let deliveries: Deliveries = self.relay.run((client, channel.number()), &frame);
                self.deliveries.extend(deliveries);
            }
            Output::Close { channel } => {
                let line = (client, channel.number());
                self.relay.close(line);
                self.deliveries.retain(|(to, _)| *to != line);
            }
            // A power failure after the last frame: what would have been saved behind it is not.
            Output::Store(_) if self.mute == Some((client, 0)) => {}
            Output::Store(snapshot) => self.clients[client].disk = snapshot.to_vec(),
            Output::File(work) => self.do_file_work(client, work),
            Output::DropFile(file) => self.clients[client].parts.drop_file(file),
            Output::FetchCard { desk, .. } => {
                let card = if self.is_dark {
                    Err(CardAbsent::Unreachable)
                } else {
                    self.relay.card(&desk)
                };
                self.input(client, Input::CardFetched { desk, card });
            }
            Output::PublishCard { desk, card, .. } => {
                let answer = match self.refuses_cards {
                    _ if self.is_dark => PublishAnswer::Unreachable,
                    Some(answer) => answer,
                    None => self.relay.publish(desk, card),
                };
                self.input(client, Input::CardPublished { desk, answer });
            }
            Output::Event(event) => self.clients[client].events.push(event),
        }
    }
}

pub(crate) fn create_desk(alias: &str) -> TeamCommand {
    TeamCommand::CreateDesk {
        relay: RelayUrl::parse("https://relay.example").unwrap(),
        alias: alias.to_owned(),
        description: description("Línea Mar"),
    }
}

pub(crate) fn description(name: &str) -> Description {
    let text = |text: &str| Text {
        es: text.to_owned(),
        en: text.to_owned(),
    };
    Description {
        name: text(name),
        about: text("Acompañamos"),
        hours: text("9–22"),
        opening: cobijo_protocol::opening::Opening::default(),
        wait_minutes: (5, 20),
        languages: vec!["es".to_owned()],
    }
}
