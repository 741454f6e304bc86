//! Attacks on what stands in message slots.

use ciborium::Value;
use cobijo_client_core::core::group::{GroupEvent, Stop};
use cobijo_protocol::{
    cbor,
    slot::{Kind, Slot},
};
use cobijo_tests::hostile::{Crafted, Framing, HostileMember};

use crate::world::{ANA, LUZ, MAR, SOL, World};

/// The payload that stands in a message slot, as anybody with the epoch's secret reads it.
fn payload(world: &World, hostile: &HostileMember, leaf: u32, counter: u64) -> Vec<u8> {
    let slot = Slot::derive(&hostile.thread_secret(), Kind::Message, leaf, counter);
    let data = slot
        .open(world.relay.cell(&slot.address()).unwrap())
        .unwrap();
    data[1..].to_vec()
}

/// [G-7]
#[test]
fn anothers_message_in_ones_own_slot_is_void_and_spends_none_of_hers() {
    let mut world = World::new();
    // Luz's thread is read before Mar's.
    let luz = world.turn(LUZ);
    for member in [ANA, SOL] {
        world.members[member].is_away = true;
    }
    world.say(MAR, "mine");
    world.run();
    let copied = payload(&world, &luz, 3, 0);
    let slot = world.free_slot(&luz.thread_secret(), Kind::Message, luz.leaf());
    world.put(&slot, &copied);
    for member in [ANA, SOL] {
        world.come_back(member);
    }
    world.run();
    for member in [ANA, SOL] {
        assert_eq!(world.heard(member), ["mine"]);
        let authors = world.members[member].events.iter();
        let authors = authors.filter_map(|event| match event {
            GroupEvent::Message { author, .. } => Some(author.leaf),
            _ => None,
        });
        assert_eq!(authors.collect::<Vec<_>>(), [3]);
    }
}

/// [G-7]
#[test]
fn forged_sender_data_is_void_and_the_next_message_is_read() {
    let mut world = World::new();
    let mut mar = world.turn(MAR);
    let mut forged = mar.message(b"whatever", b"");
    // Sender data stand behind the authenticated data, before the ciphertext.
    let middle = forged.len() / 3;
    forged[middle] ^= 1;
    let slot = world.free_slot(&mar.thread_secret(), Kind::Message, mar.leaf());
    world.put(&slot, &forged);
    world.write(&mut mar, "true");
    world.run();
    for member in [ANA, LUZ, SOL] {
        assert_eq!(world.heard(member), ["true"]);
    }
    world.update(ANA);
    world.run();
    world.assert_together(&[ANA, LUZ, SOL]);
}

/// [G-7]
#[test]
fn a_message_with_authenticated_data_is_void() {
    let mut world = World::new();
    let mut mar = world.turn(MAR);
    let message = mar.message(b"\xa0", b"hidden");
    let slot = world.free_slot(&mar.thread_secret(), Kind::Message, mar.leaf());
    world.put(&slot, &message);
    world.write(&mut mar, "behind");
    world.run();
    assert_eq!(world.heard(ANA), ["behind"]);
    // A void cell ends the stream, so that what lies behind it is not confirmed.
    world.update(ANA);
    world.run();
    for member in [ANA, LUZ, SOL] {
        assert!(world.heard(member).is_empty());
    }
}

/// [G-7]
#[test]
fn a_commits_bytes_in_a_message_slot_are_void() {
    for framing in [Framing::Public, Framing::Private] {
        let mut world = World::new();
        let mut mar = world.turn(MAR);
        let epoch = world.epoch(ANA);
        let data = cbor::encode(&world.honest_data(&mar));
        let crafted = Crafted {
            data,
            framing,
            ..Crafted::default()
        };
        let commit = mar.commit(&crafted).commit;
        let slot = world.free_slot(&mar.thread_secret(), Kind::Message, mar.leaf());
        world.put(&slot, &commit);
        world.run();
        world.assert_together(&[ANA, LUZ, SOL]);
        assert_eq!(world.epoch(ANA), epoch);
        world.say(LUZ, "we go on");
        world.update(SOL);
        world.run();
        world.assert_together(&[ANA, LUZ, SOL]);
        assert_eq!(world.epoch(ANA), epoch + 1);
        assert_eq!(world.heard(ANA), ["we go on"]);
    }
}

