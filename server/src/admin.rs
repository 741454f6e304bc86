//! The operator's listener, on a loopback address: metrics, hosting of desks, confirming the day.

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use cobijo_protocol::link::DeskId;
use tokio::net::TcpListener;

use crate::{
    connection::Shared,
    engine::{Swept, Write},
    upkeep,
};

/// Path of the metrics.
pub(crate) const METRICS_PATH: &str = "/metrics";
/// Path below which desks are hosted.
pub(crate) const DESKS_PATH: &str = "/desks/";
/// Path to confirm the day.
pub(crate) const CONFIRM_DAY_PATH: &str = "/confirm-day";

/// Serves until shutdown.
pub(crate) async fn serve(listener: TcpListener, shared: Shared) {
    let mut shutdown = shared.shutdown.clone();
    let served = axum::serve(listener, router(shared))
        .with_graceful_shutdown(async move { shutdown.requested().await });
    // It never fails: accepting is tried again inside.
    let _ = served.await;
}

fn router(shared: Shared) -> Router {
    Router::new()
        .route(METRICS_PATH, get(metrics))
        .route(
            &format!("{DESKS_PATH}{{desk}}"),
            get(is_hosted).put(host).delete(unhost),
        )
        .route(CONFIRM_DAY_PATH, post(confirm_day))
        .layer(middleware::from_fn(refuse_browsers))
        .with_state(shared)
}

/// A page that the operator has open could otherwise reach this listener through her browser.
async fn refuse_browsers(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let loopback = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .is_some_and(|host| {
            let address = host.parse::<std::net::SocketAddr>();
            host.starts_with("localhost:") || address.is_ok_and(|host| host.ip().is_loopback())
        });
    if !loopback || headers.contains_key(header::ORIGIN) {
        return StatusCode::FORBIDDEN.into_response();
    }
    next.run(request).await
}

async fn metrics(State(shared): State<Shared>) -> String {
    shared.metrics.to_text()
}

async fn is_hosted(Path(desk): Path<String>, State(shared): State<Shared>) -> StatusCode {
    let Ok(desk) = DeskId::from_text(&desk) else {
        return StatusCode::BAD_REQUEST;
    };
    match shared.engine.is_hosted(desk).await {
        Ok(true) => StatusCode::OK,
        Ok(false) => StatusCode::NOT_FOUND,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

async fn host(Path(desk): Path<String>, State(shared): State<Shared>) -> StatusCode {
    change(&desk, shared, |desk| Write::Host { desk }).await
}

async fn unhost(Path(desk): Path<String>, State(shared): State<Shared>) -> StatusCode {
    change(&desk, shared, |desk| Write::Unhost { desk }).await
}

async fn change(desk: &str, shared: Shared, write: impl FnOnce(DeskId) -> Write) -> StatusCode {
    let Ok(desk) = DeskId::from_text(desk) else {
        return StatusCode::BAD_REQUEST;
    };
    match shared.engine.apply_one(write(desk)).await {
        Ok(_) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The operator says that the clock is right, however far it moved.
async fn confirm_day(State(shared): State<Shared>) -> StatusCode {
    let day = *shared.day.borrow();
    if shared
        .engine
        .apply_one(Write::ConfirmDay { day })
        .await
        .is_err()
    {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    match upkeep::sweep_once(&shared.engine, day, &shared.metrics).await {
        Some(Swept::Done) => StatusCode::NO_CONTENT,
        Some(Swept::Refused) | None => StatusCode::SERVICE_UNAVAILABLE,
    }
}
