//! Circles and side rooms, as they are shown.

use cobijo_client_core::core::client::{CircleInviteView, CircleView, ConversationId};
use serde_json::{Value, json};

use super::Shown;
use crate::{
    catalogue::Key,
    screen::{Screen, clean},
};

impl Screen {
    /// What a circle is, before who is in it.
    pub(super) fn circle(self, circle: &CircleView, members: &str) -> String {
        match (&circle.name, circle.beside) {
            (Some(name), _) => self.fill(Key::Circle, &[&clean(name), members]),
            (None, Some(beside)) => {
                let beside = beside.number().to_string();
                self.fill(Key::SideRoomBeside, &[&beside, members])
            }
            (None, None) => self.fill(Key::SideRoom, &[members]),
        }
    }

    /// An invitation, for the person who decides.
    pub(crate) fn invitation(self, invitation: &CircleInviteView) -> String {
        let who = invitation.facilitators.iter();
        let who: Vec<String> = who.map(|(alias, _)| clean(alias)).collect();
        let values = [
            &*clean(&invitation.name),
            &*who.join(", "),
            &*invitation.members.to_string(),
            &*clean(&invitation.about),
        ];
        self.fill(Key::CircleInvited, &values)
    }

    /// Somebody asks to be let in again.
    pub(super) fn asks_again(self, id: ConversationId, alias: &str) -> Shown {
        let (number, shown) = (id.number().to_string(), clean(alias));
        let text = self.fill(Key::AsksAgain, &[&number, &shown, &number, &shown]);
        let object = json!({ "event": "asks-again", "conversation": id.number(), "alias": alias });
        (object, text)
    }
}

pub(super) fn circle_object(circle: &CircleView) -> Value {
    let asking: Vec<&str> = circle.asking.iter().map(|one| one.alias.as_str()).collect();
    json!({
        "name": circle.name, "about": circle.about, "leads": circle.leads,
        "beside": circle.beside.map(ConversationId::number), "asking": asking,
    })
}

pub(super) fn invitation_object(invitation: &CircleInviteView) -> Value {
    let who = invitation.facilitators.iter();
    let who: Vec<_> = who
        .map(|(alias, role)| json!({ "alias": alias, "role": role }))
        .collect();
    json!({
        "name": invitation.name, "about": invitation.about, "facilitators": who,
        "members": invitation.members, "answered": invitation.is_answered,
    })
}
