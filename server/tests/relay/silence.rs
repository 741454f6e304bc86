//! Nothing about people in logs, metrics or the data directory.

use std::{fs, path::Path};

use cobijo_protocol::frame::{FromRelay, Operation};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use hyper::Request;
use rustix::process::Signal;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    harness::*,
    process::{Process, log, run},
};

///
#[tokio::test]
async fn a_whole_scenario_at_trace_leaves_only_addresses_as_keys() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let mut process = Process::start(directory, "").await;
    let announcement = process.announcement.clone();
    let desk = Desk::new(1);
    run(directory, &["host", &desk.id().to_text()]).await;
    let mut asha = Client::connect(&announcement).await;
    let mut rosa = Client::connect(&announcement).await;
    let request = Request::put(desk.path()).header("host", "localhost");
    let stream = tls(&announcement).await.unwrap();
    http(stream, request, desk.card(1, asha.greeting.day)).await;
    rosa.ask(&[watch([0, 1, 2]), desk.open(&rosa)]).await;
    asha.ask(&[put(0, 0), put(1, 1), erase(1), desk.drop(3), put(0, 9)])
        .await;
    let mailbox = desk.mailbox();
    let mut items = Vec::new();
    for _ in 0..3 {
        if let FromRelay::Item { item, .. } = rosa.push().await {
            rosa.ask(&[Operation::Remove { mailbox, item }]).await;
            items.push(item);
        }
    }
    asha.ask(&[desk.drop(4)]).await;
    rosa.send_raw(Message::text("hola")).await.unwrap();
    rosa.closing().await;
    let metrics = {
        let stream = tokio::net::TcpStream::connect(announcement.admin)
            .await
            .unwrap();
        let request = Request::get("/metrics").header("host", announcement.admin.to_string());
        String::from_utf8(http(stream, request, vec![]).await.1).unwrap()
    };
    process.signal(Signal::KILL);
    process.ended().await;

    let text = [log(directory), metrics].concat();
    let mut secrets: Vec<Vec<u8>> = Vec::new();
    for counter in 0..3 {
        let slot = slot(counter);
        secrets.push(slot.slot_key().as_bytes().to_vec());
        secrets.push(slot.mark().as_bytes().to_vec());
        secrets.push(slot.erase_key().unwrap().as_bytes().to_vec());
    }
    secrets.push(asha.greeting.nonce.as_bytes().to_vec());
    secrets.push(b"127.0.0.1:".to_vec());
    let erased = cell(1).as_bytes().to_vec();
    let addresses = (0..3).map(|counter| address(counter).as_bytes().to_vec());
    let public = [desk.id().as_bytes().to_vec(), mailbox.as_bytes().to_vec()];
    let ids = items.iter().map(|item| item.as_bytes().to_vec());
    for value in secrets
        .iter()
        .cloned()
        .chain(addresses)
        .chain(public)
        .chain(ids)
        .chain([erased])
    {
        for form in forms(&value) {
            assert!(!text.contains(&form), "{text}");
        }
    }
    assert_eq!(log(directory), "");
    let kept = files(&directory.join("data"));
    for secret in &secrets[..secrets.len() - 1] {
        assert!(!kept.iter().any(|file| contains(file, secret)));
    }
    let standing = address(0);
    assert!(kept.iter().any(|file| contains(file, standing.as_bytes())));
}

/// How bytes might be printed.
fn forms(bytes: &[u8]) -> Vec<String> {
    let mut forms = vec![
        HEXLOWER.encode(bytes),
        HEXLOWER.encode(bytes).to_uppercase(),
        BASE64URL_NOPAD.encode(bytes),
        format!("{bytes:?}").trim_matches(['[', ']']).to_owned(),
    ];
    forms.extend(String::from_utf8(bytes.to_vec()));
    forms
}

fn files(directory: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else if path.file_name().is_some_and(|name| name == "relay.json") {
                vec![]
            } else {
                vec![fs::read(path).unwrap()]
            }
        })
        .collect()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}
