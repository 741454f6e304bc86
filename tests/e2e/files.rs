//! Evidence, with the programs as they are: what arrives, what a kill loses, and what a relay then has.

use std::{fs, path::PathBuf};

use cobijo_protocol::{frame::SlotState, slot::Address};
use cobijo_tests::harness::{Client, Relay, check_export, file_slots, photo, tells_where};
use serde_json::Value;
use tempfile::TempDir;

/// She has been answered.
fn talking(relay: &Relay) -> (Client, Client) {
    let desk = relay.open_desk("Luz").unwrap();
    let asha = relay.client("asha").unwrap();
    asha.write(&desk.link, "hola").unwrap();
    let luz = desk.coordinator;
    luz.succeed(&["queue"]).unwrap();
    luz.succeed(&["claim", "1"]).unwrap();
    asha.succeed(&["wait"]).unwrap();
    (luz, asha)
}

/// Files on the disk of whoever runs the tests.
struct Desktop(TempDir);

impl Desktop {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.at(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        fs::write(self.at(name), bytes).unwrap();
        self.text(name)
    }
}

fn is_state(event: &Value, state: &str) -> bool {
    event["file"]["state"] == state
}

fn all(relay: &Relay, slots: &[Address], state: SlotState) -> bool {
    let states = relay.answers(slots).unwrap();
    states.iter().all(|one| *one == state)
}

/// How many parts of files lie in a profile.
fn parts(client: &Client) -> usize {
    fs::read_dir(client.profile().join("kept")).map_or(0, Iterator::count)
}

/// [F-4] [F-7]
#[test]
fn a_photo_goes_on_after_a_kill_on_either_side_and_tells_nothing_but_what_it_shows() {
    let relay = Relay::start().unwrap();
    let (luz, asha) = talking(&relay);
    let desktop = Desktop::new();
    let bytes = photo(1).unwrap();
    assert!(tells_where(&bytes));
    let path = desktop.write("IMG_zarzamora.jpg", &bytes);
    let mut sending = asha.start(&["show", "1", &path, "--sure"]).unwrap();
    let is_under_way = |event: &Value| is_state(event, "sending") && event["file"]["done"] == 2;
    sending.expect_that("file", is_under_way).unwrap();
    sending.kill().unwrap();
    // Nobody needs the original any more, and nobody was told of anything yet.
    fs::remove_file(&path).unwrap();
    let files = asha.succeed(&["files", "1"]).unwrap();
    let sent = &files.event("files").unwrap()["files"][0];
    assert_eq!(
        (&sent["state"], &sent["way"]),
        (&"sent".into(), &"show".into())
    );

    let read = luz.succeed(&["read", "1"]).unwrap();
    let mut lines = read.events.iter();
    let line = lines.find(|event| event["kind"] == "file").unwrap();
    assert_eq!(line["file"]["state"], "unopened");
    assert_eq!((parts(&luz), parts(&asha)), (0, 0));
    assert!(!line.to_string().contains("zarzamora"), "not even its name");
    let to = desktop.text("shown.jpg");
    let mut opening = luz.start(&["open", "1", "1", "--to", &to]).unwrap();
    let is_under_way = |event: &Value| is_state(event, "opening") && event["file"]["done"] == 2;
    opening.expect_that("file", is_under_way).unwrap();
    opening.kill().unwrap();
    assert!(!desktop.at("shown.jpg").exists());
    luz.succeed(&["open", "1", "1", "--to", &to]).unwrap();
    let shown = fs::read(&to).unwrap();
    assert!(shown.starts_with(&[0xff, 0xd8, 0xff]) && !tells_where(&shown));
    assert_eq!(
        luz.refused(&["open", "1", "1", "--to", &to], "").unwrap(),
        "file-exists"
    );
}

/// [F-6]
#[test]
fn what_is_shown_ends_on_both_devices_and_at_the_relay() {
    let relay = Relay::start().unwrap();
    let (luz, asha) = talking(&relay);
    let desktop = Desktop::new();
    let path = desktop.write("IMG.jpg", &photo(2).unwrap());
    let mut her_view = luz.start(&["talk", "1"]).unwrap();
    asha.succeed(&["show", "1", &path, "--for", "25s", "--sure"])
        .unwrap();
    let slots = file_slots(&asha).unwrap();
    assert!(slots.len() > 300);
    assert!(all(&relay, &slots, SlotState::Full));
    her_view
        .expect_that("file", |event| is_state(event, "expired"))
        .unwrap();
    her_view.finish().unwrap();
    let files = asha.succeed(&["files", "1"]).unwrap();
    assert_eq!(
        files.event("files").unwrap()["files"][0]["state"],
        "expired"
    );
    assert!(all(&relay, &slots, SlotState::Gone));
    assert!(file_slots(&asha).unwrap().is_empty() && file_slots(&luz).unwrap().is_empty());
    let to = desktop.text("late.jpg");
    assert_eq!(
        luz.refused(&["open", "1", "1", "--to", &to], "").unwrap(),
        "file-over"
    );
}

