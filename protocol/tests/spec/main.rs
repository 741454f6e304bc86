//! Tests of what SPEC.md promises to another implementation: vectors, malformed inputs, round trips.

#![allow(clippy::panic, clippy::unwrap_used)]

mod cards;
mod debug;
mod limits;
mod malformed;
mod refusals;
mod roundtrip;
mod samples;
mod sizes;
mod vectors;
