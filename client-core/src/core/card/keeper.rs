//! Publishes the card: always on top of what stands at the relay, never a lower version.

use std::{sync::OnceLock, time::Duration};

use cobijo_protocol::{
    Day,
    card::{Card, CardBody, CardVersion, Daily, DeskKey, UnverifiedCard},
    content::IntakeKey,
    keys::{PublicKey, SecretKey, Signed},
    limits::CARD_BYTES_MAX,
    link::DeskId,
    mailbox::MailboxKey,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::HighestCard;
use crate::{
    core::{
        client::{CardAbsent, CardRefusal, Description, PublishAnswer},
        port::Now,
    },
    mls::hpke,
};

/// Time after which an answer that has not come is asked for again.
const ANSWER_WAIT: Duration = Duration::from_secs(60);
/// Pause before a card that could not be published is tried again.
const RETRY: Duration = Duration::from_secs(30);

/// Time after which a card that is as it should be is looked at again on shift: a colleague may have
/// replaced it.
const LOOK_AGAIN: Duration = Duration::from_secs(1_800);

/// Pause before the card that was in the way is fetched, so that a relay can't keep a client busy.
const CONFLICT_PAUSE: Duration = Duration::from_secs(1);

/// What a member knows of the card, and does about it.
#[derive(Serialize, Deserialize)]
pub(crate) struct CardKeeper {
    desk: DeskId,
    highest: HighestCard,
    /// The highest card, as it was published.
    card: Option<ByteBuf>,
    /// What it says, verified once.
    #[serde(skip)]
    verified: OnceLock<Option<Card>>,
    #[serde(skip)]
    stage: Stage,
}

#[derive(Default)]
enum Stage {
    /// What stands at the relay is not known.
    #[default]
    Unknown,
    Fetching {
        until: Now,
        /// Nothing was missing: the card is only looked at again.
        again: bool,
    },
    /// The relay shows the highest card, or had none to show.
    Fetched {
        until: Now,
    },
    /// The relay shows a lower card than this client has seen, or none.
    Behind,
    Publishing {
        card: Vec<u8>,
        until: Now,
    },
    /// Refused, or the relay can't be reached.
    Pausing {
        until: Now,
    },
}

/// What is wanted of the card now.
pub(crate) struct Plan<'a> {
    /// The day that it should be of.
    pub(crate) today: Day,
    /// Whether somebody answers today, so that an older day is not enough.
    pub(crate) open_today: bool,
    /// The own key: signs the daily part, if it is a poster.
    pub(crate) key: &'a SecretKey,
    /// The lasting part as it should be, for whoever holds the desk key.
    pub(crate) author: Option<Author<'a>>,
    /// Today's intake key, once it is stored in the desk group.
    pub(crate) intake_key: Option<&'a IntakeKey>,
    /// The mailbox that must be named from now on, because an earlier one is known to somebody evicted.
    pub(crate) mailbox: Option<MailboxKey>,
    /// A mailbox that must not be named: the desk was never told of it.
    pub(crate) foreign: Option<MailboxKey>,
}

/// The lasting part as it should be.
pub(crate) struct Author<'a> {
    /// The desk key.
    pub(crate) key: &'a SecretKey,
    /// What the root key says of it.
    pub(crate) signed: &'a Signed<DeskKey>,
    /// What it says; `None` keeps what it says now.
    pub(crate) description: Option<&'a Description>,
    /// Who may sign the daily part, in order.
    pub(crate) posters: Vec<PublicKey>,
}

/// What has to be done next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Fetch the card that stands at the relay.
    Fetch,
    /// Store an intake key of today in the desk group.
    MakeIntakeKey,
    /// Publish this.
    Publish(Vec<u8>),
    /// It can't be published for now.
    Refused(CardRefusal),
}

impl CardKeeper {
    pub(crate) fn new(desk: DeskId) -> Self {
        Self {
            desk,
            highest: HighestCard::default(),
            card: None,
            verified: OnceLock::new(),
            stage: Stage::Unknown,
        }
    }

    /// The highest card that was seen.
    pub(crate) fn card(&self) -> Option<Card> {
        let verify = || {
            let bytes = self.card.as_ref()?;
            UnverifiedCard::decode(bytes).ok()?.verify(&self.desk).ok()
        };
        self.verified.get_or_init(verify).clone()
    }

