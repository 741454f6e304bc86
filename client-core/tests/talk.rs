//! People and a desk, from the first message on, over a relay in memory and in virtual time.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

mod world;

use std::time::Duration;

use cobijo_client_core::core::client::{
    Command, CommandError, Entry, EntryContent, Event, PersonCommand, PersonStage, QueueReason,
    QueueState, RowId, Speaker, Standing, TeamCommand,
};
use cobijo_protocol::{
    card::Role,
    content::{Purpose, Reads},
};
use world::World;

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn a_person_writes_and_is_answered_and_both_talk() {
    let (mut world, luz, ana) = waiting();
    let rows = world.clients[luz].client.queue();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].reason, QueueReason::First);
    assert_eq!(rows[0].language, "es");
    world.claim(luz).unwrap();
    world.say(luz, "Hola, soy Luz").unwrap();
    world.say(ana, "Gracias").unwrap();
    let all = ["¿Están ahí?", "Hola, soy Luz", "Gracias"];
    assert_eq!(world.texts(luz), all);
    assert_eq!(world.texts(ana), all);
    assert_eq!(world.room(ana), ["Luz"]);
    let code = world.conversation(ana).code;
    assert!(code.is_some() && code == world.conversation(luz).code);
    assert_eq!(world.clients[luz].client.queue(), []);
}

/// What is due may be done only where it is saved.
#[test]
fn a_frame_that_says_nothing_changes_nothing() {
    let mut world = World::new();
    let (mar, _) = world.desk();
    // The desk key is due to be renewed, and nobody has been told the time yet.
    world.now = world.now.plus(Duration::from_secs(25 * 86_400));
    let before = world.clients[mar].client.snapshot();
    world.push_nothing(mar);
    assert!(before == world.clients[mar].client.snapshot());
    world.settle();
    assert!(before != world.clients[mar].client.snapshot());
}

#[test]
fn what_is_refused_leaves_the_profile_as_it_was() {
    let (mut world, luz, ana) = waiting();
    world.claim(luz).unwrap();
    let (unknown, of_luz) = (RowId::from_number(99), world.key(luz));
    let conversation = world.conversation(luz).id;
    let propose = TeamCommand::Propose {
        conversation,
        colleague: of_luz,
        purpose: Purpose::Accompany,
        reason: String::new(),
        reads: Reads::FromNow,
    };
    let too_long = "x".repeat(300_000);
    let say = |world: &World, client| Command::Say {
        conversation: world.conversation(client).id,
        text: too_long.clone(),
    };
    let refused = [
        (luz, say(&world, luz), CommandError::TooLong),
        (ana, say(&world, ana), CommandError::TooLong),
        (
            luz,
            Command::Team(TeamCommand::Claim(unknown)),
            CommandError::Unknown,
        ),
        (luz, Command::Team(propose), CommandError::Yourself),
    ];
    for (client, command, error) in refused {
        let before = world.clients[client].client.snapshot();
        assert_eq!(world.command(client, command), Err(error));
        assert!(
            before == world.clients[client].client.snapshot(),
            "{error:?}"
        );
    }
}

#[test]
fn an_answered_persons_item_is_removed_from_the_mailbox() {
    let (mut world, luz, _) = waiting();
    let mailbox = world.mailbox(&world.desk_view(0).link);
    assert_eq!(world.relay.items(&mailbox), 1);
    world.claim(luz).unwrap();
    assert_eq!(world.relay.items(&mailbox), 0);
}

#[test]
fn two_accompaniers_race_and_one_answers() {
    let (mut world, luz, ana) = waiting();
    let eva = world.join(0, "Eva", Role::Accompanier);
    world.team(eva, TeamCommand::StartShift).unwrap();
    let race: Vec<_> = [luz, eva]
        .into_iter()
        .map(|client| {
            let row = world.clients[client].client.queue()[0].id;
            (client, Command::Team(TeamCommand::Claim(row)))
        })
        .collect();
    world.commands_at_once(race);
    world.wait(HOUR);
    let won = |event: &Event| matches!(event, Event::ClaimWon { .. });
    let winners = [luz, eva].map(|client| world.saw(client, won));
    assert_eq!(winners.iter().filter(|won| **won).count(), 1);
    assert_eq!(world.room(ana).len(), 1);
    for client in [luz, eva] {
        let rows = world.clients[client].client.queue();
        assert!(rows.iter().all(|row| row.state == QueueState::Answered));
    }
    // Neither what a colleague says nor her reply proves that the person could join: the row stays, last.
    let loser = if winners[0] { eva } else { luz };
    let winner = world.room(ana).remove(0);
    for _ in 0..2 {
        let rows = world.clients[loser].client.queue();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].by.as_ref(), Some(&winner));
        world.claim(loser).unwrap();
        world.wait(HOUR);
    }
    assert_eq!(world.room(ana), [winner]);
}

