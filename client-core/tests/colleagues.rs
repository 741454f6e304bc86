//! What a hostile colleague tries through the desk, over a relay in memory and in virtual time.

#![allow(clippy::unwrap_used, clippy::panic, clippy::wildcard_enum_match_arm)]

mod world;

use std::time::Duration;

use ciborium::Value;
use cobijo_client_core::{
    core::client::{
        Client, Command, CommandError, Event, PersonCommand, PublishAnswer, TeamCommand,
    },
    mls::hpke,
};
use cobijo_protocol::{
    Day,
    card::{Attestation, Attested, Card, Daily, DeskKey, Role, UnverifiedCard},
    content::{DeskContent, Purpose, Reads},
    keys::{PublicKey, SecretKey, Signed},
    link::DeskLink,
    mailbox::MailboxKey,
};
use world::{
    TODAY, World, description,
    hostile::{desk_key, entry, saved, secret_key},
    relay::read,
};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// A poster publishes a card of that day, which names a mailbox of hers alone.
fn post(world: &mut World, link: &DeskLink, poster: usize, day: Day) -> MailboxKey {
    let key = secret_key(world, poster);
    let stands = &world.relay.cards[&link.desk];
    let card = read(&link.desk, stands);
    let mailbox = MailboxKey::of(&SecretKey::from_bytes([77; 32]));
    let daily = Daily {
        day,
        mailbox,
        intake_key: hpke::key_pair(&[78; 32]).unwrap().public.into(),
        poster: key.public(),
        ..card.daily
    };
    let card = UnverifiedCard {
        daily: key.sign_value(&daily),
        ..UnverifiedCard::decode(stands).unwrap()
    };
    world.relay.publish(link.desk, card.encode());
    mailbox
}

fn card(world: &World, link: &DeskLink) -> Card {
    read(&link.desk, &world.relay.cards[&link.desk])
}

fn was_warned_of(world: &World, client: usize, poster: &str) -> bool {
    world.saw(
        client,
        |event| matches!(event, Event::UnknownMailbox { alias } if alias.as_deref() == Some(poster)),
    )
}

/// [D-10]
#[test]
fn a_key_that_is_named_for_another_day_than_its_own_is_seen_and_leaves_the_card() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    world.team(mar, TeamCommand::StartShift).unwrap();
    let (key, before) = (secret_key(&world, luz), card(&world, &link));
    let daily = Daily {
        day: TODAY + 1,
        poster: key.public(),
        ..before.daily
    };
    let posted = UnverifiedCard {
        daily: key.sign_value(&daily),
        ..UnverifiedCard::decode(&world.relay.cards[&link.desk]).unwrap()
    };
    world.relay.publish(link.desk, posted.encode());
    assert_eq!(card(&world, &link).daily.day, TODAY + 1);
    world.wait(HOUR);
    assert!(was_warned_of(&world, mar, "Luz"));
    assert_eq!(card(&world, &link).daily.day, TODAY);
}

/// [D-10]
#[test]
fn a_mailbox_that_the_desk_was_never_told_of_is_seen_and_leaves_the_card() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    let eva = world.join(mar, "Eva", Role::Accompanier);
    world.team(eva, TeamCommand::StartShift).unwrap();
    world.team(mar, TeamCommand::StartShift).unwrap();
    let private = post(&mut world, &link, luz, TODAY + 1);
    assert_eq!(card(&world, &link).daily.mailbox, private);
    world.wait(HOUR);
    assert!(was_warned_of(&world, mar, "Luz"));
    assert!(was_warned_of(&world, eva, "Luz"));
    let after = card(&world, &link);
    assert_ne!(after.daily.mailbox, private);
    assert_eq!(after.daily.poster, world.key(mar));
    // Whoever writes now reaches the desk.
    world.person(&link, "Hola");
    assert_eq!(world.waiting(eva), 1);
}

