//! What stands: lines of a conversation, the queue, who is here, a desk.

use cobijo_client_core::core::client::{
    ConversationView, Description, DeskView, Entry, EntryContent, EntryState, Erasure, QueueReason,
    QueueRow, QueueState, Speaker,
};
use cobijo_client_core::core::port::Now;
use cobijo_protocol::{
    card::{Role, Text},
    content::Reads,
};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::files::{file_object, fingerprint_object};
use super::{
    Shown, both,
    circle::{circle_object, invitation_object},
    for_people,
};
use crate::{
    catalogue::{Key, Language, alias},
    screen::{Screen, clean},
};

impl Screen {
    /// A line of a conversation.
    pub(crate) fn entry(self, entry: &Entry) -> Shown {
        let author = match (&entry.author, entry.own) {
            (_, true) => self.text(Key::You).to_owned(),
            (Some(author), false) => self.name(author),
            (None, false) => String::new(),
        };
        let (kind, text) = match &entry.content {
            EntryContent::Text(text) => ("text", self.fill(Key::Says, &[&author, &clean(text)])),
            EntryContent::Proposal {
                alias,
                role,
                purpose,
                reason,
                reads,
            } => {
                let key = if entry.own {
                    Key::ProposalMade
                } else {
                    Key::ProposalAsk
                };
                let values = [
                    &*clean(alias),
                    self.role(*role),
                    &*self.motive(*purpose, reason, &author),
                    self.reads(*reads),
                ];
                ("proposal", self.fill(key, &values))
            }
            EntryContent::File(file) => ("file", self.file_line(&author, file)),
            EntryContent::Fingerprint(told) => {
                ("fingerprint", self.fingerprint_line(&author, told))
            }
            EntryContent::ShiftEnds { ends, next } => (
                "shift-ends",
                self.shift_ends(entry.own, &author, *ends, next.as_ref()),
            ),
            EntryContent::Refusal(_) => ("refusal", self.text(Key::RefusedProposal).to_owned()),
            EntryContent::Joined(who) => ("joined", self.fill(Key::Joined, &[&self.speaker(who)])),
            EntryContent::OtherKey(who) => {
                let text = self.fill(Key::OtherOfName, &[&self.speaker(who)]);
                ("other-key", text)
            }
            EntryContent::Closing { days } => {
                let text = self.fill(Key::ClosedForNow, &[&days.to_string()]);
                ("closing", text)
            }
            EntryContent::OtherDevice => ("other-device", self.text(Key::OtherDevice).to_owned()),
            EntryContent::Left(who) => ("left", self.fill(Key::Left, &[&self.speaker(who)])),
            EntryContent::Missing(who) => {
                ("missing", self.fill(Key::Missing, &[&self.speaker(who)]))
            }
            EntryContent::NotAllowed(who) => {
                let text = self.fill(Key::NotAllowed, &[&self.speaker(who)]);
                ("not-allowed", text)
            }
        };
        let text = match entry.state {
            EntryState::Stored => text,
            EntryState::Sending => self.fill(Key::NotSentYet, &[&text]),
            EntryState::NotConfirmed => self.fill(Key::NotConfirmed, &[&text]),
        };
        (entry_object(entry, kind), text)
    }

    /// A row of the queue.
    pub(crate) fn queue_row(self, row: &QueueRow, now: Now) -> Shown {
        let minutes = now.since(row.since).as_secs() / 60;
        let reason = match row.reason {
            QueueReason::First => Key::QueueFirst,
            QueueReason::CameBack => Key::QueueCameBack,
            QueueReason::Rescue => Key::QueueRescue,
        };
        let state = match row.state {
            QueueState::Waiting if row.passed => self.text(Key::QueuePassed).to_owned(),
            QueueState::Waiting => String::new(),
            QueueState::Claimed => self.text(Key::QueueClaimed).to_owned(),
            QueueState::Claiming => self.text(Key::QueueClaiming).to_owned(),
            QueueState::Answered => {
                let alias = row.by.as_deref().unwrap_or_default();
                self.fill(Key::QueueAnswered, &[&*clean(alias)])
            }
            QueueState::Unanswerable => self.text(Key::QueueUnanswerable).to_owned(),
        };
        let values = [
            &*row.id.number().to_string(),
            &*alias(row.alias),
            &*minutes.to_string(),
            &*clean(&row.language),
            self.text(reason),
            &*state,
        ];
        let object = json!({
            "row": row.id.number(), "alias": alias(row.alias), "minutes": minutes, "language": row.language,
            "reason": row.reason, "state": row.state, "by": row.by, "passed": row.passed,
        });
        (object, self.fill(Key::QueueRow, &values))
    }

