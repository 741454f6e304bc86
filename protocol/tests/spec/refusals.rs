//! What every signature is refused for.

use cobijo_protocol::{
    card::{Attestation, Attested, DeskKey, is_alias, verify_desk_key},
    cbor,
    circle::CircleInvite,
    commit::{Statement, verify_leave, verify_person_rescue, verify_wipe},
    credential::{PersonCredential, PersonLeaf},
    frame::SessionNonce,
    intake::{
        Claim, MessageHash, Newcomer, Reply, SignedReply, Taking, sign_contact, sign_not_this_one,
        verify_contact, verify_not_this_one,
    },
    keys::{BadSignature, PublicKey, Signature},
    limits::ALIAS_BYTES_MAX,
    mailbox::MailboxKey,
    slot::ThreadSecret,
};
use serde_bytes::ByteBuf;

use crate::samples::{
    self, ACCOMPANIER, COORDINATOR, DAY, DESK, GROUP, HOST, LEAF, LEAF_NODE_HASH, MAILBOX, PERSON,
    ROOT, key, public, r,
};

/// A key that signed nothing.
pub(crate) const STRANGER: u8 = 99;

/// [K-3]
#[test]
fn a_small_order_key_signs_nothing() {
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut signature = [0; 64];
    signature[0] = 1;
    let signature = Signature::from_bytes(signature);
    // [K-3] R = A = identity and s = 0 satisfy the equation for every message.
    assert!(!PublicKey::from_bytes(identity).verify("cobijo/1 leave", b"any", &signature));
    assert!(!public(PERSON).verify("cobijo/1 leave", b"any", &signature));
}

/// [K-2]
#[test]
fn a_signature_holds_under_its_own_label_only() {
    let signature = key(PERSON).sign("cobijo/1 leave", b"group");
    assert!(public(PERSON).verify("cobijo/1 leave", b"group", &signature));
    assert!(!public(PERSON).verify("cobijo/1 wipe", b"group", &signature));
    assert!(!public(PERSON).verify("cobijo/1 leave", b"groups", &signature));
    assert!(!public(STRANGER).verify("cobijo/1 leave", b"group", &signature));
}

/// [M-2]
#[test]
fn a_mailbox_opens_only_on_its_own_connection_and_host() {
    let secret = key(MAILBOX);
    let mailbox = MailboxKey::of(&secret);
    let nonce = SessionNonce::from_bytes([1; 32]);
    let signature = MailboxKey::sign_open(&secret, HOST, &nonce);
    assert!(mailbox.verify_open(HOST, &nonce, &signature));
    let other_nonce = SessionNonce::from_bytes([2; 32]);
    assert!(!mailbox.verify_open(HOST, &other_nonce, &signature));
    assert!(!mailbox.verify_open("other.example", &nonce, &signature));
    let other = MailboxKey::of(&key(STRANGER));
    assert!(!other.verify_open(HOST, &nonce, &signature));
}

/// [D-1]
#[test]
fn a_desk_key_holds_only_under_the_root_that_it_names() {
    let signed = samples::desk_key();
    assert!(verify_desk_key(&signed, &public(ROOT)).is_ok());
    assert_eq!(
        verify_desk_key(&signed, &public(STRANGER)),
        Err(BadSignature)
    );
    let names_another = key(STRANGER).sign_value(&DeskKey {
        root: public(ROOT),
        key: public(DESK),
        serial: 4,
        not_after: DAY,
    });
    assert_eq!(
        verify_desk_key(&names_another, &public(STRANGER)),
        Err(BadSignature)
    );
}

/// [D-3]
#[test]
fn an_attestation_needs_the_whole_chain() {
    let root = public(ROOT);
    assert!(samples::attested(ACCOMPANIER).verify(&root).is_ok());
    let attested = |signer: u8, alias: &str| Attested {
        desk_key: samples::desk_key(),
        attestation: key(signer).sign_value(&Attestation {
            alias: alias.into(),
            ..samples::attestation(ACCOMPANIER)
        }),
    };
    assert!(attested(DESK, "Sol").verify(&root).is_ok());
    for (signer, alias) in [(ACCOMPANIER, "Sol"), (ROOT, "Sol"), (DESK, "")] {
        assert!(attested(signer, alias).verify(&root).is_err(), "{signer}");
    }
}

