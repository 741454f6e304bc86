//! A connection's WebSocket, over a stream that watches what arrives. [L-5]
//!
//! Memory for messages that are not whole is bounded. Up to
//! [`LARGE_MESSAGE_BYTES`](crate::relay::incoming::LARGE_MESSAGE_BYTES) each connection has its own. Above,
//! it needs one of [`LARGE_MESSAGES_MAX`] rooms, which all connections share, and which it keeps until the
//! message has been answered; until it gets one, nothing more is read.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use cobijo_protocol::limits::{FRAME_BYTES_MAX, MESSAGE_TIMEOUT};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{AcquireError, OwnedSemaphorePermit, Semaphore},
    time::{Sleep, sleep},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        protocol::{Role, WebSocketConfig},
    },
};

use crate::relay::incoming::Incoming;

/// Large messages that may be under way at once. Each takes at most four times [`FRAME_BYTES_MAX`]: the
/// buffer of a part, twice that for the parts together, and what they decode to. 143 MB for all.
pub(crate) const LARGE_MESSAGES_MAX: usize = 128;
/// Bytes read at once from a connection; more would be held for every idle one.
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// Bytes that may wait for a peer that doesn't read: the largest answer, with room for pongs.
const WRITE_BUFFER_BYTES_MAX: usize = 64 * 1024;

/// See the module.
pub(crate) struct Socket<S> {
    stream: WebSocketStream<Watched<S>>,
    taken: u64,
    late: Pin<Box<Sleep>>,
}

/// Nothing more can be received.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReceiveError {
    /// The peer sends no WebSocket, or the network is gone.
    #[error(transparent)]
    Broken(Error),
    /// A message that began was not whole in time.
    #[error("a message took too long")]
    Late,
}

/// A stream that knows how far the message on it has come.
struct Watched<S> {
    /// `None` only in a socket that is being replaced.
    stream: Option<S>,
    incoming: Incoming,
    rooms: Arc<Semaphore>,
    waiting: Option<Waiting>,
    room: Option<OwnedSemaphorePermit>,
}

type Waiting = Pin<Box<dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + Send>>;

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// Takes an upgraded stream.
    pub(crate) async fn new(stream: S, rooms: Arc<Semaphore>) -> Self {
        let watched = Watched {
            stream: Some(stream),
            incoming: Incoming::default(),
            rooms,
            waiting: None,
            room: None,
        };
        Self {
            stream: open(watched).await,
            taken: 0,
            late: Box::pin(sleep(MESSAGE_TIMEOUT)),
        }
    }

    /// The next message. Safe to cancel.
    pub(crate) async fn next(&mut self) -> Option<Result<Message, ReceiveError>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// Sends a message, whole.
    pub(crate) async fn send(&mut self, message: Message) -> Result<(), Error> {
        self.stream.send(message).await
    }

    /// Whether a message has begun, and is not late.
    pub(crate) fn is_receiving(&self) -> bool {
        self.stream.get_ref().incoming.poll_timeout().is_some()
    }

    /// Nobody read for a while.
    pub(crate) fn handle_pause(&mut self, pause: Duration) {
        self.stream.get_mut().incoming.handle_pause(pause);
    }

    /// After a message was answered: gives back the room and the buffer that a large one took, unless
    /// the next one is in it already.
    pub(crate) async fn settle(&mut self) {
        let taken = self.taken;
        let watched = self.stream.get_mut();
        if watched.room.is_none() || watched.incoming.whole() != Some(taken) {
            return;
        }
        self.stream = open(watched.take()).await;
    }

    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Message, ReceiveError>>> {
        if let Poll::Ready(received) = self.stream.poll_next_unpin(context) {
            self.taken += u64::from(matches!(received, Some(Ok(_))));
            return Poll::Ready(received.map(|received| received.map_err(ReceiveError::Broken)));
        }
        let Some(due) = self.stream.get_ref().incoming.poll_timeout() else {
            return Poll::Pending;
        };
        self.late.as_mut().reset(due.into());
        ready!(self.late.as_mut().poll(context));
        Poll::Ready(Some(Err(ReceiveError::Late)))
    }
}

impl<S> Watched<S> {
    /// Leaves behind what only waits to be dropped, with its buffer and its room.
    fn take(&mut self) -> Self {
        Self {
            stream: self.stream.take(),
            incoming: std::mem::take(&mut self.incoming),
            rooms: Arc::clone(&self.rooms),
            waiting: None,
            room: None,
        }
    }

    fn poll_room(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.room.is_none() && self.incoming.is_large() {
            let rooms = &self.rooms;
            let waiting = self
                .waiting
                .get_or_insert_with(|| Box::pin(Arc::clone(rooms).acquire_owned()));
            let room = ready!(waiting.as_mut().poll(context));
            self.waiting = None;
            self.room = Some(room.map_err(io::Error::other)?);
        }
        Poll::Ready(Ok(()))
    }
}

