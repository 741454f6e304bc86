//! What tests across crates share.
//!
//! * [`authority`]: a desk's keys.
//! * [`harness`]: the real programs, as people run them.
//! * [`hostile`]: a member who writes what nobody should.
//! * [`journey`]: all of it, as `make demo` plays it.
//! * [`memory_relay`]: a relay without sockets, disk or clock, which can fail and lie on demand.
//! * [`model`]: the model test.
//! * [`mutants`]: rules that are broken on purpose.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed assumption of a test is a failed test"
)]

pub mod authority;
pub mod harness;
pub mod hostile;
pub mod journey;
pub mod memory_relay;
pub mod model;
pub mod mutants;
