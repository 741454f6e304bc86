//! What the client tells and shows, as an object for scripts and as text for people.

mod circle;
pub(crate) mod files;
mod opening;
mod people;
mod talking;
mod views;

use cobijo_client_core::core::client::{
    CardRefusal, ConversationEvent, ConversationId, Entry, EntryContent, Event, InviteEnd, Locked,
    Speaker, Stopped,
};
use cobijo_protocol::{content::Reads, link::DeskLink, words::WordIndices};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use self::views::object_of;
use crate::{
    catalogue::{Key, Language, words},
    problem::Problem,
    screen::{Screen, clean},
};

/// An object and a text; an empty text is not shown to people.
pub(crate) type Shown = (Value, String);

impl Screen {
    /// An event of the client; `None` for what only scripts of another kind would want.
    pub(crate) fn event(self, event: &Event) -> Option<Shown> {
        match event {
            Event::DeskCreated(_)
            | Event::CardPublished(_)
            | Event::CardRefused(_)
            | Event::UnknownMailbox { .. }
            | Event::NotAllowed { .. }
            | Event::KeyPackagesTaken { .. }
            | Event::RootKey(_)
            | Event::DeskKeyExpires(_)
            | Event::DeskKeyReceived
            | Event::JoinedDesk
            | Event::LeftDesk
            | Event::RemovedFromDesk
            | Event::DeskStopped
            | Event::DeskGoesOn
            | Event::SuccessorMade
            | Event::NotBrought { .. }
            | Event::NotRemoved(_)
            | Event::CardStillNames { .. }
            | Event::Shift { .. }
            | Event::QueueChanged => self.desk_event(event),
            Event::Invited { .. }
            | Event::NewcomerArrived { .. }
            | Event::NewcomerJoined(_)
            | Event::InviteEnded { .. }
            | Event::InviteWords(_)
            | Event::JoinFailed(_) => self.invite_event(event),
            Event::ClaimWon { .. }
            | Event::ClaimLost(_)
            | Event::ProposalFailed(_)
            | Event::ConversationJoined(_) => self.claim_event(event),
            Event::IntakeStored { .. }
            | Event::IntakeFailed(_)
            | Event::CardExpired
            | Event::AdditionStored
            | Event::Answered(_)
            | Event::PhraseKept
            | Event::PhraseNotKept
            | Event::CameBack(_)
            | Event::Erasing { .. }
            | Event::Erased { .. }
            | Event::NothingFound
            | Event::Locked(_) => self.person_event(event),
            Event::BoardChanged(_)
            | Event::SaidOver { .. }
            | Event::HelpAsked { .. }
            | Event::HelpComes { .. }
            | Event::Unclaimed { .. }
            | Event::WantsToTalk { .. }
            | Event::Debrief { .. }
            | Event::Blocked { .. }
            | Event::CheckOut
            | Event::PauseOver => self.people_event(event),
            Event::Conversation(id, event) => Some(self.conversation_event(*id, event)),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "Screen::event hands it a part of the events"
    )]
    fn desk_event(self, event: &Event) -> Option<Shown> {
        let plain = |name: &str, key: Key| (json!({ "event": name }), self.text(key).to_owned());
        Some(match event {
            Event::DeskCreated(link) => self.desk_created(link),
            Event::CardPublished(version) => (
                json!({ "event": "card-published", "version": version.version, "day": version.day }),
                self.text(Key::CardPublished).to_owned(),
            ),
            Event::CardRefused(refusal) => self.card_refused(*refusal),
            Event::UnknownMailbox { alias } => {
                let poster = alias.as_deref().map(clean);
                let poster = poster.unwrap_or_else(|| self.text(Key::Somebody).into());
                (
                    json!({ "event": "unknown-mailbox", "alias": alias }),
                    self.fill(Key::UnknownMailbox, &[&poster]),
                )
            }
            Event::NotAllowed { alias } => (
                json!({ "event": "not-allowed", "alias": alias }),
                self.fill(Key::NotAllowed, &[&clean(alias)]),
            ),
            Event::KeyPackagesTaken { alias } => (
                json!({ "event": "key-packages-taken", "alias": alias }),
                self.fill(Key::OftenTaken, &[&clean(alias)]),
            ),
            Event::RootKey(key) => {
                let text = data_encoding::BASE64URL_NOPAD.encode(key.as_bytes());
                (
                    json!({ "event": "root-key", "key": text }),
                    self.fill(Key::RootExported, &[&text]),
                )
            }
            Event::DeskKeyExpires(day) => {
                let days = day.saturating_sub(cobijo_client_core::driver::now().day());
                let text = self.fill(Key::DeskKeyExpires, &[&days.to_string()]);
                (json!({ "event": "desk-key-expires", "day": day }), text)
            }
            Event::DeskKeyReceived => plain("desk-key-received", Key::DeskKeyReceived),
            Event::JoinedDesk => plain("joined-desk", Key::JoinedDesk),
            Event::LeftDesk => plain("left-desk", Key::LeftDesk),
            Event::NotRemoved(_) => plain("not-removed", Key::NotRemoved),
            Event::CardStillNames { alias } => (
                json!({ "event": "card-still-names", "alias": alias }),
                self.fill(Key::CardStillNames, &[&clean(alias)]),
            ),
            Event::RemovedFromDesk => plain("removed-from-desk", Key::RemovedFromDesk),
            Event::DeskStopped => plain("desk-stopped", Key::DeskStopped),
            Event::DeskGoesOn => plain("desk-goes-on", Key::DeskGoesOn),
            Event::SuccessorMade => plain("successor-made", Key::SuccessorMade),
            Event::NotBrought { alias } => (
                json!({ "event": "not-brought", "alias": alias }),
                self.fill(Key::NotBrought, &[&clean(alias)]),
            ),
            Event::Shift { on } => {
                let key = if *on { Key::ShiftOn } else { Key::ShiftOff };
                (
                    json!({ "event": "shift", "on": on }),
                    self.text(key).to_owned(),
                )
            }
            _ => return None,
        })
    }

