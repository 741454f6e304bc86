//! A person writes to a desk, and is answered by one of its members, whatever crashes or lies between.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm
)]

mod world;

use cobijo_client_core::core::{
    claim::Claim,
    client::{EntryContent, Stopped},
    intake::ContactError,
    port::Put,
};
use cobijo_protocol::{
    card::Role,
    cbor,
    credential::Credential,
    intake::{Reply, SignedReply, sign_not_this_one},
    keys::SecretKey,
    limits::CLAIM_LIFETIME,
    parts::Data,
    slot::{Kind, Slot, ThreadSecret, claim_secret},
};
use cobijo_tests::{
    authority::Authority,
    memory_relay::{Lie, Viewer},
};
use world::{Told, World};

#[test]
fn a_person_writes_and_somebody_answers() {
    let mut world = World::new();
    let ana = world.person("Hola, necesito hablar con alguien");
    let luz = world.member("Luz");
    world.run();
    assert!(world.was_told(ana, &Told::Stored));
    world.claim(luz);
    world.run();
    assert!(world.was_told(ana, &Told::Joined));
    assert!(world.was_told(luz, &Told::Replied));
    world.say(luz, "Aquí estoy");
    world.say(ana, "Gracias");
    world.run();
    let expected = ["Hola, necesito hablar con alguien", "Aquí estoy", "Gracias"];
    let mut texts = world.texts(ana);
    assert_eq!(texts[0], expected[0]);
    texts.sort();
    let mut sorted = expected.map(str::to_owned).to_vec();
    sorted.sort();
    assert_eq!(texts, sorted);
    let mut heard = world.texts(luz);
    heard.sort();
    assert_eq!(heard, sorted);
    let codes = (world.talk(ana).code(), world.talk(luz).code());
    assert_eq!(codes.0, codes.1);
    let mailbox = cobijo_protocol::mailbox::MailboxKey::of(&world.day.mailbox);
    assert_eq!(world.relay.items(&mailbox), 0);
    assert!(world.actors[luz].claim.is_none());
}

/// Ana and Luz talk.
fn conversation() -> (World, usize, usize) {
    let mut world = World::new();
    let ana = world.person("Hola");
    let luz = world.member("Luz");
    world.run();
    world.claim(luz);
    world.run();
    (world, ana, luz)
}

fn welcome_secret(world: &World, person: usize) -> ThreadSecret {
    let waiting = &world.actors[person].waiting.as_ref().unwrap().machine;
    let package = &waiting.contact().package().unwrap().package;
    package.welcome_secret().clone()
}

fn r(world: &World, person: usize) -> ThreadSecret {
    let waiting = &world.actors[person].waiting.as_ref().unwrap().machine;
    waiting.contact().r().clone()
}

#[test]
fn what_she_adds_while_she_waits_and_a_long_text_arrive() {
    let mut world = World::new();
    let text = "Es largo de contar. ".repeat(400);
    let ana = world.person(&text);
    let luz = world.member("Luz");
    world.run();
    let waiting = &mut world.actors[ana].waiting.as_mut().unwrap().machine;
    waiting.add("¿Hay alguien?", &mut world.rng).unwrap();
    world.run();
    assert!(world.was_told(ana, &Told::AdditionStored));
    world.claim(luz);
    // On its way while she is answered: it is said in one of the two places, once.
    for _ in 0..3 {
        world.step(luz);
    }
    let waiting = &mut world.actors[ana].waiting.as_mut().unwrap().machine;
    waiting.add("Sigo aquí", &mut world.rng).unwrap();
    world.run();
    let texts = world.texts(luz);
    assert_eq!(
        texts.concat().replace(' ', ""),
        [text, "¿Hayalguien?Sigoaquí".to_owned()]
            .concat()
            .replace(' ', "")
    );
    assert_eq!(world.texts(ana).len(), texts.len());
}

#[test]
fn nothing_is_lost_by_crashes_after_every_step() {
    let mut world = World::new();
    world.crashes = true;
    let ana = world.person("Hola");
    let luz = world.member("Luz");
    world.run();
    world.claim(luz);
    world.run();
    world.say(luz, "Aquí estoy");
    world.say(ana, "Gracias");
    world.run();
    for actor in [ana, luz] {
        let mut texts = world.texts(actor);
        texts.sort();
        assert_eq!(texts, ["Aquí estoy", "Gracias", "Hola"]);
    }
}

