//! Through the desk: when nobody answers, and when somebody can't follow.

use cobijo_client_core::core::{
    client::{Entry, EntryContent, Speaker, Stopped},
    port::Put,
};
use cobijo_protocol::{
    cbor,
    commit::sign_leave,
    intake::Waiting,
    parts::Data,
    slot::{Kind, Slot, ThreadSecret},
};

use crate::{conversation, world::Told};

#[test]
fn when_nobody_answers_a_colleague_comes_through_the_desk() {
    let (mut world, ana, luz) = conversation();
    let mar = world.member("Mar");
    world.actors[luz].queue = None;
    world.ask_desk(ana, "Nadie contesta");
    world.run();
    world.claim(mar);
    world.run();
    assert!(world.was_told(ana, &Told::Offered("Mar".to_owned())));
    assert!(
        world.actors[mar].conversation.is_none(),
        "only her yes adds"
    );
    world.accept_offer(ana);
    world.run();
    world.say(mar, "Soy Mar");
    world.run();
    assert!(world.texts(ana).contains(&"Soy Mar".to_owned()));
    assert!(world.texts(luz).contains(&"Soy Mar".to_owned()));
    assert_eq!(world.texts(mar), ["Nadie contesta", "Soy Mar"]);
}

#[test]
fn an_accompanier_who_cant_follow_any_more_comes_back_through_the_desk() {
    let (mut world, ana, luz) = conversation();
    world.away(luz, 100);
    assert_eq!(world.talk(luz).stopped(), Some(Stopped::Stale));
    world.ask_desk(ana, "Nadie contesta");
    world.run();
    world.claim(luz);
    world.run();
    world.accept_offer(ana);
    world.run();
    world.say(luz, "Perdona, ya estoy");
    world.run();
    assert!(world.texts(ana).contains(&"Perdona, ya estoy".to_owned()));
    assert_eq!(world.talk(ana).members().len(), 2);
}

/// [G-17] [G-18]
#[test]
fn who_was_away_too_long_gets_a_successor_through_the_desk() {
    let (mut world, ana, luz) = conversation();
    world.say(ana, "Me voy un tiempo");
    world.run();
    world.away(ana, 100);
    assert_eq!(world.talk(ana).stopped(), Some(Stopped::Stale));
    world.actors[luz].conversation = None;
    let mar = world.member("Mar");
    world.ask_desk(ana, "He vuelto");
    world.run();
    world.pass(std::time::Duration::from_secs(700));
    world.claim(mar);
    world.run();
    world.accept_offer(ana);
    world.run();
    world.say(mar, "Soy Mar");
    world.say(ana, "Hola, Mar");
    world.run();
    assert_eq!(world.texts(ana).first().unwrap(), "Hola");
    assert!(world.texts(ana).contains(&"Soy Mar".to_owned()));
    assert!(world.texts(mar).contains(&"Hola, Mar".to_owned()));
    assert_eq!(world.talk(ana).stopped(), None);
}

#[test]
fn a_member_of_the_group_lets_her_in_again() {
    let (mut world, ana, luz) = conversation();
    for text in ["Hola, soy Luz", "¿Cómo estás?", "Aquí sigo"] {
        world.say(luz, text);
        world.run();
    }
    world.away(ana, 100);
    assert_eq!(world.talk(ana).stopped(), Some(Stopped::Stale));
    world.ask_desk(ana, "He vuelto");
    world.run();
    let group = world.talk(luz).group_id().to_vec();
    let rescues = world.actors[luz]
        .queue
        .as_ref()
        .unwrap()
        .machine
        .rescues(&group);
    let now = world.now;
    world.talk(luz).rescue(&rescues[0].1, now);
    world.pass(std::time::Duration::from_secs(60));
    assert!(world.was_told(ana, &Told::Joined));
    let r = world.talk(luz).poll_rescued().unwrap();
    assert_eq!(r, rescues[0].1.intake.r);
    world.say(ana, "Ya estoy");
    world.say(luz, "Qué bien");
    world.run();
    for one in [ana, luz] {
        let mut last = world.texts(one).split_off(4);
        last.retain(|text| text != "He vuelto");
        last.sort();
        assert_eq!(last, ["Qué bien", "Ya estoy"]);
    }
    assert_eq!(world.talk(luz).members().len(), 2);
}

