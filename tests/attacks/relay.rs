//! A hostile relay: what it withholds, delays or tells one member alone.

use cobijo_client_core::core::{
    group::{GroupEvent, Stop},
    port::Seen,
};
use cobijo_protocol::{
    cell::Cell,
    slot::{Kind, Slot},
};
use cobijo_tests::{hostile::HostileMember, memory_relay::Lie};

use crate::world::{ANA, LUZ, MAR, SOL, World, viewer};

/// The commit slots of the present epoch.
fn commit_slots(world: &World) -> Vec<Slot> {
    let secret = HostileMember::of(world.group(ANA)).thread_secret();
    (0..4)
        .map(|index| Slot::derive(&secret, Kind::Commit, 0, index))
        .collect()
}

fn hide(world: &mut World, from: usize, slots: &[Slot]) {
    for slot in slots {
        world.relay.lie(viewer(from), slot.address(), Lie::Empty);
    }
}

#[test]
fn what_a_relay_withholds_is_silence_and_comes_when_it_is_told() {
    let mut world = World::new();
    let slots = commit_slots(&world);
    hide(&mut world, LUZ, &slots);
    let epoch = world.epoch(LUZ);
    world.update(ANA);
    world.run();
    world.say(ANA, "in the next epoch");
    world.run();
    assert_eq!(world.epoch(LUZ), epoch);
    assert!(world.heard(LUZ).is_empty());
    world.relay.repent();
    world.run();
    world.assert_together(&[ANA, LUZ, SOL, MAR]);
    assert_eq!(world.heard(LUZ), ["in the next epoch"]);
}

#[test]
fn who_writes_while_commits_are_withheld_loses_no_words() {
    let mut world = World::new();
    let slots = commit_slots(&world);
    hide(&mut world, LUZ, &slots);
    world.update(ANA);
    world.run();
    world.say(LUZ, "said into the old epoch");
    world.run();
    world.relay.repent();
    world.run();
    world.assert_together(&[ANA, LUZ, SOL, MAR]);
    for member in [ANA, SOL, MAR] {
        assert_eq!(world.heard(member), ["said into the old epoch"]);
    }
}

#[test]
fn members_who_are_shown_different_commits_part_and_their_codes_tell() {
    let mut world = World::new();
    let slots = commit_slots(&world);
    // Sol builds a commit of her own that never reaches the others, and is told that it is stored.
    let mut sol = HostileMember::of(world.group(SOL));
    let data = cobijo_protocol::cbor::encode(&world.honest_data(&sol));
    let crafted = cobijo_tests::hostile::Crafted {
        data,
        ..Default::default()
    };
    let commit = sol.commit(&crafted).commit;
    let (head, bodies) = world.sealed(&slots[0], &commit);
    for body in &bodies {
        world.relay.put_raw(body);
    }
    let cell: Cell = head.cell;
    world
        .relay
        .lie(viewer(LUZ), slots[0].address(), Lie::Full(cell));
    world.update(ANA);
    world.run();
    world.assert_together(&[ANA, MAR]);
    assert_eq!(world.epoch(LUZ), world.epoch(ANA));
    assert_ne!(world.group(LUZ).code(), world.group(ANA).code());
    // Each side goes on, and hears nothing of the other.
    world.say(ANA, "to you");
    world.say(LUZ, "to nobody");
    world.run();
    assert_eq!(world.heard(MAR), ["to you"]);
    assert!(world.heard(LUZ).is_empty());
}

#[test]
fn a_relay_that_says_a_commit_was_erased_stops_who_believes_nothing_else() {
    let mut world = World::new();
    let slots = commit_slots(&world);
    world.relay.lie(viewer(LUZ), slots[0].address(), Lie::Gone);
    let epoch = world.epoch(LUZ);
    world.reconnect(LUZ);
    world.update(ANA);
    world.run();
    assert_eq!(world.stop(LUZ), Some(Stop::Broken));
    assert_eq!(world.epoch(LUZ), epoch);
    world.assert_together(&[ANA, SOL, MAR]);
}

#[test]
fn a_relay_that_says_a_message_was_erased_costs_that_message_alone() {
    let mut world = World::new();
    let secret = HostileMember::of(world.group(ANA)).thread_secret();
    let slot = Slot::derive(&secret, Kind::Message, 0, 0);
    world.relay.lie(viewer(LUZ), slot.address(), Lie::Gone);
    world.members[LUZ].is_away = true;
    world.say(ANA, "one");
    world.say(ANA, "two");
    world.run();
    world.come_back(LUZ);
    world.run();
    assert_eq!(world.heard(LUZ), ["two"]);
    let mut events = world.members[LUZ].events.iter();
    assert!(events.any(|event| matches!(event, GroupEvent::Missing { .. })));
    world.update(LUZ);
    world.run();
    world.assert_together(&[ANA, LUZ, SOL, MAR]);
}

