//! One connection to a relay.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
    version::TLS13,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::{
    frame::{self, FromRelay, Operation, Outcome, State},
    slot::{Data, Head, Slot, Thread, VOID},
};

/// Far above what any step takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a relay is reached.
#[derive(Clone)]
pub(crate) struct Way {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Where the name leads to in a test; nothing is looked up.
    pub(crate) socket: std::net::SocketAddr,
    /// Certificates that are trusted.
    pub(crate) trusted: Vec<u8>,
}

impl Way {
    async fn tls(&self) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&self.trusted) {
            roots.add(certificate.unwrap()).unwrap();
        }
        let mut config = ClientConfig::builder_with_protocol_versions(&[&TLS13])
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let stream = TcpStream::connect(self.socket).await.unwrap();
        let name = ServerName::try_from(self.host.clone()).unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .unwrap()
    }

    /// Status and body of a GET.
    pub(crate) async fn get(&self, path: &str) -> (u16, Vec<u8>) {
        self.request("GET", path, &[]).await
    }

    /// Status and body of a PUT's answer.
    pub(crate) async fn put(&self, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        self.request("PUT", path, body).await
    }

    async fn request(&self, method: &str, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let mut stream = self.tls().await;
        let (host, port, length) = (&self.host, self.port, body.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        let request = [head.as_bytes(), body].concat();
        stream.write_all(&request).await.unwrap();
        let mut answer = Vec::new();
        let _cut_off = stream.read_to_end(&mut answer).await;
        let end = answer
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .unwrap();
        let status = std::str::from_utf8(&answer[9..12])
            .unwrap()
            .parse()
            .unwrap();
        (status, answer[end + 4..].to_vec())
    }
}

/// What a slot is found to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Empty,
    Gone,
    Cell(Vec<u8>),
}

/// What a slot says, with its bodies.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Nothing,
    Gone,
    Void,
    Payload(Vec<u8>),
}

/// A connection that has said hello.
pub(crate) struct Relay {
    socket: WebSocketStream<TlsStream<TcpStream>>,
    pushes: VecDeque<FromRelay>,
    pub(crate) day: u32,
    pub(crate) retention: u16,
}

impl Relay {
    pub(crate) async fn connect(way: &Way) -> Self {
        let url = format!("wss://{}:{}/v1/relay", way.host, way.port);
        let mut request = url.into_client_request().unwrap();
        let subprotocol = "cobijo.1".parse().unwrap();
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", subprotocol);
        let (socket, answer) = client_async(request, way.tls().await).await.unwrap();
        assert_eq!(answer.headers()["Sec-WebSocket-Protocol"], "cobijo.1");
        let mut relay = Self {
            socket,
            pushes: VecDeque::new(),
            day: 0,
            retention: 0,
        };
        let outcomes = relay.ask(&[Operation::Hello(1)]).await;
        let [Outcome::Hello { day, retention, .. }] = outcomes.as_slice() else {
            panic!("no hello")
        };
        (relay.day, relay.retention) = (*day, *retention);
        relay
    }

    /// Sends one frame and waits for its answer; what is pushed meanwhile is kept.
    pub(crate) async fn ask(&mut self, operations: &[Operation]) -> Vec<Outcome> {
        let frame = frame::frame(&frame::encode_operations(operations));
        self.socket.send(Message::binary(frame)).await.unwrap();
        loop {
            match self.receive().await {
                FromRelay::Answer(outcomes) => {
                    assert_eq!(outcomes.len(), operations.len());
                    return outcomes;
                }
                push => self.pushes.push_back(push),
            }
        }
    }

    async fn receive(&mut self) -> FromRelay {
        loop {
            let next = timeout(PATIENCE, self.socket.next()).await;
            match next.expect("nothing came").unwrap().unwrap() {
                Message::Binary(frame) => {
                    let content = frame::content(&frame).unwrap();
                    return frame::decode_from_relay(content).unwrap();
                }
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("not a frame: {other:?}"),
            }
        }
    }

    pub(crate) async fn put(&mut self, slot: &Slot, cell: &[u8]) -> Outcome {
        self.ask(&[put(slot, cell)]).await.remove(0)
    }

    pub(crate) async fn read(&mut self, slot: &Slot) -> Found {
        match self.watch(slot).await {
            State::Empty => {
                let outcomes = self.ask(&[Operation::Unwatch(vec![slot.address])]).await;
                assert_eq!(outcomes, [Outcome::Done]);
                self.pushed(slot).map_or(Found::Empty, found)
            }
            State::Gone => Found::Gone,
            State::Full => found(self.push_for(slot).await),
        }
    }

    /// The cell of a slot, as soon as there is one.
    pub(crate) async fn wait(&mut self, slot: &Slot) -> Found {
        match self.watch(slot).await {
            State::Gone => Found::Gone,
            State::Empty | State::Full => found(self.push_for(slot).await),
        }
    }

