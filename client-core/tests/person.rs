//! A person's side: what goes wrong before anybody has answered, and what helps when nobody answers.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

mod world;

use std::time::Duration;

use cobijo_client_core::core::client::{
    Client, Command, CommandError, ConversationEvent, Event, IntakeFailure, PersonCommand,
    PersonStage, QueueReason, Speaker, Standing, TeamCommand,
};
use cobijo_protocol::{card::Role, content::Reads};
use world::World;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn without_a_card_she_is_told_and_her_message_goes_out_as_soon_as_there_is_one() {
    let mut world = World::new();
    let (_, link) = world.desk();
    let card = world.relay.cards.remove(&link.desk).unwrap();
    let ana = world.person(&link, "¿Están ahí?");
    assert!(failed(&world, ana, IntakeFailure::NoDesk));
    assert_eq!(stage(&world, ana), PersonStage::Sending);
    world.restart(ana);
    world.relay.cards.insert(link.desk, card);
    world.wait(2 * MINUTE);
    assert_eq!(stage(&world, ana), PersonStage::Waiting);
}

#[test]
fn a_card_that_is_none_is_not_believed() {
    let mut world = World::new();
    let (_, link) = world.desk();
    world.relay.cards.insert(link.desk, b"no card".to_vec());
    let ana = world.person(&link, "¿Están ahí?");
    assert!(failed(&world, ana, IntakeFailure::BadCard));
    assert_eq!(stage(&world, ana), PersonStage::Sending);
}

#[test]
fn a_card_of_last_week_warns_her_and_her_message_goes_out_all_the_same() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    world.clients[mar].client = Client::new();
    world.wait(7 * DAY);
    let ana = world.person(&link, "¿Están ahí?");
    assert!(world.saw(ana, |event| matches!(event, Event::CardExpired)));
    assert_eq!(stage(&world, ana), PersonStage::Waiting);
}

#[test]
fn what_she_adds_is_said_once_and_in_order() {
    let (mut world, luz, ana) = waiting();
    for text in ["Sigo aquí", "Por favor"] {
        person(&mut world, ana, PersonCommand::Add(text.to_owned())).unwrap();
        world.restart(ana);
    }
    assert!(world.saw(ana, |event| matches!(event, Event::AdditionStored)));
    world.claim(luz).unwrap();
    assert_eq!(world.texts(luz), ["¿Están ahí?", "Sigo aquí", "Por favor"]);
    assert_eq!(world.texts(ana), world.texts(luz));
    let late = person(&mut world, ana, PersonCommand::Add("Tarde".to_owned()));
    assert_eq!(late, Err(CommandError::NotNow));
}

#[test]
fn who_stops_waiting_leaves_nothing_that_could_be_answered() {
    let (mut world, luz, ana) = waiting();
    person(&mut world, ana, PersonCommand::StopWaiting).unwrap();
    assert_eq!(stage(&world, ana), PersonStage::Ended);
    world.claim(luz).unwrap();
    assert!(world.saw(luz, |event| matches!(event, Event::ClaimLost(_))));
    assert!(world.clients[luz].client.conversations().is_empty());
    let queue = world.clients[luz].client.queue();
    assert!(
        queue
            .iter()
            .all(|row| row.state == cobijo_client_core::core::client::QueueState::Unanswerable)
    );
}

#[test]
fn her_no_to_an_offer_brings_her_back_into_the_queue() {
    let (mut world, luz, ana) = talking();
    let eva = world.join(0, "Eva", Role::Accompanier);
    world.team(eva, TeamCommand::StartShift).unwrap();
    ask(&mut world, ana).unwrap();
    world.claim(eva).unwrap();
    let offers = |event: &Event| {
        let Event::Conversation(_, ConversationEvent::DeskOffers(speaker, _)) = event else {
            return false;
        };
        matches!(speaker, Speaker::Member { alias, .. } if alias == "Eva")
    };
    assert!(world.saw(ana, offers));
    let (conversation, proposal) = offer(&world, ana);
    let no = PersonCommand::Refuse {
        conversation,
        proposal,
    };
    person(&mut world, ana, no).unwrap();
    assert!(world.conversation(ana).proposals.is_empty());
    assert_eq!(world.room(ana), ["Luz"]);
    // Whoever sees her row may offer next.
    let rows = world.clients[eva].client.queue();
    assert_eq!(rows[0].reason, QueueReason::CameBack);
    world.wait(5 * MINUTE);
    world.claim(luz).unwrap();
    assert_eq!(world.conversation(ana).proposals[0].alias, "Luz");
}