#[test]
fn a_colleague_is_in_the_room_by_the_persons_yes_alone() {
    let (mut world, luz, ana) = talking();
    let eva = world.join(0, "Eva", Role::Accompanier);
    propose(&mut world, luz, eva).unwrap();
    let proposals = world.conversation(ana).proposals;
    assert_eq!(proposals.len(), 1);
    assert_eq!(proposals[0].alias, "Eva");
    assert!(world.clients[eva].client.conversations().is_empty());
    let conversation = world.conversation(ana).id;
    let accept = PersonCommand::Accept {
        conversation,
        proposal: proposals[0].id,
        reads: Reads::Summary,
    };
    world.command(ana, Command::Person(accept)).unwrap();
    world.say(eva, "Hola, soy Eva").unwrap();
    for client in [luz, ana] {
        assert_eq!(world.room(client), ["Luz", "Eva"]);
        assert_eq!(world.texts(client).last().unwrap(), "Hola, soy Eva");
    }
    // What was said before is not hers to read.
    assert_eq!(world.texts(eva), ["Hola, soy Eva"]);
    assert!(world.saw(eva, |event| matches!(event, Event::ConversationJoined(_))));
}

#[test]
fn a_taken_key_package_is_replaced() {
    let (mut world, luz, _) = talking();
    let eva = world.join(0, "Eva", Role::Accompanier);
    propose(&mut world, luz, eva).unwrap();
    let key = world.key(eva);
    let colleagues = world.desk_view(luz).colleagues;
    let left = colleagues.iter().find(|one| one.key == key).unwrap();
    assert_eq!(left.key_packages, 4);
}

/// [P-10]
#[test]
fn who_was_attested_before_the_desk_key_changed_is_attested_anew_and_can_be_proposed() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    world.team(mar, TeamCommand::RenewDeskKey).unwrap();
    let sol = world.join(mar, "Sol", Role::Accompanier);
    world.team(sol, TeamCommand::StartShift).unwrap();
    let ana = world.person(&link, "Hola");
    world.claim(sol).unwrap();
    propose(&mut world, sol, luz).unwrap();
    world.accept(ana);
    assert_eq!(world.room(ana), ["Sol", "Luz"]);
}

#[test]
fn two_who_take_one_key_package_both_propose_in_the_end() {
    let (mut world, luz, ana) = talking();
    let sol = world.join(0, "Sol", Role::Accompanier);
    world.team(sol, TeamCommand::StartShift).unwrap();
    let link = world.desk_view(0).link;
    let ida = world.person(&link, "Hola");
    world.claim(sol).unwrap();
    let eva = world.join(0, "Eva", Role::Accompanier);
    let race = [luz, sol].map(|client| (client, proposal(&world, client, eva)));
    world.commands_at_once(race.into_iter().collect());
    for person in [ana, ida] {
        assert_eq!(world.conversation(person).proposals.len(), 1);
        world.accept(person);
    }
    assert_eq!(world.room(ana), ["Luz", "Eva"]);
    assert_eq!(world.room(ida), ["Sol", "Eva"]);
    assert_eq!(world.clients[eva].client.conversations().len(), 2);
}

#[test]
fn a_claim_survives_a_crash_after_every_frame() {
    for frames in 1..12 {
        let (mut world, luz, ana) = waiting();
        let row = world.clients[luz].client.queue()[0].id;
        let claim = Command::Team(TeamCommand::Claim(row));
        world.command_and_crash(luz, claim, frames);
        assert_eq!(world.room(ana), ["Luz"], "after {frames} frames");
        world.say(luz, "Hola").unwrap();
        let all = ["¿Están ahí?", "Hola"];
        assert_eq!(world.texts(ana), all, "after {frames} frames");
        assert_eq!(world.texts(luz), all, "after {frames} frames");
    }
}

