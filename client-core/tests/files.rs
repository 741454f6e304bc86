//! Files in a conversation, over a relay in memory and in virtual time: sent, opened, over, erased.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

mod world;

use std::{collections::BTreeSet, time::Duration};

use cobijo_client_core::core::client::{
    Command, CommandError, ConversationEvent, EntryContent, Event, FileCommand, FileState,
    PersonCommand,
};
use cobijo_protocol::{
    file::{FILE_PART_BYTES, FileKind, Fingerprint, Millis, Way},
    slot::Address,
};
use world::{
    World,
    files::{bytes, hash},
    phrase::{comes_online, goes_away, talking},
};

const HOUR: Duration = Duration::from_secs(3_600);
/// Two parts, of which the second has padding.
const TWO_PARTS: usize = FILE_PART_BYTES + 10_000;

/// Slots that are full now and were not before.
fn put(world: &mut World, done: impl FnOnce(&mut World)) -> BTreeSet<Address> {
    let before = world.relay.full();
    done(world);
    world.relay.full().difference(&before).copied().collect()
}

fn stands(world: &World, slots: &BTreeSet<Address>) -> usize {
    world.relay.full().intersection(slots).count()
}

/// The bytes of the first file that a client has.
fn opened(world: &World, client: usize) -> Vec<u8> {
    let file = world.files(client).remove(0);
    assert_eq!(file.state, FileState::Here);
    world.clients[client].parts.bytes(file.local.unwrap())
}

/// Where the first file of a client is, as its line says.
fn line_state(world: &World, client: usize) -> FileState {
    let history = world.clients[client]
        .client
        .history(world.conversation(client).id);
    let state = |content: EntryContent| match content {
        EntryContent::File(file) => Some(file.state),
        _ => None,
    };
    history
        .into_iter()
        .find_map(|entry| state(entry.content))
        .unwrap()
}

/// [F-4] [F-5]
#[test]
fn nothing_of_a_file_is_fetched_before_she_who_reads_asks_and_then_all_of_it_is_here() {
    let (mut world, luz, ana) = talking();
    let file = bytes(TWO_PARTS);
    let way = world.shown_for(24);
    world.send_file(ana, way, &file);
    assert_eq!(world.file_states(ana), [FileState::Sent]);
    assert_eq!(world.file_states(luz), [FileState::Unopened]);
    assert_eq!(line_state(&world, luz), FileState::Unopened);
    assert_eq!(world.clients[luz].parts.len(), 0);
    assert_eq!(
        world.clients[ana].parts.len(),
        0,
        "what was shown is not kept"
    );

    let number = world.files(luz)[0].number;
    world.open_file(luz, number).unwrap();
    assert_eq!(opened(&world, luz), file);
    assert_eq!(line_state(&world, luz), FileState::Here);
    let progress = |event: &Event| {
        let Event::Conversation(_, ConversationEvent::File(file)) = event else {
            return false;
        };
        file.state == FileState::Opening { done: 1, total: 2 }
    };
    assert!(world.saw(luz, progress));
    // Asked for again, it is not fetched again.
    world.clients[luz].events.clear();
    world.open_file(luz, number).unwrap();
    assert!(!world.saw(luz, progress));
}

/// [F-7]
#[test]
fn what_is_kept_is_the_untouched_original_and_stays_with_her_too() {
    let (mut world, luz, ana) = talking();
    let file = bytes(5_000);
    world.send_file(ana, Way::Keep, &file);
    assert_eq!(opened(&world, ana), file);
    let number = world.files(luz)[0].number;
    world.open_file(luz, number).unwrap();
    world.wait(90 * HOUR);
    for client in [luz, ana] {
        assert_eq!(opened(&world, client), file);
        world.restart(client);
        assert_eq!(opened(&world, client), file);
    }
}

