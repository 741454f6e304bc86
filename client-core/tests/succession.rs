//! A desk whose group can't be followed any more goes on in a new one, over a relay in memory and in virtual
//! time.

#![allow(clippy::unwrap_used, clippy::panic, clippy::wildcard_enum_match_arm)]

mod world;

use std::time::Duration;

use ciborium::Value;
use cobijo_client_core::{
    core::{
        client::{Client, Command, CommandError, Event, PublishAnswer, TeamCommand},
        port::Rng,
    },
    mls::{
        Suite,
        key_package::{OfferedKeyPackage, OwnKeyPackage},
    },
};
use cobijo_protocol::{
    card::{Attestation, Attested, Role},
    credential::Credential,
    keys::PublicKey,
    slot::Kind,
};
use rand_core::SeedableRng as _;
use world::{
    TODAY, World,
    hostile::{desk_key, read as on_disk, secret_key},
    stopped::{
        answers, card, change_pool, desk, goes_on, key_packages, make_successor, stop,
        was_not_brought,
    },
};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// [G-22]
#[test]
fn a_stopped_desk_goes_on_in_the_group_that_the_root_key_names() {
    let (mut world, link, [mar, luz, eva]) = desk();
    for member in [mar, luz, eva] {
        stop(&mut world, member);
    }
    make_successor(&mut world, mar, &[]).unwrap();
    world.wait(HOUR);
    for member in [mar, luz, eva] {
        let mut aliases = world.aliases(member);
        aliases.sort();
        assert_eq!(aliases, ["Eva", "Luz", "Mar"]);
    }
    assert!(goes_on(&world, luz) && goes_on(&world, eva));
    let mut posters: Vec<_> = [mar, luz, eva].map(|one| world.key(one)).into();
    posters.sort_unstable();
    assert_eq!(card(&world, &link).body.posters, posters);
    answers(&mut world, &link, luz);
    world.join(mar, "Sol", Role::Coordinator);
}

/// [G-22], [G-17]
#[test]
fn a_desk_that_everybody_was_away_from_for_too_long_goes_on() {
    let (mut world, link, [mar, luz, eva]) = desk();
    let away: Vec<_> = [mar, luz, eva].to_vec();
    for member in away.clone() {
        world.clients[member].client = Client::new();
    }
    world.wait(DAY * 100);
    for member in away {
        world.restart(member);
        assert!(world.saw(member, |event| matches!(event, Event::DeskStopped)));
    }
    make_successor(&mut world, mar, &[]).unwrap();
    world.wait(HOUR);
    assert_eq!(world.aliases(eva).len(), 3);
    answers(&mut world, &link, luz);
}

#[test]
fn what_waited_and_what_was_said_goes_on_beside_the_new_group() {
    let (mut world, link, [mar, luz, eva]) = desk();
    world.team(luz, TeamCommand::StartShift).unwrap();
    let ana = world.person(&link, "Hola");
    world.claim(luz).unwrap();
    world.person(&link, "Otra");
    stop(&mut world, eva);
    make_successor(&mut world, mar, &[]).unwrap();
    world.wait(HOUR);
    assert!(goes_on(&world, luz) && goes_on(&world, eva));
    world.say(ana, "Sigo aquí").unwrap();
    assert!(world.texts(luz).contains(&"Sigo aquí".to_owned()));
    assert_eq!(world.room(ana), ["Luz"]);
    world.team(eva, TeamCommand::StartShift).unwrap();
    assert_eq!(world.waiting(eva), 1);
    world.claim(eva).unwrap();
    assert_eq!(world.texts(eva), ["Otra"]);
    // Who wrote before the new card still reaches somebody, and so does who writes now.
    answers(&mut world, &link, mar);
}

/// [G-22], [A-7]
#[test]
fn who_is_left_out_is_out_of_everything() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    let eva = world.join(mar, "Eva", Role::Coordinator);
    world.team(eva, TeamCommand::StartShift).unwrap();
    let ana = world.person(&link, "Hola");
    world.claim(eva).unwrap();
    let before = card(&world, &link);
    assert!(world.desk_view(eva).holds_desk_key);
    let key = world.key(eva);
    stop(&mut world, luz);
    make_successor(&mut world, mar, &[key]).unwrap();
    world.wait(HOUR);
    assert_eq!(world.aliases(luz), ["Mar", "Luz"]);
    assert!(!goes_on(&world, eva));
    let after = card(&world, &link);
    assert!(!after.body.posters.contains(&key));
    assert!(after.desk_key.serial > before.desk_key.serial);
    assert_ne!(after.daily.mailbox, before.daily.mailbox);
    // Nobody is left in the room who could remove her: the person writes anew.
    assert_eq!(world.room(ana), ["Eva"]);
    answers(&mut world, &link, luz);
    assert_eq!(world.waiting(eva), 0);
}