#[test]
fn a_proposal_and_her_yes_survive_a_crash_after_every_frame() {
    for frames in 1..6 {
        let (mut world, luz, ana) = talking();
        let eva = world.join(0, "Eva", Role::Accompanier);
        let command = proposal(&world, luz, eva);
        world.command_and_crash(luz, command, frames);
        let room = world.conversation(ana);
        assert_eq!(room.proposals.len(), 1, "after {frames} frames");
        let accept = PersonCommand::Accept {
            conversation: room.id,
            proposal: room.proposals[0].id,
            reads: Reads::Summary,
        };
        world.command_and_crash(ana, Command::Person(accept), frames);
        for client in [ana, luz, eva] {
            assert_eq!(world.room(client), ["Luz", "Eva"], "after {frames} frames");
        }
    }
}

#[test]
fn nobody_proposes_herself_or_a_stranger() {
    let (mut world, luz, _) = talking();
    let own = propose(&mut world, luz, luz);
    assert_eq!(own, Err(CommandError::Yourself));
    let conversation = world.conversation(luz).id;
    let stranger = TeamCommand::Propose {
        conversation,
        colleague: cobijo_protocol::keys::SecretKey::from_bytes([9; 32]).public(),
        purpose: Purpose::Accompany,
        reason: String::new(),
        reads: Reads::FromNow,
    };
    assert_eq!(world.team(luz, stranger), Err(CommandError::Unknown));
}

#[test]
fn who_is_removed_from_the_desk_is_removed_from_the_conversations_of_her_colleagues() {
    let (mut world, luz, ana) = talking();
    let eva = world.join(0, "Eva", Role::Accompanier);
    propose(&mut world, luz, eva).unwrap();
    world.accept(ana);
    assert_eq!(world.room(ana), ["Luz", "Eva"]);
    let key = world.key(eva);
    world.team(0, TeamCommand::RemoveMember(key)).unwrap();
    world.wait(HOUR);
    assert_eq!(world.room(ana), ["Luz"]);
    assert_eq!(world.room(luz), ["Luz"]);
    assert_eq!(world.clients[eva].client.standing(), Standing::Removed);
}

#[test]
fn who_was_removed_from_the_desk_before_she_came_in_is_removed_when_she_does() {
    let (mut world, luz, ana) = talking();
    let eva = world.join(0, "Eva", Role::Accompanier);
    propose(&mut world, luz, eva).unwrap();
    let link = world.desk_view(0).link;
    let before = world.relay.cards[&link.desk].clone();
    let key = world.key(eva);
    world.team(0, TeamCommand::RemoveMember(key)).unwrap();
    // The relay shows her the card of before: to her client Eva is still of the desk.
    world.relay.cards.insert(link.desk, before);
    world.accept(ana);
    let history = world.clients[ana]
        .client
        .history(world.conversation(ana).id);
    let came = |entry: &Entry| matches!(&entry.content, EntryContent::Joined(Speaker::Member { alias, .. }) if alias == "Eva");
    assert!(history.iter().any(came));
    assert_eq!(world.room(ana), ["Luz"]);
}

///
#[test]
fn who_left_and_is_let_in_again_by_her_yes_writes_there_again() {
    let (mut world, luz, ana) = talking();
    let conversation = world.conversation(luz).id;
    world.command(luz, Command::Leave(conversation)).unwrap();
    world.wait(HOUR);
    assert_eq!(world.room(ana), Vec::<String>::new());
    let ask = PersonCommand::AskDesk {
        conversation: world.conversation(ana).id,
        text: "¿Puedes volver?".to_owned(),
    };
    world.command(ana, Command::Person(ask)).unwrap();
    world.claim(luz).unwrap();
    world.accept(ana);
    world.wait(HOUR);
    assert_eq!(world.room(ana), ["Luz"]);
    assert!(world.conversation(luz).open);
    world.say(luz, "Aquí estoy").unwrap();
    assert_eq!(world.texts(ana).last().unwrap(), "Aquí estoy");
}

#[test]
fn when_nobody_answers_the_desk_sends_a_colleague() {
    let (mut world, luz, ana) = talking();
    world.team(luz, TeamCommand::EndShift).unwrap();
    let eva = world.join(0, "Eva", Role::Accompanier);
    world.team(eva, TeamCommand::StartShift).unwrap();
    let conversation = world.conversation(ana).id;
    let ask = PersonCommand::AskDesk {
        conversation,
        text: "Luz no responde".to_owned(),
    };
    world.command(ana, Command::Person(ask)).unwrap();
    let rows = world.clients[eva].client.queue();
    assert_eq!(rows[0].reason, QueueReason::CameBack);
    world.claim(eva).unwrap();
    world.accept(ana);
    world.wait(HOUR);
    assert_eq!(world.room(ana), ["Luz", "Eva"]);
    world.say(eva, "Aquí estoy").unwrap();
    assert_eq!(world.texts(eva), ["Luz no responde", "Aquí estoy"]);
    assert_eq!(world.texts(ana).last().unwrap(), "Aquí estoy");
}

