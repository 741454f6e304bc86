//! Keys, mailboxes, links, words, desks and cards.

use cobijo_protocol::{
    cbor,
    frame::SessionNonce,
    keys::{Labelled, PublicKey, Signed},
    mailbox::MailboxKey,
    words::{WordIndices, conversation_code, invite_words, person_alias},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{cbor_vector, hex};
use crate::samples::{self, key, public};

pub(crate) fn vectors() -> Value {
    json!({
        "keys": keys(),
        "open": open(),
        "desk": {
            "root": hex(public(samples::ROOT).as_bytes()),
            "id": hex(samples::desk().as_bytes()),
            "id_text": samples::desk().to_text(),
        },
        "link": {
            "text": samples::link().to_string(),
            "relay": samples::relay().to_string(),
            "host": samples::relay().host(),
            "port": samples::relay().port(),
        },
        "invite": {
            "text": samples::invite().to_text(),
            "root": hex(public(samples::ROOT).as_bytes()),
            "r": hex(samples::r().as_bytes()),
        },
        "words": words(),
        "signed": [
            signed("desk key", &samples::desk_key(), samples::ROOT),
            signed("attestation", &samples::attested(samples::ACCOMPANIER).attestation, samples::DESK),
            signed("coordinator", &samples::attested(samples::COORDINATOR).attestation, samples::DESK),
            signed("card", &samples::card().card, samples::DESK),
            signed("daily", &samples::card().daily, samples::ACCOMPANIER),
        ],
        "card": card(),
    })
}

fn keys() -> Vec<Value> {
    [
        ("root", samples::ROOT),
        ("desk", samples::DESK),
        ("accompanier", samples::ACCOMPANIER),
        ("coordinator", samples::COORDINATOR),
        ("person", samples::PERSON),
        ("leaf", samples::LEAF),
        ("mailbox", samples::MAILBOX),
    ]
    .into_iter()
    .map(|(name, seed)| {
        json!({
            "name": name,
            "seed": hex(key(seed).as_bytes()),
            "public": hex(public(seed).as_bytes()),
        })
    })
    .collect()
}

fn open() -> Value {
    let nonce = SessionNonce::from_bytes([0x9e; 32]);
    let secret = key(samples::MAILBOX);
    let mailbox = MailboxKey::of(&secret);
    let signature = MailboxKey::sign_open(&secret, samples::HOST, &nonce);
    assert!(mailbox.verify_open(samples::HOST, &nonce, &signature));
    json!({
        "host": samples::HOST,
        "nonce": hex(nonce.as_bytes()),
        "mailbox": hex(mailbox.as_bytes()),
        "signature": hex(signature.as_bytes()),
    })
}

fn words() -> Value {
    let newcomer = public(samples::ACCOMPANIER);
    let inviter = public(samples::COORDINATOR);
    let authenticator = [0xea; 32];
    let vector = |indices: WordIndices| json!(indices);
    json!({
        "invite": {
            "r": hex(samples::r().as_bytes()),
            "newcomer": hex(newcomer.as_bytes()),
            "inviter": hex(inviter.as_bytes()),
            "indices": vector(invite_words(&samples::r(), &newcomer, &inviter)),
        },
        "conversation": {
            "epoch_authenticator": hex(authenticator),
            "indices": vector(conversation_code(&authenticator)),
        },
        "alias": {
            "person": hex(public(samples::PERSON).as_bytes()),
            "indices": json!(person_alias(&public(samples::PERSON))),
        },
    })
}

fn signed<T>(name: &str, signed: &Signed<T>, signer: u8) -> Value
where
    T: Labelled + Serialize + DeserializeOwned,
{
    let verified = signed.verify(&public(signer)).unwrap();
    let body = cbor_vector(name, &verified);
    json!({
        "name": name,
        "label": T::LABEL,
        "signer": hex(public(signer).as_bytes()),
        "body": body["cbor"],
        "body_diagnostic": body["diagnostic"],
        "cbor": hex(cbor::encode(signed)),
    })
}

fn card() -> Value {
    let card = samples::card();
    let verified = card.verify(&samples::desk()).unwrap();
    let posters: Vec<String> = verified
        .body
        .posters
        .iter()
        .map(PublicKey::as_bytes)
        .map(hex)
        .collect();
    json!({
        "cbor": hex(card.encode()),
        "desk": samples::desk().to_text(),
        "posters": posters,
    })
}
