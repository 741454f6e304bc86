//! Who comes into a conversation and what she reads there, with the programs as they are.

use cobijo_tests::harness::{Client, Desk, Relay};
use serde_json::Value;

/// An accompanier, a colleague, and a person whom the first one answered.
fn talking(relay: &Relay) -> (Desk, Client, Client, Client) {
    let desk = relay.open_desk("Luz").unwrap();
    let (mar, sol) = (relay.client("mar").unwrap(), relay.client("sol").unwrap());
    desk.admit(&mar, "Mar").unwrap();
    desk.admit(&sol, "Sol").unwrap();
    let asha = relay.client("asha").unwrap();
    asha.write(&desk.link, "antes de todo").unwrap();
    mar.succeed(&["shift", "start"]).unwrap();
    mar.succeed(&["queue"]).unwrap();
    mar.succeed(&["claim", "1"]).unwrap();
    asha.succeed(&["wait"]).unwrap();
    asha.succeed_with(&["say", "1"], "lo que solo oye Mar")
        .unwrap();
    mar.succeed(&["list"]).unwrap();
    (desk, mar, sol, asha)
}

fn room(client: &Client) -> Value {
    let list = client.succeed(&["list"]).unwrap();
    list.event("list").unwrap()["conversations"][0].clone()
}

///
#[test]
fn her_no_is_final_and_whoever_was_proposed_learns_nothing_of_her() {
    let relay = Relay::start().unwrap();
    let (_desk, mar, sol, asha) = talking(&relay);
    let propose = ["propose", "1", "Sol", "--for", "accompany"];
    mar.succeed_with(&propose, "Que sean dos").unwrap();
    asha.succeed(&["list"]).unwrap();
    asha.succeed(&["no"]).unwrap();
    mar.succeed(&["list"]).unwrap();
    let rooms = sol.succeed(&["list"]).unwrap();
    let rooms = rooms.event("list").unwrap()["conversations"].clone();
    assert!(rooms.as_array().unwrap().is_empty(), "{rooms}");
    assert_eq!(room(&asha)["members"].as_array().unwrap().len(), 2);
}

///
#[test]
fn at_a_shifts_end_a_colleague_comes_by_her_yes_and_reads_the_summary_and_nothing_else() {
    let relay = Relay::start().unwrap();
    let (_desk, mar, sol, asha) = talking(&relay);
    mar.succeed_with(&["summary", "1", "--edit"], "Vive con su hermana")
        .unwrap();
    let shown = asha.succeed(&["summary"]).unwrap();
    assert!(
        shown
            .events
            .iter()
            .any(|event| event.to_string().contains("Vive con su hermana"))
    );
    let hand_over = ["hand-over", "1", "Sol", "--until", "23:59"];
    mar.succeed_with(&hand_over, "Termina mi turno").unwrap();
    asha.succeed(&["list"]).unwrap();
    asha.succeed(&["yes"]).unwrap();
    sol.succeed(&["list"]).unwrap();
    asha.succeed(&["list"]).unwrap();
    let shown = sol.succeed(&["summary", "1"]).unwrap();
    assert!(
        shown
            .events
            .iter()
            .any(|event| event.to_string().contains("Vive con su hermana"))
    );
    sol.succeed_with(&["say", "1"], "Leí el resumen").unwrap();
    let read = sol.succeed(&["read", "1"]).unwrap();
    let all = read.events.iter().map(Value::to_string).collect::<String>();
    assert!(
        !all.contains("antes de todo") && !all.contains("solo oye Mar"),
        "{all}"
    );
    // Whoever hands over goes by her own client, and the others take turns to let her.
    let has_gone = (0..20).any(|_| {
        mar.succeed(&["list"]).unwrap();
        sol.succeed(&["list"]).unwrap();
        let members = room(&asha)["members"].to_string();
        members.contains("Sol") && !members.contains("Mar")
    });
    assert!(has_gone);
    let read = asha.succeed(&["read"]).unwrap();
    assert!(
        read.events
            .iter()
            .any(|event| event["text"] == "Leí el resumen")
    );
}
