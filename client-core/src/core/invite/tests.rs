use std::collections::BTreeMap;

use cobijo_protocol::{
    Day,
    card::Role,
    cell::Cell,
    credential::Credential,
    keys::SecretKey,
    link::RelayUrl,
    slot::{Address, ThreadSecret},
};
use rand_core::SeedableRng as _;

use super::*;
use crate::{
    core::{
        client::JoinFailure,
        desk::keys::DeskKeys,
        port::{Chain, RelayFacts},
    },
    mls::key_package::OwnKeyPackage,
};

const TODAY: Day = 20_000;
const NOW: Now = Now::from_millis(TODAY as u64 * 86_400_000);

#[test]
fn newcomer_and_inviter_compare_the_same_words_and_she_is_attested_after_them() {
    let mut meeting = Meeting::new();
    let luz = meeting.arrive("Luz", 5);
    meeting.settle();
    let (alias, words) = meeting.invitation.newcomer().unwrap();
    assert_eq!(alias, "Luz");
    assert_eq!(meeting.arrivals[luz].words(), Some(words));
    assert!(!meeting.arrivals[luz].is_attested());
    meeting.admit(Role::Accompanier).unwrap();
    meeting.settle();
    assert!(meeting.arrivals[luz].is_attested());
    assert!(meeting.offered);
}

#[test]
fn an_invitation_serves_one_newcomer() {
    let mut meeting = Meeting::new();
    meeting.arrive("Luz", 5);
    meeting.settle();
    let second = meeting.arrive("Eva", 6);
    meeting.settle();
    assert_eq!(meeting.failures[second], Some(JoinFailure::Used));
    assert_eq!(meeting.invitation.newcomer().unwrap().0, "Luz");
    meeting.admit(Role::Accompanier).unwrap();
    assert_eq!(meeting.invitation.admissible(NOW), Err(NotAdmissible::Used));
}

#[test]
fn whoever_used_the_invitation_in_her_place_shows_in_other_words() {
    let mut meeting = Meeting::new();
    let thief = meeting.arrive("Luz", 6);
    meeting.settle();
    let (_, seen) = meeting.invitation.newcomer().unwrap();
    let luz = meeting.arrive("Luz", 5);
    meeting.settle();
    assert_eq!(meeting.arrivals[thief].words(), Some(seen));
    assert_ne!(meeting.arrivals[luz].words(), Some(seen));
}

#[test]
fn nobody_is_let_in_before_she_came_or_after_48_hours() {
    let mut meeting = Meeting::new();
    assert_eq!(
        meeting.invitation.admissible(NOW),
        Err(NotAdmissible::NobodyYet)
    );
    meeting.arrive("Luz", 5);
    meeting.settle();
    let late = NOW.plus(INVITE_LIFETIME);
    assert_eq!(
        meeting.invitation.admissible(late),
        Err(NotAdmissible::Expired)
    );
    assert!(meeting.invitation.handle_timeout(NOW).is_none());
    assert!(matches!(
        meeting.invitation.handle_timeout(late),
        Some(InvitationEvent::Ended(InviteEnd::Expired))
    ));
    assert!(matches!(
        meeting.arrivals[0].handle_timeout(late),
        Some(ArrivalEvent::Failed(JoinFailure::Expired))
    ));
}

#[test]
fn an_attestation_for_another_key_or_by_another_desk_is_not_taken() {
    let mut meeting = Meeting::new();
    let luz = meeting.arrive("Luz", 5);
    meeting.settle();
    let other = SecretKey::from_bytes([8; 32]).public();
    let attested = meeting
        .keys
        .attest(other, "Luz", Role::Accompanier, TODAY)
        .unwrap();
    meeting.reply(attested);
    let key = SecretKey::from_bytes([5; 32]).public();
    let mut self_signed = DeskKeys::create(TODAY, &mut meeting.rng);
    let attested = self_signed
        .attest(key, "Luz", Role::Accompanier, TODAY)
        .unwrap();
    meeting.reply(attested);
    meeting.settle();
    assert!(!meeting.arrivals[luz].is_attested());
    meeting.admit(Role::Accompanier).unwrap();
    meeting.settle();
    assert!(meeting.arrivals[luz].is_attested());
}

