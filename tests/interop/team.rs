//! A relay and a desk as people have them: Cobijo's own server and client, over TLS and sockets.

use std::{convert::Infallible, fs, net::ToSocketAddrs, time::Duration};

use cobijo_client_core::{
    core::client::{
        Client, Command, ConversationEvent, ConversationId, Description, EntryContent, Event,
        Standing, TeamCommand,
    },
    driver::{Driver, Network, Notice},
    profile::ProfileFolder,
};
use cobijo_protocol::{
    card::{Role, Text},
    content::{Purpose, Reads},
    keys::PublicKey,
    link::RelayUrl,
};
use cobijo_server::{
    clock::Clock,
    config::Config,
    server::{self, Announcement},
    shutdown::{ShutdownTrigger, shutdown},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::foreign::relay::Way;

/// Far above what any step takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long something that is no event may take to be noticed.
const PAUSE: Duration = Duration::from_millis(200);

/// Messages in one epoch, after which whoever wrote them updates her path.
const MUCH: usize = 200;

/// A relay on free ports, with a certificate of its own.
pub(crate) struct House {
    directory: TempDir,
    announcement: Announcement,
    _stop: ShutdownTrigger,
}

impl House {
    pub(crate) async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        let config = format!(
            "data-directory = {data:?}\nlisten = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\ndisk-reserve-mebibytes = 1\n"
        );
        let relay = server::start(Config::parse(&config).unwrap())
            .await
            .unwrap();
        let announcement = relay.announcement().clone();
        let (stop, requested) = shutdown();
        tokio::spawn(relay.serve(Clock::System, requested));
        Self {
            directory,
            announcement,
            _stop: stop,
        }
    }

    /// How a foreign client gets there.
    pub(crate) fn way(&self) -> Way {
        let url = RelayUrl::parse(&self.announcement.url).unwrap();
        let (host, port) = (url.host().to_owned(), url.port());
        let mut sockets = (host.as_str(), port).to_socket_addrs().unwrap();
        let certificate = self.announcement.certificate.as_ref().unwrap();
        Way {
            socket: sockets.find(|socket| socket.is_ipv4()).unwrap(),
            trusted: fs::read(certificate).unwrap(),
            host,
            port,
        }
    }

    /// Lets a desk publish its card here.
    pub(crate) async fn host(&self, desk: &str) {
        let mut stream = TcpStream::connect(self.announcement.admin).await.unwrap();
        let host = self.announcement.admin;
        let request = format!(
            "PUT /desks/{desk} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    }
}

/// Luz, who has a desk of her own and is on shift.
pub(crate) struct Luz {
    driver: Driver,
    pub(crate) link: String,
}

impl Luz {
    fn start(house: &House, name: &str) -> Self {
        let folder = ProfileFolder::take(&house.directory.path().join(name)).unwrap();
        let client = Client::new();
        let passphrase = b"a passphrase of hers";
        let profile = folder.create(passphrase, &client.snapshot()).unwrap();
        let trust = house.announcement.certificate.as_deref();
        let network = Network::new(trust, None).unwrap();
        Self {
            driver: Driver::start(client, profile, network).unwrap(),
            link: String::new(),
        }
    }

    pub(crate) async fn on_shift(house: &House) -> Self {
        let mut luz = Self::start(house, "luz");
        let text = |text: &str| Text {
            es: text.to_owned(),
            en: text.to_owned(),
        };
        luz.order(Command::Team(TeamCommand::CreateDesk {
            relay: RelayUrl::parse(&house.announcement.url).unwrap(),
            alias: "Luz".to_owned(),
            description: Description {
                name: text("Refugio"),
                about: text("Acompaña"),
                hours: text("9–21"),
                opening: cobijo_protocol::opening::Opening::default(),
                wait_minutes: (1, 5),
                languages: vec!["es".to_owned()],
            },
        }));
        let link = luz
            .until(|event| match event {
                Event::DeskCreated(link) => Some(link.clone()),
                _ => None,
            })
            .await;
        house.host(&link.desk.to_text()).await;
        luz.link = link.to_string();
        luz.order(Command::Team(TeamCommand::StartShift));
        luz.until(|event| matches!(event, Event::CardPublished(_)).then_some(()))
            .await;
        luz
    }

    /// A colleague who joins the desk by invitation, and can be proposed.
    pub(crate) async fn colleague(&mut self, house: &House, alias: &str) -> Self {
        self.order(Command::Team(TeamCommand::Invite));
        let is_invited = |event: &Event| match event {
            Event::Invited { id, invite } => Some((*id, invite.clone())),
            _ => None,
        };
        let (id, invite) = self.until(is_invited).await;
        let mut colleague = Self::start(house, alias);
        let alias = alias.to_owned();
        colleague.order(Command::Team(TeamCommand::JoinDesk { invite, alias }));
        let arrives = |event: &Event| matches!(event, Event::NewcomerArrived { .. }).then_some(());
        let words = |event: &Event| matches!(event, Event::InviteWords(_)).then_some(());
        tokio::join!(self.until(arrives), colleague.until(words));
        let role = Role::Accompanier;
        self.order(Command::Team(TeamCommand::Admit { invite: id, role }));
        let joined = |event: &Event| matches!(event, Event::JoinedDesk).then_some(());
        let added = |event: &Event| matches!(event, Event::NewcomerJoined(_)).then_some(());
        tokio::join!(self.until(added), colleague.until(joined));
        while self.proposable().is_none() {
            let both = async {
                tokio::select! {
                    notice = self.driver.next() => drop(notice.unwrap()),
                    notice = colleague.driver.next() => drop(notice.unwrap()),
                }
            };
            let _quiet = timeout(PAUSE, both).await;
        }
        colleague
    }

    /// A colleague whose KeyPackages are there.
    fn proposable(&self) -> Option<PublicKey> {
        let Standing::Member(desk) = self.driver.client().standing() else {
            return None;
        };
        let mut others = desk.colleagues.into_iter();
        others
            .find(|who| !who.own && who.key_packages > 0)
            .map(|who| who.key)
    }

    /// Proposes the colleague.
    pub(crate) async fn propose(&mut self, conversation: ConversationId) {
        let colleague = self.proposable().unwrap();
        self.order(Command::Team(TeamCommand::Propose {
            conversation,
            colleague,
            purpose: Purpose::Accompany,
            reason: "Sabe de leyes.".to_owned(),
            reads: Reads::FromNow,
        }));
        let is_stored = |event: &Event| {
            matches!(event, Event::Conversation(_, ConversationEvent::Stored(_))).then_some(())
        };
        self.until(is_stored).await;
    }

    /// Works until a person's yes has let her in.
    pub(crate) async fn comes_in(&mut self) -> ConversationId {
        self.until(|event| match event {
            Event::ConversationJoined(conversation) => Some(*conversation),
            _ => None,
        })
        .await
    }

    fn order(&mut self, command: Command) {
        self.driver.handle_command(command).unwrap().unwrap();
    }

    /// Works until an event is the awaited one.
    async fn until<T>(&mut self, mut awaited: impl FnMut(&Event) -> Option<T>) -> T {
        let work = async {
            loop {
                if let Notice::Event(event) = self.driver.next().await.unwrap()
                    && let Some(found) = awaited(&event)
                {
                    return found;
                }
            }
        };
        timeout(PATIENCE, work).await.expect("nothing happened")
    }

    /// Answers whoever waits.
    pub(crate) async fn answer(&mut self) -> ConversationId {
        while self.driver.client().queue().is_empty() {
            self.until(|event| matches!(event, Event::QueueChanged).then_some(()))
                .await;
        }
        let row = self.driver.client().queue()[0].id;
        self.order(Command::Team(TeamCommand::Claim(row)));
        self.until(|event| match event {
            Event::ClaimWon { conversation, .. } => Some(*conversation),
            Event::ClaimLost(_) => panic!("the claim is lost"),
            _ => None,
        })
        .await
    }

    /// Says something, until it stands at the relay.
    pub(crate) async fn say(&mut self, conversation: ConversationId, text: &str) {
        let text = text.to_owned();
        self.order(Command::Say { conversation, text });
        let is_stored = |event: &Event| {
            matches!(event, Event::Conversation(_, ConversationEvent::Stored(_))).then_some(())
        };
        self.until(is_stored).await;
    }

    /// Says so much that she updates her path.
    pub(crate) async fn says_much(&mut self, conversation: ConversationId) {
        for number in 0..MUCH {
            let text = format!("Mensaje {number}");
            self.order(Command::Say { conversation, text });
        }
        self.sees_another_code().await;
    }

    /// Works until this is said in the conversation, or was before.
    pub(crate) async fn hears(&mut self, conversation: ConversationId, text: &str) {
        let is_it =
            |content: &EntryContent| matches!(content, EntryContent::Text(said) if said == text);
        while !self.history(conversation).iter().any(is_it) {
            self.works().await;
        }
    }

    /// Works, whatever happens.
    pub(crate) async fn goes_on(&mut self) -> Infallible {
        loop {
            self.driver.next().await.unwrap();
        }
    }

    /// What is shown of the conversation.
    pub(crate) fn history(&self, conversation: ConversationId) -> Vec<EntryContent> {
        let entries = self.driver.client().history(conversation);
        entries.into_iter().map(|entry| entry.content).collect()
    }

    /// Works until something happened in a conversation.
    pub(crate) async fn works(&mut self) {
        self.until(|event| matches!(event, Event::Conversation(..)).then_some(()))
            .await;
    }

    /// Works until a commit is followed or made.
    pub(crate) async fn sees_another_code(&mut self) {
        let is_changed = |event: &Event| {
            matches!(
                event,
                Event::Conversation(_, ConversationEvent::CodeChanged)
            )
            .then_some(())
        };
        self.until(is_changed).await;
    }

    pub(crate) fn code(&self) -> Vec<u64> {
        let conversations = self.driver.client().conversations();
        let code = conversations[0].code.unwrap();
        code.into_iter().map(u64::from).collect()
    }
}
