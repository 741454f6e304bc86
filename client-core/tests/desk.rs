//! A desk from its creation on, over a relay in memory and in virtual time.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

mod world;

use std::time::Duration;

use cobijo_client_core::core::client::{
    CardRefusal, Command, CommandError, Event, InviteEnd, JoinFailure, TeamCommand,
};
use cobijo_protocol::{card::Role, limits::INVITE_LIFETIME};
use world::{TODAY, World, create_desk, relay::read};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn a_desk_is_created_and_its_card_is_published_once_its_relay_hosts_it() {
    let mut world = World::new();
    let mar = world.client();
    world.team(mar, create_desk("Mar")).unwrap();
    let link = world.link(mar);
    let is_refused = |event: &Event| matches!(event, Event::CardRefused(CardRefusal::NotHosted));
    assert!(world.saw(mar, is_refused));
    world.relay.hosted.insert(link.desk);
    world.wait(Duration::from_secs(60));
    let card = read(&link.desk, &world.relay.cards[&link.desk]);
    assert_eq!(card.daily.day, TODAY);
    assert_eq!(card.body.posters, [world.key(mar)]);
}

#[test]
fn a_newcomer_joins_by_invitation_and_goes_on_shift() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    assert_eq!(world.aliases(mar), ["Mar", "Luz"]);
    assert_eq!(world.aliases(luz), ["Mar", "Luz"]);
    assert!(world.saw(luz, |event| matches!(event, Event::JoinedDesk)));
    assert!(world.saw(mar, |event| matches!(event, Event::NewcomerJoined(_))));
    world.team(luz, TeamCommand::StartShift).unwrap();
    let desk = world.desk_view(luz);
    assert!(desk.on_shift && desk.open_today);
    assert!(!desk.holds_desk_key);
    let card = read(&link.desk, &world.relay.cards[&link.desk]);
    assert!(card.body.posters.contains(&world.key(luz)));
}

#[test]
fn whoever_is_on_shift_first_posts_the_new_day() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    world.wait(DAY);
    world.team(luz, TeamCommand::StartShift).unwrap();
    let card = read(&link.desk, &world.relay.cards[&link.desk]);
    assert_eq!(card.daily.day, TODAY + 1);
    assert_eq!(card.daily.poster, world.key(luz));
    world.team(mar, TeamCommand::StartShift).unwrap();
    assert_eq!(world.relay.version(&link.desk), Some(card.version()));
}

#[test]
fn colleagues_keep_key_packages_for_each_other() {
    let mut world = World::new();
    let (mar, _) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    let eva = world.join(mar, "Eva", Role::Accompanier);
    for client in [mar, luz, eva] {
        let others = world.desk_view(client).colleagues;
        let left: Vec<_> = others
            .iter()
            .filter(|one| !one.own)
            .map(|one| one.key_packages)
            .collect();
        assert_eq!(left, [4, 4]);
    }
}

#[test]
fn a_second_coordinator_receives_the_desk_key_and_invites() {
    let mut world = World::new();
    let (mar, _) = world.desk();
    let sol = world.join(mar, "Sol", Role::Coordinator);
    assert!(world.desk_view(sol).holds_desk_key);
    assert!(!world.desk_view(sol).holds_root_key);
    let luz = world.join(sol, "Luz", Role::Accompanier);
    assert_eq!(world.aliases(mar), ["Mar", "Sol", "Luz"]);
    assert_eq!(world.aliases(luz), ["Mar", "Sol", "Luz"]);
}

#[test]
fn an_accompanier_does_nothing_that_is_for_coordinators() {
    let mut world = World::new();
    let (mar, _) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    let refused = Err(CommandError::NotCoordinator);
    assert_eq!(world.team(luz, TeamCommand::Invite), refused);
    let key = world.key(mar);
    assert_eq!(world.team(luz, TeamCommand::RemoveMember(key)), refused);
    let renew = world.team(luz, TeamCommand::RenewDeskKey);
    assert_eq!(renew, Err(CommandError::RootElsewhere));
}

