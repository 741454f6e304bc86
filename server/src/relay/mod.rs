//! What decides: synchronous and in memory. No socket, no clock, no disk: bytes, outcomes and `now`
//! come in, steps to take go out.
//!
//! * [`session`]: one connection, its hello, credits, registrations and the frame it is running
//! * [`backlog`]: what is still to follow, for one connection
//! * [`watches`]: who is to be woken, over all connections
//! * [`admission`]: how many connections there may be
//! * [`rate`], [`liveness`], [`incoming`]: how fast a connection may be, how silent, and how slow

pub(crate) mod admission;
pub(crate) mod backlog;
pub(crate) mod incoming;
pub(crate) mod liveness;
pub(crate) mod rate;
pub(crate) mod session;
pub(crate) mod watches;
