//! She comes back by her phrase: before somebody has answered, and after it.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

mod world;

use std::time::Duration;

use cobijo_client_core::core::client::{
    Client, Command, CommandError, ConversationEvent, Event, PersonCommand, PersonStage, Standing,
    Stopped, TeamCommand,
};
use cobijo_protocol::{
    capsule::Shows,
    link::{DeskId, DeskLink},
};
use world::{
    World,
    phrase::{
        back_to, come_back, comes_online, goes_away, is_elsewhere, keep, keys, stage, talking,
        waiting,
    },
};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// [B-8]
#[test]
fn she_comes_back_into_her_conversation_with_nobody_else_online() {
    let (mut world, luz, ana) = talking();
    keep(&mut world, ana, Shows::New);
    world.say(ana, "Me voy").unwrap();
    world.say(luz, "Aquí estoy").unwrap();
    world.wait(3 * DAY);
    let away = goes_away(&mut world, luz);
    let anew = come_back(&mut world);
    assert_eq!(stage(&world, anew), PersonStage::Talking);
    assert!(world.saw(anew, |event| matches!(event, Event::CameBack(Some(_)))));
    assert_eq!(world.texts(anew), ["Aquí estoy"]);
    world.say(anew, "He vuelto").unwrap();
    comes_online(&mut world, luz, away);
    world.say(luz, "Qué bien").unwrap();
    assert_eq!(world.texts(anew), ["Aquí estoy", "He vuelto", "Qué bien"]);
    assert_eq!(world.texts(luz).last().unwrap(), "Qué bien");
    assert!(world.texts(luz).contains(&"He vuelto".to_owned()));
    assert_eq!(world.conversation(luz).members.len(), 2);
    assert_eq!(world.conversation(anew).members.len(), 2);
}

/// [B-8]
#[test]
fn her_other_device_locks_itself_and_can_say_nothing_more() {
    let (mut world, luz, ana) = talking();
    keep(&mut world, ana, Shows::New);
    let anew = come_back(&mut world);
    let is_told = |event: &Event| {
        matches!(
            event,
            Event::Conversation(_, ConversationEvent::Stopped(Stopped::Returned))
        )
    };
    assert!(world.saw(ana, is_told));
    assert_eq!(stage(&world, ana), PersonStage::Ended);
    assert_eq!(world.say(ana, "¿Hola?"), Err(CommandError::Stopped));
    let conversation = world.conversation(ana).id;
    let text = "¿Hola?".to_owned();
    let ask = PersonCommand::AskDesk { conversation, text };
    assert!(world.command(ana, Command::Person(ask)).is_err());
    world.restart(ana);
    world.say(luz, "Te leo").unwrap();
    assert_eq!(world.texts(ana), ["¿Están ahí?"]);
    assert_eq!(world.texts(anew), ["Te leo"]);
}

/// [B-8]
#[test]
fn all_that_her_return_leaf_can_read_is_shown_if_she_chose_so() {
    let (mut world, luz, ana) = talking();
    keep(&mut world, ana, Shows::All);
    world.say(ana, "Uno").unwrap();
    world.say(luz, "Dos").unwrap();
    let anew = come_back(&mut world);
    assert_eq!(world.texts(anew), ["Uno", "Dos"]);
    let history = world.clients[anew]
        .client
        .history(world.conversation(anew).id);
    let own: Vec<_> = history.iter().map(|entry| entry.own).collect();
    assert_eq!(own[..2], [true, false]);
}

/// [B-7]
#[test]
fn before_anybody_has_answered_she_waits_on_where_she_was() {
    let (mut world, luz, ana) = waiting();
    keep(&mut world, ana, Shows::New);
    goes_away(&mut world, ana);
    world.wait(DAY);
    let anew = come_back(&mut world);
    assert_eq!(stage(&world, anew), PersonStage::Waiting);
    assert!(world.saw(anew, |event| matches!(event, Event::CameBack(None))));
    let add = PersonCommand::Add("Sigo aquí".to_owned());
    world.command(anew, Command::Person(add)).unwrap();
    world.claim(luz).unwrap();
    assert_eq!(stage(&world, anew), PersonStage::Talking);
    assert_eq!(world.texts(luz), ["¿Están ahí?", "Sigo aquí"]);
    world.say(anew, "Hola, Luz").unwrap();
    assert_eq!(world.texts(luz).last().unwrap(), "Hola, Luz");
    assert_eq!(world.clients[luz].client.queue(), []);
    // Her first device finds another in its place.
    world.restart(ana);
    assert_eq!(stage(&world, ana), PersonStage::Ended);
    assert!(world.saw(ana, is_elsewhere));
    world.say(luz, "Te leo").unwrap();
    assert_eq!(world.texts(anew).last().unwrap(), "Te leo");
}

/// [B-7]
#[test]
fn her_first_device_locks_itself_as_soon_as_another_waits_in_its_place() {
    let (mut world, luz, ana) = waiting();
    keep(&mut world, ana, Shows::New);
    let anew = come_back(&mut world);
    assert!(world.saw(ana, is_elsewhere));
    assert_eq!(stage(&world, ana), PersonStage::Ended);
    world.claim(luz).unwrap();
    assert_eq!(stage(&world, anew), PersonStage::Talking);
    assert!(world.clients[ana].client.conversations().is_empty());
}

