//! Profiles in front of people who do what people do.

use std::{fs, os::unix::fs::symlink};

use cobijo_tests::harness::{Relay, creating, letter};

/// A desk that is nowhere: what is written to it waits.
const NO_DESK: &str = "AAAAAAAAAAAAAAAAAAAAAA";

#[test]
fn a_second_process_on_a_profile_is_refused_clearly() {
    let relay = Relay::start().unwrap();
    let luz = relay.desk("Luz").unwrap().coordinator;
    let mut shift = luz.start(&["shift"]).unwrap();
    shift.expect("shift").unwrap();
    assert_eq!(luz.refused(&["list"], "").unwrap(), "profile-taken");
    assert!(shift.finish().unwrap().success());
    assert!(luz.run(&["list"]).unwrap().status.success());
    let mut shift = luz.start(&["shift"]).unwrap();
    shift.expect("shift").unwrap();
    shift.kill().unwrap();
    assert!(
        luz.run(&["list"]).unwrap().status.success(),
        "the dead hold nothing"
    );
}

#[test]
fn a_wrong_passphrase_is_told_from_a_damaged_and_from_a_newer_profile_and_loses_nothing() {
    let relay = Relay::start().unwrap();
    let person = relay.client("asha").unwrap();
    let link = format!("{}/#{NO_DESK}", relay.url());
    let written = person.run_with(&["write"], &letter(&link, "hola")).unwrap();
    assert_eq!(written.problem(), "no-desk");
    let other = person.profile().with_file_name("other");
    fs::write(&other, "otra cosa").unwrap();
    let wrong = ["list", "--passphrase-file", other.to_str().unwrap()];
    assert_eq!(person.refused(&wrong, "").unwrap(), "wrong-passphrase");
    let state = person.profile().join("state");
    let good = fs::read(&state).unwrap();
    for (at, problem) in [
        (7, "profile-newer"),
        (20, "profile-damaged"),
        (9_000, "profile-damaged"),
    ] {
        let mut changed = good.clone();
        changed[at] = changed[at].wrapping_add(1);
        fs::write(&state, &changed).unwrap();
        assert_eq!(person.refused(&["list"], "").unwrap(), problem);
        assert_eq!(fs::read(&state).unwrap(), changed, "it was left as it is");
    }
    fs::write(&state, good).unwrap();
    assert!(person.run(&["list"]).unwrap().status.success());
}

#[test]
fn a_full_disk_is_named_and_what_was_saved_stays() {
    let relay = Relay::start().unwrap();
    let person = relay.client("asha").unwrap();
    let link = format!("{}/#{NO_DESK}", relay.url());
    person.run_with(&["write"], &letter(&link, "hola")).unwrap();
    let state = person.profile().join("state");
    let before = fs::read(&state).unwrap();
    // Whatever is written beside the state meets a device that is always full.
    symlink("/dev/full", person.profile().join("state.new")).unwrap();
    assert_eq!(person.refused(&["leave"], "").unwrap(), "full-disk");
    assert_eq!(fs::read(&state).unwrap(), before);
}

#[test]
fn a_profile_serves_one_purpose() {
    let relay = Relay::start().unwrap();
    let luz = relay.desk("Luz").unwrap().coordinator;
    let cases: &[(&[&str], &str)] = &[
        (&creating(relay.url(), "Luz"), "in-use"),
        (&["write"], "in-use"),
        (&["desk", "join"], "bad-invite"),
        (&["add"], "not-now"),
        (&["say", "7"], "unknown"),
        (&["queue"], "not-on-shift"),
        (&["wait"], "not-now"),
        (&["desk", "remove", "Nadie"], "unknown-alias"),
        (&["desk", "admit", "7"], "no-invite"),
        (&["yes"], "no-proposal"),
    ];
    for (arguments, problem) in cases {
        let refused = luz.refused(arguments, "").unwrap();
        assert_eq!(refused, *problem, "{arguments:?}");
    }
    let shown = luz.succeed(&["desk", "show"]).unwrap();
    assert_eq!(shown.event("desk").unwrap()["alias"], "Luz");
}

#[test]
fn whoever_has_left_writes_again_from_the_same_profile() {
    let relay = Relay::start().unwrap();
    let desk = relay.open_desk("Luz").unwrap();
    let (luz, asha) = (&desk.coordinator, relay.client("asha").unwrap());
    asha.write(&desk.link, "hola").unwrap();
    luz.succeed(&["queue"]).unwrap();
    luz.succeed(&["claim", "1"]).unwrap();
    let full = |count: usize| {
        let queue = luz.succeed(&["queue"]).unwrap();
        let queue = queue.event("queue").unwrap();
        assert_eq!(queue["rows"].as_array().map(Vec::len), Some(count));
        queue["full"].clone()
    };
    luz.succeed(&["shift", "start", "--capacity", "1"]).unwrap();
    relay
        .client("eka")
        .unwrap()
        .write(&desk.link, "hola")
        .unwrap();
    assert_eq!(full(0), true);
    assert_eq!(luz.refused(&["claim", "2"], "").unwrap(), "at-capacity");
    luz.succeed(&["shift", "start", "--capacity", "2"]).unwrap();
    assert_eq!(full(1), false);
    luz.succeed(&["pass", "2"]).unwrap();
    let queue = luz.succeed(&["queue"]).unwrap();
    assert_eq!(queue.event("queue").unwrap()["rows"][0]["passed"], true);
    asha.succeed(&["wait"]).unwrap();
    let early = asha.run_with(&["write"], "otra vez").unwrap();
    assert_eq!(early.problem(), "in-use");
    asha.succeed(&["leave"]).unwrap();
    let again = asha.succeed_with(&["write"], "otra vez").unwrap();
    again.event("intake-stored").unwrap();
    luz.succeed(&["queue"]).unwrap();
    luz.succeed(&["claim", "3"]).unwrap();
    asha.succeed(&["wait"]).unwrap();
    let list = asha.succeed(&["list"]).unwrap();
    let open = list.event("list").unwrap()["conversations"].as_array();
    let open: Vec<_> = open.unwrap().iter().map(|one| &one["open"]).collect();
    assert_eq!(open, [false, true]);
    let said = asha.succeed(&["read", "1"]).unwrap();
    assert_eq!(said.event("history").unwrap()["text"], "hola");
}
