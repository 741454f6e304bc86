//! Whether a desk is open, in words.

use cobijo_protocol::opening::{Door, Opening};
use serde_json::json;

use super::{Screen, Shown};
use crate::{
    catalogue::Key,
    tasks::opening::{door_now, when},
};

impl Screen {
    /// Her message is stored: when somebody will read it, and where else she can turn meanwhile.
    pub(super) fn intake_stored(self, (from, to): (u16, u16), opening: &Opening) -> Shown {
        let door = door_now(opening);
        let (name, text) = match door {
            Door::Open | Door::Unknown => {
                let minutes = [&*from.to_string(), &*to.to_string()];
                let name = if door == Door::Open {
                    "open"
                } else {
                    "unknown"
                };
                (name, self.fill(Key::IntakeStored, &minutes))
            }
            Door::Closed { in_days, minute } => {
                let back = when(opening, in_days, minute, self.language);
                let closed = self.fill(Key::IntakeClosed, &[&back]);
                (
                    "closed",
                    format!("{closed}\n{}", self.text(Key::OtherLines)),
                )
            }
            Door::Paused => {
                let texts = [Key::IntakePaused, Key::OtherLines].map(|key| self.text(key));
                ("paused", texts.join("\n"))
            }
        };
        let object = json!({ "event": "intake-stored", "wait_minutes": [from, to], "door": name, "opening": opening });
        (object, text)
    }

    /// Whether a desk is open now, for its team; nothing where it doesn't say.
    pub(super) fn door(self, opening: &Opening) -> Option<String> {
        match door_now(opening) {
            Door::Unknown => None,
            Door::Open => Some(self.text(Key::DoorOpen).to_owned()),
            Door::Closed { in_days, minute } => {
                let back = when(opening, in_days, minute, self.language);
                Some(self.fill(Key::DoorClosed, &[&back]))
            }
            Door::Paused => Some(self.text(Key::DoorPaused).to_owned()),
        }
    }
}
