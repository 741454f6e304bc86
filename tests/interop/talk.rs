//! A foreign client and Cobijo's own talk.

use crate::{
    foreign::{
        conversation::{Event, said},
        survivor,
    },
    team::{House, Luz},
};

/// [G-2]
#[tokio::test]
async fn a_survivor_with_another_client_is_answered_and_both_talk() {
    let house = House::start().await;
    let mut luz = Luz::on_shift(&house).await;
    let way = house.way();
    let mut ana = survivor::write(&way, &luz.link, "Hola, ¿hay alguien?").await;
    ana.add("Escribo desde otro programa.").await;
    let conversation = luz.answer().await;
    luz.hears(conversation, "Escribo desde otro programa.")
        .await;
    let mut ana = ana.answered().await;
    assert_eq!(ana.desk_serial, 1);
    assert_eq!(ana.code().to_vec(), luz.code());

    luz.say(conversation, "Aquí estoy.").await;
    let events = ana.next().await;
    assert_eq!(events, [said(0, "Aquí estoy.")]);

    ana.update().await;
    luz.sees_another_code().await;
    assert_eq!(ana.code().to_vec(), luz.code());

    let long = "Es largo de contar. ".repeat(600);
    ana.say(&long).await;
    luz.hears(conversation, &long).await;
    luz.say(conversation, &long).await;
    assert_eq!(ana.next().await, [said(0, &long)]);

    // Luz updates her path too, once she has written much in one epoch.
    let mut events = Vec::new();
    luz.says_much(conversation).await;
    while !events.contains(&Event::Committed { leaf: 0 }) {
        events.extend(ana.next().await);
    }
    assert_eq!(ana.code().to_vec(), luz.code());
    ana.say("Sigo aquí.").await;
    luz.hears(conversation, "Sigo aquí.").await;
    luz.say(conversation, "Te leo.").await;
    assert!(ana.next().await.contains(&said(0, "Te leo.")));

    ana.leave().await;
    luz.sees_another_code().await;
    assert_eq!(ana.next().await, [Event::Removed]);
}
