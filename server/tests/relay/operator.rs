//! What an operator does, and what she is told when it goes wrong.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use cobijo_protocol::{
    frame::{Closing, FromRelay, Outcome, SlotState},
    link::{DeskId, DeskLink, RelayUrl},
};
use rustix::process::Signal;
use tokio::net::TcpListener;

use crate::{
    harness::*,
    process::{FAST, Process, command, configure, log, run},
};

#[tokio::test]
async fn a_desk_is_hosted_by_its_id_or_its_link_and_no_longer_when_asked() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let process = Process::start(directory, "").await;
    let desk = Desk::new(1);
    let id = desk.id().to_text();
    let link = DeskLink {
        relay: RelayUrl::parse(&process.announcement.url).unwrap(),
        desk: desk.id(),
    };
    for named in [id.clone(), link.to_string()] {
        assert_eq!(
            run(directory, &["host", &named]).await,
            (true, "done\n".to_owned())
        );
        let mut client = Client::connect(&process.announcement).await;
        let (status, _) = https_put(&process, &desk).await;
        assert!(status.is_success());
        assert_eq!(client.ask_one(desk.drop(1)).await, Outcome::Stored);
        assert_eq!(
            run(directory, &["unhost", &named]).await,
            (true, "done\n".to_owned())
        );
        assert_eq!(client.ask_one(desk.drop(2)).await, Outcome::Unknown);
    }
    let with_hyphen = DeskId::from_bytes([0xf8; 16]).to_text();
    assert!(with_hyphen.starts_with('-'));
    for command in ["host", "unhost"] {
        let (is_done, said) = run(directory, &[command, &with_hyphen]).await;
        assert!(is_done, "{said}");
    }
    assert_eq!(
        run(directory, &["confirm-day"]).await,
        (true, "done\n".to_owned())
    );
    let (success, said) = run(directory, &["host", "x"]).await;
    assert!(
        !success && said.contains("neither a desk's id nor its link"),
        "{said}"
    );
    process.kill().await;
    fs::remove_file(directory.join("data/relay.json")).unwrap();
    let config = configure(directory, "");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(
        &config,
        text.replace("admin = \"127.0.0.1:0\"", "admin = \"127.0.0.1:1\""),
    )
    .unwrap();
    assert_says(
        directory,
        &["host", &id],
        "no relay answers at 127.0.0.1:1; is it running",
    )
    .await;
}

#[tokio::test]
async fn a_stopped_relay_has_told_its_connections_kept_everything_and_exits_well() {
    let directory = tempfile::tempdir().unwrap();
    for signal in [Signal::TERM, Signal::INT] {
        let mut process = Process::start(directory.path(), "").await;
        let mut client = Client::connect(&process.announcement).await;
        assert_eq!(client.ask_one(put(0, 0)).await, Outcome::Stored);
        process.signal(signal);
        assert_eq!(client.closing().await, Some(Closing::Stopping));
        assert!(process.ended().await.success());
        assert!(!directory.path().join("data/relay.json").exists());
    }
    let process = Process::start(directory.path(), "").await;
    let mut client = Client::connect(&process.announcement).await;
    let states = Outcome::Watching(vec![SlotState::Full]);
    assert_eq!(client.ask_one(watch([0])).await, states);
}

#[tokio::test]
async fn everything_survives_a_restart() {
    let relay = Relay::start().await;
    let desk = Desk::new(1);
    relay.host(&desk).await;
    let mut client = relay.client().await;
    client
        .ask(&[put(0, 0), put(1, 1), erase(1), desk.drop(5)])
        .await;
    let certificate = fs::read(relay.announcement.certificate.as_ref().unwrap()).unwrap();
    drop(client);

    let relay = relay.restart().await;
    let again = fs::read(relay.announcement.certificate.as_ref().unwrap()).unwrap();
    assert_eq!(certificate, again);
    let mut client = relay.client().await;
    let states = Outcome::Watching(vec![SlotState::Full, SlotState::Gone]);
    assert_eq!(client.ask_one(watch([0, 1])).await, states);
    assert_eq!(client.push().await, pushed(0, 0));
    assert_eq!(
        client.ask(&[put(1, 1), desk.drop(6)]).await,
        vec![Outcome::Stored; 2]
    );
    client.ask(&[desk.open(&client)]).await;
    client.push().await;
    client.push().await;
    client.assert_no_push().await;
    assert_eq!(relay.get(&desk.path()).await.1, desk.card(1, DAY));
}

