//! She erases, with the programs as they are: what a relay then answers, and what both profiles keep.

use cobijo_protocol::frame::SlotState;
use cobijo_tests::harness::{Client, Relay, named_slots};

/// She has been answered, and both have said something.
fn talking(relay: &Relay) -> (Client, Client) {
    let desk = relay.open_desk("Luz").unwrap();
    let asha = relay.client("asha").unwrap();
    asha.write(&desk.link, "hola").unwrap();
    let luz = desk.coordinator;
    luz.succeed(&["queue"]).unwrap();
    luz.succeed(&["claim", "1"]).unwrap();
    asha.succeed(&["wait"]).unwrap();
    let long = "ciruela ".repeat(1_500);
    asha.succeed_with(&["say", "1"], &long).unwrap();
    luz.succeed_with(&["say", "1"], "te leo").unwrap();
    asha.succeed(&["read", "1"]).unwrap();
    (luz, asha)
}

fn all(states: &[SlotState], state: SlotState) -> bool {
    states.iter().all(|one| *one == state)
}

/// [E-2]
#[test]
fn what_she_erases_is_gone_for_every_reader_and_from_both_profiles() {
    let relay = Relay::start().unwrap();
    let (luz, asha) = talking(&relay);
    let slots = named_slots(&asha).unwrap();
    assert!(slots.len() >= 6, "her letter, what both said, bodies");
    assert!(all(&relay.answers(&slots).unwrap(), SlotState::Full));
    assert_eq!(asha.refused(&["erase", "1"], "no").unwrap(), "not-erased");
    assert!(all(&relay.answers(&slots).unwrap(), SlotState::Full));

    let erased = asha.succeed_with(&["erase", "1", "--now"], "sí").unwrap();
    assert_eq!(erased.event("erased").unwrap()["told"], true);
    assert_eq!(erased.event("done").unwrap()["what"], "erased");
    let mut left = erased.events.iter().filter(|one| one["event"] == "erasing");
    assert_eq!(left.next_back().unwrap()["left"], 0);
    assert!(all(&relay.answers(&slots).unwrap(), SlotState::Gone));

    let list = luz.succeed(&["list"]).unwrap();
    let first = &list.event("list").unwrap()["conversations"][0];
    assert_eq!(first["erased"], "by-person");
    let read = luz.succeed(&["read", "1"]).unwrap();
    assert!(read.event("history").is_err());
    let list = asha.succeed(&["list"]).unwrap();
    let none = list.event("list").unwrap()["conversations"].as_array();
    assert!(none.unwrap().is_empty());
    assert!(named_slots(&asha).unwrap().is_empty());
}

/// [E-2]
#[test]
fn killed_while_she_erases_the_next_start_goes_on() {
    let relay = Relay::start().unwrap();
    let (luz, asha) = talking(&relay);
    let slots = named_slots(&asha).unwrap();
    let mut erasing = asha.start(&["erase", "1", "--sure"]).unwrap();
    erasing.expect("erasing").unwrap();
    erasing.kill().unwrap();
    let list = asha.succeed(&["list"]).unwrap();
    let first = &list.event("list").unwrap()["conversations"][0];
    assert_eq!(first["erased"], "going");
    asha.succeed(&["erase", "1", "--sure"]).unwrap();
    assert!(all(&relay.answers(&slots).unwrap(), SlotState::Gone));
    let list = luz.succeed(&["list"]).unwrap();
    let first = &list.event("list").unwrap()["conversations"][0];
    assert_eq!(first["erased"], "by-person");
}
