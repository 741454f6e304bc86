//! A circle: [P-24], [P-25].

use cobijo_protocol::{commit::Profile, credential::PersonLeaf};

use super::{
    Cause::{Author, Leave, Removal, Rescue},
    Rule, cases,
    scene::*,
    valid, void,
};

fn cai() -> Someone {
    peer("cai", 1, PersonLeaf::Device, "cai 1")
}

cases! {
    [P-18] anyone_founds_a_circle:
        Scene::founded(Profile::Circle, accompanier("sol"))
            .adds(accompanier("luz")).adds(cai()) => valid(&[]);
    [P-24] a_facilitator_adds_a_person:
        Scene::circle().by(LUZ).adds(cai()) => valid(&[]);
    [P-24] a_facilitator_adds_a_member:
        Scene::circle().by(LUZ).adds(accompanier("mar")) => valid(&[]);
    [P-24] a_facilitator_removes:
        Scene::circle().by(LUZ).removes(&[SOL, BEA]) => valid(&[(BEA, Author), (SOL, Author)]);
    [P-24] a_member_who_does_not_facilitate_adds_nobody:
        Scene::circle().by(SOL).adds(cai()) => void(Rule::MayNotAdd);
    [P-24] a_member_who_does_not_facilitate_removes_nobody:
        Scene::circle().by(SOL).removes(&[ANA]) => void(Rule::MayNotRemove);
    [P-24] a_person_in_a_circle_adds_nobody:
        Scene::circle().by(ANA).adds(cai()) => void(Rule::MayNotAdd);
    [P-24] a_person_in_a_circle_removes_nobody:
        Scene::circle().by(ANA).removes(&[BEA]) => void(Rule::MayNotRemove);
    [P-24] a_person_on_a_facilitators_key_does_not_facilitate:
        Scene::circle().by(ANA).removes(&[BEA])
            .with(|scene| scene.terms.facilitators.push(key("ana 1").public()))
        => void(Rule::MayNotRemove);
    [P-24] [P-13] anyone_leaves_a_circle:
        Scene::circle().by(BEA).removes(&[ANA]).says_leave_signed(ANA, &key("ana"))
        => valid(&[(ANA, Leave)]);
    [P-24] [P-22] a_circle_goes_on_after_a_persons_leave:
        Scene::circle().by(LUZ).removes(&[ANA]).says_leave_signed(ANA, &key("ana")).adds(cai())
        => valid(&[(ANA, Leave)]);
    [P-24] [P-15] anyone_commits_a_coordinators_removal_in_a_circle:
        Scene::circle().by(ANA).removes(&[SOL]).says(removal("sol", 1))
        => valid(&[(SOL, Removal)]);
    [P-24] [P-16] anyone_rescues_a_person_of_a_circle:
        Scene::circle().by(BEA).removes(&[ANA])
            .adds(peer("ana", 2, PersonLeaf::Device, "ana 2"))
            .says_rescue("ana", &peer("ana", 2, PersonLeaf::Device, "ana 2"))
        => valid(&[(ANA, Rescue)]);
    [P-24] a_rescue_brings_no_second_newcomer_into_a_circle:
        Scene::circle().by(BEA).removes(&[ANA])
            .adds(peer("ana", 2, PersonLeaf::Device, "ana 2"))
            .says_rescue("ana", &peer("ana", 2, PersonLeaf::Device, "ana 2"))
            .adds(cai())
        => void(Rule::MayNotAdd);

    [P-25] a_second_leaf_of_a_person_in_a_circle_is_void:
        Scene::circle().by(LUZ).adds(peer("ana", 2, PersonLeaf::Device, "ana 2"))
        => void(Rule::CircleLeaf);
    [P-25] a_return_leaf_in_a_circle_is_void:
        Scene::circle().by(LUZ).adds(peer("cai", 1, PersonLeaf::Return, "cai 1"))
        => void(Rule::CircleLeaf);
    [P-14] one_person_cannot_wipe_a_circle:
        Scene::circle().by(LUZ).removes(&[ANA])
            .says(cobijo_protocol::commit::sign_wipe(&key("ana"), b"the group"))
        => void(Rule::Wipe);
    [P-30] a_person_without_a_pseudonym_comes_into_no_circle:
        Scene::circle().by(LUZ).adds(person("cai", 1, PersonLeaf::Device, "cai 1"))
        => void(Rule::Alias);
    [P-30] a_person_with_a_pseudonym_comes_into_no_conversation:
        Scene::conversation().by(HERS).removes(&[HER_RETURN])
            .adds(called("la otra", "her", 3, PersonLeaf::Device, "device 3"))
        => void(Rule::Alias);
    [P-30] [P-16] a_rescue_may_bring_another_pseudonym:
        Scene::circle().by(LUZ).removes(&[ANA])
            .adds(called("otra", "ana", 2, PersonLeaf::Device, "ana 2"))
            .says_rescue("ana", &peer("ana", 2, PersonLeaf::Device, "ana 2"))
        => valid(&[(ANA, Rescue)]);
    [P-7] a_pseudonym_that_turns_text_around_is_not_accepted:
        Scene::circle().by(LUZ).adds(called("\u{202e}zul", "cai", 1, PersonLeaf::Device, "cai 1"))
        => void(Rule::Identity);
}
