//! Who comes into a desk.

use cobijo_tests::harness::{Client, Relay};

#[test]
fn nobody_is_let_in_whose_words_are_not_the_same() {
    let relay = Relay::start().unwrap();
    let luz = desk(&relay);
    let invited = luz.succeed(&["desk", "invite"]).unwrap();
    let invite = invited.event("invited").unwrap()["invite"]
        .as_str()
        .unwrap()
        .to_owned();
    let thief = relay.client("thief").unwrap();
    let mut joining = thief
        .start(&["desk", "join", &invite, "--alias", "Mar"])
        .unwrap();
    joining.expect("invite-words").unwrap();
    let words = "uno dos tres cuatro cinco seis";
    let admitted = luz.run(&["desk", "admit", "--words", words]).unwrap();
    assert_eq!(admitted.problem(), "words-differ");
    joining.kill().unwrap();
    assert_eq!(
        luz.run(&["desk", "admit", "1"]).unwrap().problem(),
        "unknown"
    );
    let shown = luz.succeed(&["desk", "show"]).unwrap();
    assert_eq!(
        shown.event("desk").unwrap()["colleagues"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_newcomer_who_was_interrupted_goes_on_where_she_was() {
    let relay = Relay::start().unwrap();
    let luz = desk(&relay);
    let invited = luz.succeed(&["desk", "invite"]).unwrap();
    let invite = invited.event("invited").unwrap()["invite"]
        .as_str()
        .unwrap()
        .to_owned();
    let mar = relay.client("mar").unwrap().in_english();
    let mut joining = mar
        .start(&["desk", "join", &invite, "--alias", "Mar"])
        .unwrap();
    let words = joining.expect("invite-words").unwrap();
    joining.kill().unwrap();
    let mut joining = mar.start(&["desk", "join"]).unwrap();
    assert_eq!(joining.expect("invite-words").unwrap(), words);
    // She reads them in English; the coordinator's program knows both lists.
    let words = words["words"]["en"].as_str().unwrap();
    luz.succeed(&["desk", "admit", "--words", words]).unwrap();
    joining.expect("joined-desk").unwrap();
    assert!(joining.wait().unwrap().success());
    let other = relay.client("bo").unwrap();
    let mut late = other
        .start(&["desk", "join", &invite, "--alias", "Bo"])
        .unwrap();
    assert_eq!(late.expect("problem").unwrap()["problem"], "join-used");
}

fn desk(relay: &Relay) -> Client {
    let luz = relay.client("luz").unwrap();
    let create = [
        "desk",
        "create",
        "--relay",
        relay.url(),
        "--name",
        "Mesa",
        "--alias",
        "Luz",
    ];
    luz.succeed(&create).unwrap();
    luz
}
