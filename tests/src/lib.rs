//! What tests across crates share.
//!
//! * [`memory_relay`]: a relay without sockets, disk or clock, which can fail and lie on demand.

#![allow(
    clippy::unwrap_used,
    reason = "a failed assumption of a test is a failed test"
)]

pub mod memory_relay;