#[test]
fn an_invitation_is_used_once() {
    let mut world = World::new();
    let (mar, _) = world.desk();
    let (id, invite) = world.invite(mar);
    let admit = || TeamCommand::Admit {
        invite: id,
        role: Role::Accompanier,
    };
    assert_eq!(world.team(mar, admit()), Err(CommandError::NobodyYet));
    let join = |alias: &str| TeamCommand::JoinDesk {
        invite: invite.clone(),
        alias: alias.to_owned(),
    };
    let luz = world.client();
    world.team(luz, join("Luz")).unwrap();
    let thief = world.client();
    world.team(thief, join("Eva")).unwrap();
    let is_used = |event: &Event| matches!(event, Event::JoinFailed(JoinFailure::Used));
    assert!(world.saw(thief, is_used));
    world.team(mar, admit()).unwrap();
    assert_eq!(world.team(mar, admit()), Err(CommandError::Unknown));
    assert_eq!(world.aliases(mar), ["Mar", "Luz"]);
}

#[test]
fn an_invitation_ends_after_48_hours_on_both_sides() {
    let mut world = World::new();
    let (mar, _) = world.desk();
    let (id, invite) = world.invite(mar);
    let luz = world.client();
    let alias = "Luz".to_owned();
    world
        .team(luz, TeamCommand::JoinDesk { invite, alias })
        .unwrap();
    world.wait(INVITE_LIFETIME + HOUR);
    let role = Role::Accompanier;
    let admit = world.team(mar, TeamCommand::Admit { invite: id, role });
    assert_eq!(admit, Err(CommandError::Unknown));
    let reason = InviteEnd::Expired;
    assert!(world.saw(
        mar,
        |event| matches!(event, Event::InviteEnded { reason: r, .. } if *r == reason)
    ));
    let is_expired = |event: &Event| matches!(event, Event::JoinFailed(JoinFailure::Expired));
    assert!(world.saw(luz, is_expired));
}

#[test]
fn a_revoked_invitation_lets_nobody_in() {
    let mut world = World::new();
    let (mar, _) = world.desk();
    let (id, invite) = world.invite(mar);
    let luz = world.client();
    let alias = "Luz".to_owned();
    world
        .team(luz, TeamCommand::JoinDesk { invite, alias })
        .unwrap();
    world.team(mar, TeamCommand::Revoke(id)).unwrap();
    let role = Role::Accompanier;
    let admit = world.team(mar, TeamCommand::Admit { invite: id, role });
    assert_eq!(admit, Err(CommandError::Unknown));
    assert_eq!(world.aliases(mar), ["Mar"]);
}

#[test]
fn the_root_key_goes_offline_and_comes_back() {
    let mut world = World::new();
    let (mar, _) = world.desk();
    world.team(mar, TeamCommand::ExportRoot).unwrap();
    let root_key = world.clients[mar]
        .events
        .iter()
        .find_map(|event| match event {
            Event::RootKey(key) => Some(key.clone()),
            _ => None,
        })
        .unwrap();
    world.team(mar, TeamCommand::DropRoot).unwrap();
    assert!(!world.desk_view(mar).holds_root_key);
    let renew = world.team(mar, TeamCommand::RenewDeskKey);
    assert_eq!(renew, Err(CommandError::RootElsewhere));
    let wrong = cobijo_protocol::keys::SecretKey::from_bytes([9; 32]);
    let import = world.team(mar, TeamCommand::ImportRoot(wrong));
    assert_eq!(import, Err(CommandError::WrongRoot));
    world.team(mar, TeamCommand::ImportRoot(root_key)).unwrap();
    world.team(mar, TeamCommand::RenewDeskKey).unwrap();
    assert!(world.desk_view(mar).holds_desk_key);
}

