//! What a desk's members tell each other of people, over a relay in memory and in virtual time.

#![allow(clippy::unwrap_used, clippy::panic, clippy::wildcard_enum_match_arm)]

mod world;

use std::{collections::BTreeSet, time::Duration};

use cobijo_client_core::core::client::{
    CheckOut, ClosingReason, Command, CommandError, Event, PeopleCommand, PersonCommand,
    TeamCommand,
};
use cobijo_protocol::{
    card::Role,
    content::{DeskContent, MessageId},
    handover::{Block, How, Over, SealedWord, Unclaimed, Word},
    limits::{BOARD_TEXT_BYTES_MAX, VERSIONS_AHEAD_MAX},
    slot::ThreadSecret,
};
use world::people::{Team, row};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

///
#[test]
fn what_is_written_of_a_conversation_is_read_by_all_and_by_who_comes_later() {
    let mut team = Team::new();
    let (mar, luz, eva, person) = (team.mar, team.luz, team.eva, team.person());
    team.write(luz, person, 1, "Más tranquila").unwrap();
    team.write_notes(luz, person, "Un lugar donde dormir");
    let row = team.row(eva, person).unwrap();
    let told = row.row.unwrap();
    assert_eq!(told.what.state, "Más tranquila");
    assert_eq!((told.by.as_deref(), told.retold), (Some("Luz"), false));
    assert_eq!(row.notes.unwrap().what.needs, "Un lugar donde dormir");
    assert_eq!(row.conversation, None, "she is not in it");
    let own = team.row(luz, person).unwrap();
    assert_eq!(own.conversation, Some(team.world.conversation(luz).id));
    assert_eq!(Some(own.alias), team.world.conversation(luz).alias);
    team.write(eva, person, 2, "Llamó su hermana").unwrap();
    let sol = team.world.join(mar, "Sol", Role::Accompanier);
    for member in [mar, luz, eva, sol] {
        let state = team.state(member, person).unwrap();
        assert_eq!(state, ("Llamó su hermana".to_owned(), 2));
        team.world.restart(member);
        assert!(team.state(member, person).is_some());
    }
    assert!(team.row(sol, person).unwrap().row.unwrap().retold);
    team.write(sol, person, 3, "Durmió").unwrap();
    assert_eq!(team.state(luz, person).unwrap().0, "Durmió");
}

///
#[test]
fn nobody_takes_back_unseen_what_a_colleague_wrote_meanwhile() {
    let mut team = Team::new();
    let (luz, eva, person) = (team.luz, team.eva, team.person());
    team.write(luz, person, 1, "una").unwrap();
    let refused = team.write(eva, person, 1, "otra");
    assert_eq!(refused, Err(CommandError::Changed));
    let long = "x".repeat(BOARD_TEXT_BYTES_MAX + 1);
    assert_eq!(
        team.write(eva, person, 2, &long),
        Err(CommandError::TooLong)
    );
    let write = |state| TeamCommand::People(PeopleCommand::WriteRow(row(person, 2, state)));
    let both = [(luz, "de Luz"), (eva, "de Eva")];
    let both = both.map(|(client, state)| (client, Command::Team(write(state))));
    team.world.commands_at_once(both.into());
    let states: BTreeSet<_> = [team.mar, luz, eva]
        .map(|member| team.state(member, person))
        .into();
    assert_eq!(states.len(), 1, "all show the same one");
}

///
#[test]
fn when_she_leaves_or_erases_what_was_written_of_her_goes_from_all_clients_and_the_relay() {
    for erases in [false, true] {
        let mut team = Team::new();
        let (mar, luz, eva, ana, person) = (team.mar, team.luz, team.eva, team.ana, team.person());
        let before = team.world.relay.full();
        team.write(luz, person, 1, "ciruela").unwrap();
        team.write(eva, person, 2, "zarzamora").unwrap();
        team.write_notes(luz, person, "golondrina");
        let told: BTreeSet<_> = team
            .world
            .relay
            .full()
            .difference(&before)
            .copied()
            .collect();
        assert_eq!(told.len(), 3);
        let conversation = team.world.conversation(ana).id;
        let command = match erases {
            false => Command::Leave(conversation),
            true => Command::Person(PersonCommand::Erase {
                conversation,
                at_once: true,
            }),
        };
        team.world.command(ana, command).unwrap();
        team.world.wait(2 * MINUTE);
        for member in [mar, luz, eva] {
            assert!(team.row(member, person).is_none(), "{member}");
            for word in ["ciruela", "zarzamora", "golondrina"] {
                assert!(!team.remembers(member, word), "{member} {word}");
            }
        }
        let left = team.world.relay.full();
        assert_eq!(left.intersection(&told).count(), 0, "erased: {erases}");
        let sol = team.world.join(mar, "Sol", Role::Accompanier);
        assert!(team.row(sol, person).is_none());
    }
}