    /// A conversation in the list.
    pub(crate) fn conversation(self, view: &ConversationView) -> Shown {
        let key = if view.open {
            Key::Conversation
        } else {
            Key::ConversationEnded
        };
        let number = view.id.number().to_string();
        let text = match view.erased {
            None if view.closed => self.fill(Key::ClosedView, &[&number]),
            Some(Erasure::ByPerson) => self.fill(Key::ErasedByHer, &[&number]),
            Some(Erasure::Going) => self.fill(Key::BeingErased, &[&number]),
            None => self.fill(key, &[&number, &self.called(view)]),
        };
        let members: Vec<Value> = view
            .members
            .iter()
            .map(|member| {
                let mut object = object_of(&member.speaker);
                object["own"] = member.own.into();
                object["arriving"] = member.arriving.into();
                object["former"] = member.former.into();
                object
            })
            .collect();
        let proposals: Vec<&str> = view.proposals.iter().map(|p| p.alias.as_str()).collect();
        let files: Vec<Value> = view.files.iter().map(file_object).collect();
        let object = json!({
            "conversation": view.id.number(), "alias": view.alias.map(alias), "open": view.open, "closed": view.closed, "erased": view.erased, "members": members,
            "proposals": proposals, "files": files, "code": view.code.as_ref().map(both),
            "circle": view.circle.as_ref().map(circle_object),
            "invitations": view.invitations.iter().map(invitation_object).collect::<Vec<_>>(),
        });
        (object, text)
    }

    /// What the desk calls a conversation, and who is in it.
    fn called(self, view: &ConversationView) -> String {
        let members = self.members(view);
        if let Some(circle) = &view.circle {
            return self.circle(circle, &members);
        }
        match view.alias {
            Some(called) => self.fill(Key::Called, &[&alias(called), &members]),
            None => members,
        }
    }

    /// Who is in a conversation.
    pub(crate) fn members(self, view: &ConversationView) -> String {
        let name = |member: &cobijo_client_core::core::client::MemberView| {
            if member.own {
                self.text(Key::You).to_owned()
            } else if member.former {
                self.fill(Key::Former, &[&self.speaker(&member.speaker)])
            } else if member.arriving {
                self.fill(Key::Arriving, &[&self.speaker(&member.speaker)])
            } else {
                self.speaker(&member.speaker)
            }
        };
        view.members.iter().map(name).collect::<Vec<_>>().join(", ")
    }

    /// Words to compare elsewhere.
    pub(crate) fn code(self, view: &ConversationView) -> Shown {
        let text = match &view.code {
            Some(code) => self.fill(Key::Code, &[&for_people(code)]),
            None => self.text(Key::NoCode).to_owned(),
        };
        (
            json!({ "conversation": view.id.number(), "code": view.code.as_ref().map(both) }),
            text,
        )
    }

    /// A desk.
    pub(crate) fn desk(self, view: &DeskView) -> Shown {
        let is_open = if view.open_today {
            Key::DeskOpen
        } else {
            Key::DeskClosed
        };
        let mut lines = vec![
            self.fill(Key::DeskTitle, &[&view.link.to_string()]),
            self.text(is_open).to_owned(),
        ];
        if view.names_removed {
            lines.push(self.text(Key::DeskNamesRemoved).to_owned());
        }
        lines.extend(
            view.description
                .iter()
                .flat_map(|says| self.description(says)),
        );
        let mut colleagues = Vec::new();
        for colleague in &view.colleagues {
            let is_available = colleague.own || colleague.key_packages > 0;
            let note = if is_available {
                ""
            } else {
                self.text(Key::DeskUnavailable)
            };
            let values = [&*clean(&colleague.alias), self.role(colleague.role), note];
            lines.push(self.fill(Key::DeskColleague, &values));
            colleagues.push(json!({
                "alias": colleague.alias, "role": colleague.role, "own": colleague.own,
                "key_packages": colleague.key_packages,
            }));
        }
        let object = json!({
            "desk": view.link.desk.to_text(), "link": view.link.to_string(), "alias": view.alias,
            "role": view.role, "description": view.description, "open_today": view.open_today,
            "names_removed": view.names_removed, "on_shift": view.on_shift,
            "capacity": view.capacity, "live": view.live,
            "desk_key_until": view.desk_key_until, "colleagues": colleagues,
        });
        (object, lines.join("\n"))
    }

