//! Closing a conversation for now, over a relay in memory and in virtual time.

#![allow(clippy::unwrap_used, clippy::panic, clippy::wildcard_enum_match_arm)]

mod world;

use std::time::Duration;

use cobijo_client_core::core::client::{
    Capacity, ClosingReason, Command, EntryContent, Event, PeopleCommand, QueueReason, TeamCommand,
};
use cobijo_protocol::{card::Role, content::Reads};
use world::people::Team;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// For how many days her screen says that it is kept, where it says that it is closed.
fn closing(team: &Team) -> Vec<u16> {
    let history = team.world.clients[team.ana]
        .client
        .history(team.world.conversation(team.ana).id);
    let days = history.iter().filter_map(|entry| match entry.content {
        EntryContent::Closing { days } => Some(days),
        _ => None,
    });
    days.collect()
}

///
#[test]
fn she_is_told_that_it_is_closed_and_not_why_and_the_accompanier_keeps_nothing_of_it() {
    let mut team = Team::new();
    let (luz, ana, person) = (team.luz, team.ana, team.person());
    team.world.say(ana, "zarzamora").unwrap();
    team.world.say(luz, "golondrina").unwrap();
    team.write(luz, person, 1, "ciruela").unwrap();
    team.close(ClosingReason::StoppedComing, false);
    assert_eq!(closing(&team), [90]);
    team.world.wait(2 * MINUTE);
    assert!(team.world.room(ana).is_empty(), "she has left");
    assert!(!team.remembers(ana, "stopped-coming"));
    assert!(team.world.texts(ana).contains(&"golondrina".to_owned()));
    let view = team.world.conversation(luz);
    assert!(view.closed && !view.open && view.members.is_empty());
    assert_eq!((view.alias, view.code), (None, None));
    assert!(team.world.clients[luz].client.history(view.id).is_empty());
    for word in ["zarzamora", "golondrina", "ciruela"] {
        assert!(!team.remembers(luz, word), "{word}");
    }
    team.world.restart(luz);
    assert!(team.world.conversation(luz).closed);
    assert_eq!(team.world.desk_view(luz).live, 0);
    for member in [team.mar, team.eva] {
        assert!(team.row(member, person).is_none());
    }
}

///
#[test]
fn the_door_stays_open_also_to_who_closed_it() {
    let mut team = Team::new();
    let (luz, ana) = (team.luz, team.ana);
    team.close(ClosingReason::Agreed, false);
    team.ask_desk("Quiero seguir");
    let queue = team.world.clients[luz].client.queue();
    assert_eq!(queue[0].reason, QueueReason::CameBack);
    team.world.claim(luz).unwrap();
    team.world.accept(ana);
    assert_eq!(team.world.room(ana), ["Luz"]);
    let open = team.world.clients[luz].client.conversations();
    let open: Vec<_> = open.into_iter().filter(|one| one.open).collect();
    assert_eq!(open.len(), 1);
    let (conversation, text) = (open[0].id, "Aquí estoy".to_owned());
    let say = Command::Say { conversation, text };
    team.world.command(luz, say).unwrap();
    assert!(team.world.texts(ana).contains(&"Aquí estoy".to_owned()));
}

///
#[test]
fn while_another_accompanier_stays_it_goes_on_and_what_the_board_says_stands() {
    let mut team = Team::new();
    let (mar, luz, eva, ana, person) = (team.mar, team.luz, team.eva, team.ana, team.person());
    let colleague = team.world.key(eva);
    let conversation = team.world.conversation(luz).id;
    let propose = TeamCommand::Propose {
        conversation,
        colleague,
        purpose: cobijo_protocol::content::Purpose::Accompany,
        reason: "Para lo legal".to_owned(),
        reads: Reads::FromNow,
    };
    team.world.team(luz, propose).unwrap();
    team.world.accept(ana);
    assert_eq!(team.world.room(ana), ["Luz", "Eva"]);
    team.write(luz, person, 1, "sigue").unwrap();
    team.close(ClosingReason::Referred, false);
    team.world.wait(2 * MINUTE);
    assert!(closing(&team).is_empty());
    assert_eq!(team.world.room(ana), ["Eva"]);
    assert_eq!(team.state(mar, person).unwrap().0, "sigue");
    let close = PeopleCommand::Close {
        conversation: team.world.conversation(eva).id,
        reason: ClosingReason::Agreed,
        block: false,
    };
    team.people(eva, close).unwrap();
    team.world.wait(2 * MINUTE);
    assert_eq!(closing(&team).len(), 1);
    assert_eq!(team.state(mar, person), None);
}