/// [B-7]
#[test]
fn a_letter_that_she_takes_back_where_she_came_back_to_is_not_found_by_her_phrase_any_more() {
    let (mut world, _, ana) = waiting();
    keep(&mut world, ana, Shows::New);
    goes_away(&mut world, ana);
    let anew = come_back(&mut world);
    let stop = Command::Person(PersonCommand::StopWaiting);
    world.command(anew, stop).unwrap();
    world.wait(MINUTE);
    let again = come_back(&mut world);
    let is_nothing = |event: &Event| matches!(event, Event::NothingFound);
    assert!(world.saw(again, is_nothing));
    assert_eq!(world.clients[again].client.standing(), Standing::Fresh);
}

/// [B-7] [B-8]
#[test]
fn whoever_was_answered_while_she_was_away_comes_back_into_the_conversation() {
    let (mut world, luz, ana) = waiting();
    keep(&mut world, ana, Shows::New);
    goes_away(&mut world, ana);
    world.claim(luz).unwrap();
    world.say(luz, "Hola, soy Luz").unwrap();
    let away = goes_away(&mut world, luz);
    let anew = come_back(&mut world);
    assert_eq!(stage(&world, anew), PersonStage::Talking);
    assert_eq!(world.texts(anew), ["Hola, soy Luz"]);
    world.say(anew, "Hola").unwrap();
    comes_online(&mut world, luz, away);
    assert_eq!(world.texts(luz).last().unwrap(), "Hola");
    world.restart(ana);
    world.wait(MINUTE);
    assert_eq!(stage(&world, ana), PersonStage::Ended);
}

/// [B-9]
#[test]
fn a_phrase_leads_back_again_and_again_and_after_her_leaf_was_renewed() {
    let (mut world, luz, ana) = talking();
    keep(&mut world, ana, Shows::New);
    world.wait(8 * DAY);
    world.say(luz, "Uno").unwrap();
    let second = come_back(&mut world);
    assert_eq!(world.texts(second), ["Uno"]);
    world.say(second, "Dos").unwrap();
    world.wait(8 * DAY);
    world.say(luz, "Tres").unwrap();
    goes_away(&mut world, second);
    let third = come_back(&mut world);
    assert_eq!(world.texts(third), ["Tres"]);
    world.say(third, "Cuatro").unwrap();
    assert_eq!(world.texts(luz).last().unwrap(), "Cuatro");
    world.restart(second);
    assert_eq!(stage(&world, second), PersonStage::Ended);
    assert_eq!(world.conversation(luz).members.len(), 2);
}

/// [B-6]
#[test]
fn a_phrase_that_finds_nothing_leaves_nothing_behind() {
    let (mut world, _, ana) = talking();
    let unused = come_back(&mut world);
    let is_nothing = |event: &Event| matches!(event, Event::NothingFound);
    assert!(world.saw(unused, is_nothing));
    assert_eq!(world.clients[unused].client.standing(), Standing::Fresh);
    // What she has ended is not found any more.
    keep(&mut world, ana, Shows::New);
    let conversation = world.conversation(ana).id;
    world.command(ana, Command::Leave(conversation)).unwrap();
    world.wait(5 * MINUTE);
    let ended = come_back(&mut world);
    assert!(world.saw(ended, is_nothing));
}

/// [B-8]
#[test]
fn a_device_that_locked_itself_can_come_back_too_and_keeps_what_it_knew() {
    let (mut world, luz, ana) = talking();
    keep(&mut world, ana, Shows::New);
    world.say(ana, "En casa").unwrap();
    let second = come_back(&mut world);
    world.say(luz, "Te leo").unwrap();
    assert_eq!(stage(&world, ana), PersonStage::Ended);
    let back = back_to(world.link(0));
    world.command(ana, back).unwrap();
    world.wait(MINUTE);
    assert_eq!(stage(&world, ana), PersonStage::Talking);
    assert_eq!(stage(&world, second), PersonStage::Ended);
    let conversations = world.clients[ana].client.conversations();
    let open: Vec<_> = conversations.iter().map(|one| one.open).collect();
    assert_eq!(open, [false, true]);
    assert_eq!(world.texts(ana), ["¿Están ahí?", "En casa"]);
    let conversation = conversations[1].id;
    let text = "Otra vez en casa".to_owned();
    world
        .command(ana, Command::Say { conversation, text })
        .unwrap();
    assert_eq!(world.texts(luz).last().unwrap(), "Otra vez en casa");
    // Where she talks, there is nothing to come back to.
    let back = back_to(world.link(0));
    assert_eq!(world.command(ana, back), Err(CommandError::InUse));
}

