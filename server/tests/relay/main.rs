//! The relay from outside: real TLS, real sockets, real disk.

#![allow(clippy::unwrap_used)]

mod harness;
mod slot;
