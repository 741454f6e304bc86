//! What a conversation refuses, as it is told to whoever asked.

use super::CommandError;
use crate::core::{
    conversation::{ConversationError, Unwritable},
    file::FileRefused,
    group::GroupError,
};

impl From<ConversationError> for CommandError {
    fn from(error: ConversationError) -> Self {
        match error {
            ConversationError::File(FileRefused::Expired) => Self::FileExpired,
            ConversationError::File(FileRefused::Gone) => Self::FileGone,
            ConversationError::File(FileRefused::TooMany) => Self::TooMany,
            ConversationError::Group(GroupError::TooLong(_)) => Self::TooLong,
            ConversationError::Group(_)
            | ConversationError::Mls(_)
            | ConversationError::Stopped => Self::Stopped,
            ConversationError::NotFacilitator => Self::NotFacilitator,
            ConversationError::Full => Self::TooMany,
            ConversationError::NotPerson | ConversationError::Unwritable(Unwritable::Full) => {
                Self::NotNow
            }
            ConversationError::File(FileRefused::Unknown)
            | ConversationError::Unacceptable(_)
            | ConversationError::Unknown => Self::Unknown,
            ConversationError::Unwritable(Unwritable::Empty) => Self::NoSummary,
            ConversationError::Unwritable(Unwritable::Newer) => Self::NewerSummary,
            ConversationError::Unwritable(Unwritable::TooLong) => Self::SummaryTooLong,
        }
    }
}
