//! Circles: who facilitates, who is asked, and under what name she comes.

use cobijo_client_core::core::client::{
    Capacity, CircleCommand, Command, CommandError, ConversationId, ConversationView, Event,
    PersonCommand, Speaker, TeamCommand,
};
use cobijo_protocol::{card::Role, circle::About, keys::PublicKey, link::DeskLink};

use super::World;

/// A desk with its coordinator Mar, its accompaniers Luz and Sol, and persons whom Luz answers.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) link: DeskLink,
    pub(crate) mar: usize,
    pub(crate) luz: usize,
    pub(crate) sol: usize,
    /// Persons, and their conversations as Luz numbers them.
    pub(crate) persons: Vec<(usize, ConversationId)>,
}

impl Scene {
    pub(crate) fn with_persons(count: usize) -> Self {
        let mut world = World::new();
        let (mar, link) = world.desk();
        let luz = world.join(mar, "Luz", Role::Accompanier);
        let sol = world.join(mar, "Sol", Role::Accompanier);
        world.team(luz, TeamCommand::StartShift).unwrap();
        let most = Capacity::try_from(Capacity::MAX).unwrap();
        world.team(luz, TeamCommand::Take(most)).unwrap();
        let mut scene = Self {
            world,
            link,
            mar,
            luz,
            sol,
            persons: Vec::new(),
        };
        for _ in 0..count {
            scene.answer_somebody();
        }
        scene
    }

    /// A person writes, and Luz answers.
    pub(crate) fn answer_somebody(&mut self) -> usize {
        let person = self.world.person(&self.link, "¿Hola?");
        self.world.claim(self.luz).unwrap();
        let events = self.world.clients[self.luz].events.iter().rev();
        let won = { events }.find_map(|event| match event {
            Event::ClaimWon { conversation, .. } => Some(*conversation),
            _ => None,
        });
        self.persons.push((person, won.unwrap()));
        person
    }

    /// Luz creates a circle, with Sol beside her.
    pub(crate) fn circle(&mut self) -> ConversationId {
        let second = Some(self.world.key(self.sol));
        self.create(second)
    }

    pub(crate) fn create(&mut self, second: Option<PublicKey>) -> ConversationId {
        let about = about();
        self.circle_command(CircleCommand::Create { about, second })
            .unwrap();
        circles(&self.world, self.luz).last().unwrap().id
    }

    pub(crate) fn circle_command(&mut self, command: CircleCommand) -> Result<(), CommandError> {
        self.world.team(self.luz, TeamCommand::Circle(command))
    }

    pub(crate) fn invite(&mut self, circle: ConversationId, person: usize) {
        let conversation = self.persons[person].1;
        let invite = CircleCommand::Invite {
            circle,
            conversation,
        };
        self.circle_command(invite).unwrap();
    }

    /// She says yes under that pseudonym.
    pub(crate) fn accept(&mut self, person: usize, alias: &str) -> Result<(), CommandError> {
        let client = self.persons[person].0;
        let room = self.world.conversation(client);
        let invite = room.invitations.iter().find(|one| !one.is_answered);
        let join = PersonCommand::JoinCircle {
            conversation: room.id,
            invite: invite.ok_or(CommandError::Unknown)?.id,
            alias: alias.to_owned(),
        };
        self.world.command(client, Command::Person(join))
    }

    /// All persons come into a circle of Luz's and Sol's, under these pseudonyms.
    pub(crate) fn gathered(aliases: &[&str]) -> (Self, ConversationId) {
        let mut scene = Self::with_persons(aliases.len());
        let circle = scene.circle();
        for (person, alias) in aliases.iter().enumerate() {
            scene.invite(circle, person);
            scene.accept(person, alias).unwrap();
        }
        (scene, circle)
    }
}

pub(crate) fn about() -> About {
    About {
        name: "Los jueves".to_owned(),
        about: "Para quien vive con alguien que la controla.".to_owned(),
    }
}

/// The circles and side rooms of a client.
pub(crate) fn circles(world: &World, client: usize) -> Vec<ConversationView> {
    let mut all = world.clients[client].client.conversations();
    all.retain(|one| one.circle.is_some());
    all
}

/// Who is in the first circle of a client.
pub(crate) fn names(world: &World, client: usize) -> Vec<String> {
    let circle = circles(world, client).remove(0);
    let name = |speaker| match speaker {
        Speaker::Member { alias, .. } | Speaker::Pseudonym(alias) => alias,
        Speaker::Person => panic!("a person without a pseudonym"),
    };
    let members = circle.members.into_iter();
    let mut names: Vec<_> = members.map(|member| name(member.speaker)).collect();
    names.sort();
    names
}

/// What was said in the first circle of a client.
pub(crate) fn said(world: &World, client: usize) -> Vec<String> {
    let circle = circles(world, client).remove(0);
    world.texts_of(client, circle.id)
}

/// Says something in the first circle of a client.
pub(crate) fn say(world: &mut World, client: usize, text: &str) {
    let conversation = circles(world, client).remove(0).id;
    let text = text.to_owned();
    world
        .command(client, Command::Say { conversation, text })
        .unwrap();
}

/// Leaves the first circle of a client.
pub(crate) fn leave(world: &mut World, client: usize) {
    let conversation = circles(world, client).remove(0).id;
    world.command(client, Command::Leave(conversation)).unwrap();
}
