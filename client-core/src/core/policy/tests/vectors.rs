//! `protocol/vectors/policy.json`: written with `UPDATE_VECTORS=1`, else compared, and judged anew
//! from what the file says.

use std::{collections::BTreeSet, fmt::Write as _, path::PathBuf};

use cobijo_protocol::{
    cbor,
    commit::{CommitData, Terms},
    credential::Credential,
    keys::PublicKey,
};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::{
    super::{Added, Change, Leaf, PathLeaf, Standing, judge},
    Case, Cause, Effect, Presence, Refusal, attacks, circle, conversation, desk, renewals,
    scene::{Scene, Someone},
    shape, statements,
};

/// The file.
#[derive(Serialize, Deserialize)]
struct Vectors {
    leaves: Vec<VectorLeaf>,
    cases: Vec<VectorCase>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct VectorLeaf {
    key: String,
    credential: String,
    node_hash: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct VectorCase {
    name: String,
    rules: Vec<String>,
    group: String,
    epoch: String,
    terms: String,
    leaves: Vec<(u32, usize)>,
    desk_serial: u32,
    presence: Presence,
    renewed: BTreeSet<u32>,
    author: u32,
    path: Option<Vec<Part>>,
    adds: Vec<(usize, String, String)>,
    removes: Vec<u32>,
    data: String,
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    effect: Option<VectorEffect>,
}

#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Part {
    Capabilities,
    Credential,
    Extensions,
    SignatureKey,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    Stop,
    Valid,
    Void,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct VectorEffect {
    desk_serial: u32,
    presence: Presence,
    removed: Vec<(u32, Cause)>,
    renewed: BTreeSet<u32>,
}

#[test]
fn the_committed_vectors_are_these_cases() {
    let text = Vectors::of(&all_cases()).text();
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::write(file(), &text).unwrap();
    }
    let committed = std::fs::read_to_string(file()).unwrap();
    assert!(
        committed == text,
        "run with UPDATE_VECTORS=1 and look at the difference"
    );
}

/// What the file says is enough to judge by: nothing else enters a verdict. [P-1]
#[test]
fn every_vector_is_judged_as_it_says() {
    let vectors: Vectors = serde_json::from_str(&std::fs::read_to_string(file()).unwrap()).unwrap();
    assert!(vectors.cases.len() >= 60);
    for case in &vectors.cases {
        let verdict = case.judge(&vectors.leaves);
        assert_eq!(verdict.0, case.verdict, "{}", case.name);
        assert_eq!(verdict.1, case.effect, "{}", case.name);
    }
}

#[test]
fn every_rule_has_a_case_that_breaks_it_or_shows_it() {
    let cases = all_cases();
    for number in 2..=29 {
        let id = format!("P-{number}");
        assert!(
            cases.iter().any(|case| case.ids.contains(&id.as_str())),
            "{id}"
        );
    }
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../protocol/vectors/policy.json")
}

fn all_cases() -> Vec<Case> {
    [
        shape::all(),
        statements::all(),
        conversation::all(),
        circle::all(),
        desk::all(),
        attacks::all(),
        renewals::all(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Vectors {
    fn of(cases: &[Case]) -> Self {
        let mut leaves = Vec::new();
        let cases = cases.iter().map(|case| VectorCase::of(case, &mut leaves));
        Self {
            cases: cases.collect(),
            leaves,
        }
    }

    /// One leaf or case a line, so that a change shows as what it is.
    fn text(&self) -> String {
        let mut text = String::from("{\n\"leaves\": [\n");
        push_lines(&mut text, &self.leaves);
        text.push_str("],\n\"cases\": [\n");
        push_lines(&mut text, &self.cases);
        text.push_str("]\n}\n");
        text
    }
}

fn push_lines(text: &mut String, values: &[impl Serialize]) {
    for (index, value) in values.iter().enumerate() {
        let comma = if index + 1 < values.len() { "," } else { "" };
        writeln!(text, "{}{comma}", serde_json::to_string(value).unwrap()).unwrap();
    }
}

impl VectorLeaf {
    fn position(someone: &Someone, leaves: &mut Vec<Self>) -> usize {
        let leaf = Self {
            key: HEXLOWER.encode(someone.key.public().as_bytes()),
            credential: HEXLOWER.encode(&someone.credential),
            node_hash: HEXLOWER.encode(&someone.node_hash()),
        };
        let known = leaves.iter().position(|known| *known == leaf);
        known.unwrap_or_else(|| {
            leaves.push(leaf);
            leaves.len() - 1
        })
    }

    fn key(&self) -> PublicKey {
        PublicKey::try_from(bytes(&self.key).as_slice()).unwrap()
    }
}

impl VectorCase {
    fn of(case: &Case, table: &mut Vec<VectorLeaf>) -> Self {
        let Scene {
            group,
            epoch,
            terms,
            leaves,
            desk_serial,
            presence,
            renewed,
            author,
            path,
            adds,
            removes,
            data,
        } = case.scene.clone();
        let mut position = |someone: &Someone| VectorLeaf::position(someone, table);
        let (verdict, effect) = outcome(case.verdict.clone());
        Self {
            name: case.name.replace('_', " "),
            rules: case.ids.iter().map(|&id| id.to_owned()).collect(),
            group: HEXLOWER.encode(&group),
            epoch: epoch.to_string(),
            terms: HEXLOWER.encode(&cbor::encode(&terms)),
            leaves: leaves
                .iter()
                .map(|(index, someone)| (*index, position(someone)))
                .collect(),
            desk_serial,
            presence,
            renewed,
            author,
            path: path.map(parts),
            adds: adds
                .iter()
                .map(|(someone, (from, to))| (position(someone), from.to_string(), to.to_string()))
                .collect(),
            removes,
            data: HEXLOWER.encode(&cbor::encode(&data)),
            verdict,
            effect,
        }
    }

    fn judge(&self, table: &[VectorLeaf]) -> (Verdict, Option<VectorEffect>) {
        let terms: Terms = cbor::decode(&bytes(&self.terms)).unwrap();
        let identify = |leaf: &VectorLeaf| {
            Credential::identify(&bytes(&leaf.credential), &leaf.key(), &terms.root).ok()
        };
        let leaves = self.leaves.iter().map(|&(index, position)| Leaf {
            index,
            key: table[position].key(),
            identity: identify(&table[position]).unwrap(),
            node_hash: bytes(&table[position].node_hash).try_into().unwrap(),
        });
        let adds = self.adds.iter().map(|(position, from, to)| Added {
            key: table[*position].key(),
            identity: identify(&table[*position]),
            lifetime: (from.parse().unwrap(), to.parse().unwrap()),
        });
        let keeps = |parts: &Vec<Part>| PathLeaf {
            keeps_capabilities: parts.contains(&Part::Capabilities),
            keeps_credential: parts.contains(&Part::Credential),
            keeps_extensions: parts.contains(&Part::Extensions),
            keeps_key: parts.contains(&Part::SignatureKey),
        };
        outcome(judge(
            &Standing {
                group: &bytes(&self.group),
                epoch: self.epoch.parse().unwrap(),
                terms: &terms,
                leaves: &leaves.collect::<Vec<_>>(),
                desk_serial: self.desk_serial,
                presence: self.presence,
                renewed: &self.renewed,
            },
            &Change {
                author: self.author,
                path: self.path.as_ref().map(keeps),
                adds: &adds.collect::<Vec<_>>(),
                removes: &self.removes,
                data: &CommitData::decode(&bytes(&self.data)).unwrap(),
            },
        ))
    }
}

fn parts(path: PathLeaf) -> Vec<Part> {
    [
        (path.keeps_capabilities, Part::Capabilities),
        (path.keeps_credential, Part::Credential),
        (path.keeps_extensions, Part::Extensions),
        (path.keeps_key, Part::SignatureKey),
    ]
    .into_iter()
    .filter_map(|(keeps, part)| keeps.then_some(part))
    .collect()
}

fn outcome(verdict: Result<Effect, Refusal>) -> (Verdict, Option<VectorEffect>) {
    match verdict {
        Ok(effect) => (
            Verdict::Valid,
            Some(VectorEffect {
                desk_serial: effect.desk_serial,
                presence: effect.presence,
                removed: effect.removed,
                renewed: effect.renewed,
            }),
        ),
        Err(Refusal::UnknownPolicy) => (Verdict::Stop, None),
        Err(Refusal::Void(_)) => (Verdict::Void, None),
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    HEXLOWER.decode(hex.as_bytes()).unwrap()
}
