//! The client: everything that decides, and the native shell around it.
//!
//! * [`core`] decides: bytes, time and randomness come in, outputs come out.

pub mod core;
