//! What people and their machines get wrong: each has one sentence, a status other than 0, and loses nothing.

use std::fs;

use cobijo_tests::harness::{Client, Impostor, Relay, make_certificate};

/// A desk that is nowhere.
const NO_DESK: &str = "AAAAAAAAAAAAAAAAAAAAAA";

#[test]
fn what_is_typed_wrong_is_named_before_anything_is_asked_or_made() {
    let relay = Relay::start().unwrap();
    let person = relay.client("asha").unwrap();
    let folder = person.profile();
    let empty = person.profile().with_file_name("empty");
    fs::write(&empty, "").unwrap();
    let empty = empty.to_str().unwrap();
    let link = format!("{}/#{NO_DESK}", relay.url());
    let create = [
        "desk", "create", "--name", "Mesa", "--alias", "Luz", "--relay",
    ];
    let cases: &[(&[&str], &str)] = &[
        (&["write", "https://example.org/#abc", "hola"], "bad-link"),
        (
            &[
                "write",
                "http://example.org/#AAAAAAAAAAAAAAAAAAAAAA",
                "hola",
            ],
            "bad-link",
        ),
        (&["write", &link, ""], "no-text"),
        (&["write", &link], "no-text"),
        (
            &["write", &link, "hola", "--proxy", "127.0.0.1:9050"],
            "bad-proxy",
        ),
        (
            &["write", &link, "hola", "--trust", "/nowhere"],
            "trust-unreadable",
        ),
        (&["write", &link, "hola", "--trust", empty], "trust-empty"),
        (
            &["write", &link, "hola", "--passphrase-file", "/nowhere"],
            "passphrase-unreadable",
        ),
        (
            &["write", &link, "hola", "--passphrase-file", empty],
            "passphrase-empty",
        ),
        (
            &[
                "desk",
                "join",
                "https://example.org/#i.abc",
                "--alias",
                "Luz",
            ],
            "bad-invite",
        ),
        (&[&create[..], &["example.org"]].concat(), "bad-relay"),
        (
            &[&create[..], &["https://example.org", "--wait", "20-10"]].concat(),
            "bad-wait",
        ),
        (&["desk", "import-root", "/nowhere"], "file-unreadable"),
        (&["desk", "import-root", empty], "bad-root"),
        (&["list"], "new-profile"),
        (&["claim", "1"], "new-profile"),
    ];
    for (arguments, problem) in cases {
        let done = person.run(arguments).unwrap();
        assert_eq!(done.problem(), *problem, "{arguments:?}");
        assert!(!done.status.success());
        assert!(
            !folder.join("state").exists(),
            "{arguments:?} made a profile"
        );
    }
}

#[test]
fn every_problem_is_one_sentence_in_the_language_of_whoever_reads() {
    let relay = Relay::start().unwrap();
    let person = relay.client("asha").unwrap();
    let said = |language: &str| {
        let done = person
            .run(&["write", "nothing", "hola", "--lang", language])
            .unwrap();
        done.said.trim().to_owned()
    };
    assert!(said("es").starts_with("Ese enlace no está completo"));
    assert!(said("en").starts_with("That link is not complete"));
    assert_eq!(said("es").lines().count(), 1);
    let misspelt = person.run(&["wriet"]).unwrap();
    assert_eq!(misspelt.status.code(), Some(2));
    assert!(
        misspelt.said.starts_with("No entiendo"),
        "{}",
        misspelt.said
    );
}

#[test]
fn a_closed_port_and_an_unknown_desk_are_told_apart() {
    let mut relay = Relay::start().unwrap();
    let link = format!("{}/#{NO_DESK}", relay.url());
    let done = write(&relay.client("asha").unwrap(), &link, &[]);
    assert_eq!(done, "no-desk");
    relay.stop().unwrap();
    let done = write(&relay.client("bo").unwrap(), &link, &["--timeout", "3"]);
    assert_eq!(done, "relay-refused");
}

#[test]
fn certificates_are_told_apart() {
    let relay = Relay::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| folder.path().join(name));
    let link = format!("{}/#{NO_DESK}", relay.url());
    make_certificate(folder.path(), (2020, 2100)).unwrap();
    let trust = certificate.to_str().unwrap();
    let untrusted = write(&relay.client("asha").unwrap(), &link, &["--trust", trust]);
    assert_eq!(untrusted, "certificate-untrusted");
    let other = link.replace("localhost", "relay.example");
    assert_eq!(
        write(&relay.client("bo").unwrap(), &other, &[]),
        "certificate-name"
    );
    make_certificate(folder.path(), (2020, 2021)).unwrap();
    let expired = Impostor::start(0, &certificate, &key, "404 Not Found").unwrap();
    let link = format!("{}/#{NO_DESK}", expired.url());
    let expired = write(&relay.client("cy").unwrap(), &link, &["--trust", trust]);
    assert_eq!(expired, "certificate-expired");
}

#[test]
fn what_is_no_relay_is_named() {
    let relay = Relay::start().unwrap();
    let key = relay.key();
    let impostor = Impostor::start(0, relay.certificate(), &key, "200 OK").unwrap();
    let link = format!("{}/#{NO_DESK}", impostor.url());
    // Its card is no card of the desk, and its answer to a connection none of a relay: either comes first.
    let named = write(&relay.client("asha").unwrap(), &link, &[]);
    assert!(
        ["bad-card", "not-relay"].contains(&named.as_str()),
        "{named}"
    );
    drop(impostor);
    let impostor = Impostor::start(0, relay.certificate(), &key, "418 I'm a teapot").unwrap();
    let link = format!("{}/#{NO_DESK}", impostor.url());
    assert_eq!(write(&relay.client("bo").unwrap(), &link, &[]), "not-relay");
}

#[test]
fn a_relay_of_another_version_is_named() {
    let mut relay = Relay::start().unwrap();
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
    let created = luz.succeed(&create).unwrap();
    let created = created.event("desk-created").unwrap();
    relay.host(created["desk"].as_str().unwrap()).unwrap();
    luz.succeed(&["shift", "start"]).unwrap();
    let person = relay.client("asha").unwrap();
    person
        .succeed(&["write", created["link"].as_str().unwrap(), "hola"])
        .unwrap();
    relay.stop().unwrap();
    let port = relay.port().unwrap();
    let newer =
        Impostor::start(port, relay.certificate(), &relay.key(), "400 Bad Request").unwrap();
    assert_eq!(person.run(&["wait"]).unwrap().problem(), "other-version");
    drop(newer);
    relay.restart().unwrap();
    let waiting = person.run(&["wait", "--timeout", "3"]).unwrap();
    assert_eq!(
        waiting.problem(),
        "timed-out",
        "nothing is lost, and nobody has answered"
    );
}

/// Writes, and returns the name of what went wrong.
fn write(person: &Client, link: &str, options: &[&str]) -> String {
    let done = person
        .run(&[&["write", link, "hola"], options].concat())
        .unwrap();
    assert!(!done.status.success());
    done.problem().to_owned()
}
