//! What a team tells each other of people, and how a conversation is closed, with the programs as they are.

use cobijo_tests::harness::{Client, Desk, Relay};
use serde_json::Value;

/// A desk with an accompanier, who answers a person.
fn talking(relay: &Relay) -> (Desk, Client, Client) {
    let desk = relay.open_desk("Luz").unwrap();
    let mar = relay.client("mar").unwrap();
    desk.admit(&mar, "Mar").unwrap();
    let asha = relay.client("asha").unwrap();
    asha.write(&desk.link, "hola").unwrap();
    mar.succeed(&["shift", "start"]).unwrap();
    mar.succeed(&["queue"]).unwrap();
    mar.succeed(&["claim", "1"]).unwrap();
    asha.succeed(&["wait"]).unwrap();
    (desk, mar, asha)
}

fn board(client: &Client) -> Value {
    let shown = client.succeed(&["desk", "board"]).unwrap();
    shown.event("board").unwrap().clone()
}

///
#[test]
fn the_team_reads_its_board_and_notes_until_the_conversation_is_over() {
    let relay = Relay::start().unwrap();
    let (desk, mar, asha) = talking(&relay);
    let luz = &desk.coordinator;
    let list = mar.succeed(&["list"]).unwrap();
    let whose = list.event("list").unwrap()["conversations"][0]["alias"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(whose.split('-').count(), 2);
    let typed = "Más tranquila\nHablar el jueves\nEscribe solo de noche\n";
    mar.succeed_with(&["board", "1"], typed).unwrap();
    mar.succeed_with(&["notes", "1"], "Dónde dormir\n\n\n\n\n")
        .unwrap();
    let row = &board(luz)["rows"][0];
    assert_eq!(row["whose"], whose.as_str());
    assert_eq!(row["row"]["state"], "Más tranquila");
    assert_eq!(row["row"]["safety"], "Escribe solo de noche");
    assert_eq!(row["row"]["by"], "Mar");
    assert_eq!(row["notes"]["needs"], "Dónde dormir");
    let changed = luz.succeed_with(&["board", &whose], "\nLlamarle\n-\n");
    changed.unwrap();
    let row = &board(&mar)["rows"][0]["row"];
    assert_eq!(row["state"], "Más tranquila", "an empty line leaves it");
    assert_eq!(row["next_step"], "Llamarle");
    assert_eq!(row["safety"], "");
    let typed = mar.run(&["board", "1", "--state", "algo"]).unwrap();
    assert_eq!(typed.problem(), "secret-typed");
    asha.succeed(&["leave"]).unwrap();
    mar.succeed(&["list"]).unwrap();
    assert_eq!(board(luz)["rows"].as_array().unwrap().len(), 0);
    assert_eq!(board(&mar)["rows"].as_array().unwrap().len(), 0);
}

///
#[test]
fn a_coordinator_comes_where_help_is_asked_for_and_alone_reads_who_wants_to_talk() {
    let relay = Relay::start().unwrap();
    let (desk, mar, _asha) = talking(&relay);
    let luz = &desk.coordinator;
    mar.succeed(&["help-now", "1"]).unwrap();
    let asked = luz.succeed(&["desk", "board"]).unwrap();
    assert_eq!(asked.event("help-asked").unwrap()["alias"], "Mar");
    let refused = mar.run(&["desk", "come"]).unwrap();
    assert_eq!(refused.problem(), "not-coordinator");
    luz.succeed(&["desk", "come"]).unwrap();
    assert_eq!(board(&mar)["helps"][0]["taken_by"], "Luz");
    let ended = mar.succeed(&["shift", "end"]).unwrap();
    ended.event("check-out").unwrap();
    mar.succeed_with(&["check-out"], "hablarlo").unwrap();
    let words = luz.succeed(&["words"]).unwrap();
    assert_eq!(words.event("words").unwrap()["words"][0]["alias"], "Mar");
    mar.succeed_with(&["debrief"], "Me quedé con su voz")
        .unwrap();
    let own = mar.succeed(&["words", "--forget"]).unwrap();
    assert_eq!(own.event("words").unwrap()["own"][0], "Me quedé con su voz");
    let own = mar.succeed(&["words"]).unwrap();
    assert!(
        own.event("words").unwrap()["own"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

///
#[test]
fn a_conversation_is_closed_without_a_reason_for_her_and_after_abuse_the_desk_passes_over_it() {
    let relay = Relay::start().unwrap();
    let (desk, mar, asha) = talking(&relay);
    let luz = &desk.coordinator;
    let refused = mar.run(&["close", "1", "--reason", "agreed", "--block"]);
    assert_eq!(refused.unwrap().problem(), "block-abuse");
    mar.succeed_with(&["close", "1", "--block"], "5").unwrap();
    let list = mar.succeed(&["list"]).unwrap();
    let first = &list.event("list").unwrap()["conversations"][0];
    assert_eq!(first["closed"], true);
    assert!(first["members"].as_array().unwrap().is_empty());
    let read = mar.succeed(&["read", "1"]).unwrap();
    assert!(read.event("history").is_err());
    let read = asha.succeed(&["read"]).unwrap();
    let closing = |event: &&Value| event["kind"] == "closing";
    let closing = read.events.iter().find(closing).unwrap();
    assert_eq!(closing["days"], 90);
    assert!(
        read.events
            .iter()
            .all(|event| !event.to_string().contains("abuse"))
    );
    asha.succeed_with(&["ask-desk"], "contéstenme").unwrap();
    luz.succeed(&["shift", "start"]).unwrap();
    let queue = luz.succeed(&["queue"]).unwrap();
    let rows = queue.event("queue").unwrap()["rows"].clone();
    assert!(rows.as_array().unwrap().is_empty(), "{rows}");
    let whose = board(luz)["blocked"][0]["whose"]
        .as_str()
        .unwrap()
        .to_owned();
    luz.succeed(&["desk", "unblock", &whose]).unwrap();
    assert!(board(&mar)["blocked"].as_array().unwrap().is_empty());
    asha.succeed_with(&["erase", "1", "--now"], "sí").unwrap();
}
