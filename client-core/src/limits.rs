//! Limits that only the client knows and that more than one part uses, each with its unit and its reason. Those of the protocol
//! stand in `cobijo_protocol::limits`.

use std::time::Duration;

/// Time that making a connection may take: a Tor circuit takes many seconds.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(45);

/// Time that reading or publishing a card may take, connection included.
pub(crate) const CARD_TIMEOUT: Duration = Duration::from_secs(60);

/// Days before its end from which a desk key is renewed, so that a few days without the root key harm nobody.
pub(crate) const DESK_KEY_RENEWAL_DAYS: u32 = 7;
