//! One relay and its clients, over real TLS and sockets.

use std::{collections::VecDeque, path::Path, sync::Arc, time::Duration};

use cobijo_protocol::{
    Day,
    card::{CardBody, Daily, DeskKey, INTAKE_KEY_BYTES, Text, UnverifiedCard},
    cell::Cell,
    frame::{
        Closing, FromRelay, Greeting, Operation, Outcome, decode_from_relay, encode_operations,
    },
    keys::SecretKey,
    limits::{CELL_BYTES, PROTOCOL_VERSION, RELAY_PATH, SUBPROTOCOL},
    link::DeskId,
    mailbox::MailboxKey,
    slot::{Address, Kind, Slot, ThreadSecret},
};
use cobijo_server::{
    clock::Clock,
    config::Config,
    server::{self, Announcement, RelayError},
    shutdown::{ShutdownTrigger, shutdown},
};
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, StatusCode, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tempfile::TempDir;
use tokio::{
    io,
    net::{TcpSocket, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest},
};

/// The day on which every test begins.
pub(crate) const DAY: Day = 20_000;

/// A relay that says nothing for this long has failed its test.
const PATIENCE: Duration = Duration::from_secs(30);

/// A relay inside this process, in a directory of its own, on a clock that the test moves.
pub(crate) struct Relay {
    pub(crate) directory: Arc<TempDir>,
    pub(crate) announcement: Announcement,
    pub(crate) day: watch::Sender<Day>,
    config: String,
    stop: ShutdownTrigger,
    served: JoinHandle<Result<(), RelayError>>,
}

impl Relay {
    pub(crate) async fn start() -> Self {
        Self::with_config("").await
    }

    /// Keys of `config` come on top of those that every test needs.
    pub(crate) async fn with_config(config: &str) -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        Self::start_in(directory, config, DAY).await
    }

    pub(crate) async fn start_in(directory: Arc<TempDir>, config: &str, day: Day) -> Self {
        let text = config_text(directory.path(), config);
        let (day, clock) = watch::channel(day);
        let relay = server::start(Config::parse(&text).unwrap()).await.unwrap();
        let announcement = relay.announcement().clone();
        let (stop, requested) = shutdown();
        Self {
            directory,
            announcement,
            day,
            config: config.to_owned(),
            stop,
            served: tokio::spawn(relay.serve(Clock::Manual(clock), requested)),
        }
    }

    pub(crate) async fn stop(self) -> Arc<TempDir> {
        self.stop.stop();
        self.served.await.unwrap().unwrap();
        self.directory
    }

    pub(crate) async fn restart(self) -> Self {
        let (config, day) = (self.config.clone(), *self.day.borrow());
        let directory = self.stop().await;
        Self::start_in(directory, &config, day).await
    }

    /// A connection that has said hello.
    pub(crate) async fn client(&self) -> Client {
        Client::connect(&self.announcement).await
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Vec<u8>) {
        https(&self.announcement, Method::GET, path, Vec::new()).await
    }

    pub(crate) async fn put(&self, path: &str, body: Vec<u8>) -> StatusCode {
        https(&self.announcement, Method::PUT, path, body).await.0
    }

    pub(crate) async fn admin(&self, method: Method, path: &str) -> (StatusCode, String) {
        let host = self.announcement.admin.to_string();
        let stream = TcpStream::connect(&host).await.unwrap();
        let request = Request::builder().header(header::HOST, host);
        let (status, body) = http(stream, request.method(method).uri(path), Vec::new()).await;
        (status, String::from_utf8(body).unwrap())
    }

    /// One of the totals.
    pub(crate) async fn metric(&self, name: &str) -> u64 {
        let (_, text) = self.admin(Method::GET, "/metrics").await;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("cobijo_{name} ")));
        line.unwrap().parse().unwrap()
    }

    /// Hosts a desk and publishes its card.
    pub(crate) async fn host(&self, desk: &Desk) {
        let path = format!("/desks/{}", desk.id().to_text());
        let hosted = self.admin(Method::PUT, &path).await.0;
        assert_eq!(hosted, StatusCode::NO_CONTENT);
        let published = self.put(&desk.path(), desk.card(1, DAY)).await;
        assert_eq!(published, StatusCode::CREATED);
    }
}

/// The text of a configuration in `directory`, on free ports.
pub(crate) fn config_text(directory: &Path, config: &str) -> String {
    let data = directory.join("data");
    let ports = "listen = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\n";
    let ports = if config.contains("listen = ") {
        ""
    } else {
        ports
    };
    let disk = "disk-reserve-mebibytes = 1\n";
    let disk = if config.contains("disk-reserve") {
        ""
    } else {
        disk
    };
    format!("data-directory = {data:?}\n{ports}{disk}{config}")
}

