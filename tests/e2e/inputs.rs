//! What people and their machines get wrong: each has one sentence, a status other than 0, and loses nothing.

use std::fs;

use cobijo_protocol::limits::INVITE_LIFETIME;
use cobijo_tests::harness::{Client, Impostor, Relay, creating, letter, make_certificate};

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
    let letter = letter(&format!("{}/#{NO_DESK}", relay.url()), "hola");
    let join = ["desk", "join", "--alias", "Luz"];
    let create = |relay| creating(relay, "Luz");
    let cases: &[(&[&str], &str, &str)] = &[
        (&["write"], "https://example.org/#abc\nhola", "bad-link"),
        (
            &["write"],
            "http://example.org/#AAAAAAAAAAAAAAAAAAAAAA\nhola",
            "bad-link",
        ),
        (&["write"], "", "bad-link"),
        (&["write"], letter.trim_end_matches("hola\n"), "no-text"),
        (
            &["write", "--proxy", "127.0.0.1:9050"],
            &letter,
            "bad-proxy",
        ),
        (
            &["write", "--trust", "/nowhere"],
            &letter,
            "trust-unreadable",
        ),
        (&["write", "--trust", empty], &letter, "trust-empty"),
        (
            &["write", "--passphrase-file", "/nowhere"],
            &letter,
            "passphrase-unreadable",
        ),
        (
            &["write", "--passphrase-file", empty],
            &letter,
            "passphrase-empty",
        ),
        (&join, "https://example.org/#i.abc", "bad-invite"),
        (&create("example.org"), "", "bad-relay"),
        (
            &[&create("https://example.org")[..], &["--wait", "20-10"]].concat(),
            "",
            "bad-wait",
        ),
        (&["shift", "start", "--capacity", "6"], "", "bad-capacity"),
        (&["shift", "end", "--capacity", "2"], "", "bad-capacity"),
        (&["desk", "import-root", "/nowhere"], "", "file-unreadable"),
        (&["desk", "import-root", empty], "", "bad-root"),
        (&["list"], "", "new-profile"),
        (&["claim", "1"], "", "new-profile"),
    ];
    for (arguments, input, problem) in cases {
        let refused = person.refused(arguments, input).unwrap();
        assert_eq!(refused, *problem, "{arguments:?}");
        assert!(
            !folder.join("state").exists(),
            "{arguments:?} made a profile"
        );
    }
}

/// What other programs on the machine can read, and the shell keeps.
#[test]
fn no_text_invitation_or_words_are_taken_from_a_command_line() {
    let relay = Relay::start().unwrap();
    let luz = relay.desk("Luz").unwrap().coordinator;
    let cases: &[&[&str]] = &[
        &["write", "https://example.org/#AAAAAAAAAAAAAAAAAAAAAA"],
        &["say", "1", "hola"],
        &["say", "1", "-"],
        &["add", "hola", "otra", "vez"],
        &["ask-desk", "hola"],
        &["propose", "1", "Mar", "--reason", "ayuda"],
        &["desk", "join", "https://example.org/#i.abc"],
        &["desk", "admit", "--words", "uno dos"],
    ];
    for arguments in cases {
        let refused = luz.refused(arguments, "").unwrap();
        assert_eq!(refused, "secret-typed", "{arguments:?}");
    }
}

#[test]
fn every_problem_is_one_sentence_in_the_language_of_whoever_reads() {
    let relay = Relay::start().unwrap();
    let person = relay.client("asha").unwrap();
    let said = |language: &str| {
        let done = person
            .run_with(&["write", "--lang", language], &letter("nothing", "hola"))
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
    let asha = relay.client("asha").unwrap();
    let named = asha.run_with(&["write"], &letter(&link, "hola")).unwrap();
    let named = named.problem();
    assert!(["bad-card", "not-relay"].contains(&named), "{named}");
    drop(impostor);
    let impostor = Impostor::start(0, relay.certificate(), &key, "418 I'm a teapot").unwrap();
    let link = format!("{}/#{NO_DESK}", impostor.url());
    assert_eq!(write(&relay.client("bo").unwrap(), &link, &[]), "not-relay");
}

#[test]
fn an_expired_card_is_told_and_the_message_is_kept_all_the_same() {
    let relay = Relay::start().unwrap();
    let link = relay.stale_desk().unwrap();
    for language in ["es", "en"] {
        let person = relay.client(language).unwrap();
        let write = ["write", "--lang", language];
        let written = person.run_with(&write, &letter(&link, "hola")).unwrap();
        written.event("card-expired").unwrap();
        written.event("intake-stored").unwrap();
        assert_eq!(written.status.code(), Some(3), "stored, with a warning");
        let added = person.succeed_with(&["add"], "sigo aquí").unwrap();
        added.event("addition-stored").unwrap();
    }
}

#[test]
fn an_expired_invitation_is_told_to_both_sides_and_another_one_works() {
    let relay = Relay::start().unwrap();
    let desk = relay.desk("Luz").unwrap();
    let mar = relay.client("mar").unwrap();
    let join = ["desk", "join", "--alias", "Mar"];
    let mut joining = mar.start_with(&join, &desk.invite().unwrap()).unwrap();
    joining.expect("invite-words").unwrap();
    joining.kill().unwrap();
    let luz = &desk.coordinator;
    for client in [&mar, luz] {
        client.age_invitations(INVITE_LIFETIME).unwrap();
    }
    let late = mar.run(&["desk", "join"]).unwrap();
    assert_eq!(late.problem(), "join-expired");
    assert!(late.said.starts_with("La invitación venció"));
    let admitted = luz.run(&["desk", "admit", "--lang", "en"]).unwrap();
    assert_eq!(admitted.problem(), "join-expired");
    assert!(admitted.said.starts_with("The invitation has expired"));
    desk.admit(&mar, "Mar").unwrap();
}

#[test]
fn a_relay_of_another_version_is_named() {
    let mut relay = Relay::start().unwrap();
    let desk = relay.open_desk("Luz").unwrap();
    let person = relay.client("asha").unwrap();
    person.write(&desk.link, "hola").unwrap();
    relay.stop().unwrap();
    let port = relay.port().unwrap();
    let newer =
        Impostor::start(port, relay.certificate(), &relay.key(), "400 Bad Request").unwrap();
    assert_eq!(person.refused(&["wait"], "").unwrap(), "other-version");
    drop(newer);
    relay.restart().unwrap();
    let waiting = person.run(&["wait", "--timeout", "3"]).unwrap();
    assert_eq!(
        waiting.problem(),
        "timed-out",
        "nothing is lost, and nobody has answered"
    );
}

/// Writes, and returns the name of what went wrong. What she wrote is kept, and is refused as before.
fn write(person: &Client, link: &str, options: &[&str]) -> String {
    let write = [&["write"], options].concat();
    let done = person.run_with(&write, &letter(link, "hola")).unwrap();
    assert!(!done.status.success());
    let wait = [&["wait"], options].concat();
    assert_eq!(person.refused(&wait, "").unwrap(), done.problem());
    done.problem().to_owned()
}