#[test]
fn an_accompanier_can_not_stand_for_the_inviter() {
    let mut meeting = Meeting::without_inviter();
    let luz = meeting.arrive("Luz", 5);
    let eva = SecretKey::from_bytes([6; 32]).public();
    let attested = meeting
        .keys
        .attest(eva, "Eva", Role::Accompanier, TODAY)
        .unwrap();
    meeting.reply(attested);
    meeting.settle();
    let key = meeting.arrival_keys[luz].public();
    let words = invite_words(&meeting.invite.r, &key, &meeting.invitation.inviter);
    assert_eq!(meeting.arrivals[luz].words(), Some(words));
}

#[test]
fn a_key_package_of_anybody_else_is_not_added() {
    let mut meeting = Meeting::new();
    meeting.arrive("Luz", 5);
    meeting.settle();
    let eva = SecretKey::from_bytes([6; 32]);
    let attested = meeting
        .keys
        .attest(eva.public(), "Eva", Role::Accompanier, TODAY)
        .unwrap();
    meeting.admit(Role::Accompanier).unwrap();
    let credential = Credential::Member(attested);
    let own = OwnKeyPackage::new(Suite::PostQuantum, &eva, &credential, &mut meeting.rng).unwrap();
    meeting.offers_come = false;
    let mut thread = Thread::new(&meeting.invite.r, Kind::Waiting);
    let offer = Waiting::KeyPackage(serde_bytes::ByteBuf::from(own.message()));
    thread.append(cbor::encode(&offer), &mut meeting.rng);
    meeting.extra.push(thread);
    meeting.settle();
    assert!(!meeting.offered);
}

#[test]
fn a_meeting_goes_on_after_both_sides_were_restarted() {
    let mut meeting = Meeting::new();
    let luz = meeting.arrive("Luz", 5);
    meeting.restart();
    meeting.settle();
    meeting.restart();
    meeting.admit(Role::Coordinator).unwrap();
    meeting.restart();
    meeting.settle();
    assert!(meeting.arrivals[luz].is_attested());
    assert!(meeting.offered);
}

/// An inviter, newcomers and what stands at the relay.
struct Meeting {
    keys: DeskKeys,
    invite: Invite,
    invitation: Invitation,
    arrivals: Vec<Arrival>,
    arrival_keys: Vec<SecretKey>,
    failures: Vec<Option<JoinFailure>>,
    extra: Vec<Thread>,
    offers_come: bool,
    offered: bool,
    cells: BTreeMap<Address, Cell>,
    rng: Rng,
}

impl Meeting {
    fn new() -> Self {
        let mut meeting = Self::without_inviter();
        meeting.settle();
        meeting
    }

    fn without_inviter() -> Self {
        let mut rng = Rng::seed_from_u64(1);
        let mut keys = DeskKeys::create(TODAY, &mut rng);
        let mar = SecretKey::from_bytes([3; 32]).public();
        let own = keys.attest(mar, "Mar", Role::Coordinator, TODAY).unwrap();
        let invite = Invite {
            relay: RelayUrl::parse("https://relay.example").unwrap(),
            root: keys.root(),
            r: ThreadSecret::from_bytes([7; 32]),
        };
        let suite = Suite::PostQuantum;
        let invitation = Invitation::new(invite.clone(), suite, own, mar, NOW, &mut rng);
        Self {
            keys,
            invite,
            invitation,
            arrivals: Vec::new(),
            arrival_keys: Vec::new(),
            failures: Vec::new(),
            extra: Vec::new(),
            offers_come: true,
            offered: false,
            cells: BTreeMap::new(),
            rng,
        }
    }

    fn arrive(&mut self, alias: &str, seed: u8) -> usize {
        let key = SecretKey::from_bytes([seed; 32]);
        let invite = self.invite.clone();
        self.arrival_keys.push(key.clone());
        self.arrivals
            .push(Arrival::new(invite, key, alias.into(), NOW, &mut self.rng));
        self.failures.push(None);
        self.arrivals.len() - 1
    }

