//! Circles and side rooms, over a relay in memory and in virtual time.

#![allow(clippy::unwrap_used, clippy::panic, clippy::wildcard_enum_match_arm)]

mod world;

use std::time::Duration;

use cobijo_client_core::core::client::{
    CircleCommand, Command, CommandError, ConversationEvent, EntryContent, Event, PersonCommand,
    Speaker, TeamCommand,
};
use cobijo_protocol::{capsule::Shows, content::Reads};
use world::{
    circle::{Scene, circles, leave, names, said, say},
    phrase::{back_to, keep},
};

const MINUTE: Duration = Duration::from_secs(60);

/// [O-1] [O-5]
#[test]
fn persons_come_by_a_facilitators_invitation_and_see_each_others_pseudonyms() {
    let (mut scene, _) = Scene::gathered(&["Colibrí", "Jacaranda", "Obsidiana"]);
    let everybody = ["Colibrí", "Jacaranda", "Luz", "Obsidiana", "Sol"];
    let [ana, bea, cai] = [0, 1, 2].map(|at| scene.persons[at].0);
    let world = &mut scene.world;
    for client in [ana, bea, cai, scene.luz, scene.sol] {
        assert_eq!(names(world, client), everybody);
        let circle = circles(world, client).remove(0).circle.unwrap();
        assert_eq!(circle.name.as_deref(), Some("Los jueves"));
        assert_eq!(circle.leads, client == scene.luz || client == scene.sol);
    }
    say(world, bea, "Hoy dormí");
    say(world, scene.sol, "Qué bueno");
    for client in [ana, cai, scene.luz] {
        assert_eq!(said(world, client), ["Hoy dormí", "Qué bueno"]);
    }
    world.restart(ana);
    say(world, ana, "Yo también");
    assert_eq!(said(world, bea).last().unwrap(), "Yo también");
    // Nothing of it stands in their conversations.
    assert!(world.texts(bea).iter().all(|text| text == "¿Hola?"));
}

/// [O-3]
#[test]
fn she_is_told_who_facilitates_and_how_many_there_are_and_her_no_is_silent() {
    let (mut scene, circle) = Scene::gathered(&["Colibrí"]);
    let bea = scene.answer_somebody();
    scene.invite(circle, 1);
    let room = scene.world.conversation(bea);
    let invitation = room.invitations[0].clone();
    assert_eq!(invitation.name, "Los jueves");
    assert_eq!(invitation.members, 3);
    let names: Vec<_> = invitation
        .facilitators
        .iter()
        .map(|one| one.0.as_str())
        .collect();
    assert_eq!(names, ["Luz", "Sol"]);
    let cells = scene.world.relay.full();
    let refuse = PersonCommand::RefuseCircle {
        conversation: room.id,
        invite: invitation.id,
    };
    scene.world.command(bea, Command::Person(refuse)).unwrap();
    assert!(scene.world.conversation(bea).invitations.is_empty());
    assert_eq!(scene.world.relay.full(), cells);
    assert_eq!(scene.accept(1, "Jacaranda"), Err(CommandError::Unknown));
}

/// [O-2]
#[test]
fn nobody_takes_the_name_of_another_or_of_a_facilitator() {
    let (mut scene, circle) = Scene::gathered(&["Colibrí"]);
    scene.answer_somebody();
    scene.invite(circle, 1);
    for imitation in ["LUZ", "s o l", "Lúz.", "—"] {
        assert_eq!(scene.accept(1, imitation), Err(CommandError::AliasTaken));
    }
    assert_eq!(scene.accept(1, "a\nb"), Err(CommandError::Alias));
    // Her own client can't know who is there.
    scene.accept(1, "  COLIBRI ").unwrap();
    let (world, luz) = (&scene.world, scene.luz);
    assert_eq!(names(world, luz), ["Colibrí", "Luz", "Sol"]);
    let stands = |event: &Event| matches!(event, Event::Conversation(id, ConversationEvent::AliasStands) if *id == circle);
    assert!(world.saw(luz, stands));
    scene.invite(circle, 1);
    scene.accept(1, "Jacaranda").unwrap();
    assert_eq!(
        names(&scene.world, luz),
        ["Colibrí", "Jacaranda", "Luz", "Sol"]
    );
}

/// [O-5]
#[test]
fn an_invitation_is_answered_once_and_by_whom_it_was_for() {
    let (mut scene, circle) = Scene::gathered(&["Colibrí"]);
    // Sol is in Ana's conversation too: what she writes there as an answer is none.
    let (ana, conversation) = scene.persons[0];
    let colleague = scene.world.key(scene.sol);
    let propose = TeamCommand::Propose {
        conversation,
        colleague,
        reason: "Es abogada".to_owned(),
        reads: Reads::FromNow,
        purpose: cobijo_protocol::content::Purpose::Accompany,
    };
    scene.world.team(scene.luz, propose).unwrap();
    scene.world.accept(ana);
    assert_eq!(scene.world.room(ana), ["Luz", "Sol"]);
    scene.invite(circle, 0);
    // She is in it: no second leaf of hers comes.
    assert!(scene.world.conversation(ana).invitations.is_empty());
    let bea = scene.answer_somebody();
    scene.invite(circle, 1);
    scene.accept(1, "Jacaranda").unwrap();
    assert_eq!(scene.accept(1, "Obsidiana"), Err(CommandError::Unknown));
    assert_eq!(names(&scene.world, bea).len(), 4);
}