/// [F-8]
#[test]
fn a_fingerprint_tells_of_a_file_that_stays_here() {
    let (mut world, luz, ana) = talking();
    let conversation = world.conversation(ana).id;
    let fingerprint = Fingerprint {
        kind: FileKind::Other,
        size: 1 << 40,
        sha256: hash(b"video"),
        taken: Millis::from_millis(world.now.millis()),
        label: None,
    };
    let tell = FileCommand::Tell {
        conversation,
        fingerprint: fingerprint.clone(),
    };
    let slots = put(&mut world, |world| {
        world.command(ana, Command::File(tell)).unwrap();
    });
    assert_eq!(slots.len(), 1);
    let history = world.clients[luz]
        .client
        .history(world.conversation(luz).id);
    let last = &history.last().unwrap().content;
    assert!(*last == EntryContent::Fingerprint(fingerprint));
    assert!(world.files(luz).is_empty());
}

#[test]
fn a_text_is_not_held_up_behind_a_file() {
    let (mut world, luz, ana) = talking();
    let send = world.prepare(ana, Way::Keep, &bytes(TWO_PARTS));
    let conversation = world.conversation(ana).id;
    let text = "¿Me lees?".to_owned();
    world.commands_at_once(vec![
        (ana, send),
        (ana, Command::Say { conversation, text }),
    ]);
    let told = world.clients[luz].events.iter().position(|event| {
        matches!(event, Event::Conversation(_, ConversationEvent::Entry(entry))
            if matches!(&entry.content, EntryContent::Text(text) if text == "¿Me lees?"))
    });
    let file = world.clients[luz].events.iter().position(|event| {
        matches!(event, Event::Conversation(_, ConversationEvent::Entry(entry))
            if matches!(&entry.content, EntryContent::File(_)))
    });
    assert!(told.unwrap() < file.unwrap());
}

/// [F-4]
#[test]
fn whenever_the_sender_crashes_the_next_start_goes_on_and_the_file_is_told_of_once() {
    let file = bytes(TWO_PARTS);
    for frames in 1..9 {
        let (mut world, luz, ana) = talking();
        let send = world.prepare(ana, Way::Keep, &file);
        world.command_and_crash(ana, send, frames);
        assert_eq!(world.file_states(luz), [FileState::Unopened], "{frames}");
        let number = world.files(luz)[0].number;
        world.open_file(luz, number).unwrap();
        assert_eq!(opened(&world, luz), file, "{frames}");
        assert_eq!(opened(&world, ana), file, "{frames}");
    }
}

/// [F-5]
#[test]
fn whenever_the_reader_crashes_the_next_start_goes_on() {
    let file = bytes(TWO_PARTS);
    for frames in 1..6 {
        let (mut world, luz, ana) = talking();
        world.send_file(ana, Way::Keep, &file);
        let open = world.open_command(luz, world.files(luz)[0].number);
        world.command_and_crash(luz, open, frames);
        assert_eq!(opened(&world, luz), file, "{frames}");
        assert_eq!(world.clients[luz].parts.len(), 2);
    }
}

#[test]
fn a_lost_connection_loses_nothing_on_either_side() {
    let (mut world, luz, ana) = talking();
    let file = bytes(TWO_PARTS);
    world.go_dark();
    world.send_file(ana, Way::Keep, &file);
    assert!(matches!(
        world.file_states(ana)[..],
        [FileState::Sending { done: 0, .. }]
    ));
    world.is_dark = false;
    world.wait(HOUR);
    world.go_dark();
    let number = world.files(luz)[0].number;
    world.open_file(luz, number).unwrap();
    assert!(matches!(
        world.file_states(luz)[..],
        [FileState::Opening { done: 0, .. }]
    ));
    world.is_dark = false;
    world.wait(HOUR);
    assert_eq!(opened(&world, luz), file);
}

