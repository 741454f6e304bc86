//! What a conversation refuses, as it is told to whoever asked.

use super::CommandError;
use crate::core::{conversation::ConversationError, group::GroupError};

impl From<ConversationError> for CommandError {
    fn from(error: ConversationError) -> Self {
        match error {
            ConversationError::Group(GroupError::TooLong(_)) => Self::TooLong,
            ConversationError::Group(_)
            | ConversationError::Mls(_)
            | ConversationError::Stopped => Self::Stopped,
            ConversationError::NotPerson => Self::NotNow,
            ConversationError::Unacceptable(_) | ConversationError::Unknown => Self::Unknown,
        }
    }
}