///
#[test]
fn what_was_on_its_way_when_she_left_stands_nowhere_afterwards() {
    let mut team = Team::new();
    let (mar, luz, eva, ana, person) = (team.mar, team.luz, team.eva, team.ana, team.person());
    team.world.mute = Some((eva, 0));
    team.write(eva, person, 1, "zarzamora").unwrap();
    let of_eva = &mut team.world.clients[eva];
    of_eva.disk = of_eva.client.snapshot().to_vec();
    team.world.disconnect(eva);
    team.world.mute = None;
    // She is cut off with what she wrote, and the others are told that it is over.
    team.world.mute = Some((eva, 0));
    let leave = Command::Leave(team.world.conversation(ana).id);
    team.world.command(ana, leave).unwrap();
    team.world.wait(MINUTE);
    team.world.mute = None;
    team.world.restart(eva);
    team.world.wait(2 * MINUTE);
    for member in [mar, luz, eva] {
        assert!(team.row(member, person).is_none(), "{member}");
        assert!(!team.remembers(member, "zarzamora"), "{member}");
    }
}

///
#[test]
fn a_lie_that_it_is_over_is_seen_and_what_stood_stands_again_however_often_it_is_told() {
    let mut team = Team::new();
    let (mar, luz, eva, person) = (team.mar, team.luz, team.eva, team.person());
    team.write(luz, person, 1, "Más tranquila").unwrap();
    team.write_notes(luz, person, "Un lugar donde dormir");
    let lie = || {
        DeskContent::Over(Over {
            person,
            how: How::Left,
        })
    };
    team.world.tell(eva, lie());
    assert!(team.world.saw(
        luz,
        |event| matches!(event, Event::SaidOver { alias, .. } if alias == "Eva")
    ));
    for member in [mar, luz] {
        let state = team.state(member, person).unwrap();
        assert_eq!(state, ("Más tranquila".to_owned(), 2));
        assert!(team.row(member, person).unwrap().notes.is_some());
    }
    let stands = team.world.relay.full().len();
    for _ in 0..3 {
        team.world.tell(eva, lie());
    }
    assert!(
        team.world.relay.full().len() <= stands + 4,
        "no echo for each"
    );
    team.world.wait(HOUR + MINUTE);
    assert_eq!(team.state(mar, person).unwrap().0, "Más tranquila");
    assert_eq!(team.world.room(luz), ["Luz"]);
}

///
#[test]
fn what_goes_too_far_ahead_uses_up_no_version_and_what_is_too_long_stands_nowhere() {
    let mut team = Team::new();
    let (luz, eva, person) = (team.luz, team.eva, team.person());
    for version in [u64::MAX, VERSIONS_AHEAD_MAX + 1] {
        let last = DeskContent::Board(row(person, version, "la última"));
        team.world.tell(eva, last);
    }
    let long = "x".repeat(BOARD_TEXT_BYTES_MAX + 1);
    team.world
        .tell(eva, DeskContent::Board(row(person, 1, &long)));
    assert_eq!(team.state(luz, person), None);
    team.write(luz, person, 1, "primera").unwrap();
    assert_eq!(team.state(team.mar, person).unwrap().0, "primera");
}

///
#[test]
fn what_somebody_wrote_who_was_removed_meanwhile_is_shown_to_nobody() {
    let mut team = Team::new();
    let (mar, luz, eva, person) = (team.mar, team.luz, team.eva, team.person());
    team.write(luz, person, 1, "una").unwrap();
    let key = team.world.key(eva);
    team.world.mute = Some((eva, 0));
    team.write(eva, person, 2, "de quien ya no está").unwrap();
    team.world
        .team(mar, TeamCommand::RemoveMember(key))
        .unwrap();
    team.world.wait(10 * MINUTE);
    team.world.mute = None;
    team.world.restart(eva);
    team.world.wait(10 * MINUTE);
    for member in [mar, luz] {
        assert_eq!(team.state(member, person).unwrap().0, "una");
    }
}

