//! One-time KeyPackages in the desk group: one's own, and taking a colleague's., [A-6]
//!
//! The relay has no directory. Each colleague announces up to four in the desk group; who proposes her
//! to a person takes one in a contest under its welcome secret, so that no two people are given the
//! same one. In the same way a coordinator takes one to bring her into the successor of the desk's group.

mod take;

use std::time::Duration;

use cobijo_protocol::{
    credential::Credential,
    keys::PublicKey,
    limits::{POOL_KEY_PACKAGES, RETENTION_DAYS_MAX, TAKING_INDICES_MAX},
    slot::{Kind, ThreadSecret},
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{
    claim::Me,
    contest::Contest,
    group::Group,
    joining::Joining,
    port::{Now, RelayFacts, Rng, Seen, Wants},
};
use crate::mls::key_package::OwnKeyPackage;
use take::Taker;
pub(crate) use take::{Take, Taken, TakenFor, Wish};

/// KeyPackages that were taken and whose Welcome is waited for, at one time; then one gives way of
/// whoever has taken most.
const TAKEN_MAX: usize = 32;
/// KeyPackages that one colleague takes in a day before this member is shown who it is: nobody proposes
/// one member to so many people.
const SHOWN_FROM: usize = 8;
/// KeyPackages that are announced no more, kept for a successor: those of two rounds.
const FORMER_MAX: usize = 2 * POOL_KEY_PACKAGES;
/// Time that a person may take to say yes: no Welcome stands at the relay for longer.
const TAKEN_LIFETIME: Duration = Duration::from_secs(RETENTION_DAYS_MAX as u64 * 86_400);

/// KeyPackages of one's own.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct OwnKeyPackages {
    offers: Vec<Offer>,
    /// What the relay of this connection said of its days.
    #[serde(skip)]
    relay: Option<RelayFacts>,
}

#[derive(Serialize, Deserialize)]
enum Offer {
    /// Nobody has taken it.
    Free {
        own: Box<OwnKeyPackage>,
        taking: Box<Contest>,
        /// It is announced no more, since somebody knows it who is out, or its attestation is old: it serves a
        /// successor alone. [G-22]
        is_former: bool,
    },
    /// A colleague proposes this member with it, or brings her into the desk's next group.
    Taken {
        joining: Box<Joining>,
        taker: PublicKey,
        since: Now,
    },
}

/// What becomes of the own KeyPackages.
pub(crate) enum OfferEvent {
    /// The conversation of a person who said yes, or the desk's next group.
    Joined(Box<Group>),
    /// A colleague has taken many today.
    TakenOften {
        /// Who.
        alias: String,
    },
}

impl OwnKeyPackages {
    /// Makes what is missing; true where there is something new to announce.
    pub(crate) fn top_up(&mut self, me: &Me, rng: &mut Rng) -> bool {
        let missing = POOL_KEY_PACKAGES.saturating_sub(self.free().count());
        let credential = Credential::Member(me.attested.clone());
        let made = (0..missing)
            .map_while(|_| OwnKeyPackage::new(me.suite, &me.key, &credential, rng).ok())
            .map(|own| {
                let taking = Contest::new(own.welcome_secret().clone(), Kind::Taking, 0);
                Offer::Free {
                    own: Box::new(own),
                    taking: Box::new(taking),
                    is_former: false,
                }
            });
        let before = self.offers.len();
        self.offers.extend(made);
        self.offers.len() > before
    }

    /// Announces no more what nobody has taken: somebody who left has seen it, or its attestation is old. A
    /// colleague who stopped before she read of newer ones may still bring this member into a successor.
    pub(crate) fn retire_free(&mut self) {
        for offer in &mut self.offers {
            if let Offer::Free { is_former, .. } = offer {
                *is_former = true;
            }
        }
        let is_former = |offer: &Offer| {
            matches!(
                offer,
                Offer::Free {
                    is_former: true,
                    ..
                }
            )
        };
        while self.offers.iter().filter(|offer| is_former(offer)).count() > FORMER_MAX {
            let Some(oldest) = self.offers.iter().position(is_former) else {
                return;
            };
            self.offers.remove(oldest);
        }
    }

    /// Forgets what was taken for the desk's groups up to this one.
    pub(crate) fn drop_successions(&mut self, number: u32) {
        let is_old = |joining: &Joining| joining.is_for_number(number);
        self.offers
            .retain(|offer| !matches!(offer, Offer::Taken { joining, .. } if is_old(joining)));
    }

    /// What is left to take.
    pub(crate) fn messages(&self) -> Vec<ByteBuf> {
        let message = |own: &OwnKeyPackage| ByteBuf::from(own.message());
        self.free().map(message).collect()
    }

