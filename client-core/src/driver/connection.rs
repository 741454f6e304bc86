//! One WebSocket connection: a task that moves frames, pings, and notices silence.

use cobijo_protocol::{
    frame::{Closing, FromRelay, decode_from_relay},
    limits::{DEAD_AFTER, FRAME_BYTES_MAX, PING_INTERVAL, RELAY_PATH, SUBPROTOCOL},
    link::{DeskId, RelayUrl},
};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::{sync::mpsc, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Error as WsError, Message,
        client::IntoClientRequest,
        error::ProtocolError,
        http::{HeaderValue, Request, StatusCode, header::SEC_WEBSOCKET_PROTOCOL},
        protocol::WebSocketConfig,
    },
};

use super::network::{Network, NetworkError, TlsStream};
use crate::{
    core::client::{CardAbsent, ChannelId, PublishAnswer},
    limits::CONNECT_TIMEOUT,
};

/// What tasks hand to the driver.
pub(super) enum Arrival {
    Connection {
        channel: ChannelId,
        number: u64,
        what: What,
    },
    CardFetched {
        desk: DeskId,
        card: CardOutcome<Result<Vec<u8>, CardAbsent>>,
    },
    CardPublished {
        desk: DeskId,
        answer: CardOutcome<PublishAnswer>,
    },
}

/// What a card's request ended with, or why it failed and what follows from that.
pub(super) type CardOutcome<T> = Result<T, (NetworkError, T)>;

/// What happens to a connection.
pub(super) enum What {
    Opened,
    Received(Vec<u8>),
    Closed(NetworkError),
}

/// Where a connection's task tells what happens.
pub(super) struct Report {
    channel: ChannelId,
    number: u64,
    driver: mpsc::Sender<Arrival>,
}

/// The driver has stopped.
struct Stopped;

impl Report {
    pub(super) fn new(channel: ChannelId, number: u64, driver: mpsc::Sender<Arrival>) -> Self {
        Self {
            channel,
            number,
            driver,
        }
    }

    async fn tell(&self, what: What) -> Result<(), Stopped> {
        let arrival = Arrival::Connection {
            channel: self.channel,
            number: self.number,
            what,
        };
        self.driver.send(arrival).await.map_err(|_| Stopped)
    }
}

/// Connects, and moves frames until either side ends it.
pub(super) async fn run(
    network: Network,
    relay: RelayUrl,
    frames: mpsc::Receiver<Vec<u8>>,
    report: Report,
) {
    let connected = timeout(CONNECT_TIMEOUT, connect(&network, &relay)).await;
    let reason = match connected.unwrap_or(Err(NetworkError::Unreachable)) {
        Ok(socket) => {
            if report.tell(What::Opened).await.is_err() {
                return;
            }
            let (sink, stream) = socket.split();
            tokio::select! {
                reason = read(stream, &report) => reason,
                reason = write(sink, frames) => reason,
            }
        }
        Err(reason) => reason,
    };
    let _stopped = report.tell(What::Closed(reason)).await;
}

async fn connect(
    network: &Network,
    relay: &RelayUrl,
) -> Result<WebSocketStream<TlsStream>, NetworkError> {
    let stream = network.dial(relay).await?;
    let request = request(relay).map_err(|_| NetworkError::NotRelay)?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(FRAME_BYTES_MAX))
        .max_frame_size(Some(FRAME_BYTES_MAX));
    match client_async_with_config(request, stream, Some(config)).await {
        Ok((socket, _)) => Ok(socket),
        Err(WsError::Protocol(ProtocolError::SecWebSocketSubProtocolError(_))) => {
            Err(NetworkError::OtherVersion)
        }
        // How a relay refuses a subprotocol that it does not know. [W-1]
        Err(WsError::Http(response)) if response.status() == StatusCode::BAD_REQUEST => {
            Err(NetworkError::OtherVersion)
        }
        Err(WsError::Http(response)) if response.status().is_server_error() => {
            Err(NetworkError::Busy)
        }
        // It went away in the middle: nothing is wrong with it.
        Err(WsError::Protocol(ProtocolError::HandshakeIncomplete)) => Err(NetworkError::Lost),
        Err(WsError::Http(_) | WsError::Protocol(_)) => Err(NetworkError::NotRelay),
        Err(_) => Err(NetworkError::Lost),
    }
}

/// The upgrade, with nothing in it that tells one client from another.
fn request(relay: &RelayUrl) -> Result<Request<()>, WsError> {
    let url = relay.to_string().replacen("https", "wss", 1) + RELAY_PATH;
    let mut request = url.into_client_request()?;
    let subprotocol = HeaderValue::from_static(SUBPROTOCOL);
    request
        .headers_mut()
        .insert(SEC_WEBSOCKET_PROTOCOL, subprotocol);
    Ok(request)
}

async fn read(
    mut stream: impl Stream<Item = Result<Message, WsError>> + Unpin,
    report: &Report,
) -> NetworkError {
    while let Ok(Some(Ok(message))) = timeout(DEAD_AFTER, stream.next()).await {
        let Message::Binary(frame) = message else {
            continue;
        };
        let is_other_version =
            decode_from_relay(&frame) == Ok(FromRelay::Closing(Closing::Version));
        let told = report.tell(What::Received(frame.into())).await;
        if is_other_version {
            return NetworkError::OtherVersion;
        }
        if told.is_err() {
            break;
        }
    }
    NetworkError::Lost
}

async fn write(
    mut sink: impl Sink<Message, Error = WsError> + Unpin,
    mut frames: mpsc::Receiver<Vec<u8>>,
) -> NetworkError {
    loop {
        let message = match timeout(PING_INTERVAL, frames.recv()).await {
            Ok(Some(frame)) => Message::Binary(frame.into()),
            Ok(None) => break,
            Err(_) => Message::Ping(Vec::new().into()),
        };
        let sent = timeout(DEAD_AFTER, sink.send(message)).await;
        if !matches!(sent, Ok(Ok(()))) {
            return NetworkError::Lost;
        }
    }
    let _gone = timeout(DEAD_AFTER, sink.close()).await;
    NetworkError::Lost
}
