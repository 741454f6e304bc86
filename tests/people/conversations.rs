//! In the room: a colleague by her yes, her no, who leaves and who is removed.

use cobijo_client_core::{
    core::{
        client::{Entry, EntryContent, Speaker, Stopped},
        conversation::{ConversationError, Unacceptable},
        port::Put,
    },
    mls::{Suite, key_package::OfferedKeyPackage},
};
use cobijo_protocol::{
    cbor,
    commit::{CommitData, POLICY, WelcomePayload},
    content::Reads,
    parts::{Data, Split},
    slot::{Kind, Slot, ThreadSecret},
};
use cobijo_tests::hostile::{Crafted, HostileMember};

use crate::{
    conversation,
    world::{Told, World},
};

///
#[test]
fn a_colleague_comes_in_by_her_yes_and_leaves() {
    let (mut world, ana, luz) = conversation();
    let mar = world.member("Mar");
    let person = world.talk(luz).person().unwrap();
    let proposal = world.proposal(mar, person);
    let (now, mut rng) = (world.now, world.rng_of());
    world
        .talk(luz)
        .propose(proposal.clone(), now, &mut rng)
        .unwrap();
    world.talk(luz).propose(proposal, now, &mut rng).unwrap();
    world.run();
    let proposals = world.talk(ana).proposals();
    assert_eq!(proposals.len(), 1, "the same KeyPackage again is ignored");
    world
        .talk(ana)
        .accept(proposals[0].id, Reads::Summary, now)
        .unwrap();
    world.run();
    world.say(mar, "Hola, soy Mar");
    world.run();
    assert!(world.texts(ana).contains(&"Hola, soy Mar".to_owned()));
    assert_eq!(world.texts(mar), ["Hola, soy Mar"], "nothing from before");
    assert_eq!(world.talk(ana).members().len(), 3);
    world.talk(mar).leave().unwrap();
    world.run();
    world.pass(std::time::Duration::from_secs(60));
    assert_eq!(world.talk(ana).members().len(), 2);
    assert_eq!(world.talk(mar).stopped(), Some(Stopped::Left));
}

/// [A-4] [D-2]
#[test]
fn her_no_is_final() {
    let (mut world, ana, luz) = conversation();
    let mar = world.member("Mar");
    let person = world.talk(luz).person().unwrap();
    let proposal = world.proposal(mar, person);
    let (now, mut rng) = (world.now, world.rng_of());
    world
        .talk(luz)
        .propose(proposal.clone(), now, &mut rng)
        .unwrap();
    world.run();
    let id = world.talk(ana).proposals()[0].id;
    world.talk(ana).refuse(id, now, &mut rng).unwrap();
    world.talk(luz).propose(proposal, now, &mut rng).unwrap();
    world.run();
    assert!(world.talk(ana).proposals().is_empty());
    assert!(world.talk(ana).accept(id, Reads::Summary, now).is_err());
    let refusals = world
        .talk(luz)
        .history()
        .iter()
        .filter(|entry| matches!(entry.content, EntryContent::Refusal(_)));
    assert_eq!(refusals.count(), 1);
}

#[test]
fn who_is_no_longer_attested_is_not_added() {
    let (mut world, ana, luz) = conversation();
    let mar = world.member_until("Mar", world.now.day() - 1);
    let person = world.talk(luz).person().unwrap();
    let proposal = world.proposal(mar, person);
    let (now, mut rng) = (world.now, world.rng_of());
    world.talk(luz).propose(proposal, now, &mut rng).unwrap();
    world.run();
    let id = world.talk(ana).proposals()[0].id;
    let refused = world.talk(ana).accept(id, Reads::Summary, now);
    assert!(matches!(
        refused,
        Err(ConversationError::Unacceptable(Unacceptable::OutOfDate))
    ));
    world.run();
    assert_eq!(world.talk(ana).members().len(), 2);
}

