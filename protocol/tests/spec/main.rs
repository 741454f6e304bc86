//! Tests of what SPEC.md promises to another implementation: vectors, malformed inputs, round trips.

#![allow(clippy::panic, clippy::unwrap_used)]

mod malformed;
mod samples;
mod vectors;
