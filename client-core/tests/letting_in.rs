//! A member whom a coordinator lets into the desk again, over a relay in memory and in virtual time.

#![allow(clippy::unwrap_used, clippy::panic, clippy::wildcard_enum_match_arm)]

mod world;

use std::time::Duration;

use ciborium::Value;
use cobijo_client_core::core::client::{CommandError, Event, JoinFailure, TeamCommand};
use cobijo_protocol::card::Role;
use world::{
    World,
    hostile::read as on_disk,
    stopped::{answers, change_pool, desk, let_in_again, make_successor, stop},
};

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn who_can_not_follow_the_desk_is_let_in_again_and_keeps_her_name_and_her_conversations() {
    let (mut world, link, [mar, luz, eva]) = desk();
    world.team(luz, TeamCommand::StartShift).unwrap();
    let ana = world.person(&link, "Hola");
    world.claim(luz).unwrap();
    stop(&mut world, luz);
    let_in_again(&mut world, mar, luz, Role::Accompanier);
    for member in [mar, luz, eva] {
        let mut aliases = world.aliases(member);
        aliases.sort();
        assert_eq!(aliases, ["Eva", "Luz", "Mar"]);
    }
    world.say(ana, "Sigo aquí").unwrap();
    assert!(world.texts(luz).contains(&"Sigo aquí".to_owned()));
    assert_eq!(world.room(ana), ["Luz"]);
    answers(&mut world, &link, luz);
    // Her KeyPackages are new, and a colleague may propose her.
    assert_eq!(world.desk_view(eva).colleagues.len(), 3);
    let key = world.key(luz);
    let held = world.desk_view(eva).colleagues.into_iter();
    let held = held
        .filter(|one| one.key == key)
        .map(|one| one.key_packages);
    assert_eq!(held.collect::<Vec<_>>(), [4]);
}

#[test]
fn a_coordinator_who_is_let_in_again_holds_the_desk_key_again() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let sol = world.join(mar, "Sol", Role::Coordinator);
    stop(&mut world, sol);
    world.team(mar, TeamCommand::RenewDeskKey).unwrap();
    let_in_again(&mut world, mar, sol, Role::Coordinator);
    assert!(world.desk_view(sol).holds_desk_key);
    world.join(sol, "Noa", Role::Accompanier);
    answers(&mut world, &link, sol);
}

#[test]
fn whoever_could_not_be_brought_along_comes_by_an_invitation() {
    let (mut world, link, [mar, _, eva]) = desk();
    change_pool(&mut world, mar, eva, Vec::clear);
    make_successor(&mut world, mar, &[]).unwrap();
    world.wait(HOUR);
    let_in_again(&mut world, mar, eva, Role::Accompanier);
    assert_eq!(world.aliases(eva).len(), 3);
    answers(&mut world, &link, eva);
}

#[test]
fn a_member_comes_back_by_an_invitation_of_her_own_desk_alone() {
    let (mut world, _, [_, luz, _]) = desk();
    let other = world.client();
    world.team(other, world::create_desk("Noa")).unwrap();
    let (_, invite) = world.invite(other);
    let alias = "Luz".to_owned();
    assert_eq!(
        world.team(luz, TeamCommand::JoinDesk { invite, alias }),
        Err(CommandError::InUse)
    );
}

#[test]
fn nobody_comes_back_into_a_desk_of_a_desk_key_of_before() {
    let (mut world, _, [mar, luz, _]) = desk();
    let group = |world: &World| on_disk::<Value>(world, luz, &["group", "mls", "group"]);
    let before = group(&world);
    // She has seen later ones: Mar is no coordinator of theirs.
    world.alter(luz, &["keys", "serial"], |serial| {
        *serial = Value::Integer(9.into())
    });
    let_in_again(&mut world, mar, luz, Role::Accompanier);
    let is_failure = |event: &Event| matches!(event, Event::JoinFailed(JoinFailure::NoWelcome));
    assert!(world.saw(luz, is_failure));
    assert_eq!(group(&world), before);
}

#[test]
fn whoever_is_let_in_again_keeps_her_role() {
    let mut world = World::new();
    let (mar, _) = world.desk();
    let sol = world.join(mar, "Sol", Role::Coordinator);
    stop(&mut world, sol);
    let_in_again(&mut world, mar, sol, Role::Accompanier);
    assert_eq!(world.desk_view(sol).role, Role::Coordinator);
    assert!(world.desk_view(sol).holds_desk_key);
}
