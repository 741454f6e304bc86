//! Cards over HTTPS: one request a connection, nothing in it that tells one client from another.

use cobijo_protocol::{
    limits::{CARD_BYTES_MAX, CARDS_PATH},
    link::{DeskId, RelayUrl},
};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    client::conn::http1,
    header::HOST,
};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use super::{
    connection::CardOutcome,
    network::{Network, NetworkError},
};
use crate::{
    core::client::{CardAbsent, PublishAnswer},
    limits::CARD_TIMEOUT,
};

/// Reads a desk's card.
pub(super) async fn fetch(
    network: &Network,
    relay: &RelayUrl,
    desk: DeskId,
) -> CardOutcome<Result<Vec<u8>, CardAbsent>> {
    let failed = |reason| (reason, Err(CardAbsent::Unreachable));
    let fetching = async {
        let response = send(network, relay, desk, "GET", Vec::new()).await?;
        match response.status() {
            StatusCode::OK => body(response).await.map(Ok),
            StatusCode::NOT_FOUND => Ok(Err(CardAbsent::NotFound)),
            status => Err(of_status(status)),
        }
    };
    let fetched = timeout(CARD_TIMEOUT, fetching).await;
    fetched
        .unwrap_or(Err(NetworkError::Unreachable))
        .map_err(failed)
}

/// Publishes a desk's card.
pub(super) async fn publish(
    network: &Network,
    relay: &RelayUrl,
    desk: DeskId,
    card: Vec<u8>,
) -> CardOutcome<PublishAnswer> {
    let failed = |reason| (reason, PublishAnswer::Unreachable);
    let publishing = async {
        let response = send(network, relay, desk, "PUT", card).await?;
        match response.status() {
            status if status.is_success() => Ok(PublishAnswer::Published),
            StatusCode::CONFLICT => Ok(PublishAnswer::Conflict),
            StatusCode::NOT_FOUND | StatusCode::FORBIDDEN => Ok(PublishAnswer::NotHosted),
            status if status.is_client_error() => Ok(PublishAnswer::Refused),
            status => Err(of_status(status)),
        }
    };
    let published = timeout(CARD_TIMEOUT, publishing).await;
    published
        .unwrap_or(Err(NetworkError::Unreachable))
        .map_err(failed)
}

async fn send(
    network: &Network,
    relay: &RelayUrl,
    desk: DeskId,
    method: &str,
    body: Vec<u8>,
) -> Result<Response<Incoming>, NetworkError> {
    let stream = network.dial(relay).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|_| NetworkError::Lost)?;
    let url = relay.to_string();
    let request = Request::builder()
        .method(method)
        .uri(format!("{CARDS_PATH}{}", desk.to_text()))
        .header(HOST, url.trim_start_matches("https://"))
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| NetworkError::NotRelay)?;
    let answering = sender.send_request(request);
    // The connection must be polled while its answer is read; it ends with its sender.
    tokio::spawn(connection);
    answering.await.map_err(|_| NetworkError::Lost)
}

async fn body(response: Response<Incoming>) -> Result<Vec<u8>, NetworkError> {
    let body = Limited::new(response.into_body(), CARD_BYTES_MAX);
    let bytes = body.collect().await.map_err(|_| NetworkError::NotRelay)?;
    Ok(bytes.to_bytes().into())
}

fn of_status(status: StatusCode) -> NetworkError {
    if status.is_server_error() {
        NetworkError::Busy
    } else {
        NetworkError::NotRelay
    }
}