#[test]
fn who_is_left_out_leaves_her_conversations_by_a_colleagues_commit() {
    let (mut world, link, [mar, luz, eva]) = desk();
    world.team(luz, TeamCommand::StartShift).unwrap();
    let ana = world.person(&link, "Hola");
    world.claim(luz).unwrap();
    let propose = TeamCommand::Propose {
        conversation: world.conversation(luz).id,
        colleague: world.key(eva),
        purpose: cobijo_protocol::content::Purpose::Accompany,
        reason: "Abogada".to_owned(),
        reads: cobijo_protocol::content::Reads::FromNow,
    };
    world.team(luz, propose).unwrap();
    world.accept(ana);
    assert_eq!(world.room(ana), ["Luz", "Eva"]);
    let key = world.key(eva);
    make_successor(&mut world, mar, &[key]).unwrap();
    world.wait(HOUR);
    assert_eq!(world.room(ana), ["Luz"]);
}

#[test]
fn only_a_coordinator_with_the_root_key_makes_a_successor_and_not_without_herself() {
    let (mut world, _, [mar, luz, _]) = desk();
    let sol = world.join(mar, "Sol", Role::Coordinator);
    let (own, stranger) = (world.key(mar), PublicKey::from_bytes([1; 32]));
    let refused = [
        (luz, vec![], CommandError::NotCoordinator),
        (sol, vec![], CommandError::RootElsewhere),
        (mar, vec![own], CommandError::Yourself),
        (mar, vec![stranger], CommandError::Unknown),
    ];
    for (client, left_out, error) in refused {
        let before = world.clients[client].client.snapshot();
        assert_eq!(make_successor(&mut world, client, &left_out), Err(error));
        assert!(before == world.clients[client].client.snapshot());
    }
}

#[test]
fn who_has_no_key_package_left_is_told_of_and_invited_again() {
    let (mut world, _, [mar, luz, eva]) = desk();
    change_pool(&mut world, mar, eva, Vec::clear);
    make_successor(&mut world, mar, &[]).unwrap();
    world.wait(HOUR);
    assert_eq!(world.aliases(luz), ["Mar", "Luz"]);
    assert!(was_not_brought(&world, mar, "Eva"));
}

/// [G-21], [G-22]
#[test]
fn two_key_packages_with_the_same_keys_keep_nobody_else_out() {
    let (mut world, link, [mar, luz, eva]) = desk();
    let sol = world.join(mar, "Sol", Role::Accompanier);
    for member in [eva, sol] {
        let key = secret_key(&world, member);
        let credential = Credential::Member(on_disk(&world, member, &["me", "attested"]));
        let rng = &mut Rng::seed_from_u64(7);
        let same = OwnKeyPackage::new(Suite::PostQuantum, &key, &credential, rng).unwrap();
        change_pool(&mut world, mar, member, |key_packages| {
            key_packages.push(Value::Bytes(same.message().to_vec()));
        });
    }
    make_successor(&mut world, mar, &[]).unwrap();
    world.wait(HOUR);
    for member in [mar, luz] {
        assert_eq!(world.aliases(member).len(), 4);
    }
    assert!(goes_on(&world, luz));
    answers(&mut world, &link, luz);
}

#[test]
fn a_crash_of_the_maker_or_of_a_colleague_loses_nobody() {
    for frames in 0..8 {
        let (mut world, _, [mar, luz, eva]) = desk();
        stop(&mut world, luz);
        let command = Command::Team(TeamCommand::MakeSuccessor(Vec::new()));
        world.command_and_crash(mar, command, frames);
        world.restart(luz);
        world.wait(HOUR);
        for member in [mar, luz, eva] {
            assert_eq!(world.aliases(member).len(), 3, "after {frames} frames");
        }
    }
}

