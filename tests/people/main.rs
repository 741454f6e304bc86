//! A person writes to a desk, and is answered by one of its members, whatever crashes or lies between.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm
)]

mod contests;
mod conversations;
mod desk;
mod first_contact;
mod machine;
mod scenes;
mod steps;
mod world;

use cobijo_client_core::core::port::Put;
use cobijo_protocol::{
    parts::Data,
    slot::{Kind, Slot, ThreadSecret},
};
use world::World;

/// Ana and Luz talk.
fn conversation() -> (World, usize, usize) {
    let mut world = World::new();
    let ana = world.person("Hola");
    let luz = world.member("Luz");
    world.run();
    world.claim(luz);
    world.run();
    (world, ana, luz)
}

fn welcome_secret(world: &World, person: usize) -> ThreadSecret {
    let waiting = &world.actors[person].waiting.as_ref().unwrap().machine;
    let package = &waiting.contact().package().unwrap().package;
    package.welcome_secret().clone()
}

fn r(world: &World, person: usize) -> ThreadSecret {
    let waiting = &world.actors[person].waiting.as_ref().unwrap().machine;
    waiting.contact().r().clone()
}

/// Puts a payload into a thread of `r`, as whoever knows it can.
fn put(world: &mut World, person: usize, kind: Kind, index: u64, payload: &[u8]) {
    let slot = Slot::derive(&r(world, person), kind, 0, index);
    let data = Data::Whole(payload.to_vec()).encode();
    let cell = slot.seal(&data, [3; 24]).unwrap();
    assert!(world.relay.put_raw(&Put::new(&slot, cell)));
}