    /// Until something stands in one of these slots.
    pub(crate) async fn wait_any(&mut self, slots: &[Slot]) {
        self.pushes.clear();
        let addresses: Vec<_> = slots.iter().map(|slot| slot.address).collect();
        let outcomes = self.ask(&[Operation::Watch(addresses.clone())]).await;
        let [Outcome::Watching(states)] = outcomes.as_slice() else {
            panic!("{outcomes:?}")
        };
        let mut is_there = states.iter().any(|state| *state != State::Empty);
        let tells = |push: &FromRelay| match push {
            FromRelay::Cell { address, .. } | FromRelay::Gone(address) => {
                addresses.contains(address)
            }
            _ => false,
        };
        is_there |= self.pushes.iter().any(tells);
        while !is_there {
            let push = self.receive().await;
            is_there = tells(&push);
            self.pushes.push_back(push);
        }
    }

    async fn watch(&mut self, slot: &Slot) -> State {
        let outcomes = self.ask(&[Operation::Watch(vec![slot.address])]).await;
        let [Outcome::Watching(states)] = outcomes.as_slice() else {
            panic!("{outcomes:?}")
        };
        states[0]
    }

    async fn push_for(&mut self, slot: &Slot) -> FromRelay {
        loop {
            if let Some(push) = self.pushed(slot) {
                return push;
            }
            let push = self.receive().await;
            self.pushes.push_back(push);
        }
    }

    fn pushed(&mut self, slot: &Slot) -> Option<FromRelay> {
        let of_slot = |push: &FromRelay| match push {
            FromRelay::Cell { address, .. } | FromRelay::Gone(address) => *address == slot.address,
            _ => false,
        };
        let position = self.pushes.iter().position(of_slot)?;
        self.pushes.remove(position)
    }

    /// Bodies first, then the head; whether they stand there.
    pub(crate) async fn write(
        &mut self,
        thread: &Thread,
        index: u64,
        data: &[u8],
        bodies: &[Vec<u8>],
        secret: [u8; 32],
    ) -> Outcome {
        self.write_bodies(thread.is_erasable(), bodies, secret)
            .await;
        let slot = thread.slot(index);
        let cell = slot.seal(data);
        self.put(&slot, &cell).await
    }

    pub(crate) async fn write_bodies(
        &mut self,
        erasable: bool,
        bodies: &[Vec<u8>],
        secret: [u8; 32],
    ) {
        let thread = Thread::bodies(secret, erasable);
        for (index, body) in (0..).zip(bodies) {
            let slot = thread.slot(index);
            let cell = slot.seal(body);
            assert_eq!(self.put(&slot, &cell).await, Outcome::Stored);
        }
    }

    /// What stands in a slot that is no body.
    pub(crate) async fn say(&mut self, thread: &Thread, index: u64) -> Said {
        let found = self.read(&thread.slot(index)).await;
        self.said(thread, index, found).await
    }

    pub(crate) async fn said(&mut self, thread: &Thread, index: u64, found: Found) -> Said {
        let cell = match found {
            Found::Empty => return Said::Nothing,
            Found::Gone => return Said::Gone,
            Found::Cell(cell) => cell,
        };
        let data = thread.slot(index).open(&cell);
        match data.and_then(|data| Data::parse(&data)) {
            None => Said::Void,
            Some(Data::Whole(payload)) => Said::Payload(payload),
            Some(Data::Head(head)) => self.said_by(&head, thread.is_erasable()).await,
        }
    }

    /// What stands in the bodies of a head.
    pub(crate) async fn said_by(&mut self, head: &Head, is_erasable: bool) -> Said {
        let (mut payload, mut is_missing) = (head.first.clone(), false);
        let bodies = Thread::bodies(head.secret, is_erasable);
        for index in 0..head.bodies() {
            let slot = bodies.slot(index as u64);
            let Found::Cell(cell) = self.body(&slot).await else {
                is_missing = true;
                continue;
            };
            match slot.open(&cell).and_then(|data| head.part(index, &data)) {
                Some(part) => payload.extend(part),
                None => return Said::Void,
            }
        }
        match is_missing {
            true => Said::Gone,
            false => Said::Payload(payload),
        }
    }

    /// A body's cell. An empty one is closed, and what stands there then is final; of a gone one is asked
    /// whether it was closed.
    async fn body(&mut self, slot: &Slot) -> Found {
        match self.read(slot).await {
            Found::Empty => {
                self.put(slot, &VOID).await;
                self.read(slot).await
            }
            Found::Gone if slot.erase.is_some() => match self.put(slot, &VOID).await {
                Outcome::Stored => Found::Cell(VOID.to_vec()),
                _ => Found::Gone,
            },
            other => other,
        }
    }
}

pub(crate) fn put(slot: &Slot, cell: &[u8]) -> Operation {
    Operation::Put {
        key: slot.key,
        mark: slot.mark,
        cell: cell.to_vec(),
    }
}

fn found(push: FromRelay) -> Found {
    match push {
        FromRelay::Cell { cell, .. } => Found::Cell(cell),
        _ => Found::Gone,
    }
}
