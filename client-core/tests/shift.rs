//! A shift: how many an accompanier takes, whom she passes on, and who is told that somebody waits for too long.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

mod world;

use cobijo_client_core::core::client::{
    Capacity, Command, CommandError, ConversationView, Event, QueueRow, TeamCommand,
};
use cobijo_protocol::card::Role;
use world::World;

#[test]
fn above_what_she_takes_the_queue_offers_no_more_and_who_waits_is_offered_to_others() {
    let (mut world, luz, _) = on_shift(3);
    let eva = world.join(0, "Eva", Role::Accompanier);
    world.team(eva, TeamCommand::StartShift).unwrap();
    world.claim(luz).unwrap();
    assert_eq!(queue(&world, luz).len(), 2, "one of two");
    let third = queue(&world, luz)[1].id;
    world.claim(luz).unwrap();
    assert_eq!(world.desk_view(luz).live, 2);
    assert!(world.desk_view(luz).is_full());
    assert!(queue(&world, luz).is_empty());
    let refused = world.team(luz, TeamCommand::Claim(third));
    assert_eq!(refused, Err(CommandError::AtCapacity));
    world.restart(luz);
    assert!(queue(&world, luz).is_empty());
    world.claim(eva).unwrap();
    assert_eq!(world.room(eva), ["Eva"]);
}

#[test]
fn a_conversation_that_was_left_or_has_ended_makes_room() {
    let (mut world, luz, people) = on_shift(4);
    world.team(luz, TeamCommand::Take(capacity(1))).unwrap();
    world.claim(luz).unwrap();
    assert!(queue(&world, luz).is_empty());
    let leave = Command::Leave(world.conversation(luz).id);
    world.command(luz, leave).unwrap();
    assert_eq!(queue(&world, luz).len(), 3);
    world.claim(luz).unwrap();
    assert!(queue(&world, luz).is_empty());
    world.clients[luz].events.clear();
    let ana = people[1];
    let leave = Command::Leave(world.conversation(ana).id);
    world.command(ana, leave).unwrap();
    assert!(open(&world, luz).is_empty());
    assert!(world.saw(luz, |event| matches!(event, Event::QueueChanged)));
    assert_eq!(queue(&world, luz).len(), 2);
}

#[test]
fn an_answer_on_its_way_takes_a_place_and_is_shown() {
    let (mut world, luz, _) = on_shift(2);
    world.team(luz, TeamCommand::Take(capacity(1))).unwrap();
    let [first, second] = [0, 1].map(|row: usize| queue(&world, luz)[row].id);
    world.mute = Some((luz, 0));
    world.team(luz, TeamCommand::Claim(first)).unwrap();
    let shown: Vec<_> = queue(&world, luz).iter().map(|row| row.id).collect();
    assert_eq!(shown, [first]);
    let refused = world.team(luz, TeamCommand::Claim(second));
    assert_eq!(refused, Err(CommandError::AtCapacity));
}

#[test]
fn she_says_how_many_she_takes_for_this_shift_alone() {
    let (mut world, luz, _) = on_shift(0);
    assert_eq!(world.desk_view(luz).capacity, capacity(2));
    world.team(luz, TeamCommand::Take(capacity(5))).unwrap();
    world.team(luz, TeamCommand::StartShift).unwrap();
    assert_eq!(world.desk_view(luz).capacity, capacity(5), "it went on");
    world.team(luz, TeamCommand::EndShift).unwrap();
    let refused = world.team(luz, TeamCommand::Take(capacity(5)));
    assert_eq!(refused, Err(CommandError::NotOnShift));
    world.team(luz, TeamCommand::StartShift).unwrap();
    assert_eq!(world.desk_view(luz).capacity, capacity(2));
    assert!(Capacity::try_from(0).is_err() && Capacity::try_from(6).is_err());
}

/// A coordinator (client 0), an accompanier on shift, and so many people who wait.
fn on_shift(people: usize) -> (World, usize, Vec<usize>) {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    world.team(luz, TeamCommand::StartShift).unwrap();
    let people = (0..people).map(|_| world.person(&link, "¿Están ahí?"));
    let people = people.collect();
    (world, luz, people)
}

fn capacity(number: u8) -> Capacity {
    Capacity::try_from(number).unwrap()
}

fn queue(world: &World, client: usize) -> Vec<QueueRow> {
    world.clients[client].client.queue()
}

fn open(world: &World, client: usize) -> Vec<ConversationView> {
    let mut conversations = world.clients[client].client.conversations();
    conversations.retain(|conversation| conversation.open);
    conversations
}
