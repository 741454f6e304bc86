//! The relay from outside: real TLS, real sockets, real disk.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed assumption of a test is a failed test"
)]

mod card;
mod crash;
mod expiry;
mod frame;
mod harness;
mod limits;
mod mailbox;
mod operator;
mod process;
mod silence;
mod slot;
mod tls;