/// [O-6]
#[test]
fn whoever_leaves_keeps_nothing_and_the_others_go_on() {
    let (mut scene, _) = Scene::gathered(&["Colibrí", "Jacaranda"]);
    let [ana, bea] = [0, 1].map(|at| scene.persons[at].0);
    let world = &mut scene.world;
    say(world, ana, "Adiós no digo");
    let before = world.clients[ana].disk.len();
    leave(world, ana);
    world.wait(5 * MINUTE);
    assert!(circles(world, ana).is_empty());
    assert!(world.clients[ana].disk.len() < before);
    let kept = |disk: &[u8]| disk.windows(10).any(|part| part == b"Adi\xc3\xb3s no");
    assert!(!kept(&world.clients[ana].disk));
    for client in [bea, scene.luz, scene.sol] {
        assert_eq!(names(world, client), ["Jacaranda", "Luz", "Sol"]);
    }
    say(world, bea, "Seguimos");
    assert_eq!(said(world, scene.luz).last().unwrap(), "Seguimos");
    // Her conversation goes on.
    world.say(ana, "Aquí sí").unwrap();
    world.restart(ana);
    assert!(circles(world, ana).is_empty());
}

/// [O-6]
#[test]
fn what_she_erases_goes_from_the_relay_too_and_nobody_elses_does() {
    let (mut scene, _) = Scene::gathered(&["Colibrí", "Jacaranda"]);
    let [ana, bea] = [0, 1].map(|at| scene.persons[at].0);
    let world = &mut scene.world;
    say(world, bea, "Uno");
    say(world, ana, "Dos");
    let conversation = circles(world, ana).remove(0).id;
    let at_once = true;
    let erase = PersonCommand::Erase {
        conversation,
        at_once,
    };
    world.command(ana, Command::Person(erase)).unwrap();
    world.wait(5 * MINUTE);
    assert!(circles(world, ana).is_empty());
    let gone = world.relay.erased();
    assert_eq!(gone, 1, "her own message alone");
    assert_eq!(names(world, bea), ["Jacaranda", "Luz", "Sol"]);
}

/// [O-6] [P-24]
#[test]
fn facilitators_alone_remove_and_whoever_is_removed_keeps_nothing() {
    let (mut scene, circle) = Scene::gathered(&["Colibrí", "Jacaranda"]);
    let [ana, bea] = [0, 1].map(|at| scene.persons[at].0);
    let members = circles(&scene.world, scene.luz).remove(0).members;
    let is_ana = |speaker: &Speaker| *speaker == Speaker::Pseudonym("Colibrí".to_owned());
    let member = members.iter().find(|one| is_ana(&one.speaker)).unwrap().key;
    let remove = CircleCommand::Remove { circle, member };
    assert!(
        scene
            .world
            .team(scene.mar, TeamCommand::Circle(remove.clone()))
            .is_err()
    );
    scene.circle_command(remove).unwrap();
    let world = &mut scene.world;
    assert!(circles(world, ana).is_empty());
    assert_eq!(names(world, bea), ["Jacaranda", "Luz", "Sol"]);
}

/// [O-6] [P-15]
#[test]
fn a_facilitator_whom_the_desk_removes_leaves_the_circle_and_the_other_goes_on() {
    let (mut scene, _) = Scene::gathered(&["Colibrí"]);
    let ana = scene.persons[0].0;
    let luz = scene.world.key(scene.luz);
    scene
        .world
        .team(scene.mar, TeamCommand::RemoveMember(luz))
        .unwrap();
    scene.world.wait(10 * MINUTE);
    let world = &mut scene.world;
    assert_eq!(names(world, ana), ["Colibrí", "Sol"]);
    assert!(circles(world, scene.luz).is_empty());
    say(world, ana, "¿Y Luz?");
    assert_eq!(said(world, scene.sol), ["¿Y Luz?"]);
}

/// [O-6]
#[test]
fn where_the_only_facilitator_is_no_longer_of_the_desk_her_client_says_so() {
    let mut scene = Scene::with_persons(1);
    let circle = scene.create(None);
    scene.invite(circle, 0);
    scene.accept(0, "Colibrí").unwrap();
    let (ana, luz) = (scene.persons[0].0, scene.world.key(scene.luz));
    scene
        .world
        .team(scene.mar, TeamCommand::RemoveMember(luz))
        .unwrap();
    scene.world.wait(Duration::from_secs(25 * 3_600));
    let members = circles(&scene.world, ana).remove(0).members;
    let former = members.iter().filter(|one| one.former);
    assert_eq!(former.map(|one| one.key).collect::<Vec<_>>(), [luz]);
}