#[test]
fn the_desk_key_is_renewed_before_it_ends_and_everyone_goes_on_with_it() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let sol = world.join(mar, "Sol", Role::Coordinator);
    let luz = world.join(mar, "Luz", Role::Accompanier);
    world.wait(DAY * 25);
    let card = read(&link.desk, &world.relay.cards[&link.desk]);
    assert_eq!(card.desk_key.serial, 2);
    assert!(world.desk_view(sol).holds_desk_key);
    // Attested anew, an accompanier's KeyPackages can still be taken, and a newcomer let in.
    let eva = world.join(sol, "Eva", Role::Accompanier);
    assert_eq!(world.aliases(luz), ["Mar", "Sol", "Luz", "Eva"]);
    assert_eq!(world.aliases(eva).len(), 4);
}

#[test]
fn without_the_root_key_a_coordinator_is_told_when_the_desk_key_ends() {
    let mut world = World::new();
    let (mar, _) = world.desk();
    world.team(mar, TeamCommand::DropRoot).unwrap();
    world.wait(DAY * 25);
    let is_told = |event: &Event| matches!(event, Event::DeskKeyExpires(day) if *day == TODAY + 30);
    assert!(world.saw(mar, is_told));
}

#[test]
fn a_newcomer_learns_the_intake_keys_of_the_days_before() {
    let mut world = World::new();
    let (mar, _) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    world.team(luz, TeamCommand::StartShift).unwrap();
    world.team(mar, TeamCommand::EndShift).unwrap();
    let opened = world.relay.opened_by(luz);
    assert_eq!(opened.len(), 1);
}

#[test]
fn every_step_survives_a_restart() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    world.restart(mar);
    let (id, invite) = world.invite(mar);
    world.restart(mar);
    let luz = world.client();
    let alias = "Luz".to_owned();
    world
        .team(luz, TeamCommand::JoinDesk { invite, alias })
        .unwrap();
    world.restart(luz);
    world.restart(mar);
    let role = Role::Accompanier;
    world
        .team(mar, TeamCommand::Admit { invite: id, role })
        .unwrap();
    world.restart(mar);
    world.restart(luz);
    world.wait(HOUR);
    assert_eq!(world.aliases(luz), ["Mar", "Luz"]);
    world.team(luz, TeamCommand::StartShift).unwrap();
    world.restart(luz);
    assert!(world.desk_view(luz).on_shift);
    assert!(world.relay.version(&link.desk).is_some());
}

#[test]
fn a_shift_over_midnight_posts_the_next_day() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    world.team(mar, TeamCommand::StartShift).unwrap();
    world.wait(DAY);
    let card = read(&link.desk, &world.relay.cards[&link.desk]);
    assert_eq!(card.daily.day, TODAY + 1);
    assert_eq!(world.desk_view(mar).card, Some(card.version()));
}

/// [D-9]
#[test]
fn an_intake_key_lives_for_72_hours_and_longer_only_for_who_still_waits() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let waited_for = world.mailbox(&link);
    world.person(&link, "Hola");
    world.wait(DAY);
    world.team(mar, TeamCommand::StartShift).unwrap();
    let emptied = world.mailbox(&link);
    world.wait(DAY * 5);
    // Found empty on one connection, it is kept: the relay may have held something back.
    world.restart(mar);
    assert!(world.relay.opened_by(mar).contains(&emptied));
    world.wait(HOUR);
    world.restart(mar);
    let opened = world.relay.opened_by(mar);
    assert!(opened.contains(&waited_for));
    assert!(!opened.contains(&emptied));
    world.claim(mar).unwrap();
    world.wait(DAY);
    world.restart(mar);
    world.wait(HOUR);
    world.restart(mar);
    assert!(!world.relay.opened_by(mar).contains(&waited_for));
}

