//! Accepts connections: place, TLS, HTTP, and then the WebSocket in the same task.

use std::{io, net::SocketAddr, time::Duration};

use axum::{Extension, Router};
use cobijo_protocol::limits::DEAD_AFTER;
use hyper::{
    server::conn::http1,
    upgrade::{OnUpgrade, Upgraded},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::mpsc,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{
    connection::{self, Shared},
    doors::{Doors, Place},
    limits::{HANDSHAKE_TIMEOUT, HTTP_HEAD_BYTES_MAX, HTTP_HEADERS_MAX},
};

/// Time to wait after the system refused to accept, for lack of files or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Connections that wait to be accepted: as many as the standard library lets wait.
const ACCEPT_QUEUE_MAX: u32 = 1024;
/// Bytes that the system keeps of a connection for each direction, before it doubles them for its own use.
/// Left to itself it would keep megabytes for a peer that asks for much and reads nothing.
const SYSTEM_BUFFER_BYTES: u32 = 64 * 1024;

/// What every listener shares.
#[derive(Clone)]
pub(crate) struct Front {
    pub(crate) tls: TlsAcceptor,
    pub(crate) router: Router,
    pub(crate) doors: Doors,
    pub(crate) shared: Shared,
}

/// Listens on an address.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    socket.set_reuseaddr(true)?;
    // Accepted connections inherit both.
    socket.set_send_buffer_size(SYSTEM_BUFFER_BYTES)?;
    socket.set_recv_buffer_size(SYSTEM_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(ACCEPT_QUEUE_MAX)
}

/// Accepts until shutdown, then returns when every connection has ended.
pub(crate) async fn accept(listener: TcpListener, front: Front) {
    let mut connections = JoinSet::new();
    let mut shutdown = front.shared.shutdown.clone();
    loop {
        tokio::select! {
            () = shutdown.requested() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => if let Some(place) = front.doors.enter(peer.ip()) {
                    connections.spawn(serve(stream, place, front.clone()));
                },
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn serve(stream: TcpStream, mut place: Place, front: Front) {
    let upgraded = tokio::select! {
        () = place.gave_way() => return,
        upgraded = serve_http(stream, &front) => upgraded,
    };
    if let Some(stream) = upgraded {
        connection::serve(stream, place, front.shared).await;
    }
}

/// TLS and HTTP, until the connection ends or has become a WebSocket.
async fn serve_http(stream: TcpStream, front: &Front) -> Option<TokioIo<Upgraded>> {
    let mut shutdown = front.shared.shutdown.clone();
    let stream = tokio::select! {
        () = shutdown.requested() => return None,
        stream = handshake(stream, &front.tls) => stream?,
    };
    let (handover, mut upgrades) = mpsc::channel::<OnUpgrade>(1);
    let service = TowerToHyperService::new(front.router.clone().layer(Extension(handover)));
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HANDSHAKE_TIMEOUT)
        .max_headers(HTTP_HEADERS_MAX)
        .max_buf_size(HTTP_HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let served = timeout(DEAD_AFTER, async move {
        tokio::pin!(serving);
        tokio::select! {
            served = &mut serving => return served,
            () = shutdown.requested() => serving.as_mut().graceful_shutdown(),
        }
        serving.await
    });
    served.await.ok()?.ok()?;
    let upgraded = upgrades.recv().await?.await.ok()?;
    Some(TokioIo::new(upgraded))
}

async fn handshake(stream: TcpStream, tls: &TlsAcceptor) -> Option<TlsStream<TcpStream>> {
    // Without it a small answer waits for the acknowledgement of the one before.
    stream.set_nodelay(true).ok()?;
    timeout(HANDSHAKE_TIMEOUT, tls.accept(stream))
        .await
        .ok()?
        .ok()
}