#[tokio::test]
async fn a_second_relay_on_one_data_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let _first = Process::start(directory.path(), "").await;
    assert_says(
        directory.path(),
        &[],
        "another relay is running on this data directory: ",
    )
    .await;
}

#[tokio::test]
async fn every_failure_to_start_is_one_sentence_that_names_what_to_put_right() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    fs::write(directory.join("not.pem"), "not a certificate").unwrap();
    fs::write(directory.join("file"), "").unwrap();
    for name in ["one", "two"] {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        fs::write(directory.join(format!("{name}.pem")), made.cert.pem()).unwrap();
        fs::write(
            directory.join(format!("{name}.key")),
            made.signing_key.serialize_pem(),
        )
        .unwrap();
    }
    let pair = |certificate: &str, key: &str| {
        format!("certificate-file = \"{certificate}\"\nkey-file = \"{key}\"")
    };
    let listen = format!("listen = [\"{address}\"]\nadmin = \"127.0.0.1:0\"");
    let admin = format!("listen = [\"127.0.0.1:0\"]\nadmin = \"{address}\"");
    let listening = format!("can't listen on {address}: ");
    let cases = [
        (listen.as_str(), listening.as_str()),
        (&admin, &listening),
        (
            &pair("absent.pem", "one.key"),
            "`certificate-file` can't be read as a PEM",
        ),
        (
            &pair("not.pem", "one.key"),
            "`certificate-file` can't be read as a PEM",
        ),
        (
            &pair("one.pem", "not.pem"),
            "`key-file` can't be read as a PEM private key",
        ),
        (
            &pair("one.pem", "two.key"),
            "`key-file` is not the key of `certificate-file`",
        ),
        (
            "port = 1",
            "line 5 of the configuration is not understood: unknown field `port`",
        ),
        (
            "retention-days = 7",
            "`retention-days` must be from 30 to 180",
        ),
    ];
    for (config, sentence) in cases {
        configure(directory, config);
        assert_says(directory, &[], sentence).await;
    }
    fs::write(directory.join("relay.toml"), "data-directory = \"file\"").unwrap();
    assert_says(directory, &[], "the data directory ").await;
    fs::remove_file(directory.join("relay.toml")).unwrap();
    assert_says(directory, &[], "the configuration file ").await;
}

#[tokio::test]
async fn a_configuration_is_checked_without_starting() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    configure(directory, "");
    let good = (true, "the configuration is good\n".to_owned());
    assert_eq!(run(directory, &["--check-config"]).await, good);
    assert!(!directory.join("data").exists());
    configure(directory, "retention-days = 7");
    assert_says(directory, &["--check-config"], "`retention-days`").await;
}

#[tokio::test]
async fn a_replaced_certificate_is_used_after_a_hangup_and_a_bad_one_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    write_certificate(directory);
    let mut process = Process::start(directory, CERTIFICATE_CONFIG).await;
    assert_eq!(process.announcement.certificate, None);
    process.announcement.certificate = Some(trust_certificate(directory));
    let mut client = Client::connect(&process.announcement).await;

    fs::write(directory.join("chain.pem"), "cut off").unwrap();
    process.signal(Signal::HUP);
    until(async || log(directory).contains("the certificate in use stays")).await;
    Client::connect(&process.announcement).await;
    write_certificate(directory);
    process.signal(Signal::HUP);
    until(async || log(directory).contains("the certificate was reloaded")).await;
    assert!(Client::try_connect(&process.announcement).await.is_err());
    trust_certificate(directory);
    Client::connect(&process.announcement).await;
    assert_eq!(client.ask_one(put(0, 0)).await, Outcome::Stored);
}