    /// Invitations, for both who made and who uses them.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "Screen::event hands it a part of the events"
    )]
    fn invite_event(self, event: &Event) -> Option<Shown> {
        Some(match event {
            Event::Invited { id, invite } => {
                let (id, invite) = (id.number(), invite.to_text());
                let text = self.fill(Key::Invited, &[&id.to_string(), &invite]);
                (
                    json!({ "event": "invited", "id": id, "invite": invite }),
                    text,
                )
            }
            Event::NewcomerArrived { id, alias, words } => self.newcomer(id.number(), alias, words),
            Event::NewcomerJoined(id) => (
                json!({ "event": "newcomer-joined", "id": id.number() }),
                self.text(Key::NewcomerJoined).to_owned(),
            ),
            Event::InviteEnded { id, reason } => self.invite_ended(id.number(), *reason),
            Event::InviteWords(words) => (
                json!({ "event": "invite-words", "words": both(words) }),
                self.fill(Key::JoinWords, &[&for_people(words)]),
            ),
            Event::JoinFailed(failure) => (
                json!({ "event": "join-failed", "reason": failure }),
                self.text(Problem::from(*failure).key).to_owned(),
            ),
            _ => return None,
        })
    }

    /// A person's way to a conversation.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "Screen::event hands it a part of the events"
    )]
    fn person_event(self, event: &Event) -> Option<Shown> {
        let plain = |name: &str, key: Key| (json!({ "event": name }), self.text(key).to_owned());
        Some(match event {
            Event::IntakeStored {
                wait_minutes,
                opening,
            } => self.intake_stored(*wait_minutes, opening),
            Event::CardExpired => plain("card-expired", Key::IntakeExpired),
            Event::IntakeFailed(failure) => (
                json!({ "event": "intake-failed", "reason": failure }),
                self.text(Problem::from(*failure).key).to_owned(),
            ),
            Event::AdditionStored => plain("addition-stored", Key::AdditionStored),
            Event::Answered(conversation) => (
                json!({ "event": "answered", "conversation": conversation.number() }),
                self.text(Key::AnsweredLive).to_owned(),
            ),
            Event::PhraseKept => plain("phrase-kept", Key::PhraseKept),
            Event::PhraseNotKept => plain("phrase-not-kept", Key::PhraseNotKept),
            Event::CameBack(None) => plain("came-back", Key::CameBackWaiting),
            Event::CameBack(Some(conversation)) => (
                json!({ "event": "came-back", "conversation": conversation.number() }),
                self.text(Key::CameBack).to_owned(),
            ),
            Event::Erasing { left } => (json!({ "event": "erasing", "left": left }), String::new()),
            Event::Erased { conversation, told } => (
                json!({ "event": "erased", "conversation": conversation.number(), "told": told }),
                String::new(),
            ),
            // Wrong, unused, expired and erased phrases look alike. [B-6]
            Event::NothingFound => plain("nothing-found", Key::NothingFound),
            Event::Locked(why) => (
                json!({ "event": "locked", "reason": why }),
                self.text(locked_key(*why)).to_owned(),
            ),
            _ => return None,
        })
    }

    /// What becomes of claims and proposals.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "Screen::event hands it a part of the events"
    )]
    fn claim_event(self, event: &Event) -> Option<Shown> {
        Some(match event {
            Event::ClaimWon { row, conversation } => {
                let (row, conversation) = (row.number(), conversation.number());
                let number = conversation.to_string();
                (
                    json!({ "event": "claim-won", "row": row, "conversation": conversation }),
                    self.fill(Key::ClaimWon, &[&number, &number]),
                )
            }
            Event::ClaimLost(row) => (
                json!({ "event": "claim-lost", "row": row.number() }),
                self.text(Key::ClaimLost).to_owned(),
            ),
            Event::ProposalFailed(conversation) => (
                json!({ "event": "proposal-failed", "conversation": conversation.number() }),
                self.text(Key::ColleagueUnavailable).to_owned(),
            ),
            Event::ConversationJoined(conversation) => (
                json!({ "event": "conversation-joined", "conversation": conversation.number() }),
                self.fill(
                    Key::ConversationJoined,
                    &[&conversation.number().to_string()],
                ),
            ),
            _ => return None,
        })
    }

    fn desk_created(self, link: &DeskLink) -> Shown {
        let (url, id) = (link.to_string(), link.desk.to_text());
        let text = self.fill(Key::DeskCreated, &[&url]) + "\n" + &self.fill(Key::HostHint, &[&id]);
        (
            json!({ "event": "desk-created", "link": url, "desk": id }),
            text,
        )
    }

    fn card_refused(self, refusal: CardRefusal) -> Shown {
        let (name, key) = match refusal {
            CardRefusal::NotHosted => ("not-hosted", Key::CardNotHosted),
            CardRefusal::DeskKeyExpired => ("desk-key-expired", Key::CardKeyExpired),
            CardRefusal::NotPoster => ("not-poster", Key::CardNotPoster),
            CardRefusal::Conflict => ("conflict", Key::CardConflict),
            CardRefusal::Unreachable => ("unreachable", Key::CardUnreachable),
        };
        (
            json!({ "event": "card-refused", "reason": name }),
            self.text(key).to_owned(),
        )
    }

    /// A newcomer and the words to compare with her.
    pub(crate) fn newcomer(self, id: u32, alias: &str, words: &WordIndices) -> Shown {
        let values = [&*clean(alias), &*id.to_string(), &*for_people(words)];
        (
            json!({ "event": "newcomer-arrived", "id": id, "alias": alias, "words": both(words) }),
            self.fill(Key::NewcomerArrived, &values),
        )
    }

    fn invite_ended(self, id: u32, reason: InviteEnd) -> Shown {
        let key = match reason {
            InviteEnd::Expired => Key::InviteExpired,
            InviteEnd::Revoked => Key::InviteRevoked,
            InviteEnd::Unusable => Key::InviteUnusable,
        };
        let object = json!({ "event": "invite-ended", "id": id, "reason": reason });
        (object, self.fill(key, &[&id.to_string()]))
    }

    fn conversation_event(self, id: ConversationId, event: &ConversationEvent) -> Shown {
        let number = id.number();
        let plain = |name: &str, key: Key| {
            let text = self.fill(Key::Conversation, &[&number.to_string(), self.text(key)]);
            (json!({ "event": name, "conversation": number }), text)
        };
        let quiet = |name: &str, message: &cobijo_protocol::content::MessageId| {
            let message = HEXLOWER.encode(message.as_bytes());
            let object = json!({ "event": name, "conversation": number, "message": message });
            (object, String::new())
        };
        match event {
            ConversationEvent::Entry(entry) => self.live_entry(id, entry),
            ConversationEvent::Stored(message) => quiet("stored", message),
            ConversationEvent::Unconfirmed(message) => quiet("unconfirmed", message),
            ConversationEvent::Confirmed(message) => quiet("confirmed", message),
            ConversationEvent::Withdrawn(message) => {
                let (object, _) = quiet("withdrawn", message);
                (object, plain("", Key::MessageWithdrawn).1)
            }
            // Whoever compares looks the words up; that they are others says nothing by itself.
            ConversationEvent::CodeChanged => (
                json!({ "event": "code-changed", "conversation": number }),
                String::new(),
            ),
            ConversationEvent::Blocking => plain("blocking", Key::Blocking),
            ConversationEvent::NotAdded => plain("not-added", Key::NotAdded),
            ConversationEvent::ChangeRefused => plain("change-refused", Key::ChangeRefused),
            ConversationEvent::DeskOffers(speaker, reads) => {
                let key = match reads {
                    Reads::FromNow => Key::DeskOffers,
                    Reads::Summary => Key::DeskOffersSummary,
                };
                let text = self.fill(key, &[&self.speaker(speaker)]);
                let object = json!({
                    "event": "desk-offers", "conversation": number, "who": object_of(speaker),
                    "reads": reads,
                });
                (object, text)
            }
            ConversationEvent::NoLongerAtDesk(speaker) => self.no_longer_at_desk(number, speaker),
            ConversationEvent::MembersChanged => (
                json!({ "event": "members-changed", "conversation": number }),
                String::new(),
            ),
            ConversationEvent::File(file) => self.file_event(number, file),
            ConversationEvent::Closed => (
                json!({ "event": "closed", "conversation": number }),
                String::new(),
            ),
            ConversationEvent::Proposed(message) => quiet("proposed", message),
            ConversationEvent::Invited(_) => plain("circle-invited", Key::InvitedHint),
            ConversationEvent::AliasStands => plain("alias-stands", Key::AliasStands),
            ConversationEvent::AsksAgain { alias } => self.asks_again(id, alias),
            // The view shows it.
            ConversationEvent::SummaryChanged => (json!({}), String::new()),
            ConversationEvent::Stopped(stopped) => {
                let text = stopped_key(*stopped).map_or_else(String::new, |key| plain("", key).1);
                let object =
                    json!({ "event": "stopped", "conversation": number, "reason": stopped });
                (object, text)
            }
        }
    }

    fn no_longer_at_desk(self, number: u32, speaker: &Speaker) -> Shown {
        let alias = match speaker {
            Speaker::Member { alias, .. } | Speaker::Pseudonym(alias) => clean(alias),
            Speaker::Person => self.text(Key::APerson).into(),
        };
        let values = [&*self.speaker(speaker), &*number.to_string(), &*alias];
        let object = json!({
            "event": "no-longer-at-desk", "conversation": number, "who": object_of(speaker)
        });
        (object, self.fill(Key::NoLongerAtDesk, &values))
    }

    /// An entry as it comes; what one has just typed is not repeated to people.
    fn live_entry(self, id: ConversationId, entry: &Entry) -> Shown {
        let (mut object, text) = self.entry(entry);
        object["event"] = "entry".into();
        object["conversation"] = id.number().into();
        let is_echo = entry.own && matches!(entry.content, EntryContent::Text(_));
        if is_echo {
            return (object, String::new());
        }
        (
            object,
            self.fill(Key::Conversation, &[&id.number().to_string(), &text]),
        )
    }
}

