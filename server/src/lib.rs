//! The relay: equal-sized opaque cells in write-once slots, and nothing else that it knows.
//!
//! * decides, synchronous and in memory: `relay`
//! * keeps, on disk before any answer: `engine`
//! * acts: `listen` accepts, `doors` gives places, `http` routes, `connection` serves one peer
//!   over its `socket`, `hub` wakes peers, `admin` serves the operator, `upkeep` sweeps and looks after disk and certificate
//! * starts and stops: `config`, `memory`, `tls`, `certificate`, `clock`, `shutdown`, `server`, `cli`

mod admin;
mod certificate;
pub mod cli;
pub mod clock;
pub mod config;
mod connection;
mod doors;
mod engine;
mod http;
mod hub;
pub mod limits;
mod listen;
mod logging;
mod memory;
mod metrics;
mod relay;
pub mod server;
pub mod shutdown;
mod socket;
mod tls;
mod upkeep;

pub use server::run;
