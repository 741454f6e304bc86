//! A conversation: [P-18]–[P-23].

use cobijo_protocol::{
    commit::{Profile, sign_wipe},
    credential::PersonLeaf,
};

use super::{
    Cause::{Author, Leave, Removal, Wipe},
    Presence::{Left, Wiped},
    Rule, cases, ends,
    scene::*,
    valid, void,
};

fn founded() -> Scene {
    Scene::founded(Profile::Conversation, accompanier("luz"))
}

/// Her wipe was committed by her device, whose leaf still stands.
fn wiped() -> Scene {
    Scene::conversation().with(|scene| {
        scene.presence = Wiped;
        scene.leaves.remove(2);
        scene.data.cut.remove(2);
    })
}

/// Her leave was committed; Luz and Sol are left.
fn left() -> Scene {
    Scene::conversation().with(|scene| {
        scene.presence = Left;
        scene.leaves.drain(1..3);
        scene.data.cut.drain(1..3);
    })
}

cases! {
    [P-18] [P-19] a_claimer_founds_a_conversation:
        founded().adds(device(1)) => valid(&[]);
    [P-18] [P-19] a_claimer_adds_her_device_and_return_leaf:
        founded().adds(device(1)).adds(return_leaf(2)) => valid(&[]);
    [P-11] [P-19] the_serials_of_a_founding_commit_count_each_for_itself:
        founded().adds(device(0)).adds(return_leaf(0)) => valid(&[]);
    [P-18] [P-19] a_person_founds_a_successor:
        Scene::founded(Profile::Conversation, device(5))
            .adds(accompanier("mar")).adds(return_leaf(6)) => valid(&[]);
    [P-19] a_conversation_without_a_person_is_not_founded:
        founded() => void(Rule::OnePerson);
    [P-19] a_conversation_of_members_alone_is_not_founded:
        founded().adds(accompanier("mar")) => void(Rule::OnePerson);
    [P-19] a_conversation_with_two_persons_is_not_founded:
        founded().adds(device(1)).adds(person("other", 1, PersonLeaf::Device, "other 1"))
        => void(Rule::OnePerson);
    [P-19] a_founding_commit_with_her_return_leaf_alone_is_void:
        founded().adds(return_leaf(2)) => void(Rule::Founding);
    [P-19] a_founding_commit_with_two_device_leaves_is_void:
        founded().adds(device(1)).adds(device(2)) => void(Rule::Founding);
    [P-19] a_founding_commit_with_two_return_leaves_is_void:
        founded().adds(device(1)).adds(return_leaf(2)).adds(return_leaf(3))
        => void(Rule::Founding);

    [P-20] she_adds_an_accompanier:
        Scene::conversation().by(HERS).adds(accompanier("mar")) => valid(&[]);
    [P-20] her_return_leaf_is_hers_as_well:
        Scene::conversation().by(HER_RETURN).adds(accompanier("mar")) => valid(&[]);
    [P-20] an_accompanier_adds_nobody:
        Scene::conversation().by(LUZ).adds(accompanier("mar")) => void(Rule::MayNotAdd);
    [P-18] [P-20] a_second_commit_of_the_creator_is_not_exempt:
        Scene::conversation().by(LUZ).adds(accompanier("mar"))
            .with(|scene| scene.epoch = 1) => void(Rule::MayNotAdd);
    [P-20] an_accompanier_adds_no_leaf_of_hers:
        Scene::conversation().by(LUZ).adds(device(3)) => void(Rule::MayNotAdd);
    [P-19] she_adds_no_other_person:
        Scene::conversation().by(HERS).adds(person("other", 1, PersonLeaf::Device, "other 1"))
        => void(Rule::OnePerson);
    [P-19] [P-20] she_may_have_more_leaves_by_her_own_commit:
        Scene::conversation().by(HERS).adds(device(3)).adds(return_leaf(4)) => valid(&[]);

    [P-21] she_removes_an_accompanier:
        Scene::conversation().by(HERS).removes(&[SOL]) => valid(&[(SOL, Author)]);
    [P-21] she_removes_everyone_else:
        Scene::conversation().by(HERS).removes(&[SOL, LUZ])
        => valid(&[(LUZ, Author), (SOL, Author)]);
    [P-21] [P-23] she_comes_back_by_her_return_leaf:
        Scene::conversation().by(HER_RETURN).removes(&[HERS]).adds(return_leaf(3))
        => valid(&[(HERS, Author)]);
    [P-21] an_accompanier_removes_no_colleague:
        Scene::conversation().by(LUZ).removes(&[SOL]) => void(Rule::MayNotRemove);
    [P-21] an_accompanier_does_not_remove_her:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN]) => void(Rule::OnePerson);
    [P-21] an_accompanier_does_not_remove_her_return_leaf:
        Scene::conversation().by(LUZ).removes(&[HERS]) => void(Rule::MayNotRemove);
    [P-21] a_coordinators_statement_removes_an_accompanier:
        Scene::conversation().by(LUZ).removes(&[SOL]).says(removal("sol", 1))
        => valid(&[(SOL, Removal)]);
    [P-21] an_accompanier_leaves:
        Scene::conversation().by(LUZ).removes(&[SOL]).says_leave(SOL)
        => valid(&[(SOL, Leave)]);

    [P-22] she_leaves:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN]).says_leave(HERS)
        => ends(Left, &[(HERS, Leave), (HER_RETURN, Leave)]);
    [P-22] nothing_is_added_beside_her_leave:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN]).says_leave(HERS)
            .adds(person("other", 1, PersonLeaf::Device, "other 1"))
        => void(Rule::AddAfterEnd);
    [P-22] nothing_is_added_beside_her_wipe:
        Scene::conversation().by(HERS).removes(&[HER_RETURN]).says_wipe().adds(return_leaf(3))
        => void(Rule::AddAfterEnd);
    [P-22] after_her_leave_nobody_is_added:
        left().by(LUZ).adds(device(9)).removes(&[SOL]).says_leave(SOL)
        => void(Rule::AddAfterEnd);
    [P-22] after_her_leave_a_member_still_leaves:
        left().by(LUZ).removes(&[SOL]).says_leave(SOL) => ends(Left, &[(SOL, Leave)]);
    [P-22] after_her_leave_nobody_updates:
        left().by(LUZ) => void(Rule::OnlyRemovals);
    [P-22] after_her_leave_nobody_removes_a_colleague:
        left().by(LUZ).removes(&[SOL]) => void(Rule::MayNotRemove);
    [P-22] after_her_wipe_anyone_removes_what_stands_of_hers:
        wiped().by(SOL).removes(&[HERS]) => ends(Wiped, &[(HERS, Wipe)]);
    [P-22] after_her_wipe_nobody_removes_a_colleague_with_her:
        wiped().by(LUZ).removes(&[HERS, SOL]) => void(Rule::MayNotRemove);
    [P-22] after_her_wipe_she_adds_nobody:
        wiped().by(HERS).adds(accompanier("mar")) => void(Rule::AddAfterEnd);
    [P-22] after_her_wipe_she_is_not_rescued:
        wiped().by(LUZ).removes(&[HERS]).adds(device(3)).says_rescue("her", &device(3))
        => void(Rule::AddAfterEnd);
    [P-22] after_her_wipe_a_leave_changes_nothing:
        wiped().by(LUZ).removes(&[HERS]).says_leave(HERS) => ends(Wiped, &[(HERS, Leave)]);
    [P-22] after_her_wipe_a_colleague_may_leave_before_her_leaf_goes:
        wiped().by(LUZ).removes(&[SOL]).says_leave(SOL) => ends(Wiped, &[(SOL, Leave)]);
    [P-22] after_her_wipe_nobody_updates:
        wiped().by(LUZ) => void(Rule::OnlyRemovals);
    [P-22] [P-14] a_wipe_by_someone_elses_key_ends_nothing:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN])
            .says(sign_wipe(&key("luz"), b"the group")) => void(Rule::Wipe);

    [P-23] her_highest_serial_stays:
        Scene::conversation().by(HERS).removes(&[HER_RETURN]) => void(Rule::SerialFalls);
    [P-23] her_lower_serial_may_go:
        Scene::conversation().by(HER_RETURN).removes(&[HERS]) => valid(&[(HERS, Author)]);
}