///
#[test]
fn what_nobody_touches_goes_with_the_retention_of_the_relay() {
    let mut team = Team::new();
    let (luz, eva, person) = (team.luz, team.eva, team.person());
    team.write(luz, person, 1, "vieja").unwrap();
    for days in [30, 30, 30] {
        later(&mut team, days);
    }
    assert!(team.state(eva, person).is_some());
    later(&mut team, 1);
    assert_eq!(team.state(eva, person), None);
}

/// All come back after so many days.
fn later(team: &mut Team, days: u32) {
    team.world.now = team.world.now.plus(DAY * days);
    team.world.relay.day = team.world.now.day();
    for member in [team.mar, team.luz, team.eva] {
        team.world.restart(member);
    }
}

///
#[test]
fn help_is_asked_of_coordinators_and_only_a_coordinator_answers_it() {
    let mut team = Team::new();
    let (mar, luz, eva) = (team.mar, team.luz, team.eva);
    let conversation = team.world.conversation(luz);
    team.people(luz, PeopleCommand::AskHelp(conversation.id))
        .unwrap();
    let asked = |event: &Event| matches!(event, Event::HelpAsked { alias, conversation: whose } if alias == "Luz" && Some(*whose) == conversation.alias);
    assert!(team.world.saw(mar, asked));
    assert!(!team.world.saw(eva, asked));
    let help = team.board(mar).helps[0].clone();
    assert_eq!(help.taken_by, None);
    team.world.tell(eva, DeskContent::Coming(help.id));
    assert_eq!(team.board(luz).helps[0].taken_by, None);
    let refused = team.people(eva, PeopleCommand::Come(help.id));
    assert_eq!(refused, Err(CommandError::NotCoordinator));
    team.world.restart(mar);
    team.people(mar, PeopleCommand::Come(help.id)).unwrap();
    let comes = |event: &Event| matches!(event, Event::HelpComes { alias, .. } if alias == "Mar");
    for member in [mar, luz, eva] {
        assert!(team.world.saw(member, comes));
        let taken = team.board(member).helps[0].taken_by.clone();
        assert_eq!(taken.as_deref(), Some("Mar"));
    }
    let again = team.people(mar, PeopleCommand::Come(help.id));
    assert_eq!(again, Err(CommandError::Unknown));
}

fn unclaimed(team: &Team, client: usize) -> Vec<u32> {
    let events = team.world.clients[client].events.iter();
    let minutes = events.filter_map(|event| match event {
        Event::Unclaimed { minutes, .. } => Some(*minutes),
        _ => None,
    });
    minutes.collect()
}

///
#[test]
fn the_coordinators_are_told_once_of_whoever_waits_an_hour_and_once_more_after_another() {
    let mut team = Team::new();
    let (mar, luz, eva) = (team.mar, team.luz, team.eva);
    team.world.team(eva, TeamCommand::StartShift).unwrap();
    let link = team.link.clone();
    team.world.person(&link, "¿Hay alguien?");
    team.world.wait(HOUR - MINUTE);
    assert!(unclaimed(&team, mar).is_empty());
    team.world.wait(2 * MINUTE);
    assert_eq!(unclaimed(&team, mar), [60], "off shift, and of both one");
    assert!(unclaimed(&team, luz).is_empty());
    assert_eq!(team.board(mar).unclaimed, [60]);
    team.world.wait(HOUR);
    assert_eq!(unclaimed(&team, mar), [60, 120]);
    team.world.claim(eva).unwrap();
    assert!(team.board(mar).unclaimed.is_empty());
    team.world.wait(3 * HOUR);
    assert_eq!(unclaimed(&team, mar).len(), 2);
}

///
#[test]
fn a_liar_can_not_flood_the_coordinators() {
    let mut team = Team::new();
    let (mar, eva) = (team.mar, team.eva);
    for r in 0..40 {
        let r = ThreadSecret::from_bytes([r; 32]);
        let told = Unclaimed { r, minutes: 60 };
        team.world.tell(eva, DeskContent::Unclaimed(told));
    }
    assert_eq!(unclaimed(&team, mar).len(), 16);
}