/// [D-10]
#[test]
fn nobody_is_suspected_of_a_mailbox_that_she_told_the_desk_of() {
    let mut world = World::new();
    let (mar, _) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    let eva = world.join(mar, "Eva", Role::Accompanier);
    for day in 0..4 {
        let poster = [luz, eva, mar, luz][day];
        world.team(poster, TeamCommand::StartShift).unwrap();
        world.restart(mar);
        world.wait(DAY);
        world.team(poster, TeamCommand::EndShift).unwrap();
    }
    let key = world.key(eva);
    world.team(mar, TeamCommand::RemoveMember(key)).unwrap();
    let sol = world.join(mar, "Sol", Role::Coordinator);
    world.wait(DAY);
    for client in [mar, luz, sol] {
        assert!(!world.saw(client, |event| matches!(
            event,
            Event::UnknownMailbox { .. }
        )));
    }
}

///
#[test]
fn a_coordinator_on_her_way_out_is_told_the_next_desk_key_by_nobody() {
    let mut world = World::new();
    let (mar, _) = world.desk();
    let sol = world.join(mar, "Sol", Role::Coordinator);
    let eva = world.join(mar, "Eva", Role::Coordinator);
    // The relay takes no card, so Eva is in the group for as long as this lasts.
    world.refuses_cards = Some(PublishAnswer::Unreachable);
    let key = world.key(eva);
    world.team(mar, TeamCommand::RemoveMember(key)).unwrap();
    assert!(world.desk_view(sol).holds_desk_key);
    // All coordinators say where they receive the desk key, Eva too.
    let noa = world.join(sol, "Noa", Role::Coordinator);
    world.wait(Duration::from_secs(240));
    assert_eq!(world.aliases(eva), ["Mar", "Sol", "Eva", "Noa"]);
    assert!(world.desk_view(noa).holds_desk_key);
    assert!(!world.desk_view(eva).holds_desk_key);
    world.refuses_cards = None;
    world.wait(HOUR);
    assert_eq!(world.aliases(noa), ["Mar", "Sol", "Noa"]);
}

/// Whoever holds that desk key attests Luz, in earnest or not.
fn attest_luz(desk_key: &(SecretKey, Signed<DeskKey>), luz: PublicKey, serial: u32) -> DeskContent {
    let (key, signed) = desk_key;
    let attestation = Attestation {
        alias: "Luz".to_owned(),
        role: Role::Accompanier,
        key: luz,
        not_after: TODAY + 300,
        serial,
    };
    DeskContent::Attested(vec![Attested {
        desk_key: signed.clone(),
        attestation: key.sign_value(&attestation),
    }])
}

/// A person writes, and Luz answers her.
fn assert_luz_answers(world: &mut World, link: &DeskLink, luz: usize) {
    world.team(luz, TeamCommand::StartShift).unwrap();
    let ana = world.person(link, "Hola");
    world.claim(luz).unwrap();
    world.wait(HOUR);
    assert_eq!(world.room(ana), ["Luz"]);
}

///
#[test]
fn an_attestation_under_a_desk_key_that_was_replaced_takes_nobodys_own_away() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    let sol = world.join(mar, "Sol", Role::Coordinator);
    let eva = world.join(mar, "Eva", Role::Accompanier);
    let of_sol = desk_key(&world, sol);
    let key = world.key(sol);
    world.team(mar, TeamCommand::RemoveMember(key)).unwrap();
    world.wait(HOUR);
    let luz_key = world.key(luz);
    world.tell(eva, attest_luz(&of_sol, luz_key, 9));
    world.tell(eva, attest_luz(&of_sol, luz_key, 1_000_000_000));
    assert_luz_answers(&mut world, &link, luz);
}

///
#[test]
fn after_the_highest_serial_that_there_is_the_next_desk_key_attests_all_the_same() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    let sol = world.join(mar, "Sol", Role::Coordinator);
    let (of_sol, luz_key) = (desk_key(&world, sol), world.key(luz));
    world.tell(sol, attest_luz(&of_sol, luz_key, u32::MAX));
    for _ in 0..2 {
        world.team(mar, TeamCommand::RenewDeskKey).unwrap();
        world.wait(HOUR);
    }
    assert_luz_answers(&mut world, &link, luz);
}

/// [I-13]
#[test]
fn what_waits_is_opened_however_often_the_card_has_changed_since() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    world.wait(DAY);
    // Luz is away while a key is told, somebody writes, and the card changes.
    world.mute = Some((luz, 0));
    world.team(mar, TeamCommand::StartShift).unwrap();
    world.person(&link, "Hola");
    for change in 0..40 {
        let says = description(&format!("Línea {change}"));
        world.team(mar, TeamCommand::Describe(says)).unwrap();
    }
    assert!(card(&world, &link).body.version >= 40);
    world.mute = None;
    world.restart(luz);
    world.team(luz, TeamCommand::StartShift).unwrap();
    assert_eq!(world.waiting(luz), 1);
    world.restart(mar);
    assert_eq!(world.waiting(mar), 1);
}