/// [G-22]
#[test]
fn a_second_successor_follows_the_first_and_an_old_word_of_the_root_key_leads_nowhere() {
    let (mut world, link, [mar, luz, eva]) = desk();
    let is_away = world.clients[eva].disk.clone();
    world.disconnect(eva);
    world.clients[eva].client = Client::new();
    for _ in 0..2 {
        make_successor(&mut world, mar, &[]).unwrap();
        world.wait(HOUR);
    }
    // She comes back to both Welcomes, and goes on in the last group.
    world.clients[eva].disk = is_away;
    world.restart(eva);
    world.wait(HOUR);
    let number = |world: &World, client| {
        on_disk::<Value>(world, client, &["group", "terms", "predecessor", "number"])
    };
    for member in [mar, luz, eva] {
        assert_eq!(number(&world, member), Value::Integer(2.into()));
        assert_eq!(world.aliases(member).len(), 3);
    }
    answers(&mut world, &link, eva);
}

/// [G-22]
#[test]
fn a_group_that_another_key_names_is_no_successor() {
    let (mut world, _, [mar, luz, eva]) = desk();
    // Nobody would take her card.
    world.refuses_cards = Some(PublishAnswer::Unreachable);
    world.alter(mar, &["keys", "root_key"], |root_key| {
        *root_key = Value::Bytes(vec![9; 32]);
    });
    make_successor(&mut world, mar, &[]).unwrap();
    world.wait(HOUR);
    for member in [luz, eva] {
        assert!(!goes_on(&world, member));
        assert_eq!(
            on_disk::<Value>(&world, member, &["group", "stop"]),
            Value::Null
        );
    }
}

/// [G-22]
#[test]
fn of_two_successors_of_one_number_the_first_is_followed() {
    let (mut world, _, [mar, luz, _]) = desk();
    let before = world.clients[mar].disk.clone();
    make_successor(&mut world, mar, &[]).unwrap();
    world.wait(HOUR);
    let group = |world: &World, client| on_disk::<Value>(world, client, &["group", "mls", "group"]);
    let other = world.client();
    world.clients[other].disk = before;
    world.restart(other);
    make_successor(&mut world, other, &[]).unwrap();
    world.wait(HOUR);
    assert_eq!(group(&world, luz), group(&world, mar));
    assert_ne!(group(&world, luz), group(&world, other));
    world.restart(luz);
    assert_eq!(group(&world, luz), group(&world, mar));
}

#[test]
fn a_removal_that_was_begun_goes_on_in_the_next_group() {
    let (mut world, _, [mar, luz, eva]) = desk();
    let sol = world.join(mar, "Sol", Role::Coordinator);
    world.refuses_cards = Some(PublishAnswer::Unreachable);
    let key = world.key(eva);
    world.team(sol, TeamCommand::RemoveMember(key)).unwrap();
    world.wait(Duration::from_secs(200));
    make_successor(&mut world, mar, &[]).unwrap();
    // The card is given its time again.
    world.wait(Duration::from_secs(200));
    assert!(goes_on(&world, sol));
    assert_eq!(world.aliases(luz).len(), 4);
    world.wait(HOUR);
    assert_eq!(world.aliases(luz).len(), 3);
    assert!(!world.aliases(luz).contains(&"Eva".to_owned()));
}

#[test]
fn while_one_successor_is_being_made_no_other_is_begun() {
    let (mut world, _, [mar, _, eva]) = desk();
    world.go_dark();
    make_successor(&mut world, mar, &[]).unwrap();
    assert_eq!(world.aliases(mar), ["Mar"]);
    let refused = Err(CommandError::NotNow);
    assert_eq!(make_successor(&mut world, mar, &[]), refused);
    world.is_dark = false;
    world.wait(HOUR);
    assert_eq!(world.aliases(eva).len(), 3);
}

/// [G-22], [P-10]
#[test]
fn an_old_attestation_makes_nobody_else_of_whom_a_successor_brings() {
    let mut world = World::new();
    let (mar, _) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    let eva = world.join(mar, "Eva", Role::Accompanier);
    let sol = world.join(mar, "Sol", Role::Coordinator);
    let (desk_key, signed) = desk_key(&world, sol);
    let attestation = Attestation {
        alias: "Eva".to_owned(),
        role: Role::Coordinator,
        key: world.key(eva),
        not_after: TODAY + 300,
        serial: 9,
    };
    let credential = Credential::Member(Attested {
        desk_key: signed,
        attestation: desk_key.sign_value(&attestation),
    });
    let (key, rng) = (secret_key(&world, eva), &mut Rng::seed_from_u64(8));
    let forged = OwnKeyPackage::new(Suite::PostQuantum, &key, &credential, rng).unwrap();
    let sol_key = world.key(sol);
    world.team(mar, TeamCommand::RemoveMember(sol_key)).unwrap();
    world.wait(HOUR);
    change_pool(&mut world, mar, eva, |key_packages| {
        *key_packages = vec![Value::Bytes(forged.message().to_vec())];
    });
    make_successor(&mut world, mar, &[]).unwrap();
    world.wait(HOUR);
    assert_eq!(world.aliases(luz), ["Mar", "Luz"]);
    assert!(was_not_brought(&world, mar, "Eva"));
}

