//! She is asked: who is proposed, for what, and what becomes of her yes and her no.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

mod world;

use std::time::Duration;

use cobijo_client_core::core::client::{
    Command, CommandError, Entry, EntryContent, Event, PersonCommand, Speaker, TeamCommand,
};
use cobijo_protocol::{
    capsule::Shows,
    card::Role,
    content::{Content, Minute, Proposal, Purpose, Reads},
};
use world::{
    World,
    consent::ENDS,
    phrase::{come_back, goes_away, keep, talking},
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

///
#[test]
fn she_sees_who_is_proposed_by_whom_for_what_why_and_what_would_be_readable() {
    let (mut world, luz, ana) = talking();
    let sol = world.join(0, "Sol", Role::Lawyer);
    let specialist = (Purpose::Specialist, Reads::Summary);
    world.propose(luz, sol, specialist.0, specialist.1).unwrap();
    let proposal = world.proposals(ana).remove(0);
    assert_eq!((proposal.purpose, proposal.reads), specialist);
    assert_eq!(
        (proposal.alias.as_str(), proposal.role),
        ("Sol", Role::Lawyer)
    );
    assert_eq!(proposal.reason, "Sabe escuchar, obsidiana");
    let Some(Speaker::Member { alias, .. }) = &proposal.by else {
        panic!("nobody proposes");
    };
    assert_eq!(alias, "Luz");
    world.accept(ana);
    assert_eq!(world.room(ana), ["Luz", "Sol"]);
    world.say(sol, "Hola").unwrap();
    assert_eq!(world.texts(ana).last().unwrap(), "Hola");
}

///
#[test]
fn nobody_is_proposed_for_what_she_is_not() {
    let (mut world, luz, ana) = talking();
    let sol = world.join(0, "Sol", Role::Psychologist);
    let eva = world.join(0, "Eva", Role::Accompanier);
    for (colleague, purpose, reads) in [
        (eva, Purpose::Specialist, Reads::FromNow),
        (sol, Purpose::Supervise, Reads::FromNow),
        (sol, Purpose::Buddy, Reads::Summary),
        (sol, Purpose::HandOver, Reads::Summary),
    ] {
        let refused = world.propose(luz, colleague, purpose, reads);
        assert_eq!(refused, Err(CommandError::NotFitting), "{purpose:?}");
    }
    assert!(world.proposals(ana).is_empty());
    world
        .propose(luz, 0, Purpose::Supervise, Reads::FromNow)
        .unwrap();
    world.accept(ana);
    let again = world.propose(luz, 0, Purpose::Accompany, Reads::FromNow);
    assert_eq!(again, Err(CommandError::InRoom));
}

/// What the member's client proposed, taken from the person's open proposals by an own client's words: a real
/// one, whose purpose is then another.
fn proposal_of(world: &mut World, colleague: usize) -> Proposal {
    let (member, key_package) = world.offer_of(colleague);
    Proposal {
        member,
        purpose: Purpose::Accompany,
        reason: "obsidiana".to_owned(),
        reads: Reads::Summary,
        key_package,
    }
}

///
#[test]
fn a_changed_client_proposes_nobody_for_what_does_not_fit() {
    let (mut world, luz, ana) = talking();
    let eva = world.join(0, "Eva", Role::Accompanier);
    world.say(luz, "Hola").unwrap();
    let fitting = proposal_of(&mut world, eva);
    let with = |change: &dyn Fn(&mut Proposal)| {
        let mut proposal = fitting.clone();
        change(&mut proposal);
        proposal
    };
    let buddy = with(&|proposal| {
        proposal.purpose = Purpose::Buddy;
        proposal.reads = Reads::FromNow;
    });
    let not_fitting = [
        with(&|proposal| proposal.purpose = Purpose::Specialist),
        with(&|proposal| proposal.purpose = Purpose::Supervise),
        with(&|proposal| proposal.purpose = Purpose::HandOver),
        with(&|proposal| proposal.purpose = Purpose::Buddy),
        with(&|proposal| proposal.reason = "x".repeat(2_001)),
        // She has said something already.
        buddy,
    ];
    let mut salt = 0;
    let mut say = |world: &mut World, content| {
        salt += 1;
        world.say_what_is_not_allowed(luz, salt, content);
        world.wait(MINUTE);
    };
    for proposal in not_fitting {
        say(&mut world, Content::Proposal(proposal));
        assert!(world.proposals(ana).is_empty());
    }
    say(
        &mut world,
        Content::ShiftEnds {
            at: Minute::from_number(u32::MAX),
            back: None,
            next: Some(fitting.clone()),
        },
    );
    assert!(world.proposals(ana).is_empty());
    let history = world.clients[ana]
        .client
        .history(world.conversation(ana).id);
    let told = |entry: &Entry| matches!(entry.content, EntryContent::ShiftEnds { next: None, .. });
    assert!(told(history.last().unwrap()), "that the shift ends is told");
    say(&mut world, Content::Proposal(fitting));
    assert_eq!(world.proposals(ana).len(), 1);
}

///
#[test]
fn her_no_is_final_and_nothing_of_the_proposal_reaches_the_colleague() {
    for is_hand_over in [false, true] {
        let (mut world, luz, ana) = talking();
        let eva = world.join(0, "Eva", Role::Accompanier);
        let before = world.clients[eva].events.len();
        if is_hand_over {
            world.hand_over(luz, Some(eva)).unwrap();
        } else {
            world
                .propose(luz, eva, Purpose::Accompany, Reads::Summary)
                .unwrap();
        }
        let no = world.no(ana);
        world.command(ana, no).unwrap();
        world.restart(eva);
        world.wait(HOUR);
        assert!(world.clients[eva].client.conversations().is_empty());
        assert!(!world.knows(eva, "obsidiana"));
        let told = world.clients[eva].events[before..].iter();
        assert!(
            told.clone()
                .all(|event| matches!(event, Event::CardPublished(_)))
        );
        let history = world.clients[luz]
            .client
            .history(world.conversation(luz).id);
        let is_no = |entry: &Entry| matches!(entry.content, EntryContent::Refusal(_));
        assert!(history.iter().any(is_no));
        assert!(world.proposals(ana).is_empty());
        for client in [ana, luz] {
            world.restart(client);
            assert_eq!(world.room(client), ["Luz"]);
        }
    }
}

///
#[test]
fn a_proposal_that_is_made_while_she_is_away_waits_over_restarts() {
    let (mut world, luz, ana) = talking();
    let eva = world.join(0, "Eva", Role::Accompanier);
    goes_away(&mut world, ana);
    world
        .propose(luz, eva, Purpose::Accompany, Reads::FromNow)
        .unwrap();
    world.wait(HOUR);
    for _ in 0..2 {
        world.restart(ana);
        assert_eq!(world.proposals(ana).len(), 1);
    }
    world.accept(ana);
    assert_eq!(world.room(ana), ["Luz", "Eva"]);
}

///
#[test]
fn a_proposal_that_is_made_while_she_is_away_waits_until_she_comes_back_by_her_phrase() {
    for shows in [Shows::New, Shows::All] {
        let (mut world, luz, ana) = talking();
        let eva = world.join(0, "Eva", Role::Accompanier);
        let sol = world.join(0, "Sol", Role::Accompanier);
        keep(&mut world, ana, shows);
        let proposed = (Purpose::Accompany, Reads::FromNow);
        world.propose(luz, sol, proposed.0, proposed.1).unwrap();
        let no = world.no(ana);
        world.command(ana, no).unwrap();
        goes_away(&mut world, ana);
        world.propose(luz, eva, proposed.0, proposed.1).unwrap();
        world.wait(HOUR);
        let anew = come_back(&mut world);
        // What she said no to on her other device she is not asked again.
        let aliases: Vec<_> = world
            .proposals(anew)
            .into_iter()
            .map(|one| one.alias)
            .collect();
        assert_eq!(aliases, ["Eva"]);
        world.restart(anew);
        world.accept(anew);
        world.wait(MINUTE);
        assert_eq!(world.room(anew), ["Luz", "Eva"]);
        assert!(world.came_in(eva) && !world.came_in(sol));
    }
}

/// A coordinator, an accompanier on shift beside whom somebody learns, and a person who waits.
fn with_buddy() -> (World, usize, usize, usize) {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    let eva = world.join(mar, "Eva", Role::Accompanier);
    let (of_eva, of_luz) = (world.key(eva), world.key(luz));
    let beside = |key| TeamCommand::LearnBeside(Some(key));
    assert_eq!(
        world.team(luz, beside(of_eva)),
        Err(CommandError::NotOnShift)
    );
    world.team(luz, TeamCommand::StartShift).unwrap();
    assert_eq!(world.team(luz, beside(of_luz)), Err(CommandError::Yourself));
    world.team(luz, beside(of_eva)).unwrap();
    let ana = world.person(&link, "¿Están ahí?");
    (world, luz, eva, ana)
}

///
#[test]
fn a_buddy_is_named_before_anything_else_is_said() {
    let (mut world, luz, eva, ana) = with_buddy();
    world.claim(luz).unwrap();
    world.say(luz, "Hola, soy Luz").unwrap();
    let history = world.clients[ana]
        .client
        .history(world.conversation(ana).id);
    let by_luz = history
        .iter()
        .filter(|entry| matches!(entry.author, Some(Speaker::Member { .. })));
    let said: Vec<_> = by_luz.map(|entry| &entry.content).collect();
    assert!(matches!(
        said[0],
        EntryContent::Proposal {
            purpose: Purpose::Buddy,
            ..
        }
    ));
    assert!(matches!(said[1], EntryContent::Text(_)));
    assert!(!world.came_in(eva));
    world.accept(ana);
    assert_eq!(world.room(ana), ["Luz", "Eva"]);
    assert!(world.texts(eva).is_empty());
}

///
#[test]
fn nothing_is_said_while_a_buddy_is_being_named_whatever_crashes() {
    let mut has_waited = false;
    for frames in 1..16 {
        let (mut world, luz, _, ana) = with_buddy();
        let row = world.clients[luz].client.queue()[0].id;
        world.mute = Some((luz, frames));
        world.team(luz, TeamCommand::Claim(row)).unwrap();
        let has_begun = !world.clients[luz].client.conversations().is_empty();
        if has_begun {
            let said = world.say(luz, "Hola");
            has_waited |= said == Err(CommandError::NamingBuddy);
        }
        world.mute = None;
        world.restart(luz);
        world.wait(10 * MINUTE);
        let proposals = world.proposals(ana);
        assert_eq!(proposals.len(), 1, "after {frames} frames");
        assert_eq!(proposals[0].purpose, Purpose::Buddy);
    }
    assert!(has_waited);
}

///
#[test]
fn a_shift_that_ends_without_anybody_else_is_told_and_changes_nothing() {
    let (mut world, luz, ana) = talking();
    world.hand_over(luz, None).unwrap();
    world.wait(HOUR);
    for client in [ana, luz] {
        let history = world.clients[client]
            .client
            .history(world.conversation(client).id);
        let told = |entry: &Entry| matches!(&entry.content, EntryContent::ShiftEnds { ends, next: None } if *ends == ENDS);
        assert!(history.iter().any(told));
        assert_eq!(world.room(client), ["Luz"]);
    }
    assert!(world.proposals(ana).is_empty());
}

///
#[test]
fn her_no_to_a_hand_over_is_to_wait_and_whoever_proposed_it_stays() {
    let (mut world, luz, ana) = talking();
    let eva = world.join(0, "Eva", Role::Accompanier);
    world.hand_over(luz, Some(eva)).unwrap();
    let no = world.no(ana);
    world.command(ana, no).unwrap();
    // Eva comes for another reason.
    world
        .propose(luz, eva, Purpose::Accompany, Reads::FromNow)
        .unwrap();
    world.accept(ana);
    world.wait(HOUR);
    assert_eq!(world.room(ana), ["Luz", "Eva"]);
}

///
#[test]
fn whoever_comes_because_nobody_answers_reads_the_summary_unless_she_says_no_to_that() {
    for reads in [Reads::Summary, Reads::FromNow] {
        let (mut world, luz, ana) = talking();
        world.edit(luz, "zarzamora").unwrap();
        world.team(luz, TeamCommand::EndShift).unwrap();
        let eva = world.join(0, "Eva", Role::Accompanier);
        world.team(eva, TeamCommand::StartShift).unwrap();
        let ask = PersonCommand::AskDesk {
            conversation: world.conversation(ana).id,
            text: "Luz no responde".to_owned(),
        };
        world.command(ana, Command::Person(ask)).unwrap();
        world.claim(eva).unwrap();
        assert_eq!(world.proposals(ana)[0].reads, Reads::Summary);
        let yes = world.yes(ana, reads);
        world.command(ana, yes).unwrap();
        world.wait(HOUR);
        assert_eq!(world.room(ana), ["Luz", "Eva"]);
        assert_eq!(world.summary(eva).is_some(), reads == Reads::Summary);
        assert_eq!(world.knows(eva, "zarzamora"), reads == Reads::Summary);
    }
}
