//! Taking a colleague's KeyPackage: to propose her to a person, or to bring her into the desk's next group.

use cobijo_protocol::{
    card::{Attestation, Attested},
    cbor,
    commit::{Profile, Succession},
    content::{Proposal, Purpose, Reads},
    intake::Taking,
    keys::{PublicKey, Signed},
    limits::TAKING_INDICES_MAX,
    slot::{Kind, ThreadSecret},
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::{
    core::{
        claim::Me,
        client::{ConversationId, ShiftEnd},
        contest::Contest,
        joining::{Expect, Lineage},
        port::{Now, Rng, Seen, Wants},
        thread::Content,
    },
    mls::key_package::OfferedKeyPackage,
};

/// A colleague to propose, and where.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Wish {
    /// Where.
    pub(crate) conversation: ConversationId,
    /// The person that is asked.
    pub(crate) person: PublicKey,
    /// Attested key of the colleague.
    pub(crate) colleague: PublicKey,
    /// What for.
    pub(crate) purpose: Purpose,
    /// Why, for the person to read.
    pub(crate) reason: String,
    /// What the colleague will be able to read.
    pub(crate) reads: Reads,
    /// The own shift's end, where that is why.
    pub(crate) ends: Option<ShiftEnd>,
}

/// What a colleague's KeyPackage is wanted for.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum TakenFor {
    /// To propose her.
    Proposal(Wish),
    /// To bring her into a circle, or a side room, of the taker's. [O-1]
    Circle {
        /// Which.
        circle: ConversationId,
        /// Attested key of the colleague.
        colleague: PublicKey,
    },
    /// To bring her into the desk's next group, which the root key names.
    Successor {
        /// As her leaf in the group before showed her.
        colleague: Attestation,
        /// The root key's word.
        succession: Signed<Succession>,
    },
}

impl TakenFor {
    /// Whether it is about whoever is attested so. The commit that founds a successor asks of no newcomer how
    /// new her attestation is: an old one must not make somebody else of her.
    fn is_of(&self, attestation: &Attestation) -> bool {
        match self {
            Self::Proposal(wish) => wish.colleague == attestation.key,
            Self::Circle { colleague, .. } => *colleague == attestation.key,
            Self::Successor { colleague, .. } => {
                let of = |one: &Attestation| (one.key, one.role, one.alias.clone());
                of(colleague) == of(attestation)
            }
        }
    }

    fn payload(&self, me: &Me, welcome_secret: &ThreadSecret) -> Vec<u8> {
        match self {
            Self::Proposal(wish) => {
                let by = me.attested.clone();
                cbor::encode(&Taking::sign(&me.key, by, welcome_secret, wish.person))
            }
            Self::Circle { .. } => {
                let (by, own) = (me.attested.clone(), me.key.public());
                cbor::encode(&Taking::sign(&me.key, by, welcome_secret, own))
            }
            Self::Successor { succession, .. } => cbor::encode(succession),
        }
    }

    /// Whether whoever took it did so for the same: the root key's word is the same from anybody.
    fn is_served_by(&self, taker: &Taker) -> bool {
        match (self, taker) {
            (Self::Successor { succession, .. }, Taker::Successor(next)) => {
                succession.unverified().ok().as_ref() == Some(next)
            }
            (Self::Proposal(_) | Self::Circle { .. } | Self::Successor { .. }, _) => false,
        }
    }
}

/// A contest for a colleague's KeyPackage.
#[derive(Serialize, Deserialize)]
pub(crate) struct Take {
    purpose: TakenFor,
    message: ByteBuf,
    member: Attested,
    welcome_secret: ThreadSecret,
    contest: Contest,
}

/// How a contest for a KeyPackage ended.
pub(crate) enum Taken {
    /// It is this client's, to propose its owner.
    ToPropose(ConversationId, Box<Proposal>, Option<ShiftEnd>),
    /// It is this client's, to add its owner to a circle.
    ToCircle(ConversationId, ByteBuf),
    /// It is this client's, to add its owner to the desk's next group.
    ToAdd(PublicKey, ByteBuf),
    /// A colleague took it.
    Elsewhere(TakenFor),
}

impl Take {
    /// Begins to take a KeyPackage; `None` where it is not one of the colleague's that may be added.
    pub(crate) fn new(
        purpose: TakenFor,
        message: ByteBuf,
        me: &Me,
        now: Now,
        rng: &mut Rng,
    ) -> Option<Self> {
        let offered = OfferedKeyPackage::parse(&message, me.suite, &me.root).ok()?;
        let member = offered.attested()?;
        let (attestation, _) = member.verify(&me.root).ok()?;
        let is_hers = purpose.is_of(&attestation) && attestation.not_after >= now.day();
        is_hers.then_some(())?;
        let welcome_secret = offered.welcome_secret().clone();
        let mut contest = Contest::new(welcome_secret.clone(), Kind::Taking, 0);
        let payload = purpose.payload(me, &welcome_secret);
        contest.contend(payload, rng).ok()?;
        Some(Self {
            purpose,
            message,
            member,
            welcome_secret,
            contest,
        })
    }

