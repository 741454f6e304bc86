//! She erases, over a relay in memory and in virtual time: what is gone, where, and what never comes back.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

mod world;

use std::{collections::BTreeSet, time::Duration};

use cobijo_client_core::core::client::{
    Command, ConversationEvent, Erasure, Event, PersonCommand, PersonStage, Standing, Stopped,
};
use cobijo_protocol::{capsule::Shows, slot::Address};
use world::{
    World,
    phrase::{
        FRAMES, come_back, comes_online, goes_away, keep, keys, lose_on_the_way_back, person,
        stage, talking, waiting,
    },
};

const MINUTE: Duration = Duration::from_secs(60);
/// Longer than a cell: it has bodies.
const LONG: usize = 9_000;

fn erase(world: &World, ana: usize, at_once: bool) -> Command {
    let conversation = world.conversation(ana).id;
    Command::Person(PersonCommand::Erase {
        conversation,
        at_once,
    })
}

/// What is put while something is done.
fn put(world: &mut World, done: impl FnOnce(&mut World)) -> BTreeSet<Address> {
    let before = world.relay.full();
    done(world);
    world.relay.full().difference(&before).copied().collect()
}

fn long(word: &str) -> String {
    word.repeat(LONG / word.len())
}

/// A conversation of which both sides have said something long, and the slots of what they said.
fn said() -> (World, usize, usize, BTreeSet<Address>) {
    let (mut world, luz, ana) = talking();
    let slots = put(&mut world, |world| {
        world.say(luz, &long("zarzamora")).unwrap();
        world.say(ana, &long("golondrina")).unwrap();
        world.say(ana, "ciruela").unwrap();
    });
    assert!(slots.len() > 6, "bodies too");
    (world, luz, ana, slots)
}

fn stands(world: &World, slots: &BTreeSet<Address>) -> usize {
    world.relay.full().intersection(slots).count()
}

/// Whether a word that was said stands on a client's disk.
fn remembers(world: &World, client: usize) -> bool {
    let disk = &world.clients[client].disk;
    ["zarzamora", "golondrina", "ciruela"]
        .iter()
        .any(|word| disk.windows(word.len()).any(|part| part == word.as_bytes()))
}

/// Nothing of it is left on her device or at the relay.
fn assert_erased(world: &World, ana: usize, slots: &BTreeSet<Address>, case: &str) {
    assert_eq!(stands(world, slots), 0, "{case}");
    assert_eq!(person(world, ana).left_to_erase, 0, "{case}");
    assert_eq!(stage(world, ana), PersonStage::Ended, "{case}");
    assert!(!remembers(world, ana), "{case}");
    assert!(
        world.clients[ana].client.conversations().is_empty(),
        "{case}"
    );
}

/// An accompanier's device has wiped it, and says so.
fn assert_wiped(world: &World, luz: usize, case: &str) {
    let view = world.conversation(luz);
    assert!(
        view.erased == Some(Erasure::ByPerson) && !view.open && view.members.is_empty(),
        "{case}"
    );
    assert!(
        world.clients[luz].client.history(view.id).is_empty(),
        "{case}"
    );
    assert!(!remembers(world, luz), "{case}");
}

fn is_wiped(event: &Event) -> bool {
    matches!(
        event,
        Event::Conversation(_, ConversationEvent::Stopped(Stopped::Wiped))
    )
}

fn is_nothing(event: &Event) -> bool {
    matches!(event, Event::NothingFound)
}

/// [E-1] [E-2] [E-3]
#[test]
fn what_she_erases_is_gone_from_the_relay_and_from_both_devices_and_stays_gone() {
    for at_once in [false, true] {
        let (mut world, luz, ana, slots) = said();
        assert!(remembers(&world, ana) && remembers(&world, luz));
        let command = erase(&world, ana, at_once);
        world.command(ana, command).unwrap();
        assert!(world.saw(luz, is_wiped), "she is told at once");
        assert_eq!(at_once, stands(&world, &slots) == 0);
        world.wait(MINUTE);
        assert!(world.saw(ana, |event| matches!(
            event,
            Event::Erased { told: true, .. }
        )));
        for _ in 0..2 {
            assert_erased(&world, ana, &slots, "");
            assert_wiped(&world, luz, "");
            world.restart(ana);
            world.restart(luz);
            world.wait(MINUTE);
        }
        assert!(world.say(luz, "¿Sigues ahí?").is_err());
    }
}

