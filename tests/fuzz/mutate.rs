//! Changes to samples.

use rand_chacha::ChaCha20Rng;
use rand_core::Rng;

/// Bytes that mean something to a decoder of CBOR, postcard or MLS: lengths at their edges, headers of
/// indefinite and huge length, nulls, tags.
const TELLING: &[&[u8]] = &[
    &[0x00],
    &[0x7f],
    &[0x80],
    &[0x80, 0x00],
    &[0x81, 0x00],
    &[0xff],
    &[0xff, 0xff],
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0x18, 0x17],
    &[0x19, 0x00, 0x01],
    &[0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[0x3b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[0x5f],
    &[0x7f, 0x60],
    &[0x9b, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00],
    &[0x9f],
    &[0xa1],
    &[0xbb, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[0xbf],
    &[0xc2, 0x41, 0x01],
    &[0xf4],
    &[0xf6],
    &[0xf7],
    &[0xf9, 0x3c, 0x00],
];

/// Most changes to one sample.
const CHANGES_MAX: usize = 6;
/// Longest stretch that is removed, doubled or taken from another sample.
const STRETCH_MAX: usize = 64;

/// Changes `input` a few times, or not at all; `other` is what it may be crossed with.
pub(crate) fn mutate(input: &mut Vec<u8>, other: &[u8], rng: &mut ChaCha20Rng) {
    for _ in 0..below(rng, CHANGES_MAX + 1) {
        change(input, other, rng);
    }
}

/// A number below `bound`, or 0.
pub(crate) fn below(rng: &mut ChaCha20Rng, bound: usize) -> usize {
    let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
    usize::try_from(rng.next_u64() % bound).unwrap_or_default()
}

fn change(input: &mut Vec<u8>, other: &[u8], rng: &mut ChaCha20Rng) {
    let at = below(rng, input.len() + 1);
    let end = (at + below(rng, STRETCH_MAX)).min(input.len());
    match below(rng, 8) {
        0 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << below(rng, 8);
            }
        }
        1 => {
            if let Some(byte) = input.get_mut(at) {
                *byte = rng.next_u32().to_le_bytes()[0];
            }
        }
        2 => replace(input, at..at, TELLING[below(rng, TELLING.len())]),
        3 => {
            let telling = TELLING[below(rng, TELLING.len())];
            let over = (at + telling.len()).min(input.len());
            replace(input, at..over, telling);
        }
        4 => replace(input, at..end, &[]),
        5 => {
            let doubled = input[at..end].to_vec();
            replace(input, at..at, &doubled);
        }
        6 => {
            let from = below(rng, other.len() + 1);
            let to = (from + below(rng, STRETCH_MAX)).min(other.len());
            replace(input, at..end, &other[from..to]);
        }
        _ => input.truncate(at),
    }
}

fn replace(input: &mut Vec<u8>, range: std::ops::Range<usize>, by: &[u8]) {
    input.splice(range, by.iter().copied());
}
