//! The vectors of the policy, judged by the foreign client.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    foreign::{
        group::{CommitData, Terms, identity},
        policy::{Cause, Commit, Effect, Leaf, Newcomer, Presence, State, Verdict, judge},
    },
    vectors::{array, hex, list, number, vectors},
};

#[test]
fn commits_get_the_verdicts_of_the_vectors() {
    let vectors = vectors("policy");
    let mut wrong = Vec::new();
    for case in list(&vectors["cases"]) {
        let verdict = judge_case(&vectors["leaves"], case);
        let as_expected = match &verdict {
            Verdict::Valid(made) => case["verdict"] == "valid" && *made == effect(&case["effect"]),
            Verdict::Void(_) => case["verdict"] == "void",
            Verdict::Stop => case["verdict"] == "stop",
        };
        if !as_expected {
            wrong.push(format!("{} {}: {verdict:?}", case["name"], case["rules"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn judge_case(leaves: &Value, case: &Value) -> Verdict {
    let terms = Terms::decode(&hex(&case["terms"])).unwrap();
    let at = |position: &Value| &leaves[number::<usize>(position)];
    let who = |leaf: &Value| identity(&hex(&leaf["credential"]), &hex(&leaf["key"]), &terms.root);
    let leaf = |pair: &Value| {
        let leaf = at(&pair[1]);
        let leaf = Leaf {
            key: hex(&leaf["key"]),
            identity: who(leaf).unwrap(),
            hash: array(&leaf["node-hash"]),
        };
        (number(&pair[0]), leaf)
    };
    let wide = |number: &Value| number.as_str().unwrap().parse::<u64>().unwrap();
    let newcomer = |add: &Value| Newcomer {
        key: hex(&at(&add[0])["key"]),
        identity: who(at(&add[0])),
        lifetime: (wide(&add[1]), wide(&add[2])),
        has_welcome_secret: true,
    };
    let state = State {
        group: hex(&case["group"]),
        epoch: wide(&case["epoch"]),
        leaves: list(&case["leaves"]).iter().map(leaf).collect(),
        desk_serial: number(&case["desk-serial"]),
        presence: presence(&case["presence"]),
        renewed: list(&case["renewed"]).iter().map(number).collect(),
        terms: terms.clone(),
    };
    let commit = Commit {
        author: number(&case["author"]),
        path_keeps: case["path"].as_array().map(|kept| kept.len() == 4),
        adds: list(&case["adds"]).iter().map(newcomer).collect(),
        removes: list(&case["removes"]).iter().map(number).collect(),
        data: CommitData::decode(&hex(&case["data"])).unwrap(),
    };
    judge(&state, &commit)
}

fn presence(value: &Value) -> Presence {
    match value.as_str().unwrap() {
        "here" => Presence::Here,
        "left" => Presence::Left,
        "wiped" => Presence::Wiped,
        other => panic!("{other}"),
    }
}

fn effect(value: &Value) -> Effect {
    let cause = |pair: &Value| {
        let cause = match pair[1].as_str().unwrap() {
            "author" => Cause::Author,
            "leave" => Cause::Leave,
            "wipe" => Cause::Wipe,
            "removal" => Cause::Removal,
            "rescue" => Cause::Rescue,
            other => panic!("{other}"),
        };
        (number(&pair[0]), cause)
    };
    Effect {
        desk_serial: number(&value["desk-serial"]),
        presence: presence(&value["presence"]),
        removed: list(&value["removed"])
            .iter()
            .map(cause)
            .collect::<BTreeMap<_, _>>(),
        renewed: list(&value["renewed"]).iter().map(number).collect(),
    }
}