#[test]
fn a_person_waits_over_a_restart_of_everybody() {
    let (mut world, luz, ana) = waiting();
    for client in 0..world.clients.len() {
        world.restart(client);
    }
    world.claim(luz).unwrap();
    world.restart(luz);
    world.restart(ana);
    world.wait(HOUR);
    world.say(luz, "Hola").unwrap();
    world.restart(ana);
    assert_eq!(world.texts(ana), ["¿Están ahí?", "Hola"]);
    let Standing::Person(person) = world.clients[ana].client.standing() else {
        unreachable!()
    };
    assert_eq!(person.stage, PersonStage::Talking);
}

#[test]
fn a_row_that_is_dismissed_leaves_the_queue_and_the_mailbox_and_colleagues_may_answer_anyway() {
    let (mut world, luz, ana) = waiting();
    let mar = 0;
    world.team(mar, TeamCommand::StartShift).unwrap();
    let mailbox = world.mailbox(&world.link(mar));
    let row = world.clients[luz].client.queue()[0].id;
    let dismiss = || TeamCommand::Dismiss(row);
    world.team(luz, dismiss()).unwrap();
    assert_eq!(world.waiting(luz), 0);
    assert_eq!(world.relay.items(&mailbox), 0);
    assert_eq!(world.team(luz, dismiss()), Err(CommandError::Unknown));
    world.restart(luz);
    assert_eq!(world.waiting(luz), 0);
    let seen = world.clients[mar].client.queue();
    assert_eq!(seen[0].state, QueueState::Answered);
    assert_eq!(seen[0].by.as_deref(), Some("Luz"));
    world.claim(mar).unwrap();
    assert_eq!(world.room(ana), ["Mar"]);
}

#[test]
fn nobody_dismisses_whom_somebody_answers_or_off_shift() {
    let (mut world, luz, _) = waiting();
    let row = world.clients[luz].client.queue()[0].id;
    world.mute = Some((luz, 0));
    world.team(luz, TeamCommand::Claim(row)).unwrap();
    let dismissed = world.team(luz, TeamCommand::Dismiss(row));
    assert_eq!(dismissed, Err(CommandError::NotNow));
    world.team(luz, TeamCommand::EndShift).unwrap();
    let dismissed = world.team(luz, TeamCommand::Dismiss(row));
    assert_eq!(dismissed, Err(CommandError::NotOnShift));
}

#[test]
fn nobody_is_shown_the_queue_off_shift() {
    let (mut world, luz, _) = waiting();
    world.team(luz, TeamCommand::EndShift).unwrap();
    assert_eq!(world.clients[luz].client.queue(), []);
    assert_eq!(world.claim(luz), Err(CommandError::Unknown));
    world.team(luz, TeamCommand::StartShift).unwrap();
    world.claim(luz).unwrap();
    assert_eq!(world.room(luz), ["Luz"]);
}

#[test]
fn a_newcomer_to_the_desk_answers_who_wrote_before_she_came() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let ana = world.person(&link, "¿Están ahí?");
    let luz = world.join(mar, "Luz", Role::Accompanier);
    world.team(luz, TeamCommand::StartShift).unwrap();
    world.claim(luz).unwrap();
    assert_eq!(world.room(ana), ["Luz"]);
}

/// A coordinator (client 0), an accompanier on shift, and a person who waits.
fn waiting() -> (World, usize, usize) {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    world.team(luz, TeamCommand::StartShift).unwrap();
    let ana = world.person(&link, "¿Están ahí?");
    assert!(world.saw(ana, |event| matches!(event, Event::IntakeStored { .. })));
    (world, luz, ana)
}

fn talking() -> (World, usize, usize) {
    let (mut world, luz, ana) = waiting();
    world.claim(luz).unwrap();
    (world, luz, ana)
}

fn proposal(world: &World, luz: usize, colleague: usize) -> Command {
    Command::Team(TeamCommand::Propose {
        conversation: world.conversation(luz).id,
        colleague: world.key(colleague),
        purpose: Purpose::Accompany,
        reason: "Es abogada".to_owned(),
        reads: Reads::FromNow,
    })
}

fn propose(world: &mut World, luz: usize, colleague: usize) -> Result<(), CommandError> {
    let command = proposal(world, luz, colleague);
    world.command(luz, command)
}
