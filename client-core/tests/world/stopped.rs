//! A desk that can't be followed any more, and what goes on then.

use std::time::Duration;

use ciborium::Value;
use cobijo_client_core::core::client::{CommandError, Event, TeamCommand};
use cobijo_protocol::{
    card::{Card, Role},
    keys::PublicKey,
    link::DeskLink,
};
use serde_bytes::ByteBuf;

use super::{World, hostile::read as on_disk, relay::read};

const HOUR: Duration = Duration::from_secs(3_600);

/// Mar coordinates, Luz and Eva accompany.
pub(crate) fn desk() -> (World, DeskLink, [usize; 3]) {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    let eva = world.join(mar, "Eva", Role::Accompanier);
    (world, link, [mar, luz, eva])
}

/// A commit was broken for this member.
pub(crate) fn stop(world: &mut World, client: usize) {
    world.alter(client, &["group", "stop"], |stop| {
        *stop = Value::Text("Broken".to_owned());
    });
    assert_eq!(
        world.team(client, TeamCommand::StartShift),
        Err(CommandError::NotMember)
    );
}

pub(crate) fn make_successor(
    world: &mut World,
    coordinator: usize,
    left_out: &[PublicKey],
) -> Result<(), CommandError> {
    world.team(coordinator, TeamCommand::MakeSuccessor(left_out.to_vec()))
}

/// Changes what a coordinator holds of a member's KeyPackages; the last one is taken first.
pub(crate) fn change_pool(
    world: &mut World,
    coordinator: usize,
    member: usize,
    change: impl FnOnce(&mut Vec<Value>),
) {
    let key = world.key(member);
    world.alter(coordinator, &["board", "pool"], |pool| {
        let mut owned = pool.as_array_mut().unwrap().iter_mut();
        let owned = owned.find_map(|entry| match entry.as_array_mut().unwrap().as_mut_slice() {
            [owner, held] if owner.as_bytes() == Some(&key.as_bytes().to_vec()) => Some(held),
            _ => None,
        });
        change(owned.unwrap().as_array_mut().unwrap());
    });
}

pub(crate) fn goes_on(world: &World, client: usize) -> bool {
    world.saw(client, |event| matches!(event, Event::DeskGoesOn))
}

pub(crate) fn was_not_brought(world: &World, maker: usize, who: &str) -> bool {
    let is_it = |event: &Event| matches!(event, Event::NotBrought { alias } if alias == who);
    world.saw(maker, is_it)
}

/// What a coordinator holds of a member's KeyPackages.
pub(crate) fn key_packages(world: &World, coordinator: usize, member: usize) -> Vec<ByteBuf> {
    let key = world.key(member);
    let pool: Vec<(PublicKey, Vec<ByteBuf>)> = on_disk(world, coordinator, &["board", "pool"]);
    let mut owned = pool.into_iter();
    owned.find(|(owner, _)| *owner == key).unwrap().1
}

pub(crate) fn card(world: &World, link: &DeskLink) -> Card {
    read(&link.desk, &world.relay.cards[&link.desk])
}

/// Somebody writes, and this member answers her.
pub(crate) fn answers(world: &mut World, link: &DeskLink, member: usize) {
    world.team(member, TeamCommand::StartShift).unwrap();
    let before = world.waiting(member);
    let ana = world.person(link, "¿Están ahí?");
    assert_eq!(world.waiting(member), before + 1);
    world.claim(member).unwrap();
    world.say(ana, "Gracias").unwrap();
    assert_eq!(world.room(ana).len(), 1);
    let rooms = world.clients[member].client.conversations().into_iter();
    let is_hers = |id| world.texts_of(member, id).contains(&"Gracias".to_owned());
    assert!(rooms.map(|room| room.id).any(is_hers));
}

/// Mar invites a member anew, who comes back with her old profile.
pub(crate) fn let_in_again(world: &mut World, mar: usize, member: usize, role: Role) {
    let (id, invite) = world.invite(mar);
    let alias = "Otra".to_owned();
    world
        .team(member, TeamCommand::JoinDesk { invite, alias })
        .unwrap();
    world
        .team(mar, TeamCommand::Admit { invite: id, role })
        .unwrap();
    world.wait(HOUR);
}
