//! Who is in the desk, and what is shown of it.

use cobijo_protocol::{
    Day,
    card::{Attestation, Role},
    credential::Identity,
    keys::PublicKey,
};

use super::{Desk, Invited};
use crate::core::client::{ColleagueView, Description, DeskView, InviteView};

impl Desk {
    /// What is shown of the desk.
    pub(crate) fn view(&self, live: usize, today: Day) -> DeskView {
        let card = self.card.card();
        let members = self.members();
        let is_member = |key: &PublicKey| members.iter().any(|one| one.key == *key);
        DeskView {
            link: self.link.clone(),
            key: self.me.key.public(),
            alias: self.alias(),
            role: self.role(),
            holds_desk_key: self.keys.holds_desk_key(),
            holds_root_key: self.keys.root_key().is_some(),
            desk_key_until: card.as_ref().map_or_else(
                || self.keys.not_after().unwrap_or(0),
                |card| card.desk_key.not_after,
            ),
            card: self.card.version(),
            description: self
                .description
                .clone()
                .or_else(|| Some(Description::of(&card.as_ref()?.body))),
            names_removed: card
                .as_ref()
                .is_some_and(|card| !card.body.posters.iter().all(is_member)),
            open_today: card.is_some_and(|card| card.daily.day >= today),
            on_shift: self.shift.is_on(),
            capacity: self.shift.capacity(),
            live,
            paused_until: None,
            check_out: false,
            colleagues: self.colleagues(),
            invites: self.invites.iter().map(Invited::view).collect(),
        }
    }

    /// The members' attestations, as their leaves show them.
    pub(super) fn members(&self) -> Vec<Attestation> {
        let attestation = |identity| match identity {
            Identity::Member { attestation, .. } => Some(attestation),
            Identity::Person(_) => None,
        };
        let members = self.group.members().into_iter();
        members
            .filter_map(|member| attestation(member.identity))
            .collect()
    }

    pub(super) fn observe_members(&mut self) {
        let members = self.group.members();
        let here: Vec<_> = members.iter().map(|member| member.key).collect();
        self.keys.retain_coordinators(&here);
        for member in members {
            if let Identity::Member {
                attestation,
                desk_serial,
            } = member.identity
            {
                self.keys.observe_member(&attestation, desk_serial);
            }
        }
        self.keys.observe(self.group.desk_serial(), 0);
    }

    pub(super) fn own_attestation(&self) -> Option<Attestation> {
        self.me.attested.attestation.unverified().ok()
    }

    pub(super) fn role(&self) -> Role {
        self.own_attestation()
            .map_or(Role::Accompanier, |own| own.role)
    }

    pub(super) fn card_version(&self) -> u32 {
        self.card.version().map_or(0, |version| version.version)
    }

    fn colleagues(&self) -> Vec<ColleagueView> {
        let own = self.me.key.public();
        let view = |member: Attestation| ColleagueView {
            key_packages: self.board.key_packages(&member.key),
            own: member.key == own,
            key: member.key,
            alias: member.alias,
            role: member.role,
        };
        self.members().into_iter().map(view).collect()
    }
}

impl Invited {
    fn view(&self) -> InviteView {
        InviteView {
            id: self.id,
            until: self.invitation.until(),
            newcomer: self.invitation.newcomer(),
            admitted: self.invitation.admitted().is_some(),
        }
    }
}