///
#[test]
fn at_the_end_of_her_shift_only_her_wish_to_talk_leaves_the_device_and_only_coordinators_read_it() {
    let mut team = Team::new();
    let (mar, luz, eva) = (team.mar, team.luz, team.eva);
    let wants = |event: &Event| matches!(event, Event::WantsToTalk { alias } if alias == "Luz");
    let asked = |team: &Team| {
        let events = team.world.clients[luz].events.iter();
        let asked = events.filter(|event| matches!(event, Event::CheckOut));
        (asked.count(), team.world.desk_view(luz).check_out)
    };
    for (answer, again) in [(CheckOut::No, false), (CheckOut::Tomorrow, true)] {
        team.world.clients[luz].events.clear();
        team.world.team(luz, TeamCommand::EndShift).unwrap();
        assert_eq!(asked(&team), (1, true));
        let before = team.world.relay.full();
        team.people(luz, PeopleCommand::CheckOut(answer)).unwrap();
        team.world.wait(MINUTE);
        assert!(team.world.relay.full() == before, "nobody is told");
        assert!(!asked(&team).1);
        team.world.team(luz, TeamCommand::StartShift).unwrap();
        assert_eq!(asked(&team).1, again);
        team.world.restart(luz);
    }
    team.people(luz, PeopleCommand::CheckOut(CheckOut::Talk))
        .unwrap();
    assert!(team.world.saw(mar, wants));
    assert!(!team.world.saw(eva, wants));
    assert!(team.board(mar).words[0].word == Word::Talk);
    assert!(team.board(eva).words.is_empty());
    team.people(mar, PeopleCommand::ForgetWords).unwrap();
    assert!(team.board(mar).words.is_empty());
}

///
#[test]
fn a_note_is_kept_to_oneself_or_shared_with_one_coordinator_whatever_others_claim_to_be() {
    let mut team = Team::new();
    let (mar, luz, eva) = (team.mar, team.luz, team.eva);
    let sol = team.world.join(mar, "Sol", Role::Coordinator);
    let note = |text: &str, share| PeopleCommand::Debrief {
        text: text.to_owned(),
        share,
    };
    let before = team.world.relay.full();
    team.people(luz, note("Me quedé con su voz", None)).unwrap();
    assert!(team.world.relay.full() == before);
    assert_eq!(team.board(luz).debriefs[0].text, "Me quedé con su voz");
    // An accompanier who says where she receives what is for coordinators.
    let seal_key = cobijo_client_core::mls::hpke::key_pair(&[9; 32]).unwrap();
    team.world
        .tell(eva, DeskContent::SealKey(seal_key.public.into()));
    let to_eva = team.world.key(eva);
    let refused = team.people(luz, note("para Eva", Some(to_eva)));
    assert_eq!(refused, Err(CommandError::ColleagueUnavailable));
    let to_sol = team.world.key(sol);
    team.people(luz, note("para Sol", Some(to_sol))).unwrap();
    let read = |event: &Event| matches!(event, Event::Debrief { text, .. } if text == "para Sol");
    assert!(team.world.saw(sol, read));
    assert!(!team.world.saw(mar, read) && !team.world.saw(eva, read));
    let long = note(&"x".repeat(2_100), Some(to_sol));
    assert_eq!(team.people(luz, long), Err(CommandError::TooLong));
    // What is no word, or somebody else's, is dropped.
    let to = team.world.key(sol);
    let sealed = vec![1; 3_184].into();
    let garbage = DeskContent::Word(SealedWord { to, sealed });
    team.world.tell(eva, garbage);
    assert_eq!(team.board(sol).words.len(), 1);
}

///
#[test]
fn a_member_in_the_conversation_takes_no_block_and_a_coordinator_takes_it_back() {
    let mut team = Team::new();
    let (mar, luz, eva, person) = (team.mar, team.luz, team.eva, team.person());
    let blocked = true;
    team.world
        .tell(eva, DeskContent::Block(Block { person, blocked }));
    assert!(team.world.saw(
        mar,
        |event| matches!(event, Event::Blocked { alias, .. } if alias == "Eva")
    ));
    assert_eq!(team.board(mar).blocked.len(), 1);
    assert!(team.board(luz).blocked.is_empty());
    let refused = team.people(luz, PeopleCommand::Unblock(person));
    assert_eq!(refused, Err(CommandError::Unknown));
    team.people(mar, PeopleCommand::Unblock(person)).unwrap();
    assert!(team.board(eva).blocked.is_empty());
    let help = MessageId::from_bytes([3; 16]);
    assert_eq!(
        team.people(mar, PeopleCommand::Come(help)),
        Err(CommandError::Unknown)
    );
    let conversation = team.world.conversation(luz).id;
    let close = PeopleCommand::Close {
        conversation,
        reason: ClosingReason::Agreed,
        block: true,
    };
    assert_eq!(team.people(luz, close), Err(CommandError::NotNow));
}
