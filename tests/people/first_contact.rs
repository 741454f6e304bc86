//! From the sealed intake to the first words in the room.

use cobijo_client_core::core::intake::ContactError;
use cobijo_protocol::{
    keys::{IntakeSeed, SecretKey},
    limits::CLAIM_LIFETIME,
};

use crate::world::{Told, World};

/// [I-7]
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
    world.pass(CLAIM_LIFETIME * 2);
    assert!(world.actors[luz].claim.is_none());
}

/// [I-5]
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
fn nothing_is_lost_by_crashes_at_any_step() {
    for seed in 0..8 {
        let mut world = World::with_seed(seed);
        world.crashes = true;
        let ana = world.person("Hola");
        let luz = world.member("Luz");
        world.run();
        let waiting = &mut world.actors[ana].waiting.as_mut().unwrap().machine;
        waiting.add("¿Hay alguien?", &mut world.rng).unwrap();
        world.claim(luz);
        world.run();
        world.say(luz, "Aquí estoy");
        world.say(ana, "Gracias");
        world.run();
        for actor in [ana, luz] {
            let mut texts = world.texts(actor);
            texts.sort();
            let all = ["Aquí estoy", "Gracias", "Hola", "¿Hay alguien?"];
            assert_eq!(texts, all, "seed {seed}, actor {actor}");
        }
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
    world.day.seed = IntakeSeed::from_bytes([78; 32]);
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
    // Whoever erased what she had written gets nobody out of the queue.
    assert_eq!(world.rows(luz).len(), 1);
}