/// [B-8]
#[test]
fn whoever_comes_back_too_late_to_follow_asks_the_desk_and_is_let_in_again() {
    let (mut world, luz, ana) = talking();
    keep(&mut world, ana, Shows::New);
    world.say(luz, "Aquí estoy").unwrap();
    goes_away(&mut world, ana);
    world.team(luz, TeamCommand::EndShift).unwrap();
    for _ in 0..9 {
        world.wait(10 * DAY);
        world.restart(0);
        world.restart(luz);
    }
    world.team(luz, TeamCommand::StartShift).unwrap();
    let anew = come_back(&mut world);
    let is_told = |event: &Event| {
        matches!(
            event,
            Event::Conversation(_, ConversationEvent::Stopped(Stopped::Stale))
        )
    };
    assert!(world.saw(anew, is_told));
    let conversation = world.conversation(anew).id;
    let text = "No puedo leer".to_owned();
    let ask = PersonCommand::AskDesk { conversation, text };
    world.command(anew, Command::Person(ask)).unwrap();
    world.wait(5 * MINUTE);
    assert_eq!(stage(&world, anew), PersonStage::Talking);
    world.say(anew, "He vuelto").unwrap();
    assert!(world.texts(luz).contains(&"He vuelto".to_owned()));
    goes_away(&mut world, anew);
    let again = come_back(&mut world);
    assert_eq!(stage(&world, again), PersonStage::Talking);
}

/// [B-6]
#[test]
fn a_phrase_leads_to_no_other_desk_than_the_links() {
    let (mut world, _, ana) = talking();
    keep(&mut world, ana, Shows::New);
    let link = DeskLink {
        desk: DeskId::from_bytes([7; DeskId::LEN]),
        ..world.link(0)
    };
    let anew = world.client();
    world.command(anew, back_to(link)).unwrap();
    let is_nothing = |event: &Event| matches!(event, Event::NothingFound);
    assert!(world.saw(anew, is_nothing));
    assert_eq!(stage(&world, ana), PersonStage::Talking);
}

#[test]
fn a_phrase_is_kept_only_after_her_first_message_and_once() {
    let mut world = World::new();
    let (_, link) = world.desk();
    let card = world.relay.cards.remove(&link.desk).unwrap();
    let ana = world.person(&link, "¿Están ahí?");
    let command = || {
        Command::Person(PersonCommand::KeepPhrase {
            keys: keys(),
            shows: Shows::New,
        })
    };
    assert_eq!(world.command(ana, command()), Err(CommandError::NotNow));
    world.relay.cards.insert(link.desk, card);
    world.wait(2 * MINUTE);
    world.command(ana, command()).unwrap();
    assert_eq!(world.command(ana, command()), Err(CommandError::InUse));
}

/// [B-9]
#[test]
fn whoever_was_let_in_again_after_a_long_time_can_still_come_back_by_her_phrase() {
    let (mut world, luz, ana) = talking();
    keep(&mut world, ana, Shows::New);
    world.clients[ana].client = Client::new();
    world.team(luz, TeamCommand::EndShift).unwrap();
    for _ in 0..10 {
        world.wait(10 * DAY);
        world.restart(0);
        world.restart(luz);
    }
    world.team(luz, TeamCommand::StartShift).unwrap();
    world.restart(ana);
    assert!(!world.conversation(ana).open);
    let conversation = world.conversation(ana).id;
    let text = "Nadie contesta".to_owned();
    let ask = PersonCommand::AskDesk { conversation, text };
    world.command(ana, Command::Person(ask)).unwrap();
    world.wait(5 * MINUTE);
    assert!(world.conversation(ana).open);
    let anew = come_back(&mut world);
    assert_eq!(stage(&world, anew), PersonStage::Talking);
    world.say(anew, "He vuelto").unwrap();
    assert_eq!(world.texts(luz).last().unwrap(), "He vuelto");
}

/// [B-5]
#[test]
fn no_disk_keeps_what_her_phrase_gives_while_it_is_looked_for_and_she_can_stop() {
    let (mut world, _, ana) = waiting();
    keep(&mut world, ana, Shows::New);
    let anew = world.client();
    world.is_dark = true;
    let back = back_to(world.link(0));
    world.command(anew, back.clone()).unwrap();
    let is_looking =
        |world: &World| matches!(world.clients[anew].client.standing(), Standing::Returning);
    assert!(is_looking(&world));
    let mut secret = Vec::new();
    ciborium::into_writer(&keys(), &mut secret).unwrap();
    let secret = &secret[secret.len() - 64..];
    let disk = &world.clients[anew].disk;
    assert!(!disk.is_empty() && !disk.windows(64).any(|bytes| bytes == secret));
    let refused = world.command(anew, back.clone());
    assert_eq!(refused, Err(CommandError::NotNow));
    let stop = Command::Person(PersonCommand::StopReturning);
    world.command(anew, stop.clone()).unwrap();
    let is_fresh = |world: &World| matches!(world.clients[anew].client.standing(), Standing::Fresh);
    assert!(is_fresh(&world));
    world.command(anew, back.clone()).unwrap();
    world.restart(anew);
    assert!(is_fresh(&world));
    world.is_dark = false;
    world.command(anew, back).unwrap();
    world.wait(MINUTE);
    assert_eq!(stage(&world, anew), PersonStage::Waiting);
    assert_eq!(world.command(anew, stop), Err(CommandError::NotNow));
}
