//! Vectors of coming back: phrases and capsules. `UPDATE_VECTORS=1` makes new ones.

#![allow(clippy::unwrap_used)]

use std::{fs, path::PathBuf};

use cobijo_client_core::{
    core::{
        phrase::{Phrase, WordList},
        port::Rng,
    },
    mls::{
        Suite,
        hpke::{key_pair, open, seal},
        key_package::OwnKeyPackage,
    },
};
use cobijo_protocol::{
    capsule::{CAPSULE_INFO, Capsule, CapsuleCircle, Place, ReturnLeaf, Shows, capsule_month},
    credential::{Credential, PersonCredential, PersonLeaf},
    keys::SecretKey,
    slot::ThreadSecret,
};
use data_encoding::HEXLOWER;
use rand_core::SeedableRng as _;
use serde_json::{Value, json};

const DAY: u32 = 20_781;
const SEED: [u8; 32] = [0x43; 32];

/// [B-2]
#[test]
fn what_a_phrase_gives_is_as_committed() {
    let vectors = committed("phrase", phrases);
    let phrases = vectors["phrases"].as_array().unwrap();
    assert_eq!(phrases.len(), 4);
    for vector in phrases {
        let phrase = Phrase::parse(text(&vector["typed"])).unwrap();
        assert_eq!(json!(phrase.words()), vector["words"]);
        let keys = phrase.derive().unwrap();
        let generations = vector["generations"].as_array().unwrap();
        assert_eq!(generations.len(), 2);
        for (number, vector) in (0..).zip(generations) {
            let keys = keys.generation(number);
            assert_eq!(hex(keys.find().as_bytes()), text(&vector["k_find"]));
            assert_eq!(hex(keys.seed().as_bytes()), text(&vector["seed"]));
            let public = keys.pair().unwrap().public;
            assert_eq!(hex(&public), text(&vector["public"]));
        }
    }
}

/// [B-3], [B-4], [O-7]
#[test]
fn capsules_open_as_committed() {
    let vectors = committed("capsule", capsules);
    let pair = key_pair(&SEED).unwrap();
    let capsules = vectors["capsules"].as_array().unwrap();
    assert_eq!(capsules.len(), 3);
    for (vector, (_, sample)) in capsules.iter().zip(samples(&mut Rng::from_seed([1; 32]))) {
        let plaintext = bytes(&vector["cbor"]);
        let capsule = Capsule::from_plaintext(&plaintext).unwrap();
        assert_eq!(capsule.to_plaintext().as_slice(), plaintext);
        assert!(capsule.place == sample.place && capsule.person == sample.person);
        assert!(capsule.circles == sample.circles);
        assert_eq!(
            (capsule.root, capsule.shows, capsule.day),
            (sample.root, sample.shows, DAY)
        );
        assert_eq!(capsule_month(capsule.day), 742);
        let sealed = bytes(&vector["sealed"]);
        assert_eq!(
            open(&pair, CAPSULE_INFO, &sealed).unwrap().as_slice(),
            plaintext
        );
        for leaf in capsule.leaves {
            let mut rng = Rng::from_seed([2; 32]);
            let (init, encryption) = (&leaf.init_key, &leaf.encryption_key);
            let own = OwnKeyPackage::from_parts(&leaf.key_package, init, encryption, &mut rng);
            assert!(matches!(
                own.unwrap().credential(),
                Some(Credential::Person(_))
            ));
        }
    }
}

fn capsules(rng: &mut Rng) -> Value {
    let pair = key_pair(&SEED).unwrap();
    let vector = |(name, capsule): (&str, Capsule)| {
        let plaintext = capsule.to_plaintext();
        json!({
            "name": name,
            "cbor": hex(&plaintext),
            "sealed": hex(&seal(&pair.public, CAPSULE_INFO, &plaintext).unwrap()),
        })
    };
    let capsules: Vec<_> = samples(rng).into_iter().map(vector).collect();
    json!({
        "seed": hex(&SEED),
        "info": hex(CAPSULE_INFO),
        "month": { "day": DAY, "month": capsule_month(DAY) },
        "capsules": capsules,
    })
}

fn samples(rng: &mut Rng) -> Vec<(&'static str, Capsule)> {
    let mut leaf = |serial: u8| {
        let key = key(serial + 10);
        let credential = PersonCredential::sign(
            &self::key(5),
            u32::from(serial),
            PersonLeaf::Return,
            &key.public(),
        );
        let credential = Credential::Person(credential);
        let own = OwnKeyPackage::new(Suite::PostQuantum, &key, &credential, rng).unwrap();
        let (init_key, encryption_key) = own.private_keys(rng).unwrap();
        ReturnLeaf {
            key,
            key_package: own.message().to_vec().into(),
            init_key,
            encryption_key,
        }
    };
    let waiting = Capsule {
        root: key(1).public(),
        person: key(5),
        place: Place::Waiting {
            r: ThreadSecret::from_bytes([0x52; 32]),
            intake_key: key_pair(&[0x53; 32]).unwrap().public.into(),
        },
        shows: Shows::New,
        day: DAY,
        leaves: vec![leaf(2)],
        circles: Vec::new(),
    };
    let group = Capsule {
        place: Place::Group(vec![0x47; 32].into()),
        shows: Shows::All,
        leaves: vec![leaf(4), leaf(2)],
        ..waiting.clone()
    };
    let circle = CapsuleCircle {
        group: vec![0x43; 32].into(),
        person: key(6),
        serial: 1,
        alias: "Colibrí".into(),
        name: "Los jueves".into(),
        facilitators: vec![key(3).public(), key(4).public()],
        answers_to: key_pair(&[0x54; 32]).unwrap().public.into(),
    };
    let circles = Capsule {
        circles: vec![circle],
        ..group.clone()
    };
    vec![
        ("while waiting", waiting),
        ("in a conversation", group),
        ("in a circle too", circles),
    ]
}

fn phrases(rng: &mut Rng) -> Value {
    let drawn = [
        (WordList::Spanish, "es"),
        (WordList::English, "en"),
        (WordList::Spanish, "es"),
        (WordList::English, "en"),
    ];
    let phrases: Vec<Value> = drawn
        .iter()
        .enumerate()
        .map(|(number, &(list, language))| {
            let words = Phrase::draw(list, rng).words();
            let typed = match number {
                0 | 1 => words.join(" "),
                _ => words.join("\n").to_uppercase(),
            };
            let keys = Phrase::parse(&typed).unwrap().derive().unwrap();
            let generations = [0, 1].map(|number| {
                let keys = keys.generation(number);
                json!({
                    "k_find": hex(keys.find().as_bytes()),
                    "seed": hex(keys.seed().as_bytes()),
                    "public": hex(&keys.pair().unwrap().public),
                })
            });
            let list = match list {
                WordList::Spanish => bip39::Language::Spanish,
                WordList::English => bip39::Language::English,
            };
            let index = |word: &&str| list.word_list().iter().position(|known| known == word);
            json!({
                "language": language,
                "words": words,
                "indices": words.iter().map(index).collect::<Vec<_>>(),
                "typed": typed,
                "generations": generations,
            })
        })
        .collect();
    json!({ "phrases": phrases })
}

fn committed(name: &str, make: fn(&mut Rng) -> Value) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let path = path.join(format!("../protocol/vectors/{name}.json"));
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        let vectors = make(&mut Rng::from_seed([1; 32]));
        fs::write(&path, format!("{vectors:#}\n")).unwrap();
    }
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

fn bytes(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(text(value).as_bytes()).unwrap()
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_bytes([seed; 32])
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
