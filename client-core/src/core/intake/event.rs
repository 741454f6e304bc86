//! What a contact tells, and why it refuses.

use cobijo_protocol::opening::Opening;

use crate::mls::MlsError;

/// What she is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactEvent {
    /// The card is out of date: the desk may not look any more. It is sealed to it all the same. [D-7]
    CardExpired,
    /// Automatic: the message is stored; the desk's honest usual wait in minutes, from and to.
    Stored {
        /// As the card says.
        wait_minutes: (u16, u16),
        /// When somebody answers.
        opening: Opening,
    },
    /// The mailbox is full; tried again later.
    Full,
    /// What she added is stored.
    AdditionStored,
}

/// Why a contact can't be made, or not with this card. Nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContactError {
    /// Another root than that of the card sealed to before, or not this desk's.
    #[error("card of another desk")]
    AnotherDesk,
    /// A lower version than one that was seen.
    #[error("card that is older than one seen before")]
    Lower,
    /// Cryptography refused.
    #[error(transparent)]
    Mls(#[from] MlsError),
    /// The text does not fit.
    #[error("text that is too long")]
    TooLong,
}
