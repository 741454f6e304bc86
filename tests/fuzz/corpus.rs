//! Samples: the committed vectors and the malformed inputs of a target.

use std::{fs, path::PathBuf};

use data_encoding::HEXLOWER;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use serde_json::Value;

use crate::{
    mutate::{below, mutate},
    targets::Target,
};

/// One input in this many is random bytes.
const RANDOM_ONE_IN: usize = 64;
/// Longest random input.
const RANDOM_BYTES_MAX: usize = 512;

/// What inputs are made from.
pub(crate) struct Corpus {
    samples: Vec<Vec<u8>>,
}

impl Corpus {
    /// Reads the samples of a target.
    pub(crate) fn of(target: &Target) -> Self {
        let vectors = target
            .vectors
            .iter()
            .flat_map(|(file, pointer)| vectors(file, pointer));
        let malformed = target.malformed.into_iter().flat_map(malformed);
        Self {
            samples: vectors.chain(malformed).collect(),
        }
    }

    /// How many samples there are.
    pub(crate) fn len(&self) -> usize {
        self.samples.len()
    }

    /// The samples as they are.
    #[cfg(test)]
    pub(crate) fn samples(&self) -> impl Iterator<Item = &[u8]> {
        self.samples.iter().map(Vec::as_slice)
    }

    /// The input of one round.
    pub(crate) fn input(&self, seed: u64, round: u64) -> Vec<u8> {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        rng.set_stream(round);
        if below(&mut rng, RANDOM_ONE_IN) == 0 {
            let mut input = vec![0; below(&mut rng, RANDOM_BYTES_MAX)];
            rng.fill_bytes(&mut input);
            return input;
        }
        let mut input = self.sample(&mut rng).to_vec();
        let other = self.sample(&mut rng);
        mutate(&mut input, other, &mut rng);
        input
    }

    fn sample(&self, rng: &mut ChaCha20Rng) -> &[u8] {
        let at = below(rng, self.samples.len());
        self.samples.get(at).map_or(&[], Vec::as_slice)
    }
}

fn protocol() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../protocol")
}

/// The values at `pointer`, in which `*` stands for every item of a list.
fn vectors(file: &str, pointer: &str) -> Vec<Vec<u8>> {
    let path = protocol().join(format!("vectors/{file}.json"));
    let value: Value = serde_json::from_str(&read(path)).unwrap_or_default();
    let texts = match pointer.split_once("/*") {
        None => vec![value.pointer(pointer)],
        Some((list, rest)) => value
            .pointer(list)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|item| item.pointer(rest))
            .collect(),
    };
    let texts = texts.into_iter().filter_map(|text| text?.as_str());
    texts
        .map(|text| {
            let bytes = HEXLOWER.decode(text.as_bytes());
            bytes.unwrap_or_else(|_| text.as_bytes().to_vec())
        })
        .collect()
}

/// Every file of a folder of malformed inputs: a comment, then hex in which `00*9` is nine zero bytes.
fn malformed(decoder: &str) -> Vec<Vec<u8>> {
    let folder = protocol().join("testdata/malformed").join(decoder);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    paths.into_iter().map(|path| parse(&read(path))).collect()
}

fn parse(text: &str) -> Vec<u8> {
    let hex = text.lines().skip(1).flat_map(str::split_whitespace);
    hex.flat_map(|token| {
        let (hex, times) = token.split_once('*').unwrap_or((token, "1"));
        let bytes = HEXLOWER.decode(hex.as_bytes()).unwrap_or_default();
        bytes.repeat(times.parse().unwrap_or(1))
    })
    .collect()
}

fn read(path: PathBuf) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