/// [F-9]
#[test]
fn a_kept_copy_comes_out_with_a_manifest_that_the_system_checks_and_goes_with_the_conversation() {
    let relay = Relay::start().unwrap();
    let (luz, asha) = talking(&relay);
    let desktop = Desktop::new();
    let bytes = photo(3).unwrap();
    let path = desktop.write("IMG.jpg", &bytes);
    let answers = "sí\nAmenaza del martes\n";
    asha.succeed_with(&["keep", "1", &path], answers).unwrap();
    for (client, told) in [(&luz, "received"), (&asha, "sent")] {
        let to = desktop.text(&format!("{told}.zip"));
        client.succeed(&["export", "1", "1", "--to", &to]).unwrap();
        let manifest = check_export(&desktop.at(&format!("{told}.zip"))).unwrap();
        assert_eq!(manifest["file"]["size"], bytes.len());
        assert_eq!(manifest["file"]["label"], "Amenaza del martes");
        assert_eq!(manifest["app"], "cobijo");
        for time in ["taken", told, "exported"] {
            assert!(manifest["times"][time].as_str().unwrap().ends_with('Z'));
        }
    }
    let to = desktop.text("original.jpg");
    luz.succeed(&["open", "1", "1", "--to", &to]).unwrap();
    assert!(fs::read(&to).unwrap() == bytes, "untouched");

    let slots = file_slots(&luz).unwrap();
    assert!(all(&relay, &slots, SlotState::Full));
    assert!(parts(&luz) > 10 && parts(&asha) > 10);
    asha.succeed(&["erase", "1", "--now", "--sure"]).unwrap();
    luz.succeed(&["list"]).unwrap();
    assert!(all(&relay, &slots, SlotState::Gone));
    assert_eq!((parts(&luz), parts(&asha)), (0, 0));
}

/// [F-8]
#[test]
fn a_fingerprint_is_told_and_nothing_else_of_the_file() {
    let relay = Relay::start().unwrap();
    let (luz, asha) = talking(&relay);
    let desktop = Desktop::new();
    let path = desktop.write("film.mp4", b"zarzamora");
    assert_eq!(
        asha.refused(&["fingerprint", "1", &path], "no").unwrap(),
        "evidence-not"
    );
    asha.succeed_with(&["fingerprint", "1", &path], "sí\n")
        .unwrap();
    let read = luz.succeed(&["read", "1"]).unwrap();
    let mut lines = read.events.iter();
    let line = lines.find(|event| event["kind"] == "fingerprint").unwrap();
    let sum = "3f9c4dcc212a56a7c52aaaee80d74d4b261edd336e68901b11aadaf6c7cfcc21";
    assert_eq!(line["fingerprint"]["sha256"], sum);
    assert_eq!(line["fingerprint"]["size"], 9);
    assert!(file_slots(&luz).unwrap().is_empty());
}

#[test]
fn what_can_not_be_shown_or_sent_is_refused_with_what_to_do_instead() {
    let relay = Relay::start().unwrap();
    let (luz, asha) = talking(&relay);
    let desktop = Desktop::new();
    let film = desktop.write("film.gif", b"GIF89a moves");
    let empty = desktop.write("empty", b"");
    let large = desktop.write("large", &vec![0; 16_700_000]);
    let nowhere = desktop.text("nowhere");
    let cases: [(&[&str], &str); 7] = [
        (&["show", "1", &film], "file-unclean"),
        (&["show", "1", &film, "--for", "80h"], "bad-span"),
        (&["keep", "1", &empty], "file-empty"),
        (&["keep", "1", &large], "file-too-large"),
        (&["keep", "1", &nowhere], "file-unreadable"),
        (&["open", "1", "1", "--to", &nowhere], "unknown"),
        (&["keep", "7", &film], "unknown"),
    ];
    for (arguments, problem) in cases {
        assert_eq!(
            asha.refused(arguments, "sí").unwrap(),
            problem,
            "{arguments:?}"
        );
    }
    // Its fingerprint is told, however large it is; what is only shown is not exported.
    asha.succeed(&["fingerprint", "1", &large, "--sure"])
        .unwrap();
    let path = desktop.write("IMG.jpg", &photo(4).unwrap());
    asha.succeed(&["show", "1", &path, "--sure"]).unwrap();
    luz.succeed(&["read", "1"]).unwrap();
    let export = ["export", "1", "1", "--to", &nowhere];
    assert_eq!(luz.refused(&export, "").unwrap(), "not-a-copy");
}
