//! Limits that only the relay knows, each with its unit and its reason. Those of the protocol stand in
//! `cobijo_protocol::limits`, what an operator may set in [`crate::config`].

use std::time::Duration;

/// Wake-ups that wait for one connection before it counts as too slow. A reader keeps fewer slots
/// watched ahead than this, so only a socket that stands still gets there.
pub const PUSH_QUEUE_MAX: usize = 256;

/// Cells that are still to follow a watch, above which the next frame is not read yet.
pub const BACKLOG_MAX: usize = 1024;

/// Time for a TLS handshake, for a request's header, and for a card's body.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Time after which a connection that has done nothing gives way where there is no other place: over Tor,
/// the first watch comes five round trips after the connection.
pub const PLACE_SPARED: Duration = Duration::from_secs(10);

/// Headers of one HTTP request: a browser sends about 20.
pub const HTTP_HEADERS_MAX: usize = 64;

/// Bytes of an HTTP request's head.
pub const HTTP_HEAD_BYTES_MAX: usize = 16 * 1024;
