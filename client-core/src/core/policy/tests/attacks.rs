//! Attacks on the policy, each as a hostile member would try it.

use cobijo_protocol::{
    card::Role,
    commit::{Profile, sign_leave},
    credential::PersonLeaf,
};

use super::{
    Cause::{Author, Leave},
    Rule, cases,
    scene::*,
    valid, void,
};

cases! {
    [P-20] an_accompanier_smuggles_an_add_beside_a_colleagues_leave:
        Scene::conversation().by(LUZ).removes(&[SOL]).says_leave(SOL).adds(accompanier("mar"))
        => void(Rule::MayNotAdd);
    [P-20] an_accompanier_smuggles_an_add_beside_a_removal:
        Scene::conversation().by(LUZ).removes(&[SOL]).says(removal("sol", 1))
            .adds(accompanier("mar"))
        => void(Rule::MayNotAdd);
    [P-20] an_accompanier_smuggles_an_add_beside_her_rescue:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN]).adds(device(3))
            .says_rescue("her", &device(3)).adds(accompanier("mar"))
        => void(Rule::MayNotAdd);
    [P-21] an_accompanier_smuggles_a_removal_beside_her_rescue:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN, SOL]).adds(device(3))
            .says_rescue("her", &device(3))
        => void(Rule::MayNotRemove);
    [P-20] an_accompanier_adds_without_a_path:
        Scene::conversation().by(LUZ).adds(accompanier("mar"))
            .with(|scene| scene.path = None) => void(Rule::MayNotAdd);
    [P-21] an_accompanier_removes_and_adds_her_again:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN]).adds(device(3))
        => void(Rule::MayNotAdd);
    [P-19] [P-21] an_accompanier_puts_a_device_of_her_own_in_her_place:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN])
            .adds(person("luz's other", 9, PersonLeaf::Device, "luz's other 9"))
        => void(Rule::MayNotAdd);
    [P-16] a_rescue_by_somebody_elses_person_key_takes_her_place:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN])
            .adds(person("luz's other", 9, PersonLeaf::Device, "luz's other 9"))
            .says_rescue("luz's other", &person("luz's other", 9, PersonLeaf::Device, "luz's other 9"))
        => void(Rule::PersonRescue);
    [P-16] a_rescue_of_hers_brings_in_a_strangers_leaf:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN])
            .adds(person("luz's other", 9, PersonLeaf::Device, "luz's other 9"))
            .says_rescue("her", &person("luz's other", 9, PersonLeaf::Device, "luz's other 9"))
        => void(Rule::PersonRescue);
    [P-16] a_rescue_of_hers_brings_in_a_member:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN]).adds(accompanier("mar"))
            .says_rescue("her", &accompanier("mar"))
        => void(Rule::PersonRescue);
    [P-17] a_members_rescue_removes_her:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN])
            .says_member_rescue("device 1", "mar", 1).adds(accompanier("mar"))
        => void(Rule::MemberRescue);
    [P-17] a_members_rescue_brings_in_a_person:
        Scene::conversation().by(LUZ).removes(&[SOL])
            .says_member_rescue("sol", "device 3", 1).adds(device(3))
        => void(Rule::MemberRescue);
    [P-11] [P-16] a_rescue_is_played_again_after_she_returned:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN])
            .adds(device(3)).says_rescue("her", &device(3))
            .with(|scene| {
                scene.leaves[1].1 = person("her", 3, PersonLeaf::Device, "device 3 before");
            })
        => void(Rule::Serial);
    [P-23] a_person_drops_back_to_an_old_serial_for_a_rescue_to_hold_again:
        Scene::conversation().by(HERS).removes(&[HER_RETURN]).adds(accompanier("mar"))
        => void(Rule::SerialFalls);
    [P-13] a_forged_leave_removes_her:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN])
            .says_leave_signed(HERS, &key("luz"))
        => void(Rule::Leave);
    [P-13] an_old_leave_of_hers_is_played_after_her_update:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN])
            .says(sign_leave(&key("her"), b"the group", HERS, &[7; 32]))
        => void(Rule::Leave);
    [P-13] a_leave_of_one_leaf_is_pinned_on_another:
        Scene::conversation().by(LUZ).removes(&[HERS, HER_RETURN]).with(|scene| {
            let hash = scene.node_hash(SOL);
            scene.data.statements.push(sign_leave(&key("sol"), &scene.group, HERS, &hash));
        })
        => void(Rule::Leave);
    [P-21] an_accompanier_leaves_and_takes_her_along:
        Scene::conversation().by(LUZ).removes(&[SOL, HER_RETURN]).says_leave(SOL)
        => void(Rule::SerialFalls);
    [P-21] an_accompanier_leaves_and_takes_her_device_along:
        Scene::conversation().by(LUZ).removes(&[SOL, HERS]).says_leave(SOL)
        => void(Rule::MayNotRemove);
    [P-8] a_member_comes_in_on_her_person_key:
        Scene::conversation().by(HERS).adds(accompanier("her")) => void(Rule::Key);
    [P-8] a_member_comes_in_on_her_leaf_key:
        Scene::conversation().by(HERS).adds(accompanier("device 1")) => void(Rule::Key);
    [P-8] a_person_comes_in_whose_person_key_is_a_members:
        Scene::circle().by(LUZ).adds(person("sol", 1, PersonLeaf::Device, "cai 1"))
        => void(Rule::Key);
    [P-8] a_person_key_signs_for_mls_as_well:
        Scene::circle().by(LUZ).adds(person("cai", 1, PersonLeaf::Device, "cai"))
        => void(Rule::Key);
    [P-8] a_member_and_a_person_come_in_on_each_others_key:
        Scene::circle().by(LUZ).adds(person("cai", 1, PersonLeaf::Device, "cai 1"))
            .adds(accompanier("cai"))
        => void(Rule::Key);
    [P-10] an_evicted_coordinator_vouches_for_a_friend:
        Scene::desk().by(LUZ).adds(member("mar", Role::Coordinator, 99, 1))
            .with(|scene| scene.desk_serial = 2)
        => void(Rule::DeskSerial);
    [P-10] an_evicted_coordinator_rescues_a_friend_beside_the_own_removal:
        Scene::desk().by(SOL).removes(&[LUZ, ANA]).says(removal("luz", 2))
            .says_member_rescue("ana", "ana 2", 1).adds(member("ana 2", Role::Coordinator, 9, 1))
        => void(Rule::DeskSerial);
    [P-17] [P-20] an_accompanier_is_rescued_as_a_colleague_without_her_yes:
        Scene::conversation().by(LUZ).removes(&[SOL]).says_member_rescue("sol", "mar", 1)
            .adds(member("mar", Role::Accompanier, 9, 1))
        => void(Rule::MemberRescue);
    [P-12] [P-20] an_evicted_member_is_removed_and_added_in_one_commit:
        Scene::conversation().by(LUZ).removes(&[SOL]).says(removal("sol", 1))
            .adds(member("sol", Role::Accompanier, 9, 1))
        => void(Rule::NotActedOn);
    [P-12] a_removal_is_undone_in_the_same_commit:
        Scene::conversation().by(HERS).removes(&[SOL]).says(removal("sol", 1))
            .adds(member("sol", Role::Accompanier, 9, 1))
        => void(Rule::NotActedOn);
    [P-12] a_leave_is_undone_in_the_same_commit:
        Scene::circle().by(LUZ).removes(&[ANA]).says_leave_signed(ANA, &key("ana"))
            .adds(person("ana", 2, PersonLeaf::Device, "ana 2"))
        => void(Rule::NotActedOn);
    [P-12] a_person_may_leave_on_a_key_that_a_member_brings_back:
        Scene::circle().by(LUZ).removes(&[ANA]).says_leave_signed(ANA, &key("ana"))
            .adds(accompanier("ana 1"))
        => valid(&[(ANA, Leave)]);
    [P-19] a_claimer_brings_two_silent_leaves_of_hers:
        Scene::founded(Profile::Conversation, accompanier("luz"))
            .adds(device(1)).adds(return_leaf(2)).adds(return_leaf(3))
        => void(Rule::Founding);
    [P-20] a_facilitator_key_does_not_help_in_a_conversation:
        Scene::conversation().by(LUZ).adds(accompanier("mar"))
            .with(|scene| scene.terms.facilitators.push(key("luz").public()))
        => void(Rule::MayNotAdd);
    [P-20] [P-21] a_coordinator_has_no_say_in_a_conversation:
        Scene::conversation().by(LUZ).removes(&[SOL]).with(|scene| {
            scene.leaves[0].1 = member("luz", Role::Coordinator, 1, 1);
        })
        => void(Rule::MayNotRemove);
    [P-24] a_coordinator_has_no_say_in_a_circle:
        Scene::circle().by(SOL).removes(&[ANA]).with(|scene| {
            scene.leaves[3].1 = member("sol", Role::Coordinator, 1, 1);
        })
        => void(Rule::MayNotRemove);
    [P-21] her_other_leaf_is_removed_by_her_alone:
        Scene::conversation().by(HER_RETURN).removes(&[HERS, SOL]).adds(return_leaf(3))
        => valid(&[(HERS, Author), (SOL, Author)]);
}
