//! Renewals: [P-29].

use super::{
    Cause::{Author, Leave},
    Rule, cases, renews,
    scene::*,
    valid, void,
};

cases! {
    [P-29] an_accompanier_renews_once:
        Scene::conversation().by(SOL) => renews(&[SOL]);
    [P-29] an_accompanier_renews_after_another:
        Scene::conversation().by(SOL).renewed(&[LUZ]) => renews(&[LUZ, SOL]);
    [P-29] a_second_renewal_of_an_accompanier_is_void:
        Scene::conversation().by(SOL).renewed(&[SOL]) => void(Rule::Renewed);
    [P-29] two_accompaniers_do_not_renew_in_turn_for_ever:
        Scene::conversation().by(SOL).renewed(&[LUZ, SOL]) => void(Rule::Renewed);
    [P-29] her_renewal_lets_everybody_renew_again:
        Scene::conversation().by(HERS).renewed(&[LUZ, SOL]) => valid(&[]);
    [P-29] she_renews_as_often_as_she_wants:
        Scene::conversation().by(HERS).renewed(&[HERS]) => valid(&[]);
    [P-29] her_removal_lets_everybody_renew_again:
        Scene::conversation().by(HERS).renewed(&[LUZ, SOL]).removes(&[SOL])
        => valid(&[(SOL, Author)]);
    [P-29] whoever_has_renewed_still_commits_a_leave:
        Scene::conversation().by(SOL).renewed(&[SOL]).removes(&[LUZ]).says_leave(LUZ)
        => valid(&[(LUZ, Leave)]);
    [P-29] a_second_renewal_of_a_facilitator_is_valid:
        Scene::circle().by(LUZ).renewed(&[LUZ, ANA]) => valid(&[]);
    [P-29] a_second_renewal_of_a_person_of_a_circle_is_void:
        Scene::circle().by(ANA).renewed(&[ANA]) => void(Rule::Renewed);
    [P-29] a_second_renewal_of_a_coordinator_is_valid:
        Scene::desk().by(LUZ).renewed(&[LUZ, ANA]) => valid(&[]);
    [P-29] a_second_renewal_of_a_desks_accompanier_is_void:
        Scene::desk().by(SOL).renewed(&[SOL]) => void(Rule::Renewed);
}
