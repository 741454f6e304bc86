//! Rules that hold for every commit: [P-2]–[P-11], [P-28].

use cobijo_protocol::{
    card::Role,
    commit::{POLICY, Profile},
    credential::PersonLeaf,
};

use super::{
    super::PathLeaf,
    Cause::{Author, Removal},
    Refusal, Rule, cases, raises, renews,
    scene::*,
    valid, void,
};

cases! {
    [P-28] an_update_of_ones_own_path_is_open_to_a_member:
        Scene::conversation().by(SOL) => renews(&[SOL]);
    [P-28] an_update_of_ones_own_path_is_open_to_the_person:
        Scene::conversation().by(HERS) => valid(&[]);
    [P-28] an_update_of_ones_own_path_is_open_in_a_circle:
        Scene::circle().by(ANA) => renews(&[ANA]);
    [P-28] an_update_of_ones_own_path_is_open_in_a_desk:
        Scene::desk().by(SOL) => renews(&[SOL]);

    [P-2] an_unknown_policy_in_the_terms_stops:
        Scene::conversation().with(|scene| {
            scene.terms.policy = POLICY + 1;
            scene.data.policy = POLICY + 1;
        }) => Err(Refusal::UnknownPolicy);
    [P-2] an_unknown_policy_in_the_terms_stops_whatever_the_commit_says:
        Scene::conversation().with(|scene| scene.terms.policy = POLICY + 1)
        => Err(Refusal::UnknownPolicy);
    [P-2] a_member_stops_nobody_by_writing_an_unknown_policy:
        Scene::conversation().with(|scene| scene.data.policy = POLICY + 1)
        => void(Rule::Policy);

    [P-3] a_blank_leaf_authors_nothing:
        Scene::conversation().by(3) => void(Rule::Author);
    [P-3] a_leaf_beyond_the_tree_authors_nothing:
        Scene::desk().by(u32::MAX) => void(Rule::Author);

    [P-4] a_cut_may_count_up_to_the_limit:
        Scene::conversation().with(|scene| scene.data.cut[1].1 = 512) => renews(&[LUZ]);
    [P-4] a_cut_above_the_limit_is_void:
        Scene::conversation().with(|scene| scene.data.cut[1].1 = 513) => void(Rule::Cut);
    [P-4] a_cut_that_misses_a_leaf_is_void:
        Scene::conversation().with(|scene| { scene.data.cut.remove(3); }) => void(Rule::Cut);
    [P-4] a_cut_that_misses_the_author_is_void:
        Scene::conversation().with(|scene| { scene.data.cut.remove(0); }) => void(Rule::Cut);
    [P-4] a_cut_that_names_a_blank_leaf_is_void:
        Scene::conversation().with(|scene| scene.data.cut.insert(3, (3, 0))) => void(Rule::Cut);
    [P-4] a_cut_that_names_a_leaf_twice_is_void:
        Scene::conversation().with(|scene| scene.data.cut.insert(1, (1, 3))) => void(Rule::Cut);
    [P-4] a_cut_out_of_order_is_void:
        Scene::conversation().with(|scene| scene.data.cut.swap(0, 1)) => void(Rule::Cut);
    [P-4] an_empty_cut_is_void:
        Scene::conversation().with(|scene| scene.data.cut.clear()) => void(Rule::Cut);
    [P-4] a_cut_names_removed_leaves_too:
        Scene::conversation().by(HERS).removes(&[SOL])
            .with(|scene| { scene.data.cut.remove(3); }) => void(Rule::Cut);

    [P-5] a_path_that_swaps_the_credential_is_void:
        Scene::conversation().by(SOL)
            .with(|scene| scene.path = Some(PathLeaf { keeps_credential: false, ..KEPT }))
        => void(Rule::PathLeaf);
    [P-5] a_path_that_swaps_the_signature_key_is_void:
        Scene::conversation().by(SOL)
            .with(|scene| scene.path = Some(PathLeaf { keeps_key: false, ..KEPT }))
        => void(Rule::PathLeaf);
    [P-5] a_path_that_changes_capabilities_is_void:
        Scene::conversation().by(SOL)
            .with(|scene| scene.path = Some(PathLeaf { keeps_capabilities: false, ..KEPT }))
        => void(Rule::PathLeaf);
    [P-5] a_path_that_changes_extensions_is_void:
        Scene::conversation().by(SOL)
            .with(|scene| scene.path = Some(PathLeaf { keeps_extensions: false, ..KEPT }))
        => void(Rule::PathLeaf);
    [P-5] her_own_path_keeps_her_leaf_too:
        Scene::conversation().by(HERS)
            .with(|scene| scene.path = Some(PathLeaf { keeps_key: false, ..KEPT }))
        => void(Rule::PathLeaf);
    [P-5] a_commit_that_only_adds_needs_no_path:
        Scene::conversation().by(HERS).adds(accompanier("mar"))
            .with(|scene| scene.path = None) => valid(&[]);
    [P-5] a_commit_that_removes_needs_a_path:
        Scene::conversation().by(HERS).adds(accompanier("mar")).removes(&[SOL])
            .with(|scene| scene.path = None) => void(Rule::PathMissing);
    [P-5] a_commit_that_does_nothing_needs_a_path:
        Scene::conversation().by(HERS)
            .with(|scene| scene.path = None) => void(Rule::PathMissing);

    [P-6] nobody_removes_a_blank_leaf:
        Scene::conversation().by(HERS).removes(&[3]) => void(Rule::Removes);
    [P-6] nobody_removes_a_leaf_twice:
        Scene::conversation().by(HERS).removes(&[SOL, SOL]) => void(Rule::Removes);
    [P-6] nobody_removes_herself:
        Scene::conversation().by(HERS).removes(&[HERS]) => void(Rule::Removes);

    [P-7] a_newcomer_that_nobody_vouches_for_is_void:
        Scene::conversation().by(HERS)
            .adds(Someone { credential: b"Luz".to_vec(), ..accompanier("mar") })
        => void(Rule::Identity);
    [P-7] a_newcomer_of_another_desk_is_void:
        Scene::conversation().by(HERS)
            .adds(member_of(&key("their root"), "mar", Role::Accompanier, 1, 1))
        => void(Rule::Identity);
    [P-7] a_credential_on_another_key_is_void:
        Scene::conversation().by(HERS).adds(accompanier("mar").on_key("not mar"))
        => void(Rule::Identity);
    [P-7] a_person_leaf_on_another_key_is_void:
        Scene::conversation().by(HERS).adds(return_leaf(3).on_key("not hers"))
        => void(Rule::Identity);
    [P-7] a_key_package_that_expires_is_void:
        Scene::conversation().by(HERS).adds(accompanier("mar"))
            .with(|scene| scene.adds[0].1 = (0, 4_000_000_000)) => void(Rule::Lifetime);
    [P-7] a_key_package_that_starts_is_void:
        Scene::conversation().by(HERS).adds(accompanier("mar"))
            .with(|scene| scene.adds[0].1 = (1, u64::MAX)) => void(Rule::Lifetime);

    [P-8] a_second_leaf_of_a_member_is_void:
        Scene::conversation().by(HERS).adds(member("sol", Role::Accompanier, 2, 1))
        => void(Rule::Key);
    [P-8] two_newcomers_with_one_key_are_void:
        Scene::conversation().by(HERS).adds(accompanier("mar")).adds(accompanier("mar"))
        => void(Rule::Key);
    [P-8] a_member_may_be_replaced_on_the_same_key:
        Scene::conversation().by(HERS).adds(member("sol", Role::Accompanier, 2, 1))
            .removes(&[SOL]) => valid(&[(SOL, Author)]);
    [P-8] a_person_leaf_on_a_members_key_is_void:
        Scene::conversation().by(HERS).adds(person("her", 3, PersonLeaf::Return, "sol"))
        => void(Rule::Key);

    [P-9] welcomes_fewer_than_adds_are_void:
        Scene::conversation().by(HERS).adds(accompanier("mar"))
            .with(|scene| scene.data.welcomes.clear()) => void(Rule::Welcomes);
    [P-9] welcomes_more_than_adds_are_void:
        Scene::conversation().by(HERS).adds(accompanier("mar"))
            .with(|scene| scene.data.welcomes.push(scene.data.welcomes[0].clone()))
        => void(Rule::Welcomes);
    [P-9] an_empty_welcome_is_void:
        Scene::conversation().by(HERS).adds(accompanier("mar"))
            .with(|scene| scene.data.welcomes[0].0 = 0) => void(Rule::Welcomes);
    [P-9] a_welcome_may_fill_all_bodies:
        Scene::conversation().by(HERS).adds(accompanier("mar"))
            .with(|scene| scene.data.welcomes[0].0 = 64 * 4053) => valid(&[]);
    [P-9] a_welcome_that_no_head_carries_is_void:
        Scene::conversation().by(HERS).adds(accompanier("mar"))
            .with(|scene| scene.data.welcomes[0].0 = 64 * 4053 + 1) => void(Rule::Welcomes);

    [P-10] [P-28] a_newcomer_on_a_newer_desk_key_raises_the_serial:
        Scene::conversation().by(HERS).adds(member("mar", Role::Accompanier, 1, 4))
        => raises(4, &[]);
    [P-10] [P-28] a_statement_by_a_newer_desk_key_raises_the_serial:
        Scene::conversation().by(LUZ).removes(&[SOL]).says(removal("sol", 4))
        => raises(4, &[(SOL, Removal)]);
    [P-10] [P-28] newcomers_of_different_serials_may_come_together:
        Scene::conversation().by(HERS).adds(member("mar", Role::Accompanier, 1, 5))
            .adds(member("ana", Role::Accompanier, 1, 4))
        => raises(5, &[]);
    [P-10] an_old_desk_key_vouches_for_no_newcomer:
        Scene::conversation().by(HERS).adds(accompanier("mar"))
            .with(|scene| scene.desk_serial = 2) => void(Rule::DeskSerial);
    [P-10] a_newer_leaf_in_the_group_ends_an_old_desk_key:
        Scene::conversation().by(HERS).adds(accompanier("mar")).with(|scene| {
            scene.leaves[3].1 = member("sol", Role::Accompanier, 1, 2);
        }) => void(Rule::DeskSerial);
    [P-10] a_newer_statement_in_the_commit_ends_an_old_desk_key:
        Scene::conversation().by(HERS).adds(accompanier("mar")).removes(&[SOL])
            .says(removal("sol", 2)) => void(Rule::DeskSerial);
    [P-10] [P-28] a_serial_seen_before_is_not_forgotten:
        Scene::conversation().by(HERS).with(|scene| scene.desk_serial = 9) => raises(9, &[]);

    [P-11] her_next_return_leaf_has_a_higher_serial:
        Scene::conversation().by(HERS).adds(return_leaf(3)).removes(&[HER_RETURN])
        => valid(&[(HER_RETURN, Author)]);
    [P-11] an_old_key_package_of_hers_is_void:
        Scene::conversation().by(HERS).adds(
            person("her", 2, PersonLeaf::Return, "return old")).removes(&[HER_RETURN])
        => void(Rule::Serial);
    [P-11] a_device_leaf_is_newer_than_her_return_leaf:
        Scene::conversation().by(HER_RETURN).adds(
            person("her", 2, PersonLeaf::Device, "device other")).removes(&[HERS])
        => void(Rule::Serial);
    [P-11] a_persons_leaf_in_a_circle_grows_too:
        Scene::circle().by(LUZ).adds(person("ana", 1, PersonLeaf::Device, "ana old"))
            .removes(&[ANA]) => void(Rule::Serial);

    [P-18] a_creator_that_is_no_leaf_at_index_zero_founds_nothing:
        Scene::founded(Profile::Conversation, accompanier("luz")).adds(device(1))
            .with(|scene| {
                scene.leaves[0].0 = 5;
                scene.data.cut[0].0 = 5;
                scene.author = 5;
            }) => void(Rule::MayNotAdd);
}
