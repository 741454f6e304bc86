//! A client in other hands: written from SPEC.md alone, on another MLS library, against a real relay and a real desk.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm
)]

mod foreign;
mod malformed;
mod readers;
mod talk;
mod team;
mod transcript;
mod vectors;
mod verdicts;