#[test]
fn another_cell_in_the_place_of_a_message_says_nothing_false() {
    let mut world = World::new();
    let secret = HostileMember::of(world.group(ANA)).thread_secret();
    let slots = [0, 1].map(|counter| Slot::derive(&secret, Kind::Message, 0, counter));
    world.members[LUZ].is_away = true;
    world.say(ANA, "one");
    world.run();
    world.say(ANA, "two");
    world.run();
    // The second cell twice: a cell opens in its own slot alone.
    let second = world.relay.cell(&slots[1].address()).unwrap().clone();
    world
        .relay
        .lie(viewer(LUZ), slots[0].address(), Lie::Full(second));
    world.come_back(LUZ);
    world.run();
    assert_eq!(world.heard(LUZ), ["two"]);
    world.assert_together(&[ANA, LUZ, SOL, MAR]);
}

#[test]
fn a_relay_that_forgets_the_latest_shows_an_older_state_and_forks_nobody() {
    let mut world = World::new();
    world.say(ANA, "kept");
    world.run();
    let slots = commit_slots(&world);
    hide(&mut world, LUZ, &slots);
    world.update(ANA);
    world.run();
    world.reconnect(LUZ);
    // She commits into the slot that she is told is empty: it is taken, whatever she is told.
    world.update(LUZ);
    for _ in 0..20 {
        world.step(LUZ);
    }
    assert_eq!(world.stop(LUZ), None);
    world.relay.repent();
    world.run();
    world.assert_together(&[ANA, LUZ, SOL, MAR]);
}

/// [G-17]
#[test]
fn who_is_told_of_commits_alone_has_not_caught_up() {
    let mut world = World::new();
    let mut mar = world.turn(MAR);
    world.write(&mut mar, "words");
    // Nobody else is there either, or there would be commits to read.
    for member in [ANA, LUZ, SOL] {
        world.members[member].is_away = true;
    }
    world.pass_days(80);
    // She comes by, hears what is empty, and loses her connection before a message arrives.
    world.come_back(LUZ);
    world.step_hearing(LUZ, |seen| !matches!(seen, Seen::Full(..)));
    world.members[LUZ].is_away = true;
    world.pass_days(15);
    world.come_back(LUZ);
    world.run();
    assert!(world.shown(LUZ).is_empty(), "the message has expired");
    assert_eq!(world.stop(LUZ), Some(Stop::Stale));
}

/// [G-17]
#[test]
fn a_clock_that_was_behind_takes_no_days_from_who_was_here() {
    let mut world = World::new();
    for day in [19_900, 20_000] {
        world.relay.set_day(day);
        for member in [ANA, LUZ, SOL, MAR] {
            world.reconnect(member);
        }
        world.run();
    }
    world.assert_together(&[ANA, LUZ, SOL, MAR]);
}

/// [G-12]
#[test]
fn a_commit_whose_answer_was_lost_is_followed_by_its_author_too() {
    let mut world = World::new();
    let epoch = world.epoch(ANA);
    world.update(ANA);
    for put in world.next_chain(ANA) {
        assert!(world.relay.put_raw(&put));
    }
    world.reconnect(ANA);
    world.run();
    world.assert_together(&[ANA, LUZ, SOL, MAR]);
    assert_eq!(world.epoch(ANA), epoch + 1);
}

/// [G-11] [G-12]
#[test]
fn however_far_a_committer_got_before_she_was_gone_the_newcomer_is_in_or_nobody_follows() {
    let mut is_done = false;
    for puts in 0.. {
        let mut world = World::new();
        let epoch = world.epoch(LUZ);
        let eva = world.newcomer("Eva");
        world.add(eva);
        let chain = world.next_chain(ANA);
        if puts > chain.len() {
            break;
        }
        for put in &chain[..puts] {
            assert!(world.relay.put_raw(put));
        }
        world.members[ANA].is_away = true;
        world.run();
        is_done = world.epoch(LUZ) > epoch;
        assert_eq!(world.has_joined(eva), is_done);
        if is_done {
            world.assert_together(&[LUZ, SOL, MAR, eva]);
        }
    }
    assert!(is_done);
}

#[test]
fn who_leaves_while_a_commit_of_hers_is_on_its_way_is_let_go() {
    let mut world = World::new();
    world.update(LUZ);
    world.next_chain(LUZ);
    world.group_mut(LUZ).leave(None);
    world.run();
    world.pass_days(1);
    assert_eq!(world.stop(LUZ), Some(Stop::Left));
    world.assert_together(&[ANA, SOL, MAR]);
}