///
#[test]
fn nobody_proposes_or_is_proposed_who_is_not_on_the_card() {
    for is_proposer in [true, false] {
        let (mut world, ana, luz) = conversation();
        let mar = world.member("Mar");
        let person = world.talk(luz).person().unwrap();
        let proposal = world.proposal(mar, person);
        let (now, mut rng) = (world.now, world.rng_of());
        let evicted = if is_proposer { luz } else { mar };
        let key = world.actors[evicted].me.clone().unwrap().key.public();
        world.authority.evict(&key);
        world.talk(luz).propose(proposal, now, &mut rng).unwrap();
        world.run();
        assert!(world.talk(ana).proposals().is_empty());
        assert!(!world.was_told(ana, &Told::Proposed));
        let shown = world.talk(ana).history().iter();
        let mut shown = shown.map(|entry| &entry.content);
        assert!(!shown.any(|content| matches!(content, EntryContent::Proposal { .. })));
    }
}

///
#[test]
fn her_yes_to_somebody_who_left_the_desk_meanwhile_adds_nobody_and_she_is_told() {
    for is_proposer in [true, false] {
        let (mut world, ana, luz) = conversation();
        let mar = world.member("Mar");
        let person = world.talk(luz).person().unwrap();
        let proposal = world.proposal(mar, person);
        let (now, mut rng) = (world.now, world.rng_of());
        world.talk(luz).propose(proposal, now, &mut rng).unwrap();
        world.run();
        let id = world.talk(ana).proposals()[0].id;
        let evicted = if is_proposer { luz } else { mar };
        let key = world.actors[evicted].me.clone().unwrap().key.public();
        world.authority.evict(&key);
        world.talk(ana).accept(id, Reads::Summary, now).unwrap();
        world.run();
        assert!(world.was_told(ana, &Told::NotAdded));
        assert!(world.actors[mar].conversation.is_none());
        assert_eq!(world.talk(ana).members().len(), 2);
        assert!(world.talk(ana).proposals().is_empty());
    }
}

#[test]
fn a_proposal_that_names_one_colleague_and_adds_another_is_ignored() {
    let (mut world, ana, luz) = conversation();
    let (mar, sol) = (world.member("Mar"), world.member("Sol"));
    let person = world.talk(luz).person().unwrap();
    let mut proposal = world.proposal(mar, person);
    proposal.member = world.actors[sol].me.clone().unwrap().attested;
    let (now, mut rng) = (world.now, world.rng_of());
    world.talk(luz).propose(proposal, now, &mut rng).unwrap();
    world.run();
    assert!(world.talk(ana).proposals().is_empty());
    assert!(!world.was_told(ana, &Told::Proposed));
}

#[test]
fn a_removal_by_the_desk_is_acted_on_by_whoever_is_there() {
    let (mut world, ana, luz) = conversation();
    let key = world.actors[luz].me.clone().unwrap().key.public();
    let removal = world.authority.removal(&key);
    let now = world.now;
    world.talk(ana).learn(removal, now);
    world.pass(std::time::Duration::from_secs(60));
    assert_eq!(world.talk(luz).stopped(), Some(Stopped::Removed));
}

#[test]
fn she_removes_an_accompanier() {
    let (mut world, ana, luz) = conversation();
    let key = world.talk(ana).roster()[0];
    world.talk(ana).remove(key).unwrap();
    world.run();
    assert_eq!(world.talk(luz).stopped(), Some(Stopped::Removed));
    assert_eq!(world.talk(ana).members().len(), 1);
}

#[test]
fn her_leave_ends_it() {
    let (mut world, ana, luz) = conversation();
    world.talk(ana).leave().unwrap();
    world.pass(std::time::Duration::from_secs(60));
    assert_eq!(world.talk(ana).stopped(), Some(Stopped::Left));
    assert!(!world.talk(luz).is_open());
}

