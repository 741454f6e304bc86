//! What a team does to its own desk.

use cobijo_tests::harness::{Client, Relay};
use serde_json::Value;

#[test]
fn a_coordinator_changes_what_the_card_says_and_people_are_told() {
    let relay = Relay::start().unwrap();
    let desk = relay.open_desk("Luz").unwrap();
    let luz = &desk.coordinator;
    let describe = ["desk", "describe", "--wait", "40-50", "--about"];
    let about = ["Escuchamos", "--in", "es"];
    luz.succeed(&[&describe[..], &about].concat()).unwrap();
    let says = &shown(luz)["description"];
    assert_eq!(says["about"]["es"], "Escuchamos");
    assert_eq!(says["about"]["en"], "", "the other language stays as it is");
    assert_eq!(says["name"]["es"], "Mesa", "and so does what was not said");
    let asha = relay.client("asha").unwrap();
    let written = asha.write(&desk.link, "hola").unwrap();
    let stored = written.event("intake-stored").unwrap();
    assert_eq!(stored["wait_minutes"], serde_json::json!([40, 50]));
    let empty = luz.run(&["desk", "describe"]).unwrap();
    assert_eq!(empty.status.code(), Some(2), "nothing is to be changed");
}

/// [D-13]
#[test]
fn whoever_writes_is_told_when_the_desk_is_closed_or_paused_and_where_else_to_turn() {
    let relay = Relay::start().unwrap();
    let desk = relay.open_desk("Luz").unwrap();
    let luz = &desk.coordinator;
    let describe = [
        "desk",
        "describe",
        "--zone",
        "America/Mexico_City",
        "--week",
    ];
    let door = |name: &str| {
        let person = relay.client(name).unwrap();
        let written = person.write(&desk.link, "hola").unwrap();
        written.event("intake-stored").unwrap()["door"].clone()
    };
    assert_eq!(door("asha"), "unknown");
    luz.succeed(&[&describe[..], &["mon-sun 0-24"]].concat())
        .unwrap();
    assert_eq!(door("bea"), "open");
    luz.succeed(&["desk", "pause"]).unwrap();
    assert_eq!(door("cai"), "paused");
    luz.succeed(&["desk", "resume"]).unwrap();
    // A minute of one day, that of yesterday there: closed now and for most of a week.
    luz.succeed(&[&describe[..], &[&*format!("{} 0:00-0:01", yesterday())]].concat())
        .unwrap();
    assert_eq!(door("eva"), "closed");
    let zoneless = luz
        .run(&["desk", "describe", "--week", "mon 9-8:60"])
        .unwrap();
    assert_eq!(zoneless.problem(), "bad-week");
}

/// The weekday before the one in Mexico City, which is six hours behind.
fn yesterday() -> &'static str {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let days = (now.unwrap().as_secs() - 6 * 3600) / 86_400;
    // The first day of 1970 was a Thursday.
    ["wed", "thu", "fri", "sat", "sun", "mon", "tue"][usize::try_from(days % 7).unwrap()]
}

#[test]
fn whoever_leaves_the_desk_is_out_of_it_and_of_her_conversations() {
    let relay = Relay::start().unwrap();
    let desk = relay.open_desk("Luz").unwrap();
    let luz = &desk.coordinator;
    let refused = luz.run(&["desk", "leave"]).unwrap();
    assert_eq!(refused.problem(), "root-key-here");
    let mar = relay.client("mar").unwrap();
    desk.admit(&mar, "Mar").unwrap();
    let asha = relay.client("asha").unwrap();
    asha.write(&desk.link, "hola").unwrap();
    mar.succeed(&["shift", "start"]).unwrap();
    mar.succeed(&["queue"]).unwrap();
    mar.succeed(&["claim", "1"]).unwrap();
    asha.succeed(&["wait"]).unwrap();
    let mut talk = asha.start(&["talk"]).unwrap();
    let left = mar.succeed(&["desk", "leave"]).unwrap();
    left.event("left-desk").unwrap();
    assert_eq!(mar.run(&["queue"]).unwrap().problem(), "not-on-shift");
    assert_eq!(mar.run(&["desk", "show"]).unwrap().problem(), "not-member");
    let catching_up = luz.succeed(&["list"]).unwrap();
    catching_up.event("card-published").unwrap();
    let colleagues = shown(luz)["colleagues"].as_array().unwrap().len();
    assert_eq!(colleagues, 1);
    let is_mar = |event: &Value| event["kind"] == "left" && event["who"]["alias"] == "Mar";
    talk.expect_that("entry", is_mar).unwrap();
    assert!(talk.finish().unwrap().success());
}

