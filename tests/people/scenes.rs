//! Proposals, absences, questions to the desk, and a false successor.

use cobijo_client_core::{
    core::{
        conversation::Conversation,
        group::{Change, Group},
        intake::{Contact, Reason},
        joining::{Expect, Joining, Lineage},
        waiting::{Waiting, Wanted},
    },
    mls::{
        Suite,
        key_package::{OfferedKeyPackage, OwnKeyPackage},
    },
};
use cobijo_protocol::{
    commit::{POLICY, Predecessor, Profile, Terms},
    content::{Proposal, Purpose, Reads},
    credential::Credential,
    keys::PublicKey,
};
use cobijo_tests::authority::device;

use crate::world::World;

impl World {
    /// A member proposes a colleague to the person, who says yes.
    pub(crate) fn bring(&mut self, colleague: usize, member: usize, ana: usize) {
        let person = self.talk(member).person().unwrap();
        let proposal = self.proposal(colleague, person);
        let (now, mut rng) = (self.now, self.rng_of());
        self.talk(member).propose(proposal, now, &mut rng).unwrap();
        self.run();
        let id = self.talk(ana).proposals()[0].id;
        self.talk(ana).accept(id, Reads::Summary, now).unwrap();
        self.run();
    }

    /// A proposal of `colleague`, who waits for the Welcome that only `person` may sign.
    pub(crate) fn proposal(&mut self, colleague: usize, person: PublicKey) -> Proposal {
        let me = self.actors[colleague].me.clone().unwrap();
        let credential = Credential::Member(me.attested.clone());
        let own = OwnKeyPackage::new(Suite::Interop, &me.key, &credential, &mut self.rng).unwrap();
        let proposal = Proposal {
            member: me.attested,
            purpose: Purpose::Accompany,
            reason: "Es abogada".to_owned(),
            reads: Reads::FromNow,
            key_package: own.message().to_vec().into(),
        };
        let expect = Expect {
            profile: Profile::Conversation,
            root: me.root,
            signers: vec![person],
            roster: None,
            lineage: Lineage::Any,
            welcome: None,
        };
        let joining = Joining::new(own, me.key, expect);
        self.actors[colleague].joining = Some(self.line(joining, colleague));
        proposal
    }

    /// She asks the desk, because nobody answers or she can't follow.
    pub(crate) fn ask_desk(&mut self, person: usize, text: &str) {
        let conversation = &self.actors[person].conversation.as_ref().unwrap().machine;
        self.ask(person, text, conversation.stopped().is_some());
    }

    /// The same, where it is said whether she asks to be let in again.
    pub(crate) fn ask(&mut self, person: usize, text: &str, is_rescue: bool) {
        let conversation = &self.actors[person].conversation.as_ref().unwrap().machine;
        let group = conversation.group_id().to_vec();
        let key = conversation.person_key().unwrap().clone();
        let reason = match is_rescue {
            false => Reason::CameBack { group, person: key },
            true => Reason::Rescue {
                group,
                person: key,
                serial: conversation.next_serial(),
            },
        };
        let known = conversation.known();
        let contact = Contact::new(
            Suite::Interop,
            self.desk(),
            reason,
            "es",
            text,
            &mut self.rng,
        )
        .unwrap();
        let mut waiting = Waiting::new(Suite::Interop, contact, Wanted::Offer, known);
        let card = self.card();
        waiting.handle_card(&card, self.now, &mut self.rng).unwrap();
        self.actors[person].waiting = Some(self.line(waiting, person));
    }

    /// She says yes to the desk's offer.
    pub(crate) fn accept_offer(&mut self, person: usize) {
        let waiting = &mut self.actors[person].waiting.as_mut().unwrap().machine;
        let offered = waiting.accept().unwrap();
        self.actors[person].waiting = None;
        let (now, mut rng) = (self.now, self.rng_of());
        self.talk(person).admit(&offered, now, &mut rng).unwrap();
    }

    /// Somebody is away for `days`, while the others look in now and then.
    pub(crate) fn away(&mut self, absent: usize, days: u32) {
        for _ in 0..days / 10 {
            self.now = self.now.plus(std::time::Duration::from_secs(10 * 86_400));
            self.relay.set_day(self.now.day());
            for actor in (0..self.actors.len()).filter(|&actor| actor != absent) {
                self.crash(actor);
                for _ in 0..5 {
                    self.step(actor);
                }
            }
        }
        self.crash(absent);
        self.run();
    }

    /// A new group of `member` that says it goes on from the conversation of `person`, with her
    /// KeyPackage in it.
    pub(crate) fn false_rescue(&mut self, person: usize, member: usize, package: &[u8]) {
        let terms = self.successor_terms(person);
        let me = self.actors[member].me.clone().unwrap();
        let credential = Credential::Member(me.attested);
        let (now, rng) = (self.now, &mut self.rng);
        let mut group =
            Group::create(Suite::Interop, terms, me.key, &credential, now, rng).unwrap();
        group.request(Change {
            adds: vec![package.to_vec().into()],
            ..Change::default()
        });
        let actor = self.actor();
        let conversation = Conversation::of_member(group);
        self.actors[actor].conversation = Some(self.line(conversation, actor));
    }

    fn successor_terms(&mut self, person: usize) -> Terms {
        Terms {
            profile: Profile::Conversation,
            policy: POLICY,
            root: self.authority.root(),
            facilitators: Vec::new(),
            predecessor: Some(Predecessor {
                number: 1,
                group: self.talk(person).group_id().to_vec().into(),
                epoch: 1,
            }),
        }
    }

    /// A group of another person that names the conversation of `person` as its predecessor, and
    /// whose Welcome stands in the thread of `offer`.
    pub(crate) fn false_successor(&mut self, person: usize, offer: &OfferedKeyPackage) -> usize {
        let terms = self.successor_terms(person);
        let (mallory, key) = (self.key(), self.key());
        let credential = device(&mallory, 1, &key.public());
        let mut group = Group::create(
            Suite::Interop,
            terms,
            key,
            &credential,
            self.now,
            &mut self.rng,
        )
        .unwrap();
        group.request(Change {
            adds: vec![offer.message().to_vec().into()],
            ..Change::default()
        });
        let actor = self.actor();
        let conversation = Conversation::of_person(group, mallory);
        self.actors[actor].conversation = Some(self.line(conversation, actor));
        actor
    }
}
