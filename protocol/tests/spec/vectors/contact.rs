//! Intakes, what waiting people add, and replies.

use cobijo_protocol::{
    cbor,
    intake::{Intake, Reply, Waiting, intake_info, verify_not_this_one, waiting_info},
};
use serde_json::{Value, json};

use super::{cbor_vector, hex};
use crate::samples::{self, public};

pub(crate) fn vectors() -> Value {
    json!({
        "intake_info": {
            "desk": hex(samples::desk().as_bytes()),
            "version": 2,
            "day": samples::DAY,
            "info": hex(intake_info(&samples::desk(), 2, samples::DAY)),
        },
        "waiting_info": {
            "r": hex(samples::r().as_bytes()),
            "info": hex(waiting_info(&samples::r())),
        },
        "intakes": intakes(),
        "waiting": waiting(),
        "replies": replies(),
        "reply_threads": reply_threads(),
        "claims": claims(),
        "takings": takings(),
        "successions": successions(),
    })
}

fn intakes() -> Vec<Value> {
    samples::intakes()
        .into_iter()
        .map(|(name, intake)| {
            let plaintext = intake.to_plaintext().unwrap();
            assert_eq!(Intake::from_plaintext(&plaintext).as_ref(), Ok(&intake));
            let mut vector = cbor_vector(name, &intake);
            vector["plaintext"] = json!(hex(&*plaintext));
            vector
        })
        .collect()
}

fn waiting() -> Vec<Value> {
    samples::waitings()
        .iter()
        .map(|(name, waiting)| {
            if let Waiting::Newcomer(newcomer) = waiting {
                assert!(newcomer.verify(&samples::r()));
            }
            cbor_vector(name, waiting)
        })
        .collect()
}

fn replies() -> Vec<Value> {
    samples::replies()
        .iter()
        .map(|(name, reply)| {
            assert!(is_signed(reply), "{name}");
            assert_eq!(
                cbor::decode::<Reply>(&cbor::encode(reply)).as_ref(),
                Ok(reply)
            );
            cbor_vector(name, reply)
        })
        .collect()
}

/// What stands after each reply, in the words of SPEC.md.
fn reply_threads() -> Vec<Value> {
    let (root, r) = (public(samples::ROOT), samples::r());
    let person = public(samples::PERSON);
    samples::reply_threads()
        .into_iter()
        .map(|(name, kind, replies)| {
            let mut standing = None;
            let mut step = |(index, (name, reply)): (u64, (&str, Reply))| {
                let (is_first, free) = (kind == "first", standing.is_none());
                standing = match &reply {
                    Reply::Claimed(reply) => (is_first && free)
                        .then(|| reply.verify_claimed(&root, &r).map(|_| index))
                        .map_or(standing, |stands| stands),
                    Reply::Offered(reply) => (!is_first && free)
                        .then(|| reply.verify_offered(&root, &r).map(|_| index))
                        .map_or(standing, |stands| stands),
                    Reply::NotThisOne { index, signature } => standing.filter(|stands| {
                        stands != index || !verify_not_this_one(&person, &r, *index, signature)
                    }),
                    Reply::Attested { .. } => standing,
                };
                json!({ "name": name, "cbor": hex(cbor::encode(&reply)), "stands": standing })
            };
            let steps: Vec<Value> = (0..).zip(replies).map(&mut step).collect();
            json!({ "name": name, "kind": kind, "replies": steps })
        })
        .collect()
}

fn claims() -> Vec<Value> {
    (0..)
        .zip(samples::claims())
        .map(|(index, (name, claim))| {
            let claimer = claim.verify(&public(samples::ROOT), &samples::r(), index);
            assert_eq!(claimer, Some(samples::attestation(samples::ACCOMPANIER)));
            cbor_vector(name, &claim)
        })
        .collect()
}

fn takings() -> Vec<Value> {
    let secret = samples::welcome_secret();
    samples::takings()
        .iter()
        .map(|(name, taking)| {
            let taker = taking.verify(&public(samples::ROOT), &secret);
            assert_eq!(taker, Some(samples::attestation(samples::ACCOMPANIER)));
            let mut vector = cbor_vector(name, taking);
            vector["welcome_secret"] = json!(hex(secret.as_bytes()));
            vector
        })
        .collect()
}

fn successions() -> Vec<Value> {
    samples::successions()
        .iter()
        .zip(1..)
        .map(|((name, signed), number)| {
            let succession = signed.verify(&public(samples::ROOT));
            assert_eq!(succession.ok(), Some(samples::succession(number)));
            cbor_vector(name, signed)
        })
        .collect()
}

fn is_signed(reply: &Reply) -> bool {
    let (root, r) = (public(samples::ROOT), samples::r());
    match reply {
        Reply::Claimed(reply) => reply.verify_claimed(&root, &r).is_some(),
        Reply::Offered(reply) => reply.verify_offered(&root, &r).is_some(),
        Reply::NotThisOne { index, signature } => {
            verify_not_this_one(&public(samples::PERSON), &r, *index, signature)
        }
        Reply::Attested { attested } => attested.verify(&root).is_ok(),
    }
}
