//! Statements: [P-10], [P-12]–[P-17].

use cobijo_protocol::{
    card::Role,
    commit::{Statement, sign_leave, sign_wipe},
    credential::PersonLeaf,
};

use super::{
    Cause::{Leave, Removal, Rescue, Wipe},
    Presence::{Left, Wiped},
    Rule, cases, ends,
    scene::*,
    valid, void,
};

/// She asks for rescue with a new device leaf.
fn rescue(leaf: Someone) -> Scene {
    Scene::conversation()
        .by(LUZ)
        .removes(&[HERS, HER_RETURN])
        .says_rescue("her", &leaf)
        .adds(leaf)
}

/// Sol asks for rescue with a leaf of that name.
fn member_rescue_as(new: &str, serial: u32) -> Scene {
    Scene::conversation()
        .by(LUZ)
        .removes(&[SOL])
        .says_member_rescue("sol", new, 1)
        .adds(member(new, Role::Accompanier, serial, 1))
}

cases! {
    [P-12] a_statement_that_is_not_acted_on_is_void:
        Scene::conversation().by(LUZ).says_leave(SOL) => void(Rule::NotActedOn);
    [P-12] [P-13] a_leave_of_half_a_person_is_void:
        Scene::conversation().by(LUZ).removes(&[HERS]).says_leave(HERS) => void(Rule::NotActedOn);
    [P-12] [P-13] a_leave_of_the_author_is_void:
        Scene::conversation().by(SOL).says_leave(SOL) => void(Rule::NotActedOn);
    [P-12] [P-13] her_own_leave_is_for_others_to_commit:
        Scene::conversation().by(HERS).removes(&[HER_RETURN]).says_leave(HERS)
        => void(Rule::NotActedOn);
    [P-12] [P-15] a_removal_of_the_author_is_void:
        Scene::conversation().by(SOL).says(removal("sol", 1)) => void(Rule::NotActedOn);
    [P-12] a_statement_twice_is_void:
        Scene::conversation().by(LUZ).removes(&[SOL]).says_leave(SOL).says_leave(SOL)
        => void(Rule::Statements);
    [P-12] two_statements_about_one_leaf_are_void:
        Scene::conversation().by(LUZ).removes(&[SOL]).says_leave(SOL).says(removal("sol", 1))
        => void(Rule::Statements);
    [P-12] her_wipe_twice_is_void:
        Scene::conversation().by(HERS).removes(&[HER_RETURN]).says_wipe().says_wipe()
        => void(Rule::Statements);
    [P-12] [P-14] her_wipe_twice_is_void_on_her_only_leaf_too:
        Scene::conversation().by(HERS).says_wipe().says_wipe().with(|scene| {
            scene.leaves.remove(2);
            scene.data.cut.remove(2);
        }) => void(Rule::Statements);
    [P-12] a_leave_of_each_of_her_leaves_is_void:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN])
            .says_leave(HERS).says_leave(HER_RETURN)
        => void(Rule::Statements);
    [P-12] more_statements_than_leaves_are_void:
        (0..5).fold(Scene::conversation().by(LUZ), |scene, _| scene.says_wipe())
        => void(Rule::Statements);
    [P-12] too_many_statements_are_refused_before_any_is_looked_at:
        (0..5).fold(Scene::conversation().by(LUZ), |scene, _| {
            scene.says_leave_signed(SOL, &key("nobody"))
        }) => void(Rule::Statements);
    [P-12] statements_about_several_leaves_hold_together:
        Scene::conversation().by(LUZ).removes(&[SOL, HERS, HER_RETURN])
            .says_leave(HERS).says(removal("sol", 1))
        => ends(Left, &[(HERS, Leave), (HER_RETURN, Leave), (SOL, Removal)]);

    [P-13] a_leave_by_her_return_leaf_covers_her_device:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN]).says_leave(HER_RETURN)
        => ends(Left, &[(HERS, Leave), (HER_RETURN, Leave)]);
    [P-13] a_leave_of_a_blank_leaf_is_void:
        Scene::conversation().by(LUZ).removes(&[SOL])
            .says(sign_leave(&key("sol"), b"the group", 3, &[0; 32])) => void(Rule::Leave);
    [P-13] a_leave_over_an_older_leaf_node_is_void:
        Scene::conversation().by(LUZ).removes(&[SOL])
            .says(sign_leave(&key("sol"), b"the group", SOL, &[0; 32])) => void(Rule::Leave);
    [P-13] a_leave_of_another_group_is_void:
        Scene::conversation().by(LUZ).removes(&[SOL]).with(|scene| {
            let hash = scene.node_hash(SOL);
            scene.data.statements.push(sign_leave(&key("sol"), b"their group", SOL, &hash));
        }) => void(Rule::Leave);
    [P-13] a_leave_by_a_colleague_is_void:
        Scene::conversation().by(LUZ).removes(&[SOL]).says_leave_signed(SOL, &key("luz"))
        => void(Rule::Leave);
    [P-13] her_leave_takes_her_person_key:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN])
            .says_leave_signed(HERS, &key("device 1")) => void(Rule::Leave);

    [P-14] she_wipes:
        Scene::conversation().by(HERS).removes(&[HER_RETURN]).says_wipe()
        => ends(Wiped, &[(HER_RETURN, Wipe)]);
    [P-14] her_wipe_is_committed_for_her:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN]).says_wipe()
        => ends(Wiped, &[(HERS, Wipe), (HER_RETURN, Wipe)]);
    [P-14] her_wipe_with_only_one_leaf_removes_nothing_yet:
        Scene::conversation().by(HERS).says_wipe().with(|scene| {
            scene.leaves.remove(2);
            scene.data.cut.remove(2);
        }) => ends(Wiped, &[]);
    [P-14] a_wipe_that_leaves_a_leaf_of_hers_is_void:
        Scene::conversation().by(HERS).says_wipe() => void(Rule::NotActedOn);
    [P-14] a_wipe_of_another_group_is_void:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN])
            .says(sign_wipe(&key("her"), b"their group")) => void(Rule::Wipe);
    [P-14] a_wipe_that_another_key_signed_is_void:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN]).with(|scene| {
            let Statement::Wipe { signature, .. } = sign_wipe(&key("luz"), &scene.group) else {
                unreachable!()
            };
            let person = key("her").public();
            scene.data.statements.push(Statement::Wipe { person, signature });
        }) => void(Rule::Wipe);
    [P-14] [P-12] a_strangers_wipe_that_covers_nobody_is_void:
        Scene::conversation().by(LUZ).says(sign_wipe(&key("nobody"), b"the group"))
        => void(Rule::Wipe);
    [P-14] a_members_wipe_of_her_own_is_void:
        Scene::conversation().by(LUZ).says(sign_wipe(&key("luz"), b"the group"))
        => void(Rule::Wipe);
    [P-14] a_wipe_in_a_desk_is_void:
        Scene::desk().by(LUZ).says_wipe() => void(Rule::Wipe);

    [P-15] a_removal_of_somebody_who_is_not_here_is_void:
        Scene::conversation().by(LUZ).removes(&[SOL]).says(removal("mar", 1))
        => void(Rule::Removal);
    [P-15] a_removal_under_another_root_is_void:
        Scene::conversation().by(LUZ).removes(&[SOL])
            .says(removal_of(&key("their root"), "sol", 1)) => void(Rule::Removal);
    [P-15] a_removal_by_another_key_than_the_desks_is_void:
        Scene::conversation().by(LUZ).removes(&[SOL]).with(|scene| {
            let Statement::Removal { removal, .. } = removal("sol", 2) else {
                unreachable!()
            };
            let desk_key = signed_desk_key(&key("root"), 1);
            scene.data.statements.push(Statement::Removal { desk_key, removal });
        }) => void(Rule::Removal);
    [P-10] [P-15] a_removal_by_an_old_desk_key_is_void:
        Scene::conversation().by(LUZ).removes(&[SOL]).says(removal("sol", 1))
            .with(|scene| scene.desk_serial = 2) => void(Rule::DeskSerial);
    [P-10] [P-15] an_old_removal_beside_a_new_one_is_void:
        Scene::conversation().by(HERS).removes(&[SOL, LUZ])
            .says(removal("sol", 1)).says(removal("luz", 2)) => void(Rule::DeskSerial);
    [P-15] a_removal_never_covers_a_persons_leaf:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN]).says(removal("device 1", 1))
        => void(Rule::Removal);
    [P-15] she_may_commit_a_removal_too:
        Scene::conversation().by(HERS).removes(&[SOL]).says(removal("sol", 1))
        => valid(&[(SOL, Removal)]);

    [P-16] she_is_rescued:
        rescue(device(3)) => valid(&[(HERS, Rescue), (HER_RETURN, Rescue)]);
    [P-16] a_rescue_without_its_leaf_is_void:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN]).says_rescue("her", &device(3))
        => void(Rule::PersonRescue);
    [P-16] [P-12] a_rescue_that_leaves_a_leaf_of_hers_is_void:
        rescue(device(3)).with(|scene| { scene.removes.pop(); }) => void(Rule::NotActedOn);
    [P-16] a_rescue_onto_a_silent_leaf_is_void:
        rescue(return_leaf(3)) => void(Rule::PersonRescue);
    [P-16] a_rescue_of_another_group_is_void:
        rescue(device(3)).with(|scene| scene.group = b"their group".to_vec())
        => void(Rule::PersonRescue);
    [P-16] [P-11] an_old_rescue_is_void:
        rescue(device(2)) => void(Rule::Serial);
    [P-16] a_rescue_of_a_stranger_is_void:
        Scene::conversation().by(HERS)
            .adds(person("other", 3, PersonLeaf::Device, "other 3"))
            .says_rescue("other", &person("other", 3, PersonLeaf::Device, "other 3"))
        => void(Rule::PersonRescue);
    [P-16] a_rescue_signed_by_another_is_void:
        rescue(device(3)).with(|scene| {
            let Statement::PersonRescue { person, .. } = &mut scene.data.statements[0] else {
                unreachable!()
            };
            *person = key("luz").public();
        }) => void(Rule::PersonRescue);
    [P-16] a_rescue_for_another_leaf_key_is_void:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN]).adds(device(4)).with(|scene| {
            let scene_of_3 = rescue(device(3));
            let Statement::PersonRescue { person, signature, .. } = scene_of_3.data.statements[0]
            else {
                unreachable!()
            };
            let leaf_key = key("device 4").public();
            scene.data.statements.push(Statement::PersonRescue { person, leaf_key, signature });
        }) => void(Rule::PersonRescue);
    [P-16] [P-12] she_does_not_commit_her_own_rescue:
        Scene::conversation().by(HERS).removes(&[HER_RETURN])
            .adds(device(3)).says_rescue("her", &device(3)) => void(Rule::NotActedOn);

    [P-17] a_member_is_rescued:
        member_rescue_as("sol 2", 2) => valid(&[(SOL, Rescue)]);
    [P-17] a_member_is_rescued_on_the_same_key:
        member_rescue_as("sol", 2) => valid(&[(SOL, Rescue)]);
    [P-17] a_members_rescue_by_another_key_than_the_desks_is_void:
        member_rescue_as("sol 2", 2).with(|scene| {
            let Statement::MemberRescue { rescue, .. } =
                member_rescue(&scene.group, "sol", "sol 2", 2)
            else {
                unreachable!()
            };
            let desk_key = signed_desk_key(&key("root"), 1);
            scene.data.statements[0] = Statement::MemberRescue { desk_key, rescue };
        }) => void(Rule::MemberRescue);
    [P-17] a_members_rescue_under_another_root_is_void:
        member_rescue_as("sol 2", 2).with(|scene| {
            let Statement::MemberRescue { desk_key, .. } = &mut scene.data.statements[0] else {
                unreachable!()
            };
            *desk_key = signed_desk_key(&key("their root"), 1);
        }) => void(Rule::MemberRescue);
    [P-17] a_members_rescue_onto_an_older_attestation_is_void:
        member_rescue_as("sol 2", 1) => void(Rule::MemberRescue);
    [P-17] a_members_rescue_under_another_name_is_void:
        member_rescue_as("mar", 2) => void(Rule::MemberRescue);
    [P-17] a_members_rescue_without_its_leaf_is_void:
        Scene::conversation().by(LUZ).removes(&[SOL]).says_member_rescue("sol", "sol 2", 1)
        => void(Rule::MemberRescue);
    [P-17] a_members_rescue_of_nobody_here_is_void:
        Scene::conversation().by(HERS).says_member_rescue("mar", "mar 2", 1)
            .adds(member("mar 2", Role::Accompanier, 2, 1)) => void(Rule::MemberRescue);
    [P-17] a_members_rescue_of_another_group_is_void:
        member_rescue_as("sol 2", 2).with(|scene| {
            scene.data.statements[0] = member_rescue(b"their group", "sol", "sol 2", 1);
        }) => void(Rule::MemberRescue);
    [P-17] [P-10] a_members_rescue_by_an_old_desk_key_is_void:
        member_rescue_as("sol 2", 2).with(|scene| {
            scene.desk_serial = 2;
            scene.adds[0].0 = member("sol 2", Role::Accompanier, 2, 2);
        }) => void(Rule::DeskSerial);
    [P-17] [P-12] a_members_rescue_that_is_not_acted_on_is_void:
        member_rescue_as("sol 2", 2).with(|scene| scene.removes.clear())
        => void(Rule::NotActedOn);
}