    /// Its bytes.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        self.card.as_ref().map(|card| card.as_slice())
    }

    /// The highest version that was seen or told of.
    pub(crate) fn version(&self) -> Option<CardVersion> {
        self.highest.version()
    }

    /// Looks at the relay again, whatever was planned.
    pub(crate) fn refresh(&mut self) {
        self.stage = Stage::Unknown;
    }

    /// Takes a card that a colleague tells of; true where it is higher.
    pub(crate) fn handle_told(&mut self, version: CardVersion, card: &[u8]) -> bool {
        self.highest.version() < Some(version) && self.take(card)
    }

    /// Takes what became of a fetch; true where a card is missing that can't be had now.
    pub(crate) fn handle_fetched(&mut self, card: Result<Vec<u8>, CardAbsent>, now: Now) -> bool {
        let Stage::Fetching { again, .. } = self.stage else {
            return false;
        };
        let is_missing = card == Err(CardAbsent::Unreachable) && !again;
        self.stage = match card {
            Ok(card) if self.take(&card) => Stage::fetched(now),
            Ok(_) | Err(CardAbsent::NotFound) => Stage::Behind,
            Err(CardAbsent::Unreachable) => Stage::Pausing {
                until: now.plus(RETRY),
            },
        };
        is_missing
    }

    /// Takes what became of publishing; gives the version that is published, or why none is.
    pub(crate) fn handle_published(
        &mut self,
        answer: PublishAnswer,
        now: Now,
    ) -> Option<Result<CardVersion, CardRefusal>> {
        let Stage::Publishing { card, .. } = std::mem::take(&mut self.stage) else {
            return None;
        };
        let refusal = match answer {
            PublishAnswer::Published => {
                self.take(&card).then_some(())?;
                self.stage = Stage::fetched(now);
                return self.version().map(Ok);
            }
            // A colleague was first: what stands there decides.
            PublishAnswer::Conflict => {
                self.stage = Stage::Pausing {
                    until: now.plus(CONFLICT_PAUSE),
                };
                return None;
            }
            PublishAnswer::NotHosted => CardRefusal::NotHosted,
            PublishAnswer::Refused => CardRefusal::Conflict,
            PublishAnswer::Unreachable => CardRefusal::Unreachable,
        };
        self.stage = Stage::Pausing {
            until: now.plus(RETRY),
        };
        Some(Err(refusal))
    }

    /// What has to be done next for the plan, if anything.
    pub(crate) fn next(&mut self, plan: &Plan<'_>, now: Now) -> Option<Step> {
        match self.stage {
            Stage::Fetching { until, .. }
            | Stage::Publishing { until, .. }
            | Stage::Pausing { until }
                if now < until =>
            {
                None
            }
            Stage::Fetched { until } if now < until || !plan.open_today => self.improve(plan, now),
            Stage::Behind => {
                self.stage = Stage::fetched(now);
                self.restore(now).or_else(|| self.improve(plan, now))
            }
            Stage::Unknown
            | Stage::Fetching { .. }
            | Stage::Fetched { .. }
            | Stage::Publishing { .. }
            | Stage::Pausing { .. } => {
                self.stage = Stage::Fetching {
                    until: now.plus(ANSWER_WAIT),
                    again: matches!(self.stage, Stage::Fetched { .. }),
                };
                Some(Step::Fetch)
            }
        }
    }

    /// When [`CardKeeper::next`] is to be called again, on shift or not.
    pub(crate) fn poll_timeout(&self, is_on_shift: bool) -> Option<Now> {
        match self.stage {
            Stage::Fetched { until } => is_on_shift.then_some(until),
            Stage::Fetching { until, .. }
            | Stage::Publishing { until, .. }
            | Stage::Pausing { until } => Some(until),
            Stage::Unknown | Stage::Behind => None,
        }
    }

    /// Remembers a card if it is not lower than the highest.
    fn take(&mut self, card: &[u8]) -> bool {
        let is_taken = self.highest.accept(card, &self.desk).is_ok();
        if is_taken {
            self.card = Some(ByteBuf::from(card));
            self.verified = OnceLock::new();
        }
        is_taken
    }

    /// What stands at the relay again after it lost it, or replayed an older one.
    fn restore(&mut self, now: Now) -> Option<Step> {
        let card = self.card.clone()?.into_vec();
        Some(self.publish(card, now))
    }

    fn publish(&mut self, card: Vec<u8>, now: Now) -> Step {
        self.stage = Stage::Publishing {
            card: card.clone(),
            until: now.plus(ANSWER_WAIT),
        };
        Step::Publish(card)
    }

    fn improve(&mut self, plan: &Plan<'_>, now: Now) -> Option<Step> {
        let current = self.card();
        match plan.compose(current.as_ref(), self.bytes(), &self.desk)? {
            Ok(card) => {
                let card = card.encode();
                (card.len() <= CARD_BYTES_MAX).then(|| self.publish(card, now))
            }
            Err(Step::Refused(refusal)) => {
                self.stage = Stage::Pausing {
                    until: now.plus(RETRY),
                };
                Some(Step::Refused(refusal))
            }
            Err(step) => Some(step),
        }
    }
}

impl Stage {
    fn fetched(now: Now) -> Self {
        Self::Fetched {
            until: now.plus(LOOK_AGAIN),
        }
    }
}

