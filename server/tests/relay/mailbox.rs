//! Drop, open, remove.

use cobijo_protocol::{
    frame::{FromRelay, Operation, Outcome},
    keys::SecretKey,
    limits::{CONNECTION_CREDITS, MAILBOX_ITEMS_MAX, OPEN_MAILBOXES_MAX},
    mailbox::{ItemId, MailboxKey},
};
use hyper::{Method, StatusCode};

use crate::harness::*;

/// [R-6] [M-3]
#[tokio::test]
async fn what_strangers_drop_reaches_every_owner_once_open_or_already_open() {
    let relay = Relay::start().await;
    let desk = Desk::new(1);
    relay.host(&desk).await;
    let mut stranger = relay.client().await;
    let mut early = relay.client().await;
    assert_eq!(early.ask(&[desk.open(&early)]).await, [Outcome::Done]);
    let dropped = [desk.drop(1), desk.drop(1), desk.drop(2)];
    assert_eq!(stranger.ask(&dropped).await, vec![Outcome::Stored; 3]);
    let mut late = relay.client().await;
    assert_eq!(late.ask(&[desk.open(&late)]).await, [Outcome::Done]);
    for owner in [&mut early, &mut late] {
        let mut cells = [item(owner).await.1, item(owner).await.1];
        cells.sort_by_key(|cell| *cell.as_bytes());
        assert_eq!(cells, [cell(1), cell(2)]);
        owner.assert_no_push().await;
    }
    assert_eq!(late.ask(&[desk.open(&late)]).await, [Outcome::Done]);
    late.assert_no_push().await;
}

/// [M-4]
#[tokio::test]
async fn an_item_is_removed_only_where_its_mailbox_is_open() {
    let relay = Relay::start().await;
    let desk = Desk::new(1);
    relay.host(&desk).await;
    let mut owner = relay.client().await;
    owner.ask(&[desk.open(&owner), desk.drop(1)]).await;
    let (item, _) = item(&mut owner).await;
    let mailbox = desk.mailbox();
    let remove = Operation::Remove { mailbox, item };
    let mut stranger = relay.client().await;
    assert_eq!(stranger.ask_one(remove.clone()).await, Outcome::Denied);
    let nothing = Operation::Remove {
        mailbox,
        item: ItemId::from_bytes([0; 16]),
    };
    assert_eq!(
        owner.ask(&[nothing, remove.clone()]).await,
        vec![Outcome::Done; 2]
    );
    assert_eq!(owner.ask(&[remove]).await, [Outcome::Done]);
    let mut again = relay.client().await;
    again.ask(&[desk.open(&again)]).await;
    again.assert_no_push().await;
}

/// [M-1] [M-2]
#[tokio::test]
async fn a_mailbox_opens_only_under_its_own_key_for_this_relay_and_this_connection() {
    let relay = Relay::with_config("names = [\"relay.example.org\", \"localhost\"]").await;
    let desk = Desk::new(1);
    let mut client = relay.client().await;
    let other = relay.client().await;
    let sign = |key: &SecretKey, host: &str, nonce| Operation::Open {
        mailbox: desk.mailbox(),
        signature: MailboxKey::sign_open(key, host, nonce),
    };
    let nonce = client.greeting.nonce;
    let refused = [
        sign(&desk.poster, "localhost", &nonce),
        sign(&desk.mailbox, "evil.example.org", &nonce),
        sign(&desk.mailbox, "localhost", &other.greeting.nonce),
    ];
    assert_eq!(client.ask(&refused).await, vec![Outcome::Denied; 3]);
    let opened = sign(&desk.mailbox, "relay.example.org", &nonce);
    assert_eq!(client.ask_one(opened).await, Outcome::Done);
}

