//! Attacks that a member, a relay or a stranger may try, on what the rules of SPEC.md forbid: each test
//! fails when its defence is taken out. What is taken out is in `tests/mutations.toml`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what a test doesn't look at, it doesn't look at"
)]

mod commits;
mod messages;
mod relay;
mod replays;
mod world;