#[test]
fn a_relay_that_can_not_be_reached_is_tried_again_by_everybody() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let luz = world.join(mar, "Luz", Role::Accompanier);
    world.wait(HOUR * 14);
    world.go_dark();
    world.wait(HOUR * 2);
    world.team(luz, TeamCommand::StartShift).unwrap();
    let refused = CardRefusal::Unreachable;
    assert!(world.saw(
        luz,
        |event| matches!(event, Event::CardRefused(why) if *why == refused)
    ));
    world.team(luz, TeamCommand::EndShift).unwrap();
    world.wait(HOUR);
    world.team(luz, TeamCommand::StartShift).unwrap();
    world.is_dark = false;
    world.wait(HOUR);
    let card = read(&link.desk, &world.relay.cards[&link.desk]);
    assert_eq!(card.daily.day, TODAY + 1);
    assert!(world.desk_view(luz).open_today);
}

///
#[test]
fn a_newcomer_learns_what_she_must_know_though_her_inviter_is_cut_off_at_any_frame() {
    let mut joined = 0;
    for frames in 0..14 {
        let mut world = World::new();
        let (mar, link) = world.desk();
        let eva = world.join(mar, "Eva", Role::Accompanier);
        let ana = world.person(&link, "Hola");
        world.mute = Some((mar, frames + 2));
        let luz = world.join_if_possible(mar, "Luz");
        world.wait(HOUR);
        if !world.is_member(luz) {
            continue;
        }
        joined += 1;
        assert_eq!(world.aliases(eva), ["Mar", "Eva", "Luz"]);
        world.team(luz, TeamCommand::StartShift).unwrap();
        assert_eq!(world.waiting(luz), 1, "after {frames} frames");
        // Whoever isn't on the card is not believed to answer for the desk.
        world.mute = None;
        world.restart(mar);
        world.wait(HOUR);
        world.claim(luz).unwrap();
        world.wait(HOUR);
        assert_eq!(world.room(ana), ["Luz"], "after {frames} frames");
    }
    assert!(joined > 2, "{joined}");
}

#[test]
fn admitting_survives_a_crash_of_the_coordinator_after_every_frame() {
    for frames in 1..12 {
        let mut world = World::new();
        let (mar, link) = world.desk();
        let (invite_id, invite) = world.invite(mar);
        let luz = world.client();
        let alias = "Luz".to_owned();
        world
            .team(luz, TeamCommand::JoinDesk { invite, alias })
            .unwrap();
        let admit = TeamCommand::Admit {
            invite: invite_id,
            role: Role::Accompanier,
        };
        world.command_and_crash(mar, Command::Team(admit), frames);
        assert_eq!(world.aliases(luz), ["Mar", "Luz"], "after {frames} frames");
        let card = read(&link.desk, &world.relay.cards[&link.desk]);
        assert!(card.body.posters.contains(&world.key(luz)));
    }
}

#[test]
fn an_old_card_that_the_relay_replays_is_not_believed() {
    let mut world = World::new();
    let (mar, link) = world.desk();
    let old = world.relay.cards[&link.desk].clone();
    world.wait(DAY);
    world.team(mar, TeamCommand::StartShift).unwrap();
    let new = world.relay.version(&link.desk).unwrap();
    world.relay.cards.insert(link.desk, old);
    world.team(mar, TeamCommand::StartShift).unwrap();
    assert_eq!(world.desk_view(mar).card, Some(new));
    assert_eq!(world.relay.version(&link.desk), Some(new));
}

#[test]
fn nobody_is_let_in_under_the_name_of_a_colleague() {
    let mut world = World::new();
    let (mar, _) = world.desk();
    world.join(mar, "Luz", Role::Accompanier);
    let (id, invite) = world.invite(mar);
    let other = world.client();
    let alias = "LUZ".to_owned();
    world
        .team(other, TeamCommand::JoinDesk { invite, alias })
        .unwrap();
    let role = Role::Accompanier;
    let admitted = world.team(mar, TeamCommand::Admit { invite: id, role });
    assert_eq!(admitted, Err(CommandError::AliasTaken));
    assert_eq!(world.aliases(mar), ["Mar", "Luz"]);
}
