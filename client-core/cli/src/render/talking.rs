//! What people agree on in a conversation: the summary, who is proposed, when a shift ends.

use cobijo_client_core::core::client::{ConversationView, Next, ShiftEnd, SummaryView};
use cobijo_protocol::content::Purpose;
use serde_json::{Value, json};

use super::{Shown, sentence, views::object_of};
use crate::{
    catalogue::Key,
    clock::Clock,
    screen::{Screen, clean},
};

impl Screen {
    /// What a colleague is proposed for, and why.
    pub(super) fn motive(self, purpose: Purpose, reason: &str, by: &str) -> String {
        let key = match purpose {
            Purpose::Accompany => Key::ToAccompany,
            Purpose::Buddy => Key::ToLearn,
            Purpose::HandOver => Key::ToHandOver,
            Purpose::Specialist => Key::ToAdvise,
            Purpose::Supervise => Key::ToSupervise,
        };
        let purpose = self.fill(key, &[by]);
        if reason.is_empty() {
            return sentence(&purpose);
        }
        self.fill(Key::Because, &[&purpose, &sentence(&clean(reason))])
    }

    /// A shift that ends, and with whom she may go on.
    pub(super) fn shift_ends(
        self,
        own: bool,
        author: &str,
        ends: ShiftEnd,
        next: Option<&Next>,
    ) -> String {
        let clock = Clock::here();
        let at = clock.time(ends.at, self.language);
        let back = ends.back.map(|back| clock.day(back, self.language));
        let Some(next) = next else {
            return match back {
                Some(back) => self.fill(Key::ShiftEndsBack, &[author, &at, &back]),
                None => self.fill(Key::ShiftEnds, &[author, &at]),
            };
        };
        let (alias, role) = (clean(&next.alias), self.role(next.role));
        if own {
            return self.fill(Key::HandOverMade, &[&at, &alias, role]);
        }
        let asked = match back {
            Some(back) => self.fill(Key::HandOver, &[author, &at, &back, &alias, &alias]),
            None => self.fill(Key::HandOverOpen, &[author, &at, &alias, &alias]),
        };
        let reason = sentence(&clean(&next.reason));
        self.fill(Key::HandOverWho, &[&asked, &alias, role, &reason])
    }

    /// The summary of a conversation, for her or for those who are with her.
    pub(crate) fn summary(self, view: &ConversationView, is_hers: bool) -> Shown {
        let number = view.id.number();
        let mut object = json!({ "event": "summary", "conversation": number });
        let told = view.summary.as_ref();
        object["text"] = told.map_or(Value::Null, |told| told.text.as_str().into());
        object["version"] = told.map_or(Value::Null, |told| told.version.into());
        object["author"] = told
            .and_then(|told| told.author.as_ref())
            .map_or(Value::Null, object_of);
        let text = match told {
            None => self.fill(Key::SummaryNone, &[&number.to_string()]),
            Some(told) => self.told(told, is_hers),
        };
        (object, text)
    }

    fn told(self, told: &SummaryView, is_hers: bool) -> String {
        let text = clean(&told.text);
        if is_hers {
            let title = self.text(Key::SummaryTitle);
            format!("{title}\n    {text}\n{}", self.text(Key::SummaryBody))
        } else {
            format!("{}\n    {text}", self.text(Key::SummaryOfHers))
        }
    }
}