/// [H-6]
#[test]
fn a_message_whose_bodies_come_late_is_void_for_early_and_late_readers() {
    let mut world = World::new();
    let mut mar = world.turn(MAR);
    world.members[SOL].is_away = true;
    let message = mar.message(&cbor::encode(&vec![0u8; 3000]), b"");
    let slot = world.free_slot(&mar.thread_secret(), Kind::Message, mar.leaf());
    let (head, bodies) = world.sealed_in_bodies(&slot, &message);
    world.relay.put_raw(&head);
    world.run();
    for body in &bodies {
        world.relay.put_raw(body);
    }
    world.write(&mut mar, "behind");
    world.run();
    world.come_back(SOL);
    world.run();
    world.update(ANA);
    world.run();
    // Void for all, so the stream ends there for all, and what lies behind it stands nowhere.
    for member in [ANA, LUZ, SOL] {
        assert!(world.heard(member).is_empty());
    }
    world.assert_together(&[ANA, LUZ, SOL]);
}

/// [G-15]
#[test]
fn what_an_evicted_member_writes_on_is_heard_by_nobody() {
    let mut world = World::new();
    let mut mar = world.turn(MAR);
    world.write(&mut mar, "still here");
    world.run();
    world.members[SOL].is_away = true;
    world.remove(MAR);
    world.run();
    world.write(&mut mar, "after the end");
    world.come_back(SOL);
    world.run();
    world.assert_together(&[ANA, LUZ, SOL]);
    for member in [ANA, LUZ, SOL] {
        assert_eq!(world.heard(member), ["still here"]);
    }
}

/// [C-6] [G-15]
#[test]
fn what_an_evicted_member_writes_on_is_never_shown_to_who_comes_back() {
    let mut world = World::new();
    let mut mar = world.turn(MAR);
    let mut ana = world.turn(ANA);
    world.members[SOL].is_away = true;
    let crafted = Crafted {
        data: cbor::encode(&world.honest_data(&ana)),
        removes: vec![3],
        ..Crafted::default()
    };
    let commit = ana.commit(&crafted).commit;
    // The commit takes longer to read than the message.
    let slot = world.free_slot(&ana.thread_secret(), Kind::Commit, 0);
    let (head, bodies) = world.sealed_in_bodies(&slot, &commit);
    for put in bodies.iter().chain([&head]) {
        assert!(world.relay.put_raw(put));
    }
    world.write(&mut mar, "after the end");
    world.come_back(SOL);
    world.run();
    world.assert_together(&[LUZ, SOL]);
    assert_eq!(world.group(SOL).members().len(), 3);
    assert!(world.shown(SOL).is_empty());
}

/// [G-15]
#[test]
fn what_some_saw_of_an_evicted_member_behind_the_end_is_withdrawn() {
    let mut world = World::new();
    let mut mar = world.turn(MAR);
    world.write(&mut mar, "read by all");
    world.run();
    // Ana's commit is on its way with a cut of 1 when Luz reads one more.
    let data = world.honest_data(&mar);
    world.members[ANA].is_away = true;
    world.write(&mut mar, "read by Luz");
    world.run();
    assert_eq!(world.heard(LUZ), ["read by all", "read by Luz"]);
    let mut ana = HostileMember::of(world.group(ANA));
    let crafted = Crafted {
        data: cbor::encode(&data),
        removes: vec![3],
        ..Crafted::default()
    };
    let commit = ana.commit(&crafted).commit;
    world.put_commit(&ana, &commit);
    world.run();
    world.assert_together(&[LUZ, SOL]);
    for member in [LUZ, SOL] {
        assert_eq!(world.heard(member), ["read by all"]);
    }
}

/// [G-7]
#[test]
fn a_message_replayed_into_the_next_epochs_reused_leaf_is_void() {
    let mut world = World::new();
    world.say(MAR, "old words");
    world.run();
    let before = HostileMember::of(world.group(LUZ));
    let old = payload(&world, &before, 3, 0);
    world.remove(MAR);
    world.run();
    let eva = world.newcomer("Eva");
    world.add(eva);
    world.run();
    assert_eq!(world.group(eva).own_leaf(), 3);
    let luz = HostileMember::of(world.group(LUZ));
    let slot = world.free_slot(&luz.thread_secret(), Kind::Message, 3);
    world.put(&slot, &old);
    world.say(eva, "my own");
    world.run();
    for member in [ANA, SOL] {
        assert_eq!(world.heard(member), ["old words", "my own"]);
    }
    // Squatted as her slot was, her words are said again in the next epoch, and heard once.
    world.update(ANA);
    world.run();
    for member in [ANA, SOL] {
        assert_eq!(world.heard(member), ["old words", "my own"]);
    }
    world.assert_together(&[ANA, LUZ, SOL, eva]);
}

