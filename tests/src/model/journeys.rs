//! The model test of journeys: whole clients of one desk and of the people who write to it, against a reference.
//!
//! Where the other model plays one group, this one plays what people do with it: first contact and claims, a
//! phrase and coming back by it on other devices, proposals and her yes or no, removals, evictions, erasing, and
//! profiles that were restored from an old copy. Devices crash before and after each save, and frames, cards and
//! answers are lost on the way. All decisions follow from the seed.
//!
//! * [`world`]: who there is, and how time and frames move
//! * [`profile`]: one client, its disk, and the shell around it
//! * [`ledger`]: the reference
//! * `cast`: the desk that every seed begins with
//! * `persons`, `team`, `faults`: what people do, what members of the desk do, what befalls them
//! * `saved`: what a disk says of its conversations
//! * `settle`: the end, when everybody catches up

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "what the model does not look at may change"
)]

pub mod ledger;
pub mod profile;
pub mod world;

mod cast;
mod faults;
mod persons;
mod saved;
mod settle;
mod team;

use super::{Options, Summary, ledger::Fault};

/// Plays one seed to its end.
///
/// # Errors
/// What must never be.
pub fn play(seed: u64, options: Options) -> Result<Summary, Fault> {
    let mut world = world::World::new(seed, options.is_traced);
    for _ in 0..options.steps {
        world.step()?;
    }
    world.settle()?;
    Ok(world.summary())
}
