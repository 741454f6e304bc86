//! Every operation, outcome and push.

use cobijo_protocol::frame::{
    FromRelay, decode_from_relay, decode_operations, encode_from_relay, encode_operations,
};
use serde_json::{Value, json};

use super::hex;
use crate::samples;

pub(crate) fn vectors() -> Value {
    let mut operations = samples::operations();
    let mut to_relay: Vec<Value> = operations
        .iter()
        .map(|(name, operation)| to_relay(name, std::slice::from_ref(operation)))
        .collect();
    operations.retain(|(name, _)| matches!(*name, "watch" | "erase" | "remove"));
    let several: Vec<_> = operations
        .into_iter()
        .map(|(_, operation)| operation)
        .collect();
    to_relay.push(self::to_relay("watch, erase, remove", &several));

    let outcomes = samples::outcomes();
    let all = outcomes
        .iter()
        .map(|(_, outcome)| outcome.clone())
        .collect();
    let answers = outcomes
        .into_iter()
        .map(|(name, outcome)| (name, FromRelay::Answer(vec![outcome])))
        .chain([("every outcome", FromRelay::Answer(all))])
        .chain(samples::pushes());
    let from_relay: Vec<Value> = answers
        .map(|(name, message)| from_relay(name, &message))
        .collect();
    json!({ "to_relay": to_relay, "from_relay": from_relay })
}

fn to_relay(name: &str, operations: &[cobijo_protocol::frame::Operation]) -> Value {
    let frame = encode_operations(operations).unwrap();
    assert_eq!(decode_operations(&frame).unwrap(), operations);
    vector(name, &frame)
}

fn from_relay(name: &str, message: &FromRelay) -> Value {
    let frame = encode_from_relay(message).unwrap();
    assert_eq!(decode_from_relay(&frame).unwrap(), *message);
    vector(name, &frame)
}

/// The frame is `length of content u32 BE ‖ content ‖ zeros`.
fn vector(name: &str, frame: &[u8]) -> Value {
    let (len, rest) = frame.split_first_chunk().unwrap();
    let (content, padding) = rest.split_at(u32::from_be_bytes(*len) as usize);
    assert!(padding.iter().all(|&byte| byte == 0));
    json!({ "name": name, "content": hex(content), "frame_length": frame.len() })
}
