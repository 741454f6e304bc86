//! A facilitator's side: who is asked in, who answered, who asks to be let in again. [O-2]–[O-5], [O-7]

use std::collections::{BTreeMap, VecDeque};

use cobijo_protocol::{
    circle::{LetIn, again_info, answer_info},
    commit::{Statement, verify_person_rescue},
    credential::{PersonCredential, PersonLeaf},
    keys::IntakeSeed,
    limits::CIRCLE_MEMBERS_MAX,
};

use super::{
    Attested, ByteBuf, Change, Circle, CircleContent, CircleInvite, ConversationError,
    ConversationEvent, Deserialize, Identity, Kind, MessageId, PublicKey, Rng, Serialize,
};
use crate::{
    core::{circle::folding::folded, contest::random},
    mls::{
        hpke::{self, KeyPair},
        key_package::OfferedKeyPackage,
    },
};

/// Invitations that are remembered: whoever was asked may answer, and comes back by what she was asked with.
const INVITES_MAX: usize = 256;
/// Questions to be let in again that wait; the oldest give way.
const ASKING_MAX: usize = 16;

/// What a facilitator keeps of her circle.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Leading {
    /// Of the X-Wing key that answers are sealed to.
    seed: IntakeSeed,
    /// Those who facilitate, as they showed themselves.
    facilitators: BTreeMap<PublicKey, Attested>,
    invites: VecDeque<Invited>,
    asking: VecDeque<Asking>,
    /// Pseudonyms of those whose commit is on its way, by leaf.
    coming: BTreeMap<PublicKey, String>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Invited {
    /// Name of the invitation's message.
    invite: MessageId,
    /// Whose conversation it was said in.
    person: PublicKey,
    is_answered: bool,
}

/// Somebody who came back, and asks to be let in again.
#[derive(Clone, Serialize, Deserialize)]
pub struct Asking {
    /// Name of the message that asks.
    pub id: MessageId,
    /// Her pseudonym.
    pub alias: String,
    hers: PublicKey,
    key_package: ByteBuf,
    rescue: Option<Statement>,
}

/// Why somebody was not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotLetIn {
    /// It is no answer to an open invitation of this client, or not from whom it asked.
    Unasked,
    /// Her pseudonym stands already, or is a facilitator's alias.
    AliasTaken,
    /// The circle has as many members as there may be.
    Full,
}

impl Leading {
    pub(super) fn new(rng: &mut Rng) -> Self {
        Self {
            seed: IntakeSeed::from_bytes(random(rng)),
            facilitators: BTreeMap::new(),
            invites: VecDeque::new(),
            asking: VecDeque::new(),
            coming: BTreeMap::new(),
        }
    }

    fn pair(&self) -> Option<KeyPair> {
        hpke::key_pair(self.seed.as_bytes()).ok()
    }

    fn open(&self, info: &[u8], sealed: &[u8]) -> Option<LetIn> {
        let plaintext = hpke::open(&self.pair()?, info, sealed)?;
        LetIn::from_plaintext(&plaintext).ok()
    }
}

impl Circle {
    /// Remembers what attests the facilitators who are here.
    pub(super) fn note_facilitators(&mut self, rng: &mut Rng) {
        let Some(leading) = &mut self.leading else {
            return;
        };
        for key in self.group.terms().facilitators.clone() {
            if !leading.facilitators.contains_key(&key)
                && let Some(attested) = self.group.attested(&key, rng)
            {
                leading.facilitators.insert(key, attested);
            }
        }
    }

    /// Adds a colleague, whose KeyPackage was taken.
    pub fn add_member(&mut self, key_package: ByteBuf) {
        self.group.request(Change {
            adds: vec![key_package],
            ..Change::default()
        });
    }

    /// What a person is asked with. [O-3]
    ///
    /// # Errors
    /// [`ConversationError`] where this member doesn't facilitate, or the other facilitator was never here.
    pub fn invitation(&self) -> Result<CircleInvite, ConversationError> {
        self.check_leads()?;
        let (Some(leading), Kind::Peers(about)) = (&self.leading, &self.kind) else {
            return Err(ConversationError::NotFacilitator);
        };
        if self.is_full() {
            return Err(ConversationError::Full);
        }
        let terms = self.group.terms().facilitators.iter();
        let attested = terms.map(|key| leading.facilitators.get(key).cloned());
        let facilitators = attested.collect::<Option<Vec<_>>>();
        let pair = leading.pair().ok_or(ConversationError::Stopped)?;
        Ok(CircleInvite {
            circle: ByteBuf::from(self.group_id()),
            about: about.clone(),
            facilitators: facilitators.ok_or(ConversationError::Unknown)?,
            members: u16::try_from(self.group.members().len()).unwrap_or(u16::MAX),
            answers_to: ByteBuf::from(pair.public),
        })
    }

