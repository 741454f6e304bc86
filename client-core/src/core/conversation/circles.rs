//! What is said about circles in a conversation: its owner acts on it. [O-3], [O-4], [O-7]

use cobijo_protocol::circle::CircleContent;

use super::{
    Content, Conversation, ConversationError, Deserialize, Identity, MessageId, Rng, Serialize,
};
use crate::core::group::Author;

/// What waits for its owner, while she comes back; the oldest give way.
const ABOUT_CIRCLES_MAX: usize = 64;

/// Something that was said about a circle.
#[derive(Clone, Serialize, Deserialize)]
pub struct AboutCircle {
    /// Who said it.
    pub author: Identity,
    /// Name of its message.
    pub id: MessageId,
    /// What.
    pub content: CircleContent,
}

impl Conversation {
    /// Says something about a circle: clients read it, nobody is shown it as it is.
    ///
    /// # Errors
    /// [`ConversationError`] where nobody can be told any more.
    pub fn tell(
        &mut self,
        content: CircleContent,
        rng: &mut Rng,
    ) -> Result<MessageId, ConversationError> {
        self.check_open()?;
        Ok(self.group.send(Content::Circle(content), rng)?)
    }

    pub(super) fn hear_about_circle(
        &mut self,
        author: &Author,
        id: MessageId,
        content: CircleContent,
    ) {
        self.about_circles.push_back(AboutCircle {
            author: author.identity.clone(),
            id,
            content,
        });
        if self.about_circles.len() > ABOUT_CIRCLES_MAX {
            self.about_circles.pop_front();
        }
    }

    /// What was said about circles, once it may be shown.
    pub fn poll_about_circle(&mut self) -> Option<AboutCircle> {
        if self.is_returning() || self.left {
            return None;
        }
        self.about_circles.pop_front()
    }
}
