//! Attacks on what stands in commit slots.

use cobijo_client_core::core::group::{Change, Stop};
use cobijo_protocol::{
    cbor,
    commit::{CommitData, Statement, sign_wipe},
    keys::SecretKey,
    limits::CUT_MESSAGES_MAX,
    slot::{EraseKey, Kind, Slot},
};
use cobijo_tests::hostile::{Crafted, Framing, HostileMember};

use crate::world::{ANA, LUZ, MAR, SOL, World};

/// What a hostile member commits, in an otherwise honest commit.
fn commit_with(world: &World, hostile: &mut HostileMember, crafted: Crafted<'_>) -> Vec<u8> {
    let data = cbor::encode(&world.honest_data(hostile));
    hostile.commit(&Crafted { data, ..crafted }).commit
}

/// A commit whose authenticated data were changed.
fn commit_data(
    world: &World,
    hostile: &mut HostileMember,
    change: impl FnOnce(&mut CommitData),
) -> Vec<u8> {
    let mut data = world.honest_data(hostile);
    change(&mut data);
    let data = cbor::encode(&data);
    let crafted = Crafted {
        data,
        ..Crafted::default()
    };
    hostile.commit(&crafted).commit
}

/// Everybody finds this commit void, and goes on behind it.
fn assert_void(mut world: World, hostile: &HostileMember, commit: &[u8]) -> World {
    let epoch = world.epoch(ANA);
    world.put_commit(hostile, commit);
    world.update(ANA);
    world.run();
    world.assert_together(&[ANA, LUZ, SOL]);
    assert_eq!(world.epoch(ANA), epoch + 1);
    let now = HostileMember::of(world.group(ANA));
    assert_ne!(now.thread_secret(), hostile.thread_secret());
    world
}

#[test]
fn an_honest_commit_of_a_hostile_member_is_followed() {
    let mut world = World::new();
    let mut mar = world.turn(MAR);
    let epoch = world.epoch(ANA);
    let commit = commit_with(&world, &mut mar, Crafted::default());
    world.put_commit(&mar, &commit);
    world.run();
    world.assert_together(&[ANA, LUZ, SOL]);
    assert_eq!(world.epoch(ANA), epoch + 1);
    mar.merge();
    assert_eq!(
        mar.thread_secret(),
        HostileMember::of(world.group(LUZ)).thread_secret()
    );
}

/// [S-3]
#[test]
fn a_commit_cant_be_erased() {
    let mut world = World::new();
    let mar = world.turn(MAR);
    world.members[LUZ].is_away = true;
    let slot = world.free_slot(&mar.thread_secret(), Kind::Commit, 0);
    world.update(ANA);
    world.run();
    assert!(world.relay.cell(&slot.address()).is_some());
    // All that could be a preimage: what a member derives, and what it sees.
    let message = Slot::derive(&mar.thread_secret(), Kind::Message, 0, 0);
    let derived = [slot.erase_key(), message.erase_key()]
        .into_iter()
        .flatten();
    let mark = EraseKey::from_bytes(*slot.mark().as_bytes());
    for erase_key in derived.chain([&mark]) {
        world.relay.erase_raw(slot.slot_key(), erase_key);
    }
    world.come_back(LUZ);
    world.run();
    world.assert_together(&[ANA, LUZ, SOL]);
}

/// [G-17]
#[test]
fn a_commit_written_into_an_expired_slot_leads_nobody_astray() {
    let mut world = World::new();
    world.members[LUZ].is_away = true;
    let mut mar = world.turn(MAR);
    let epoch = world.epoch(LUZ);
    world.remove(MAR);
    world.run();
    world.pass_days(95);
    let slot = world.free_slot(&mar.thread_secret(), Kind::Commit, 0);
    let first = Slot::derive(&mar.thread_secret(), Kind::Commit, 0, 0);
    assert_eq!(slot.address(), first.address(), "the slot has expired");
    let commit = commit_with(&world, &mut mar, Crafted::default());
    world.put_commit(&mar, &commit);
    world.come_back(LUZ);
    world.run();
    assert_eq!(world.stop(LUZ), Some(Stop::Stale));
    assert_eq!(world.epoch(LUZ), epoch);
    world.assert_together(&[ANA, SOL]);
}

