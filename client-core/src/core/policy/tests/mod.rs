//! Each rule is shown by cases; every case is a test of its own, and a vector in
//! `protocol/vectors/policy.json`.

mod attacks;
mod circle;
mod conversation;
mod desk;
mod properties;
mod renewals;
mod scene;
mod shape;
mod statements;
mod vectors;

use std::collections::BTreeSet;

use super::{Cause, Effect, Presence, Refusal, Rule};
use scene::Scene;

/// A commit in a scene, and the verdict that it must get.
struct Case {
    name: &'static str,
    ids: &'static [&'static str],
    scene: Scene,
    verdict: Result<Effect, Refusal>,
}

/// Makes each case a test, and lists them all for the vectors.
macro_rules! cases {
    ($($([$letter:ident - $number:literal])+ $name:ident: $scene:expr => $verdict:expr;)+) => {
        $(
            #[test]
            fn $name() {
                assert_eq!($scene.verdict(), $verdict);
            }
        )+

        /// The cases of this file.
        pub(super) fn all() -> Vec<super::Case> {
            vec![$(super::Case {
                name: stringify!($name),
                ids: &[$(concat!(stringify!($letter), "-", $number)),+],
                scene: $scene,
                verdict: $verdict,
            }),+]
        }
    };
}
use cases;

/// Valid, with nothing to remember, on desk serial 1.
fn valid(removed: &[(u32, Cause)]) -> Result<Effect, Refusal> {
    ends(Presence::Here, removed)
}

/// Valid, and the person is gone.
#[expect(clippy::unnecessary_wraps, reason = "it is a verdict")]
fn ends(presence: Presence, removed: &[(u32, Cause)]) -> Result<Effect, Refusal> {
    Ok(Effect {
        desk_serial: 1,
        presence,
        removed: removed.to_vec(),
        renewed: BTreeSet::new(),
    })
}

/// Valid, and the desk serial has risen.
#[expect(clippy::unnecessary_wraps, reason = "it is a verdict")]
fn raises(desk_serial: u32, removed: &[(u32, Cause)]) -> Result<Effect, Refusal> {
    Ok(Effect {
        desk_serial,
        presence: Presence::Here,
        removed: removed.to_vec(),
        renewed: BTreeSet::new(),
    })
}

/// Valid, and these may not renew again.
#[expect(clippy::unnecessary_wraps, reason = "it is a verdict")]
fn renews(leaves: &[u32]) -> Result<Effect, Refusal> {
    Ok(Effect {
        desk_serial: 1,
        presence: Presence::Here,
        removed: Vec::new(),
        renewed: leaves.iter().copied().collect(),
    })
}

fn void(rule: Rule) -> Result<Effect, Refusal> {
    Err(Refusal::Void(rule))
}