#[test]
fn she_comes_back_before_anybody_answered() {
    let mut world = World::new();
    let ana = world.person("Hola");
    world.run();
    world.crash(ana);
    let luz = world.member("Luz");
    world.run();
    world.claim(luz);
    world.crash(ana);
    world.run();
    assert_eq!(world.texts(luz), ["Hola"]);
}

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
    let claims = claim_secret(world.day.seed.as_bytes(), &opened.intake.r);
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
    let reply = SignedReply::sign(&me.key, me.attested, &r(&world, ana), [7; 32], Vec::new());
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
    let reply = SignedReply::sign(&key, attested, &r(&world, ana), [7; 32], Vec::new());
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

#[test]
fn a_garbage_welcome_before_the_true_one_is_passed_over() {
    let mut world = World::new();
    let ana = world.person("Hola");
    let luz = world.member("Luz");
    world.run();
    let slot = Slot::derive(&welcome_secret(&world, ana), Kind::Welcome, 0, 0);
    let garbage = slot.seal(b"\0no Welcome", [1; 24]).unwrap();
    assert!(world.relay.put_raw(&Put::new(&slot, garbage)));
    world.claim(luz);
    world.run();
    assert!(world.was_told(ana, &Told::Joined));
    assert!(!world.was_told(ana, &Told::CouldNotJoin));
}

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
fn she_is_warned_of_an_expired_card_and_her_message_is_sealed_to_it_all_the_same() {
    let mut world = World::new();
    world.now = world.now.plus(std::time::Duration::from_secs(3 * 86_400));
    let ana = world.person("Hola");
    world.run();
    assert!(world.was_told(ana, &Told::CardExpired));
    assert!(world.was_told(ana, &Told::Stored));
}

#[test]
fn an_unknown_mailbox_means_a_new_card_and_the_message_is_sealed_again() {
    let mut world = World::new();
    let text = "Es largo de contar. ".repeat(400);
    let real = world.day.mailbox.clone();
    world.day.mailbox = SecretKey::from_bytes([77; 32]);
    let ana = world.person(&text);
    world.run();
    assert!(!world.was_told(ana, &Told::Stored));
    world.day.mailbox = real;
    world.day.seed = ThreadSecret::from_bytes([78; 32]);
    world.day.day += 1;
    let card = world.card();
    let waiting = &mut world.actors[ana].waiting.as_mut().unwrap().machine;
    assert!(waiting.needs_card(world.now));
    waiting
        .handle_card(&card, world.now, &mut world.rng)
        .unwrap();
    let luz = world.member("Luz");
    world.run();
    assert!(world.was_told(ana, &Told::Stored));
    world.claim(luz);
    world.run();
    assert_eq!(
        world.texts(luz).concat().replace(' ', ""),
        text.replace(' ', "")
    );
}

#[test]
fn a_lower_card_than_one_seen_is_refused() {
    let mut world = World::new();
    world.day.mailbox = SecretKey::from_bytes([77; 32]);
    let ana = world.person("Hola");
    world.run();
    world.day.day -= 1;
    let card = world.card();
    let waiting = &mut world.actors[ana].waiting.as_mut().unwrap().machine;
    let refused = waiting.handle_card(&card, world.now, &mut world.rng);
    assert_eq!(refused, Err(ContactError::Lower));
}

#[test]
fn what_she_takes_back_can_be_read_by_nobody() {
    let mut world = World::new();
    let ana = world.person(&"Es largo de contar. ".repeat(400));
    let luz = world.member("Luz");
    world.run();
    world.actors[ana]
        .waiting
        .as_mut()
        .unwrap()
        .machine
        .take_back();
    world.run();
    assert!(
        world.actors[ana]
            .waiting
            .as_ref()
            .unwrap()
            .machine
            .is_over()
    );
    world.claim(luz);
    world.run();
    assert!(world.was_told(luz, &Told::Unanswerable));
}

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
    world.talk(ana).accept(proposals[0].id, now).unwrap();
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

