//! The desk that every seed begins with: made once for each size, by clients that nothing befalls.

use std::sync::OnceLock;

use cobijo_client_core::core::{
    client::{Capacity, Command, Description, Event, TeamCommand},
    phrase::PhraseKeys,
};
use cobijo_protocol::{
    Day,
    card::{Role, Text},
    link::{DeskLink, Invite, RelayUrl},
    opening::Opening,
};

use super::{
    profile::{Owner, Profile},
    world::World,
};
use crate::memory_relay::MemoryRelay;

/// The day on which every world begins.
pub(super) const FIRST_DAY: u64 = 20_000;
/// Members of a desk, at least.
pub(super) const MEMBERS_MIN: usize = 2;
/// Members of a desk, at most.
pub(super) const MEMBERS_MAX: usize = 4;
/// Names of the members: the first coordinates, of four also the second.
pub(super) const ALIASES: [&str; MEMBERS_MAX] = ["Mar", "Sol", "Luz", "Eva"];

/// A desk on disks and at a relay.
pub(super) struct Cast {
    pub(super) relay: MemoryRelay,
    pub(super) disks: Vec<Vec<u8>>,
    pub(super) link: DeskLink,
    pub(super) millis: u64,
}

/// A desk of that many members, all on shift.
pub(super) fn cast(members: usize) -> &'static Cast {
    static CASTS: [OnceLock<Cast>; MEMBERS_MAX + 1] = [const { OnceLock::new() }; MEMBERS_MAX + 1];
    CASTS[members].get_or_init(|| make(members))
}

/// What a phrase gives, without the time that it takes to derive it.
pub(super) fn phrase_keys(number: usize) -> PhraseKeys {
    let byte = u8::try_from(number).unwrap() + 1;
    let value = ciborium::Value::Bytes(vec![byte; 64]);
    value.deserialized().unwrap()
}

fn make(members: usize) -> Cast {
    let profiles = (0..members).map(|id| Profile::new(id, Owner::Member(id), 0));
    let relay = MemoryRelay::new(Day::try_from(FIRST_DAY).unwrap());
    let mut world = World::quiet(relay, profiles.collect());
    let create = TeamCommand::CreateDesk {
        relay: RelayUrl::parse("https://relay.example").unwrap(),
        alias: ALIASES[0].to_owned(),
        description: description(),
    };
    team(&mut world, 0, create);
    let link = said(&world, 0, |event| match event {
        Event::DeskCreated(link) => Some(link.clone()),
        _ => None,
    });
    world.relay.host_desk(link.desk);
    wait(&mut world);
    for member in 1..members {
        let role = match (members, member) {
            (4, 1) => Role::Coordinator,
            _ => Role::Accompanier,
        };
        bring_in(&mut world, member, role);
    }
    let capacity = Capacity::try_from(Capacity::MAX).unwrap();
    for member in 0..members {
        team(&mut world, member, TeamCommand::StartShift);
        team(&mut world, member, TeamCommand::Take(capacity));
    }
    wait(&mut world);
    Cast {
        relay: world.relay.fork(),
        disks: { world.profiles.into_iter() }.map(|one| one.disk).collect(),
        link,
        millis: world.millis,
    }
}

fn bring_in(world: &mut World, member: usize, role: Role) {
    team(world, 0, TeamCommand::Invite);
    let (id, invite): (_, Invite) = said(world, 0, |event| match event {
        Event::Invited { id, invite } => Some((*id, invite.clone())),
        _ => None,
    });
    let alias = ALIASES[member].to_owned();
    team(world, member, TeamCommand::JoinDesk { invite, alias });
    team(world, 0, TeamCommand::Admit { invite: id, role });
}

fn team(world: &mut World, member: usize, command: TeamCommand) {
    let done = world.command(member, Command::Team(command)).unwrap();
    done.unwrap().unwrap();
    wait(world);
}

fn said<T>(world: &World, member: usize, what: impl Fn(&Event) -> Option<T>) -> T {
    let mut events = world.profiles[member].events.iter().rev();
    events.find_map(what).unwrap()
}

fn wait(world: &mut World) {
    world.run(usize::MAX, 120_000).unwrap();
}

fn description() -> Description {
    let text = |text: &str| Text {
        es: text.to_owned(),
        en: text.to_owned(),
    };
    Description {
        name: text("Línea Mar"),
        about: text("Acompañamos"),
        hours: text("9–22"),
        wait_minutes: (5, 20),
        opening: Opening::default(),
        languages: vec!["es".to_owned()],
    }
}