    /// What a desk's card says, in the language of whoever reads.
    fn description(self, says: &Description) -> Vec<String> {
        let of = |text: &Text| {
            clean(match self.language {
                Language::Es => &text.es,
                Language::En => &text.en,
            })
        };
        let texts = [
            (Key::DeskName, of(&says.name)),
            (Key::DeskAbout, of(&says.about)),
            (Key::DeskHours, of(&says.hours)),
        ];
        let said = texts.iter().filter(|(_, text)| !text.is_empty());
        let mut lines: Vec<_> = said.map(|(key, text)| self.fill(*key, &[text])).collect();
        lines.extend(self.door(&says.opening));
        let (from, to) = says.wait_minutes;
        let languages = clean(&says.languages.join(", "));
        let values = [&*from.to_string(), &*to.to_string(), &*languages];
        lines.push(self.fill(Key::DeskWait, &values));
        lines
    }

    pub(super) fn speaker(self, speaker: &Speaker) -> String {
        match speaker {
            Speaker::Person => self.text(Key::APerson).to_owned(),
            Speaker::Pseudonym(alias) => clean(alias),
            Speaker::Member { alias, role } => {
                self.fill(Key::Member, &[&clean(alias), self.role(*role)])
            }
        }
    }

    pub(super) fn name(self, speaker: &Speaker) -> String {
        match speaker {
            Speaker::Person => self.text(Key::APerson).to_owned(),
            Speaker::Member { alias, .. } | Speaker::Pseudonym(alias) => clean(alias),
        }
    }

    pub(super) fn role(self, role: Role) -> &'static str {
        self.text(match role {
            Role::Accompanier => Key::Accompanier,
            Role::Coordinator => Key::Coordinator,
            Role::DigitalSecurity => Key::DigitalSecurity,
            Role::Lawyer => Key::Lawyer,
            Role::Psychologist => Key::Psychologist,
        })
    }

    pub(super) fn reads(self, reads: Reads) -> &'static str {
        self.text(match reads {
            Reads::FromNow => Key::ReadsFromNow,
            Reads::Summary => Key::ReadsSummary,
        })
    }
}

fn entry_object(entry: &Entry, kind: &str) -> Value {
    let mut object = json!({ "kind": kind, "own": entry.own, "state": entry.state });
    object["author"] = entry.author.as_ref().map_or(Value::Null, object_of);
    object["message"] = entry
        .id
        .map_or(Value::Null, |id| HEXLOWER.encode(id.as_bytes()).into());
    match &entry.content {
        EntryContent::Text(text) => object["text"] = text.as_str().into(),
        EntryContent::Proposal {
            alias,
            role,
            purpose,
            reason,
            reads,
        } => {
            object["proposal"] = json!({
                "alias": alias, "role": role, "purpose": purpose, "reason": reason, "reads": reads,
            });
        }
        EntryContent::ShiftEnds { ends, next } => {
            object["ends"] = json!({ "at": ends.at, "back": ends.back });
            object["next"] = next.as_ref().map_or(
                Value::Null,
                |next| json!({ "alias": next.alias, "role": next.role, "reason": next.reason }),
            );
        }
        EntryContent::File(file) => object["file"] = file_object(file),
        EntryContent::Fingerprint(told) => object["fingerprint"] = fingerprint_object(told),
        EntryContent::Joined(who)
        | EntryContent::Left(who)
        | EntryContent::OtherKey(who)
        | EntryContent::Missing(who)
        | EntryContent::NotAllowed(who) => {
            object["who"] = object_of(who);
        }
        EntryContent::Closing { days } => object["days"] = (*days).into(),
        EntryContent::Refusal(_) | EntryContent::OtherDevice => {}
    }
    object
}

pub(super) fn object_of(speaker: &Speaker) -> Value {
    match speaker {
        Speaker::Person => json!({ "is": "person" }),
        Speaker::Pseudonym(alias) => json!({ "is": "pseudonym", "alias": alias }),
        Speaker::Member { alias, role } => json!({ "is": "member", "alias": alias, "role": role }),
    }
}