/// [P-16]
#[test]
fn whoever_asks_in_as_her_while_she_is_active_is_let_in_by_nobodys_client_alone() {
    for hours in [71, 73] {
        let (mut world, ana, luz) = conversation();
        world.say(ana, "Estoy aquí");
        world.run();
        world.pass(std::time::Duration::from_secs(hours * 3600));
        // Whoever has a copy of her key asks as she would.
        world.ask(ana, "He vuelto", true);
        world.run();
        let group = world.talk(luz).group_id().to_vec();
        let queue = &world.actors[luz].queue.as_ref().unwrap().machine;
        let opened = queue.rescues(&group)[0].1.clone();
        let now = world.now;
        world.actors[ana].said.clear();
        world.talk(luz).rescue(&opened, now);
        world.pass(std::time::Duration::from_secs(60));
        let is_line = |entry: &&Entry| entry.content == EntryContent::OtherDevice;
        let lines = world.talk(luz).history().iter().filter(is_line).count();
        let is_in = world.was_told(ana, &Told::Joined);
        assert_eq!((is_in, lines), (hours > 72, usize::from(hours > 72)));
    }
}

/// [G-19]
#[test]
fn whoever_is_let_in_again_is_told_who_is_not_there_any_more() {
    let (mut world, ana, luz) = conversation();
    let mar = world.member("Mar");
    world.bring(mar, luz, ana);
    world.talk(mar).leave().unwrap();
    world.away(ana, 100);
    assert_eq!(world.talk(luz).members().len(), 2);
    assert_eq!(world.talk(ana).members().len(), 3);
    world.ask_desk(ana, "He vuelto");
    world.run();
    let group = world.talk(luz).group_id().to_vec();
    let queue = &world.actors[luz].queue.as_ref().unwrap().machine;
    let opened = queue.rescues(&group)[0].1.clone();
    let now = world.now;
    world.talk(luz).rescue(&opened, now);
    world.pass(std::time::Duration::from_secs(60));
    assert!(world.was_told(ana, &Told::Joined));
    let gone = |entry: &&Entry| matches!(&entry.content, EntryContent::Left(Speaker::Member { alias, .. }) if alias == "Mar");
    assert_eq!(world.talk(ana).history().iter().filter(gone).count(), 1);
    assert_eq!(world.talk(ana).members().len(), 2);
}

/// [P-16]
#[test]
fn whoever_erases_what_lets_her_in_again_keeps_nobody_from_letting_her_in() {
    for erased in [0, 1] {
        let (mut world, ana, luz) = conversation();
        world.away(ana, 100);
        world.ask_desk(ana, "He vuelto");
        world.run();
        let slot = Slot::derive(&crate::r(&world, ana), Kind::Waiting, 0, erased);
        world
            .relay
            .erase_raw(slot.slot_key(), slot.erase_key().unwrap());
        let group = world.talk(luz).group_id().to_vec();
        let queue = &world.actors[luz].queue.as_ref().unwrap().machine;
        let opened = queue.rescues(&group)[0].1.clone();
        let now = world.now;
        world.talk(luz).rescue(&opened, now);
        world.actors[ana].said.clear();
        world.pass(std::time::Duration::from_secs(60));
        world.pass(std::time::Duration::from_secs(60));
        assert!(world.was_told(ana, &Told::Joined), "{erased}");
        world.say(ana, "Ya estoy");
        world.run();
        assert!(world.texts(luz).contains(&"Ya estoy".to_owned()));
        assert!(world.talk(luz).poll_rescued().is_some());
    }
}