impl Plan<'_> {
    /// The next card, or what is missing for it; `None` where the current one is as it should be.
    fn compose(
        &self,
        current: Option<&Card>,
        bytes: Option<&[u8]>,
        desk: &DeskId,
    ) -> Option<Result<UnverifiedCard, Step>> {
        let change = self.author.as_ref().and_then(|author| {
            let body = author.changed(current).or_else(|| self.moved(current))?;
            Some((body, author))
        });
        let is_old = self.open_today && current.is_none_or(|card| card.daily.day < self.today);
        (change.is_some() || is_old).then(|| self.sign(change, current, bytes, desk))
    }

    /// The lasting part with a new version, where the mailbox has to be another one.
    fn moved(&self, current: Option<&Card>) -> Option<CardBody> {
        let card = current.filter(|card| self.must_move(card))?;
        Some(CardBody {
            version: card.body.version.saturating_add(1),
            ..card.body.clone()
        })
    }

    fn must_move(&self, card: &Card) -> bool {
        let named = card.daily.mailbox;
        self.mailbox.is_some_and(|new| named != new) || self.foreign == Some(named)
    }

    fn sign(
        &self,
        body: Option<(CardBody, &Author<'_>)>,
        current: Option<&Card>,
        bytes: Option<&[u8]>,
        desk: &DeskId,
    ) -> Result<UnverifiedCard, Step> {
        let published = bytes.and_then(|bytes| UnverifiedCard::decode(bytes).ok());
        let (desk_key, card, body) = match (body, published, current) {
            (Some((body, author)), _, _) => {
                (author.signed.clone(), author.key.sign_value(&body), body)
            }
            (None, Some(published), Some(current)) => {
                (published.desk_key, published.card, current.body.clone())
            }
            (None, None | Some(_), _) => return Err(Step::Refused(CardRefusal::NotPoster)),
        };
        let signed = desk_key
            .unverified()
            .map_err(|_| Step::Refused(CardRefusal::Conflict))?;
        if signed.not_after < self.today {
            return Err(Step::Refused(CardRefusal::DeskKeyExpired));
        }
        if !body.posters.contains(&self.key.public()) {
            return Err(Step::Refused(CardRefusal::NotPoster));
        }
        let (day, mailbox, intake_key) = self.daily(current)?;
        let daily = Daily {
            desk: *desk,
            desk_serial: signed.serial,
            version: body.version,
            day,
            mailbox,
            intake_key: ByteBuf::from(intake_key),
            poster: self.key.public(),
        };
        Ok(UnverifiedCard {
            desk_key,
            card,
            daily: self.key.sign_value(&daily),
        })
    }

    /// Day, mailbox and public intake key of the next daily part: the current ones, where they are of
    /// today and may stay.
    fn daily(&self, current: Option<&Card>) -> Result<(Day, MailboxKey, Vec<u8>), Step> {
        if let Some(card) = current
            && card.daily.day >= self.today
            && !self.must_move(card)
        {
            let daily = &card.daily;
            return Ok((daily.day, daily.mailbox, daily.intake_key.to_vec()));
        }
        let intake_key = self.intake_key.ok_or(Step::MakeIntakeKey)?;
        let pair = hpke::key_pair(intake_key.seed.as_bytes())
            .map_err(|_| Step::Refused(CardRefusal::Conflict))?;
        // Intakes are opened with the day of the key. Where it is below the current card's, the lasting
        // part has a new version, which counts first.
        let mailbox = MailboxKey::of(&intake_key.mailbox);
        Ok((intake_key.day, mailbox, pair.public))
    }
}

impl Author<'_> {
    /// The lasting part, if it has to change.
    fn changed(&self, current: Option<&Card>) -> Option<CardBody> {
        let serial = self.signed.unverified().ok()?.serial;
        let said = current.map(|card| Description::of(&card.body));
        let description = self.description.cloned().or_else(|| said.clone())?;
        let is_current = current.is_some_and(|card| {
            card.desk_key.serial == serial
                && card.body.posters == self.posters
                && said.as_ref() == Some(&description)
        });
        let version = current.map_or(0, |card| card.body.version);
        (!is_current).then(|| description.body(version.saturating_add(1), self.posters.clone()))
    }
}

impl Description {
    /// What a card says, beside its keys.
    pub(crate) fn of(body: &CardBody) -> Self {
        Self {
            name: body.name.clone(),
            about: body.about.clone(),
            hours: body.hours.clone(),
            opening: body.opening.clone(),
            wait_minutes: body.wait_minutes,
            languages: body.languages.clone(),
        }
    }

    /// The lasting part of a card that says this.
    pub(crate) fn body(self, version: u32, posters: Vec<PublicKey>) -> CardBody {
        CardBody {
            version,
            name: self.name,
            about: self.about,
            hours: self.hours,
            opening: self.opening,
            wait_minutes: self.wait_minutes,
            languages: self.languages,
            posters,
        }
    }
}
