//! The real programs over real sockets.

#![allow(
    clippy::unwrap_used,
    reason = "a failed assumption of a test is a failed test"
)]

mod admission;
mod circles;
mod consent;
mod erasing;
mod files;
mod handover;
mod inputs;
mod journey;
mod kills;
mod profile;
mod returning;
mod team;
