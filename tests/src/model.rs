//! The model test: members of one group over a relay in memory, in virtual time, against a reference.
//!
//! Everything that can go wrong on the way to a relay and back does: requests and answers are lost,
//! late and overtaken; clients crash before and after each step; hostile members squat, erase and write
//! heads whose bodies come late; clocks are wrong by years, and members are away for longer than cells
//! live. All randomness follows from the seed, so a seed that fails fails again.
//!
//! * [`world`]: who there is, and what may happen next
//! * [`client`]: one client, in memory and as it was saved
//! * [`ledger`]: the reference model
//! * `actions`, `faults`, `traitor`: what members do, what befalls them, what hostile ones do
//! * `settle`: the end, when everybody catches up and nothing may be missing
//! * [`journeys`]: another model, of whole clients

pub mod client;
pub mod journeys;
pub mod ledger;
pub mod world;

mod actions;
mod faults;
mod settle;
mod traitor;

use cobijo_client_core::mls::Suite;

/// How a seed is played.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Things that happen before everybody catches up.
    pub steps: u32,
    /// Whether each step is printed.
    pub is_traced: bool,
}

/// What a seed came to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Summary {
    /// Epochs of the group.
    pub epochs: u64,
    /// Messages sent.
    pub messages: u64,
    /// Members at the end who follow.
    pub alive: u64,
}

/// Plays one seed to its end.
///
/// # Errors
/// What must never be.
pub fn play(seed: u64, options: Options) -> Result<Summary, ledger::Fault> {
    let mut world = world::World::new(seed, suite(seed), options.is_traced);
    for _ in 0..options.steps {
        world.step()?;
    }
    world.settle()?;
    Ok(world.summary())
}

/// One seed in 20 plays the suite that people use; the others a faster one.
pub fn suite(seed: u64) -> Suite {
    if seed.is_multiple_of(20) {
        Suite::PostQuantum
    } else {
        Suite::Interop
    }
}
