//! Sealed cells, heads and bodies.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use cobijo_protocol::{
    cell::Cell,
    file::FILE_PART_BYTES,
    parts::{Data, Split},
    slot::{CELL_DATA_MAX, Kind, Slot, ThreadSecret},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{derivations::Reference, hex};
use crate::samples::file_bodies;

const SECRET: [u8; 32] = [0x4b; 32];
const NONCE: [u8; 24] = [0x24; 24];
const BODY_SECRET: [u8; 32] = [0xb0; 32];

pub(crate) fn vectors() -> Value {
    json!({
        "void_sha256": hex(Cell::void().hash()),
        "sealed": sealed(),
        "sealed_deterministic": sealed_deterministic(),
        "heads": [
            head("first part full", &Split::of(&payload(9_000), body_secret()).unwrap(), true),
            head(
                "first part empty",
                &Split::all_in_bodies(&payload(5_000), body_secret()).unwrap(),
                false,
            ),
            head(
                "one byte more than a cell",
                &Split::of(&payload(CELL_DATA_MAX), body_secret()).unwrap(),
                true,
            ),
        ],
        "file": file(),
    })
}

/// Two parts, of which the last has padding.
fn file() -> Value {
    let bytes = payload(FILE_PART_BYTES + 9_000);
    let bodies = file_bodies(bytes.len() as u64);
    let part = |part| {
        let head = bodies.head(part).unwrap();
        let sealed = bodies.seal(part, &bytes[bodies.size.range(part)]).unwrap();
        let cells: Vec<_> = sealed
            .iter()
            .map(|(slot, cell)| {
                json!({ "address": hex(slot.address().as_bytes()), "cell_sha256": hex(cell.hash()) })
            })
            .collect();
        json!({ "body_secret": hex(head.secret.as_bytes()), "total": head.total, "cells": cells })
    };
    let parts: Vec<_> = (0..bodies.size.parts()).map(part).collect();
    json!({ "secret": hex(bodies.secret.as_bytes()), "size": bytes.len(), "parts": parts })
}

fn body_secret() -> ThreadSecret {
    ThreadSecret::from_bytes(BODY_SECRET)
}

/// Byte `i` is `i mod 251`.
fn payload(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}

fn sealed() -> Value {
    let slot = Slot::derive(&ThreadSecret::from_bytes(SECRET), Kind::Message, 3, 9);
    let data = Data::Whole(b"hola".to_vec()).encode();
    let cell = slot.seal(&data, NONCE).unwrap();
    let expected = seal(&Reference::derive(&SECRET, 1, 3, 9, true), &data, NONCE);
    assert_eq!(cell.as_bytes().as_slice(), expected);
    json!({
        "secret": hex(SECRET), "kind": 1, "leaf": 3, "counter": 9,
        "payload": hex(b"hola"), "data": hex(data), "nonce": hex(NONCE),
        "cell": hex(cell.as_bytes()),
    })
}

fn sealed_deterministic() -> Value {
    let slot = Slot::derive(&ThreadSecret::from_bytes(SECRET), Kind::Welcome, 0, 1);
    let split = Split::all_in_bodies(&payload(5_000), body_secret()).unwrap();
    let data = split.data.encode();
    let cell = slot.seal_deterministic(&data).unwrap();
    let reference = Reference::derive(&SECRET, 8, 0, 1, false);
    let digest = Sha256::digest([reference.address.as_slice(), &plaintext(&data)].concat());
    let nonce: [u8; 24] = digest[..24].try_into().unwrap();
    assert_eq!(cell.as_bytes().as_slice(), seal(&reference, &data, nonce));
    json!({
        "secret": hex(SECRET), "kind": 8, "leaf": 0, "counter": 1,
        "total": 5_000, "body_secret": hex(BODY_SECRET),
        "data": hex(data), "nonce": hex(nonce), "cell": hex(cell.as_bytes()),
    })
}

fn plaintext(data: &[u8]) -> Vec<u8> {
    let mut plaintext = u16::try_from(data.len()).unwrap().to_be_bytes().to_vec();
    plaintext.extend(data);
    plaintext.resize(4_056, 0);
    plaintext
}

/// Seals any plaintext for the slot of [`sealed`].
pub(crate) fn seal_plaintext(plaintext: &[u8]) -> Vec<u8> {
    encrypt(&Reference::derive(&SECRET, 1, 3, 9, true), plaintext, NONCE)
}

/// Seals as SPEC.md says, apart from the crate.
fn seal(slot: &Reference, data: &[u8], nonce: [u8; 24]) -> Vec<u8> {
    encrypt(slot, &plaintext(data), nonce)
}

fn encrypt(slot: &Reference, plaintext: &[u8], nonce: [u8; 24]) -> Vec<u8> {
    let payload = Payload {
        msg: plaintext,
        aad: &slot.address,
    };
    let ciphertext = XChaCha20Poly1305::new((&slot.seal_key).into())
        .encrypt(XNonce::from_slice(&nonce), payload)
        .unwrap();
    [nonce.as_slice(), &ciphertext].concat()
}

fn head(name: &str, split: &Split, erasable: bool) -> Value {
    let Data::Head(head) = &split.data else {
        panic!("not a head");
    };
    let bodies: Vec<Value> = split
        .bodies
        .iter()
        .enumerate()
        .map(|(index, data)| {
            let slot = head.body_slot(index, erasable);
            let cell = slot.seal(data, NONCE).unwrap();
            json!({
                "address": hex(slot.address().as_bytes()),
                "data_length": data.len(),
                "data_sha256": hex(Sha256::digest(data)),
                "cell_sha256": hex(cell.hash()),
            })
        })
        .collect();
    json!({
        "name": name,
        "payload": "byte i is i mod 251",
        "total": head.total,
        "body_secret": hex(BODY_SECRET),
        "erasable": erasable,
        "body_nonce": hex(NONCE),
        "part_length": head.part.len(),
        "head_data_sha256": hex(Sha256::digest(split.data.encode())),
        "bodies": bodies,
    })
}