/// [H-6]
#[test]
fn a_head_without_bodies_is_void_for_everyone_for_good() {
    let mut world = World::new();
    let mut mar = world.turn(MAR);
    world.members[SOL].is_away = true;
    // With its bodies it would be valid.
    let commit = commit_with(&world, &mut mar, Crafted::default());
    let slot = world.free_slot(&mar.thread_secret(), Kind::Commit, 0);
    let (head, bodies) = world.sealed_in_bodies(&slot, &commit);
    let epoch = world.epoch(ANA);
    assert!(world.relay.put_raw(&head));
    world.update(ANA);
    world.run();
    assert_eq!(world.epoch(ANA), epoch + 1, "nobody waits for a body");
    for body in &bodies {
        world.relay.put_raw(body);
    }
    world.come_back(SOL);
    world.run();
    world.assert_together(&[ANA, LUZ, SOL]);
}

/// [G-8]
#[test]
fn a_path_garbled_for_one_member_stops_her_alone_and_for_good() {
    let mut world = World::new();
    let mut mar = world.turn(MAR);
    let garbled = Crafted {
        victim: Some(2),
        ..Crafted::default()
    };
    let commit = commit_with(&world, &mut mar, garbled);
    let epoch = world.epoch(SOL);
    world.put_commit(&mar, &commit);
    // A later index looks good to her, and she must not follow it.
    let later = commit_with(&world, &mut mar, Crafted::default());
    world.put_commit(&mar, &later);
    world.run();
    assert_eq!(world.stop(SOL), Some(Stop::Broken));
    assert_eq!(world.epoch(SOL), epoch);
    world.assert_together(&[ANA, LUZ]);
    assert_eq!(world.epoch(ANA), epoch + 1);
}

/// [G-21]
#[test]
fn a_path_whose_keys_stand_in_the_tree_already_stops_nobody() {
    let mut world = World::new();
    let mut mar = world.turn(MAR);
    let repeated = || Crafted {
        path_secret: Some([7; 32]),
        ..Crafted::default()
    };
    let first = commit_with(&world, &mut mar, repeated());
    world.put_commit(&mar, &first);
    world.run();
    mar.merge();
    let secret = HostileMember::of(world.group(LUZ)).thread_secret();
    assert_eq!(mar.thread_secret(), secret);
    world.update(ANA);
    world.run();
    mar.follow(&world.commit_of(&secret));
    let again = commit_with(&world, &mut mar, repeated());
    let world = assert_void(world, &mar, &again);
    world.assert_together(&[ANA, LUZ, SOL]);
}

/// [G-8]
#[test]
fn a_garbled_path_in_a_commit_that_policy_voids_stops_nobody() {
    let world = World::new();
    let mut world = world;
    let mut mar = world.turn(MAR);
    let mut data = world.honest_data(&mar);
    data.cut.pop();
    let crafted = Crafted {
        data: cbor::encode(&data),
        victim: Some(2),
        ..Crafted::default()
    };
    let commit = mar.commit(&crafted).commit;
    let world = assert_void(world, &mar, &commit);
    assert_eq!(world.void_commits(SOL), 1);
}

/// [G-7]
#[test]
fn a_private_message_in_a_commit_slot_is_void() {
    let mut world = World::new();
    let mut mar = world.turn(MAR);
    let private = Crafted {
        framing: Framing::Private,
        ..Crafted::default()
    };
    let commit = commit_with(&world, &mut mar, private);
    assert_void(world, &mar, &commit);
}