    fn admit(&mut self, role: Role) -> Result<(), NotAdmissible> {
        let (key, alias) = self.invitation.admissible(NOW)?;
        let attested = self.keys.attest(key, &alias, role, TODAY).unwrap();
        self.invitation.admit(attested, NOW, &mut self.rng);
        Ok(())
    }

    /// Somebody who knows `r` writes an attestation into the reply thread.
    fn reply(&mut self, attested: Attested) {
        let mut thread = Thread::new(&self.invite.r, Kind::Reply);
        thread.append(cbor::encode(&Reply::Attested { attested }), &mut self.rng);
        self.extra.push(thread);
        self.settle_extra();
    }

    fn restart(&mut self) {
        self.invitation = cbor_copy(&self.invitation);
        for arrival in &mut self.arrivals {
            *arrival = cbor_copy(arrival);
        }
    }

    fn settle_extra(&mut self) {
        for _ in 0..10 {
            for thread in &mut self.extra {
                let mut wants = Wants::default();
                thread.wants(&mut wants);
                for seen in answer(&mut self.cells, wants) {
                    thread.handle_seen(&seen, &mut self.rng);
                }
            }
        }
    }

    /// Lets everybody talk to the relay until nothing changes any more.
    fn settle(&mut self) {
        for _ in 0..10 {
            self.settle_extra();
            for index in 0..self.arrivals.len() {
                let mut wants = Wants::default();
                self.arrivals[index].wants(&mut wants);
                for seen in answer(&mut self.cells, wants) {
                    let event = self.arrivals[index].handle_seen(&seen, NOW, &mut self.rng);
                    self.handle_arrival(index, event);
                }
            }
            let mut wants = Wants::default();
            self.invitation.wants(&mut wants);
            for seen in answer(&mut self.cells, wants) {
                let event = self.invitation.handle_seen(&seen, &mut self.rng);
                self.offered |= matches!(event, Some(InvitationEvent::Offered(_)));
            }
        }
    }

    fn handle_arrival(&mut self, index: usize, event: Option<ArrivalEvent>) {
        match event {
            Some(ArrivalEvent::Attested { attested, .. }) if self.offers_come => {
                let key = self.arrival_keys[index].clone();
                let credential = Credential::Member(*attested);
                let own = OwnKeyPackage::new(Suite::PostQuantum, &key, &credential, &mut self.rng)
                    .unwrap();
                self.arrivals[index].offer(own.message(), &mut self.rng);
            }
            Some(ArrivalEvent::Failed(failure)) => self.failures[index] = Some(failure),
            Some(ArrivalEvent::Attested { .. } | ArrivalEvent::Words(_)) | None => {}
        }
    }
}

/// What a relay with these cells says to somebody who has just connected.
fn answer(cells: &mut BTreeMap<Address, Cell>, wants: Wants) -> Vec<Seen> {
    let facts = RelayFacts {
        day: TODAY,
        retention_days: 90,
    };
    let mut seen = vec![Seen::Connected(facts)];
    seen.extend(wants.watch.iter().map(|&at| match cells.get(&at) {
        Some(cell) => Seen::Full(at, cell.clone()),
        None => Seen::Empty(at),
    }));
    seen.extend(wants.chains.into_iter().flat_map(|chain| put(cells, chain)));
    seen
}

fn put(cells: &mut BTreeMap<Address, Cell>, chain: Chain) -> Vec<Seen> {
    let mut seen = Vec::new();
    for put in chain {
        let at = put.address();
        let stands = cells.entry(at).or_insert_with(|| put.cell.clone());
        if *stands != put.cell {
            seen.push(Seen::Taken(at));
            return seen;
        }
        seen.push(Seen::Stored(at));
    }
    seen
}

fn cbor_copy<T: Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    ciborium::from_reader(cbor::encode(value).as_slice()).unwrap()
}
