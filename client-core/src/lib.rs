//! The client: everything that decides, and the native shell around it.
//!
//! * [`core`] decides: bytes, time and randomness come in, outputs come out.
//! * [`mls`] wraps openmls.

pub mod core;
pub mod mls;