/// [G-8]
#[test]
fn whoever_tries_what_is_not_allowed_is_named_once_and_changes_nothing() {
    let (mut world, ana, luz) = conversation();
    let mut hostile = HostileMember::of(&world.actors[luz].conversation.as_ref().unwrap().machine);
    let hers = hostile
        .leaves()
        .into_iter()
        .find(|leaf| *leaf != hostile.leaf());
    let removes_her = Crafted {
        removes: hers.into_iter().collect(),
        ..Crafted::default()
    };
    for index in 0..2 {
        let commit = hostile.commit(&removes_her).commit;
        put_commit(&mut world, &hostile, index, &commit);
    }
    world.run();
    let tried = |entry: &&Entry| matches!(&entry.content, EntryContent::NotAllowed(Speaker::Member { alias, .. }) if alias == "Luz");
    assert_eq!(world.talk(ana).history().iter().filter(tried).count(), 1);
    assert_eq!(world.talk(ana).members().len(), 2);
}

#[test]
fn whoever_has_left_is_shown_nothing_that_is_said_after() {
    let (mut world, ana, luz) = conversation();
    world.say(luz, "Hola, soy Luz");
    world.run();
    world.talk(ana).leave().unwrap();
    world.say(luz, "No te vayas");
    world.run();
    assert_eq!(world.texts(ana), ["Hola", "Hola, soy Luz"]);
}

/// [P-17]
#[test]
fn whoever_takes_the_place_of_somebody_under_her_name_with_another_key_is_told_apart() {
    let (mut world, ana, luz) = conversation();
    let mar = world.member("Mar");
    let person = world.talk(luz).person().unwrap();
    world.bring(mar, luz, ana);
    // A coordinator attests somebody else as Luz, and a member of the room helps her in.
    let other = world.member("Luz");
    let me = world.actors[other].me.clone().unwrap();
    let package = world.proposal(other, person).key_package;
    let old_key = world.actors[luz].me.clone().unwrap().key.public();
    let group = world.talk(ana).group_id().to_vec();
    let rescue = world.authority.rescue(&group, &old_key, &me.key.public());
    let mut hostile = HostileMember::of(&world.actors[mar].conversation.as_ref().unwrap().machine);
    let data = CommitData {
        policy: POLICY,
        cut: hostile.leaves().into_iter().map(|leaf| (leaf, 0)).collect(),
        statements: vec![rescue],
        welcomes: vec![(4_000, ThreadSecret::from_bytes([9; 32]))],
    };
    let replaces = Crafted {
        data: cbor::encode(&data),
        adds: vec![&package],
        removes: hostile.leaf_of(&old_key).into_iter().collect(),
        ..Crafted::default()
    };
    let commit = hostile.commit(&replaces).commit;
    put_commit(&mut world, &hostile, 0, &commit);
    world.run();
    let told = |entry: &&Entry| matches!(&entry.content, EntryContent::OtherKey(Speaker::Member { alias, .. }) if alias == "Luz");
    assert_eq!(world.talk(ana).history().iter().filter(told).count(), 1);
    assert!(world.talk(ana).roster().contains(&me.key.public()));
}

/// [G-17]
#[test]
fn a_welcome_of_a_day_long_past_is_passed_over() {
    let (mut world, ana, luz) = conversation();
    let mar = world.member("Mar");
    let person = world.talk(luz).person().unwrap();
    let proposal = world.proposal(mar, person);
    let root = world.authority.root();
    let offered = OfferedKeyPackage::parse(&proposal.key_package, Suite::Interop, &root).unwrap();
    // Whoever adds her says so old a day that she would be too late at once.
    let mut hostile = HostileMember::of(&world.actors[ana].conversation.as_ref().unwrap().machine);
    let adds = Crafted {
        adds: vec![&proposal.key_package],
        ..Crafted::default()
    };
    let welcome = hostile.commit(&adds).welcome.unwrap();
    let day = world.now.day() - 100;
    let payload = cbor::encode(&WelcomePayload {
        day,
        desk_key: None,
        welcome: welcome.into(),
    });
    let split = Split::all_in_bodies(&payload, ThreadSecret::from_bytes([8; 32])).unwrap();
    let slot = Slot::derive(offered.welcome_secret(), Kind::Welcome, 0, 0);
    put_split(&mut world, &slot, &split);
    let (now, mut rng) = (world.now, world.rng_of());
    world.talk(luz).propose(proposal, now, &mut rng).unwrap();
    world.run();
    assert!(world.actors[mar].conversation.is_none());
    let id = world.talk(ana).proposals()[0].id;
    world.talk(ana).accept(id, Reads::Summary, now).unwrap();
    world.run();
    world.say(mar, "Hola, soy Mar");
    world.run();
    assert!(world.texts(ana).contains(&"Hola, soy Mar".to_owned()));
}