/// [D-4]
#[test]
fn an_alias_can_neither_redraw_a_terminal_nor_turn_text_around() {
    let longest = "ñ".repeat(ALIAS_BYTES_MAX / 2);
    for alias in ["Luz", "María José", "😀", &longest] {
        assert!(is_alias(alias), "{alias:?}");
    }
    let too_long = format!("{longest}x");
    for alias in [
        "",
        "a\u{1b}[2J",
        "a\nb",
        "a\u{7f}",
        "a\u{202e}b",
        "a\u{2066}b",
        "a\u{200f}b",
        "a\u{61c}b",
        "a\u{2028}b",
        &too_long,
    ] {
        assert!(!is_alias(alias), "{alias:?}");
    }
}

/// [G-4]
#[test]
fn a_person_leaf_is_vouched_for_with_serial_purpose_and_key() {
    let credential = samples::person_credential(PersonLeaf::Device);
    assert_eq!(credential.verify(&public(LEAF)), Ok(()));
    assert_eq!(credential.verify(&public(STRANGER)), Err(BadSignature));
    for altered in [
        PersonCredential {
            serial: 2,
            ..credential.clone()
        },
        PersonCredential {
            leaf: PersonLeaf::Return,
            ..credential.clone()
        },
        PersonCredential {
            person: public(STRANGER),
            ..credential
        },
    ] {
        assert_eq!(altered.verify(&public(LEAF)), Err(BadSignature));
    }
}

fn statement(wanted: &str) -> Statement {
    let mut statements = samples::statements().into_iter();
    statements.find(|(name, _)| *name == wanted).unwrap().1
}

/// [G-9]
#[test]
fn a_leave_holds_for_one_leaf_node_of_one_group() {
    let Statement::Leave { signature, .. } = statement("leave") else {
        panic!("not a leave");
    };
    let holds = |seed, group: &[u8], hash| verify_leave(&public(seed), group, hash, &signature);
    assert!(holds(ACCOMPANIER, &GROUP, &LEAF_NODE_HASH));
    assert!(!holds(COORDINATOR, &GROUP, &LEAF_NODE_HASH));
    assert!(!holds(ACCOMPANIER, b"other", &LEAF_NODE_HASH));
    assert!(!holds(ACCOMPANIER, &GROUP, &[0; 32]));
}

#[test]
fn a_wipe_holds_for_one_group() {
    let Statement::Wipe { person, signature } = statement("wipe") else {
        panic!("not a wipe");
    };
    assert!(verify_wipe(&person, &GROUP, &signature));
    assert!(!verify_wipe(&person, b"other", &signature));
    assert!(!verify_wipe(&public(STRANGER), &GROUP, &signature));
}

#[test]
fn a_rescue_holds_for_one_new_leaf_of_one_group() {
    let Statement::PersonRescue {
        person, signature, ..
    } = statement("person rescue")
    else {
        panic!("not a rescue");
    };
    let holds =
        |group: &[u8], leaf| verify_person_rescue(&person, group, &public(leaf), &signature);
    assert!(holds(&GROUP, LEAF));
    assert!(!holds(&GROUP, STRANGER));
    assert!(!holds(b"other", LEAF));
}

/// [I-6]
#[test]
fn a_reply_is_signed_for_one_waiting_person_and_one_content() {
    let root = public(ROOT);
    for (name, reply) in samples::replies() {
        type Verify = fn(&SignedReply, &PublicKey, &ThreadSecret) -> Option<(Attestation, DeskKey)>;
        let (reply, verify, another): (_, Verify, Verify) = match reply {
            Reply::Claimed(reply) => (
                reply,
                SignedReply::verify_claimed,
                SignedReply::verify_offered,
            ),
            Reply::Offered(reply) => (
                reply,
                SignedReply::verify_offered,
                SignedReply::verify_claimed,
            ),
            Reply::NotThisOne { .. } | Reply::Attested { .. } => continue,
        };
        let by = verify(&reply, &root, &r()).map(|(attestation, _)| attestation.key);
        assert_eq!(by, Some(public(ACCOMPANIER)), "{name}");
        assert!(another(&reply, &root, &r()).is_none(), "{name}");
        assert!(verify(&reply, &public(STRANGER), &r()).is_none());
        assert!(verify(&reply, &root, &ThreadSecret::from_bytes([0; 32])).is_none());
        let with = |reply: SignedReply| verify(&reply, &root, &r()).is_some();
        assert!(!with(SignedReply {
            hash: MessageHash::from_bytes([0; 32]),
            ..reply.clone()
        }));
        assert!(!with(SignedReply {
            content: ByteBuf::from(b"another KeyPackage"),
            ..reply.clone()
        }));
        assert!(!with(SignedReply {
            by: samples::attested(COORDINATOR),
            ..reply
        }));
    }
}