    /// Whether it is to name a buddy in that conversation.
    pub(crate) fn is_for_buddy_in(&self, conversation: ConversationId) -> bool {
        matches!(&self.purpose, TakenFor::Proposal(wish)
            if wish.purpose == Purpose::Buddy && wish.conversation == conversation)
    }

    /// Whether it is to bring a colleague into the desk's next group.
    pub(crate) fn is_for_successor(&self) -> bool {
        matches!(self.purpose, TakenFor::Successor { .. })
    }

    /// What it was to be taken for, given up.
    pub(crate) fn into_purpose(self) -> TakenFor {
        self.purpose
    }

    /// What is wanted from the relay.
    pub(crate) fn wants(&self, wants: &mut Wants) {
        self.contest.wants(wants);
    }

    /// Takes what the relay said: how it ended, or the same contest, which goes on.
    pub(crate) fn handle_seen(
        mut self,
        seen: &Seen,
        me: &Me,
        rng: &mut Rng,
    ) -> Result<Taken, Box<Self>> {
        let Some(candidate) = self.contest.handle_seen(seen) else {
            return Err(Box::new(self));
        };
        if candidate.mine {
            return Ok(self.into_taken());
        }
        match Taker::read(&candidate.content, &self.welcome_secret, &me.root) {
            Some(taker) if self.purpose.is_served_by(&taker) => Ok(self.into_taken()),
            Some(_) => Ok(Taken::Elsewhere(self.purpose)),
            // Others may have filled it: its owner reads no further either.
            None if self.contest.index() + 1 >= TAKING_INDICES_MAX => {
                Ok(Taken::Elsewhere(self.purpose))
            }
            None => {
                self.contest.skip(rng);
                Err(Box::new(self))
            }
        }
    }

    fn into_taken(self) -> Taken {
        match self.purpose {
            TakenFor::Proposal(wish) => {
                let proposal = Proposal {
                    member: self.member,
                    purpose: wish.purpose,
                    reason: wish.reason,
                    reads: wish.reads,
                    key_package: self.message,
                };
                Taken::ToPropose(wish.conversation, Box::new(proposal), wish.ends)
            }
            TakenFor::Circle { circle, .. } => Taken::ToCircle(circle, self.message),
            TakenFor::Successor { colleague, .. } => Taken::ToAdd(colleague.key, self.message),
        }
    }
}

/// What a KeyPackage was taken for.
pub(super) enum Taker {
    /// To propose its owner to a person.
    Person {
        /// By whom.
        by: Attestation,
        /// To whom.
        person: PublicKey,
    },
    /// To bring her into the desk's next group.
    Successor(Succession),
}

impl Taker {
    /// What a cell of the taking thread says, where it counts.
    pub(super) fn read(content: &Content, secret: &ThreadSecret, root: &PublicKey) -> Option<Self> {
        let Content::Payload(payload) = content else {
            return None;
        };
        if let Ok(signed) = cbor::decode::<Signed<Succession>>(payload) {
            return signed.verify(root).ok().map(Self::Successor);
        }
        let taking: Taking = cbor::decode(payload).ok()?;
        let by = taking.verify(root, secret)?;
        let person = taking.person;
        Some(Self::Person { by, person })
    }

    /// Key of whoever took it.
    pub(super) fn key(&self) -> PublicKey {
        match self {
            Self::Person { by, .. } => by.key,
            Self::Successor(next) => next.maker,
        }
    }

    /// The conversation of the person, welcomed by herself, or the group that the root key names.
    pub(super) fn expect(&self, me: &Me) -> Expect {
        let (profile, signer, lineage) = match self {
            // Her own key in a person's place: a circle of hers. [O-1]
            Self::Person { by, person } if by.key == *person => {
                (Profile::Circle, *person, Lineage::First)
            }
            Self::Person { person, .. } => (Profile::Conversation, *person, Lineage::Any),
            Self::Successor(next) => {
                let lineage = Lineage::Successor {
                    group: next.group.clone(),
                    number: next.number,
                };
                (Profile::Desk, next.maker, lineage)
            }
        };
        Expect {
            profile,
            root: me.root,
            signers: vec![signer],
            roster: None,
            lineage,
            welcome: None,
        }
    }
}
