//! Who answers her: races, and replies and Welcomes that nobody can join.

use std::time::Duration;

use cobijo_client_core::{
    core::{
        claim::Claim,
        port::{Put, Seen},
    },
    mls::{
        Suite,
        key_package::{OfferedKeyPackage, OwnKeyPackage},
    },
};
use cobijo_protocol::{
    card::Role,
    cbor,
    cell::Cell,
    content::Reads,
    credential::Credential,
    intake::{MessageHash, Reply, SignedReply, Waiting, sign_not_this_one},
    limits::CLAIM_LIFETIME,
    parts::{Data, Head},
    slot::{Kind, Slot, ThreadSecret, claim_secret},
};
use cobijo_tests::{
    authority::{Authority, device},
    memory_relay::{Lie, Viewer},
};

use crate::{
    conversation, put, r, welcome_secret,
    world::{Told, World},
};

#[test]
fn of_two_who_race_for_her_one_gets_her_and_both_know_who() {
    for steps in 0..8 {
        let mut world = World::new();
        let ana = world.person("Hola");
        let luz = world.member("Luz");
        let mar = world.member("Mar");
        world.run();
        world.claim(luz);
        for _ in 0..steps {
            world.step(luz);
        }
        // Luz's claim lapses while she is slow.
        world.now = world.now.plus(CLAIM_LIFETIME * 2);
        world.claim(mar);
        world.run();
        // Mar saw Luz's claim for the first time just now, and tries again when it lapses.
        if world.was_told(mar, &Told::ClaimedBy("Luz".to_owned())) {
            assert!(
                world.actors[luz].conversation.is_some(),
                "after {steps} steps"
            );
            continue;
        }
        let winners: Vec<_> = [luz, mar]
            .into_iter()
            .filter(|&member| world.actors[member].conversation.is_some())
            .collect();
        let [winner] = winners[..] else {
            panic!("{} winners after {steps} steps", winners.len())
        };
        let (loser, alias) = if winner == luz {
            (mar, "Luz")
        } else {
            (luz, "Mar")
        };
        let told = [
            Told::LostTo(alias.to_owned()),
            Told::ClaimedBy(alias.to_owned()),
        ];
        assert!(
            told.iter().any(|told| world.was_told(loser, told)),
            "after {steps} steps"
        );
        world.say(winner, "Aquí estoy");
        world.run();
        assert!(world.texts(ana).contains(&"Aquí estoy".to_owned()));
    }
}

#[test]
fn replies_that_race_are_decided_by_the_reply_thread() {
    let mut world = World::new();
    let ana = world.person("Hola");
    let luz = world.member("Luz");
    let mar = world.member("Mar");
    world.run();
    let opened = {
        let row = world.rows(mar)[0];
        world.actors[mar]
            .queue
            .as_mut()
            .unwrap()
            .machine
            .claim(row)
            .unwrap()
    };
    world.claim(luz);
    // Both hold a claim: the relay showed Mar an empty claim thread.
    let claims = claim_secret(&world.day.seed, &opened.intake.r);
    let first = Slot::derive(&claims, Kind::Claim, 0, 0).address();
    world.relay.lie(Viewer(mar as u32), first, Lie::Empty);
    let me = world.actors[mar].me.clone().unwrap();
    let claim = Claim::new(me, opened, &mut world.rng).unwrap();
    world.actors[mar].claim = Some(world.line(claim, mar));
    for _ in 0..40 {
        world.step(luz);
        world.step(mar);
    }
    world.run();
    let lost = [(luz, "Mar"), (mar, "Luz")]
        .into_iter()
        .filter(|(member, winner)| {
            world.was_told(*member, &Told::LostTo((*winner).to_owned()))
                || world.was_told(*member, &Told::ClaimedBy((*winner).to_owned()))
        })
        .count();
    assert_eq!(lost, 1);
    assert!(world.was_told(ana, &Told::Joined));
}

