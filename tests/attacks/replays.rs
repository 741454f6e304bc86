//! Old statements and old desk keys, used again.

use cobijo_client_core::core::group::{Change, Stop};
use cobijo_protocol::{
    cbor,
    commit::{Statement, sign_leave},
    content::Content,
    keys::PublicKey,
    slot::ThreadSecret,
};
use cobijo_tests::hostile::{Crafted, HostileMember};
use serde_bytes::ByteBuf;

use crate::world::{ANA, LUZ, MAR, SOL, World};

/// Mar, turned hostile, commits a statement with what it would allow; nobody follows.
fn assert_void_statement(
    world: &mut World,
    mar: &mut HostileMember,
    statement: Statement,
    adds: Vec<&[u8]>,
    removes: Vec<u32>,
) {
    let epoch = world.epoch(ANA);
    let members = world.group(ANA).members().len();
    let mut data = world.honest_data(mar);
    data.statements.push(statement);
    for _ in &adds {
        data.welcomes
            .push((9000, ThreadSecret::from_bytes([5; 32])));
    }
    let crafted = Crafted {
        data: cbor::encode(&data),
        adds,
        removes,
        ..Crafted::default()
    };
    let commit = mar.commit(&crafted).commit;
    world.put_commit(mar, &commit);
    world.run();
    assert_eq!(world.epoch(ANA), epoch);
    assert_eq!(world.void_commits(ANA), 1);
    world.update(ANA);
    world.run();
    assert_eq!(world.epoch(ANA), epoch + 1);
    assert_eq!(world.group(ANA).members().len(), members);
}

fn leaf_of(world: &World, key: &PublicKey) -> u32 {
    HostileMember::of(world.group(ANA)).leaf_of(key).unwrap()
}

/// [P-13]
#[test]
fn an_old_leave_is_void_once_its_owner_is_back() {
    let mut world = World::new();
    world.group_mut(LUZ).leave(None);
    world.run();
    world.pass_days(1);
    assert_eq!(world.stop(LUZ), Some(Stop::Left));
    // Whoever was there has read the statement.
    let leaf_of_then = 1;
    let said = world.members[SOL]
        .events
        .iter()
        .find_map(|event| match event {
            cobijo_client_core::core::group::GroupEvent::Message {
                content: Content::Leave(statement),
                ..
            } => Some(statement.clone()),
            _ => None,
        });
    let statement = said.unwrap();
    let key = world.members[LUZ].key.clone();
    let credential = world.attest("Luz", &key.public());
    let back = world.newcomer_with(key.clone(), &credential);
    world.add(back);
    world.run();
    assert_eq!(leaf_of(&world, &key.public()), leaf_of_then);
    let mut mar = world.turn(MAR);
    assert_void_statement(&mut world, &mut mar, statement, vec![], vec![leaf_of_then]);
    world.assert_together(&[ANA, SOL, back]);
}

/// [P-13]
#[test]
fn a_leave_signed_for_another_group_is_void() {
    let mut world = World::new();
    let key = world.members[LUZ].key.clone();
    let statement = sign_leave(&key, b"another group", 1, &[0; 32]);
    let mut mar = world.turn(MAR);
    assert_void_statement(&mut world, &mut mar, statement, vec![], vec![1]);
    world.assert_together(&[ANA, LUZ, SOL]);
}

/// [P-17]
#[test]
fn an_old_rescue_is_void() {
    let mut world = World::new();
    let key = world.members[LUZ].key.clone();
    let group = world.group(ANA).id().to_vec();
    let credential = world.attest("Luz", &key.public());
    let back = world.newcomer_with(key.clone(), &credential);
    let package = world.key_package(back);
    let statement = world.desk.rescue(&group, &key.public(), &key.public());
    let change = Change {
        adds: vec![ByteBuf::from(package.clone())],
        removes: vec![key.public()],
        statements: vec![statement.clone()],
    };
    world.request(SOL, change);
    world.run();
    assert!(world.has_joined(back));
    assert_eq!(world.stop(LUZ), Some(Stop::Removed));
    world.assert_together(&[ANA, SOL, MAR, back]);
    let leaf = leaf_of(&world, &key.public());
    let mut mar = world.turn(MAR);
    let adds = vec![package.as_slice()];
    assert_void_statement(&mut world, &mut mar, statement, adds, vec![leaf]);
    world.assert_together(&[ANA, SOL, back]);
}

/// [P-10]
#[test]
fn a_removal_by_a_desk_key_that_was_replaced_is_void() {
    let mut world = World::new();
    let old = world.desk.removal(&world.members[LUZ].key.public());
    world.desk.renew();
    // Eva is attested by the new desk key: from then on the group takes no lower one.
    let eva = world.newcomer("Eva");
    world.add(eva);
    world.run();
    let mut mar = world.turn(MAR);
    assert_void_statement(&mut world, &mut mar, old, vec![], vec![1]);
    world.assert_together(&[ANA, LUZ, SOL, eva]);
}

/// [P-15]
#[test]
fn a_removal_by_a_desk_that_signed_itself_is_void() {
    let mut world = World::new();
    let other = cobijo_tests::authority::Authority::new(9);
    let statement = other.removal(&world.members[LUZ].key.public());
    let mut mar = world.turn(MAR);
    assert_void_statement(&mut world, &mut mar, statement, vec![], vec![1]);
    world.assert_together(&[ANA, LUZ, SOL]);
}

/// [P-15]
#[test]
fn a_removal_of_somebody_else_removes_nobody() {
    let mut world = World::new();
    let statement = world.desk.removal(&world.members[SOL].key.public());
    let mut mar = world.turn(MAR);
    assert_void_statement(&mut world, &mut mar, statement, vec![], vec![1]);
    world.assert_together(&[ANA, LUZ, SOL]);
}
