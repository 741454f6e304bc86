//! The summary, over a relay in memory and in virtual time: who reads it, who does not, and how it goes.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

mod world;

use std::{collections::BTreeSet, time::Duration};

use cobijo_client_core::core::client::CommandError;
use cobijo_protocol::{
    capsule::Shows,
    card::Role,
    content::{Content, Purpose, Reads},
    limits::SUMMARY_VERSION_OF_MEMBERS_MAX,
    slot::Address,
};
use world::{
    World,
    consent::ENDS,
    phrase::{come_back, comes_online, goes_away, keep, talking},
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const SAID: &str = "zarzamora";
const TOLD: &str = "golondrina";
const NEWER: &str = "yerbabuena";

/// Something was said, the summary written, and Eva is a colleague.
fn told() -> (World, usize, usize, usize) {
    let (mut world, luz, ana) = talking();
    let eva = world.join(0, "Eva", Role::Accompanier);
    world.say(ana, SAID).unwrap();
    world.edit(luz, TOLD).unwrap();
    assert_eq!(world.summary(ana).unwrap(), TOLD);
    (world, luz, ana, eva)
}

fn propose(world: &mut World, luz: usize, colleague: usize, reads: Reads) {
    world
        .propose(luz, colleague, Purpose::Accompany, reads)
        .unwrap();
}

///
#[test]
fn a_newcomer_reads_the_summary_that_she_agreed_to_and_nothing_earlier() {
    for (proposed, agreed) in [
        (Reads::Summary, Reads::Summary),
        (Reads::Summary, Reads::FromNow),
        (Reads::FromNow, Reads::Summary),
    ] {
        let (mut world, luz, ana, eva) = told();
        propose(&mut world, luz, eva, proposed);
        let yes = world.yes(ana, agreed);
        world.command(ana, yes).unwrap();
        world.wait(HOUR);
        assert!(world.came_in(eva));
        let reads = proposed == Reads::Summary && agreed == Reads::Summary;
        assert_eq!(world.summary(eva).as_deref(), reads.then_some(TOLD));
        assert_eq!(world.knows(eva, TOLD), reads);
        assert!(world.texts(eva).is_empty() && !world.knows(eva, SAID));
    }
}

///
#[test]
fn what_is_written_or_erased_between_her_yes_and_the_commit_is_not_told_by_her_client() {
    for is_erased in [false, true] {
        let (mut world, luz, ana, eva) = told();
        let link = world.link(0);
        propose(&mut world, luz, eva, Reads::Summary);
        let card = world.relay.cards.remove(&link.desk).unwrap();
        let yes = world.yes(ana, Reads::Summary);
        world.command(ana, yes).unwrap();
        if is_erased {
            world.erase_summary(ana).unwrap();
        } else {
            world.edit(luz, NEWER).unwrap();
        }
        world.relay.cards.insert(link.desk, card);
        world.wait(HOUR);
        assert!(world.came_in(eva));
        assert!(!world.knows(eva, NEWER));
        assert_eq!(world.knows(eva, TOLD), !is_erased);
        if !is_erased {
            assert_eq!(world.summary(ana).unwrap(), NEWER);
            assert_eq!(world.summary(luz).unwrap(), NEWER);
            assert_eq!(world.summary(eva).unwrap(), TOLD);
        }
    }
}

///
#[test]
fn she_is_told_who_else_would_read_it() {
    let (mut world, luz, ana, eva) = told();
    let sol = world.join(0, "Sol", Role::Lawyer);
    propose(&mut world, luz, eva, Reads::FromNow);
    world.accept(ana);
    propose(&mut world, luz, sol, Reads::Summary);
    assert_eq!(world.proposals(ana)[0].also_read_by, ["Eva"]);
    world.accept(ana);
    world.wait(MINUTE);
    assert_eq!(world.summary(eva).unwrap(), TOLD);
    assert_eq!(world.summary(sol).unwrap(), TOLD);
}

///
#[test]
fn where_her_device_changes_the_summary_is_said_again_by_whoever_is_there() {
    for is_luz_away in [false, true] {
        let (mut world, luz, ana, eva) = told();
        propose(&mut world, luz, eva, Reads::Summary);
        world.accept(ana);
        keep(&mut world, ana, Shows::New);
        let away = is_luz_away.then(|| goes_away(&mut world, luz));
        let anew = come_back(&mut world);
        assert_eq!(world.summary(anew).is_none(), is_luz_away);
        world.wait(Duration::from_secs(900));
        assert_eq!(world.summary(anew).unwrap(), TOLD);
        if let Some(away) = away {
            comes_online(&mut world, luz, away);
        }
        world.wait(HOUR);
        assert_eq!(world.summary(luz).unwrap(), TOLD);
    }
}

///
#[test]
fn nobody_says_it_again_to_her_where_somebody_is_there_who_was_not_meant_to_read_it() {
    let (mut world, luz, ana, eva) = told();
    propose(&mut world, luz, eva, Reads::FromNow);
    world.accept(ana);
    keep(&mut world, ana, Shows::New);
    let anew = come_back(&mut world);
    world.wait(HOUR);
    assert_eq!(world.room(anew), ["Luz", "Eva"]);
    assert_eq!(world.summary(anew), None);
    assert!(!world.knows(eva, TOLD));
}

fn put(world: &mut World, done: impl FnOnce(&mut World)) -> BTreeSet<Address> {
    let before = world.relay.full();
    done(world);
    world.relay.full().difference(&before).copied().collect()
}

///
#[test]
fn what_she_erases_of_it_is_gone_from_the_relay_and_from_every_device_and_stays_gone() {
    let (mut world, luz, ana) = talking();
    let kept = put(&mut world, |world| world.say(ana, SAID).unwrap());
    let slots = put(&mut world, |world| {
        world.edit(luz, TOLD).unwrap();
        world.edit(ana, &format!("{TOLD}, {TOLD}")).unwrap();
    });
    assert_eq!(slots.len(), 2);
    // Luz writes on while she can't be heard.
    let edit = world.edit_command(luz, NEWER);
    world.mute = Some((luz, 0));
    world.command(luz, edit).unwrap();
    world.erase_summary(ana).unwrap();
    world.mute = None;
    world.restart(luz);
    world.wait(2 * MINUTE);
    for _ in 0..2 {
        for client in [ana, luz] {
            assert_eq!(world.summary(client), None);
            assert!(!world.knows(client, TOLD));
        }
        let full = world.relay.full();
        assert!(slots.is_disjoint(&full) && kept.is_subset(&full));
        world.restart(ana);
        world.restart(luz);
        world.wait(HOUR);
    }
    assert!(!world.knows(ana, NEWER));
    assert_eq!(world.edit(luz, ""), Err(CommandError::NoSummary));
    world.edit(luz, "ciruela").unwrap();
    assert_eq!(world.summary(ana).unwrap(), "ciruela");
}

///
#[test]
fn of_two_who_write_it_at_once_both_see_one_and_nobody_writes_over_what_she_has_not_seen() {
    let (mut world, luz, ana, _) = told();
    let stale = world.edit_command(ana, "ciruela");
    let both = [(luz, "a"), (ana, "b")];
    let both = both.map(|(client, text)| (client, world.edit_command(client, text)));
    world.commands_at_once(both.into_iter().collect());
    assert_eq!(world.summary(luz), world.summary(ana));
    let refused = world.command(ana, stale);
    assert_eq!(refused, Err(CommandError::NewerSummary));
    assert_eq!(
        world.edit(ana, &"x".repeat(4_001)),
        Err(CommandError::SummaryTooLong)
    );
}

///
#[test]
fn a_member_with_a_changed_client_neither_empties_it_nor_keeps_it_from_the_others() {
    let (mut world, luz, ana, _) = told();
    let summary = |version, text: &str| Content::Summary {
        version,
        text: text.to_owned(),
    };
    world.say_what_is_not_allowed(luz, 1, summary(9, ""));
    world.say_what_is_not_allowed(luz, 2, summary(u32::MAX, "mine"));
    world.wait(MINUTE);
    assert_eq!(world.summary(ana).unwrap(), TOLD);
    let highest = SUMMARY_VERSION_OF_MEMBERS_MAX;
    world.say_what_is_not_allowed(luz, 3, summary(highest, "mine"));
    world.wait(MINUTE);
    assert_eq!(world.summary(ana).unwrap(), "mine");
    world.edit(ana, NEWER).unwrap();
    assert_eq!(world.summary(luz).unwrap(), NEWER);
    assert_eq!(world.edit(luz, "mine"), Err(CommandError::NotNow));
    world.erase_summary(ana).unwrap();
    assert_eq!(world.summary(luz), None);
}

///
#[test]
fn whoever_hands_over_goes_once_the_colleague_has_come_and_read_whatever_crashes() {
    for frames in [1, 2, 3, 5, 8, 100] {
        let (mut world, luz, ana, eva) = told();
        world.hand_over(luz, Some(eva)).unwrap();
        let proposal = world.proposals(ana).remove(0);
        assert_eq!(proposal.purpose, Purpose::HandOver);
        assert_eq!(proposal.ends, Some(ENDS));
        let yes = world.yes(ana, Reads::Summary);
        world.command_and_crash(ana, yes, frames);
        world.restart(luz);
        world.wait(HOUR);
        assert_eq!(world.room(ana), ["Eva"], "after {frames} frames");
        assert_eq!(world.summary(eva).unwrap(), TOLD);
        assert!(!world.knows(eva, SAID));
        assert!(!world.conversation(luz).open);
        world.say(eva, "Leí el resumen").unwrap();
        assert_eq!(world.texts(ana).last().unwrap(), "Leí el resumen");
    }
}

///
#[test]
fn whoever_hands_over_goes_too_where_she_said_yes_without_the_summary() {
    let (mut world, luz, ana, eva) = told();
    world.hand_over(luz, Some(eva)).unwrap();
    let yes = world.yes(ana, Reads::FromNow);
    world.command(ana, yes).unwrap();
    world.wait(MINUTE);
    assert_eq!(world.room(ana), ["Luz", "Eva"]);
    world.wait(HOUR);
    assert_eq!(world.room(ana), ["Eva"]);
    assert!(!world.knows(eva, TOLD));
}