#[test]
fn a_row_is_dismissed_by_whoever_says_that_she_is_sure() {
    let relay = Relay::start().unwrap();
    let desk = relay.open_desk("Luz").unwrap();
    let (luz, asha) = (&desk.coordinator, relay.client("asha").unwrap());
    asha.write(&desk.link, "hola").unwrap();
    let rows = || {
        let shown = luz.succeed(&["queue"]).unwrap();
        shown.event("queue").unwrap()["rows"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(rows(), 1);
    let kept = luz.run_with(&["dismiss", "1"], "no").unwrap();
    assert_eq!(kept.problem(), "not-dismissed");
    assert_eq!(rows(), 1);
    let mut shift = luz.start(&["shift"]).unwrap();
    shift.expect("shift").unwrap();
    shift.type_line("dismiss 1").unwrap();
    let refused = shift.expect("problem").unwrap();
    assert_eq!(refused["problem"], "dismiss-sure");
    shift.type_line("exit").unwrap();
    shift.finish().unwrap();
    luz.succeed(&["shift", "start"]).unwrap();
    luz.succeed_with(&["dismiss", "1"], "sí").unwrap();
    assert_eq!(rows(), 0);
}

/// [G-22]
#[test]
fn a_desk_goes_on_in_a_new_group_without_whom_it_leaves_out() {
    let relay = Relay::start().unwrap();
    let desk = relay.open_desk("Luz").unwrap();
    let luz = &desk.coordinator;
    let (mar, eva) = (relay.client("mar").unwrap(), relay.client("eva").unwrap());
    desk.admit(&mar, "Mar").unwrap();
    desk.admit(&eva, "Eva").unwrap();
    // Each has told the others of her KeyPackages.
    for colleague in [&mar, &eva, luz] {
        shown(colleague);
    }
    let refused = mar.run(&["desk", "successor"]).unwrap();
    assert_eq!(refused.problem(), "not-coordinator");
    let made = luz.succeed(&["desk", "successor", "--without", "Eva"]);
    made.unwrap().event("successor-made").unwrap();
    let asha = relay.client("asha").unwrap();
    asha.write(&desk.link, "hola").unwrap();
    let opened = mar.succeed(&["shift", "start"]).unwrap();
    opened.event("desk-goes-on").unwrap();
    mar.succeed(&["queue"]).unwrap();
    mar.succeed(&["claim", "1"]).unwrap();
    asha.succeed(&["wait"]).unwrap();
    let colleagues = |client| shown(client)["colleagues"].as_array().unwrap().len();
    assert_eq!((colleagues(luz), colleagues(&mar)), (2, 2));
    // Whom nothing brings along comes by an invitation, and stays who she was.
    desk.admit(&mar, "otra").unwrap();
    assert_eq!(shown(&mar)["alias"], "Mar");
    asha.succeed_with(&["say", "1"], "¿sigues ahí?").unwrap();
    let read = mar.succeed(&["read", "1"]).unwrap();
    let is_said = |event: &Value| event["text"] == "¿sigues ahí?";
    assert!(read.events.iter().any(is_said));
    assert_eq!((colleagues(luz), colleagues(&mar)), (2, 2));
    eva.succeed(&["shift", "start"]).unwrap();
    let queue = eva.succeed(&["queue"]).unwrap();
    let rows = &queue.event("queue").unwrap()["rows"];
    assert_eq!(rows.as_array().map(Vec::len), Some(0), "{rows}");
}

fn shown(client: &Client) -> Value {
    let shown = client.succeed(&["desk", "show"]).unwrap();
    shown.event("desk").unwrap().clone()
}