#[tokio::test]
async fn replaced_certificate_files_are_used_within_a_minute_without_anybody_asking() {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let folder = directory.path().to_owned();
    write_certificate(&folder);
    let config = CERTIFICATE_CONFIG.replace("= \"", &format!("= \"{}/", folder.display()));
    let mut relay = Relay::start_in(directory, &config, DAY).await;
    relay.announcement.certificate = Some(trust_certificate(&folder));
    relay.client().await;

    write_certificate(&folder);
    trust_certificate(&folder);
    assert!(Client::try_connect(&relay.announcement).await.is_err());
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(60)).await;
    tokio::time::resume();
    until(async || Client::try_connect(&relay.announcement).await.is_ok()).await;
}

const CERTIFICATE_CONFIG: &str = "certificate-file = \"chain.pem\"\nkey-file = \"key.pem\"\n";

fn write_certificate(directory: &Path) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(directory.join("chain.pem"), made.cert.pem()).unwrap();
    fs::write(directory.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
}

/// Makes the certificate that was written last the one to trust.
fn trust_certificate(directory: &Path) -> PathBuf {
    let trusted = directory.join("trusted.pem");
    fs::copy(directory.join("chain.pem"), &trusted).unwrap();
    trusted
}

/// What the disk did not take was never acknowledged.
#[tokio::test]
async fn a_disk_that_refuses_to_write_stops_the_relay_and_loses_nothing_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let limit = "trap '' XFSZ; ulimit -f 4096; exec \"$@\"";
    let mut process = Process::start_under(directory, FAST, &["sh", "-c", limit, "sh"]).await;
    let mut client = Client::connect(&process.announcement).await;
    let mut stored = 0;
    loop {
        let frame: Vec<_> = (stored..stored + 8).map(|n| put(n, 7)).collect();
        client.send(&frame).await.unwrap();
        match client.receive().await {
            Ok(FromRelay::Answer(outcomes)) if outcomes[0] == Outcome::Stored => stored += 8,
            Ok(FromRelay::Answer(_)) => {
                // Its credits are used up.
                client = Client::connect(&process.announcement).await;
            }
            end => {
                assert_eq!(end.unwrap(), FromRelay::Closing(Closing::Stopping));
                break;
            }
        }
    }
    assert!(stored > 0);
    assert!(!process.ended().await.success());
    let log = log(directory);
    let said = "cobijo-relay: the disk of the data directory refused to read or write: ";
    assert!(log.contains(said), "{log}");

    let process = Process::start(directory, FAST).await;
    let mut client = Client::connect(&process.announcement).await;
    for start in (0..stored).step_by(64) {
        let end = stored.min(start + 64);
        let count = usize::try_from(end - start).unwrap();
        let full = Outcome::Watching(vec![SlotState::Full; count]);
        assert_eq!(client.ask_one(watch(start..end)).await, full);
    }
}

/// A page in the operator's browser could otherwise reach the listener of this machine.
#[tokio::test]
async fn the_admin_listener_answers_no_browser_and_no_other_name() {
    let relay = Relay::start().await;
    let admin = relay.announcement.admin;
    assert!(admin.ip().is_loopback());
    let cases = [
        (admin.to_string(), None, 200),
        (format!("localhost:{}", admin.port()), None, 200),
        ("evil.example.org".to_owned(), None, 403),
        (admin.to_string(), Some("https://evil.example.org"), 403),
    ];
    for (host, origin, status) in cases {
        let stream = tokio::net::TcpStream::connect(admin).await.unwrap();
        let mut request = hyper::Request::builder()
            .uri("/metrics")
            .header("host", host);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        assert_eq!(http(stream, request, vec![]).await.0, status);
    }
}

async fn https_put(process: &Process, desk: &Desk) -> (hyper::StatusCode, Vec<u8>) {
    let day = Client::connect(&process.announcement).await.greeting.day;
    let stream = tls(&process.announcement).await.unwrap();
    let request = hyper::Request::builder()
        .method("PUT")
        .uri(desk.path())
        .header("host", "localhost");
    http(stream, request, desk.card(1, day)).await
}

/// Asserts that the command fails with one line of its own that holds the sentence.
async fn assert_says(directory: &Path, arguments: &[&str], sentence: &str) {
    let output = command(directory, arguments).output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.starts_with("cobijo-relay: ") && said.contains(sentence),
        "{said}"
    );
}