///
#[tokio::test]
async fn a_mailbox_takes_drops_only_while_the_card_of_a_hosted_desk_names_it() {
    let relay = Relay::start().await;
    let mut desk = Desk::new(1);
    let mut client = relay.client().await;
    assert_eq!(client.ask_one(desk.drop(1)).await, Outcome::Unknown);
    relay.host(&desk).await;
    assert_eq!(client.ask_one(desk.drop(1)).await, Outcome::Stored);
    client.ask(&[desk.open(&client)]).await;
    item(&mut client).await;

    let old = Desk::new(1);
    desk.mailbox = SecretKey::from_bytes([99; 32]);
    let published = relay.put(&desk.path(), desk.card(1, DAY + 1)).await;
    assert_eq!(published, StatusCode::OK);
    assert_eq!(client.ask_one(old.drop(2)).await, Outcome::Unknown);
    assert_eq!(client.ask_one(desk.drop(2)).await, Outcome::Stored);
    let mut owner = relay.client().await;
    owner.ask(&[old.open(&owner)]).await;
    assert_eq!(item(&mut owner).await.1, cell(1));

    relay
        .admin(Method::DELETE, &format!("/desks/{}", desk.id().to_text()))
        .await;
    assert_eq!(client.ask_one(desk.drop(3)).await, Outcome::Unknown);
}

/// [W-6]
#[tokio::test]
async fn whoever_looks_for_mailboxes_that_no_card_names_pays_as_for_a_write() {
    let relay = Relay::with_config("[limits]\nkibibytes-per-second = 100000").await;
    let desk = Desk::new(1);
    let mut client = relay.client().await;
    for round in 0..CONNECTION_CREDITS / 64 {
        let frame: Vec<_> = (0..64).map(|n| desk.drop(round * 64 + n)).collect();
        assert_eq!(client.ask(&frame).await, vec![Outcome::Unknown; 64]);
    }
    assert_eq!(client.ask(&[put(0, 0)]).await, [Outcome::NoCredit]);
}

///
#[tokio::test]
async fn a_full_mailbox_refuses_until_something_is_removed() {
    let relay = Relay::with_config("[limits]\nkibibytes-per-second = 100000").await;
    let desk = Desk::new(1);
    relay.host(&desk).await;
    let mut client = relay.client().await;
    for round in 0..MAILBOX_ITEMS_MAX as u32 / 64 {
        let frame: Vec<_> = (0..64).map(|n| desk.drop(round * 64 + n)).collect();
        assert_eq!(client.ask(&frame).await, vec![Outcome::Stored; 64]);
    }
    let mut client = relay.client().await;
    let outcomes = client.ask(&[desk.drop(5000), desk.drop(0)]).await;
    assert_eq!(outcomes, [Outcome::Full, Outcome::Stored]);
    client.ask(&[desk.open(&client)]).await;
    let (item, _) = item(&mut client).await;
    let mailbox = desk.mailbox();
    let remove = Operation::Remove { mailbox, item };
    assert_eq!(
        client.ask(&[remove, desk.drop(5000)]).await,
        [Outcome::Done, Outcome::Stored]
    );
    assert_eq!(client.ask_one(desk.drop(5001)).await, Outcome::Full);
}

/// [M-2]
#[tokio::test]
async fn a_connection_opens_no_more_mailboxes_than_the_limit_and_a_denied_one_counts() {
    let relay = Relay::start().await;
    let mut client = relay.client().await;
    let open = |seed| Desk::new(seed).open(&client);
    let wrong = |seed| Operation::Open {
        mailbox: Desk::new(seed).mailbox(),
        signature: MailboxKey::sign_open(&Desk::new(0).mailbox, "", &client.greeting.nonce),
    };
    let limit = OPEN_MAILBOXES_MAX as u8;
    let mut frame: Vec<_> = (1..limit).map(open).collect();
    frame.extend([wrong(limit), open(limit), wrong(limit), open(1), wrong(1)]);
    let mut expected = vec![Outcome::Done; OPEN_MAILBOXES_MAX - 1];
    let too_many = Outcome::TooMany;
    expected.extend([Outcome::Denied, too_many.clone(), too_many]);
    expected.extend([Outcome::Done, Outcome::Done]);
    assert_eq!(client.ask(&frame).await, expected);
}

async fn item(client: &mut Client) -> (ItemId, cobijo_protocol::cell::Cell) {
    let push = client.push().await;
    let FromRelay::Item { item, cell, .. } = push else {
        panic!("{push:?}");
    };
    (item, cell)
}
