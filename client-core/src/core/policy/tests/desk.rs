//! A desk: [P-26], [P-27].

use cobijo_protocol::{card::Role, commit::Profile};

use super::{
    Cause::{Author, Leave, Removal, Rescue},
    Rule, cases, raises,
    scene::*,
    valid, void,
};

cases! {
    [P-18] a_coordinator_founds_a_desk:
        Scene::founded(Profile::Desk, member("luz", Role::Coordinator, 1, 1))
            .adds(accompanier("sol")) => valid(&[]);
    [P-10] [P-18] a_coordinator_founds_a_desk_with_whom_older_desk_keys_attested:
        Scene::founded(Profile::Desk, member("luz", Role::Coordinator, 1, 3))
            .adds(accompanier("sol")).adds(member("mar", Role::Accompanier, 1, 2))
        => raises(3, &[]);
    [P-26] a_coordinator_adds_a_member:
        Scene::desk().by(LUZ).adds(accompanier("mar")) => valid(&[]);
    [P-26] a_coordinator_removes_a_member:
        Scene::desk().by(LUZ).removes(&[SOL]) => valid(&[(SOL, Author)]);
    [P-26] an_accompanier_adds_nobody_to_the_desk:
        Scene::desk().by(SOL).adds(accompanier("mar")) => void(Rule::MayNotAdd);
    [P-26] an_accompanier_removes_nobody_from_the_desk:
        Scene::desk().by(SOL).removes(&[ANA]) => void(Rule::MayNotRemove);
    [P-26] an_accompanier_does_not_remove_the_coordinator:
        Scene::desk().by(SOL).removes(&[LUZ]) => void(Rule::MayNotRemove);
    [P-26] a_facilitators_list_gives_no_say_in_a_desk:
        Scene::desk().by(SOL).removes(&[ANA])
            .with(|scene| scene.terms.facilitators.push(key("sol").public()))
        => void(Rule::MayNotRemove);
    [P-26] [P-13] anyone_leaves_the_desk:
        Scene::desk().by(SOL).removes(&[LUZ]).says_leave(LUZ) => valid(&[(LUZ, Leave)]);
    [P-26] [P-15] anyone_commits_a_removal_in_the_desk:
        Scene::desk().by(SOL).removes(&[LUZ]).says(removal("luz", 1))
        => valid(&[(LUZ, Removal)]);
    [P-26] [P-17] anyone_commits_a_members_rescue_in_the_desk:
        Scene::desk().by(SOL).removes(&[ANA]).adds(member("ana 2", Role::Accompanier, 2, 1))
            .says_member_rescue("ana", "ana 2", 1)
        => valid(&[(ANA, Rescue)]);

    [P-27] a_person_in_a_desk_is_void:
        Scene::desk().by(LUZ).adds(device(1)) => void(Rule::PersonInDesk);
    [P-27] a_person_in_a_new_desk_is_void:
        Scene::founded(Profile::Desk, member("luz", Role::Coordinator, 1, 1)).adds(device(1))
        => void(Rule::PersonInDesk);
}