/// Returns when it is so, which must be soon.
pub(crate) async fn until(mut condition: impl AsyncFnMut() -> bool) {
    let soon = timeout(PATIENCE, async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    });
    soon.await.unwrap();
}

/// One connection.
pub(crate) struct Client {
    socket: WebSocketStream<TlsStream<TcpStream>>,
    pushes: VecDeque<FromRelay>,
    pub(crate) greeting: Greeting,
}

impl Client {
    pub(crate) async fn connect(announcement: &Announcement) -> Self {
        Self::try_connect(announcement).await.unwrap()
    }

    pub(crate) async fn try_connect(announcement: &Announcement) -> io::Result<Self> {
        let mut client = Self::without_hello(announcement).await?;
        let hello = Operation::Hello {
            version: PROTOCOL_VERSION,
        };
        client.send(&[hello]).await?;
        let answer = client.answer().await?;
        let [Outcome::Hello(greeting)] = answer.as_slice() else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        client.greeting = greeting.clone();
        Ok(client)
    }

    pub(crate) async fn without_hello(announcement: &Announcement) -> io::Result<Self> {
        let mut request = format!("wss://localhost{RELAY_PATH}")
            .into_client_request()
            .unwrap();
        let protocol = SUBPROTOCOL.parse().unwrap();
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        let stream = tls(announcement).await?;
        let (socket, _) = tokio_tungstenite::client_async(request, stream)
            .await
            .map_err(io::Error::other)?;
        Ok(Self {
            socket,
            pushes: VecDeque::new(),
            greeting: Greeting {
                nonce: cobijo_protocol::frame::SessionNonce::from_bytes([0; 32]),
                retention_days: 0,
                day: 0,
                credits: 0,
            },
        })
    }

    pub(crate) async fn send(&mut self, operations: &[Operation]) -> io::Result<()> {
        self.send_raw(Message::binary(encode_operations(operations).unwrap()))
            .await
    }

    pub(crate) async fn send_raw(&mut self, message: Message) -> io::Result<()> {
        self.socket.send(message).await.map_err(io::Error::other)
    }

    /// The next thing that the relay says.
    pub(crate) async fn receive(&mut self) -> io::Result<FromRelay> {
        timeout(PATIENCE, self.next_message()).await.unwrap()
    }