    /// The invitation was said in the conversation of that person.
    pub fn note_invited(&mut self, invite: MessageId, person: PublicKey) {
        let Some(leading) = &mut self.leading else {
            return;
        };
        // Of one person the newest counts. [O-3]
        leading
            .invites
            .retain(|one| one.person != person || one.is_answered);
        leading.invites.push_back(Invited {
            invite,
            person,
            is_answered: false,
        });
        if leading.invites.len() > INVITES_MAX {
            leading.invites.pop_front();
        }
    }

    /// The person of a conversation says yes: she is added, once. [O-4], [O-5]
    ///
    /// # Errors
    /// [`NotLetIn`]: nothing has changed, but that the invitation is used up where its answer could be read.
    pub fn answered(
        &mut self,
        person: &PublicKey,
        invite: &MessageId,
        sealed: &[u8],
    ) -> Result<(), NotLetIn> {
        let leading = self.leading.as_mut().ok_or(NotLetIn::Unasked)?;
        let is_it =
            |one: &Invited| one.invite == *invite && one.person == *person && !one.is_answered;
        let at = leading.invites.iter().position(is_it);
        let at = at.ok_or(NotLetIn::Unasked)?;
        let let_in = leading.open(&answer_info(invite), sealed);
        let let_in = let_in.ok_or(NotLetIn::Unasked)?;
        let (suite, root) = (self.group.suite(), self.group.terms().root);
        let offered = OfferedKeyPackage::parse(&let_in.key_package, suite, &root);
        let offered = offered.map_err(|_| NotLetIn::Unasked)?;
        let (hers, alias) = newcomer(offered.identity()).ok_or(NotLetIn::Unasked)?;
        let is_here = !self.leaves_of(&hers.person).is_empty();
        if is_here || let_in.rescue.is_some() {
            return Err(NotLetIn::Unasked);
        }
        if let Some(leading) = &mut self.leading
            && let Some(invited) = leading.invites.get_mut(at)
        {
            invited.is_answered = true;
        }
        let (leaf, alias) = (*offered.leaf_key(), alias.to_owned());
        self.check_room(&alias, None)?;
        self.come(leaf, alias);
        self.group.request(Change {
            adds: vec![let_in.key_package],
            ..Change::default()
        });
        Ok(())
    }

    /// The person of a conversation has come back, and asks to be let in again: somebody decides. [O-7]
    pub fn asked_again(&mut self, person: &PublicKey, id: MessageId, sealed: &[u8]) -> bool {
        let Some(asking) = self.read_again(person, id, sealed) else {
            return false;
        };
        let Some(leading) = &mut self.leading else {
            return false;
        };
        let alias = asking.alias.clone();
        leading.asking.retain(|one| one.hers != asking.hers);
        leading.asking.push_back(asking);
        if leading.asking.len() > ASKING_MAX {
            leading.asking.pop_front();
        }
        self.events
            .push_back(ConversationEvent::AsksAgain { alias });
        true
    }

    fn read_again(&self, person: &PublicKey, id: MessageId, sealed: &[u8]) -> Option<Asking> {
        let leading = self.leading.as_ref()?;
        let mut invites = leading.invites.iter();
        invites.find(|one| one.person == *person && one.is_answered)?;
        let let_in = leading.open(&again_info(self.group_id()), sealed)?;
        let (suite, root) = (self.group.suite(), self.group.terms().root);
        let offered = OfferedKeyPackage::parse(&let_in.key_package, suite, &root).ok()?;
        let (hers, alias) = newcomer(offered.identity())?;
        let Some(Statement::PersonRescue {
            person: rescued,
            leaf_key,
            signature,
        }) = &let_in.rescue
        else {
            return None;
        };
        let holds = *rescued == hers.person
            && leaf_key == offered.leaf_key()
            && verify_person_rescue(rescued, self.group_id(), leaf_key, signature);
        holds.then(|| Asking {
            id,
            alias: alias.to_owned(),
            hers: hers.person,
            key_package: let_in.key_package.clone(),
            rescue: let_in.rescue.clone(),
        })
    }

    /// Who asks to be let in again.
    pub fn asking(&self) -> Vec<Asking> {
        let leading = self.leading.iter();
        leading.flat_map(|leading| leading.asking.clone()).collect()
    }