#[test]
fn a_signed_reply_that_cant_be_joined_is_refused_and_the_contest_goes_on() {
    let mut world = World::new();
    let ana = world.person("Hola");
    let luz = world.member("Luz");
    let mar = world.member("Mar");
    world.run();
    let me = world.actors[mar].me.clone().unwrap();
    let reply = SignedReply::sign(
        &me.key,
        me.attested,
        &r(&world, ana),
        MessageHash::from_bytes([7; 32]),
        head(),
    );
    put(
        &mut world,
        ana,
        Kind::Reply,
        0,
        &cbor::encode(&Reply::Claimed(reply)),
    );
    world.run();
    assert!(world.was_told(ana, &Told::CouldNotJoin));
    world.claim(luz);
    world.run();
    assert!(world.was_told(luz, &Told::Replied));
    assert!(world.was_told(ana, &Told::Joined));
    assert!(!world.was_told(luz, &Told::LostTo("Mar".to_owned())));
}

/// [I-12]
#[test]
fn who_was_evicted_answers_nobody_any_more() {
    let mut world = World::new();
    let ana = world.person("Hola");
    let (luz, mar) = (world.member("Luz"), world.member("Mar"));
    world.run();
    world.claim(luz);
    let key = world.actors[luz].me.as_ref().unwrap().key.public();
    world.authority.evict(&key);
    world.run();
    assert!(world.was_told(luz, &Told::Refused));
    assert!(!world.was_told(ana, &Told::Joined));
    world.claim(mar);
    world.run();
    world.pass(CLAIM_LIFETIME * 2);
    world.claim(mar);
    world.run();
    assert!(world.was_told(ana, &Told::Joined));
}

#[test]
fn a_reply_of_a_desk_that_signed_itself_is_void() {
    let mut world = World::new();
    let ana = world.person("Hola");
    let luz = world.member("Luz");
    world.run();
    let key = world.key();
    let mut other = Authority::new(9);
    let Credential::Member(attested) = other.attest("Luz", Role::Accompanier, &key.public()) else {
        panic!("a member's credential");
    };
    let reply = SignedReply::sign(
        &key,
        attested,
        &r(&world, ana),
        MessageHash::from_bytes([7; 32]),
        head(),
    );
    put(
        &mut world,
        ana,
        Kind::Reply,
        0,
        &cbor::encode(&Reply::Claimed(reply)),
    );
    world.run();
    assert!(!world.was_told(ana, &Told::CouldNotJoin));
    world.claim(luz);
    world.run();
    assert!(world.was_told(ana, &Told::Joined));
}

#[test]
fn a_reply_in_the_name_of_a_member_who_did_not_sign_it_is_void() {
    let mut world = World::new();
    let ana = world.person("Hola");
    let (luz, mar) = (world.member("Luz"), world.member("Mar"));
    world.run();
    let attested = world.actors[mar].me.clone().unwrap().attested;
    let key = world.key();
    let reply = SignedReply::sign(
        &key,
        attested,
        &r(&world, ana),
        MessageHash::from_bytes([7; 32]),
        head(),
    );
    let payload = cbor::encode(&Reply::Claimed(reply));
    put(&mut world, ana, Kind::Reply, 0, &payload);
    world.run();
    assert!(!world.was_told(ana, &Told::CouldNotJoin));
    world.claim(luz);
    world.run();
    assert!(world.was_told(ana, &Told::Joined));
}

#[test]
fn a_welcome_of_an_attempt_that_was_lost_is_passed_over() {
    let mut world = World::new();
    let ana = world.person("Hola");
    let luz = world.member("Luz");
    world.run();
    let slot = Slot::derive(&welcome_secret(&world, ana), Kind::Welcome, 0, 0);
    let row = world.rows(luz)[0];
    world.claim(luz);
    while !world.relay.is_used(&slot.address()) {
        world.step(luz);
    }
    // Luz's device loses what it made, and begins anew: only the reply tells the two Welcomes apart.
    world.actors[luz].claim = None;
    let queue = &mut world.actors[luz].queue.as_mut().unwrap().machine;
    queue.release(row);
    world.claim(luz);
    world.run();
    assert!(world.was_told(ana, &Told::Joined));
    let hers = world.talk(ana).group_id().to_vec();
    assert_eq!(world.talk(luz).group_id(), hers);
}

#[test]
fn nobody_but_she_says_not_this_one() {
    let mut world = World::new();
    let ana = world.person("Hola");
    let luz = world.member("Luz");
    world.run();
    world.claim(luz);
    let forged = sign_not_this_one(&world.key(), &r(&world, ana), 0);
    put(&mut world, ana, Kind::Reply, 1, &cbor::encode(&forged));
    world.run();
    assert!(!world.was_told(luz, &Told::Refused));
    assert!(world.was_told(ana, &Told::Joined));
}