///
#[test]
fn whoever_is_blocked_is_passed_over_until_a_coordinator_takes_it_back_and_may_write_anew() {
    let mut team = Team::new();
    let (mar, luz, ana, person) = (team.mar, team.luz, team.ana, team.person());
    team.close(ClosingReason::Abuse, true);
    assert!(team.world.saw(
        mar,
        |event| matches!(event, Event::Blocked { alias, blocked: true, .. } if alias == "Luz")
    ));
    let sol = team.world.join(mar, "Sol", Role::Accompanier);
    for member in [mar, sol] {
        team.world.team(member, TeamCommand::StartShift).unwrap();
    }
    let mailbox = team.world.mailbox(&team.link);
    team.ask_desk("Contéstenme");
    for member in [mar, luz, sol] {
        assert_eq!(team.world.waiting(member), 0, "{member}");
    }
    team.world.wait(MINUTE);
    assert_eq!(team.world.relay.items(&mailbox), 0, "it is removed");
    let link = team.link.clone();
    team.world.person(&link, "Es la primera vez que escribo");
    assert_eq!(team.world.waiting(luz), 1, "whoever writes anew is heard");
    team.people(mar, PeopleCommand::Unblock(person)).unwrap();
    for member in [mar, luz, sol] {
        assert!(team.board(member).blocked.is_empty());
    }
    assert_eq!(closing(&team).len(), 1);
    assert!(!team.remembers(ana, "abuse"));
}

///
#[test]
fn killed_anywhere_while_she_closes_she_is_told_once_and_the_desk_too() {
    for frames in 1..6 {
        let mut team = Team::new();
        let (mar, luz, person) = (team.mar, team.luz, team.person());
        team.write(luz, person, 1, "ciruela").unwrap();
        let close = PeopleCommand::Close {
            conversation: team.world.conversation(luz).id,
            reason: ClosingReason::Agreed,
            block: false,
        };
        let close = Command::Team(TeamCommand::People(close));
        team.world.command_and_crash(luz, close, frames);
        assert_eq!(closing(&team).len(), 1, "{frames}");
        assert!(team.world.room(team.ana).is_empty(), "{frames}");
        assert!(team.world.conversation(luz).closed, "{frames}");
        assert!(team.row(mar, person).is_none(), "{frames}");
    }
}

#[test]
fn a_conversation_in_which_nobody_wrote_for_a_week_takes_no_place_until_somebody_does() {
    let mut team = Team::new();
    let (luz, ana) = (team.luz, team.ana);
    let one = Capacity::try_from(1).unwrap();
    team.world.team(luz, TeamCommand::Take(one)).unwrap();
    let link = team.link.clone();
    team.world.person(&link, "¿Hay alguien?");
    assert_eq!(team.world.waiting(luz), 0);
    team.world.wait(6 * DAY);
    assert_eq!(team.world.desk_view(luz).live, 1);
    team.world.clients[luz].events.clear();
    team.world.wait(DAY + MINUTE);
    assert_eq!(team.world.desk_view(luz).live, 0);
    assert!(
        team.world
            .saw(luz, |event| matches!(event, Event::QueueChanged))
    );
    assert_eq!(team.world.waiting(luz), 1);
    team.world.say(ana, "Sigo aquí").unwrap();
    assert_eq!(team.world.waiting(luz), 0);
}

#[test]
fn whoever_pauses_is_offered_nobody_for_a_quarter_of_an_hour() {
    let mut team = Team::new();
    let luz = team.luz;
    let link = team.link.clone();
    team.world.person(&link, "¿Hay alguien?");
    assert_eq!(team.world.waiting(luz), 1);
    team.people(luz, PeopleCommand::Pause).unwrap();
    assert_eq!(team.world.waiting(luz), 0);
    team.world.restart(luz);
    team.world.wait(14 * MINUTE);
    assert_eq!(team.world.waiting(luz), 0);
    team.world.wait(2 * MINUTE);
    assert_eq!(team.world.waiting(luz), 1);
    assert!(
        team.world
            .saw(luz, |event| matches!(event, Event::PauseOver))
    );
}
