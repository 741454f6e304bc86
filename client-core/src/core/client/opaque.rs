//! Texts, names, links and keys of people show in no debug line, whoever embeds the client.

use super::{
    BlockedView, BoardRowView, BoardView, ColleagueView, Command, ConversationEvent,
    ConversationView, DebriefView, DeskView, Entry, EntryContent, Event, FileCommand, FileId,
    FileView, FileWork, HelpView, InviteView, JoiningView, MemberView, Next, OutgoingFile,
    PartDone, PeopleCommand, PersonCommand, PersonView, ProposalView, QueueRow, Speaker, Standing,
    SummaryView, TeamCommand, WordView,
};

impl<T> std::fmt::Debug for super::Told<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Told").finish_non_exhaustive()
    }
}

/// Debugs types by their name alone.
macro_rules! opaque_debug {
    ($($name:ident),+ $(,)?) => {
        $(
            impl std::fmt::Debug for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.debug_struct(stringify!($name)).finish_non_exhaustive()
                }
            }
        )+
    };
}

opaque_debug!(Command, PersonCommand, TeamCommand);
opaque_debug!(Event, ConversationEvent, PeopleCommand);
opaque_debug!(
    BoardView,
    BoardRowView,
    HelpView,
    WordView,
    BlockedView,
    DebriefView
);
opaque_debug!(
    FileCommand,
    FileId,
    FileView,
    FileWork,
    OutgoingFile,
    PartDone
);
opaque_debug!(
    Standing,
    PersonView,
    JoiningView,
    DeskView,
    ColleagueView,
    InviteView,
    QueueRow
);
opaque_debug!(
    ConversationView,
    MemberView,
    Speaker,
    ProposalView,
    Entry,
    EntryContent,
    SummaryView,
    Next
);

#[cfg(test)]
mod tests {
    use cobijo_protocol::{
        card::Role,
        content::{MessageId, Purpose, Reads},
        keys::SecretKey,
        link::DeskLink,
    };

    use super::*;
    use crate::core::{
        client::{
            ConversationId, EntryState, InviteId, PersonStage, QueueReason, QueueState, RowId,
        },
        port::Now,
    };

    /// What stands for everything that is about somebody.
    const SECRET: &str = "zarzamora";

    #[test]
    fn no_text_or_name_of_a_conversation_shows_in_a_debug_line() {
        let asked = EntryContent::Proposal {
            alias: text(),
            role: Role::Accompanier,
            purpose: Purpose::Accompany,
            reason: text(),
            reads: Reads::FromNow,
        };
        let entry = Entry {
            id: None,
            clock: 1,
            at: Now::default(),
            author: Some(speaker()),
            own: false,
            content: EntryContent::Text(text()),
            state: EntryState::Stored,
        };
        let proposal = ProposalView {
            id: MessageId::from_bytes([7; 16]),
            by: Some(speaker()),
            alias: text(),
            role: Role::Accompanier,
            purpose: Purpose::Accompany,
            reason: text(),
            reads: Reads::FromNow,
            ends: None,
            also_read_by: vec![text()],
        };
        let summary = SummaryView {
            id: proposal.id,
            version: 1,
            text: text(),
            author: Some(speaker()),
            own: false,
            state: EntryState::Stored,
        };
        let next = Next {
            alias: text(),
            role: Role::Accompanier,
            reason: text(),
        };
        let conversation = ConversationView {
            id: ConversationId::from_number(1),
            alias: None,
            members: vec![member()],
            code: None,
            open: true,
            closed: false,
            erased: None,
            proposals: vec![proposal.clone()],
            files: Vec::new(),
            circle: None,
            invitations: Vec::new(),
            summary: Some(summary.clone()),
        };
        let offer = ConversationEvent::DeskOffers(speaker(), Reads::FromNow);
        let said = ConversationEvent::Entry(entry.clone());
        let said = Event::Conversation(conversation.id, said);
        tells_nothing(&[&summary, &next]);
        tells_nothing(&[&asked, &entry, &entry.content, &proposal, &conversation]);
        tells_nothing(&[&member(), &speaker(), &offer, &said]);
    }

    #[test]
    fn no_text_name_or_link_of_a_desk_or_a_person_shows_in_a_debug_line() {
        let row = QueueRow {
            id: RowId::from_number(1),
            alias: [0; 2],
            since: Now::default(),
            language: text(),
            reason: QueueReason::First,
            state: QueueState::Answered,
            passed: false,
            by: Some(text()),
        };
        let invite = InviteView {
            id: InviteId::from_number(1),
            until: Now::default(),
            newcomer: Some((text(), [1; 6])),
            admitted: false,
        };
        let colleague = ColleagueView {
            key: member().key,
            alias: text(),
            role: Role::Accompanier,
            key_packages: 1,
            own: false,
        };
        let link = format!("https://{SECRET}.example/#AAAAAAAAAAAAAAAAAAAAAA");
        let person = PersonView {
            link: DeskLink::parse(&link).unwrap(),
            stage: PersonStage::Waiting,
            conversation: None,
            phrase: false,
            left_to_erase: 0,
        };
        let add = || PersonCommand::Add(text());
        tells_nothing(&[
            &row,
            &invite,
            &colleague,
            &person,
            &Standing::Person(person.clone()),
        ]);
        tells_nothing(&[&add(), &Command::Person(add())]);
    }

    fn tells_nothing(values: &[&dyn std::fmt::Debug]) {
        let key = data_encoding::HEXLOWER.encode(member().key.as_bytes());
        for value in values {
            let line = format!("{value:?}");
            assert!(!line.contains(SECRET) && !line.contains(&key), "{line}");
        }
    }

    fn text() -> String {
        SECRET.to_owned()
    }

    fn speaker() -> Speaker {
        Speaker::Member {
            alias: text(),
            role: Role::Accompanier,
        }
    }

    fn member() -> MemberView {
        MemberView {
            speaker: speaker(),
            key: SecretKey::from_bytes([7; 32]).public(),
            own: false,
            arriving: false,
            former: false,
        }
    }
}