/// [I-9]
#[test]
fn a_claim_counts_once_and_for_one_waiting_person() {
    let root = public(ROOT);
    let claim = Claim::sign(&key(ACCOMPANIER), samples::attested(ACCOMPANIER), &r(), 3);
    assert!(claim.verify(&root, &r(), 3).is_some());
    assert!(claim.verify(&root, &r(), 4).is_none());
    let other_person = ThreadSecret::from_bytes([0; 32]);
    assert!(claim.verify(&root, &other_person, 3).is_none());
    assert!(claim.verify(&public(STRANGER), &r(), 3).is_none());
    let by = samples::attested(COORDINATOR);
    assert!(Claim { by, ..claim }.verify(&root, &r(), 3).is_none());
}

/// [I-11]
#[test]
fn a_taking_is_of_one_key_package_for_one_person() {
    let root = public(ROOT);
    let secret = samples::welcome_secret();
    let taking = samples::takings().swap_remove(0).1;
    assert!(taking.verify(&root, &secret).is_some());
    let other_secret = ThreadSecret::from_bytes([0; 32]);
    assert!(taking.verify(&root, &other_secret).is_none());
    assert!(taking.verify(&public(STRANGER), &secret).is_none());
    let person = public(STRANGER);
    assert!(
        Taking {
            person,
            ..taking.clone()
        }
        .verify(&root, &secret)
        .is_none()
    );
    let by = samples::attested(COORDINATOR);
    assert!(Taking { by, ..taking }.verify(&root, &secret).is_none());
}

/// [G-22]
#[test]
fn only_the_root_key_names_the_next_group_of_a_desk() {
    let signed = samples::successions().swap_remove(0).1;
    assert_eq!(
        signed.verify(&public(ROOT)).ok(),
        Some(samples::succession(1))
    );
    for other in [STRANGER, COORDINATOR, ACCOMPANIER] {
        let forged = key(other).sign_value(&samples::succession(1));
        assert!(forged.verify(&public(ROOT)).is_err());
    }
}

/// [I-8]
#[test]
fn only_the_person_says_not_this_one_and_of_one_index() {
    let Reply::NotThisOne { index, signature } = sign_not_this_one(&key(PERSON), &r(), 2) else {
        panic!("not a refusal");
    };
    let holds = |seed, index| verify_not_this_one(&public(seed), &r(), index, &signature);
    assert!(holds(PERSON, index));
    assert!(!holds(PERSON, index + 1));
    assert!(!holds(ACCOMPANIER, index));
}

/// [I-10]
#[test]
fn a_newcomer_holds_her_key_and_chose_her_alias() {
    let newcomer = Newcomer::sign(&key(LEAF), "Luz".into(), &r());
    assert!(newcomer.verify(&r()));
    assert!(!newcomer.verify(&ThreadSecret::from_bytes([0; 32])));
    let renamed = Newcomer {
        alias: "Mar".into(),
        ..newcomer
    };
    assert!(!renamed.verify(&r()));
    let another_key = Newcomer {
        key: public(STRANGER),
        ..newcomer
    };
    assert!(!another_key.verify(&r()));
    assert!(!Newcomer::sign(&key(LEAF), "L\u{1b}".into(), &r()).verify(&r()));
}

#[test]
fn a_contact_is_about_one_group() {
    let signature = sign_contact(&key(PERSON), &r(), &GROUP);
    assert!(verify_contact(&public(PERSON), &r(), &GROUP, &signature));
    assert!(!verify_contact(&public(PERSON), &r(), b"other", &signature));
    assert!(!verify_contact(&public(STRANGER), &r(), &GROUP, &signature));
}

