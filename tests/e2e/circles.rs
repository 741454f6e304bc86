//! Circles and side rooms, with the programs as they are.

use cobijo_tests::harness::{Client, Desk, Relay};
use serde_json::{Value, json};

/// A coordinator on shift with a colleague.
fn desk(relay: &Relay) -> (Desk, Client) {
    let desk = relay.open_desk("Luz").unwrap();
    let mar = relay.client("mar").unwrap();
    desk.admit(&mar, "Mar").unwrap();
    desk.coordinator.succeed(&["list"]).unwrap();
    desk.coordinator
        .succeed(&["shift", "start", "--capacity", "5"])
        .unwrap();
    (desk, mar)
}

/// Somebody writes, and is answered by the coordinator: her number there.
fn talking(relay: &Relay, desk: &Desk, name: &str) -> (Client, String) {
    let person = relay.client(name).unwrap();
    person.write(&desk.link, "hola").unwrap();
    let queue = desk.coordinator.succeed(&["queue"]).unwrap();
    let row = queue.event("queue").unwrap()["rows"][0]["row"].to_string();
    let won = desk.coordinator.succeed(&["claim", &row]).unwrap();
    let number = won.event("claim-won").unwrap()["conversation"].to_string();
    person.succeed(&["wait"]).unwrap();
    (person, number)
}

fn rooms(client: &Client) -> Vec<Value> {
    let list = client.succeed(&["list"]).unwrap();
    let rooms = &list.event("list").unwrap()["conversations"];
    rooms.as_array().unwrap().clone()
}

/// Its number in a client's list, and who is there.
fn circle(client: &Client) -> (String, usize) {
    let rooms = rooms(client);
    let circle = rooms.iter().find(|room| !room["circle"].is_null()).unwrap();
    let members = circle["members"].as_array().unwrap().len();
    (circle["conversation"].to_string(), members)
}

fn texts(client: &Client, number: &str) -> Vec<Value> {
    let read = client.succeed(&["read", number]).unwrap();
    let entries = read.events.iter().filter(|event| event["kind"] == "text");
    let mut texts: Vec<_> = entries.map(|entry| entry["text"].clone()).collect();
    // What comes while it is read is told too.
    texts.dedup();
    texts
}

/// [O-2] [O-4] [O-5]
#[test]
fn persons_come_into_a_circle_by_an_invitation_talk_under_names_of_their_own_and_one_leaves() {
    let relay = Relay::start().unwrap();
    let (desk, mar) = desk(&relay);
    let luz = &desk.coordinator;
    let create = ["circle", "create", "--name", "Los jueves", "--with", "Mar"];
    luz.succeed_with(&create, "Para hablar entre nosotras")
        .unwrap();
    mar.succeed(&["list"]).unwrap();
    let (at_luz, _) = circle(luz);
    let mut persons = Vec::new();
    for (name, alias) in [("asha", "Cielo"), ("bea", "Río")] {
        let (person, number) = talking(&relay, &desk, name);
        luz.succeed(&["circle", "invite", &at_luz, &number])
            .unwrap();
        person
            .succeed_with(&["circle", "accept"], &format!("{alias}\n"))
            .unwrap();
        luz.succeed(&["list"]).unwrap();
        person.succeed(&["list"]).unwrap();
        persons.push(person);
    }
    let [asha, bea] = &persons[..] else {
        unreachable!()
    };
    let (at_asha, members) = circle(asha);
    assert_eq!(members, 4, "two facilitators and two persons");
    asha.succeed_with(&["say", &at_asha], "Hola a todas")
        .unwrap();
    let (at_bea, _) = circle(bea);
    assert_eq!(texts(bea, &at_bea), [json!("Hola a todas")]);
    assert_eq!(texts(luz, &at_luz), [json!("Hola a todas")]);
    let rooms = rooms(bea)
        .into_iter()
        .find(|room| !room["circle"].is_null());
    let shown = rooms.unwrap().to_string();
    assert!(shown.contains("Cielo") && shown.contains("Río"), "{shown}");
    asha.succeed(&["leave", &at_asha]).unwrap();
    luz.succeed(&["list"]).unwrap();
    assert_eq!(circle(bea).1, 3);
    bea.succeed_with(&["say", &at_bea], "Sigo aquí").unwrap();
    let (at_mar, _) = circle(&mar);
    assert_eq!(texts(&mar, &at_mar).last().unwrap(), "Sigo aquí");
}

/// [O-8]
#[test]
fn colleagues_consult_in_a_side_room_that_the_person_never_sees() {
    let relay = Relay::start().unwrap();
    let (desk, mar) = desk(&relay);
    let luz = &desk.coordinator;
    let (asha, number) = talking(&relay, &desk, "asha");
    luz.succeed(&["side", &number, "Mar"]).unwrap();
    mar.succeed(&["list"]).unwrap();
    let (at_luz, members) = circle(luz);
    assert_eq!(members, 2);
    luz.succeed_with(&["say", &at_luz], "¿Qué harías?").unwrap();
    let (at_mar, _) = circle(&mar);
    assert_eq!(texts(&mar, &at_mar), [json!("¿Qué harías?")]);
    assert_eq!(rooms(&asha).len(), 1);
}