/// [G-22]
#[test]
fn a_removal_shortly_before_keeps_nobody_from_being_brought() {
    let (mut world, link, [mar, luz, eva]) = desk();
    let sol = world.join(mar, "Sol", Role::Accompanier);
    let is_away = world.clients[luz].disk.clone();
    world.disconnect(luz);
    world.clients[luz].client = Client::new();
    let key = world.key(sol);
    world.team(mar, TeamCommand::RemoveMember(key)).unwrap();
    world.wait(HOUR);
    make_successor(&mut world, mar, &[]).unwrap();
    world.wait(HOUR);
    world.clients[luz].disk = is_away;
    world.restart(luz);
    world.wait(HOUR);
    assert!(goes_on(&world, luz) && goes_on(&world, eva));
    answers(&mut world, &link, luz);
}

/// [I-11], [G-22]
#[test]
fn whoever_fills_the_threads_of_one_keeps_the_successor_from_nobody_else() {
    let (mut world, link, [mar, luz, eva]) = desk();
    for message in key_packages(&world, mar, luz) {
        let root = on_disk(&world, mar, &["me", "root"]);
        let offered = OfferedKeyPackage::parse(&message, Suite::PostQuantum, &root).unwrap();
        world.fill(offered.welcome_secret(), Kind::Taking, 300);
    }
    make_successor(&mut world, mar, &[]).unwrap();
    world.wait(HOUR);
    assert_eq!(world.aliases(eva), ["Mar", "Eva"]);
    assert!(was_not_brought(&world, mar, "Luz") && !goes_on(&world, luz));
    let mut posters = [world.key(mar), world.key(eva)];
    posters.sort_unstable();
    assert_eq!(card(&world, &link).body.posters, posters);
}

/// [G-22]
#[test]
fn a_removal_goes_on_though_nobody_brings_her_along() {
    let (mut world, link, [mar, luz, eva]) = desk();
    let sol = world.join(mar, "Sol", Role::Coordinator);
    world.team(luz, TeamCommand::StartShift).unwrap();
    let ana = world.person(&link, "Hola");
    world.claim(luz).unwrap();
    let propose = TeamCommand::Propose {
        conversation: world.conversation(luz).id,
        colleague: world.key(eva),
        purpose: cobijo_protocol::content::Purpose::Accompany,
        reason: String::new(),
        reads: cobijo_protocol::content::Reads::FromNow,
    };
    world.team(luz, propose).unwrap();
    world.accept(ana);
    world.refuses_cards = Some(PublishAnswer::Unreachable);
    let key = world.key(eva);
    world.team(sol, TeamCommand::RemoveMember(key)).unwrap();
    world.refuses_cards = None;
    change_pool(&mut world, mar, eva, Vec::clear);
    make_successor(&mut world, mar, &[]).unwrap();
    world.wait(HOUR);
    assert_eq!(world.aliases(luz).len(), 3);
    assert_eq!(world.room(ana), ["Luz"]);
}

/// [P-10], [P-18]
#[test]
fn nobody_new_is_added_before_those_who_are_brought() {
    let (mut world, _, [mar, luz, _]) = desk();
    // Luz is away while everybody is attested anew.
    let is_away = world.clients[luz].disk.clone();
    world.disconnect(luz);
    world.clients[luz].client = Client::new();
    world.team(mar, TeamCommand::RenewDeskKey).unwrap();
    world.wait(HOUR);
    let (id, invite) = world.invite(mar);
    let noa = world.client();
    let alias = "Noa".to_owned();
    let join = TeamCommand::JoinDesk { invite, alias };
    world.team(noa, join).unwrap();
    let role = Role::Accompanier;
    let admit = TeamCommand::Admit { invite: id, role };
    let both = [admit, TeamCommand::MakeSuccessor(Vec::new())];
    world.commands_at_once(both.map(|command| (mar, Command::Team(command))).into());
    world.wait(HOUR);
    world.clients[luz].disk = is_away;
    world.restart(luz);
    world.wait(HOUR);
    assert_eq!(world.aliases(luz).len(), 4);
    assert_eq!(world.aliases(noa).len(), 4);
}
