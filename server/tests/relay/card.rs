//! Cards over HTTPS. [D-8]

use hyper::{Method, StatusCode};

use crate::harness::*;

/// [D-8]
#[tokio::test]
async fn a_card_is_published_by_a_hosted_desk_and_read_by_everyone() {
    let relay = Relay::start().await;
    let desk = Desk::new(1);
    let path = desk.path();
    let card = desk.card(1, DAY);
    assert_eq!(relay.put(&path, card.clone()).await, StatusCode::FORBIDDEN);
    let admin = format!("/desks/{}", desk.id().to_text());
    assert_eq!(
        relay.admin(Method::GET, &admin).await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        relay.admin(Method::PUT, &admin).await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(relay.admin(Method::GET, &admin).await.0, StatusCode::OK);
    assert_eq!(relay.get(&path).await, (StatusCode::NOT_FOUND, vec![]));
    assert_eq!(relay.put(&path, card.clone()).await, StatusCode::CREATED);
    assert_eq!(relay.get(&path).await, (StatusCode::OK, card.clone()));
    assert_eq!(relay.put(&path, card).await, StatusCode::OK);
}

/// [D-6]
#[tokio::test]
async fn versions_only_grow_also_after_a_restart_and_after_hosting_anew() {
    let relay = Relay::start().await;
    let desk = Desk::new(1);
    relay.host(&desk).await;
    let path = desk.path();
    let second = desk.card(2, DAY);
    assert_eq!(relay.put(&path, second.clone()).await, StatusCode::OK);
    assert_eq!(
        relay.put(&path, desk.card(1, DAY + 1)).await,
        StatusCode::CONFLICT
    );
    assert_eq!(
        relay.put(&path, desk.card(2, DAY - 1)).await,
        StatusCode::CONFLICT
    );
    let mut same_version = Desk::new(1);
    same_version.mailbox = cobijo_protocol::keys::SecretKey::from_bytes([99; 32]);
    let other = same_version.card(2, DAY);
    assert_eq!(relay.put(&path, other.clone()).await, StatusCode::CONFLICT);

    let relay = relay.restart().await;
    assert_eq!(relay.get(&path).await, (StatusCode::OK, second.clone()));
    let admin = format!("/desks/{}", desk.id().to_text());
    relay.admin(Method::DELETE, &admin).await;
    assert_eq!(relay.get(&path).await, (StatusCode::NOT_FOUND, vec![]));
    relay.admin(Method::PUT, &admin).await;
    assert_eq!(relay.put(&path, other).await, StatusCode::CONFLICT);
    assert_eq!(relay.get(&path).await, (StatusCode::OK, second));
}

#[tokio::test]
async fn a_card_of_the_day_after_tomorrow_is_refused() {
    let relay = Relay::start().await;
    let desk = Desk::new(1);
    relay.host(&desk).await;
    let path = desk.path();
    assert_eq!(
        relay.put(&path, desk.card(1, DAY + 2)).await,
        StatusCode::CONFLICT
    );
    assert_eq!(
        relay.put(&path, desk.card(1, DAY + 1)).await,
        StatusCode::OK
    );
}

/// [D-5]
#[tokio::test]
async fn what_is_not_this_desk_s_card_is_refused() {
    let relay = Relay::start().await;
    let desk = Desk::new(1);
    relay.host(&desk).await;
    let path = desk.path();
    let mut altered = desk.card(2, DAY);
    let last = altered.len() - 1;
    altered[last] ^= 1;
    let mut false_poster = Desk::new(1);
    false_poster.key = Desk::new(2).key;
    let cases = [
        (altered, StatusCode::BAD_REQUEST),
        (
            false_poster.card(2, DAY)[1..].to_vec(),
            StatusCode::BAD_REQUEST,
        ),
        (Desk::new(2).card(2, DAY), StatusCode::BAD_REQUEST),
        (vec![], StatusCode::BAD_REQUEST),
        (vec![0; 8193], StatusCode::PAYLOAD_TOO_LARGE),
        (vec![0; 100_000], StatusCode::PAYLOAD_TOO_LARGE),
    ];
    for (body, status) in cases {
        assert_eq!(relay.put(&path, body).await, status);
    }
    assert_eq!(relay.get(&path).await.1, desk.card(1, DAY));
}

#[tokio::test]
async fn other_paths_say_no_more_than_they_must() {
    let relay = Relay::start().await;
    assert_eq!(
        relay.get("/healthz").await,
        (StatusCode::OK, b"ok\n".to_vec())
    );
    assert_eq!(relay.get("/").await.0, StatusCode::OK);
    let absent = [
        "/v1/cards/",
        "/v1/cards/x",
        "/v1/cards/AAAAAAAAAAAAAAAAAAAAAA",
        "/metrics",
        "/desks/x",
    ];
    for path in absent {
        assert_eq!(
            relay.get(path).await,
            (StatusCode::NOT_FOUND, vec![]),
            "{path}"
        );
    }
    assert_eq!(
        relay.put("/v1/cards/x", vec![]).await,
        StatusCode::FORBIDDEN
    );
}