/// [G-7]
#[test]
fn an_external_commit_is_void() {
    let mut world = World::new();
    let mar = world.turn(MAR);
    let key = world.key();
    let credential = world.attest("Eva", &key.public());
    let data = cbor::encode(&world.honest_data(&mar));
    let commit = mar.external_commit(&key, &cbor::encode(&credential), &data);
    assert_void(world, &mar, &commit);
}

/// [G-13]
#[test]
fn a_self_update_that_swaps_the_credential_is_void() {
    let mut world = World::new();
    let mut mar = world.turn(MAR);
    let credential = world.attest("Luz", &mar.key().public());
    let swapped = Crafted {
        new_credential: Some(cbor::encode(&credential)),
        ..Crafted::default()
    };
    let commit = commit_with(&world, &mut mar, swapped);
    let world = assert_void(world, &mar, &commit);
    assert_eq!(world.void_commits(LUZ), 1);
}

/// [G-13]
#[test]
fn a_self_update_that_swaps_the_key_is_void() {
    let mut world = World::new();
    let mut mar = world.turn(MAR);
    let key = SecretKey::from_bytes([9; 32]);
    let credential = world.attest("Mar", &key.public());
    let swapped = Crafted {
        new_credential: Some(cbor::encode(&credential)),
        new_key: Some(key),
        ..Crafted::default()
    };
    let commit = commit_with(&world, &mut mar, swapped);
    assert_void(world, &mar, &commit);
}

/// [P-29]
#[test]
fn renewals_one_behind_the_other_keep_nobody_in() {
    let mut world = World::new();
    let mut mar = world.turn(MAR);
    let epoch = world.epoch(ANA);
    // Built ahead, and put before anybody has seen one of them.
    for _ in 0..5 {
        let commit = commit_with(&world, &mut mar, Crafted::default());
        world.put_commit(&mar, &commit);
        mar.merge();
    }
    world.remove(MAR);
    world.run();
    world.assert_together(&[ANA, LUZ, SOL]);
    assert_eq!(world.group(ANA).members().len(), 3);
    assert_eq!(world.epoch(ANA), epoch + 2);
}

/// [P-29]
#[test]
fn two_who_renew_in_turn_keep_nobody_in() {
    let mut world = World::new();
    let (mut mar, mut sol) = (world.turn(MAR), world.turn(SOL));
    let epoch = world.epoch(ANA);
    for _ in 0..3 {
        let commit = commit_with(&world, &mut mar, Crafted::default());
        world.put_commit(&mar, &commit);
        sol.follow(&commit);
        mar.merge();
        let commit = commit_with(&world, &mut sol, Crafted::default());
        world.put_commit(&sol, &commit);
        mar.follow(&commit);
        sol.merge();
    }
    world.remove(MAR);
    world.run();
    world.assert_together(&[ANA, LUZ]);
    assert_eq!(world.group(ANA).members().len(), 3);
    assert_eq!(world.epoch(ANA), epoch + 3);
}

/// [P-29]
#[test]
fn whoever_may_not_renew_again_does_so_once_the_person_has() {
    let mut world = World::new();
    let epoch = world.epoch(ANA);
    world.update(LUZ);
    world.run();
    world.update(LUZ);
    world.run();
    assert_eq!(world.epoch(LUZ), epoch + 1);
    world.update(ANA);
    world.run();
    world.update(LUZ);
    world.run();
    world.assert_together(&[ANA, LUZ, SOL, MAR]);
    assert_eq!(world.epoch(LUZ), epoch + 3);
}

/// [P-4]
#[test]
fn a_cut_that_misses_a_leaf_is_void() {
    let mut world = World::new();
    let mut mar = world.turn(MAR);
    let commit = commit_data(&world, &mut mar, |data| {
        data.cut.remove(1);
    });
    assert_void(world, &mar, &commit);
}

/// [P-4]
#[test]
fn a_cut_above_the_limit_is_void() {
    let mut world = World::new();
    let mut mar = world.turn(MAR);
    let commit = commit_data(&world, &mut mar, |data| {
        data.cut[1].1 = CUT_MESSAGES_MAX + 1
    });
    assert_void(world, &mar, &commit);
}

