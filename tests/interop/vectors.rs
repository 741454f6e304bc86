//! The vectors, reproduced by the foreign client.

use std::{fs, path::PathBuf};

use data_encoding::HEXLOWER;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::foreign::{
    cbor::Item,
    circle::{again_info, answer_info, let_in},
    contact::{self, Intake, Reply, ReplyThread, Waiting},
    content,
    desk::{self, Link},
    frame,
    group::{CommitData, Identity, Message, Statement, Terms, identity, named, welcome_payload},
    handover, hpke,
    key_package::Package,
    signature::{holds, public, sign, signed},
    slot::{self, Data, Head, Thread},
};

pub(crate) fn vectors(name: &str) -> Value {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../protocol/vectors");
    let text = fs::read_to_string(folder.join(name).with_extension("json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

pub(crate) fn hex(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

pub(crate) fn array<const N: usize>(value: &Value) -> [u8; N] {
    hex(value).try_into().unwrap()
}

pub(crate) fn number<T: TryFrom<u64>>(value: &Value) -> T {
    T::try_from(value.as_u64().unwrap()).ok().unwrap()
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

fn root() -> [u8; 32] {
    array(&vectors("identity")["desk"]["root"])
}

/// The item of a vector, after all that is the same for every vector of CBOR.
fn item(vector: &Value) -> Item {
    let cbor = hex(&vector["cbor"]);
    let item = Item::decode(&cbor).unwrap();
    assert_eq!(item.encode(), cbor);
    assert_eq!(item.diagnostic(), vector["diagnostic"].as_str().unwrap());
    item
}

#[test]
fn slots_are_derived() {
    let vectors = vectors("derivations");
    for vector in list(&vectors["slots"]) {
        let (kind, leaf) = (number(&vector["kind"]), number(&vector["leaf"]));
        let secret = array(&vector["secret"]);
        let thread = match kind {
            slot::BODY => Thread::bodies(secret, !vector["erase_key"].is_null()),
            _ => Thread::new(secret, kind, leaf),
        };
        let slot = thread.slot(number(&vector["counter"]));
        assert_eq!(slot.key.as_slice(), hex(&vector["slot_key"]));
        assert_eq!(slot.seal.as_slice(), hex(&vector["seal_key"]));
        assert_eq!(slot.mark.as_slice(), hex(&vector["mark"]));
        assert_eq!(slot.address.as_slice(), hex(&vector["address"]));
        let erase = vector["erase_key"]
            .as_str()
            .map(|_| array(&vector["erase_key"]));
        assert_eq!(slot.erase, erase);
    }
    let claim = &vectors["claim"];
    let secret = slot::claim_secret(&array(&claim["intake_seed"]), &array(&claim["r"]));
    assert_eq!(secret.as_slice(), hex(&claim["secret"]));
}

#[test]
fn cells_are_sealed_and_opened() {
    let vectors = vectors("cells");
    assert_eq!(sha256(&slot::VOID), hex(&vectors["void_sha256"]));
    let sealed = &vectors["sealed"];
    let slot = thread_of(sealed).slot(number(&sealed["counter"]));
    let (data, bodies) = slot::split(&hex(&sealed["payload"]), slot::random());
    assert!(bodies.is_empty());
    assert_eq!(data, hex(&sealed["data"]));
    let cell = slot.seal_with(&array(&sealed["nonce"]), &data);
    assert_eq!(cell, hex(&sealed["cell"]));
    assert_eq!(slot.open(&cell), Some(data));

    let sealed = &vectors["sealed_deterministic"];
    let slot = thread_of(sealed).slot(number(&sealed["counter"]));
    let head = Head {
        total: number(&sealed["total"]),
        secret: array(&sealed["body_secret"]),
        first: Vec::new(),
    };
    assert_eq!(head.data(), hex(&sealed["data"]));
    let cell = slot.seal(&head.data());
    assert_eq!(cell, hex(&sealed["cell"]));
    assert_eq!(cell[..24], hex(&sealed["nonce"]));
    assert_eq!(
        Data::parse(&slot.open(&cell).unwrap()),
        Some(Data::Head(head))
    );
    assert_eq!(slot.open(&slot::VOID), None);
}

fn thread_of(vector: &Value) -> Thread {
    Thread::new(
        array(&vector["secret"]),
        number(&vector["kind"]),
        number(&vector["leaf"]),
    )
}

#[test]
fn heads_have_their_bodies() {
    for vector in list(&vectors("cells")["heads"]) {
        let total: usize = number(&vector["total"]);
        let payload: Vec<u8> = (0..total).map(|byte| (byte % 251) as u8).collect();
        let secret = array(&vector["body_secret"]);
        let (data, bodies) = match vector["part_length"].as_u64().unwrap() {
            0 => slot::split_welcome(&payload, secret),
            _ => slot::split(&payload, secret),
        };
        assert_eq!(sha256(&data), hex(&vector["head_data_sha256"]));
        assert_eq!(bodies.len(), list(&vector["bodies"]).len());
        let thread = Thread::bodies(secret, vector["erasable"].as_bool().unwrap());
        let Some(Data::Head(head)) = Data::parse(&data) else {
            panic!("no head")
        };
        let mut read = head.first.clone();
        for (index, (body, expected)) in bodies.iter().zip(list(&vector["bodies"])).enumerate() {
            assert_eq!(body.len(), number::<usize>(&expected["data_length"]));
            assert_eq!(sha256(body), hex(&expected["data_sha256"]));
            let slot = thread.slot(index as u64);
            assert_eq!(slot.address.as_slice(), hex(&expected["address"]));
            let cell = slot.seal_with(&array(&vector["body_nonce"]), body);
            assert_eq!(sha256(&cell), hex(&expected["cell_sha256"]));
            read.extend(head.part(index, &slot.open(&cell).unwrap()).unwrap());
        }
        assert_eq!(read, payload);
    }
}

#[test]
fn frames_are_read_and_written() {
    let vectors = vectors("frames");
    for vector in list(&vectors["to_relay"]) {
        let content = hex(&vector["content"]);
        let operations = frame::decode_operations(&content).unwrap();
        assert_eq!(frame::encode_operations(&operations), content);
        framed(vector, &content);
    }
    for vector in list(&vectors["from_relay"]) {
        let content = hex(&vector["content"]);
        let message = frame::decode_from_relay(&content).unwrap();
        assert_eq!(frame::encode_from_relay(&message), content);
        framed(vector, &content);
    }
}

fn framed(vector: &Value, content: &[u8]) {
    let frame = frame::frame(content);
    assert_eq!(frame.len(), number::<usize>(&vector["frame_length"]));
    assert_eq!(frame::content(&frame), Some(content));
}

#[test]
fn keys_ids_links_and_words_are_the_same() {
    let vectors = vectors("identity");
    let mut seeds = std::collections::BTreeMap::new();
    for key in list(&vectors["keys"]) {
        assert_eq!(public(&array(&key["seed"])).as_slice(), hex(&key["public"]));
        seeds.insert(key["name"].as_str().unwrap(), array::<32>(&key["seed"]));
    }
    let desk = &vectors["desk"];
    assert_eq!(desk::desk_id(&root()).as_slice(), hex(&desk["id"]));
    assert_eq!(
        desk::desk_text(&array(&desk["id"])),
        desk["id_text"].as_str().unwrap()
    );
    let link = &vectors["link"];
    let parsed = Link::parse(link["text"].as_str().unwrap()).unwrap();
    assert_eq!(parsed.host, link["host"].as_str().unwrap());
    assert_eq!(parsed.port, number::<u16>(&link["port"]));
    assert_eq!(parsed.desk.as_slice(), hex(&desk["id"]));
    let invite = &vectors["invite"];
    let parsed = desk::parse_invite(invite["text"].as_str().unwrap());
    assert_eq!(parsed, Some((array(&invite["root"]), array(&invite["r"]))));
    let words = &vectors["words"];
    let indices = |of: &Value| {
        list(&of["indices"])
            .iter()
            .map(number::<u64>)
            .collect::<Vec<_>>()
    };
    let code = &words["conversation"];
    let conversation = desk::conversation_code(&hex(&code["epoch_authenticator"]));
    assert_eq!(conversation.to_vec(), indices(code));
    let code = &words["invite"];
    let invite = desk::invite_words(
        &array(&code["r"]),
        &array(&code["newcomer"]),
        &array(&code["inviter"]),
    );
    assert_eq!(invite.to_vec(), indices(code));
    let alias = &words["alias"];
    let two = handover::alias(&array(&alias["person"])).map(u64::from);
    assert_eq!(two.to_vec(), indices(alias));
    let open = &vectors["open"];
    let host = open["host"].as_str().unwrap();
    let message = [
        host.as_bytes(),
        &hex(&open["nonce"]),
        &hex(&open["mailbox"]),
    ];
    let signature = sign(&seeds["mailbox"], "open", &message);
    assert_eq!(signature.as_slice(), hex(&open["signature"]));
}

#[test]
fn what_is_signed_holds_and_the_card_is_the_desks() {
    let vectors = vectors("identity");
    for vector in list(&vectors["signed"]) {
        let label = vector["label"]
            .as_str()
            .unwrap()
            .strip_prefix("cobijo/1 ")
            .unwrap();
        let whole = Item::decode(&hex(&vector["cbor"])).unwrap();
        let body = signed(&whole, label, &array(&vector["signer"])).unwrap();
        assert_eq!(body.encode(), hex(&vector["body"]));
        assert_eq!(
            body.diagnostic(),
            vector["body_diagnostic"].as_str().unwrap()
        );
        assert!(signed(&whole, label, &[7; 32]).is_none());
    }
    let card = &vectors["card"];
    let id = array(&vectors["desk"]["id"]);
    let read = desk::card(&hex(&card["cbor"]), &id).unwrap();
    assert_eq!(read.root, root());
    let posters: Vec<_> = list(&card["posters"]).iter().map(array::<32>).collect();
    assert_eq!(read.posters, posters);
    assert!(desk::card(&hex(&card["cbor"]), &[1; 16]).is_none());
}

#[test]
fn groups_data_is_read_and_verified() {
    let vectors = vectors("group");
    for vector in list(&vectors["terms"]) {
        let cbor = item(vector).encode();
        assert_eq!(Terms::decode(&cbor).unwrap().encode(), cbor);
    }
    for vector in list(&vectors["credentials"]) {
        let cbor = item(vector).encode();
        let leaf_key: [u8; 32] = array(&vector["leaf_key"]);
        let who = identity(&cbor, &leaf_key, &root()).unwrap();
        assert!(identity(&cbor, &[9; 32], &root()).is_none());
        let is_return = matches!(
            who,
            Identity::Person {
                is_return: true,
                ..
            }
        );
        assert_eq!(is_return, vector["name"] == "person, return");
        let has_alias = matches!(
            who,
            Identity::Person {
                has_alias: true,
                ..
            }
        );
        assert_eq!(has_alias, vector["name"] == "person, in a circle");
    }
    let circle = &vectors["circle"];
    assert_eq!(
        answer_info(&array(&circle["invite"])),
        hex(&circle["answer_info"])
    );
    assert_eq!(
        again_info(&array(&circle["circle"])),
        hex(&circle["again_info"])
    );
    for vector in list(&circle["let_in"]) {
        let (_, is_again) = let_in(&item(vector).encode(), &root()).unwrap();
        assert_eq!(is_again, vector["name"] == "again");
    }
    for vector in list(&vectors["commit_data"]) {
        let cbor = item(vector).encode();
        let data = CommitData::decode(&cbor).unwrap();
        assert_eq!(data.encode(), cbor);
        assert!(
            data.statements
                .iter()
                .all(|item| Statement::read(item, &root()).is_some())
        );
    }
    let payload = item(&vectors["welcome_payload"]).encode();
    let (_, key, _) = welcome_payload(&payload, &root()).unwrap();
    assert!(key.is_some());
    for vector in list(&vectors["messages"]) {
        let cbor = item(vector).encode();
        let message = Message::decode(&cbor).unwrap();
        assert_eq!(message.encode(), cbor);
        let name = content::name(&array(&vector["author"]), &cbor);
        assert_eq!(name.as_slice(), hex(&vector["message_name"]));
        assert!(
            content::is_known(&message.content, &root()),
            "{}",
            vector["name"]
        );
    }
}

#[test]
fn statements_hold() {
    let vectors = vectors("group");
    let inputs = &vectors["statement_inputs"];
    let group = named(&hex(&inputs["group"]));
    let keys = self::vectors("identity");
    for vector in list(&vectors["statements"]) {
        match Statement::read(&item(vector), &root()).unwrap() {
            Statement::Leave { signature, .. } => {
                let message = [group.as_slice(), &hex(&inputs["leaf_node_hash"])];
                let mut signers = list(&keys["keys"])
                    .iter()
                    .filter(|key| holds(&array(&key["public"]), "leave", &message, &signature));
                assert_eq!(signers.next().unwrap()["name"], "accompanier");
            }
            Statement::Wipe { person, signature } => {
                assert!(holds(&person, "wipe", &[&group], &signature));
            }
            Statement::PersonRescue {
                person,
                leaf_key,
                signature,
            } => {
                assert!(holds(&person, "rescue", &[&group, &leaf_key], &signature));
            }
            Statement::MemberRescue { group, .. } => assert_eq!(group, hex(&inputs["group"])),
            Statement::Removal { .. } => {}
        }
    }
}

#[test]
fn first_contacts_are_read_and_verified() {
    let vectors = vectors("contact");
    let root = root();
    let info = &vectors["intake_info"];
    let made = contact::intake_info(
        &array(&info["desk"]),
        number(&info["version"]),
        number(&info["day"]),
    );
    assert_eq!(made, hex(&info["info"]));
    let info = &vectors["waiting_info"];
    let r = array(&info["r"]);
    assert_eq!(contact::waiting_info(&r), hex(&info["info"]));
    let mut person = None;
    for vector in list(&vectors["intakes"]) {
        let intake = Intake::parse(&hex(&vector["plaintext"])).unwrap();
        assert_eq!(intake.plaintext(), hex(&vector["plaintext"]));
        assert_eq!(
            slot::pad(&item(vector).encode(), contact::INTAKE),
            intake.plaintext()
        );
        person = Some(intake.person);
    }
    for vector in list(&vectors["waiting"]) {
        let payload = item(vector).encode();
        match contact::waiting(&payload, &r).unwrap() {
            Waiting::KeyPackage(message) => assert_eq!(contact::key_package(&message), payload),
            Waiting::More(sealed) => assert_eq!(contact::more(&sealed), payload),
            Waiting::Newcomer { .. } => assert!(contact::waiting(&payload, &[1; 32]).is_none()),
            Waiting::Rescue(statement) => assert!(Statement::read(&statement, &root).is_some()),
        }
    }
    for vector in list(&vectors["replies"]) {
        let read = contact::reply(&item(vector).encode(), &r, &root, &person.unwrap());
        let name = match read.unwrap() {
            Reply::Claimed { .. } => "claimed",
            Reply::Offered { .. } => "offered",
            Reply::NotThisOne(_) => "not this one",
            Reply::Attested(_) => "attested",
        };
        assert_eq!(name, vector["name"].as_str().unwrap());
    }
    for thread in list(&vectors["reply_threads"]) {
        let mut replies = ReplyThread {
            r,
            root,
            person: person.unwrap(),
            offers: thread["kind"] != "first",
            standing: None,
        };
        for (index, reply) in (0..).zip(list(&thread["replies"])) {
            replies.read(index, &hex(&reply["cbor"]));
            let stands = reply["stands"].as_u64();
            assert_eq!(replies.standing, stands, "{}", reply["name"]);
        }
    }
    for (index, vector) in list(&vectors["claims"]).iter().enumerate() {
        let claim = |index| contact::claim(&item(vector).encode(), &r, index, &root);
        assert!(claim(index as u64).is_some() && claim(index as u64 + 1).is_none());
    }
    for vector in list(&vectors["takings"]) {
        let secret = array(&vector["welcome_secret"]);
        assert!(contact::taking(&item(vector).encode(), &secret, &root).is_some());
    }
    for vector in list(&vectors["successions"]) {
        let signed = item(vector).encode();
        assert!(contact::succession(&signed, &root).is_some());
        assert!(contact::succession(&signed, &person.unwrap()).is_none());
    }
}

#[test]
fn an_intake_is_opened_and_sealed() {
    let vectors = vectors("hpke");
    let seed = array(&vectors["seed"]);
    assert_eq!(
        hpke::decapsulation_key(&seed).as_slice(),
        hex(&vectors["decapsulation_key"])
    );
    let public = hpke::public_key(&seed);
    assert_eq!(public, hex(&vectors["public"]));
    for (name, sealed) in [
        ("intake", "cell"),
        ("more", "sealed"),
        ("desk_key_seal", "sealed"),
        ("word_seal", "sealed"),
    ] {
        let vector = &vectors[name];
        let (info, plaintext) = (hex(&vector["info"]), hex(&vector["plaintext"]));
        assert_eq!(
            hpke::open(&seed, &info, &hex(&vector[sealed])).as_ref(),
            Some(&plaintext)
        );
        let again = hpke::seal(&public, &info, &plaintext);
        assert_eq!(again.len(), hex(&vector[sealed]).len());
        assert_eq!(hpke::open(&seed, &info, &again), Some(plaintext));
    }
    assert_eq!(hex(&vectors["intake"]["cell"]).len(), slot::CELL);
    let desk = array(&vectors["desk_key_seal"]["desk"]);
    let info = content::desk_key_seal_info(&desk);
    assert_eq!(info, hex(&vectors["desk_key_seal"]["info"]));
    let word = &vectors["word_seal"];
    let info = handover::word_seal_info(&desk, &hex(&word["author"]), &hex(&word["to"]));
    assert_eq!(info, hex(&word["info"]));
}

#[test]
fn keys_are_usable_or_not() {
    let vectors = vectors("hpke");
    for change in list(&vectors["usable_keys"]) {
        let mut public = hex(&vectors["public"]);
        let (at, changed): (usize, _) = (number(&change["at"]), hex(&change["bytes"]));
        public.splice(at..at + changed.len(), changed);
        assert_eq!(hpke::is_usable(&public), change["usable"], "{change}");
    }
}

#[test]
fn key_packages_have_the_profile() {
    for vector in list(&vectors("mls")["key_packages"]) {
        let package = Package::parse(&hex(&vector["message"])).unwrap();
        assert_eq!(package.suite, 0x004F);
        assert!(package.has_profile());
        assert_eq!(package.leaf.key, hex(&vector["leaf_key"]));
        assert_eq!(
            package.welcome_secret.unwrap().as_slice(),
            hex(&vector["welcome_secret"])
        );
        assert!(identity(&package.leaf.credential, &package.leaf.key, &root()).is_some());
    }
    for vector in list(&vectors("mls")["refused"]) {
        let package = Package::parse(&hex(&vector["message"])).unwrap();
        assert!(!package.has_profile(), "{}", vector["name"]);
    }
}
