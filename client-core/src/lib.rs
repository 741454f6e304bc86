//! The client: everything that decides, and the native shell around it.
//!
//! * [`core`] decides: bytes, time and randomness come in, outputs come out.
//! * [`profile`] keeps it on disk, sealed.
//! * [`driver`] runs it on this machine.
//! * [`picture`] makes pictures clean before they are shown.
//! * [`mls`] wraps openmls.

pub mod core;
pub mod driver;
mod limits;
pub mod mls;
pub mod picture;
pub mod profile;
mod secret;
