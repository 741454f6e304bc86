//! Leaving a desk by one's own wish, over a relay in memory and in virtual time.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

mod world;

use std::time::Duration;

use cobijo_client_core::core::client::{CommandError, Event, Standing, TeamCommand};
use cobijo_protocol::card::Role;
use world::{World, relay::read};

#[test]
fn whoever_leaves_the_desk_is_forgotten_by_its_card_its_mailbox_and_her_conversations() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    world.team(luz, TeamCommand::StartShift).unwrap();
    let ana = world.person(&link, "¿Están ahí?");
    world.claim(luz).unwrap();
    let known = world.mailbox(&link);
    world.team(luz, TeamCommand::LeaveDesk).unwrap();
    assert!(world.saw(luz, |event| matches!(event, Event::LeftDesk)));
    let again = world.team(luz, TeamCommand::StartShift);
    assert_eq!(again, Err(CommandError::NotMember));
    world.restart(luz);
    world.wait(Duration::from_secs(120));
    assert_eq!(world.aliases(mar), ["Mar"]);
    assert_eq!(
        world.clients[luz].client.standing(),
        Standing::Removed,
        "she learns that she is out"
    );
    let card = read(&link.desk, &world.relay.cards[&link.desk]);
    assert_eq!(card.body.posters, [world.key(mar)]);
    assert_ne!(world.mailbox(&link), known);
    assert_eq!(world.room(ana), Vec::<String>::new());
    assert!(!world.conversation(luz).open);
}

/// [D-12]
#[test]
fn where_the_first_coordinator_is_away_the_next_one_moves_the_mailbox() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let sol = world.join(mar, "Sol", Role::Coordinator);
    let luz = world.join(mar, "Luz", Role::Accompanier);
    let known = world.mailbox(&link);
    world.mute = Some((mar, 0));
    world.team(luz, TeamCommand::LeaveDesk).unwrap();
    world.wait(Duration::from_secs(120));
    assert_eq!(world.aliases(sol), ["Mar", "Sol"]);
    let moved = world.mailbox(&link);
    assert_ne!(moved, known);
    let card = read(&link.desk, &world.relay.cards[&link.desk]);
    assert_eq!(card.daily.poster, world.key(sol));
    world.mute = None;
    world.restart(mar);
    world.wait(Duration::from_secs(120));
    assert_eq!(world.aliases(mar), ["Mar", "Sol"]);
    assert_eq!(world.mailbox(&link), moved, "once is enough");
}

#[test]
fn a_coordinator_leaves_only_where_the_desk_can_go_on_without_her() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let leave = || TeamCommand::LeaveDesk;
    assert_eq!(world.team(mar, leave()), Err(CommandError::HoldsRootKey));
    let sol = world.join(mar, "Sol", Role::Coordinator);
    let luz = world.join(mar, "Luz", Role::Accompanier);
    let serial = |world: &World| {
        read(&link.desk, &world.relay.cards[&link.desk])
            .desk_key
            .serial
    };
    let known = serial(&world);
    world.team(sol, leave()).unwrap();
    world.wait(Duration::from_secs(120));
    assert_eq!(world.aliases(luz), ["Mar", "Luz"]);
    assert_eq!(serial(&world), known + 1, "she knew the desk key");
    world.team(mar, TeamCommand::ExportRoot).unwrap();
    world.team(mar, TeamCommand::DropRoot).unwrap();
    assert_eq!(world.team(mar, leave()), Err(CommandError::LastCoordinator));
    assert_eq!(world.aliases(luz), ["Mar", "Luz"]);
}