async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    stream: Watched<S>,
) -> WebSocketStream<Watched<S>> {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER_BYTES_MAX)
        .max_message_size(Some(FRAME_BYTES_MAX))
        .max_frame_size(Some(FRAME_BYTES_MAX));
    WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_room(context))?;
        let Some(stream) = &mut this.stream else {
            return Poll::Ready(Ok(()));
        };
        let before = buffer.filled().len();
        ready!(Pin::new(stream).poll_read(context, buffer))?;
        let read = buffer.filled().get(before..).unwrap_or_default();
        let now = tokio::time::Instant::now().into_std();
        Poll::Ready(
            this.incoming
                .handle_bytes(read, now)
                .map_err(io::Error::other),
        )
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Some(stream) => Pin::new(stream).poll_write(context, bytes),
            None => Poll::Ready(Ok(0)),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Some(stream) => Pin::new(stream).poll_flush(context),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Some(stream) => Pin::new(stream).poll_shutdown(context),
            None => Poll::Ready(Ok(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt as _, DuplexStream};

    use super::*;
    use crate::relay::incoming::LARGE_MESSAGE_BYTES;

    const BUFFER_BYTES: usize = 2 * FRAME_BYTES_MAX;

    async fn pair(rooms: &Arc<Semaphore>) -> (DuplexStream, Socket<DuplexStream>) {
        let (peer, stream) = tokio::io::duplex(BUFFER_BYTES);
        (peer, Socket::new(stream, Arc::clone(rooms)).await)
    }

    /// A message as a client sends it, under a mask of zeros.
    fn message(length: usize, byte: u8) -> Vec<u8> {
        let head = [0x82, 0xff, 0, 0, 0, 0, 0].as_slice();
        let length_bytes = u32::try_from(length).unwrap().to_be_bytes();
        let head = [&head[..6], &length_bytes, &[0; 4]].concat();
        [head, vec![byte; length]].concat()
    }

    async fn taken(socket: &mut Socket<DuplexStream>) -> Vec<u8> {
        let message = socket.next().await.unwrap().unwrap();
        message.into_data().to_vec()
    }

    #[tokio::test]
    async fn a_large_message_waits_for_a_room_and_a_small_one_does_not() {
        let rooms = Arc::new(Semaphore::new(1));
        let (mut first_peer, mut first) = pair(&rooms).await;
        let (mut second_peer, mut second) = pair(&rooms).await;
        let large = message(FRAME_BYTES_MAX, 1);
        let (begin, end) = large.split_at(20_000);
        first_peer.write_all(begin).await.unwrap();
        second_peer
            .write_all(&message(LARGE_MESSAGE_BYTES, 2))
            .await
            .unwrap();
        second_peer.write_all(&large).await.unwrap();
        assert!(now_or_never(&mut first).is_none());
        assert_eq!(taken(&mut second).await, [2; LARGE_MESSAGE_BYTES]);
        assert!(now_or_never(&mut second).is_none());
        first_peer.write_all(end).await.unwrap();
        assert_eq!(taken(&mut first).await, [1; FRAME_BYTES_MAX]);
        assert!(now_or_never(&mut second).is_none());
        first.settle().await;
        assert_eq!(taken(&mut second).await, [1; FRAME_BYTES_MAX]);
        second.settle().await;
        assert_eq!(rooms.available_permits(), 1);
    }

    #[tokio::test]
    async fn nothing_that_was_sent_ahead_is_lost_when_a_large_messages_buffer_is_given_back() {
        let rooms = Arc::new(Semaphore::new(1));
        let (mut peer, mut socket) = pair(&rooms).await;
        for byte in 0..3 {
            peer.write_all(&message(LARGE_MESSAGE_BYTES + 1, byte))
                .await
                .unwrap();
        }
        peer.write_all(&message(70_000, 3)[..9]).await.unwrap();
        for byte in 0..3 {
            assert_eq!(taken(&mut socket).await, [byte; LARGE_MESSAGE_BYTES + 1]);
            socket.settle().await;
        }
        assert!(now_or_never(&mut socket).is_none());
        peer.write_all(&message(70_000, 3)[9..]).await.unwrap();
        assert_eq!(taken(&mut socket).await, [3; 70_000]);
        socket.settle().await;
        assert_eq!(rooms.available_permits(), 1);
        peer.write_all(&message(5, 4)).await.unwrap();
        assert_eq!(taken(&mut socket).await, [4; 5]);
        drop(peer);
        assert!(!matches!(socket.next().await, Some(Ok(_))));
    }

    fn now_or_never(socket: &mut Socket<DuplexStream>) -> Option<()> {
        use futures_util::FutureExt as _;
        socket.next().now_or_never().map(|_| ())
    }
}
