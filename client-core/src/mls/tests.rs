//! `protocol/vectors/transcript.json`: a newcomer's walk through MLS, from her KeyPackage to the second epoch that she sees.
//! Keys of a commit are random, so what is committed is followed, not made again; `UPDATE_VECTORS=1` makes a new one.

use std::{fs, path::PathBuf};

use cobijo_protocol::{
    card::{Attestation, Attested, DeskKey, Role},
    cbor,
    commit::{CommitData, POLICY, Profile, Terms},
    content::{Content, Message, MessageId},
    credential::{Credential, PersonCredential, PersonLeaf},
    keys::SecretKey,
    slot::ThreadSecret,
};
use data_encoding::HEXLOWER;
use rand_core::SeedableRng as _;
use serde_json::{Value, json};

use super::{
    Suite,
    key_package::{OfferedKeyPackage, OwnKeyPackage},
    state::MlsState,
};
use crate::core::port::Rng;

const ROOT: u8 = 1;
const DESK: u8 = 2;
const MEMBER: u8 = 3;
const PERSON: u8 = 5;
const LEAF: u8 = 6;

/// [G-1], [G-6], [A-2]
#[test]
fn the_committed_transcript_is_followed() {
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(file(), format!("{:#}\n", make())).unwrap();
    }
    let vectors: Value = serde_json::from_str(&fs::read_to_string(file()).unwrap()).unwrap();
    let (own, mut rng) = newcomer();
    assert_eq!(own.message(), bytes(&vectors["key_package"]));
    let joined = MlsState::join(&own, key(LEAF), &bytes(&vectors["welcome"]), &mut rng).unwrap();
    assert_eq!(joined.terms, terms());
    assert_eq!(joined.signer, 0);
    let mut state = joined.state;
    let root = key(ROOT).public();
    let facts = state.facts(&root, &mut rng).unwrap();
    assert_eq!(facts.epoch, 1);
    assert_eq!(facts.secret, secret(&vectors["k_1"]));
    assert_eq!(
        facts.authenticator,
        bytes(&vectors["epoch_authenticator_1"])
    );

    let message = bytes(&vectors["message"]["mls"]);
    let plaintext = state.decrypt(&message, 0, &mut rng).unwrap();
    assert_eq!(plaintext, bytes(&vectors["message"]["plaintext"]));
    let name = MessageId::of(&key(MEMBER).public(), &plaintext);
    assert_eq!(
        name.as_bytes().as_slice(),
        bytes(&vectors["message"]["name"])
    );

    let commit = bytes(&vectors["commit"]);
    let examined = state.examine(&commit, &root, &mut rng).unwrap();
    assert_eq!(examined.author, 0);
    assert_eq!(examined.data, bytes(&vectors["commit_data"]));
    state.merge(&commit, &mut rng).unwrap();
    let facts = state.facts(&root, &mut rng).unwrap();
    assert_eq!(facts.secret, secret(&vectors["k_2"]));
}