#[test]
fn her_no_is_final_and_an_old_attestation_is_not_added() {
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
    assert!(world.talk(ana).accept(id, now).is_err());
    let refusals = world
        .talk(luz)
        .history()
        .iter()
        .filter(|entry| matches!(entry.content, EntryContent::Refusal(_)));
    assert_eq!(refusals.count(), 1);
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

#[test]
fn when_nobody_answers_a_colleague_comes_through_the_desk() {
    let (mut world, ana, luz) = conversation();
    let mar = world.member("Mar");
    world.actors[luz].queue = None;
    world.ask_desk(ana, "Nadie contesta");
    world.run();
    world.claim(mar);
    world.run();
    assert!(world.was_told(ana, &Told::Offered("Mar".to_owned())));
    assert!(
        world.actors[mar].conversation.is_none(),
        "only her yes adds"
    );
    world.accept_offer(ana);
    world.run();
    world.say(mar, "Soy Mar");
    world.run();
    assert!(world.texts(ana).contains(&"Soy Mar".to_owned()));
    assert!(world.texts(luz).contains(&"Soy Mar".to_owned()));
    assert_eq!(world.texts(mar), ["Nadie contesta", "Soy Mar"]);
}

#[test]
fn who_was_away_too_long_gets_a_successor_through_the_desk() {
    let (mut world, ana, luz) = conversation();
    world.say(ana, "Me voy un tiempo");
    world.run();
    world.away(ana, 100);
    assert_eq!(world.talk(ana).stopped(), Some(Stopped::Stale));
    world.actors[luz].conversation = None;
    let mar = world.member("Mar");
    world.ask_desk(ana, "He vuelto");
    world.run();
    world.pass(std::time::Duration::from_secs(700));
    world.claim(mar);
    world.run();
    world.accept_offer(ana);
    world.run();
    world.say(mar, "Soy Mar");
    world.say(ana, "Hola, Mar");
    world.run();
    assert_eq!(world.texts(ana).first().unwrap(), "Hola");
    assert!(world.texts(ana).contains(&"Soy Mar".to_owned()));
    assert!(world.texts(mar).contains(&"Hola, Mar".to_owned()));
    assert_eq!(world.talk(ana).stopped(), None);
}

#[test]
fn a_member_of_the_group_lets_her_in_again() {
    let (mut world, ana, luz) = conversation();
    world.away(ana, 100);
    assert_eq!(world.talk(ana).stopped(), Some(Stopped::Stale));
    world.ask_desk(ana, "He vuelto");
    world.run();
    let group = world.talk(luz).group_id().to_vec();
    let rescues = world.actors[luz]
        .queue
        .as_ref()
        .unwrap()
        .machine
        .rescues(&group);
    let now = world.now;
    world.talk(luz).rescue(&rescues[0].1, now);
    world.pass(std::time::Duration::from_secs(60));
    assert!(world.was_told(ana, &Told::Joined));
    world.say(ana, "Ya estoy");
    world.say(luz, "Qué bien");
    world.run();
    assert!(world.texts(luz).contains(&"Ya estoy".to_owned()));
    assert!(world.texts(ana).contains(&"Qué bien".to_owned()));
    assert_eq!(world.talk(luz).members().len(), 2);
}

#[test]
fn a_false_successor_is_refused() {
    let (mut world, ana, _) = conversation();
    let mar = world.member("Mar");
    world.ask_desk(ana, "Nadie contesta");
    world.run();
    world.claim(mar);
    world.run();
    let offer = world.actors[ana]
        .waiting
        .as_ref()
        .unwrap()
        .machine
        .offer()
        .unwrap();
    // Somebody who saw the offer invites Mar to a group of another person, said to be the successor.
    world.false_successor(ana, &offer);
    world.run();
    assert!(
        world
            .relay
            .is_used(&Slot::derive(offer.welcome_secret(), Kind::Welcome, 0, 0).address())
    );
    assert!(world.actors[mar].conversation.is_none());
    world.accept_offer(ana);
    world.run();
    assert_eq!(world.talk(mar).person(), world.talk(ana).person());
}

/// Puts a payload into a thread of `r`, as whoever knows it can.
fn put(world: &mut World, person: usize, kind: Kind, index: u64, payload: &[u8]) {
    let slot = Slot::derive(&r(world, person), kind, 0, index);
    let data = Data::Whole(payload.to_vec()).encode();
    let cell = slot.seal(&data, [3; 24]).unwrap();
    assert!(world.relay.put_raw(&Put::new(&slot, cell)));
}