/// [A-2] [G-15]
#[test]
fn a_double_behind_the_end_takes_nothing_back() {
    let mut world = World::new();
    let mut mar = world.turn(MAR);
    world.write(&mut mar, "said twice");
    world.run();
    world.members[SOL].is_away = true;
    let ana = world.turn(ANA);
    let commit = commit(&world, ana);
    // Luz reads the same message behind the cut of a commit that is on its way, and Sol doesn't.
    world.write_again(&mut mar);
    world.run();
    world.put_commit(&mar, &commit);
    world.come_back(SOL);
    world.run();
    world.assert_together(&[LUZ, SOL]);
    for member in [LUZ, SOL] {
        assert_eq!(world.heard(member), ["said twice"]);
    }
}

fn commit(world: &World, mut hostile: HostileMember) -> Vec<u8> {
    let data = cbor::encode(&world.honest_data(&hostile));
    let crafted = Crafted {
        data,
        ..Crafted::default()
    };
    hostile.commit(&crafted).commit
}

/// [G-14]
#[test]
fn an_erased_message_ends_nobodys_stream() {
    let mut world = World::new();
    let mar = world.turn(MAR);
    world.members[SOL].is_away = true;
    world.say(LUZ, "one");
    world.say(LUZ, "two");
    world.run();
    let slot = Slot::derive(&mar.thread_secret(), Kind::Message, 1, 0);
    let erase_key = slot.erase_key().unwrap().clone();
    world.relay.erase_raw(slot.slot_key(), &erase_key);
    world.come_back(SOL);
    world.run();
    world.update(ANA);
    world.run();
    world.assert_together(&[ANA, LUZ, SOL]);
    assert_eq!(world.heard(SOL), ["two"]);
}

/// [G-14]
#[test]
fn squatted_slots_and_erased_messages_cost_an_author_nothing_but_the_erased_words() {
    let mut world = World::new();
    let mar = world.turn(MAR);
    let slot = world.free_slot(&mar.thread_secret(), Kind::Message, 1);
    world.put(&slot, b"squatted");
    world.say(LUZ, "one");
    world.members[SOL].is_away = true;
    world.run();
    let slot = Slot::derive(&mar.thread_secret(), Kind::Message, 1, 1);
    let erase_key = slot.erase_key().unwrap().clone();
    world.relay.erase_raw(slot.slot_key(), &erase_key);
    world.say(LUZ, "two");
    world.run();
    world.come_back(SOL);
    world.run();
    let missing = world.members[SOL].events.iter();
    let missing = missing.filter(|event| matches!(event, GroupEvent::Missing { .. }));
    assert_eq!(missing.count(), 1);
    assert_eq!(world.heard(SOL), ["two"]);
    // The squatted slot ends the stream, so all that stood behind it is said again.
    world.update(ANA);
    world.run();
    world.assert_together(&[ANA, LUZ, SOL]);
    assert_eq!(world.heard(ANA), ["one", "two"]);
    let mut heard = world.heard(SOL);
    heard.sort();
    assert_eq!(heard, ["one", "two"]);
}

#[test]
fn a_leave_that_was_erased_before_anybody_read_it_is_said_again() {
    let mut world = World::new();
    let mar = world.turn(MAR);
    world.members[ANA].is_away = true;
    world.members[SOL].is_away = true;
    world.group_mut(LUZ).leave(None);
    world.run();
    let slot = Slot::derive(&mar.thread_secret(), Kind::Message, 1, 0);
    let erase_key = slot.erase_key().unwrap().clone();
    world.relay.erase_raw(slot.slot_key(), &erase_key);
    world.come_back(ANA);
    world.come_back(SOL);
    world.update(ANA);
    world.run();
    world.pass_days(1);
    assert_eq!(world.stop(LUZ), Some(Stop::Left));
    world.assert_together(&[ANA, SOL]);
}

impl World {
    /// A member's state of MLS is lost, and nothing else of hers.
    fn lose_mls_state(&mut self, member: usize) {
        let group = self.group_mut(member);
        let mut saved = Value::serialized(&*group).unwrap();
        empty_values(&mut saved);
        *group = saved.deserialized().unwrap();
        self.reconnect(member);
    }
}

fn empty_values(saved: &mut Value) {
    for (key, value) in saved.as_map_mut().into_iter().flatten() {
        if key.as_text() == Some("values") {
            *value = Value::Map(Vec::new());
        } else {
            empty_values(value);
        }
    }
}

/// [G-8]
#[test]
fn a_message_that_one_member_can_not_read_stops_nobody() {
    let mut world = World::new();
    world.lose_mls_state(SOL);
    world.say(LUZ, "hola");
    world.run();
    assert_eq!(world.stop(SOL), None);
    let is_missing = |event: &GroupEvent| matches!(event, GroupEvent::Missing { .. });
    assert!(world.members[SOL].events.iter().any(is_missing));
    assert_eq!(world.heard(ANA), ["hola"]);
}
