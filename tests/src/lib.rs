//! What tests across crates share.
//!
//! * [`authority`]: a desk's keys.
//! * [`hostile`]: a member who writes what nobody should.
//! * [`memory_relay`]: a relay without sockets, disk or clock, which can fail and lie on demand.
//! * [`model`]: the model test.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed assumption of a test is a failed test"
)]

pub mod authority;
pub mod hostile;
pub mod memory_relay;
pub mod model;
