//! She comes back by her phrase, on other machines.

use cobijo_tests::{
    harness::{Client, Relay},
    journey::{Team, race},
};
use serde_json::Value;

const WHILE_AWAY: &str = "Aquí sigo cuando quieras, girasol";

#[test]
fn she_comes_back_on_other_machines_before_and_after_somebody_has_answered() {
    let relay = Relay::start().unwrap();
    let mut team = Team::gather(&relay, &mut |_, _| {}).unwrap();
    let link = team.desk.link.clone();
    let first = relay.client("asha").unwrap();
    first.write(&link, "Hola, ¿hay alguien?").unwrap();
    let words = keep_phrase(&first);
    assert_eq!(first.run(&["phrase"]).unwrap().problem(), "phrase-there");

    let second = relay.client("asha again").unwrap();
    come_back(&second, &link, &words.join(" "));
    let locked = first.run(&["wait"]).unwrap();
    assert_eq!(locked.event("locked").unwrap()["reason"], "elsewhere");
    let mut talk = second.start(&["talk"]).unwrap();
    let (answering, number) = race(&mut team.shifts).unwrap();
    talk.expect("answered").unwrap();
    let shift = &mut team.shifts[answering];
    talk.type_line("Estoy aquí").unwrap();
    shift
        .expect_that("entry", |event| event["text"] == "Estoy aquí")
        .unwrap();
    talk.kill().unwrap();

    shift
        .type_line(&format!("say {number} \"{WHILE_AWAY}\""))
        .unwrap();
    shift
        .expect_that("entry", |event| event["text"] == WHILE_AWAY)
        .unwrap();
    let third = relay.client("asha once more").unwrap();
    let typed: Vec<String> = words.iter().map(|word| short(word)).collect();
    let back = come_back(&third, &link, &typed.join("  "));
    assert_eq!(back.event("new-messages").unwrap()["count"], 1);
    let read = third.succeed(&["read"]).unwrap();
    let texts: Vec<&Value> = read.events.iter().map(|event| &event["text"]).collect();
    assert!(texts.iter().any(|text| **text == WHILE_AWAY), "{read:?}");
    third.succeed_with(&["say", "1"], "He vuelto").unwrap();
    shift
        .expect_that("entry", |event| event["text"] == "He vuelto")
        .unwrap();

    let old = second.run(&["read"]).unwrap();
    let is_told = |event: &&Value| event["event"] == "stopped" && event["reason"] == "returned";
    assert!(old.events.iter().find(is_told).is_some(), "{old:?}");
}

#[test]
fn a_wrong_phrase_and_one_that_was_never_kept_look_alike() {
    let relay = Relay::start().unwrap();
    let desk = relay.desk("Coordinación").unwrap();
    let link = &desk.link;
    let anybody = relay.client("anybody").unwrap();
    let unused = "zoo ".repeat(8);
    let problem = anybody.refused(&["return"], &format!("{link}\n{unused}\n"));
    assert_eq!(problem.unwrap(), "nothing-found");
    for (typed, expected) in [("zoo zoo", "phrase-count"), ("zzzz ", "phrase-no-word")] {
        let typed = if expected == "phrase-no-word" {
            typed.repeat(8)
        } else {
            typed.to_owned()
        };
        let problem = anybody.refused(&["return"], &format!("{link}\n{typed}\n"));
        assert_eq!(problem.unwrap(), expected);
    }
}

#[test]
fn whoever_wants_no_phrase_keeps_none() {
    let relay = Relay::start().unwrap();
    let team = Team::gather(&relay, &mut |_, _| {}).unwrap();
    let asha = relay.client("asha").unwrap();
    asha.write(&team.desk.link, "Hola").unwrap();
    assert_eq!(asha.refused(&["phrase"], "\n").unwrap(), "phrase-refused");
    assert_eq!(
        asha.refused(&["phrase"], "xyz\n").unwrap(),
        "phrase-wrong-word"
    );
    let words = keep_phrase(&asha);
    assert_eq!(words.len(), 8);
}

/// Asks for a phrase, and gives back the word that is asked for.
fn keep_phrase(client: &Client) -> Vec<String> {
    let mut keeping = client.start(&["phrase"]).unwrap();
    let shown = keeping.expect("phrase").unwrap();
    let words: Vec<String> = serde_json::from_value(shown["words"].clone()).unwrap();
    let asked = shown["asked"].as_u64().unwrap() as usize;
    keeping.type_line(&short(&words[asked - 1])).unwrap();
    keeping.expect("phrase-kept").unwrap();
    assert_eq!(keeping.end().unwrap(), None);
    words
}

/// What somebody types who has little time.
fn short(word: &str) -> String {
    // Accents stand alone in these lists.
    let letters = word.chars().filter(|letter| letter.is_alphabetic());
    letters.take(4).collect::<String>().to_uppercase()
}

fn come_back(client: &Client, link: &str, typed: &str) -> cobijo_tests::harness::Done {
    let back = client
        .succeed_with(&["return"], &format!("{link}\n{typed}\n"))
        .unwrap();
    back.event("came-back").unwrap();
    back
}