/// [K-2]
#[test]
fn a_signed_value_is_read_only_in_its_canonical_form() {
    let signed = samples::desk_key();
    let bytes = cbor::encode(&signed);
    assert_eq!(cbor::decode(&bytes).as_ref(), Ok(&signed));
    // [K-2] The root signs a body that another encoder could read as the same desk key.
    let body = cbor::encode(&signed.verify(&public(ROOT)).unwrap());
    let not_shortest = [&[0xb8, 0x04], &body[1..]].concat();
    let signature = key(ROOT).sign("cobijo/1 desk key", &not_shortest);
    let forged = ciborium::Value::Map(vec![
        ("body".into(), ciborium::Value::Bytes(not_shortest)),
        (
            "signature".into(),
            ciborium::Value::Bytes(signature.as_bytes().to_vec()),
        ),
    ]);
    let forged: cobijo_protocol::keys::Signed<DeskKey> =
        cbor::decode(&cbor::encode(&forged)).unwrap();
    assert_eq!(forged.verify(&public(ROOT)), Err(BadSignature));
}

/// [K-4]
#[test]
fn no_signature_label_begins_another() {
    let labels = labels();
    let mut sorted = labels.clone();
    sorted.sort();
    assert_eq!(sorted, labels_of_the_text());
    for (index, label) in labels.iter().enumerate() {
        for (other, longer) in labels.iter().enumerate() {
            assert!(index == other || !longer.starts_with(label.as_str()));
        }
    }
}

/// The first column of the table in SPEC.md, section 5.
fn labels_of_the_text() -> Vec<String> {
    let (_, table) = include_str!("../../SPEC.md")
        .split_once("| label (`cobijo/1 …`) |")
        .unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let first = table
        .lines()
        .skip(2)
        .map(|line| line.split('|').nth(1).unwrap());
    let names = first.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let mut labels: Vec<_> = names.map(|name| format!("cobijo/1 {name}")).collect();
    labels.sort();
    labels
}

/// The labels of all signatures, read from the constants in the source.
fn labels() -> Vec<String> {
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut labels = Vec::new();
    for file in std::fs::read_dir(source).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for line in text.lines() {
            let is_label =
                line.contains("LABEL: &'static str =") || line.contains("_LABEL: &str =");
            if is_label && line.contains("\"cobijo/1 ") {
                labels.push(line.split('"').nth(1).unwrap().to_owned());
            }
        }
    }
    labels
}

/// [O-2]
#[test]
fn a_pseudonym_is_like_an_alias() {
    let credential = samples::person_credential(PersonLeaf::Device);
    for (alias, holds) in [("Colibrí", true), ("", false), ("a\u{202e}b", false)] {
        let named = credential.clone().with_alias(alias);
        assert_eq!(named.verify(&public(LEAF)).is_ok(), holds, "{alias:?}");
    }
    let long = credential.with_alias(&"é".repeat(33));
    assert_eq!(long.verify(&public(LEAF)), Err(BadSignature));
}

/// [O-3]
#[test]
fn an_invitation_to_a_circle_is_said_by_one_of_at_most_two_facilitators_of_the_desk() {
    let root = public(ROOT);
    let invite = samples::circle_invite;
    let verify = |invite: &CircleInvite, author| invite.verify(&root, &public(author)).is_some();
    assert!(verify(&invite(), ACCOMPANIER) && verify(&invite(), COORDINATOR));
    assert!(!verify(&invite(), STRANGER));
    let other = invite().verify(&public(STRANGER), &public(ACCOMPANIER));
    assert!(other.is_none());
    let spoils: [fn(&mut CircleInvite); 8] = [
        |invite| invite.facilitators.clear(),
        |invite| invite.facilitators.push(invite.facilitators[0].clone()),
        |invite| invite.members = 0,
        |invite| invite.members = 51,
        |invite| invite.circle.truncate(31),
        |invite| invite.answers_to.truncate(1215),
        |invite| invite.about.name = "a\nb".into(),
        |invite| invite.about.about = "x".repeat(2_001),
    ];
    for spoil in spoils {
        let mut spoilt = invite();
        spoil(&mut spoilt);
        assert!(!verify(&spoilt, ACCOMPANIER));
    }
}
