//! A desk whose members tell each other of a person.

use cobijo_client_core::core::client::{
    BoardRowView, BoardView, ClosingReason, Command, CommandError, PeopleCommand, TeamCommand,
};
use cobijo_protocol::{
    card::Role,
    handover::{BoardRow, TeamNotes},
    keys::PublicKey,
    link::DeskLink,
};

use super::World;

/// A coordinator, two accompaniers, of whom the first answers a person, and that person.
pub(crate) struct Team {
    pub(crate) world: World,
    pub(crate) link: DeskLink,
    pub(crate) mar: usize,
    pub(crate) luz: usize,
    pub(crate) eva: usize,
    pub(crate) ana: usize,
}

impl Team {
    pub(crate) fn new() -> Self {
        let mut world = World::new();
        let (mar, link) = world.desk();
        let luz = world.join(mar, "Luz", Role::Accompanier);
        let eva = world.join(mar, "Eva", Role::Accompanier);
        world.team(luz, TeamCommand::StartShift).unwrap();
        let ana = world.person(&link, "¿Están ahí?");
        world.claim(luz).unwrap();
        Self {
            world,
            link,
            mar,
            luz,
            eva,
            ana,
        }
    }

    /// Names the conversation.
    pub(crate) fn person(&self) -> PublicKey {
        self.board(self.luz).rows[0].person
    }

    pub(crate) fn board(&self, client: usize) -> BoardView {
        self.world.clients[client].client.board()
    }

    /// What stands of the person's conversation.
    pub(crate) fn row(&self, client: usize, person: PublicKey) -> Option<BoardRowView> {
        let mut rows = self.board(client).rows.into_iter();
        rows.find(|row| row.person == person)
    }

    /// What the board says of her, and in which version.
    pub(crate) fn state(&self, client: usize, person: PublicKey) -> Option<(String, u64)> {
        let row = self.row(client, person)?.row?.what;
        Some((row.state, row.version))
    }

    pub(crate) fn people(
        &mut self,
        client: usize,
        command: PeopleCommand,
    ) -> Result<(), CommandError> {
        self.world.team(client, TeamCommand::People(command))
    }

    pub(crate) fn write(
        &mut self,
        client: usize,
        person: PublicKey,
        version: u64,
        state: &str,
    ) -> Result<(), CommandError> {
        let row = row(person, version, state);
        self.people(client, PeopleCommand::WriteRow(row))
    }

    pub(crate) fn write_notes(&mut self, client: usize, person: PublicKey, needs: &str) {
        let notes = TeamNotes {
            person,
            version: 1,
            needs: needs.to_owned(),
            agreements: String::new(),
            risks: String::new(),
            referrals: String::new(),
            next_step: String::new(),
        };
        self.people(client, PeopleCommand::WriteNotes(notes))
            .unwrap();
    }

    /// The answering accompanier closes.
    pub(crate) fn close(&mut self, reason: ClosingReason, block: bool) {
        let conversation = self.world.conversation(self.luz).id;
        let close = PeopleCommand::Close {
            conversation,
            reason,
            block,
        };
        self.people(self.luz, close).unwrap();
    }

    pub(crate) fn ask_desk(&mut self, text: &str) {
        use cobijo_client_core::core::client::PersonCommand;
        let conversation = self.world.conversation(self.ana).id;
        let ask = PersonCommand::AskDesk {
            conversation,
            text: text.to_owned(),
        };
        self.world.command(self.ana, Command::Person(ask)).unwrap();
    }

    /// Whether a word stands on a client's disk.
    pub(crate) fn remembers(&self, client: usize, word: &str) -> bool {
        let disk = &self.world.clients[client].disk;
        disk.windows(word.len()).any(|part| part == word.as_bytes())
    }
}

pub(crate) fn row(person: PublicKey, version: u64, state: &str) -> BoardRow {
    BoardRow {
        person,
        version,
        state: state.to_owned(),
        next_step: String::new(),
        safety: String::new(),
    }
}