fn make() -> Value {
    let (own, mut rng) = newcomer();
    let root = key(ROOT).public();
    let credential = Credential::Member(attested());
    let suite = Suite::PostQuantum;
    let group = [0x47; 32];
    let mut creator =
        MlsState::create(suite, &group, &terms(), key(MEMBER), &credential, &mut rng).unwrap();
    let k_0 = creator.facts(&root, &mut rng).unwrap().secret;
    let offered = OfferedKeyPackage::parse(own.message(), suite, &root).unwrap();
    let data = |leaves: u32, welcomes| {
        cbor::encode(&CommitData {
            policy: POLICY,
            cut: (0..leaves).map(|leaf| (leaf, leaves - 1)).collect(),
            statements: Vec::new(),
            welcomes,
        })
    };
    let welcomes = vec![(4_000, ThreadSecret::from_bytes([0x57; 32]))];
    let adding = creator
        .build(&[offered], &[], &data(1, welcomes), &mut rng)
        .unwrap();
    creator.merge(&adding.commit, &mut rng).unwrap();
    let first = creator.facts(&root, &mut rng).unwrap();
    let plaintext = cbor::encode(&Message {
        id: MessageId::from_bytes([0x1d; 16]),
        clock: 1,
        content: Content::Text("Hola, soy Luz.".to_owned()),
    });
    let message = creator.encrypt(&plaintext, &mut rng).unwrap();
    let updating = data(2, Vec::new());
    let commit = creator.build(&[], &[], &updating, &mut rng).unwrap().commit;
    creator.merge(&commit, &mut rng).unwrap();
    let second = creator.facts(&root, &mut rng).unwrap();
    let (init_key, leaf_key) = private_keys(&own);
    json!({
        "root": hex(root.as_bytes()),
        "leaf_seed": hex(key(LEAF).as_bytes()),
        "init_private_key": hex(&init_key),
        "leaf_private_key": hex(&leaf_key),
        "key_package": hex(own.message()),
        "k_0": hex(k_0.as_bytes()),
        "adding_commit": hex(&adding.commit),
        "welcome": hex(&adding.welcome.unwrap()),
        "k_1": hex(first.secret.as_bytes()),
        "epoch_authenticator_1": hex(&first.authenticator),
        "message": {
            "mls": hex(&message),
            "plaintext": hex(&plaintext),
            "author": hex(key(MEMBER).public().as_bytes()),
            "name": hex(MessageId::of(&key(MEMBER).public(), &plaintext).as_bytes()),
        },
        "commit": hex(&commit),
        "commit_data": hex(&updating),
        "k_2": hex(second.secret.as_bytes()),
    })
}

/// The newcomer's KeyPackage is made anew from a fixed seed: its private parts stand in the file for others.
fn newcomer() -> (OwnKeyPackage, Rng) {
    let mut rng = Rng::from_seed([0x6e; 32]);
    let person = key(PERSON);
    let credential = PersonCredential::sign(&person, 1, PersonLeaf::Device, &key(LEAF).public());
    let credential = Credential::Person(credential);
    let own = OwnKeyPackage::new(Suite::PostQuantum, &key(LEAF), &credential, &mut rng).unwrap();
    (own, rng)
}

/// Of the init key and of the leaf, as openmls stores them.
fn private_keys(own: &OwnKeyPackage) -> (Vec<u8>, Vec<u8>) {
    let stored = own.values.values().find_map(|value| {
        let value: Value = serde_json::from_slice(value.as_slice()).ok()?;
        value.get("private_init_key").is_some().then_some(value)
    });
    let stored = stored.unwrap();
    (
        numbers(&stored["private_init_key"]),
        numbers(&stored["private_encryption_key"]),
    )
}

/// The only list of numbers in it.
fn numbers(value: &Value) -> Vec<u8> {
    match value {
        Value::Array(list) => list
            .iter()
            .map(|byte| u8::try_from(byte.as_u64().unwrap()).unwrap())
            .collect(),
        Value::Object(fields) => numbers(fields.values().next().unwrap()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => panic!("{value}"),
    }
}

fn terms() -> Terms {
    Terms {
        profile: Profile::Conversation,
        policy: POLICY,
        root: key(ROOT).public(),
        facilitators: Vec::new(),
        predecessor: None,
    }
}

fn attested() -> Attested {
    Attested {
        desk_key: key(ROOT).sign_value(&DeskKey {
            root: key(ROOT).public(),
            key: key(DESK).public(),
            serial: 3,
            not_after: 20_811,
        }),
        attestation: key(DESK).sign_value(&Attestation {
            alias: "Luz".to_owned(),
            role: Role::Accompanier,
            key: key(MEMBER).public(),
            not_after: 20_871,
            serial: 3,
        }),
    }
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_bytes([seed; 32])
}

fn secret(value: &Value) -> ThreadSecret {
    ThreadSecret::try_from(bytes(value).as_slice()).unwrap()
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../protocol/vectors/transcript.json")
}

fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

fn bytes(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
}
