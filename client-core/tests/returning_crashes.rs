//! She comes back by her phrase, whatever crashes or is lost on the way, and two of her at once.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

mod world;

use std::time::Duration;

use cobijo_client_core::core::client::{
    Command, Entry, EntryContent, Event, Locked, PersonCommand, PersonStage,
};
use cobijo_protocol::{capsule::Shows, slot::Kind};
use world::hostile::{read, welcome_secrets};
use world::phrase::{
    FRAMES, back, come_back, comes_online, crash_on_the_way_back, goes_away, is_elsewhere, keep,
    keys, lose_on_the_way_back, person, stage, talking, waiting,
};

const MINUTE: Duration = Duration::from_secs(60);

/// [B-8]
#[test]
fn whatever_crashes_on_her_way_back_she_arrives() {
    for frames in FRAMES {
        let (mut world, luz, ana) = talking();
        keep(&mut world, ana, Shows::New);
        world.say(luz, "Aquí estoy").unwrap();
        goes_away(&mut world, ana);
        let away = goes_away(&mut world, luz);
        let anew = world.client();
        crash_on_the_way_back(&mut world, anew, frames);
        assert_eq!(stage(&world, anew), PersonStage::Talking, "{frames}");
        assert_eq!(world.texts(anew), ["Aquí estoy"], "{frames}");
        world.say(anew, "He vuelto").unwrap();
        comes_online(&mut world, luz, away);
        assert_eq!(world.texts(luz).last().unwrap(), "He vuelto", "{frames}");
        world.restart(ana);
        world.wait(MINUTE);
        assert_eq!(stage(&world, ana), PersonStage::Ended, "{frames}");
    }
}

/// [B-8]
#[test]
fn a_device_that_is_lost_on_her_way_back_leaves_the_way_open_and_before_its_commit_loses_nothing() {
    // Near the end the commit stands, and where the relay stops short, not its Welcome.
    let ends = |frames: usize| {
        [
            Some((frames, false)),
            (frames > 13).then_some((frames, true)),
        ]
    };
    for (frames, stops_short) in FRAMES.flat_map(ends).flatten() {
        let (mut world, luz, ana) = talking();
        keep(&mut world, ana, Shows::New);
        world.say(luz, "Aquí estoy").unwrap();
        goes_away(&mut world, ana);
        let away = goes_away(&mut world, luz);
        let lost = world.client();
        world.stops_short = stops_short;
        lose_on_the_way_back(&mut world, lost, frames);
        world.stops_short = false;
        let anew = come_back(&mut world);
        assert_eq!(stage(&world, anew), PersonStage::Talking, "{frames}");
        // What came before her own commit is not shown again, and from here on it stands.
        let has_arrived = frames > 16 && world.texts(anew).is_empty();
        assert!(
            has_arrived || world.texts(anew) == ["Aquí estoy"],
            "{frames}"
        );
        world.say(anew, "He vuelto").unwrap();
        comes_online(&mut world, luz, away);
        world.say(luz, "Qué bien").unwrap();
        assert_eq!(world.texts(anew).last().unwrap(), "Qué bien", "{frames}");
        assert!(
            world.texts(luz).contains(&"He vuelto".to_owned()),
            "{frames}"
        );
        assert_eq!(world.conversation(luz).members.len(), 2);
        world.restart(ana);
        world.wait(MINUTE);
        assert_eq!(stage(&world, ana), PersonStage::Ended, "{frames}");
    }
}

/// [B-7]
#[test]
fn whatever_crashes_on_her_way_back_to_where_she_waits_she_is_answered_there() {
    for frames in FRAMES {
        let (mut world, luz, ana) = waiting();
        keep(&mut world, ana, Shows::New);
        goes_away(&mut world, ana);
        let lost = world.client();
        lose_on_the_way_back(&mut world, lost, frames);
        let anew = world.client();
        crash_on_the_way_back(&mut world, anew, frames);
        assert_eq!(stage(&world, anew), PersonStage::Waiting, "{frames}");
        world.claim(luz).unwrap();
        world.wait(MINUTE);
        assert_eq!(stage(&world, anew), PersonStage::Talking, "{frames}");
        world.say(luz, "Hola").unwrap();
        assert_eq!(world.texts(anew).last().unwrap(), "Hola", "{frames}");
        world.restart(ana);
        world.wait(MINUTE);
        assert_eq!(stage(&world, ana), PersonStage::Ended, "{frames}");
        world.say(anew, "Aquí").unwrap();
        assert_eq!(world.texts(luz).last().unwrap(), "Aquí", "{frames}");
    }
}

