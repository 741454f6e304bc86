//! Removing a member from a desk, over a relay in memory and in virtual time.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

mod world;

use std::time::Duration;

use cobijo_client_core::core::client::{
    Command, CommandError, Event, PublishAnswer, Standing, TeamCommand,
};
use cobijo_protocol::card::Role;
use world::{World, relay::read, stopped::key_packages};

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn a_removed_member_is_out_and_knows_no_intake_key_of_the_card() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    let eva = world.join(mar, "Eva", Role::Accompanier);
    let before = read(&link.desk, &world.relay.cards[&link.desk]);
    let key = world.key(luz);
    world.team(mar, TeamCommand::RemoveMember(key)).unwrap();
    world.wait(HOUR);
    let after = read(&link.desk, &world.relay.cards[&link.desk]);
    assert_ne!(after.daily.mailbox, before.daily.mailbox);
    assert!(!after.body.posters.contains(&key));
    assert_eq!(world.aliases(mar), ["Mar", "Eva"]);
    assert_eq!(world.aliases(eva), ["Mar", "Eva"]);
    assert_eq!(world.clients[luz].client.standing(), Standing::Removed);
    // What she has seen of the others' KeyPackages is replaced.
    assert!(
        world
            .desk_view(mar)
            .colleagues
            .iter()
            .all(|one| one.own || one.key_packages == 4)
    );
}

#[test]
fn a_member_is_removed_only_when_no_card_names_her_any_more() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    let key = world.key(luz);
    world.refuses_cards = Some(PublishAnswer::Unreachable);
    world.team(mar, TeamCommand::RemoveMember(key)).unwrap();
    world.wait(Duration::from_secs(240));
    assert_eq!(world.aliases(mar), ["Mar", "Luz"]);
    world.refuses_cards = None;
    world.wait(Duration::from_secs(31));
    assert_eq!(world.aliases(mar), ["Mar"]);
    let card = read(&link.desk, &world.relay.cards[&link.desk]);
    assert!(!card.body.posters.contains(&key));
    assert!(!world.saw(mar, is_still_named));
}

/// [D-11]
#[test]
fn a_relay_that_refuses_every_card_keeps_nobody_in() {
    for answer in [PublishAnswer::Unreachable, PublishAnswer::Conflict] {
        let mut world = World::new();
        let (mar, link) = world.desk();
        let luz = world.join(mar, "Luz", Role::Accompanier);
        let key = world.key(luz);
        world.refuses_cards = Some(answer);
        world.team(mar, TeamCommand::RemoveMember(key)).unwrap();
        world.wait(Duration::from_secs(299));
        assert!(!world.saw(mar, is_still_named));
        world.restart(mar);
        world.wait(Duration::from_secs(60));
        assert_eq!(world.clients[luz].client.standing(), Standing::Removed);
        assert!(world.saw(mar, is_still_named));
        assert!(world.desk_view(mar).names_removed);
        world.refuses_cards = None;
        world.wait(Duration::from_secs(120));
        assert!(!world.desk_view(mar).names_removed);
        let card = read(&link.desk, &world.relay.cards[&link.desk]);
        assert!(!card.body.posters.contains(&key));
    }
}

///
#[test]
fn key_packages_that_a_removed_member_has_seen_are_offered_to_nobody() {
    let mut world = World::new();
    let (mar, _) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    let eva = world.join(mar, "Eva", Role::Accompanier);
    world.wait(HOUR);
    let before = key_packages(&world, mar, eva);
    let key = world.key(luz);
    world.team(mar, TeamCommand::RemoveMember(key)).unwrap();
    world.wait(HOUR);
    let after = key_packages(&world, mar, eva);
    assert_eq!((before.len(), after.len()), (4, 4));
    assert!(!before.iter().any(|one| after.contains(one)));
}