    /// What is wanted from the relay.
    pub(crate) fn wants(&self, wants: &mut Wants) {
        for offer in &self.offers {
            match offer {
                Offer::Free { taking, .. } if taking.index() < TAKING_INDICES_MAX => {
                    taking.wants(wants);
                }
                Offer::Free { .. } => {}
                Offer::Taken { joining, .. } => joining.wants(wants),
            }
        }
    }

    /// Takes what the relay said.
    pub(crate) fn handle_seen(
        &mut self,
        seen: &Seen,
        me: &Me,
        now: Now,
        rng: &mut Rng,
    ) -> Vec<OfferEvent> {
        if let Seen::Connected(relay) = seen {
            self.relay = Some(*relay);
        }
        let mut events = Vec::new();
        let mut takers = Vec::new();
        let offers = std::mem::take(&mut self.offers);
        for offer in offers {
            match offer.handle_seen(seen, me, self.relay, now, rng) {
                Step::Goes(offer) => self.offers.push(offer),
                Step::Taken(offer, taker) => {
                    self.offers.push(offer);
                    takers.push(taker);
                }
                Step::Joined(group) => events.push(OfferEvent::Joined(group)),
                Step::Gone => {}
            }
        }
        for taker in takers {
            let Taker::Person { by, .. } = taker else {
                continue;
            };
            if self.taken_today(&by.key, now) == SHOWN_FROM {
                let alias = by.alias;
                events.push(OfferEvent::TakenOften { alias });
            }
        }
        self.forget(now);
        events
    }

    /// Bounds what is waited for.
    fn forget(&mut self, now: Now) {
        let is_old = |offer: &Offer| matches!(offer, Offer::Taken { since, .. } if now.since(*since) > TAKEN_LIFETIME);
        self.offers.retain(|offer| !is_old(offer));
        while self.takers().count() > TAKEN_MAX {
            let most = self.takers().max_by_key(|taker| self.taken_by(taker));
            let is_of_most = |offer: &Offer| offer.taker() == most;
            let Some(oldest) = self.offers.iter().position(is_of_most) else {
                return;
            };
            self.offers.remove(oldest);
        }
    }

    fn takers(&self) -> impl Iterator<Item = &PublicKey> {
        self.offers.iter().filter_map(Offer::taker)
    }

    fn taken_by(&self, taker: &PublicKey) -> usize {
        self.takers().filter(|one| *one == taker).count()
    }

    fn taken_today(&self, by: &PublicKey, now: Now) -> usize {
        let is_one = |offer: &&Offer| {
            matches!(offer, Offer::Taken { taker, since, .. }
                if taker == by && since.day() == now.day())
        };
        self.offers.iter().filter(is_one).count()
    }

    fn free(&self) -> impl Iterator<Item = &OwnKeyPackage> {
        self.offers.iter().filter_map(|offer| match offer {
            Offer::Free {
                own,
                is_former: false,
                ..
            } => Some(own.as_ref()),
            Offer::Free { .. } | Offer::Taken { .. } => None,
        })
    }
}

/// What becomes of an offer.
enum Step {
    Goes(Offer),
    Taken(Offer, Taker),
    Joined(Box<Group>),
    Gone,
}

impl Offer {
    fn taker(&self) -> Option<&PublicKey> {
        match self {
            Self::Free { .. } => None,
            Self::Taken { taker, .. } => Some(taker),
        }
    }

    fn handle_seen(
        self,
        seen: &Seen,
        me: &Me,
        relay: Option<RelayFacts>,
        now: Now,
        rng: &mut Rng,
    ) -> Step {
        match self {
            Self::Free {
                own,
                mut taking,
                is_former,
            } => {
                let taken = handle_taking(&mut taking, own.welcome_secret(), seen, me, rng);
                let Some(taker) = taken else {
                    return Step::Goes(Self::Free {
                        own,
                        taking,
                        is_former,
                    });
                };
                if is_former && matches!(taker, Taker::Person { .. }) {
                    return Step::Gone;
                }
                let joining = Joining::new(*own, me.key.clone(), taker.expect(me));
                let offer = Self::Taken {
                    joining: Box::new(joining.told(relay)),
                    taker: taker.key(),
                    since: now,
                };
                Step::Taken(offer, taker)
            }
            Self::Taken {
                mut joining,
                taker,
                since,
            } => match joining.handle_seen(seen, now, rng) {
                Some(group) => Step::Joined(Box::new(group)),
                None => Step::Goes(Self::Taken {
                    joining,
                    taker,
                    since,
                }),
            },
        }
    }
}

/// Who took it, and what for.
fn handle_taking(
    contest: &mut Contest,
    welcome_secret: &ThreadSecret,
    seen: &Seen,
    me: &Me,
    rng: &mut Rng,
) -> Option<Taker> {
    let candidate = contest.handle_seen(seen)?;
    let taker = Taker::read(&candidate.content, welcome_secret, &me.root);
    if taker.is_none() {
        contest.skip(rng);
    }
    taker
}
