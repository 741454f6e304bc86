//! What people's programs reach: the relay's WebSocket, cards, a health check and a plain page.

use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use cobijo_protocol::{
    card::{CardError, UnverifiedCard},
    limits::{CARD_BYTES_MAX, CARDS_PATH, RELAY_PATH, SUBPROTOCOL},
    link::DeskId,
};
use http_body_util::{BodyExt, Limited};
use hyper::upgrade::OnUpgrade;
use tokio::{sync::mpsc, time::timeout};
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;

use crate::{
    connection::Shared,
    engine::{NewCard, Write, Written},
    limits::HANDSHAKE_TIMEOUT,
};

/// What somebody sees who opens the relay's address in a browser.
/// An address stays in a browser's history, so it says nothing of what it is for.
const PAGE: &str = "<!doctype html><meta charset=utf-8><title>·</title>\
<p lang=es>Aquí no hay nada que ver. Si te dieron un enlace, ábrelo completo.</p>\
<p lang=en>There is nothing to see here. If you were given a link, open all of it.</p>";

/// Takes what a connection becomes to the task that serves it.
pub(crate) type Handover = mpsc::Sender<OnUpgrade>;

/// The routes.
pub(crate) fn router(shared: Shared) -> Router {
    Router::new()
        .route(RELAY_PATH, get(relay))
        .route(&format!("{CARDS_PATH}{{desk}}"), get(card).put(publish))
        .route("/healthz", get(async || "ok\n"))
        .route("/", get(async || Html(PAGE)))
        .layer(DefaultBodyLimit::disable())
        .with_state(shared)
}

/// A WebSocket of this version, or nothing. [W-1]
async fn relay(Extension(handover): Extension<Handover>, request: Request) -> Response {
    if !offers_subprotocol(request.headers()) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let Ok(mut response) = create_response_with_body(&request, Body::empty) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    // There is room for one, and this connection speaks no HTTP after it.
    if handover.try_send(hyper::upgrade::on(request)).is_err() {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let echo = HeaderValue::from_static(SUBPROTOCOL);
    response
        .headers_mut()
        .insert(header::SEC_WEBSOCKET_PROTOCOL, echo);
    response
}

fn offers_subprotocol(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|offered| offered.to_str().ok())
        .flat_map(|offered| offered.split(','))
        .any(|offered| offered.trim() == SUBPROTOCOL)
}

/// A desk that isn't hosted and a desk without a card look the same. [D-8]
async fn card(Path(desk): Path<String>, State(shared): State<Shared>) -> Response {
    let Ok(desk) = DeskId::from_text(&desk) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match shared.engine.card(desk).await {
        Ok(Some(bytes)) => {
            let headers = [
                (header::CONTENT_TYPE, "application/cbor"),
                (header::CACHE_CONTROL, "no-store"),
                (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            ];
            (headers, bytes).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Publishes a card of a hosted desk. [D-6] [D-8]
async fn publish(Path(desk): Path<String>, State(shared): State<Shared>, body: Body) -> StatusCode {
    let Ok(desk) = DeskId::from_text(&desk) else {
        return StatusCode::FORBIDDEN;
    };
    match shared.engine.is_hosted(desk).await {
        Ok(true) => {}
        Ok(false) => return StatusCode::FORBIDDEN,
        Err(_) => return StatusCode::SERVICE_UNAVAILABLE,
    }
    let bytes = match receive(body).await {
        Ok(bytes) => bytes,
        Err(status) => return status,
    };
    let day = *shared.day.borrow();
    let card = match check(desk, &bytes, day) {
        Ok(card) => card,
        Err(status) => return status,
    };
    if !*shared.room.borrow() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    match shared.engine.apply_one(Write::Card(card)).await {
        Ok(Written::Stored) => StatusCode::CREATED,
        Ok(Written::Done) => StatusCode::OK,
        Ok(Written::Unknown) => StatusCode::FORBIDDEN,
        Ok(Written::Outdated | Written::Taken | Written::Full | Written::Skipped) => {
            StatusCode::CONFLICT
        }
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

async fn receive(body: Body) -> Result<Bytes, StatusCode> {
    let body = Limited::new(body, CARD_BYTES_MAX).collect();
    match timeout(HANDSHAKE_TIMEOUT, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            Err(StatusCode::PAYLOAD_TOO_LARGE)
        }
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// A card from the day after tomorrow would make every honest one look older. [D-8]
fn check(desk: DeskId, bytes: &[u8], day: cobijo_protocol::Day) -> Result<NewCard, StatusCode> {
    let verified = UnverifiedCard::decode(bytes).and_then(|card| card.verify(&desk));
    let card = verified.map_err(|error| match error {
        CardError::Malformed | CardError::Signature => StatusCode::BAD_REQUEST,
        CardError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
    })?;
    if card.daily.day > day.saturating_add(1) {
        return Err(StatusCode::CONFLICT);
    }
    Ok(NewCard {
        desk,
        version: card.version(),
        mailbox: card.daily.mailbox,
        bytes: bytes.to_vec(),
    })
}