#[test]
fn a_removed_coordinator_can_not_publish_a_card_that_anybody_believes() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let sol = world.join(mar, "Sol", Role::Coordinator);
    let key = world.key(sol);
    world.team(mar, TeamCommand::RemoveMember(key)).unwrap();
    world.wait(HOUR);
    let card = read(&link.desk, &world.relay.cards[&link.desk]);
    assert_eq!(card.desk_key.serial, 2);
    assert_eq!(world.aliases(mar), ["Mar"]);
}

#[test]
fn a_coordinator_is_removed_only_with_the_root_key() {
    let mut world = World::new();
    let (mar, _) = world.desk();
    let sol = world.join(mar, "Sol", Role::Coordinator);
    let (mar_key, sol_key) = (world.key(mar), world.key(sol));
    let remove = world.team(sol, TeamCommand::RemoveMember(mar_key));
    assert_eq!(remove, Err(CommandError::RootElsewhere));
    let own = world.team(sol, TeamCommand::RemoveMember(sol_key));
    assert_eq!(own, Err(CommandError::Yourself));
}

#[test]
fn removing_survives_a_crash_of_the_coordinator_after_every_frame() {
    for frames in 1..10 {
        let mut world = World::new();
        let (mar, link) = world.desk();
        let luz = world.join(mar, "Luz", Role::Accompanier);
        let eva = world.join(mar, "Eva", Role::Accompanier);
        let (before, key) = (world.mailbox(&link), world.key(luz));
        let remove = Command::Team(TeamCommand::RemoveMember(key));
        world.command_and_crash(mar, remove, frames);
        assert_eq!(world.aliases(eva), ["Mar", "Eva"], "after {frames} frames");
        assert_ne!(world.mailbox(&link), before, "after {frames} frames");
    }
}

/// [D-12]
#[test]
fn where_the_power_of_whoever_removed_her_fails_another_coordinator_moves_the_mailbox() {
    let mut removed = 0;
    for frames in 0..12 {
        let mut world = World::new();
        let (mar, link) = world.desk();
        let sol = world.join(mar, "Sol", Role::Coordinator);
        let luz = world.join(mar, "Luz", Role::Accompanier);
        let (key, known) = (world.key(luz), world.mailbox(&link));
        world.mute = Some((mar, frames));
        world.team(mar, TeamCommand::RemoveMember(key)).unwrap();
        world.wait(HOUR);
        if world.aliases(sol) == ["Mar", "Sol"] {
            removed += 1;
            assert_ne!(world.mailbox(&link), known, "after {frames} frames");
        }
    }
    assert!((4..12).contains(&removed));
}

///
#[test]
fn an_intake_key_that_a_removal_cut_off_is_taken_for_new_by_nobody() {
    let mut removed = 0;
    for frames in 0..12 {
        let mut world = World::new();
        let (mar, link) = world.desk();
        let sol = world.join(mar, "Sol", Role::Coordinator);
        let luz = world.join(mar, "Luz", Role::Accompanier);
        let eva = world.join(mar, "Eva", Role::Accompanier);
        world.wait(HOUR * 24);
        world.disconnect(sol);
        // Eva has made Luz's stream end, and reads on.
        world.squat(luz);
        world.team(luz, TeamCommand::StartShift).unwrap();
        let (key, known) = (world.key(eva), world.mailbox(&link));
        world.mute = Some((mar, frames));
        world.team(mar, TeamCommand::RemoveMember(key)).unwrap();
        world.wait(Duration::from_secs(400));
        if world.aliases(luz).len() == 3 {
            removed += 1;
            world.restart(sol);
            world.wait(Duration::from_secs(120));
            assert_ne!(world.mailbox(&link), known, "after {frames} frames");
            // Whoever wrote to it is read all the same.
            world.team(sol, TeamCommand::StartShift).unwrap();
            assert!(world.relay.opened_by(sol).contains(&known));
        }
    }
    assert!((4..12).contains(&removed));
}

fn is_still_named(event: &Event) -> bool {
    matches!(event, Event::CardStillNames { alias } if alias == "Luz")
}