/// [E-1]
#[test]
fn what_she_wrote_while_she_waited_goes_too_with_its_bodies() {
    let (mut world, luz, ana) = waiting();
    let slots = put(&mut world, |world| {
        let add = PersonCommand::Add(long("golondrina"));
        world.command(ana, Command::Person(add)).unwrap();
    });
    assert!(slots.len() > 2, "bodies too");
    world.claim(luz).unwrap();
    world.wait(MINUTE);
    assert!(remembers(&world, luz));
    let command = erase(&world, ana, true);
    world.command(ana, command).unwrap();
    assert_erased(&world, ana, &slots, "");
    assert_wiped(&world, luz, "");
}

/// [E-2]
#[test]
fn taking_a_letter_back_leaves_nothing_of_it_nor_of_its_capsule() {
    let (mut world, _, ana) = waiting();
    let slots = put(&mut world, |world| {
        let add = PersonCommand::Add(long("golondrina"));
        world.command(ana, Command::Person(add)).unwrap();
        keep(world, ana, Shows::All);
    });
    world
        .command(ana, Command::Person(PersonCommand::StopWaiting))
        .unwrap();
    assert_erased(&world, ana, &slots, "");
    let anew = come_back(&mut world);
    assert!(world.saw(anew, is_nothing));
}

/// [E-2]
#[test]
fn a_phrase_finds_nothing_of_what_she_erased() {
    let (mut world, luz, ana, slots) = said();
    keep(&mut world, ana, Shows::All);
    let command = erase(&world, ana, false);
    world.command(ana, command).unwrap();
    world.wait(MINUTE);
    assert_erased(&world, ana, &slots, "");
    assert_wiped(&world, luz, "");
    let anew = come_back(&mut world);
    assert!(world.saw(anew, is_nothing));
}

/// [E-2]
#[test]
fn whatever_crashes_while_she_erases_the_next_start_goes_on() {
    for frames in 0..12 {
        for is_hers in [true, false] {
            let (mut world, luz, ana, mut slots) = said();
            let capsule = put(&mut world, |world| keep(world, ana, Shows::All));
            assert!(!capsule.is_empty());
            world.say(ana, "ciruela").unwrap();
            slots.extend(put(&mut world, |world| world.say(ana, "ciruela").unwrap()));
            let case = format!("{frames} {is_hers}");
            let command = erase(&world, ana, true);
            if is_hers {
                world.command_and_crash(ana, command.clone(), frames);
                if !remembers(&world, ana) {
                    world.wait(MINUTE);
                } else {
                    // Nothing was saved yet.
                    world.command(ana, command).unwrap();
                }
            } else {
                world.mute = Some((luz, frames));
                world.command(ana, command).unwrap();
                world.mute = None;
                world.restart(luz);
            }
            world.wait(MINUTE);
            assert_erased(&world, ana, &slots, &case);
            assert_wiped(&world, luz, &case);
            let anew = come_back(&mut world);
            assert!(world.saw(anew, is_nothing), "{case}");
        }
    }
}

/// [E-3]
#[test]
fn an_older_disk_wipes_at_its_next_contact_with_the_relay() {
    let (mut world, luz, ana, slots) = said();
    let disks = [luz, ana].map(|client| world.clients[client].disk.clone());
    let command = erase(&world, ana, true);
    world.command(ana, command).unwrap();
    world.wait(MINUTE);
    for (client, disk) in [luz, ana].into_iter().zip(disks) {
        world.clients[client].disk = disk;
        assert!(remembers(&world, client));
        world.restart(client);
        world.wait(MINUTE);
    }
    assert_erased(&world, ana, &slots, "");
    assert_wiped(&world, luz, "");
}