/// [F-4]
#[test]
fn where_her_copy_is_lost_or_the_conversation_over_before_it_stands_nobody_is_told() {
    for is_lost in [true, false] {
        let (mut world, luz, ana) = talking();
        world.go_dark();
        let before = world.relay.full();
        world.send_file(ana, Way::Keep, &bytes(TWO_PARTS));
        world.restart(ana);
        if is_lost {
            world.clients[ana].parts.lose();
        } else {
            let leave = Command::Leave(world.conversation(ana).id);
            world.command(ana, leave).unwrap();
        }
        world.clients[ana].events.clear();
        world.is_dark = false;
        world.wait(HOUR);
        assert!(world.files(luz).is_empty() && world.files(ana).is_empty());
        assert!(world.saw(ana, |event| matches!(
            event,
            Event::Conversation(_, ConversationEvent::File(file)) if file.state == FileState::NotSent
        )) || !is_lost);
        assert!(world.relay.full().difference(&before).count() < 10);
        assert_eq!(world.clients[ana].parts.len(), 0);
    }
}

/// [F-5]
#[test]
fn a_file_of_which_a_body_is_missing_or_void_is_gone_for_everyone_and_nothing_is_kept() {
    let (mut world, luz, ana) = talking();
    let slots = put(&mut world, |world| {
        world.send_file(ana, Way::Keep, &bytes(TWO_PARTS));
    });
    // The first and the last that was put: of either part.
    for address in [slots.first().unwrap(), slots.last().unwrap()] {
        world.relay.lose(address);
    }
    let number = world.files(luz)[0].number;
    world.open_file(luz, number).unwrap();
    assert_eq!(world.file_states(luz), [FileState::Gone]);
    assert_eq!(line_state(&world, luz), FileState::Gone);
    assert_eq!(world.clients[luz].parts.len(), 0);
    assert_eq!(world.open_file(luz, number), Err(CommandError::FileGone));
    world.say(ana, "Sigo aquí").unwrap();
    assert!(world.texts(luz).contains(&"Sigo aquí".to_owned()));
}

/// [F-5]
#[test]
fn other_bytes_than_its_author_says_are_not_the_file() {
    let (mut world, luz, ana) = talking();
    let Command::File(FileCommand::Send {
        conversation,
        mut file,
    }) = world.prepare(ana, Way::Keep, &bytes(5_000))
    else {
        unreachable!()
    };
    file.sha256 = hash(b"something else");
    let send = FileCommand::Send { conversation, file };
    world.command(ana, Command::File(send)).unwrap();
    let number = world.files(luz)[0].number;
    world.open_file(luz, number).unwrap();
    assert_eq!(world.file_states(luz), [FileState::Altered]);
    assert_eq!(world.clients[luz].parts.len(), 0);
}

/// [F-6]
#[test]
fn what_is_shown_ends_for_everyone_and_at_the_relay_and_stays_so_whatever_a_clock_says() {
    let (mut world, luz, ana) = talking();
    let way = world.shown_for(24);
    let slots = put(&mut world, |world| {
        world.send_file(ana, way, &bytes(TWO_PARTS))
    });
    let number = world.files(luz)[0].number;
    world.open_file(luz, number).unwrap();
    world.wait(23 * HOUR);
    assert_eq!(world.file_states(luz), [FileState::Here]);
    let begun = world.now;
    world.wait(2 * HOUR);
    let is_over = |world: &World| {
        for client in [luz, ana] {
            assert_eq!(world.file_states(client), [FileState::Expired]);
            assert_eq!(line_state(world, client), FileState::Expired);
            assert_eq!(world.clients[client].parts.len(), 0);
        }
        assert_eq!(stands(world, &slots), 0);
    };
    is_over(&world);
    world.now = begun;
    world.relay.day = begun.day();
    for client in [luz, ana] {
        world.restart(client);
    }
    is_over(&world);
    assert_eq!(world.open_file(luz, number), Err(CommandError::FileExpired));
}