/// [P-16]
#[test]
fn a_rescue_with_another_statement_keeps_nobody_busy_and_ends() {
    let (mut world, ana, luz) = conversation();
    world.away(ana, 100);
    world.ask_desk(ana, "He vuelto");
    world.run();
    let group = world.talk(luz).group_id().to_vec();
    let queue = &world.actors[luz].queue.as_ref().unwrap().machine;
    let mut opened = queue.rescues(&group)[0].1.clone();
    // Her thief writes to the desk in her name, and leaves where she would come back.
    opened.intake.r = ThreadSecret::from_bytes([55; 32]);
    let person = world.talk(ana).person_key().unwrap().clone();
    let leave = sign_leave(&person, &group, 1, &[0; 32]);
    let slot = Slot::derive(&opened.intake.r, Kind::Waiting, 0, 0);
    let data = Data::Whole(cbor::encode(&Waiting::Rescue(leave))).encode();
    let cell = slot.seal(&data, [3; 24]).unwrap();
    assert!(world.relay.put_raw(&Put::new(&slot, cell)));
    let now = world.now;
    world.talk(luz).rescue(&opened, now);
    world.run();
    let due = world.talk(luz).poll_timeout();
    assert!(due.is_none_or(|due| due > now), "a time that has passed");
    world.pass(std::time::Duration::from_secs(700));
    let now = world.now;
    world.talk(luz).rescue(&opened, now);
    world.run();
    assert_eq!(world.talk(luz).poll_timeout(), None);
}

/// [P-16]
#[test]
fn a_rescue_is_for_the_groups_members_for_ten_minutes() {
    let (mut world, ana, luz) = conversation();
    world.away(ana, 100);
    world.ask_desk(ana, "He vuelto");
    world.run();
    let group = world.talk(luz).group_id().to_vec();
    let queue = &world.actors[luz].queue.as_ref().unwrap().machine;
    let opened = queue.rescues(&group)[0].1.clone();
    let now = world.now;
    world.actors[ana].said.clear();
    world.talk(luz).rescue(&opened, now);
    // Luz has no line for that long.
    world.now = now.plus(std::time::Duration::from_secs(700));
    world.run();
    assert!(!world.was_told(ana, &Told::Joined));
}

/// [P-16]
#[test]
fn a_new_group_of_one_of_her_members_is_no_rescue() {
    let (mut world, ana, luz) = conversation();
    world.away(ana, 100);
    world.ask_desk(ana, "He vuelto");
    world.run();
    let waiting = &world.actors[ana].waiting.as_ref().unwrap().machine;
    let package = waiting.contact().package().unwrap().package.clone();
    world.actors[ana].said.clear();
    world.false_rescue(ana, luz, package.message());
    world.run();
    let welcome = Slot::derive(package.welcome_secret(), Kind::Welcome, 0, 0);
    assert!(world.relay.is_used(&welcome.address()));
    assert!(!world.was_told(ana, &Told::Joined));
    assert_eq!(world.talk(ana).stopped(), Some(Stopped::Stale));
}

/// [G-18]
#[test]
fn a_false_successor_is_refused() {
    let (mut world, ana, _) = conversation();
    let mar = world.member("Mar");
    world.ask_desk(ana, "Nadie contesta");
    world.run();
    world.claim(mar);
    world.run();
    let offer = world.actors[ana]
        .waiting
        .as_ref()
        .unwrap()
        .machine
        .offer()
        .unwrap();
    // Somebody who saw the offer invites Mar to a group of another person, said to be the successor.
    world.false_successor(ana, &offer);
    world.run();
    assert!(
        world
            .relay
            .is_used(&Slot::derive(offer.welcome_secret(), Kind::Welcome, 0, 0).address())
    );
    assert!(world.actors[mar].conversation.is_none());
    world.accept_offer(ana);
    world.run();
    assert_eq!(world.talk(mar).person(), world.talk(ana).person());
}

#[test]
fn a_colleague_comes_through_the_desk_whatever_crashes() {
    for seed in 0..6 {
        let (mut world, ana, luz) = conversation();
        world.reseed(seed);
        world.crashes = true;
        let mar = world.member("Mar");
        world.ask_desk(ana, "Nadie contesta");
        world.run();
        world.claim(mar);
        world.run();
        world.accept_offer(ana);
        world.run();
        world.say(mar, "Soy Mar");
        world.run();
        for actor in [ana, luz, mar] {
            assert!(
                world.texts(actor).contains(&"Soy Mar".to_owned()),
                "seed {seed}"
            );
            assert_eq!(world.talk(actor).members().len(), 3, "seed {seed}");
        }
    }
}
