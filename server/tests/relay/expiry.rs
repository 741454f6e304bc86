//! Retention and the sweep, on a clock that the test moves.

use cobijo_protocol::frame::{Outcome, SlotState};
use hyper::{Method, StatusCode};

use crate::harness::*;

///
#[tokio::test]
async fn a_cell_stands_until_its_last_day_has_ended_and_its_mark_as_long() {
    let relay = Relay::start().await;
    let desk = Desk::new(1);
    relay.host(&desk).await;
    let mut client = relay.client().await;
    client
        .ask(&[put(0, 0), put(1, 1), erase(1), desk.drop(1)])
        .await;
    relay.sweep_at(DAY + 1).await;
    let later = [put(0, 0), put(2, 2), desk.drop(1), desk.drop(2)];
    assert_eq!(client.ask(&later).await, vec![Outcome::Stored; 4]);

    relay.sweep_at(DAY + 90).await;
    let standing = vec![SlotState::Full, SlotState::Gone, SlotState::Full];
    assert_eq!(
        client.ask(&[watch(0..3)]).await,
        [Outcome::Watching(standing)]
    );
    relay.sweep_at(DAY + 91).await;
    let standing = vec![SlotState::Empty, SlotState::Empty, SlotState::Full];
    assert_eq!(
        client.ask(&[watch(0..3)]).await,
        [Outcome::Watching(standing)]
    );
    let mut owner = relay.client().await;
    owner.ask(&[desk.open(&owner)]).await;
    owner.push().await;
    owner.assert_no_push().await;
    relay.sweep_at(DAY + 92).await;
    let mut owner = relay.client().await;
    owner.ask(&[desk.open(&owner)]).await;
    owner.assert_no_push().await;
    assert_eq!(client.ask(&[put(1, 9)]).await, [Outcome::Stored]);
}

///
#[tokio::test]
async fn a_clock_that_jumped_removes_nothing_until_the_operator_confirms() {
    let relay = Relay::start().await;
    let mut client = relay.client().await;
    client.ask(&[put(0, 0)]).await;
    assert!(!relay.sweep_is_refused().await);
    relay.day.send_replace(DAY + 1000);
    until(async || relay.sweep_is_refused().await).await;
    assert_eq!(relay.client().await.greeting.day, DAY + 1000);
    let full = Outcome::Watching(vec![SlotState::Full]);
    assert_eq!(client.ask_one(watch([0])).await, full);

    let relay = relay.restart().await;
    let mut client = relay.client().await;
    until(async || relay.sweep_is_refused().await).await;
    assert_eq!(client.ask_one(watch([0])).await, full);
    let confirmed = relay.admin(Method::POST, "/confirm-day").await.0;
    assert_eq!(confirmed, StatusCode::NO_CONTENT);
    assert!(!relay.sweep_is_refused().await);
    let empty = Outcome::Watching(vec![SlotState::Empty]);
    assert_eq!(client.ask(&[watch([0])]).await, [empty]);
}

#[tokio::test]
async fn a_new_day_sweeps_by_itself() {
    let relay = Relay::with_config("retention-days = 30").await;
    let mut client = relay.client().await;
    client.ask(&[put(0, 0)]).await;
    relay.sweep_at(DAY + 30).await;
    relay.day.send_replace(DAY + 31);
    let empty = [Outcome::Watching(vec![SlotState::Empty])];
    until(async || client.ask(&[watch([0])]).await == empty).await;
}

impl Relay {
    /// Moves the clock as far as it takes, with the operator's word.
    async fn sweep_at(&self, day: cobijo_protocol::Day) {
        self.day.send_replace(day);
        let confirmed = self.admin(Method::POST, "/confirm-day").await.0;
        assert_eq!(confirmed, StatusCode::NO_CONTENT);
    }

    async fn sweep_is_refused(&self) -> bool {
        self.metric("sweep_refused").await == 1
    }
}
