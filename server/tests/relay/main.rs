//! The relay from outside: real TLS, real sockets, real disk.

#![allow(clippy::unwrap_used)]

mod card;
mod expiry;
mod frame;
mod harness;
mod limits;
mod mailbox;
mod slot;
mod tls;
