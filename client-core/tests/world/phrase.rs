//! What a person does with her phrase, and where her devices go.

use std::time::Duration;

use cobijo_client_core::core::{
    client::{
        Client, Command, Event, Locked, PersonCommand, PersonStage, PersonView, Standing,
        TeamCommand,
    },
    phrase::{Phrase, PhraseKeys, WordList},
    port::Rng,
};
use cobijo_protocol::{capsule::Shows, card::Role, link::DeskLink};
use rand_core::SeedableRng as _;

use super::World;

const MINUTE: Duration = Duration::from_secs(60);
/// After how many frames a device fails: what it looks for takes the first ones, and all is done before the last.
pub(crate) const FRAMES: std::ops::Range<usize> = 6..28;

pub(crate) fn back(world: &World) -> Command {
    back_to(world.link(0))
}

/// Comes back to this desk.
pub(crate) fn back_to(link: DeskLink) -> Command {
    Command::Person(PersonCommand::Return { link, keys: keys() })
}

/// Her device's power fails after that many frames, and she starts it again.
pub(crate) fn crash_on_the_way_back(world: &mut World, device: usize, frames: usize) {
    lose_on_the_way_back(world, device, frames);
    if !world.clients[device].disk.is_empty() {
        world.restart(device);
    }
    if matches!(world.clients[device].client.standing(), Standing::Fresh) {
        // What is looked for is never saved: she types her phrase again.
        world.command(device, back(world)).unwrap();
    }
    world.wait(MINUTE);
}

/// Her device is lost after that many frames.
pub(crate) fn lose_on_the_way_back(world: &mut World, device: usize, frames: usize) {
    world.mute = Some((device, frames));
    world.command(device, back(world)).unwrap();
    let is_last = frames + 1 == FRAMES.end;
    let has_ended = world.mute.is_some_and(|(_, left)| left > 0);
    assert!(has_ended || !is_last, "her way back takes more frames");
    goes_away(world, device);
    world.mute = None;
}

pub(crate) fn is_elsewhere(event: &Event) -> bool {
    matches!(event, Event::Locked(Locked::Elsewhere))
}

pub(crate) fn keys() -> PhraseKeys {
    let phrase = Phrase::draw(WordList::Spanish, &mut Rng::seed_from_u64(7));
    phrase.derive().unwrap()
}

pub(crate) fn keep(world: &mut World, ana: usize, shows: Shows) {
    let keep = PersonCommand::KeepPhrase {
        keys: keys(),
        shows,
    };
    world.command(ana, Command::Person(keep)).unwrap();
    assert!(world.saw(ana, |event| matches!(event, Event::PhraseKept)));
}

/// Another device, with the phrase.
pub(crate) fn come_back(world: &mut World) -> usize {
    let anew = world.client();
    world.command(anew, back(world)).unwrap();
    world.wait(MINUTE);
    anew
}

/// Somebody is offline.
pub(crate) fn goes_away(world: &mut World, client: usize) -> Client {
    std::mem::take(&mut world.clients[client].client)
}

pub(crate) fn comes_online(world: &mut World, client: usize, _away: Client) {
    world.restart(client);
}

/// A coordinator (client 0), an accompanier on shift, and a person who waits.
pub(crate) fn waiting() -> (World, usize, usize) {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    world.team(luz, TeamCommand::StartShift).unwrap();
    let ana = world.person(&link, "¿Están ahí?");
    (world, luz, ana)
}

pub(crate) fn talking() -> (World, usize, usize) {
    let (mut world, luz, ana) = waiting();
    world.claim(luz).unwrap();
    (world, luz, ana)
}

pub(crate) fn stage(world: &World, ana: usize) -> PersonStage {
    person(world, ana).stage
}

pub(crate) fn person(world: &World, ana: usize) -> PersonView {
    match world.clients[ana].client.standing() {
        Standing::Person(person) => person,
        _ => unreachable!("a person"),
    }
}
