//! Terms, credentials, commit data, statements, Welcomes and application messages.

use cobijo_protocol::{
    cbor,
    circle::{LetIn, again_info, answer_info},
    commit::{CommitData, EXPORTER_LABEL, TERMS_EXTENSION, WELCOME_SECRET_EXTENSION},
    content::{Message, MessageId},
    credential::Credential,
    handover::{Word, word_seal_info},
};
use serde_json::{Value, json};

use super::{cbor_vector, hex};
use crate::samples::{self, public};

pub(crate) fn vectors() -> Value {
    json!({
        "constants": {
            "terms_extension": TERMS_EXTENSION,
            "welcome_secret_extension": WELCOME_SECRET_EXTENSION,
            "exporter_label": EXPORTER_LABEL,
        },
        "terms": list(samples::terms()),
        "credentials": credentials(),
        "statement_inputs": {
            "group": hex(samples::GROUP),
            "leaf_node_hash": hex(samples::LEAF_NODE_HASH),
        },
        "statements": list(samples::statements()),
        "commit_data": commit_data(),
        "welcome_payload": cbor_vector("welcome payload", &samples::welcome_payload()),
        "messages": messages(),
        "words": words(),
        "circle": circle(),
    })
}

fn list<T: serde::Serialize>(values: Vec<(&'static str, T)>) -> Vec<Value> {
    values
        .iter()
        .map(|(name, value)| cbor_vector(name, value))
        .collect()
}

fn credentials() -> Vec<Value> {
    samples::credentials()
        .into_iter()
        .map(|(name, credential, leaf_key)| {
            let bytes = cbor::encode(&credential);
            Credential::identify(&bytes, &leaf_key, &public(samples::ROOT)).unwrap();
            let mut vector = cbor_vector(name, &credential);
            vector["leaf_key"] = json!(hex(leaf_key.as_bytes()));
            vector
        })
        .collect()
}

fn commit_data() -> Vec<Value> {
    let values = samples::commit_data();
    for (_, value) in &values {
        assert_eq!(CommitData::decode(&cbor::encode(value)).as_ref(), Ok(value));
    }
    list(values)
}

/// What is sealed to a coordinator.
fn words() -> Vec<Value> {
    let (author, to) = (public(samples::ACCOMPANIER), public(samples::COORDINATOR));
    samples::handover::words()
        .into_iter()
        .map(|(name, word)| {
            let plaintext = word.to_plaintext().unwrap();
            assert_eq!(Word::from_plaintext(&plaintext).as_ref(), Some(&word));
            let mut vector = cbor_vector(name, &word);
            vector["author"] = json!(hex(author.as_bytes()));
            vector["to"] = json!(hex(to.as_bytes()));
            vector["info"] = json!(hex(word_seal_info(&samples::desk(), &author, &to)));
            vector["plaintext"] = json!(hex(plaintext));
            vector
        })
        .collect()
}

fn circle() -> Value {
    let invite = MessageId::from_bytes([0x1d; 16]);
    let circle = samples::circle_invite().circle;
    for (_, let_in) in samples::let_ins() {
        let plaintext = let_in.to_plaintext();
        assert_eq!(LetIn::from_plaintext(&plaintext).as_ref(), Ok(&let_in));
    }
    json!({
        "invite": hex(invite.as_bytes()),
        "answer_info": hex(answer_info(&invite)),
        "circle": hex(&circle),
        "again_info": hex(again_info(&circle)),
        "let_in": list(samples::let_ins().into()),
    })
}

fn messages() -> Vec<Value> {
    samples::contents()
        .into_iter()
        .map(|(name, content)| {
            let message = samples::message(content);
            assert_eq!(
                cbor::decode::<Message>(&cbor::encode(&message)).as_ref(),
                Ok(&message),
                "{name}"
            );
            let mut vector = cbor_vector(name, &message);
            let author = public(samples::ACCOMPANIER);
            let id = MessageId::of(&author, &cbor::encode(&message));
            vector["author"] = json!(hex(author.as_bytes()));
            vector["message_name"] = json!(hex(id.as_bytes()));
            vector
        })
        .collect()
}
