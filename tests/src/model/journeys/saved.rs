//! What a disk says of its conversations: the groups that carry them, and the secrets of their epochs.

use cobijo_client_core::core::client::ConversationId;
use cobijo_protocol::slot::ThreadSecret;
use serde::{Deserialize, de::IgnoredAny};
use serde_bytes::ByteBuf;

/// A conversation on a disk.
#[derive(Deserialize)]
pub(super) struct Talk {
    pub(super) id: ConversationId,
    conversation: Conversation,
}

#[derive(Deserialize)]
struct Conversation {
    group: Group,
}

#[derive(Deserialize)]
struct Group {
    mls: Mls,
    facts: Facts,
}

#[derive(Deserialize)]
struct Mls {
    group: ByteBuf,
}

#[derive(Deserialize)]
struct Facts {
    secret: ThreadSecret,
}

#[derive(Deserialize)]
struct State {
    side: Side,
}

#[derive(Deserialize)]
enum Side {
    Fresh,
    Finding(Finding),
    Person(Person),
    Team(Team),
}

#[derive(Deserialize)]
struct Finding {
    before: Option<Person>,
}

#[derive(Deserialize)]
struct Person {
    conversation: Option<Talk>,
    ended: Vec<Talk>,
}

#[derive(Deserialize)]
enum Team {
    Newcomer(IgnoredAny),
    Member(Member),
}

#[derive(Deserialize)]
struct Member {
    conversations: Conversations,
}

#[derive(Deserialize)]
struct Conversations {
    list: Vec<Talk>,
}

impl Talk {
    /// The id of its group.
    pub(super) fn group(&self) -> &[u8] {
        &self.conversation.group.mls.group
    }

    /// The thread secret of its epoch.
    pub(super) fn secret(&self) -> ThreadSecret {
        self.conversation.group.facts.secret.clone()
    }
}

/// The conversations on a disk.
pub(super) fn talks(disk: &[u8]) -> Vec<Talk> {
    let Some((_version, state)) = disk.split_first() else {
        return Vec::new();
    };
    let state: State = ciborium::from_reader(state).unwrap();
    let of_person = |person: Person| person.ended.into_iter().chain(person.conversation);
    match state.side {
        Side::Fresh | Side::Team(Team::Newcomer(_)) => Vec::new(),
        Side::Finding(finding) => finding.before.into_iter().flat_map(of_person).collect(),
        Side::Person(person) => of_person(person).collect(),
        Side::Team(Team::Member(member)) => member.conversations.list,
    }
}