/// [F-6]
#[test]
fn no_author_shows_anything_for_longer_than_three_days_nor_after_its_time() {
    let (mut world, luz, ana) = talking();
    let until = Millis::from_millis(u64::MAX);
    world.send_file(ana, Way::Show { until }, &bytes(5_000));
    world.wait(71 * HOUR);
    assert_eq!(world.file_states(luz), [FileState::Unopened]);
    world.wait(2 * HOUR);
    assert_eq!(world.file_states(luz), [FileState::Expired]);

    let away = goes_away(&mut world, luz);
    let way = world.shown_for(1);
    let slots = put(&mut world, |world| {
        world.send_file(ana, way, &bytes(5_000));
    });
    // Her device is off when its time is over: what is read late tells of it, and no more.
    let hers = goes_away(&mut world, ana);
    world.wait(2 * HOUR);
    comes_online(&mut world, luz, away);
    assert_eq!(world.file_states(luz), [FileState::Expired; 2]);
    comes_online(&mut world, ana, hers);
    assert_eq!(stands(&world, &slots), 0);
}

/// [F-6]
#[test]
fn what_could_not_be_sent_in_its_time_is_never_sent() {
    let (mut world, luz, ana) = talking();
    world.go_dark();
    let way = world.shown_for(1);
    world.send_file(ana, way, &bytes(5_000));
    world.wait(2 * HOUR);
    world.is_dark = false;
    world.wait(HOUR);
    assert!(world.files(luz).is_empty() && world.files(ana).is_empty());
    assert_eq!(world.clients[ana].parts.len(), 0);
}

/// [F-9]
#[test]
fn erasing_the_conversation_erases_its_files_everywhere() {
    for at_once in [true, false] {
        let (mut world, luz, ana) = talking();
        let slots = put(&mut world, |world| {
            world.send_file(ana, Way::Keep, &bytes(TWO_PARTS));
            let way = world.shown_for(24);
            world.send_file(luz, way, &bytes(5_000));
        });
        assert!(slots.len() > 90);
        for client in [luz, ana] {
            for file in world.files(client) {
                world.open_file(client, file.number).unwrap();
            }
            assert!(world.clients[client].parts.len() > 1);
        }
        let conversation = world.conversation(ana).id;
        let erase = PersonCommand::Erase {
            conversation,
            at_once,
        };
        world.command(ana, Command::Person(erase)).unwrap();
        for client in [luz, ana] {
            assert_eq!(world.clients[client].parts.len(), 0, "at once");
        }
        world.wait(Duration::from_secs(60));
        assert_eq!(stands(&world, &slots), 0);
        assert!(world.saw(ana, |event| matches!(
            event,
            Event::Erased { told: true, .. }
        )));
    }
}

/// [F-9]
#[test]
fn whatever_crashes_while_files_are_erased_the_next_start_goes_on() {
    for frames in 0..8 {
        let (mut world, luz, ana) = talking();
        let slots = put(&mut world, |world| {
            world.send_file(ana, Way::Keep, &bytes(TWO_PARTS));
        });
        let conversation = world.conversation(ana).id;
        let erase = PersonCommand::Erase {
            conversation,
            at_once: true,
        };
        // Nobody helps her.
        let _away = goes_away(&mut world, luz);
        world.command_and_crash(ana, Command::Person(erase.clone()), frames);
        if !world.clients[ana].client.conversations().is_empty() {
            let _going = world.command(ana, Command::Person(erase));
        }
        world.wait(Duration::from_secs(60));
        assert_eq!(stands(&world, &slots), 0, "{frames}");
    }
}

#[test]
fn a_disk_holds_no_more_files_that_wait_than_it_may() {
    let (mut world, _, ana) = talking();
    world.go_dark();
    for _ in 0..8 {
        world.send_file(ana, Way::Keep, b"x");
    }
    let send = world.prepare(ana, Way::Keep, b"x");
    assert_eq!(world.command(ana, send), Err(CommandError::TooMany));
}