/// [I-5]
#[test]
fn who_erases_her_key_package_keeps_nobody_from_answering_her() {
    let mut world = World::new();
    let ana = world.person("Hola");
    let luz = world.member("Luz");
    world.run();
    let slot = Slot::derive(&r(&world, ana), Kind::Waiting, 0, 0);
    let erase_key = slot.erase_key().unwrap();
    world.relay.erase_raw(slot.slot_key(), erase_key);
    world.claim(luz);
    world.run();
    assert!(world.was_told(luz, &Told::Unanswerable));
    world.pass(Duration::from_secs(700));
    world.claim(luz);
    world.run();
    assert!(world.was_told(luz, &Told::Began));
    world.say(ana, "Gracias");
    world.run();
    assert!(world.texts(luz).contains(&"Gracias".to_owned()));
}

/// [I-5]
#[test]
fn an_answer_to_a_key_package_that_was_erased_meanwhile_is_joined() {
    let mut world = World::new();
    let ana = world.person("Hola");
    let luz = world.member("Luz");
    world.run();
    let slot = Slot::derive(&r(&world, ana), Kind::Waiting, 0, 0);
    world.claim(luz);
    // Luz has read it, and answers; then it is erased, and she finds it gone.
    for _ in 0..60 {
        world.step(luz);
    }
    let erase_key = slot.erase_key().unwrap();
    world.relay.erase_raw(slot.slot_key(), erase_key);
    let waiting = world.actors[ana].waiting.as_mut().unwrap();
    let before = waiting.machine.contact().package().unwrap().key.public();
    let seen = Seen::Gone(slot.address());
    let (now, mut rng) = (world.now, world.rng_of());
    let waiting = world.actors[ana].waiting.as_mut().unwrap();
    waiting.machine.handle_seen(&seen, now, &mut rng);
    let renewed = waiting.machine.contact().package().unwrap().key.public();
    assert_ne!(before, renewed);
    world.run();
    assert!(!world.was_told(ana, &Told::CouldNotJoin));
    world.say(ana, "Gracias");
    world.run();
    assert!(world.texts(luz).contains(&"Gracias".to_owned()));
}

/// [I-6]
#[test]
fn who_fills_her_welcome_thread_keeps_nobody_from_answering_her() {
    let mut world = World::new();
    let ana = world.person("Hola");
    let luz = world.member("Luz");
    world.run();
    let secret = welcome_secret(&world, ana);
    for index in 0..256 {
        let slot = Slot::derive(&secret, Kind::Welcome, 0, index);
        let garbage = slot.seal(b"\0no Welcome", [1; 24]).unwrap();
        assert!(world.relay.put_raw(&Put::new(&slot, garbage)));
    }
    world.claim(luz);
    for _ in 0..1_000 {
        world.step(ana);
        world.step(luz);
    }
    world.run();
    assert!(!world.was_told(ana, &Told::CouldNotJoin));
    world.say(ana, "Gracias");
    world.run();
    assert!(world.texts(luz).contains(&"Gracias".to_owned()));
}

/// [I-5]
#[test]
fn who_fills_her_waiting_thread_keeps_nobody_from_answering_her() {
    let mut world = World::new();
    let ana = world.person("Hola");
    let luz = world.member("Luz");
    world.run();
    let slot = Slot::derive(&r(&world, ana), Kind::Waiting, 0, 0);
    let erase_key = slot.erase_key().unwrap();
    world.relay.erase_raw(slot.slot_key(), erase_key);
    for index in 1..100 {
        put(&mut world, ana, Kind::Waiting, index, b"nothing");
    }
    world.pass(Duration::from_secs(700));
    world.claim(luz);
    world.run();
    assert!(world.was_told(luz, &Told::Began));
    assert!(world.was_told(ana, &Told::Joined));
}