/// [B-9]
#[test]
fn whatever_crashes_while_a_phrase_is_kept_it_leads_back() {
    for frames in 0..9 {
        for is_answered in [false, true] {
            let (mut world, luz, ana) = waiting();
            if is_answered {
                world.claim(luz).unwrap();
            }
            let keep = PersonCommand::KeepPhrase {
                keys: keys(),
                shows: Shows::New,
            };
            world.command_and_crash(ana, Command::Person(keep.clone()), frames);
            if !person(&world, ana).phrase {
                // Nothing was saved yet.
                world.command(ana, Command::Person(keep)).unwrap();
            }
            assert!(world.saw(ana, |event| matches!(event, Event::PhraseKept)));
            let anew = come_back(&mut world);
            let expected = match is_answered {
                true => PersonStage::Talking,
                false => PersonStage::Waiting,
            };
            assert_eq!(stage(&world, anew), expected, "{frames}");
            assert_eq!(stage(&world, ana), PersonStage::Ended, "{frames}");
        }
    }
}

/// [B-9]
#[test]
fn a_phrase_leads_back_however_far_her_device_got_before_it_was_lost() {
    let keep = || {
        Command::Person(PersonCommand::KeepPhrase {
            keys: keys(),
            shows: Shows::New,
        })
    };
    const LAST: usize = 27;
    for frames in 1..=LAST {
        // Lost while somebody answers her, and while she keeps her phrase.
        for was_kept in [true, false] {
            let (mut world, luz, ana) = waiting();
            if was_kept {
                world.command(ana, keep()).unwrap();
            }
            world.mute = Some((ana, frames));
            if !was_kept {
                world.command(ana, keep()).unwrap();
            }
            let was_told = world.saw(ana, |event| matches!(event, Event::PhraseKept));
            world.claim(luz).unwrap();
            let has_ended = world.mute.is_some_and(|(_, left)| left > 0);
            assert!(has_ended || frames < LAST, "it takes more frames");
            goes_away(&mut world, ana);
            world.mute = None;
            let anew = come_back(&mut world);
            if !was_told
                && world.saw(anew, |event| {
                    matches!(event, Event::NothingFound | Event::Locked(_))
                })
            {
                continue;
            }
            if stage(&world, anew) == PersonStage::Waiting {
                world.wait(5 * MINUTE);
                world.claim(luz).unwrap();
                world.wait(5 * MINUTE);
            }
            let case = format!("{frames} {was_kept}");
            assert_eq!(stage(&world, anew), PersonStage::Talking, "{case}");
            world.say(anew, "Aquí").unwrap();
            let last = world.clients[luz].client.conversations().last().unwrap().id;
            let lines = world.clients[luz].client.history(last);
            let is_heard = |entry: &Entry| entry.content == EntryContent::Text("Aquí".to_owned());
            assert!(lines.iter().any(is_heard), "{case}");
        }
    }
}

/// [B-5] [B-7] [B-8]
#[test]
fn of_two_devices_that_come_back_at_once_one_wins_and_the_other_locks_itself() {
    for is_answered in [false, true] {
        let (mut world, luz, ana) = waiting();
        if is_answered {
            world.claim(luz).unwrap();
        }
        keep(&mut world, ana, Shows::New);
        goes_away(&mut world, ana);
        if is_answered {
            world.say(luz, "Aquí estoy").unwrap();
        }
        let both = [world.client(), world.client()];
        let commands = both.map(|device| (device, back(&world)));
        world.commands_at_once(commands.into());
        world.wait(MINUTE);
        let locked = both.map(|device| world.saw(device, is_elsewhere));
        assert_eq!(locked.iter().filter(|locked| **locked).count(), 1);
        let winner = both[usize::from(locked[0])];
        if !is_answered {
            world.claim(luz).unwrap();
        }
        assert_eq!(stage(&world, winner), PersonStage::Talking);
        world.say(luz, "Te leo").unwrap();
        world.say(winner, "Y yo a ti").unwrap();
        assert_eq!(world.texts(winner).last().unwrap(), "Y yo a ti");
        assert_eq!(world.texts(luz).last().unwrap(), "Y yo a ti");
        if is_answered {
            assert_eq!(world.texts(winner)[0], "Aquí estoy");
        }
        // The other one may try again, and takes over then.
        let again = come_back(&mut world);
        assert_eq!(stage(&world, again), PersonStage::Talking);
        assert_eq!(stage(&world, winner), PersonStage::Ended);
    }
}

/// [B-8]
#[test]
fn where_the_welcome_of_the_leaf_that_she_must_go_on_as_can_stand_nowhere_she_is_told() {
    // At one of them the commit stands, and its Welcome doesn't.
    let was_told = FRAMES.filter(|frames| *frames > 13).any(|frames| {
        let (mut world, luz, ana) = talking();
        keep(&mut world, ana, Shows::New);
        goes_away(&mut world, ana);
        goes_away(&mut world, luz);
        let lost = world.client();
        world.stops_short = true;
        lose_on_the_way_back(&mut world, lost, frames);
        world.stops_short = false;
        let root = read(&world, 0, &["me", "root"]);
        for secret in welcome_secrets(&world, lost, &root) {
            world.fill(&secret, Kind::Welcome, 256);
        }
        let anew = come_back(&mut world);
        world.saw(anew, |event| {
            matches!(event, Event::Locked(Locked::Unjoinable))
        })
    });
    assert!(was_told);
}