/// [I-11]
#[test]
fn a_colleague_who_takes_every_key_package_keeps_nobody_else_from_coming_in_and_is_shown() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    let sol = world.join(mar, "Sol", Role::Accompanier);
    let eva = world.join(mar, "Eva", Role::Accompanier);
    assert_luz_answers(&mut world, &link, luz);
    let ana = world.clients.len() - 1;
    propose(&mut world, luz, sol);
    world.person(&link, "Hola");
    world.team(eva, TeamCommand::StartShift).unwrap();
    world.claim(eva).unwrap();
    for _ in 0..7 {
        propose(&mut world, eva, sol);
    }
    let is_shown =
        |event: &Event| matches!(event, Event::KeyPackagesTaken { alias } if alias == "Eva");
    assert!(!world.saw(sol, is_shown));
    for _ in 7..34 {
        propose(&mut world, eva, sol);
    }
    assert!(world.saw(sol, is_shown));
    let conversation = world.conversation(ana);
    let accept = PersonCommand::Accept {
        conversation: conversation.id,
        proposal: conversation.proposals[0].id,
        reads: Reads::Summary,
    };
    world.command(ana, Command::Person(accept)).unwrap();
    world.wait(HOUR);
    assert_eq!(world.room(sol), ["Luz", "Sol"]);
}

fn propose(world: &mut World, member: usize, colleague: usize) {
    let propose = TeamCommand::Propose {
        conversation: world.conversation(member).id,
        colleague: world.key(colleague),
        purpose: Purpose::Accompany,
        reason: String::new(),
        reads: Reads::FromNow,
    };
    world.team(member, propose).unwrap();
}

/// Takes everybody for an accompanier until the next epoch, so that the own removal is refused.
fn mistake_all_for_accompaniers(value: &mut Value) {
    match value {
        Value::Map(entries) => {
            for (key, value) in entries {
                if key.as_text() == Some("role") {
                    *value = Value::Text("accompanier".to_owned());
                }
                mistake_all_for_accompaniers(value);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(mistake_all_for_accompaniers),
        _ => {}
    }
}

#[test]
fn a_removal_that_is_refused_is_told_and_made_in_the_next_epoch() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    let sol = world.join(mar, "Sol", Role::Coordinator);
    let mut state = saved(&world, mar);
    let names = ["side", "Team", "Member", "desk", "group", "facts"];
    let facts = names.into_iter().fold(&mut state, entry);
    mistake_all_for_accompaniers(facts);
    world.restart_from(mar, &state);
    let key = world.key(luz);
    world.team(mar, TeamCommand::RemoveMember(key)).unwrap();
    world.wait(HOUR);
    assert!(world.saw(
        mar,
        |event| matches!(event, Event::NotRemoved(one) if *one == key)
    ));
    assert!(!card(&world, &link).body.posters.contains(&key));
    world.join(sol, "Eva", Role::Accompanier);
    world.wait(HOUR);
    assert!(!world.aliases(sol).contains(&"Luz".to_owned()));
    assert!(world.aliases(sol).contains(&"Eva".to_owned()));
}

#[test]
fn who_can_not_follow_her_desk_any_more_still_takes_its_root_key_to_safety() {
    let mut world = World::new();
    let (mar, _) = world.desk();
    world.join(mar, "Luz", Role::Accompanier);
    world.clients[mar].client = Client::new();
    world.wait(DAY * 100);
    world.restart(mar);
    assert!(world.saw(mar, |event| matches!(event, Event::DeskStopped)));
    let refused = Err(CommandError::NotMember);
    assert_eq!(world.team(mar, TeamCommand::Invite), refused);
    world.team(mar, TeamCommand::ExportRoot).unwrap();
    assert!(world.saw(mar, |event| matches!(event, Event::RootKey(_))));
    world.team(mar, TeamCommand::DropRoot).unwrap();
    assert!(!world.desk_view(mar).holds_root_key);
}