    /// Lets somebody in again: her old leaf goes by the commit that adds the new one. [O-7]
    ///
    /// # Errors
    /// [`ConversationError::Unknown`] where nobody asks so, or her pseudonym is somebody else's by now.
    pub fn let_in(&mut self, id: &MessageId) -> Result<(), ConversationError> {
        self.check_leads()?;
        let leading = self.leading.as_mut().ok_or(ConversationError::Unknown)?;
        let at = leading.asking.iter().position(|one| one.id == *id);
        let asking = at.and_then(|at| leading.asking.get(at).cloned());
        let asking = asking.ok_or(ConversationError::Unknown)?;
        self.check_room(&asking.alias, Some(&asking.hers))
            .map_err(|why| match why {
                NotLetIn::Full => ConversationError::Full,
                NotLetIn::AliasTaken | NotLetIn::Unasked => ConversationError::Unknown,
            })?;
        let removes = self.leaves_of(&asking.hers);
        // Where she was removed meanwhile, there is nothing that a rescue could take out.
        let statements = asking.rescue.filter(|_| !removes.is_empty());
        self.group.request(Change {
            adds: vec![asking.key_package],
            removes,
            statements: statements.into_iter().collect(),
        });
        if let Some(leading) = &mut self.leading {
            leading.asking.retain(|one| one.id != *id);
        }
        Ok(())
    }

    /// Her pseudonym must be her own here, and there must be room. [O-1], [O-2]
    fn check_room(&self, alias: &str, but: Option<&PublicKey>) -> Result<(), NotLetIn> {
        let wanted = folded(alias);
        let members = self.group.members();
        let is_other = |identity: &&Identity| match identity {
            Identity::Person(hers) => Some(&hers.person) != but,
            Identity::Member { .. } => true,
        };
        let here = members.iter().map(|member| &member.identity);
        let here = here.filter(is_other).filter_map(alias_of);
        let Some(leading) = &self.leading else {
            return Err(NotLetIn::Unasked);
        };
        let root = self.group.terms().root;
        let facilitators = leading.facilitators.values();
        let facilitators = facilitators.filter_map(|one| one.verify(&root).ok());
        let facilitators: Vec<String> = facilitators.map(|(one, _)| one.alias).collect();
        let coming = leading.coming.values().map(String::as_str);
        let mut taken = here
            .chain(coming)
            .chain(facilitators.iter().map(String::as_str));
        if taken.any(|one| folded(one) == wanted) || wanted.is_empty() {
            return Err(NotLetIn::AliasTaken);
        }
        if self.is_full() && but.is_none_or(|person| self.leaves_of(person).is_empty()) {
            return Err(NotLetIn::Full);
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        let coming = self
            .leading
            .as_ref()
            .map_or(0, |leading| leading.coming.len());
        self.group.members().len() + coming >= CIRCLE_MEMBERS_MAX
    }

    fn come(&mut self, leaf: PublicKey, alias: String) {
        if let Some(leading) = &mut self.leading {
            leading.coming.insert(leaf, alias);
        }
    }

    /// A commit took effect: whoever came is no longer on the way, and a colleague is told what this is.
    pub(super) fn welcome(&mut self, by_me: bool, added: &[Identity], rng: &mut Rng) {
        let members = self.group.members().into_iter();
        let here: Vec<PublicKey> = members.map(|member| member.key).collect();
        self.note_facilitators(rng);
        let Some(leading) = &mut self.leading else {
            return;
        };
        leading.coming.retain(|leaf, _| !here.contains(leaf));
        let is_member_added = added.iter().any(Identity::is_member);
        if !by_me || !is_member_added {
            return;
        }
        match self.kind.clone() {
            Kind::Peers(about) => self.tell(CircleContent::About(about), rng),
            Kind::Side(conversation) => self.tell(CircleContent::Side(conversation), rng),
            Kind::Untold => {}
        }
    }

    /// A commit that was asked for can't be made: nobody is on the way any more.
    pub(super) fn nobody_comes(&mut self) {
        if let Some(leading) = &mut self.leading {
            leading.coming.clear();
        }
    }

    fn leaves_of(&self, person: &PublicKey) -> Vec<PublicKey> {
        let members = self.group.members().into_iter();
        let hers = members.filter(
            |member| matches!(&member.identity, Identity::Person(hers) if hers.person == *person),
        );
        hers.map(|member| member.key).collect()
    }
}

/// A person's device leaf with a pseudonym.
fn newcomer(identity: &Identity) -> Option<(&PersonCredential, &str)> {
    let Identity::Person(hers) = identity else {
        return None;
    };
    let alias = hers.alias.as_deref()?;
    (hers.leaf == PersonLeaf::Device).then_some((hers, alias))
}

fn alias_of(identity: &Identity) -> Option<&str> {
    match identity {
        Identity::Person(hers) => hers.alias.as_deref(),
        Identity::Member { attestation, .. } => Some(&attestation.alias),
    }
}