/// [I-12]
#[test]
fn her_yes_to_an_offer_of_somebody_who_left_the_desk_meanwhile_adds_nobody_and_she_is_told() {
    let (mut world, luz, ana) = talking();
    let eva = world.join(0, "Eva", Role::Accompanier);
    let sol = world.join(0, "Sol", Role::Accompanier);
    for client in [eva, sol] {
        world.team(client, TeamCommand::StartShift).unwrap();
    }
    world.team(luz, TeamCommand::EndShift).unwrap();
    ask(&mut world, ana).unwrap();
    world.claim(eva).unwrap();
    let key = world.key(eva);
    world.team(0, TeamCommand::RemoveMember(key)).unwrap();
    accept(&mut world, ana).unwrap();
    let told = |event: &Event| matches!(event, Event::Conversation(_, ConversationEvent::NotAdded));
    assert!(world.saw(ana, told));
    assert_eq!(world.room(ana), ["Luz"]);
    // She still asks: the next one may offer.
    world.wait(5 * MINUTE);
    world.claim(sol).unwrap();
    accept(&mut world, ana).unwrap();
    assert_eq!(world.room(ana), ["Luz", "Sol"]);
}

#[test]
fn who_was_away_too_long_is_let_in_again_by_her_accompanier() {
    let (mut world, luz, ana) = talking();
    away(&mut world, ana, luz);
    assert!(!world.conversation(ana).open);
    ask(&mut world, ana).unwrap();
    world.wait(5 * MINUTE);
    assert!(world.conversation(ana).open);
    world.say(ana, "He vuelto").unwrap();
    world.say(luz, "Qué bien").unwrap();
    assert_eq!(world.texts(ana).last().unwrap(), "Qué bien");
    assert!(world.texts(luz).contains(&"He vuelto".to_owned()));
    assert_eq!(world.clients[ana].client.conversations().len(), 1);
    assert_eq!(world.clients[luz].client.conversations().len(), 1);
    // Her question is answered: nobody else is shown it.
    world.wait(20 * MINUTE);
    assert_eq!(world.clients[luz].client.queue(), []);
}

#[test]
fn who_is_let_in_by_nobody_gets_a_successor_and_sees_one_conversation() {
    let (mut world, luz, ana) = talking();
    world.say(ana, "Me voy un tiempo").unwrap();
    away(&mut world, ana, luz);
    world.team(luz, TeamCommand::EndShift).unwrap();
    world.clients[luz].client = Client::new();
    let eva = world.join(0, "Eva", Role::Accompanier);
    world.team(eva, TeamCommand::StartShift).unwrap();
    ask(&mut world, ana).unwrap();
    assert_eq!(
        world.clients[eva].client.queue(),
        [],
        "ten minutes are for the group's members"
    );
    world.wait(11 * MINUTE);
    assert!(world.saw(eva, |event| matches!(event, Event::QueueChanged)));
    world.claim(eva).unwrap();
    accept(&mut world, ana).unwrap();
    world.say(eva, "Hola, soy Eva").unwrap();
    world.say(ana, "Hola, Eva").unwrap();
    let texts = world.texts(ana);
    assert_eq!(texts[..2], ["¿Están ahí?", "Me voy un tiempo"]);
    assert_eq!(texts[3..], ["Hola, soy Eva", "Hola, Eva"]);
    assert_eq!(world.texts(eva).last().unwrap(), "Hola, Eva");
    assert_eq!(world.clients[ana].client.conversations().len(), 1);
    assert_eq!(stage(&world, ana), PersonStage::Talking);
}

#[test]
fn her_leave_ends_it_for_everybody() {
    let (mut world, luz, ana) = talking();
    let conversation = world.conversation(ana).id;
    world.command(ana, Command::Leave(conversation)).unwrap();
    world.wait(5 * MINUTE);
    assert_eq!(stage(&world, ana), PersonStage::Ended);
    assert_eq!(ask(&mut world, ana), Err(CommandError::Stopped));
    assert_eq!(world.say(luz, "¿Hola?"), Err(CommandError::Stopped));
    assert!(!world.conversation(luz).open);
}

#[test]
fn whoever_has_ended_a_conversation_writes_again_and_keeps_what_was_said() {
    let (mut world, luz, ana) = talking();
    let first = world.conversation(ana).id;
    assert_eq!(again(&mut world, ana), Err(CommandError::InUse));
    world.command(ana, Command::Leave(first)).unwrap();
    again(&mut world, ana).unwrap();
    world.restart(ana);
    assert_eq!(stage(&world, ana), PersonStage::Waiting);
    assert_eq!(again(&mut world, ana), Err(CommandError::InUse));
    // To the desk she is somebody who comes for the first time.
    let queue = world.clients[luz].client.queue();
    assert_eq!(queue[0].reason, QueueReason::First);
    world.claim(luz).unwrap();
    assert_eq!(stage(&world, ana), PersonStage::Talking);
    let conversations = world.clients[ana].client.conversations();
    let open: Vec<_> = conversations.iter().map(|one| one.open).collect();
    assert_eq!(open, [false, true]);
    let second = conversations[1].id;
    let text = "Sigo aquí".to_owned();
    let say = Command::Say {
        conversation: second,
        text,
    };
    world.command(ana, say).unwrap();
    assert_eq!(world.texts(ana), ["¿Están ahí?"]);
    assert_eq!(world.clients[ana].client.history(second).len(), 2);
    assert_eq!(world.clients[luz].client.conversations().len(), 2);
    // What is over stays over.
    world.wait(5 * MINUTE);
    assert!(!world.conversation(luz).open);
}

