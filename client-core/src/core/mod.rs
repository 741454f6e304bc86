//! What decides. No I/O, no clock, no randomness of its own; the parts are called by the words of SPEC.md.
//!
//! Each part is a machine: [`port::Wants`] says what it wants from the relay now, derived from its
//! state; [`port::Seen`] tells it what the relay said. A crash or a lost connection is therefore
//! nothing special: the state is loaded, and what it wants is asked for again.

pub mod capsule;
pub mod card;
pub mod circle;
pub mod claim;
pub mod client;
pub mod contest;
pub mod conversation;
pub mod desk;
pub mod erasing;
pub(crate) mod file;
pub mod group;
mod history;
pub mod intake;
pub(crate) mod invite;
pub mod joining;
pub mod keeping;
mod key_packages;
mod outbox;
pub mod phrase;
pub mod policy;
pub mod port;
pub mod session;
mod stream;
pub mod thread;
pub mod waiting;
mod welcome;
