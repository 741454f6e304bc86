//! `cobijo`, the command line over the client, for both sides of a conversation.
//!
//! * what is typed: `args`, `input`, `passphrase`
//! * what is said: `catalogue`, `render`, `screen`, `problem`
//! * what is done: `start` opens a profile, `app` runs its client, `tasks` are the commands

mod app;
mod args;
mod catalogue;
mod clock;
mod export;
mod input;
mod passphrase;
mod problem;
mod render;
mod screen;
mod start;
mod tasks;

pub use start::run;