#[test]
fn whoever_took_her_message_back_writes_again_at_once() {
    let (mut world, luz, ana) = waiting();
    let stop = Command::Person(PersonCommand::StopWaiting);
    let write = Command::Person(write_again(&world));
    world.commands_at_once(vec![(ana, stop), (ana, write)]);
    assert_eq!(stage(&world, ana), PersonStage::Waiting);
    let rows = world.clients[luz].client.queue();
    assert_eq!(rows.len(), 2);
    for row in rows {
        let _lost = world.team(luz, TeamCommand::Claim(row.id));
    }
    // The message that she took back can't be answered, the other one was.
    assert_eq!(world.clients[luz].client.conversations().len(), 1);
    assert_eq!(world.texts(luz), ["Otra vez yo"]);
    assert_eq!(stage(&world, ana), PersonStage::Talking);
}

#[test]
fn she_removes_an_accompanier_and_writes_on() {
    let (mut world, luz, ana) = talking();
    let conversation = world.conversation(ana);
    let member = conversation
        .members
        .iter()
        .find(|one| !one.own)
        .unwrap()
        .key;
    let remove = PersonCommand::Remove {
        conversation: conversation.id,
        member,
    };
    person(&mut world, ana, remove).unwrap();
    assert_eq!(world.room(ana), Vec::<String>::new());
    assert!(!world.conversation(luz).open);
    assert!(world.conversation(ana).open);
}

///
#[test]
fn whoever_is_alone_with_her_and_no_longer_at_the_desk_is_named_to_her_within_a_day() {
    for restarts in [false, true] {
        let (mut world, luz, ana) = talking();
        world.wait(MINUTE);
        assert!(!world.conversation(ana).members.iter().any(|one| one.former));
        let key = world.key(luz);
        world.team(0, TeamCommand::RemoveMember(key)).unwrap();
        if restarts {
            world.restart(ana);
        } else {
            world.wait(DAY);
        }
        let named = |event: &&Event| matches!(event, Event::Conversation(_, ConversationEvent::NoLongerAtDesk(Speaker::Member { alias, .. })) if alias == "Luz");
        // It is said once, and shown for as long as she is there.
        world.restart(ana);
        world.wait(3 * DAY);
        assert_eq!(world.clients[ana].events.iter().filter(named).count(), 1);
        let room = world.conversation(ana);
        let former = room.members.iter().filter(|one| one.former);
        assert_eq!(former.map(|one| one.key).collect::<Vec<_>>(), [key]);
        let remove = PersonCommand::Remove {
            conversation: room.id,
            member: key,
        };
        person(&mut world, ana, remove).unwrap();
        assert!(!world.conversation(luz).open);
    }
}

/// A coordinator (client 0), an accompanier on shift, and a person who waits.
fn waiting() -> (World, usize, usize) {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    world.team(luz, TeamCommand::StartShift).unwrap();
    let ana = world.person(&link, "¿Están ahí?");
    (world, luz, ana)
}

fn talking() -> (World, usize, usize) {
    let (mut world, luz, ana) = waiting();
    world.claim(luz).unwrap();
    (world, luz, ana)
}

/// She is away for longer than the relay keeps cells; the others look in now and then.
fn away(world: &mut World, ana: usize, luz: usize) {
    world.clients[ana].client = Client::new();
    world.team(luz, TeamCommand::EndShift).unwrap();
    for _ in 0..10 {
        world.wait(10 * DAY);
        world.restart(0);
        world.restart(luz);
    }
    world.team(luz, TeamCommand::StartShift).unwrap();
    world.restart(ana);
}

fn person(world: &mut World, ana: usize, command: PersonCommand) -> Result<(), CommandError> {
    world.command(ana, Command::Person(command))
}

fn write_again(world: &World) -> PersonCommand {
    PersonCommand::Write {
        link: world.link(0),
        language: "es".to_owned(),
        text: "Otra vez yo".to_owned(),
    }
}

fn again(world: &mut World, ana: usize) -> Result<(), CommandError> {
    let write = write_again(world);
    person(world, ana, write)
}

fn ask(world: &mut World, ana: usize) -> Result<(), CommandError> {
    let conversation = world.conversation(ana).id;
    let text = "Nadie contesta".to_owned();
    person(world, ana, PersonCommand::AskDesk { conversation, text })
}

fn offer(
    world: &World,
    ana: usize,
) -> (
    cobijo_client_core::core::client::ConversationId,
    cobijo_protocol::content::MessageId,
) {
    let room = world.conversation(ana);
    (room.id, room.proposals[0].id)
}

fn accept(world: &mut World, ana: usize) -> Result<(), CommandError> {
    let (conversation, proposal) = offer(world, ana);
    let yes = PersonCommand::Accept {
        conversation,
        proposal,
        reads: Reads::Summary,
    };
    person(world, ana, yes)
}

fn stage(world: &World, ana: usize) -> PersonStage {
    match world.clients[ana].client.standing() {
        Standing::Person(person) => person.stage,
        _ => unreachable!("a person"),
    }
}

fn failed(world: &World, ana: usize, failure: IntakeFailure) -> bool {
    world.saw(
        ana,
        |event| matches!(event, Event::IntakeFailed(known) if *known == failure),
    )
}
