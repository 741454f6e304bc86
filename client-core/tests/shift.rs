//! A shift: how many an accompanier takes, and whom she passes on.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

mod world;

use std::time::Duration;

use cobijo_client_core::core::client::{
    Capacity, Command, CommandError, ConversationView, Event, QueueRow, QueueState, TeamCommand,
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

#[test]
fn whom_she_passes_on_comes_last_for_her_and_goes_on_waiting_for_the_others() {
    let (mut world, luz, _) = on_shift(2);
    let eva = world.join(0, "Eva", Role::Accompanier);
    world.team(eva, TeamCommand::StartShift).unwrap();
    let before = queue(&world, eva);
    let [first, second] = [0, 1].map(|row: usize| queue(&world, luz)[row].id);
    world.team(luz, TeamCommand::Pass(first)).unwrap();
    world.restart(luz);
    let rows: Vec<_> = queue(&world, luz)
        .iter()
        .map(|r| (r.id, r.passed))
        .collect();
    assert_eq!(rows, [(second, false), (first, true)]);
    assert!(queue(&world, eva) == before, "nobody is told");
    world.team(luz, TeamCommand::Claim(first)).unwrap();
    assert_eq!(world.room(luz), ["Luz"], "she may change her mind");
    let again = world.team(luz, TeamCommand::Pass(first));
    assert_eq!(again, Err(CommandError::NotNow));
    world.team(luz, TeamCommand::EndShift).unwrap();
    let passed = world.team(luz, TeamCommand::Pass(second));
    assert_eq!(passed, Err(CommandError::NotOnShift));
}

/// Wherever she is cut off.
#[test]
fn an_answer_is_given_up_until_something_of_it_can_stand_and_a_colleague_answers() {
    let (mut given_up, mut too_late) = (0, 0);
    for frames in 0..10 {
        let (mut world, luz, people) = on_shift(1);
        let eva = world.join(0, "Eva", Role::Accompanier);
        world.team(eva, TeamCommand::StartShift).unwrap();
        let row = queue(&world, luz)[0].id;
        world.mute = Some((luz, frames));
        world.team(luz, TeamCommand::Claim(row)).unwrap();
        world.mute = None;
        let of_luz = &mut world.clients[luz];
        of_luz.disk = of_luz.client.snapshot().to_vec();
        let passed = world.team(luz, TeamCommand::Pass(row));
        world.disconnect(luz);
        world.wait(Duration::from_secs(180));
        match passed {
            Ok(()) => {
                given_up += 1;
                assert_eq!(queue(&world, eva)[0].state, QueueState::Waiting);
                world.claim(eva).unwrap();
                // A claim that she was not told of lapses from when she saw it.
                if open(&world, eva).is_empty() {
                    world.wait(Duration::from_secs(180));
                    world.claim(eva).unwrap();
                }
                assert_eq!(world.room(people[0]), ["Eva"]);
                assert_eq!(world.desk_view(luz).live, 0);
            }
            Err(CommandError::NotNow | CommandError::Unknown) => {
                too_late += 1;
                assert_eq!(world.room(people[0]), ["Luz"]);
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(given_up > 1 && too_late > 0, "{given_up}, {too_late}");
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