/// Puts a commit that somebody crafted into the contest.
fn put_commit(world: &mut World, hostile: &HostileMember, index: u64, commit: &[u8]) {
    let slot = Slot::derive(&hostile.thread_secret(), Kind::Commit, 0, index);
    let split = Split::of(commit, ThreadSecret::from_bytes([index as u8; 32])).unwrap();
    put_split(world, &slot, &split);
}

/// Puts bodies and head, as whoever knows the thread can.
fn put_split(world: &mut World, slot: &Slot, split: &Split) {
    if let Data::Head(head) = &split.data {
        for (body, data) in split.bodies.iter().enumerate() {
            let slot = head.body_slot(body, false);
            let cell = slot.seal(data, [4; 24]).unwrap();
            world.relay.put_raw(&Put::new(&slot, cell));
        }
    }
    let cell = slot.seal(&split.data.encode(), [5; 24]).unwrap();
    assert!(world.relay.put_raw(&Put::new(slot, cell)));
}

///
#[test]
fn whoever_proposes_without_end_shuts_nobody_elses_proposal_out() {
    let (mut world, ana, luz) = conversation();
    let (mar, sol) = (world.member("Mar"), world.member("Sol"));
    let person = world.talk(luz).person().unwrap();
    let (now, mut rng) = (world.now, world.rng_of());
    world.bring(mar, luz, ana);
    for _ in 0..20 {
        let proposal = world.proposal(sol, person);
        world.talk(luz).propose(proposal, now, &mut rng).unwrap();
    }
    let eva = world.member("Eva");
    let proposal = world.proposal(eva, person);
    world.talk(mar).propose(proposal, now, &mut rng).unwrap();
    world.run();
    let proposals = world.talk(ana).proposals();
    assert!(proposals.iter().any(|proposal| proposal.alias == "Eva"));
    assert_eq!(proposals.len(), 5);
}

///
#[test]
fn whose_key_package_somebody_proposed_before_is_proposed_all_the_same() {
    let (mut world, ana, luz) = conversation();
    let (mar, sol) = (world.member("Mar"), world.member("Sol"));
    let person = world.talk(luz).person().unwrap();
    let (now, mut rng) = (world.now, world.rng_of());
    world.bring(mar, luz, ana);
    // One stands, and one has given way to others of the same proposer's.
    let hers = [world.proposal(sol, person), world.proposal(sol, person)];
    for proposal in &hers {
        world
            .talk(luz)
            .propose(proposal.clone(), now, &mut rng)
            .unwrap();
    }
    for _ in 0..3 {
        let other = world.proposal(sol, person);
        world.talk(luz).propose(other, now, &mut rng).unwrap();
    }
    world.run();
    for proposal in hers {
        world.talk(mar).propose(proposal, now, &mut rng).unwrap();
    }
    world.run();
    assert_eq!(world.talk(ana).proposals().len(), 4 + 2);
}

///
#[test]
fn a_newcomers_first_line_stands_behind_what_was_said_before() {
    let (mut world, ana, luz) = conversation();
    for text in ["Hola, soy Luz", "¿Cómo estás?", "Aquí sigo"] {
        world.say(luz, text);
        world.run();
    }
    let mar = world.member("Mar");
    world.bring(mar, luz, ana);
    for text in ["Hola, soy Mar", "Vengo a acompañar"] {
        world.say(mar, text);
    }
    world.run();
    for one in [ana, luz] {
        let last = world.texts(one).split_off(4);
        assert_eq!(last, ["Hola, soy Mar", "Vengo a acompañar"]);
    }
}
