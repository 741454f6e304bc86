//! Random commits: no panic, and what must never come out of a valid one.

use std::collections::BTreeSet;

use cobijo_protocol::{
    card::Role,
    commit::{Profile, Statement},
    credential::PersonLeaf,
    keys::PublicKey,
};
use proptest::{prelude::*, strategy::ValueTree as _};

use super::{Cause, Presence, scene::*};

/// One thing a commit may do.
#[derive(Debug, Clone)]
enum Deed {
    AddDevice(u32),
    AddMember(u8, u32),
    AddReturn(u32),
    AddStranger(u32),
    Leave(u32),
    MemberRescue(u8, u32),
    Remove(u32),
    Removal(u8, u32),
    Rescue(u32),
    Wipe,
}

const NAMES: [&str; 6] = ["luz", "sol", "ana", "mar", "sol 2", "device 1"];

fn deed() -> impl Strategy<Value = Deed> {
    let name = || 0..NAMES.len() as u8;
    let leaf = || prop::sample::select(vec![LUZ, HERS, HER_RETURN, 3, SOL]);
    prop_oneof![
        (1..5u32).prop_map(Deed::AddDevice),
        (name(), 1..3u32).prop_map(|(name, serial)| Deed::AddMember(name, serial)),
        (1..5u32).prop_map(Deed::AddReturn),
        (1..3u32).prop_map(Deed::AddStranger),
        leaf().prop_map(Deed::Leave),
        (name(), 1..3u32).prop_map(|(name, serial)| Deed::MemberRescue(name, serial)),
        leaf().prop_map(Deed::Remove),
        leaf().prop_map(Deed::Remove),
        (name(), 1..3u32).prop_map(|(name, serial)| Deed::Removal(name, serial)),
        (1..5u32).prop_map(Deed::Rescue),
        Just(Deed::Wipe),
    ]
}

/// A commit, as far as a failing test should print it.
#[derive(Debug, Clone)]
struct Plan {
    profile: Profile,
    presence: Presence,
    author: u32,
    deeds: Vec<Deed>,
}

fn plan() -> impl Strategy<Value = Plan> {
    use Profile::{Circle, Conversation, Desk};
    (
        prop::sample::select(vec![Conversation, Conversation, Circle, Desk]),
        prop::sample::select(vec![Presence::Here, Presence::Here, Presence::Wiped]),
        0..6u32,
        prop::collection::vec(deed(), 0..5),
    )
        .prop_map(|(profile, presence, author, deeds)| Plan {
            profile,
            presence,
            author,
            deeds,
        })
}

impl Plan {
    fn scene(&self) -> Scene {
        let scene = match self.profile {
            Profile::Conversation => {
                Scene::conversation().with(|scene| scene.presence = self.presence)
            }
            Profile::Circle => Scene::circle(),
            Profile::Desk => Scene::desk(),
        };
        self.deeds.iter().cloned().fold(scene.by(self.author), done)
    }
}

/// The scene with one more deed in its commit.
fn done(scene: Scene, deed: Deed) -> Scene {
    let person_key = match scene.terms.profile {
        Profile::Conversation => "her",
        Profile::Circle | Profile::Desk => "ana",
    };
    match deed {
        Deed::AddDevice(serial) => scene.adds(device(serial)),
        Deed::AddMember(name, serial) => scene.adds(member(
            NAMES[usize::from(name)],
            Role::Accompanier,
            serial,
            serial,
        )),
        Deed::AddReturn(serial) => scene.adds(return_leaf(serial)),
        Deed::AddStranger(serial) => scene.adds(person(
            "stranger",
            serial,
            PersonLeaf::Device,
            "stranger's leaf",
        )),
        Deed::Leave(3) => scene,
        Deed::Leave(leaf) => scene.says_leave(leaf),
        Deed::MemberRescue(name, serial) => {
            scene.says_member_rescue("sol", NAMES[usize::from(name)], serial)
        }
        Deed::Remove(leaf) => scene.removes(&[leaf]),
        Deed::Removal(name, serial) => scene.says(removal(NAMES[usize::from(name)], serial)),
        Deed::Rescue(serial) => {
            let leaf = person(
                person_key,
                serial,
                PersonLeaf::Device,
                &format!("leaf {serial}"),
            );
            scene.says_rescue(person_key, &leaf).adds(leaf)
        }
        Deed::Wipe => scene.says_wipe(),
    }
}

/// The leaf keys that the commit's rescues name.
fn rescued(scene: &Scene) -> BTreeSet<PublicKey> {
    let statements = scene.data.statements.iter();
    let keys = statements.filter_map(|statement| match statement {
        Statement::PersonRescue { leaf_key, .. } => Some(*leaf_key),
        Statement::MemberRescue { rescue, .. } => Some(rescue.unverified().unwrap().new_key),
        Statement::Leave { .. } | Statement::Removal { .. } | Statement::Wipe { .. } => None,
    });
    keys.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// [P-12], [P-20], [P-21]
    #[test]
    fn a_valid_commit_does_only_what_its_author_may(plan in plan()) {
        let scene = plan.scene();
        let Ok(effect) = scene.verdict() else {
            return Ok(());
        };
        let (gone, causes): (BTreeSet<_>, BTreeSet<_>) = effect.removed.iter().copied().unzip();
        prop_assert_eq!(&gone, &scene.removes.iter().copied().collect());
        prop_assert!(!gone.contains(&scene.author));

        let added: BTreeSet<_> = scene.adds.iter().map(|add| add.0.key.public()).collect();
        let leads = match scene.terms.profile {
            Profile::Conversation => [HERS, HER_RETURN].contains(&scene.author),
            Profile::Circle | Profile::Desk => scene.author == LUZ,
        };
        prop_assert!(leads || added.is_subset(&rescued(&scene)));
        prop_assert!(leads || !causes.contains(&Cause::Author));
        prop_assert!(effect.presence == Presence::Here || added.is_empty());
        prop_assert!(effect.presence >= scene.presence && effect.desk_serial >= scene.desk_serial);
    }

    /// Damage anywhere in the commit's data is refused or judged, never a panic.
    #[test]
    fn a_cut_of_any_form_is_judged(
        plan in plan(),
        cut in prop::collection::vec((any::<u32>(), any::<u32>()), 0..6),
        total in any::<u32>(),
    ) {
        let spoilt = plan.scene().with(|scene| {
            scene.data.cut = cut;
            if let Some(welcome) = scene.data.welcomes.first_mut() {
                welcome.0 = total;
            }
        });
        prop_assert!(spoilt.verdict().is_err());
    }
}

/// Random commits would prove nothing if hardly any were valid.
#[test]
fn random_commits_are_valid_often_enough() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let valid = (0..400).filter(|_| {
        let tree = plan().new_tree(&mut runner).unwrap();
        tree.current().scene().verdict().is_ok()
    });
    let valid = valid.count();
    assert!(valid > 20, "{valid} of 400");
}