/// [E-3]
#[test]
fn whoever_is_away_wipes_when_she_comes_and_reads_nothing_more_before() {
    let (mut world, luz, ana, mut slots) = said();
    let away = goes_away(&mut world, luz);
    slots.extend(put(&mut world, |world| {
        world.say(ana, &long("golondrina")).unwrap();
    }));
    let command = erase(&world, ana, false);
    world.command(ana, command).unwrap();
    world.wait(MINUTE);
    assert_erased(&world, ana, &slots, "");
    world.clients[luz].events.clear();
    comes_online(&mut world, luz, away);
    world.wait(MINUTE);
    assert_wiped(&world, luz, "");
    let is_entry =
        |event: &Event| matches!(event, Event::Conversation(_, ConversationEvent::Entry(_)));
    assert!(!world.saw(luz, is_entry));
}

/// [E-2]
#[test]
fn a_device_that_she_came_back_to_twice_keeps_nothing_of_what_she_erases() {
    let (mut world, luz, ana, slots) = said();
    keep(&mut world, ana, Shows::All);
    come_back(&mut world);
    let back = Command::Person(PersonCommand::Return {
        link: world.link(0),
        keys: keys(),
    });
    world.command(ana, back).unwrap();
    world.wait(MINUTE);
    let rooms = world.clients[ana].client.conversations();
    let present = rooms.iter().find(|room| room.open).unwrap().id;
    assert_eq!(rooms.len(), 2);
    let erase = PersonCommand::Erase {
        conversation: present,
        at_once: true,
    };
    world.command(ana, Command::Person(erase)).unwrap();
    world.wait(MINUTE);
    assert_erased(&world, ana, &slots, "");
    assert_wiped(&world, luz, "");
}

/// [E-3]
#[test]
fn a_device_that_reads_on_its_way_back_that_she_has_erased_all_says_so_and_shows_nothing() {
    let mut locked = 0;
    for frames in FRAMES {
        let (mut world, _, ana, _) = said();
        keep(&mut world, ana, Shows::All);
        let anew = world.client();
        lose_on_the_way_back(&mut world, anew, frames);
        if stage(&world, ana) != PersonStage::Talking || world.clients[anew].disk.is_empty() {
            continue;
        }
        let command = erase(&world, ana, true);
        world.command(ana, command).unwrap();
        world.wait(MINUTE);
        world.clients[anew].events.clear();
        world.restart(anew);
        world.wait(MINUTE);
        // Nothing was found yet: she types her phrase again.
        if world.clients[anew].client.standing() == Standing::Fresh {
            continue;
        }
        assert!(
            world.saw(anew, |event| matches!(
                event,
                Event::NothingFound | Event::Locked(_)
            )),
            "{frames}"
        );
        assert!(!remembers(&world, anew), "{frames}");
        assert!(
            world.clients[anew].client.conversations().is_empty(),
            "{frames}"
        );
        locked += 1;
    }
    assert!(locked > 6);
}

/// [E-3]
#[test]
fn a_conversation_that_she_left_is_erased_at_the_relay_though_nobody_can_be_told() {
    let (mut world, _, ana, slots) = said();
    let conversation = world.conversation(ana).id;
    world.command(ana, Command::Leave(conversation)).unwrap();
    world.wait(MINUTE);
    let command = erase(&world, ana, true);
    world.command(ana, command).unwrap();
    assert!(world.saw(ana, |event| matches!(
        event,
        Event::Erased { told: false, .. }
    )));
    assert_erased(&world, ana, &slots, "");
}

/// [E-2]
#[test]
fn without_a_relay_all_is_gone_here_at_once_and_there_as_soon_as_it_is_back() {
    let (mut world, luz, ana, slots) = said();
    world.go_dark();
    let command = erase(&world, ana, true);
    world.command(ana, command).unwrap();
    assert!(!remembers(&world, ana));
    let erased = world.conversation(ana).erased;
    assert_eq!(erased, Some(Erasure::Going));
    assert!(person(&world, ana).left_to_erase > 0);
    world.restart(ana);
    world.is_dark = false;
    world.restart(luz);
    world.wait(10 * MINUTE);
    assert_erased(&world, ana, &slots, "");
    assert_wiped(&world, luz, "");
}