/// [O-7]
#[test]
fn after_a_return_a_facilitator_lets_her_in_again_and_nobody_else_does() {
    let (mut scene, circle) = Scene::gathered(&["Colibrí", "Jacaranda"]);
    let [ana, bea] = [0, 1].map(|at| scene.persons[at].0);
    let world = &mut scene.world;
    keep(world, ana, Shows::New);
    say(world, bea, "Antes");
    let anew = world.client();
    world.command(anew, back_to(scene.link.clone())).unwrap();
    world.wait(MINUTE);
    // The device before keeps nothing, and the new one is not in yet.
    assert!(circles(world, ana).is_empty() && circles(world, anew).is_empty());
    let view = circles(world, scene.luz).remove(0);
    let asking = view.circle.unwrap().asking;
    assert_eq!(asking[0].alias, "Colibrí");
    world.wait(10 * MINUTE);
    assert!(circles(world, anew).is_empty());
    let asking = asking[0].id;
    scene
        .circle_command(CircleCommand::LetIn { circle, asking })
        .unwrap();
    let world = &mut scene.world;
    for client in [anew, bea, scene.sol] {
        assert_eq!(names(world, client), ["Colibrí", "Jacaranda", "Luz", "Sol"]);
    }
    assert_eq!(said(world, anew), [""; 0]);
    say(world, anew, "Volví");
    assert_eq!(said(world, bea), ["Antes", "Volví"]);
    let other = EntryContent::OtherKey(Speaker::Pseudonym("Colibrí".to_owned()));
    let id = circles(world, bea).remove(0).id;
    let lines = world.clients[bea].client.history(id);
    assert!(lines.iter().any(|line| line.content == other));
}

/// [O-7]
#[test]
fn she_comes_back_twice_by_what_her_capsule_says_of_her_circle() {
    let (mut scene, circle) = Scene::gathered(&["Colibrí"]);
    keep(&mut scene.world, scene.persons[0].0, Shows::New);
    for _ in 0..2 {
        let anew = scene.world.client();
        let back = back_to(scene.link.clone());
        scene.world.command(anew, back).unwrap();
        scene.world.wait(5 * MINUTE);
        let view = circles(&scene.world, scene.luz).remove(0);
        let asking = view.circle.unwrap().asking[0].id;
        scene
            .circle_command(CircleCommand::LetIn { circle, asking })
            .unwrap();
        scene.world.wait(5 * MINUTE);
        assert_eq!(names(&scene.world, anew), ["Colibrí", "Luz", "Sol"]);
    }
}

/// [O-8]
#[test]
fn a_side_room_is_beside_the_conversation_for_members_alone_and_ends_with_it() {
    let mut scene = Scene::with_persons(1);
    let (ana, conversation) = scene.persons[0];
    let colleagues = vec![scene.world.key(scene.sol), scene.world.key(scene.mar)];
    let open = CircleCommand::OpenSide {
        conversation,
        colleagues,
    };
    scene.circle_command(open).unwrap();
    let world = &mut scene.world;
    for client in [scene.luz, scene.sol, scene.mar] {
        assert_eq!(names(world, client), ["Luz", "Mar", "Sol"]);
    }
    let beside = circles(world, scene.luz).remove(0).circle.unwrap().beside;
    assert_eq!(beside, Some(conversation));
    assert_eq!(world.clients[ana].client.conversations().len(), 1);
    say(world, scene.sol, "Yo esperaría");
    assert_eq!(said(world, scene.luz), ["Yo esperaría"]);
    world.restart(scene.luz);
    assert_eq!(world.relay.erased(), 0);
    world
        .command(ana, Command::Leave(world.conversation(ana).id))
        .unwrap();
    world.wait(5 * MINUTE);
    for client in [scene.luz, scene.sol, scene.mar] {
        assert!(circles(world, client).is_empty());
        let kept = world.clients[client].disk.windows(12);
        assert!(!{ kept }.any(|part| part == b"Yo esperar\xc3\xad"));
    }
    assert!(world.relay.erased() >= 1);
}

/// [O-8]
#[test]
fn who_is_not_in_a_conversation_opens_no_side_room_about_it() {
    let mut scene = Scene::with_persons(1);
    let conversation = scene.persons[0].1;
    let colleagues = vec![scene.world.key(scene.luz)];
    let open = CircleCommand::OpenSide {
        conversation,
        colleagues,
    };
    let sol = scene.sol;
    let refused = scene.world.team(sol, TeamCommand::Circle(open));
    assert_eq!(refused, Err(CommandError::Unknown));
}
