//! Tests of what SPEC.md promises to another implementation: vectors, malformed inputs, round trips.

mod samples;
mod vectors;
