//! A foreign client and Cobijo's own talk.

use cobijo_client_core::core::client::ConversationId;
use mls_rs::{CipherSuite, client_builder::MlsConfig};

use crate::{
    foreign::{
        conversation::{Conversation, Event, said},
        suite::{CLASSIC, POST_QUANTUM},
        survivor,
    },
    team::{House, Luz},
};

/// [G-2]
#[tokio::test]
async fn a_survivor_with_another_client_is_answered_and_both_talk() {
    let (_house, mut luz, mut ana, conversation) = answered(POST_QUANTUM).await;
    they_talk(&mut luz, &mut ana, conversation).await;
    she_leaves(&mut luz, &mut ana).await;
}

/// [G-11], [G-12]
#[tokio::test]
async fn a_survivor_with_another_client_lets_a_colleague_in() {
    let (house, mut luz, mut ana, conversation) = answered(POST_QUANTUM).await;
    let mut mar = luz.colleague(&house, "Mar").await;
    luz.propose(conversation).await;
    let events = ana.next().await;
    let [Event::Proposed { key_package }] = events.as_slice() else {
        panic!("{events:?}")
    };
    ana.accept(key_package).await;
    let of_mar = mar.comes_in().await;
    mar.say(of_mar, "Soy Mar.").await;
    // Mar updates her path, as whoever has joined does.
    let awaited = [said(2, "Soy Mar."), Event::Committed { leaf: 2 }];
    tokio::select! {
        () = until(&mut ana, &awaited) => {}
        never = mar.goes_on() => match never {},
    }
    luz.hears(conversation, "Soy Mar.").await;
    ana.say("Hola a las dos.").await;
    luz.hears(conversation, "Hola a las dos.").await;
    mar.hears(of_mar, "Hola a las dos.").await;
    assert_eq!(ana.code().to_vec(), luz.code());
    assert_eq!(ana.code().to_vec(), mar.code());
}

/// [G-2]
#[tokio::test]
async fn a_build_for_interop_answers_a_survivor_of_suite_1_in_that_suite() {
    let (_house, mut luz, mut ana, conversation) = answered(CLASSIC).await;
    they_talk(&mut luz, &mut ana, conversation).await;

    // Luz updates her path too, once she has written much in one epoch.
    // Ana reads meanwhile: whoever answers no ping for a minute is taken for dead.
    let awaited = [Event::Committed { leaf: 0 }];
    tokio::join!(luz.says_much(conversation), until(&mut ana, &awaited));
    assert_eq!(ana.code().to_vec(), luz.code());
    ana.say("Sigo aquí.").await;
    luz.hears(conversation, "Sigo aquí.").await;
    luz.say(conversation, "Te leo.").await;
    assert!(ana.next().await.contains(&said(0, "Te leo.")));
    she_leaves(&mut luz, &mut ana).await;
}

/// Ana wrote and added something, and Luz has answered her.
async fn answered(
    suite: CipherSuite,
) -> (
    House,
    Luz,
    Conversation<impl MlsConfig + use<>>,
    ConversationId,
) {
    let house = House::start().await;
    let mut luz = Luz::on_shift(&house).await;
    let way = house.way();
    let mut ana = survivor::write(&way, &luz.link, "Hola, ¿hay alguien?", suite).await;
    ana.add("Escribo desde otro programa.").await;
    let conversation = luz.answer().await;
    luz.hears(conversation, "Escribo desde otro programa.")
        .await;
    let ana = ana.answered().await;
    assert_eq!(ana.desk_serial, 1);
    assert_eq!(ana.code().to_vec(), luz.code());
    (house, luz, ana, conversation)
}

/// Short and long, over Ana's update of her path.
async fn they_talk<C: MlsConfig>(
    luz: &mut Luz,
    ana: &mut Conversation<C>,
    conversation: ConversationId,
) {
    luz.say(conversation, "Aquí estoy.").await;
    assert_eq!(ana.next().await, [said(0, "Aquí estoy.")]);
    ana.update().await;
    luz.sees_another_code().await;
    assert_eq!(ana.code().to_vec(), luz.code());
    let long = "Es largo de contar. ".repeat(600);
    ana.say(&long).await;
    luz.hears(conversation, &long).await;
    luz.say(conversation, &long).await;
    assert_eq!(ana.next().await, [said(0, &long)]);
}

/// Reads on until all of this has happened.
async fn until<C: MlsConfig>(ana: &mut Conversation<C>, awaited: &[Event]) {
    let mut events = Vec::new();
    while !awaited.iter().all(|event| events.contains(event)) {
        events.extend(ana.next().await);
    }
}

/// Her leave is committed by Luz.
async fn she_leaves<C: MlsConfig>(luz: &mut Luz, ana: &mut Conversation<C>) {
    ana.leave().await;
    luz.sees_another_code().await;
    assert_eq!(ana.next().await, [Event::Removed]);
}
