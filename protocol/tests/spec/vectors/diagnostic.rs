//! Diagnostic notation (RFC 8949 §8) of the CBOR that this protocol uses.

use ciborium::Value;

use super::hex;

/// Writes one item of CBOR for people.
pub(crate) fn of(bytes: &[u8]) -> String {
    write(&ciborium::from_reader(bytes).unwrap())
}

fn write(value: &Value) -> String {
    match value {
        Value::Integer(integer) => i128::from(*integer).to_string(),
        Value::Bytes(bytes) => format!("h'{}'", hex(bytes)),
        Value::Text(text) => format!("{text:?}"),
        Value::Bool(bool) => bool.to_string(),
        Value::Null => "null".into(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(write).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", write(key), write(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Float(_) | Value::Tag(..) | _ => panic!("{value:?} is not used"),
    }
}