/// What is said to whoever can't go on here.
pub(crate) fn locked_key(why: Locked) -> Key {
    match why {
        Locked::Elsewhere => Key::Paused,
        Locked::Stopped => Key::ReturnStopped,
        Locked::Unjoinable => Key::Unjoinable,
    }
}

/// What is said of it; who left has been told.
fn stopped_key(stopped: Stopped) -> Option<Key> {
    Some(match stopped {
        Stopped::Broken => Key::StoppedBroken,
        Stopped::Stale => Key::StoppedStale,
        Stopped::UnknownRules => Key::StoppedRules,
        Stopped::Removed => Key::StoppedRemoved,
        Stopped::Returned => Key::Paused,
        Stopped::Wiped => Key::StoppedWiped,
        Stopped::Left => return None,
    })
}
/// The words in both lists: two people who compare may have different languages.
fn both(indices: &WordIndices) -> Value {
    json!({ "es": words(indices, Language::Es), "en": words(indices, Language::En) })
}

fn for_people(indices: &WordIndices) -> String {
    format!(
        "{} / {}",
        words(indices, Language::Es),
        words(indices, Language::En)
    )
}

/// With the full stop that the text around it expects.
fn sentence(text: &str) -> String {
    if text.ends_with(['.', '!', '?', '…']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

#[cfg(test)]
mod tests {
    use cobijo_client_core::core::client::{IntakeFailure, JoinFailure};

    use super::*;

    #[test]
    fn what_could_not_be_left_or_joined_is_said_in_both_languages() {
        let failures = [
            Event::IntakeFailed(IntakeFailure::Full),
            Event::JoinFailed(JoinFailure::Used),
        ];
        for failure in failures {
            let [es, en] = [Language::Es, Language::En].map(|language| {
                let json = false;
                Screen { language, json }.event(&failure).unwrap().1
            });
            assert!(!es.is_empty() && !en.is_empty() && es != en);
        }
    }
}