/// [I-8]
#[test]
fn a_relay_that_holds_her_welcome_back_on_one_connection_makes_her_refuse_nobody() {
    for lie in [Lie::Empty, Lie::Full(Cell::void())] {
        let mut world = World::new();
        let ana = world.person("Hola");
        let luz = world.member("Luz");
        world.run();
        let replies = Slot::derive(&r(&world, ana), Kind::Reply, 0, 0);
        world.claim(luz);
        for _ in 0..60 {
            world.step(luz);
        }
        let reply = replies.open(world.relay.cell(&replies.address()).unwrap());
        let Some(Data::Whole(reply)) = Data::decode(&reply.unwrap()) else {
            panic!("a reply is whole")
        };
        let Ok(Reply::Claimed(reply)) = cbor::decode(&reply) else {
            panic!("another reply")
        };
        let body = reply.welcome_head().unwrap().body_slot(0, false);
        let viewer = Viewer(ana as u32);
        world.relay.lie(viewer, body.address(), lie);
        // Until she has looked and not found it.
        for _ in 0..60 {
            let waiting = world.actors[ana].waiting.as_ref();
            let connection = waiting.map(|line| line.connection);
            world.step(ana);
            let waiting = world.actors[ana].waiting.as_ref();
            if waiting.map(|line| line.connection) != connection {
                break;
            }
        }
        world.relay.repent();
        world.run();
        assert!(!world.was_told(ana, &Told::CouldNotJoin));
        world.say(ana, "Gracias");
        world.run();
        assert!(world.texts(luz).contains(&"Gracias".to_owned()));
    }
}

/// [G-19]
#[test]
fn a_garbage_welcome_before_the_true_one_is_passed_over() {
    let (mut world, ana, luz) = conversation();
    let mar = world.member("Mar");
    let person = world.talk(luz).person().unwrap();
    let proposal = world.proposal(mar, person);
    let root = world.authority.root();
    let offered = OfferedKeyPackage::parse(&proposal.key_package, Suite::Interop, &root).unwrap();
    let slot = Slot::derive(offered.welcome_secret(), Kind::Welcome, 0, 0);
    let garbage = slot.seal(b"\0no Welcome", [1; 24]).unwrap();
    assert!(world.relay.put_raw(&Put::new(&slot, garbage)));
    let (now, mut rng) = (world.now, world.rng_of());
    world.talk(luz).propose(proposal, now, &mut rng).unwrap();
    world.run();
    let id = world.talk(ana).proposals()[0].id;
    world.talk(ana).accept(id, Reads::Summary, now).unwrap();
    world.run();
    assert_eq!(world.talk(mar).person(), Some(person));
}

/// [G-19]
#[test]
fn a_welcome_to_another_group_in_her_slot_is_passed_over() {
    let mut world = World::new();
    let ana = world.person("Hola");
    let luz = world.member("Luz");
    let mar = world.member("Mar");
    world.run();
    world.claim(mar);
    let slot = Slot::derive(&welcome_secret(&world, ana), Kind::Welcome, 0, 0);
    while !world.relay.is_used(&slot.address()) {
        world.step(mar);
    }
    // Mar's Welcome stands, and Mar is never heard of again.
    world.actors[mar].claim = None;
    world.run();
    world.claim(luz);
    world.run();
    world.pass(CLAIM_LIFETIME * 2);
    if world.actors[luz].conversation.is_none() {
        world.claim(luz);
        world.run();
    }
    world.say(luz, "Aquí estoy");
    world.run();
    assert!(world.texts(ana).contains(&"Aquí estoy".to_owned()));
}

#[test]
fn a_key_package_that_somebody_else_put_into_her_thread_is_not_taken_for_hers() {
    let mut world = World::new();
    let ana = world.person("Hola");
    let luz = world.member("Luz");
    world.run();
    let (mallory, key) = (world.key(), world.key());
    let credential = device(&mallory, 9, &key.public());
    let own = OwnKeyPackage::new(Suite::Interop, &key, &credential, &mut world.rng).unwrap();
    let payload = Waiting::KeyPackage(own.message().to_vec().into());
    put(&mut world, ana, Kind::Waiting, 1, &cbor::encode(&payload));
    world.claim(luz);
    world.run();
    assert_eq!(world.talk(luz).person(), world.talk(ana).person());
}

/// The head of a Welcome that stands nowhere.
fn head() -> Vec<u8> {
    let head = Head {
        total: 4_000,
        secret: ThreadSecret::from_bytes([66; 32]),
        part: Vec::new(),
    };
    Data::Head(head).encode()
}