    async fn next_message(&mut self) -> io::Result<FromRelay> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Binary(frame))) => return Ok(decode_from_relay(&frame).unwrap()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(_)) | None => return Err(io::ErrorKind::UnexpectedEof.into()),
                Some(Err(error)) => return Err(io::Error::other(error)),
            }
        }
    }

    /// The next answer; pushes before it are kept.
    pub(crate) async fn answer(&mut self) -> io::Result<Vec<Outcome>> {
        loop {
            match self.receive().await? {
                FromRelay::Answer(outcomes) => return Ok(outcomes),
                push @ (FromRelay::Cell { .. }
                | FromRelay::Gone { .. }
                | FromRelay::Item { .. }
                | FromRelay::Closing(_)) => self.pushes.push_back(push),
            }
        }
    }

    pub(crate) async fn ask(&mut self, operations: &[Operation]) -> Vec<Outcome> {
        self.send(operations).await.unwrap();
        self.answer().await.unwrap()
    }

    pub(crate) async fn ask_one(&mut self, operation: Operation) -> Outcome {
        self.ask(&[operation]).await.pop().unwrap()
    }

    /// The next push.
    pub(crate) async fn push(&mut self) -> FromRelay {
        match self.pushes.pop_front() {
            Some(push) => push,
            None => self.receive().await.unwrap(),
        }
    }

    /// Asserts that nothing is pushed: whatever was on its way comes before an answer.
    pub(crate) async fn assert_no_push(&mut self) {
        let cover = Operation::Cover { cell: Cell::void() };
        assert_eq!(self.ask_one(cover).await, Outcome::Done);
        assert_eq!(self.pushes, []);
    }

    /// What is below the WebSocket.
    pub(crate) fn into_stream(self) -> TlsStream<TcpStream> {
        self.socket.into_inner()
    }

    /// Why the relay closes; whatever it says before is passed over.
    pub(crate) async fn closing(&mut self) -> Option<Closing> {
        loop {
            match self.receive().await {
                Ok(FromRelay::Closing(closing)) => return Some(closing),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }
}

/// A TLS stream to the relay.
pub(crate) async fn tls(announcement: &Announcement) -> io::Result<TlsStream<TcpStream>> {
    let certificate = announcement.certificate.as_ref().unwrap();
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(certificate).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = tcp(announcement).await?;
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

/// With a small buffer, so that whoever doesn't read soon blocks the relay, and without waiting for
/// acknowledgements, which come in real time only.
pub(crate) async fn tcp(announcement: &Announcement) -> io::Result<TcpStream> {
    let (_, port) = announcement.url.rsplit_once(':').unwrap();
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(64 * 1024)?;
    socket.set_nodelay(true)?;
    let address = ([127, 0, 0, 1], port.parse().unwrap()).into();
    socket.connect(address).await
}

pub(crate) fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

async fn https(
    announcement: &Announcement,
    method: Method,
    path: &str,
    body: Vec<u8>,
) -> (StatusCode, Vec<u8>) {
    let stream = tls(announcement).await.unwrap();
    let request = Request::builder().header(header::HOST, "localhost");
    http(stream, request.method(method).uri(path), body).await
}

pub(crate) async fn http<S>(
    stream: S,
    request: hyper::http::request::Builder,
    body: Vec<u8>,
) -> (StatusCode, Vec<u8>)
where
    S: io::AsyncRead + io::AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = request.body(Full::<Bytes>::from(body)).unwrap();
    let response = sender.send_request(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    drop(sender);
    let _ = connection.await;
    (status, body.to_vec())
}

/// A cell that isn't any other number's.
pub(crate) fn cell(number: u32) -> Cell {
    let mut bytes = [7; CELL_BYTES];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    Cell::from_bytes(bytes)
}

/// Slot `counter` of a thread of messages, which are erasable.
pub(crate) fn slot(counter: u64) -> Slot {
    Slot::derive(
        &ThreadSecret::from_bytes([9; 32]),
        Kind::Message,
        0,
        counter,
    )
}

pub(crate) fn put(counter: u64, number: u32) -> Operation {
    let slot = slot(counter);
    Operation::Put {
        slot_key: slot.slot_key().clone(),
        mark: slot.mark(),
        cell: cell(number),
    }
}

pub(crate) fn erase(counter: u64) -> Operation {
    let slot = slot(counter);
    Operation::Erase {
        slot_key: slot.slot_key().clone(),
        erase_key: slot.erase_key().unwrap().clone(),
    }
}

pub(crate) fn address(counter: u64) -> Address {
    slot(counter).address()
}

pub(crate) fn watch(counters: impl IntoIterator<Item = u64>) -> Operation {
    Operation::Watch {
        addresses: counters.into_iter().map(address).collect(),
    }
}

pub(crate) fn pushed(counter: u64, number: u32) -> FromRelay {
    FromRelay::Cell {
        address: address(counter),
        cell: cell(number),
    }
}

/// A desk with all its keys.
pub(crate) struct Desk {
    pub(crate) root: SecretKey,
    pub(crate) key: SecretKey,
    pub(crate) poster: SecretKey,
    pub(crate) mailbox: SecretKey,
}

impl Desk {
    pub(crate) fn new(seed: u8) -> Self {
        let key = |role: u8| SecretKey::from_bytes([seed.wrapping_mul(8).wrapping_add(role); 32]);
        Self {
            root: key(1),
            key: key(2),
            poster: key(3),
            mailbox: key(4),
        }
    }

    pub(crate) fn id(&self) -> DeskId {
        DeskId::of(&self.root.public())
    }

    pub(crate) fn path(&self) -> String {
        format!("/v1/cards/{}", self.id().to_text())
    }

    pub(crate) fn mailbox(&self) -> MailboxKey {
        MailboxKey::of(&self.mailbox)
    }

    pub(crate) fn card(&self, version: u32, day: Day) -> Vec<u8> {
        let text = |text: &str| Text {
            es: text.to_owned(),
            en: text.to_owned(),
        };
        let desk_key = DeskKey {
            root: self.root.public(),
            key: self.key.public(),
            serial: 1,
            not_after: DAY + 30,
        };
        let body = CardBody {
            version,
            name: text("Casa"),
            about: text("Acompañamos"),
            hours: text("9-21"),
            opening: cobijo_protocol::opening::Opening::default(),
            wait_minutes: (5, 30),
            languages: vec!["es".to_owned()],
            posters: vec![self.poster.public()],
        };
        let daily = Daily {
            desk: self.id(),
            desk_serial: 1,
            version,
            day,
            mailbox: self.mailbox(),
            intake_key: vec![5; INTAKE_KEY_BYTES].into(),
            poster: self.poster.public(),
        };
        UnverifiedCard {
            desk_key: self.root.sign_value(&desk_key),
            card: self.key.sign_value(&body),
            daily: self.poster.sign_value(&daily),
        }
        .encode()
    }

    pub(crate) fn open(&self, client: &Client) -> Operation {
        Operation::Open {
            mailbox: self.mailbox(),
            signature: MailboxKey::sign_open(&self.mailbox, "localhost", &client.greeting.nonce),
        }
    }

    pub(crate) fn drop(&self, number: u32) -> Operation {
        Operation::Drop {
            mailbox: self.mailbox(),
            cell: cell(number),
        }
    }
}
