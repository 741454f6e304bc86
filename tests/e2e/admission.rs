//! Who comes into a desk.

use cobijo_tests::harness::Relay;

#[test]
fn nobody_is_let_in_whose_words_are_not_the_same() {
    let relay = Relay::start().unwrap();
    let desk = relay.desk("Luz").unwrap();
    let thief = relay.client("thief").unwrap();
    let mut joining = thief
        .start_with(&["desk", "join", "--alias", "Mar"], &desk.invite().unwrap())
        .unwrap();
    joining.expect("invite-words").unwrap();
    let luz = &desk.coordinator;
    let words = "uno dos tres cuatro cinco seis";
    let admitted = luz.run_with(&["desk", "admit"], words).unwrap();
    assert_eq!(admitted.problem(), "words-differ");
    joining.kill().unwrap();
    let admitted = luz.run(&["desk", "admit", "1"]).unwrap();
    assert_eq!(admitted.problem(), "no-invite");
    let shown = luz.succeed(&["desk", "show"]).unwrap();
    let colleagues = shown.event("desk").unwrap()["colleagues"].as_array();
    assert_eq!(colleagues.unwrap().len(), 1);
}

#[test]
fn a_newcomer_who_was_interrupted_goes_on_where_she_was() {
    let relay = Relay::start().unwrap();
    let desk = relay.desk("Luz").unwrap();
    let invite = desk.invite().unwrap();
    let mar = relay.client("mar").unwrap().in_english();
    // Whoever does not say her alias is asked for it.
    let mut joining = mar
        .start_with(&["desk", "join"], &format!("{invite}\nMar"))
        .unwrap();
    let words = joining.expect("invite-words").unwrap();
    joining.kill().unwrap();
    let mut joining = mar.start(&["desk", "join"]).unwrap();
    assert_eq!(joining.expect("invite-words").unwrap(), words);
    // She reads them in English; the coordinator's program knows both lists.
    let words = words["words"]["en"].as_str().unwrap();
    let admit = ["desk", "admit"];
    desk.coordinator.succeed_with(&admit, words).unwrap();
    joining.expect("joined-desk").unwrap();
    assert!(joining.wait().unwrap().success());
    let late = relay.client("bo").unwrap();
    let late = late
        .run_with(&["desk", "join", "--alias", "Bo"], &invite)
        .unwrap();
    assert_eq!(late.problem(), "join-used");
}