/// [G-15]
#[test]
fn a_cut_too_high_takes_nothing_from_anyone() {
    let mut world = World::new();
    let mut mar = world.turn(MAR);
    world.say(LUZ, "before");
    world.run();
    world.members[SOL].is_away = true;
    let commit = commit_data(&world, &mut mar, |data| data.cut[1].1 += 40);
    world.put_commit(&mar, &commit);
    world.say(LUZ, "during");
    world.run();
    world.come_back(SOL);
    world.run();
    world.assert_together(&[ANA, LUZ, SOL]);
    for member in [ANA, SOL] {
        assert_eq!(world.heard(member), ["before", "during"]);
    }
}

/// [G-15]
#[test]
fn what_a_cut_too_low_leaves_out_is_said_again_once() {
    let mut world = World::new();
    let mut mar = world.turn(MAR);
    world.members[SOL].is_away = true;
    for text in ["one", "two", "three"] {
        world.say(LUZ, text);
    }
    world.run();
    let commit = commit_data(&world, &mut mar, |data| data.cut[1].1 = 1);
    world.put_commit(&mar, &commit);
    world.run();
    world.come_back(SOL);
    world.run();
    world.assert_together(&[ANA, LUZ, SOL]);
    for member in [ANA, SOL] {
        assert_eq!(world.heard(member), ["one", "two", "three"]);
    }
}

/// [P-20]
#[test]
fn an_accompanier_adds_and_removes_nobody_in_her_conversation() {
    for is_add in [true, false] {
        let mut world = World::new();
        let mut mar = world.turn(MAR);
        let newcomer = world.newcomer("Eva");
        let package = world.key_package(newcomer);
        let mut data = world.honest_data(&mar);
        let mut crafted = Crafted::default();
        if is_add {
            let secret = cobijo_protocol::slot::ThreadSecret::from_bytes([5; 32]);
            data.welcomes.push((9000, secret));
            crafted.adds.push(&package);
        } else {
            crafted.removes.push(1);
        }
        let data = cbor::encode(&data);
        let commit = mar.commit(&Crafted { data, ..crafted }).commit;
        let world = assert_void(world, &mar, &commit);
        assert_eq!(world.group(ANA).members().len(), 4);
        assert_eq!(world.void_commits(ANA), 1);
    }
}

/// A request that the policy refuses is told, not committed.
#[test]
fn a_client_makes_no_commit_that_others_would_void() {
    let mut world = World::new();
    let epoch = world.epoch(ANA);
    let removes = vec![world.members[SOL].key.public()];
    world.request(
        LUZ,
        Change {
            removes,
            ..Change::default()
        },
    );
    world.run();
    world.assert_together(&[ANA, LUZ, SOL, MAR]);
    assert_eq!(world.epoch(ANA), epoch);
}

/// [E-3]
#[test]
fn nobody_ends_a_conversation_by_a_wipe_of_another_key() {
    for is_in_her_name in [true, false] {
        let mut world = World::new();
        let mut mar = world.turn(MAR);
        let key = SecretKey::from_bytes([66; 32]);
        let her_key = SecretKey::from_bytes([7; 32]).public();
        let group = world.group(ANA).id().to_vec();
        let mut wipe = sign_wipe(&key, &group);
        if let (Statement::Wipe { person, .. }, true) = (&mut wipe, is_in_her_name) {
            *person = her_key;
        }
        let mut data = world.honest_data(&mar);
        data.statements = vec![wipe];
        let data = cbor::encode(&data);
        // What it would cover is removed, so that the signature alone is at fault.
        let removes = vec![world.group(ANA).own_leaf()];
        let crafted = Crafted {
            data,
            removes,
            ..Crafted::default()
        };
        let commit = mar.commit(&crafted).commit;
        assert_void(world, &mar, &commit);
    }
}
